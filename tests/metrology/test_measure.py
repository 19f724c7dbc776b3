from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import EPOCH, at, segment, signal, size_of, stationary_segments
from twin.metrology import (
    NotStationaryError,
    measure_samples,
    measure_steady,
    measure_window,
    steady_phasors,
)
from twin.signals import instant_of_theta, sampled_segment, synthesise_cycles

few = settings(deadline=None, max_examples=25)


@few
@given(stationary_segments(rows=12, highest=30), st.integers(1, 12))
def test_three_ways_to_measure_whole_cycles_agree(part, cycles):
    """A table of phasors, the closed form over a window, and samples."""
    whole = signal(part, duration_s=1)
    steady = measure_steady(part)
    window = measure_window(whole, at(0.0), instant_of_theta(part, part.theta + 2 * np.pi * cycles))
    samples = synthesise_cycles(whole, at(0.0), samples_per_cycle=128, count=128 * cycles)
    sampled = measure_samples(
        samples, samples_per_cycle=128, cycles=cycles, frequency=part.frequency, theta=part.theta
    )
    size = size_of(whole)
    for other in (window, sampled):
        assert np.abs(other.gram - steady.gram).max() <= 1e-12 * size**2
        assert np.abs(other.spectrum - steady.spectrum).max() <= 2e-12 * size
    assert steady.spectrum.shape == (2, 6, 64)
    assert (steady.spectrum[:, :, 0].imag == 0).all()


@few
@given(stationary_segments(rows=12))
def test_mean_products_agree_with_plain_numpy(part):
    steady = steady_phasors(part)
    assert (steady.order == part.order).all()
    for meter in range(2):
        rows = steady.phasor[6 * meter : 6 * meter + 6]
        expected = (rows[:, None, :] * rows[None, :, :].conj()).sum(axis=2).real
        assert np.allclose(measure_steady(part).gram[meter], expected, rtol=1e-13, atol=1e-9)


def test_orders_beyond_the_spectrum_count_in_rms():
    part = segment(amplitude=np.full((6, 2), np.sqrt(2)), order=[1, 70])
    measure = measure_steady(part, orders=64)
    assert measure.gram[0, 0, 0] == pytest.approx(2.0)
    assert (np.abs(measure.spectrum[0, 0]) ** 2).sum() == pytest.approx(1.0)


def test_terms_of_one_order_are_summed_before_they_are_squared():
    """Two opposite terms are nothing; a negative order turns backwards with the conjugate amplitude."""
    amplitude = np.tile([3.0 + 1j, 1.0 - 2j, -3.0 - 1j, 0.5], (6, 1))
    part = segment(amplitude=amplitude, order=[5, -1, 5, 0], theta=0.4)
    steady = measure_steady(part)
    window = measure_window(signal(part, duration_s=1), at(0.0), at(0.02))
    assert np.allclose(steady.gram, window.gram, atol=1e-13)
    assert np.allclose(steady.spectrum, window.spectrum, atol=1e-13)
    assert steady.spectrum[0, 0, 1] == pytest.approx((1.0 + 2j) / np.sqrt(2))
    assert abs(steady.spectrum[0, 0, 5]) < 1e-15


def test_frequency_needs_a_voltage():
    amplitude = np.zeros((12, 1), complex)
    amplitude[3:7] = 1.0  # currents of the first meter, va of the second
    part = segment(amplitude=amplitude, order=[1], frequency=49.9)
    for measure in (measure_steady(part), measure_window(signal(part, duration_s=1), at(0.1), at(0.3))):
        assert np.isnan(measure.frequency[0])
        assert measure.frequency[1] == pytest.approx(49.9, rel=1e-15)


def test_frequency_over_a_boundary_is_cycles_over_time():
    one = segment(amplitude=np.ones((6, 1)), order=[1], frequency=50.0)
    two = segment(amplitude=np.ones((6, 1)), order=[1], frequency=48.0, start_ns=at(0.1).ns)
    measure = measure_window(signal(one, two, duration_s=1), at(0.05), at(0.2))
    assert measure.frequency[0] == pytest.approx((50.0 * 0.05 + 48.0 * 0.1) / 0.15, rel=1e-14)


def test_decaying_terms_are_not_stationary():
    decaying = segment(amplitude=np.ones((6, 1)), order=[1], rate=[-1.0])
    between = segment(amplitude=np.ones((6, 1)), order=[1.5])
    for part in (decaying, between):
        with pytest.raises(NotStationaryError, match="no harmonics; use measure_window"):
            measure_steady(part)


def test_samples_must_be_whole_cycles_below_half_the_rate():
    with pytest.raises(ValueError, match="pass whole cycles"):
        measure_samples(np.zeros((6, 65)), samples_per_cycle=64, cycles=1, frequency=50.0)
    with pytest.raises(ValueError, match="at most 32 orders"):
        measure_samples(np.zeros((6, 64)), samples_per_cycle=64, cycles=1, frequency=50.0, orders=33)


def test_the_layout_of_amplitudes_does_not_matter():
    rng = np.random.default_rng(5)
    amplitude = rng.normal(size=(6, 3)) + 1j * rng.normal(size=(6, 3))
    one = measure_steady(segment(amplitude=amplitude, order=[1, 3, 5]))
    part = segment(amplitude=amplitude, order=[1, 3, 5])
    other = measure_steady(replace(part, amplitude=np.asfortranarray(amplitude)))
    assert (one.gram == other.gram).all()
    assert (one.spectrum == other.spectrum).all()


def test_a_segment_with_samples_is_not_stationary():
    part = sampled_segment(
        segment(amplitude=np.ones((6, 1)), order=[1]), EPOCH + 20_000_000, samples_per_cycle=64
    )
    with pytest.raises(NotStationaryError, match="has samples"):
        measure_steady(part)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import (
    EPOCH,
    at,
    damped_segments,
    direct,
    following,
    quadrature,
    segment,
    signal,
    size_of,
    stationary_segments,
)
from twin.contracts import Instant
from twin.signals import (
    WholeOrderError,
    instant_of_theta,
    synthesise,
    synthesise_cycles,
    window_gram,
    window_spectrum,
)

few = settings(deadline=None, max_examples=25)


@st.composite
def straddling(draw):
    """Draw a signal of three segments, with jumps of phase, steps, decays and changes of frequency."""
    one, two, three = draw(stationary_segments()), draw(damped_segments()), draw(damped_segments())
    cut, again = draw(st.integers(1, 25_000_000)), draw(st.integers(1, 25_000_000))
    middle = following(
        one, cut, frequency=two.frequency, order=two.order, rate=two.rate, amplitude=two.amplitude
    )
    last = following(
        middle,
        again,
        frequency=three.frequency,
        order=three.order,
        rate=three.rate,
        amplitude=three.amplitude,
    )
    return signal(one, middle, last, duration_s=0.1)


windows = st.tuples(
    st.integers(0, 30_000_000), st.integers(1_000, 60_000_000), st.floats(0.0, 0.999), st.floats(0.0, 0.999)
).map(lambda w: (Instant(EPOCH + w[0], w[2]), Instant(EPOCH + w[0] + w[1], w[3])))


@few
@given(straddling(), windows)
def test_moments_over_boundaries_agree_with_quadrature(whole, window):
    gram, bins = quadrature(whole, *window, orders=12)
    size = size_of(whole)
    assert np.abs(window_gram(whole, *window)[0] - gram).max() <= 1e-12 * size**2
    assert np.abs(window_spectrum(whole, *window, orders=12) - bins).max() <= 1e-12 * size


@few
@given(straddling(), windows)
def test_mean_products_are_symmetric_and_positive_semidefinite(whole, window):
    gram = window_gram(whole, *window)[0]
    assert (gram == gram.T).all()
    assert np.linalg.eigvalsh(gram).min() >= -1e-12 * size_of(whole) ** 2


@few
@given(straddling(), st.lists(st.integers(1, 90_000_000), min_size=3, max_size=3, unique=True))
def test_moments_of_adjoining_windows_add_up(whole, cuts):
    a, b, c = (Instant(EPOCH + cut) for cut in sorted(cuts))
    for moments in (window_gram, window_spectrum):
        parts = moments(whole, a, b) * (b.ns - a.ns) + moments(whole, b, c) * (c.ns - b.ns)
        scale = size_of(whole) ** (2 if moments is window_gram else 1)
        assert np.abs(parts / (c.ns - a.ns) - moments(whole, a, c)).max() <= 1e-12 * scale


@few
@given(straddling(), windows, st.integers(200, 2000))
def test_samples_agree_with_moments_within_the_bound_of_their_quadrature(whole, window, count):
    """A Riemann sum misses an integral by at most step x total variation of the integrand.

    With S the sum of amplitudes and D that of amplitude x |exponent|, a product of two channels varies by
    at most 2 S D per second and 2 S^2 at each of two boundaries. The sample instants come to a
    nanosecond's fraction of the window, which the constant part of the bound more than covers.
    """
    start, end = window
    duration = (end.ns - start.ns + end.fraction - start.fraction) * 1e-9
    step = duration / count
    samples = synthesise(whole, start, step_s=step, count=count)
    sampled = samples @ samples.T / count
    size = size_of(whole)
    slope = max(
        float((np.abs(part.amplitude) @ np.abs(part.rate + 2j * np.pi * part.order * part.frequency)).max())
        for part in whole.segments
    )
    bound = step / duration * (2 * size * slope * duration + 2 * 2 * size**2)
    assert np.abs(sampled - window_gram(whole, start, end)[0]).max() <= bound * (1 + 1e-9)


@few
@given(stationary_segments(highest=31), st.integers(64, 200), st.integers(1, 12))
def test_samples_of_whole_cycles_agree_with_moments(part, per_cycle, cycles):
    """Stationary, whole orders, below half the sampling rate: to rounding."""
    whole = signal(part, duration_s=1)
    samples = synthesise_cycles(whole, at(0.0), samples_per_cycle=per_cycle, count=per_cycle * cycles)
    end = instant_of_theta(part, part.theta + 2 * np.pi * cycles)
    gram = window_gram(whole, at(0.0), end)[0]
    assert np.abs(samples @ samples.T / samples.shape[1] - gram).max() <= 1e-12 * size_of(whole) ** 2


@few
@given(stationary_segments(), st.integers(1, 600))
def test_power_of_a_stationary_window_is_the_sum_over_its_orders(part, cycles):
    """Parseval, and each phasor is the amplitude over the root of two."""
    whole = signal(part, duration_s=20)
    end = instant_of_theta(part, part.theta + 2 * np.pi * cycles)
    gram = window_gram(whole, at(0.0), end)[0]
    bins = window_spectrum(whole, at(0.0), end, orders=24)
    size = size_of(whole)
    assert np.abs((bins @ bins.conj().T).real - gram).max() <= 1e-12 * size**2
    for k, h in enumerate(part.order.astype(int)):
        scale = 1.0 if h == 0 else np.sqrt(0.5)
        assert np.abs(bins[:, h] - part.amplitude[:, k] * scale).max() <= 1e-12 * size


def test_ten_minutes_keep_twelve_digits():
    rng = np.random.default_rng(7)
    order = np.array([0.0, 1, 3, 5, 7, 62, 63])
    amplitude = rng.normal(size=(6, 7)) + 1j * rng.normal(size=(6, 7))
    amplitude[:, 0] = amplitude[:, 0].real
    part = segment(amplitude=amplitude, order=order, frequency=59.987, theta=1.0)
    whole = signal(part, duration_s=700)
    start = at(1.0)
    cycles = 35_990  # 600 s but a part of a cycle
    end = instant_of_theta(part, 1.0 + 2 * np.pi * (59.987 + cycles))
    expected = amplitude / np.sqrt(2)
    expected[:, 0] = amplitude[:, 0]
    bins = window_spectrum(whole, start, end)
    assert np.abs(bins[:, order.astype(int)] - expected).max() < 1e-12
    gram = window_gram(whole, start, end)[0]
    assert np.abs(gram - (expected @ expected.conj().T).real).max() < 1e-11


def test_an_interharmonic_close_to_a_harmonic_beats_with_it():
    """Mean square of cos(w t) + cos((w + d) t) over a short window, against the antiderivative."""
    d = 1e-3  # rad/s: 1e-5 of a turn within the window
    part = segment(amplitude=np.ones((1, 2)), order=[1, 1], rate=[0, 1j * d], frequency=50.0)
    whole = signal(part, duration_s=1)
    gram = window_gram(whole, at(0.0), at(0.06), channels=1)[0, 0, 0]
    expected = quadrature(whole, at(0.0), at(0.06))[0][0, 0]
    assert gram == pytest.approx(expected, rel=1e-13)
    assert gram == pytest.approx(2.0, abs=1e-4)


def test_a_decaying_direct_current_has_the_textbook_square():
    """Integral of exp(-2 t/T) over a window of length L, divided by L."""
    part = segment(amplitude=np.full((1, 1), 100.0 + 0j), order=[0], rate=[-1 / 0.045])
    whole = signal(part, duration_s=1)
    expected = 100.0**2 * 0.045 / 2 * (1 - np.exp(-2 * 0.02 / 0.045)) / 0.02
    assert window_gram(whole, at(0.0), at(0.02), channels=1)[0, 0, 0] == pytest.approx(expected, rel=1e-13)
    mean = window_spectrum(whole, at(0.0), at(0.02), orders=1)[0, 0]
    assert mean == pytest.approx(100.0 * 0.045 * (1 - np.exp(-0.02 / 0.045)) / 0.02, rel=1e-13)


def test_meters_do_not_mix():
    rng = np.random.default_rng(3)
    amplitude = rng.normal(size=(12, 2)) + 1j * rng.normal(size=(12, 2))
    part = segment(amplitude=amplitude, order=[1, 5])
    gram = window_gram(signal(part, duration_s=1), at(0.0), at(0.013))
    for meter in range(2):
        own = segment(amplitude=amplitude[6 * meter : 6 * meter + 6], order=[1, 5])
        assert (gram[meter] == window_gram(signal(own, duration_s=1), at(0.0), at(0.013))[0]).all()


def test_extended_precision_reference_is_what_numpy_says():
    """The reference itself, at one point, against a plain expression."""
    part = segment(amplitude=[[2.0j]], order=[3], rate=[-5.0], frequency=50.0, theta=0.2)
    expected = (2.0j * np.exp(-5.0 * 0.01) * np.exp(3j * (0.2 + np.pi))).real
    assert float(direct(part, [0.01])[0, 0]) == pytest.approx(expected, rel=1e-14)


def test_the_layout_of_amplitudes_does_not_matter():
    rng = np.random.default_rng(5)
    amplitude = rng.normal(size=(6, 3)) + 1j * rng.normal(size=(6, 3))
    part = segment(amplitude=amplitude, order=[1, 3, 5])
    turned = replace(part, amplitude=np.asfortranarray(amplitude))
    for moments in (window_gram, window_spectrum):
        one, other = (moments(signal(p, duration_s=1), at(0.0), at(0.013)) for p in (part, turned))
        assert (one == other).all()


def test_a_fraction_of_theta_is_refused():
    """Its phase would be lost wherever theta is reduced by whole turns."""
    part = segment(amplitude=np.ones((6, 1)), order=[1.5])
    whole = signal(part, duration_s=1)
    with pytest.raises(WholeOrderError, match="its own frequency as a rate"):
        window_gram(whole, at(0.0), at(0.02))
    with pytest.raises(WholeOrderError, match="its own frequency as a rate"):
        synthesise(whole, at(0.0), step_s=0.001, count=2)

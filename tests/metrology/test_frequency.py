import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import EPOCH, at, following, segment, signal
from twin.metrology import cycle_frequency, ten_second_frequency
from twin.signals import sampled, sampled_segment, synthesise


def wave(frequency, theta=0.0, amplitude=100.0 + 0j):
    return segment(amplitude=[[amplitude]], order=[1], frequency=frequency, theta=theta)


def zero_crossing_frequency(samples, step_s):
    """Whole cycles over their time from samples, each upward crossing found by interpolation."""
    rising = np.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0))
    where = rising - samples[rising] / (samples[rising + 1] - samples[rising])
    return (where.size - 1) / ((where[-1] - where[0]) * step_s)


@settings(deadline=None)
@given(st.floats(42.5, 69.0), st.floats(0.0, 6.28), st.floats(-3.1, 3.1))
def test_a_constant_frequency_is_found_whatever_the_phase(frequency, theta, angle):
    whole = signal(wave(frequency, theta, 100 * np.exp(1j * angle)), duration_s=10)
    assert ten_second_frequency(whole, EPOCH, channel=0) == pytest.approx(frequency, rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.floats(45.0, 65.0), st.floats(45.0, 65.0), st.integers(1, 199_000_000), st.floats(0.0, 6.28))
def test_it_agrees_with_zero_crossings_of_samples_over_a_change(one, two, cut, theta):
    first = wave(one, theta)
    second = following(first, cut, frequency=two)
    whole = signal(first, second, duration_s=0.3)
    samples = synthesise(whole, at(0.0), step_s=1e-5, count=20_001)[0]
    found = cycle_frequency(whole, at(0.0), at(0.2), channel=0)
    assert found == pytest.approx(zero_crossing_frequency(samples, 1e-5), rel=2e-5)


def test_only_whole_cycles_count():
    """50 Hz for 4 s and 49 Hz after: 200 + 294 cycles less what the ends cut, over their time."""
    first = wave(50.0)
    second = following(first, 4_000_000_000, frequency=49.0)
    found = ten_second_frequency(signal(first, second, duration_s=10), EPOCH, channel=0)
    # Crossings at theta = 3/2 pi: 15 ms after the start, and the last at cycle 493.75 of 494.
    assert found == pytest.approx(493 / (4 + (493.75 - 200) / 49 - 0.015), rel=1e-12)


def test_harmonics_and_decaying_terms_do_not_count():
    clean = wave(50.2)
    part = segment(
        amplitude=[[100.0, 80.0, 90.0, 300.0]], order=[1, 3, 5, 0], rate=[0, 0, 0, -5.0], frequency=50.2
    )
    expected = ten_second_frequency(signal(clean, duration_s=10), EPOCH, channel=0)
    assert ten_second_frequency(signal(part, duration_s=10), EPOCH, channel=0) == expected


def test_a_jump_of_phase_through_zero_is_a_crossing():
    """A cosine at its trough turns over to its crest: that instant is an upward crossing."""
    first = wave(50.0)
    second = following(first, 50_000_000, amplitude=np.array([[-100.0 + 0j]]))
    whole = signal(first, second, duration_s=0.11)
    # Crossings at 15, 35, 50 (the jump: trough at 50 ms), then sine at 65, 85, 105 ms.
    found = cycle_frequency(whole, at(0.0), at(0.11), channel=0)
    assert found == pytest.approx(5 / 0.09, rel=1e-12)


def test_without_a_whole_cycle_there_is_no_frequency():
    assert np.isnan(cycle_frequency(signal(wave(50.0), duration_s=1), at(0.0), at(0.03), channel=0))
    dead = signal(wave(50.0, amplitude=0j), duration_s=1)
    assert np.isnan(cycle_frequency(dead, at(0.0), at(1.0), channel=0))


@settings(deadline=None, max_examples=15)
@given(
    st.floats(42.5, 69.0),
    st.floats(-3.0, 3.0),
    st.floats(0.0, 6.28),
    st.lists(st.floats(0.0, 0.1), min_size=3, max_size=3),
)
def test_samples_at_another_frequency_than_theta_are_followed(frequency, beside, theta, harmonics):
    """A recording's own frequency, up to 3 Hz from what the segment says: within a millihertz over 10 s."""
    orders = np.array([1, 3, 5, 7])
    rate = 2j * np.pi * beside * orders
    amplitude = 325.0 * np.array([[1.0, *harmonics]]) * np.exp(1j * theta)
    one = segment(amplitude=amplitude, order=orders, rate=rate, frequency=frequency, theta=1.0)
    cut = 4_321_000_000
    two = following(one, cut, amplitude=amplitude * np.exp(rate * cut * 1e-9))
    whole = sampled(signal(one, two, duration_s=10), samples_per_cycle=64)
    assert ten_second_frequency(whole, EPOCH, channel=0) == pytest.approx(frequency + beside, abs=1e-3)
    assert np.isnan(cycle_frequency(whole, at(1.0), at(1.0 + 1.4 / frequency), channel=0))


def test_stretches_of_terms_and_of_samples_are_counted_together():
    first = wave(50.2)
    second = sampled_segment(following(first, 3_000_000_000), EPOCH + 7_000_000_000, samples_per_cycle=64)
    third = following(first, 7_000_000_000)
    whole = signal(first, second, third, duration_s=10)
    assert ten_second_frequency(whole, EPOCH, channel=0) == pytest.approx(50.2, rel=1e-9)


def test_cycles_around_an_interruption_count_and_their_time_alone():
    """50 Hz for 2 s, nothing for 3 s, 51 Hz for 5 s; each side loses the cycle that it begins or ends in."""
    first = wave(50.0)
    none = following(first, 2_000_000_000, amplitude=np.zeros((1, 1), complex))
    last = following(none, 3_000_000_000, amplitude=first.amplitude, frequency=51.0)
    whole = signal(first, none, last, duration_s=10)
    found = ten_second_frequency(whole, EPOCH, channel=0)
    # Crossings at 15 ms .. 1.995 s are 99 cycles of 50 Hz, those after are 254 of 51 Hz.
    assert found == pytest.approx((99 + 254) / (99 / 50 + 254 / 51), rel=1e-9)
    assert ten_second_frequency(sampled(whole, samples_per_cycle=64), EPOCH, channel=0) == pytest.approx(
        found, abs=0.02
    )


def test_samples_without_a_fundamental_have_no_frequency():
    dead = sampled(signal(wave(50.0, amplitude=0j), duration_s=1), samples_per_cycle=64)
    assert np.isnan(cycle_frequency(dead, at(0.0), at(1.0), channel=0))
    alive = sampled(signal(wave(50.0), duration_s=1), samples_per_cycle=64)
    assert np.isnan(cycle_frequency(alive, at(0.0), at(0.01), channel=0))
    assert cycle_frequency(alive, at(0.0), at(0.1), channel=0) == pytest.approx(50.0, rel=1e-9)

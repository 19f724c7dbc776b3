from fractions import Fraction

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
    segment,
    signal,
    size_of,
    stationary_segments,
)
from twin.contracts import Instant
from twin.signals import SignalRangeError, synthesise, synthesise_cycles


def exact_seconds(ns, fraction, step, count):
    """Return sample times after the epoch, rounded once, in extended precision."""
    first = ns - EPOCH + Fraction(fraction)
    times = [first + n * step for n in range(count)]
    whole = [int(t) for t in times]
    rest = [float(t - w) for t, w in zip(times, whole, strict=True)]
    return (np.array(whole, np.longdouble) + np.array(rest, np.longdouble)) * np.longdouble("1e-9")


@settings(deadline=None, max_examples=40)
@given(damped_segments(), st.integers(0, 9 * 10**9), st.floats(0.0, 0.999), st.sampled_from([25600.0, 8e3]))
def test_samples_agree_with_term_by_term_evaluation(part, ns, fraction, rate):
    whole = signal(part, duration_s=10)
    count = 1000
    found = synthesise(whole, Instant(EPOCH + ns, fraction), step_s=1 / rate, count=count)
    step = Fraction(1 / rate) * 10**9
    exact = direct(part, exact_seconds(EPOCH + ns, fraction, step, count))
    assert np.abs(found - exact).max() <= 1e-12 * size_of(whole)


def test_ten_seconds_at_25600_hz_of_order_63_do_not_drift():
    part = segment(amplitude=np.ones((1, 2)), order=[1, 63], frequency=60.0)
    whole = signal(part, duration_s=10)
    found = synthesise(whole, at(0.0), step_s=1 / 25600, count=256_000)
    tail = np.arange(255_000, 256_000)
    tau = exact_seconds(EPOCH, 0, Fraction(1 / 25600) * 10**9, 256_000)[tail]
    assert np.abs(found[:, tail] - direct(part, tau)).max() < 1e-12


@settings(deadline=None, max_examples=40)
@given(
    stationary_segments(),
    damped_segments(),
    st.floats(42.5, 69.0),
    st.integers(1, 30_000_000),
    st.integers(16, 512),
)
def test_cycle_samples_follow_theta_through_a_change_of_frequency(one, other, frequency, cut, per_cycle):
    after = following(
        one, cut, frequency=frequency, order=other.order, rate=other.rate, amplitude=other.amplitude
    )
    whole = signal(one, after, duration_s=1)
    count = 3 * per_cycle
    found = synthesise_cycles(whole, at(0.0), samples_per_cycle=per_cycle, count=count)
    before = Fraction(one.frequency) * cut / 10**9  # cycles up to the boundary
    for n in range(0, count, max(1, per_cycle // 13)):
        cycles = Fraction(n, per_cycle)
        if cycles < before:
            expected = direct(one, [cycles / Fraction(one.frequency)])
        else:
            expected = direct(after, [(cycles - before) / Fraction(frequency)])
        assert np.abs(found[:, n] - expected[:, 0]).max() <= 1e-12 * size_of(whole)


def test_a_sample_on_a_boundary_belongs_to_the_later_segment():
    """A step of 2**-10 s is 976562.5 ns exactly, so that the third sample falls on the boundary."""
    one = segment(amplitude=np.ones((1, 1)), order=[0])
    two = following(one, 10_000_000, amplitude=np.full((1, 1), 2.0 + 0j))
    three = following(two, 976_562, amplitude=np.full((1, 1), 3.0 + 0j))
    whole = signal(one, two, three, duration_s=0.02)
    found = synthesise(whole, Instant(EPOCH + 10_000_000 - 1_953_125), step_s=2**-10, count=4)
    assert found.tolist() == [[1.0, 1.0, 2.0, 3.0]]
    half_cycles = synthesise_cycles(whole, at(0.0), samples_per_cycle=2, count=2)
    assert half_cycles.tolist() == [[1.0, 2.0]]


def test_segments_shorter_than_a_step_are_passed_over():
    """Segments of 0.3 ms: 1 ms lies in the fourth, 2 ms in the seventh, by time and by cycles alike."""
    parts = [segment(amplitude=np.ones((1, 1)), order=[0])]
    for n in range(2, 9):
        amplitude = np.full((1, 1), n + 0j)
        parts.append(following(parts[-1], 300_000, amplitude=amplitude, frequency=50.0 + n))
    whole = signal(*parts, duration_s=0.1)
    assert synthesise(whole, at(0.0), step_s=0.001, count=3).tolist() == [[1.0, 4.0, 7.0]]
    # 0.015, 0.0306, 0.0465 | 0.0627, 0.0792, 0.096 | 0.1131 cycles pass up to the ends of the segments.
    assert synthesise_cycles(whole, at(0.0), samples_per_cycle=20, count=3).tolist() == [[1.0, 4.0, 7.0]]


def test_channels_are_chosen_by_a_slice():
    part = segment(amplitude=np.arange(6.0)[:, None], order=[0])
    found = synthesise(signal(part, duration_s=1), at(0.0), step_s=0.01, count=2, channels=slice(3, 5))
    assert found.tolist() == [[3.0, 3.0], [4.0, 4.0]]


def test_samples_beyond_the_signal_are_refused():
    whole = signal(segment(amplitude=np.ones((1, 1)), order=[1]), duration_s=0.01)
    assert synthesise(whole, at(0.0), step_s=0.001, count=9).shape == (1, 9)
    with pytest.raises(SignalRangeError, match="2 of 12 samples lie after the end"):
        synthesise(whole, at(0.0), step_s=0.001, count=12)
    with pytest.raises(SignalRangeError, match="no segment holds"):
        synthesise(whole, at(-0.001), step_s=0.001, count=1)


def test_frozen_arrays_are_taken_as_they_are():
    part = segment(amplitude=np.ones((6, 1)), order=[1])
    for array in (part.order, part.rate, part.amplitude):
        array.flags.writeable = False
    assert synthesise(signal(part, duration_s=1), at(0.0), step_s=0.02, count=2)[0, 0] == 1.0

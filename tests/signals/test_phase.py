import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import EPOCH, at, following, segment, signal
from twin.contracts import Instant
from twin.signals import SignalRangeError, carried_theta, instant_of_theta, pieces, theta_at

PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459")
TEN_MINUTES_NS = 600 * 10**9


def wave(frequency=50.0, theta=0.0):
    return segment(amplitude=np.ones((6, 1)), order=[1], frequency=frequency, theta=theta)


def exact_theta(part, ns):
    return Fraction(part.theta) + 2 * PI * Fraction(part.frequency) * (ns - part.start_ns) / 10**9


def test_a_cycle_takes_twenty_milliseconds_at_50_hz():
    assert theta_at(wave(), EPOCH + 20_000_000) == pytest.approx(2 * math.pi, abs=1e-15)
    assert instant_of_theta(wave(), math.pi) == Instant(EPOCH + 10_000_000)


@settings(deadline=None)
@given(st.floats(1.0, 500.0), st.floats(0.0, 6.28), st.integers(0, TEN_MINUTES_NS))
def test_theta_is_exact_to_its_last_digits(frequency, theta, ns):
    part = wave(frequency, theta)
    exact = exact_theta(part, EPOCH + ns)
    assert abs(Fraction(theta_at(part, EPOCH + ns)) - exact) <= Fraction(4e-16) * max(exact, 1)
    carried = carried_theta(part, EPOCH + ns)
    assert 0.0 <= carried < 2 * math.pi
    off = (Fraction(carried) - exact) / (2 * PI)
    assert abs(off - round(off)) * 2 * PI < Fraction(1e-14)


def test_a_carried_phase_is_never_a_whole_turn():
    """A hair below zero is zero, not 2 pi."""
    assert carried_theta(wave(theta=-1e-17), EPOCH) == 0.0
    assert carried_theta(wave(theta=-1.0), EPOCH) == pytest.approx(2 * math.pi - 1)


@settings(deadline=None)
@given(st.floats(42.5, 69.0), st.floats(0.0, 6.28), st.floats(0.0, 4000.0))
def test_the_instant_of_a_phase_has_that_phase(frequency, theta, ahead):
    part = wave(frequency, theta)
    when = instant_of_theta(part, theta + ahead)
    assert 0.0 <= when.fraction < 1.0
    reached = exact_theta(part, when.ns) + 2 * PI * Fraction(frequency) * Fraction(when.fraction) / 10**9
    assert abs(float(reached) - (theta + ahead)) < 3e-12


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(42.5, 69.0), st.integers(1, 10**10)), min_size=2, max_size=30))
def test_theta_runs_through_boundaries_without_a_jump(steps):
    part = wave(steps[0][0])
    exact = Fraction(0)
    for (frequency, length), (next_frequency, _) in itertools.pairwise(steps):
        exact += 2 * PI * Fraction(frequency) * length / 10**9
        part = following(part, length, frequency=next_frequency)
    off = (Fraction(part.theta) - exact) / (2 * PI)
    assert abs(off - round(off)) * 2 * PI < Fraction(1e-14) * len(steps)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=5),
    st.tuples(st.integers(0, 10**9), st.floats(0.0, 0.999)),
    st.tuples(st.integers(0, 10**9), st.floats(0.0, 0.999)),
)
def test_pieces_tile_the_window(lengths, one, other):
    parts = [wave()]
    for length in lengths:
        parts.append(following(parts[-1], length))
    whole = signal(*parts, duration_s=10)
    start, end = sorted([Instant(EPOCH + one[0], one[1]), Instant(EPOCH + other[0], other[1])])
    if start == end:
        with pytest.raises(SignalRangeError, match="is empty"):
            list(pieces(whole, start, end))
        return
    cursor = Fraction(start.ns) + Fraction(start.fraction)
    for piece in pieces(whole, start, end):
        begin_ns, begin_rest, length_ns, length_rest = piece.span
        assert piece.length > 0
        begin = piece.segment.start_ns + begin_ns + Fraction(begin_rest)
        assert abs(begin - cursor) < Fraction(1e-9)
        cursor = begin + length_ns + Fraction(length_rest)
    assert abs(cursor - end.ns - Fraction(end.fraction)) < Fraction(1e-9)


def test_a_window_outside_the_signal_is_refused():
    whole = signal(wave(), duration_s=1)
    with pytest.raises(SignalRangeError, match="is not inside the signal"):
        list(pieces(whole, at(0.5), at(1.0, 0.5)))
    with pytest.raises(SignalRangeError, match="is not inside the signal"):
        list(pieces(whole, at(-0.1), at(0.5)))

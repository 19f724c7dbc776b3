"""Power frequency by counting whole cycles."""

import math
from bisect import bisect_left

import numpy as np

from twin.contracts import NS_PER_SECOND, Instant, Segment, Signal
from twin.signals import instant_of_theta, pieces

TWO_PI = 2.0 * math.pi


def ten_second_frequency(signal: Signal, start_ns: int, *, channel: int) -> float:
    """Return the frequency over the 10 s that begin at ``start_ns``; see `cycle_frequency`.

    References
    ----------
    IEC 61000-4-30:2015, 5.1.1.
    """
    return cycle_frequency(signal, Instant(start_ns), Instant(start_ns + 10 * NS_PER_SECOND), channel=channel)


def cycle_frequency(signal: Signal, start: Instant, end: Instant, *, channel: int) -> float:
    """Return the number of whole cycles in an interval over the time that they took.

    A cycle runs from one upward zero crossing of the fundamental to the next: harmonics, which the
    standard asks to attenuate, and decaying terms do not count. A jump of phase that carries the
    fundamental from below zero to above is a crossing.

    Parameters
    ----------
    signal : Signal
        It must cover the interval.
    start, end : Instant
        The interval; cycles that its ends cut are left out.
    channel : int
        Row of the signal, the reference voltage.

    Returns
    -------
    float
        [Hz]; NaN where there is no whole cycle.

    Raises
    ------
    SignalRangeError
        If the interval is empty or not inside the signal.

    References
    ----------
    IEC 61000-4-30:2015, 5.1.1 and 5.1.2.
    """
    crossings: list[Instant] = []
    before = math.nan
    for piece in pieces(signal, start, end):
        segment = piece.segment
        first = Instant(segment.start_ns + piece.span[0], piece.span[1])
        last_ns = first.ns + piece.span[2]
        last = Instant(last_ns, first.fraction + piece.span[3])
        phasor = _fundamental(segment, channel)
        if phasor == 0.0:
            before = math.nan
            continue
        inside = _crossings(segment, phasor, first, last)
        if before < 0.0 <= _value(segment, phasor, first) and (not inside or inside[0] != first):
            crossings.append(first)
        crossings += inside
        before = _value(segment, phasor, last)
    if len(crossings) < 2:
        return math.nan
    first, last = crossings[0], crossings[-1]
    elapsed_ns = (last.ns - first.ns) + (last.fraction - first.fraction)
    return (len(crossings) - 1) / elapsed_ns * NS_PER_SECOND


def _fundamental(segment: Segment, channel: int) -> complex:
    """Return the stationary amplitude of order 1."""
    chosen = (segment.order == 1.0) & (segment.rate == 0.0)
    return complex(np.sum(segment.amplitude[channel, chosen]))


def _value(segment: Segment, phasor: complex, when: Instant) -> float:
    """Return the fundamental at an instant."""
    tau = ((when.ns - segment.start_ns) + when.fraction) * 1e-9
    angle = segment.theta + TWO_PI * segment.frequency * tau
    return phasor.real * math.cos(angle) - phasor.imag * math.sin(angle)


def _crossings(segment: Segment, phasor: complex, first: Instant, last: Instant) -> list[Instant]:
    """Return the upward zero crossings of a fundamental from ``first`` on and before ``last``."""
    # Re{A exp(j theta)} rises through zero where theta + arg A is -pi/2 and whole turns.
    origin = -math.pi / 2.0 - math.atan2(phasor.imag, phasor.real)
    tau = ((first.ns - segment.start_ns) + first.fraction) * 1e-9
    turn = math.floor((segment.theta + TWO_PI * segment.frequency * tau - origin) / TWO_PI) - 1
    duration = ((last.ns - first.ns) + (last.fraction - first.fraction)) * 1e-9
    count = math.ceil(duration * segment.frequency) + 3
    found = [instant_of_theta(segment, origin + TWO_PI * (turn + n)) for n in range(count)]
    return found[bisect_left(found, first) : bisect_left(found, last)]

"""Power frequency by counting whole cycles."""

import math
from bisect import bisect_left
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from twin.contracts import NS_PER_SECOND, Instant, Segment, Signal
from twin.metrology.measure import NEGLIGIBLE
from twin.metrology.phase_track import tracked_crossings
from twin.signals import Piece, instant_of_theta, pieces

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
    fundamental from below zero to above is a crossing. Where there is no fundamental, in an interruption,
    there are no cycles and no time of theirs: those before and after are counted.

    Where segments carry blocks of samples, the fundamental is what a transform over about a cycle finds
    there (`twin.metrology.phase_track`).

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
    IEC 61000-4-30:2015, 5.1.1 and 5.1.2: the integral cycles over their cumulative duration.
    """
    cycles, elapsed_s = 0, 0.0
    for has_block, adjoining in groupby(
        pieces(signal, start, end), key=lambda p: p.segment.block is not None
    ):
        run = list(adjoining)
        runs = tracked_crossings(run, channel) if has_block else _exact_crossings(run, channel)
        for first, last, count in runs:
            cycles += count - 1
            elapsed_s += (last.ns - first.ns) / NS_PER_SECOND
            elapsed_s += (last.fraction - first.fraction) / NS_PER_SECOND
    return cycles / elapsed_s if cycles else math.nan


def _exact_crossings(run: list[Piece], channel: int) -> Iterator[tuple[Instant, Instant, int]]:
    """Yield first and last crossing and their number for each stretch of terms that has a fundamental."""
    crossings: list[Instant] = []
    before = math.nan
    for piece in run:
        segment = piece.segment
        first = Instant(segment.start_ns + piece.span[0], piece.span[1])
        last = Instant(first.ns + piece.span[2], first.fraction + piece.span[3])
        phasor = _fundamental(segment, channel)
        if abs(phasor) <= NEGLIGIBLE:
            if crossings:
                yield crossings[0], crossings[-1], len(crossings)
            crossings = []
            before = math.nan
            continue
        inside = _crossings(segment, phasor, first, last)
        if before < 0.0 <= _value(segment, phasor, first) and (not inside or inside[0] != first):
            crossings.append(first)
        crossings += inside
        before = _value(segment, phasor, last)
    if crossings:
        yield crossings[0], crossings[-1], len(crossings)


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

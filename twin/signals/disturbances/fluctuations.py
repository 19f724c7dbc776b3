"""Voltage fluctuations and variations of the frequency."""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from twin.contracts import NS_PER_SECOND, Segment, Signal
from twin.signals.disturbances.editing import (
    DisturbanceError,
    between,
    cut,
    require_positive,
    rows_of,
    with_terms,
)


def fluctuate(
    signal: Signal, start_ns: int, end_ns: int, *, rate: float, depth: float, phases: str = "abc"
) -> Signal:
    """Return a signal whose voltages are modulated by ``1 + depth / 2 sin(2 pi rate t)``, exactly.

    Every term gets two sidebands; a term of one's own frequency as well.

    Parameters
    ----------
    rate : float
        [Hz]
    depth : float
        Highest less lowest size over their mean.

    References
    ----------
    IEEE Std 1159-2019, 4.8; IEC 61000-4-15:2010, 6.2.
    """
    _require_fluctuation(rate, depth)
    omega = 2.0 * math.pi * rate
    share = np.zeros(len(signal.channels))
    share[rows_of(signal, phases, "v")] = depth / 4.0

    def change(segment: Segment) -> Segment:
        if segment.block is not None:
            raise DisturbanceError("samples cannot be given sidebands; modulate before adding samples")
        turn = np.exp(1j * omega * float(Fraction(segment.start_ns - start_ns, NS_PER_SECOND))) / 1j
        swing = share[:, np.newaxis] * segment.amplitude
        order = np.concatenate((segment.order, segment.order))
        sides = np.concatenate((segment.rate + 1j * omega, segment.rate - 1j * omega))
        return with_terms(
            segment,
            order.tolist(),
            sides.tolist(),
            np.concatenate((swing * turn, swing * np.conj(turn)), axis=1),
        )

    return between(signal, start_ns, end_ns, change)


def step_repeatedly(
    signal: Signal, start_ns: int, end_ns: int, *, rate: float, depth: float, phases: str = "abc"
) -> Signal:
    """Return a signal whose voltages jump between two levels, ``2 rate`` times a second.

    Parameters
    ----------
    rate : float
        Periods a second: 60 x 2 x rate are the changes a minute [Hz].
    depth : float
        Difference of the levels over their mean; the upper one comes first.

    References
    ----------
    IEC 61000-4-15:2010, 6.2 and 6.3 (rectangular changes).
    """
    _require_fluctuation(rate, depth)
    rows = rows_of(signal, phases, "v")
    half_ns = Fraction(NS_PER_SECOND) / (2 * Fraction(rate))
    if half_ns < 1:
        raise DisturbanceError(f"rate {rate} Hz changes more than once a nanosecond; give a lower one")
    changes = [start_ns + round(k * half_ns) for k in range(math.ceil((end_ns - start_ns) / half_ns))]
    factors = np.ones((2, len(signal.channels), 1))
    factors[0, rows], factors[1, rows] = 1.0 + 0.5 * depth, 1.0 - 0.5 * depth

    def change(segment: Segment) -> Segment:
        if segment.block is not None:
            raise DisturbanceError("samples cannot be fluctuated; modulate before adding samples")
        number = bisect_right(changes, segment.start_ns) - 1
        return replace(segment, amplitude=segment.amplitude * factors[number % 2])

    return between(cut(signal, *(at for at in changes if at < end_ns)), start_ns, end_ns, change)


def _require_fluctuation(rate: float, depth: float) -> None:
    require_positive(rate=rate, depth=depth)
    if not depth < 2.0:
        raise DisturbanceError(f"depth {depth} turns the voltage round; give one below 2")


def vary_frequency(signal: Signal, start_ns: int, end_ns: int, frequency: Callable[[float], float]) -> Signal:
    """Return a signal whose fundamental has another frequency for a time; theta goes on without a jump.

    Parameters
    ----------
    frequency : callable
        Frequency [Hz] at a time after ``start_ns`` [s]. Segments of at most half a cycle of before hold its
        value in their middle: for a ramp the phase at their ends is exact. Own frequencies stay.

    References
    ----------
    IEEE Std 1159-2019, 4.9 (power frequency variations).
    """
    half_ns = math.floor(NS_PER_SECOND / signal.segments[0].frequency / 2.0)
    divided = cut(signal, start_ns, end_ns, *range(start_ns, end_ns, half_ns))
    if any(part.block is not None for part in divided.segments if part.start_ns >= start_ns):
        raise DisturbanceError("samples keep their frequency; vary it before adding samples")
    parts: list[Segment] = []
    shift = 0.0
    stops = [part.start_ns for part in divided.segments[1:]] + [divided.end_ns]
    for part, stop_ns in zip(divided.segments, stops, strict=True):
        moved = replace(part, theta=math.fmod(part.theta + shift, 2.0 * math.pi)) if shift else part
        if start_ns <= part.start_ns < end_ns:
            length_s = (stop_ns - part.start_ns) / NS_PER_SECOND
            middle_s = (part.start_ns - start_ns) / NS_PER_SECOND + length_s / 2.0
            wanted = frequency(middle_s)
            require_positive(frequency=wanted)
            # A copy: terms of another frequency are not what was merely anchored again.
            moved = replace(moved, frequency=wanted, amplitude=part.amplitude.copy())
            shift = math.fmod(shift + 2.0 * math.pi * (wanted - part.frequency) * length_s, 2.0 * math.pi)
        parts.append(moved)
    return replace(divided, segments=tuple(parts))


def ramp(first: float, last: float, duration_s: float) -> Callable[[float], float]:
    """Return a frequency that goes steadily from one value to another, and stays there.

    Parameters
    ----------
    first, last : float
        [Hz]
    duration_s : float
        [s]

    Returns
    -------
    callable
        For `vary_frequency`.
    """
    require_positive(first=first, last=last, duration_s=duration_s)
    return lambda seconds: first + (last - first) * min(1.0, max(0.0, seconds / duration_s))

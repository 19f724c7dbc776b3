"""Voltage fluctuations and variations of the frequency."""

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from twin.contracts import NS_PER_SECOND, Segment, Signal
from twin.signals.disturbances.editing import DisturbanceError, between, cut, rows_of, with_terms
from twin.signals.disturbances.variations import sag


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
    period = Fraction(NS_PER_SECOND) / (2 * Fraction(rate))
    out, number, at_ns = signal, 0, start_ns
    while at_ns < end_ns:
        next_ns = min(end_ns, start_ns + round((number + 1) * period))
        level = 1.0 + (-0.5 if number % 2 else 0.5) * depth
        out = sag(out, at_ns, next_ns, residual=level, phases=phases)
        number, at_ns = number + 1, next_ns
    return out


def vary_frequency(signal: Signal, start_ns: int, end_ns: int, frequency: Callable[[float], float]) -> Signal:
    """Return a signal whose fundamental has another frequency for a time; theta goes on without a jump.

    Parameters
    ----------
    frequency : callable
        Frequency [Hz] at a time after ``start_ns`` [s]. Segments of at most half a cycle hold its value in
        their middle: for a ramp the phase at their ends is exact.

    References
    ----------
    IEEE Std 1159-2019, 4.9 (power frequency variations).
    """
    divided = cut(cut(signal, start_ns), end_ns)
    nominal = divided.segments[0].frequency
    edges = np.arange(start_ns, end_ns, math.floor(NS_PER_SECOND / nominal / 2.0)).tolist()
    for edge in edges:
        divided = cut(divided, edge)
    parts: list[Segment] = []
    shift = 0.0
    stops = [part.start_ns for part in divided.segments[1:]] + [divided.end_ns]
    for part, stop_ns in zip(divided.segments, stops, strict=True):
        moved = replace(part, theta=math.fmod(part.theta + shift, 2.0 * math.pi)) if shift else part
        if start_ns <= part.start_ns < end_ns:
            length_s = (stop_ns - part.start_ns) / NS_PER_SECOND
            middle_s = (part.start_ns - start_ns) / NS_PER_SECOND + length_s / 2.0
            wanted = frequency(middle_s)
            if not wanted > 0.0:
                raise DisturbanceError(f"{wanted} Hz is no frequency; give positive ones")
            moved = replace(moved, frequency=wanted)
            shift = math.fmod(shift + 2.0 * math.pi * (wanted - part.frequency) * length_s, 2.0 * math.pi)
        parts.append(moved)
    return replace(divided, segments=tuple(parts))


def ramp(first: float, last: float, duration_s: float) -> Callable[[float], float]:
    """Return a frequency that goes steadily from one value to another [Hz]."""
    return lambda seconds: first + (last - first) * min(1.0, max(0.0, seconds / duration_s))

"""Cutting a signal into stretches and changing what lies between two instants."""

import cmath
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Segment, Signal, TwinError
from twin.signals.phase import carried_theta, instant_of_theta

Complex = NDArray[np.complex128]
Change = Callable[[Segment], Segment]


class DisturbanceError(TwinError, ValueError):
    """A disturbance that no signal can have, or that does not fit into this one."""


def begun_at(segment: Segment, ns: int) -> Segment:
    """Return the same function of time as a segment that starts at ``ns``."""
    if ns == segment.start_ns:
        return segment
    passed_s = float(Fraction(ns - segment.start_ns, NS_PER_SECOND))
    amplitude = segment.amplitude
    if segment.rate.any():
        amplitude = amplitude * np.exp(segment.rate * passed_s)
    return replace(segment, start_ns=ns, theta=carried_theta(segment, ns), amplitude=amplitude)


def require_numbers(**values: complex) -> None:
    """Refuse a value that is infinite or not a number.

    Raises
    ------
    DisturbanceError
        Names the value.
    """
    for name, value in values.items():
        if not cmath.isfinite(value):
            raise DisturbanceError(f"{name} {value} is not finite; give a number")


def require_positive(**values: float) -> None:
    """Refuse a value that is not above zero, or not finite.

    Raises
    ------
    DisturbanceError
        Names the value.
    """
    require_numbers(**values)
    for name, value in values.items():
        if not value > 0.0:
            raise DisturbanceError(f"{name} {value} is not positive; give a value above 0")


def cut(signal: Signal, *instants_ns: int) -> Signal:
    """Return the same signal with a boundary at each of some instants.

    Raises
    ------
    DisturbanceError
        If an instant lies outside the signal.
    """
    segments = signal.segments
    first = segments[0].start_ns
    for at_ns in instants_ns:
        if not first <= at_ns <= signal.end_ns:
            raise DisturbanceError(
                f"{at_ns} ns is outside the signal from {first} to {signal.end_ns} ns; choose a time within"
            )
    starts = [part.start_ns for part in segments]
    wanted = sorted({at_ns for at_ns in instants_ns if at_ns < signal.end_ns}.difference(starts))
    if not wanted:
        return signal
    parts = [*segments, *(begun_at(segments[bisect_right(starts, at) - 1], at) for at in wanted)]
    return replace(signal, segments=tuple(sorted(parts, key=attrgetter("start_ns"))))


def between(signal: Signal, start_ns: int, end_ns: int, change: Change) -> Signal:
    """Return a signal whose segments from ``start_ns`` to ``end_ns`` are changed; the rest stays as it is.

    What was merely anchored again still is after a change that is the same for both segments.

    Raises
    ------
    DisturbanceError
        If the stretch is empty or outside the signal.
    """
    if not start_ns < end_ns:
        raise DisturbanceError(f"from {start_ns} to {end_ns} ns is no stretch of time; let it end later")
    divided = cut(signal, start_ns, end_ns)
    parts = list(divided.segments)
    before: Segment | None = None
    for number, part in enumerate(divided.segments):
        if not start_ns <= part.start_ns < end_ns:
            continue
        changed = change(part)
        if before is not None:
            changed = as_anchored(before, parts[number - 1], part, changed)
        parts[number] = changed
        before = part
    return replace(divided, segments=tuple(parts))


def as_anchored(before: Segment, changed_before: Segment, part: Segment, changed: Segment) -> Segment:
    """Return a changed segment that shares its amplitudes if it was, and is, merely anchored again."""
    if before.amplitude is not part.amplitude:
        return changed
    if not np.array_equal(changed_before.amplitude, changed.amplitude):
        return changed
    return replace(changed, amplitude=changed_before.amplitude)


def with_terms(
    segment: Segment, order: Sequence[float], rate: Sequence[complex], amplitude: Complex
) -> Segment:
    """Return a segment with further terms; ``amplitude`` is (channels, terms), peak."""
    return replace(
        segment,
        order=np.concatenate((segment.order, np.asarray(order, np.float64))),
        rate=np.concatenate((segment.rate, np.asarray(rate, np.complex128))),
        amplitude=np.concatenate((segment.amplitude, amplitude), axis=1),
    )


def add_decaying(
    signal: Signal, start_ns: int, rate: Sequence[complex], amplitude: Complex, *, end_ns: int | None = None
) -> Signal:
    """Return a signal to which damped exponentials are added from ``start_ns`` on.

    Parameters
    ----------
    signal : Signal
    start_ns : int
        UTC [ns].
    rate : sequence of complex
        Damping and angular frequency of each term [1/s].
    amplitude : ndarray of complex, shape (channels, terms)
        Peak, at ``start_ns`` [V or A].
    end_ns : int, optional
        When they are dropped; by default once they have fallen to 1e-9 of themselves, or with the signal.
    """
    rates = np.asarray(rate, np.complex128)
    if not np.isfinite(amplitude).all():
        raise DisturbanceError("a peak is not finite; give numbers")
    if not (rates.real < 0.0).all():
        raise DisturbanceError(f"rates {rate} do not decay; give negative real parts")
    if end_ns is None:
        settled_s = math.log(1e9) / float(np.min(-rates.real))
        end_ns = min(signal.end_ns, start_ns + math.ceil(settled_s * NS_PER_SECOND))

    def change(segment: Segment) -> Segment:
        passed_s = float(Fraction(segment.start_ns - start_ns, NS_PER_SECOND))
        return with_terms(
            segment, np.zeros(rates.size).tolist(), rates.tolist(), amplitude * np.exp(rates * passed_s)
        )

    return between(signal, start_ns, end_ns, change)


def rows_of(signal: Signal, phases: str, quantity: str) -> list[int]:
    """Return the rows of ``va`` .. ``ic`` for phases such as ``"ab"`` and quantity ``v`` or ``i``.

    Channels may carry a prefix, as in ``head.va``.

    Raises
    ------
    DisturbanceError
        If a phase has no such channel.
    """
    if not phases:
        raise DisturbanceError("no phase is named; give some of a, b and c")
    found: list[int] = []
    for phase in phases:
        rows = [row for row, name in enumerate(signal.channels) if name.endswith(quantity + phase)]
        if phase not in "abc" or not rows:
            raise DisturbanceError(f"there is no channel '{quantity}{phase}'; phases are a, b and c")
        found += rows
    return found


def fundamental(segment: Segment, row: int) -> complex:
    """Return the peak phasor of a channel's steady fundamental."""
    steady = (segment.order == 1.0) & (segment.rate == 0.0)
    return complex(segment.amplitude[row, steady].sum())


def point_on_wave(signal: Signal, after_ns: int, *, channel: str, degrees: float) -> int:
    """Return when a channel's fundamental next stands at a point on its wave.

    Parameters
    ----------
    signal : Signal
    after_ns : int
        Not before this [ns].
    channel : str
        Name of the channel.
    degrees : float
        From the upward zero crossing on: 90 is the crest [deg].

    Returns
    -------
    int
        UTC, to the nearest nanosecond [ns].

    Raises
    ------
    DisturbanceError
        If the channel is unknown, or its fundamental does not get there before the signal ends.
    """
    require_numbers(degrees=degrees)
    if channel not in signal.channels:
        raise DisturbanceError(f"there is no channel '{channel}'; choose one of {', '.join(signal.channels)}")
    row = signal.channels.index(channel)
    later = cut(signal, after_ns).segments
    stops = [part.start_ns for part in later[1:]] + [signal.end_ns]
    for segment, stop_ns in zip(later, stops, strict=True):
        phasor = fundamental(segment, row)
        if segment.start_ns < after_ns or phasor == 0:
            continue
        # cos(theta + angle) rises through zero where theta + angle = -90 deg.
        wanted = math.radians(degrees - 90.0) - cmath.phase(phasor)
        turns = math.ceil((segment.theta - wanted) / (2.0 * math.pi) - 1e-12)
        at = instant_of_theta(segment, wanted + 2.0 * math.pi * turns)
        if at.ns < stop_ns:
            return max(segment.start_ns, at.ns + round(at.fraction))
    raise DisturbanceError(
        f"the fundamental of {channel} does not stand at {degrees} deg between {after_ns} ns and the end of "
        f"the signal at {signal.end_ns} ns; begin earlier or choose another channel"
    )

"""The phase theta of a signal's fundamental: where it stands, when it gets somewhere.

``theta`` grows by 2 pi per cycle and is owned by the site; a segment carries its value at its start.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.contracts import NS_PER_SECOND, Instant, Segment, Signal, TwinError

TWO_PI = 2.0 * math.pi


class SignalRangeError(TwinError, ValueError):
    """A time outside the signal, or a window that is empty or runs backwards."""


class WholeOrderError(TwinError, ValueError):
    """A term that follows a fraction of theta, whose phase is lost where theta is reduced by whole turns."""


def require_whole_orders(segment: Segment) -> None:
    """Raise unless every term follows a whole multiple of theta.

    Raises
    ------
    WholeOrderError
        If an order is no whole number.
    """
    order = segment.order
    if np.count_nonzero(order != np.rint(order)):
        raise WholeOrderError(
            f"the segment at {segment.start_ns} ns has orders {order.tolist()}, not all whole; "
            "give an interharmonic order 0 and its own frequency as a rate"
        )


def require_cover(segment: Segment, stop_ns: int) -> None:
    """Raise unless the block of a segment, if it has one, reaches from its start to its end.

    A nanosecond may lack, as the end of a segment is a whole one and the last sample may not be.

    Raises
    ------
    SignalRangeError
        If the block has fewer than two samples, or begins too late, or ends too early.
    """
    block = segment.block
    if block is None:
        return
    count = block.samples.shape[1]
    where = f"the segment {segment.start_ns}..{stop_ns} ns has a block of samples"
    if count < 2 or block.samples.shape[0] != segment.amplitude.shape[0]:
        raise SignalRangeError(
            f"{where} of shape {block.samples.shape}; give it two samples or more of each of the "
            f"{segment.amplitude.shape[0]} channels"
        )
    late = block.start_ns - segment.start_ns + block.start_fraction
    if late > 1.0:
        raise SignalRangeError(
            f"{where} that begins only at {block.start_ns} ns; let it begin {math.ceil(late)} ns earlier"
        )
    early = stop_ns - block.start_ns - block.start_fraction - (count - 1) * block.step_s * NS_PER_SECOND
    if early > 1.0:
        raise SignalRangeError(
            f"{where} that ends {math.ceil(early)} ns early, with sample {count - 1}; give it more samples"
        )


def _exact_turn(frequency: float, ns: int) -> tuple[int, float]:
    """Return whole cycles and the rest of a cycle in ``ns`` nanoseconds, without rounding before the end."""
    numerator, denominator = frequency.as_integer_ratio()
    denominator *= 1_000_000_000
    whole, rest = divmod(numerator * ns, denominator)
    return whole, rest / denominator


def theta_at(segment: Segment, ns: int) -> float:
    """Return the phase of the fundamental as the segment counts it, not reduced.

    Parameters
    ----------
    segment : Segment
        The segment that holds at ``ns``.
    ns : int
        UTC [ns]; may lie at the end of the segment, or outside to extrapolate.

    Returns
    -------
    float
        ``segment.theta + 2 pi frequency (ns - start)`` [rad].
    """
    whole, rest = _exact_turn(segment.frequency, ns - segment.start_ns)
    return segment.theta + TWO_PI * (whole + rest)


def carried_theta(segment: Segment, ns: int) -> float:
    """Return the phase to give to a segment that follows at ``ns``, reduced to 0 <= theta < 2 pi.

    Reduction keeps the full resolution of a float over years of segments; orders are whole numbers, so
    that it changes no term.
    """
    _, rest = _exact_turn(segment.frequency, ns - segment.start_ns)
    theta = math.fmod(segment.theta, TWO_PI) + TWO_PI * rest
    theta -= TWO_PI * math.floor(theta / TWO_PI)
    return theta if theta < TWO_PI else 0.0


def instant_of_theta(segment: Segment, theta: float) -> Instant:
    """Return when the fundamental of a segment reaches a phase.

    Parameters
    ----------
    segment : Segment
        Its own ``theta`` is the origin of the count.
    theta : float
        Not reduced [rad]; less than ``segment.theta`` lies before the segment.

    Returns
    -------
    Instant
        To 1e-6 ns within 10 s of the start.
    """
    elapsed = (theta - segment.theta) / (TWO_PI * segment.frequency) * 1e9
    whole = math.floor(elapsed)
    fraction = elapsed - whole
    if fraction >= 1.0:
        whole, fraction = whole + 1, 0.0
    return Instant(segment.start_ns + whole, fraction)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The part of a window that lies in one segment."""

    segment: Segment
    span: tuple[int, float, int, float]
    """Start after the start of the segment, whole and rest, then length, whole and rest [ns].

    A rest may be negative.
    """

    @property
    def length(self) -> float:
        """Length [ns]."""
        return self.span[2] + self.span[3]


def pieces(signal: Signal, start: Instant, end: Instant) -> Iterator[Piece]:
    """Yield the parts of a window segment by segment, none of them empty.

    Raises
    ------
    SignalRangeError
        If the window is empty or not inside the signal, or a block does not cover its segment.
    WholeOrderError
        If a term follows a fraction of theta.
    """
    segments = signal.segments
    if not start < end:
        raise SignalRangeError(f"the window from {start} to {end} is empty; let it end after its start")
    if not segments or start.ns < segments[0].start_ns or end > (signal.end_ns, 0.0):
        first = segments[0].start_ns if segments else signal.end_ns
        raise SignalRangeError(
            f"the window {start.ns}..{end.ns} ns is not inside the signal {first}..{signal.end_ns} ns; "
            "ask for times that the signal covers"
        )
    for index, segment in enumerate(segments):
        stop = segments[index + 1].start_ns if index + 1 < len(segments) else signal.end_ns
        if stop <= start.ns:
            continue
        if end <= (segment.start_ns, 0.0):
            break
        require_whole_orders(segment)
        require_cover(segment, stop)
        begin = max(start, Instant(segment.start_ns))
        finish = min(end, Instant(stop))
        yield Piece(
            segment,
            (
                begin.ns - segment.start_ns,
                float(begin.fraction),
                finish.ns - begin.ns,
                float(finish.fraction - begin.fraction),
            ),
        )

"""Samples of a signal, at fixed steps of time or of theta."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Instant, Segment, Signal
from twin.signals.blocks import add_block, split
from twin.signals.phase import SignalRangeError, require_cover, require_whole_orders


def synthesise(
    signal: Signal, start: Instant, *, step_s: float, count: int, channels: slice | None = None
) -> NDArray[np.float64]:
    """Return samples at equal steps of time.

    Parameters
    ----------
    signal : Signal
        A sample on a boundary belongs to the later segment.
    start : Instant
        First sample.
    step_s : float
        Distance of two samples [s].
    count : int
        Number of samples.
    channels : slice, optional
        Rows of the signal; all without it.

    Returns
    -------
    ndarray, shape (channels, count)
        Terms exact to 1e-12 of the sum of amplitudes; a block's samples as they are, between them the
        polynomial through the six nearest [V or A].

    Raises
    ------
    SignalRangeError
        If a sample lies outside the signal, or a block does not cover its segment.
    WholeOrderError
        If a term follows a fraction of theta.
    """
    step = Fraction(step_s) * NS_PER_SECOND
    return _sample(signal, start, channels, count, lambda _: step)


def synthesise_cycles(
    signal: Signal,
    start: Instant,
    *,
    samples_per_cycle: int,
    count: int,
    channels: slice | None = None,
) -> NDArray[np.float64]:
    """Return samples at equal steps of theta, as a meter takes them that is locked to the grid.

    Parameters
    ----------
    signal : Signal
        A sample on a boundary belongs to the later segment.
    start : Instant
        First sample.
    samples_per_cycle : int
        Samples per cycle of theta.
    count : int
        Number of samples.
    channels : slice, optional
        Rows of the signal; all without it.

    Returns
    -------
    ndarray, shape (channels, count)
        [V or A].

    Raises
    ------
    SignalRangeError
        If a sample lies outside the signal, or a block does not cover its segment.
    WholeOrderError
        If a term follows a fraction of theta.
    """

    def step(segment: Segment) -> Fraction:
        return NS_PER_SECOND / (Fraction(segment.frequency) * samples_per_cycle)

    return _sample(signal, start, channels, count, step)


def _sample(
    signal: Signal,
    start: Instant,
    channels: slice | None,
    count: int,
    step: Callable[[Segment], Fraction],
) -> NDArray[np.float64]:
    """Fill the samples segment by segment; times are exact fractions of a nanosecond.

    ``step`` gives the distance of two samples within a segment [ns]. A step that a boundary cuts goes on
    as the same fraction of a step beyond it.
    """
    from twin.signals.kernels import add_samples  # noqa: PLC0415

    segments = signal.segments
    if not segments or start.ns < segments[0].start_ns:
        raise SignalRangeError(f"no segment holds at {start.ns} ns; start where the signal starts")
    rows = channels or slice(None)
    out = np.empty((len(signal.channels[rows]), count))
    begin = start.ns + Fraction(start.fraction)
    done = 0
    wait = Fraction(0)  # steps from the begin of a segment to the next sample
    for index, segment in enumerate(segments):
        stop = segments[index + 1].start_ns if index + 1 < len(segments) else signal.end_ns
        if stop <= begin:
            continue
        require_whole_orders(segment)
        require_cover(segment, stop)
        spacing = step(segment)
        available = (stop - begin) / spacing
        # Strictly before the stop: a sample that falls on it belongs to the next segment.
        size = min(count - done, max(0, math.ceil(available - wait)))
        part = np.empty((out.shape[0], size))
        first = begin - segment.start_ns + wait * spacing
        add_samples(
            np.ascontiguousarray(segment.amplitude[rows]),
            segment.order,
            segment.rate,
            segment.theta,
            segment.frequency,
            *split(first),
            *split(spacing),
            part,
        )
        add_block(segment, first, spacing, rows, part)
        out[:, done : done + size] = part
        done += size
        if done == count:
            return out
        wait += size - available
        begin = Fraction(stop)
    raise SignalRangeError(
        f"{count - done} of {count} samples lie after the end of the signal at {signal.end_ns} ns; "
        "ask for fewer"
    )

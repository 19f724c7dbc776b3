"""A signal with samples in place of its terms: what an instrument that samples has to work with."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from twin.contracts import NS_PER_SECOND, SampledBlock, Segment, Signal
from twin.signals.blocks import MARGIN, split, terms_on
from twin.signals.phase import require_cover, require_whole_orders


def sampled(signal: Signal, *, samples_per_cycle: int) -> Signal:
    """Return an equal signal whose segments hold nothing but samples.

    Theta, frequency and boundaries stay, so that every evaluation takes both alike.

    Parameters
    ----------
    signal : Signal
        Of terms, blocks, or both.
    samples_per_cycle : int
        Samples per cycle of theta, for segments without a block; see `sampled_segment`.

    Returns
    -------
    Signal
        Same channels and end.

    Raises
    ------
    SignalRangeError
        If a block does not cover its segment.
    WholeOrderError
        If a term follows a fraction of theta.
    """
    stops = [segment.start_ns for segment in signal.segments[1:]] + [signal.end_ns]
    parts = tuple(
        sampled_segment(segment, stop, samples_per_cycle=samples_per_cycle)
        for segment, stop in zip(signal.segments, stops, strict=True)
    )
    return replace(signal, segments=parts)


def sampled_segment(segment: Segment, stop_ns: int, *, samples_per_cycle: int) -> Segment:
    """Return an equal segment without terms, whose block holds all.

    Its first sample within lies at its start; three more on each side let no polynomial be one-sided. A
    segment that has a block keeps the block's samples, and its terms are added to those: nothing is
    interpolated.

    Parameters
    ----------
    segment : Segment
        Of terms, a block, or both.
    stop_ns : int
        Its end, UTC [ns].
    samples_per_cycle : int
        Samples per cycle of theta.

    Returns
    -------
    Segment
        Same start, theta and frequency.

    Raises
    ------
    SignalRangeError
        If the segment's block does not cover it.
    WholeOrderError
        If a term follows a fraction of theta.
    """
    require_whole_orders(segment)
    require_cover(segment, stop_ns)
    rows = slice(None)
    given = segment.block
    if given is None:
        step_s = 1.0 / (segment.frequency * samples_per_cycle)
        step = Fraction(step_s) * NS_PER_SECOND
        begin = -MARGIN * step
        count = math.ceil((stop_ns - segment.start_ns) / step) + 1 + 2 * MARGIN
        samples = terms_on(segment, begin, step, count, rows)
    else:
        step_s = given.step_s
        step = Fraction(step_s) * NS_PER_SECOND
        # Only the part that the segment needs: several segments may share a long block.
        origin = given.start_ns - segment.start_ns + Fraction(given.start_fraction)
        first = max(0, math.floor(-origin / step) - MARGIN)
        after = math.ceil((stop_ns - segment.start_ns - origin) / step) + 1 + MARGIN
        begin = origin + first * step
        chosen = given.samples[:, first:after]
        samples = terms_on(segment, begin, step, chosen.shape[1], rows) + chosen
    start_ns, fraction = split(segment.start_ns + begin)
    none = np.zeros(0)
    return replace(
        segment,
        order=none,
        rate=none.astype(np.complex128),
        amplitude=np.zeros((segment.amplitude.shape[0], 0), np.complex128),
        block=SampledBlock(start_ns, fraction, step_s, samples),
    )

"""Segments that carry samples: where a block's samples lie, what is between them, what they weigh.

Between two samples a block is the polynomial through the six nearest, three on each side and one-sided
near the ends of the block. An integral over a piece of a window is that of the polynomials through the
*products* of samples: every sample well inside counts one cell, and of those next to an end of the piece
each counts what its polynomials give it. The error of the ends is of the sixth order in the step. Polynomials
up to the fifth degree are integrated exactly; so is, to rounding, the mean of samples of a periodic product
over whole periods of a whole number of samples, wherever the window begins.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, SampledBlock, Segment
from twin.signals.phase import Piece

Rows = slice | NDArray[np.intp]

POINTS = 6
"""Samples that one polynomial goes through."""
MARGIN = POINTS // 2
"""Samples beyond each end of a stretch with which no end of it is one-sided."""


@lru_cache
def lagrange_table(points: int = POINTS) -> NDArray[np.float64]:
    """Return the coefficients of the polynomials through ``points`` equidistant samples.

    Parameters
    ----------
    points : int
        Two or more.

    Returns
    -------
    ndarray, shape (points - 1, points, points)
        By number of samples left of the cell's left end, sample, and power of the way through the cell.
    """
    table = np.empty((points - 1, points, points))
    for left in range(points - 1):
        for j in range(points):
            others = [m - left for m in range(points) if m != j]
            scale = math.prod(j - left - m for m in others)
            table[left, j] = np.poly(others)[::-1] / scale
    table.flags.writeable = False
    return table


def split(value: Fraction) -> tuple[int, float]:
    """Return the whole and the rest of a number."""
    whole = math.floor(value)
    return whole, float(value - whole)


def table_of(block: SampledBlock) -> NDArray[np.float64]:
    """Return the coefficients for a block, whose few samples may not fill a full stencil."""
    return lagrange_table(min(POINTS, block.samples.shape[1]))


def add_block(
    segment: Segment, begin: Fraction, spacing: Fraction, rows: slice, out: NDArray[np.float64]
) -> None:
    """Add a segment's block to equidistant samples of its terms.

    Parameters
    ----------
    segment : Segment
        With or without a block.
    begin, spacing : Fraction
        First sample, counted from the start of the segment, and the distance of two [ns].
    rows : slice
        Channels of the block.
    out : ndarray, shape (channels, samples)
        Added to.
    """
    block = segment.block
    if block is None:
        return
    from twin.signals.block_kernels import add_interpolated  # noqa: PLC0415

    step = Fraction(block.step_s) * NS_PER_SECOND
    place = begin + segment.start_ns - block.start_ns - Fraction(block.start_fraction)
    add_interpolated(block.samples[rows], table_of(block), *split(place / step), *split(spacing / step), out)


def terms_on(
    segment: Segment, begin: Fraction, spacing: Fraction, count: int, rows: Rows
) -> NDArray[np.float64]:
    """Return a segment's terms at equidistant times, which may lie before its start.

    There a term that decays faster than one sample (by more than a factor of e) goes on to grow backwards
    no faster than that: it is not resolved by the lattice, but must not overwhelm the other terms.

    Parameters
    ----------
    segment : Segment
        Its block is left out.
    begin, spacing : Fraction
        First time, counted from the start of the segment, and the distance of two [ns].
    count : int
        Number of times.
    rows : slice
        Channels.

    Returns
    -------
    ndarray, shape (channels, count)
        [V or A].
    """
    from twin.signals.kernels import add_samples  # noqa: PLC0415

    amplitude = np.ascontiguousarray(segment.amplitude[rows])
    out = np.empty((amplitude.shape[0], count))
    fastest = -float(NS_PER_SECOND / spacing)
    fast = segment.rate.real < fastest
    ahead = min(count, max(0, math.ceil(-begin / spacing))) if fast.any() else 0
    slowed = np.where(fast, fastest + 1j * segment.rate.imag, segment.rate)
    for rate, first, after in ((slowed, 0, ahead), (segment.rate, ahead, count)):
        if first == after:
            continue
        part = np.empty((out.shape[0], after - first))
        add_samples(
            amplitude,
            segment.order,
            rate,
            segment.theta,
            segment.frequency,
            *split(begin + first * spacing),
            *split(spacing),
            part,
        )
        out[:, first:after] = part
    return out


@dataclass(frozen=True, slots=True, eq=False)
class LatticePiece:
    """A piece of a window on the samples of its block."""

    values: NDArray[np.float64]
    """Shape (channels, samples): block and terms [V or A]."""
    weight: NDArray[np.float64]
    """Shape (samples,): what each sample counts in an integral [cells]."""
    lattice: tuple[int, float, int, float]
    """First sample after the start of the segment, distance of two, each whole and rest [ns]."""
    step_s: float
    """One cell [s]."""


def sampled_rows(piece: Piece) -> NDArray[np.bool_]:
    """Return which channels of a segment with a block have samples in a piece of a window, (channels,)."""
    block = piece.segment.block
    assert block is not None
    first, after = _reach(piece)[0]
    return np.asarray(block.samples[:, first:after].any(axis=1))


def on_lattice(piece: Piece, rows: Rows) -> LatticePiece:
    """Return a piece of a window as samples and what they weigh.

    Parameters
    ----------
    piece : Piece
        Of a segment that has a block.
    rows : slice or ndarray
        Channels.
    """
    from twin.signals.block_kernels import lattice_weights  # noqa: PLC0415

    segment, block = piece.segment, piece.segment.block
    assert block is not None
    step = Fraction(block.step_s) * NS_PER_SECOND
    (first, after), (left, left_rest), (right, right_rest), origin = _reach(piece)
    # The stencils of the cells at either end of the part are those of the whole block.
    weight = np.empty(after - first)
    span = (left - first, left_rest, right - first, right_rest)
    lattice_weights(table_of(block), after - first, span, weight)
    at = origin + first * step
    values = terms_on(segment, at, step, after - first, rows)
    values += block.samples[rows, first:after]
    return LatticePiece(values, weight, (*split(at), *split(step)), block.step_s)


def _reach(piece: Piece) -> tuple[tuple[int, int], tuple[int, float], tuple[int, float], Fraction]:
    """Return first and last sample that a piece of a window needs, its begin and end, and the block's start.

    Begin and end are places counted from the first sample of the block; its start is a time, counted from
    the start of the segment [ns].
    """
    segment, block = piece.segment, piece.segment.block
    assert block is not None
    step = Fraction(block.step_s) * NS_PER_SECOND
    origin = block.start_ns - segment.start_ns + Fraction(block.start_fraction)
    begin = piece.span[0] + Fraction(piece.span[1]) - origin
    end = begin + piece.span[2] + Fraction(piece.span[3])
    left, right = split(begin / step), split(end / step)
    count = block.samples.shape[1]
    first = min(max(left[0] - MARGIN + 1, 0), max(count - POINTS, 0))
    after = max(min(right[0] + MARGIN + 1, count), min(POINTS, count))
    return (first, after), left, right, origin

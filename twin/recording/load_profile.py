"""The load profile in memory: pieces from the hot table and from sealed segments, and their merger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

NS_PER_DAY = 86_400_000_000_000
"""Nanoseconds in a UTC day [ns]."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadProfile:
    """The load profile of one meter, in order of time."""

    end_ns: Int
    """Shape (n,): end of each interval, UTC [ns]."""
    values: dict[str, Float]
    """By channel, shape (n,), primary, SI; NaN where the meter did not record the channel."""
    duration_s: Float
    """Shape (n,): length of each interval [s]."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive intervals of one meter from one source, in order of time."""

    end_ns: Int
    """Shape (n,) [ns]."""
    duration_s: Float
    """Shape (n,) [s]."""
    channels: tuple[str, ...]
    values: Float
    """Shape (n, channels); NaN where there is none."""


def day_of(end_ns: int) -> int:
    """Return the UTC day, counted from 1970-01-01, of an interval's end; midnight ends its day."""
    return (end_ns - 1) // NS_PER_DAY


def date_of(day: int) -> str:
    """Return a UTC day as ISO 8601 date."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()


def span_of(day: int) -> tuple[int, int]:
    """Return the day's span (start, end] as two instants [ns]."""
    return day * NS_PER_DAY, (day + 1) * NS_PER_DAY


def piece_of_rows(rows: Sequence[tuple[float | None, ...]], channels: tuple[str, ...]) -> Piece:
    """Return the piece of database rows (end_ns, duration_s, one value per channel)."""
    end_ns = np.array([row[0] for row in rows], dtype=np.int64)
    # A float array turns None, which is SQL NULL, into NaN.
    numbers = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 1 + len(channels))
    return Piece(end_ns, numbers[:, 0], channels, numbers[:, 1:])


def within(piece: Piece, after_ns: int, until_ns: int) -> Piece:
    """Return the intervals that end in (after, until]."""
    first, last = np.searchsorted(piece.end_ns, [after_ns, until_ns], side="right")
    part = slice(int(first), int(last))
    return Piece(piece.end_ns[part], piece.duration_s[part], piece.channels, piece.values[part])


def merge(pieces: Sequence[Piece], channels: Sequence[str]) -> LoadProfile:
    """Return the pieces of one meter as one profile.

    Intervals that end together become one; where two pieces give the same channel of the same interval,
    the later piece in the sequence wins, as a correction does.

    Parameters
    ----------
    pieces : sequence of Piece
        In the order in which they were recorded.
    channels : sequence of str
        Channels of the result; NaN where no piece has them.
    """
    ends = [piece.end_ns for piece in pieces]
    end_ns = np.unique(np.concatenate(ends)) if ends else np.empty(0, dtype=np.int64)
    duration_s = np.full(end_ns.size, np.nan)
    values = {channel: np.full(end_ns.size, np.nan) for channel in channels}
    for piece in pieces:
        at = np.searchsorted(end_ns, piece.end_ns)
        duration_s[at] = piece.duration_s
        for column, channel in enumerate(piece.channels):
            if channel in values:
                values[channel][at] = piece.values[:, column]
    return LoadProfile(end_ns, values, duration_s)

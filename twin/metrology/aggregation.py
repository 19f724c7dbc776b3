"""From basic windows of 10 or 12 cycles to 150/180 cycles, ten minutes and two hours.

Basic windows follow each other without a gap, but a new series begins at every ten-minute tick of UTC; the
window that the tick cuts is finished all the same and belongs to the ten minutes that end (overlap 1). The 15
windows of a 150/180-cycle interval begin anew at the tick too; the interval that the tick cuts is finished
with windows of the old series (overlap 2).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Flags = NDArray[np.bool_]

TEN_MINUTES_NS: Final = 600 * NS_PER_SECOND
TWO_HOURS_NS: Final = 7200 * NS_PER_SECOND
WINDOWS: Final = 15
"""Basic windows of a 150/180-cycle interval."""


@dataclass(frozen=True, slots=True, eq=False)
class BasicWindows:
    """Where basic windows lie."""

    start_ns: Int
    """(windows,) UTC, to the nearest ns [ns]."""
    end_ns: Int
    """(windows,) [ns]."""
    interval: Int
    """(windows,) number of the ten-minute interval that each belongs to: that of its start."""
    overlapping: Flags
    """(windows,) finished after the tick, only for the 150/180-cycle interval in progress."""


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """Values over one interval."""

    start_ns: int
    """Start of its first part, UTC [ns]."""
    end_ns: int
    """End of its last part, UTC [ns]; the time that it is tagged with."""
    values: Float
    """(quantities,)."""
    flagged: bool
    """Whether one of its parts is."""
    parts: int
    """How many there were; fewer than nominal where a recording begins or ends."""


def basic_windows(cycle_starts_ns: Int, *, cycles: int) -> BasicWindows:
    """Return the basic windows of a record of cycles.

    Parameters
    ----------
    cycle_starts_ns : ndarray of int64, shape (n,)
        Start of each cycle of the reference and end of the last one, ascending, UTC [ns].
    cycles : int
        10 at 50 Hz, 12 at 60 Hz.

    Returns
    -------
    BasicWindows
        In order of their start. The series after a tick begins at the tick itself, within a cycle.

    Raises
    ------
    ValueError
        If the cycles do not ascend, or there is none.

    References
    ----------
    IEC 61000-4-30:2015, 4.5.2 to 4.5.4 (class A).
    """
    starts = np.asarray(cycle_starts_ns, np.int64)
    if starts.size < 2 or (np.diff(starts) <= 0).any():
        raise ValueError(f"{starts.size} cycle starts make no record of cycles; pass them in order of time")
    origin = int(starts[0])
    since = (starts - origin).astype(np.float64)
    count = np.arange(starts.size, dtype=np.float64)
    ticks = range(-(-origin // TEN_MINUTES_NS), int(starts[-1]) // TEN_MINUTES_NS + 1)
    begins = sorted({origin, *(tick * TEN_MINUTES_NS for tick in ticks)})
    rows: list[tuple[Float, Float, int, Flags]] = []
    for begin, stop in zip(begins, [*begins[1:], int(starts[-1])], strict=True):
        first, last = np.interp(np.array([begin, stop]) - origin, since, count)
        total = (count[-1] - first) / cycles + 1e-9
        # All that begin before the tick; then what the 150/180-cycle interval in progress still lacks.
        own = int(np.ceil((last - first) / cycles - 1e-9))
        wanted = min(-(-own // WINDOWS) * WINDOWS, int(total)) if stop < starts[-1] else int(total)
        edges = np.interp(first + cycles * np.arange(wanted + 1), count, since)
        rows.append((edges[:-1], edges[1:], begin // TEN_MINUTES_NS, np.arange(wanted) >= own))
    return BasicWindows(
        origin + np.rint(np.concatenate([row[0] for row in rows])).astype(np.int64),
        origin + np.rint(np.concatenate([row[1] for row in rows])).astype(np.int64),
        np.concatenate([np.full(row[0].size, row[2], np.int64) for row in rows]),
        np.concatenate([row[3] for row in rows]),
    )


def flag(windows: BasicWindows, events: list[tuple[int, int | None]]) -> Flags:
    """Return which windows a dip, swell or interruption touches.

    Parameters
    ----------
    windows : BasicWindows
        Basic windows.
    events : list of (int, int or None)
        Start and end of each dip, swell and interruption, UTC [ns]; None while it lasts.

    Returns
    -------
    ndarray of bool, shape (windows,)

    References
    ----------
    IEC 61000-4-30:2015, 4.7.
    """
    out = np.zeros(windows.start_ns.size, np.bool_)
    for start, end in events:
        out |= (windows.end_ns >= start) & (True if end is None else windows.start_ns <= end)
    return out


def aggregate_150_180(
    windows: BasicWindows, values: Float, flags: Flags, *, arithmetic: Flags | None = None
) -> list[Aggregate]:
    """Return the 150/180-cycle values: 15 basic windows each, begun anew at each ten-minute tick.

    Parameters
    ----------
    windows : BasicWindows
        As `basic_windows` gives them.
    values : ndarray, shape (quantities, windows)
        Of each basic window.
    flags : ndarray of bool, shape (windows,)
        As `flag` gives them.
    arithmetic : ndarray of bool, shape (quantities,), optional
        Quantities that have a sign or an offset (power, frequency): their mean is arithmetic, that of
        all others quadratic.

    Returns
    -------
    list of Aggregate
        In order of time. An interval that the record ends in is left out.

    References
    ----------
    IEC 61000-4-30:2015, 4.5.1 and 4.5.3.
    """
    out: list[Aggregate] = []
    for number in np.unique(windows.interval):
        inside = np.flatnonzero(windows.interval == number)
        whole = inside[: inside.size // WINDOWS * WINDOWS].reshape(-1, WINDOWS)
        out += [_aggregate(windows, values, flags, part, arithmetic) for part in whole]
    return out


def aggregate_ten_minutes(
    windows: BasicWindows, values: Float, flags: Flags, *, arithmetic: Flags | None = None
) -> list[Aggregate]:
    """Return the ten-minute values, of all basic windows that begin in an interval; see `aggregate_150_180`.

    The last window of an interval ends after its tick. The first and the last interval of a record are
    as short as the record makes them: `parts` tells.

    References
    ----------
    IEC 61000-4-30:2015, 4.5.1 and 4.5.4.
    """
    own = np.flatnonzero(~windows.overlapping)
    numbers = windows.interval[own]
    return [
        _aggregate(windows, values, flags, own[numbers == number], arithmetic)
        for number in np.unique(numbers)
    ]


def aggregate_two_hours(ten_minutes: list[Aggregate], *, arithmetic: Flags | None = None) -> list[Aggregate]:
    """Return the two-hour values of ten-minute ones, from even hours of UTC on; twelve parts when whole.

    References
    ----------
    IEC 61000-4-30:2015, 4.5.1 and 4.5.5.
    """
    groups: dict[int, list[Aggregate]] = {}
    for part in ten_minutes:
        groups.setdefault(part.start_ns // TWO_HOURS_NS, []).append(part)
    out: list[Aggregate] = []
    for parts in groups.values():
        values = np.stack([part.values for part in parts], axis=1)
        flagged = any(part.flagged for part in parts)
        mean = _mean(values, arithmetic)
        out.append(Aggregate(parts[0].start_ns, parts[-1].end_ns, mean, flagged, len(parts)))
    return out


def limited_below(rms: Float, *, declared: float) -> Float:
    """Return RMS values for the underdeviation: those above the declared voltage count as it.

    IEC 61000-4-30:2015, 5.12. Aggregate them quadratically, then see `underdeviation`.
    """
    limited: Float = np.minimum(rms, declared)
    return limited


def limited_above(rms: Float, *, declared: float) -> Float:
    """Return RMS values for the overdeviation: those below the declared voltage count as it.

    IEC 61000-4-30:2015, 5.12. Aggregate them quadratically, then see `overdeviation`.
    """
    limited: Float = np.maximum(rms, declared)
    return limited


def underdeviation(aggregated: Float, *, declared: float) -> Float:
    """Return how far aggregated values of `limited_below` lie under the declared voltage, fraction of it.

    Zero or more (IEC 61000-4-30:2015, 5.12, by edition 3 a positive number).
    """
    return (declared - aggregated) / declared


def overdeviation(aggregated: Float, *, declared: float) -> Float:
    """Return how far aggregated values of `limited_above` lie over the declared voltage, fraction of it."""
    return (aggregated - declared) / declared


def _aggregate(
    windows: BasicWindows, values: Float, flags: Flags, part: Int, arithmetic: Flags | None
) -> Aggregate:
    """Return the aggregate of some windows."""
    return Aggregate(
        int(windows.start_ns[part[0]]),
        int(windows.end_ns[part[-1]]),
        _mean(values[:, part], arithmetic),
        bool(np.logical_or.reduce(flags[part])),
        part.size,
    )


def _mean(values: Float, arithmetic: Flags | None) -> Float:
    """Return the mean of each quantity, quadratic unless it is said to be arithmetic; NaN stays NaN."""
    quadratic: Float = np.sqrt((values**2).mean(axis=1))
    if arithmetic is None:
        return quadratic
    return np.where(arithmetic, values.mean(axis=1), quadratic)

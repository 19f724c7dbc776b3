"""Intervals of loggers: what the displayed quantities did between two instants, of chosen meters.

Intervals may have any length; each logger is a row. Definitions are those of the load profile: means are over
all time, extremes those of the values at whole seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.meters.quantities import NAMES

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClosedIntervals:
    """Intervals of some rows that ended together; arrays (rows, 52), secondary SI, by displayed column."""

    duration_s: Float
    """Shape (rows,), without the time in which there was no supply [s]."""
    last: Float
    """Values at the end."""
    low: Float
    """Least values at whole seconds; NaN in an interval without one."""
    high: Float
    """Greatest values at whole seconds; NaN in an interval without one."""
    mean: Float
    """Means over time; NaN in an interval without length."""


class IntervalLog:
    """The intervals that are open now.

    Parameters
    ----------
    meters : sequence of int
        Which meter of the bank each row is of.
    start_ns : int
        When the first intervals begin, UTC [ns].
    """

    def __init__(self, meters: Sequence[int], start_ns: int) -> None:
        rows = len(meters)
        self._meters = np.array(meters, np.intp)
        self._start_ns = np.full(rows, start_ns, np.int64)
        self._dark_since_ns = np.full(rows, -1, np.int64)  # -1 with a supply
        self._dark_ns = np.zeros(rows, np.int64)  # of the open interval
        self._sums = np.zeros((rows, len(NAMES)))
        self._high = np.full((rows, len(NAMES)), -np.inf)
        self._low = np.full((rows, len(NAMES)), np.inf)

    def add(self, weighted: Float) -> None:
        """Let displayed values times the seconds that they lasted (meters, 52) count towards the means."""
        if self._meters.size:
            self._sums += weighted[self._meters]

    def update(self, values: Float) -> None:
        """Let the displayed values of a tick count towards the extremes."""
        if self._meters.size:
            np.fmax(self._high, values[self._meters], out=self._high)  # NaN of a dark meter counts nothing
            np.fmin(self._low, values[self._meters], out=self._low)

    def update_columns(self, columns: slice, history: Float) -> None:
        """Let some displayed values at several ticks (ticks, meters, columns) count towards the extremes."""
        if self._meters.size:
            own = history[:, self._meters]
            self._high[:, columns] = np.fmax(self._high[:, columns], own.max(axis=0))
            self._low[:, columns] = np.fmin(self._low[:, columns], own.min(axis=0))

    def set_power(self, meter: int, *, on: bool, ns: int) -> None:
        """Give a meter its supply, or take it away: time without it is no part of an interval."""
        for row in np.flatnonzero(self._meters == meter).tolist():
            self._dark_ns[row] = self._dark(np.array([row], np.intp), ns)[0]
            self._dark_since_ns[row] = -1 if on else ns

    def _dark(self, rows: NDArray[np.intp], ns: int) -> NDArray[np.int64]:
        """Return how long meters had no supply in their open intervals [ns]."""
        since = self._dark_since_ns[rows]
        lasting = np.where(since < 0, 0, ns - np.maximum(since, self._start_ns[rows]))
        dark: NDArray[np.int64] = self._dark_ns[rows] + lasting
        return dark

    def close(self, rows: Sequence[int], values: Float, now_ns: int) -> ClosedIntervals:
        """End the intervals of some rows and begin the next ones.

        Parameters
        ----------
        rows : sequence of int
        values : ndarray, shape (meters, 52)
            What is displayed now, without noise.
        now_ns : int
            UTC [ns].
        """
        chosen = np.array(rows, np.intp)
        duration = (now_ns - self._start_ns[chosen] - self._dark(chosen, now_ns)) / NS_PER_SECOND
        low, high = self._low[chosen], self._high[chosen]
        low[np.isinf(low)] = np.nan
        high[np.isinf(high)] = np.nan
        mean = np.full_like(low, np.nan)
        np.divide(self._sums[chosen], duration[:, None], out=mean, where=duration[:, None] > 0.0)
        self._start_ns[chosen] = now_ns
        self._dark_ns[chosen] = 0
        self._sums[chosen] = 0.0
        self._high[chosen] = -np.inf
        self._low[chosen] = np.inf
        return ClosedIntervals(duration, values[self._meters[chosen]], low, high, mean)

"""Largest and smallest value of each quantity since the last clear, each with its time."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.meters.quantities import COLUMN
from twin.meters.quantities import NAMES as DISPLAYED

Float = NDArray[np.float64]
Int = NDArray[np.int64]

NAMES: Final = (
    *("v1", "v2", "v3", "v12", "v23", "v31", "i1", "i2", "i3", "p_sum", "q_sum", "s_sum", "pf"),
    *("frequency", "p_demand", "q_demand", "s_demand", "v_unbalance", "i_unbalance"),
    *("thd_v1", "thd_v2", "thd_v3", "thd_i1", "thd_i2", "thd_i3"),
    *("i1_demand", "i2_demand", "i3_demand"),
)
"""Quantities with a maximum and a minimum (KW320 manual 4.2 and Fig 4-3)."""
REGISTERS: Final = tuple(f"{which}_{name}" for name in NAMES for which in ("max", "min"))
"""Maximum and minimum of each, by their names in the register map."""
_COLUMNS: Final = [COLUMN[name] for name in NAMES]


@dataclass(frozen=True, slots=True)
class Extreme:
    """One extreme value."""

    value: float
    """Secondary SI."""
    time_ns: int
    """When it was first reached, UTC [ns]."""


class Extremes:
    """Maxima and minima of all meters of a bank."""

    def __init__(self, meters: int, start_ns: int) -> None:
        # Of all displayed quantities: a few too many cost less than to pick columns at every tick.
        shape = (meters, len(DISPLAYED))
        self._max = np.full(shape, -np.inf)
        self._min = np.full(shape, np.inf)
        self._max_ns = np.full(shape, start_ns, np.int64)
        self._min_ns = np.full(shape, start_ns, np.int64)

    def update(self, values: Float, ns: int) -> None:
        """Compare the displayed values (meters, 52) of a tick with what has been."""
        higher = values > self._max
        lower = values < self._min
        if np.count_nonzero(higher):
            self._max[higher] = values[higher]
            self._max_ns[higher] = ns
        if np.count_nonzero(lower):
            self._min[lower] = values[lower]
            self._min_ns[lower] = ns

    def update_columns(self, columns: slice, history: Float, times_ns: Int) -> None:
        """Compare some displayed values at several ticks with what has been.

        Parameters
        ----------
        columns : slice
        history : ndarray, shape (ticks, meters, columns)
        times_ns : ndarray of int64, shape (ticks,)
        """
        from twin.meters.interval_kernels import widen_stamped  # noqa: PLC0415

        extremes = (self._max, self._min, self._max_ns, self._min_ns)
        widen_stamped(history, times_ns, *(one[:, columns] for one in extremes))

    def clear(self, meter: int, values: Float, ns: int) -> None:
        """Start a meter anew from the values (52,) that it shows."""
        self._max[meter] = self._min[meter] = values
        self._max_ns[meter] = self._min_ns[meter] = ns

    def shown(self, meter: int) -> dict[str, Extreme]:
        """Return ``max_v1``, ``min_v1`` .. of a meter; empty before the first tick."""
        if not np.isfinite(self._max[meter]).all():
            return {}
        shown = {}
        for column, name in zip(_COLUMNS, NAMES, strict=True):
            shown[f"max_{name}"] = Extreme(float(self._max[meter, column]), int(self._max_ns[meter, column]))
            shown[f"min_{name}"] = Extreme(float(self._min[meter, column]), int(self._min_ns[meter, column]))
        return shown

    def table(self) -> tuple[Float, Int]:
        """Return values and times of all meters, shape (meters, registers) in the order of `REGISTERS`.

        Before a meter's first tick values are NaN and times 0.
        """
        values = np.stack([self._max[:, _COLUMNS], self._min[:, _COLUMNS]], axis=2)
        times = np.stack([self._max_ns[:, _COLUMNS], self._min_ns[:, _COLUMNS]], axis=2)
        unknown = ~np.isfinite(self._max).all(axis=1)
        values[unknown], times[unknown] = np.nan, 0
        return values.reshape(len(values), -1), times.reshape(len(times), -1)

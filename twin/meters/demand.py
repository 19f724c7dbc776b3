"""Demand of P, Q and S total and of the currents: sliding, fixed, rolling and thermal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.meters.quantities import COLUMN
from twin.meters.settings import MeterSettings

Float = NDArray[np.float64]

NS_PER_MINUTE = 60 * NS_PER_SECOND
LONGEST = 30
"""Longest demand window [min]."""
SOURCES = [COLUMN[name] for name in ("p_sum", "q_sum", "s_sum", "i1", "i2", "i3")]
"""Columns that the demands average, in the order of ``quantities.DEMAND_NAMES``."""


class Demand:
    """Demands of all meters of a bank, secondary; they change on whole minutes of UTC alone.

    - sliding: the mean of the last window, which slides one minute each minute (KW320 manual 4.1);
    - fixed: the mean of each window, which begin at multiples of its length since the epoch (5.1.7.6.1.1);
    - rolling: the mean of the last window, at multiples of the sub-interval (5.1.7.6.1.1);
    - thermal: the response of a first-order lag that shows 90 % of a step after the window's length, read
      at the end of each window (KW320 manual 4.1; the 90 % is the definition of the thermal time
      characteristic in the glossary of the JEMStar II manual, that of mechanical demand meters).

    After a reset the memory holds zeros, as the manual says, and so a window that reaches back before it
    counts them. A signed demand averages import against export.
    """

    def __init__(self, settings: Sequence[MeterSettings]) -> None:
        meters = len(settings)
        self._minutes = np.zeros((LONGEST, meters, len(SOURCES)))  # each where its number says
        self._lag = np.zeros((meters, len(SOURCES)))
        self._window = np.ones(meters, np.int64)
        self._every = np.ones(meters, np.int64)
        self._thermal = np.zeros(meters, np.bool_)
        self._any_thermal = False
        self.values = np.zeros((meters, len(SOURCES)))
        """Shape (meters, 6): what is shown now [W, var, VA, A, A, A]."""
        for meter, setting in enumerate(settings):
            self.configure(meter, setting)

    @property
    def lags(self) -> bool:
        """Whether any meter has a thermal lag, which moves all the time."""
        return self._any_thermal

    def configure(self, meter: int, settings: MeterSettings) -> None:
        """Set mode and window of a meter, and clear its memory."""
        window = settings.demand_window_minutes
        every = {
            "sliding": 1,
            "thermal": window,
            "fixed": window,
            "rolling": settings.demand_sub_interval_minutes,
        }
        self._window[meter] = window
        self._every[meter] = every[settings.demand_mode]
        self._thermal[meter] = settings.demand_mode == "thermal"
        self._any_thermal = bool(self._thermal.any())
        self.clear(meter)

    def clear(self, meter: int) -> None:
        """Set the demand memory of a meter to zero."""
        self._minutes[:, meter] = 0.0
        self._lag[meter] = 0.0
        self.values[meter] = 0.0

    def add(self, values: Float, duration_ns: int) -> None:
        """Let constant displayed values (meters, 52) act on the thermal lags for a time [ns]."""
        if not self._any_thermal:
            return
        remaining = 0.1 ** (duration_ns / (self._window * NS_PER_MINUTE))
        sources = values[:, SOURCES]
        self._lag = sources + (self._lag - sources) * remaining[:, None]

    def end_minute(self, means: Float, minute: int) -> None:
        """Take the means of a minute that ends, and show new demands where one is due.

        Parameters
        ----------
        means : ndarray, shape (meters, 6)
            Means over the minute; a part of it without signal counts as zero.
        minute : int
            Number of the minute that begins, since the epoch.
        """
        self.end_minutes(means, minute, 1)

    def end_minutes(self, means: Float, first: int, count: int) -> Float:
        """Take whole minutes that all have the same means; not where lags are followed.

        Parameters
        ----------
        means : ndarray, shape (meters, 6)
        first : int
            Number of the minute, since the epoch, that begins when the first of them ends.
        count : int
            How many minutes end.

        Returns
        -------
        ndarray, shape (count, meters, 6)
            What was shown after each of them.
        """
        from twin.meters.demand_kernels import end_minutes  # noqa: PLC0415

        history = np.empty((count, *self.values.shape))
        if not self.values.size:
            return history
        end_minutes(
            first,
            np.ascontiguousarray(means),
            self._minutes,
            self._window,
            self._every,
            self._thermal,
            self._lag,
            self.values,
            history,
        )
        return history

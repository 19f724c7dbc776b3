"""The load profile: one record per interval of the meter's clock, made of energies, means and extremes.

Intervals end at whole minutes of UTC: those at which the clock shows, or has just passed, a multiple of the
interval's length since midnight.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, IntervalBlock
from twin.meters.demand import NS_PER_MINUTE
from twin.meters.energies import FEMTOJOULES
from twin.meters.quantities import COLUMN, NAMES
from twin.meters.settings import MeterSettings

Float = NDArray[np.float64]
Int = NDArray[np.int64]

MEANS: Final = ("v1", "v2", "v3", "i1", "i2", "i3", "frequency")
HIGHEST: Final = ("v1", "v2", "v3", "i1", "i2", "i3", "p_sum", "thd_v1", "thd_v2", "thd_v3")
LOWEST: Final = ("v1", "v2", "v3")
_COLUMNS: Final = tuple(
    np.array([COLUMN[name] for name in names], np.int64) for names in (MEANS, LOWEST, HIGHEST)
)
_ENERGIES: Final = ("p_imp_wh", "p_exp_wh", "q_imp_varh", "q_exp_varh", "s_vah")
"""In the order of the energy counters."""
CHANNELS: Final = (
    *_ENERGIES,
    *(f"{name}_avg" for name in MEANS),
    *(f"{name}_min" for name in LOWEST),
    *("p_max" if name == "p_sum" else f"{name}_max" for name in HIGHEST),
    "pf_avg",
)
"""What an interval records, in its order."""
_MEASURED: Final = slice(len(_ENERGIES), len(CHANNELS) - 1)


class LoadProfile:
    """The intervals that are open now in all meters of a bank.

    - Energies are differences of exact counts.
    - ``*_avg`` is the arithmetic mean over time of the RMS value (of the frequency): stretches of constant
      signal weigh by their length. It is not the RMS over the interval.
    - ``*_max``, ``*_min`` and ``p_max`` are extremes of the 10/12-cycle values at whole seconds; NaN in an
      interval without one.
    - ``pf_avg`` is (imported - exported active energy) / apparent energy; NaN without apparent energy.
    """

    def __init__(self, settings: Sequence[MeterSettings], start_ns: int) -> None:
        meters = len(settings)
        self._names = [setting.name for setting in settings]
        self._on = np.ones(meters, np.bool_)
        self._all = tuple(self._names)
        self._minutes = np.ones(meters, np.int64)
        self._ahead = np.zeros(meters, np.int64)  # whole minutes that clocks are ahead of UTC
        self._factor = np.ones((meters, len(CHANNELS)))
        self._start_ns = np.full(meters, start_ns, np.int64)
        self._whole = np.zeros((len(_ENERGIES), meters, 4), np.int64)
        self._rest = np.zeros_like(self._whole)
        # Of all displayed quantities: a few too many cost less than to pick columns each time.
        self.sums = np.zeros((meters, len(NAMES)))
        """Displayed values times the seconds that they lasted."""
        self.high = np.full((meters, len(NAMES)), -np.inf)
        """Largest values of the ticks."""
        self.low = np.full((meters, len(NAMES)), np.inf)
        for meter, setting in enumerate(settings):
            self.configure(meter, setting)

    def configure(self, meter: int, settings: MeterSettings) -> None:
        """Take new settings; the open interval ends at the next multiple of the interval's length."""
        self._names[meter] = settings.name
        self._all = tuple(self._names)
        self._minutes[meter] = settings.load_profile_minutes
        ratio = {"v": settings.pt_ratio, "i": settings.ct_ratio, "p": settings.pt_ratio * settings.ct_ratio}
        self._factor[meter, _MEASURED] = [ratio.get(channel[0], 1.0) for channel in CHANNELS[_MEASURED]]

    def set_minutes_ahead(self, meter: int, minutes: int) -> None:
        """Let intervals follow a clock that is so many minutes ahead of UTC; the open one ends by it."""
        self._ahead[meter] = minutes

    def add(self, weighted: Float) -> None:
        """Let displayed values times the seconds that they lasted (meters, 52) count towards the means."""
        self.sums += weighted

    def add_repeatedly(self, weighted: Float, count: int) -> None:
        """Do the same ``count`` times, for as many stretches of one length."""
        from twin.meters.interval_kernels import add_repeatedly  # noqa: PLC0415

        add_repeatedly(weighted, count, self.sums)

    def update(self, values: Float) -> None:
        """Let the displayed values of a tick count towards the extremes."""
        np.maximum(self.high, values, out=self.high)
        np.minimum(self.low, values, out=self.low)

    def update_columns(self, columns: slice, history: Float) -> None:
        """Let some displayed values at several ticks (ticks, meters, columns) count towards the extremes."""
        from twin.meters.interval_kernels import widen  # noqa: PLC0415

        widen(history, self.high[:, columns], self.low[:, columns])

    def due(self, ns: int) -> NDArray[np.intp]:
        """Return the meters whose interval ends at a whole minute."""
        return np.flatnonzero(((ns // NS_PER_MINUTE + self._ahead) % self._minutes == 0) & self._on)

    def set_power(self, meter: int, counts: tuple[Int, Int], *, on: bool, ns: int) -> None:
        """Let no interval of a meter end until it has its supply again; then one begins."""
        self._on[meter] = on
        self._begin(np.array([meter], np.intp), counts, ns)

    def minutes_to_due(self, minute: int) -> int:
        """Return after how many minutes, at least one, the next interval of any meter ends."""
        rest = self._minutes - (minute + self._ahead) % self._minutes
        return int(rest.min()) if rest.size else 1

    def close(self, meters: NDArray[np.intp], counts: tuple[Int, Int], ns: int) -> IntervalBlock | None:
        """End the intervals of some meters and begin the next ones.

        Parameters
        ----------
        meters : ndarray of int
        counts : tuple of ndarray
            What the energy counters have counted up to now, as `EnergyRegisters.counts`.
        ns : int
            Now, UTC [ns].

        Returns
        -------
        IntervalBlock or None
            Without intervals that have no length; None when there is no other.
        """
        duration = (ns - self._start_ns[meters]) / NS_PER_SECOND
        long = duration > 0.0
        chosen = meters[long]
        block = None
        if chosen.size:
            values = self._values(chosen, counts, duration[long])
            every = chosen.size == len(self._names)
            names = self._all if every else tuple(self._names[meter] for meter in chosen.tolist())
            block = IntervalBlock(names, ns, duration[long], CHANNELS, values)
        self._begin(meters, counts, ns)
        return block

    def _begin(self, meters: NDArray[np.intp], counts: tuple[Int, Int], ns: int) -> None:
        """Begin the intervals of some meters."""
        # As a rule the intervals of all meters end together, and nothing need be picked.
        part = slice(None) if meters.size == len(self._names) else meters
        self._start_ns[part] = ns
        for mine, counted in ((self._whole, counts[0]), (self._rest, counts[1])):
            mine[:, part] = counted[:, part]
        self.sums[part] = 0.0
        self.high[part] = -np.inf
        self.low[part] = np.inf

    def _values(self, meters: NDArray[np.intp], counts: tuple[Int, Int], duration: Float) -> Float:
        """Return what the intervals of some meters record, (meters, channels)."""
        from twin.meters.interval_kernels import interval_values  # noqa: PLC0415

        values = np.empty((meters.size, len(CHANNELS)))
        before = (self._whole, self._rest)
        extremes = (self.sums, self.low, self.high)
        interval_values(
            meters, duration, *counts, *before, FEMTOJOULES, *extremes, _COLUMNS, self._factor, values
        )
        return values

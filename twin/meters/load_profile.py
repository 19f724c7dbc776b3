"""The load profile: one record per interval of UTC, made of energies, means and extremes."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, IntervalRecord
from twin.meters.demand import NS_PER_MINUTE
from twin.meters.energies import FEMTOJOULES
from twin.meters.quantities import COLUMN, NAMES
from twin.meters.settings import MeterSettings

Float = NDArray[np.float64]

MEANS: Final = ("v1", "v2", "v3", "i1", "i2", "i3", "frequency")
MEAN_COLUMNS: Final = [COLUMN[name] for name in MEANS]
"""Columns of displayed quantities whose means an interval records."""
HIGHEST: Final = ("v1", "v2", "v3", "i1", "i2", "i3", "p_sum", "thd_v1", "thd_v2", "thd_v3")
LOWEST: Final = ("v1", "v2", "v3")
_HIGH_COLUMNS: Final = [COLUMN[name] for name in HIGHEST]
_LOW_COLUMNS: Final = [COLUMN[name] for name in LOWEST]
_ENERGIES: Final = {
    "p_imp_wh": "ep_imp",
    "p_exp_wh": "ep_exp",
    "q_imp_varh": "eq_imp",
    "q_exp_varh": "eq_exp",
    "s_vah": "es",
}


class LoadProfile:
    """The intervals that are open now in all meters of a bank.

    - Energies are differences of exact counts.
    - ``*_avg`` is the arithmetic mean over time of the RMS value (of the frequency): stretches of constant
      signal weigh by their length. It is not the RMS over the interval.
    - ``*_max``, ``*_min`` and ``p_max`` are extremes of the 10/12-cycle values at whole seconds.
    - ``pf_avg`` is (imported - exported active energy) / apparent energy; NaN without apparent energy.
    """

    def __init__(self, settings: Sequence[MeterSettings], start_ns: int) -> None:
        meters = len(settings)
        self._minutes = np.array([setting.load_profile_minutes for setting in settings], np.int64)
        self._start_ns = [start_ns] * meters
        self._counted: list[dict[str, int]] = [{} for _ in settings]
        # Of all displayed quantities: a few too many cost less than to pick columns each time.
        self._sum = np.zeros((meters, len(NAMES)))
        self._high = np.full((meters, len(NAMES)), -np.inf)
        self._low = np.full((meters, len(NAMES)), np.inf)

    def configure(self, meter: int, settings: MeterSettings) -> None:
        """Take a new interval length; the open interval ends at the next multiple of it."""
        self._minutes[meter] = settings.load_profile_minutes

    def add(self, weighted: Float) -> None:
        """Let displayed values times the seconds that they lasted (meters, 52) count towards the means."""
        self._sum += weighted

    def update(self, values: Float) -> None:
        """Let the displayed values of a tick count towards the extremes."""
        np.maximum(self._high, values, out=self._high)
        np.minimum(self._low, values, out=self._low)

    def due(self, ns: int) -> NDArray[np.intp]:
        """Return the meters whose interval ends at a whole minute."""
        return np.flatnonzero(ns // NS_PER_MINUTE % self._minutes == 0)

    def close(
        self, meter: int, settings: MeterSettings, counted: dict[str, int], ns: int
    ) -> IntervalRecord | None:
        """End the interval of a meter and begin the next one; None for an interval without length.

        Parameters
        ----------
        meter : int
        settings : MeterSettings
            For its name and ratios.
        counted : dict
            What each energy register has counted up to now [fJ].
        ns : int
            Now, UTC [ns].
        """
        duration = (ns - self._start_ns[meter]) / NS_PER_SECOND
        record = None
        if duration > 0.0:
            record = IntervalRecord(
                settings.name, ns, duration, self._values(meter, settings, counted, duration)
            )
        self._start_ns[meter] = ns
        self._counted[meter] = counted
        self._sum[meter] = 0.0
        self._high[meter] = -np.inf
        self._low[meter] = np.inf
        return record

    def _values(
        self, meter: int, settings: MeterSettings, counted: dict[str, int], duration: float
    ) -> dict[str, float]:
        before = self._counted[meter]
        values = {
            channel: (counted[register] - before.get(register, 0)) / FEMTOJOULES
            for channel, register in _ENERGIES.items()
        }
        factor = {"v": settings.pt_ratio, "i": settings.ct_ratio, "p": settings.pt_ratio * settings.ct_ratio}
        for column, name in zip(MEAN_COLUMNS, MEANS, strict=True):
            values[f"{name}_avg"] = float(self._sum[meter, column]) / duration * factor.get(name[0], 1.0)
        for column, name in zip(_LOW_COLUMNS, LOWEST, strict=True):
            values[f"{name}_min"] = _finite(self._low[meter, column]) * factor["v"]
        for column, name in zip(_HIGH_COLUMNS, HIGHEST, strict=True):
            label = "p_max" if name == "p_sum" else f"{name}_max"
            values[label] = _finite(self._high[meter, column]) * factor.get(name[0], 1.0)
        apparent = values["s_vah"]
        net = values["p_imp_wh"] - values["p_exp_wh"]
        values["pf_avg"] = net / apparent if apparent > 0.0 else float("nan")
        return values


def _finite(value: float) -> float:
    """Return NaN for an extreme of no tick at all."""
    return float(value) if np.isfinite(value) else float("nan")

"""What the meters of a bank show, and what they have counted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.meters.counting import Counting
from twin.meters.display import Display
from twin.meters.extremes import Extreme, Extremes
from twin.meters.front_end import FrontEnd
from twin.meters.quantities import BASIC_NAMES, FAST_NAMES
from twin.meters.settings import MeterSettings

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class BankReadings:
    """The readings of a bank of meters; `twin.meters.bank.MeterBank` fills what they are made of."""

    _settings: list[MeterSettings]
    _cursor: int
    _front_end: FrontEnd
    _display: Display
    _counting: Counting
    _extremes: Extremes

    def fast(self, meter: int) -> dict[str, float]:
        """Return the fast block (KW320 manual 6.3.6) at the last 100 ms of UTC, secondary SI."""
        return dict(zip(FAST_NAMES, self.fast_table()[meter].tolist(), strict=True))

    def basic(self, meter: int) -> dict[str, float | Float]:
        """Return all displayed quantities at the last second of UTC, secondary SI.

        Names are those of the register map; ``v1_harmonics`` .. ``i3_harmonics`` are arrays of orders 2 to
        63. Unbalance, distortion, harmonics and THFF are fractions, angles degrees; see `wave_shape`.
        """
        table = self.basic_table()
        return {name: row if (row := rows[meter]).ndim else float(row) for name, rows in table.items()}

    def fast_table(self) -> Float:
        """Return the fast blocks of all meters, shape (meters, quantities) in the order of ``FAST_NAMES``."""
        if self._front_end.empty:
            return np.zeros((len(self._settings), len(FAST_NAMES)))
        return self._display.fast(self._cursor)

    def basic_table(self) -> dict[str, Float]:
        """Return the basic blocks of all meters by name, shape (meters,), harmonics (meters, 62)."""
        if self._front_end.empty:
            return {name: np.zeros(len(self._settings)) for name in BASIC_NAMES}
        return self._display.basic(self._cursor, self._counting.demand.values)

    def energy_table(self) -> Float:
        """Return the energies of all meters, shape (meters, registers), to the precision of a float."""
        return self._counting.energies_at(self._cursor).table()

    def extreme_table(self) -> tuple[Float, Int]:
        """Return values and times of the extremes of all meters in the order of ``extremes.REGISTERS``."""
        return self._extremes.table()

    def energies(self, meter: int) -> dict[str, float]:
        """Return every energy register as it stands now [Wh, varh, VAh primary]."""
        return self._counting.energies_at(self._cursor).shown(meter)

    def counted_energies(self, meters: Sequence[int]) -> list[dict[str, int]]:
        """Return what some meters ever counted by register, whatever was preset or cleared [fJ]."""
        if not meters:
            return []
        energies = self._counting.energies_at(self._cursor)
        return [energies.counted(meter) for meter in meters]

    def extremes(self, meter: int) -> dict[str, Extreme]:
        """Return ``max_v1``, ``min_v1`` .. since the last clear, secondary SI."""
        return self._extremes.shown(meter)

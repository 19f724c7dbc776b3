"""The energies of the last seven months: what was counted while the meter's clock showed each of them.

References
----------
KW320 manual 6.3.7, 463EH..478DH, "On N number of electric power": energies of the system, then of the phases.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.meters.energies import FEMTOJOULES, REGISTERS
from twin.meters.kw320.clock import MeterClock
from twin.meters.kw320.clock_search import month_number

Float = NDArray[np.float64]

MONTHS: Final = 7
NAMES: Final = tuple(f"last{back}_{name}" for back in range(1, MONTHS + 1) for name in REGISTERS)
"""Every register of them, in the order of `MonthlyEnergies.table`."""
_NOTHING: Final = dict.fromkeys(REGISTERS, 0)


class MonthlyEnergies:
    """The months of one meter; counts are whole femtojoules and never round.

    A month is a calendar month of the meter's clock, and the first before the one that the clock shows is
    the first of the registers. So energy is neither lost nor counted twice when the clock is set over the
    end of a month: set back, the earlier month goes on, and the later one when the clock comes to it again.
    What a shallow copy holds stays as it is.

    Parameters
    ----------
    clock : MeterClock
    now_ns : int
        When the meter is switched on, UTC [ns].
    """

    def __init__(self, clock: MeterClock, now_ns: int) -> None:
        self._clock = clock
        self._month = month_number(clock.local_ns(now_ns))
        self._amounts: dict[int, dict[str, int]] = {}  # by month and register [fJ]
        self._counted = dict.fromkeys(REGISTERS, 0)  # what was counted up to the last settling [fJ]
        self.version = 0
        """Grows with every change of what the registers show."""

    def over(self, now_ns: int) -> bool:
        """Return whether the clock shows another month than the one that counts."""
        return month_number(self._clock.local_ns(now_ns)) != self._month

    def settle(self, counted: Mapping[str, int], now_ns: int) -> None:
        """Give what was counted since the last time to the month that counts; go on with the one shown now.

        Parameters
        ----------
        counted : Mapping of str to int
            What was ever counted, by register [fJ].
        now_ns : int
            UTC [ns].
        """
        before = self._amounts.get(self._month, _NOTHING)
        amounts = {name: before[name] + counted[name] - self._counted[name] for name in REGISTERS}
        self._amounts = {**self._amounts, self._month: amounts}
        self._counted = dict(counted)
        self._month = month_number(self._clock.local_ns(now_ns))
        self.version += 1

    def clear(self, counted: Mapping[str, int]) -> None:
        """Set all months to zero, the one that counts too."""
        self._amounts = {}
        self._counted = dict(counted)
        self.version += 1

    def preset(self, values_wh: Mapping[str, float]) -> None:
        """Let some registers show values from now on, by name [Wh, varh, VAh primary]."""
        for register, value_wh in values_wh.items():
            back, _, name = register.removeprefix("last").partition("_")
            month = self._month - int(back)
            amounts = {**self._amounts.get(month, _NOTHING), name: round(value_wh * FEMTOJOULES)}
            self._amounts = {**self._amounts, month: amounts}
        self.version += 1

    def table(self) -> Float:
        """Return every register in the order of `NAMES` [Wh, varh, VAh primary]."""
        months = [self._amounts.get(self._month - back, _NOTHING) for back in range(1, MONTHS + 1)]
        return np.array([amounts[name] / FEMTOJOULES for amounts in months for name in REGISTERS])

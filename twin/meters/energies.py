"""Energy registers: signed by phase, primary, presettable."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError
from twin.metrology import EnergyAccumulator

Float = NDArray[np.float64]
Int = NDArray[np.int64]

FEMTOJOULES: Final = 3_600_000_000_000_000_000
"""fJ in a Wh."""

_POINTS: Final = 4
"""Phases a, b, c, and the system of a wiring that has no phase powers."""
_QUANTITIES: Final = ("ep{}_imp", "ep{}_exp", "eq{}_imp", "eq{}_exp", "es{}")
"""In the order of the accumulator."""
_PHASES: Final[dict[str, int]] = {
    name.format(letter): _POINTS * row + phase
    for row, name in enumerate(_QUANTITIES)
    for phase, letter in enumerate("abc")
}
"""Counter of each phase's register, quantity by quantity and point by point."""


def _all(row: int, rows: int = 1) -> range:
    return range(_POINTS * row, _POINTS * (row + rows))


_NONE: Final = range(0)
_SUMS: Final[dict[str, tuple[range, range]]] = {
    "ep_imp": (_all(0), _NONE),
    "ep_exp": (_all(1), _NONE),
    "eq_imp": (_all(2), _NONE),
    "eq_exp": (_all(3), _NONE),
    "ep_total": (_all(0, 2), _NONE),
    "ep_net": (_all(0), _all(1)),
    "eq_total": (_all(2, 2), _NONE),
    "eq_net": (_all(2), _all(3)),
    "es": (_all(4), _NONE),
}
_TERMS: Final = _SUMS | {name: (range(k, k + 1), _NONE) for name, k in _PHASES.items()}
"""Counters added and subtracted, by register: total = import + export, net = import - export, and the
phases add up to the totals (KW320 manual 5.1.7.3.2, its table of energies)."""
REGISTERS: Final = tuple(_TERMS)
"""Every energy register, by its name in the register map."""


class UnknownRegisterError(TwinError, KeyError):
    """An energy register that no meter has."""


class EnergyRegisters:
    """Energy registers of all meters of a bank; counts are whole femtojoules and never round.

    A preset or a clear moves what a register shows, not what was counted: intervals of the load profile
    are differences of counts. Every register has its own preset, totals included.
    """

    def __init__(self, meters: int) -> None:
        self._accumulator = EnergyAccumulator(meters, _POINTS)
        self._offset: list[dict[str, int]] = [dict.fromkeys(REGISTERS, 0) for _ in range(meters)]
        self._offset_table = np.zeros((2, meters, len(REGISTERS)))  # whole Wh, and the part of one

    def add(self, registered: Float, duration_ns: int) -> None:
        """Count an interval.

        Parameters
        ----------
        registered : ndarray, shape (meters, 12)
            Constant P, Q, S of phases a, b, c and of a system without phases, primary [W, var, VA].
        duration_ns : int
            Its length [ns].
        """
        self._accumulator.add(registered[:, 0:4], registered[:, 4:8], registered[:, 8:12], duration_ns)

    def ahead(self, registered: Float, duration_ns: int) -> "EnergyRegisters":
        """Return a copy that has counted an interval more, and leave this one as it is."""
        later = EnergyRegisters(0)
        later._accumulator.copy_from(self._accumulator)
        later._offset, later._offset_table = self._offset, self._offset_table
        later.add(registered, duration_ns)
        return later

    def counts(self) -> tuple[Int, Int]:
        """Return what was ever counted, quantity by quantity: Wh, and fJ below one of them.

        Two arrays of shape (quantities, meters, points): copies.
        """
        return self._accumulator.whole.copy(), self._accumulator.rest.copy()

    def counted(self, meter: int) -> dict[str, int]:
        """Return what was ever counted into each register of a meter [fJ]."""
        whole = self._accumulator.whole[:, meter].ravel().tolist()
        rest = self._accumulator.rest[:, meter].ravel().tolist()
        count = [w * FEMTOJOULES + r for w, r in zip(whole, rest, strict=True)]
        return {
            name: sum(count[k] for k in plus) - sum(count[k] for k in minus)
            for name, (plus, minus) in _TERMS.items()
        }

    def shown(self, meter: int) -> dict[str, float]:
        """Return every register of a meter [Wh, varh, VAh primary]."""
        offset = self._offset[meter]
        return {name: (count + offset[name]) / FEMTOJOULES for name, count in self.counted(meter).items()}

    def preset(self, meter: int, name: str, value_wh: float) -> None:
        """Let one register of a meter show a value from now on.

        Raises
        ------
        UnknownRegisterError
            If no register has that name.
        """
        if name not in _TERMS:
            raise UnknownRegisterError(f"there is no energy register {name!r}; use one of {REGISTERS}")
        self._offset[meter][name] = round(value_wh * FEMTOJOULES) - self.counted(meter)[name]
        self._note_offset(meter)

    def clear(self, meter: int) -> None:
        """Let all registers of a meter show zero from now on."""
        self._offset[meter] = {name: -count for name, count in self.counted(meter).items()}
        self._note_offset(meter)

    def table(self) -> Float:
        """Return every register of every meter, shape (meters, registers) [Wh, varh, VAh primary].

        In the order of `REGISTERS`. Whole units are exact; the part of one is good to 1e-15.
        """
        meters = self._offset_table.shape[1]
        whole = self._accumulator.whole.transpose(1, 0, 2).reshape(meters, -1)
        part = self._accumulator.rest.transpose(1, 0, 2).reshape(meters, -1) / FEMTOJOULES
        out = np.empty((meters, len(REGISTERS)))
        for at, (plus, minus) in enumerate(_TERMS.values()):
            units = sum(whole[:, k] for k in plus) - sum(whole[:, k] for k in minus)
            parts = sum(part[:, k] for k in plus) - sum(part[:, k] for k in minus)
            out[:, at] = (units + self._offset_table[0, :, at]) + (parts + self._offset_table[1, :, at])
        return out

    def _note_offset(self, meter: int) -> None:
        for at, count in enumerate(self._offset[meter].values()):
            units, rest = divmod(count, FEMTOJOULES)
            self._offset_table[:, meter, at] = units, rest / FEMTOJOULES

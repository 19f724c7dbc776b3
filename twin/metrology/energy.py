"""Energy counters: whole numbers, exact, the same in whatever order intervals are added."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError

Quantity = Literal["p_imp", "p_exp", "q_imp", "q_exp", "s"]
QUANTITIES: tuple[Quantity, ...] = ("p_imp", "p_exp", "q_imp", "q_exp", "s")
FEMTOJOULES_PER_PWH = 3_600_000
"""1 pWh = 3.6 nJ."""


class EnergyError(TwinError, ValueError):
    """A power that is no number or beyond 9 GW, or a duration below zero."""


class EnergyAccumulator:
    """Five energies of every point: active and reactive import and export, and apparent.

    A counter is two int64: whole watt-hours and femtojoules below one watt-hour (microwatt times
    nanosecond is a femtojoule, and 1 Wh = 3.6e18 fJ fits). Power is rounded to the microwatt once per
    `add`; time is whole nanoseconds; the rest is whole-number arithmetic. So intervals may be added in any
    order, and one interval of constant power may be cut anywhere, with the same bits.

    Parameters
    ----------
    meters : int
        Meters of the bank.
    points : int
        Counted points per meter: the three phases, or four with their total.

    Attributes
    ----------
    whole, rest : ndarray of int64, shape (5, meters, points)
        Wh (varh, VAh), and fJ below one of them; first axis in the order of ``QUANTITIES``.
    """

    __slots__ = ("rest", "whole")

    def __init__(self, meters: int, points: int = 3) -> None:
        self.whole: NDArray[np.int64] = np.zeros((len(QUANTITIES), meters, points), np.int64)
        self.rest: NDArray[np.int64] = np.zeros_like(self.whole)

    def add(
        self,
        p: NDArray[np.float64],
        q: NDArray[np.float64],
        s: NDArray[np.float64],
        duration_ns: int,
    ) -> None:
        """Add an interval of constant power.

        Parameters
        ----------
        p, q, s : ndarray, shape (meters, points)
            Active, reactive, apparent power [W, var, VA]; p and q by sign to import or export.
        duration_ns : int
            Length [ns].

        Raises
        ------
        EnergyError
            If a power is no number or beyond 9 GW, or the duration is negative.
        """
        from twin.metrology.kernels import add_energy  # noqa: PLC0415

        if duration_ns < 0:
            raise EnergyError(f"{duration_ns} ns is no duration; energy only grows with time")
        seconds, nanoseconds = divmod(duration_ns, 1_000_000_000)
        wrong = add_energy(p, q, s, seconds, nanoseconds, self.whole, self.rest)
        if wrong >= 0:
            power = (p, p, q, q, s)[wrong]
            raise EnergyError(f"a power of {QUANTITIES[wrong]} is no number or beyond 9 GW: {power.tolist()}")

    def watt_hours(self, quantity: Quantity) -> NDArray[np.float64]:
        """Return a quantity, shape (meters, points) [Wh, varh or VAh], to the precision of a float."""
        row = QUANTITIES.index(quantity)
        value: NDArray[np.float64] = self.whole[row] + self.rest[row] / 3.6e18
        return value

    def picowatt_hours(self, quantity: Quantity) -> NDArray[np.int64]:
        """Return whole pWh below the whole Wh, shape (meters, points), rounded down."""
        value: NDArray[np.int64] = self.rest[QUANTITIES.index(quantity)] // FEMTOJOULES_PER_PWH
        return value

"""Energy counters: whole numbers, exact, the same in whatever order intervals are added."""

from collections.abc import Sequence
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError

Float = NDArray[np.float64]
Int = NDArray[np.int64]

Quantity = Literal["p_imp", "p_exp", "q_imp", "q_exp", "s"]
QUANTITIES: tuple[Quantity, ...] = ("p_imp", "p_exp", "q_imp", "q_exp", "s")
QuadrantQuantity = Literal["p_imp", "p_exp", "q1", "q2", "q3", "q4", "s"]
QUADRANT_QUANTITIES: tuple[QuadrantQuantity, ...] = ("p_imp", "p_exp", "q1", "q2", "q3", "q4", "s")
FEMTOJOULES_PER_PWH: Final = 3_600_000
"""1 pWh = 3.6 nJ."""
ZEPTOJOULES_PER_WH: Final = 3_600 * 10**21


class EnergyError(TwinError, ValueError):
    """A rate that is no number, beyond its limits or below zero, or a duration below zero."""


class IntegralAccumulator:
    """Integrals over time of named rates that are never below zero, at every point of a bank.

    A counter is three int64: whole watt-hours, femtojoules below one watt-hour (1 Wh = 3.6e18 fJ fits) and
    zeptojoules below one femtojoule (picowatt times nanosecond). A rate is rounded to the picowatt once per
    `add`; time is whole nanoseconds; the rest is whole-number arithmetic. So intervals may be added in
    any order, and one interval of a constant rate may be cut anywhere, with the same bits. For squares of
    voltage and current read V2 or A2 in place of W.

    Parameters
    ----------
    names : sequence of str
        What is counted, for example ``("v2", "a2")`` or ``("q_imp", "q_exp")``.
    meters : int
        Meters of the bank.
    points : int
        Counted points per meter: the three phases, or four with their total.

    Attributes
    ----------
    names : tuple of str
        First axis of the counters.
    whole, rest, fine : ndarray of int64, shape (names, meters, points)
        Wh, fJ below one of them, and zJ below one fJ.
    """

    __slots__ = ("fine", "names", "rest", "whole")

    def __init__(self, names: Sequence[str], meters: int, points: int = 3) -> None:
        self.names = tuple(names)
        self.whole: Int = np.zeros((len(self.names), meters, points), np.int64)
        self.rest: Int = np.zeros_like(self.whole)
        self.fine: Int = np.zeros_like(self.whole)

    def add_rates(self, rates: Float, duration_ns: int) -> None:
        """Add an interval of constant rates.

        Parameters
        ----------
        rates : ndarray, shape (names, meters, points)
            Values at zero or above [W, var, VA, V2 or A2].
        duration_ns : int
            Length [ns].

        Raises
        ------
        EnergyError
            If a rate is no number, negative or not below 9e9, or the duration is negative; then nothing
            was added.
        """
        self.add_intervals(np.asarray(rates)[np.newaxis], (duration_ns,))

    def add_intervals(self, rates: Float, durations_ns: Sequence[int]) -> None:
        """Add intervals that each have constant rates.

        Parameters
        ----------
        rates : ndarray, shape (intervals, names, meters, points)
            Values at zero or above [W, var, VA, V2 or A2].
        durations_ns : sequence of int
            Length of each [ns].

        Raises
        ------
        EnergyError
            As of `add_rates`; no interval has been added then.
        """
        if rates.shape != (len(durations_ns), *self.whole.shape):
            raise EnergyError(
                f"rates of shape {rates.shape} do not fit {len(durations_ns)} intervals and counters of "
                f"shape {self.whole.shape}"
            )
        if (rates < 0.0).any():
            name = self.names[int(np.argwhere(rates < 0.0)[0, 1])]
            raise EnergyError(f"{name} is below zero; count the two directions apart")
        self._count(np.ascontiguousarray(rates), durations_ns)

    def watt_hours(self, name: str) -> Float:
        """Return a counter, shape (meters, points) [Wh, varh, VAh, V2h, A2h], to the precision of a float."""
        row = self.names.index(name)
        value: Float = self.whole[row] + (self.rest[row] + self.fine[row] * 1e-6) / 3.6e18
        return value

    def picowatt_hours(self, name: str) -> Int:
        """Return whole pWh below the whole Wh, shape (meters, points), rounded down."""
        value: Int = self.rest[self.names.index(name)] // FEMTOJOULES_PER_PWH
        return value

    def zeptojoules(self, name: str, meter: int, point: int) -> int:
        """Return one counter exactly [zJ]."""
        at = (self.names.index(name), meter, point)
        femtojoules = int(self.whole[at]) * 3_600 * 10**15 + int(self.rest[at])
        return femtojoules * 10**6 + int(self.fine[at])

    def copy_from(self, other: Self) -> None:
        """Take over the counts of another accumulator of the same names."""
        self.whole, self.rest, self.fine = other.whole.copy(), other.rest.copy(), other.fine.copy()

    def _count(self, rates: Float, durations_ns: Sequence[int]) -> None:
        """Add what is above zero, intervals first."""
        from twin.metrology.power_kernels import add_integrals  # noqa: PLC0415

        durations = np.array(durations_ns, np.int64)
        if (durations < 0).any():
            raise EnergyError(f"{durations.min()} ns is no duration; energy only grows with time")
        wrong = add_integrals(rates, durations, self.whole, self.rest, self.fine)
        if wrong >= 0:
            raise EnergyError(
                f"a rate of {self.names[wrong]} is no number or beyond 9 GW (9e9): {rates[:, wrong].tolist()}"
            )


class EnergyAccumulator(IntegralAccumulator):
    """Five energies of every point: active and reactive import and export, and apparent.

    Parameters
    ----------
    meters : int
        Meters of the bank.
    points : int
        Counted points per meter: the three phases, or four with their total.

    See Also
    --------
    IntegralAccumulator : how a counter counts.
    QuadrantAccumulator : the same with reactive energy by quadrant.
    """

    __slots__ = ()

    def __init__(self, meters: int, points: int = 3) -> None:
        super().__init__(QUANTITIES, meters, points)

    def add(self, p: Float, q: Float, s: Float, duration_ns: int) -> None:
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
        rates = np.empty(self.whole.shape)
        rates[0], rates[2], rates[4] = p, q, s
        np.negative(p, out=rates[1])
        np.negative(q, out=rates[3])
        self._count(rates[np.newaxis], (duration_ns,))


class QuadrantAccumulator(IntegralAccumulator):
    """Active energy by direction, reactive energy by quadrant, and apparent energy, at every point.

    Quadrants are I: P and Q imported, II: P exported, Q imported, III: both exported, IV: P imported, Q
    exported. Q1 .. Q4 count without sign, each the magnitude of Q while the point stands in it; without
    active power it stands in I or IV. Import of reactive energy is Q1 + Q2, export Q3 + Q4, bit for bit as
    `EnergyAccumulator` counts them.

    Parameters
    ----------
    meters : int
        Meters of the bank.
    points : int
        Counted points per meter. A total point stands in the quadrant of the summed powers: its counters
        are not the sums of the phases' when phases stand in different ones.

    References
    ----------
    IEC 62053-23:2020, annex C (geometric representation of active and reactive power); IEC 62056-6-1
    (OBIS value groups C = 5 .. 8: reactive power in QI .. QIV).
    """

    __slots__ = ()

    def __init__(self, meters: int, points: int = 3) -> None:
        super().__init__(QUADRANT_QUANTITIES, meters, points)

    def add(self, p: Float, q: Float, s: Float, duration_ns: int) -> None:
        """Add an interval of constant power; as `EnergyAccumulator.add`."""
        rates = np.empty(self.whole.shape)
        rates[0], rates[6] = p, s
        np.negative(p, out=rates[1])
        exported = p < 0.0
        # What is no number must reach the check of its row: q1 takes whatever is not exported.
        rates[2] = np.where(exported, 0.0, q)
        rates[3] = np.where(exported, q, 0.0)
        rates[4] = np.where(exported, -q, 0.0)
        rates[5] = np.where(exported, 0.0, -q)
        self._count(rates[np.newaxis], (duration_ns,))

"""What a grid-following inverter injects: positive-sequence current within its limit, by curves of voltage.

The state of its protection is `twin.grid.machines.ride_through`.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.contracts import TwinError
from twin.grid.machines.induction_motor import sequence_voltages

_TURNS = np.exp(-2j * np.pi / 3.0 * np.arange(3))


class InverterError(TwinError, ValueError):
    """An inverter or a curve that cannot be."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Straight lines between points, level outside of them."""

    points: tuple[tuple[float, float], ...]
    """Voltage over rated voltage, and value; voltages rise."""

    def __post_init__(self) -> None:
        """Refuse points that are out of order."""
        rising = all(one[0] < other[0] for one, other in itertools.pairwise(self.points))
        if not self.points or not rising:
            raise InverterError("a curve needs points of rising voltage; sort or mend them")

    def at(self, u_pu: float) -> float:
        """Return the value at a voltage."""
        if u_pu <= self.points[0][0]:
            return self.points[0][1]
        for (low, first), (high, second) in itertools.pairwise(self.points):
            if u_pu <= high:
                return first + (second - first) * (u_pu - low) / (high - low)
        return self.points[-1][1]


VOLT_VAR_1547_B = Curve(((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)))
"""Reactive power delivered over rated apparent power: IEEE 1547-2018, table 8, category B default
(quoted from memory; open-loop response 5 s)."""
VOLT_VAR_1547_A = Curve(((0.9, 0.25), (1.0, 0.0), (1.1, -0.25)))
"""Likewise category A (quoted from memory; open-loop response 10 s)."""
VOLT_WATT_1547 = Curve(((1.06, 1.0), (1.10, 0.2)))
"""Ceiling of active power over the rated one: IEEE 1547-2018, table 10, default with a lowest power of 20 %
(quoted from memory; open-loop response 10 s)."""


@dataclass(frozen=True, slots=True)
class Inverter:
    """A three-phase or single-phase inverter that follows the grid's angle."""

    s_rated: float
    """[VA]"""
    u_rated: float
    """Phase to neutral [V]."""
    phases: Literal[1, 3] = 3
    current_limit: float = 1.1
    """Of the rated current; 1.0 to 1.2 is usual."""
    priority: Literal["active", "reactive"] = "reactive"
    """What is kept when both do not fit into the limit. Reactive: as IEEE 1547-2018 asks for volt-var."""
    volt_var: Curve | None = None
    """Reactive power delivered over ``s_rated``; None: as set."""
    volt_watt: Curve | None = None
    """Ceiling of active power over ``s_rated``; None: none."""

    def __post_init__(self) -> None:
        """Refuse ratings that cannot be."""
        if not (self.s_rated > 0.0 and self.u_rated > 0.0 and self.current_limit > 0.0):
            raise InverterError("ratings and current limit must be above zero; mend them")
        if self.phases not in {1, 3}:
            raise InverterError(f"{self.phases} phases; give 1 or 3")

    @property
    def i_rated(self) -> float:
        """Rated current of a phase [A]."""
        return self.s_rated / (self.phases * self.u_rated)


def set_points(inverter: Inverter, u_pu: float, p: float, q: float) -> tuple[float, float]:
    """Return the active [W] and reactive [var] power to deliver at a voltage, by the inverter's curves.

    Parameters
    ----------
    inverter : Inverter
        With its curves.
    u_pu : float
        Voltage over the rated one that the curves follow.
    p : float
        Active power that is there to be delivered; negative when a battery charges.
    q : float
        Reactive power asked for, without a volt-var curve.
    """
    if inverter.volt_watt is not None and p > 0.0:
        p = min(p, inverter.volt_watt.at(u_pu) * inverter.s_rated)
    if inverter.volt_var is not None:
        q = inverter.volt_var.at(u_pu) * inverter.s_rated
    return within_rating(p, q, inverter.s_rated, inverter.priority)


def within_rating(
    p: float, q: float, limit: float, priority: Literal["active", "reactive"]
) -> tuple[float, float]:
    """Return P and Q cut so that the apparent power is at most ``limit``; the prior one is kept."""
    if math.hypot(p, q) <= limit:
        return p, q
    if priority == "active":
        p = math.copysign(min(abs(p), limit), p)
        return p, math.copysign(min(abs(q), math.sqrt(max(limit * limit - p * p, 0.0))), q)
    q = math.copysign(min(abs(q), limit), q)
    return math.copysign(min(abs(p), math.sqrt(max(limit * limit - q * q, 0.0))), p), q


def injected_current(inverter: Inverter, voltages: ArrayLike, p: float, q: float) -> NDArray[np.complex128]:
    """Return the currents that the inverter delivers to the network.

    Three-phase: balanced, in phase with the positive-sequence voltage, so that unbalanced sags do not
    unbalance it. The power is kept while the current stays within its limit, then the current is; the
    angle of a voltage of less than a thousandth of the rated one cannot be followed, and no current flows.

    Parameters
    ----------
    inverter : Inverter
        Rating and limit.
    voltages : array_like of complex, shape (phases,)
        Phase to neutral, RMS [V].
    p, q : float
        To be delivered [W], [var]; positive q: capacitive as seen by a load, raises the voltage.

    Returns
    -------
    ndarray of complex128, shape (phases,)
        Out of the inverter, RMS [A]; a load's current is its negative.
    """
    volts = np.asarray(voltages, dtype=np.complex128)
    if volts.shape != (inverter.phases,):
        raise InverterError(f"{volts.shape} voltages for {inverter.phases} phases; give one for each")
    one = complex(volts[0]) if inverter.phases == 1 else sequence_voltages(volts)[0]
    size = abs(one)
    if size < 1e-3 * inverter.u_rated:
        return np.zeros(inverter.phases, dtype=np.complex128)
    most = inverter.current_limit * inverter.i_rated
    p, q = within_rating(p, q, most * size * inverter.phases, inverter.priority)
    current = complex(p, -q) / (inverter.phases * size) * (one / size)
    return np.asarray(current * _TURNS[: inverter.phases], dtype=np.complex128)

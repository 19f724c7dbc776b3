"""Harmonics of an arc: its voltage is a square wave in phase with its current."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid.admittance import inverse
from twin.grid.components import Fault

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc in each path of a fault, whose resistance holds the arc's at the fundamental."""

    voltage: float
    """Height of the square wave [V]."""
    resistance: float
    """What lies in the fault beside the arc [ohm]."""


def arc_paths(fault: Fault) -> tuple[str, ...]:
    """Return where the arcs of a fault burn: from each phase to earth, or between two phases."""
    letters = "".join(sorted(fault.phases))
    return (letters,) if fault.type == "ll" else tuple(letters)


def square_wave(voltage: float, current: Complex, order: int) -> Complex:
    """Return an order of square waves in phase with currents, RMS [V].

    ``v = U sign(i)``: order h has ``2 sqrt 2 U / (pi h)``, in turns of ``(-1)^((h - 1) / 2)`` and h times the
    current's angle; even orders and a path without current have none.
    """
    if order % 2 == 0:
        return np.zeros(current.size, dtype=np.complex128)
    size = np.abs(current)
    direction = np.where(size > 0.0, current / np.where(size > 0.0, size, 1.0), 0.0)
    sign = (-1.0) ** ((order - 1) // 2)
    return np.asarray(sign * 2.0 * math.sqrt(2.0) * voltage / (math.pi * order) * direction**order)


def arc_injection(
    arc: Arc, current: Complex, order: int, impedance: Complex, *, fault_resistance: float
) -> Complex:
    """Return the currents that arcs draw at an order, beside those of the resistances that stand for them.

    A path has the resistance Re in the network, arc included, and beside it draws J. With the voltage
    ``u = -Z J`` that is an arc ``e = u (1 - R / Re) - R J`` behind the resistance R alone, so that
    ``J = -((1 - R / Re) Z + R)^-1 e``.

    Parameters
    ----------
    arc : Arc
    current : c128[paths]
        Fundamental currents in the arcs, RMS [A].
    order : int
        Above 1.
    impedance : c128[paths, paths]
        Z: of the network at that order, fault included, seen from the paths [ohm].
    fault_resistance : float
        Re [ohm].

    Returns
    -------
    c128[paths]
        J, RMS [A].
    """
    own = np.eye(current.size) * arc.resistance
    behind = (1.0 - arc.resistance / fault_resistance) * impedance + own
    drawn = inverse(behind[None])[0] * square_wave(arc.voltage, current, order)
    return np.asarray(-drawn.sum(axis=1))

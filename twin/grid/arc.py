"""Harmonics of an arc: its voltage is a square wave in phase with its current."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid.admittance import inverse
from twin.grid.components import PHASES, Fault
from twin.grid.thevenin import Drawn

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc in each conductor of a fault."""

    fault: Fault
    """As the network has it: at the fundamental its resistance holds the arc's."""
    voltage: float
    """Height of the square wave [V]."""
    resistance: float
    """What lies in the fault beside the arc [ohm]."""


def square_wave(voltage: float, current: Complex, order: int) -> Complex:
    """Return an order of square waves in phase with currents, RMS [V].

    ``v = U sign(i)``: order h has ``2 sqrt 2 U / (pi h)``, in turns of ``(-1)^((h - 1) / 2)`` and h times the
    current's angle; even orders and a conductor without current have none.
    """
    if order % 2 == 0:
        return np.zeros(current.size, dtype=np.complex128)
    size = np.abs(current)
    direction = np.where(size > 0.0, current / np.where(size > 0.0, size, 1.0), 0.0)
    sign = (-1.0) ** ((order - 1) // 2)
    return np.asarray(sign * 2.0 * math.sqrt(2.0) * voltage / (math.pi * order) * direction**order)


def arc_injection(arc: Arc, volts: Complex, order: int, effect: Drawn) -> Complex:
    """Return the currents that an arc draws at an order, beside those of the resistance that stands for it.

    Parameters
    ----------
    arc : Arc
    volts : c128[3]
        Fundamental phase voltages at its bus, RMS [V].
    order : int
        Above 1.
    effect : Drawn
        Of currents drawn from the faulted conductors, in the order a b c, at that order and with the fault
        in the network.

    Returns
    -------
    c128[faulted conductors]
        RMS [A].
    """
    letters = sorted(arc.fault.phases)
    places = [PHASES.index(letter) for letter in letters]
    y = 1.0 / arc.fault.resistance
    across = np.array([[1.0], [-1.0]]) if arc.fault.type == "ll" else np.eye(len(letters))
    current = across.T @ volts[places] * y
    own = across.T @ effect.impedance @ across
    # The network alone, without the resistance that stands for the arc at the fundamental.
    ports = own.shape[0]
    alone = inverse((inverse(own[None])[0] - y * np.eye(ports))[None])[0]
    source = square_wave(arc.voltage, current, order)
    drawn = -inverse((alone + arc.resistance * np.eye(ports))[None])[0] @ source
    extra = drawn + y * (alone @ drawn)
    return np.asarray(across @ extra)

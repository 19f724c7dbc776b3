"""A three-phase induction motor as an equivalent circuit: admittances, torque, losses, slip at rest.

The circuit is the steady-state one of each sequence; the windings have no path to earth, so that there is no
zero sequence. Electrical transients of the windings are not in it: they last some cycles, the mechanical ones
that matter to a network last tenths of a second and more.
"""

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.contracts import TwinError

_A = cmath.exp(2j * math.pi / 3.0)
_SMALLEST_SLIP = 1e-9
"""Nearer to synchronism the rotor's current is that of this slip: below 1e-7 of the rated one."""


class MotorError(TwinError, ValueError):
    """A motor that cannot be: its data contradict themselves or physics."""


@dataclass(frozen=True, slots=True)
class Cage:
    """One cage of the rotor, seen from the stator."""

    r: float
    """Resistance [ohm]."""
    x: float
    """Leakage reactance at rated frequency [ohm]."""


@dataclass(frozen=True, slots=True)
class EquivalentCircuit:
    """A motor per phase of an equivalent star.

    Stator ``r1 + j x1`` in series with the air gap: the magnetising reactance, the iron's resistance and the
    cages, all in parallel. Slip is (synchronous - actual speed) / synchronous speed.
    """

    u_rated: float
    """Line to line [V]."""
    frequency: float
    """Rated [Hz]; reactances belong to it."""
    pole_pairs: int
    r1: float
    """Stator resistance [ohm]."""
    x1: float
    """Stator leakage reactance [ohm]."""
    xm: float
    """Magnetising reactance [ohm]."""
    cages: tuple[Cage, ...]
    """One cage, or an outer (high resistance) and an inner one (high reactance)."""
    r_iron: float = math.inf
    """Resistance of the iron losses, at the air gap [ohm]; infinite: none, or counted as friction."""

    def __post_init__(self) -> None:
        """Refuse values that no motor has."""
        values = {"u_rated": self.u_rated, "frequency": self.frequency, "xm": self.xm, "r_iron": self.r_iron}
        values |= {f"r of cage {at + 1}": cage.r for at, cage in enumerate(self.cages)}
        for name, value in values.items():
            if not value > 0.0:
                raise MotorError(f"{name} is {value:g}; give a value above zero")
        reactances = [self.x1, *(cage.x for cage in self.cages)]
        if self.r1 < 0.0 or min(reactances) < 0.0 or not max(reactances) > 0.0:
            raise MotorError("stator resistance or a leakage reactance is negative, or all leakage is zero")
        if len(self.cages) not in {1, 2} or self.pole_pairs < 1:
            raise MotorError(
                f"{len(self.cages)} cages, {self.pole_pairs} pole pairs; give 1 or 2, at least 1"
            )

    def synchronous_speed(self, frequency: float | None = None) -> float:
        """Return the mechanical synchronous speed [rad/s] at a frequency [Hz], the rated one by default."""
        return 2.0 * math.pi * (frequency or self.frequency) / self.pole_pairs

    def cage_admittance(self, slip: float, frequency: float | None = None) -> complex:
        """Return the admittance of all cages at a slip, seen from the air gap [S]."""
        slip = slip if abs(slip) > _SMALLEST_SLIP else _SMALLEST_SLIP
        scale = (frequency or self.frequency) / self.frequency
        return sum((1.0 / complex(cage.r / slip, scale * cage.x) for cage in self.cages), 0j)

    def gap_admittance(self, slip: float, frequency: float | None = None) -> complex:
        """Return the admittance of everything behind the stator's impedance [S]."""
        scale = (frequency or self.frequency) / self.frequency
        shunt = complex(1.0 / self.r_iron, -1.0 / (scale * self.xm))
        return shunt + self.cage_admittance(slip, frequency)

    def stator_impedance(self, frequency: float | None = None) -> complex:
        """Return the stator's resistance and leakage reactance [ohm]."""
        return complex(self.r1, (frequency or self.frequency) / self.frequency * self.x1)

    def sequence_admittances(self, slip: float, frequency: float | None = None) -> tuple[complex, complex]:
        """Return the positive- and the negative-sequence admittance at the terminals [S].

        The rotor turns against the negative-sequence field: its slip there is ``2 - slip``.
        """
        stator = self.stator_impedance(frequency)
        one, two = (self.gap_admittance(at, frequency) for at in (slip, 2.0 - slip))
        return one / (1.0 + stator * one), two / (1.0 + stator * two)

    def phase_admittance(self, slip: float, frequency: float | None = None) -> NDArray[np.complex128]:
        """Return the admittance of the three phases at a slip.

        Parameters
        ----------
        slip : float
            Of the rotor, 0 at synchronous speed, 1 at standstill.
        frequency : float, optional
            Of the network [Hz]; the rated one when absent.

        Returns
        -------
        ndarray of complex128, shape (3, 3)
            Line currents are this times phase voltages, to whatever reference [S]. Rows and columns sum
            to zero.
        """
        return phase_matrix(*self.sequence_admittances(slip, frequency))

    def harmonic_admittance(
        self, order: int, slip: float, frequency: float | None = None
    ) -> NDArray[np.complex128]:
        """Return the admittance of the three phases at a harmonic of the network's frequency.

        The field of order h turns h times as fast; to it the rotor has the slip ``(h - (1 - s)) / h`` in the
        positive, ``(h + (1 - s)) / h`` in the negative sequence. Resistances are taken as constant.

        Returns
        -------
        ndarray of complex128, shape (3, 3)
            [S]
        """
        at = order * (frequency or self.frequency)
        turning = (1.0 - slip) / order
        one = self.sequence_admittances(1.0 - turning, at)[0]
        two = self.sequence_admittances(1.0 + turning, at)[0]
        return phase_matrix(one, two)


def phase_matrix(positive: complex, negative: complex) -> NDArray[np.complex128]:
    """Return the phase admittances, shape (3, 3), of given sequence ones without a zero sequence [S]."""
    turns = (1.0 + 0j, _A, _A * _A)
    row = [(positive * turns[(2 * k) % 3] + negative * turns[k % 3]) / 3.0 for k in range(3)]
    return np.array([[row[(i - j) % 3] for j in range(3)] for i in range(3)], dtype=np.complex128)


def sequence_voltages(voltages: ArrayLike) -> tuple[complex, complex]:
    """Return the positive- and negative-sequence voltage of three phase voltages."""
    a, b, c = (complex(value) for value in np.asarray(voltages, dtype=np.complex128))
    return (a + _A * b + _A * _A * c) / 3.0, (a + _A * _A * b + _A * c) / 3.0


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a motor does at a slip and terminal voltages; powers are those of the three phases."""

    current: tuple[complex, complex]
    """Positive- and negative-sequence line current [A]."""
    torque: float
    """Of the air gap [N m]; friction is part of the mechanical load."""
    p: float
    """Active power drawn [W]."""
    q: float
    """Reactive power drawn [var]."""
    stator_loss: float
    """[W]"""
    iron_loss: float
    """[W]"""
    rotor_loss: float
    """[W]"""
    mechanical: float
    """Torque times speed [W]."""


def operating_point(
    circuit: EquivalentCircuit, slip: float, voltages: ArrayLike, *, frequency: float | None = None
) -> OperatingPoint:
    """Return currents, torque, powers and losses.

    Parameters
    ----------
    circuit : EquivalentCircuit
        The motor.
    slip : float
        Of the rotor.
    voltages : array_like of complex, shape (3,)
        Of the phases, RMS [V]; a common part does not matter.
    frequency : float, optional
        Of the network [Hz]; the rated one when absent.
    """
    speed = circuit.synchronous_speed(frequency)
    stator = circuit.stator_impedance(frequency)
    currents, power, losses, torque = [], 0j, [0.0, 0.0, 0.0], 0.0
    for voltage, at, turn in zip(sequence_voltages(voltages), (slip, 2.0 - slip), (1.0, -1.0), strict=True):
        gap = circuit.gap_admittance(at, frequency)
        current = voltage * gap / (1.0 + stator * gap)
        inside = voltage - stator * current
        crossing = 3.0 * abs(inside) ** 2 * circuit.cage_admittance(at, frequency).real
        currents.append(current)
        power += 3.0 * voltage * current.conjugate()
        losses[0] += 3.0 * circuit.r1 * abs(current) ** 2
        losses[1] += 3.0 * abs(inside) ** 2 / circuit.r_iron
        losses[2] += (at if abs(at) > _SMALLEST_SLIP else _SMALLEST_SLIP) * crossing
        torque += turn * crossing / speed
    mechanical = torque * speed * (1.0 - slip)
    return OperatingPoint(
        (currents[0], currents[1]),
        torque,
        power.real,
        power.imag,
        stator_loss=losses[0],
        iron_loss=losses[1],
        rotor_loss=losses[2],
        mechanical=mechanical,
    )


def torque(
    circuit: EquivalentCircuit, slip: float, positive: float, negative: float = 0.0, *, frequency: float
) -> float:
    """Return the air gap's torque [N m] at given sizes of the sequence voltages to neutral [V]."""
    stator, total = circuit.stator_impedance(frequency), 0.0
    for voltage, at, turn in ((positive, slip, 1.0), (negative, 2.0 - slip, -1.0)):
        if voltage:
            inside = voltage / abs(1.0 + stator * circuit.gap_admittance(at, frequency))
            total += turn * 3.0 * inside * inside * circuit.cage_admittance(at, frequency).real
    return total / circuit.synchronous_speed(frequency)


def breakdown(
    circuit: EquivalentCircuit, positive: float, *, frequency: float | None = None
) -> tuple[float, float]:
    """Return slip and torque [N m] of the largest torque while motoring."""
    hertz = frequency or circuit.frequency

    def at(log_slip: float) -> float:
        return torque(circuit, math.exp(log_slip), positive, frequency=hertz)

    grid = np.linspace(math.log(1e-4), 0.0, 200)
    best = int(np.argmax([at(float(value)) for value in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    slip = math.exp(_golden(at, low, high))
    return slip, torque(circuit, slip, positive, frequency=hertz)


def _golden(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one maximum in the range has it, by golden section."""
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    f_left, f_right = function(left), function(right)
    for _ in range(50):
        if f_left < f_right:
            low, left, f_left = left, right, f_right
            right = low + ratio * (high - low)
            f_right = function(right)
        else:
            high, right, f_right = right, left, f_left
            left = high - ratio * (high - low)
            f_left = function(left)
    return (low + high) / 2.0

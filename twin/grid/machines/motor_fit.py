"""The equivalent circuit of a motor from its nameplate and catalogue line."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid.machines.drive import Drive, MechanicalLoad
from twin.grid.machines.induction_motor import (
    Cage,
    EquivalentCircuit,
    MotorError,
    breakdown,
    operating_point,
    torque,
)

_IRON_SHARE = 0.25
"""Of the losses that are not the rotor's: iron. An engineering estimate for machines of 5 to 200 kW."""
_FRICTION_SHARE = 0.10
"""Likewise friction and windage; what remains is the stator's copper and the stray losses, taken as one."""
_STARTS = ((0.05, 0.08), (0.02, 0.10), (0.10, 0.10), (0.03, 0.05))
"""Where the search starts: stator resistance and leakage, of the rated impedance."""


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What plate and catalogue say of a motor, at rated voltage and frequency."""

    p_rated: float
    """At the shaft [W]."""
    u_rated: float
    """Line to line [V]."""
    frequency: float
    """[Hz]"""
    speed: float
    """At rated load [1/min]."""
    efficiency: float
    """At rated load, 0 to 1."""
    power_factor: float
    """At rated load, 0 to 1."""
    starting_current: float
    """Locked rotor, of the rated current."""
    starting_torque: float
    """Locked rotor, of the rated torque."""
    breakdown_torque: float
    """Largest, of the rated torque."""

    @property
    def pole_pairs(self) -> int:
        """The number of pole pairs whose synchronous speed lies next above the rated one."""
        return int(60.0 * self.frequency / self.speed)

    @property
    def slip(self) -> float:
        """Slip at rated load."""
        return 1.0 - self.speed * self.pole_pairs / (60.0 * self.frequency)

    @property
    def torque(self) -> float:
        """Rated torque at the shaft [N m]."""
        return self.p_rated / (2.0 * math.pi * self.speed / 60.0)

    @property
    def current(self) -> float:
        """Rated line current [A]."""
        return self.p_rated / (math.sqrt(3.0) * self.u_rated * self.efficiency * self.power_factor)


@dataclass(frozen=True, slots=True)
class FittedMotor:
    """A circuit that does what the nameplate says."""

    circuit: EquivalentCircuit
    friction: float
    """Torque of friction and windage at rated speed [N m]."""
    deviation: dict[str, float]
    """Of each quantity of the nameplate: fitted over given, less 1."""

    @property
    def worst(self) -> float:
        """The largest deviation."""
        return max(abs(value) for value in self.deviation.values())


def fit_motor(nameplate: Nameplate, *, tolerance: float = 0.05) -> FittedMotor:
    """Return the double-cage circuit that fits a nameplate.

    Six values are sought (stator resistance, a leakage reactance that stator and outer cage share,
    magnetising reactance, both cages' resistances, the inner cage's leakage reactance) so that six are met:
    shaft power, active and reactive input at rated speed, starting current, starting torque, breakdown
    torque. Losses beside the rotor's copper, which follows from the slip, are split by fixed shares into
    iron, friction and the stator's. The search is a bounded least squares over logarithms, from four starts.

    Parameters
    ----------
    nameplate : Nameplate
        What is known.
    tolerance : float
        Largest deviation of any of the six that is accepted.

    Raises
    ------
    MotorError
        The data contradict themselves, or no circuit meets them.

    References
    ----------
    J. Pedra, F. Corcoles, "Estimation of induction motor double-cage model parameters from manufacturer
    data", IEEE Transactions on Energy Conversion 19 (2004) 310-317: the six conditions, and sharing one
    leakage reactance.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415 - heavy, and only a fit needs it

    _check(nameplate)
    given = _given(nameplate)
    unit = nameplate.u_rated**2 * nameplate.efficiency * nameplate.power_factor / nameplate.p_rated
    losses, friction = _losses(nameplate)
    r_iron = nameplate.u_rated**2 * 0.95 / losses

    def residual(values: NDArray[np.float64]) -> NDArray[np.float64]:
        circuit = _circuit(nameplate, values, unit, r_iron)
        found = _found(nameplate, circuit, friction)
        return np.array([found[name] / given[name] - 1.0 for name in given])

    best = None
    for r1, x1 in _STARTS:
        start = np.log([r1, x1, 2.5, 4.0 * nameplate.slip, 1.2 * nameplate.slip, 2.0 * x1])
        answer = least_squares(residual, start, bounds=(np.log(1e-4), np.log(100.0)), xtol=1e-14, ftol=1e-14)
        if best is None or answer.cost < best.cost:
            best = answer
        if best.cost < 1e-16:
            break
    assert best is not None
    circuit = _circuit(nameplate, best.x, unit, r_iron)
    found = _found(nameplate, circuit, friction)
    motor = FittedMotor(circuit, friction, {name: found[name] / given[name] - 1.0 for name in given})
    if motor.worst > tolerance:
        name = max(motor.deviation, key=lambda key: abs(motor.deviation[key]))
        raise MotorError(
            f"no motor has these data: {name} can only be met to {100 * motor.deviation[name]:+.1f} %; "
            "mend the nameplate, or accept more by 'tolerance'"
        )
    return motor


def drive_of(
    nameplate: Nameplate,
    *,
    inertia: float,
    load_share: float = 1.0,
    exponent: float = 2.0,
    breakaway: float = 0.0,
    tolerance: float = 0.05,
) -> Drive:
    """Return a fitted motor with a load of a share of its rated torque at rated speed.

    Parameters
    ----------
    nameplate : Nameplate
        The motor.
    inertia : float
        Of rotor and load, at the motor's shaft [kg m2].
    load_share : float
        Load torque at rated speed, of the rated one.
    exponent : float
        See `MechanicalLoad`.
    breakaway : float
        Torque that the load needs to leave standstill, of the rated one.
    tolerance : float
        Passed on to `fit_motor`.
    """
    motor = fit_motor(nameplate, tolerance=tolerance)
    speed = 2.0 * math.pi * nameplate.speed / 60.0
    rated = nameplate.torque
    load = MechanicalLoad(load_share * rated, speed, exponent, motor.friction, breakaway * rated)
    return Drive(motor.circuit, load, inertia)


def _check(plate: Nameplate) -> None:
    """Raise `MotorError` for a nameplate that contradicts itself."""
    if not (plate.p_rated > 0.0 and plate.u_rated > 0.0 and plate.frequency > 0.0 and plate.speed > 0.0):
        raise MotorError("power, voltage, frequency and speed must be above zero; mend the nameplate")
    if not (0.0 < plate.efficiency < 1.0 and 0.0 < plate.power_factor < 1.0):
        raise MotorError("efficiency and power factor lie between 0 and 1; mend the nameplate")
    if plate.pole_pairs < 1 or not 0.0 < plate.slip < 0.2:
        raise MotorError(
            f"{plate.speed:g} 1/min is no speed of a motor at {plate.frequency:g} Hz: its slip must lie "
            "between 0 and 0.2; mend speed or frequency"
        )
    if plate.breakdown_torque <= 1.0 or plate.starting_current <= 1.0 or plate.starting_torque <= 0.0:
        raise MotorError("breakdown torque and starting current are ratios above 1; mend the nameplate")
    if plate.p_rated * (1.0 / plate.efficiency - 1.0) <= plate.p_rated * plate.slip / (1.0 - plate.slip):
        raise MotorError(
            f"a slip of {100 * plate.slip:.1f} % alone loses more than an efficiency of "
            f"{100 * plate.efficiency:.1f} % allows; mend speed or efficiency"
        )


def _losses(plate: Nameplate) -> tuple[float, float]:
    """Return iron losses [W] and the torque of friction at rated speed [N m]."""
    total = plate.p_rated * (1.0 / plate.efficiency - 1.0)
    others = total - plate.p_rated * plate.slip / (1.0 - plate.slip)
    speed = 2.0 * math.pi * plate.speed / 60.0
    return _IRON_SHARE * others, _FRICTION_SHARE * others / speed


def _circuit(plate: Nameplate, logs: NDArray[np.float64], unit: float, r_iron: float) -> EquivalentCircuit:
    """Return the circuit of the logarithms of six values in units of the rated impedance."""
    r1, x1, xm, outer, inner, x_inner = (float(value) * unit for value in np.exp(logs))
    return EquivalentCircuit(
        plate.u_rated,
        plate.frequency,
        plate.pole_pairs,
        r1,
        x1,
        xm,
        (Cage(outer, x1), Cage(inner, x_inner)),
        r_iron,
    )


def _given(plate: Nameplate) -> dict[str, float]:
    active = plate.p_rated / plate.efficiency
    reactive = active * math.sqrt(1.0 / plate.power_factor**2 - 1.0)
    return {
        "shaft power": plate.p_rated,
        "active input": active,
        "reactive input": reactive,
        "starting current": plate.starting_current * plate.current,
        "starting torque": plate.starting_torque * plate.torque,
        "breakdown torque": plate.breakdown_torque * plate.torque,
    }


def _found(plate: Nameplate, circuit: EquivalentCircuit, friction: float) -> dict[str, float]:
    voltage = plate.u_rated / math.sqrt(3.0)
    turn = np.exp(-2j * math.pi / 3.0)
    rated = operating_point(circuit, plate.slip, [voltage, voltage * turn, voltage / turn])
    speed = 2.0 * math.pi * plate.speed / 60.0
    start = circuit.sequence_admittances(1.0)[0] * voltage
    return {
        "shaft power": rated.mechanical - friction * speed,
        "active input": rated.p,
        "reactive input": rated.q,
        "starting current": abs(start),
        "starting torque": torque(circuit, 1.0, voltage, frequency=plate.frequency),
        "breakdown torque": breakdown(circuit, voltage)[1],
    }

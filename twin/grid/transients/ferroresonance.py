"""Ferroresonance: whether an unloaded transformer and its cable's capacitance can lock into it.

With one or two phases of a cable disconnected, the open phases hang on the energised ones through windings
and capacitances. Seen from the windings, that is an EMF in series with a capacitance, and the old graphical
construction decides: on the characteristic ``V(I)`` of the windings, of slope ``X_m`` up to the knee and
``X_air`` beyond it, states are where it meets the straight lines ``X_C I + E`` (inductive, normal) and
``X_C I - E`` (capacitive; ferroresonant when it lies beyond the knee).
"""

from dataclasses import dataclass
from enum import Enum
from math import inf
from math import tau as two_pi

import numpy as np
from numpy.typing import NDArray

from twin.grid.transients.errors import CircuitError
from twin.grid.transients.inrush import Core

_CONNECTIONS = ("delta", "star_earthed", "star_isolated")


class Verdict(Enum):
    """What the series circuit of capacitance and saturable windings can do."""

    NONE = "none"
    """No capacitive state beyond the knee exists."""
    POSSIBLE = "possible"
    """A normal and a ferroresonant state both exist; how the phases are switched decides."""
    CERTAIN = "certain"
    """The ferroresonant state is the only one."""


@dataclass(frozen=True, slots=True)
class OpenPhase:
    """The series circuit that the open phases of a transformer make."""

    emf: float
    """Open-circuit voltage at the windings [V peak]."""
    C: float
    """Capacitance in series with them [F]."""
    shares: tuple[float, ...]
    """Windings in series, each by the share of the current that it carries."""


@dataclass(frozen=True, slots=True)
class Ferroresonance:
    """The verdict on a transformer with open phases, and what it rests on."""

    verdict: Verdict
    """Whether the ferroresonant state exists."""
    emf: float
    """Open-circuit voltage that drives the windings [V peak]."""
    X_C: float
    """Reactance of the capacitance in series [ohm]."""
    X_m: float
    """Reactance of the windings below their knees [ohm]."""
    X_air: float
    """Reactance of the windings beyond their knees [ohm]."""
    voltage: float
    """Across the windings in the ferroresonant state, else in the one state there is [V peak]."""
    quenched_by: float
    """Conductance across all windings in series from which on no ferroresonant state exists: that of losses
    and load. Zero when there is none anyway [S]."""

    @property
    def flagged(self) -> bool:
        """Whether the condition for ferroresonance holds."""
        return self.verdict is not Verdict.NONE


def open_phase_circuit(
    *, connection: str, energised: int, phase_voltage: float, C_earth: float, C_between: float = 0.0
) -> OpenPhase:
    """Reduce a transformer with open phases to an EMF, a capacitance and windings in series.

    With an earthed star the open winding lies between its phase and earth, driven through the capacitance
    between phases; screened cables have none. With a delta or an isolated star it lies between its phase
    and the energised ones, and the capacitance to earth closes the circuit. One energised phase leaves two
    open ones that do the same. With two energised, the voltage between these magnetises their windings as
    well; that part, in quadrature, is not counted.

    Parameters
    ----------
    connection
        Of the primary: ``star_earthed``, ``star_isolated`` or ``delta``; cores magnetically independent.
    energised
        How many phases are still connected, 1 or 2.
    phase_voltage
        Between phase and earth [V peak].
    C_earth
        Capacitance of each open phase to earth, cable and winding [F].
    C_between
        Capacitance between each two phases [F].

    Returns
    -------
    OpenPhase
        The series circuit, with the current of one open phase.

    Raises
    ------
    CircuitError
        If the connection or number of phases is unknown, or a capacitance impossible.
    """
    if connection not in _CONNECTIONS:
        raise CircuitError(f"connection '{connection}' is none of {', '.join(_CONNECTIONS)}")
    if energised not in {1, 2}:
        raise CircuitError(f"{energised} energised phases leave no open one: give 1 or 2")
    if not (C_earth >= 0.0 and C_between >= 0.0 and 0.0 < C_earth + C_between < inf):
        raise CircuitError("capacitances must not be negative, nor all be zero")
    C = C_earth + energised * C_between
    if connection == "star_earthed":
        return OpenPhase(phase_voltage * C_between / C, C, (1.0,))
    # Half the sum of two phases is half a phase voltage.
    emf = phase_voltage / energised * C_earth / C
    if connection == "delta":
        return OpenPhase(emf, C, (1.0 / energised,))
    # The energised side carries the current of both open phases, or each of its two half that of one.
    return OpenPhase(emf, C, (2.0, 1.0) if energised == 1 else (1.0, 0.5))


def ferroresonance(
    core: Core,
    *,
    frequency: float,
    connection: str,
    energised: int,
    phase_voltage: float,
    C_earth: float,
    C_between: float = 0.0,
) -> Ferroresonance:
    """Check the condition for fundamental ferroresonance of an unloaded transformer with open phases.

    For a single winding with its knee at ``V_k`` and ``a = X_C / X_m``::

        X_C <= X_air                                   none: the winding stays inductive
        X_air < X_C < X_m and V_k (1 - a) >= E         possible
        X_air < X_C < X_m and V_k (1 - a) <  E         certain: there is no normal state
        X_C > X_m and X_m E / (X_C - X_m) >  V_k       certain: the capacitive state saturates
        X_C > X_m otherwise                            none: linear, with a raised voltage

    The verdict does not count losses, nor load; they only make it less likely. With a conductance G across
    the windings a state obeys ``E^2 = (X_C I - V)^2 + (X_C G V)^2``. Its right side grows with V from where
    the capacitive states beyond the knee begin: at ``V_0`` with ``V = X_C I``, or at the knee if that is
    capacitive already. ``quenched_by`` is the G for which it begins with E^2.

    Fundamental amplitudes stand for the waveforms. Subharmonic and chaotic states are not looked for.

    Parameters
    ----------
    core
        Of each winding.
    frequency
        Of the system [Hz].
    connection, energised, phase_voltage, C_earth, C_between
        As for `open_phase_circuit`.

    Returns
    -------
    Ferroresonance
        The circuit and the verdict.

    References
    ----------
    R. Rüdenberg, *Transient Performance of Electric Power Systems*, McGraw-Hill 1950 (graphical solution of
    the circuit with saturated inductance and capacitance); IEEE Std C57.105 (open phases, cable capacitance
    and the connections concerned).
    """
    circuit = open_phase_circuit(
        connection=connection,
        energised=energised,
        phase_voltage=phase_voltage,
        C_earth=C_earth,
        C_between=C_between,
    )
    omega, emf = two_pi * frequency, circuit.emf
    X_C, share = 1.0 / (omega * circuit.C), sum(circuit.shares)
    X_m, X_air = omega * core.magnetising * share, omega * core.air_core * share
    current, voltage = _characteristic(core, omega, circuit.shares)
    surplus = voltage - X_C * current
    capacitive = _meet(current, -surplus, X_C - X_air, emf)
    inductive = _meet(current, surplus, X_air - X_C, emf)
    if capacitive > current[1] and emf > 0.0 and np.isfinite(capacitive):
        verdict = Verdict.POSSIBLE if np.isfinite(inductive) else Verdict.CERTAIN
        quenched_by = _quenching(current, -surplus, X_C, X_air, emf)
        return Ferroresonance(verdict, emf, X_C, X_m, X_air, X_C * capacitive - emf, quenched_by)
    if np.isfinite(inductive):
        return Ferroresonance(Verdict.NONE, emf, X_C, X_m, X_air, X_C * inductive + emf, 0.0)
    if np.isfinite(capacitive):
        return Ferroresonance(Verdict.NONE, emf, X_C, X_m, X_air, X_C * capacitive - emf, 0.0)
    return Ferroresonance(Verdict.CERTAIN, emf, X_C, X_m, X_air, inf, inf)


def _quenching(
    current: NDArray[np.float64], lack: NDArray[np.float64], X_C: float, X_air: float, emf: float
) -> float:
    """Conductance with which the first capacitive state beyond the knee needs the whole EMF [S]."""
    first = _meet(current[1:], lack[1:], X_C - X_air, 0.0)
    rest = max(float(lack[1]), 0.0)
    return float(np.sqrt(emf**2 - rest**2)) / (X_C * (X_C * first - rest))


def _characteristic(
    core: Core, omega: float, shares: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the voltage over the current of windings in series, from zero on."""
    knee = core.knee / core.magnetising
    current = np.array([0.0, *sorted(knee / share for share in shares)])
    own = np.multiply.outer(current, np.array(shares))
    linear = np.minimum(own, knee)
    voltage = omega * (core.magnetising * linear + core.air_core * (own - linear)).sum(axis=1)
    return current, voltage


def _meet(
    current: NDArray[np.float64], height: NDArray[np.float64], last_slope: float, target: float
) -> float:
    """First current at which a polygon, prolonged by its last slope, reaches a height; infinite if never."""
    for left in range(len(current) - 1):
        low, high = height[left], height[left + 1]
        if low < target <= high:
            return float(current[left] + (target - low) / (high - low) * (current[left + 1] - current[left]))
        if target <= low:
            return float(current[left])
    if height[-1] >= target:
        return float(current[-1])
    return float(current[-1] + (target - height[-1]) / last_slope) if last_slope > 0.0 else inf

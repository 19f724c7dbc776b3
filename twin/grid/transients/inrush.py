"""Transformer inrush: magnetising currents after energising, as samples.

Each core limb has a characteristic of three straight lines: the magnetising inductance up to the knee, the
air-core inductance beyond it on either side. Between two knee crossings the circuit is linear and solved in
closed form; the crossings are found as zeros of a sum of exponentials. Nothing is integrated step by step.
"""

from dataclasses import dataclass, replace
from math import inf, sqrt
from math import tau as two_pi

import numpy as np
from numpy.typing import NDArray

from twin.contracts import SampledBlock
from twin.grid.transients.errors import CircuitError
from twin.grid.transients.terms import Terms
from twin.grid.transients.zeros import next_zero

Float = NDArray[np.float64]

_DELTA = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])
_WINDINGS = {"delta": _DELTA, "star_earthed": np.eye(3), "star_isolated": np.eye(3)}


@dataclass(frozen=True, slots=True)
class Core:
    """Magnetising characteristic of one winding's core, flux linkages seen from that winding."""

    magnetising: float
    """Inductance below the knee [H]."""
    air_core: float
    """Inductance beyond it [H]."""
    knee: float
    """Flux linkage of the knee [V s]."""

    def __post_init__(self) -> None:
        if not (0.0 < self.air_core < self.magnetising < inf and 0.0 < self.knee < inf):
            raise CircuitError(
                "a core needs 0 < air_core < magnetising and a positive knee; it has "
                f"air_core {self.air_core} H, magnetising {self.magnetising} H, knee {self.knee} V s"
            )

    def current(self, flux: Float) -> Float:
        """Magnetising current at a flux linkage [A]."""
        beyond = flux - np.clip(flux, -self.knee, self.knee)
        return np.asarray((flux - beyond) / self.magnetising + beyond / self.air_core)


@dataclass(frozen=True, slots=True, eq=False)
class Energising:
    """A transformer at no load, connected to a source at an instant."""

    core: Core
    """Characteristic of every winding's core."""
    frequency: float
    """Of the source [Hz]."""
    emf: NDArray[np.complex128]
    """Shape (phases,), 1 or 3: the source's EMFs at the instant of closing [V peak]."""
    R: Float
    """Shape (phases, phases): resistance of source and windings, per line [ohm]."""
    L: Float
    """Shape (phases, phases): inductance of source and line, per line [H]."""
    remanence: Float
    """Shape (phases,): flux linkage of each winding before closing [V s]."""
    connection: str = "star_earthed"
    """Of the energised side: ``star_earthed``, ``star_isolated`` or ``delta``; one phase is always earthed."""


@dataclass(frozen=True, slots=True, eq=False)
class Inrush:
    """Currents of an energised transformer on a lattice of times."""

    step: float
    """Distance of two samples [s]."""
    lines: Float
    """Shape (phases, samples): currents from the source [A]."""
    windings: Float
    """Shape (phases, samples): magnetising currents [A]."""
    flux: Float
    """Shape (phases, samples): flux linkages [V s]."""
    voltages: Float
    """Shape (phases, samples): voltages across the windings [V]."""

    def block(self, start_ns: int, start_fraction: float = 0.0) -> SampledBlock:
        """Return the line currents as the samples of a segment that starts at the closing."""
        return SampledBlock(start_ns, start_fraction, self.step, self.lines)


def first_peak(core: Core, voltage: float, frequency: float, remanence: float) -> float:
    """First peak of the inrush current at the worst instant, without losses.

    Closing at a voltage zero drives the flux to the remanence plus twice its amplitude; what exceeds the
    knee magnetises air::

        i = knee / L_magnetising + (remanence + 2 voltage / omega - knee) / L_air

    Parameters
    ----------
    core
        The core; a series inductance of the source adds to ``air_core`` and to ``magnetising``.
    voltage
        Peak voltage across the winding [V].
    frequency
        Of the source [Hz].
    remanence
        Flux linkage before closing, positive in the direction of the first half wave [V s].

    Returns
    -------
    float
        Peak current [A].
    """
    return float(core.current(np.array(remanence + 2.0 * voltage / (two_pi * frequency))))


def remanence_of(core_flux: float, *, residual: float) -> Float:
    """Give three windings the remanence that interrupting at a current zero usually leaves.

    Parameters
    ----------
    core_flux
        Amplitude of the flux linkage in service, voltage peak over omega [V s].
    residual
        Share of it that stays in the worst limb, between 0 and 1.

    Returns
    -------
    NDArray
        Shape (3,): ``residual``, 0 and minus ``residual`` times the flux linkage [V s].
    """
    return np.array([1.0, 0.0, -1.0]) * residual * core_flux


def inrush(case: Energising, *, step: float, samples: int) -> Inrush:
    """Compute the currents of a transformer from the instant of energising.

    Windings obey ``d flux/dt + (R + L d/dt) i = emf`` through their connection; an isolated star point takes
    the voltage at which its currents add up to zero. With a remanence the current starts at ``remanence /
    L_magnetising``, as a core without hysteresis must.

    Parameters
    ----------
    case
        The transformer, its source and the point on wave.
    step
        Distance of two samples [s].
    samples
        How many.

    Returns
    -------
    Inrush
        Currents, fluxes and voltages.

    Raises
    ------
    CircuitError
        If shapes do not fit, or the connection is unknown.
    """
    lines, incidence = _lines(case)
    n = len(case.emf)
    flux, rate = np.zeros((n, samples)), np.zeros((n, samples))
    state, time, done = np.array(case.remanence, dtype=float), 0.0, 0
    region = np.trunc(np.clip(state / case.core.knee, -1.0, 1.0)).astype(int)
    end = step * (samples - 1)
    while done < samples:
        terms = _linear(case, lines, incidence, region, state, time)
        leave, where, into = _crossing(terms, region, case.core.knee, end - time)
        last = samples if leave == inf else min(samples, int(np.floor((time + leave) / step)) + 1)
        if last > done:
            inside = np.arange(done, last) * step - time
            flux[:, done:last] = terms.at(inside)
            rate[:, done:last] = replace(terms, amplitude=terms.amplitude * terms.s).at(inside)
            done = last
        if leave == inf:
            break
        state, time, region = terms.at(leave), time + leave, region.copy()
        state[where] = case.core.knee * (into if region[where] == 0 else region[where])
        region[where] = into
    windings = case.core.current(flux)
    return Inrush(step, incidence.T @ windings, windings, flux, rate)

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
from scipy.linalg import eigh

from twin.contracts import SampledBlock
from twin.grid.transients.errors import CircuitError
from twin.grid.transients.terms import Terms
from twin.grid.transients.zeros import next_zero

Float = NDArray[np.float64]

_LEAVE_S = 1e-9
"""Time within which a winding that has passed its knee is not asked for its return [s]."""
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
    """Of the energised side, for three phases: ``star_earthed``, ``star_isolated`` or ``delta``."""


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
    slopes: Float
    """Shape (phases, samples): derivatives of ``lines`` [A/s]."""
    steady: Float
    """Shape (phases, samples): what ``lines`` would be without saturation and offset [A]."""

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
    incidence, basis = _connection(case)
    n = len(case.emf)
    flux, rate = np.zeros((n, samples)), np.zeros((n, samples))
    state, time, done = np.array(case.remanence, dtype=float), 0.0, 0
    region = np.zeros(n, dtype=int)
    while done < samples:
        terms = _linear(case, incidence, basis, region, state, time)
        # At most a cycle ahead: a winding that never passes its knee costs a look at each cycle.
        leave, crossed = _crossing(terms, region, case.core.knee, 1.0 / case.frequency)
        last = min(samples, int((time + leave) / step) + 1)
        inside = np.arange(done, last) * step - time
        flux[:, done:last] = terms.at(inside)
        rate[:, done:last] = replace(terms, amplitude=terms.amplitude * terms.s).at(inside)
        done = max(done, last)
        state, time = terms.at(leave), time + leave
        for winding, into in crossed.items():
            state[winding] = case.core.knee * (into or region[winding])
            region[winding] = into
    windings = case.core.current(flux)
    inductance = np.where(np.abs(flux) > case.core.knee, case.core.air_core, case.core.magnetising)
    return Inrush(
        step,
        incidence.T @ windings,
        windings,
        flux,
        rate,
        incidence.T @ (rate / inductance),
        incidence.T @ _steady(case, incidence, basis, np.asarray(np.arange(samples) * step)),
    )


def _steady(case: Energising, incidence: Float, basis: Float, times: Float) -> Float:
    """Magnetising currents that the sources keep up in windings that never saturate."""
    terms = _linear(case, incidence, basis, np.zeros(len(case.emf), dtype=int), np.zeros(len(case.emf)), 0.0)
    forced = replace(terms, order=terms.order[:1], rate=terms.rate[:1], amplitude=terms.amplitude[:, :1])
    return forced.at(times) / case.core.magnetising


def _connection(case: Energising) -> tuple[Float, Float]:
    """Incidence of windings on lines, and a basis of the winding currents that the connection allows."""
    n = len(case.emf)
    if case.connection not in _WINDINGS:
        raise CircuitError(f"connection '{case.connection}' is none of {', '.join(sorted(_WINDINGS))}")
    if n not in {1, 3} or case.R.shape != (n, n) or case.L.shape != (n, n) or case.remanence.shape != (n,):
        raise CircuitError("emf, R, L and remanence must all be of one phase or all of three")
    if np.abs(case.remanence).max() > case.core.knee:
        raise CircuitError(f"a remanence over the knee of {case.core.knee} V s cannot stay in a core")
    if n == 1:
        return np.eye(1), np.eye(1)
    if case.connection != "star_isolated":
        return _WINDINGS[case.connection], np.eye(3)
    if abs(case.remanence.sum()) > 1e-9 * case.core.knee:
        raise CircuitError(
            "the remanences of an isolated star add up to zero: no current could hold the rest"
        )
    return np.eye(3), np.array([[1.0, 1.0], [-1.0, 1.0], [0.0, -2.0]]) / np.array([sqrt(2.0), sqrt(6.0)])


def _linear(
    case: Energising, incidence: Float, basis: Float, region: NDArray[np.int64], flux: Float, time: float
) -> Terms:
    """Flux linkages from here on while no winding passes its knee: an R-L circuit's response.

    In a region every winding is an inductance, its flux linkage ``inductance i + offset``.
    """
    core, omega = case.core, two_pi * case.frequency
    inductance = np.where(region == 0, core.magnetising, core.air_core)
    offset = region * core.knee * (1.0 - core.air_core / core.magnetising)
    L = basis.T @ (np.diag(inductance) + incidence @ case.L @ incidence.T) @ basis
    R = basis.T @ (incidence @ case.R @ incidence.T) @ basis
    forced = basis @ np.linalg.solve(1j * omega * L + R, basis.T @ (incidence @ case.emf))
    decay, vectors = eigh(R, L)
    start = core.current(flux) - (forced * np.exp(1j * omega * time)).real
    modes = (basis @ vectors) * (vectors.T @ (L @ (np.linalg.pinv(basis) @ start)))
    currents = np.concatenate([forced[:, None], modes, np.zeros((len(flux), 1))], axis=1)
    amplitude = inductance[:, None] * currents
    amplitude[:, -1] = offset
    order = np.zeros(amplitude.shape[1])
    order[0] = 1.0
    rate = np.zeros(len(order), dtype=np.complex128)
    rate[1:-1] = -np.maximum(decay, 0.0)
    return Terms(case.frequency, omega * time, order, rate, amplitude)


def _crossing(
    terms: Terms, region: NDArray[np.int64], knee: float, until: float
) -> tuple[float, dict[int, int]]:
    """When windings pass their knees next, and where each of them goes; ``until`` if none does."""
    found: list[tuple[float, int, int]] = []
    here = terms.at(0.0)
    for winding, place in enumerate(region.tolist()):
        # From below the knee to either side; from beyond it, back.
        for level, into in ((knee, 1), (-knee, -1)) if place == 0 else ((place * knee, 0),):
            shifted = terms.amplitude[winding : winding + 1].copy()
            shifted[0, -1] -= level
            only = replace(terms, amplitude=shifted)
            # A winding that has just come over this level must leave it before it can come back.
            after = _LEAVE_S if abs(here[winding] - level) <= 1e-9 * knee else 0.0
            gone = np.sign(only.at(after)[0])
            inside = -np.sign(level) if place == 0 else np.sign(level)
            limit = min([until, *(zero for zero, _, _ in found)])
            zero = after if after and gone == -inside else next_zero(only, 0, after, until=limit + _LEAVE_S)
            if zero is not None:
                found.append((zero, winding, into))
    first = min((zero for zero, _, _ in found), default=inf)
    if first > until:
        return until, {}
    return first, {winding: into for zero, winding, into in found if zero - first <= _LEAVE_S}

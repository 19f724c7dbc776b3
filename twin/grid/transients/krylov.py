"""Natural modes of a large circuit, as far as one state excites them.

What becomes of a state lies nearly in the span of a few vectors: the state itself, and what one backward
Euler step after the other makes of it (a rational Krylov space). The circuit is projected onto them. With
energy as the inner product the projected circuit is passive like the whole one. It starts from the very
currents and capacitor voltages, and Kirchhoff's current law holds at every node at all times, because it does
for each vector.

References
----------
A. Odabasioglu, M. Celik, L. T. Pileggi, PRIMA: Passive reduced-order interconnect macromodeling algorithm,
IEEE Trans. CAD 17 (1998) 645-654, for passivity by congruence. J. van den Eshof, M. Hochbruck,
Preconditioning Lanczos approximations to the matrix exponential, SIAM J. Sci. Comput. 27 (2006) 1438-1457,
for the subspace.
"""

from dataclasses import dataclass
from math import sqrt, tau

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eig

from twin.grid.transients.consistency import Consistency
from twin.grid.transients.errors import CircuitError
from twin.grid.transients.sparse_system import Resolvent, SparseSystem

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

BAND = 30e3
"""Up to this frequency the reduced circuit answers as the whole one does [Hz]."""
_STEP = 1e4
"""Of the backward steps, inverse: in the middle between what rings and what decays slowly [1/s]."""
_SEEN = tau * np.array([5.0, 50.0, 500.0, 2e3, 5e3, 1e4, BAND])
"""Where it is looked at whether the last vectors still matter [rad/s]."""
_SMALL = 1e-4
"""Their share of the answer below which they do not."""
_MOST = 40
_CHECKED = 6
"""After so many more vectors."""
_EXHAUSTED = 1e-9
"""What is left of a vector beside those before it, below which it is nothing but rounding."""

_EPSILON = float(np.finfo(float).eps)
_UNEVEN = 1e-11
"""Part of a vector by which it may break Kirchhoff's laws."""


@dataclass(frozen=True, slots=True, eq=False)
class ExcitedModes:
    """Modes that a state excites; conjugate pairs are kept once, with positive frequency."""

    s: Complex
    """Shape (m,): sigma + j omega, sigma <= 0 [1/s]."""
    currents: Complex
    """Shape (branches, m): amplitude in the branch currents [A]."""
    voltages: Complex
    """Shape (free, m): amplitude in the voltages of the free nodes [V]."""
    charging: Complex
    """Shape (capacitors, m): amplitude in the currents of the capacitors [A]."""


@dataclass(frozen=True, slots=True, eq=False)
class ConsistentState:
    """A circuit without its sources at an instant, Kirchhoff's laws fulfilled."""

    currents: Float
    """Shape (branches, k) [A]."""
    voltages: Float
    """Shape (free, k): with those that follow at once, where no capacitor is [V]."""
    jump: Float
    """Shape (branches, k): what was added to the currents for Kirchhoff's law [A]."""


class Reduction:
    """One circuit, to be projected onto what states make of it.

    Parameters
    ----------
    system : SparseSystem
    """

    def __init__(self, system: SparseSystem) -> None:
        self._system = system
        self._laws = Consistency(system)
        self._step: Resolvent | None = None

    def consistent(self, currents: Float, charge: Float) -> ConsistentState:
        """Return the nearest state without impulses, in energy.

        Parameters
        ----------
        currents
            Shape (branches, k) or (branches,) [A].
        charge
            Shape (free, k) or (free,): on the capacitors, at each node [C].
        """
        allowed = self._laws.currents(currents)
        voltages = self._laws.voltages(allowed, self._laws.charged(charge))
        return ConsistentState(allowed, voltages, allowed - currents)

    def across(self, charge: Float) -> Float:
        """Return the capacitors' voltages once those that switches tie together share their charge [V].

        Parameters
        ----------
        charge
            Shape (free,): on the capacitors, at each node [C].
        """
        system = self._system
        return np.asarray(system.capacitor_rows @ self._laws.charged(charge))

    def modes(self, start: ConsistentState) -> ExcitedModes:
        """Return the modes that a consistent state excites.

        Raises
        ------
        CircuitError
            The projected circuit has no independent modes.
        """
        if self._step is None:
            self._step = self._system.at(_STEP)
        b, energy = start.currents.size, self._system.energy
        basis = np.zeros((_MOST, energy.shape[0]))
        weighted = np.zeros_like(basis)
        x = np.concatenate([start.currents, start.voltages])
        size, reach, rounding = 0, 0.0, 0.0
        small = None
        while size < _MOST:
            ahead = left = 0.0
            for _ in range(2):
                along = weighted[:size] @ x
                x = x - along @ basis[:size]
                ahead = ahead or sqrt(float(along @ along))
            heavy = energy @ x
            left = sqrt(max(float(x @ heavy), 0.0))
            ahead = max(ahead, left)
            if left <= _EXHAUSTED * ahead or left == 0.0:
                break
            reach = reach or left
            x, heavy = x / left, heavy / left
            # Rounding breaks Kirchhoff's law by little, each vector adding to what those before it have.
            rounding = max(rounding, _EPSILON) * ahead / left
            if rounding > _UNEVEN:
                i = self._laws.currents(x[:b])
                x = np.concatenate([i, self._laws.voltages(i, x[b:])])
                heavy, rounding = energy @ x, 0.0
            basis[size], weighted[size] = x, heavy
            size += 1
            if size >= 2 * _CHECKED and size % _CHECKED == 0:
                small = self._project(basis[:size])
                if _tail(small.matrix) < _SMALL:
                    break
            x = np.concatenate(self._step(heavy[:b], heavy[b:]))
        if small is None or len(small.matrix) != size:
            small = self._project(basis[:size])
        return self._modes(small, reach)

    def _project(self, basis: Float) -> "_Projected":
        """Return the projected circuit, and the basis with the voltages that belong to it."""
        system, b = self._system, self._system.blocks.count
        i = self._laws.currents(np.ascontiguousarray(basis[:, :b].T))
        v = self._laws.voltages(i, np.ascontiguousarray(basis[:, b:].T))
        drawn = system.G @ v
        charge = -(system.A.T @ i + drawn) * self._laws.on_capacitors[:, None]
        exchange = v.T @ charge
        matrix = exchange - exchange.T - i.T @ (system.blocks.R @ i) - v.T @ drawn
        return _Projected(matrix, i, v, charge)

    def _modes(self, of: "_Projected", reach: float) -> ExcitedModes:
        size = len(of.matrix)
        s, vectors = eig(of.matrix) if size else (np.zeros(0), np.zeros((0, 0)))
        try:
            amplitude = np.linalg.solve(vectors, reach * np.eye(size, 1)[:, 0])
        except np.linalg.LinAlgError as error:
            raise CircuitError("the circuit has coinciding modes: add resistance") from error
        keep = np.flatnonzero(s.imag >= 0.0)
        keep = keep[np.lexsort((s[keep].imag, -s[keep].real))]
        s = s[keep]
        motion = vectors[:, keep] * amplitude[keep] * np.where(s.imag > 0.0, 2.0, 1.0)
        # Their currents follow from Kirchhoff's law, which so holds where high frequencies do not.
        charging = self._system.c[:, None] * self.across(of.charge)
        return ExcitedModes(
            np.minimum(s.real, 0.0) + 1j * s.imag,
            of.currents @ motion,
            of.voltages @ motion,
            charging @ motion,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Projected:
    """A circuit projected onto a basis of k vectors."""

    matrix: Float
    """Shape (k, k) [1/s]."""
    currents: Float
    """Shape (branches, k)."""
    voltages: Float
    """Shape (free, k)."""
    charge: Float
    """Shape (free, k): what flows onto capacitors at each node."""


def _tail(matrix: Float) -> float:
    """Return the last vectors' share of the answer to the start, the largest in the band."""
    size = len(matrix)
    first = np.eye(size)[:, :1]
    answer = np.linalg.solve(1j * _SEEN[:, None, None] * np.eye(size) - matrix, first)[:, :, 0]
    return float((np.abs(answer[:, -2:]).max(axis=1) / np.abs(answer).max(axis=1)).max())

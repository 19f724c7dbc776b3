"""Natural modes: the state space of a circuit without its sources, and its eigenvalues.

States are the independent inductor currents and capacitor voltages, scaled so that the stored energy is half
the square of the state's length. In these coordinates the matrix of a passive circuit is dissipative:
``A + A'`` is negative semidefinite, no mode can grow, and one common scale serves microhenries and henries.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, eig, expm, qr, solve_triangular

from twin.grid.transients.assembly import Assembly
from twin.grid.transients.errors import CircuitError
from twin.grid.transients.null_space import null_basis

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

MAX_STATES = 400
"""Dense eigenvalues cost the cube of the states: some 0.2 s here."""
_ILL_CONDITIONED = 1e7
_ROUNDING = 16.0 * float(np.finfo(float).eps)
"""Part of the sum of its terms' sizes below which an entry of the state matrix is rounding."""
_SPLIT = 1e-8
"""Relative change of the state matrix that draws a double pole apart by its root, 1e-4."""


@dataclass(frozen=True, slots=True, eq=False)
class StateSpace:
    """``x' = A x`` with the maps between x and the circuit's currents and voltages."""

    A: Float
    """Shape (n, n) [1/s]."""
    currents: Float
    """Shape (branches, n): branch currents = currents @ x [A per root joule]."""
    voltages: Float
    """Shape (free, n): voltages of the free nodes [V per root joule]."""
    charging: Float
    """Shape (capacitors, n): currents of the capacitors [A per root joule]."""
    from_currents: Float
    """Shape (n, branches): the inductors' share of the state that a set of currents makes."""
    from_capacitors: Float
    """Shape (n, capacitors): the capacitors' share."""


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """Natural modes of a circuit; conjugate pairs are kept once, with positive frequency."""

    s: Complex
    """Shape (m,): sigma + j omega, sigma <= 0 [1/s]."""
    vectors: Complex
    """Shape (n, m): state of each mode, a conjugate pair's doubled so that its real part is the motion."""
    coordinates: Complex
    """Shape (m, n): amplitude of each mode = coordinates @ x."""
    space: StateSpace
    """What the states mean."""
    condition: float
    """Condition number of the eigenvectors; large where two modes nearly coincide."""
    split: bool
    """Whether the state matrix was changed by 1e-8 to draw coinciding modes apart."""
    error: float
    """Bound of rounding, relative to the state; where modes were split, the deviation measured."""


def state_space(assembly: Assembly) -> StateSpace:
    """Reduce a circuit to its independent states.

    Node voltages split into those on capacitors (states), those on conductances (algebraic) and those at
    nodes with nothing but inductors, where Kirchhoff's current law takes a state away.

    Parameters
    ----------
    assembly
        The circuit's matrices.

    Returns
    -------
    StateSpace
        The reduced system.

    Raises
    ------
    CircuitError
        If there are more than 400 states.
    """
    A, R = assembly.incidence, assembly.R
    free = A.shape[1]
    eye = np.eye(free)
    on_c, N_c = null_basis(assembly.capacitor_incidence)
    on_g, N_g = null_basis(assembly.conductance_incidence @ N_c)
    P, N_l = N_c[:, on_g], N_c @ N_g
    F = cholesky(assembly.L, lower=True) if len(R) else assembly.L
    to_energy = solve_triangular(F, np.eye(len(R)), lower=True) if len(R) else F
    cut = to_energy @ (A @ N_l)
    Zi, first, corner = _inductor_basis(to_energy, cut)
    U, Vx = _capacitor_basis(
        np.sqrt(assembly.c)[:, None] * assembly.capacitor_incidence[:, on_c], eye[:, on_c]
    )
    n_i, n_c = Zi.shape[1], Vx.shape[1]
    if n_i + n_c > MAX_STATES:
        raise CircuitError(
            f"{n_i + n_c} states are more than {MAX_STATES}: reduce the network around the event"
        )
    half = np.sqrt(assembly.g)[:, None] * assembly.conductance_incidence
    currents = np.hstack([Zi, np.zeros((len(R), n_c))])
    dynamic = np.hstack([np.zeros((free, n_i)), Vx])
    resistive = _resistive(half, P, A.T @ currents, dynamic)
    voltages = dynamic + P @ resistive
    drop = R @ currents - A @ voltages
    if N_l.shape[1]:
        voltages = voltages + N_l @ solve_triangular(corner, first.T @ (to_energy @ drop))
    A_i = -Zi.T @ drop
    A_c = -Vx.T @ (A.T @ currents + half.T @ (half @ (dynamic + P @ resistive)))
    sizes = np.abs(Vx).T, np.abs(half), np.abs(dynamic) + np.abs(P) @ np.abs(resistive)
    summed = sizes[0] @ (np.abs(A.T) @ np.abs(currents) + sizes[1].T @ (sizes[1] @ sizes[2]))
    # Where terms cancel, charge is trapped; rounding in their place would have modes of its own.
    A_c = np.where(np.abs(A_c) <= _ROUNDING * summed, 0.0, A_c)
    return StateSpace(
        A=np.vstack([A_i, A_c]),
        currents=currents,
        voltages=voltages,
        charging=assembly.c[:, None] * (assembly.capacitor_incidence @ (Vx @ A_c)),
        from_currents=np.vstack([Zi.T @ assembly.L, np.zeros((n_c, len(R)))]),
        from_capacitors=np.vstack([np.zeros((n_i, len(assembly.c))), U.T * np.sqrt(assembly.c)]),
    )


def _inductor_basis(to_energy: Float, cut: Float) -> tuple[Float, Float, Float]:
    """Currents that no cutset forbids, orthonormal in energy; and the factors of the forbidden ones."""
    count = cut.shape[1]
    if not count:
        return to_energy.T, cut, np.zeros((0, 0))
    Q, corner = qr(cut)
    return to_energy.T @ Q[:, count:], Q[:, :count], corner[:count]


def _capacitor_basis(M: Float, unit: Float) -> tuple[Float, Float]:
    if not M.shape[1]:
        return np.zeros((len(M), 0)), unit
    U, corner = qr(M, mode="economic")
    return U, solve_triangular(corner.T, unit.T, lower=True).T


def _resistive(half: Float, P: Float, leaving: Float, dynamic: Float) -> Float:
    """Voltages at nodes with conductances but no capacitor, from Kirchhoff's current law."""
    if not P.shape[1]:
        return np.zeros((0, leaving.shape[1]))
    own = half @ P
    right = P.T @ leaving + own.T @ (half @ dynamic)
    return -np.asarray(cho_solve(cho_factor(own.T @ own), right))


def modes(assembly: Assembly) -> Modes:
    """Find the natural modes of a circuit.

    Where eigenvalues coincide without independent vectors (critical damping), the state matrix is changed by
    1e-8 of itself, which draws a double pole apart by 1e-4; ``error`` says what that costs.

    Parameters
    ----------
    assembly
        The circuit's matrices.

    Returns
    -------
    Modes
        Sorted by falling decay, then frequency.
    """
    space = state_space(assembly)
    n = len(space.A)
    if n == 0:
        none = np.zeros((0, 0), dtype=np.complex128)
        return Modes(np.zeros(0, dtype=np.complex128), none, none, space, 1.0, split=False, error=0.0)
    s, vectors = eig(space.A)
    condition = float(np.linalg.cond(vectors))
    split = not condition < _ILL_CONDITIONED
    if split:
        pattern = 1.0 + _SPLIT * (0.5 + np.modf(np.arange(n) * 0.6180339887498949)[0])
        s, vectors = eig(pattern[:, None] * space.A)
        condition = float(np.linalg.cond(vectors))
    s = _settled(s, float(np.abs(space.A).max()))
    keep = np.flatnonzero(s.imag >= 0.0)
    keep = keep[np.lexsort((s[keep].imag, -s[keep].real))]
    coordinates = np.linalg.inv(vectors)[keep]
    weight = np.where(s[keep].imag > 0.0, 2.0, 1.0)
    error = float(np.finfo(float).eps) * condition
    if split:
        error = _deviation(space.A, s[keep], vectors[:, keep] * weight, coordinates)
    return Modes(s[keep], vectors[:, keep] * weight, coordinates, space, condition, split, error)


def _settled(s: Complex, size: float) -> Complex:
    """Take rounding off: a passive circuit has no growing mode, and a trapped charge none at all."""
    s = np.where(np.abs(s) < 1e-14 * size, 0.0, s)
    return np.asarray(np.minimum(s.real, 0.0) + 1j * s.imag)


def _deviation(A: Float, s: Complex, vectors: Complex, coordinates: Complex) -> float:
    """Compare with the matrix exponential after one radian of a slow, a middle and a fast mode."""
    size = np.sort(np.abs(s[np.abs(s) > 0.0]))
    # The exponential itself loses what A t holds over 1, so that slow modes of stiff circuits are left out.
    size = size[size > float(np.linalg.norm(A, 2)) * 1e-5]
    worst = 0.0
    for pick in size[[0, len(size) // 2, -1]] if len(size) else ():
        time = 1.0 / float(pick)
        summed = ((vectors * np.exp(s * time)) @ coordinates).real
        worst = max(worst, float(np.linalg.norm(summed - expm(A * time), 2)))
    return worst

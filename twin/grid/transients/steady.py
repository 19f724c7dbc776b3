"""Forced response: the phasors that the sources alone keep up, order by order."""

from dataclasses import dataclass, replace
from math import tau as two_pi

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import zgecon, zgetrf, zgetrs

from twin.grid.transients.assembly import Assembly
from twin.grid.transients.circuit import Circuit
from twin.grid.transients.errors import CircuitError
from twin.grid.transients.terms import Terms

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_SINGULAR = 1e-14
"""Reciprocal condition, rows and columns scaled to one, at which nothing but rounding is left."""


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What drives a circuit: peak phasors on the fundamental's phase, one column for each order.

    A column with a rate is a source that decays (a motor's back EMF); order 0 without a rate is DC.
    """

    frequency: float
    """Of the fundamental [Hz]."""
    theta: float
    """Phase of the fundamental at the start [rad]."""
    order: Float
    """Shape (m,): harmonic orders, not necessarily whole."""
    emf: Complex
    """Shape (branches, m): EMF in series with each branch, aiding its current [V peak]."""
    fixed: Complex
    """Shape (fixed, m): voltages of the fixed nodes [V peak]."""
    injection: Complex
    """Shape (nodes, m): currents fed into the nodes; a load's is negative [A peak]."""
    rate: Complex | None = None
    """Shape (m,): own damping and angular frequency [1/s]; None where nothing decays."""

    @property
    def rates(self) -> Complex:
        """Rate of each column, zero where nothing decays [1/s]."""
        return np.zeros(len(self.order), dtype=np.complex128) if self.rate is None else self.rate

    def later(self, delay: float) -> "Sources":
        """Return the same sources, starting ``delay`` seconds later."""
        scale = np.exp(self.rates * delay)
        return replace(
            self,
            theta=self.theta + two_pi * self.frequency * delay,
            emf=self.emf * scale,
            fixed=self.fixed * scale,
            injection=self.injection * scale,
        )


def silent_sources(
    circuit: Circuit,
    *,
    frequency: float,
    theta: float = 0.0,
    order: tuple[float, ...] = (1.0,),
) -> Sources:
    """Make sources that are all zero, to fill in.

    Parameters
    ----------
    circuit
        What they are to drive.
    frequency
        Of the fundamental [Hz].
    theta
        Phase of the fundamental at the start [rad].
    order
        Harmonic orders, one for each column.

    Returns
    -------
    Sources
        Arrays of the right shapes.
    """
    m = len(order)
    shapes = (len(circuit.branch_names), len(circuit.fixed), circuit.nodes)
    emf, fixed, injection = (np.zeros((k, m), dtype=np.complex128) for k in shapes)
    return Sources(frequency, theta, np.asarray(order, dtype=float), emf, fixed, injection)


_SPARSE = 300
"""From so many unknowns on a sparse factorisation is the faster one."""


def steady_state(assembly: Assembly, sources: Sources) -> Terms:
    """Solve the circuit at each order of its sources.

    The whole system of branch currents and node voltages is solved, so that Kirchhoff's laws hold to
    rounding for each order, whatever the spread of impedances.

    Parameters
    ----------
    assembly
        The circuit's matrices.
    sources
        Its sources.

    Returns
    -------
    Terms
        One term for each order, all rows of the circuit.

    Raises
    ------
    CircuitError
        If the circuit has an undamped resonance at an order.
    """
    check_shapes(sources, len(assembly.R), assembly.T_fixed.shape[1], assembly.circuit.nodes)
    order, rate = np.asarray(sources.order, dtype=float), sources.rates
    s = rate + 1j * two_pi * sources.frequency * order
    branches = len(assembly.R)
    solution = np.zeros((branches + assembly.T.shape[1], len(s)), dtype=np.complex128)
    for column, point in enumerate(s):
        solution[:, column] = _solve_one(assembly, sources, column, point)
    currents, free = solution[:branches], solution[branches:]
    across = assembly.C_all @ (assembly.T @ free + assembly.T_fixed @ sources.fixed)
    charging = assembly.c[:, None] * s * across
    amplitude = assembly.outputs(currents, charging, free, sources.fixed, sources.injection)
    return Terms(sources.frequency, sources.theta, order, rate, amplitude)


def check_shapes(sources: Sources, branches: int, fixed: int, nodes: int) -> None:
    """Refuse sources that do not fit a circuit."""
    m = len(sources.order)
    for name, array, rows in (
        ("emf", sources.emf, branches),
        ("fixed", sources.fixed, fixed),
        ("injection", sources.injection, nodes),
    ):
        if array.shape != (rows, m):
            raise CircuitError(f"sources.{name} has shape {array.shape}; the circuit needs {(rows, m)}")


def _solve_one(assembly: Assembly, sources: Sources, column: int, s: complex) -> Complex:
    A, Bc, Bg = assembly.incidence, assembly.capacitor_incidence, assembly.conductance_incidence
    shunt_all = assembly.C_all.T @ (s * assembly.c[:, None] * assembly.C_all)
    shunt_all = shunt_all + assembly.G_all.T @ (assembly.g[:, None] * assembly.G_all)
    shunt = Bc.T @ (s * assembly.c[:, None] * Bc) + Bg.T @ (assembly.g[:, None] * Bg)
    system = np.block([[s * assembly.L + assembly.R, -A], [A.T, shunt]])
    held = assembly.T_fixed @ sources.fixed[:, column]
    right = np.concatenate(
        [
            sources.emf[:, column] + assembly.A_all @ held,
            assembly.T.T @ (sources.injection[:, column] - shunt_all @ held),
        ]
    )
    return _equilibrated_solve(system, right, s)


def _equilibrated_solve(system: Complex, right: Complex, s: complex) -> Complex:
    """Solve with rows scaled to one, and refine once."""
    if not len(right):
        return right
    system = np.array(system, dtype=np.complex128)
    scale = np.abs(system).max(axis=1)
    scale[scale == 0.0] = 1.0
    system, right = system / scale[:, None], right / scale
    columns = np.abs(system).max(axis=0)
    columns[columns == 0.0] = 1.0
    system /= columns
    if len(right) >= _SPARSE:
        return np.asarray(_sparse_solve(system, right, s) / columns)
    factors, pivots, _ = zgetrf(system)
    rest, _ = zgecon(factors, np.abs(system).sum(axis=0).max())
    if rest < _SINGULAR:
        raise CircuitError(f"the circuit has an undamped resonance at s = {s:.6g} 1/s: add resistance")
    x, _ = zgetrs(factors, pivots, right)
    x = x + zgetrs(factors, pivots, right - system @ x)[0]
    return np.asarray(x / columns)


def _sparse_solve(system: Complex, right: Complex, s: complex) -> Complex:
    """Solve a large system, which is nearly empty: a conductor touches few others."""
    from scipy.sparse import csc_matrix  # noqa: PLC0415 - small circuits do without
    from scipy.sparse.linalg import splu  # noqa: PLC0415

    sparse = csc_matrix(system)
    try:
        factors = splu(sparse)
    except RuntimeError:
        x = np.full_like(right, np.nan)
    else:
        x = factors.solve(right)
        x = x + factors.solve(right - sparse @ x)
    rest = np.abs(right - sparse @ x).max()
    if not rest <= _SINGULAR**0.5 * np.abs(right).max():
        raise CircuitError(f"the circuit has an undamped resonance at s = {s:.6g} 1/s: add resistance")
    return np.asarray(x)

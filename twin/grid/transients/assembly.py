"""The circuit as matrices: incidences, closed switches merged, and the rows of a result."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from twin.grid.transients.circuit import EARTH, Circuit, Terminals
from twin.grid.transients.errors import CircuitError, FloatingError
from twin.grid.transients.null_space import null_basis

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integer = NDArray[np.int64]

PIN_S = 1e-3
"""Conductance that holds a floating island at its mean of zero; no current can flow through it [S]."""


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """Matrices of one circuit over its *free* nodes: what is left after merging and fixing.

    ``v_nodes = T v_free + T_fixed v_fixed``, and with ``s`` for d/dt::

        (s L + R) i - A v_free                = emf + A_fixed v_fixed
        A' i + (s C + G) v_free               = injection - (s C_fixed + G_fixed) v_fixed

    where A, B_c and B_g are the incidences of branches, capacitors and conductances, C = B_c' c B_c and
    G = B_g' g B_g.
    """

    circuit: Circuit
    T: Float
    """Shape (nodes, free)."""
    T_fixed: Float
    """Shape (nodes, fixed)."""
    A_all: Float
    """Shape (branches, nodes): incidence of the branches before merging."""
    C_all: Float
    """Shape (capacitors, nodes)."""
    G_all: Float
    """Shape (conductances, nodes)."""
    R: Float
    """Shape (branches, branches) [ohm]."""
    L: Float
    """Shape (branches, branches) [H]."""
    c: Float
    """Capacitances [F]."""
    g: Float
    """Conductances [S]."""
    S: Float
    """Shape (switches, nodes): incidence of the closed switches, zero rows for the open ones."""

    @property
    def incidence(self) -> Float:
        """Incidence of the branches over the free nodes."""
        return self.A_all @ self.T

    @property
    def capacitor_incidence(self) -> Float:
        """Incidence of the capacitors over the free nodes."""
        return self.C_all @ self.T

    @property
    def conductance_incidence(self) -> Float:
        """Incidence of the conductances over the free nodes."""
        return self.G_all @ self.T

    def outputs(
        self, currents: Complex, charging: Complex, free: Complex, fixed: Complex, injection: Complex
    ) -> Complex:
        """Rows of the result from branch currents and voltages.

        Parameters
        ----------
        currents
            Shape (branches, m) [A].
        charging
            Shape (capacitors, m): currents of the capacitors [A].
        free
            Shape (free, m) [V].
        fixed
            Shape (fixed, m) [V].
        injection
            Shape (nodes, m): current fed into each node [A].

        Returns
        -------
        NDArray
            Shape (rows, m), in the order that `Circuit` states.
        """
        return result_rows(self, currents, charging, free, fixed, injection)


def result_rows(
    of: Any, currents: Complex, charging: Complex, free: Complex, fixed: Complex, injection: Complex
) -> Complex:
    """Return all rows of a result, of an `Assembly` or of what has the same matrices sparse."""
    nodes = of.T @ free + of.T_fixed @ fixed
    across = of.C_all @ nodes
    leaving = of.A_all.T @ currents + of.C_all.T @ charging - injection
    leaving += of.G_all.T @ (of.g[:, None] * (of.G_all @ nodes))
    return np.concatenate([nodes, currents, across, charging, _switch_currents(of, leaving)])


def _switch_currents(of: Any, leaving: Complex) -> Complex:
    """Currents that bring each node what leaves it; a ring of switches shares them evenly."""
    known = np.abs(of.S).sum(axis=0) > 0.0
    known[list(of.circuit.fixed)] = False
    used = np.abs(of.S).sum(axis=1) > 0.0
    result = np.zeros((len(of.S), leaving.shape[1]), dtype=np.complex128)
    if used.any():
        result[used] = -np.linalg.pinv(of.S[used][:, known].T) @ leaving[known]
    return result


def assemble(circuit: Circuit, *, float_at_zero: bool = False) -> Assembly:
    """Build the matrices of a circuit.

    Parameters
    ----------
    circuit
        The circuit.
    float_at_zero
        Whether islands that nothing ties to earth are held at a mean voltage of zero, instead of being
        refused. No current flows through the tie.

    Returns
    -------
    Assembly
        The matrices.

    Raises
    ------
    FloatingError
        If nodes float; the message names them.
    CircuitError
        If closed switches tie two fixed nodes, or one to earth.
    """
    T, T_fixed = _merge(circuit)
    rl = tuple(element for group in circuit.branches for element in group.terminals)
    A_all = _incidence(rl, circuit.nodes)
    C_all = _incidence(circuit.capacitors.terminals, circuit.nodes)
    G_all = _incidence(circuit.conductances.terminals, circuit.nodes)
    g = np.asarray(circuit.conductances.G, dtype=float)
    loose = null_basis(np.concatenate([A_all, C_all, G_all]) @ T).basis
    if loose.size:
        if not float_at_zero:
            raise FloatingError(floating_message(circuit, T @ loose))
        # A row in the floating direction, spread over the nodes that were merged so that it sees their mean.
        pins = (loose / np.abs(loose).sum(axis=0)).T @ np.linalg.pinv(T)
        G_all, g = np.concatenate([G_all, pins]), np.append(g, np.full(len(pins), PIN_S))
    empty = np.zeros((0, 0))
    return Assembly(
        circuit=circuit,
        T=T,
        T_fixed=T_fixed,
        A_all=A_all,
        C_all=C_all,
        G_all=G_all,
        R=block_diag(*(group.R for group in circuit.branches)) if circuit.branches else empty,
        L=block_diag(*(group.L for group in circuit.branches)) if circuit.branches else empty,
        c=np.asarray(circuit.capacitors.C, dtype=float),
        g=g,
        S=switch_incidence(circuit),
    )


def floating_message(circuit: Circuit, loose: Float) -> str:
    """Say which nodes float."""
    names = [circuit.node_name(int(node)) for node in np.flatnonzero(np.abs(loose).max(axis=1) > 1e-9)]
    return (
        f"nothing determines the voltage of {', '.join(names)}: "
        "add a capacitance or conductance to earth, or let islands float at a mean of zero"
    )


def _incidence(terminals: Terminals, nodes: int) -> Float:
    matrix = np.zeros((len(terminals), nodes))
    for row, element in enumerate(terminals):
        for node, weight in element:
            if node != EARTH:
                matrix[row, node] += weight
    return matrix


def switch_incidence(circuit: Circuit) -> Float:
    """Return the incidence of the closed switches, zero rows for the open ones."""
    switches = circuit.switches
    matrix = np.zeros((len(switches.names), circuit.nodes))
    for row, (name, p, q) in enumerate(
        zip(switches.names, switches.from_nodes, switches.to_nodes, strict=True)
    ):
        if name in circuit.closed and p != q:
            for node, weight in ((p, 1.0), (q, -1.0)):
                if node != EARTH:
                    matrix[row, node] = weight
    return matrix


def _merge(circuit: Circuit) -> tuple[Float, Float]:
    free, fixed = merged_nodes(circuit)
    T = np.zeros((circuit.nodes, int(free.max(initial=-1)) + 1))
    T_fixed = np.zeros((circuit.nodes, len(circuit.fixed)))
    for matrix, column in ((T, free), (T_fixed, fixed)):
        rows = np.flatnonzero(column >= 0)
        matrix[rows, column[rows]] = 1.0
    return T, T_fixed


def merged_nodes(circuit: Circuit) -> tuple[Integer, Integer]:
    """Return the free and the fixed column of each node, -1 where it has none.

    Nodes that closed switches join share a column; earth has none.
    """
    leader = list(range(-1, circuit.nodes))

    def find(node: int) -> int:
        while leader[node + 1] != node:
            node = leader[node + 1]
        return node

    switches = circuit.switches
    for name, p, q in zip(switches.names, switches.from_nodes, switches.to_nodes, strict=True):
        if name in circuit.closed:
            low, high = sorted((find(p), find(q)))
            leader[high + 1] = low
    held = {EARTH: "earth"}
    for node in circuit.fixed:
        root = find(node)
        if root in held:
            raise CircuitError(
                f"the source at {circuit.node_name(node)} is tied to {held[root]} without any impedance: "
                "give one of them an impedance"
            )
        held[root] = circuit.node_name(node)
    column = {find(node): index for index, node in enumerate(circuit.fixed)}
    roots = sorted({find(node) for node in range(circuit.nodes)} - set(held))
    free = {root: index for index, root in enumerate(roots)}
    columns = np.array(
        [(free.get(root, -1), column.get(root, -1)) for root in map(find, range(circuit.nodes))],
        dtype=np.int64,
    ).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]

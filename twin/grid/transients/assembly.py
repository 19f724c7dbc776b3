"""The circuit as matrices: incidences, closed switches merged, and the rows of a result."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from twin.grid.transients.circuit import EARTH, Circuit, Terminals
from twin.grid.transients.errors import CircuitError, FloatingError
from twin.grid.transients.null_space import null_basis

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_PIN_S = 1e-3
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
        nodes = self.T @ free + self.T_fixed @ fixed
        across = self.C_all @ nodes
        leaving = self.A_all.T @ currents + self.C_all.T @ charging - injection
        leaving += self.G_all.T @ (self.g[:, None] * (self.G_all @ nodes))
        return np.concatenate([nodes, currents, across, charging, self._switch_currents(leaving)])

    def _switch_currents(self, leaving: Complex) -> Complex:
        """Currents that bring each node what leaves it; a ring of switches shares them evenly."""
        known = np.array([node not in self.circuit.fixed for node in range(self.circuit.nodes)], dtype=bool)
        used = np.abs(self.S).sum(axis=1) > 0.0
        result = np.zeros((len(self.S), leaving.shape[1]), dtype=np.complex128)
        if used.any():
            result[used] = -np.linalg.pinv(self.S[used][:, known].T) @ leaving[known]
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
            raise FloatingError(_floating(circuit, T @ loose))
        # A row in the floating direction, spread over the nodes that were merged so that it sees their mean.
        pins = (loose / np.abs(loose).sum(axis=0)).T @ np.linalg.pinv(T)
        G_all, g = np.concatenate([G_all, pins]), np.append(g, np.full(len(pins), _PIN_S))
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
        S=_switch_incidence(circuit),
    )


def _floating(circuit: Circuit, loose: Float) -> str:
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


def _switch_incidence(circuit: Circuit) -> Float:
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
    """Nodes that closed switches join share a column; earth has none, fixed nodes have their own."""
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
    T, T_fixed = np.zeros((circuit.nodes, len(free))), np.zeros((circuit.nodes, len(column)))
    for node in range(circuit.nodes):
        root = find(node)
        if root in free:
            T[node, free[root]] = 1.0
        elif root in column:
            T_fixed[node, column[root]] = 1.0
    return T, T_fixed

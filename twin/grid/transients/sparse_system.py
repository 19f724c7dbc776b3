"""A large circuit as sparse matrices: solved at one complex frequency after another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from scipy.sparse.linalg import splu

from twin.grid.transients.assembly import PIN_S, floating_message, merged_nodes, switch_incidence
from twin.grid.transients.circuit import EARTH, Circuit, Terminals
from twin.grid.transients.errors import CircuitError, FloatingError
from twin.grid.transients.null_space import null_basis

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integer = NDArray[np.int64]
Resolvent = Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]  # type: ignore[type-arg]


class _Blocks:
    """Coupled branches' matrices, those of one size together."""

    def __init__(self, circuit: Circuit) -> None:
        starts: dict[int, list[int]] = {}
        members: dict[int, list[int]] = {}
        first = 0
        for at, group in enumerate(circuit.branches):
            size = len(group.names)
            starts.setdefault(size, []).append(first)
            members.setdefault(size, []).append(at)
            first += size
        self.count = first
        self._R, self._L = [], []
        rows, columns = [], []
        for size, begin in starts.items():
            place = np.array(begin)[:, None] + np.arange(size)
            rows.append(np.repeat(place, size, axis=1).ravel())
            columns.append(np.tile(place, (1, size)).ravel())
            self._R.append(np.stack([circuit.branches[k].R for k in members[size]]))
            self._L.append(np.stack([circuit.branches[k].L for k in members[size]]))
        none = np.zeros(0, dtype=np.int64)
        order = np.concatenate([none, *rows]), np.concatenate([none, *columns])
        # The pattern is the same for each frequency: sorted once, only values change.
        pattern = csr_matrix((np.arange(1, order[0].size + 1), order), shape=(first, first))
        self._sorted = pattern.data - 1
        self._indices, self._indptr = pattern.indices, pattern.indptr
        self.R, self.L = self._matrix(self._R), self._matrix(self._L)

    def _matrix(self, blocks: Sequence[NDArray]) -> csr_matrix:  # type: ignore[type-arg]
        values = np.concatenate([np.zeros(0), *(one.ravel() for one in blocks)])[self._sorted]
        return csr_matrix((values, self._indices, self._indptr), shape=(self.count, self.count))

    def inverse(self, s: complex) -> csr_matrix:
        """Return ``(s L + R)`` inverse."""
        return self._matrix([np.linalg.inv(s * L + R) for R, L in zip(self._R, self._L, strict=True)])

    def inverse_inductance(self) -> csr_matrix:
        """Return ``L`` inverse."""
        return self._matrix([np.linalg.inv(L) for L in self._L])


@dataclass(frozen=True, slots=True, eq=False)
class SparseSystem:
    """What `Assembly` is to small circuits: the same matrices over free nodes, sparse."""

    circuit: Circuit
    T: csr_matrix
    T_fixed: csr_matrix
    A_all: csr_matrix
    C_all: csr_matrix
    G_all: csr_matrix
    blocks: _Blocks
    c: Float
    g: Float
    S: Float
    A: csr_matrix
    """Incidence of the branches over the free nodes."""
    C: csr_matrix
    """Capacitances between the free nodes [F]."""
    G: csr_matrix
    """Conductances between the free nodes [S]."""
    capacitor_rows: csr_matrix
    """Incidence of the capacitors over the free nodes."""
    conductance_rows: csr_matrix
    """Incidence of the conductances over the free nodes."""
    energy: csr_matrix
    """Inductances and capacitances: of branch currents and free voltages twice the stored energy."""

    def at(self, s: complex) -> Resolvent:
        """Factorise the circuit at a frequency.

        Returns
        -------
        callable
            Takes what is in series with the branches [V] and what is fed into the free nodes [A] and
            returns the branches' currents and the free nodes' voltages.

        Raises
        ------
        CircuitError
            The circuit has an undamped resonance there.
        """
        inverse = self.blocks.inverse(s)
        weighted = inverse @ self.A
        nodal = (self.A.T @ weighted + s * self.C + self.G).tocsc()
        if nodal.shape[0] == 0:
            return lambda e, j: (inverse @ e, j)
        try:
            factors = splu(nodal, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        except RuntimeError as error:
            raise CircuitError(
                f"the circuit has an undamped resonance at s = {s:.6g} 1/s: add resistance"
            ) from error
        back = weighted.T.tocsr()

        def solve(e: NDArray, j: NDArray) -> tuple[NDArray, NDArray]:  # type: ignore[type-arg]
            v = factors.solve(j - back @ e)
            return inverse @ (e + self.A @ v), v

        return solve


def sparse_system(circuit: Circuit, *, float_at_zero: bool = False) -> SparseSystem:
    """Build the sparse matrices of a circuit; see `assemble`."""
    free, fixed = merged_nodes(circuit)
    T = _selection(free, circuit.nodes)
    T_fixed = _selection(fixed, circuit.nodes, columns=len(circuit.fixed))
    rl = tuple(element for group in circuit.branches for element in group.terminals)
    A_all, C_all, G_all = (
        _incidence(terminals, circuit.nodes)
        for terminals in (rl, circuit.capacitors.terminals, circuit.conductances.terminals)
    )
    c, g = np.asarray(circuit.capacitors.C, dtype=float), np.asarray(circuit.conductances.G, dtype=float)
    loose = islands((vstack([A_all, C_all, G_all]) @ T).tocsr()).basis.toarray()
    if loose.size:
        if not float_at_zero:
            raise FloatingError(floating_message(circuit, T @ loose))
        # As in `assemble`: a row in the floating direction, spread over the nodes that were merged.
        merged = np.maximum(np.asarray(T.sum(axis=0)).ravel(), 1.0)
        pins = (T @ (loose / np.abs(loose).sum(axis=0) / merged[:, None])).T
        G_all, g = csr_matrix(vstack([G_all, csr_matrix(pins)])), np.append(g, np.full(len(pins), PIN_S))
    B, K, blocks = (C_all @ T).tocsr(), (G_all @ T).tocsr(), _Blocks(circuit)
    C = (B.T @ B.multiply(c[:, None])).tocsr()
    return SparseSystem(
        circuit=circuit,
        T=T,
        T_fixed=T_fixed,
        A_all=A_all,
        C_all=C_all,
        G_all=G_all,
        blocks=blocks,
        c=c,
        g=g,
        S=switch_incidence(circuit),
        A=(A_all @ T).tocsr(),
        C=C,
        G=(K.T @ K.multiply(g[:, None])).tocsr(),
        capacitor_rows=B,
        conductance_rows=K,
        energy=_diagonal(blocks.L, C),
    )


def _diagonal(first: csr_matrix, second: csr_matrix) -> csr_matrix:
    """Return two matrices as one, the second beside and below the first."""
    size = first.shape[0] + second.shape[0]
    parts = (
        np.concatenate([first.data, second.data]),
        np.concatenate([first.indices, second.indices + first.shape[0]]),
        np.concatenate([first.indptr, second.indptr[1:] + first.nnz]),
    )
    return csr_matrix(parts, shape=(size, size))


def _selection(column: Integer, nodes: int, columns: int | None = None) -> csr_matrix:
    rows = np.flatnonzero(column >= 0)
    width = int(column.max(initial=-1)) + 1 if columns is None else columns
    return csr_matrix((np.ones(rows.size), (rows, column[rows])), shape=(nodes, width))


def _incidence(terminals: Terminals, nodes: int) -> csr_matrix:
    sizes = [len(element) for element in terminals]
    nodes_of = np.array([node for element in terminals for node, _ in element], dtype=np.int64)
    weights = np.array([weight for element in terminals for _, weight in element], dtype=float)
    rows = np.repeat(np.arange(len(terminals)), sizes)
    inside = nodes_of != EARTH
    where = rows[inside], nodes_of[inside]
    return csr_matrix((weights[inside], where), shape=(len(terminals), nodes))


class Islands(NamedTuple):
    """Node voltages that some elements do not see, one for each island, and what completes them."""

    basis: csr_matrix
    """Shape (columns, islands)."""
    pivots: Integer
    """Unit vectors of these columns complete the basis."""


def islands(rows: csr_matrix) -> Islands:
    """Return a basis of what elements do not see; as `null_basis`, for large networks.

    Elements between two nodes or to earth leave one voltage for each island; what has other weights, as
    transformers do, is solved between the islands.
    """
    rows.sum_duplicates()
    rows.eliminate_zeros()
    columns = rows.shape[1]
    leader = list(range(columns + 1))

    def find(node: int) -> int:
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    others = []
    data, indices, indptr = rows.data.tolist(), rows.indices.tolist(), rows.indptr.tolist()
    for row in range(rows.shape[0]):
        first, last = indptr[row], indptr[row + 1]
        if last - first == 1:
            leader[find(indices[first])] = find(columns)
        elif last - first == 2 and data[first] == -data[first + 1]:
            leader[find(indices[first])] = find(indices[first + 1])
        elif last > first:
            others.append(row)
    root = np.array([find(node) for node in range(columns)], dtype=np.int64)
    apart = sorted(set(root.tolist()) - {find(columns)})
    number = np.full(columns + 1, -1, dtype=np.int64)
    number[apart] = np.arange(len(apart))
    member = _selection(number[root], columns, columns=len(apart))
    between = (rows[others] @ member).toarray() if others else np.zeros((0, len(apart)))
    pivots, basis = null_basis(between)
    free = np.setdiff1d(np.arange(len(apart)), pivots)
    rest = np.setdiff1d(np.arange(columns), np.array(apart, dtype=np.int64)[free])
    return Islands(csr_matrix(member @ csr_matrix(basis)), rest)

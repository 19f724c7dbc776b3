"""In which order to eliminate nodes, and which entries of the matrix that fills: once per network."""

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pattern:
    """The symbolic factorisation of a network's graph, node by node.

    The matrix is one flat array: the diagonal by row, then the entries above it by slot, then those below.
    """

    row: Index
    """(nodes,) row of each node in elimination order."""
    first_kept: int
    """First row of the part that holds all nodes of the buses to keep."""
    start: Index
    """(rows + 1,) first slot of each row."""
    column: Index
    """(slots,) later rows to which a row is coupled, ascending."""
    target_start: Index
    """(rows,) first pair of each row."""
    target: Index
    """(pairs,) slot that the pair (a, b) of a row's neighbours updates, in order of (a, b)."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.row.size

    @property
    def size(self) -> int:
        """Length of the flat matrix."""
        return self.row.size + 2 * self.column.size

    @cached_property
    def _keys(self) -> Index:
        """Row and column of each slot as one ascending number."""
        owner = np.repeat(np.arange(self.rows), np.diff(self.start))
        return np.asarray(owner * self.rows + self.column)

    def place(self, rows: Index, columns: Index) -> Index:
        """Return where entries of the matrix stand in the flat array.

        Parameters
        ----------
        rows, columns : int[n]
            Rows in elimination order; every pair must be one that the pattern has.
        """
        low, high = np.minimum(rows, columns), np.maximum(rows, columns)
        slot = np.searchsorted(self._keys, low * self.rows + high)
        beside = self.rows + slot + np.where(rows > columns, self.column.size, 0)
        return np.asarray(np.where(rows == columns, rows, beside), dtype=np.int64)


def symbolic(
    nodes_of_bus: Sequence[Sequence[int]], edges: Sequence[tuple[int, int]], keep: Collection[int]
) -> Pattern:
    """Return the elimination pattern of a graph.

    Buses that are not in ``keep`` and end or continue a line (at most two neighbours) are eliminated
    first; the rest, which holds all of ``keep``, follows by minimum degree. Ties go by number. The nodes of
    a bus follow each other; all nodes of two buses with a branch between them count as coupled.

    Parameters
    ----------
    nodes_of_bus : sequence of sequence of int
        Nodes of each bus.
    edges : sequence of (from, to)
        Bus numbers of each branch; parallel branches may repeat.
    keep : collection of int
        Buses whose voltages are wanted or whose currents change often.
    """
    buses = len(nodes_of_bus)
    neighbours: list[set[int]] = [set() for _ in range(buses)]
    for one, other in edges:
        neighbours[one].add(other)
        neighbours[other].add(one)
    kept = set(keep)
    sequence: list[int] = []
    later: list[list[int]] = [[] for _ in range(buses)]
    chain = [bus for bus in range(buses) if bus not in kept]
    _eliminate(chain, neighbours, sequence, later, limit=2)
    first_kept = sum(len(nodes_of_bus[bus]) for bus in sequence)
    gone = set(sequence)
    rest = [bus for bus in range(buses) if bus not in gone]
    _eliminate(rest, neighbours, sequence, later, limit=buses)
    return _pattern(nodes_of_bus, sequence, later, first_kept)


def _eliminate(
    candidates: Sequence[int],
    neighbours: list[set[int]],
    sequence: list[int],
    later: list[list[int]],
    *,
    limit: int,
) -> None:
    """Eliminate candidates of least degree until none is left with at most ``limit`` neighbours."""
    waiting = set(candidates)
    heap = [(len(neighbours[bus]), bus) for bus in candidates]
    heapq.heapify(heap)
    while heap:
        degree, bus = heapq.heappop(heap)
        if bus not in waiting or degree != len(neighbours[bus]):
            continue
        if degree > limit:
            break
        waiting.discard(bus)
        sequence.append(bus)
        around = sorted(neighbours[bus])
        later[bus] = around
        for one in around:
            neighbours[one].discard(bus)
            neighbours[one].update(other for other in around if other != one)
        for one in around:
            if one in waiting:
                heapq.heappush(heap, (len(neighbours[one]), one))


def _pattern(
    nodes_of_bus: Sequence[Sequence[int]],
    sequence: list[int],
    later: list[list[int]],
    first_kept: int,
) -> Pattern:
    rows_of_bus: list[range] = [range(0)] * len(nodes_of_bus)
    row = np.empty(sum(len(nodes) for nodes in nodes_of_bus), dtype=np.int64)
    at = 0
    for bus in sequence:
        rows_of_bus[bus] = range(at, at + len(nodes_of_bus[bus]))
        row[list(nodes_of_bus[bus])] = rows_of_bus[bus]
        at += len(nodes_of_bus[bus])
    start = [0]
    column: list[int] = []
    for bus in sequence:
        around = sorted(number for other in later[bus] for number in rows_of_bus[other])
        for number in rows_of_bus[bus]:
            column.extend(range(number + 1, rows_of_bus[bus].stop))
            column.extend(around)
            start.append(len(column))
    target_start, target = _targets(start, column)
    return Pattern(
        row=row,
        first_kept=first_kept,
        start=np.array(start, dtype=np.int64),
        column=np.array(column, dtype=np.int64),
        target_start=np.array(target_start, dtype=np.int64),
        target=np.array(target, dtype=np.int64),
    )


def _targets(start: list[int], column: list[int]) -> tuple[list[int], list[int]]:
    """Return the slots that each row's elimination updates."""
    slot_of: list[dict[int, int]] = [
        dict(zip(column[first:after], range(first, after), strict=True)) for first, after in pairwise(start)
    ]
    target_start: list[int] = []
    target: list[int] = []
    for first, after in pairwise(start):
        target_start.append(len(target))
        around = column[first:after]
        for n, one in enumerate(around):
            slots = slot_of[one]
            target.extend([slots[other] for other in around[n + 1 :]])
    return target_start, target

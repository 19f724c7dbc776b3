"""In which order to eliminate buses, and which blocks of the matrix that fills: once per network."""

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The symbolic factorisation of a network's graph."""

    row: Index
    """(buses,) row of each bus in elimination order."""
    first_kept: int
    """First row of the part that holds all buses to keep."""
    start: Index
    """(rows + 1,) first slot of each row."""
    column: Index
    """(slots,) later rows to which a row is coupled, ascending."""
    slot: Index
    """(edges,) slot of each edge's coupling block."""
    target_start: Index
    """(rows,) first pair of each row."""
    target: Index
    """(pairs,) slot that the pair (a, b) of a row's neighbours updates, in order of (a, b)."""


def symbolic(buses: int, edges: Sequence[tuple[int, int]], keep: Collection[int]) -> Pattern:
    """Return the elimination pattern of a graph.

    Buses that are not in ``keep`` and end or continue a line (at most two neighbours) are eliminated
    first; the rest, which holds all of ``keep``, follows by minimum degree. Ties go by number.

    Parameters
    ----------
    buses : int
    edges : sequence of (from, to)
        Bus numbers of each branch; parallel branches may repeat.
    keep : collection of int
        Buses whose voltages are wanted or whose currents change often.
    """
    neighbours: list[set[int]] = [set() for _ in range(buses)]
    for one, other in edges:
        neighbours[one].add(other)
        neighbours[other].add(one)
    kept = set(keep)
    sequence: list[int] = []
    later: list[list[int]] = [[] for _ in range(buses)]
    chain = [bus for bus in range(buses) if bus not in kept]
    _eliminate(chain, neighbours, sequence, later, limit=2)
    first_kept = len(sequence)
    gone = set(sequence)
    rest = [bus for bus in range(buses) if bus not in gone]
    _eliminate(rest, neighbours, sequence, later, limit=buses)
    return _pattern(buses, edges, sequence, later, first_kept)


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
    buses: int,
    edges: Sequence[tuple[int, int]],
    sequence: list[int],
    later: list[list[int]],
    first_kept: int,
) -> Pattern:
    row = [0] * buses
    for at, bus in enumerate(sequence):
        row[bus] = at
    start = [0]
    column: list[int] = []
    slot_of: dict[tuple[int, int], int] = {}
    for at, bus in enumerate(sequence):
        for other in sorted(row[one] for one in later[bus]):
            slot_of[at, other] = len(column)
            column.append(other)
        start.append(len(column))
    target_start: list[int] = []
    target: list[int] = []
    for at in range(buses):
        target_start.append(len(target))
        around = column[start[at] : start[at + 1]]
        target.extend(slot_of[a, b] for n, a in enumerate(around) for b in around[n + 1 :])
    slot = [slot_of[min(row[f], row[t]), max(row[f], row[t])] for f, t in edges]
    return Pattern(
        row=np.array(row, dtype=np.int64),
        first_kept=first_kept,
        start=np.array(start, dtype=np.int64),
        column=np.array(column, dtype=np.int64),
        slot=np.array(slot, dtype=np.int64),
        target_start=np.array(target_start, dtype=np.int64),
        target=np.array(target, dtype=np.int64),
    )

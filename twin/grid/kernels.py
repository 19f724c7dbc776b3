"""Compiled loops of the nodal solver: assembly, factorisation, substitution, reduction to load points.

A matrix is one flat array in elimination order, as `twin.grid.ordering.Pattern` lays it out: the diagonal,
then for each row the entries to later rows (U), then in the same slots the entries below the diagonal (L).
All products are loops of their own: results do not depend on a BLAS and its threads.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Index = NDArray[np.int64]
Flag = NDArray[np.bool_]


@njit(cache=True, nogil=True)
def components(count: int, one: Index, other: Index, on: Flag) -> Index:
    """Return for each node the smallest node that the edges which are on connect it to."""
    parent = np.arange(count)
    for e in range(one.shape[0]):
        if not on[e]:
            continue
        a, b = one[e], other[e]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    for node in range(count):
        parent[node] = parent[parent[node]]
    return parent


@njit(cache=True, nogil=True)
def stamp(
    place: Index, row: Index, value: Complex, owner: Index, in_service: Flag, fixed: Flag, matrix: Complex
) -> None:
    """Add entries to one order's matrix.

    Parameters
    ----------
    place, row : int[entries]
        Where an entry stands in the matrix, and its row.
    value : c128[entries]
        Admittance [S].
    owner : int[entries]
        Element that it belongs to.
    in_service : bool[elements]
        Entries of others are left out.
    fixed : bool[rows]
        Rows whose voltage is the right-hand side itself: they take no entry.
    matrix : c128[size]
    """
    for e in range(place.shape[0]):
        if in_service[owner[e]] and not fixed[row[e]]:
            matrix[place[e]] += value[e]


@njit(cache=True, nogil=True)
def factorise(start: Index, column: Index, target_start: Index, target: Index, matrix: Complex) -> int:
    """Factorise in place: L below, U above, inverted pivots on the diagonal.

    Returns -1, or the row at which the matrix is singular: of its diagonal nothing but rounding is left.
    ``target[target_start[k] + n]`` is the slot of the n-th pair (a, b), a < b, of the neighbours of row k.
    """
    rows = start.shape[0] - 1
    slots = column.shape[0]
    below = rows + slots
    least = np.empty(rows)
    for k in range(rows):
        least[k] = 1e-14 * abs(matrix[k])
    for k in range(rows):
        if not abs(matrix[k]) > least[k]:
            return k
        pivot = 1.0 / matrix[k]
        matrix[k] = pivot
        first, after = start[k], start[k + 1]
        for a in range(first, after):
            matrix[below + a] *= pivot
        pair = target_start[k]
        for a in range(first, after):
            low, up = matrix[below + a], matrix[rows + a]
            matrix[column[a]] -= low * up
            for b in range(a + 1, after):
                at = target[pair]
                pair += 1
                matrix[rows + at] -= low * matrix[rows + b]
                matrix[below + at] -= matrix[below + b] * up
    return -1


@njit(cache=True, nogil=True)
def substitute(start: Index, column: Index, matrix: Complex, first: int, last: int, x: Complex) -> None:
    """Solve in place: forward from row ``first``, back to row ``last``.

    Rows before ``first`` must be zero in ``x``; rows before ``last`` are left unsolved.
    """
    rows = start.shape[0] - 1
    below = rows + column.shape[0]
    for k in range(first, rows):
        value = x[k]
        if value == 0.0:
            continue
        for a in range(start[k], start[k + 1]):
            x[column[a]] -= matrix[below + a] * value
    for k in range(rows - 1, last - 1, -1):
        value = x[k]
        for a in range(start[k], start[k + 1]):
            value -= matrix[rows + a] * x[column[a]]
        x[k] = value * matrix[k]


@njit(cache=True, nogil=True)
def recover(
    start: Index,
    column: Index,
    matrix: Complex,
    injection: Complex,
    still: Flag,
    ends: Index,
    current: Complex,
    out: Complex,
) -> None:
    """Fill the voltages of all rows for the currents that loads draw.

    Parameters
    ----------
    start, column, matrix
        The factorised equations.
    injection : c128[rows]
        Right-hand side without loads.
    still : bool[rows]
        Rows whose voltage no load moves.
    ends : int[loads, 2]
        Rows between which each load lies; -1 is earth.
    current : c128[loads]
        Drawn from the first row to the second [A].
    out : c128[rows]
        Voltages against earth [V].
    """
    # An assignment of slices would have its error texts compiled, which takes two seconds.
    for r in range(out.shape[0]):
        out[r] = injection[r]
    for j in range(ends.shape[0]):
        for side in range(2):
            at = ends[j, side]
            if at >= 0 and not still[at]:
                out[at] += current[j] if side == 1 else -current[j]
    substitute(start, column, matrix, 0, 0, out)


@njit(cache=True, nogil=True)
def weighted_sums(start: Index, row: Index, weight: Complex, x: Complex, out: Complex) -> None:
    """Fill ``out[r]`` with the sum of ``weight x[row]`` over the terms of row r."""
    for r in range(start.shape[0] - 1):
        total = complex(0.0, 0.0)
        for e in range(start[r], start[r + 1]):
            total += weight[e] * x[row[e]]
        out[r] = total


@njit(cache=True, nogil=True)
def reduce_to_loads(
    start: Index,
    column: Index,
    matrix: Complex,
    first_kept: int,
    still: Flag,
    plus: Index,
    minus: Index,
    probe_start: Index,
    probe_row: Index,
    probe_weight: Complex,
    direct: Complex,
    coupling: Complex,
    transfer: Complex,
) -> None:
    """Compute what 1 A drawn at each load point does to every load point and probe.

    Parameters
    ----------
    start, column, matrix
        The factorised equations.
    first_kept : int
        First row of the part that holds all load points and probes.
    still : bool[rows]
        Rows whose voltage no load moves: given ones and dead ones.
    plus, minus : int[loads]
        Rows between which each load lies; -1 is earth.
    probe_start, probe_row, probe_weight
        Probe rows as sums over rows.
    direct : c128[loads, probe rows]
        What a load's current adds to a probe by itself.
    coupling : c128[loads, loads]
        Filled: ``coupling[j, i]``, the voltage at load point i per ampere drawn by load point j [V/A].
    transfer : c128[loads, probe rows]
        Filled likewise [V/A or A/A].
    """
    rows = start.shape[0] - 1
    loads = plus.shape[0]
    x = np.zeros(rows, dtype=np.complex128)
    for j in range(loads):
        for k in range(first_kept, rows):
            x[k] = 0.0
        first = rows
        if plus[j] >= 0 and not still[plus[j]]:
            x[plus[j]] -= 1.0
            first = min(first, plus[j])
        if minus[j] >= 0 and not still[minus[j]]:
            x[minus[j]] += 1.0
            first = min(first, minus[j])
        if first < rows:
            substitute(start, column, matrix, first, first_kept, x)
        for i in range(loads):
            value = complex(0.0, 0.0)
            if plus[i] >= 0:
                value += x[plus[i]]
            if minus[i] >= 0:
                value -= x[minus[i]]
            coupling[j, i] = value
        weighted_sums(probe_start, probe_row, probe_weight, x, transfer[j])
        for r in range(direct.shape[1]):
            transfer[j, r] += direct[j, r]


@njit(cache=True, nogil=True)
def add_drawn(
    start: Index,
    column: Index,
    matrix: Complex,
    first_kept: int,
    still: Flag,
    ends: Index,
    probe_start: Index,
    probe_row: Index,
    probe_weight: Complex,
    direct: tuple[Index, Index, Complex],
    flowing: Flag,
    current: Complex,
    out: Complex,
) -> None:
    """Add what currents drawn at the load points do to the probes, at each order at which they flow.

    Parameters
    ----------
    start, column, first_kept, still, probe_start, probe_row
        As of `reduce_to_loads`.
    matrix : c128[orders, size]
        The factorised equations.
    ends : int[loads, 2]
        Rows between which each load lies; -1 is earth.
    probe_weight : c128[orders, terms]
    direct
        Load, probe row and share of each current that a probe's row holds by itself.
    flowing : bool[orders]
        Others are left as they are.
    current : c128[orders, loads]
        Drawn from the first row to the second [A].
    out : c128[probe rows, orders]
        Added to [V, A].
    """
    rows = start.shape[0] - 1
    x = np.zeros(rows, dtype=np.complex128)
    for h in range(flowing.shape[0]):
        if not flowing[h]:
            continue
        for k in range(first_kept, rows):
            x[k] = 0.0
        for j in range(ends.shape[0]):
            for side in range(2):
                at = ends[j, side]
                if at >= 0 and not still[at]:
                    x[at] += current[h, j] if side == 1 else -current[h, j]
        substitute(start, column, matrix[h], first_kept, first_kept, x)
        for r in range(probe_start.shape[0] - 1):
            total = complex(0.0, 0.0)
            for e in range(probe_start[r], probe_start[r + 1]):
                total += probe_weight[h, e] * x[probe_row[e]]
            out[r, h] += total
        for e in range(direct[0].shape[0]):
            out[direct[1][e], h] += direct[2][e] * current[h, direct[0][e]]

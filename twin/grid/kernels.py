"""Compiled loops of the nodal solver: factorisation in 3x3 blocks, reduction to load points.

A matrix is held in elimination order. Row k has its diagonal block in ``diagonal[k]`` and, for each
later row j that it is coupled to (``column[start[k]:start[k+1]]``), the block (k, j) in ``upper`` and the
block (j, k) in ``lower`` at the same slot. All products are loops of their own: results do not depend on
a BLAS and its threads.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Index = NDArray[np.int64]
Flag = NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _invert(block: Complex, work: Complex) -> bool:
    """Invert a 3x3 block in place by Gauss-Jordan with row pivoting; False when it is singular."""
    for i in range(3):
        for j in range(3):
            work[i, j] = block[i, j]
            work[i, j + 3] = 1.0 if i == j else 0.0
    for k in range(3):
        pivot = k
        for i in range(k + 1, 3):
            if abs(work[i, k]) > abs(work[pivot, k]):
                pivot = i
        if not abs(work[pivot, k]) > 0.0:
            return False
        if pivot != k:
            for j in range(6):
                swap = work[k, j]
                work[k, j] = work[pivot, j]
                work[pivot, j] = swap
        scale = 1.0 / work[k, k]
        for j in range(k, 6):
            work[k, j] = work[k, j] * scale
        for i in range(3):
            if i != k:
                factor = work[i, k]
                for j in range(k, 6):
                    work[i, j] = work[i, j] - factor * work[k, j]
    for i in range(3):
        for j in range(3):
            block[i, j] = work[i, j + 3]
    return True


@njit(cache=True, nogil=True)
def _subtract_product(target: Complex, left: Complex, right: Complex) -> None:
    """``target -= left @ right`` for 3x3 blocks."""
    for i in range(3):
        for j in range(3):
            total = left[i, 0] * right[0, j]
            total += left[i, 1] * right[1, j]
            total += left[i, 2] * right[2, j]
            target[i, j] -= total


@njit(cache=True, nogil=True)
def assemble(
    blocks: Complex,
    shunt: Complex,
    in_service: Flag,
    ends: Index,
    slot: Index,
    fixed: Flag,
    diagonal: Complex,
    lower: Complex,
    upper: Complex,
) -> None:
    """Stamp one order's nodal matrix.

    Parameters
    ----------
    blocks : c128[branches, 2, 2, 3, 3]
        Admittance of each branch by end and end [S].
    shunt : c128[rows, 3, 3]
        Admittance to earth at each row [S].
    in_service : bool[branches]
    ends : int[branches, 2]
        Rows of the from and to buses.
    slot : int[branches]
        Place of the coupling block.
    fixed : bool[rows]
        Rows whose voltage is the right-hand side itself (ideal sources, dead buses).
    diagonal, lower, upper : c128[.., 3, 3]
        Zeroed arrays to fill.
    """
    for k in range(shunt.shape[0]):
        for i in range(3):
            if fixed[k]:
                diagonal[k, i, i] = 1.0
            else:
                for j in range(3):
                    diagonal[k, i, j] += shunt[k, i, j]
    for b in range(blocks.shape[0]):
        if not in_service[b]:
            continue
        for end in range(2):
            near, far = ends[b, end], ends[b, 1 - end]
            if fixed[near]:
                continue
            coupling = upper if near < far else lower
            for i in range(3):
                for j in range(3):
                    diagonal[near, i, j] += blocks[b, end, end, i, j]
                    coupling[slot[b], i, j] += blocks[b, end, 1 - end, i, j]


@njit(cache=True, nogil=True)
def factorise(
    start: Index,
    column: Index,
    target_start: Index,
    target: Index,
    diagonal: Complex,
    lower: Complex,
    upper: Complex,
) -> int:
    """Factorise in place: L in ``lower``, U in ``upper``, inverted pivots in ``diagonal``.

    Returns -1, or the row at which the matrix is singular. ``target[target_start[k] + n]`` is the slot
    of the n-th pair (a, b), a < b, of the neighbours of row k.
    """
    work = np.zeros((3, 6), dtype=np.complex128)
    scaled = np.zeros((3, 3), dtype=np.complex128)
    for k in range(start.shape[0] - 1):
        if not _invert(diagonal[k], work):
            return k
        pivot = diagonal[k]
        for a in range(start[k], start[k + 1]):
            row = lower[a]
            for i in range(3):
                for j in range(3):
                    total = row[i, 0] * pivot[0, j]
                    total += row[i, 1] * pivot[1, j]
                    total += row[i, 2] * pivot[2, j]
                    scaled[i, j] = total
            for i in range(3):
                for j in range(3):
                    row[i, j] = scaled[i, j]
        pair = target_start[k]
        for a in range(start[k], start[k + 1]):
            _subtract_product(diagonal[column[a]], lower[a], upper[a])
            for b in range(a + 1, start[k + 1]):
                at = target[pair]
                pair += 1
                _subtract_product(upper[at], lower[a], upper[b])
                _subtract_product(lower[at], lower[b], upper[a])
    return -1


@njit(cache=True, nogil=True)
def substitute(
    start: Index,
    column: Index,
    diagonal: Complex,
    lower: Complex,
    upper: Complex,
    first: int,
    last: int,
    x: Complex,
) -> None:
    """Solve in place: forward from row ``first``, back to row ``last``.

    Rows before ``first`` must be zero in ``x``; rows before ``last`` are left unsolved.
    """
    rows = start.shape[0] - 1
    for k in range(first, rows):
        x0, x1, x2 = x[k, 0], x[k, 1], x[k, 2]
        if x0 == 0.0 and x1 == 0.0 and x2 == 0.0:
            continue
        for a in range(start[k], start[k + 1]):
            j = column[a]
            for i in range(3):
                x[j, i] -= lower[a, i, 0] * x0 + lower[a, i, 1] * x1 + lower[a, i, 2] * x2
    for k in range(rows - 1, last - 1, -1):
        x0, x1, x2 = x[k, 0], x[k, 1], x[k, 2]
        for a in range(start[k], start[k + 1]):
            j = column[a]
            x0 -= upper[a, 0, 0] * x[j, 0] + upper[a, 0, 1] * x[j, 1] + upper[a, 0, 2] * x[j, 2]
            x1 -= upper[a, 1, 0] * x[j, 0] + upper[a, 1, 1] * x[j, 1] + upper[a, 1, 2] * x[j, 2]
            x2 -= upper[a, 2, 0] * x[j, 0] + upper[a, 2, 1] * x[j, 1] + upper[a, 2, 2] * x[j, 2]
        for i in range(3):
            x[k, i] = diagonal[k, i, 0] * x0 + diagonal[k, i, 1] * x1 + diagonal[k, i, 2] * x2


@njit(cache=True, nogil=True)
def probe_values(
    x: Complex,
    probe_row: Index,
    probe_branch: Index,
    probe_end: Index,
    ends: Index,
    in_service: Flag,
    blocks: Complex,
    out: Complex,
) -> None:
    """Fill ``out`` c128[probes * 6] with each probe's voltages and branch currents from voltages ``x``."""
    for k in range(probe_row.shape[0]):
        for i in range(3):
            out[6 * k + i] = x[probe_row[k], i]
            out[6 * k + 3 + i] = 0.0
        b = probe_branch[k]
        if b < 0 or not in_service[b]:
            continue
        near = probe_end[k]
        for end in range(2):
            row = ends[b, end]
            for i in range(3):
                total = blocks[b, near, end, i, 0] * x[row, 0]
                total += blocks[b, near, end, i, 1] * x[row, 1]
                total += blocks[b, near, end, i, 2] * x[row, 2]
                out[6 * k + 3 + i] += total


@njit(cache=True, nogil=True)
def reduce_to_loads(
    start: Index,
    column: Index,
    diagonal: Complex,
    lower: Complex,
    upper: Complex,
    first_kept: int,
    fixed: Flag,
    load_row: Index,
    load_phase: Index,
    probe_row: Index,
    probe_branch: Index,
    probe_end: Index,
    probe_load: Flag,
    ends: Index,
    in_service: Flag,
    blocks: Complex,
    coupling: Complex,
    transfer: Complex,
) -> None:
    """Compute what 1 A drawn at each load point does to every load point and probe.

    Fills ``coupling[j, i]``, the voltage at load point i [V/A], and ``transfer[j, row]``, the probes' rows
    [V/A or A/A], per ampere drawn by load point j. ``probe_load[probe, j]`` marks the load points that a
    probe without a branch adds up.
    """
    rows = start.shape[0] - 1
    loads = load_row.shape[0]
    x = np.zeros((rows, 3), dtype=np.complex128)
    for j in range(loads):
        row, phase = load_row[j], load_phase[j]
        if fixed[row]:
            # A voltage that is given does not move: no load point and no branch feels the current.
            for i in range(loads):
                coupling[j, i] = 0.0
            for i in range(transfer.shape[1]):
                transfer[j, i] = 0.0
        else:
            for k in range(first_kept, rows):
                for i in range(3):
                    x[k, i] = 0.0
            x[row, phase] = -1.0
            substitute(start, column, diagonal, lower, upper, row, first_kept, x)
            for i in range(loads):
                coupling[j, i] = x[load_row[i], load_phase[i]]
            probe_values(x, probe_row, probe_branch, probe_end, ends, in_service, blocks, transfer[j])
        for k in range(probe_row.shape[0]):
            if probe_load[k, j]:
                transfer[j, 6 * k + 3 + phase] += 1.0

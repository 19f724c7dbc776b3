"""Bases of what a matrix does not see, kept local: vectors that touch few nodes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

_RANK = 1e-9
"""What is left of a row, relative to the matrix, below which it depends on the rows before."""


class NullBasis(NamedTuple):
    """Columns that a matrix maps to zero, and unit vectors that complete them to a basis."""

    pivots: NDArray[np.int64]
    """Shape (rank,): the unit vectors of these columns complete the basis, in rising order."""
    basis: Float
    """Shape (columns, columns - rank)."""


def null_basis(matrix: Float) -> NullBasis:
    """Find the null space by Gauss-Jordan elimination with complete pivoting.

    Rows of an incidence matrix hold few entries, mostly 1 and -1, so that elimination is exact and the
    basis stays as local as the network is. An orthonormal one would blend all nodes and, with values that
    differ by many decades, lose the small ones.

    Parameters
    ----------
    matrix
        Shape (rows, columns).

    Returns
    -------
    NullBasis
        Pivots and basis.
    """
    work = np.array(matrix, dtype=float)
    rows, columns = work.shape
    limit = _RANK * max(float(np.abs(work).max(initial=0.0)), 1e-300)
    order: list[int] = []
    for row in range(min(rows, columns)):
        below = np.abs(work[row:])
        best, column = divmod(int(below.argmax()), columns)
        if below[best, column] <= limit:
            break
        work[[row, row + best]] = work[[row + best, row]]
        work[row] /= work[row, column]
        others = np.flatnonzero(work[:, column])
        others = others[others != row]
        work[others] -= work[others, column, None] * work[row]
        order.append(column)
    free = np.setdiff1d(np.arange(columns), order)
    basis = np.zeros((columns, len(free)))
    basis[free, np.arange(len(free))] = 1.0
    basis[order] = -work[: len(order), free]
    return NullBasis(np.array(sorted(order), dtype=np.int64), basis)

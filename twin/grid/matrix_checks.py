"""What is wrong with the matrices of a line."""

import math
from collections.abc import Iterable

import numpy as np

from twin.contracts import Finding
from twin.grid.components import Line, Matrix
from twin.grid.table import Places

_ROUNDED = 1e-3
"""Part of a matrix's largest entry by which rounded data may be less than passive."""

_SINGULAR = 1e-12
"""Least over largest singular value of an impedance matrix that can be inverted."""

_GIVES = {"r": "active power", "x": "reactive power", "c": "charge"}


def matrix_findings(at: int, line: Line, places: Places, z_min: float) -> Iterable[Finding]:
    """Yield what is wrong with a line's matrices; ``z_min`` is the least impedance of a conductor [ohm]."""
    size = len(line.phases)
    good = True
    for key, matrix in (("r", line.r), ("x", line.x), ("c", line.c)):
        if matrix is None:
            continue
        wrong = _shape(key, matrix, line.phases) or _passive(key, matrix)
        if wrong is not None:
            good = False
            written = "type" if line.type else f"{key}_f" if key == "c" else f"{key}_ohm"
            yield places.finding("lines", at, written, *wrong)
    if line.r is None or line.x is None or not len(line.r) == len(line.x) == size:
        return
    written = "type" if line.type else "r_ohm"
    own = [math.hypot(line.r[i][i], line.x[i][i]) for i in range(size)]
    if min(own) < z_min:
        what = f"conductor {line.phases[own.index(min(own))]} has no impedance ({min(own):g} ohm)"
        yield places.finding("lines", at, written, what, f"give at least {z_min:g} ohm")
    elif good:
        sizes = np.linalg.svd(np.array(line.r) + 1j * np.array(line.x), compute_uv=False)
        if sizes[-1] <= _SINGULAR * sizes[0]:
            what = "its conductors are coupled so fully that a current can run in a loop without impedance"
            yield places.finding("lines", at, written, what, "lower r and x beside the diagonal")


def _shape(key: str, matrix: Matrix, phases: str) -> tuple[str, str] | None:
    """Return what is wrong and its mend, or None."""
    size = len(phases)
    if len(matrix) != size or any(len(row) != size for row in matrix):
        what = f"its {key} has {len(matrix)} rows for conductors '{phases}'"
        return what, f"give a matrix of {size} by {size}"
    if any(matrix[i][j] != matrix[j][i] for i in range(size) for j in range(i)):
        return f"its {key} is not symmetric", "give the same both ways"
    if any(matrix[i][i] < 0 for i in range(size)):
        return f"its {key} is negative on the diagonal", "give 0 or more"
    return None


def _passive(key: str, matrix: Matrix) -> tuple[str, str] | None:
    """Find a matrix that gives energy: some currents or voltages would make its quadratic form negative."""
    values = np.array(matrix)
    if np.linalg.eigvalsh(values)[0] >= -_ROUNDED * np.abs(values).max():
        return None
    what = f"its {key} is too large beside the diagonal: the line would be a source of {_GIVES[key]}"
    return what, "correct the entries beside the diagonal, or those on it"

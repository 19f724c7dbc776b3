"""Parts of a network that next to nothing holds to earth: how their potential spreads over the nodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from twin.grid.nodal import Factors, NodalSystem

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]
Flag = NDArray[np.bool_]

_STRONGER = 1e3
"""What holds a part by so much more than the stray paths is a path of the network itself."""

_FAINTER = 1e-6
"""Part of the stray paths that stays beside loads: enough for an equation, too little to carry a current."""

_ROUNDED = 1e-6
"""A voltage below it, of the part's own, is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Parts of a network that only stray paths hold to earth."""

    volts: Float
    """(parts, rows) of the nodal equations: voltage of each per volt of the part, no current flowing."""
    stray: Float
    """(parts,) what stands for a path to earth where not even loads are one [S]."""


def loose_shapes(system: "NodalSystem", factors: "Factors", order_at: int) -> Shapes:
    """Return the parts that stray paths alone hold to earth, at the order in position ``order_at``."""
    volts, stray = [], []
    for _, shape, held, found in _lifted(system, factors, order_at):
        if found < _STRONGER * held:
            # Drawn where the stray paths take it, the ampere makes no drop within the part.
            x = system.solve(factors, order_at, factors.stray * (shape + 0j))
            exact = np.real(x / x[int(np.argmax(np.abs(shape)))])
            exact[np.abs(exact) < _ROUNDED] = 0.0
            volts.append(exact)
            stray.append(_FAINTER * held)
    return Shapes(np.array(volts).reshape(len(volts), system.rows), np.array(stray))


def held_after_all(system: "NodalSystem", factors: "Factors") -> Flag:
    """Return the rows (rows,) with a stray path that a single-phase unit holds to earth as well.

    It does when a current can flow behind it. That is seen from how far an ampere lifts the part.
    """
    row, group = system.pattern.row, factors.topology.group
    doubtful = np.zeros(system.rows, dtype=np.bool_)
    doubtful[row] = factors.topology.doubtful
    out = np.zeros(system.rows, dtype=np.bool_)
    if not (doubtful & (factors.stray > 0)).any():
        return out
    for node, _, held, found in _lifted(system, factors, 0):
        if doubtful[row[node]] and not found < _STRONGER * held:
            out[row[group == group[node]]] = True
    return out & (factors.stray > 0)


def _lifted(
    system: "NodalSystem", factors: "Factors", order_at: int
) -> Iterator[tuple[int, Float, float, float]]:
    """Yield for each part with stray paths: a node, volts of all rows per volt there, and what holds it [S].

    Both by the stray paths alone, and as an ampere finds it.
    """
    row = system.pattern.row
    loose = np.flatnonzero((factors.stray > 0)[row] & ~factors.still[row])
    _, first = np.unique(factors.topology.group[loose], return_index=True)
    for node in map(int, loose[first]):
        at = row[node]
        ampere = np.zeros(system.rows, dtype=np.complex128)
        ampere[at] = 1.0
        x = system.solve(factors, order_at, ampere)
        shape = np.real(x / x[at])
        yield node, shape, float(np.sum(factors.stray * shape**2)), float(abs(1.0 / x[at]))

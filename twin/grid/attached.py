"""Machines in a reduced network: linear elements that change often, taken in without factorising anew."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid.admittance import inverse

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """An admittance between three load points."""

    points: tuple[int, int, int]
    """Load points of phases a, b and c."""
    y: Complex
    """(3, 3) drawn currents over voltages [S]."""


@dataclass(frozen=True, slots=True, eq=False)
class Machines:
    """Some machines as one matrix over their load points."""

    points: NDArray[np.int64]
    """(k,)"""
    y: Complex
    """(k, k) [S]"""

    def current(self, v: Complex) -> Complex:
        """Return what they draw at the voltages of all load points, (loads,) [A]."""
        out = np.zeros_like(v)
        out[self.points] = np.einsum("ij,j->i", self.y, v[self.points])
        return out


def gathered(machines: Mapping[str, Machine]) -> Machines | None:
    """Return machines as one, those on the same load points added; None when there are none."""
    if not machines:
        return None
    points = sorted({point for machine in machines.values() for point in machine.points})
    place = {point: at for at, point in enumerate(points)}
    y = np.zeros((len(points), len(points)), dtype=np.complex128)
    for name in sorted(machines):
        at = [place[point] for point in machines[name].points]
        y[np.ix_(at, at)] += machines[name].y
    return Machines(np.array(points, dtype=np.int64), y)


def attached(v0: Complex, coupling: Complex, machines: Machines) -> tuple[Complex, Complex]:
    """Return no-load voltages and coupling of the load points with the machines running.

    Parameters
    ----------
    v0 : c128[loads]
        Voltages without load [V].
    coupling : c128[loads, loads]
        ``coupling[j, i]``: voltage at load point i per ampere drawn by load point j [V/A].
    machines : Machines

    Notes
    -----
    With the machines' points m: ``V_m = (1 - K_mm^T Y)^-1 (V0_m + sum_l K_lm I_l)``; the rest follows.
    """
    m, y = machines.points, machines.y
    size = m.size
    system = np.eye(size) - np.einsum("ji,jk->ik", coupling[np.ix_(m, m)], y)
    drawn = np.einsum("ij,jk->ik", y, inverse(system[None])[0])
    spread = np.einsum("ij,il->jl", drawn, coupling[m])  # voltage anywhere per volt at m without them
    return v0 + np.einsum("j,jl->l", v0[m], spread), coupling + np.einsum("nj,jl->nl", coupling[:, m], spread)

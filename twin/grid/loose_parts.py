"""Parts of a network that only loads, if anything, hold to earth, as load points and probes see them.

A neutral that has broken, or the phases behind a delta, share one unknown more: their potential against the
rest. What loads draw from such a part returns to it through other loads, to the last ampere; the little that
stands for a path to earth would turn a rounded ampere into volts. The potential is therefore kept apart from
what currents do within the network, and the balance of the part's currents is an equation of its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid.admittance import inverse
from twin.grid.attached import Machines
from twin.grid.loose_shapes import Shapes
from twin.grid.nodes import EARTH

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]
Index = NDArray[np.int64]

_ROUNDED = 1e-6
"""Shares below it are rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class LooseParts:
    """The parts between which and the rest loads lie, each independent of the others."""

    sign: Float
    """(parts, loads) volts at a load point per volt of a part, and so also the part's amperes per ampere."""
    weight: Float
    """(parts, loads) of load voltages, whose sum is the potential of a part."""
    shapes: Shapes
    shift: Float
    """(parts, probe rows) change of a row per volt of a part."""
    rest: Complex
    """(parts,) potential with no load at all [V]."""
    injection: Complex
    """(rows,) right-hand side of order 1 without loads, with what the stray paths take given back."""

    def potential(self, v: Complex) -> Complex:
        """Return the parts' potentials (parts,) for the voltages of all load points [V]."""
        return np.asarray(np.einsum("gj,j->g", self.weight, v))

    def balance(self, current: Complex, v: Complex, one: int) -> Complex:
        """Let loads share the harmonic currents that have no way back.

        Behind its current each load has the admittance that its whole current makes of its voltage. It
        matters in loose parts alone, where their potential follows from it. No potential is larger than
        the largest load voltage: no load draws more than that current.

        Parameters
        ----------
        current : c128[orders, loads]
            Drawn by sources of current; changed in place, the row of order 1 excepted [A].
        v : c128[loads]
            Voltages of order 1 [V].
        one : int
            Position of order 1.

        Returns
        -------
        c128[orders, parts]
            Potential of each part; zero at order 1 [V].
        """
        whole = np.sqrt(np.sum(current.real**2 + current.imag**2, axis=0))
        y = np.divide(whole, np.abs(v), out=np.zeros_like(whole), where=np.abs(v) > 0)
        joined = np.einsum("fj,j,gj->fg", self.sign, y, self.sign) + np.diag(self.shapes.stray)
        net = np.einsum("gj,hj->hg", self.sign, current)
        net[one] = 0.0
        out = -np.einsum("fg,hg->hf", inverse(joined[None].astype(np.complex128))[0], net)
        current += y * np.einsum("gj,hg->hj", self.sign, out)
        return np.asarray(out)

    def shifted(self, voltage: Complex, ends: Index, potential: Complex) -> Complex:
        """Return voltages c128[rows] with the parts moved to their potentials."""
        away = potential - self.potential(across(voltage, ends))
        return np.asarray(voltage + np.einsum("gr,g->r", self.shapes.volts, away))


def across(x: Complex, ends: Index) -> Complex:
    """Return the voltage between two rows each; `EARTH` for earth."""
    against_earth = np.append(x, 0.0)
    return np.asarray(against_earth[ends[:, 0]] - against_earth[ends[:, 1]])


def between_loads(shapes: Shapes, ends: Index) -> tuple[Float, Float, Shapes]:
    """Return sign, weight (parts, loads) and shape of the parts that loads join to others or to earth.

    Of parts that loads join to each other only, one less than there are.
    """
    columns: list[Float] = []
    kept: list[int] = []
    basis: list[Float] = []
    for at, volts in enumerate(shapes.volts):
        column = across(volts.astype(np.complex128), ends).real
        column[np.abs(column) < _ROUNDED] = 0.0
        left = column.copy()
        for one in basis:
            left -= np.sum(one * left) * one
        size = float(np.sqrt(np.sum(left**2)))
        if size > _ROUNDED * float(np.sqrt(np.sum(column**2))):
            columns.append(column)
            kept.append(at)
            basis.append(left / size)
    sign = np.array(columns).reshape(len(columns), len(ends))
    gram = np.einsum("fj,gj->fg", sign, sign).astype(np.complex128)
    weight = np.einsum("fg,gj->fj", inverse(gram[None])[0].real, sign) if kept else sign
    return sign, weight, Shapes(shapes.volts[kept], shapes.stray[kept])


def drawn_and_returned(load: int, sign: Float, weight: Float) -> Float:
    """Return load currents (loads,) of which one draws an ampere and no part keeps any."""
    out: Float = -np.einsum("gj,g->j", weight, sign[:, load])
    out[load] += 1.0
    return out


def injected(current: Float, ends: Index, still: NDArray[np.bool_]) -> Complex:
    """Return what currents (loads,) that loads draw are to the nodal equations, c128[rows]."""
    out = np.zeros(still.size + 1, dtype=np.complex128)
    np.add.at(out, ends[:, 0], -current)
    np.add.at(out, ends[:, 1], current)
    return np.where(still, 0.0, out[:EARTH])


def bordered(
    loose: LooseParts | None, v0: Complex, coupling: Complex, machines: Machines | None
) -> tuple[Complex, Complex, Complex, Complex]:
    """Return the equations of the potentials, as `load_kernels.admittance_iteration` takes them.

    Parameters
    ----------
    loose : LooseParts, optional
        None: there are no such equations.
    v0 : c128[loads]
        Voltages without load, machines running [V].
    coupling : c128[loads, loads]
        Likewise [V/A].
    machines : Machines, optional

    Notes
    -----
    A machine draws ``Y V`` from a part as well, of the potential itself and of what loads do to its voltage.
    """
    if loose is None:
        none = np.zeros((0, v0.size), dtype=np.complex128)
        return none, none, np.zeros((0, 0), dtype=np.complex128), np.zeros(0, dtype=np.complex128)
    moved = loose.sign.astype(np.complex128)
    drawn = moved.copy()
    held = np.diag(loose.shapes.stray).astype(np.complex128)
    rest = loose.shapes.stray * loose.rest
    if machines is not None:
        m, y = machines.points, machines.y
        own = np.einsum(
            "gi,ij->gj", loose.sign[:, m], y
        )  # current of a part per volt at each machine's point
        moved += np.einsum("gi,il->gl", np.einsum("ij,gj->gi", y, loose.sign[:, m]), coupling[m])
        drawn += np.einsum("gi,li->gl", own, coupling[:, m])
        held += np.einsum("gi,fi->gf", own, moved[:, m])
        rest = rest - np.einsum("gi,i->g", own, v0[m])
    return moved, drawn, held, rest

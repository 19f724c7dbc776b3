"""A network in one state as its load points and probes see it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.loose_parts import LooseParts, across
from twin.grid.nodal import Factors, NodalSystem
from twin.grid.probes import ProbeRows
from twin.grid.reducer import Reducer
from twin.grid.transfers import Transfers, choose_transfers

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """What a state of the network is to its load points and probes."""

    v0: Complex
    """(loads,) voltage at no load [V]."""
    base: Complex
    """(probes * 6,) probe rows at no load, order 1."""
    coupling_re: Float
    coupling_im: Float
    """(loads, loads) [V/A]"""
    transfers: Transfers
    """How currents of the load points reach the probes' rows."""
    factors: Factors
    loose: LooseParts | None
    """Parts that loads alone hold; voltages, couplings and transfers are then without their potentials."""


def reduce_network(system: NodalSystem, factors: Factors, probes: ProbeRows, ends: Index) -> Reduction:
    """Reduce a factorised network at the fundamental; other orders follow when anybody emits them.

    Parameters
    ----------
    system, factors, probes, ends
        As of `Reducer`.
    """
    reducer = Reducer(system, factors, probes, ends)
    one, ends, sign, weight = reducer.one, reducer.ends, reducer.sign, reducer.weight
    coupling, transfer = reducer.at(one)
    v = system.solve(factors, one, system.source_injection)
    v0, loose = across(v, ends), None
    injection, rest = system.source_injection, np.einsum("gj,j->g", weight, v0)
    if sign.size:
        injection = injection + factors.stray * (v - np.einsum("g,gr->r", rest, reducer.shapes.volts))
        v = system.solve(factors, one, injection)
        v0 = across(v, ends)
    base = reducer.rows(v)
    if sign.size:
        lift = np.einsum("gj,j->g", weight, v0)
        v0 -= np.einsum("g,gj->j", lift, sign)
        base -= np.einsum("g,gr->r", lift, reducer.shift)
        loose = LooseParts(sign, weight, reducer.shapes, reducer.shift, rest, injection)
    return Reduction(
        v0=v0,
        base=base,
        coupling_re=np.ascontiguousarray(coupling.real),
        coupling_im=np.ascontiguousarray(coupling.imag),
        transfers=choose_transfers(reducer, transfer),
        factors=factors,
        loose=loose,
    )


def all_voltages(
    system: NodalSystem, reduction: Reduction, ends: Index, current: Complex, potential: Complex, order: int
) -> Complex:
    """Return voltages c128[nodes] for currents (loads,) and potentials (parts,) of an order [V]."""
    factors, loose, pattern = reduction.factors, reduction.loose, system.pattern
    injection = system.right_hand_side(factors, order)
    if loose is not None and order == 1:
        injection = np.where(factors.still & ~system.held_rows, 0.0, loose.injection)
    out = np.empty(system.rows, dtype=np.complex128)
    at = int(np.flatnonzero(system.orders == order)[0])
    kernels.recover(
        pattern.start, pattern.column, factors.matrix[at], injection, factors.still, ends, current, out
    )
    if loose is not None:
        out = loose.shifted(out, ends, potential)
    return out[pattern.row]

"""A network in one state as its load points and probes see it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.loose_parts import (
    LooseParts,
    across,
    between_loads,
    drawn_and_returned,
    injected,
)
from twin.grid.loose_shapes import loose_shapes
from twin.grid.nodal import Factors, NodalSystem
from twin.grid.nodes import EARTH
from twin.grid.probes import ROWS, ProbeRows

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
    moved: NDArray[np.intp]
    """Probe rows that the loads have an effect on; a single-phase customer has two that they have not."""
    transfer_re: Float
    transfer_im: Float
    """(orders, loads, moved rows) [V/A, A/A]"""
    factors: Factors
    loose: LooseParts | None
    """Parts that loads alone hold; voltages, couplings and transfers are then without their potentials."""


def reduce_network(system: NodalSystem, factors: Factors, probes: ProbeRows, ends: Index) -> Reduction:
    """Reduce a factorised network.

    Parameters
    ----------
    system : NodalSystem
        With order 1 among its orders.
    factors : Factors
        Of the state.
    probes : ProbeRows
    ends : int[loads, 2]
        Rows between which each load point lies; `EARTH` for earth.
    """
    pattern = system.pattern
    loads, rows, orders = len(ends), probes.count, len(system.orders)
    one = int(np.flatnonzero(system.orders == 1)[0])
    probe_row = pattern.row[probes.node]
    live = _live(system, factors, ends)
    ends = np.where(live[:, None], ends, EARTH)
    plus, minus = (np.ascontiguousarray(ends[:, at]) for at in (0, 1))
    direct = np.where(live[:, None], probes.direct, 0.0)
    coupling = np.empty((loads, loads), dtype=np.complex128)
    scratch = np.empty_like(coupling) if orders > 1 else coupling
    transfer = np.empty((orders, loads, rows), dtype=np.complex128)
    weights = [probes.weights(factors.elements, factors.topology.in_service, n) for n in range(orders)]
    sign, weight, shapes = between_loads(loose_shapes(system, factors, one), ends)
    shift = _shift(probes, probe_row, weights[one], shapes.volts)
    for n in range(orders):
        at_order = coupling if n == one else scratch
        kernels.reduce_to_loads(
            pattern.start,
            pattern.column,
            factors.matrix[n],
            pattern.first_kept,
            factors.still,
            plus,
            minus,
            probes.start,
            probe_row,
            weights[n],
            direct,
            at_order,
            transfer[n],
        )
        for load in map(int, np.flatnonzero(np.any(sign, axis=0))):
            drawn = drawn_and_returned(load, sign, weight)
            x = system.solve(factors, n, injected(drawn, ends, factors.still))
            at_order[load] = across(x, ends)
            kernels.weighted_sums(probes.start, probe_row, weights[n], x, transfer[n, load])
            transfer[n, load] += np.einsum("j,jr->r", drawn, direct)
        if sign.size:
            lifted = np.einsum("gj,ij->ig", weight, at_order)
            at_order -= np.einsum("ig,gj->ij", lifted, sign)
            transfer[n] -= np.einsum("ig,gr->ir", lifted, shift)
    v = system.solve(factors, one, system.source_injection)
    v0, loose = across(v, ends), None
    injection, rest = system.source_injection, np.einsum("gj,j->g", weight, v0)
    if sign.size:
        injection = injection + factors.stray * (v - np.einsum("g,gr->r", rest, shapes.volts))
        v = system.solve(factors, one, injection)
        v0 = across(v, ends)
    base = np.empty(rows, dtype=np.complex128)
    kernels.weighted_sums(probes.start, probe_row, weights[one], v, base)
    moved = np.flatnonzero(np.any(transfer, axis=(0, 1)) | np.any(shift, axis=0))
    if sign.size:
        lift = np.einsum("gj,j->g", weight, v0)
        v0 -= np.einsum("g,gj->j", lift, sign)
        base -= np.einsum("g,gr->r", lift, shift)
        loose = LooseParts(sign, weight, shapes, shift[:, moved], rest, injection)
    return Reduction(
        v0=v0,
        base=base,
        coupling_re=np.ascontiguousarray(coupling.real),
        coupling_im=np.ascontiguousarray(coupling.imag),
        moved=moved,
        transfer_re=np.ascontiguousarray(transfer.real[:, :, moved]),
        transfer_im=np.ascontiguousarray(transfer.imag[:, :, moved]),
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


def _shift(probes: ProbeRows, probe_row: Index, weights: Complex, volts: Float) -> Float:
    """Return (parts, probe rows): what a volt of each part adds to a row; it drives no current."""
    out = np.zeros((len(volts), probes.count), dtype=np.complex128)
    for at, shape in enumerate(volts):
        kernels.weighted_sums(probes.start, probe_row, weights, shape.astype(np.complex128), out[at])
    out.reshape(len(volts), probes.count // ROWS, ROWS)[:, :, 3:] = 0.0
    return np.asarray(out.real)


def _live(system: NodalSystem, factors: Factors, ends: Index) -> NDArray[np.bool_]:
    """Return the load points whose conductors a source reaches."""
    row = system.pattern.row
    fed = np.zeros(row.size + 1, dtype=np.bool_)
    fed[row] = factors.topology.fed
    fed[EARTH] = True
    return np.asarray(fed[ends].all(axis=1))

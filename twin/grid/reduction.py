"""A network in one state as its load points and probes see it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.nodal import Factors, NodalSystem
from twin.grid.nodes import EARTH
from twin.grid.probes import ProbeRows

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
    plus, minus = (np.ascontiguousarray(ends[:, at]) for at in (0, 1))
    live = _live(system, factors, ends)
    direct = np.where(live[:, None], probes.direct, 0.0)
    coupling = np.empty((loads, loads), dtype=np.complex128)
    scratch = np.empty_like(coupling)
    transfer = np.empty((orders, loads, rows), dtype=np.complex128)
    weights = [probes.weights(factors.elements, factors.topology.in_service, n) for n in range(orders)]
    for n in range(orders):
        kernels.reduce_to_loads(
            pattern.start,
            pattern.column,
            factors.matrix[n],
            pattern.first_kept,
            factors.still,
            np.where(live, plus, EARTH),
            np.where(live, minus, EARTH),
            probes.start,
            probe_row,
            weights[n],
            direct,
            coupling if n == one else scratch,
            transfer[n],
        )
    v = system.solve(factors, one, system.source_injection)
    base = np.empty(rows, dtype=np.complex128)
    kernels.weighted_sums(probes.start, probe_row, weights[one], v, base)
    moved = np.flatnonzero(np.any(transfer, axis=(0, 1)))
    against_earth = np.append(v, 0.0)
    return Reduction(
        v0=np.where(live, against_earth[plus] - against_earth[minus], 0.0),
        base=base,
        coupling_re=np.ascontiguousarray(coupling.real),
        coupling_im=np.ascontiguousarray(coupling.imag),
        moved=moved,
        transfer_re=np.ascontiguousarray(transfer.real[:, :, moved]),
        transfer_im=np.ascontiguousarray(transfer.imag[:, :, moved]),
        factors=factors,
    )


def _live(system: NodalSystem, factors: Factors, ends: Index) -> NDArray[np.bool_]:
    """Return the load points whose conductors a source reaches."""
    row = system.pattern.row
    fed = np.zeros(row.size + 1, dtype=np.bool_)
    fed[row] = factors.topology.fed
    fed[EARTH] = True
    return np.asarray(fed[ends].all(axis=1))

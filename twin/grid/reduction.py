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


class Reducer:
    """Reduces a factorised network to load points and probes, order by order.

    Parameters
    ----------
    system : NodalSystem
        With order 1 among its orders.
    factors : Factors
        Of the state.
    probes : ProbeRows
    ends : int[loads, 2]
        Rows between which each load point lies; `EARTH` for earth.

    Attributes
    ----------
    one : int
        Where order 1 is among the orders.
    ends : int[loads, 2]
        Those of load points that no source reaches lie at earth.
    sign, weight, shapes
        Parts that loads alone hold, as of `between_loads`.
    shift : f64[parts, probe rows]
        What a volt of each part adds to a probe's row.
    """

    def __init__(self, system: NodalSystem, factors: Factors, probes: ProbeRows, ends: Index) -> None:
        self._system, self._factors, self._probes = system, factors, probes
        self.one = int(np.flatnonzero(system.orders == 1)[0])
        live = _live(system, factors, ends)
        self.ends: Index = np.where(live[:, None], ends, EARTH)
        self._plus, self._minus = (np.ascontiguousarray(self.ends[:, at]) for at in (0, 1))
        self._direct = np.where(live[:, None], probes.direct, 0.0)
        self._probe_row = system.pattern.row[probes.node]
        self.sign, self.weight, self.shapes = between_loads(
            loose_shapes(system, factors, self.one), self.ends
        )
        self.shift = _shift(probes, self._probe_row, self._weights(self.one), self.shapes.volts)

    def at(self, n: int) -> tuple[Complex, Complex]:
        """Return what currents of the load points do at an order.

        Parameters
        ----------
        n : int
            Where the order is among the system's.

        Returns
        -------
        coupling : c128[loads, loads]
            [V/A]
        transfer : c128[loads, probe rows]
            [V/A, A/A]
        """
        loads, weights = len(self.ends), self._weights(n)
        system, factors, probes = self._system, self._factors, self._probes
        coupling = np.empty((loads, loads), dtype=np.complex128)
        transfer = np.empty((loads, probes.count), dtype=np.complex128)
        pattern = system.pattern
        kernels.reduce_to_loads(
            pattern.start,
            pattern.column,
            factors.matrix[n],
            pattern.first_kept,
            factors.still,
            self._plus,
            self._minus,
            probes.start,
            self._probe_row,
            weights,
            self._direct,
            coupling,
            transfer,
        )
        for load in map(int, np.flatnonzero(np.any(self.sign, axis=0))):
            drawn = drawn_and_returned(load, self.sign, self.weight)
            x = system.solve(factors, n, injected(drawn, self.ends, factors.still))
            coupling[load] = across(x, self.ends)
            kernels.weighted_sums(probes.start, self._probe_row, weights, x, transfer[load])
            transfer[load] += np.einsum("j,jr->r", drawn, self._direct)
        if self.sign.size:
            lifted = np.einsum("gj,ij->ig", self.weight, coupling)
            coupling -= np.einsum("ig,gj->ij", lifted, self.sign)
            transfer -= np.einsum("ig,gr->ir", lifted, self.shift)
        return coupling, transfer

    def rows(self, v: Complex) -> Complex:
        """Return the probes' rows for voltages of the fundamental, (probe rows,)."""
        out = np.empty(self._probes.count, dtype=np.complex128)
        kernels.weighted_sums(self._probes.start, self._probe_row, self._weights(self.one), v, out)
        return out

    def _weights(self, n: int) -> Complex:
        return self._probes.weights(self._factors.elements, self._factors.topology.in_service, n)


class Transfers:
    """What currents of the load points do to the probes' rows, at those orders that anybody emits.

    Attributes
    ----------
    moved : int[rows]
        Probe rows that the loads have an effect on; a single-phase customer has two that they have not.
    re, im : f64[present orders, loads, moved rows]
        [V/A, A/A]
    place : i64[orders]
        Where each order of the system is among those that are present; -1 where it is not.
    """

    def __init__(self, reducer: Reducer, transfer: Complex, orders: int) -> None:
        self._reducer = reducer
        self.place: Index = np.full(orders, -1, dtype=np.int64)
        self.place[reducer.one] = 0
        self.moved = np.flatnonzero(np.any(transfer, axis=0) | np.any(reducer.shift, axis=0))
        self.re = np.ascontiguousarray(transfer.real[None, :, self.moved])
        self.im = np.ascontiguousarray(transfer.imag[None, :, self.moved])

    def require(self, emitted: NDArray[np.bool_]) -> None:
        """Have those orders present at which currents flow, bool[orders]."""
        missing = np.flatnonzero(emitted & (self.place < 0))
        if not missing.size:
            return
        found = np.stack([self._reducer.at(n)[1] for n in map(int, missing)])
        self.place[missing] = len(self.re) + np.arange(missing.size)
        moved = np.union1d(self.moved, np.flatnonzero(np.any(found, axis=(0, 1))))
        kept = np.zeros((2, len(self.re), found.shape[1], moved.size))
        kept[:, :, :, np.searchsorted(moved, self.moved)] = self.re, self.im
        self.moved = moved
        self.re = np.concatenate((kept[0], found.real[:, :, moved]))
        self.im = np.concatenate((kept[1], found.imag[:, :, moved]))


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
        transfers=Transfers(reducer, transfer, len(system.orders)),
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

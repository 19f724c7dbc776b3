"""How currents of the load points reach the probes' rows: by a table, or by the network's factors.

A table (loads x rows) for each order is read whole at each solution: in a small network that is the
quickest. Its size grows with loads times meters, that of the factors with the network alone.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels, load_kernels
from twin.grid.reducer import Reducer

Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

_TABLE_SPEED = 4
"""How many products of a table cost what one of the factors' scattered ones costs."""


class Transfers(Protocol):
    """What currents of the load points do to the probes' rows."""

    @property
    def nbytes(self) -> int:
        """Memory that it holds [bytes]."""

    def phasors(self, base: Complex, current: Complex) -> Complex:
        """Return what the probes see.

        Parameters
        ----------
        base : c128[probe rows]
            At no load, order 1; nothing at others [V, A].
        current : c128[orders, loads]
            Drawn by the load points [A].

        Returns
        -------
        c128[probe rows, orders]
            [V, A]
        """


def choose_transfers(reducer: Reducer, transfer: Complex) -> Transfers:
    """Return what takes fewer products in a state of a network.

    Parameters
    ----------
    reducer : Reducer
    transfer : c128[loads, probe rows]
        Of order 1.
    """
    table = TableTransfers(reducer, transfer)
    pattern, probes = reducer.system.pattern, reducer.probes
    kept = pattern.start.size - 1 - pattern.first_kept
    slots = int(pattern.start[-1] - pattern.start[pattern.first_kept])
    products = 2 * slots + kept + probes.node.size + np.count_nonzero(reducer.direct)
    # Parts that loads alone hold are in the table alone.
    if reducer.sign.size or _TABLE_SPEED * products >= len(transfer) * table.moved.size:
        return table
    return FactorTransfers(reducer)


class TableTransfers:
    """Tables of what an ampere of each load point does, at those orders that anybody emits.

    Parameters
    ----------
    reducer : Reducer
    transfer : c128[loads, probe rows]
        Of order 1.

    Attributes
    ----------
    moved : int[rows]
        Probe rows that the loads have an effect on; a single-phase customer has two that they have not.
    re, im : f64[present orders, loads, moved rows]
        [V/A, A/A]
    place : i64[orders]
        Where each order of the system is among those that are present; -1 where it is not.
    """

    def __init__(self, reducer: Reducer, transfer: Complex) -> None:
        self._reducer = reducer
        self._orders: Index = reducer.system.orders
        self.place: Index = np.full(self._orders.size, -1, dtype=np.int64)
        self.place[reducer.one] = 0
        self.moved = np.flatnonzero(np.any(transfer, axis=0) | np.any(reducer.shift, axis=0))
        self.re = np.ascontiguousarray(transfer.real[None, :, self.moved])
        self.im = np.ascontiguousarray(transfer.imag[None, :, self.moved])

    @property
    def nbytes(self) -> int:
        """Memory that the tables hold [bytes]."""
        return self.re.nbytes + self.im.nbytes

    def phasors(self, base: Complex, current: Complex) -> Complex:
        """Return what the probes see; see `Transfers`."""
        self._require(np.any(current, axis=1))
        out = np.empty((base.size, self._orders.size), dtype=np.complex128)
        load_kernels.apply_transfer(
            base, self.moved, self.place, self.re, self.im, current, self._orders, out
        )
        return out

    def _require(self, emitted: NDArray[np.bool_]) -> None:
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


class FactorTransfers:
    """Substitution in the part of the factors that holds load points and probes, order by order.

    Parameters
    ----------
    reducer : Reducer
        Without parts that loads alone hold.
    """

    def __init__(self, reducer: Reducer) -> None:
        self._reducer = reducer
        orders = reducer.system.orders.size
        self._weights = np.zeros((orders, reducer.probes.node.size), dtype=np.complex128)
        self._known = np.zeros(orders, dtype=np.bool_)
        self._load, self._row = np.nonzero(reducer.direct)
        self._value = reducer.direct[self._load, self._row]

    @property
    def nbytes(self) -> int:
        """Memory that it holds [bytes]; that of the factors is the reduction's."""
        return self._weights.nbytes + self._reducer.factors.matrix.nbytes

    def phasors(self, base: Complex, current: Complex) -> Complex:
        """Return what the probes see; see `Transfers`."""
        reducer = self._reducer
        pattern, factors, probes = reducer.system.pattern, reducer.factors, reducer.probes
        out = np.zeros((base.size, current.shape[0]), dtype=np.complex128)
        out[:, reducer.one] = base
        flowing = np.any(current, axis=1)
        for n in map(int, np.flatnonzero(flowing & ~self._known)):
            self._weights[n] = reducer.weights(n)
            self._known[n] = True
        kernels.add_drawn(
            pattern.start,
            pattern.column,
            factors.matrix,
            pattern.first_kept,
            factors.still,
            reducer.ends,
            probes.start,
            reducer.probe_row,
            self._weights,
            (self._load, self._row, self._value),
            flowing,
            current,
            out,
        )
        return out

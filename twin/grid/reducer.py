"""What currents of the load points do in a network of one state: couplings, and effects on the probes."""

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.loose_parts import (
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
    system, factors, probes
        As given.
    direct : c128[loads, probe rows]
        What a load's current adds to a probe's row by itself.
    probe_row : int[terms]
        Matrix row of each term of a probe's row.
    """

    def __init__(self, system: NodalSystem, factors: Factors, probes: ProbeRows, ends: Index) -> None:
        self.system, self.factors, self.probes = system, factors, probes
        self.one = int(np.flatnonzero(system.orders == 1)[0])
        live = _live(system, factors, ends)
        self.ends: Index = np.where(live[:, None], ends, EARTH)
        self._plus, self._minus = (np.ascontiguousarray(self.ends[:, at]) for at in (0, 1))
        self.direct = np.where(live[:, None], probes.direct, 0.0)
        self.probe_row = system.pattern.row[probes.node]
        self.sign, self.weight, self.shapes = between_loads(
            loose_shapes(system, factors, self.one), self.ends
        )
        self.shift = _shift(probes, self.probe_row, self.weights(self.one), self.shapes.volts)

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
        loads, weights = len(self.ends), self.weights(n)
        system, factors, probes = self.system, self.factors, self.probes
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
            self.probe_row,
            weights,
            self.direct,
            coupling,
            transfer,
        )
        for load in map(int, np.flatnonzero(np.any(self.sign, axis=0))):
            drawn = drawn_and_returned(load, self.sign, self.weight)
            x = system.solve(factors, n, injected(drawn, self.ends, factors.still))
            coupling[load] = across(x, self.ends)
            kernels.weighted_sums(probes.start, self.probe_row, weights, x, transfer[load])
            transfer[load] += np.einsum("j,jr->r", drawn, self.direct)
        if self.sign.size:
            lifted = np.einsum("gj,ij->ig", self.weight, coupling)
            coupling -= np.einsum("ig,gj->ij", lifted, self.sign)
            transfer -= np.einsum("ig,gr->ir", lifted, self.shift)
        return coupling, transfer

    def rows(self, v: Complex) -> Complex:
        """Return the probes' rows for voltages of the fundamental, (probe rows,)."""
        out = np.empty(self.probes.count, dtype=np.complex128)
        kernels.weighted_sums(self.probes.start, self.probe_row, self.weights(self.one), v, out)
        return out

    def weights(self, n: int) -> Complex:
        """Return the weight of each term of the probes' rows at an order."""
        return self.probes.weights(self.factors.elements, self.factors.topology.in_service, n)


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

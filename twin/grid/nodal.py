"""The network as nodal equations ``Y V = I``, assembled and factorised for one state of its switches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.admittance import (
    branch_blocks,
    capacitor_admittance,
    fault_block,
    source_block,
    source_voltage,
)
from twin.grid.components import Fault, Network
from twin.grid.errors import GridError
from twin.grid.ordering import Pattern, symbolic
from twin.grid.topology import Topology, energise

Complex = NDArray[np.complex128]

BOLTED = 1e8
"""Admittance of a fault without resistance, relative to the largest at its bus: its voltage is then below
1e-8 of what it was, and the healthy phases keep eight digits."""

STRAY = 1e-9
"""Admittance to earth that fixes a part of the network which nothing earths, relative to its own."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything about a network that operation changes."""

    open_branches: frozenset[int] = frozenset()
    """Positions in ``network.branches``."""
    capacitors: frozenset[int] = frozenset()
    """Positions in ``network.capacitors`` of those that are connected."""
    faults: tuple[Fault, ...] = ()


def initial_state(network: Network) -> State:
    """Return the state that the network file describes."""
    opened = {network.branch_index[switch.branch] for switch in network.switches if not switch.closed}
    on = {at for at, capacitor in enumerate(network.capacitors) if capacitor.closed}
    return State(frozenset(opened), frozenset(on))


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The factorised equations of one state, at each order."""

    topology: Topology
    fixed: NDArray[np.bool_]
    """(rows,) rows whose voltage is given: ideal sources and dead buses."""
    dead: NDArray[np.bool_]
    """(rows,)"""
    in_service: NDArray[np.bool_]
    """(branches,)"""
    diagonal: Complex
    """(orders, rows, 3, 3)"""
    lower: Complex
    """(orders, slots, 3, 3)"""
    upper: Complex
    """(orders, slots, 3, 3)"""
    faults: tuple[Complex, ...]
    """(3, 3) admittance of each of the state's faults [S]."""


class NodalSystem:
    """A network's nodal equations at a set of orders.

    Parameters
    ----------
    network : Network
    orders : sequence of int
        1 is the fundamental; at any other the sources are shorted behind their impedance.
    keep : collection of int
        Buses that reductions are made to.
    frequency : float, optional
        Actual frequency [Hz]; the network's rated one by default.
    """

    def __init__(
        self,
        network: Network,
        orders: Sequence[int],
        *,
        keep: Collection[int] = (),
        frequency: float | None = None,
    ) -> None:
        self.network = network
        self.orders = np.array(orders, dtype=np.int64)
        self._ratio = 1.0 if frequency is None else frequency / network.frequency
        index = network.bus_index
        edges = [(index[branch.from_bus], index[branch.to_bus]) for branch in network.branches]
        self.pattern: Pattern = symbolic(len(network.buses), edges, keep)
        row = self.pattern.row
        self.ends = np.array([(row[f], row[t]) for f, t in edges], dtype=np.int64).reshape(-1, 2)
        self.blocks = branch_blocks(network, self.orders, frequency_ratio=self._ratio)

    @property
    def rows(self) -> int:
        """How many buses there are."""
        return len(self.network.buses)

    def factorise(self, state: State, *, shunts: Mapping[int, Complex] | None = None) -> Factors:
        """Assemble and factorise.

        Parameters
        ----------
        state : State
        shunts : mapping of bus number to c128[orders, 3, 3], optional
            Further admittances to earth, for example loads [S].

        Raises
        ------
        GridError
            The equations have no unique solution.
        """
        topology = energise(self.network, open_branches=state.open_branches, capacitors=state.capacitors)
        row = self.pattern.row
        dead = np.zeros(self.rows, dtype=np.bool_)
        dead[row] = ~np.array(topology.fed, dtype=np.bool_)
        fixed = dead.copy()
        for source in self.network.sources:
            if source.ideal:
                fixed[row[self.network.bus_index[source.bus]]] = True
        in_service = np.array(topology.in_service, dtype=np.bool_)
        shunt, faults = self._shunts(state, topology, shunts or {})
        orders, slots = len(self.orders), len(self.pattern.column)
        diagonal = np.zeros((orders, self.rows, 3, 3), dtype=np.complex128)
        lower = np.zeros((orders, slots, 3, 3), dtype=np.complex128)
        upper = np.zeros((orders, slots, 3, 3), dtype=np.complex128)
        pattern = self.pattern
        for n in range(orders):
            kernels.assemble(
                self.blocks[n],
                shunt[n],
                in_service,
                self.ends,
                pattern.slot,
                fixed,
                diagonal[n],
                lower[n],
                upper[n],
            )
            singular = kernels.factorise(
                pattern.start,
                pattern.column,
                pattern.target_start,
                pattern.target,
                diagonal[n],
                lower[n],
                upper[n],
            )
            if singular >= 0:
                bus = self.network.buses[int(np.flatnonzero(row == singular)[0])].name
                raise GridError(f"the network has no unique solution at order {self.orders[n]} (bus {bus})")
        return Factors(topology, fixed, dead, in_service, diagonal, lower, upper, faults)

    def _shunts(
        self, state: State, topology: Topology, extra: Mapping[int, Complex]
    ) -> tuple[Complex, tuple[Complex, ...]]:
        """Return c128[orders, rows, 3, 3], what lies between each bus and earth, and each fault's part."""
        network, row, index = self.network, self.pattern.row, self.network.bus_index
        out = np.zeros((len(self.orders), self.rows, 3, 3), dtype=np.complex128)
        for n, h in enumerate(self.orders * self._ratio):
            for source in network.sources:
                if not source.ideal:
                    out[n, row[index[source.bus]]] += source_block(source, float(h))
            for at in sorted(state.capacitors):
                capacitor = network.capacitors[at]
                bus = index[capacitor.bus]
                y = capacitor_admittance(capacitor, network.buses[bus].u_rated, float(h))
                out[n, row[bus]] += y * np.eye(3)
        for bus, blocks in sorted(extra.items()):
            out[:, row[bus]] += blocks
        size = self.own_admittance(topology.in_service, out)
        for group in topology.floating:
            for bus in group:
                out[:, row[bus]] += STRAY * size[row[bus]] * np.eye(3)
        faults = []
        for fault in state.faults:
            k = row[index[fault.bus]]
            faults.append(fault_block(fault, BOLTED * size[k]))
            out[:, k] += faults[-1]
        return out, tuple(faults)

    def own_admittance(self, in_service: Sequence[bool], shunt: Complex) -> NDArray[np.float64]:
        """Return for each row the largest admittance of anything at its bus at the first order [S]."""
        size = np.abs(shunt[0]).max(axis=(1, 2))
        branch = np.abs(self.blocks[0]).max(axis=(3, 4))
        for at, closed in enumerate(in_service):
            if closed:
                for end in range(2):
                    k = self.ends[at, end]
                    size[k] = max(size[k], branch[at, end, end])
        return cast(NDArray[np.float64], np.maximum(size, 1e-12))

    @cached_property
    def source_injection(self) -> Complex:
        """c128[rows, 3]: right-hand side of the sources at order 1 [A], or [V] for an ideal one."""
        out = np.zeros((self.rows, 3), dtype=np.complex128)
        for source in self.network.sources:
            bus = self.network.bus_index[source.bus]
            emf = source_voltage(source, self.network.buses[bus].u_rated)
            k = self.pattern.row[bus]
            if source.ideal:
                out[k] = emf
            else:
                block = source_block(source, self._ratio)
                for i in range(3):
                    out[k, i] += block[i, 0] * emf[0] + block[i, 1] * emf[1] + block[i, 2] * emf[2]
        return out

    def solve(self, factors: Factors, order_at: int, injection: Complex) -> Complex:
        """Return voltages c128[rows, 3] for the right-hand side at the order in position ``order_at``."""
        x = np.where(factors.dead[:, None], 0.0, injection)
        pattern = self.pattern
        kernels.substitute(
            pattern.start,
            pattern.column,
            factors.diagonal[order_at],
            factors.lower[order_at],
            factors.upper[order_at],
            0,
            0,
            x,
        )
        return x

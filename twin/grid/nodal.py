"""The network as nodal equations ``Y V = I``, assembled and factorised for one state of its switches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.admittance import (
    capacitor_sides,
    fault_block,
    grounding_admittance,
    source_block,
    source_voltage,
    without,
)
from twin.grid.components import PHASES, Fault
from twin.grid.elements import (
    Element,
    branch_elements,
    capacitor_elements,
    shunt_element,
    source_element,
    stray_magnetising,
    transformer_element,
)
from twin.grid.errors import GridError
from twin.grid.loose_shapes import held_after_all
from twin.grid.network import Network
from twin.grid.nodes import Nodes
from twin.grid.ordering import Pattern, symbolic
from twin.grid.topology import Feeding, Topology, links

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]
Index = NDArray[np.int64]
Flag = NDArray[np.bool_]

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
    open_poles: frozenset[tuple[int, int, str]] = frozenset()
    """Branch, end and conductor of single poles that are open; of a capacitor bank -1 - its position, 0 and
    the phases between which the unit lies."""
    taps: frozenset[tuple[int, int]] = frozenset()
    """Branch and position of transformers whose tap is not that of the file."""


def initial_state(network: Network) -> State:
    """Return the state that the network file describes."""
    opened = {network.branch_index[switch.branch] for switch in network.switches if not switch.closed}
    on = {at for at, capacitor in enumerate(network.capacitors) if capacitor.closed}
    return State(frozenset(opened), frozenset(on))


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The factorised equations of one state, at each order."""

    topology: Topology
    fixed: Flag
    """(rows,) rows whose voltage is given: ideal sources and nodes of dead buses."""
    still: Flag
    """(rows,) those, and nodes that no source reaches: no load draws current there."""
    matrix: Complex
    """(orders, size)"""
    elements: tuple[Element, ...]
    """Branches as they are in this state, open poles eliminated."""
    faults: tuple[Complex, ...]
    """(3, 3) admittance of each of the state's faults [S]."""
    stray: Float
    """(rows,) what stands for a path to earth where nothing holds a node to it [S]."""


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
        self.nodes = Nodes(network)
        index = network.bus_index
        edges = [(index[branch.from_bus], index[branch.to_bus]) for branch in network.branches]
        buses = [self.nodes.of_bus(at) for at in range(len(network.buses))]
        self.pattern: Pattern = symbolic(buses, edges, keep)
        held = [bus for source in network.sources if source.ideal for bus in [index[source.bus]]]
        self._held = np.zeros(self.nodes.count, dtype=np.bool_)
        self._held[[self.nodes.at(bus, letter) for bus in held for letter in PHASES]] = True
        self._sources = [self.nodes.at(index[s.bus], letter) for s in network.sources for letter in PHASES]
        self.set_frequency(network.frequency if frequency is None else frequency)

    def set_frequency(self, frequency: float) -> None:
        """Let all reactances follow an actual frequency [Hz]; factors made before stay what they were."""
        network = self.network
        self._ratio = frequency / network.frequency
        h: Float = np.asarray(self.orders * self._ratio, dtype=np.float64)
        self.elements = branch_elements(network, self.nodes, h)
        self._shunts, self._capacitor_of = self._fixed_shunts(h)
        everything = [*self.elements, *self._shunts]
        branches = [*network.branches, *([None] * len(self._shunts))]
        link = [links(one, branch) for one, branch in zip(everything, branches, strict=True)]
        ideal = [int(at) for at in np.flatnonzero(self._held)]
        bus = np.array(self.nodes.bus)
        self._feeding = Feeding(network, bus, link, sources=self._sources, ideal=ideal)
        entries = [self._entries(one) for one in everything]
        self._place, self._row, self._value, self._owner = self._joined(entries)
        self.__dict__.pop("source_injection", None)  # it follows the sources' reactances

    @property
    def rows(self) -> int:
        """How many nodes there are."""
        return self.nodes.count

    def _fixed_shunts(self, h: Float) -> tuple[list[Element], list[tuple[int, str]]]:
        """Return what the network has at its buses, and capacitor bank and unit of each (-1: none)."""
        network, nodes = self.network, self.nodes
        out = [source_element(network, nodes, source, h) for source in network.sources if not source.ideal]
        largest = max((float(np.abs(one.y[0]).max()) for one in self.elements), default=1.0)
        for grounding in network.groundings:
            bus = network.bus_index[grounding.bus]
            y = np.array([grounding_admittance(grounding, float(r), BOLTED * largest) for r in h])
            one = shunt_element([nodes.at(bus, grounding.conductor)], "n", y[:, None, None])
            out.extend([] if one is None else [one])
        owner = [(-1, "")] * len(out)
        for at, capacitor in enumerate(network.capacitors):
            units = capacitor_elements(network, nodes, capacitor, h)
            out.extend(units)
            sides = capacitor_sides(capacitor) if len(units) > 1 else (capacitor.phases,)
            owner.extend((at, side) for side in sides)
        return out, owner

    def _entries(self, element: Element) -> tuple[Index, Index, Complex]:
        """Return place, row and value (orders, entries) of an element's entries."""
        rows = self.pattern.row[np.array(element.nodes, dtype=np.int64)]
        size = rows.size
        one, other = np.repeat(rows, size), np.tile(rows, size)
        return one, other, element.y.reshape(len(self.orders), size * size)

    def _joined(self, entries: Sequence[tuple[Index, Index, Complex]]) -> tuple[Index, Index, Complex, Index]:
        owner = np.repeat(np.arange(len(entries)), [len(one) for one, _, _ in entries])
        row = np.concatenate([one for one, _, _ in entries] or [np.zeros(0, np.int64)])
        column = np.concatenate([other for _, other, _ in entries] or [np.zeros(0, np.int64)])
        empty = np.zeros((len(self.orders), 0), np.complex128)
        value = np.concatenate([value for _, _, value in entries] or [empty], axis=1)
        return self.pattern.place(row, column), row, np.ascontiguousarray(value), owner

    def factorise(self, state: State, *, shunts: Sequence[Element] = ()) -> Factors:
        """Assemble and factorise.

        Parameters
        ----------
        state : State
        shunts : sequence of Element, optional
            Further admittances at a bus, for example loads.

        Raises
        ------
        GridError
            The equations have no unique solution.
        """
        replaced = self._replaced(state)
        topology = self._energise(state, replaced)
        bus = np.array(self.nodes.bus)
        bus_fed = np.zeros(len(self.network.buses), dtype=np.bool_)
        bus_fed[bus[topology.fed]] = True
        row = self.pattern.row
        fixed = np.zeros(self.rows, dtype=np.bool_)
        fixed[row] = ~bus_fed[bus] | self._held
        still = fixed.copy()
        still[row] |= ~topology.fed
        whole = topology.in_service.copy()
        whole[list(replaced)] = False
        own = self._own_admittance(topology.in_service[self._owner])
        extra, faults, stray = self._state_shunts(state, topology, shunts, own)
        extra.extend(one for branch, one in replaced.items() if topology.in_service[branch])
        more = self._joined([self._entries(one) for one in extra])
        elements = list(self.elements)
        for branch, one in replaced.items():
            elements[branch] = one
        while True:
            matrix = self._factorised(whole, fixed, more, stray)
            factors = Factors(topology, fixed, still, matrix, tuple(elements), faults, stray)
            held = held_after_all(self, factors)
            if not held.any():
                return factors
            stray = np.where(held, 0.0, stray)

    def _factorised(
        self, whole: Flag, fixed: Flag, more: tuple[Index, Index, Complex, Index], stray: Float
    ) -> Complex:
        """Return the factors (orders, size) of the elements that are whole, more entries, and stray paths."""
        matrix = np.zeros((len(self.orders), self.pattern.size), dtype=np.complex128)
        matrix[:, : self.rows] = np.where(fixed, 1.0, stray)
        always = np.ones(int(more[3].max(initial=-1)) + 1, dtype=np.bool_)
        pattern, row = self.pattern, self.pattern.row
        for n in range(len(self.orders)):
            kernels.stamp(self._place, self._row, self._value[n], self._owner, whole, fixed, matrix[n])
            kernels.stamp(more[0], more[1], more[2][n], more[3], always, fixed, matrix[n])
            singular = kernels.factorise(
                pattern.start, pattern.column, pattern.target_start, pattern.target, matrix[n]
            )
            if singular >= 0:
                node = int(np.flatnonzero(row == singular)[0])
                name = self.network.buses[self.nodes.bus[node]].name
                raise GridError(
                    f"the network has no unique solution at order {self.orders[n]} (bus {name}, conductor "
                    f"{self.nodes.letter[node]}); connect it to a source or earth"
                )
        return matrix

    def _closed(self, state: State) -> Flag:
        closed = np.ones(len(self.elements) + len(self._shunts), dtype=np.bool_)
        closed[sorted(state.open_branches)] = False
        for at, (capacitor, side) in enumerate(self._capacitor_of, start=len(self.elements)):
            on = capacitor in state.capacitors and (-1 - capacitor, 0, side) not in state.open_poles
            closed[at] = capacitor < 0 or on
        return closed

    def topology(self, state: State) -> Topology:
        """Return what a state feeds."""
        return self._energise(state, self._replaced(state))

    def _replaced(self, state: State) -> dict[int, Element]:
        """Return the branches at another tap, and those with open poles, which are eliminated."""
        out = {}
        for branch, position in sorted(state.taps):
            if branch in state.open_branches:
                continue
            unit = replace(self.network.transformers[branch - len(self.network.lines)], tap=position)
            ratio = np.asarray(self.orders * self._ratio, dtype=np.float64)
            out[branch] = transformer_element(self.network, self.nodes, unit, ratio)
        branches = {at for at, _, _ in state.open_poles if at >= 0}
        for branch in sorted(branches - state.open_branches):
            whole = out.get(branch, self.elements[branch])
            open_here = sorted((end, letter) for at, end, letter in state.open_poles if at == branch)
            terminals = [whole.terminal(end, letter) for end, letter in open_here]
            y = without(whole.y, [at for at in terminals if at is not None])
            out[branch] = Element(whole.nodes, whole.ends, whole.letters, y)
        return out

    def _energise(self, state: State, replaced: Mapping[int, Element]) -> Topology:
        """Return what is fed; a branch with open poles is in service when what is left of it is."""
        closed = self._closed(state)
        if not replaced:
            return self._feeding.energise(closed)
        closed[list(replaced)] = False
        branches = self.network.branches
        more = [links(element, branches[at]) for at, element in replaced.items()]
        feeding = self._feeding.extended(more, first=closed.size)
        topology = feeding.energise(np.append(closed, np.ones(len(more), dtype=np.bool_)))
        in_service = topology.in_service[: closed.size].copy()
        in_service[list(replaced)] = topology.in_service[closed.size :]
        return replace(topology, in_service=in_service)

    def _own_admittance(self, used: Flag) -> Float:
        """Return for each node the largest admittance of anything at its bus, at the first order [S]."""
        of_row = np.empty(self.rows, dtype=np.int64)
        bus = np.array(self.nodes.bus)
        of_row[self.pattern.row] = bus
        size = np.zeros(len(self.network.buses))
        np.maximum.at(size, of_row[self._row[used]], np.abs(self._value[0, used]))
        return np.asarray(np.maximum(size, 1e-12)[bus])

    def _state_shunts(
        self, state: State, topology: Topology, shunts: Sequence[Element], own: Float
    ) -> tuple[list[Element], tuple[Complex, ...], Float]:
        """Return what loads and faults add, each fault's block, and stray paths to earth (rows,)."""
        nodes, index, orders = self.nodes, self.network.bus_index, len(self.orders)
        out = [one for one in shunts if topology.fed[list(one.nodes)].any()]
        size = own.copy()
        for one in out:
            for at, node in enumerate(one.nodes):
                size[node] = max(size[node], float(np.abs(one.y[0, at]).max()))
        faults = []
        for fault in state.faults:
            bus = index[fault.bus]
            numbers = dict(nodes.phases(bus))
            missing = [letter for letter in fault.phases if letter not in numbers]
            if missing:
                raise GridError(f"fault '{fault.name}': bus '{fault.bus}' has no phase {missing[0]}")
            block = fault_block(fault, BOLTED * max(size[node] for node in numbers.values()))
            faults.append(block)
            used = [at for at, letter in enumerate(PHASES) if letter in fault.phases]
            y = np.broadcast_to(block[np.ix_(used, used)], (orders, len(used), len(used)))
            letters = "".join(PHASES[at] for at in used)
            out.append(Element(tuple(numbers[x] for x in letters), (0,) * len(used), letters, y))
        stray = np.zeros(self.rows)
        for node in map(int, np.flatnonzero(topology.floating & ~held_groups(out, topology.group))):
            stray[self.pattern.row[node]] = STRAY * size[node]
        if state.open_poles:
            out.extend(self._magnetising(topology))
        return out, tuple(faults), stray

    def _magnetising(self, topology: Topology) -> list[Element]:
        """Return what holds a delta's open terminal between the other two: next to no magnetising current."""
        first, h = len(self.network.lines), np.asarray(self.orders * self._ratio, dtype=np.float64)
        return [
            stray_magnetising(self.network, self.nodes, unit, h, 100.0 * STRAY)
            for at, unit in enumerate(self.network.transformers, start=first)
            if topology.in_service[at] and not (unit.p_iron or unit.i0_percent)
        ]

    @cached_property
    def source_injection(self) -> Complex:
        """c128[rows]: right-hand side of the sources at order 1 [A], or [V] for an ideal one."""
        out = np.zeros(self.rows, dtype=np.complex128)
        for source in self.network.sources:
            bus = self.network.bus_index[source.bus]
            emf = source_voltage(source, self.network.buses[bus])
            rows = self.pattern.row[[self.nodes.at(bus, letter) for letter in PHASES]]
            if source.ideal:
                out[rows] = emf
            else:
                block = source_block(source, self._ratio)
                for i in range(3):
                    out[rows[i]] += block[i, 0] * emf[0] + block[i, 1] * emf[1] + block[i, 2] * emf[2]
        return out

    def right_hand_side(self, factors: Factors, order: int) -> Complex:
        """Return c128[rows], the right-hand side of the sources at an order, dead nodes left out."""
        if order != 1:
            return np.zeros(self.rows, dtype=np.complex128)
        return np.where(factors.still & ~self.held_rows, 0.0, self.source_injection)

    def solve(self, factors: Factors, order_at: int, injection: Complex) -> Complex:
        """Return voltages c128[rows] for the right-hand side at the order in position ``order_at``."""
        dead = factors.still & ~self.held_rows
        x = np.where(dead, 0.0, injection)
        pattern = self.pattern
        kernels.substitute(pattern.start, pattern.column, factors.matrix[order_at], 0, 0, x)
        return x

    @cached_property
    def held_rows(self) -> Flag:
        """(rows,) those that an ideal source holds."""
        held = np.zeros(self.rows, dtype=np.bool_)
        held[self.pattern.row] = self._held
        return held


def held_groups(shunts: Sequence[Element], group: Index) -> Flag:
    """Return the nodes (of all) whose group some shunt holds to earth."""
    holds = np.zeros(group.size, dtype=np.bool_)
    for one in shunts:
        rows = np.abs(one.y[0].sum(axis=1))
        holds[[group[node] for node, total in zip(one.nodes, rows, strict=True) if total > 0]] = True
    return holds[group]

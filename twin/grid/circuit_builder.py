"""A network as a circuit of inductances, capacitances and resistances, for what its phasors do not tell.

The circuit has the steady state of the load flow that it is made for: loads are the impedances that draw
what they drew. Buses at which nothing but two lines meets are passed over; their charging goes to the ends.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from twin.grid.admittance import capacitor_admittance, capacitor_sides, line_matrices, source_voltage
from twin.grid.chains import Chain, chains
from twin.grid.circuit_draft import (
    EARTH,
    Contribution,
    Draft,
    Float,
    LoadImpedance,
    balanced,
    load_name,
    pair,
    pole,
    series_name,
)
from twin.grid.circuit_transformers import add_transformer
from twin.grid.components import PHASES, Fault, Source
from twin.grid.network import Network
from twin.grid.nodal import State
from twin.grid.nodes import Nodes
from twin.grid.transformers import Transformer, parse_vector_group

_RESISTIVE = 1e-9
"""Share of a load's admittance below which its reactive part is rounding."""

_REMEMBERED = 8
"""States of the switches whose parts are kept: those that the events of a fault return to."""


class CircuitBuilder:
    """Builds circuits of one network for one state after another.

    Parameters
    ----------
    network : Network
    kept : collection of int
        Buses that must stay: those with meters, loads, faults.
    poles : collection of (int, int), optional
        Branch and end (0 from, 1 to) of what may open pole by pole beside the switches: fuses, conductors
        that break.
    """

    def __init__(
        self, network: Network, kept: Collection[int], poles: Collection[tuple[int, int]] = ()
    ) -> None:
        self.network = network
        self.nodes = Nodes(network)
        self._labels = [
            f"{network.buses[bus].name}.{letter}"
            for bus, letter in zip(self.nodes.bus, self.nodes.letter, strict=True)
        ]
        self._omega = 2.0 * math.pi * network.frequency
        index = network.bus_index
        stays = set(kept) | {index[source.bus] for source in network.sources}
        stays |= {index[capacitor.bus] for capacitor in network.capacitors}
        stays |= {index[grounding.bus] for grounding in network.groundings}
        for unit in network.transformers:
            stays |= {index[unit.hv_bus], index[unit.lv_bus]}
        self._kept = stays
        self._switched = {(network.branch_index[switch.branch], 0) for switch in network.switches}
        self._switched |= {
            (network.branch_index[fuse.branch], int(fuse.end == "to")) for fuse in network.fuses
        }
        self._switched |= set(poles)
        self._separate = {branch for branch, _ in self._switched}
        self._drafts: dict[tuple[State, frozenset[int]], Draft] = {}

    def build(self, state: State, loads: Sequence[LoadImpedance]) -> Draft:
        """Return the parts of the circuit in a state.

        Elements without a path to a source are there too: what they hold decays in them.
        """
        draft = self._without_loads(state).copy()
        for at, load in enumerate(loads):
            self._load(draft, at, load)
        for fault in state.faults:
            self._fault(draft, fault)
        return draft

    def _without_loads(self, state: State) -> Draft:
        """Return the parts that loads and faults do not change; the last ones are remembered."""
        split = {self.network.bus_index[fault.bus] for fault in state.faults} - self._kept
        key = replace(state, faults=()), frozenset(split)
        draft = self._drafts.pop(key, None) or self._lasting(state, split)
        self._drafts[key] = draft
        if len(self._drafts) > _REMEMBERED:
            del self._drafts[next(iter(self._drafts))]
        return draft

    def _lasting(self, state: State, split: Collection[int]) -> Draft:
        """Return the parts of the circuit without loads and faults, lines split at some buses."""
        draft = Draft(list(self._labels))
        lines = [at for at in range(len(self.network.lines)) if at not in state.open_branches]
        for source in self.network.sources:
            self._source(draft, source)
        self._lines(draft, state, lines, split)
        first = len(self.network.lines)
        taps = dict(state.taps)
        for at, unit in enumerate(self.network.transformers, start=first):
            if at not in state.open_branches:
                placed = replace(unit, tap=taps[at]) if at in taps else unit
                nodes = self._winding_nodes(draft, at, placed, state)
                add_transformer(draft, at, placed, nodes, self._omega)
        for grounding in self.network.groundings:
            bus = self.network.bus_index[grounding.bus]
            node = self.nodes.at(bus, grounding.conductor)
            draft.add_impedance_to_earth(
                f"grounding {grounding.name}", node, grounding.r, grounding.x, self._omega
            )
        for at in sorted(state.capacitors):
            self._capacitor(draft, at, state)
        draft.lasting = len(draft.groups), len(draft.conductance)
        return draft

    def _source(self, draft: Draft, source: Source) -> None:
        if source.ideal:
            return
        bus = self.network.bus_index[source.bus]
        emf = source_voltage(source, self.network.buses[bus])
        star = EARTH
        if source.star_point == "isolated" or source.r_star or source.x_star:
            star = draft.node(f"star of {source.name}")
        if source.star_point != "isolated" and star != EARTH:
            draft.add_impedance_to_earth(
                f"star of {source.name}", star, source.r_star, source.x_star, self._omega
            )
        names = [f"{source.name}.{letter}" for letter in PHASES]
        terminals = [pair(star, self.nodes.at(bus, letter)) for letter in PHASES]
        r, x = (balanced(one, nought) for one, nought in ((source.r1, source.r0), (source.x1, source.x0)))
        draft.add_group(names, terminals, r, x, self._omega)
        draft.emf.update({name: complex(value) for name, value in zip(names, emf, strict=True)})

    def _lines(self, draft: Draft, state: State, lines: Sequence[int], faulted: Collection[int]) -> None:
        """Add lines, those in a row as one."""
        index = self.network.bus_index
        open_at = {at for at, _, _ in state.open_poles}
        rows = chains(
            [
                (at, index[self.network.lines[at].from_bus], index[self.network.lines[at].to_bus])
                for at in lines
            ],
            kept=self._kept | set(faulted),
            mergeable=lambda one, other: self._alike(one, other, open_at),
        )
        for chain in rows:
            self._chain(draft, chain, state)

    def _alike(self, one: int, other: int, open_at: Collection[int]) -> bool:
        lines = self.network.lines
        fixed = self._separate | set(open_at)
        return lines[one].phases == lines[other].phases and one not in fixed and other not in fixed

    def _chain(self, draft: Draft, chain: Chain, state: State) -> None:
        """Add the lines of a chain as one pi section."""
        network = self.network
        head = network.lines[chain.members[0][0]]
        size = len(head.phases)
        r, x, c = (np.zeros((size, size)) for _ in range(3))
        for at, _ in chain.members:
            parts = line_matrices(network.lines[at])
            r, x, c = r + parts[0], x + parts[1], c + parts[2]
        names = [series_name(head.name, letter) for letter in head.phases]
        near = [self.nodes.at(chain.first, letter) for letter in head.phases]
        far = [self.nodes.at(chain.last, letter) for letter in head.phases]
        at_switch = self._poles(draft, chain.members[0][0], head.phases, near, state)
        far = self._poles(draft, chain.members[-1][0], head.phases, far, state, end=1)
        draft.add_group(names, [pair(p, q) for p, q in zip(at_switch, far, strict=True)], r, x, self._omega)
        for name, letter in zip(names, head.phases, strict=True):
            draft.members[name] = [
                (series_name(network.lines[at].name, letter), 1.0 if forward else -1.0)
                for at, forward in chain.members
            ]
        charging = [self._charging(draft, nodes, c) for nodes in (at_switch, far)]
        self._line_terminals(draft, chain, names, charging)

    def _poles(
        self, draft: Draft, at: int, phases: str, near: Sequence[int], state: State, *, end: int = 0
    ) -> list[int]:
        """Return the nodes behind the poles at a branch's end, closed poles as ideal switches."""
        opened = any((branch, side) == (at, end) for branch, side, _ in state.open_poles)
        if (at, end) not in self._switched and not opened:
            return list(near)
        behind = []
        for letter, node in zip(phases, near, strict=True):
            name = pole(self.network.branches[at].name, letter, end)
            inner = draft.node(name)
            draft.switches.append((name, node, inner))
            if (at, end, letter) not in state.open_poles:
                draft.closed.add(name)
            behind.append(inner)
        return behind

    def _charging(self, draft: Draft, nodes: Sequence[int], c: Float) -> list[list[tuple[str, float]]]:
        """Add half of a line's capacitances at an end; return what each conductor draws."""
        drawn: list[list[tuple[str, float]]] = [[] for _ in nodes]
        for i in range(len(nodes)):
            own = float(c[i].sum()) / 2.0
            if own > 0.0:
                drawn[i].append((draft.add_capacitor(nodes[i], EARTH, own), own))
            for j in range(i):
                mutual = -float(c[i, j]) / 2.0
                if mutual > 0.0:
                    name = draft.add_capacitor(nodes[j], nodes[i], mutual)
                    drawn[j].append((name, mutual))
                    drawn[i].append((name, -mutual))
        return drawn

    def _line_terminals(
        self,
        draft: Draft,
        chain: Chain,
        names: Sequence[str],
        charging: Sequence[list[list[tuple[str, float]]]],
    ) -> None:
        """Say what flows at the ends of each member; charging counts at the ends of the chain."""
        phases = self.network.lines[chain.members[0][0]].phases
        last = len(chain.members) - 1
        for number, (at, forward) in enumerate(chain.members):
            sign = 1.0 if forward else -1.0
            for k, letter in enumerate(phases):
                for end in (0, 1):
                    here = Contribution(branches=[(names[k], sign if end == 0 else -sign)])
                    outer = (
                        number == 0 and end == (0 if forward else 1),
                        number == last and end == (1 if forward else 0),
                    )
                    for side in (0, 1):
                        if outer[side]:
                            here.capacitors.extend(charging[side][k])
                    draft.terminals[at, end, letter] = here

    def _winding_nodes(self, draft: Draft, at: int, unit: Transformer, state: State) -> list[int]:
        """Return the nodes of hv a b c star, lv a b c star."""
        index = self.network.bus_index
        high, low, _ = parse_vector_group(unit.vector_group)
        out: list[int] = []
        sides = (
            (
                unit.hv_bus,
                unit.hv_phases,
                high in {"YN", "I"},
                unit.r_star_hv,
                unit.x_star_hv,
                high[0] != "D",
            ),
            (
                unit.lv_bus,
                unit.lv_phases,
                low in {"yn", "zn", "i"},
                unit.r_star_lv,
                unit.x_star_lv,
                low != "d",
            ),
        )
        for end, (name, phases, brought_out, r, x, has_star) in enumerate(sides):
            bus = index[name]
            near = [self.nodes.at(bus, letter) if letter in phases else EARTH for letter in PHASES]
            fed = [node for node in near if node != EARTH]
            behind = iter(self._poles(draft, at, phases, fed, state, end=end))
            near = [next(behind) if node != EARTH else EARTH for node in near]
            out.extend(near)
            if not has_star or (brought_out and self.nodes.at(bus, "n") == EARTH and not (r or x)):
                out.append(EARTH)
            elif brought_out and self.nodes.at(bus, "n") != EARTH:
                out.append(self.nodes.at(bus, "n"))
            else:
                star = draft.node(f"star {end} of {unit.name}")
                out.append(star)
                if brought_out:
                    draft.add_impedance_to_earth(f"star {end} of {unit.name}", star, r, x, self._omega)
        return out

    def _capacitor(self, draft: Draft, at: int, state: State) -> None:
        bank = self.network.capacitors[at]
        bus = self.network.bus_index[bank.bus]
        plain = capacitor_admittance(replace(bank, reactor_percent=0.0), self.network.buses[bus], 1.0).imag
        star = draft.node(f"star of {bank.name}") if bank.connection == "isolated_star" else EARTH
        for side in capacitor_sides(bank):
            plus, minus = self.nodes.side(bus, side)
            minus = star if bank.connection == "isolated_star" else minus
            name = pole(bank.name, side)
            inner = draft.node(name)
            draft.switches.append((name, plus, inner))
            if (-1 - at, 0, side) not in state.open_poles:
                draft.closed.add(name)
            if bank.reactor_percent:
                x = bank.reactor_percent / 100.0 / plain
                behind = draft.node(f"reactor {name}")
                r = x / bank.quality if bank.quality else 0.0
                draft.add_branch(f"reactor {name}", pair(inner, behind), r, x, self._omega)
                inner = behind
            draft.add_capacitor(inner, minus, plain / self._omega)

    def _load(self, draft: Draft, at: int, load: LoadImpedance) -> None:
        bus = self.network.bus_index[load.point.bus]
        terminals = pair(*self.nodes.side(bus, load.point.phase))
        here = Contribution()
        draft.loads[at], draft.sides[at] = here, load.point.phase
        y = load.admittance
        if y == 0:
            return
        if abs(y.imag) < _RESISTIVE * abs(y):
            y = complex(y.real)
        if y.real < 0.0:
            # A current into inductances cannot change at once: what feeds in has a path beside it, as large
            # as itself, which its steady current makes up for.
            beside = abs(y)
            draft.add_conductance(terminals, beside)
            here.conductances.append((terminals, beside, 1.0))
            for (node, sign), _ in zip(terminals, (0, 1), strict=True):
                if node != EARTH:
                    rest = load.current * (1.0 - beside / y)
                    draft.injection[node] = draft.injection.get(node, 0j) - sign * rest
            return
        name = load_name(at)
        if y.imag < 0.0:
            z = 1.0 / y
            draft.add_branch(name, terminals, z.real, z.imag, self._omega)
            here.branches.append((name, 1.0))
            return
        if y.real > 0.0:
            draft.add_conductance(terminals, y.real)
            here.conductances.append((terminals, y.real, 1.0))
        if y.imag > 0.0:
            farad = y.imag / self._omega
            name = draft.add_capacitor(terminals[0][0], terminals[1][0], farad)
            here.capacitors.append((name, farad))

    def _fault(self, draft: Draft, fault: Fault) -> None:
        bus = self.network.bus_index[fault.bus]
        g = 1.0 / fault.resistance
        nodes = [self.nodes.at(bus, letter) for letter in sorted(fault.phases)]
        if fault.type == "ll":
            draft.add_conductance(pair(nodes[0], nodes[1]), g)
            return
        for node in nodes:
            draft.add_conductance(pair(node, EARTH), g)

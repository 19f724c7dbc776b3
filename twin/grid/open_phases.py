"""Transformers that only one or two phases feed: what hangs on their open phases.

Phases are followed along conductors and closed poles alone. What reaches a conductor only through
capacitances or through windings of the transformer itself does not feed it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from twin.grid.circuit_builder import CircuitBuilder
from twin.grid.circuit_draft import EARTH, pole
from twin.grid.components import PHASES, LoadPoint
from twin.grid.network import Network
from twin.grid.nodal import State
from twin.grid.transformers import Transformer


@dataclass(frozen=True, slots=True)
class OpenSupply:
    """A transformer with open phases on the side that feeds it."""

    unit: Transformer
    """At its present tap."""
    side: str
    """``hv`` or ``lv``: the side with the open phases."""
    fed: str
    """Letters of the phases that are fed."""
    C_earth: float
    """Of each open phase to earth or neutral: cables and banks on its section, this unit's part [F]."""
    C_between: float
    """Between an open phase and each fed one, likewise [F]."""
    loads: tuple[int, ...]
    """Load points on the open phases and behind the transformers that hang on them."""
    rating: float
    """Of all transformers that share the open phases, and so the loads [VA]."""


class OpenPhases:
    """Finds the transformers of a network with open phases.

    Parameters
    ----------
    network : Network
    loads : collection of LoadPoint
    units : collection of str
        Names of the transformers that are asked for; single-phase ones are passed over.
    """

    def __init__(self, network: Network, loads: Collection[LoadPoint], units: Collection[str]) -> None:
        self._network = network
        self._loads = tuple(loads)
        self._asked = frozenset(units)
        self._builder = CircuitBuilder(network, {network.bus_index[load.bus] for load in loads})

    def of(self, state: State) -> tuple[OpenSupply, ...]:
        """Return the transformers that one or two phases feed in a state.

        Capacitances of an open section are shared by the transformers on it as their ratings are: equal
        transformers side by side behave as each alone with its share. A section with a fault counts as fed:
        no voltage hangs on it freely. Star points of banks are not followed.
        """
        sections = _Sections(self._network, self._builder, state)
        return tuple(
            supply
            for at in sections.ends
            for side in ("hv", "lv")
            if (supply := self._supply(sections, at, side)) is not None
        )

    def _supply(self, sections: "_Sections", at: int, side: str) -> OpenSupply | None:
        unit, own = sections.units[at], sections.ends[at][side]
        other = sections.ends[at]["lv" if side == "hv" else "hv"]
        fed = [letter for letter in PHASES if own.get(letter) in sections.fed]
        if unit.name not in self._asked or unit.single_phase or not 0 < len(fed) < 3:
            return None
        if any(section in sections.fed for section in other.values()):
            return None
        opened = {own[letter] for letter in PHASES if letter not in fed}
        sharing = [
            sections.units[one]
            for one, ends in sections.ends.items()
            if any(opened & set(sections_of.values()) for sections_of in ends.values())
        ]
        rating = sum(one.s_rated for one in sharing)
        to_earth, to_fed = sections.capacitance(opened, {own[letter] for letter in fed})
        share = unit.s_rated / rating / len(opened)
        reached = sections.behind(opened | set(other.values()))
        loads = tuple(
            number
            for number, load in enumerate(self._loads)
            if reached & {sections.of_bus(load.bus, letter) for letter in load.phase}
        )
        between = to_fed * share / len(fed)
        return OpenSupply(unit, side, "".join(fed), to_earth * share, between, loads, rating)


class _Sections:
    """Conductors that lines and closed poles make one, each by the number of one of its nodes."""

    def __init__(self, network: Network, builder: CircuitBuilder, state: State) -> None:
        self._bus_index, self._nodes = network.bus_index, builder.nodes
        self._draft = builder.build(state, ())
        self._parent: dict[int, int] = {}
        self._join()
        taps = dict(state.taps)
        self.units = {
            at: replace(unit, tap=taps.get(at, unit.tap))
            for at, unit in enumerate(network.transformers, start=len(network.lines))
            if at not in state.open_branches
        }
        inner = {name: node for name, _, node in self._draft.switches}
        self.ends = {
            at: {
                "hv": self._end(inner, unit.name, unit.hv_bus, unit.hv_phases, 0),
                "lv": self._end(inner, unit.name, unit.lv_bus, unit.lv_phases, 1),
            }
            for at, unit in self.units.items()
        }
        self.fed = {
            self.of_bus(source.bus, letter) for source in network.sources for letter in PHASES
        } | self._faulted(state)
        self._spread()

    def of_bus(self, bus: str, letter: str) -> int:
        """Return the section of a bus's conductor."""
        return self._root(self._nodes.at(self._bus_index[bus], letter))

    def capacitance(self, opened: Collection[int], fed: Collection[int]) -> tuple[float, float]:
        """Return the capacitance of some sections to earth or a neutral, and to some fed ones [F]."""
        to_earth = to_fed = 0.0
        for terminals, farad in self._draft.capacitors.values():
            ends = [node for node, _ in terminals]
            for here, there in (ends, ends[::-1]):
                if here == EARTH or self._root(here) not in opened:
                    continue
                if there == EARTH or self._draft.labels[there].endswith(".n"):
                    to_earth += farad
                elif self._root(there) in fed:
                    to_fed += farad
        return to_earth, to_fed

    def behind(self, sections: Collection[int]) -> set[int]:
        """Return some sections and those behind transformers on them, without what is fed otherwise."""
        reached = set(sections)
        while True:
            more = {
                section
                for ends in self.ends.values()
                if any(reached & set(one.values()) for one in ends.values())
                for end in ends.values()
                for section in end.values()
            }
            if more - self.fed <= reached:
                return reached
            reached |= more - self.fed

    def _root(self, node: int) -> int:
        while self._parent.get(node, node) != node:
            node = self._parent[node]
        return node

    def _join(self) -> None:
        """Join what lines and closed poles connect."""
        pairs = [(plus, minus) for name, plus, minus in self._draft.switches if name in self._draft.closed]
        for group in self._draft.groups:
            if group.names[0] in self._draft.members:  # a line
                pairs.extend((ends[0][0], ends[1][0]) for ends in group.terminals)
        for one, other in pairs:
            first, second = sorted((self._root(one), self._root(other)))
            self._parent[second] = first

    def _end(self, inner: Mapping[str, int], name: str, bus: str, phases: str, end: int) -> dict[str, int]:
        """Return the section of each phase at a transformer's end, inside its poles."""
        at = self._bus_index[bus]
        return {
            letter: self._root(inner.get(pole(name, letter, end), self._nodes.at(at, letter)))
            for letter in phases
            if letter in PHASES
        }

    def _faulted(self, state: State) -> set[int]:
        return {self.of_bus(fault.bus, letter) for fault in state.faults for letter in fault.phases}

    def _spread(self) -> None:
        """Add what transformers feed: the one side, when all phases of the other are fed."""
        while True:
            more = {
                section
                for ends in self.ends.values()
                for near, far in (("hv", "lv"), ("lv", "hv"))
                if set(ends[near].values()) <= self.fed
                for section in ends[far].values()
            }
            if more <= self.fed:
                return
            self.fed |= more

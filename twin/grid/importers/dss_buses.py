"""Buses of an OpenDSS script: which conductors they have, and their rated voltages.

A node is 1, 2, 3 (phases a, b, c), 0 (earth), or one of higher number: the neutral conductor, or the star
point of a single element that goes nowhere else.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from twin.grid.components import CONDUCTORS, PHASES
from twin.grid.importers.dss_lines import RawLine
from twin.grid.importers.dss_script import Script, ScriptObject
from twin.grid.importers.dss_shunts import RawCapacitor, RawGrounding, RawLoad
from twin.grid.importers.dss_source import RawSource
from twin.grid.importers.dss_text import ScriptError
from twin.grid.importers.dss_transformers import RawRegulator, RawTransformer
from twin.grid.importers.dss_values import Terminal

_SNAP = 0.1
"""How far a no-load voltage may be from one of the script's voltage bases to be that base."""

_SIDES = {(1, 2): "ab", (2, 3): "bc", (3, 1): "ca"}


@dataclass(slots=True)
class Raw:
    """All elements of a circuit before its buses have conductors."""

    sources: list[RawSource] = field(default_factory=list)
    lines: list[RawLine] = field(default_factory=list)
    transformers: list[RawTransformer] = field(default_factory=list)
    regulators: list[RawRegulator] = field(default_factory=list)
    loads: list[RawLoad] = field(default_factory=list)
    capacitors: list[RawCapacitor] = field(default_factory=list)
    groundings: list[RawGrounding] = field(default_factory=list)


class Buses:
    """The buses of a circuit.

    Parameters
    ----------
    script : Script
    raw : Raw
    """

    def __init__(self, script: Script, raw: Raw) -> None:
        self._script = script
        self._raw = raw
        self.names: dict[str, str] = {}
        """As first written, by lower case, in order of appearance."""
        self._letters: dict[str, set[str]] = {}
        self._users: dict[str, dict[int, int]] = {}
        """How many elements use each node above 3; a line or a reactor counts as two."""
        self._collect()
        self._neutral = {bus: self._neutral_of(users) for bus, users in self._users.items()}
        self.base = self._bases()

    def _collect(self) -> None:
        raw = self._raw
        for source in raw.sources:
            self._use(source.source, source.at, 1)
        for line in raw.lines:
            for end in line.ends:
                self._use(line.source, end, 2)
        for unit in raw.transformers:
            for winding in unit.windings:
                # The last conductor of a three-phase delta goes nowhere.
                nodes = winding.at.nodes[:3] if winding.delta and unit.phases == 3 else winding.at.nodes
                self._use(unit.source, Terminal(winding.at.bus, nodes), 1)
        for load in raw.loads:
            self._use(load.source, load.at, 1)
        for bank in raw.capacitors:
            self._use(bank.source, bank.at, 1)
            self._use(bank.source, Terminal(bank.at.bus, tuple(set(bank.other or ()))), 1)
        for one in raw.groundings:
            self._use(one.source, one.at, 2)

    def _use(self, one: ScriptObject, at: Terminal, weight: int) -> None:
        if at.bus not in self.names:
            self.names[at.bus] = _as_written(one, at.bus)
            self._letters[at.bus] = set()
            self._users[at.bus] = {}
        for node in at.nodes:
            if 1 <= node <= 3:
                self._letters[at.bus].add(PHASES[node - 1])
            elif node > 3:
                users = self._users[at.bus]
                users[node] = users.get(node, 0) + weight

    @staticmethod
    def _neutral_of(users: dict[int, int]) -> int | None:
        shared = [node for node, count in sorted(users.items()) if count > 1]
        return shared[0] if shared else None

    def neutral(self, bus: str) -> int | None:
        """Return the node of a bus that is its neutral conductor."""
        return self._neutral.get(bus)

    def phases(self, bus: str) -> str:
        """Return the conductors of a bus."""
        letters = self._letters[bus] | ({"n"} if self.neutral(bus) is not None else set())
        return "".join(letter for letter in CONDUCTORS if letter in letters)

    def single(self, bus: str) -> bool:
        """Return whether a bus has one phase."""
        return len(self._letters[bus]) == 1

    def unreached(self) -> list[ScriptError]:
        """Return an error for each bus that no source reaches."""
        circuit = self._raw.sources[0].source.mark
        mend = "connect it, or disable what hangs on it"
        return [
            ScriptError(circuit, f"bus {name}", "no line or transformer joins it to a source", mend)
            for bus, name in self.names.items()
            if bus not in self.base
        ]

    def u_phase(self, bus: str) -> float:
        """Return the rated voltage of a phase to earth [V]."""
        return self.base[bus] / math.sqrt(3.0)

    def letter(self, one: ScriptObject, bus: str, node: int) -> str:
        """Return the conductor of a node.

        Raises
        ------
        ScriptError
            It has none.
        """
        if 1 <= node <= 3:
            return PHASES[node - 1]
        if node == self.neutral(bus):
            return "n"
        what = f"node {node} of bus '{self.names[bus]}' is no conductor here"
        raise one.refuse(what, "use 1, 2, 3 for phases, 4 for the neutral, and 0 for earth")

    def reference(self, one: ScriptObject, bus: str, node: int) -> bool:
        """Return whether a node is what phases are counted from: the neutral, or earth where there is none.

        Raises
        ------
        ScriptError
            Earth at a bus with a neutral conductor, or a star point that floats.
        """
        neutral = self.neutral(bus)
        if 1 <= node <= 3:
            return False
        if node == 0 and neutral is not None:
            what = f"is connected to earth at bus '{self.names[bus]}', which has a neutral conductor"
            raise one.refuse(
                what, f"connect it to the neutral (node {neutral}), and that to earth by a reactor"
            )
        if node not in {0, neutral}:
            what = f"its star point, node {node} of bus '{self.names[bus]}', is connected to nothing else"
            raise one.refuse(what, "use node 0 (earth), the neutral's node, or a delta")
        return True

    def side(self, one: ScriptObject, bus: str, nodes: tuple[int, int]) -> tuple[str, int]:
        """Return what lies between two nodes (``a`` or ``ab``), and -1 where it is turned round.

        Raises
        ------
        ScriptError
            Two nodes that have nothing between them.
        """
        first, second = (self.reference(one, bus, node) for node in nodes)
        if first != second:
            phase = nodes[1] if first else nodes[0]
            return PHASES[phase - 1], -1 if first else 1
        if nodes in _SIDES:
            return _SIDES[nodes], 1
        if nodes[::-1] in _SIDES:
            return _SIDES[nodes[::-1]], -1
        what = f"lies between nodes {nodes[0]} and {nodes[1]} of bus '{self.names[bus]}'"
        raise one.refuse(what, "give two different nodes")

    def _bases(self) -> dict[str, float]:
        """Return the rated voltage of each bus, line to line, walking from the sources [V]."""
        next_to: dict[str, list[tuple[str, float, float]]] = {}
        for line in self._raw.lines:
            one, other = (end.bus for end in line.ends)
            next_to.setdefault(one, []).append((other, 1.0, 0.0))
            next_to.setdefault(other, []).append((one, 1.0, 0.0))
        for unit in self._raw.transformers:
            first, second = unit.windings
            rated = [_line_to_line(unit, at) for at in (0, 1)]
            next_to.setdefault(first.at.bus, []).append((second.at.bus, rated[1] / rated[0], rated[1]))
            next_to.setdefault(second.at.bus, []).append((first.at.bus, rated[0] / rated[1], rated[0]))
        out: dict[str, float] = {}
        queue: deque[str] = deque()
        for source in self._raw.sources:
            if source.at.bus not in out:
                out[source.at.bus] = self._snapped(source.at.bus, source.kv * 1e3, source.kv * 1e3)
                queue.append(source.at.bus)
        while queue:
            bus = queue.popleft()
            for other, ratio, rated_there in next_to.get(bus, ()):
                if other not in out:
                    same = abs(ratio - 1.0) < 1e-9
                    fallback = out[bus] if same else rated_there
                    out[other] = (
                        out[bus] if not rated_there else self._snapped(other, out[bus] * ratio, fallback)
                    )
                    queue.append(other)
        return out

    def _snapped(self, bus: str, unloaded: float, rated: float) -> float:
        given = self._script.bases.get(bus)
        if given is not None:
            return given
        option = self._script.options.get("voltagebases")
        bases = [value * 1e3 for value in option.numbers] if option else []
        near = min(bases, key=lambda base: abs(base - unloaded), default=0.0)
        return near if abs(near - unloaded) <= _SNAP * unloaded else rated


def _line_to_line(unit: RawTransformer, at: int) -> float:
    """Return what a winding's voltage is between two phases [V]."""
    winding = unit.windings[at]
    between = unit.phases == 3 or all(1 <= node <= 3 for node in winding.at.nodes[:2])
    return winding.kv * 1e3 * (1.0 if between else math.sqrt(3.0))


def _as_written(one: ScriptObject, bus: str) -> str:
    """Return a bus's name as its first user writes it."""
    for edit in one.edits:
        if edit.key in {"bus", "bus1", "bus2", "buses"}:
            for word in edit.words:
                name = word.split(".")[0]
                if name.lower() == bus:
                    return name
    return bus

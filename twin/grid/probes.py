"""What meters see, as sums over the network's node voltages."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.documents import suggestion
from twin.grid.components import PHASES, LoadPoint, Probe
from twin.grid.elements import Element
from twin.grid.errors import GridError
from twin.grid.network import Network
from twin.grid.nodes import EARTH, Nodes

Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

ROWS = 6
"""Rows of a probe: va vb vc ia ib ic."""


class ProbeRows:
    """The rows of some probes as weighted sums over nodes; which nodes never changes, the weights do.

    A voltage is that of the phase against the bus's neutral where it has one, else against earth; a phase
    that the bus does not have reads zero.

    Parameters
    ----------
    network : Network
    nodes : Nodes
    probes : sequence of Probe
    loads : sequence of LoadPoint
    elements : sequence of Element
        Of the network's branches.

    Raises
    ------
    GridError
        A probe names what the network does not have.
    """

    def __init__(
        self,
        network: Network,
        nodes: Nodes,
        probes: Sequence[Probe],
        loads: Sequence[LoadPoint],
        elements: Sequence[Element],
    ) -> None:
        self.network = network
        self.count = ROWS * len(probes)
        self.buses = [find_bus(network, probe.bus, f"probe '{probe.name}'") for probe in probes]
        self._source: list[tuple[int, int]] = []
        start: list[int] = [0]
        node: list[int] = []
        weight: list[float] = []
        for at, probe in enumerate(probes):
            branch = self._branch(probe)
            if branch >= 0:
                ends = (network.branches[branch].from_bus, network.branches[branch].to_bus)
                self.buses.extend(network.bus_index[bus] for bus in ends)
            for letter in PHASES:
                terms = self._voltage(nodes, self.buses[at], letter)
                node.extend(number for number, _ in terms)
                weight.extend(sign for _, sign in terms)
                self._source.extend((-1, 0) for _ in terms)
                start.append(len(node))
            for letter in PHASES:
                terminal = elements[branch].terminal(int(probe.end == "to"), letter) if branch >= 0 else None
                if terminal is not None:
                    numbers = elements[branch].nodes
                    node.extend(numbers)
                    weight.extend([0.0] * len(numbers))
                    self._source.extend((branch, terminal) for _ in numbers)
                start.append(len(node))
        self.start: Index = np.array(start, dtype=np.int64)
        self.node: Index = np.array(node, dtype=np.int64)
        self._weight = np.array(weight, dtype=np.complex128)
        self.direct = self._direct(probes, loads)

    def weights(self, elements: Sequence[Element], in_service: NDArray[np.bool_], order_at: int) -> Complex:
        """Return the weight of each term at an order, in one state of the network."""
        out = self._weight.copy()
        position = 0
        while position < len(self._source):
            branch, terminal = self._source[position]
            if branch < 0:
                position += 1
                continue
            size = len(elements[branch].nodes)
            if in_service[branch]:
                out[position : position + size] = elements[branch].y[order_at, terminal]
            position += size
        return out

    def _voltage(self, nodes: Nodes, bus: int, letter: str) -> list[tuple[int, float]]:
        if not nodes.has(bus, letter):
            return []
        neutral = nodes.at(bus, "n")
        against = [] if neutral == EARTH else [(neutral, -1.0)]
        return [(nodes.at(bus, letter), 1.0), *against]

    def _branch(self, probe: Probe) -> int:
        if probe.end not in {"from", "to"}:
            raise GridError(f"probe '{probe.name}': end '{probe.end}' is neither 'from' nor 'to'")
        if probe.branch is None:
            return -1
        at = self.network.branch_index.get(probe.branch)
        if at is None:
            mend = suggestion(probe.branch, self.network.branch_index, "branches")
            raise GridError(f"probe '{probe.name}': the network has no branch '{probe.branch}'; {mend}")
        branch = self.network.branches[at]
        bus = branch.from_bus if probe.end == "from" else branch.to_bus
        if bus != probe.bus:
            raise GridError(
                f"probe '{probe.name}': the {probe.end} end of '{probe.branch}' is at bus '{bus}', "
                f"not at '{probe.bus}'; change bus or end"
            )
        return at

    def _direct(self, probes: Sequence[Probe], loads: Sequence[LoadPoint]) -> Complex:
        """Return c128[loads, rows]: what the load points that a probe names add to its currents."""
        index: dict[str, list[int]] = {}
        for at, load in enumerate(loads):
            index.setdefault(load.name, []).append(at)
        out = np.zeros((len(loads), self.count), dtype=np.complex128)
        for at, probe in enumerate(probes):
            for name in probe.loads if probe.branch is None else ():
                if name not in index:
                    mend = suggestion(name, index, "load points")
                    raise GridError(f"probe '{probe.name}': there is no load point '{name}'; {mend}")
                for number in index[name]:
                    for letter, sign in zip(loads[number].phase, (1.0, -1.0), strict=False):
                        out[number, ROWS * at + 3 + PHASES.index(letter)] += sign
        return out


def find_bus(network: Network, name: str, of: str) -> int:
    """Return the number of a bus.

    Raises
    ------
    GridError
        There is none of that name.
    """
    at = network.bus_index.get(name)
    if at is None:
        mend = suggestion(name, network.bus_index, "buses")
        raise GridError(f"{of}: the network has no bus '{name}'; {mend}")
    return at


def load_side(nodes: Nodes, load: LoadPoint, bus: int) -> tuple[int, int]:
    """Return the two nodes between which a load point at a bus lies.

    Raises
    ------
    GridError
        It lies on no phase or pair of phases, or the bus does not have them.
    """
    letters = load.phase
    if letters not in {"a", "b", "c", "ab", "bc", "ca"}:
        raise GridError(f"load point '{load.name}': phase '{letters}' is none of a, b, c, ab, bc, ca")
    missing = [letter for letter in letters if not nodes.has(bus, letter)]
    if missing:
        raise GridError(f"load point '{load.name}': bus '{load.bus}' has no phase {missing[0]}")
    return nodes.side(bus, letters)

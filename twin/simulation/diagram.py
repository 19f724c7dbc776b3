"""The one-line diagram of a network: branching points, customers and metered buses, nothing between.

A feeder of a thousand buses is mostly poles on a line; a chain of branches without a fork, a load or a
meter is drawn as one.
"""

from collections import defaultdict, deque
from collections.abc import Collection

from twin.contracts import BranchLine, BusLine, Diagram, SwitchLine
from twin.grid import Network


def draw_diagram(network: Network, *, keep: Collection[str], generators: Collection[str]) -> Diagram:
    """Return the diagram of a network.

    Parameters
    ----------
    network : Network
        Radial or meshed; open switches are drawn closed.
    keep : collection of str
        Buses that must stay, for example the metered ones.
    generators : collection of str
        Buses with a photovoltaic generator.
    """
    neighbours: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for branch in network.branches:
        kind = "transformer" if branch in network.transformers else "line"
        neighbours[branch.from_bus].append((branch.to_bus, branch.name, kind))
        neighbours[branch.to_bus].append((branch.from_bus, branch.name, kind))
    loads = {load.bus for load in network.loads}
    sources = {source.bus for source in network.sources}
    special = set(keep) | set(generators) | loads | sources
    special |= {name for item in network.transformers for name in (item.hv_bus, item.lv_bus)}
    special |= {capacitor.bus for capacitor in network.capacitors}
    shown = {bus.name for bus in network.buses if bus.name in special or len(neighbours[bus.name]) != 2}

    switches: dict[str, list[str]] = defaultdict(list)
    for switch in network.switches:
        switches[switch.branch].append(switch.name)
    branches: dict[frozenset[str] | tuple[str, ...], BranchLine] = {}
    for start in sorted(shown, key=network.bus_index.__getitem__):
        for bus, name, kind in neighbours[start]:
            end, names = _follow(bus, name, neighbours, shown)
            on_it = tuple(switch for part in names for switch in switches[part])
            branches.setdefault(tuple(sorted(names)), BranchLine(name, start, end, kind, on_it))
    positions = _positions(network, shown, neighbours)
    transformers = {name for item in network.transformers for name in (item.hv_bus, item.lv_bus)}

    def kind_of(name: str) -> str:
        if name in sources:
            return "source"
        if name in generators:
            return "photovoltaic"
        if name in transformers:
            return "transformer"
        return "customer" if name in loads else "bus"

    buses = tuple(
        BusLine(bus.name, *positions[bus.name], kind_of(bus.name))
        for bus in network.buses
        if bus.name in shown
    )
    return Diagram(buses, tuple(branches.values()))


def _follow(
    bus: str, name: str, neighbours: dict[str, list[tuple[str, str, str]]], shown: set[str]
) -> tuple[str, list[str]]:
    """Walk along a chain to its next shown bus; returns it and the branches on the way."""
    names = [name]
    while bus not in shown:
        bus, name, _ = next(item for item in neighbours[bus] if item[1] != names[-1])
        names.append(name)
    return bus, names


def _positions(
    network: Network, shown: set[str], neighbours: dict[str, list[tuple[str, str, str]]]
) -> dict[str, tuple[float, float]]:
    """Return positions from the network's own coordinates where it has them, else as a tree."""
    placed = [bus for bus in network.buses if bus.name in shown]
    if all(bus.x is not None and bus.y is not None for bus in placed):
        xs, ys = [bus.x or 0.0 for bus in placed], [bus.y or 0.0 for bus in placed]
        left, top = min(xs), max(ys)
        width, height = (max(xs) - left) or 1.0, (top - min(ys)) or 1.0
        return {
            bus.name: ((x - left) / width, (top - y) / height)
            for bus, x, y in zip(placed, xs, ys, strict=True)
        }
    return _tree(network, shown, neighbours)


def _tree(
    network: Network, shown: set[str], neighbours: dict[str, list[tuple[str, str, str]]]
) -> dict[str, tuple[float, float]]:
    """Lay the network out as a tree from its source: depth downwards, leaves side by side."""
    root = network.sources[0].bus
    depth, parent, order = {root: 0}, {root: ""}, [root]
    waiting = deque([root])
    while waiting:
        bus = waiting.popleft()
        for other, _, _ in neighbours[bus]:
            if other not in depth:
                depth[other] = depth[bus] + (1 if other in shown else 0)
                parent[other] = bus
                order.append(other)
                waiting.append(other)
    children: dict[str, list[str]] = defaultdict(list)
    for bus in order[1:]:
        children[parent[bus]].append(bus)
    across: dict[str, float] = {}
    leaves = _place_leaves(root, children, across)
    for bus in reversed(order):
        if children[bus]:
            across[bus] = sum(across[child] for child in children[bus]) / len(children[bus])
    deepest = max(depth.values()) or 1
    return {
        bus.name: (
            (across.get(bus.name, 0.0) + 0.5) / max(leaves, 1),
            depth.get(bus.name, deepest) / deepest,
        )
        for bus in network.buses
        if bus.name in shown
    }


def _place_leaves(root: str, children: dict[str, list[str]], across: dict[str, float]) -> int:
    """Place the leaves from left to right in depth-first order; return how many there are."""
    leaves = 0
    stack = [root]
    while stack:
        bus = stack.pop()
        if not children[bus]:
            across[bus] = float(leaves)
            leaves += 1
        stack.extend(reversed(children[bus]))
    return leaves


def switch_lines(network: Network) -> tuple[SwitchLine, ...]:
    """Return what of a network can be switched, switches first."""
    branches = network.branch_index
    switches = [
        SwitchLine(item.name, network.branches[branches[item.branch]].from_bus, item.closed, "switch")
        for item in network.switches
    ]
    capacitors = [SwitchLine(item.name, item.bus, item.closed, "capacitor") for item in network.capacitors]
    return (*switches, *capacitors)

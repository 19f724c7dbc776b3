"""Which buses are fed, and which fed buses have no path to earth for zero-sequence current."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from twin.grid.components import Network, Transformer


@dataclass(frozen=True, slots=True)
class Topology:
    """What a state of the switches makes of a network."""

    in_service: tuple[bool, ...]
    """By branch: closed and fed."""
    fed: tuple[bool, ...]
    """By bus: connected to a source."""
    floating: tuple[tuple[int, ...], ...]
    """Groups of fed buses that nothing holds to earth."""


def energise(network: Network, *, open_branches: Collection[int], capacitors: Collection[int]) -> Topology:
    """Return what is fed when some branches are open.

    Parameters
    ----------
    network : Network
    open_branches : collection of int
        Positions in ``network.branches``.
    capacitors : collection of int
        Positions in ``network.capacitors`` of those that are connected.
    """
    index = network.bus_index
    ends = [(index[branch.from_bus], index[branch.to_bus]) for branch in network.branches]
    closed = [at for at in range(len(ends)) if at not in open_branches]
    component = components(len(network.buses), [ends[at] for at in closed])
    live = {component[index[source.bus]] for source in network.sources}
    fed = tuple(root in live for root in component)
    in_service = [False] * len(ends)
    for at in closed:
        in_service[at] = fed[ends[at][0]]
    running = [at for at in closed if in_service[at]]
    floating = _floating(network, ends, running, fed, capacitors)
    return Topology(tuple(in_service), fed, floating)


def _floating(
    network: Network,
    ends: Sequence[tuple[int, int]],
    running: Sequence[int],
    fed: Sequence[bool],
    capacitors: Collection[int],
) -> tuple[tuple[int, ...], ...]:
    index = network.bus_index
    carries: list[tuple[int, int]] = []
    earthed = {index[source.bus] for source in network.sources}
    earthed.update(index[network.capacitors[at].bus] for at in capacitors)
    for at in running:
        branch = network.branches[at]
        if not isinstance(branch, Transformer) or branch.vector_group == "YNyn0":
            carries.append(ends[at])
        if isinstance(branch, Transformer):
            held = branch.vector_group != "YNyn0" or branch.p_iron or branch.i0_percent
        else:
            held = branch.c0 > 0.0
        if held:
            earthed.add(ends[at][1])
    component = components(len(network.buses), carries)
    held_roots = {component[bus] for bus in earthed}
    groups: dict[int, list[int]] = {}
    for bus, root in enumerate(component):
        if fed[bus] and root not in held_roots:
            groups.setdefault(root, []).append(bus)
    return tuple(tuple(groups[root]) for root in sorted(groups))


def components(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return for each node the smallest node that it is connected to."""
    parent = list(range(count))
    for one, other in edges:
        a, b = one, other
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    for node in range(count):
        parent[node] = parent[parent[node]]
    return parent

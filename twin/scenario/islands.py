"""What a switch cuts off from the grid."""

from collections.abc import Mapping

from twin.grid import Network


def cut_off(network: Network, closed: Mapping[str, bool]) -> frozenset[str]:
    """Return the buses that have no connection to the network's first source, which is the grid.

    Parameters
    ----------
    network : Network
    closed : mapping of str to bool
        State of its switches; one that is missing is as the network file says.
    """
    opened = {item.branch for item in network.switches if not closed.get(item.name, item.closed)}
    neighbours: dict[str, list[str]] = {bus.name: [] for bus in network.buses}
    for branch in network.branches:
        if branch.name not in opened:
            neighbours[branch.from_bus].append(branch.to_bus)
            neighbours[branch.to_bus].append(branch.from_bus)
    reached = {network.sources[0].bus}
    front = list(reached)
    while front:
        following = [bus for bus in neighbours[front.pop()] if bus not in reached]
        reached.update(following)
        front.extend(following)
    return frozenset(neighbours) - reached


def lives_alone(network: Network, closed: Mapping[str, bool]) -> bool:
    """Return whether some of what is cut off has a source of its own."""
    island = cut_off(network, closed)
    return any(source.bus in island for source in network.sources)

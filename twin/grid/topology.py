"""Which nodes are fed, and which fed nodes nothing holds to earth."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.components import Line
from twin.grid.elements import Element
from twin.grid.network import Branch, Network
from twin.grid.nodes import Nodes

Index = NDArray[np.int64]
Flag = NDArray[np.bool_]

_HELD = 1e-10
"""Part of an element's admittance that, as a sum over its terminals, makes a path to earth."""


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """What a state of the switches makes of a network."""

    in_service: Flag
    """(elements,) closed and fed."""
    fed: Flag
    """(nodes,) connected to a source."""
    group: Index
    """(nodes,) the smallest node that each one shares its potential against earth with."""
    floating: Flag
    """(nodes,) at a bus that is fed, but nothing of the network holds their group to earth."""
    doubtful: Flag
    """(nodes,) of those, the ones that a single-phase unit holds if a current can flow behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """What an element connects, by node."""

    coupled: tuple[tuple[int, int], ...]
    """Pairs of nodes of which one feeds the other."""
    joined: tuple[tuple[int, int], ...]
    """Pairs of nodes that share their potential against earth: no winding lies between them."""
    held: tuple[int, ...]
    """Nodes that the element holds to earth."""
    perhaps: tuple[int, ...] = ()
    """Nodes that it holds if a current can flow behind it."""


def links(element: Element, branch: Branch | None) -> Links:
    """Return what an element of the network connects; its first order counts.

    Parameters
    ----------
    element : Element
    branch : Line or Transformer, optional
        None for what lies at one bus.
    """
    y = element.y[0]
    nodes = element.nodes
    limit = _HELD * np.abs(y).max(initial=0.0)
    if isinstance(branch, Line):
        pairs = _conductors(element, y, limit, branch)
        return Links(pairs, pairs, _held_of_line(element, branch))
    size = len(nodes)
    upper = [(i, j) for i in range(size) for j in range(i + 1, size) if abs(y[i, j]) > limit]
    coupled = tuple((nodes[i], nodes[j]) for i, j in upper)
    if branch is None:
        rows = np.abs(y.sum(axis=1))
        return Links(coupled, coupled, tuple(nodes[i] for i in range(size) if rows[i] > limit))
    ends = np.array(element.ends)
    joined = tuple((nodes[i], nodes[j]) for i, j in upper if ends[i] == ends[j])
    holding = []
    for end in (0, 1):
        side = np.flatnonzero(ends == end)
        rows = np.abs(y[np.ix_(side, side)].sum(axis=1))
        holding.append([nodes[side[i]] for i in range(side.size) if rows[i] > limit])
    magnetised = bool(branch.p_iron or branch.i0_percent)
    if all(holding):
        # Zero-sequence current passes from star to star: each end is held as far as the other one is.
        return Links(coupled, coupled, tuple(holding[1]) if magnetised else ())
    if branch.single_phase and not magnetised:
        # What an earthed winding carries, the other one must carry too.
        return Links(coupled, joined, (), tuple(holding[0] + holding[1]))
    return Links(coupled, joined, tuple(holding[0] + holding[1]))


def _conductors(
    element: Element, y: NDArray[np.complex128], limit: float, line: Line
) -> tuple[tuple[int, int], ...]:
    """Return the nodes that a line's conductors join, and those that its capacitances do."""
    size = len(line.phases)
    nodes = element.nodes
    out = [(nodes[i], nodes[size + i]) for i in range(size) if abs(y[i, size + i]) > limit]
    if line.c is not None:
        pairs = [(i, j) for i in range(size) for j in range(i) if line.c[i][j]]
    else:
        pairs = [(i, j) for i in range(size) for j in range(i)] if line.c0 != line.c1 else []
    for i, j in pairs:
        charged = [end for end in (0, size) if y[end + i, end + i] and y[end + j, end + j]]
        out.extend((nodes[end + i], nodes[end + j]) for end in charged)
    return tuple(out)


def _held_of_line(element: Element, line: Line) -> tuple[int, ...]:
    size = len(line.phases)
    if line.c is None:
        return element.nodes if line.c0 > 0 else ()
    # A sum that is nothing but rounding is no capacitance to earth.
    held = [sum(row) > _HELD * row[at] for at, row in enumerate(line.c)]
    return tuple(element.nodes[at] for at in range(2 * size) if held[at % size])


class Feeding:
    """The connections of a network's elements as arrays, for one state after another.

    Parameters
    ----------
    network : Network
    bus : int[nodes]
        Bus of each node.
    links_of : sequence of Links
        Of each element; elements past the branches lie at one bus.
    sources : sequence of int
        Nodes that a source feeds.
    ideal : sequence of int
        Those of them that an ideal source holds against earth.
    """

    def __init__(
        self,
        network: Network,
        bus: Index,
        links_of: Sequence[Links],
        *,
        sources: Sequence[int],
        ideal: Sequence[int],
    ) -> None:
        self._bus = bus
        self._buses = len(network.buses)
        self._neutral = np.array([letter == "n" for letter in Nodes(network).letter], dtype=np.bool_)
        self._coupled = _arrays([(pair, at) for at, link in enumerate(links_of) for pair in link.coupled])
        self._joined = _arrays([(pair, at) for at, link in enumerate(links_of) for pair in link.joined])
        self._held = _owned([(node, at) for at, link in enumerate(links_of) for node in link.held])
        self._perhaps = _owned([(node, at) for at, link in enumerate(links_of) for node in link.perhaps])
        self._sources = np.array(sources, dtype=np.int64)
        self._ideal = np.array(ideal, dtype=np.int64)

    def extended(self, more: Sequence[Links], *, first: int) -> "Feeding":
        """Return the same with further elements, numbered from ``first`` on."""
        out = copy(self)
        coupled = [(pair, at) for at, link in enumerate(more, start=first) for pair in link.coupled]
        joined = [(pair, at) for at, link in enumerate(more, start=first) for pair in link.joined]
        held = [(node, at) for at, link in enumerate(more, start=first) for node in link.held]
        perhaps = [(node, at) for at, link in enumerate(more, start=first) for node in link.perhaps]
        out._coupled = _appended(self._coupled, _arrays(coupled))
        out._joined = _appended(self._joined, _arrays(joined))
        out._held = np.concatenate((self._held, _owned(held)))
        out._perhaps = np.concatenate((self._perhaps, _owned(perhaps)))
        return out

    def energise(self, closed: Flag) -> Topology:
        """Return what is fed when only some elements are connected.

        Parameters
        ----------
        closed : bool[elements]
        """
        count = self._bus.size
        one, other, owner = self._coupled
        root = kernels.components(count, one, other, closed[owner])
        live = np.zeros(count, dtype=np.bool_)
        live[root[self._sources]] = True
        fed = live[root]
        bus_fed = np.zeros(self._buses, dtype=np.bool_)
        bus_fed[self._bus[fed]] = True
        # A neutral belongs to its phases, even where only loads connect the two.
        fed = fed | (self._neutral & bus_fed[self._bus])
        in_service = closed.copy()
        reached = np.zeros(closed.size, dtype=np.bool_)
        np.logical_or.at(reached, owner, fed[one])
        np.logical_or.at(reached, self._held[:, 1], fed[self._held[:, 0]])
        in_service &= reached
        one, other, owner = self._joined
        group = kernels.components(count, one, other, in_service[owner])
        holds = np.zeros(count, dtype=np.bool_)
        at_work = in_service[self._held[:, 1]]
        holds[group[self._held[at_work, 0]]] = True
        holds[group[self._ideal]] = True
        floating = bus_fed[self._bus] & ~holds[group]
        doubted = np.zeros(count, dtype=np.bool_)
        doubted[group[self._perhaps[in_service[self._perhaps[:, 1]], 0]]] = True
        return Topology(in_service, fed, group, floating, floating & doubted[group])


def _appended(
    first: tuple[Index, Index, Index], second: tuple[Index, Index, Index]
) -> tuple[Index, Index, Index]:
    one, other, owner = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    return one, other, owner


def _owned(nodes: Sequence[tuple[int, int]]) -> Index:
    return np.array(nodes, dtype=np.int64).reshape(-1, 2)


def _arrays(edges: Sequence[tuple[tuple[int, int], int]]) -> tuple[Index, Index, Index]:
    table = np.array([(*pair, owner) for pair, owner in edges], dtype=np.int64).reshape(-1, 3)
    return tuple(np.ascontiguousarray(table[:, at]) for at in range(3))  # type: ignore[return-value]

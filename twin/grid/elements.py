"""A network's elements as admittances over its nodes, at a set of orders."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.grid.admittance import (
    capacitor_admittance,
    capacitor_sides,
    matrix_line,
    sequence_lines,
    source_block,
)
from twin.grid.components import PHASES, Capacitor, Line, Source
from twin.grid.network import Network
from twin.grid.nodes import EARTH, Nodes
from twin.grid.transformers import Transformer, transformer_admittance

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """An admittance over some nodes: ``I = Y V``, currents from the nodes into the element."""

    nodes: tuple[int, ...]
    """One for each terminal; a node may stand twice, `EARTH` never."""
    ends: tuple[int, ...]
    """0 or 1 for each terminal: the branch's ``from`` or ``to`` end."""
    letters: str
    """Conductor of each terminal."""
    y: Complex
    """(orders, terminals, terminals) [S]"""

    def terminal(self, end: int, letter: str) -> int | None:
        """Return the position of a terminal, or None."""
        for at, (here, conductor) in enumerate(zip(self.ends, self.letters, strict=True)):
            if here == end and conductor == letter:
                return at
        return None


def branch_elements(network: Network, nodes: Nodes, h: Float) -> list[Element]:
    """Return lines and transformers in the order of ``network.branches``.

    Parameters
    ----------
    network : Network
    nodes : Nodes
    h : f64[orders]
        Frequency over the rated one.
    """
    omega = 2.0 * math.pi * network.frequency * h
    balanced = [line for line in network.lines if line.r is None and line.phases == PHASES]
    blocks = sequence_lines(balanced, h, omega)
    place = {line.name: at for at, line in enumerate(balanced)}
    out = []
    for line in network.lines:
        at = place.get(line.name)
        block = matrix_line(line, h, omega) if at is None else blocks[:, at]
        out.append(_line_element(network, nodes, line, block))
    out.extend(transformer_element(network, nodes, unit, h) for unit in network.transformers)
    return out


def _line_element(network: Network, nodes: Nodes, line: Line, block: Complex) -> Element:
    size = len(line.phases)
    buses = [network.bus_index[name] for name in (line.from_bus, line.to_bus)]
    numbers = tuple(nodes.at(bus, letter) for bus in buses for letter in line.phases)
    y = block.transpose(0, 1, 3, 2, 4).reshape(-1, 2 * size, 2 * size)
    return Element(numbers, (0,) * size + (1,) * size, line.phases * 2, y)


def transformer_element(network: Network, nodes: Nodes, unit: Transformer, h: Float) -> Element:
    """Return a transformer over the conductors of its buses, at each frequency over the rated one."""
    buses = [network.bus_index[name] for name in (unit.hv_bus, unit.lv_bus)]
    neutral = [nodes.has(bus, "n") for bus in buses]
    full = transformer_admittance(unit, h, hv_neutral=neutral[0], lv_neutral=neutral[1])
    used = np.flatnonzero(np.any(full, axis=(0, 1)))
    terminals = [(int(at) // 4, "abcn"[int(at) % 4]) for at in used]
    return Element(
        tuple(nodes.at(buses[end], letter) for end, letter in terminals),
        tuple(end for end, _ in terminals),
        "".join(letter for _, letter in terminals),
        np.ascontiguousarray(full[:, used[:, None], used]),
    )


def stray_magnetising(network: Network, nodes: Nodes, unit: Transformer, h: Float, percent: float) -> Element:
    """Return what a no-load current of some percent would add to a transformer that has none."""
    plain = transformer_element(network, nodes, unit, h)
    drawn = transformer_element(network, nodes, replace(unit, i0_percent=percent), h)
    return Element(plain.nodes, plain.ends, plain.letters, drawn.y - plain.y)


def shunt_element(nodes: Sequence[int], letters: str, y: NDArray[Any]) -> Element | None:
    """Return an element at one bus without its terminals at earth; None when nothing is left."""
    kept = [at for at, node in enumerate(nodes) if node != EARTH]
    if not kept:
        return None
    return Element(
        tuple(nodes[at] for at in kept),
        (0,) * len(kept),
        "".join(letters[at] for at in kept),
        np.ascontiguousarray(y[:, np.array(kept)[:, None], np.array(kept)], dtype=np.complex128),
    )


def between(nodes: Nodes, bus: int, phases: str, y: Complex) -> Element | None:
    """Return an admittance (orders,) between two conductors, or a phase and neutral or earth."""
    ends = nodes.side(bus, phases)
    block = y[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return shunt_element(ends, phases if len(phases) == 2 else phases + "n", block)


def source_element(network: Network, nodes: Nodes, source: Source, h: Float) -> Element:
    """Return the impedance of a source that is not ideal."""
    bus = network.bus_index[source.bus]
    y = np.stack([source_block(source, float(ratio)) for ratio in h])
    return Element(tuple(nodes.at(bus, letter) for letter in PHASES), (0, 0, 0), PHASES, y)


def capacitor_elements(network: Network, nodes: Nodes, capacitor: Capacitor, h: Float) -> list[Element]:
    """Return the units of a capacitor bank."""
    bus = network.bus_index[capacitor.bus]
    y = np.array([capacitor_admittance(capacitor, network.buses[bus], float(ratio)) for ratio in h])
    if capacitor.connection == "isolated_star":
        count = len(capacitor.phases)
        block = y[:, None, None] * (np.eye(count) - 1.0 / count)
        numbers = [nodes.at(bus, letter) for letter in capacitor.phases]
        whole = shunt_element(numbers, capacitor.phases, block)
        return [] if whole is None else [whole]
    units = (between(nodes, bus, side, y) for side in capacitor_sides(capacitor))
    return [unit for unit in units if unit is not None]

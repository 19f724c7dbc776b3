"""A circuit of inductances, capacitances and resistances while it is being put together, and its names."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twin.grid.components import LoadPoint
from twin.grid.transients import CoupledRL

Float = NDArray[np.float64]
Terminals = tuple[tuple[int, float], ...]

EARTH = -1
FAST = 1e-6
"""Time constant that a resistance without reactance gets, so that its current is a state [s]."""
Terminal = tuple[int, int, str]
"""Branch, end (0 from, 1 to) and conductor."""


@dataclass(frozen=True, slots=True)
class LoadImpedance:
    """What a load point is in one steady state."""

    point: LoadPoint
    admittance: complex
    """Drawn current over voltage [S]."""
    current: complex
    """Drawn current, RMS, for what feeds in and so is no impedance [A]."""


@dataclass(slots=True)
class Contribution:
    """What a terminal's current is made of: sums over the circuit's currents."""

    branches: list[tuple[str, float]] = field(default_factory=list)
    capacitors: list[tuple[str, float]] = field(default_factory=list)
    """Capacitor, and the farads of it that count, with a sign."""
    conductances: list[tuple[Terminals, float, float]] = field(default_factory=list)
    """Terminals, conductance [S] and weight of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbered:
    """What a draft is before loads and faults, in a circuit's own numbers."""

    used: set[int]
    """Nodes that the circuit has."""
    number: dict[int, int]
    """The circuit's of each of them, and of earth."""
    names: tuple[str, ...]
    groups: tuple[CoupledRL, ...]
    conductances: tuple[Terminals, ...]


@dataclass(slots=True)
class Draft:
    """A circuit while it is being put together."""

    labels: list[str]
    """Of the nodes."""
    groups: list[CoupledRL] = field(default_factory=list)
    emf: dict[str, complex] = field(default_factory=dict)
    """RMS by branch [V]."""
    capacitors: dict[str, tuple[Terminals, float]] = field(default_factory=dict)
    """Terminals and capacitance by name; those between the same nodes are one [F]."""
    conductance_terminals: list[Terminals] = field(default_factory=list)
    conductance: list[float] = field(default_factory=list)
    injection: dict[int, complex] = field(default_factory=dict)
    """RMS by node, into it [A]."""
    switches: list[tuple[str, int, int]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    terminals: dict[Terminal, Contribution] = field(default_factory=dict)
    loads: dict[int, Contribution] = field(default_factory=dict)
    sides: dict[int, str] = field(default_factory=dict)
    """Conductors of each load."""
    members: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    """Branches of lines passed over, by the branch that stands for them, and the sign of each."""
    lasting: tuple[int, int] = (0, 0)
    """How many groups and conductances, the first, loads and faults leave alone."""
    numbered: list[Numbered] = field(default_factory=list)
    """Those in a circuit's numbers, once they have been; shared by copies."""

    def copy(self) -> "Draft":
        """Return one to which loads and faults can be added; what they leave alone is shared."""
        return replace(
            self,
            groups=list(self.groups),
            capacitors=dict(self.capacitors),
            conductance_terminals=list(self.conductance_terminals),
            conductance=list(self.conductance),
            injection=dict(self.injection),
            loads=dict(self.loads),
            sides=dict(self.sides),
        )

    def node(self, label: str) -> int:
        """Add a node."""
        self.labels.append(label)
        return len(self.labels) - 1

    def add_group(
        self, names: Sequence[str], terminals: Sequence[Terminals], r: Float, x: Float, omega: float
    ) -> None:
        """Add coupled branches of R and X at rated frequency [ohm]."""
        inductance = x / omega
        own = np.diag(inductance).copy()
        least = FAST * np.diag(r) + 1e-12
        if np.any(own < least):
            inductance = inductance + np.diag(np.maximum(least - own, 0.0))
        self.groups.append(CoupledRL(tuple(names), tuple(terminals), r, inductance))

    def add_branch(self, name: str, terminals: Terminals, r: float, x: float, omega: float) -> None:
        """Add one branch of R and X at rated frequency [ohm]."""
        inductance = max(x / omega, FAST * r + 1e-12)
        self.groups.append(CoupledRL((name,), (terminals,), np.array([[r]]), np.array([[inductance]])))

    def add_capacitor(self, plus: int, minus: int, farad: float) -> str:
        """Add a capacitor between two nodes and return its name, which follows from the nodes."""
        ends = [self.labels[node] if node != EARTH else "earth" for node in (plus, minus)]
        name = f"C {ends[0]} {ends[1]}"
        _, already = self.capacitors.get(name, ((), 0.0))
        self.capacitors[name] = (pair(plus, minus), already + farad)
        return name

    def add_conductance(self, terminals: Terminals, siemens: float) -> None:
        """Add a conductance."""
        self.conductance_terminals.append(terminals)
        self.conductance.append(siemens)

    def add_impedance_to_earth(self, name: str, node: int, r: float, x: float, omega: float) -> None:
        """Add R and X at rated frequency between a node and earth [ohm]."""
        if node == EARTH:
            return
        if x == 0.0:
            self.add_conductance(pair(node, EARTH), 1.0 / max(r, 1e-6))
        else:
            self.add_branch(name, pair(node, EARTH), r, x, omega)


def pole(branch: str, letter: str, end: int = 0) -> str:
    """Return the name of a pole at a branch's end: 0 from, 1 to."""
    return f"pole {branch}.{letter}" if end == 0 else f"pole to {branch}.{letter}"


def load_name(at: int) -> str:
    """Return the name of a load point's inductance."""
    return f"load {at}"


def series_name(branch: str, letter: str) -> str:
    """Return the name of a conductor's inductance."""
    return f"{branch}.{letter}"


def pair(plus: int, minus: int) -> Terminals:
    """Return the terminals of an element between two nodes."""
    return ((plus, 1.0), (minus, -1.0))


def balanced(positive: float, zero: float) -> Float:
    """Return the matrix of three phases alike, from its positive and zero sequence."""
    own, mutual = (zero + 2.0 * positive) / 3.0, (zero - positive) / 3.0
    return np.full((3, 3), mutual) + (own - mutual) * np.eye(3)

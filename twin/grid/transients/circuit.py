"""A small linear circuit: coupled R-L branches, capacitors, conductances, ideal switches, fixed nodes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twin.grid.transients.errors import CircuitError

Float = NDArray[np.float64]
Terminals = tuple[tuple[tuple[int, float], ...], ...]
"""For each element the nodes whose weighted voltages add up to its voltage: ((node, weight), ...)."""

EARTH = -1
_NONE = np.zeros(0)


def between(from_nodes: Sequence[int], to_nodes: Sequence[int]) -> Terminals:
    """Terminals of plain two-pole elements.

    Parameters
    ----------
    from_nodes, to_nodes
        Equally long; -1 is earth. Currents count positive from the one to the other.

    Returns
    -------
    Terminals
        Weight 1 at the first node and -1 at the second.
    """
    return tuple(((p, 1.0), (q, -1.0)) for p, q in zip(from_nodes, to_nodes, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class CoupledRL:
    """Magnetically coupled R-L branches: ``L di/dt + R i = voltage + emf``.

    The voltage of a branch is the weighted sum of its terminals' voltages, and it draws its current
    times the same weight out of each. Weights other than 1 and -1 are ideal transformers: a unit of
    ratio n with leakage R, L on its primary side has ``((p, 1), (p', -1), (s, -n), (s', n))``.
    """

    names: tuple[str, ...]
    """Of the k branches; unique in a circuit."""
    terminals: Terminals
    """Of the k branches."""
    R: Float
    """Shape (k, k): resistances, positive semidefinite [ohm]."""
    L: Float
    """Shape (k, k): inductances, symmetric and positive definite [H]."""


@dataclass(frozen=True, slots=True, eq=False)
class Capacitors:
    """Capacitors ``i = C dv/dt``."""

    names: tuple[str, ...] = ()
    """Unique in a circuit."""
    terminals: Terminals = ()
    """Of each capacitor."""
    C: Float = field(default_factory=_NONE.copy)
    """Capacitances, positive [F]."""


@dataclass(frozen=True, slots=True, eq=False)
class Conductances:
    """Conductances ``i = G v``."""

    terminals: Terminals = ()
    """Of each conductance."""
    G: Float = field(default_factory=_NONE.copy)
    """Conductances, positive [S]."""


@dataclass(frozen=True, slots=True)
class Switches:
    """Ideal switches: closed they make two nodes one, open they are not there."""

    names: tuple[str, ...] = ()
    """Unique in a circuit."""
    from_nodes: tuple[int, ...] = ()
    """Node at the one side; -1 is earth."""
    to_nodes: tuple[int, ...] = ()
    """Node at the other; the current counts positive from the one to the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Circuit:
    """A network at one position of its switches.

    The rows of every result are, in this order: the voltages of all nodes, the currents of all branches,
    the voltages and then the currents of all capacitors, the currents of all switches. Branches are
    numbered through their groups in order.
    """

    nodes: int
    """Number of nodes besides earth, which is -1."""
    branches: tuple[CoupledRL, ...] = ()
    """Groups of coupled branches."""
    capacitors: Capacitors = Capacitors()
    """All capacitors."""
    conductances: Conductances = Conductances()
    """All conductances."""
    switches: Switches = Switches()
    """All switches, closed or not."""
    closed: frozenset[str] = frozenset()
    """Names of the closed switches."""
    fixed: tuple[int, ...] = ()
    """Nodes whose voltage is given: ideal sources."""
    node_names: tuple[str, ...] = ()
    """For messages; numbers where empty."""

    branch_names: tuple[str, ...] = field(init=False)
    """Names of all branches, in order."""

    def __post_init__(self) -> None:
        names = tuple(name for group in self.branches for name in group.names)
        object.__setattr__(self, "branch_names", names)
        _check(self)

    @property
    def rows(self) -> int:
        """Number of rows of a result."""
        return self.nodes + len(self.branch_names) + 2 * len(self.capacitors.names) + len(self.switches.names)

    def node_name(self, node: int) -> str:
        """Return what messages call a node."""
        return self.node_names[node] if self.node_names else f"node {node}"

    def branch_row(self, name: str) -> int:
        """Row of a branch's current."""
        return self.nodes + _index(self.branch_names, name, "branch")

    def capacitor_voltage_row(self, name: str) -> int:
        """Row of a capacitor's voltage."""
        return self.nodes + len(self.branch_names) + _index(self.capacitors.names, name, "capacitor")

    def capacitor_current_row(self, name: str) -> int:
        """Row of a capacitor's current."""
        return self.capacitor_voltage_row(name) + len(self.capacitors.names)

    def switch_row(self, name: str) -> int:
        """Row of a switch's current."""
        first = self.rows - len(self.switches.names)
        return first + _index(self.switches.names, name, "switch")

    def switched(self, *, close: Iterable[str] = (), open_: Iterable[str] = ()) -> "Circuit":
        """Return the same circuit with some switches closed and some opened."""
        return replace(self, closed=(self.closed | frozenset(close)) - frozenset(open_))


def _index(names: tuple[str, ...], name: str, kind: str) -> int:
    if name not in names:
        raise CircuitError(f"the circuit has no {kind} '{name}'; it has {', '.join(names) or 'none'}")
    return names.index(name)


def _check(circuit: Circuit) -> None:
    """Refuse what no physical network is, naming it."""
    _check_names(circuit)
    _check_groups(circuit.branches)
    for kind, terminals, values in (
        ("capacitor", circuit.capacitors.terminals, circuit.capacitors.C),
        ("conductance", circuit.conductances.terminals, circuit.conductances.G),
    ):
        if len(terminals) != len(values):
            raise CircuitError(f"{len(terminals)} {kind}s have terminals, but {len(values)} have a value")
        for index in np.flatnonzero(~(np.isfinite(values) & (np.asarray(values) > 0.0))):
            raise CircuitError(f"{kind} {index} is {values[index]}: give it a positive value or leave it out")
    nodes = _all_nodes(circuit)
    if nodes and not (min(nodes) >= EARTH and max(nodes) < circuit.nodes):
        wrong = next(node for node in sorted(nodes) if not EARTH <= node < circuit.nodes)
        raise CircuitError(f"there is no node {wrong}: nodes are -1 (earth) and 0 to {circuit.nodes - 1}")


def _check_names(circuit: Circuit) -> None:
    for kind, names in (
        ("branch", circuit.branch_names),
        ("capacitor", circuit.capacitors.names),
        ("switch", circuit.switches.names),
    ):
        if len(set(names)) < len(names):
            double = min(name for name in names if names.count(name) > 1)
            raise CircuitError(f"two {kind} elements share the name '{double}': name them apart")
    if len(circuit.capacitors.names) != len(circuit.capacitors.terminals):
        raise CircuitError("every capacitor needs one name and one set of terminals")
    for name in sorted(circuit.closed.difference(circuit.switches.names)):
        _index(circuit.switches.names, name, "switch")
    if circuit.node_names and len(circuit.node_names) != circuit.nodes:
        raise CircuitError(f"{circuit.nodes} nodes have {len(circuit.node_names)} names: name all or none")


def _check_groups(groups: Sequence[CoupledRL]) -> None:
    """Check groups of one size together; the first that something is wrong with is told by itself."""
    alike: dict[int, list[CoupledRL]] = {}
    for group in groups:
        k = len(group.names)
        if k == 0 or group.R.shape != (k, k) or group.L.shape != (k, k) or len(group.terminals) != k:
            _check_group(group)
        alike.setdefault(k, []).append(group)
    for members in alike.values():
        R, L = (np.stack([getattr(group, name) for group in members]) for name in "RL")
        fine = np.isfinite(R).all() and np.isfinite(L).all()
        fine = fine and bool((np.abs(L - L.swapaxes(1, 2)) <= 1e-9 * np.abs(L)).all())
        fine = fine and bool((np.linalg.eigvalsh(L)[:, 0] > 0.0).all())
        if fine:
            damping = np.linalg.eigvalsh(R + R.swapaxes(1, 2))
            fine = bool((damping[:, 0] >= -1e-9 * np.abs(damping).max(axis=1)).all())
        if not fine:
            for group in members:
                _check_group(group)


def _check_group(group: CoupledRL) -> None:
    k = len(group.names)
    who = f"the R-L group of '{group.names[0]}'" if k else "an R-L group"
    if group.R.shape != (k, k) or group.L.shape != (k, k) or len(group.terminals) != k or k == 0:
        raise CircuitError(f"{who} needs terminals, R and L of its {k} branches")
    if not (np.isfinite(group.R).all() and np.isfinite(group.L).all()):
        raise CircuitError(f"{who} holds a value that is no finite number")
    if not np.allclose(group.L, group.L.T, rtol=1e-9, atol=0.0):
        raise CircuitError(f"the inductances of {who} are not symmetric")
    if np.linalg.eigvalsh(group.L)[0] <= 0.0:
        raise CircuitError(
            f"the inductances of {who} are not positive definite: one without is a conductance"
        )
    damping = np.linalg.eigvalsh(group.R + group.R.T)
    if damping[0] < -1e-9 * abs(damping).max():
        raise CircuitError(f"the resistances of {who} generate power: not positive semidefinite")


def _all_nodes(circuit: Circuit) -> set[int]:
    nodes = {node for group in circuit.branches for element in group.terminals for node, _ in element}
    for terminals in (circuit.capacitors.terminals, circuit.conductances.terminals):
        nodes.update([node for element in terminals for node, _ in element])
    return nodes.union(circuit.switches.from_nodes, circuit.switches.to_nodes, circuit.fixed)

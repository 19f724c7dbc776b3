"""What a site's waveforms do after an event beside their new steady state: the network's own modes.

Between two events every channel is its phasors plus damped exponentials. Their amplitudes follow from what
cannot jump: the currents of inductances and the voltages of capacitances.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.grid.admittance import source_voltage
from twin.grid.circuit_builder import CircuitBuilder
from twin.grid.circuit_draft import EARTH, Draft, LoadImpedance, load_name
from twin.grid.circuit_numbering import circuit_of
from twin.grid.circuit_outputs import CircuitOutputs
from twin.grid.components import PHASES, LoadPoint, Probe
from twin.grid.interruption import Currents
from twin.grid.network import Network
from twin.grid.nodal import State
from twin.grid.transients import (
    Assembly,
    Circuit,
    LargeCircuit,
    Sources,
    Terms,
    assemble,
    silent_sources,
    state_at,
    steady_state,
    transient,
)
from twin.grid.transients import State as Stored

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_PEAK = math.sqrt(2.0)
_MISSED = 1e-8
"""Time by which a current's zero is missed, at most: events fall on nanoseconds, modes are steeper [s]."""


SMALL = 150
"""Up to so many branches and capacitors all modes of a circuit are found, beyond it what meters can see."""


@dataclass(frozen=True, slots=True, eq=False)
class OperatingPoint:
    """One steady state of the network."""

    state: State
    loads: tuple[LoadImpedance, ...]
    voltage: Complex
    """(nodes,) RMS against earth [V]."""


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """Damped exponentials in what the probes see, from one instant on."""

    rate: Complex
    """(modes,) [1/s]"""
    amplitude: Complex
    """(probes * 6, modes) peak [V or A]."""

    def later(self, seconds: float) -> "Modes":
        """Return the same, counted from a later instant."""
        return Modes(self.rate, self.amplitude * np.exp(self.rate * seconds))


NO_MODES = Modes(np.zeros(0, np.complex128), np.zeros((0, 0), np.complex128))


@dataclass(frozen=True, slots=True, eq=False)
class _Steady:
    """The circuit of an operating point, and its steady state."""

    point: OperatingPoint
    draft: Draft
    circuit: Circuit
    number: Mapping[int, int]
    solved: Assembly | LargeCircuit
    sources: Sources
    forced: Terms


class NaturalResponse:
    """The natural modes of one network, event after event.

    Parameters
    ----------
    network : Network
    probes : sequence of Probe
    loads : sequence of LoadPoint
    frequency : float
        Of the sources [Hz].
    poles : collection of (int, int), optional
        Branch and end of what may open pole by pole beside switches and fuses.

    Attributes
    ----------
    frequency : float
        Of the sources from now on; modes that are there already have theirs [Hz].
    small : int
        Up to so many branches and capacitors all modes of a circuit are found, beyond it those that meters
        can see.
    """

    def __init__(
        self,
        network: Network,
        probes: Sequence[Probe],
        loads: Sequence[LoadPoint],
        *,
        frequency: float,
        poles: Collection[tuple[int, int]] = (),
    ) -> None:
        index = network.bus_index
        self._network = network
        self._probes = tuple(probes)
        self._names: dict[str, list[int]] = {}
        for at, load in enumerate(loads):
            self._names.setdefault(load.name, []).append(at)
        self._points = tuple(loads)
        self.frequency = frequency
        self.small = SMALL
        kept = {index[bus] for bus in (*(one.bus for one in probes), *(one.bus for one in loads))}
        for probe in probes:
            if probe.branch is not None:
                branch = network.branches[network.branch_index[probe.branch]]
                kept |= {index[branch.from_bus], index[branch.to_bus]}
        self._kept = kept
        self._poles = set(poles)
        self._builder = CircuitBuilder(network, kept, self._poles)
        self._free: Terms | None = None
        self._circuit: Circuit | None = None
        self._outputs: CircuitOutputs | None = None
        self._found: _Steady | None = None

    def after_event(
        self, before: OperatingPoint, after: OperatingPoint, *, theta: float, since: float
    ) -> Modes:
        """Return the modes that an event excites.

        Parameters
        ----------
        before, after : OperatingPoint
            Steady states that the sources alone would keep up.
        theta : float
            Phase of the fundamental at the event [rad].
        since : float
            Time since the event before, whose modes may still be there [s].

        Raises
        ------
        ImpulseError
            A current or voltage would have to jump.
        """
        stored, largest = self._stored(before, theta, since)
        found = self._steady(after, theta)
        draft, circuit, number = found.draft, found.circuit, found.number
        known = _initial(draft, circuit, stored, before, theta)
        let_go = _MISSED * 2.0 * math.pi * self.frequency * largest
        free = _free_terms(found, known, let_go)
        self._free, self._circuit = free, circuit
        self._outputs = CircuitOutputs(draft, circuit, number)
        seen = self._outputs.rows(self._probes, self._network, self._builder.nodes, self._names)
        return Modes(free.rate, seen @ free.amplitude)

    def let_open(self, pole: tuple[int, int]) -> None:
        """Let one more end of a branch open pole by pole from now on: branch, and end (0 from, 1 to)."""
        if pole not in self._poles:
            self._poles.add(pole)
            self._builder = CircuitBuilder(self._network, self._kept, self._poles)
            self._found = None

    def forget(self) -> None:
        """Let go of all modes: what comes next starts from its steady state."""
        self._free = self._circuit = None

    def currents(self, present: OperatingPoint, *, theta: float, since: float) -> Currents:
        """Return the waveforms of what can be interrupted, from now on.

        Parameters
        ----------
        present : OperatingPoint
        theta, since : float
            As `after_event`.
        """
        found = self._steady(present, theta)
        free = None if self._free is None else self._free.later(since)
        nodes = {label: at for at, label in enumerate(found.circuit.node_names)}
        return Currents(found.circuit, nodes, found.forced, self._circuit, free)

    def _steady(self, point: OperatingPoint, theta: float) -> "_Steady":
        """Return the circuit of an operating point in its steady state; the last one is remembered."""
        found = self._found
        if found is None or found.point is not point or found.forced.frequency != self.frequency:
            draft = self._builder.build(point.state, point.loads)
            circuit, number = circuit_of(draft, self._fixed())
            sources = self._sources(draft, circuit, number, theta)
            solved: Assembly | LargeCircuit
            if len(circuit.branch_names) + len(circuit.capacitors.names) > self.small:
                solved = LargeCircuit(circuit, float_at_zero=True)
                forced = solved.steady_state(sources)
            else:
                solved = assemble(circuit, float_at_zero=True)
                forced = steady_state(solved, sources)
            found = _Steady(point, draft, circuit, number, solved, sources, forced)
        turned = replace(found.sources, theta=theta), replace(found.forced, theta=theta)
        self._found = replace(found, sources=turned[0], forced=turned[1])
        return self._found

    def _fixed(self) -> dict[int, complex]:
        """Return the nodes that ideal sources hold, and their voltages, RMS."""
        out = {}
        for source in self._network.sources:
            if source.ideal:
                bus = self._network.bus_index[source.bus]
                emf = source_voltage(source, self._network.buses[bus])
                nodes = self._builder.nodes
                out.update({nodes.at(bus, letter): complex(v) for letter, v in zip(PHASES, emf, strict=True)})
        return out

    def _sources(self, draft: Draft, circuit: Circuit, number: Mapping[int, int], theta: float) -> Sources:
        sources = silent_sources(circuit, frequency=self.frequency, theta=theta)
        for at, name in enumerate(circuit.branch_names):
            sources.emf[at, 0] = _PEAK * draft.emf.get(name, 0j)
        held = {number[node]: volts for node, volts in self._fixed().items() if node in number}
        for at, node in enumerate(circuit.fixed):
            sources.fixed[at, 0] = _PEAK * held[node]
        for node, amperes in draft.injection.items():
            if node in number:
                sources.injection[number[node], 0] += _PEAK * amperes
        return sources

    def _stored(self, before: OperatingPoint, theta: float, since: float) -> tuple[Stored, float]:
        """Return every current and voltage that cannot jump, by name, and the largest current's peak.

        Lines that the circuit passes over are among them.
        """
        found = self._steady(before, theta)
        draft, circuit, terms = found.draft, found.circuit, found.forced
        carried = terms.amplitude[circuit.nodes : circuit.nodes + len(circuit.branch_names)]
        forced = state_at(circuit, terms, 0.0)
        currents, voltages = dict(forced.currents), dict(forced.voltages)
        if self._free is not None and self._circuit is not None:
            free = state_at(self._circuit, self._free, since)
            for name, value in free.currents.items():
                currents[name] = currents.get(name, 0.0) + value
            for name, value in free.voltages.items():
                voltages[name] = voltages.get(name, 0.0) + value
        # What was no inductance may become one: a motor's phase that fed the others during a fault.
        others = [
            at
            for at, load in enumerate(before.loads)
            if load.current and load_name(at) not in forced.currents
        ]
        turn = _PEAK * np.exp(1j * theta)
        for at, free_current in zip(others, self._free_currents(others, since), strict=True):
            steady = float((before.loads[at].current * turn).real)
            currents[load_name(at)] = steady + currents.get(load_name(at), free_current)
        for name, members in draft.members.items():
            whole = currents.get(name, 0.0)
            currents.update({member: sign * whole for member, sign in members})
        return Stored(currents, voltages), float(np.abs(carried).max(initial=0.0))

    def _free_currents(self, loads: Sequence[int], since: float) -> list[float]:
        """Return what loads draw of the modes at a time after they were excited [A]."""
        if self._free is None or self._outputs is None:
            return [0.0] * len(loads)
        free = self._outputs.of_loads(loads) @ self._free.amplitude
        drawn: list[float] = (free @ np.exp(self._free.rate * since)).real.tolist()
        return drawn


def _free_terms(found: _Steady, known: Stored, let_go: float) -> Terms:
    """Return the modes alone of what follows from a state."""
    if isinstance(found.solved, LargeCircuit):
        return found.solved.free_terms(found.forced, known, let_go=let_go)
    result = transient(
        found.circuit, found.sources, known, forced=found.forced, assembly=found.solved, let_go=let_go
    )
    terms, first = result.terms, result.forced
    return replace(
        terms, order=terms.order[first:], rate=terms.rate[first:], amplitude=terms.amplitude[:, first:]
    )


def _initial(draft: Draft, circuit: Circuit, stored: Stored, before: OperatingPoint, theta: float) -> Stored:
    """Return what the circuit's own elements start from."""
    currents = {}
    for name in circuit.branch_names:
        members = draft.members.get(name)
        if members:
            first, sign = members[0]
            currents[name] = sign * stored.currents.get(first, 0.0)
        else:
            currents[name] = stored.currents.get(name, 0.0)
    turn = np.exp(1j * theta) * _PEAK
    voltages = {}
    for name in circuit.capacitors.names:
        if name in stored.voltages:
            voltages[name] = stored.voltages[name]
            continue
        terminals = draft.capacitors[name][0]
        # At a bus that was passed over, its voltage is known all the same; a bank comes without charge.
        if all(node < before.voltage.size for node, _ in terminals):
            phasor = sum(weight * before.voltage[node] for node, weight in terminals if node != EARTH)
            voltages[name] = float((phasor * turn).real)
    return Stored(currents, voltages)

"""The network as the simulation uses it: from load powers to the phasors at every metering point."""

import math
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.documents import suggestion
from twin.grid import load_kernels
from twin.grid.admittance import check_fault
from twin.grid.attached import Machine, Machines, attached, gathered
from twin.grid.circuit_draft import LoadImpedance
from twin.grid.components import Fault, LoadPoint, Probe
from twin.grid.errors import GridError, NotConvergedError
from twin.grid.loose_parts import bordered
from twin.grid.natural_response import OperatingPoint
from twin.grid.network import Network
from twin.grid.nodal import NodalSystem, State
from twin.grid.nodes import EARTH
from twin.grid.poles import Pole, pole_name, poles_of_switch, tapped_unit
from twin.grid.probes import ProbeRows, find_bus, load_side
from twin.grid.reduction import Reduction, all_voltages, reduce_network
from twin.grid.solution import Solution
from twin.grid.thevenin import Drawn, drawn_from
from twin.grid.topology import Topology

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]

TOLERANCE = 1e-11
"""Largest change of a load voltage in the last iteration [pu]."""

_GOOD_ENOUGH = 1e-9
"""What is taken where rounding hinders more: a part that next to nothing holds to earth [pu]."""

ITERATIONS = 60
"""After so many the fixed point is given up for the slower, surer iteration."""

_REMEMBERED = 128e6
"""Memory for reductions of earlier states: a capacitor that goes on and off costs two, once [bytes]."""


class GridSolver:
    """Solve a network again and again for changing loads, seen at its metering points.

    Results are a function of the network's state and of the arguments alone: every solution starts
    from the no-load voltages, and every state is factorised from nothing.

    Parameters
    ----------
    network : Network
        Its own loads are not connected; ``loads`` take their place.
    probes : sequence of Probe
    loads : sequence of LoadPoint
    orders : sequence of int
        Must hold 1; loads are open and sources shorted at all others.
    v_min_pu : float
        Below this voltage, of the bus's rated one, a load turns to a constant impedance, if it does not
        say otherwise.
    frequency : float, optional
        Actual frequency, which reactances follow [Hz]; the network's rated one by default.

    Raises
    ------
    GridError
        A probe or load point names what the network does not have.
    """

    def __init__(
        self,
        network: Network,
        *,
        probes: Sequence[Probe],
        loads: Sequence[LoadPoint],
        orders: Sequence[int],
        v_min_pu: float = 0.7,
        frequency: float | None = None,
    ) -> None:
        if sorted(set(orders)) != list(orders) or 1 not in orders or min(orders) < 1:
            raise GridError(f"orders {list(orders)} must be positive, ascend and hold 1")
        self.network = network
        self.probes = tuple(probes)
        self.loads = tuple(loads)
        self.orders = tuple(orders)
        load_bus = [find_bus(network, load.bus, f"load point '{load.name}'") for load in loads]
        held = [network.bus_index[probe.bus] for probe in probes if probe.bus in network.bus_index]
        used = [network.branch_index.get(probe.branch or "", -1) for probe in probes]
        ends = [network.branches[at] for at in used if at >= 0]
        held += [network.bus_index[bus] for one in ends for bus in (one.from_bus, one.to_bus)]
        self._system = NodalSystem(network, orders, keep={*load_bus, *held}, frequency=frequency)
        nodes, row = self._system.nodes, self._system.pattern.row
        self._probe_rows = ProbeRows(network, nodes, self.probes, self.loads, self._system.elements)
        sides = [load_side(nodes, load, bus) for load, bus in zip(self.loads, load_bus, strict=True)]
        numbers = np.array(sides, dtype=np.int64).reshape(-1, 2)
        self._ends = np.where(numbers == EARTH, EARTH, row[numbers])
        base = [
            network.buses[bus].u_phase * (math.sqrt(3.0) if len(load.phase) == 2 else 1.0)
            for bus, load in zip(load_bus, self.loads, strict=True)
        ]
        self._v_base: Float = np.array(base, dtype=np.float64)
        least = [v_min_pu if load.v_min_pu is None else load.v_min_pu for load in loads]
        self._v_min = self._v_base * np.array(least, dtype=np.float64)
        self._shares: Float = np.array([load.shares for load in loads], dtype=np.float64).reshape(-1, 4)
        self._orders = np.array(orders, dtype=np.int64)
        self._open_poles: frozenset[tuple[int, int, str]] = frozenset()
        self._closed = {switch.name: switch.closed for switch in network.switches}
        self._closed.update({capacitor.name: capacitor.closed for capacitor in network.capacitors})
        self._faults: dict[str, Fault] = {}
        self._taps: dict[int, int] = {}  # by branch, where it is not that of the network
        self._frequency = network.frequency if frequency is None else frequency
        self._reductions: OrderedDict[tuple[State, float], Reduction] = OrderedDict()
        self._current: Reduction | None = None
        self._machines: dict[str, Machine] = {}
        self._gathered: Machines | None = None
        self._attached: tuple[Complex, Float, Float] | None = None

    @property
    def load_base(self) -> Float:
        """(loads,) rated phase-to-earth voltage of each load point [V]."""
        return self._v_base

    @property
    def closed(self) -> dict[str, bool]:
        """State of every switch and capacitor switch by name."""
        return dict(self._closed)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Faults that are applied, by name."""
        return tuple(self._faults[name] for name in sorted(self._faults))

    def set_switch(self, name: str, closed: bool) -> None:
        """Operate a switch or a capacitor's switch.

        Raises
        ------
        GridError
            No switch of that name.
        """
        if name not in self._closed:
            mend = suggestion(name, self._closed, "switches")
            raise GridError(f"the network has no switch '{name}'; {mend}")
        self._closed[name] = bool(closed)
        self._open_poles -= frozenset(self.poles_of(name))
        self._current = None

    def apply_fault(self, fault: Fault) -> None:
        """Apply a fault; one of the same name is replaced.

        Raises
        ------
        GridError
            An impossible fault, an unknown bus, or a bus that an ideal source holds.
        """
        check_fault(fault)
        bus = find_bus(self.network, fault.bus, f"fault '{fault.name}'")
        held = {source.bus for source in self.network.sources if source.ideal}
        if self.network.buses[bus].name in held:
            raise GridError(f"fault '{fault.name}': an ideal source holds bus '{fault.bus}'")
        self._faults[fault.name] = fault
        self._current = None

    def clear_fault(self, name: str) -> None:
        """Remove a fault.

        Raises
        ------
        GridError
            No fault of that name is applied.
        """
        if name not in self._faults:
            raise GridError(f"no fault '{name}' is applied; {suggestion(name, self._faults, 'faults')}")
        del self._faults[name]
        self._current = None

    def set_poles(self, open_poles: Collection[tuple[int, int, str]]) -> None:
        """Set which single poles are open: branch, end (0 from, 1 to) and conductor of each."""
        self._open_poles = frozenset(open_poles)
        self._current = None

    def open_poles(self, poles: Collection[tuple[int, int, str]]) -> None:
        """Open further single poles; `set_switch` of their switch ends that."""
        self.set_poles(self._open_poles | frozenset(poles))

    def poles_of(self, switch: str) -> list[Pole]:
        """Return the poles of a switch; none of a bank whose units only go out together."""
        return poles_of_switch(self.network, switch)

    def pole_name(self, pole: Pole) -> str:
        """Return what the circuit of the network calls a pole."""
        return pole_name(self.network, pole)

    @property
    def taps(self) -> dict[str, int]:
        """Position of every transformer's tap changer by the transformer's name."""
        index = self.network.branch_index
        return {unit.name: self._taps.get(index[unit.name], unit.tap) for unit in self.network.transformers}

    def set_tap(self, name: str, position: int) -> None:
        """Move a transformer's tap changer.

        Raises
        ------
        GridError
            There is no such transformer, or no such position.
        """
        unit = tapped_unit(self.network, name, position)
        at = self.network.branch_index[name]
        self._taps.pop(at, None)
        if position != unit.tap:
            self._taps[at] = position
        self._current = None

    def set_frequency(self, frequency: float) -> None:
        """Let reactances follow an actual frequency [Hz]; what machines are is not changed by it."""
        if frequency != self._frequency:
            self._frequency = frequency
            self._system.set_frequency(frequency)
            self._current = None

    def set_machine(self, name: str, machine: Machine | None) -> None:
        """Connect a machine, change it, or take it away."""
        if machine is None:
            self._machines.pop(name, None)
        else:
            self._machines[name] = machine
        self._gathered = gathered(self._machines)
        self._attached = None

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """Forget, at the end of the block, what was done within it but changes of frequency."""
        kept = self._closed.copy(), self._faults.copy(), self._taps.copy(), self._machines.copy()
        poles = self._open_poles
        try:
            yield
        finally:
            self._closed, self._faults, self._taps, self._machines = kept
            self._open_poles, self._gathered = poles, gathered(self._machines)
            self._current = self._attached = None

    def _load_side(self) -> tuple[Complex, Float, Float]:
        """Return no-load voltages and coupling of the load points, machines running."""
        reduction = self._reduction()
        if self._gathered is None:
            return reduction.v0, reduction.coupling_re, reduction.coupling_im
        if self._attached is None:
            whole = reduction.coupling_re + 1j * reduction.coupling_im
            v0, coupling = attached(reduction.v0, whole, self._gathered)
            self._attached = (v0, np.ascontiguousarray(coupling.real), np.ascontiguousarray(coupling.imag))
        return self._attached

    def operating_point(self, solution: Solution, p: Float, q: Float) -> OperatingPoint:
        """Return a solution of the present state as impedances and voltages."""
        volts, amperes = solution.load_voltage, solution.load_current
        loads = []
        for at, point in enumerate(self.loads):
            v, i = complex(volts[at]), complex(amperes[at])
            y = i / v if v != 0 else complex(p[at], -q[at]) / float(self._v_min[at]) ** 2
            loads.append(LoadImpedance(point, y, i))
        return OperatingPoint(self.state, tuple(loads), self.node_voltages(solution))

    @property
    def state(self) -> State:
        """What operation has made of the network."""
        network = self.network
        opened = {network.branch_index[s.branch] for s in network.switches if not self._closed[s.name]}
        on = {at for at, capacitor in enumerate(network.capacitors) if self._closed[capacitor.name]}
        # The name of a fault does not change what it does.
        faults = tuple(replace(fault, name="") for fault in self.faults)
        return State(
            frozenset(opened), frozenset(on), faults, self._open_poles, frozenset(self._taps.items())
        )

    def _reduction(self) -> Reduction:
        if self._current is None:
            state = self.state
            key = (state, self._frequency)
            if key not in self._reductions:
                factors = self._system.factorise(state)
                self._reductions[key] = reduce_network(self._system, factors, self._probe_rows, self._ends)
            self._reductions.move_to_end(key)
            self._attached = None
            size = self._reductions[key].transfers.nbytes
            while len(self._reductions) > max(1.0, _REMEMBERED / max(size, 1)):
                self._reductions.popitem(last=False)
            self._current = self._reductions[key]
        return self._current

    def solve(self, p: Float, q: Float, emission: Complex) -> Solution:
        """Return the steady state for given load powers.

        Parameters
        ----------
        p, q : f64[loads]
            Active and reactive power at voltages above ``v_min_pu`` [W, var].
        emission : c128[loads, orders]
            Harmonic injection: a load of spectrum ratio ``r_h`` and angle ``phi = arg(p + jq)`` has
            ``r_h |S| exp(-j h phi)`` [VA] and draws ``emission exp(j h arg V) / |V|``. Emissions of several
            appliances add. The column of order 1 is not used.

        Raises
        ------
        GridError
            Arrays of another shape.
        NotConvergedError
            The network cannot carry the loads.
        """
        reduction = self._reduction()
        p = np.ascontiguousarray(p, dtype=np.float64)
        q = np.ascontiguousarray(q, dtype=np.float64)
        emission = np.ascontiguousarray(emission, dtype=np.complex128)
        loads, orders = len(self.loads), len(self.orders)
        if p.shape != (loads,) or q.shape != (loads,) or emission.shape != (loads, orders):
            raise GridError(
                f"{loads} load points at {orders} orders need p and q of shape ({loads},) and emission of "
                f"({loads}, {orders}), not {p.shape}, {q.shape} and {emission.shape}"
            )
        v = np.empty(loads, dtype=np.complex128)
        arguments = (
            *self._load_side(),
            p,
            q,
            self._shares,
            self._v_min,
            self._v_base,
            TOLERANCE,
        )
        iterations, mismatch, loose = 0, math.inf, reduction.loose
        if loose is None:
            iterations, mismatch = load_kernels.fixed_point(*arguments, ITERATIONS, v)
        if not mismatch <= TOLERANCE:
            border = bordered(loose, arguments[0], arguments[1] + 1j * arguments[2], self._gathered)
            more, mismatch = load_kernels.admittance_iteration(*arguments, 10 * ITERATIONS, v, *border)
            iterations += more
        if not mismatch <= _GOOD_ENOUGH:
            worst = self.loads[int(np.argmin(np.nan_to_num(np.abs(v) / self._v_base)))]
            raise NotConvergedError(
                f"no voltage satisfies loads of {float(np.sum(p)) / 1e3:.6g} kW in all (last change "
                f"{mismatch:.3g} pu after {iterations} iterations); lowest at load '{worst.name}', bus "
                f"'{worst.bus}': lower the loads, or strengthen the network on its way"
            )
        current = np.empty((len(self.orders), len(self.loads)), dtype=np.complex128)
        load_kernels.load_currents(
            v, p, q, self._shares, self._v_min, self._v_base, emission, self._orders, current
        )
        one = self.orders.index(1)
        potential = np.zeros((len(self.orders), 0), dtype=np.complex128)
        if loose is not None:
            potential = loose.balance(current, v, one)
            potential[one] = loose.potential(v)
        if self._gathered is not None:
            current[one] += self._gathered.current(v)
        phasor = reduction.transfers.phasors(reduction.base, current)
        if loose is not None:
            phasor += np.einsum("gr,hg->rh", loose.shift, potential)
        return Solution(phasor, v, current[one], current, int(iterations), float(mismatch), potential)

    def topology(self, state: State | None = None) -> Topology:
        """Return what is fed in a state, the present one by default."""
        return self._reduction().factors.topology if state is None else self._system.topology(state)

    def drawn(self, nodes: Sequence[int], order: int = 1) -> Drawn:
        """Return what currents of an order drawn from nodes do in the present state, loads open."""
        return drawn_from(self._system, self._reduction().factors, self._probe_rows, nodes, order)

    def node_voltages(self, solution: Solution, order: int = 1) -> Complex:
        """Return the voltage of every node of the network for a solution of the present state.

        Parameters
        ----------
        solution : Solution
        order : int
            One of the solver's orders.

        Returns
        -------
        c128[nodes]
            In the order of `twin.grid.nodes.Nodes`, against earth [V].
        """
        at = self.orders.index(order)
        return all_voltages(
            self._system, self._reduction(), self._ends, solution.currents[at], solution.potential[at], order
        )

"""The network as the simulation uses it: from load powers to the phasors at every metering point."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.documents import suggestion
from twin.grid import kernels, load_kernels
from twin.grid.admittance import check_fault
from twin.grid.components import PHASES, Fault, LoadPoint, Network, Probe
from twin.grid.errors import GridError, NotConvergedError
from twin.grid.nodal import NodalSystem, State, initial_state

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]

TOLERANCE = 1e-11
"""Largest change of a load voltage in the last iteration [pu]."""

ITERATIONS = 60
"""After so many the fixed point is given up for the slower, surer iteration."""

_REMEMBERED = 128e6
"""Memory for reductions of earlier states: a capacitor that goes on and off costs two, once [bytes]."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """One steady state."""

    phasor: Complex
    """(probes * 6, orders) RMS; rows va vb vc ia ib ic of each probe [V, A]."""
    load_voltage: Complex
    """(loads,) fundamental phase-to-earth RMS [V]."""
    load_current: Complex
    """(loads,) fundamental RMS, drawn by the load [A]."""
    iterations: int
    mismatch: float
    """Largest change of a load voltage in the last iteration [pu]."""


@dataclass(frozen=True, slots=True, eq=False)
class _Reduction:
    """What a state of the network is to its load points and probes."""

    v0: Complex
    """(loads,) voltage at no load [V]."""
    base: Complex
    """(probes * 6,) probe rows at no load, order 1."""
    coupling_re: Float
    coupling_im: Float
    """(loads, loads) [V/A]"""
    moved: NDArray[np.intp]
    """Probe rows that the loads have an effect on; a single-phase customer has two that they have not."""
    transfer_re: Float
    transfer_im: Float
    """(orders, loads, moved rows) [V/A, A/A]"""


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
        Below this voltage, of the bus's rated one, a load turns to a constant impedance.
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
        load_bus = [self._bus(load.bus, f"load point '{load.name}'") for load in loads]
        probe_bus = [self._bus(probe.bus, f"probe '{probe.name}'") for probe in probes]
        self._probe_branch = np.array([self._branch(probe) for probe in probes], dtype=np.int64)
        keep = {*load_bus, *probe_bus, *self._branch_ends()}
        self._system = NodalSystem(network, orders, keep=keep, frequency=frequency)
        row = self._system.pattern.row
        self._load_row = row[np.array(load_bus, dtype=np.int64)]
        self._load_phase = np.array([self._phase(load) for load in loads], dtype=np.int64)
        self._probe_row = row[np.array(probe_bus, dtype=np.int64)]
        self._probe_end = np.array([probe.end == "to" for probe in probes], dtype=np.int64)
        self._probe_load = self._named_loads()
        rated = np.array([network.buses[bus].u_rated for bus in load_bus]) / np.sqrt(3.0)
        self._v_base: Float = rated.reshape(-1)
        self._v_min = self._v_base * v_min_pu
        self._orders = np.array(orders, dtype=np.int64)
        self._initial = initial_state(network)
        self._closed = {switch.name: switch.closed for switch in network.switches}
        self._closed.update({capacitor.name: capacitor.closed for capacitor in network.capacitors})
        self._faults: dict[str, Fault] = {}
        self._reductions: OrderedDict[State, _Reduction] = OrderedDict()
        self._current: _Reduction | None = None

    def _bus(self, name: str, of: str) -> int:
        at = self.network.bus_index.get(name)
        if at is None:
            mend = suggestion(name, self.network.bus_index, "buses")
            raise GridError(f"{of}: the network has no bus '{name}'; {mend}")
        return at

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

    @staticmethod
    def _phase(load: LoadPoint) -> int:
        if load.phase not in {"a", "b", "c"}:
            raise GridError(f"load point '{load.name}': phase '{load.phase}' is none of a, b, c")
        return PHASES.index(load.phase)

    def _branch_ends(self) -> list[int]:
        index = self.network.bus_index
        used = [self.network.branches[at] for at in self._probe_branch if at >= 0]
        return [index[bus] for branch in used for bus in (branch.from_bus, branch.to_bus)]

    def _named_loads(self) -> NDArray[np.bool_]:
        index: dict[str, list[int]] = {}
        for at, load in enumerate(self.loads):
            index.setdefault(load.name, []).append(at)
        out = np.zeros((len(self.probes), len(self.loads)), dtype=np.bool_)
        for at, probe in enumerate(self.probes):
            for name in probe.loads if probe.branch is None else ():
                if name not in index:
                    mend = suggestion(name, index, "load points")
                    raise GridError(f"probe '{probe.name}': there is no load point '{name}'; {mend}")
                out[at, index[name]] = True
        return out

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
        self._current = None

    def apply_fault(self, fault: Fault) -> None:
        """Apply a fault; one of the same name is replaced.

        Raises
        ------
        GridError
            An impossible fault, an unknown bus, or a bus that an ideal source holds.
        """
        check_fault(fault)
        bus = self._bus(fault.bus, f"fault '{fault.name}'")
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

    def _state(self) -> State:
        network = self.network
        opened = {network.branch_index[s.branch] for s in network.switches if not self._closed[s.name]}
        on = {at for at, capacitor in enumerate(network.capacitors) if self._closed[capacitor.name]}
        # The name of a fault does not change what it does.
        faults = tuple(replace(fault, name="") for fault in self.faults)
        return replace(
            self._initial, open_branches=frozenset(opened), capacitors=frozenset(on), faults=faults
        )

    def _reduction(self) -> _Reduction:
        if self._current is None:
            state = self._state()
            if state not in self._reductions:
                self._reductions[state] = self._reduce(state)
            self._reductions.move_to_end(state)
            size = 2 * self._reductions[state].transfer_re.nbytes
            while len(self._reductions) > max(1.0, _REMEMBERED / max(size, 1)):
                self._reductions.popitem(last=False)
            self._current = self._reductions[state]
        return self._current

    def _reduce(self, state: State) -> _Reduction:
        system, pattern = self._system, self._system.pattern
        factors = system.factorise(state)
        loads, rows, orders = len(self.loads), 6 * len(self.probes), len(self.orders)
        one = self.orders.index(1)
        coupling = np.empty((loads, loads), dtype=np.complex128)
        scratch = np.empty_like(coupling)
        transfer = np.empty((orders, loads, rows), dtype=np.complex128)
        for n in range(orders):
            kernels.reduce_to_loads(
                pattern.start,
                pattern.column,
                factors.diagonal[n],
                factors.lower[n],
                factors.upper[n],
                pattern.first_kept,
                factors.fixed,
                self._load_row,
                self._load_phase,
                self._probe_row,
                self._probe_branch,
                self._probe_end,
                self._probe_load,
                system.ends,
                factors.in_service,
                system.blocks[n],
                coupling if n == one else scratch,
                transfer[n],
            )
        v = system.solve(factors, one, system.source_injection)
        base = np.empty(rows, dtype=np.complex128)
        kernels.probe_values(
            v,
            self._probe_row,
            self._probe_branch,
            self._probe_end,
            system.ends,
            factors.in_service,
            system.blocks[one],
            base,
        )
        moved = np.flatnonzero(np.any(transfer, axis=(0, 1)))
        return _Reduction(
            v0=v[self._load_row, self._load_phase],
            base=base,
            coupling_re=np.ascontiguousarray(coupling.real),
            coupling_im=np.ascontiguousarray(coupling.imag),
            moved=moved,
            transfer_re=np.ascontiguousarray(transfer.real[:, :, moved]),
            transfer_im=np.ascontiguousarray(transfer.imag[:, :, moved]),
        )

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
            reduction.v0,
            reduction.coupling_re,
            reduction.coupling_im,
            p,
            q,
            self._v_min,
            self._v_base,
            TOLERANCE,
        )
        iterations, mismatch = load_kernels.fixed_point(*arguments, ITERATIONS, v)
        if not mismatch <= TOLERANCE:
            more, mismatch = load_kernels.admittance_iteration(*arguments, 10 * ITERATIONS, v)
            iterations += more
        if not mismatch <= TOLERANCE:
            raise NotConvergedError(
                f"no voltage satisfies loads of {float(np.sum(p)) / 1e3:.6g} kW in all "
                f"(last change {mismatch:.3g} pu after {iterations} iterations)"
            )
        current = np.empty((len(self.orders), len(self.loads)), dtype=np.complex128)
        load_kernels.load_currents(v, p, q, self._v_min, emission, self._orders, current)
        phasor = np.empty((6 * len(self.probes), len(self.orders)), dtype=np.complex128)
        load_kernels.apply_transfer(
            reduction.base,
            reduction.moved,
            reduction.transfer_re,
            reduction.transfer_im,
            current,
            self._orders,
            phasor,
        )
        return Solution(phasor, v, current[self.orders.index(1)], int(iterations), float(mismatch))

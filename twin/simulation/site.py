"""The site's physical state: what every load draws, and the signal that follows from it.

A site is changed only between two instants of simulated time; however many loads change in one
instant, the network is solved once, when time moves on. A switch, fault or capacitor bank excites the
network's own modes, which run out beside the new steady state; poles and faults go out at a zero of
their current.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, ORDINARY, Segment, TruthEntry
from twin.grid import Fault, GridSolver, Machine
from twin.grid.arc import Arc
from twin.signals import carried_theta
from twin.simulation.arcs import Arcs
from twin.simulation.bus_voltages import BusVoltages
from twin.simulation.interrupting import Interrupter, Pole
from twin.simulation.trying import at_least, objection
from twin.simulation.waveform import Waveform

ANCHOR_NS = 10 * NS_PER_SECOND
"""Longest segment without a new anchor: keeps phase errors of long stretches below 1e-12 rad [ns]."""


class Site:
    """Loads, switches and faults of one network, and the segment that is true now.

    Parameters
    ----------
    solver : GridSolver
        The network with its probes (one per meter) and its load points.
    orders : sequence of int
        Harmonic orders that are solved, 1 among them.
    frequency : float
        Fundamental frequency [Hz].
    start_ns : int
        First instant, UTC [ns].
    load_names : sequence of str
        Names of the load points.
    reversed_probes : sequence of bool
        Whether the current transformers of each meter are turned. As many of the solver's probes, the
        first, are meters, whose channels make the signal; the others are where relays and controls look.
    switches : mapping of str to bool
        Initial state of everything that can be switched; true is closed.
    witness : callable
        Called with each truth entry.
    call_at : callable, optional
        Has a function called at an instant of simulated time, UTC [ns]. Without it switches and faults
        go out at once, and no modes are excited.
    poles : collection of (int, int), optional
        Branch and end (0 from, 1 to) of what may open pole by pole beside switches and fuses.
    """

    def __init__(
        self,
        solver: GridSolver,
        *,
        orders: Sequence[int],
        frequency: float,
        start_ns: int,
        load_names: Sequence[str],
        reversed_probes: Sequence[bool],
        switches: Mapping[str, bool],
        witness: Callable[[TruthEntry], None],
        call_at: Callable[[int, Callable[[], None]], None] | None = None,
        poles: Collection[tuple[int, int]] = (),
    ) -> None:
        self.time_ns = start_ns
        self.load_changes = self.solves = 0
        self.disturbed = True
        """Whether more than loads has changed since somebody looked."""
        self.load_names = tuple(load_names)
        self.p, self.q = np.zeros(len(load_names)), np.zeros(len(load_names))
        self.emission = np.zeros((len(load_names), len(orders)), dtype=np.complex128)
        self._solver = solver
        self.buses = BusVoltages(solver)
        self._one = list(orders).index(1)
        self._switches = dict(switches)
        self._witness = witness
        self._watchers: list[Callable[[], None]] = []
        self._changed = False
        self._orders: dict[str, int] = {}
        self._operators: list[Callable[[str, bool, str], None]] = []
        self._blown: set[Pole] = set()
        self._arcs = Arcs(solver)
        self._waveform = Waveform(
            solver,
            frequency=frequency,
            reversed_probes=reversed_probes,
            poles=poles,
            call_at=call_at,
            ended=self._go_on,
            tell=self.tell,
        )
        self._interrupter: Interrupter | None = None
        transitions = self._waveform.transitions
        if call_at is not None and transitions is not None:
            self._interrupter = Interrupter(
                solver,
                transitions,
                call_at,
                clock=lambda: (self.time_ns, self._theta()),
                settle=self.settle,
                event=self._event,
            )
            self.watch(self._interrupter.replan)
        self._segment = self._origin = self._solved_segment(start_ns, theta=0.0)

    @property
    def switches(self) -> Mapping[str, bool]:
        """State of everything that can be switched; true is closed."""
        return self._switches

    @property
    def solver(self) -> GridSolver:
        """The network's solver."""
        return self._solver

    @property
    def collapsed(self) -> list[str]:
        """Load points whose voltage is below half of the rated one without being dead."""
        size = np.abs(self._load_voltage)
        low = (size > 0) & (size < 0.5 * self._solver.load_base)
        return [self.load_names[at] for at in np.flatnonzero(low)]

    @property
    def segment(self) -> Segment:
        """The segment that is true at ``time_ns``."""
        return self._segment

    @property
    def frequency(self) -> float:
        """Fundamental frequency now [Hz]."""
        return self._waveform.frequency

    @property
    def calm_ns(self) -> int | None:
        """When the modes will have died away, UTC; None when there are none [ns]."""
        transitions = self._waveform.transitions
        return None if transitions is None else transitions.calm_ns

    @property
    def steady(self) -> bool:
        """Whether the segment holds steady harmonics alone."""
        return self.calm_ns is None and self._segment.block is None

    def fundamental(self, probe: int) -> NDArray[np.complex128]:
        """Return what a probe sees at the fundamental now: va vb vc ia ib ic, shape (6,), RMS [V, A]."""
        return np.asarray(self._fundamental[6 * probe : 6 * probe + 6])

    def phasors(self, probe: int) -> NDArray[np.complex128]:
        """Return what a probe sees at all orders now, shape (6, orders), RMS [V, A]."""
        return np.asarray(self._phasor[6 * probe : 6 * probe + 6])

    def fundamentals(self, first: int) -> NDArray[np.complex128]:
        """Return the same of all probes from one on, shape (probes, 6), RMS [V, A]."""
        return np.asarray(self._fundamental[6 * first :].reshape(-1, 6))

    def load_voltage(self, loads: Sequence[int] | NDArray[np.int64]) -> NDArray[np.complex128]:
        """Return the fundamental voltage of some load points as last solved, RMS [V]."""
        return self._load_voltage[np.asarray(loads, dtype=np.int64)]

    def load_power(self, loads: Sequence[int]) -> NDArray[np.complex128]:
        """Return what flows into some load points as last solved, machines included [VA]."""
        at = np.asarray(loads, dtype=np.int64)
        return np.asarray(self._load_voltage[at] * self._load_current[at].conj())

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have a function called after each new steady state, at its instant; it may change the site."""
        self._watchers.append(watcher)

    def on_operate(self, operator: Callable[[str, bool, str], None]) -> None:
        """Have a function called with switch, closed and cause before each order to a switch."""
        self._operators.append(operator)

    def parted(self, switch: str) -> bool:
        """Whether a switch is open and its last current has gone out."""
        return not self._solver.closed[switch]

    def tell(self, kind: str, element: str, cause: str, **detail: object) -> None:
        """Put something that happened now into the truth ledger."""
        self._witness(TruthEntry(self.time_ns, kind, element, cause, detail))
        self.disturbed = self.disturbed or kind not in ORDINARY

    def set_frequency(self, frequency: float, *, network: float | None = None) -> None:
        """Change the fundamental frequency; its phase goes on without a jump.

        Parameters
        ----------
        frequency : float
            From now on [Hz].
        network : float, optional
            What the network's reactances follow [Hz]; the same by default. A ramp spares itself solutions
            by moving them in coarser steps.
        """
        self._solver.set_frequency(frequency if network is None else network)
        self._waveform.set_frequency(frequency)
        self._changed = True

    def set_tap(self, transformer: str, position: int, *, cause: str) -> None:
        """Move a transformer's tap; no modes follow, as its contacts bridge the step."""
        self._solver.set_tap(transformer, position)
        self._changed = True
        self.tell("tap_changed", transformer, cause, position=position)

    def set_machine(self, name: str, machine: Machine | None) -> None:
        """Connect a machine to load points of its own, change it, or take it away."""
        self._solver.set_machine(name, machine)
        self._changed = True

    def change(
        self,
        load: int,
        delta_p: float,
        delta_q: float,
        delta_emission: NDArray[np.complex128],
        *,
        cause: str,
    ) -> None:
        """Add to what a load point draws.

        Parameters
        ----------
        load : int
            Index of the load point.
        delta_p, delta_q : float
            Change of active [W] and reactive [var] power.
        delta_emission : ndarray, shape (orders,)
            Change of the harmonic emission [VA].
        cause : str
            Who did it, for the truth ledger.
        """
        self.p[load] += delta_p
        self.q[load] += delta_q
        self.emission[load] += delta_emission
        self.load_changes += 1
        self._changed = True
        if delta_p or delta_q:  # a change of harmonics alone switches nothing
            self.tell("load_switched", self.load_names[load], cause, delta_p_w=delta_p, delta_q_var=delta_q)

    def shift(
        self,
        loads: NDArray[np.intp],
        delta_p: NDArray[np.float64],
        delta_q: NDArray[np.float64],
        delta_emission: NDArray[np.complex128] | None,
    ) -> None:
        """Add to what several load points draw, as a table says: nothing is told; see `TableSink`."""
        self.p[loads] += delta_p
        self.q[loads] += delta_q
        if delta_emission is not None:
            self.emission[loads] += delta_emission
        self.load_changes += loads.size
        self._changed = True

    def objection(self, switch: str, *, closed: bool) -> str:
        """Return why a switch must not be operated: without a solution then; empty when it may."""
        return objection(self, lambda _: self._set_switch(switch, closed=closed))

    def operate(self, switch: str, *, closed: bool, cause: str) -> bool:
        """Open or close a switch; returns whether it moved.

        Poles close together; each opens at the next zero of its current.

        Raises
        ------
        KeyError
            There is no such switch.
        """
        present = self._switches[switch]
        for operator in self._operators:
            operator(switch, closed, cause)
        if present == closed:
            return False
        self._switches[switch] = closed
        self.tell("switch_operated", switch, cause, closed=closed)
        poles = self._solver.poles_of(switch)
        if closed or self._interrupter is None or not poles:
            self._event(lambda: self._set_switch(switch, closed=closed))
            return True
        self._orders[switch] = order = self._orders.get(switch, 0) + 1
        self._interrupter.open(
            poles,
            wanted=lambda: not self._switches[switch] and self._orders[switch] == order,
            last=lambda: self._set_switch(switch, closed=False),
        )
        return True

    def open_pole(
        self, branch: int, end: int, letter: str, *, done: Callable[[], None] | None = None
    ) -> None:
        """Open one pole at the next zero of its current: a fuse's, or a conductor that breaks.

        Parameters
        ----------
        branch : int
            Position in ``network.branches``.
        end : int
            0 from, 1 to.
        letter : str
            Its conductor.
        done : callable, optional
            Called when its current has gone out.
        """
        pole = (branch, end, letter)

        def last() -> None:
            self._blown.add(pole)
            self._solver.open_poles([pole])
            if done is not None:
                done()

        if self._interrupter is None:
            self._event(last)
        else:
            self._interrupter.open([pole], wanted=lambda: pole not in self._blown, last=last)

    def let_open(self, branch: int, end: int) -> None:
        """Have a branch's end ready for `open_pole`; fuses, and the poles given at the start, are."""
        if self._waveform.transitions is not None:
            self._waveform.transitions.let_open((branch, end))

    def close_pole(self, branch: int, end: int, letter: str) -> None:
        """Put a pole back that was opened by itself: a new fuse link, a mended conductor."""
        pole = (branch, end, letter)
        self._blown.discard(pole)
        self._event(lambda: self._solver.set_poles(self._solver.state.open_poles - {pole}))

    def apply_fault(self, fault: Fault, *, cause: str) -> None:
        """Connect a fault."""
        self.change_fault(fault)
        detail = {"bus": fault.bus, "type": fault.type, "phases": fault.phases}
        self.tell("fault_applied", fault.name, cause, **detail, resistance_ohm=fault.resistance)

    def clear_fault(self, name: str, *, cause: str, at_once: bool = False) -> None:
        """Remove a fault; each phase goes out at the next zero of its current, or all at once."""
        fault = next((one for one in self._solver.faults if one.name == name), None)
        self.tell("fault_cleared", name, cause)
        if fault is None or self._interrupter is None or at_once:
            self._event(lambda: self._solver.clear_fault(name))
            return
        self._interrupter.clear(fault)

    def change_fault(self, fault: Fault) -> None:
        """Give a fault that is there another shape or resistance."""
        self._event(partial(self._solver.apply_fault, at_least(fault)))

    def set_arc(self, name: str, arc: Arc | None) -> None:
        """Add an arc's harmonics from now on, or no longer; its resistance is in the fault."""
        self._arcs.set(name, arc)
        self._changed = True

    def _set_switch(self, switch: str, *, closed: bool) -> None:
        """Operate a switch in the network; what single poles opened of themselves stays open."""
        self._solver.set_switch(switch, closed)
        self._solver.open_poles(self._blown)

    def settle(self) -> None:
        """Solve the network if anything changed at ``time_ns``; the new segment starts there."""
        if self._changed:
            self._changed = False
            self._segment = self._origin = self._solved_segment(self.time_ns, self._theta())
            for watcher in self._watchers:
                watcher()

    def reanchor(self) -> None:
        """Start a new segment at ``time_ns`` that goes on with the same terms."""
        self._segment = self._waveform.reanchored(self._segment, self.time_ns, self._theta())

    def _theta(self) -> float:
        """Return the phase of the fundamental now; counted from the last solution: no anchor rounds it."""
        return carried_theta(self._origin, self.time_ns)

    def _event(self, change: Callable[[], None]) -> None:
        """Change the network so that the next solution excites its modes."""
        if self._interrupter is not None:
            self.settle()
        self._waveform.before_event()
        change()
        self._changed = self.disturbed = True

    def _go_on(self) -> None:
        """Have a new segment start now, though nothing changed in the network."""
        self._changed = True

    def _solved_segment(self, start_ns: int, theta: float) -> Segment:
        solution = self._solver.solve(self.p, self.q, self.emission)
        self.solves += 1
        self.buses.take(solution)
        self._load_voltage, self._load_current = solution.load_voltage, solution.load_current
        arcs = self._arcs.phasors(solution)
        self._phasor = solution.phasor if arcs is None else solution.phasor + arcs
        self._fundamental = self._phasor[:, self._one]
        return self._waveform.solved(solution, self._phasor, self.p, self.q, start_ns=start_ns, theta=theta)

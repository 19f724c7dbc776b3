"""The site's physical state: what every load draws, and the signal that follows from it.

A site is changed only between two instants of simulated time; however many loads change in one
instant, the network is solved once, when time moves on.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Segment, TruthEntry
from twin.grid import Fault, GridSolver
from twin.signals import amplitude_from_rms, carried_theta

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
        Whether the current transformers of each probe are turned.
    switches : mapping of str to bool
        Initial state of everything that can be switched; true is closed.
    witness : callable
        Called with each truth entry.
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
    ) -> None:
        self.time_ns = start_ns
        self.load_changes = 0
        self.solves = 0
        self.load_names = tuple(load_names)
        self.p = np.zeros(len(load_names))
        self.q = np.zeros(len(load_names))
        self.emission = np.zeros((len(load_names), len(orders)), dtype=np.complex128)
        self._solver = solver
        self._order = np.asarray(orders, dtype=np.float64)
        self._rate = np.zeros(len(orders), dtype=np.complex128)
        self._frequency = frequency
        self._switches = dict(switches)
        self._witness = witness
        signs = [[1.0] * 3 + [-1.0 if turned else 1.0] * 3 for turned in reversed_probes]
        self._peak = amplitude_from_rms(np.array(signs, dtype=np.complex128).reshape(-1, 1))
        self._changed = False
        self._segment = self._solved_segment(start_ns, theta=0.0)

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
        self._tell("load_switched", self.load_names[load], cause, delta_p_w=delta_p, delta_q_var=delta_q)

    def operate(self, switch: str, *, closed: bool, cause: str) -> bool:
        """Open or close a switch; returns whether it moved.

        Raises
        ------
        KeyError
            There is no such switch.
        """
        if self._switches[switch] == closed:
            return False
        self._solver.set_switch(switch, closed)
        self._switches[switch] = closed
        self._changed = True
        self._tell("switch_operated", switch, cause, closed=closed)
        return True

    def apply_fault(self, fault: Fault, *, cause: str) -> None:
        """Connect a fault."""
        self._solver.apply_fault(fault)
        self._changed = True
        detail = {"bus": fault.bus, "type": fault.type, "phases": fault.phases}
        self._tell("fault_applied", fault.name, cause, **detail, resistance_ohm=fault.resistance)

    def clear_fault(self, name: str, *, cause: str) -> None:
        """Remove a fault."""
        self._solver.clear_fault(name)
        self._changed = True
        self._tell("fault_cleared", name, cause)

    def settle(self) -> None:
        """Solve the network if anything changed at ``time_ns``; the new segment starts there."""
        if self._changed:
            self._segment = self._solved_segment(self.time_ns, carried_theta(self._segment, self.time_ns))
            self._changed = False

    def reanchor(self) -> None:
        """Start a new segment at ``time_ns`` that goes on with the same terms."""
        old = self._segment
        self._segment = Segment(
            self.time_ns, old.frequency, carried_theta(old, self.time_ns), old.order, old.rate, old.amplitude
        )

    def _solved_segment(self, start_ns: int, theta: float) -> Segment:
        solution = self._solver.solve(self.p, self.q, self.emission)
        self.solves += 1
        self._load_voltage = solution.load_voltage
        amplitude = solution.phasor * self._peak
        return Segment(start_ns, self._frequency, theta, self._order, self._rate, amplitude)

    def _tell(self, kind: str, element: str, cause: str, **detail: object) -> None:
        self._witness(TruthEntry(self.time_ns, kind, element, cause, detail))

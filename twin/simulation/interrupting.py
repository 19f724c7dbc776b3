"""Currents go out at their zeros: the poles of switches and fuses, and the phases of faults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from twin.grid import Fault, GridSolver
from twin.simulation.transitions import Transitions

Pole = tuple[int, int, str]
"""Branch, end (0 from, 1 to) and conductor."""

CallAt = Callable[[int, Callable[[], None]], None]


@dataclass(slots=True, eq=False)
class _Pending:
    """A current that is to go out at its next zero."""

    plan: Callable[[], tuple[int, Callable[[], None]]]
    """Returns when that is, UTC [ns], and what is done then."""
    wanted: Callable[[], bool]
    generation: int = 0


class Interrupter:
    """Opens poles and clears faults one after the other, each at the next zero of its current.

    Whenever the network changes meanwhile, the zeros are sought anew.

    Parameters
    ----------
    solver : GridSolver
    transitions : Transitions
        Knows the waveforms.
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    clock : callable
        Returns the present instant, UTC [ns], and the phase of the fundamental there [rad].
    settle : callable
        Solves the network if anything changed.
    event : callable
        Changes the network so that its modes are excited.
    """

    def __init__(
        self,
        solver: GridSolver,
        transitions: Transitions,
        call_at: CallAt,
        *,
        clock: Callable[[], tuple[int, float]],
        settle: Callable[[], None],
        event: Callable[[Callable[[], None]], None],
    ) -> None:
        self._solver = solver
        self._transitions = transitions
        self._call_at = call_at
        self._clock = clock
        self._settle = settle
        self._event = event
        self._pending: list[_Pending] = []

    def open(self, poles: Sequence[Pole], *, wanted: Callable[[], bool], last: Callable[[], None]) -> None:
        """Open poles.

        Parameters
        ----------
        poles : sequence of (int, int, str)
        wanted : callable
            Whether they still are to open.
        last : callable
            Opens the last of them in the network.
        """

        def plan() -> tuple[int, Callable[[], None]]:
            zeros = self._transitions.pole_zeros(poles, *self._clock())
            first = min(zeros.values())
            left = [pole for pole in poles if zeros[pole] > first]
            return first, partial(go, left)

        def go(left: Sequence[Pole]) -> None:
            if not left:
                self._event(last)
                return
            self._event(lambda: self._solver.open_poles([pole for pole in poles if pole not in left]))
            self.open(left, wanted=wanted, last=last)

        self._await(_Pending(plan, wanted))

    def clear(self, fault: Fault) -> None:
        """Clear a fault's phases."""

        def plan() -> tuple[int, Callable[[], None]]:
            phase, at_ns = self._transitions.fault_zero(fault, *self._clock())
            return at_ns, partial(go, phase)

        def go(phase: str) -> None:
            rest = without_phase(fault, phase)
            if rest is None:
                self._event(lambda: self._solver.clear_fault(fault.name))
                return
            self._event(lambda: self._solver.apply_fault(rest))
            self.clear(rest)

        # A fault that has been replaced meanwhile is no longer to be cleared.
        self._await(_Pending(plan, lambda: fault in self._solver.faults))

    def replan(self) -> None:
        """Seek the zeros anew: the network has changed."""
        for one in list(self._pending):
            self._schedule(one)

    def _await(self, one: _Pending) -> None:
        self._settle()
        self._pending.append(one)
        self._schedule(one)

    def _schedule(self, one: _Pending) -> None:
        if not one.wanted():
            self._pending.remove(one)
            return
        one.generation += 1
        at_ns, go = one.plan()
        self._call_at(at_ns, partial(self._reach, one, one.generation, go))

    def _reach(self, one: _Pending, generation: int, go: Callable[[], None]) -> None:
        """Come to a zero; what was sought anew meanwhile has another."""
        self._settle()
        if generation != one.generation or one not in self._pending:
            return
        self._pending.remove(one)
        if one.wanted():
            go()


def without_phase(fault: Fault, phase: str) -> Fault | None:
    """Return what is left of a fault when one of its phases has gone out; None when nothing is."""
    phases = "".join(letter for letter in fault.phases if letter != phase)
    if fault.type == "ll" or not phases:
        return None
    kind = {1: "slg", 2: "llg"}[len(phases)]
    return Fault(fault.name, fault.bus, kind, phases, fault.resistance)

"""Currents go out at their zeros: the poles of switches and fuses, and the phases of faults."""

from collections.abc import Callable, Sequence

from twin.grid import Fault, GridSolver
from twin.simulation.transitions import Transitions

Pole = tuple[int, int, str]
"""Branch, end (0 from, 1 to) and conductor."""

CallAt = Callable[[int, Callable[[], None]], None]


class Interrupter:
    """Opens poles and clears faults one after the other, each at the next zero of its current.

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
        Solves the network if anything changed; returns how often it has been solved.
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
        settle: Callable[[], int],
        event: Callable[[Callable[[], None]], None],
    ) -> None:
        self._solver = solver
        self._transitions = transitions
        self._call_at = call_at
        self._clock = clock
        self._settle = settle
        self._event = event

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
        solves = self._settle()
        zeros = self._transitions.pole_zeros(poles, *self._clock())
        first = min(zeros.values())

        def at_zero() -> None:
            if not wanted():
                return
            if self._settle() != solves:
                self.open(poles, wanted=wanted, last=last)  # what it saw is no longer true
                return
            going = [pole for pole in poles if zeros[pole] <= first]
            left = [pole for pole in poles if pole not in going]
            if not left:
                self._event(last)
                return
            self._event(lambda: self._solver.open_poles(going))
            self.open(left, wanted=wanted, last=last)

        self._call_at(first, at_zero)

    def clear(self, fault: Fault) -> None:
        """Clear a fault's phases."""
        solves = self._settle()
        phase, at_ns = self._transitions.fault_zero(fault, *self._clock())

        def at_zero() -> None:
            if fault not in self._solver.faults:
                return  # it was replaced meanwhile
            if self._settle() != solves:
                self.clear(fault)
                return
            rest = without_phase(fault, phase)
            if rest is None:
                self._event(lambda: self._solver.clear_fault(fault.name))
                return
            self._event(lambda: self._solver.apply_fault(rest))
            self.clear(rest)

        self._call_at(at_ns, at_zero)


def without_phase(fault: Fault, phase: str) -> Fault | None:
    """Return what is left of a fault when one of its phases has gone out; None when nothing is."""
    phases = "".join(letter for letter in fault.phases if letter != phase)
    if fault.type == "ll" or not phases:
        return None
    kind = {1: "slg", 2: "llg"}[len(phases)]
    return Fault(fault.name, fault.bus, kind, phases, fault.resistance)

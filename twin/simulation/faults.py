"""Faults of the scenario as they run their course: they arc, evolve, strike again, go out, are repaired."""

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.grid import Fault
from twin.grid.arc import Arc
from twin.scenario.fault_schema import Evolution
from twin.scenario.fault_schema import Fault as FaultEvent
from twin.signals import carried_theta
from twin.simulation.arcs import EXTINCTION
from twin.simulation.site import Site
from twin.simulation.trying import ARC_OHM

CallAt = Callable[[int, Callable[[], None]], None]

_NOTHING = 1e-3
"""Below this there is no current in a fault at all, RMS [A]."""

SQUARE = 2.0 * math.sqrt(2.0) / math.pi
"""RMS value of a square wave's fundamental, of its height."""

_SAME = 1e-4
"""An arc's resistance is found when it changes by less, of itself."""

_LIVE = 0.1
"""Share of the rated phase voltage from which the arc's conductors are live."""

_ROUNDS = 40
"""In which that must come about; else the network cannot keep the arc."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault sees its bus."""

    voltages: Callable[[], NDArray[np.complex128]]
    """Returns the phase voltages there as last solved, shape (3,), RMS [V]."""
    u_phase: float
    """Rated phase voltage [V]."""


class FaultCourse:
    """One fault from its beginning to its end.

    Parameters
    ----------
    site : Site
    event : twin.scenario.fault_schema.Fault
    place : Place
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    cause : str
        Who began it.
    """

    def __init__(
        self,
        site: Site,
        event: FaultEvent,
        place: Place,
        call_at: CallAt,
        *,
        cause: str,
    ) -> None:
        self._site = site
        self._event = event
        self._place = place
        self._call_at = call_at
        self._cause = cause
        self._present = Fault(event.name, event.bus, event.type, event.phases, event.resistance)
        self._own = event.resistance
        """What the fault has beside its arc [ohm]."""
        self._arc: Arc | None = None
        """Whose harmonics the site has."""
        self._burns = False
        self._over = False
        self._dead_since: int | None = None
        self._rounds, self._round_ns = 0, -1
        if event.self_extinguishing or event.arc_voltage is not None:
            site.watch(self._look)

    def begin(self) -> None:
        """Let the fault happen now."""
        event, now_ns = self._event, self._site.time_ns
        if event.intermittent is not None:
            self._strikes_end = now_ns + _ns(event.intermittent.lasts)
            self._await_peak()
        else:
            self._strike()
        for stage in event.evolves:
            self._call_at(now_ns + _ns(stage.after), partial(self._evolve, stage))
        if event.clear_after is not None:
            self._call_at(now_ns + _ns(event.clear_after), partial(self.end, self._cause))

    def end(self, cause: str) -> None:
        """Have the fault go out for good, each phase at a zero of its current."""
        if not self._over:
            self._over = True
            self._go_out(cause)

    def _strike(self) -> None:
        self._burns = True
        self._site.apply_fault(self._present, cause=self._cause)

    def _go_out(self, cause: str) -> None:
        if self._burns:
            self._burns = False
            self._site.settle()
            voltage = self._place.voltages()
            # On a dead line there is no current whose zero could be waited for.
            dead = fault_current(self._present, voltage) < _NOTHING
            self._site.clear_fault(self._event.name, cause=cause, at_once=dead)

    def _evolve(self, stage: Evolution) -> None:
        if self._over:
            return
        event = self._event
        self._own = self._own if stage.resistance is None else stage.resistance
        self._present = Fault(event.name, event.bus, stage.type, stage.phases, self._own)
        self._site.change_fault(self._present)
        self._set_arc(None)
        detail = {"type": stage.type, "phases": stage.phases, "resistance_ohm": self._own}
        self._site.tell("fault_evolved", event.name, self._cause, **detail)

    # What the arc does after each new steady state.

    def _look(self) -> None:
        if not self._burns:
            # Each phase keeps its arc up to its own zero of current.
            if all(fault.name != self._event.name for fault in self._site.solver.faults):
                self._set_arc(None)
            return
        voltage = self._place.voltages()
        current = fault_current(self._present, voltage)
        if self._event.self_extinguishing:
            self._watch_death(dead=current < EXTINCTION)
        if self._event.arc_voltage is None:
            return
        if current >= EXTINCTION:
            wanted = self._own + SQUARE * self._event.arc_voltage / current
            if abs(wanted - self._present.resistance) > _SAME * wanted:
                self._call_at(self._site.time_ns, partial(self._adapt, wanted))
            else:
                self._set_arc(Arc(self._event.arc_voltage, self._own))
        elif current * self._present.resistance > _LIVE * self._place.u_phase:
            self._call_at(self._site.time_ns, partial(self.end, "arc too long"))

    def _set_arc(self, arc: Arc | None) -> None:
        """Have the site add the harmonics of an arc, or of none."""
        if arc != self._arc:
            self._arc = arc
            self._site.set_arc(self._event.name, arc)

    def _adapt(self, resistance: float) -> None:
        """Give the arc the resistance that its voltage makes at its present current."""
        if not self._burns:
            return
        now_ns = self._site.time_ns
        self._rounds = self._rounds + 1 if now_ns == self._round_ns else 1
        self._round_ns = now_ns
        if self._rounds > _ROUNDS:
            self.end("arc too long")
            return
        present = self._present
        self._present = Fault(present.name, present.bus, present.type, present.phases, resistance)
        self._site.change_fault(self._present)

    def _watch_death(self, *, dead: bool) -> None:
        if not dead:
            self._dead_since = None
        elif self._dead_since is None:
            self._dead_since = now_ns = self._site.time_ns
            self._call_at(now_ns + _ns(self._event.deionisation), partial(self._deionised, now_ns))

    def _deionised(self, since_ns: int) -> None:
        self._site.settle()
        if self._dead_since == since_ns:
            self.end("deionised")

    # Intermittent strikes.

    def _await_peak(self) -> None:
        """Strike at the next peak of the phase's voltage, if that is high enough."""
        site = self._site
        site.settle()
        if self._over or site.time_ns >= self._strikes_end:
            return
        assert self._event.intermittent is not None
        voltage = complex(self._place.voltages()["abc".index(self._event.phases)])
        if abs(voltage) < self._event.intermittent.threshold / 100 * self._place.u_phase:
            self._later(self._await_peak)
            return
        angle = carried_theta(site.segment, site.time_ns) + cmath.phase(voltage)
        wait = (-angle % math.pi) / (2.0 * math.pi * site.frequency)
        self._call_at(site.time_ns + round(wait * NS_PER_SECOND), self._strike_again)

    def _strike_again(self) -> None:
        if self._over:
            return
        assert self._event.intermittent is not None
        self._strike()
        burning = _ns(self._event.intermittent.burning)
        self._call_at(self._site.time_ns + burning, partial(self._go_out, "current zero"))
        self._later(self._await_peak)

    def _later(self, function: Callable[[], None]) -> None:
        assert self._event.intermittent is not None
        self._call_at(self._site.time_ns + _ns(self._event.intermittent.interval), function)


def fault_current(fault: Fault, voltage: NDArray[np.complex128]) -> float:
    """Return the current in a fault, mean over its phases, from the phase voltages at its bus, RMS [A].

    A fault is a resistance: each phase to earth, or between the two phases.
    """
    ohm = max(fault.resistance, ARC_OHM)
    places = ["abc".index(letter) for letter in fault.phases]
    if fault.type == "ll":
        return float(abs(voltage[places[0]] - voltage[places[1]])) / ohm
    return float(np.mean(np.abs(voltage[places]))) / ohm


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_SECOND)

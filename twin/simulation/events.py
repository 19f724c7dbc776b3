"""The scenario's own events: faults, broken conductors, repairs, switches that are operated."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.grid import Fault, Network, Probe
from twin.scenario import ScheduledEvent
from twin.scenario.fault_schema import Conductor, Repair
from twin.scenario.fault_schema import Fault as FaultEvent
from twin.scenario.schema import Switching
from twin.simulation.faults import CallAt, FaultCourse, Place
from twin.simulation.protecting import Protection
from twin.simulation.site import Site

CAUSE = "scenario"
"""Who did it, in the truth ledger."""


def event_probes(events: Sequence[ScheduledEvent]) -> list[Probe]:
    """Return where the events look at the network: one bus for each fault, in their order."""
    faults = [item.event for item in events if isinstance(item.event, FaultEvent)]
    return [Probe(f"fault {event.name}", event.bus) for event in faults]


def breaking_poles(network: Network, events: Sequence[ScheduledEvent]) -> list[tuple[int, int]]:
    """Return branch and end of every conductor that will break."""
    conductors = [item.event for item in events if isinstance(item.event, Conductor)]
    return [(network.branch_index[event.branch], int(event.end == "to")) for event in conductors]


def start_events(
    site: Site,
    events: Sequence[ScheduledEvent],
    *,
    first: int,
    protection: Protection,
    call_at: CallAt,
) -> dict[str, Callable[[], None]]:
    """Have each event of the scenario happen at its time.

    Parameters
    ----------
    site : Site
    events : sequence of ScheduledEvent
    first : int
        Probe of the first fault; the others follow.
    protection : Protection
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].

    Returns
    -------
    dict of str to callable
        What repairs each fault, conductor and fuse, by its name.
    """
    network, probe = site.solver.network, first
    repairs: dict[str, Callable[[], None]] = {
        fuse.name: partial(protection.replace_fuse, fuse.name) for fuse in network.fuses
    }
    for item in events:
        event = item.event
        if isinstance(event, FaultEvent):
            bus = network.buses[network.bus_index[event.bus]]
            place = Place(partial(_seen, site, probe), bus.u_phase)
            course = FaultCourse(site, event, place, call_at, cause=CAUSE)
            probe += 1
            repairs[event.name] = partial(course.end, "repair")
            call_at(item.at_ns, course.begin)
        elif isinstance(event, Conductor):
            conductor = BrokenConductor(site, event, call_at, cause=CAUSE)
            repairs[event.name] = conductor.mend
            call_at(item.at_ns, conductor.break_)
        elif isinstance(event, Switching):
            closed = event.to == "closed"
            call_at(item.at_ns, partial(_operate, site, event.switch, closed=closed))
    for item in events:
        if isinstance(item.event, Repair) and item.event.of in repairs:
            call_at(item.at_ns, repairs[item.event.of])
    return repairs


def _seen(site: Site, probe: int) -> NDArray[np.complex128]:
    return site.fundamental(probe)[:3]


def _operate(site: Site, switch: str, *, closed: bool) -> None:
    site.operate(switch, closed=closed, cause=CAUSE)


class BrokenConductor:
    """A conductor of a line that breaks and, if it falls, touches earth on the side of the other end.

    Parameters
    ----------
    site : Site
    event : Conductor
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    cause : str
        Who broke it.
    """

    def __init__(self, site: Site, event: Conductor, call_at: CallAt, *, cause: str) -> None:
        network = site.solver.network
        self._cause = cause
        self._site = site
        self._event = event
        self._call_at = call_at
        self._branch = network.branch_index[event.branch]
        self._end = int(event.end == "to")
        line = network.branches[self._branch]
        self._far = line.from_bus if event.end == "to" else line.to_bus
        self._fallen = False
        self._mended = False

    def break_(self) -> None:
        """Break: the current goes on in an arc up to its next zero."""
        event = self._event
        self._site.tell("conductor_broken", event.branch, self._cause, phase=event.phase, name=event.name)
        self._site.let_open(self._branch, self._end)
        self._site.open_pole(self._branch, self._end, event.phase, done=self._parted)
        if event.mended_after is not None:
            after = round(event.mended_after * NS_PER_SECOND)
            self._call_at(self._site.time_ns + after, self.mend)

    def mend(self) -> None:
        """Put the conductor back."""
        if self._mended:
            return
        self._mended = True
        event = self._event
        if self._fallen:
            self._site.clear_fault(event.name, cause="repair")
        self._site.close_pole(self._branch, self._end, event.phase)
        self._site.tell("conductor_mended", event.branch, "repair", phase=event.phase, name=event.name)

    def _parted(self) -> None:
        if self._event.falls:
            self._call_at(self._site.time_ns, self._touch)

    def _touch(self) -> None:
        if not self._mended:
            self._fallen = True
            event = self._event
            fault = Fault(event.name, self._far, "slg", event.phase, event.resistance)
            self._site.apply_fault(fault, cause=self._cause)

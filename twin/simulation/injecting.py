"""Events that somebody injects into a running site, as commands: logged, and replayed with the others."""

from collections.abc import Callable, Mapping
from functools import partial

from twin.contracts import BadInputError, Command, Finding, Refusal
from twin.grid import Fault, GridSolver
from twin.scenario import SiteScenario
from twin.scenario.live_events import (
    LiveConductor,
    LiveEvent,
    LiveFault,
    LiveMeasurementFault,
    LivePowerLoss,
    LivePowerRestore,
    LiveRepair,
    check_live_event,
    read_live_event,
)
from twin.simulation.events import BrokenConductor
from twin.simulation.faults import CallAt, FaultCourse, Place
from twin.simulation.measurement_faults import MeasurementFaults
from twin.simulation.motors import Motor
from twin.simulation.site import Site
from twin.simulation.supplies import Supplies
from twin.simulation.trying import at_least, objection

TARGET = "site"
"""What such commands are addressed to."""


class Injector:
    """Makes faults, breaks, repairs and motor starts happen that the scenario does not know of.

    Parameters
    ----------
    site : Site
    scenario : SiteScenario
    repairs : dict of str to callable
        What repairs each fault, conductor and fuse of the scenario, by name; what is injected joins them.
    motors : mapping of str to Motor
    supplies : Supplies
        Of the meters.
    measurement : MeasurementFaults
        Of the meters.
    call_at : callable
        Has a function called at an instant of simulated time, UTC [ns].
    """

    def __init__(
        self,
        site: Site,
        scenario: SiteScenario,
        *,
        repairs: Mapping[str, Callable[[], None]],
        motors: Mapping[str, Motor],
        supplies: Supplies,
        measurement: MeasurementFaults,
        call_at: CallAt,
    ) -> None:
        self._site = site
        self._supplies = supplies
        self._measurement = measurement
        self._meters = {meter.config.name: at for at, meter in enumerate(scenario.meters)}
        self._scenario = scenario
        self._repairs = dict(repairs)
        self._motors = motors
        self._call_at = call_at

    def findings(self, given: Mapping[str, object]) -> list[Finding]:
        """Return what is wrong with an event; changes nothing, from any thread.

        Parameters
        ----------
        given : mapping
            Its fields as a scenario file has them, without a time.
        """
        try:
            event = read_live_event(given)
        except BadInputError as error:
            return list(error.findings)
        return check_live_event(self._scenario, event, repairable=(*self._repairs, *self._measurement.names))

    def command(self, command: Command) -> tuple[Refusal | None, str]:
        """Carry out ``inject``: the arguments are the fields of an event."""
        if command.verb != "inject":
            return Refusal.ILLEGAL_FUNCTION, f"the site has no '{command.verb}'"
        found = self.findings(command.arguments)
        if found:
            return Refusal.ILLEGAL_VALUE, "; ".join(f"{one.field}: {one.what}, {one.mend}" for one in found)
        event = read_live_event(command.arguments)
        if against := objection(self._site, *self._changes(event)):
            return Refusal.ILLEGAL_VALUE, against
        self._happen(event, command.source)
        return None, ""

    def _changes(self, event: LiveEvent) -> list[Callable[[GridSolver], None]]:
        """Return what an event does to the network: at once, and while it lasts."""
        if isinstance(event, LiveFault):
            faults = [Fault(event.name, event.bus, event.type, event.phases, event.resistance)]
            for stage in event.evolves:
                ohm = faults[-1].resistance if stage.resistance is None else stage.resistance
                faults.append(Fault(event.name, event.bus, stage.type, stage.phases, ohm))
            return [partial(GridSolver.apply_fault, fault=at_least(fault)) for fault in faults]
        if isinstance(event, LiveConductor):
            network = self._site.solver.network
            pole = (network.branch_index[event.branch], int(event.end == "to"), event.phase)
            return [partial(GridSolver.open_poles, poles=[pole])]
        if isinstance(event, LiveRepair) and any(one.name == event.of for one in self._site.solver.faults):
            return [partial(GridSolver.clear_fault, name=event.of)]
        return []

    def _happen(self, event: LiveEvent, cause: str) -> None:
        if isinstance(event, LiveFault):
            self._begin_fault(event, cause)
        elif isinstance(event, LiveConductor):
            conductor = BrokenConductor(self._site, event, self._call_at, cause=cause)
            self._repairs[event.name] = conductor.mend
            conductor.break_()
        elif isinstance(event, LiveRepair):
            if event.of in self._repairs:
                self._repairs[event.of]()
            else:
                self._measurement.repair(event.of)
        elif isinstance(event, LiveMeasurementFault):
            at = self._meters[event.meter]
            self._measurement.begin(at, event, cause=cause, clear_after=event.clear_after)
        elif isinstance(event, LivePowerLoss | LivePowerRestore):
            self._supply(event, cause)
        elif event.to == "on":
            self._motors[event.motor].switch_on()
        else:
            self._motors[event.motor].switch_off()

    def _supply(self, event: LivePowerLoss | LivePowerRestore, cause: str) -> None:
        self._supplies.schedule(event, self._meters[event.meter], self._site.time_ns, cause=cause)

    def _begin_fault(self, event: LiveFault, cause: str) -> None:
        site = self._site
        network = site.solver.network
        at = network.bus_index[event.bus]
        site.settle()
        site.buses.watch()
        place = Place(partial(site.buses.at, at), network.buses[at].u_phase)
        course = FaultCourse(site, event, place, self._call_at, cause=cause)
        self._repairs[event.name] = partial(course.end, "repair")
        course.begin()

"""Events that somebody injects into a running site, as commands: logged, and replayed with the others."""

from collections.abc import Callable, Mapping
from functools import partial

from twin.grid import Fault, GridSolver
from twin.scenario import SiteScenario
from twin.scenario.live_events import LiveConductor, LiveEvent, LiveFault, LiveMotorEvent, LiveRepair
from twin.simulation.communication import Communication
from twin.simulation.events import BrokenConductor
from twin.simulation.faults import CallAt, FaultCourse, Place
from twin.simulation.measurement_faults import MeasurementFaults
from twin.simulation.meter_injecting import MeterInjector
from twin.simulation.motors import Motor
from twin.simulation.site import Site
from twin.simulation.supplies import Supplies
from twin.simulation.trying import at_least, objection


class Injector(MeterInjector):
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
    communication : Communication
        Of the meters with their masters.
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
        communication: Communication,
        call_at: CallAt,
    ) -> None:
        super().__init__(
            scenario,
            supplies=supplies,
            measurement=measurement,
            communication=communication,
            now_ns=lambda: site.time_ns,
        )
        self._site = site
        self._repairs = dict(repairs)
        self._motors = motors
        self._call_at = call_at

    @property
    def repairable(self) -> tuple[str, ...]:
        """Names of what can be repaired."""
        return (*self._repairs, *super().repairable)

    def objection(self, event: LiveEvent) -> str:
        """Return why an event must not happen: the network would have no solution."""
        return objection(self._site, *self._changes(event))

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

    def happen(self, event: LiveEvent, cause: str) -> None:
        """Have an event happen now."""
        if isinstance(event, LiveFault):
            self._begin_fault(event, cause)
        elif isinstance(event, LiveConductor):
            conductor = BrokenConductor(self._site, event, self._call_at, cause=cause)
            self._repairs[event.name] = conductor.mend
            conductor.break_()
        elif isinstance(event, LiveRepair) and event.of in self._repairs:
            self._repairs[event.of]()
        elif isinstance(event, LiveMotorEvent):
            motor = self._motors[event.motor]
            (motor.switch_on if event.to == "on" else motor.switch_off)()
        else:
            super().happen(event, cause)

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

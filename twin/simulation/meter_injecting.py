"""Events that somebody injects into a running site whatever it is: those that happen to its meters."""

from collections.abc import Callable, Mapping

from twin.contracts import BadInputError, Command, Finding, Refusal
from twin.scenario import SiteScenario
from twin.scenario.live_events import (
    LiveCommunicationFault,
    LiveEvent,
    LiveMeasurementFault,
    LivePowerLoss,
    LivePowerRestore,
    LiveRepair,
    check_live_event,
    read_live_event,
)
from twin.simulation.communication import Communication
from twin.simulation.measurement_faults import MeasurementFaults
from twin.simulation.supplies import Supplies

TARGET = "site"
"""What such commands are addressed to."""


class MeterInjector:
    """Makes supplies and communication fail and meters be wrong that the scenario does not know of.

    Parameters
    ----------
    scenario : SiteScenario
    supplies : Supplies
        Of the meters.
    measurement : MeasurementFaults
        Of the meters.
    communication : Communication
        Of the meters with their masters.
    now_ns : callable
        Returns simulated time, UTC [ns].
    """

    def __init__(
        self,
        scenario: SiteScenario,
        *,
        supplies: Supplies,
        measurement: MeasurementFaults,
        communication: Communication,
        now_ns: Callable[[], int],
    ) -> None:
        self._scenario = scenario
        self._supplies = supplies
        self._measurement = measurement
        self._communication = communication
        self._now_ns = now_ns
        self._meters = {meter.config.name: at for at, meter in enumerate(scenario.meters)}

    @property
    def repairable(self) -> tuple[str, ...]:
        """Names of what can be repaired."""
        return (*self._measurement.names, *self._communication.names)

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
        return check_live_event(self._scenario, event, repairable=self.repairable)

    def command(self, command: Command) -> tuple[Refusal | None, str]:
        """Carry out ``inject``: the arguments are the fields of an event."""
        if command.verb != "inject":
            return Refusal.ILLEGAL_FUNCTION, f"the site has no '{command.verb}'"
        found = self.findings(command.arguments)
        if found:
            return Refusal.ILLEGAL_VALUE, "; ".join(f"{one.field}: {one.what}, {one.mend}" for one in found)
        event = read_live_event(command.arguments)
        if against := self.objection(event):
            return Refusal.ILLEGAL_VALUE, against
        self.happen(event, command.source)
        return None, ""

    def objection(self, event: LiveEvent) -> str:
        """Return why an event must not happen to the site as it is; empty when it may."""
        del event
        return ""

    def happen(self, event: LiveEvent, cause: str) -> None:
        """Have an event happen now."""
        if isinstance(event, LiveMeasurementFault):
            meter = self._meters[event.meter]
            self._measurement.begin(meter, event, cause=cause, clear_after=event.clear_after)
        elif isinstance(event, LivePowerLoss | LivePowerRestore):
            self._supplies.schedule(event, self._meters[event.meter], self._now_ns(), cause=cause)
        elif isinstance(event, LiveCommunicationFault):
            self._communication.begin(event, cause=cause)
        elif isinstance(event, LiveRepair):
            self._measurement.repair(event.of)
            self._communication.repair(event.of)

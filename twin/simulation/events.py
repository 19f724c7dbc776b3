"""The scenario's own events as processes: faults that come and go, switches that are operated."""

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from twin.contracts import NS_PER_SECOND
from twin.grid import Fault
from twin.scenario import ScheduledEvent
from twin.scenario.schema import Fault as FaultEvent
from twin.scenario.schema import Switching
from twin.simulation.site import Site

CAUSE = "scenario"
"""Who did it, in the truth ledger."""


def start_events(environment: simpy.Environment, site: Site, events: Sequence[ScheduledEvent]) -> None:
    """Start one process for each event of the scenario."""
    for scheduled in events:
        delay = scheduled.at_ns - int(environment.now)
        if isinstance(scheduled.event, FaultEvent):
            environment.process(_fault(environment, site, scheduled.event, delay))
        elif isinstance(scheduled.event, Switching):
            environment.process(_switching(environment, site, scheduled.event, delay))


def _fault(
    environment: simpy.Environment, site: Site, event: FaultEvent, delay: int
) -> Generator[Any, Any, None]:
    yield environment.timeout(delay)
    fault = Fault(event.name, event.bus, event.type, event.phases, event.resistance)
    site.apply_fault(fault, cause=CAUSE)
    yield environment.timeout(round(event.clear_after * NS_PER_SECOND))
    site.clear_fault(event.name, cause=CAUSE)


def _switching(
    environment: simpy.Environment, site: Site, event: Switching, delay: int
) -> Generator[Any, Any, None]:
    yield environment.timeout(delay)
    site.operate(event.switch, closed=event.to == "closed", cause=CAUSE)

"""Events of machines and of the frequency: motors that are switched, islands that leave the grid."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import simpy

from twin.contracts import NS_PER_SECOND
from twin.grid import Network
from twin.scenario import ScheduledEvent, SiteScenario
from twin.scenario.equipment_schema import Island, MotorEvent
from twin.scenario.islands import lives_alone
from twin.scenario.times import parse_local
from twin.simulation.motors import Motor
from twin.simulation.site import Site
from twin.simulation.system_frequency import SystemFrequency, course_of

CAUSE = "scenario"
"""Who did it, in the truth ledger."""


def start_frequency(
    environment: simpy.Environment, site: Site, scenario: SiteScenario
) -> SystemFrequency | None:
    """Start the process of the site's frequency, if anything makes it differ from the rated one."""
    given, rated = scenario.scenario.frequency, scenario.network.frequency
    if given is None and not any(isinstance(one.event, Island) for one in scenario.events):
        return None
    points = []
    for point in given.profile if given is not None else ():
        at_ns = parse_local(point.at, scenario.zone, after_ns=scenario.start_ns)
        points.append((at_ns, point.frequency))
    level = rated + (given.offset if given is not None else 0.0)
    frequency = SystemFrequency(environment, site, course_of(points, level))
    environment.process(frequency.run())
    return frequency


def start_equipment_events(
    environment: simpy.Environment,
    site: Site,
    events: Sequence[ScheduledEvent],
    *,
    network: Network,
    motors: Mapping[str, Motor],
    frequency: SystemFrequency | None,
) -> None:
    """Start one process for each event of motors and islands."""
    for scheduled in events:
        delay, event = scheduled.at_ns - int(environment.now), scheduled.event
        if isinstance(event, MotorEvent):
            environment.process(_motor(environment, motors[event.motor], event, delay))
        elif isinstance(event, Island):
            assert frequency is not None
            environment.process(_island(environment, site, network, frequency, event, delay))


def _motor(
    environment: simpy.Environment, motor: Motor, event: MotorEvent, delay: int
) -> Generator[Any, Any, None]:
    yield environment.timeout(delay)
    if event.to == "on":
        motor.switch_on()
    else:
        motor.switch_off()


def _island(
    environment: simpy.Environment,
    site: Site,
    network: Network,
    frequency: SystemFrequency,
    event: Island,
    delay: int,
) -> Generator[Any, Any, None]:
    yield environment.timeout(delay)
    site.operate(event.switch, closed=False, cause=CAUSE)
    if event.source_switch is not None:
        site.operate(event.source_switch, closed=True, cause=CAUSE)
    alive = lives_alone(network, site.switches)
    detail = {"frequency_hz": event.frequency, "alive": alive}
    site.tell("island_formed", event.switch, CAUSE, **detail)
    if alive:
        frequency.leave_grid(event.frequency, event.ramp)
    if event.lasts is None:
        return
    yield environment.timeout(round(event.lasts * NS_PER_SECOND))
    if alive:
        frequency.return_to_grid(event.ramp)
        yield environment.timeout(round(event.ramp * NS_PER_SECOND))
    site.operate(event.switch, closed=True, cause=CAUSE)
    if event.source_switch is not None:
        site.operate(event.source_switch, closed=False, cause=CAUSE)

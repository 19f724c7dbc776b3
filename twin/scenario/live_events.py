"""Events that somebody injects into a running site: those of the scenario file, happening now."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import Document, suggestion, validate
from twin.scenario.communication_checks import communication_fits
from twin.scenario.communication_schema import CommunicationFault
from twin.scenario.context import Context
from twin.scenario.equipment_checks import motor_events
from twin.scenario.equipment_schema import MotorEvent
from twin.scenario.fault_checks import (
    conductors_fit,
    faults_fit,
    supplied_meters_exist,
    values_can_be,
)
from twin.scenario.fault_schema import Conductor, Fault, Repair
from twin.scenario.measurement_checks import events_suit_the_site, measurement_faults_fit
from twin.scenario.measurement_schema import MeasurementFault, name_of
from twin.scenario.site_scenario import SiteScenario
from twin.scenario.supply_schema import PowerLoss, PowerRestore

_CONFIG = ConfigDict(coerce_numbers_to_str=False, strict=True)


class LiveFault(Fault):
    """A short circuit at a bus, from now on."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


class LiveConductor(Conductor):
    """A conductor of a line breaks now."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


class LiveRepair(Repair):
    """A crew now removes a fault, mends a conductor or puts in new fuse links."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


class LiveMotorEvent(MotorEvent):
    """A motor is switched on or off now."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


class LivePowerLoss(PowerLoss):
    """A meter loses its auxiliary supply now."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


class LivePowerRestore(PowerRestore):
    """A meter's auxiliary supply comes back now."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


class LiveMeasurementFault(MeasurementFault):
    """A meter is now connected wrongly, shows what it does not hold, or its clock goes wrong."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


class LiveCommunicationFault(CommunicationFault):
    """Something goes wrong between meters and their masters, from now on."""

    model_config = _CONFIG
    at: Literal["now"] = "now"


_Live = (
    LiveFault
    | LiveConductor
    | LiveRepair
    | LiveMotorEvent
    | LivePowerLoss
    | LivePowerRestore
    | LiveMeasurementFault
    | LiveCommunicationFault
)
LiveEvent = Annotated[_Live, Field(discriminator="event")]

LIVE_EVENTS: Mapping[str, type[_Live]] = {
    "fault": LiveFault,
    "conductor": LiveConductor,
    "repair": LiveRepair,
    "motor": LiveMotorEvent,
    "power_loss": LivePowerLoss,
    "power_restore": LivePowerRestore,
    "measurement_fault": LiveMeasurementFault,
    "communication_fault": LiveCommunicationFault,
}
"""What can be injected, by its field ``event``."""

_RULES = (
    faults_fit,
    conductors_fit,
    values_can_be,
    motor_events,
    supplied_meters_exist,
    measurement_faults_fit,
    events_suit_the_site,
    communication_fits,
)


def read_live_event(given: Mapping[str, object]) -> LiveEvent:
    """Return an event from plain data, as a scenario file has it, without a time.

    Parameters
    ----------
    given : mapping
        Its fields; sequences may be tuples, as a recorded command has them.

    Raises
    ------
    BadInputError
        With one finding for each field that is unknown, missing or wrong.
    """
    kind = given.get("event")
    model = LIVE_EVENTS.get(kind) if isinstance(kind, str) else None
    if model is None:
        what = "is missing" if kind is None else "is of no known kind"
        raise BadInputError(Finding(Mark(""), "event", what, f"give one of {', '.join(LIVE_EVENTS)}"))
    return validate(Document("", _listed(given), {}), model)


def check_live_event(
    scenario: SiteScenario, event: LiveEvent, *, repairable: Collection[str]
) -> list[Finding]:
    """Return what is wrong with an event at a site, by fields of the event.

    Parameters
    ----------
    scenario : SiteScenario
    event : LiveEvent
    repairable : collection of str
        Names of the faults, broken conductors and fuses that there are.
    """
    only = scenario.scenario.model_copy(update={"events": [event]})
    nowhere = Document("", {}, {})
    context = Context(nowhere, only, scenario.network, scenario.zone, scenario.start_ns, scenario.end_ns)
    found = [
        Finding(Mark(""), finding.field.removeprefix("events[0]").lstrip("."), finding.what, finding.mend)
        for rule in _RULES
        for finding in rule(context)
    ]
    name = (
        name_of(event, event.meter) if isinstance(event, MeasurementFault) else getattr(event, "name", None)
    )
    if name in repairable:
        found.append(Finding(Mark(""), "name", f"there is a '{name}' already", "choose another"))
    if isinstance(event, Repair) and event.of not in repairable:
        mend = suggestion(event.of, repairable, "names")
        found.append(Finding(Mark(""), "of", f"there is no fault, conductor or fuse '{event.of}'", mend))
    return found


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value

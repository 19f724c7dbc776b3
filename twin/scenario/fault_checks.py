"""Rules for faults, broken conductors and repairs."""

from collections.abc import Callable, Iterator

from twin.contracts import Finding
from twin.grid import Line
from twin.scenario.communication_schema import CommunicationFault
from twin.scenario.context import Context, Path_
from twin.scenario.equipment_schema import Part
from twin.scenario.fault_schema import Conductor, Evolution, Fault, Repair
from twin.scenario.measurement_checks import names_to_repair
from twin.scenario.supply_schema import PowerLoss, PowerRestore

PHASES = {"slg": 1, "ll": 2, "llg": 2, "3ph": 3}
"""How many phases each type of fault has."""

LONGEST_S = 100 * 365.25 * 86400.0
"""No time of an event is longer: a scenario is not [s]."""
LARGEST = {"resistance": 1e9, "arc_voltage": 1e6, "threshold": 110.0}
"""Largest value of what is no time, in SI."""
LARGEST_TEXT = {"resistance": "1 Gohm", "arc_voltage": "1 MV", "threshold": "110 %"}


def faults_fit(context: Context) -> Iterator[Finding]:
    """Find faults at unknown buses, on missing phases, or with stages that contradict each other."""
    network = context.network
    held = {source.bus for source in network.sources if source.ideal}
    for at, event in enumerate(context.scenario.events):
        if not isinstance(event, Fault):
            continue
        path: Path_ = ("events", at)
        if event.bus not in network.bus_index:
            yield context.unknown((*path, "bus"), event.bus, list(network.bus_index), "bus")
        if event.bus in held:
            what = f"an ideal source holds bus '{event.bus}'"
            yield context.finding((*path, "bus"), what, "fault another bus, or give the source an impedance")
        yield from _phases(context, path, event, event.bus)
        for number, stage in enumerate(event.evolves):
            yield from _phases(context, (*path, "evolves", number), stage, event.bus)
        times = [stage.after for stage in event.evolves]
        if times != sorted(set(times)):
            yield context.finding(
                (*path, "evolves"), "its stages do not follow each other", "order them by after"
            )
        yield from _intermittent(context, path, event)


def supplied_meters_exist(context: Context) -> Iterator[Finding]:
    """Find supplies of unknown meters that fail or come back."""
    names = [meter.name for meter in context.scenario.meters]
    for at, event in enumerate(context.scenario.events):
        if isinstance(event, PowerLoss | PowerRestore) and event.meter not in names:
            yield context.unknown(("events", at, "meter"), event.meter, names, "meter")


def _phases(context: Context, path: Path_, event: Fault | Evolution, bus: str) -> Iterator[Finding]:
    if len(event.phases) != PHASES[event.type]:
        what = f"a fault of type {event.type} has {PHASES[event.type]} phases, not '{event.phases}'"
        yield context.finding((*path, "phases"), what, "name the faulted phases")
    at = context.network.bus_index.get(bus)
    if at is None:
        return
    missing = [letter for letter in event.phases if letter not in context.network.buses[at].phases]
    if missing:
        what = f"bus '{bus}' has no phase {missing[0]}"
        yield context.finding((*path, "phases"), what, "fault a phase that is there")


def _intermittent(context: Context, path: Path_, event: Fault) -> Iterator[Finding]:
    if event.intermittent is None:
        return
    where = (*path, "intermittent")
    if event.type != "slg":
        yield context.finding(where, f"a fault of type {event.type} does not strike again", "make it slg")
    if event.arc_voltage is not None or event.evolves or event.self_extinguishing:
        what = "arc_voltage, evolves and self_extinguishing do not go with it"
        yield context.finding(where, what, "leave them out, or intermittent")
    if event.intermittent.burning + 0.02 > event.intermittent.interval:
        what = "the strikes run into each other"
        yield context.finding((*where, "burning"), what, "burn at least 20 ms less than the interval")


def conductors_fit(context: Context) -> Iterator[Finding]:
    """Find conductors that their line does not have."""
    network = context.network
    for at, event in enumerate(context.scenario.events):
        if not isinstance(event, Conductor):
            continue
        path: Path_ = ("events", at)
        branch = network.branch_index.get(event.branch)
        lines = [line.name for line in network.lines]
        if branch is None or not isinstance(network.branches[branch], Line):
            yield context.unknown((*path, "branch"), event.branch, lines, "line")
            continue
        line = network.lines[branch]
        if event.phase not in line.phases:
            what = f"line '{line.name}' has conductors '{line.phases}', not {event.phase}"
            yield context.finding((*path, "phase"), what, "break one that is there")
        if event.falls and event.phase == "n":
            yield context.finding((*path, "falls"), "a fallen neutral is no fault", "leave falls out")


def _names_differ(context: Context) -> Iterator[Finding]:
    taken: set[str] = {fuse.name for fuse in context.network.fuses}
    for path, name in names_to_repair(context):
        if name in taken:
            yield context.finding((*path, "name"), f"'{name}' stands twice", "choose another")
        taken.add(name)
    for at, event in enumerate(context.scenario.events):
        if isinstance(event, Repair) and event.of not in taken:
            yield context.unknown(("events", at, "of"), event.of, sorted(taken), "fault, conductor or fuse")


def values_can_be(context: Context) -> Iterator[Finding]:
    """Find values that are numbers all right, but of no fault that anyone will live to see."""
    for at, event in enumerate(context.scenario.events):
        if isinstance(event, Fault | Conductor | CommunicationFault):
            yield from _too_large(context, ("events", at), event)


def _too_large(context: Context, path: Path_, part: Part) -> Iterator[Finding]:
    for field in type(part).model_fields:
        value = getattr(part, field)
        if isinstance(value, float) and value > LARGEST.get(field, LONGEST_S):
            limit = LARGEST_TEXT.get(field, "100 years")
            yield context.finding((*path, field), f"{value:g} is more than {limit}", "give less")
        for number, inner in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(inner, Part):
                place = (*path, field, number) if isinstance(value, list) else (*path, field)
                yield from _too_large(context, place, inner)


FAULT_RULES: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    faults_fit,
    conductors_fit,
    _names_differ,
    supplied_meters_exist,
    values_can_be,
)
"""All rules about faults."""

"""What the schema cannot say: names that must exist, ports that must differ, times that must fit.

Each rule takes the context and yields findings; all rules run, so that one look shows everything.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from twin.contracts import Access, Finding
from twin.meters import PROFILES, RATED_FREQUENCIES
from twin.meters.kw320.profile import image_map
from twin.scenario.communication_checks import COMMUNICATION_RULES
from twin.scenario.context import Context, Path_
from twin.scenario.endpoint_checks import ENDPOINT_RULES
from twin.scenario.equipment import FIELDS, connected_phases, equipment
from twin.scenario.equipment_checks import EQUIPMENT_RULES
from twin.scenario.fault_checks import FAULT_RULES
from twin.scenario.io_checks import io_is_wired
from twin.scenario.measurement_checks import events_suit_the_site, measurement_faults_fit, readings_fit
from twin.scenario.schema import MeterPoint, Scenario, Switching

SITE_FIELDS = ("network", "source", "recording")
"""What a site can be; just one of them."""


def site_field(scenario: Scenario) -> str:
    """Return which field says what the site is."""
    return next(name for name in SITE_FIELDS if getattr(scenario, name) is not None)


def check_scenario(context: Context) -> list[Finding]:
    """Return all findings of all rules, in order of their lines."""
    found = [finding for rule in RULES for finding in rule(context)]
    return sorted(found, key=lambda finding: finding.where)


def _loads_exist_once(context: Context) -> Iterator[Finding]:
    names = [load.name for load in context.network.loads]
    taken: dict[str, int] = {}
    for at, entry in enumerate(context.scenario.loads):
        for key in [entry.loads] if isinstance(entry.loads, str) else entry.loads:
            path: Path_ = ("loads", at, "loads")
            if key != "all" and key not in names:
                yield context.unknown(path, key, names, "load")
            elif key in taken:
                who = "all other loads" if key == "all" else f"load '{key}'"
                yield context.finding(path, f"{who} already follow entry {taken[key]}", "name it once")
            else:
                taken[key] = at


def _profiles_exist(context: Context) -> Iterator[Finding]:
    folder = Path(context.document.file).parent
    for at, entry in enumerate(context.scenario.loads):
        if entry.model == "profile" and not (folder / entry.file).is_file():
            mend = "import it first (twin import simbench CODE --out DIR) or correct the path"
            yield context.finding(("loads", at, "file"), f"profile file '{entry.file}' is not there", mend)


def _equipment_stands_somewhere(context: Context) -> Iterator[Finding]:
    scenario, network = context.scenario, context.network
    taken = {load.name for load in network.loads}
    for field, at, entry in equipment(scenario):
        if entry.bus not in network.bus_index:
            yield context.unknown((field, at, "bus"), entry.bus, list(network.bus_index), "bus")
        else:
            there = network.buses[network.bus_index[entry.bus]].phases
            missing = [phase for phase in connected_phases(entry) if phase not in there]
            if missing:
                what = f"bus '{entry.bus}' has no phase {missing[0]}"
                yield context.finding((field, at, "bus"), what, "choose another bus or other phases")
        if entry.name in taken:
            what = f"'{entry.name}' is already the name of a load or generator"
            yield context.finding((field, at, "name"), what, "choose another")
        taken.add(entry.name)
    if scenario.photovoltaics and scenario.location is None:
        yield context.finding(("location",), "photovoltaics need the site's location", "add 'location'")


def _meter_names_differ(context: Context) -> Iterator[Finding]:
    network = context.network
    taken = {"clock": "the clock", "site": "the site"}
    taken |= {switch.name: "a switch" for switch in network.switches}
    taken |= {capacitor.name: "a capacitor" for capacitor in network.capacitors}
    taken |= {control.name: "a tap changer" for control in network.tap_changers}
    for at, meter in enumerate(context.scenario.meters):
        if meter.name in taken:
            what = f"'{meter.name}' is already the name of {taken[meter.name]}"
            yield context.finding(("meters", at, "name"), what, "choose another")
        taken[meter.name] = "a meter"


def _meters_are_connected(context: Context) -> Iterator[Finding]:
    for at, meter in enumerate(context.scenario.meters):
        path: Path_ = ("meters", at, "at")
        if context.scenario.network is not None:
            yield from _connection(context, path, meter.at)
        elif meter.at.model_fields_set - {"reverse"}:
            what = "there is no network to choose a place in"
            yield context.finding(path, what, "leave it out; 'reverse' alone may stay")


def _what_needs_a_network(context: Context) -> Iterator[Finding]:
    scenario = context.scenario
    if scenario.network is not None:
        return
    for field in ("loads", *FIELDS, "frequency"):
        if getattr(scenario, field):
            mend = f"leave '{field}' out, or give a network"
            yield context.finding((field,), "only a network can have them", mend)


def _connection(context: Context, path: Path_, point: MeterPoint) -> Iterator[Finding]:
    network = context.network
    standing = {entry.name: entry.bus for _, _, entry in equipment(context.scenario)}
    loads = [load.name for load in network.loads] + list(standing)
    given = [point.branch is not None, point.load is not None, bool(point.loads)]
    if sum(given) != 1:
        yield context.finding(path, "needs one of branch, load or loads", "give one of them")
    if point.bus is not None and point.bus not in network.bus_index:
        yield context.unknown((*path, "bus"), point.bus, list(network.bus_index), "bus")
    if point.branch is not None and point.branch not in network.branch_index:
        yield context.unknown((*path, "branch"), point.branch, list(network.branch_index), "branch")
    elif point.branch is not None and point.bus is not None:
        branch = network.branches[network.branch_index[point.branch]]
        end = branch.from_bus if point.end == "from" else branch.to_bus
        if point.bus != end:
            what = f"the {point.end} end of '{point.branch}' is at bus '{end}', not at '{point.bus}'"
            yield context.finding((*path, "bus"), what, "leave bus out, or change end")
    for name in ([point.load] if point.load else []) + point.loads:
        if name not in loads:
            key = "load" if point.load else "loads"
            yield context.unknown((*path, key), name, loads, "load")
    buses = {load.name: load.bus for load in network.loads}
    buses |= standing
    if len(set(point.loads)) < len(point.loads):
        yield context.finding((*path, "loads"), "a load stands twice", "name it once")
    at = {buses[name] for name in point.loads if name in buses}
    if len(at) > 1:
        what = f"the loads are at different buses ({', '.join(sorted(at))})"
        yield context.finding((*path, "loads"), what, "meter each bus by itself, or a branch")


def _frequency_suits_the_meters(context: Context) -> Iterator[Finding]:
    frequency = context.network.frequency
    if context.scenario.meters and frequency not in RATED_FREQUENCIES:
        what = f"the meters are made for 50, 60 or 400 Hz, the site has {frequency:g} Hz"
        yield context.finding((site_field(context.scenario),), what, "make it one of 50, 60 or 400 Hz")


def _events_fit(context: Context) -> Iterator[Finding]:
    network = context.network
    switches = [switch.name for switch in network.switches] + [item.name for item in network.capacitors]
    for at, event in enumerate(context.scenario.events):
        path: Path_ = ("events", at)
        yield from context.check_time((*path, "at"), event.at)
        if isinstance(event, Switching) and event.switch not in switches:
            yield context.unknown((*path, "switch"), event.switch, switches, "switch")


def _recording_fits(context: Context) -> Iterator[Finding]:
    recording = context.scenario.recording
    if recording is not None:
        yield from context.check_time(("recording", "at"), recording.at)


def _history_exists(context: Context) -> Iterator[Finding]:
    profiles = {meter.name: meter.profile for meter in context.scenario.meters}
    for name, wanted in context.scenario.history.registers.items():
        path: Path_ = ("history", "registers", name)
        if name not in profiles:
            yield context.unknown(path, name, list(profiles), "meter")
        elif profiles[name] in PROFILES and wanted != "all":
            known = [
                register.name
                for register in image_map(profiles[name]).registers
                if register.access is not Access.WRITE
            ]
            for at, register in enumerate(wanted):
                if register not in known:
                    yield context.unknown((*path, at), register, known, "register")


RULES: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    _loads_exist_once,
    _profiles_exist,
    _equipment_stands_somewhere,
    _meter_names_differ,
    _meters_are_connected,
    _what_needs_a_network,
    _frequency_suits_the_meters,
    *ENDPOINT_RULES,
    _events_fit,
    _recording_fits,
    _history_exists,
    io_is_wired,
    *EQUIPMENT_RULES,
    *FAULT_RULES,
    measurement_faults_fit,
    readings_fit,
    events_suit_the_site,
    *COMMUNICATION_RULES,
)
"""All rules; a new one is one more function."""

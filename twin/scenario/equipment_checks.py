"""What the schema cannot say of machines, inverters, frequency and islands."""

import itertools
from collections.abc import Callable, Iterator

from twin.contracts import Finding, TwinError
from twin.grid.machines.zip_model import ZIP_CLASSES
from twin.scenario.context import Context, Path_
from twin.scenario.equipment import RULES, equipment, inverter_of, motor_drive, problem_of, ride_through_of
from twin.scenario.equipment_schema import InverterKeys, Island, MotorEvent, Thermostatic
from twin.scenario.islands import cut_off, lives_alone
from twin.scenario.times import parse_local


def _zip_classes(context: Context) -> Iterator[Finding]:
    for at, entry in enumerate(context.scenario.loads):
        given = None if isinstance(entry, Thermostatic) else entry.zip
        if isinstance(given, str) and given not in ZIP_CLASSES:
            yield context.unknown(("loads", at, "zip"), given, list(ZIP_CLASSES), "class")


def _thermostats(context: Context) -> Iterator[Finding]:
    for at, entry in enumerate(context.scenario.loads):
        if not isinstance(entry, Thermostatic) or entry.low is None or entry.high is None:
            continue
        if not entry.low < entry.high:
            what = f"the thresholds {entry.low:g} and {entry.high:g} do not rise"
            yield context.finding(("loads", at, "high"), what, "give a higher one")


def _motors(context: Context) -> Iterator[Finding]:
    for at, motor in enumerate(context.scenario.motors):
        path: Path_ = ("motors", at)
        if motor.contactor is not None and motor.contactor.drop_out >= motor.contactor.pick_up:
            what = "it drops out at a higher voltage than it closes"
            yield context.finding((*path, "contactor"), what, "give a pick_up above drop_out")
        if motor.bus not in context.network.bus_index:
            continue  # another rule says so
        try:
            motor_drive(motor, context.network)
        except TwinError as error:
            yield context.finding(path, *problem_of(error))


def _inverters(context: Context) -> Iterator[Finding]:
    frequency = context.network.frequency
    for field in ("photovoltaics", "batteries"):
        for at, entry in enumerate(getattr(context.scenario, field)):
            assert isinstance(entry, InverterKeys)
            path: Path_ = (field, at)
            for curve in ("volt_var", "volt_watt"):
                try:
                    inverter_of(
                        InverterKeys(**{curve: getattr(entry, curve)}), s_rated=1.0, u_rated=1.0, phases=3
                    )
                except TwinError as error:
                    yield context.finding((*path, curve), *problem_of(error))
            if not entry.controlled:
                continue
            rules = ride_through_of(entry, frequency)
            low, high = rules.frequency_window
            if not low <= frequency <= high:
                fitting = next(name for name, one in RULES.items() if one is not rules)
                what = f"the thresholds of {rules.name} are not for {frequency:g} Hz"
                yield context.finding((*path, "ride_through"), what, f"give {fitting}")


def _batteries(context: Context) -> Iterator[Finding]:
    scenario = context.scenario
    seen = [load.name for load in context.network.loads]
    seen += [roof.name for roof in scenario.photovoltaics]
    seen += [charger.name for charger in scenario.chargers]
    for at, battery in enumerate(scenario.batteries):
        path: Path_ = ("batteries", at)
        if battery.mode == "schedule" and not battery.schedule:
            yield context.finding((*path, "schedule"), "has no hours", "add some, or use self_consumption")
        if battery.mode == "self_consumption" and not battery.of:
            mend = "name the loads and generators behind the metering point"
            yield context.finding((*path, "of"), "self-consumption of nothing", mend)
        for name in battery.of:
            if name not in seen:
                yield context.unknown((*path, "of"), name, seen, "load")
        hours = sorted((order.start, order.end) for order in battery.schedule)
        for one, other in itertools.pairwise(hours):
            if other[0] < one[1]:
                what = f"{other[0]:g} h lies in the hours before it"
                yield context.finding((*path, "schedule"), what, "let hours follow each other")
        for number, order in enumerate(battery.schedule):
            if order.end <= order.start:
                what = f"ends at {order.end:g} h, before it starts"
                yield context.finding((*path, "schedule", number), what, "split it at midnight")


def _ranges(context: Context) -> Iterator[Finding]:
    keys = {"arc_furnaces": ("first_wait", "pause"), "welders": ("spots", "pause")}
    for field, names in keys.items():
        for at, entry in enumerate(getattr(context.scenario, field)):
            for name in names:
                least, most = getattr(entry, name)
                lowest = 1 if name == "spots" else 0
                if not lowest <= least <= most or (field == "welders" and least <= 0):
                    what = f"{least:g} to {most:g} is no range"
                    yield context.finding((field, at, name), what, "give the least, then the most")


def motor_events(context: Context) -> Iterator[Finding]:
    """Find events of motors that do not exist."""
    motors = [motor.name for motor in context.scenario.motors]
    for at, event in enumerate(context.scenario.events):
        if isinstance(event, MotorEvent) and event.motor not in motors:
            yield context.unknown(("events", at, "motor"), event.motor, motors, "motor")


def _frequency(context: Context) -> Iterator[Finding]:
    given = context.scenario.frequency
    if given is None:
        return
    if given.offset and given.profile:
        what = "an offset is not added to a profile"
        yield context.finding(("frequency", "offset"), what, "leave one of them out")
    times = []
    for at, point in enumerate(given.profile):
        found = list(context.check_time(("frequency", "profile", at, "at"), point.at))
        yield from found
        if not found:
            times.append(parse_local(point.at, context.zone, after_ns=context.start_ns))
    if any(other <= one for one, other in itertools.pairwise(times)):
        yield context.finding(("frequency", "profile"), "its times do not rise", "sort them by time")


def _islands(context: Context) -> Iterator[Finding]:
    switches = [switch.name for switch in context.network.switches]
    islands = 0
    for at, event in enumerate(context.scenario.events):
        if not isinstance(event, Island):
            continue
        islands += 1
        for field in ("switch", "source_switch"):
            name = getattr(event, field)
            if name is not None and name not in switches:
                yield context.unknown(("events", at, field), name, switches, "switch")
        if islands > 1:
            what = "there is an island already, and the site has one frequency"
            yield context.finding(("events", at), what, "leave it out")
        yield from _meters_left_behind(context, event)


def _meters_left_behind(context: Context, event: Island) -> Iterator[Finding]:
    """Find meters that would show an island's frequency without being in it."""
    network = context.network
    closed = {event.switch: False} | ({event.source_switch: True} if event.source_switch else {})
    if not lives_alone(network, closed):
        return
    island = cut_off(network, closed)
    buses = {load.name: load.bus for load in network.loads}
    buses |= {entry.name: entry.bus for _, _, entry in equipment(context.scenario)}
    for at, meter in enumerate(context.scenario.meters):
        point = meter.at
        place = buses.get(([point.load] if point.load else point.loads or [""])[0])
        if point.branch in network.branch_index:
            branch = network.branches[network.branch_index[str(point.branch)]]
            place = branch.from_bus if point.end == "from" else branch.to_bus
        if place is not None and place not in island:
            what = f"stays with the grid when '{event.switch}' opens, but the site has one frequency"
            yield context.finding(("meters", at, "at"), what, "meter what is in the island")


EQUIPMENT_RULES: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    _zip_classes,
    _thermostats,
    _motors,
    _inverters,
    _batteries,
    _ranges,
    motor_events,
    _frequency,
    _islands,
)
"""All rules of this module."""

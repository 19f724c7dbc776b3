"""What the schema cannot say of I/O modules: channels and names that must exist, wires that must fit."""

from collections.abc import Iterator, Mapping, Sequence

from twin.contracts import Finding
from twin.meters.kw320.io_modules import MODULES, channels, module_of
from twin.scenario.context import Context, Path_
from twin.scenario.io_schema import SIGNALS, AnalogueInput, DigitalInput, IoModules


def io_registers(io: IoModules | None) -> dict[str, int]:
    """Return the settings that follow from what is wired, as raw register values by name."""
    raw: dict[str, int] = {}
    for wire in io.inputs if io is not None else ():
        if counts(wire):
            number = int(wire.input[2:])
            module = module_of("di", number)
            name = f"{module.name}_di_type"
            raw[name] = raw.get(name, 0) | 1 << module.inputs.index(number)
    for transducer in io.analogue_inputs if io is not None else ():
        first = int(transducer.input[2:]) <= 2
        raw["io31_ai12_type" if first else "io32_ai34_type"] = SIGNALS.index(transducer.signal)
    return raw


def counts(wire: DigitalInput) -> bool:
    """Return whether a digital input is set as a pulse counter."""
    if wire.counter is not None:
        return wire.counter
    return bool(wire.pulses) or (wire.output is not None and wire.output.output.startswith("do"))


def io_is_wired(context: Context) -> Iterator[Finding]:
    """Find channels, switches, meters and buses that do not exist, and wires that contradict each other."""
    modules = {meter.name: meter.io.modules if meter.io else [] for meter in context.scenario.meters}
    for at, meter in enumerate(context.scenario.meters):
        if meter.io is None:
            continue
        path: Path_ = ("meters", at, "io")
        for place, name in enumerate(meter.io.modules):
            if name in meter.io.modules[:place]:
                what = f"{name} stands twice"
                yield context.finding((*path, "modules", place), what, f"a second one is {name[:3]}2")
        seen: set[str] = set()
        for place, wire in enumerate(meter.io.inputs):
            where = (*path, "inputs", place)
            yield from _channel(context, where, "input", wire.input, meter.io, seen)
            yield from _digital(context, where, wire, modules)
        for place, transducer in enumerate(meter.io.analogue_inputs):
            where = (*path, "analogue_inputs", place)
            yield from _channel(context, where, "input", transducer.input, meter.io, seen)
            yield from _analogue(context, where, transducer)
        yield from _signals(context, path, meter.io)
        for place, output in enumerate(meter.io.outputs):
            where = (*path, "outputs", place)
            yield from _channel(context, where, "output", output.output, meter.io, None)
            yield from _switch(context, (*where, "switch"), output.switch)


def _channel(
    context: Context, path: Path_, field: str, name: str, io: IoModules, seen: set[str] | None
) -> Iterator[Finding]:
    there = channels(io.modules, "di", "ai", "relay", "do")
    if name not in there:
        kind = name.rstrip("0123456789")
        module = module_of(kind, int(name[len(kind) :])).name
        what = f"{name} is on module {module}, which is not connected"
        yield context.finding((*path, field), what, f"add {module} to the modules")
    if seen is not None and name in seen:
        yield context.finding((*path, field), f"{name} is wired already", "wire it to one thing")
    if seen is not None:
        seen.add(name)


def _digital(
    context: Context, path: Path_, wire: DigitalInput, modules: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    given = [wire.switch is not None, bool(wire.schedule), bool(wire.pulses), wire.output is not None]
    if sum(given) > 1:
        what = "a switch, a schedule, pulses and an output exclude each other"
        yield context.finding(path, what, "give one of them; none leaves the input to the instructor")
    if wire.switch is not None:
        yield from _switch(context, (*path, "switch"), wire.switch)
    yield from _times(context, (*path, "schedule"), [step.at for step in wire.schedule])
    yield from _times(context, (*path, "pulses"), [step.at for step in wire.pulses])
    if wire.output is None:
        return
    if wire.output.meter not in modules:
        yield context.unknown((*path, "output", "meter"), wire.output.meter, list(modules), "meter")
        return
    there = channels(modules[wire.output.meter], "relay", "do")
    if wire.output.output not in there:
        what = f"meter '{wire.output.meter}' has no module with {wire.output.output}"
        yield context.finding((*path, "output", "output"), what, "connect the module, or choose another")


def _analogue(context: Context, path: Path_, transducer: AnalogueInput) -> Iterator[Finding]:
    if bool(transducer.profile) == (transducer.quantity is not None):
        yield context.finding(path, "needs a profile or a quantity", "give one of them")
    if transducer.low == transducer.high:
        yield context.finding((*path, "high"), "is the same as low", "give the range of the transducer")
    yield from _times(context, (*path, "profile"), [point.at for point in transducer.profile])
    if transducer.quantity is not None and context.scenario.network is None:
        yield context.finding((*path, "quantity"), "there is no network", "give a profile")
    elif transducer.quantity == "voltage" and transducer.bus is None:
        yield context.finding(path, "a voltage needs a bus", "add 'bus'")
    if transducer.bus is not None and transducer.bus not in context.network.bus_index:
        yield context.unknown((*path, "bus"), transducer.bus, list(context.network.bus_index), "bus")


def _signals(context: Context, path: Path_, io: IoModules) -> Iterator[Finding]:
    """Find two kinds of signals on one module: it has one setting for both of its inputs."""
    for module in MODULES.values():
        on_it = [
            (place, one)
            for place, one in enumerate(io.analogue_inputs)
            if int(one.input[2:]) in module.analogue_inputs
        ]
        if len({one.signal for _, one in on_it}) > 1:
            place = on_it[-1][0]
            what = f"{module.name} has one kind of signal for both of its inputs"
            mend = f"make both '{on_it[0][1].signal}'"
            yield context.finding((*path, "analogue_inputs", place, "signal"), what, mend)


def _switch(context: Context, path: Path_, name: str) -> Iterator[Finding]:
    network = context.network
    switches = [switch.name for switch in network.switches] + [item.name for item in network.capacitors]
    if name not in switches:
        yield context.unknown(path, name, switches, "switch")


def _times(context: Context, path: Path_, times: list[str]) -> Iterator[Finding]:
    known: list[int] = []
    for place, text in enumerate(times):
        found = list(context.check_time((*path, place, "at"), text))
        yield from found
        if found:
            continue
        at_ns = context.instant(text)
        if known and at_ns <= known[-1]:
            what = f"'{text}' is not after the step before"
            yield context.finding((*path, place, "at"), what, "put the steps in order of time")
        known.append(at_ns)

"""What the schema cannot say of measurement faults: fields, leads and registers that a meter has."""

from collections.abc import Iterator
from zoneinfo import available_timezones

from twin.contracts import Finding
from twin.documents import parse_ratio, suggestion
from twin.meters import PROFILES, Connection, ConnectionFaultError, Wiring, input_map
from twin.meters.codec import ENERGY_ROLLOVER, SI_PER_UNIT
from twin.meters.energies import REGISTERS
from twin.meters.kw320.months import NAMES as MONTH_REGISTERS
from twin.meters.kw320.profile import image_map, register_map
from twin.meters.kw320.settings_registers import MAX_PT1, MIN_PT1
from twin.meters.wiring import PHASES, fitted_currents
from twin.scenario.communication_schema import CommunicationFault
from twin.scenario.context import Context, Path_
from twin.scenario.fault_schema import Conductor, Fault, Repair
from twin.scenario.measurement import connection_of, name_or_address, ratio_registers
from twin.scenario.measurement_schema import KIND_FIELDS, MeasurementFault, MeterFault, name_of
from twin.scenario.schema import Meter
from twin.scenario.supply_schema import PowerLoss, PowerRestore

METER_EVENTS = (MeasurementFault, CommunicationFault, PowerLoss, PowerRestore, Repair)
"""What happens to meters, whatever the site is."""
_ACTIVE = tuple(name for name in REGISTERS if name.startswith("ep"))
_READINGS = (*_ACTIVE, *(name for name in MONTH_REGISTERS if name.partition("_")[2] in _ACTIVE))
"""Counters of active energy: those that count, and those of months past."""
_OF_THEIR_OWN = frozenset({"kind", "name", *MeasurementFault.model_fields}) - frozenset(
    field for fields in KIND_FIELDS.values() for field in (*fields.needed, *fields.possible)
)
"""Fields that every fault has."""


def measurement_faults_fit(context: Context) -> Iterator[Finding]:
    """Find faults of unknown meters, and such as their meter cannot have."""
    meters = {meter.name: meter for meter in context.scenario.meters}
    for at, meter in enumerate(context.scenario.meters):
        for number, fault in enumerate(meter.faults):
            yield from _fault(context, ("meters", at, "faults", number), fault, meter)
    for at, event in enumerate(context.scenario.events):
        if not isinstance(event, MeasurementFault):
            continue
        path: Path_ = ("events", at)
        if event.meter not in meters:
            yield context.unknown((*path, "meter"), event.meter, list(meters), "meter")
        else:
            yield from _fault(context, path, event, meters[event.meter])


def events_suit_the_site(context: Context) -> Iterator[Finding]:
    """Find events that need a network where there is none."""
    if context.scenario.network is not None:
        return
    for at, event in enumerate(context.scenario.events):
        if not isinstance(event, METER_EVENTS):
            what = f"'{event.event}' happens to a network"
            yield context.finding(("events", at), what, "leave it out, or give a network")


def readings_fit(context: Context) -> Iterator[Finding]:
    """Find readings at the start that a counter cannot have."""
    limit = (ENERGY_ROLLOVER - 1) * SI_PER_UNIT["kWh"] / 10.0
    for at, meter in enumerate(context.scenario.meters):
        for name, reading in meter.energies.items():
            path: Path_ = ("meters", at, "energies", name)
            if name not in _READINGS:
                yield context.unknown(path, name, list(_READINGS), "counter of active energy")
            elif abs(reading) > limit or (reading < 0 and not name.endswith("ep_net")):
                yield context.finding(path, "the counter has no such reading", "give 0..99999999.9 kWh")


def names_to_repair(context: Context) -> Iterator[tuple[Path_, str]]:
    """Yield path and name of everything of a scenario, fuses aside, that is repaired by its name."""
    for at, meter in enumerate(context.scenario.meters):
        for number, fault in enumerate(meter.faults):
            yield ("meters", at, "faults", number), name_of(fault, meter.name)
    for at, event in enumerate(context.scenario.events):
        if isinstance(event, MeasurementFault):
            yield ("events", at), name_of(event, event.meter)
        elif isinstance(event, Fault | Conductor | CommunicationFault):
            yield ("events", at), event.name


def _fault(context: Context, path: Path_, fault: MeterFault, meter: Meter) -> Iterator[Finding]:
    fields = KIND_FIELDS[fault.kind]
    given = [field for field in sorted(fault.model_fields_set) if field not in _OF_THEIR_OWN]
    for field in given:
        if field not in (*fields.needed, *fields.possible):
            yield context.finding((*path, field), f"{fault.kind} has no such field", "leave it out")
    missing = [field for field in fields.needed if field not in given]
    for field in missing:
        yield context.finding(path, f"{fault.kind} needs {field}", f"add '{field}'")
    if missing or meter.profile not in PROFILES:
        return
    wrong_ratios = list(_ratios(context, path, fault, meter))
    yield from wrong_ratios
    if not wrong_ratios:
        yield from _leads(context, path, fault, meter)
    yield from _registers(context, path, fault, meter)
    if fault.time_zone is not None and fault.time_zone not in available_timezones():
        yield context.unknown(
            (*path, "time_zone"), fault.time_zone, sorted(available_timezones()), "time zone"
        )


def _leads(context: Context, path: Path_, fault: MeterFault, meter: Meter) -> Iterator[Finding]:
    wiring: Wiring = "1LL" if meter.wiring == "2LN" else meter.wiring
    if fault.kind == "phase_order" and sorted(fault.order or "") != ["a", "b", "c"]:
        what = f"'{fault.order}' exchanges no conductors"
        yield context.finding((*path, "order"), what, "write it as bac")
        return
    if fault.kind == "current_order" and len(fault.order or "") > len("abc"):
        yield context.finding((*path, "order"), "there is no fourth current input", "write it as bac")
        return
    try:
        connection = connection_of([fault], meter)
        input_map(connection, wiring, meter.current_wiring)
    except ConnectionFaultError as error:
        what, _, mend = str(error).partition("; ")
        yield context.finding((*path, "order" if fault.order is not None else "kind"), what, mend)
        return
    if fault.order is not None and connection == Connection():
        yield context.finding((*path, "order"), f"'{fault.order}' is right", "exchange some letters")
    if fault.kind == "pt_reversed" and meter.pt is None:
        mend = "leave it out, or give the meter a pt"
        yield context.finding((*path, "kind"), "the meter has no voltage transformers", mend)
    if fault.phases is None:
        return
    for phase in fault.phases:
        if phase not in _inputs(fault, wiring, meter):
            what = f"the meter has nothing of the kind on phase {phase}"
            yield context.finding((*path, "phases"), what, f"choose from {_inputs(fault, wiring, meter)}")


def _inputs(fault: MeterFault, wiring: Wiring, meter: Meter) -> str:
    """Return the phases that a fault can be on."""
    if fault.kind.startswith("ct_"):
        fitted = zip("abc", fitted_currents(wiring, meter.current_wiring), strict=True)
        return "".join(letter for letter, there in fitted if there)[: PHASES[wiring]]
    if fault.kind == "pt_reversed" and wiring == "2LL":
        return "ac"
    return "abc"[: PHASES[wiring]]


def _ratios(context: Context, path: Path_, fault: MeterFault, meter: Meter) -> Iterator[Finding]:
    if not fault.kind.startswith("ratio"):
        return
    if fault.pt is None and fault.ct is None:
        yield context.finding(path, "says no ratio", "add 'pt', 'ct' or both")
    if fault.pt is not None and fault.kind == "ratio_fitted" and meter.pt is None:
        yield context.finding((*path, "pt"), "the meter has no voltage transformers", "leave it out")
    for field in ("pt", "ct"):
        text = getattr(fault, field)
        if text is None:
            continue
        try:
            fits = _can_be_set(fault, field, meter) or fault.kind == "ratio_fitted"
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            yield context.finding((*path, field), what, mend)
            continue
        if not fits:
            what = f"'{text}' cannot be set in the meter"
            yield context.finding((*path, field), what, "give a ratio that its registers take")


def _can_be_set(fault: MeterFault, field: str, meter: Meter) -> bool:
    primary, secondary = parse_ratio(getattr(fault, field))
    if field == "ct" and (primary % 1 or secondary % 1):
        return False
    if field == "pt" and not MIN_PT1 <= round(10 * primary) <= MAX_PT1:
        return False
    known = register_map(meter.profile).by_name
    only = fault.model_copy(update={"pt": None, "ct": None} | {field: getattr(fault, field)})
    return all(known[name].allows(raw) for name, raw in ratio_registers(only).items())


def _registers(context: Context, path: Path_, fault: MeterFault, meter: Meter) -> Iterator[Finding]:
    image = image_map(meter.profile)
    by_address = {register.address: register for register in image.registers}
    for number, text in enumerate(fault.registers):
        where = (*path, "registers", number)
        wanted = name_or_address(text)
        register = by_address.get(wanted) if isinstance(wanted, int) else image.by_name.get(wanted)
        if register is None:
            if isinstance(wanted, int):
                what = f"no register begins at {wanted:04X}H"
                yield context.finding(where, what, "give the first address of one, or its name")
            else:
                mend = suggestion(wanted, image.by_name, "registers")
                yield context.finding(where, f"there is no register '{wanted}'", mend)
        elif fault.kind == "not_a_number" and register.dtype != "float":
            what = f"'{register.name}' is no float; it has no value that is none"
            yield context.finding(where, what, "leave it out, or let it be stuck")
        elif fault.value is not None and not 0 <= fault.value < 1 << 16 * register.words:
            what = f"{fault.value} does not fit '{register.name}'"
            yield context.finding((*path, "value"), what, f"give 0..{(1 << 16 * register.words) - 1}")
        elif fault.value is not None and register.source == "setting":
            what = f"'{register.name}' is a setting, which a master can write and read back"
            yield context.finding(where, what, "let it be stuck without a value")

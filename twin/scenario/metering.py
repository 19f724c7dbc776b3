"""Meters of a scenario: what they are connected to, and their settings in the device's own terms."""

import math
import re
from collections.abc import Iterator

from twin.contracts import Finding
from twin.documents import parse_quantity, parse_ratio
from twin.grid import Network, Probe
from twin.meters import (
    LINE_TO_LINE,
    PROFILES,
    RATED_FREQUENCIES,
    AlarmConfig,
    CurrentTransformer,
    MeterConfig,
    Wiring,
    check_config,
    serial_registers,
)
from twin.scenario.context import Context
from twin.scenario.endpoint_schema import SerialEndpoint
from twin.scenario.io_checks import io_registers
from twin.scenario.logging_keys import data_logs, loggers, logging_problems
from twin.scenario.played import TERMINALS
from twin.scenario.schema import Alarm, Meter, MeterPoint, Sag, SaturatingTransformer, Swell
from twin.scenario.site_scenario import LoadPoints, MeterInstallation

POWER_QUALITY_PROFILES = ("kw320q",)
LEAST_SENSITIVE_SAG = Sag.model_construct(threshold=20.0, half_cycles=200, capture=False)
LEAST_SENSITIVE_SWELL = Swell.model_construct(threshold=140.0, capture=False)
_FIELDS = {
    "pt1": "pt", "pt2": "pt", "ct1": "ct", "ct2": "ct", "load_profile_minutes": "load_profile",
    "demand_mode": "demand", "demand_sub_interval_minutes": "demand",
}  # fmt: skip
"""Fields of the scenario by those of the device's configuration."""
_UNITS = (
    ("thd", "%"),
    ("v_unbalance", "%"),
    ("i_unbalance", "%"),
    ("pf", ""),
    ("load_type", ""),
    ("frequency", "Hz"),
    ("v", "V"),
    ("i", "A"),
    ("p", "W"),
    ("q", "var"),
    ("s", "VA"),
)
"""Unit of an alarm's setpoint by the start of its parameter's name; the first that fits counts."""


def install_meters(context: Context, loads: LoadPoints) -> tuple[list[MeterInstallation], list[Finding]]:
    """Return the meters of a scenario whose names are checked, and what is wrong with their settings."""
    installed: list[MeterInstallation] = []
    found: list[Finding] = []
    for at, meter in enumerate(context.scenario.meters):
        problems = [*_problems(context, at, meter), *logging_problems(context, at, meter)]
        if problems:
            found += problems
            continue
        bus, probe = _probe(context.network, loads, meter)
        config = _config(context, meter, bus)
        found += [_config_finding(context, at, problem) for problem in check_config(config)]
        installed.append(MeterInstallation(config, probe, meter.at.reverse, at, meter.supply))
    return installed, found


def _problems(context: Context, at: int, meter: Meter) -> Iterator[Finding]:
    for field in ("pt", "ct"):
        text = getattr(meter, field)
        try:
            parse_ratio(text or "1:1")
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            yield context.finding(("meters", at, field), what, mend)
    yield from _whole_numbers(context, at, meter)
    for number, alarm in enumerate(meter.alarms):
        try:
            _setpoint(alarm)
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            yield context.finding(("meters", at, "alarms", number, "setpoint"), what, mend)


def _whole_numbers(context: Context, at: int, meter: Meter) -> Iterator[Finding]:
    """Find what the device's registers cannot hold, because they count in whole units."""
    if meter.profile in PROFILES and meter.profile not in POWER_QUALITY_PROFILES:
        for field in ("sag", "swell", "over_current"):
            if field in meter.model_fields_set and getattr(meter, field) is not None:
                what = f"a {meter.profile} does not watch for it"
                yield context.finding(("meters", at, field), what, "leave it out, or use a kw320q")
    if _parts(meter.ct)[0] % 1 or _parts(meter.ct)[1] % 1:
        what = f"'{meter.ct}' is not in whole amperes"
        yield context.finding(("meters", at, "ct"), what, "give whole numbers, as in 200:5")
    for path, seconds in (
        (("load_profile",), meter.load_profile),
        (("demand", "window"), meter.demand.window),
        (("demand", "sub_interval"), meter.demand.sub_interval),
    ):
        if seconds % 60:
            what = f"{seconds:g} s are no whole minutes"
            yield context.finding(("meters", at, *path), what, "give minutes, as in 15 min")
    for field in ("sag", "swell", "over_current"):
        setting = getattr(meter, field)
        if setting is not None and setting.threshold % 1:
            what = f"{setting.threshold:g} % is no whole percentage"
            yield context.finding(("meters", at, field, "threshold"), what, "give a whole number")


def _probe(network: Network, loads: LoadPoints, meter: Meter) -> tuple[str, Probe]:
    point = meter.at
    if TERMINALS in network.bus_index and not network.branches and not loads.points:
        return TERMINALS, Probe(meter.name, TERMINALS)
    if point.branch is not None:
        branch = network.branches[network.branch_index[point.branch]]
        end_bus = branch.from_bus if point.end == "from" else branch.to_bus
        bus = point.bus or end_bus
        return bus, Probe(meter.name, bus, point.branch, point.end)
    names = [point.load] if point.load else point.loads
    indices = [index for name in names for index in loads.by_name[name]]
    bus = point.bus or loads.points[indices[0]].bus
    return bus, Probe(meter.name, bus, loads=tuple(loads.points[index].name for index in indices))


def _config(context: Context, meter: Meter, bus: str) -> MeterConfig:
    u_rated = context.network.buses[context.network.bus_index[bus]].u_phase
    ct1, ct2 = parse_ratio(meter.ct)
    pt1, pt2 = parse_ratio(meter.pt) if meter.pt else (220.0, 220.0)
    wiring: Wiring = "1LL" if meter.wiring == "2LN" else meter.wiring
    lines = math.sqrt(3.0) if wiring in LINE_TO_LINE else 1.0
    rated = meter.rated_voltage if meter.rated_voltage is not None else lines * u_rated * pt2 / pt1
    return MeterConfig(
        name=meter.name,
        profile=meter.profile,
        location=describe_point(meter.at),
        pt1=pt1,
        pt2=pt2,
        ct1=round(ct1),
        ct2=round(ct2),
        rated_voltage=rated,
        wiring=wiring,
        current_wiring=meter.current_wiring,
        demand_mode=None if "demand_mode" in meter.registers else meter.demand.mode,
        demand_sub_interval_minutes=round(meter.demand.sub_interval / 60),
        registers=_registers(meter, ct2, context.network.frequency),
        modules=tuple(meter.io.modules) if meter.io is not None else (),
        alarms=tuple(_alarm(alarm, number) for number, alarm in enumerate(meter.alarms, start=1)),
        time_zone=context.scenario.time_zone,
        load_profile_minutes=round(meter.load_profile / 60),
        custom_read=tuple(meter.custom_read),
        data_logs=data_logs(meter.data_logs),
        loggers=loggers(meter.loggers),
        accuracy=meter.accuracy,
        seed=context.scenario.seed,
        temperature=meter.temperature,
        fidelity=meter.fidelity,
        transformer=_transformer(meter.current_transformer),
    )


def _transformer(given: SaturatingTransformer | None) -> CurrentTransformer | None:
    if given is None:
        return None
    return CurrentTransformer(**given.model_dump(exclude={"remanence"}), remanence=given.remanence / 100)


def describe_point(point: MeterPoint) -> str:
    """Return a metering point in words of the network."""
    if point.branch is not None:
        return f"{point.branch}, {point.end} end"
    return ", ".join([point.load] if point.load else point.loads)


def _config_finding(context: Context, at: int, problem: str) -> Finding:
    """Return a problem of a meter's configuration, ``field: what; mend``, at its place."""
    field, _, rest = problem.partition(": ")
    what, _, mend = rest.partition("; ")
    path = [int(part) if part.isdigit() else _FIELDS.get(part, part) for part in re.findall(r"\w+", field)]
    return context.finding(("meters", at, *path), what, mend)


def _registers(meter: Meter, ct2: float, frequency: float) -> dict[str, int]:
    """Return the settings that the scenario names in words, as raw register values."""
    registers = {
        "rated_frequency": RATED_FREQUENCIES.index(frequency) if frequency in RATED_FREQUENCIES else 0,
        "demand_window_minutes": round(meter.demand.window / 60),
        **_serial_ports(meter),
        **io_registers(meter.io),
    }
    if meter.profile not in POWER_QUALITY_PROFILES:
        return registers | meter.registers
    sag = meter.sag or LEAST_SENSITIVE_SAG
    registers["sag_threshold_percent"] = round(sag.threshold)
    registers["sag_half_cycles"] = sag.half_cycles
    registers["sag_waveform_enable"] = int(sag.capture)
    swell = meter.swell or LEAST_SENSITIVE_SWELL
    registers["swell_threshold_percent"] = round(swell.threshold)
    registers["swell_waveform_enable"] = int(swell.capture)
    if meter.over_current is not None:
        secondary = meter.over_current.rated_current or (ct2 if ct2 in {1.0, 5.0} else 1.0)
        registers["rated_current"] = round(1000 * secondary)
        registers["overcurrent_threshold_percent"] = round(meter.over_current.threshold)
        registers["overcurrent_waveform_enable"] = int(meter.over_current.capture)
    return registers | meter.registers


def _serial_ports(meter: Meter) -> dict[str, int]:
    """Return the registers of the serial ports that are connected."""
    registers: dict[str, int] = {}
    for _, endpoint in meter.endpoints:
        if isinstance(endpoint, SerialEndpoint):
            registers |= serial_registers(meter.profile, endpoint.serial_port).settings(
                unit=endpoint.unit, baud_rate=endpoint.speed, characters=endpoint.characters
            )
    return registers


def _alarm(alarm: Alarm, number: int) -> AlarmConfig:
    return AlarmConfig(
        channel=alarm.channel or number,
        parameter=alarm.parameter,
        comparison=alarm.comparison,
        setpoint=_setpoint(alarm),
        delay_s=alarm.delay,
        relay=alarm.relay,
        outputs=tuple(alarm.outputs),
    )


def _setpoint(alarm: Alarm) -> float:
    """Return an alarm's setpoint, primary, SI; a percentage as a fraction."""
    unit = next((unit for start, unit in _UNITS if alarm.parameter.startswith(start)), "")
    if not unit:
        try:
            return float(alarm.setpoint)
        except ValueError:
            raise ValueError(f"'{alarm.setpoint}' is no number; write it without a unit") from None
    value = parse_quantity(alarm.setpoint, unit)
    return value / 100 if unit == "%" else value


def _parts(ratio: str) -> tuple[float, float]:
    """Return the parts of a ratio; zeros where it is none, which another rule says."""
    try:
        return parse_ratio(ratio)
    except ValueError:
        return 0.0, 0.0

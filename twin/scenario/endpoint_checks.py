"""What is wrong with where masters find the meters, each kind of mistake one function."""

from collections.abc import Callable, Iterator

from twin.contracts import Finding
from twin.meters import FORMATS, PROFILES, serial_registers
from twin.scenario.context import Context, Path_
from twin.scenario.endpoint_schema import Endpoint, SerialEndpoint


def _ports_differ(context: Context) -> Iterator[Finding]:
    seen: dict[tuple[str | None, int], tuple[str, str]] = {}
    units: dict[tuple[str | None, int, int], str] = {}
    dashboard = context.scenario.dashboard
    for path, name, endpoint in _endpoints(context):
        if not isinstance(endpoint, Endpoint) or endpoint.port == 0:
            continue
        place = (endpoint.host, endpoint.port)
        if dashboard and endpoint.port == dashboard.port and endpoint.host == dashboard.host:
            yield context.finding(
                (*path, "port"), f"port {endpoint.port} is the dashboard's", "choose another"
            )
        if (*place, endpoint.unit) in units:
            other = units[*place, endpoint.unit]
            what = f"port {endpoint.port} unit {endpoint.unit} is already that of meter '{other}'"
            yield context.finding((*path, "port"), what, "give it another port or another unit")
        units.setdefault((*place, endpoint.unit), name)
        first, check = seen.setdefault(place, (name, endpoint.unit_check))
        if check != endpoint.unit_check:
            what = f"unit_check differs from that of meter '{first}' on the same port"
            yield context.finding((*path, "unit_check"), what, f"make both '{check}' or use another port")


def _lines_agree(context: Context) -> Iterator[Finding]:
    units: dict[tuple[str, int], str] = {}
    lines: dict[str, tuple[str, int, str]] = {}
    for path, name, endpoint in _serial(context):
        if endpoint.device == "pty":
            continue  # each its own
        if (endpoint.device, endpoint.unit) in units:
            other = units[endpoint.device, endpoint.unit]
            what = f"unit {endpoint.unit} on '{endpoint.device}' is already that of meter '{other}'"
            yield context.finding((*path, "unit"), what, "give it another unit or another device")
        units.setdefault((endpoint.device, endpoint.unit), name)
        given = (endpoint.speed, endpoint.characters)
        first, *line = lines.setdefault(endpoint.device, (name, *given))
        if list(given) != line:
            what = (
                f"{given[0]} Bd {given[1]} differs from {line[0]} Bd {line[1]} of meter '{first}' on the line"
            )
            yield context.finding((*path, "device"), what, "set both alike")


def _serial_ports_exist(context: Context) -> Iterator[Finding]:
    profiles = {meter.name: meter.profile for meter in context.scenario.meters}
    used: set[tuple[str, int]] = set()
    for path, name, endpoint in _serial(context):
        if (name, endpoint.serial_port) in used:
            what = f"serial port {endpoint.serial_port} is connected twice"
            yield context.finding((*path, "serial_port"), what, "use the other port")
        used.add((name, endpoint.serial_port))
        profile = profiles[name]
        if profile not in PROFILES:
            continue  # which is a finding of its own
        if endpoint.characters not in FORMATS:
            what = f"a {profile} has no {endpoint.characters}"
            yield context.finding((*path, "stop_bits"), what, f"use one of {', '.join(FORMATS)}")
        register = serial_registers(profile, endpoint.serial_port).baud_rate
        if not register.allows(endpoint.speed):
            what = f"{endpoint.speed} Bd is no speed of serial port {endpoint.serial_port}"
            yield context.finding((*path, "baud_rate"), what, f"use {register.range_text}")


def _endpoints(context: Context) -> Iterator[tuple[Path_, str, Endpoint | SerialEndpoint]]:
    for at, meter in enumerate(context.scenario.meters):
        for path, endpoint in meter.endpoints:
            yield ("meters", at, *path), meter.name, endpoint


def _serial(context: Context) -> Iterator[tuple[Path_, str, SerialEndpoint]]:
    for path, name, endpoint in _endpoints(context):
        if isinstance(endpoint, SerialEndpoint):
            yield path, name, endpoint


ENDPOINT_RULES: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    _ports_differ,
    _lines_agree,
    _serial_ports_exist,
)
"""All rules; a new one is one more function."""

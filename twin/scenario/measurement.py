"""Measurement faults of a scenario in the meters' own terms."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from twin.documents import parse_ratio
from twin.meters import ClockCourse, Connection, ImageFault
from twin.scenario.measurement_schema import MeterFault
from twin.scenario.schema import Meter

CONNECTION_KINDS: Final = frozenset(
    {"ct_reversed", "ct_open", "ct_shorted", "current_order", "voltage_order", "phase_order"}
    | {"pt_reversed", "fuse_blown", "neutral_open", "ratio_fitted"}
)
"""Kinds of faults that change how a meter is connected."""
CT_SECONDARY: Final = 5.0
_PPB = 1000
_ADDRESS = re.compile(r"(?:0x([0-9A-Fa-f]{1,4})|([0-9][0-9A-Fa-f]{0,4})H)\Z")


def connection_of(faults: Iterable[MeterFault], meter: Meter) -> Connection:
    """Return how a meter is connected that has some faults; of several orders of a kind the last one counts.

    Raises
    ------
    ConnectionFaultError
        An order is none.
    """
    phases: dict[str, set[str]] = {}
    orders = {"phase_order": "abc", "voltage_order": "abcn", "current_order": "abc"}
    burden, neutral_open = 0.0, False
    voltage_scale = current_scale = 1.0
    for fault in faults:
        phases.setdefault(fault.kind, set()).update(fault.phases or "")
        if fault.order is not None:
            orders[fault.kind] = fault.order
        burden = max(burden, (fault.burden_between_phases or 0.0) / 100.0)
        neutral_open = neutral_open or fault.kind == "neutral_open"
        if fault.kind == "ratio_fitted":
            voltage_scale = _pt_ratio(meter.pt) / _pt_ratio(fault.pt or meter.pt)
            current_scale = _ct_ratio(meter.ct) / _ct_ratio(fault.ct or meter.ct)
    conductor = dict(zip("abcn", orders["phase_order"] + "n", strict=False))
    voltage, current = (
        "".join(conductor.get(letter, letter) for letter in orders[kind])
        for kind in ("voltage_order", "current_order")
    )
    return Connection(
        voltage_order=voltage if len(voltage) > len("abc") else voltage + "n",
        current_order=current,
        ct_reversed=frozenset(phases.get("ct_reversed", ())),
        ct_dead=frozenset(phases.get("ct_open", set()) | phases.get("ct_shorted", set())),
        pt_reversed=frozenset(phases.get("pt_reversed", ())),
        fuses_blown=frozenset(phases.get("fuse_blown", ())),
        neutral_open=neutral_open,
        burden_between_phases=burden,
        voltage_scale=voltage_scale,
        current_scale=current_scale,
    )


def _pt_ratio(text: str | None) -> float:
    primary, secondary = parse_ratio(text or "1:1")
    return primary / secondary


def _ct_ratio(text: str) -> float:
    """Return a ratio as the meter reckons with it: all secondaries but 5 A count as 1 (manual 6.3, notes)."""
    primary, secondary = parse_ratio(text)
    return primary / (secondary if secondary == CT_SECONDARY else 1.0)


def clock_of(faults: Sequence[MeterFault], *, begins: MeterFault | None = None) -> ClockCourse:
    """Return how a clock runs that has some faults, from the instant on at which one begins or another ended.

    Drifts add up, of several zones the last one counts. Whoever ends a fault sets the clock right.
    """
    zones = [fault.time_zone for fault in faults if fault.time_zone is not None]
    return ClockCourse(
        drift=round(sum((fault.drift or 0.0) * _PPB for fault in faults)),
        step_ns=round((begins.step or 0.0) * 1e9) if begins is not None else 0,
        time_zone=zones[-1] if zones else None,
        right=begins is None,
    )


def name_or_address(text: str) -> str | int:
    """Return what names a register: a name, or an address that is written 4002H or 0x4002."""
    match = _ADDRESS.match(text)
    return int(match[1] or match[2], 16) if match else text


def image_fault_of(fault: MeterFault) -> ImageFault | None:
    """Return a fault of the register image; None for one of another kind."""
    match fault.kind:
        case "frozen" | "stuck" | "not_a_number" | "word_order" | "byte_order":
            registers = tuple(name_or_address(text) for text in fault.registers)
            return ImageFault(kind=fault.kind, registers=registers, value=fault.value)
        case _:
            return None


def ratio_registers(fault: MeterFault) -> dict[str, int]:
    """Return the setting registers of ratios that a fault sets wrongly, raw, by name (manual 6.3.1)."""
    raw: dict[str, int] = {}
    if fault.kind != "ratio_set":
        return raw
    if fault.pt is not None:
        primary, secondary = parse_ratio(fault.pt)
        high, low = divmod(round(primary * 10), 0x10000)
        raw |= {"pt1_high": high, "pt1_low": low, "pt2": round(secondary * 10)}
    if fault.ct is not None:
        primary, secondary = parse_ratio(fault.ct)
        raw |= {"ct1": round(primary), "ct2": round(secondary)}
    return raw

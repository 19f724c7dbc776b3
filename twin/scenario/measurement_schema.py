"""Measurement faults of a scenario file: meters that are connected wrongly, or show what they do not hold.

Each field's description is the source of the JSON Schema and of the scenario reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from twin.documents import Percent, Second
from twin.scenario.equipment_schema import Name, Part
from twin.scenario.fault_schema import At, Phases

FaultKind = Literal[
    "ct_reversed",
    "ct_open",
    "ct_shorted",
    "current_order",
    "voltage_order",
    "phase_order",
    "pt_reversed",
    "fuse_blown",
    "neutral_open",
    "ratio_fitted",
    "ratio_set",
    "frozen",
    "stuck",
    "not_a_number",
    "word_order",
    "byte_order",
    "clock_drift",
    "clock_jump",
    "time_zone",
]


@dataclass(frozen=True, slots=True)
class KindFields:
    """Which fields a kind of fault has beside those that all have."""

    needed: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()


KIND_FIELDS: Final[Mapping[str, KindFields]] = {
    "ct_reversed": KindFields(("phases",)),
    "ct_open": KindFields(("phases",)),
    "ct_shorted": KindFields(("phases",)),
    "current_order": KindFields(("order",)),
    "voltage_order": KindFields(("order",)),
    "phase_order": KindFields(("order",)),
    "pt_reversed": KindFields(("phases",)),
    "fuse_blown": KindFields(("phases",), ("burden_between_phases",)),
    "neutral_open": KindFields(),
    "ratio_fitted": KindFields((), ("pt", "ct")),
    "ratio_set": KindFields((), ("pt", "ct")),
    "frozen": KindFields(),
    "stuck": KindFields(("registers",), ("value",)),
    "not_a_number": KindFields((), ("registers",)),
    "word_order": KindFields(),
    "byte_order": KindFields(),
    "clock_drift": KindFields(("drift",)),
    "clock_jump": KindFields(("step",)),
    "time_zone": KindFields(("time_zone",)),
}
"""Fields by kind."""


class MeterFault(Part):
    """What is wrong with a meter from the start: how it is connected, what its registers show, its clock."""

    kind: FaultKind = Field(description="see docs/measurement-faults.md")
    name: Name | None = Field(
        None, description="by which it is repaired; the meter's name and the kind when absent"
    )
    phases: Phases | None = Field(None, description="inputs that are concerned: a is that of V1 and I1")
    order: str | None = Field(
        None,
        pattern=r"^[abcn]{3,4}$",
        description="conductor that feeds each input, as bac; with a fourth letter for VN, as nbca",
    )
    burden_between_phases: Percent | None = Field(
        None,
        ge=0,
        le=1000,
        description="admittance of what feeds a blown fuse's lead back from each other phase, of a voltage "
        "input's; nothing when absent",
    )
    pt: str | None = Field(None, description="primary:secondary volts that are fitted or set, as 20000:100")
    ct: str | None = Field(None, description="primary:secondary amperes that are fitted or set, as 400:5")
    registers: list[str] = Field(
        default_factory=list, max_length=1000, description="names or first addresses, as v1 or 4002H"
    )
    value: int | None = Field(
        None, description="raw value that stuck registers show; as they are when absent"
    )
    drift: float | None = Field(
        None, ge=-10000, le=10000, description="how much faster than time the clock runs, in ppm"
    )
    step: Second | None = Field(None, ge=-1e9, le=1e9, description="by which the clock jumps ahead")
    time_zone: str | None = Field(None, description="IANA name of the zone that the clock shows")


class MeasurementFault(MeterFault):
    """From an instant on a meter is connected or read wrongly, or its clock is wrong."""

    event: Literal["measurement_fault"]
    at: str = Field(description=At)
    meter: Name
    clear_after: Second | None = Field(None, gt=0, description="put right then; it lasts when absent")


def name_of(fault: MeterFault, meter: str) -> str:
    """Return the name by which a fault of a meter is repaired."""
    return fault.name or f"{meter} {fault.kind}"

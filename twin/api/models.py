"""What the interface answers: one model per kind of answer; a number that does not exist is null."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
Utc = Annotated[str, Field(description="UTC, ISO 8601, to the nanosecond")]


class Applied(BaseModel):
    """What became of a command."""

    applied_utc: Utc
    simulated_local: str
    detail: str = Field("", description="for people")


class Endpoint(BaseModel):
    """Where a master finds a meter: host and port, or a serial device."""

    protocol: str
    host: str | None
    port: int | None
    device: str | None
    unit: int


class MeterEntry(BaseModel):
    """A meter of the site."""

    name: str
    profile: str
    location: str
    bus: str
    rated_voltage: float = Field(description="line to neutral, primary, V")
    rated_current: float = Field(description="primary, A")
    endpoints: list[Endpoint]


class Status(BaseModel):
    """The site as it is now."""

    title: str
    simulated_utc: Utc
    simulated_local: str
    time_zone: str
    speed: float | Literal["max"] = Field(description="simulated seconds per second")
    paused: bool
    ended: bool = Field(description="simulated time has come to the scenario's end")
    lateness_s: Number = Field(description="behind the schedule, in real time")
    notice: str = Field(description="what is wrong with the serving of the site; empty when all is well")
    power_quality_events: int
    active_alarms: int
    load_changes: int
    network_solutions: int
    dashboard: str | None
    recording: str
    meters: list[MeterEntry]


class ClockNow(BaseModel):
    """What time it is on the site."""

    simulated_utc: Utc
    simulated_local: str
    speed: float | Literal["max"] = Field(description="simulated seconds per second")
    paused: bool
    ended: bool = Field(description="simulated time has come to the scenario's end")


class MeterNow(BaseModel):
    """What a meter shows now: primary values."""

    name: str
    measured_utc: Utc
    v: list[Number] = Field(description="V1 V2 V3, V")
    i: list[Number] = Field(description="I1 I2 I3, A")
    p: Number = Field(description="W, import positive")
    q: Number = Field(description="var")
    s: Number = Field(description="VA")
    pf: Number
    frequency: Number = Field(description="Hz")
    thd_v: list[Number] = Field(description="percent of order 1")
    thd_i: list[Number] = Field(description="percent of order 1")
    v_unbalance: Number = Field(description="percent")
    p_demand: Number = Field(description="W")
    energy_imported: Number = Field(description="kWh")
    energy_exported: Number = Field(description="kWh")
    in_event: str = Field(description="sag, swell, over_current, no_supply or empty")


class Register(BaseModel):
    """A register, decoded."""

    name: str
    value: Number = Field(description="primary value in the unit")
    unit: str
    address: int = Field(description="first word, 0-based")
    type: str
    access: str


class Registers(BaseModel):
    """Registers of one publication of a meter."""

    meter: str
    published_utc: Utc
    registers: list[Register]


class Switch(BaseModel):
    """A switch, breaker or capacitor's switch."""

    name: str
    bus: str
    kind: Literal["switch", "capacitor"]
    closed: bool


class TapChanger(BaseModel):
    """A tap changer."""

    name: str
    transformer: str
    position: int
    lowest: int
    highest: int


class ActiveAlarm(BaseModel):
    """An alarm that is active, or returned lately."""

    meter: str
    channel: int
    parameter: str
    comparison: str
    setpoint: Number
    value: Number
    active: bool
    since_utc: Utc
    returned_utc: str | None


class AlarmTransition(BaseModel):
    """An alarm channel that became active, or returned."""

    meter: str
    channel: int
    parameter: str
    transition: str
    utc: Utc
    value: Number
    setpoint: Number
    comparison: str


class PowerQualityEvent(BaseModel):
    """An event as a meter recorded it."""

    meter: str
    number: int = Field(description="the meter's own, from 1")
    type: str
    phases: str
    start_utc: Utc
    trigger_utc: Utc
    end_utc: str | None = Field(description="null while it lasts")
    extreme: Number = Field(description="lowest or highest RMS so far, primary, V or A")
    threshold: Number
    rated: Number


class CommandEntry(BaseModel):
    """A command as it was applied."""

    sequence: int
    applied_utc: Utc
    source: str
    target: str
    verb: str
    arguments: dict[str, object]
    refusal: str | None = Field(description="null when done")


class CaptureEntry(BaseModel):
    """A waveform capture without samples."""

    meter: str
    number: int = Field(description="the meter's own, from 1")
    reason: str
    trigger_utc: Utc
    trigger_index: int = Field(description="sample at which the trigger fell")
    sample_interval_s: float
    channels: list[str]
    samples: int = Field(description="per channel")


class Capture(CaptureEntry):
    """A waveform capture."""

    values: dict[str, list[Number]] = Field(description="primary V or A, by channel")

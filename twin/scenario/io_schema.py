"""I/O modules of a meter, and what of the site is wired to them."""

from typing import Literal

from pydantic import Field

from twin.documents import Second
from twin.scenario.equipment_schema import Part as _Part

ModuleName = Literal["io11", "io21", "io31", "io12", "io22", "io32"]
SIGNALS = ("0-20 mA", "4-20 mA", "0-5 V", "1-5 V")
"""Kinds of analogue signals, in the order of the module's setting."""
_AT = "local time: 18:42, 18:42:10.003, or with a date"


class InputStep(_Part):
    """A digital input that goes on or off."""

    at: str = Field(description=_AT)
    to: Literal["on", "off"]


class PulseStep(_Part):
    """A rate of pulses from a time on."""

    at: str = Field(description=_AT)
    rate: float = Field(ge=0, le=1000, description="pulses per second, for example 0.025")


class OutputOf(_Part):
    """A relay or digital output of a meter."""

    meter: str
    output: str = Field(pattern=r"^(relay[1-8]|do[1-4])$", description="relay1 .. relay8, do1 .. do4")


class DigitalInput(_Part):
    """What a digital input is wired to: a switch, a schedule, pulses or an output of a meter."""

    input: str = Field(pattern=r"^di([1-9]|1\d|2[0-8])$", description="di1 .. di28")
    switch: str | None = Field(None, description="switch or switched capacitor whose position it shows")
    on_when: Literal["closed", "open"] = Field("closed", description="position in which the input is on")
    schedule: list[InputStep] = Field(default_factory=list, description="in order of time")
    starts: Literal["on", "off"] = Field("off", description="before the first step of the schedule")
    pulses: list[PulseStep] = Field(
        default_factory=list, description="rates in order of time, as of a water or gas meter"
    )
    width: Second = Field(0.1, ge=0.001, le=10, description="how long a pulse lasts")
    output: OutputOf | None = Field(None, description="energy pulses of a digital output, or a contact")
    counter: bool | None = Field(
        None, description="set as a pulse counter; when absent: with pulses or a digital output it is"
    )


class SignalPoint(_Part):
    """A value from a time on."""

    at: str = Field(description=_AT)
    value: float = Field(description="in the unit of low and high")


class AnalogueInput(_Part):
    """What a transducer at an analogue input measures: a table, or a quantity of the network."""

    input: str = Field(pattern=r"^ai[1-4]$", description="ai1 .. ai4")
    profile: list[SignalPoint] = Field(default_factory=list, description="steps in order of time")
    quantity: Literal["frequency", "voltage"] | None = Field(
        None, description="of the network: its frequency in Hz, or a bus's mean phase voltage in V"
    )
    bus: str | None = Field(None, description="of the voltage")
    low: float = Field(description="value at the beginning of the signal, 0 or 4 mA, 0 or 1 V")
    high: float = Field(description="value at 20 mA or 5 V")
    signal: Literal["0-20 mA", "4-20 mA", "0-5 V", "1-5 V"] = "4-20 mA"


class SwitchOutput(_Part):
    """A relay or digital output that operates a switch when it closes."""

    output: str = Field(pattern=r"^(relay[1-8]|do[1-4])$", description="relay1 .. relay8, do1 .. do4")
    switch: str = Field(description="switch or switched capacitor of the network")
    action: Literal["open", "close"] = "open"
    delay: Second = Field(0.05, ge=0.001, le=60, description="from the contact until the switch has moved")


class IoModules(_Part):
    """I/O modules of a meter and what is wired to them."""

    modules: list[ModuleName] = Field(description="connected modules: io11, io21, io31, io12, io22, io32")
    inputs: list[DigitalInput] = Field(default_factory=list)
    analogue_inputs: list[AnalogueInput] = Field(default_factory=list)
    outputs: list[SwitchOutput] = Field(default_factory=list)

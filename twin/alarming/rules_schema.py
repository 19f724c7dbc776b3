"""The rules file of the reference alarm server. A page explains it with examples: ``docs/alarming.md``."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from twin.documents import Second
from twin.scenario.equipment_schema import Part as _Part

Threshold = str | float
"""A quantity with the unit of its tag, ``180 A``; a plain number where the tag has no unit."""
Priority = Literal["high", "medium", "low"]
Name = Annotated[str, Field(pattern=r"^[^,\r\n]{1,80}$")]
TagName = Annotated[str, Field(min_length=1, max_length=80)]
_OF = "source of the tag; the alarm's own when absent"


class Source(_Part):
    """A device that is polled."""

    name: Name = Field(description="name in the journal")
    meter: str | None = Field(None, description="its name in the tag list; the same when absent")
    host: str | None = Field(
        None, description="address; found by the meter's name in the ready file when absent"
    )
    port: int | None = Field(None, ge=1, le=65535, description="TCP port; as host")
    unit: int | None = Field(None, ge=0, le=255, description="Modbus unit; as host")
    poll: Second | None = Field(
        None, gt=0, description="time from poll to poll; that of the file when absent"
    )


class _OnTag(_Part):
    tag: TagName = Field(description="name in the tag list")
    source: str | None = Field(None, description=_OF)


class TagOf(_OnTag):
    """One of several tags."""


class LimitRule(_OnTag):
    """A value above or below a limit."""

    above: Threshold | None = Field(None, description="holds above this")
    below: Threshold | None = Field(None, description="holds below this")
    deadband: Threshold = Field(0.0, description="distance from the limit at which it ceases to hold")

    @model_validator(mode="after")
    def _one_side(self) -> "LimitRule":
        if (self.above is None) == (self.below is None):
            raise ValueError("has no one side; give either above or below")
        return self


class DeviationRule(_OnTag):
    """A value too far from a number, or from the mean or sum of other tags."""

    model_config = ConfigDict(populate_by_name=True)

    reference: Threshold | None = Field(None, alias="from", description="the number it should be")
    mean_of: list[TagName] | None = Field(None, min_length=1, description="tags of the same source")
    sum_of: list[TagOf] | None = Field(
        None, min_length=1, description="tags of any source, as a balance of several meters needs them"
    )
    by: Threshold = Field(description="holds when further away than this")
    deadband: Threshold = Field(0.0, description="how much nearer it must come to cease to hold")

    @model_validator(mode="after")
    def _one_reference(self) -> "DeviationRule":
        if [self.reference, self.mean_of, self.sum_of].count(None) != 2:
            raise ValueError("has no one reference; give one of from, mean_of and sum_of")
        return self


class RateRule(_OnTag):
    """A value that rises or falls too fast."""

    rises: Threshold | None = Field(
        None, description="holds when it rises by more than this in the time of over"
    )
    falls: Threshold | None = Field(None, description="the same for a fall")
    over: Second = Field(gt=0, description="time in which it does so")
    deadband: Threshold = Field(0.0, description="how much slower it must get to cease to hold")

    @model_validator(mode="after")
    def _one_direction(self) -> "RateRule":
        if (self.rises is None) == (self.falls is None):
            raise ValueError("has no one direction; give either rises or falls")
        return self


class StateRule(_OnTag):
    """A value that is one of some states, or has a bit set."""

    equals: int | list[int] | None = Field(None, description="the state, or the states, in which it holds")
    bit: int | None = Field(None, ge=0, le=31, description="the bit that is set, 0 the lowest")

    @model_validator(mode="after")
    def _one_kind(self) -> "StateRule":
        if (self.equals is None) == (self.bit is None):
            raise ValueError("has no one state; give either equals or bit")
        return self


class StaleRule(_OnTag):
    """A value that stands still although the device answers."""

    unchanged: Second = Field(gt=0, description="for how long")


class CommunicationRule(_Part):
    """A device that does not answer."""

    source: str | None = Field(None, description="the alarm's own when absent")
    failures: int = Field(3, ge=1, le=1000, description="polls in a row without an answer")


class When(_Part):
    """A condition: one of these."""

    model_config = ConfigDict(populate_by_name=True)

    limit: LimitRule | None = Field(None, description="a value above or below a limit")
    deviation: DeviationRule | None = Field(None, description="a value too far from a reference")
    rate: RateRule | None = Field(None, description="a value that changes too fast")
    state: StateRule | None = Field(None, description="a value in some state")
    stale: StaleRule | None = Field(None, description="a value that stands still")
    communication: CommunicationRule | None = Field(None, description="a device that does not answer")
    all: list["When"] | None = Field(None, min_length=1, description="all of these conditions")
    any: list["When"] | None = Field(None, min_length=1, description="any of these conditions")
    none: "When | None" = Field(None, alias="not", description="not this condition")

    @model_validator(mode="after")
    def _one_kind(self) -> "When":
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            kinds = ", ".join(field.alias or name for name, field in type(self).model_fields.items())
            raise ValueError(f"is no one condition; give one of {kinds}")
        return self


class Alarm(_Part):
    """One alarm."""

    name: Name = Field(description="condition in the journal")
    source: str = Field(description="source in the journal, and of tags that name none")
    when: When = Field(description="the condition")
    priority: Priority = Field("medium", description="of the alarm")
    on_delay: Second = Field(0.0, ge=0, description="how long it must hold before the alarm is raised")
    off_delay: Second = Field(0.0, ge=0, description="how long it must not hold before the alarm returns")
    latch: bool = Field(False, description="whether it stays after its return until it is reset")
    unknown: Literal["hold", "active", "return"] = Field(
        "hold", description="what becomes of it while its values cannot be read"
    )
    suppressed_when: When | None = Field(None, description="a condition that makes it meaningless")
    release_delay: Second = Field(0.0, ge=0, description="how long it stays suppressed after that condition")
    longest_shelving: Second = Field(28800.0, gt=0, description="how long it may be shelved")


class Rules(_Part):
    """Rules of an alarm server."""

    version: Literal[1] = Field(description="of this format")
    tags: str | None = Field(
        None, description="tag list as `twin export points` writes it, relative to this file"
    )
    poll: Second = Field(1.0, gt=0, description="time from poll to poll of a source")
    timeout: Second | None = Field(
        None, gt=0, description="how long an answer is waited for; 500 ms when absent, 10 s in lockstep"
    )
    sources: list[Source] = Field(min_length=1, description="devices that are polled")
    alarms: list[Alarm] = Field(min_length=1, description="what is watched")

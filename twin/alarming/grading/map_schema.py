"""The alarm map: which alarms of the graded system are expected, and when. See ``docs/alarming.md``."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from twin.alarming.rules_schema import Name, When
from twin.documents import Second
from twin.scenario.equipment_schema import Part as _Part


class JournalClock(_Part):
    """How the times of the journal become simulated time."""

    journal: str = Field(description="an instant in the journal's time, 2026-11-21T13:00:00Z")
    site: str = Field(description="the same instant in simulated time")
    speed: float = Field(1.0, gt=0, description="simulated seconds per second of the journal's time")


class RecordedEvent(_Part):
    """A power-quality event that a meter has recorded."""

    type: Literal["sag", "swell", "over_current"] = Field(description="of the event")


class MeterAlarm(_Part):
    """An alarm channel of a meter."""

    channel: int = Field(ge=1, le=64, description="of the meter, from 1")


class Happening(_Part):
    """Something that physically happened."""

    kind: str = Field(description="as the truth ledger names it, for example switch_operated")
    element: str | None = Field(None, description="only of this element")
    where: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="only with these details"
    )


class Truth(_Part):
    """From something that physically happened to something that ends it."""

    begins: Happening = Field(description="what raises the alarm")
    ends: Happening | None = Field(None, description="what lets it return; it stands for ever when absent")


class ExpectedAlarm(_Part):
    """One alarm of the graded system and when it is expected."""

    source: Name = Field(description="as in the journal")
    condition: Name = Field(description="as in the journal")
    meter: str | None = Field(None, description="name in the scenario; the source's when absent")
    priority: str | None = Field(None, description="that it should have; not compared when absent")
    poll: Second | None = Field(None, gt=0, description="of this source; that of the file when absent")
    latency: Second | None = Field(None, ge=0, description="allowed for this alarm; as poll")
    when: When | None = Field(None, description="expected while the meter's registers fulfil this condition")
    event: RecordedEvent | None = Field(None, description="expected when the meter records such an event")
    meter_alarm: MeterAlarm | None = Field(None, description="expected while the meter's own alarm is active")
    truth: Truth | None = Field(None, description="expected when this physically happens")
    on_delay: Second = Field(0.0, ge=0, description="that the graded system waits before it raises the alarm")
    off_delay: Second = Field(0.0, ge=0, description="that it waits before the alarm returns")
    suppressed_when: When | None = Field(None, description="not expected while this holds")
    release_delay: Second = Field(0.0, ge=0, description="nor so long after it")

    @model_validator(mode="after")
    def _one_kind(self) -> "ExpectedAlarm":
        kinds = ("when", "event", "meter_alarm", "truth")
        if sum(getattr(self, name) is not None for name in kinds) != 1:
            raise ValueError(f"does not say once when it is expected; give one of {', '.join(kinds)}")
        if self.when is None and self.suppressed_when is not None:
            raise ValueError(
                "suppressed_when belongs to a condition on registers; give when, or leave it out"
            )
        return self


class AlarmMap(_Part):
    """What an alarm system should have raised."""

    version: Literal[1] = Field(description="of this format")
    time_zone: str = Field("UTC", description="of times of the journal that name none")
    clock: JournalClock | None = Field(None, description="given when the journal is not in simulated time")
    poll: Second = Field(1.0, gt=0, description="how often the graded system polls")
    latency: Second = Field(1.0, ge=0, description="that it is allowed beside")
    returns: bool = Field(True, description="whether returns are graded, too")
    alarms: list[ExpectedAlarm] = Field(min_length=1, description="every alarm that is graded")
    others: Literal["ignore", "false"] = Field(
        "false", description="what alarms are that this map does not name: not looked at, or false"
    )

    @field_validator("others", mode="before")
    @classmethod
    def _word(cls, others: object) -> object:
        return "false" if others is False else others  # as YAML reads the word without quotes

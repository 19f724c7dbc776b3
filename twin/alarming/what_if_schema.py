"""The variants file of ``twin what-if``: the same run with other alarm settings. See ``docs/alarming.md``."""

from typing import Annotated, Literal

from pydantic import Field

from twin.alarming.rules_schema import Name, Priority, Threshold
from twin.documents import Second
from twin.scenario.equipment_schema import Part as _Part

ALL = "all"
"""Stands for every alarm."""


class Settings(_Part):
    """What becomes of an alarm's settings; what is not named stays."""

    limit: Threshold | None = Field(None, description="above or below, whichever the alarm has")
    deadband: Threshold | None = Field(None, description="of its limits, deviations and rates")
    on_delay: Second | None = Field(None, ge=0, description="how long the condition must hold")
    off_delay: Second | None = Field(None, ge=0, description="how long it must not hold")
    priority: Priority | None = Field(None, description="of the alarm")
    suppressed: bool | None = Field(None, description="false: without its suppression by design")
    enabled: bool = Field(True, description="false: without this alarm")


class Variant(_Part):
    """One way to set the alarms."""

    name: Name = Field(description="in the table")
    settings: dict[str, Settings] = Field(
        default_factory=dict, description="by alarm, or all; an alarm's own go before those of all"
    )


class Variants(_Part):
    """Ways to set the alarms, compared on one recorded run."""

    version: Literal[1] = Field(description="of this format")
    variants: Annotated[list[Variant], Field(min_length=1, max_length=200)] = Field(
        description="compared with the rules as they are, which come first"
    )

"""What a scenario keeps of itself, and for how long."""

from typing import Literal

from pydantic import Field

from twin.documents import Second
from twin.scenario.equipment_schema import Part as _Part

_DAYS = "simulated time, for example '30 d'; for ever when absent"


class Keep(_Part):
    """How long records are kept; whole days go once they are older, nothing younger ever does."""

    truth: Second | None = Field(None, gt=0, description=_DAYS)
    alarms: Second | None = Field(None, gt=0, description=_DAYS)
    soe: Second | None = Field(None, gt=0, description=_DAYS)
    events: Second | None = Field(None, gt=0, description=_DAYS)
    waveforms: Second | None = Field(None, gt=0, description=_DAYS)
    registers: Second | None = Field(None, gt=0, description=_DAYS)
    load_profile: Second | None = Field(None, gt=0, description=_DAYS)

    @property
    def limits(self) -> dict[str, float]:
        """What has a limit, and which [s]."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class History(_Part):
    """What the recording keeps beside load profile, events, alarms and captures, and for how long."""

    registers: dict[str, Literal["all"] | list[str]] = Field(
        default_factory=dict,
        description="by meter: names of registers (twin export points lists them), or all, whose changes"
        " are recorded",
    )
    every: Second = Field(
        1.0, ge=1, le=86400, description="how often registers are looked at; a meter refreshes them every 1 s"
    )
    keep: Keep = Field(default_factory=Keep)

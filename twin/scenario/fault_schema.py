"""Faults, broken conductors and repairs of a scenario file.

Each field's description is the source of the JSON Schema and of the scenario reference.
"""

from typing import Literal

from pydantic import Field

from twin.documents import Ohm, Percent, Second, Volt
from twin.scenario.equipment_schema import Name, Part

At = "local time: 18:42, 18:42:10.003, or with a date"
Type = Literal["slg", "ll", "llg", "3ph"]
Phases = Literal["a", "b", "c", "ab", "bc", "ac", "abc"]


class Evolution(Part):
    """What a fault turns into."""

    after: Second = Field(gt=0, description="since the fault began")
    type: Type
    phases: Phases
    resistance: Ohm | None = Field(None, ge=0, description="as before when absent")


class Intermittent(Part):
    """A fault that strikes and goes out again and again; each strike falls on a peak of the voltage."""

    interval: Second = Field(ge=0.03, description="from strike to strike, to the next peak of the voltage")
    burning: Second = Field(0.005, gt=0, description="it goes out at the first zero of current after this")
    lasts: Second = Field(gt=0, description="no more strikes from then on")
    threshold: Percent = Field(
        50.0, ge=1, le=110, description="no strike below this share of the rated phase voltage"
    )


class Fault(Part):
    """A short circuit at a bus: temporary, lasting, evolving, arcing or intermittent."""

    event: Literal["fault"]
    at: str = Field(description=At)
    name: Name
    bus: str
    type: Type
    phases: Phases
    resistance: Ohm = Field(0.0, ge=0, description="each phase to earth; between the phases for ll")
    clear_after: Second | None = Field(None, gt=0, description="removed then; it lasts when absent")
    self_extinguishing: bool = Field(
        False, description="an arc in air: it is gone once its bus has been dead for the deionisation time"
    )
    deionisation: Second = Field(0.2, gt=0, description="dead time after which the arc does not strike again")
    arc_voltage: Volt | None = Field(
        None, gt=0, description="constant voltage of an arc in each phase, about 1.4 kV for a metre of arc"
    )
    evolves: list[Evolution] = Field(default_factory=list, max_length=10)
    intermittent: Intermittent | None = None


class Conductor(Part):
    """A conductor of a line breaks."""

    event: Literal["conductor"]
    at: str = Field(description=At)
    name: Name
    branch: str = Field(description="line whose conductor breaks")
    phase: Literal["a", "b", "c", "n"]
    end: Literal["from", "to"] = Field("from", description="end of the line near which it breaks")
    falls: bool = Field(False, description="what hangs on the other end touches earth there")
    resistance: Ohm = Field(50.0, ge=0, description="between the fallen conductor and earth")
    mended_after: Second | None = Field(None, gt=0, description="it stays broken when absent")


class Repair(Part):
    """A crew removes a fault, mends a conductor or puts in new fuse links."""

    event: Literal["repair"]
    at: str = Field(description=At)
    of: str = Field(description="name of a fault, of communication too, of a broken conductor or of a fuse")

"""Auxiliary supplies of meters that fail and come back, as a scenario file has them."""

from typing import Literal

from pydantic import Field

from twin.documents import Second
from twin.scenario.equipment_schema import Name, Part
from twin.scenario.fault_schema import At


class PowerLoss(Part):
    """A meter loses its auxiliary supply: it stops answering, measuring and counting."""

    event: Literal["power_loss"]
    at: str = Field(description=At)
    meter: Name
    restore_after: Second | None = Field(
        None, gt=0, description="when the supply comes back; with power_restore alone when absent"
    )


class PowerRestore(Part):
    """A meter's auxiliary supply comes back."""

    event: Literal["power_restore"]
    at: str = Field(description=At)
    meter: Name

"""What a scenario says of a meter's data logs and loggers."""

from typing import Literal

from pydantic import Field

from twin.documents import Second
from twin.scenario.equipment_schema import Part as _Part

LoggedValue = Literal["instantaneous", "minimum", "maximum", "average"]


class Logger(_Part):
    """One of the three data loggers of a meter's web module."""

    quantities: list[str] = Field(min_length=1, description="for example v1, i_avg, p_sum, ep_imp, thd_v1")
    values: list[LoggedValue] = Field(
        default=["instantaneous"],
        min_length=1,
        description="what is kept of each; of energies and power quality the instantaneous value alone",
    )
    interval: Second | Literal["month"] = Field(
        300.0, description="1 s to 1 d, a divisor of a day, or month; energies from 15 s, others from 1 min"
    )


class DataLog(_Part):
    """One of the three data logs in a meter's memory, read by Modbus."""

    log: Literal[1, 2, 3] = Field(description="number of the log")
    quantities: list[str] = Field(
        min_length=1, description="names of registers that can be logged (twin export points lists them)"
    )
    interval: Second = Field(900.0, description="whole minutes, 1 min to 1 d")
    sectors: int = Field(10, ge=1, le=100, description="of 64 KiB; the three logs share 100")
    daily_at: str | None = Field(
        None, description="time of the day, as in 02:30: one record a day instead of one per interval"
    )
    start: str | None = Field(None, description="local date and time: record only from here, until full")
    end: str | None = Field(None, description="local date and time: with start, record only up to here")

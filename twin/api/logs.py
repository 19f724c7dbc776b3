"""What meters keep over time: the trend of the load profile, data loggers, data logs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from twin.api.configuration import present_settings
from twin.api.meters import decoded
from twin.api.models import Number, Utc
from twin.api.problems import answers
from twin.api.site import ControlledSite
from twin.api.times import Instant, parse_utc
from twin.contracts import RetrievalWindow
from twin.meters.kw320.data_log_reading import (
    DataLogColumn,
    DataLogRecord,
    DataLogStatus,
    data_log_columns,
    data_log_status,
    read_data_log,
)
from twin.meters.kw320.data_log_settings import LOGS, DataLogSettings, data_log_settings
from twin.recording import LoadProfile, Recording
from twin.recording.export import utc_text
from twin.recording.local_time import stamp
from twin.recording.logger_files import logger_files
from twin.recording.trend import Interval, Trend, trend, trend_text
from twin.simulation import LiveMeter

Logger = Annotated[int, Path(ge=1, le=3)]
Log = Annotated[int, Path(ge=1, le=LOGS)]
Every = Annotated[Interval, Query(description="not shorter than the intervals of the load profile")]
After = Annotated[Instant | None, Query(description="only what ends after it")]
Until = Annotated[Instant | None, Query(description="only what ends before it, or then")]
Newest = Annotated[int, Query(ge=1, le=100_000, description="only the newest so many")]
_CSV = {
    **answers(404, 503),
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "header and rows"},
}


class KeptInterval(BaseModel):
    """An interval of a trend or logger."""

    start_utc: Utc | None = Field(description="null for a logger: intervals follow each other")
    end_utc: Utc
    end_local: str = Field(description="the end in the site's time zone, ISO 8601 with its offset")
    duration_s: Number = Field(description="how much of it was recorded")
    values: list[Number] = Field(description="in the order of the channels, primary, SI")


class Intervals(BaseModel):
    """Intervals in order of time."""

    meter: str
    time_zone: str
    channels: list[str] = Field(description="v1_avg, v1_min, v1_max, ..: quantity and what of it")
    intervals: list[KeptInterval]


class LoggerEntry(BaseModel):
    """A data logger of a meter."""

    number: int
    channels: list[str]


class DataLogEntry(BaseModel):
    """A data log in a meter's own memory."""

    log: int
    enabled: bool
    mode: Literal["ring", "window", "daily"]
    interval_minutes: int
    registers: list[str]
    records: int
    most_records: int
    first_local: str = Field(description="by the meter's clock; empty without records")
    last_local: str


class DataLogRow(BaseModel):
    """A record of a data log."""

    number: int = Field(description="counted since the log was set")
    local: str = Field(description="by the meter's clock")
    values: list[Number]


class DataLogRows(BaseModel):
    """Records of a data log in order."""

    meter: str
    log: int
    registers: list[str]
    units: list[str]
    records: list[DataLogRow]


def routes(site: ControlledSite) -> APIRouter:
    """Return the operations."""
    router = APIRouter(tags=["logs"])
    _add_trends(router, site)
    _add_loggers(router, site)
    _add_data_logs(router, site)
    return router


def _add_trends(router: APIRouter, site: ControlledSite) -> None:
    def found(meter: str, interval: Interval, after: str | None, until: str | None) -> tuple[Trend, str]:
        recording = _recording(site, meter)
        profile = recording.load_profile(meter, start_ns=_ns(after), end_ns=_ns(until))
        zone = _zone(recording)
        return trend(profile, time_zone=zone, interval=interval), zone

    @router.get("/meters/{meter}/trend", responses=answers(404, 503))
    def read_trend(
        meter: str, interval: Every = "1hour", after: After = None, until: Until = None
    ) -> Intervals:
        """Return a meter's load profile by hours, days or months of local time.

        Energies are sums, `_avg` means, `_min` and `_max` extremes.
        """
        kept, zone = found(meter, interval, after, until)
        return _intervals(meter, zone, kept.start_ns, kept.end_ns, kept.duration_s, kept.values)

    @router.get("/meters/{meter}/trend/csv", responses=_CSV, response_class=Response)
    def read_trend_csv(
        meter: str, interval: Every = "1hour", after: After = None, until: Until = None
    ) -> Response:
        """Return the same as CSV, with local times and their offsets."""
        kept, zone = found(meter, interval, after, until)
        return _csv(trend_text(kept, meter=meter, time_zone=zone, form="csv"))


def _add_loggers(router: APIRouter, site: ControlledSite) -> None:
    def found(
        meter: str, number: int, after: str | None, until: str | None, limit: int
    ) -> tuple[LoadProfile, str]:
        recording = _recording(site, meter)
        kept = recording.logged(meter, number, start_ns=_ns(after), end_ns=_ns(until))
        values = {channel: column[-limit:] for channel, column in kept.values.items()}
        return LoadProfile(kept.end_ns[-limit:], values, kept.duration_s[-limit:]), _zone(recording)

    @router.get("/meters/{meter}/loggers", responses=answers(404, 503))
    def list_loggers(meter: str) -> list[LoggerEntry]:
        """Return the data loggers of a meter that have kept something."""
        known = _recording(site, meter).loggers(meter)
        return [LoggerEntry(number=number, channels=list(channels)) for number, channels in known.items()]

    @router.get("/meters/{meter}/loggers/{logger}", responses=answers(404, 503))
    def read_logger(
        meter: str, logger: Logger, after: After = None, until: Until = None, limit: Newest = 1000
    ) -> Intervals:
        """Return what a data logger kept."""
        kept, zone = found(meter, logger, after, until, limit)
        return _intervals(meter, zone, None, kept.end_ns.tolist(), kept.duration_s, kept.values)

    @router.get("/meters/{meter}/loggers/{logger}/csv", responses=_CSV, response_class=Response)
    def read_logger_csv(
        meter: str, logger: Logger, after: After = None, until: Until = None, limit: Newest = 1000
    ) -> Response:
        """Return the same as the CSV file that the meter's web module gives."""
        kept, zone = found(meter, logger, after, until, limit)
        files = logger_files(kept, meter=meter, number=logger, time_zone=zone, span="all")
        return _csv("".join(file.text for file in files))


def _add_data_logs(router: APIRouter, site: ControlledSite) -> None:
    @router.get("/meters/{meter}/data-logs", responses=answers(404, 503))
    def list_data_logs(meter: str) -> list[DataLogEntry]:
        """Return the three data logs of a meter: how they are set, and what they hold."""
        live = site.meter(meter)
        _, present = present_settings(site, live)
        entries = []
        for log in range(1, LOGS + 1):
            settings, status = data_log_settings(present, log), data_log_status(_window(live), log)
            names = [column.name for column in data_log_columns(settings.addresses, live.points)]
            entries.append(_data_log_entry(log, settings, status, names))
        return entries

    @router.get("/meters/{meter}/data-logs/{log}", responses=answers(404, 503))
    def read_data_log_records(meter: str, log: Log, limit: Newest = 100) -> DataLogRows:
        """Return records of a data log, decoded with the ratios as they are set now."""
        live = site.meter(meter)
        _, present = present_settings(site, live)
        _, words = live.snapshot()
        columns = data_log_columns(data_log_settings(present, log).addresses, live.points_in(words))
        size = sum(column.point.words if column.point else 1 for column in columns)
        kept = [one for one in read_data_log(_window(live), log, newest=limit) if one.data.size == size]
        return DataLogRows(
            meter=meter,
            log=log,
            registers=[column.name for column in columns],
            units=[column.point.unit if column.point else "" for column in columns],
            records=[
                DataLogRow(number=one.number, local=one.stamp, values=_values(one, columns)) for one in kept
            ],
        )


def _recording(site: ControlledSite, meter: str) -> Recording:
    site.meter(meter)
    return site.recorded()


def _zone(recording: Recording) -> str:
    return str(recording.info.scenario.get("time_zone", "UTC"))


def _ns(text: str | None) -> int | None:
    return None if text is None else parse_utc(text)


def _csv(text: str) -> Response:
    return Response(text, media_type="text/csv; charset=utf-8")


def _window(meter: LiveMeter) -> RetrievalWindow:
    """Return the window of the data logs, which every meter has; a kw320q has others before it."""
    return meter.windows[-1]


def _intervals(
    meter: str,
    zone: str,
    start_ns: Sequence[int] | None,
    end_ns: Sequence[int],
    duration_s: NDArray[np.float64],
    values: Mapping[str, NDArray[np.float64]],
) -> Intervals:
    columns = [column.tolist() for column in values.values()]
    return Intervals(
        meter=meter,
        time_zone=zone,
        channels=list(values),
        intervals=[
            KeptInterval(
                start_utc=None if start_ns is None else utc_text(start_ns[at]),
                end_utc=utc_text(end),
                end_local=str(stamp(end, ZoneInfo(zone), "iso8601")),
                duration_s=float(duration_s[at]),
                values=[column[at] for column in columns],
            )
            for at, end in enumerate(end_ns)
        ],
    )


def _data_log_entry(
    log: int, settings: DataLogSettings, status: DataLogStatus, names: list[str]
) -> DataLogEntry:
    return DataLogEntry(
        log=log,
        enabled=settings.enabled and not settings.faulty,
        mode=settings.mode,
        interval_minutes=settings.interval_minutes,
        registers=names,
        records=status.used,
        most_records=status.most,
        first_local=status.first,
        last_local=status.last,
    )


def _values(record: DataLogRecord, columns: Sequence[DataLogColumn]) -> list[float]:
    return [
        float(record.data[column.at])
        if column.point is None
        else decoded(column.point, record.data[column.at : column.at + column.point.words])
        for column in columns
    ]

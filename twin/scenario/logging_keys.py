"""Data logs and loggers of a scenario's meters, in the device's own terms."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time

from twin.contracts import Finding
from twin.meters import DataLogConfig, LoggerConfig
from twin.scenario.context import Context
from twin.scenario.logging_schema import DataLog, Logger
from twin.scenario.schema import Meter


def logging_problems(context: Context, at: int, meter: Meter) -> Iterator[Finding]:
    """Find what of a meter's data logs and loggers cannot be read."""
    for place, log in enumerate(meter.data_logs):
        path = ("meters", at, "data_logs", place)
        if log.interval % 60:
            what = f"{log.interval:g} s are no whole minutes"
            yield context.finding((*path, "interval"), what, "give minutes, as in 15 min")
        for field, reads, mend in (
            ("daily_at", time.fromisoformat, "give a time of the day, as in 02:30"),
            ("start", datetime.fromisoformat, "give local date and time, as in 2026-01-15 06:00"),
            ("end", datetime.fromisoformat, "give local date and time, as in 2026-01-15 06:00"),
        ):
            text = getattr(log, field)
            try:
                if text is not None and reads(text).tzinfo is not None:
                    yield context.finding((*path, field), f"'{text}' has an offset", mend)
            except ValueError:
                yield context.finding((*path, field), f"'{text}' cannot be read", mend)
    for place, logger in enumerate(meter.loggers):
        if logger.interval != "month" and logger.interval % 1:
            what = f"{logger.interval:g} s are no whole seconds"
            yield context.finding(("meters", at, "loggers", place, "interval"), what, "give whole seconds")


def data_logs(given: Sequence[DataLog]) -> tuple[DataLogConfig, ...]:
    """Return data logs whose keys can be read."""
    return tuple(
        DataLogConfig(
            log=log.log,
            quantities=tuple(log.quantities),
            interval_minutes=round(log.interval / 60),
            sectors=log.sectors,
            daily_minute=_minute_of_day(log.daily_at),
            start=None if log.start is None else datetime.fromisoformat(log.start),
            end=None if log.end is None else datetime.fromisoformat(log.end),
        )
        for log in given
    )


def loggers(given: Sequence[Logger]) -> tuple[LoggerConfig, ...]:
    """Return loggers whose keys can be read."""
    return tuple(
        LoggerConfig(
            quantities=tuple(logger.quantities),
            values=tuple(logger.values),
            interval="month" if logger.interval == "month" else round(logger.interval),
        )
        for logger in given
    )


def _minute_of_day(text: str | None) -> int | None:
    if text is None:
        return None
    at = time.fromisoformat(text)
    return 60 * at.hour + at.minute

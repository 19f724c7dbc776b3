"""A data log as a scenario sets it, and the registers that this means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from twin.documents import suggestion
from twin.meters.kw320.data_log_settings import LOGS, MAX_REGISTERS, is_loggable, stamp_words
from twin.meters.kw320.profile import image_map
from twin.meters.register_map import Register

_TIME_FIELDS: Final = ("year", "month", "day", "hour", "minute", "second")
_TIME_WORDS: Final = ("year_month", "day_hour", "minute_second")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLogConfig:
    """One data log; ring unless it has a time of the day, or a start and an end."""

    log: int
    """1..3."""
    quantities: tuple[str, ...]
    """Names of registers within the ranges that can be logged."""
    interval_minutes: int = 15
    """1..1440 [min]."""
    sectors: int = 10
    daily_minute: int | None = None
    """Minute of the day [min]."""
    start: datetime | None = None
    """Local time, without a zone."""
    end: datetime | None = None


def data_log_problems(logs: tuple[DataLogConfig, ...], profile: str) -> Iterator[str]:
    """Yield what is wrong with the data logs of a meter: ``field: what; mend``."""
    known = _loggable(profile)
    for place, log in enumerate(logs):
        where = f"data_logs[{place}]"
        if not 1 <= log.log <= LOGS or any(log.log == other.log for other in logs[:place]):
            yield f"{where}.log: {log.log} is no log, or stands twice; number them 1..{LOGS}"
        if not 1 <= log.interval_minutes <= 1440:
            yield f"{where}.interval: {log.interval_minutes} min is out of range; use 1 min to 1 d"
        for name in log.quantities:
            if name not in known:
                mend = suggestion(name, known, "registers that can be logged")
                yield f"{where}.quantities: {name!r} cannot be logged; {mend}"
        words = sum(known[name].words for name in log.quantities if name in known)
        if words > MAX_REGISTERS:
            yield f"{where}.quantities: {words} words are too many; a record has {MAX_REGISTERS}"
        if (log.start is None) != (log.end is None) or (log.start and log.daily_minute is not None):
            yield f"{where}.start: does not go without an end, or with daily_at; give both, or neither"


@cache
def _loggable(profile: str) -> Mapping[str, Register]:
    """Return the registers of a model that a log can record, by name; looked up once for all its meters."""
    return {r.name: r for r in image_map(profile).registers if is_loggable(r.address)}


def data_log_registers(logs: tuple[DataLogConfig, ...], profile: str) -> dict[str, int]:
    """Return the raw values of the setting registers of data logs, by name.

    Parameters
    ----------
    logs : tuple of DataLogConfig
        Without problems.
    profile : str
    """
    raw: dict[str, int] = {}
    for log in logs:
        raw |= {f"log{log.log}_{name}": value for name, value in _registers(log, profile).items()}
    return raw


def _registers(log: DataLogConfig, profile: str) -> dict[str, int]:
    items = [image_map(profile).by_name[name] for name in log.quantities]
    addresses = [item.address + word for item in items for word in range(item.words)]
    sizes = [item.words for item in items] + [0]
    raw = {
        "registers_sectors": len(addresses) << 8 | log.sectors,
        "interval_minutes": log.interval_minutes,
        "mode": 2 if log.daily_minute is not None else 1 if log.start is not None else 0,
    }
    raw |= {f"register_{place}": address for place, address in enumerate(addresses, start=1)}
    raw |= {f"descriptors_{at // 2 + 1}": sizes[at] << 8 | sizes[at + 1] for at in range(0, len(items), 2)}
    if log.daily_minute is not None:
        hour, minute = divmod(log.daily_minute, 60)
        raw |= {"start_day_hour": hour, "start_minute_second": minute << 8}
    for which, at in (("start", log.start), ("end", log.end)):
        if at is not None:
            raw |= {f"{which}_{name}": word for name, word in zip(_TIME_WORDS, _words(at), strict=True)}
    return raw


def _words(at: datetime) -> tuple[int, int, int]:
    stamp: Mapping[str, int] = {field: getattr(at, field) for field in _TIME_FIELDS}
    return stamp_words(stamp)

"""Local times of recorded instants: buckets of hours, days and months, and stamps that say their offset.

An hour that a clock shows twice at the end of summer time is two hours, told apart by their offsets; a day of
23 or 25 hours is one day.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from twin.contracts import NS_PER_SECOND

Stamp = Literal["local", "iso8601", "utc"]
STAMPS: Final[tuple[Stamp, ...]] = ("local", "iso8601", "utc")
"""``2019-06-20 09:55:00-0400``, ``2019-06-20T09:55:00-04:00``, seconds since 1970 of UTC."""

Span = Literal["hour", "day", "week", "month", "all"]


def local(ns: int, zone: ZoneInfo) -> datetime:
    """Return an instant, UTC [ns], as local time; what is below a microsecond is cut off."""
    whole, rest = divmod(ns, NS_PER_SECOND)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=rest // 1000).astimezone(zone)


def stamp(ns: int, zone: ZoneInfo, form: Stamp) -> str | int:
    """Return an instant, UTC [ns], as a file shows it."""
    if form == "utc":
        return ns // NS_PER_SECOND
    at = local(ns, zone)
    return at.isoformat() if form == "iso8601" else f"{at:%Y-%m-%d %H:%M:%S%z}"


def instant(text: str, zone: ZoneInfo) -> int:
    """Return a local time, ISO 8601 with or without an offset, as UTC [ns].

    Raises
    ------
    ValueError
        It is no time.
    """
    at = datetime.fromisoformat(text)
    aware = at if at.tzinfo is not None else at.replace(tzinfo=zone)
    return int(aware.replace(microsecond=0).timestamp()) * NS_PER_SECOND + aware.microsecond * 1000


def bucket(end_ns: int, zone: ZoneInfo, minutes: int) -> tuple[int, int]:
    """Return start and end, UTC [ns], of the whole minutes of local time that hold what ends at an instant.

    Parameters
    ----------
    end_ns : int
        UTC; the end of a bucket belongs to it [ns].
    zone : ZoneInfo
    minutes : int
        1..60, counted from the full hour of local time [min].
    """
    offset = local(end_ns - 1, zone).utcoffset()
    assert offset is not None
    shift, step = offset // timedelta(seconds=1) * NS_PER_SECOND, minutes * 60 * NS_PER_SECOND
    start = (end_ns - 1 + shift) // step * step - shift
    return start, start + step


def calendar_bucket(end_ns: int, zone: ZoneInfo, span: Literal["day", "month"]) -> tuple[int, int]:
    """Return start and end, UTC [ns], of the local day or month that holds what ends at an instant."""
    day = local(end_ns - 1, zone).date()
    if span == "day":
        after = day + timedelta(days=1)
    else:
        day = day.replace(day=1)
        after = (day + timedelta(days=31)).replace(day=1)
    return _midnight(day.toordinal(), zone), _midnight(after.toordinal(), zone)


def week_bucket(end_ns: int, zone: ZoneInfo, first_ns: int) -> tuple[int, int]:
    """Return the seven local days, counted from that of a first instant, that hold what ends at another."""
    first, day = (local(ns - 1, zone).date().toordinal() for ns in (first_ns, end_ns))
    start = first + (day - first) // 7 * 7
    return _midnight(start, zone), _midnight(start + 7, zone)


def _midnight(ordinal: int, zone: ZoneInfo) -> int:
    """Return the first instant of a local day, UTC [ns]."""
    at = datetime.fromordinal(ordinal).replace(tzinfo=zone)
    return int(at.timestamp()) * NS_PER_SECOND

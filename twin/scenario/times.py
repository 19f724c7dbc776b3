"""Local times as people write them, to UTC nanoseconds."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from twin.contracts import NS_PER_SECOND

_TIME = re.compile(
    r"(?:(?P<date>\d{4}-\d{2}-\d{2})[ T])?(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?\Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name.

    Raises
    ------
    ValueError
        There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, IsADirectoryError) as error:
        raise ValueError(f"'{name}' is no time zone; give an IANA name such as Europe/London") from error


def parse_local(text: str, zone: ZoneInfo, *, after_ns: int | None = None) -> int:
    """Return a local time in UTC [ns].

    Parameters
    ----------
    text : str
        ``2026-01-15 18:42:10.003``; without a date it is the first such time at or after ``after_ns``.
    zone : ZoneInfo
        Zone of the text.
    after_ns : int, optional
        Start of the scenario, UTC [ns]; None where a date is required.

    Raises
    ------
    ValueError
        Not a time, no date where one is needed, or a time that the clock skips in spring.
    """
    match = _TIME.match(str(text).strip())
    if match is None:
        raise ValueError(f"'{text}' is no time; write 18:42, 18:42:10.003 or 2026-01-15 18:42")
    fraction_ns = int((match["fraction"] or "0").ljust(9, "0"))
    date = match["date"]
    if date is not None and not 1970 <= int(date[:4]) <= 2150:
        raise ValueError(f"'{text}' is out of range; give a year from 1970 to 2150")
    if date is None and after_ns is None:
        raise ValueError(f"'{text}' has no date; write it as 2026-01-15 {text}")
    clock = f"{int(match['hour']):02d}:{match['minute']}:{match['second'] or '00'}"
    try:
        if date is not None:
            return _utc_ns(datetime.fromisoformat(f"{date} {clock}"), zone) + fraction_ns
        first = local_datetime(after_ns or 0, zone).date()
        for day in range(3):
            local = datetime.fromisoformat(f"{first + timedelta(days=day)} {clock}")
            if _exists(local, zone):
                candidate = _utc_ns(local, zone) + fraction_ns
                if candidate >= (after_ns or 0):
                    return candidate
    except ValueError as error:
        if "skips" in str(error):
            raise
        raise ValueError(f"'{text}' is no time; {error}") from error
    raise ValueError(f"'{text}' does not occur; give it with a date")


def local_datetime(utc_ns: int, zone: ZoneInfo) -> datetime:
    """Return the local date and time of a UTC instant, cut to microseconds."""
    seconds, rest = divmod(utc_ns, NS_PER_SECOND)
    return (_EPOCH + timedelta(seconds=seconds, microseconds=rest // 1000)).astimezone(zone)


def local_text(utc_ns: int, zone: ZoneInfo) -> str:
    """Return a UTC instant as ``2026-01-15 18:42:10.003`` in local time."""
    return local_datetime(utc_ns, zone).isoformat(sep=" ", timespec="milliseconds")[:23]


def utc_text(utc_ns: int) -> str:
    """Return a UTC instant as ``2026-01-15T18:42:10.003Z``."""
    return local_text(utc_ns, ZoneInfo("UTC")).replace(" ", "T") + "Z"


def _utc_ns(local: datetime, zone: ZoneInfo) -> int:
    aware = local.replace(tzinfo=zone)
    if not _exists(local, zone):
        raise ValueError(f"the clock skips {local} in {zone.key}; give a time that exists")
    delta = aware - _EPOCH
    return (delta.days * 86400 + delta.seconds) * NS_PER_SECOND


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    """Return whether clocks show this local time; they skip an hour in spring."""
    aware = local.replace(tzinfo=zone)
    return aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local

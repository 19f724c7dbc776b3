"""Dates, times and UTC offsets as COMTRADE writes them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from twin.contracts import NS_PER_SECOND

_DATE: Final = re.compile(r"\s*(\d{1,2})[/\-.](\d{1,2})[/\-.](\d{2}|\d{4})\s*$")
_TIME: Final = re.compile(r"\s*(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.:](\d{1,12}))?\s*$")
_OFFSET: Final = re.compile(r"\s*([+-]?)(\d{1,2})(?:h(\d{2}))?\s*$", re.IGNORECASE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date and time of a configuration file."""

    local_ns: int
    """Since 1970-01-01 of the same clock [ns]."""
    digits: int
    """Digits of the fraction of a second."""


def parse_stamp(text: str, *, month_first: bool) -> Stamp | None:
    """Return the time that ``dd/mm/yyyy,hh:mm:ss.ssssss`` means, or None for a blank or impossible one.

    Parameters
    ----------
    text : str
        A line of the configuration file.
    month_first : bool
        Whether the month comes first, as in revision 1991. A date that is impossible in this order is
        read in the other one; years of two digits are 1970 to 2069.
    """
    date, _, time = text.partition(",")
    day_found, time_found = _DATE.match(date), _TIME.match(time)
    if day_found is None or time_found is None:
        return None
    first, second, year = (int(part) for part in day_found.groups())
    if len(day_found[3]) == 2:
        year += 1900 if year >= 70 else 2000
    day, month = (second, first) if month_first else (first, second)
    if month > 12:
        day, month = month, day
    hour, minute, second = (int(part) for part in time_found.groups()[:3])
    fraction = time_found[4] or ""
    try:
        midnight = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    if hour > 24 or minute > 59 or second > 60:
        return None
    seconds = (midnight - _EPOCH).days * 86_400 + hour * 3_600 + minute * 60 + second
    return Stamp(seconds * NS_PER_SECOND + int(fraction[:9].ljust(9, "0")), len(fraction))


def format_stamp(local_ns: int, *, digits: int) -> str:
    """Return ``dd/mm/yyyy,hh:mm:ss.ssssss`` with 6 or 9 digits of the second."""
    seconds, rest = divmod(local_ns, NS_PER_SECOND)
    fraction = f"{rest:09d}"[:digits]
    return f"{_EPOCH + timedelta(seconds=seconds):%d/%m/%Y,%H:%M:%S}.{fraction}"


def parse_offset(text: str) -> int | None:
    """Return the seconds of a time code such as ``-4``, ``+5h30`` or ``0``; None for ``x`` or a blank."""
    found = _OFFSET.match(text)
    if found is None:
        return None
    seconds = int(found[2]) * 3_600 + int(found[3] or 0) * 60
    return -seconds if found[1] == "-" else seconds


def format_offset(offset_s: int | None) -> str:
    """Return a time code (IEEE C37.111-2013, 7.4.10); ``x`` where there is none."""
    if offset_s is None:
        return "x"
    sign = "-" if offset_s < 0 else "+" if offset_s else ""
    hours, seconds = divmod(abs(offset_s), 3_600)
    minutes = seconds // 60
    return f"{sign}{hours}h{minutes:02d}" if minutes else f"{sign}{hours}"

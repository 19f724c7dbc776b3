"""From UTC nanoseconds to the local time that people read, and back."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND

_QUARTER_NS = 900 * NS_PER_SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=32)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; UTC where the name is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local(ns: int, time_zone: str) -> datetime:
    """Return the local time of an instant, exact to the microsecond.

    Parameters
    ----------
    ns : int
        UTC [ns].
    time_zone : str
        IANA name.
    """
    return (_EPOCH + timedelta(microseconds=ns // 1000)).astimezone(zone(time_zone))


def banner_text(ns: int, time_zone: str) -> str:
    """Return an instant as the banner shows it: ``Sat 21 Nov 2026 00:05:38 CET``."""
    return local(ns, time_zone).strftime("%a %d %b %Y %H:%M:%S %Z")


def stamp(ns: int, time_zone: str) -> str:
    """Return an instant as tables show it: ``2026-11-21 00:05:38.250``; it sorts as text.

    In the hour that a change from summer time repeats, it says which of the two it is:
    ``2026-10-25 02:30:00.000 CEST``.
    """
    at = local(ns, time_zone)
    text = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    return f"{text} {at.tzname()}" if twice else text


def axis_ms(ends_ns: NDArray[np.int64], time_zone: str) -> NDArray[np.float64]:
    """Return instants as a time axis takes them: milliseconds of the local wall clock since 1970.

    A browser draws such numbers as if they were UTC. The hour that a change from summer time repeats is
    drawn over itself: a wall clock has no more to say.

    Parameters
    ----------
    ends_ns : ndarray
        UTC [ns].
    time_zone : str
        IANA name.
    """
    # Offsets change on quarter hours at the finest.
    quarters, at = np.unique(ends_ns // _QUARTER_NS, return_inverse=True)
    offsets = [local(int(quarter) * _QUARTER_NS, time_zone).utcoffset() for quarter in quarters]
    shift = np.array([offset.total_seconds() if offset else 0.0 for offset in offsets])
    return ends_ns / 1e6 + 1e3 * shift[at]


def axis_ms_of_ends(ends_ns: NDArray[np.int64], time_zone: str) -> NDArray[np.float64]:
    """Return ends of intervals as a time axis takes them, by the clock that ran up to each.

    An interval that ends as the clock is set back from 03:00 to 02:00 ends at 03:00.
    """
    return axis_ms(ends_ns - 1, time_zone) + 1e-6


def from_axis(text: str, time_zone: str, *, end: bool = False) -> int:
    """Return the instant of a local wall time as a chart or a date picker gives it [ns].

    Parameters
    ----------
    text : str
        ``2026-11-21`` or ``2026-11-21 06:30:00.25``.
    end : bool
        Of a wall time that occurs twice, take the later instant.
    """
    wall = datetime.fromisoformat(text[:26].replace("Z", "")).replace(tzinfo=zone(time_zone), fold=int(end))
    return int((wall.astimezone(UTC) - _EPOCH) / timedelta(microseconds=1)) * 1000


def duration_text(seconds: float) -> str:
    """Return a duration with the unit that suits it: ``85.0 ms``, ``2.40 s``, ``3 min 20 s``."""
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def seconds_between(start_ns: int, end_ns: int) -> float:
    """Return the time from one instant to another [s]."""
    return (end_ns - start_ns) / NS_PER_SECOND


def next_midnight(day: str, time_zone: str) -> int:
    """Return the local midnight that ends a day given as ``2026-11-21`` [ns]."""
    following = datetime.fromisoformat(day) + timedelta(days=1)
    return from_axis(following.isoformat(), time_zone)

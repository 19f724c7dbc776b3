"""The meter's clock: local time of its time zone, set without touching simulated time.

The clock shows the wall time of its zone plus an offset that setting the clock changes and that grows with
the drift of its crystal. A stamp keeps what the clock showed when it was made, so the courses of the past are
kept.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from twin.contracts import NS_PER_SECOND

FIELDS = ("year", "month", "day", "hour", "minute", "second")
"""Registers 1040H..1045H and the words of a time stamp, in order (KW320 manual 6.3.3, 6.3.7)."""
FARTHEST_NS = 1_000_000_000 * NS_PER_SECOND
"""How far jumps take a clock from the time at most, 31 years: what it shows has a date [ns]."""
_EPOCH = datetime(1970, 1, 1)
_DAY_NS = 86_400 * NS_PER_SECOND
_BILLION = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Course:
    """How a clock runs from an instant on."""

    from_ns: int
    """UTC [ns]."""
    zone: str
    offset_ns: int
    """Beyond the wall time of the zone, then [ns]."""
    drift: int = 0
    """How much faster than time it runs [1e-9]."""

    def ahead_ns(self, now_ns: int) -> int:
        """Return by how much the clock is ahead of its zone's wall time [ns]."""
        if not self.drift:
            return self.offset_ns
        return self.offset_ns + (now_ns - self.from_ns) * self.drift // _BILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockCourse:
    """How a clock is made to run."""

    drift: int = 0
    """How much faster than time [1e-9]."""
    step_ns: int = 0
    """By which it jumps ahead [ns]."""
    time_zone: str | None = None
    """IANA name of the zone whose time it shows; its own when None."""
    right: bool = False
    """Whether it is set right before it jumps."""


class MeterClock:
    """A settable clock.

    Parameters
    ----------
    time_zone : str
        IANA name.
    """

    def __init__(self, time_zone: str) -> None:
        self._home = time_zone
        self._courses = [_Course(-(1 << 63), time_zone, 0)]
        self._week_offset = 0

    def local_ns(self, now_ns: int) -> int:
        """Return what the clock shows, or showed, at an instant.

        Parameters
        ----------
        now_ns : int
            UTC [ns].

        Returns
        -------
        int
            Wall time since 1970-01-01 00:00 of the same calendar [ns].
        """
        course = self._course(now_ns)
        return now_ns + _zone_ns(course.zone, now_ns) + course.ahead_ns(now_ns)

    def zone_ns(self, now_ns: int) -> int:
        """Return how far the wall time of the clock's zone is ahead of UTC at an instant [ns]."""
        return _zone_ns(self._course(now_ns).zone, now_ns)

    def run_on_ns(self, now_ns: int, shown_ns: int) -> int:
        """Return when the clock will have run on by some time that it shows, its zone's changes aside.

        The first such instant, where a slow clock shows one twice; the next, where a fast one leaves it out.
        """
        course = self._course(now_ns)
        if not course.drift:
            return now_ns + shown_ns
        wanted = course.ahead_ns(now_ns) + shown_ns - course.offset_ns + now_ns - course.from_ns
        # n + n drift // 1e9 >= wanted
        passed = -(-wanted * _BILLION // (_BILLION + course.drift))
        while passed - 1 + (passed - 1) * course.drift // _BILLION >= wanted:
            passed -= 1
        while passed + passed * course.drift // _BILLION < wanted:
            passed += 1
        return course.from_ns + passed

    def signature(self, now_ns: int) -> tuple[object, ...]:
        """Return what tells clocks apart: two with the same one show the same at an instant."""
        course = self._course(now_ns)
        if course.drift:
            return course, self._week_offset
        return course.zone, course.offset_ns, self._week_offset

    @property
    def history(self) -> tuple[object, ...]:
        """What tells clocks apart for good: two with the same one showed the same at every instant."""
        return tuple(self._courses)

    def stamp(self, now_ns: int) -> dict[str, int]:
        """Return what the clock showed at an instant as ``year`` .. ``second`` and ``millisecond``."""
        shown = self.local_ns(now_ns)
        at = _EPOCH + timedelta(seconds=shown // NS_PER_SECOND)
        stamp = {field: getattr(at, field) for field in FIELDS}
        stamp["millisecond"] = shown % NS_PER_SECOND // 1_000_000
        return stamp

    def registers(self, now_ns: int) -> dict[str, int]:
        """Return the clock's registers: ``week`` (0 is Sunday) and ``year`` .. ``second``."""
        week = (weekday(self.local_ns(now_ns)) + self._week_offset) % 7
        stamp = self.stamp(now_ns)
        return {"week": week} | {field: stamp[field] for field in FIELDS}

    def wall_ns(self, fields: Mapping[str, int], now_ns: int) -> int:
        """Return the wall time that setting some of the clock's registers would give.

        The fields that are not given stay; so do the milliseconds unless the second is set.

        Raises
        ------
        ValueError
            There is no such date.
        """
        shown = self.registers(now_ns) | dict(fields)
        year, month, day, hour, minute, second = (shown[field] for field in FIELDS)
        at = datetime(year, month, day, hour, minute, second)
        rest = 0 if "second" in fields else self.local_ns(now_ns) % NS_PER_SECOND
        return (at - _EPOCH) // timedelta(seconds=1) * NS_PER_SECOND + rest

    def set(self, fields: Mapping[str, int], now_ns: int) -> None:
        """Set some of the clock's registers.

        Setting the date finds the day of the week by itself; a ``week`` that is given is believed, and
        counts on from there.

        Raises
        ------
        ValueError
            There is no such date.
        """
        if set(fields) & set(FIELDS):
            right = now_ns + self.zone_ns(now_ns)
            self._go_on(replace(self._course(now_ns), offset_ns=self.wall_ns(fields, now_ns) - right), now_ns)
        if set(fields) & {"year", "month", "day"}:
            self._week_offset = 0
        if "week" in fields:
            self._week_offset += fields["week"] - self.registers(now_ns)["week"]

    def set_like(self, other: "MeterClock") -> None:
        """Show what another clock of the same zone shows and showed."""
        self._courses, self._week_offset = other._courses, other._week_offset

    def disturb(self, now_ns: int, course: ClockCourse) -> None:
        """Let the clock run otherwise from now on, off by `FARTHEST_NS` at most; ``now_ns`` is UTC [ns]."""
        last = self._course(now_ns)
        offset_ns = course.step_ns + (0 if course.right else last.ahead_ns(now_ns))
        offset_ns = max(-FARTHEST_NS, min(offset_ns, FARTHEST_NS))
        self._go_on(_Course(now_ns, course.time_zone or self._home, offset_ns, course.drift), now_ns)

    def _course(self, now_ns: int) -> _Course:
        return self._courses[bisect_right(self._courses, now_ns, key=lambda course: course.from_ns) - 1]

    def _go_on(self, course: _Course, now_ns: int) -> None:
        at = bisect_right(self._courses, now_ns, key=lambda course: course.from_ns)
        self._courses = [*self._courses[:at], replace(course, from_ns=now_ns)]


def weekday(wall_ns: int) -> int:
    """Return the day of the week of a wall time [ns], 0 for Sunday."""
    return (wall_ns // _DAY_NS + 4) % 7  # 1970-01-01 was a Thursday


def _zone_ns(zone: str, now_ns: int) -> int:
    """Return how far the wall time of a zone is ahead of UTC [ns]."""
    known = ZoneInfo(zone)
    seconds = now_ns // NS_PER_SECOND
    utc = _EPOCH + timedelta(seconds=seconds)
    offset = known.utcoffset(known.fromutc(utc.replace(tzinfo=known)))
    assert offset is not None  # ZoneInfo always knows for an aware time
    return offset // timedelta(microseconds=1) * 1000

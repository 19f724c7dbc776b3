"""The meter's clock: local time of its time zone, set without touching simulated time.

The clock shows the wall time of its zone plus an offset that setting the clock changes. A stamp keeps
what the clock showed when it was made, so the offsets of the past are kept.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from twin.contracts import NS_PER_SECOND

FIELDS = ("year", "month", "day", "hour", "minute", "second")
"""Registers 1040H..1045H and the words of a time stamp, in order (KW320 manual 6.3.3, 6.3.7)."""
_EPOCH = datetime(1970, 1, 1)
_DAY_NS = 86_400 * NS_PER_SECOND


class MeterClock:
    """A settable clock.

    Parameters
    ----------
    time_zone : str
        IANA name.
    """

    def __init__(self, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._from_ns = [-(1 << 63)]
        self._offset_ns = [0]
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
        return self._wall_ns(now_ns) + self._offset_ns[bisect_right(self._from_ns, now_ns) - 1]

    def signature(self, now_ns: int) -> tuple[str, int, int]:
        """Return what tells clocks apart: two with the same one show the same at an instant."""
        offset_ns = self._offset_ns[bisect_right(self._from_ns, now_ns) - 1]
        return self._zone.key, offset_ns, self._week_offset

    @property
    def history(self) -> tuple[object, ...]:
        """What tells clocks apart for good: two with the same one showed the same at every instant."""
        return self._zone.key, tuple(self._from_ns), tuple(self._offset_ns)

    def stamp(self, now_ns: int) -> dict[str, int]:
        """Return what the clock showed at an instant as ``year`` .. ``second`` and ``millisecond``."""
        shown = self.local_ns(now_ns)
        at = _EPOCH + timedelta(seconds=shown // NS_PER_SECOND)
        stamp = {field: getattr(at, field) for field in FIELDS}
        stamp["millisecond"] = shown % NS_PER_SECOND // 1_000_000
        return stamp

    def registers(self, now_ns: int) -> dict[str, int]:
        """Return the clock's registers: ``week`` (0 is Sunday) and ``year`` .. ``second``."""
        days = self.local_ns(now_ns) // _DAY_NS
        stamp = self.stamp(now_ns)
        # 1970-01-01 was a Thursday.
        return {"week": (days + 4 + self._week_offset) % 7} | {field: stamp[field] for field in FIELDS}

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
            offset = self.wall_ns(fields, now_ns) - self._wall_ns(now_ns)
            at = bisect_right(self._from_ns, now_ns)
            self._from_ns = [*self._from_ns[:at], now_ns]
            self._offset_ns = [*self._offset_ns[:at], offset]
            self._week_offset = 0
        if "week" in fields:
            self._week_offset += fields["week"] - self.registers(now_ns)["week"]

    def set_like(self, other: "MeterClock") -> None:
        """Show what another clock of the same zone shows and showed."""
        self._from_ns, self._offset_ns = other._from_ns, other._offset_ns
        self._week_offset = other._week_offset

    def _wall_ns(self, now_ns: int) -> int:
        """Return the wall time of the zone [ns]."""
        seconds = now_ns // NS_PER_SECOND
        utc = _EPOCH + timedelta(seconds=seconds)
        offset = self._zone.utcoffset(self._zone.fromutc(utc.replace(tzinfo=self._zone)))
        assert offset is not None  # ZoneInfo always knows for an aware time
        return now_ns + offset // timedelta(microseconds=1) * 1000

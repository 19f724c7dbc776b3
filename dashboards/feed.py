"""What a page is sent each second: what changed since the frame it has seen, computed once for all.

Rows are rounded to what is shown before they are compared, so that a digit nobody sees costs nothing.
"""

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from math import isfinite
from typing import Any, Protocol

from dashboards import clock, priority
from dashboards.history import History
from dashboards.quantity import decimals, significant
from twin.contracts import AlarmLine, Diagram, Frame, MeterLine, SoeRecord

Row = list[Any]

METER_COLUMNS = (
    "name", "v1", "v2", "v3", "i1", "i2", "i3", "p", "q", "pf", "f", "thd_v", "thd_i", "unbalance",
    "demand", "imp", "exp", "event",
)  # fmt: skip
"""Fields of a live meter row, in the order in which they are sent."""

ALARM_COLUMNS = (
    "key", "priority", "state", "meter", "channel", "parameter", "comparison", "setpoint", "value",
    "since", "returned",
)  # fmt: skip
"""Fields of an alarm row, in the order in which they are sent."""

SOE_COLUMNS = ("key", "meter", "module", "input", "state", "time")
"""Fields of a row of the sequence of events, in the order in which they are sent."""

_REMOVALS_KEPT = 10_000
"""Removed rows that are remembered for pages that have slept; older ones are long out of any table."""


class FrameSource(Protocol):
    """Where the pages get the live picture from; every method may be called from any thread."""

    def latest(self) -> Frame | None:
        """Return the newest frame, or None before the first."""
        ...

    @property
    def diagram(self) -> Diagram:
        """The one-line diagram, which does not change."""
        ...


class ChangeLog:
    """Rows by key, each with the frame at which it last changed."""

    def __init__(self) -> None:
        self.reach = 0
        """Oldest frame from which what went away since is still known."""
        self._rows: dict[Hashable, Row] = {}
        self._changed: dict[Hashable, int] = {}
        self._removed: dict[Hashable, int] = {}

    def update(self, sequence: int, rows: Sequence[Row]) -> None:
        """Take the rows of a frame; the first field of each is its key."""
        keys = set()
        for row in rows:
            key = row[0]
            keys.add(key)
            if self._rows.get(key) != row:
                self._rows[key] = row
                self._changed[key] = sequence
                self._removed.pop(key, None)
        for key in [key for key in self._rows if key not in keys]:
            del self._rows[key], self._changed[key]
            self._removed[key] = sequence
        if len(self._removed) > 2 * _REMOVALS_KEPT:
            # A key is put in when it goes away: the order is that of the frames.
            removed = list(self._removed.items())
            self.reach = removed[-_REMOVALS_KEPT - 1][1]
            self._removed = {key: at for key, at in removed if at > self.reach}

    def since(self, seen: int) -> list[Row]:
        """Return the rows that changed after frame ``seen``."""
        return [row for key, row in self._rows.items() if self._changed[key] > seen]

    def removed_since(self, seen: int) -> list[Hashable]:
        """Return the keys that went away after frame ``seen``; a page that has nothing yet misses none."""
        if seen < 0:
            return []
        return [key for key, at in self._removed.items() if at > seen]


class Feed:
    """The payloads of all pages, shared by all browsers."""

    def __init__(self, frames: FrameSource, history: History) -> None:
        self._frames = frames
        self._history = history
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._banner: dict[str, Any] = {}
        self._alarmed: Mapping[str, str] = {}
        self._meters = ChangeLog()
        self._switches = ChangeLog()
        self._alarms = ChangeLog()
        self._soe = ChangeLog()
        self._events = ChangeLog()
        self._events_at = -1
        self._asking = threading.Lock()
        self._asked_at = -1
        self._recorded: tuple[list[Row], int] = ([], 0)
        """Event rows and the mark of the captures, as the historian had them at frame ``_asked_at``."""
        self._answers: dict[tuple[str, int], dict[str, Any]] = {}
        self._parts: Mapping[str, Callable[[int], dict[str, Any]]] = {
            "overview": self._overview,
            "alarms": self._alarm_page,
            "events": self._event_page,
            "profile": lambda seen: {},
        }

    @property
    def diagram(self) -> Diagram:
        """The one-line diagram."""
        return self._frames.diagram

    def frame(self) -> Frame | None:
        """Return the newest frame."""
        return self._frames.latest()

    def delta(self, page: str, seen: int) -> dict[str, Any] | None:
        """Return what page ``page`` must change to go from frame ``seen`` (-1: nothing) to the newest.

        The answer is shared between browsers: do not change it. None when there is nothing newer. A page
        whose frame is of another run, or older than what is remembered, is sent all there is: then
        ``whole`` is true, and rows that are not sent are gone.
        """
        frame = self._frames.latest()
        if frame is None:
            return None
        if page == "events":
            self._ask_historian(frame)
        with self._lock:
            if self._frame is None or frame.sequence > self._frame.sequence:
                self._take(frame)
            frame = self._frame or frame
            if seen == frame.sequence:
                return None
            if page == "events":
                self._take_events(frame)
            known = seen if self._reach(page) <= seen <= frame.sequence else -1
            answer = self._answers.get((page, known))
            if answer is None:
                whole = known < 0
                answer = {"page": page, "sequence": frame.sequence, "whole": whole, "banner": self._banner}
                answer |= self._parts[page](known)
                self._answers[page, known] = answer
            return answer

    def _reach(self, page: str) -> int:
        logs = {"alarms": (self._alarms, self._soe), "events": (self._events,)}.get(page, ())
        return max((log.reach for log in logs), default=0)

    def _ask_historian(self, frame: Frame) -> None:
        """Ask for events once per frame, before the lock that the other pages wait for is taken."""
        with self._asking:
            if self._asked_at != frame.sequence:
                rows = self._history.event_rows(frame.time_zone, frame.sim_ns)
                self._recorded = (rows, self._history.captures_mark())
                self._asked_at = frame.sequence

    def _take(self, frame: Frame) -> None:
        self._frame = frame
        self._answers.clear()
        self._banner = banner(frame)
        self._alarmed = priority.worst_by_meter(frame.alarms)
        self._meters.update(frame.sequence, [meter_row(meter) for meter in frame.meters])
        self._switches.update(frame.sequence, [[switch.name, switch.closed] for switch in frame.switches])
        self._alarms.update(frame.sequence, [alarm_row(alarm, frame.time_zone) for alarm in frame.alarms])
        self._soe.update(frame.sequence, [soe_row(change, frame.time_zone) for change in frame.soe])

    def _take_events(self, frame: Frame) -> None:
        if self._events_at != frame.sequence:
            self._events.update(frame.sequence, self._recorded[0])
            self._events_at = frame.sequence

    def _overview(self, seen: int) -> dict[str, Any]:
        return {
            "meters": self._meters.since(seen),
            "switches": self._switches.since(seen),
            "alarmed": self._alarmed,
        }

    def _alarm_page(self, seen: int) -> dict[str, Any]:
        return {
            "alarms": self._alarms.since(seen),
            "removed": self._alarms.removed_since(seen),
            "soe": self._soe.since(seen),
            "soe_removed": self._soe.removed_since(seen),
        }

    def _event_page(self, seen: int) -> dict[str, Any]:
        return {
            "events": self._events.since(seen),
            "removed": self._events.removed_since(seen),
            "captures": self._recorded[1],
        }


def banner(frame: Frame) -> dict[str, Any]:
    """Return what the banner shows of a frame."""
    return {
        "title": frame.title,
        "time": clock.banner_text(frame.sim_ns, frame.time_zone),
        "speed": f"{frame.speed:g}×" if isfinite(frame.speed) else "max",
        "paused": frame.paused,
        "late": decimals(frame.lateness_s, 1),
        "notice": frame.notice,
        "counts": priority.active_counts(frame.alarms),
        "activity": [frame.event_count, frame.load_changes, frame.solves],
    }


def meter_row(meter: MeterLine) -> Row:
    """Return the live fields of a meter, rounded to what is shown, in order of ``METER_COLUMNS``."""
    return [
        meter.name,
        *(significant(v) for v in meter.v),
        *(significant(i, 4) for i in meter.i),
        significant(meter.p),
        significant(meter.q, 4),
        decimals(meter.pf, 3),
        decimals(meter.frequency, 3),
        decimals(_worst(meter.thd_v), 2),
        decimals(_worst(meter.thd_i), 1),
        decimals(meter.v_unbalance, 2),
        significant(meter.p_demand),
        decimals(meter.ep_imp, 1),
        decimals(meter.ep_exp, 1),
        meter.in_event,
    ]


def alarm_row(alarm: AlarmLine, time_zone: str) -> Row:
    """Return an alarm's fields in order of ``ALARM_COLUMNS``."""
    returned = "" if alarm.returned_ns is None else clock.stamp(alarm.returned_ns, time_zone)
    comparison, setpoint, value = alarm.comparison, significant(alarm.setpoint), significant(alarm.value)
    if alarm.parameter.startswith("di"):  # a transition: its setpoint says which, and there is no value
        comparison, setpoint, value = "goes on" if alarm.setpoint == 1 else "goes off", None, None
    return [
        f"{alarm.meter}/{alarm.channel}/{alarm.since_ns}",
        priority.priority_of(alarm.parameter),
        "active" if alarm.active else "returned",
        alarm.meter,
        alarm.channel,
        alarm.parameter,
        comparison,
        setpoint,
        value,
        clock.stamp(alarm.since_ns, time_zone),
        returned,
    ]


def soe_row(change: SoeRecord, time_zone: str) -> Row:
    """Return a change of a digital input in order of ``SOE_COLUMNS``."""
    return [
        f"{change.meter}/{change.input}/{change.time_ns}",
        change.meter,
        change.module,
        change.input,
        "on" if change.on else "off",
        clock.stamp(change.time_ns, time_zone),
    ]


def _worst(values: Sequence[float]) -> float:
    """Return the largest of some values, leaving out what does not exist."""
    return max((value for value in values if value == value), default=float("nan"))  # noqa: PLR0124 - NaN

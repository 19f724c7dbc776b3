"""What the pages read from the historian, held for a moment so that many browsers cost one query."""

import threading
import time
import zlib
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from dashboards import clock, itic
from dashboards.quantity import decimals
from twin.contracts import EventRecord, MeterInfo, TwinError, WaveformRecord
from twin.recording import LoadProfile, NotRecordedError, Place, Recording, WaveformSummary, place_of

Value = TypeVar("Value")

EVENT_LIMIT = 500
"""So many of the newest events are listed."""

EVENT_COLUMNS = (
    "key", "meter", "number", "type", "phases", "start", "duration", "duration_s", "residual", "region",
    "state",
)  # fmt: skip
"""Fields of an event row, in the order in which they are sent."""

CAPTURE_LIMIT = 500
"""So many of the newest captures are offered; those of a chosen event are found however old."""

_HOLD_S = 2.0


class History:
    """A recording that may not exist yet, and that another part of the process is writing."""

    def __init__(self, place: Place | str) -> None:
        self.path = place_of(place)
        self._lock = threading.Lock()
        self._held: dict[Hashable, tuple[float, Any]] = {}
        self._recording: Recording | None = None

    def meters(self) -> list[MeterInfo]:
        """Return the recorded meters; none before the recording exists."""
        return self._query("meters", lambda recording: list(recording.meters()), [])

    def events(self) -> list[EventRecord]:
        """Return the newest events, newest first."""

        def newest(recording: Recording) -> list[EventRecord]:
            return recording.events(limit=EVENT_LIMIT)[::-1]

        return self._query("events", newest, [])

    def event(self, meter: str, number: int) -> EventRecord | None:
        """Return one event."""
        found = (event for event in self.events() if (event.meter, event.number) == (meter, number))
        return next(found, None)

    def event_rows(self, time_zone: str, now_ns: int) -> list[list[Any]]:
        """Return the newest events as rows in order of ``EVENT_COLUMNS``."""
        return [event_row(event, time_zone, now_ns) for event in self.events()]

    def captures(self) -> list[WaveformSummary]:
        """Return the newest waveform captures without their samples, newest first."""

        def newest(recording: Recording) -> list[WaveformSummary]:
            return recording.waveforms(limit=CAPTURE_LIMIT)[::-1]

        return self._query("captures", newest, [])

    def captures_mark(self) -> int:
        """Return a number that is another one when the newest captures are others."""
        return zlib.crc32(repr([(wave.meter, wave.number) for wave in self.captures()]).encode())

    def capture(self, meter: str, number: int) -> WaveformRecord | None:
        """Return one capture with its samples."""

        def find(recording: Recording) -> WaveformRecord | None:
            try:
                return recording.waveform(meter, number)
            except NotRecordedError:
                return None

        return self._query(("capture", meter, number), find, None)

    def nearest_capture(self, meter: str, trigger_ns: int) -> WaveformSummary | None:
        """Return, without samples, the capture of a meter whose trigger is nearest to ``trigger_ns``."""
        own = self._query(
            ("captures", meter), lambda recording: recording.waveforms(meter=meter), list[WaveformSummary]()
        )
        return min(own, key=lambda wave: abs(wave.trigger_ns - trigger_ns), default=None)

    def channels(self, meter: str) -> tuple[str, ...]:
        """Return the load-profile channels of a meter; none before its first interval."""
        return self._query(("channels", meter), lambda recording: recording.channels(meter), ())

    def load_profile(
        self, meter: str, channels: tuple[str, ...], *, start_ns: int | None = None, end_ns: int | None = None
    ) -> LoadProfile | None:
        """Return some channels of a meter's load profile; None before there is any."""
        return self._query(
            ("profile", meter, channels, start_ns, end_ns),
            lambda recording: recording.load_profile(
                meter, start_ns=start_ns, end_ns=end_ns, channels=channels
            ),
            None,
        )

    def _query(self, key: Hashable, ask: Callable[[Recording], Value], empty: Value) -> Value:
        """Return the answer of the recording, at most ``_HOLD_S`` old.

        The question itself is asked without a lock: a long one holds nobody up.
        """
        now = time.monotonic()
        with self._lock:
            held = self._held.get(key)
        if held is not None and now - held[0] < _HOLD_S:
            answer: Value = held[1]
            return answer
        try:
            recording = self._recording or Recording.open(self.path)
            answer = ask(recording)
        except (TwinError, OSError):
            # Not there yet, or replaced by a new run: ask again later.
            self._recording = None
            return empty
        self._recording = recording
        with self._lock:
            self._held = {k: v for k, v in self._held.items() if now - v[0] < _HOLD_S}
            self._held[key] = (now, answer)
        return answer


def event_row(event: EventRecord, time_zone: str, now_ns: int) -> list[Any]:
    """Return an event's fields in order of ``EVENT_COLUMNS``.

    An event that lasts has the duration so far, in whole seconds, and no region yet.
    """
    percent = 100 * event.extreme / event.rated if event.rated else float("nan")
    lasts = event.end_ns is None
    seconds = clock.seconds_between(event.start_ns, now_ns if event.end_ns is None else event.end_ns)
    voltage = event.type != "over_current"
    return [
        f"{event.meter}#{event.number}",
        event.meter,
        event.number,
        event.type.replace("_", " "),
        event.phases,
        clock.stamp(event.start_ns, time_zone),
        "lasts" if lasts else clock.duration_text(seconds),
        None if lasts else decimals(seconds, 6),
        decimals(percent, 1),
        itic.region(seconds, percent) if voltage and not lasts else "",
        "active" if lasts else "ended",
    ]

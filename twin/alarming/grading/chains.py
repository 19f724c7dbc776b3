"""What led to an expected alarm: from what physically happened to what the meter knew, with times."""

from collections.abc import Sequence
from dataclasses import dataclass

from twin.alarming.grading.occurrence import Expected
from twin.contracts import NS_PER_SECOND, AlarmRecord, EventRecord, TruthEntry
from twin.recording import Recording

_BEFORE_NS = 3 * NS_PER_SECOND
"""How long before a register shows it a cause is looked for: a refresh, and the half cycles of an event."""
_ORDINARY = frozenset({"load_switched", "protection_pickup", "protection_dropout"})


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a causal chain."""

    time_ns: int
    """UTC [ns]."""
    stage: str
    """``truth``, ``event``, ``waveform``, ``register``, ``meter_alarm`` or ``expected``."""
    text: str


class Chains:
    """Finds what led to what in a recording.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self._truth = [entry for entry in recording.truth() if entry.kind not in _ORDINARY]
        self._events = recording.events()
        self._alarms = recording.alarms()
        self._waveforms = recording.waveforms()

    def chain(self, meter: str, expected: Expected) -> tuple[Link, ...]:
        """Return what led to an occurrence, in order of time.

        Parameters
        ----------
        meter : str
            The meter whose reading it is about.
        expected : Expected
        """
        since_ns = expected.since_ns
        causes = [entry for entry in self._truth if since_ns - _BEFORE_NS <= entry.time_ns <= since_ns]
        begin_ns = causes[0].time_ns if causes else since_ns - _BEFORE_NS
        links = [Link(entry.time_ns, "truth", _truth_text(entry)) for entry in causes]
        if not causes:
            text = "no fault, switching or protection within 3 s: the load itself"
            links.append(Link(since_ns, "truth", text))
        links += [
            Link(event.trigger_ns, "event", _event_text(event))
            for event in self._events
            if event.meter == meter and begin_ns <= event.start_ns <= expected.start_ns
        ]
        links += [
            Link(capture.trigger_ns, "waveform", f"{meter} captures waveform {capture.number}")
            for capture in self._waveforms
            if capture.meter == meter and begin_ns <= capture.trigger_ns <= expected.start_ns
        ]
        links += [
            Link(alarm.time_ns, "meter_alarm", _alarm_text(alarm))
            for alarm in self._alarms
            if alarm.meter == meter
            and alarm.transition == "active"
            and begin_ns <= alarm.time_ns <= expected.start_ns + NS_PER_SECOND
        ]
        links.append(Link(since_ns, "register", f"{meter}: {expected.about}"))
        links.append(Link(expected.start_ns, "expected", "the alarm can be raised from here on"))
        return tuple(sorted(links, key=lambda link: (link.time_ns, _STAGES.index(link.stage))))


_STAGES: Sequence[str] = ("truth", "event", "waveform", "meter_alarm", "register", "expected")


def _truth_text(entry: TruthEntry) -> str:
    detail = ", ".join(f"{key} {value}" for key, value in entry.detail.items())
    by = f" by {entry.cause}" if entry.cause else ""
    return f"{entry.kind.replace('_', ' ')}: {entry.element}{by}" + (f" ({detail})" if detail else "")


def _event_text(event: EventRecord) -> str:
    share = 100.0 * event.extreme / event.rated if event.rated else 0.0
    return f"{event.meter} records {event.type} {event.number} on {event.phases}, {share:.1f} %"


def _alarm_text(alarm: AlarmRecord) -> str:
    return (
        f"{alarm.meter}'s own alarm {alarm.channel}: {alarm.parameter} {alarm.comparison} {alarm.setpoint:g}"
    )

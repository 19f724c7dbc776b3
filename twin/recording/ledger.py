"""The truth ledger read as an answer key: what led to what, and what each meter could know of it.

A run records what physically happened, what stood at every meter's place after it, and what the meters made
of that. Here these are tied together: each entry to the disturbance at its root (a recloser's fourth shot to
the fault that it fights), each event and alarm of a meter to the chain of what led to it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from twin.contracts import (
    COMMUNICATION_FAULT_BEGAN,
    COMMUNICATION_FAULT_ENDED,
    MEASUREMENT_FAULT_BEGAN,
    MEASUREMENT_FAULT_ENDED,
    NS_PER_SECOND,
    ORDINARY,
    AlarmRecord,
    EventRecord,
    TerminalRecord,
    TruthEntry,
)
from twin.recording.reader import Recording
from twin.recording.rows import WaveformSummary

EVENT_REACH_NS = NS_PER_SECOND // 10
"""How long before a power-quality event begins its cause is looked for: poles, and half cycles that end."""
READING_REACH_NS = 3 * NS_PER_SECOND
"""How long before a register shows it: a window that has to pass, a refresh, and half cycles."""
_FAULTS = frozenset({"fault_applied", "conductor_broken"})
_PICKUPS = frozenset({"protection_pickup", "fuse_melted"})
_PHASES = {f"{quantity}{at + 1}": (quantity, at) for quantity in "vi" for at in range(3)}


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a causal chain."""

    time_ns: int
    """UTC [ns]."""
    stage: str
    """``truth``, ``terminals``, ``event``, ``waveform``, ``meter_alarm``, ``register`` or ``expected``."""
    text: str


STAGES: Sequence[str] = ("truth", "terminals", "event", "waveform", "meter_alarm", "register", "expected")
"""In the order in which links of one instant stand."""


@dataclass(slots=True)
class Disturbance:
    """Something that happened to the network, with all that followed from it."""

    root: TruthEntry
    entries: list[TruthEntry] = field(default_factory=list)
    lowest_v: dict[str, float] = field(default_factory=dict)
    """By meter: lowest steady voltage of a phase to earth that stood at its place, RMS [V]."""
    highest_i: dict[str, float] = field(default_factory=dict)
    """By meter: highest steady current of a phase there, RMS [A]."""
    events: list[EventRecord] = field(default_factory=list)
    alarms: list[AlarmRecord] = field(default_factory=list)


class Ledger:
    """Ties the records of a run together.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        entries = recording.truth(without="load_switched")
        self._entries = [entry for entry in entries if entry.kind not in ORDINARY]
        self._times = [entry.time_ns for entry in self._entries]
        self._pickups = [entry for entry in entries if entry.kind in _PICKUPS]
        self._devices = {entry.cause for entry in self._pickups}
        self._faults = _fault_spans(entries)
        self._wrong = _lasting_spans(entries, MEASUREMENT_FAULT_BEGAN, MEASUREMENT_FAULT_ENDED)
        self._astray = [
            *_lasting_spans(entries, COMMUNICATION_FAULT_BEGAN, COMMUNICATION_FAULT_ENDED),
            *_lasting_spans(entries, "power_lost", "power_restored"),
        ]
        self._meters = [info.name for info in recording.meters()]
        self._terminals: dict[str, list[TerminalRecord]] = {name: [] for name in self._meters}
        for record in recording.terminals():
            self._terminals[record.meter].append(record)
        self._events: dict[str, list[EventRecord]] = {name: [] for name in self._meters}
        for event in recording.events():
            self._events[event.meter].append(event)
        self._alarms: dict[str, list[AlarmRecord]] = {name: [] for name in self._meters}
        for alarm in recording.alarms():
            if alarm.transition == "active":
                self._alarms[alarm.meter].append(alarm)
        self._waveforms: dict[str, list[WaveformSummary]] = {name: [] for name in self._meters}
        for capture in recording.waveforms():
            self._waveforms[capture.meter].append(capture)

    def of_event(self, event: EventRecord) -> tuple[Link, ...]:
        """Return what led to a power-quality event of a meter, in order of time."""
        causes = self._causes(event.meter, event.start_ns, EVENT_REACH_NS)
        links = self._background(event.meter, causes, event.start_ns)
        links.append(_event_link(event))
        links += self._captures(event.meter, event.trigger_ns, event.trigger_ns)
        return in_order(links)

    def of_alarm(self, alarm: AlarmRecord) -> tuple[Link, ...]:
        """Return what led to a meter's own alarm, in order of time."""
        onset_ns = self._onset(alarm)
        causes = self._causes(alarm.meter, onset_ns, READING_REACH_NS)
        links = self._background(alarm.meter, causes, onset_ns)
        since_ns = causes[0].time_ns if causes else onset_ns
        links += self._recorded(alarm.meter, since_ns, alarm.time_ns)
        links.append(_alarm_link(alarm))
        return in_order(links)

    def before(self, meter: str, since_ns: int, until_ns: int) -> tuple[Link, ...]:
        """Return what led to what a meter's registers showed first at an instant, and what it recorded.

        Parameters
        ----------
        meter : str
            Or whatever else an alarm is about: it recorded nothing, and what happened is told all the same.
        since_ns : int
            When the registers first showed it, UTC [ns].
        until_ns : int
            Up to when records of the meter belong to it, UTC [ns].
        """
        causes = self._causes(meter, since_ns, READING_REACH_NS)
        links = self._background(meter, causes, since_ns)
        links += self._recorded(meter, causes[0].time_ns if causes else since_ns, until_ns)
        return in_order(links)

    def lasting(self, meter: str, at_ns: int) -> tuple[str, ...]:
        """Return what is wrong with a meter, its supply or its communication at an instant, in words."""
        return tuple(
            " ".join(filter(None, (_words(entry.kind), str(entry.detail.get("name", "")), "of", meter)))
            for entry, over_ns in (*self._wrong, *self._astray)
            if entry.element == meter and entry.time_ns <= at_ns <= over_ns + READING_REACH_NS
        )

    def disturbances(self) -> list[Disturbance]:
        """Return what happened to the network, and what each meter could and did know of it."""
        found: dict[int, Disturbance] = {}
        times: list[int] = []
        owners: list[Disturbance] = []
        for entry in self._entries:
            if entry.element in self._terminals:
                continue  # a meter's own affair
            root = self._root(entry)
            of = found.setdefault(id(root), Disturbance(root))
            of.entries.append(entry)
            times.append(entry.time_ns)
            owners.append(of)
        for meter, terminals in self._terminals.items():
            for record in terminals:
                if at := bisect_right(times, record.time_ns):
                    of = owners[at - 1]
                    of.lowest_v[meter] = min(*record.v, of.lowest_v.get(meter, record.v[0]))
                    of.highest_i[meter] = max(*record.i, of.highest_i.get(meter, 0.0))
            for event in self._events[meter]:
                if owner := self._owner(found, self._causes(meter, event.start_ns, EVENT_REACH_NS)):
                    owner.events.append(event)
            for alarm in self._alarms[meter]:
                if owner := self._owner(found, self._causes(meter, self._onset(alarm), READING_REACH_NS)):
                    owner.alarms.append(alarm)
        return list(found.values())

    def records(self, meter: str | None = None) -> list[EventRecord | AlarmRecord]:
        """Return the events and alarms that have a chain, in order of time, of all meters by default."""
        names = self._meters if meter is None else [meter]
        records: list[EventRecord | AlarmRecord] = [one for name in names for one in self._events[name]]
        records += [one for name in names for one in self._alarms[name]]
        return sorted(records, key=_time_ns)

    def _owner(self, found: dict[int, Disturbance], causes: Sequence[TruthEntry]) -> Disturbance | None:
        """Return the disturbance that the last of some causes belongs to; a meter's own affair is none."""
        for entry in reversed(causes):
            if of := found.get(id(self._root(entry))):
                return of
        return None

    def _causes(self, meter: str, onset_ns: int, reach_ns: int) -> list[TruthEntry]:
        """Return the disturbances shortly before an instant, those of other meters' own left out."""
        others = self._terminals.keys() - {meter}
        first = bisect_left(self._times, onset_ns - reach_ns)
        near = self._entries[first : bisect_right(self._times, onset_ns)]
        return [entry for entry in near if entry.element not in others]

    def _onset(self, alarm: AlarmRecord) -> int:
        """Return when the condition of an alarm came to hold physically, if that can be seen, UTC [ns].

        An alarm's delay lies between; its register shows it then.
        """
        if alarm.parameter not in _PHASES or alarm.comparison not in {"<", ">"}:
            return alarm.time_ns
        onset_ns = None
        for record in self._terminals[alarm.meter]:
            if record.time_ns > alarm.time_ns:
                break
            quantity, at = _PHASES[alarm.parameter]
            value = record.v[at] if quantity == "v" else record.i[at]
            holds = value < alarm.setpoint if alarm.comparison == "<" else value > alarm.setpoint
            if not holds:
                onset_ns = None
            elif onset_ns is None:
                onset_ns = record.time_ns
        return alarm.time_ns if onset_ns is None else onset_ns

    def _background(self, meter: str, causes: Sequence[TruthEntry], onset_ns: int) -> list[Link]:
        """Return what physically happened, its root, and what it brought to the meter's place."""
        before_ns = causes[0].time_ns if causes else onset_ns
        wrong = [
            Link(entry.time_ns, "truth", f"{_truth_text(entry)}, and still so")
            for entry, over_ns in self._wrong
            if entry.element == meter and entry.time_ns < before_ns <= over_ns
        ]
        if not causes:
            text = "nothing happened to the network shortly before: loads alone"
            return [*wrong, Link(onset_ns, "truth", text)]
        roots = {id(root): root for root in map(self._root, causes)}
        entries = {id(entry): entry for entry in (*roots.values(), *causes)}
        links = [Link(entry.time_ns, "truth", _truth_text(entry)) for entry in entries.values()]
        terminals = [
            one for one in self._terminals.get(meter, ()) if causes[0].time_ns <= one.time_ns <= onset_ns
        ]
        return [*wrong, *links, *(_terminal_link(record) for record in terminals[-1:])]

    def _recorded(self, meter: str, since_ns: int, until_ns: int) -> list[Link]:
        links = [
            _event_link(event)
            for event in self._events.get(meter, ())
            if since_ns <= event.start_ns <= until_ns
        ]
        links += self._captures(meter, since_ns, until_ns)
        return links + [
            _alarm_link(alarm)
            for alarm in self._alarms.get(meter, ())
            if since_ns <= alarm.time_ns <= until_ns
        ]

    def _captures(self, meter: str, since_ns: int, until_ns: int) -> list[Link]:
        return [
            Link(capture.trigger_ns, "waveform", f"{meter} captures waveform {capture.number}")
            for capture in self._waveforms.get(meter, ())
            if since_ns <= capture.trigger_ns <= until_ns
        ]

    def _root(self, entry: TruthEntry) -> TruthEntry:
        """Return what an entry goes back to: its fault; of a device, the fault that it picked up on."""
        for fault, _ in self._faults:
            if entry.kind.startswith(("fault_", "conductor_")) and _is_of(entry, fault):
                return fault
        if entry.cause not in self._devices:
            return entry
        before = [one for one in self._pickups if one.cause == entry.cause and one.time_ns <= entry.time_ns]
        if not before:
            return entry
        pickup = before[-1]
        standing = [fault for fault, over_ns in self._faults if fault.time_ns <= pickup.time_ns <= over_ns]
        return standing[-1] if standing else pickup


def _fault_spans(entries: Sequence[TruthEntry]) -> list[tuple[TruthEntry, int]]:
    """Return each fault and when it was cleared or mended; far in the future when it was not."""
    spans: list[tuple[TruthEntry, int]] = []
    for entry in entries:
        if entry.kind in _FAULTS:
            spans.append((entry, 2**63 - 1))
        elif entry.kind in {"fault_cleared", "conductor_mended"}:
            for at in reversed(range(len(spans))):
                if _is_of(entry, spans[at][0]):
                    spans[at] = spans[at][0], entry.time_ns
                    break
    return spans


def _lasting_spans(entries: Sequence[TruthEntry], began: str, ended: str) -> list[tuple[TruthEntry, int]]:
    """Return what was wrong with a meter, and until when; far in the future when for good."""
    spans: list[tuple[TruthEntry, int]] = []
    lasting: dict[object, int] = {}
    for entry in entries:
        key = entry.element, entry.detail.get("name")
        if entry.kind == began:
            lasting[key] = len(spans)
            spans.append((entry, 2**63 - 1))
        elif entry.kind == ended and key in lasting:
            at = lasting.pop(key)
            spans[at] = spans[at][0], entry.time_ns
    return spans


def _is_of(entry: TruthEntry, fault: TruthEntry) -> bool:
    same = entry.element == fault.element
    return same and entry.kind.split("_")[0] == fault.kind.split("_")[0] and entry.time_ns >= fault.time_ns


def _time_ns(record: EventRecord | AlarmRecord) -> int:
    return record.start_ns if isinstance(record, EventRecord) else record.time_ns


def in_order(links: Sequence[Link]) -> tuple[Link, ...]:
    """Return links in order of time and stage, each once."""
    unique = dict.fromkeys(links)
    return tuple(sorted(unique, key=lambda link: (link.time_ns, STAGES.index(link.stage))))


def _words(kind: str) -> str:
    return kind.removesuffix("_began").replace("_", " ")


def _truth_text(entry: TruthEntry) -> str:
    detail = ", ".join(f"{key} {_short(value)}" for key, value in entry.detail.items())
    by = f" by {entry.cause}" if entry.cause else ""
    return f"{entry.kind.replace('_', ' ')}: {entry.element}{by}" + (f" ({detail})" if detail else "")


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _terminal_link(record: TerminalRecord) -> Link:
    volts = ", ".join(f"{value:,.1f}" for value in record.v)
    amperes = ", ".join(f"{value:,.1f}" for value in record.i)
    return Link(record.time_ns, "terminals", f"at {record.meter}: {volts} V to earth; {amperes} A")


def _event_link(event: EventRecord) -> Link:
    share = 100.0 * event.extreme / event.rated if event.rated else 0.0
    text = f"{event.meter} records {event.type} {event.number} on {event.phases}, {share:.1f} %"
    return Link(event.trigger_ns, "event", text)


def _alarm_link(alarm: AlarmRecord) -> Link:
    limit = f"{alarm.parameter} {alarm.comparison} {alarm.setpoint:g}"
    text = f"{alarm.meter}'s own alarm {alarm.channel}: {limit}, reads {alarm.value:.5g}"
    return Link(alarm.time_ns, "meter_alarm", text)

"""From the map and a recording to the occurrences that should be in the journal.

What a meter's registers say is followed by the alarm server itself, as by a master that misses nothing: it
reads every meter whenever its registers may have changed. A master that polls each ``P`` sees a condition
up to ``P`` later, and a delay ``D`` as the next multiple of ``P``; so much later an alarm is still in time,
and what lasts no longer than that may be missed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twin.alarming.alarm_server import AlarmRule, AlarmServer
from twin.alarming.condition_builder import ConditionBuilder, in_ns
from twin.alarming.grading.map_schema import AlarmMap, ExpectedAlarm, Happening
from twin.alarming.grading.occurrence import Expected, Raised
from twin.alarming.grading.playback import RegisterPlayback
from twin.alarming.journal import JournalEntry
from twin.alarming.tag_list import TagAddress
from twin.contracts import NS_PER_SECOND, TruthEntry
from twin.documents import Document, suggestion
from twin.recording import Recording

STEP_NS = NS_PER_SECOND
"""How often registers are looked at for a recording at most."""
_HIDING = frozenset({"shelve", "suppress", "out_of_service"})


def occurrences(entries: Iterable[JournalEntry]) -> dict[tuple[str, str], list[Raised]]:
    """Return when each alarm of a journal was on the operator's list, by source and condition.

    An alarm that is raised twice without a return between has been raised twice.
    """
    found: dict[tuple[str, str], list[Raised]] = {}
    for entry in entries:
        raised = found.setdefault((entry.source, entry.condition), [])
        if entry.transition == "active":
            raised.append(Raised(start_ns=entry.time_ns, priority=entry.priority, value=entry.value))
        elif raised and raised[-1].end_ns is None and entry.transition in {"return", *_HIDING}:
            last = raised[-1]
            raised[-1] = Raised(
                start_ns=last.start_ns,
                end_ns=entry.time_ns,
                hidden=entry.transition in _HIDING,
                priority=last.priority,
                value=last.value,
            )
    return {key: raised for key, raised in found.items() if raised}


@dataclass(frozen=True, slots=True)
class Followed:
    """An expected alarm whose condition on registers can be followed."""

    alarm: ExpectedAlarm
    rule: AlarmRule


def follow(
    alarm: ExpectedAlarm, builder: ConditionBuilder, path: tuple[str | int, ...], *, name: str
) -> Followed | None:
    """Return an expected alarm as a rule of that name, or None with findings in the builder."""
    if alarm.when is None:
        return None
    meter = alarm.meter or alarm.source
    condition = builder.condition(alarm.when, meter, (*path, "when"))
    suppressing = None
    if alarm.suppressed_when is not None:
        suppressing = builder.condition(alarm.suppressed_when, meter, (*path, "suppressed_when"))
    if condition is None:
        return None
    rule = AlarmRule(
        name=name,
        source=alarm.source,
        condition=condition,
        on_delay_ns=in_ns(alarm.on_delay),
        off_delay_ns=in_ns(alarm.off_delay),
        suppressed_when=suppressing,
        release_delay_ns=in_ns(alarm.release_delay),
    )
    return Followed(alarm, rule)


def from_registers(
    followed: Sequence[Followed], playback: RegisterPlayback, alarms: AlarmMap, *, start_ns: int, end_ns: int
) -> dict[str, list[Expected]]:
    """Return the occurrences of conditions on registers, by the names of their rules."""
    server = AlarmServer([one.rule for one in followed])
    for scan in playback.scans(start_ns=start_ns, end_ns=end_ns, step_ns=STEP_NS):
        server.take(scan)
    raised = occurrences(server.journal)
    return {
        one.rule.name: _with_windows(
            one.alarm, alarms, raised.get((one.rule.source, one.rule.name), ()), end_ns
        )
        for one in followed
    }


def _seen_within(delay_ns: int, poll_ns: int) -> int:
    """Return how long what has a delay must last for every master that polls so often to see it [ns]."""
    return poll_ns * (1 + -(-delay_ns // poll_ns))


def _with_windows(
    alarm: ExpectedAlarm, alarms: AlarmMap, raised: Iterable[Raised], run_end_ns: int
) -> list[Expected]:
    poll_ns = in_ns(alarms.poll if alarm.poll is None else alarm.poll)
    latency_ns = in_ns(alarms.latency if alarm.latency is None else alarm.latency)
    on_ns, off_ns = in_ns(alarm.on_delay), in_ns(alarm.off_delay)
    seen_on_ns, seen_off_ns = _seen_within(on_ns, poll_ns), _seen_within(off_ns, poll_ns)
    found: list[Expected] = []
    before_ns: int | None = None
    for one in raised:
        since_ns = one.start_ns - on_ns
        over_ns = None if one.end_ns is None else one.end_ns - (0 if one.hidden else off_ns)
        short = over_ns is not None and over_ns - since_ns <= seen_on_ns
        joined = before_ns is not None and since_ns - before_ns <= seen_off_ns
        end_ns = run_end_ns + 1 if one.end_ns is None else one.end_ns
        found.append(
            Expected(
                since_ns=since_ns,
                start_ns=one.start_ns,
                latest_ns=since_ns + seen_on_ns + latency_ns,
                end_ns=end_ns,
                end_latest_ns=None if over_ns is None else over_ns + seen_off_ns + latency_ns,
                optional=short or since_ns + seen_on_ns + latency_ns > run_end_ns,
                joined=joined,
                about=f"reads {one.value:.6g}",
            )
        )
        before_ns = over_ns
    return found


def from_records(alarm: ExpectedAlarm, alarms: AlarmMap, recording: Recording, end_ns: int) -> list[Expected]:
    """Return the occurrences of what a recording holds itself: events, meters' alarms, truth."""
    meter = alarm.meter or alarm.source
    poll_ns = in_ns(alarms.poll if alarm.poll is None else alarm.poll)
    latency_ns = in_ns(alarms.latency if alarm.latency is None else alarm.latency)
    on_ns, off_ns = in_ns(alarm.on_delay), in_ns(alarm.off_delay)
    seen_on_ns, seen_off_ns = _seen_within(on_ns, poll_ns), _seen_within(off_ns, poll_ns)
    before_ns: int | None = None

    def expected(since_ns: int, start_ns: int, over_ns: int | None, about: str) -> Expected:
        nonlocal before_ns
        latest_ns = start_ns + seen_on_ns + latency_ns
        joined = before_ns is not None and start_ns - before_ns <= seen_off_ns
        before_ns = over_ns
        return Expected(
            since_ns=since_ns,
            start_ns=start_ns + on_ns,
            latest_ns=latest_ns,
            end_ns=None if over_ns is None else over_ns + off_ns,
            end_latest_ns=None if over_ns is None else over_ns + seen_off_ns + latency_ns,
            optional=latest_ns > end_ns or (over_ns is not None and over_ns - start_ns <= seen_on_ns),
            joined=joined,
            about=about,
            stage="event" if alarm.event else "meter_alarm" if alarm.meter_alarm else "truth",
        )

    if alarm.event is not None:
        return [
            expected(event.start_ns, event.trigger_ns, None, f"{event.type} on {event.phases} at {meter}")
            for event in recording.events(meter=meter)
            if event.type == alarm.event.type
        ]
    if alarm.meter_alarm is not None:
        channel = alarm.meter_alarm.channel
        entries = [
            JournalEntry(record.time_ns, meter, str(channel), record.transition, "", record.value)
            for record in recording.alarms(meter=meter)
            if record.channel == channel
        ]
        return [
            expected(one.start_ns, one.start_ns, one.end_ns, f"alarm {channel} of {meter}")
            for raised in occurrences(entries).values()
            for one in raised
        ]
    if alarm.truth is None:
        return []
    begins, ends = alarm.truth.begins, alarm.truth.ends
    spans = _spans(recording.truth(), begins, ends)
    return [
        expected(since_ns, since_ns, over_ns, f"{begins.kind} {element}")
        for since_ns, over_ns, element in spans
    ]


def _spans(
    entries: Iterable[TruthEntry], begins: Happening, ends: Happening | None
) -> list[tuple[int, int | None, str]]:
    """Return begin, end and element of each span; what begins again within a span does not count."""
    spans: list[tuple[int, int | None, str]] = []
    open_since: tuple[int, str] | None = None
    for entry in entries:
        if open_since is not None and ends is not None and _is(entry, ends):
            spans.append((open_since[0], entry.time_ns, open_since[1]))
            open_since = None
        elif _is(entry, begins) and (open_since is None or ends is None):
            if ends is None:
                spans.append((entry.time_ns, None, entry.element))
            else:
                open_since = entry.time_ns, entry.element
    if open_since is not None:
        spans.append((open_since[0], None, open_since[1]))
    return spans


def never_happened(alarm: ExpectedAlarm, entries: Iterable[TruthEntry]) -> list[str]:
    """Return what an alarm waits for and a ledger does not know at all, as after a slip of the pen."""
    if alarm.truth is None:
        return []
    begins, ends = alarm.truth.begins, alarm.truth.ends
    found = []
    of_kind: dict[str, set[str]] = {}
    for entry in entries:
        of_kind.setdefault(entry.kind, set()).add(entry.element)
    for happening in (begins,) if ends is None else (begins, ends):
        kind, element = happening.kind, happening.element
        if kind not in of_kind:
            what, mend = f"no {kind}", suggestion(kind, of_kind, "kinds")
        elif element is not None and element not in of_kind[kind]:
            what, mend = f"no {kind} of {element}", suggestion(element, of_kind[kind], "elements")
        else:
            continue
        found.append(f"{alarm.source} {alarm.condition}: the run's ledger holds {what}; {mend}")
    return found


def _is(entry: TruthEntry, happening: Happening) -> bool:
    if entry.kind != happening.kind or happening.element not in {None, entry.element}:
        return False
    return all(entry.detail.get(key) == value for key, value in happening.where.items())


def map_builder(
    document: Document, tags: Mapping[tuple[str, str], TagAddress], *, scale: float = 1.0
) -> ConditionBuilder:
    """Return a builder of conditions on a recording's meters."""
    return ConditionBuilder(document, tags, {meter: meter for meter, _ in tags}, scale=scale)

"""Grading a journal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from twin.alarming.condition_builder import in_ns
from twin.alarming.grading.chains import chain
from twin.alarming.grading.diagnosis import explain
from twin.alarming.grading.expected import (
    Followed,
    follow,
    from_records,
    from_registers,
    map_builder,
    never_happened,
    occurrences,
)
from twin.alarming.grading.map_schema import AlarmMap, ExpectedAlarm
from twin.alarming.grading.matching import Matching, match
from twin.alarming.grading.occurrence import Expected, Raised
from twin.alarming.grading.playback import RegisterPlayback, recorded_span, recorded_tags
from twin.alarming.grading.verdict import AlarmVerdict, Inversion, Verdict
from twin.alarming.journal import JournalEntry, instant_ns, read_journal, utc_text
from twin.alarming.kpis import alarm_kpis
from twin.alarming.tag_list import TagAddress
from twin.contracts import NS_PER_SECOND, BadInputError, Finding, Mark
from twin.documents import Document, read_yaml, suggestion, validate
from twin.recording import Recording
from twin.recording.ledger import Ledger

_EARLY_NS = NS_PER_SECOND
"""How much too early an alarm may seem at most, as clocks differ; never more than the allowed latency."""
_ROUNDING_NS = 1_000_000
"""How much too early it may always seem: journals hold milliseconds."""
_NEAR_NS = 60 * NS_PER_SECOND
"""How far from the run a journal may begin or end that belongs to it."""

Key = tuple[str, str]


def grade(recording: Recording, journal: Path | str, alarm_map: Path | str) -> Verdict:
    """Compare a journal with what a run should have raised.

    Parameters
    ----------
    recording : Recording
        Of the run; with the registers that the map's conditions look at (``history`` in the scenario).
    journal : Path or str
        CSV.
    alarm_map : Path or str
        YAML.

    Raises
    ------
    BadInputError
        The map or the journal cannot be used, or names what the recording does not hold.
    """
    document = read_yaml(alarm_map)
    alarms = validate(document, AlarmMap)
    entries = _simulated(_entries(journal, alarms, document), alarms, document)
    _check_times(entries, recorded_span(recording), journal)
    return _Grading(recording, document, alarms, entries).verdict()


def _entries(journal: Path | str, alarms: AlarmMap, document: Document) -> tuple[JournalEntry, ...]:
    try:
        ZoneInfo(alarms.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        where = document.mark(("time_zone",))
        what, mend = f"{alarms.time_zone!r} is unknown", "give an IANA name such as Europe/London"
        raise BadInputError(Finding(where, "time_zone", what, mend)) from None
    return read_journal(journal, time_zone=alarms.time_zone)


def _check_times(entries: Sequence[JournalEntry], span: tuple[int, int], journal: Path | str) -> None:
    """Refuse a journal that is not of the run, or by another clock than the map says."""
    start_ns, end_ns = span
    near = any(start_ns - _NEAR_NS <= entry.time_ns <= end_ns + _NEAR_NS for entry in entries)
    if entries and not near:
        first, last = utc_text(entries[0].time_ns), utc_text(entries[-1].time_ns)
        what = (
            f"none of its times lies within the run, {utc_text(start_ns)} to {utc_text(end_ns)}: "
            f"they go from {first} to {last}"
        )
        mend = "say in the map how they become simulated time (clock, time_zone), or give the run's journal"
        raise BadInputError(Finding(Mark(str(journal)), "time_utc", what, mend))


def _simulated(
    entries: tuple[JournalEntry, ...], alarms: AlarmMap, document: Document
) -> tuple[JournalEntry, ...]:
    """Return a journal with its times in simulated time."""
    clock = alarms.clock
    if clock is None:
        return entries
    zone = ZoneInfo(alarms.time_zone)
    journal_ns = _instant(clock.journal, document, "journal", zone)
    site_ns = _instant(clock.site, document, "site", zone)
    return tuple(
        JournalEntry(
            time_ns=site_ns + round((entry.time_ns - journal_ns) * clock.speed),
            source=entry.source,
            condition=entry.condition,
            transition=entry.transition,
            priority=entry.priority,
            value=entry.value,
        )
        for entry in entries
    )


def _instant(text: str, document: Document, field: str, zone: ZoneInfo) -> int:
    try:
        return instant_ns(text, zone)
    except ValueError:
        where = document.mark(("clock", field))
        mend = "write it as 2026-01-15T18:30:00Z"
        raise BadInputError(Finding(where, f"clock.{field}", f"{text!r} is no time", mend)) from None


class _Grading:
    """One grading, step by step."""

    def __init__(
        self,
        recording: Recording,
        document: Document,
        alarms: AlarmMap,
        entries: Sequence[JournalEntry],
    ) -> None:
        self._recording, self._document, self._alarms = recording, document, alarms
        self._start_ns, self._end_ns = recorded_span(recording)
        self._entries = entries
        self._early_ns = max(_ROUNDING_NS, min(_EARLY_NS, in_ns(alarms.latency)))
        self._tags = recorded_tags(recording)
        self._ledger = Ledger(recording)
        self._raised = occurrences(entries)

    def verdict(self) -> Verdict:
        """Return the verdict."""
        followed = self._follow()
        playback = RegisterPlayback.read(self._recording, self._tags.values())
        expected = self._expected(followed, playback)
        matchings = {
            key: match(
                occurred,
                self._raised.get(key, ()),
                early_ns=self._early_ns,
                run_end_ns=self._end_ns,
                returns=self._alarms.returns,
            )
            for key, occurred in expected.items()
        }
        verdicts = self._verdicts(matchings, playback)
        unknown = [(*key, len(raised)) for key, raised in self._raised.items() if key not in expected]
        return Verdict(
            start_ns=self._start_ns,
            end_ns=self._end_ns,
            alarms=tuple(verdicts),
            unknown=tuple(unknown) if self._alarms.others == "false" else (),
            inversions=_inversions(matchings, in_ns(self._alarms.poll)),
            kpis=alarm_kpis(self._entries, start_ns=self._start_ns, end_ns=self._end_ns),
            expected_kpis=alarm_kpis(_as_journal(expected), start_ns=self._start_ns, end_ns=self._end_ns),
            chains={
                (*_key(alarm), one.start_ns): chain(self._ledger, alarm.meter or alarm.source, one)
                for alarm in self._alarms.alarms
                for one in expected[_key(alarm)]
            },
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        """Yield what the map expects and the ledger does not know at all."""
        if any(alarm.truth for alarm in self._alarms.alarms):
            entries = self._recording.truth()
            for alarm in self._alarms.alarms:
                yield from never_happened(alarm, entries)

    def _follow(self) -> list[Followed]:
        """Return the alarms on registers as rules, after everything in the map has been checked."""
        builder = map_builder(self._document, self._tags)
        meters = {meter.name for meter in self._recording.meters()}
        followed, seen = [], set()
        for place, alarm in enumerate(self._alarms.alarms):
            path = ("alarms", place)
            meter = alarm.meter or alarm.source
            if _key(alarm) in seen:
                builder.find(
                    (*path, "condition"), f"{alarm.condition!r} stands twice", "give each alarm once"
                )
            seen.add(_key(alarm))
            if meter not in meters and alarm.truth is None:
                field = (*path, "meter" if alarm.meter else "source")
                builder.find(field, f"{meter!r} is no meter of the run", suggestion(meter, meters, "meters"))
            elif alarm.when is not None and meter not in {known for known, _ in self._tags}:
                what = f"the recording holds no registers of {meter}"
                mend = f"run the scenario with history: {{registers: {{{meter}: all}}}}, or name those needed"
                builder.find((*path, "when"), what, mend)
            else:
                rule = follow(alarm, builder, path, name=str(place))
                followed += [] if rule is None else [rule]
        if builder.findings:
            raise BadInputError(*sorted(builder.findings, key=lambda finding: finding.where))
        return followed

    def _expected(
        self, followed: Sequence[Followed], playback: RegisterPlayback
    ) -> dict[Key, list[Expected]]:
        by_rule = from_registers(
            followed, playback, self._alarms, start_ns=self._start_ns, end_ns=self._end_ns
        )
        expected = {_key(one.alarm): by_rule[one.rule.name] for one in followed}
        return {
            _key(alarm): expected[_key(alarm)]
            if alarm.when is not None
            else from_records(alarm, self._alarms, self._recording, self._end_ns)
            for alarm in self._alarms.alarms
        }

    def _verdicts(self, matchings: Mapping[Key, Matching], playback: RegisterPlayback) -> list[AlarmVerdict]:
        wrong = [
            (alarm, self._raised.get(_key(alarm), ()), matchings[_key(alarm)].errors)
            for alarm in self._alarms.alarms
            if matchings[_key(alarm)].errors
        ]
        raised = any(occurred for _, occurred, _ in wrong)
        found = explain(
            wrong,
            self._alarms,
            self._tags,
            playback,
            RegisterPlayback.read(self._recording, self._words_exchanged() if raised else ()),
            start_ns=self._start_ns,
            end_ns=self._end_ns,
            early_ns=self._early_ns,
        )
        reasons = {_key(alarm): texts for (alarm, _, _), texts in zip(wrong, found, strict=True)}
        return [self._verdict_of(alarm, matchings[_key(alarm)], reasons) for alarm in self._alarms.alarms]

    def _words_exchanged(self) -> Iterator[TagAddress]:
        """Yield the tags as who takes their words in the other order reads them."""
        return (replace(tag, low_first=not tag.low_first) for tag in self._tags.values())

    def _verdict_of(
        self, alarm: ExpectedAlarm, found: Matching, reasons: Mapping[Key, tuple[str, ...]]
    ) -> AlarmVerdict:
        priority = None if alarm.priority is None else alarm.priority.lower()
        raised: Sequence[Raised] = self._raised.get(_key(alarm), ())
        wrong = [one for one in raised if priority is not None and one.priority != priority]
        return AlarmVerdict(
            source=alarm.source,
            condition=alarm.condition,
            matches=tuple(found.matches),
            missed=tuple(found.missed),
            false=tuple(found.false),
            repeated=tuple(found.repeated),
            wrong_priority=tuple(wrong),
            priority=priority,
            during={
                at_ns: lasting
                for at_ns in (*(one.start_ns for one in found.missed), *(one.start_ns for one in found.false))
                if (lasting := self._ledger.lasting(alarm.meter or alarm.source, at_ns))
            },
            looks_like=reasons.get(_key(alarm), ()),
        )


def _key(alarm: ExpectedAlarm) -> Key:
    return alarm.source, alarm.condition


def _inversions(matchings: Mapping[Key, Matching], apart_ns: int) -> tuple[Inversion, ...]:
    """Return neighbours that should be further apart than polls are, and came in the wrong order."""
    found = sorted(
        (match.expected.start_ns, match.raised.start_ns, key)
        for key, matching in matchings.items()
        for match in matching.matches
        if not (match.expected.optional or match.expected.joined)
    )
    return tuple(
        Inversion(first=first[2], second=second[2], time_ns=second[1])
        for first, second in pairwise(found)
        if second[0] - first[0] > apart_ns and second[1] < first[1] and first[2] != second[2]
    )


def _as_journal(expected: Mapping[Key, Sequence[Expected]]) -> list[JournalEntry]:
    """Return the journal of a system that does everything right."""
    entries = [
        JournalEntry(time_ns, source, condition, transition)
        for (source, condition), occurred in expected.items()
        for one in occurred
        for time_ns, transition in ((one.start_ns, "active"), (one.end_ns, "return"))
        if time_ns is not None
    ]
    return sorted(entries, key=lambda entry: entry.time_ns)

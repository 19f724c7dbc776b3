"""From a rules file to what the alarm server follows and what is polled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.alarming.alarm_server import AlarmRule
from twin.alarming.conditions import (
    Combination,
    Communication,
    Condition,
    Deviation,
    Limit,
    Not,
    RateOfChange,
    Stale,
    State,
    Tag,
    Truth,
)
from twin.alarming.reads import RegisterRead, plan_reads
from twin.alarming.rules_schema import Alarm, Rules, Source, Threshold, When
from twin.alarming.tag_list import TagAddress, read_tag_list
from twin.contracts import NS_PER_SECOND, BadInputError, Finding
from twin.documents import Document, parse_quantity, read_yaml, suggestion, validate

_UNKNOWN: Mapping[str, Truth] = {"hold": None, "active": True, "return": False}
_SECONDS = {"min": 60.0, "h": 3600.0}
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PolledSource:
    """A device that is polled."""

    name: str
    host: str
    port: int
    unit: int
    poll_ns: int
    reads: tuple[RegisterRead, ...]
    """What is asked of it at each poll."""


@dataclass(frozen=True, slots=True)
class AlarmPlan:
    """What a rules file comes to."""

    rules: tuple[AlarmRule, ...]
    sources: tuple[PolledSource, ...]
    timeout_s: float


def read_rules(path: Path | str, *, ready_file: Path | str | None = None) -> AlarmPlan:
    """Read a rules file.

    Parameters
    ----------
    path : Path or str
    ready_file : Path or str, optional
        As ``twin serve --ready-file`` writes it: where meters answer whose sources give no host and port.

    Raises
    ------
    BadInputError
        With everything that is wrong.
    """
    document = read_yaml(path)
    rules = validate(document, Rules)
    tags = read_tag_list(Path(path).parent / rules.tags)
    endpoints = {} if ready_file is None else _endpoints(Path(ready_file))
    return _Builder(document, rules, tags, endpoints).plan()


def _endpoints(ready_file: Path) -> dict[str, dict[str, object]]:
    try:
        listed = json.loads(ready_file.read_text(encoding="utf-8"))["endpoints"]
        return {entry["meter"]: entry for entry in listed}
    except (OSError, ValueError, KeyError, TypeError) as error:
        mend = "start the site with: twin serve SCENARIO --ready-file FILE"
        where = Document(str(ready_file), None, {}).mark(())
        raise BadInputError(Finding(where, "", f"is no ready file ({error})", mend)) from error


class _Builder:
    """Builds conditions and collects findings and the tags that are used."""

    def __init__(
        self,
        document: Document,
        rules: Rules,
        tags: Mapping[tuple[str, str], TagAddress],
        endpoints: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._document, self._rules, self._tags, self._endpoints = document, rules, tags, endpoints
        self._sources = {source.name: source for source in rules.sources}
        self._used: dict[str, set[TagAddress]] = {name: set() for name in self._sources}
        self._findings: list[Finding] = []

    def plan(self) -> AlarmPlan:
        for place, source in enumerate(self._rules.sources):
            self._check_source(source, ("sources", place))
        alarms = [self._alarm(alarm, ("alarms", place)) for place, alarm in enumerate(self._rules.alarms)]
        self._check_unique([source.name for source in self._rules.sources], "sources")
        self._check_unique([alarm.name for alarm in self._rules.alarms], "alarms")
        if self._findings:
            raise BadInputError(*sorted(self._findings, key=lambda finding: finding.where))
        sources = tuple(self._polled(source) for source in self._rules.sources)
        found = tuple(alarm for alarm in alarms if alarm is not None)
        return AlarmPlan(found, sources, self._rules.timeout)

    # -- sources ------------------------------------------------------------------------------------

    def _check_source(self, source: Source, path: Path_) -> None:
        meter = source.meter or source.name
        meters = {known for known, _ in self._tags}
        if meter not in meters:
            field = (*path, "meter" if source.meter else "name")
            self._find(field, f"{meter!r} is not in the tag list", suggestion(meter, meters, "meters"))
        if meter not in self._endpoints and (source.host is None or source.port is None):
            what, mend = "does not say where it answers", "give host and port, or the site's ready file"
            self._find(path, what, mend)

    def _polled(self, source: Source) -> PolledSource:
        meter = source.meter or source.name
        endpoint = self._endpoints.get(meter, {})
        unit = endpoint.get("unit", 1) if source.unit is None else source.unit
        known = {
            address
            for (of, _), tag in self._tags.items()
            if of == meter
            for address in range(tag.address, tag.address + tag.words)
        }
        return PolledSource(
            name=source.name,
            host=source.host or str(endpoint["host"]),
            port=source.port or int(str(endpoint["port"])),
            unit=int(str(unit)),
            poll_ns=_ns(self._rules.poll if source.poll is None else source.poll),
            reads=plan_reads(self._used[source.name] or self._any_tag(meter), known),
        )

    def _any_tag(self, meter: str) -> list[TagAddress]:
        """Return one tag of a device of which nothing but its answer is wanted."""
        return [next(tag for (of, _), tag in self._tags.items() if of == meter)]

    def _check_unique(self, names: Sequence[str], kind: str) -> None:
        for place, name in enumerate(names):
            if name in names[:place]:
                self._find((kind, place, "name"), f"{name!r} stands twice", "give each its own name")

    # -- alarms -------------------------------------------------------------------------------------

    def _alarm(self, alarm: Alarm, path: Path_) -> AlarmRule | None:
        if alarm.source not in self._sources:
            mend = suggestion(alarm.source, self._sources, "sources")
            self._find((*path, "source"), f"{alarm.source!r} is no source", mend)
            return None
        condition = self._condition(alarm.when, alarm.source, (*path, "when"))
        suppressing = None
        if alarm.suppressed_when is not None:
            field = (*path, "suppressed_when")
            suppressing = self._condition(alarm.suppressed_when, alarm.source, field)
        if condition is None:
            return None
        return AlarmRule(
            name=alarm.name,
            source=alarm.source,
            condition=condition,
            priority=alarm.priority,
            on_delay_ns=_ns(alarm.on_delay),
            off_delay_ns=_ns(alarm.off_delay),
            latching=alarm.latch,
            unknown=_UNKNOWN[alarm.unknown],
            suppressed_when=suppressing,
            release_delay_ns=_ns(alarm.release_delay),
            longest_shelving_ns=_ns(alarm.longest_shelving),
        )

    def _condition(self, when: When, source: str, path: Path_) -> Condition | None:
        """Return a condition, or None with a finding."""
        parts = when.all or when.any
        if parts is not None:
            key = "all" if when.all else "any"
            built = [self._condition(part, source, (*path, key, at)) for at, part in enumerate(parts)]
            found = [part for part in built if part is not None]
            return Combination(found, every=key == "all") if found else None
        if when.none is not None:
            part = self._condition(when.none, source, (*path, "not"))
            return part and Not(part)
        if when.communication is not None:
            name = when.communication.source or source
            if not self._known(name, (*path, "communication", "source")):
                return None
            return Communication(name, failures=when.communication.failures)
        return self._on_tag(when, source, path)

    def _on_tag(self, when: When, source: str, path: Path_) -> Condition | None:
        rule, kind = next(
            (rule, name)
            for name in ("limit", "deviation", "rate", "state", "stale")
            if (rule := getattr(when, name)) is not None
        )
        path = (*path, kind)
        address = self._tag(rule.source or source, rule.tag, (*path, "source" if rule.source else "tag"))
        if address is None:
            return None
        tag = Tag(rule.source or source, rule.tag)

        def number(name: str, value: Threshold) -> float:
            return self._threshold(value, address.unit, (*path, name))

        if when.limit is not None:
            above = when.limit.above is not None
            limit = when.limit.above if when.limit.above is not None else when.limit.below
            return Limit(
                tag,
                number("above" if above else "below", 0.0 if limit is None else limit),
                above=above,
                deadband=number("deadband", when.limit.deadband),
            )
        if when.deviation is not None:
            return self._deviation(when, tag, address, path)
        if when.rate is not None:
            falling = when.rate.falls is not None
            step = when.rate.falls if when.rate.falls is not None else when.rate.rises
            over = when.rate.over
            return RateOfChange(
                tag,
                number("falls" if falling else "rises", 0.0 if step is None else step) / over,
                over_ns=_ns(over),
                falling=falling,
                deadband=number("deadband", when.rate.deadband) / over,
            )
        if when.state is not None:
            equals = when.state.equals
            states = frozenset([equals] if isinstance(equals, int) else equals or ())
            return State(tag, states=states, bit=when.state.bit)
        return Stale(tag, for_ns=_ns(when.stale.unchanged if when.stale else 0.0))

    def _deviation(self, when: When, tag: Tag, address: TagAddress, path: Path_) -> Condition | None:
        rule = when.deviation
        assert rule is not None
        by = self._threshold(rule.by, address.unit, (*path, "by"))
        deadband = self._threshold(rule.deadband, address.unit, (*path, "deadband"))
        if rule.mean_of is None:
            given = 0.0 if rule.reference is None else rule.reference
            reference = self._threshold(given, address.unit, (*path, "from"))
            return Deviation(tag, reference, by, deadband=deadband)
        others = [self._tag(tag.source, name, (*path, "mean_of", at)) for at, name in enumerate(rule.mean_of)]
        if None in others:
            return None
        return Deviation(tag, [Tag(tag.source, name) for name in rule.mean_of], by, deadband=deadband)

    def _tag(self, source: str, name: str, path: Path_) -> TagAddress | None:
        if not self._known(source, path):
            return None
        meter = self._sources[source].meter or source
        tag = self._tags.get((meter, name))
        if tag is None:
            names = [known for of, known in self._tags if of == meter]
            self._find(path, f"{meter} has no tag {name!r}", suggestion(name, names, "tags"))
            return None
        self._used[source].add(tag)
        return tag

    def _known(self, source: str, path: Path_) -> bool:
        if source in self._sources:
            return True
        self._find(path, f"{source!r} is no source", suggestion(source, self._sources, "sources"))
        return False

    def _threshold(self, value: Threshold, unit: str, path: Path_) -> float:
        """Return a threshold in the unit of its tag."""
        try:
            if not unit:
                return float(value)
            if unit in _SECONDS:
                return parse_quantity(value, "s") / _SECONDS[unit]
            kilo = unit.startswith("k")
            return parse_quantity(value, unit.removeprefix("k")) / (1e3 if kilo else 1.0)
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            self._find(path, what, mend or "give a plain number; the tag has no unit")
            return 0.0

    def _find(self, path: Path_, what: str, mend: str) -> None:
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        self._findings.append(Finding(self._document.mark(path), field.removeprefix("."), what, mend))


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_SECOND)

"""From a rules file to what the alarm server follows and what is polled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.alarming.alarm_server import AlarmRule
from twin.alarming.alarm_settings import changed_alarms, unknown_alarms
from twin.alarming.condition_builder import ConditionBuilder, Path_, in_ns
from twin.alarming.conditions import Truth
from twin.alarming.reads import RegisterRead, plan_reads
from twin.alarming.rules_schema import Alarm, Rules, Source
from twin.alarming.tag_list import BITS, TagAddress, parse_tag_list, read_tag_list
from twin.alarming.what_if_schema import Settings, Variant
from twin.contracts import BadInputError, Finding
from twin.documents import Document, read_yaml, suggestion, validate

_UNKNOWN: Mapping[str, Truth] = {"hold": None, "active": True, "return": False}


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
    timeout_s: float | None
    """How long an answer is waited for; None where the rules leave it open [s]."""


def read_rules(
    path: Path | str,
    *,
    ready_file: Path | str | None = None,
    endpoints: Mapping[str, Mapping[str, object]] | None = None,
    tag_list: str | None = None,
    settings: Mapping[str, Mapping[str, object]] | None = None,
) -> AlarmPlan:
    """Read a rules file.

    Parameters
    ----------
    path : Path or str
    ready_file : Path or str, optional
        As ``twin serve --ready-file`` writes it: where meters answer whose sources give no host and port.
    endpoints : Mapping, optional
        The same: ``host``, ``port`` and ``unit`` by meter.
    tag_list : str, optional
        The tag list for rules that name none, as text.
    settings : Mapping, optional
        Other limits, deadbands and delays than the file's: by alarm, as in a variant of ``twin what-if``.

    Raises
    ------
    BadInputError
        With everything that is wrong.
    """
    document = read_yaml(path)
    rules = validate(document, Rules)
    changes = _checked_settings(rules, settings or {})
    if rules.tags is not None:
        tags = read_tag_list(Path(path).parent / rules.tags)
    elif tag_list is not None:
        tags = parse_tag_list(tag_list, "tag list")
    else:
        mend = "add tags: FILE, written by: twin export points SCENARIO > FILE"
        raise BadInputError(Finding(document.mark(()), "tags", "is missing", mend))
    if ready_file is not None:
        endpoints = _endpoints(Path(ready_file))
    return _Builder(document, rules, changes, tags, endpoints or {}).plan()


def _checked_settings(rules: Rules, settings: Mapping[str, Mapping[str, object]]) -> Mapping[str, Settings]:
    document = Document("settings", {"name": "settings", "settings": settings}, {})
    checked = validate(document, Variant).settings
    findings = unknown_alarms(rules, checked, document, ("settings",))
    if findings:
        raise BadInputError(*findings)
    return checked


def _endpoints(ready_file: Path) -> dict[str, dict[str, object]]:
    try:
        listed = json.loads(ready_file.read_text(encoding="utf-8"))["endpoints"]
        return {entry["meter"]: entry for entry in listed if entry["host"] is not None}
    except (OSError, ValueError, KeyError, TypeError) as error:
        mend = "start the site with: twin serve SCENARIO --ready-file FILE"
        where = Document(str(ready_file), None, {}).mark(())
        raise BadInputError(Finding(where, "", f"is no ready file ({error})", mend)) from error


class _Builder:
    """Puts a plan together and collects findings."""

    def __init__(
        self,
        document: Document,
        rules: Rules,
        settings: Mapping[str, Settings],
        tags: Mapping[tuple[str, str], TagAddress],
        endpoints: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._rules, self._tags, self._endpoints = rules, tags, endpoints
        self._settings = settings
        meters = {source.name: source.meter or source.name for source in rules.sources}
        self._builder = ConditionBuilder(document, tags, meters)

    def plan(self) -> AlarmPlan:
        for place, source in enumerate(self._rules.sources):
            self._check_source(source, ("sources", place))
        alarms = [
            alarm_rule(alarm, self._builder, ("alarms", place))
            for place, alarm in changed_alarms(self._rules, self._settings)
        ]
        self._check_unique([source.name for source in self._rules.sources], "sources")
        self._check_unique([alarm.name for alarm in self._rules.alarms], "alarms")
        if self._builder.findings:
            raise BadInputError(*sorted(self._builder.findings, key=lambda finding: finding.where))
        sources = tuple(self._polled(source) for source in self._rules.sources)
        found = tuple(alarm for alarm in alarms if alarm is not None)
        return AlarmPlan(found, sources, self._rules.timeout)

    # -- sources ------------------------------------------------------------------------------------

    def _check_source(self, source: Source, path: Path_) -> None:
        meter = source.meter or source.name
        meters = {known for known, _ in self._tags}
        if meter not in meters:
            field = (*path, "meter" if source.meter else "name")
            self._builder.find(
                field, f"{meter!r} is not in the tag list", suggestion(meter, meters, "meters")
            )
        if meter not in self._endpoints and (source.host is None or source.port is None):
            what, mend = "does not say where it answers", "give host and port, or the site's ready file"
            self._builder.find(path, what, mend)

    def _polled(self, source: Source) -> PolledSource:
        meter = source.meter or source.name
        endpoint = self._endpoints.get(meter, {})
        unit = endpoint.get("unit", 1) if source.unit is None else source.unit
        known = {
            address
            for (of, _), tag in self._tags.items()
            if of == meter and tag.type not in BITS
            for address in range(tag.address, tag.address + tag.words)
        }
        return PolledSource(
            name=source.name,
            host=source.host or str(endpoint["host"]),
            port=source.port or int(str(endpoint["port"])),
            unit=int(str(unit)),
            poll_ns=in_ns(self._rules.poll if source.poll is None else source.poll),
            reads=plan_reads(self._builder.used[source.name] or self._any_tag(meter), known),
        )

    def _any_tag(self, meter: str) -> list[TagAddress]:
        """Return one tag of a device of which nothing but its answer is wanted."""
        return [next(tag for (of, _), tag in self._tags.items() if of == meter)]

    def _check_unique(self, names: Sequence[str], kind: str) -> None:
        for place, name in enumerate(names):
            if name in names[:place]:
                self._builder.find((kind, place, "name"), f"{name!r} stands twice", "give each its own name")


def alarm_rule(alarm: Alarm, builder: ConditionBuilder, path: Path_) -> AlarmRule | None:
    """Return an alarm as a rule that can be followed, or None with findings in the builder.

    Parameters
    ----------
    alarm : Alarm
    builder : ConditionBuilder
    path : tuple
        Where the alarm stands in its document.
    """
    if not builder.known(alarm.source, (*path, "source")):
        return None
    condition = builder.condition(alarm.when, alarm.source, (*path, "when"))
    suppressing = None
    if alarm.suppressed_when is not None:
        field = (*path, "suppressed_when")
        suppressing = builder.condition(alarm.suppressed_when, alarm.source, field)
    if condition is None:
        return None
    return AlarmRule(
        name=alarm.name,
        source=alarm.source,
        condition=condition,
        priority=alarm.priority,
        on_delay_ns=in_ns(alarm.on_delay),
        off_delay_ns=in_ns(alarm.off_delay),
        latching=alarm.latch,
        unknown=_UNKNOWN[alarm.unknown],
        suppressed_when=suppressing,
        release_delay_ns=in_ns(alarm.release_delay),
        longest_shelving_ns=in_ns(alarm.longest_shelving),
    )

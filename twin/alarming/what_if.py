"""What other limits, deadbands and delays would have made of a recorded run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.alarming.alarm_server import AlarmRule, AlarmServer
from twin.alarming.alarm_settings import changed_alarms, unknown_alarms
from twin.alarming.condition_builder import ConditionBuilder, in_ns
from twin.alarming.grading.expected import STEP_NS
from twin.alarming.grading.playback import RegisterPlayback, recorded_span, recorded_tags
from twin.alarming.journal import JournalEntry
from twin.alarming.kpis import AlarmKpis, alarm_kpis
from twin.alarming.rules import alarm_rule
from twin.alarming.rules_schema import Rules
from twin.alarming.scans import Scan
from twin.alarming.what_if_schema import Variant, Variants
from twin.contracts import BadInputError
from twin.documents import Document, read_yaml, validate
from twin.recording import Recording

AS_CONFIGURED = "as configured"
"""Name of the first variant: the rules as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantResult:
    """What one variant would have raised."""

    name: str
    kpis: AlarmKpis
    journal: tuple[JournalEntry, ...]


def what_if(recording: Recording, rules: Path | str, variants: Path | str) -> tuple[VariantResult, ...]:
    """Follow a recorded run with alarms that are set in several ways.

    Each source is looked at as often as the rules poll it, at most once a second.

    Parameters
    ----------
    recording : Recording
        With the registers that the rules look at (``history`` in the scenario).
    rules : Path or str
        Rules file of the alarm server; what it says of addresses does not matter here.
    variants : Path or str
        YAML.

    Returns
    -------
    tuple of VariantResult
        The rules as they are first.

    Raises
    ------
    BadInputError
        With everything that is wrong.
    """
    rules_document, variants_document = read_yaml(rules), read_yaml(variants)
    given = validate(rules_document, Rules)
    wanted = validate(variants_document, Variants).variants
    findings = [
        finding
        for at, variant in enumerate(wanted)
        for finding in unknown_alarms(
            given, variant.settings, variants_document, ("variants", at, "settings")
        )
    ]
    if findings:
        raise BadInputError(*findings)
    tags = recorded_tags(recording)
    servers = [
        (variant.name, AlarmServer(_rules(rules_document, given, variant, tags)))
        for variant in (Variant(name=AS_CONFIGURED), *wanted)
    ]
    start_ns, end_ns = recorded_span(recording)
    playback = RegisterPlayback.read(recording, tags.values())
    for scan in _scans(given, playback, start_ns, end_ns):
        for _, server in servers:
            server.take(scan)
    return tuple(
        VariantResult(
            name=name,
            kpis=alarm_kpis(server.journal, start_ns=start_ns, end_ns=end_ns),
            journal=server.journal,
        )
        for name, server in servers
    )


def _rules(
    document: Document, rules: Rules, variant: Variant, tags: Mapping[tuple[str, str], Any]
) -> list[AlarmRule]:
    meters = {source.name: source.meter or source.name for source in rules.sources}
    builder = ConditionBuilder(document, tags, meters)
    built = [
        alarm_rule(alarm, builder, ("alarms", place))
        for place, alarm in changed_alarms(rules, variant.settings)
    ]
    if builder.findings:
        raise BadInputError(*sorted(builder.findings, key=lambda finding: finding.where))
    return [rule for rule in built if rule is not None]


def _scans(rules: Rules, playback: RegisterPlayback, start_ns: int, end_ns: int) -> Iterable[Scan]:
    """Yield what each source of the rules would have read."""
    polls: dict[str, list[tuple[str, int]]] = {}
    for source in rules.sources:
        poll_ns = in_ns(rules.poll if source.poll is None else source.poll)
        steps = max(1, round(poll_ns / STEP_NS))
        polls.setdefault(source.meter or source.name, []).append((source.name, steps))
    for scan in playback.scans(start_ns=start_ns, end_ns=end_ns, step_ns=STEP_NS):
        step = (scan.time_ns - start_ns) // STEP_NS
        for name, steps in polls.get(scan.source, ()):
            if step % steps == 0:
                yield Scan(name, scan.time_ns, scan.values)

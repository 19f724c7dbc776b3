"""A verdict as JSON, as JUnit XML for a build server, and as text."""

import re
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree

from twin.alarming.grading.occurrence import Expected, Raised
from twin.alarming.grading.verdict import AlarmVerdict, Match, Verdict
from twin.alarming.journal import utc_text
from twin.alarming.kpis import AlarmKpis

_PERCENTILES = (50, 95, 100)
_NO_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""What XML documents cannot hold, not even escaped (XML 1.0, 2.2); names in a journal may."""


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain data; times are UTC, a quantity that does not exist is null."""
    return {
        "passed": verdict.passed,
        "start_utc": utc_text(verdict.start_ns),
        "end_utc": utc_text(verdict.end_ns),
        "latency_s": latency_percentiles(verdict),
        "alarms": [_alarm_json(alarm) for alarm in verdict.alarms],
        "unknown_alarms": [
            {"source": source, "condition": condition, "count": count}
            for source, condition, count in verdict.unknown
        ],
        "inversions": [
            {"first": list(one.first), "second": list(one.second), "time_utc": utc_text(one.time_ns)}
            for one in verdict.inversions
        ],
        "notes": list(verdict.notes),
        "kpis": kpis_json(verdict.kpis),
        "expected_kpis": kpis_json(verdict.expected_kpis),
        "chains": [
            {
                "source": source,
                "condition": condition,
                "expected_utc": utc_text(start_ns),
                "links": [
                    {"time_utc": utc_text(link.time_ns), "stage": link.stage, "text": link.text}
                    for link in links
                ],
            }
            for (source, condition, start_ns), links in verdict.chains.items()
        ],
    }


def latency_percentiles(verdict: Verdict) -> dict[str, float | None]:
    """Return the 50th, 95th and 100th percentile of the latencies, by nearest rank [s]."""
    latencies = verdict.latencies_s
    return {
        f"p{share}": latencies[max(0, -(-share * len(latencies) // 100) - 1)] if latencies else None
        for share in _PERCENTILES
    }


def kpis_json(kpis: AlarmKpis) -> dict[str, Any]:
    """Return figures of merit as plain data."""
    plain = asdict(kpis)
    for name in ("chattering", "fleeting"):
        plain[name] = [
            {"source": source, "condition": condition, "count": count}
            for (source, condition), count in getattr(kpis, name).items()
        ]
    plain["stale"] = [{"source": source, "condition": condition} for source, condition in kpis.stale]
    plain["most_frequent"] = [
        {"source": source, "condition": condition, "count": count}
        for (source, condition), count in kpis.most_frequent
    ]
    plain["floods"] = [
        {
            "start_utc": utc_text(flood.start_ns),
            "end_utc": utc_text(flood.end_ns),
            "annunciations": flood.annunciations,
        }
        for flood in kpis.floods
    ]
    return plain


def _alarm_json(alarm: AlarmVerdict) -> dict[str, Any]:
    return {
        "source": alarm.source,
        "condition": alarm.condition,
        "passed": alarm.passed,
        "expected": len(alarm.matches) + len(alarm.missed),
        "found": len(alarm.matches),
        "missed": [_expected_json(one) | _during_json(alarm, one.start_ns) for one in alarm.missed],
        "false": [_raised_json(one) | _during_json(alarm, one.start_ns) for one in alarm.false],
        "late": [_match_json(one) for one in alarm.late],
        "repeated": [_raised_json(one) for one in alarm.repeated],
        "wrong_returns": [_match_json(one) for one in alarm.wrong_returns],
        "wrong_priority": [_raised_json(one) for one in alarm.wrong_priority],
        "latencies_s": [match.latency_s for match in alarm.matches],
        "looks_like": list(alarm.looks_like),
    }


def _during_json(alarm: AlarmVerdict, at_ns: int) -> dict[str, Any]:
    return {"during": list(alarm.during.get(at_ns, ()))}


def _expected_json(one: Expected) -> dict[str, Any]:
    return {
        "expected_utc": utc_text(one.start_ns),
        "latest_utc": utc_text(one.latest_ns),
        "about": one.about,
    }


def _raised_json(one: Raised) -> dict[str, Any]:
    return {
        "time_utc": utc_text(one.start_ns),
        "return_utc": None if one.end_ns is None else utc_text(one.end_ns),
        "priority": one.priority,
    }


def _match_json(one: Match) -> dict[str, Any]:
    return {
        **_raised_json(one.raised),
        "expected_utc": utc_text(one.expected.start_ns),
        "latency_s": one.latency_s,
        "return_problem": one.return_problem or None,
    }


def problems(alarm: AlarmVerdict) -> list[str]:
    """Return what is wrong with an alarm, a line each, what explains it last."""
    lines = [
        f"missed at {utc_text(one.start_ns)}: {one.about}{_during(alarm, one.start_ns)}"
        for one in alarm.missed
    ]
    lines += [f"false at {utc_text(one.start_ns)}{_during(alarm, one.start_ns)}" for one in alarm.false]
    lines += [f"late by {_lateness(one):.1f} s at {utc_text(one.raised.start_ns)}" for one in alarm.late]
    lines += [f"raised again at {utc_text(one.start_ns)} while it lasted" for one in alarm.repeated]
    lines += [f"{one.return_problem}, raised {utc_text(one.raised.start_ns)}" for one in alarm.wrong_returns]
    if alarm.wrong_priority:
        found = ", ".join(sorted({one.priority or "none" for one in alarm.wrong_priority}))
        lines.append(f"priority is {found}, should be {alarm.priority}")
    return lines + [f"looks as if {text}" for text in alarm.looks_like]


def _during(alarm: AlarmVerdict, at_ns: int) -> str:
    lasting = alarm.during.get(at_ns, ())
    return f", during {' and '.join(lasting)}" if lasting else ""


def times(count: int) -> str:
    """Return how often, in words."""
    return "once" if count == 1 else f"{count} times"


def _lateness(match: Match) -> float:
    return (match.raised.start_ns - match.expected.latest_ns) * 1e-9


def junit_xml(verdict: Verdict, *, name: str) -> str:
    """Return a verdict as JUnit XML: each alarm a test case, and one for alarms that nobody expects.

    Parameters
    ----------
    verdict : Verdict
    name : str
        Of the suite.
    """
    cases: list[tuple[str, str, list[str]]] = [
        (alarm.source, alarm.condition, problems(alarm)) for alarm in verdict.alarms
    ]
    others = [f"{source} {condition}: {times(count)}" for source, condition, count in verdict.unknown]
    cases.append(("", "no alarms that the map does not name", others))
    failures = sum(bool(lines) for _, _, lines in cases)
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(failures),
        errors="0",
        skipped="0",
        time=f"{(verdict.end_ns - verdict.start_ns) * 1e-9:.3f}",
    )
    for source, condition, lines in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=source or name, name=condition)
        if lines:
            failure = ElementTree.SubElement(case, "failure", message=lines[0])
            failure.text = "\n".join(lines)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text) + "\n"


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict for a terminal."""
    lines = []
    for alarm in verdict.alarms:
        mark = "pass" if alarm.passed else "FAIL"
        expected = len(alarm.matches) + len(alarm.missed)
        lines.append(f"{mark}  {alarm.source}  {alarm.condition}: {len(alarm.matches)} of {expected}")
        lines += [f"        {line}" for line in problems(alarm)]
    for source, condition, count in verdict.unknown:
        lines.append(f"FAIL  {source}  {condition}: not in the map, raised {times(count)}")
    for one in verdict.inversions:
        first, second = " ".join(one.first), " ".join(one.second)
        lines.append(f"note  {second} came before {first}, which happened earlier")
    lines += [f"note  {note}" for note in verdict.notes]
    found = latency_percentiles(verdict)
    if found["p50"] is not None:
        shown = ", ".join(f"{name} {value:.1f} s" for name, value in found.items() if value is not None)
        lines.append(f"latency: {shown}")
    passed = sum(alarm.passed for alarm in verdict.alarms)
    lines.append(f"{passed} of {len(verdict.alarms)} alarms pass")
    return "\n".join(lines) + "\n"

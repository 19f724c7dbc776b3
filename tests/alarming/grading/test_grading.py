"""Grading of journals that are right, and of such that are wrong in a known way."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.alarming.grading.runs import SECOND, START_NS, journal_of, record, sine, steps
from twin.alarming.grading import Verdict, grade
from twin.alarming.grading.html_report import verdict_html
from twin.alarming.grading.reports import junit_xml, verdict_json, verdict_text
from twin.alarming.journal import JournalEntry, journal_csv
from twin.alarming.tag_list import TagAddress
from twin.contracts import BadInputError
from twin.recording import Recording

LOW = "{limit: {tag: v1, below: 207 V, deadband: 5 V}}"
RULE = f"  - {{name: LOW, source: head, priority: high, when: {LOW}}}\n"
MAP = f"""
version: 1
alarms:
  - {{source: head, condition: LOW, priority: high, when: {LOW}}}
"""
SAGS = steps((0, 230.0), (60, 180.0), (120, 230.0), (200, 190.0), (300, 231.0))


def write_map(folder: Path, text: str = MAP) -> Path:
    """Write an alarm map."""
    file = folder / "map.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def run(tmp_path: Path) -> Recording:
    """Two sags of a minute and more at ``head``."""
    truth = {60: ("fault_applied", "digger", {"bus": "B1"}), 120: ("fault_cleared", "digger", {})}
    courses = {"head": {"v1": SAGS}, "far": {"v1": lambda at: 228.0 + at % 3}}
    return record(tmp_path / "run", courses, seconds=600, truth=truth)


def graded(run: Recording, folder: Path, rules: str = RULE, text: str = MAP, **keys: Any) -> Verdict:
    """Grade what an alarm server with these rules makes of a run."""
    return grade(run, journal_of(run, folder, rules, **keys), write_map(folder, text))


def test_a_journal_that_is_right_passes(run: Recording, tmp_path: Path) -> None:
    verdict = graded(run, tmp_path)
    assert verdict.passed
    (alarm,) = verdict.alarms
    assert [match.expected.start_ns - START_NS for match in alarm.matches] == [60 * SECOND, 200 * SECOND]
    assert verdict.latencies_s == (0.0, 0.0)
    assert verdict.kpis.annunciations == verdict.expected_kpis.annunciations == 2


@pytest.mark.parametrize("phase_s", [0.1, 0.5, 0.999])
def test_any_phase_of_polling_passes(run: Recording, tmp_path: Path, phase_s: float) -> None:
    verdict = graded(run, tmp_path, phase_ns=round(phase_s * SECOND))
    assert verdict.passed
    assert verdict.latencies_s == pytest.approx((phase_s, phase_s))


def test_the_chain_leads_from_the_fault_to_the_alarm(run: Recording, tmp_path: Path) -> None:
    chains = graded(run, tmp_path).chains
    first, second = chains.values()
    assert [(link.stage, (link.time_ns - START_NS) // SECOND) for link in first] == [
        *(("truth", 60), ("register", 60), ("expected", 60))
    ]
    assert "fault applied: digger" in first[0].text
    assert "head: reads 180" in first[1].text
    assert "loads alone" in second[0].text


def edited(run: Recording, folder: Path, *entries: tuple[float, str, str], priority: str = "high") -> Verdict:
    """Grade a journal that is written by hand: second, alarm, transition."""
    journal = [
        JournalEntry(START_NS + round(at * SECOND), "head", name, transition, priority)
        for at, name, transition in entries
    ]
    file = folder / "journal.csv"
    file.write_text(journal_csv(journal), encoding="utf-8")
    return grade(run, file, write_map(folder))


RIGHT = ((60, "LOW", "active"), (121, "LOW", "return"), (200, "LOW", "active"), (301, "LOW", "return"))


def test_a_missed_alarm(run: Recording, tmp_path: Path) -> None:
    (alarm,) = edited(run, tmp_path, *RIGHT[:2]).alarms
    assert [one.start_ns - START_NS for one in alarm.missed] == [200 * SECOND]
    assert not alarm.passed


def test_a_false_alarm_and_one_that_nobody_knows(run: Recording, tmp_path: Path) -> None:
    verdict = edited(
        run, tmp_path, *RIGHT, (400, "LOW", "active"), (401, "LOW", "return"), (402, "NEW", "active")
    )
    assert [one.start_ns - START_NS for one in verdict.alarms[0].false] == [400 * SECOND]
    assert verdict.unknown == (("head", "NEW", 1),)
    assert not verdict.passed


@pytest.mark.parametrize("others", ["ignore", "false"])
def test_what_others_are(run: Recording, tmp_path: Path, others: str) -> None:
    edited(run, tmp_path, *RIGHT, (402, "NEW", "active"))
    text = MAP + f"others: {others}\n"
    assert grade(run, tmp_path / "journal.csv", write_map(tmp_path, text)).passed == (others == "ignore")


def test_a_late_alarm(run: Recording, tmp_path: Path) -> None:
    """A poll and the latency after its earliest time, two seconds, it is still in time."""
    assert edited(run, tmp_path, (62, "LOW", "active"), *RIGHT[1:]).passed
    (alarm,) = edited(run, tmp_path, (62.1, "LOW", "active"), *RIGHT[1:]).alarms
    assert [match.latency_s for match in alarm.late] == [2.1]


def test_wrong_returns(run: Recording, tmp_path: Path) -> None:
    for at, problem in ((100.0, "returns early"), (124.0, "returns late")):
        verdict = edited(run, tmp_path, RIGHT[0], (at, "LOW", "return"), *RIGHT[2:])
        assert [match.return_problem for match in verdict.alarms[0].matches] == [problem, ""]
    verdict = edited(run, tmp_path, *RIGHT[:3])
    assert [match.return_problem for match in verdict.alarms[0].matches] == ["", "does not return"]


def test_an_alarm_that_is_raised_again(run: Recording, tmp_path: Path) -> None:
    flicker = ((80, "LOW", "return"), (81, "LOW", "active"))
    (alarm,) = edited(run, tmp_path, RIGHT[0], *flicker, *RIGHT[1:]).alarms
    assert [one.start_ns - START_NS for one in alarm.repeated] == [81 * SECOND]


def test_an_alarm_that_an_operator_shelves_is_not_wrong(run: Recording, tmp_path: Path) -> None:
    shelved = ((80, "LOW", "shelve"), (100, "LOW", "unshelve"), (100, "LOW", "active"))
    assert edited(run, tmp_path, RIGHT[0], *shelved, *RIGHT[1:]).passed


def test_a_wrong_priority(run: Recording, tmp_path: Path) -> None:
    (alarm,) = edited(run, tmp_path, *RIGHT, priority="low").alarms
    assert len(alarm.wrong_priority) == 2
    assert not alarm.passed


def test_what_lasts_no_longer_than_a_poll_may_be_missed(tmp_path: Path) -> None:
    run = record(tmp_path / "run", {"head": {"v1": steps((0, 230.0), (60, 100.0), (61, 230.0))}}, seconds=99)
    assert edited(run, tmp_path).passed
    assert edited(run, tmp_path, (60.5, "LOW", "active"), (61.5, "LOW", "return")).passed


def test_a_journal_by_another_clock(run: Recording, tmp_path: Path) -> None:
    """It was kept an hour and a bit later, while simulated time ran ten times as fast."""
    journal = [
        JournalEntry(START_NS + 3_600_400_000_000 + round(at * SECOND / 10), "head", name, transition, "high")
        for at, name, transition in RIGHT
    ]
    file = tmp_path / "journal.csv"
    file.write_text(journal_csv(journal), encoding="utf-8")
    clock = "clock: {journal: 2026-01-15T19:00:00.400Z, site: 2026-01-15T18:00:00Z, speed: 10}"
    assert START_NS == 1_768_500_000 * SECOND  # 18:00 UTC
    assert grade(run, file, write_map(tmp_path, MAP + clock)).passed


Misread = Callable[[TagAddress], TagAddress]


def scaled(factor: float) -> Misread:
    """Return how a system with the wrong scale reads."""
    return lambda tag: replace(tag, scale=tag.scale * factor)


BROKEN: dict[str, tuple[str, Misread | None]] = {
    "its deadband is missing": (LOW.replace(", deadband: 5 V", ""), None),
    "its phases are swapped (1 as 2, 2 as 1)": (LOW.replace("v1", "v2"), None),
    "its values are scaled wrongly: a tenth of what they are": (LOW, scaled(0.1)),
    "its values are read with their words exchanged": (
        *(LOW, lambda tag: replace(tag, low_first=not tag.low_first)),
    ),
    "above and below are exchanged": (LOW.replace("below", "above"), None),
    "it looks at far instead of head": (LOW.replace("{tag", "{source: far, tag"), None),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_broken_configuration_is_named(tmp_path: Path, mistake: str) -> None:
    """Voltages that swing about the limit, each phase and meter otherwise, tell the mistakes apart."""
    when, misread = BROKEN[mistake]

    def noisy(period: int, shift: int) -> Any:
        swing = sine(208.0, 20.0, period)
        return lambda at: swing(at + shift) + (1.5 if at % 4 < 2 else -1.5)

    head = {f"v{k}": noisy(240 + 40 * k, 50 * k) for k in (1, 2, 3)}
    run = record(tmp_path / "run", {"head": head, "far": {"v1": noisy(170, 20)}}, seconds=1500)
    rule = f"  - {{name: LOW, source: head, priority: high, when: {when}}}\n"
    verdict = graded(run, tmp_path, rule, misread=misread)
    assert not verdict.passed
    assert verdict.alarms[0].looks_like[0] == mistake
    assert graded(run, tmp_path).passed


def test_mistakes_that_raise_the_same_are_all_named(run: Recording, tmp_path: Path) -> None:
    """Each of them has the voltage stand below its limit from beginning to end."""
    looks_like = graded(run, tmp_path, misread=scaled(3**-0.5)).alarms[0].looks_like
    kinds = ("a tenth", "a hundredth", "a thousandth", "smaller by the square root of 3")
    assert [text.partition(" of what")[0].partition(" (")[0] for text in looks_like] == [
        *(f"its values are scaled wrongly: {kind}" for kind in kinds),
        "its values are read with their words exchanged",
    ]


def test_truth_can_be_expected(run: Recording, tmp_path: Path) -> None:
    text = """
version: 1
alarms:
  - source: head
    condition: LOW
    truth: {begins: {kind: fault_applied, where: {bus: B1}}, ends: {kind: fault_cleared, element: digger}}
"""
    file = tmp_path / "journal.csv"
    file.write_text(
        journal_csv(
            JournalEntry(START_NS + at * SECOND, "head", "LOW", transition)
            for at, transition in ((61, "active"), (121, "return"))
        )
    )
    assert grade(run, file, write_map(tmp_path, text)).passed


def test_truth_can_be_expected_of_a_source_that_is_no_meter(run: Recording, tmp_path: Path) -> None:
    """An alarm of the switchyard: nothing was measured there, and its chain tells what happened."""
    text = """
version: 1
alarms:
  - {source: yard, condition: FAULT, truth: {begins: {kind: fault_applied}, ends: {kind: fault_cleared}}}
"""
    file = tmp_path / "journal.csv"
    file.write_text(journal_csv([JournalEntry(START_NS + 61 * SECOND, "yard", "FAULT", "active")]))
    verdict = grade(run, file, write_map(tmp_path, text))
    (match,) = verdict.alarms[0].matches
    assert match.return_problem == "does not return"
    (links,) = verdict.chains.values()
    assert [(link.stage, link.time_ns - START_NS) for link in links] == [
        *(("truth", 60 * SECOND), ("truth", 60 * SECOND), ("expected", 60 * SECOND)),
    ]


def test_what_never_happened_is_noted(run: Recording, tmp_path: Path) -> None:
    """Nothing is expected then, which is right of a quiet run and wrong of a misspelled map."""
    text = """
version: 1
alarms:
  - {source: yard, condition: A, truth: {begins: {kind: fault_aplied}, ends: {kind: fault_cleared}}}
  - {source: yard, condition: B, truth: {begins: {kind: fault_applied, element: diger}}}
  - {source: yard, condition: C, truth: {begins: {kind: fault_applied, element: digger}}}
"""
    (tmp_path / "journal.csv").write_text(journal_csv([]))
    verdict = grade(run, tmp_path / "journal.csv", write_map(tmp_path, text))
    assert verdict.notes == (
        "yard A: the run's ledger holds no fault_aplied; did you mean 'fault_applied'?",
        "yard B: the run's ledger holds no fault_applied of diger; did you mean 'digger'?",
    )
    shown = verdict_text(verdict), verdict_html(verdict, title="storm"), str(verdict_json(verdict))
    assert all("no fault_aplied" in text for text in shown)


def test_times_without_an_offset_are_in_the_time_zone_of_the_map(run: Recording, tmp_path: Path) -> None:
    """Those of the clock as well: at 20:00 in Berlin by the journal it was 18:00 UTC in the run."""
    file = tmp_path / "journal.csv"
    lines = [f"2026-01-15T20:{at // 60:02}:{at % 60:02},head,{n},{t},high,\n" for at, n, t in RIGHT]
    file.write_text("time_utc,source,condition,transition,priority,value\n" + "".join(lines))
    zone = "time_zone: Europe/Berlin\n"
    clock = "clock: {journal: 2026-01-15T20:00:00, site: 2026-01-15T18:00:00Z}\n"
    assert grade(run, file, write_map(tmp_path, MAP + zone + clock)).passed


def test_what_the_recording_does_not_hold_is_said(run: Recording, tmp_path: Path) -> None:
    text = MAP.replace("tag: v1", "tag: v4") + MAP.partition("alarms:\n")[2].replace("head", "haed")
    edited(run, tmp_path)
    with pytest.raises(BadInputError) as caught:
        grade(run, tmp_path / "journal.csv", write_map(tmp_path, text))
    assert [finding.field for finding in caught.value.findings] == [
        *("alarms[0].when.limit.tag", "alarms[1].source")
    ]


def test_a_journal_of_another_time_is_refused(run: Recording, tmp_path: Path) -> None:
    """An alarm of the run's first minute before counts as false; a whole journal elsewhere needs a clock."""
    assert edited(run, tmp_path, (-50, "LOW", "active"), (-45, "LOW", "return")).alarms[0].false
    with pytest.raises(BadInputError, match="none of its times lies within the run") as caught:
        edited(run, tmp_path, (3600 + 60, "LOW", "active"), (3600 + 120, "LOW", "return"))
    assert "clock" in caught.value.findings[0].mend
    assert not edited(run, tmp_path).passed


def test_junit_takes_whatever_a_journal_names(run: Recording, tmp_path: Path) -> None:
    verdict = edited(run, tmp_path, *RIGHT, (400, "BELL \a <&>", "active"))
    suite = ElementTree.fromstring(junit_xml(verdict, name="storm"))[0]
    assert suite.get("failures") == "1"
    assert [case.findtext("failure") for case in suite] == [None, "head BELL \ufffd <&>: once"]

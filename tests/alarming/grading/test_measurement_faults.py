"""Grading where a meter reads wrongly: alarms follow what it reads, and the fault itself is a key too."""

from pathlib import Path

import pytest

from twin.alarming.grading import Verdict, grade
from twin.alarming.journal import JournalEntry, journal_csv
from twin.contracts import NS_PER_SECOND
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site

SCENARIO = """
version: 1
title: A bench
start: 2026-01-15 09:00
duration: 10 min
source: {frequency: 50 Hz, voltage: 230 V, steps: [{duration: 1 h, current: 4 A}]}
history: {registers: {m: [v1, v2, p_sum, second], n: [v1]}}
meters:
  - {name: m, profile: kw320q, accuracy: ideal}
  - {name: n, profile: kw320q, accuracy: ideal, faults: [{kind: ct_open, phases: c}]}
events:
  - {event: measurement_fault, at: "09:01", meter: m, kind: ct_reversed, phases: a, name: turned}
  - {event: measurement_fault, at: "09:02", meter: m, kind: fuse_blown, phases: b, clear_after: 60 s}
  - {event: measurement_fault, at: "09:02", meter: n, kind: word_order}
  - {event: measurement_fault, at: "09:05", meter: m, kind: frozen, clear_after: 90 s}
  - {event: measurement_fault, at: "09:06", meter: m, kind: fuse_blown, phases: a, name: x, clear_after: 20 s}
  - {event: measurement_fault, at: "09:08", meter: m, kind: not_a_number, registers: [v2], clear_after: 60 s}
  - {event: repair, at: "09:09:30", of: turned}
"""
MAP = """
version: 1
alarms:
  - {source: m, condition: LOW_1, when: {limit: {tag: v1, below: 207 V, deadband: 5 V}}}
  - {source: m, condition: LOW_2, when: {limit: {tag: v2, below: 207 V, deadband: 5 V}}}
  - {source: m, condition: LITTLE, when: {limit: {tag: p_sum, below: 2 kW, deadband: 100 W}}}
  - {source: m, condition: STALE, when: {stale: {tag: second, unchanged: 10 s}}}
  - source: m
    condition: CT
    truth:
      begins: {kind: measurement_fault_began, element: m, where: {what: ct_reversed, phases: a}}
      ends: {kind: measurement_fault_ended, element: m, where: {name: turned}}
"""
RIGHT = {
    "LOW_2": ((121, 181),),
    "LITTLE": ((61, 570),),
    "STALE": ((310, 391),),
    "CT": ((61, 571),),
}
"""Seconds from the start at which an alarm system that polls each second raises and returns them."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("run")
    (folder / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    loaded = load_scenario(folder / "scenario.yaml")
    with build_site(loaded) as site:
        site.record_to(str(folder / "recording"), overwrite=False)
        site.begin()
        site.engine.advance_to(loaded.end_ns)
    return Recording.open(folder / "recording")


def graded(run: Recording, folder: Path, raised: dict[str, tuple[tuple[int, int], ...]]) -> Verdict:
    start = load_scenario(run_file(run)).start_ns
    entries = sorted(
        (at, condition, transition)
        for condition, spans in raised.items()
        for span in spans
        for at, transition in zip(span, ("active", "return"), strict=True)
    )
    journal, alarm_map = folder / "journal.csv", folder / "map.yaml"
    journal.write_text(
        journal_csv(JournalEntry(start + at * NS_PER_SECOND, "m", name, what) for at, name, what in entries)
    )
    alarm_map.write_text(MAP)
    return grade(run, journal, alarm_map)


def run_file(run: Recording) -> Path:
    return Path(run.path).parent / "scenario.yaml"


def test_alarms_follow_what_the_meter_reads(run: Recording, tmp_path: Path) -> None:
    verdict = graded(run, tmp_path, RIGHT)
    assert {alarm.condition: alarm.passed for alarm in verdict.alarms} == dict.fromkeys(
        ("LOW_1", "LOW_2", "LITTLE", "STALE", "CT"), True
    )


def test_what_the_meter_did_not_show_was_no_alarm(run: Recording, tmp_path: Path) -> None:
    # The second fuse blew while the image was frozen; and a register that is no number is not low.
    verdict = graded(run, tmp_path, RIGHT | {"LOW_1": ((361, 381),), "LOW_2": ((121, 181), (481, 541))})
    assert [alarm.condition for alarm in verdict.alarms if not alarm.passed] == ["LOW_1", "LOW_2"]


def test_the_chain_names_what_is_wrong_with_the_meter_and_no_other(run: Recording, tmp_path: Path) -> None:
    chains = graded(run, tmp_path, RIGHT).chains
    texts = {key[1]: [link.text for link in chain if link.stage == "truth"] for key, chain in chains.items()}
    assert texts["LITTLE"] == [
        "measurement fault began: m by scenario (name turned, phases a, what ct_reversed)"
    ]
    assert texts["LOW_2"] == [
        "measurement fault began: m by scenario (name turned, phases a, what ct_reversed), and still so",
        "measurement fault began: m by scenario (name m fuse_blown, phases b, what fuse_blown)",
    ]

"""What comes and goes within polls: several occurrences of which a master may see one."""

from pathlib import Path

import pytest

from tests.alarming.grading.runs import SECOND, START_NS, record, steps
from twin.alarming.grading import AlarmVerdict, grade
from twin.alarming.journal import JournalEntry, journal_csv
from twin.recording import Recording

LOW = """
version: 1
poll: 1 s
latency: 0.5 s
alarms:
  - {source: head, condition: LOW, when: {limit: {tag: v1, below: 207 V, deadband: 5 V}}}
"""
OPEN = """
version: 1
poll: 2 s
latency: 0.5 s
alarms:
  - source: yard
    condition: OPEN
    truth:
      begins: {kind: switch_operated, element: REC, where: {closed: false}}
      ends: {kind: switch_operated, element: REC, where: {closed: true}}
"""


def verdict(run: Recording, folder: Path, text: str, *entries: tuple[float, str]) -> AlarmVerdict:
    """Grade a journal of the map's only alarm."""
    source, name = ("head", "LOW") if text == LOW else ("yard", "OPEN")
    journal = [
        JournalEntry(START_NS + round(at * SECOND), source, name, transition) for at, transition in entries
    ]
    (folder / "journal.csv").write_text(journal_csv(journal), encoding="utf-8")
    (folder / "map.yaml").write_text(text, encoding="utf-8")
    (alarm,) = grade(run, folder / "journal.csv", folder / "map.yaml").alarms
    return alarm


@pytest.fixture
def sags(tmp_path: Path) -> Recording:
    """A sag of a second, and a second later one of a minute."""
    course = steps((0, 230.0), (60, 180.0), (61, 230.0), (62, 180.0), (122, 230.0))
    return record(tmp_path / "run", {"head": {"v1": course}}, seconds=200)


@pytest.fixture
def recloser(tmp_path: Path) -> Recording:
    """It opens for a second, and a second later for eight."""
    truth = {
        at: ("switch_operated", "REC", {"closed": closed})
        for at, closed in ((60, False), (61, True), (62, False), (70, True))
    }
    return record(tmp_path / "run", {"head": {"v1": steps((0, 230.0))}}, seconds=200, truth=truth)


def test_a_long_one_soon_after_a_short_one_must_not_be_missed(sags: Recording, tmp_path: Path) -> None:
    missed = verdict(sags, tmp_path, LOW).missed
    assert [one.start_ns - START_NS for one in missed] == [62 * SECOND]


@pytest.mark.parametrize(
    "entries",
    [
        ((60.5, "active"), (61.5, "return"), (62.5, "active"), (122.5, "return")),
        ((60.5, "active"), (122.5, "return")),
        ((62.5, "active"), (122.5, "return")),
    ],
)
def test_both_may_be_seen_or_one_or_the_second(
    sags: Recording, tmp_path: Path, entries: tuple[tuple[float, str], ...]
) -> None:
    assert verdict(sags, tmp_path, LOW, *entries).passed


def test_who_saw_the_first_return_must_see_the_second(sags: Recording, tmp_path: Path) -> None:
    found = verdict(sags, tmp_path, LOW, (60.5, "active"), (61.5, "return"))
    assert [one.start_ns - START_NS for one in found.missed] == [62 * SECOND]


def test_a_recloser_that_a_master_sees_open_once(recloser: Recording, tmp_path: Path) -> None:
    """Polls each two seconds see it open at 60.5, 62.5 .. or, out of step, from 63.5 on."""
    assert verdict(recloser, tmp_path, OPEN, (60.5, "active"), (70.5, "return")).passed
    assert verdict(recloser, tmp_path, OPEN, (63.5, "active"), (71.5, "return")).passed
    late = verdict(recloser, tmp_path, OPEN, (60.5, "active"), (75.0, "return"))
    assert [match.return_problem for match in late.matches] == ["returns late"]
    assert len(verdict(recloser, tmp_path, OPEN).missed) == 1


def test_what_ends_before_its_delay_need_not_be_raised(recloser: Recording, tmp_path: Path) -> None:
    """Eight seconds are seen for certain by polls each two seconds with a delay of at most four."""
    for delay, missed in (("4 s", 1), ("5 s", 0), ("20 s", 0)):
        text = OPEN + f"    on_delay: {delay}\n"
        assert len(verdict(recloser, tmp_path, text).missed) == missed, delay

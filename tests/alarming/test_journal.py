"""Journals are exchanged as CSV."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.alarming.journal import TRANSITIONS, JournalEntry, journal_csv, read_journal
from twin.contracts import BadInputError

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
ENTRIES = st.builds(
    JournalEntry,
    st.integers(0, 4_000_000_000_000).map(lambda ms: ms * 1_000_000),
    TEXT,
    TEXT,
    st.sampled_from(TRANSITIONS),
    st.sampled_from(["high", "medium", "low", ""]),
    st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.9g}")),
)


@given(st.lists(ENTRIES, max_size=20))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, entries: list[JournalEntry]
) -> None:
    file = tmp_path_factory.mktemp("journal") / "journal.csv"
    file.write_text(journal_csv(entries), encoding="utf-8")
    last: dict[tuple[str, str], JournalEntry] = {}
    once = []
    for entry in sorted(entries, key=lambda entry: entry.time_ns):
        if last.get((entry.source, entry.condition)) != entry:
            once.append(entry)
        last[entry.source, entry.condition] = entry
    assert read_journal(file) == tuple(once)


def write(tmp_path: Path, *lines: str) -> Path:
    """Write a journal of another system."""
    file = tmp_path / "alarms.csv"
    header = "time_utc,source,condition,transition,priority,value"
    file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return file


def test_times_are_read_in_every_form(tmp_path: Path) -> None:
    lines = [f"{time},s,c,active,HIGH," for time in ("2026-03-29T00:30:00Z", "2026-03-29T03:30:00.5")]
    lines.append("2026-03-29 01:30:00+01:00,s,c,active,,1e3")
    first, second, third = read_journal(write(tmp_path, *lines), time_zone="Europe/Berlin")
    assert first.time_ns == second.time_ns == 1_774_744_200_000_000_000  # half past midnight UTC
    assert third.time_ns - first.time_ns == 3_600_500_000_000  # summer time has begun
    assert (first.priority, second.value) == ("high", 1000.0)
    assert math.isnan(first.value)


def test_every_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    lines = ["soon,s,c,active,,", "2026-01-01,s,c,up,,", "2026-01-01,s,,active,,", "2026-01-01,s,c,ack,,much"]
    with pytest.raises(BadInputError) as caught:
        read_journal(write(tmp_path, *lines))
    found = [(finding.where.line, finding.field) for finding in caught.value.findings]
    assert found == [(2, "time_utc"), (3, "transition"), (4, "condition"), (5, "value")]


def test_a_time_at_the_end_of_the_calendar_is_no_time(tmp_path: Path) -> None:
    """Programs write the year 1 where they know no time; ahead of UTC that is before the calendar begins."""
    with pytest.raises(BadInputError, match="'0001-01-01T00:00:00' is no time"):
        read_journal(write(tmp_path, "0001-01-01T00:00:00,s,c,active,,"), time_zone="Europe/Berlin")


def test_a_journal_needs_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "alarms.csv"
    file.write_text("time,condition\n", encoding="utf-8")
    with pytest.raises(BadInputError, match="has no column time_utc, source, transition"):
        read_journal(file)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_journal(tmp_path / "none.csv")


def test_a_line_that_is_exported_twice_counts_once(tmp_path: Path) -> None:
    """But an alarm that chatters within the resolution of its journal is raised as often as it says."""
    active, back = (f"2026-01-01T00:00:01Z,s,c,{transition},high," for transition in ("active", "return"))
    other = "2026-01-01T00:00:01Z,s,other,active,high,"
    read = read_journal(write(tmp_path, active, other, active, back, active, back, back))
    assert [f"{entry.condition} {entry.transition}" for entry in read] == [
        *("c active", "other active", "c return", "c active", "c return")
    ]

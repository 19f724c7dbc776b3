"""Figures of merit of journals whose figures can be counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.alarming.journal import JournalEntry
from twin.alarming.kpis import Flood, alarm_kpis

SECOND = 10**9
MINUTE = 60 * SECOND
DAY = 86400 * SECOND


def entry(at_s: float, transition: str = "active", name: str = "A", priority: str = "low") -> JournalEntry:
    """Return an entry of source ``s``."""
    return JournalEntry(round(at_s * SECOND), "s", name, transition, priority)


A = ("s", "A")


def test_averages_and_priorities() -> None:
    journal = [entry(60.0 * k, priority="high" if k == 0 else "low") for k in range(6)]
    found = alarm_kpis(journal, start_ns=0, end_ns=60 * MINUTE)
    assert (found.annunciations, found.per_ten_minutes, found.worst_ten_minutes) == (6, 1.0, 6)
    assert found.priorities == {"high": pytest.approx(1 / 6), "low": pytest.approx(5 / 6)}
    assert found.floods == ()
    assert found.most_frequent == ((A, 6),)


def test_a_flood_lasts_until_it_has_become_quiet() -> None:
    """Eleven, then five, then four in ten minutes each: the flood is of the first two periods."""
    counts = [11, 5, 4, 10]
    journal = [
        entry(600.0 * period + 20.0 * k, name=f"N{k}")
        for period, count in enumerate(counts)
        for k in range(count)
    ]
    found = alarm_kpis(journal, start_ns=0, end_ns=40 * MINUTE)
    assert found.floods == (Flood(start_ns=0, end_ns=20 * MINUTE, annunciations=16),)
    assert found.flood_share == 0.5
    assert found.worst_ten_minutes == 11


def test_chattering_is_three_within_a_minute() -> None:
    journal = [entry(at) for at in (0, 30, 60, 61, 200, 261, 321, 322)]
    # 0, 30, 60 and 61 belong to one chatter; 261, 321 and 322 are not within a minute of each other
    assert alarm_kpis(journal, start_ns=0, end_ns=DAY).chattering == {A: 4}
    journal = [entry(at) for at in (0, 31, 61)]
    assert alarm_kpis(journal, start_ns=0, end_ns=DAY).chattering == {}


def test_fleeting_alarms_return_within_ten_seconds() -> None:
    journal = [entry(0), entry(10, "return"), entry(20), entry(30.1, "return"), entry(40)]
    assert alarm_kpis(journal, start_ns=0, end_ns=DAY).fleeting == {A: 1}


def test_stale_alarms_stand_for_more_than_a_day() -> None:
    journal = [entry(0, name="B"), entry(1), entry(2, "return", name="B")]
    assert alarm_kpis(journal, start_ns=0, end_ns=DAY + SECOND).stale == ()
    assert alarm_kpis(journal, start_ns=0, end_ns=DAY + 2 * SECOND).stale == (A,)
    journal.append(entry(86402, "return"))
    assert alarm_kpis(journal, start_ns=0, end_ns=2 * DAY).stale == (A,)


def test_acknowledgements() -> None:
    journal = [entry(0), entry(30, "ack"), entry(40), entry(41, "return"), entry(50, "ack"), entry(60, "ack")]
    found = alarm_kpis(journal, start_ns=0, end_ns=DAY)
    assert (found.acknowledged, found.median_acknowledgement_s) == (2, 20.0)


def test_nothing_at_all() -> None:
    found = alarm_kpis([], start_ns=5, end_ns=5)
    assert (found.annunciations, found.per_ten_minutes, found.median_acknowledgement_s) == (0, 0.0, None)


@given(st.lists(st.integers(0, 400), max_size=80))
def test_chattering_against_a_count_by_pairs(times: list[int]) -> None:
    """An annunciation chatters when it lies in some window of a minute with at least two others."""
    times = sorted(times)
    found = alarm_kpis([entry(at) for at in times], start_ns=0, end_ns=DAY).chattering.get(A, 0)
    windows = [[k for k, at in enumerate(times) if end - 60 <= at <= end] for end in times]
    assert found == len({k for window in windows if len(window) >= 3 for k in window})

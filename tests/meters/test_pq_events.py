"""Sags, swells and over-current: the detector's counting, and a bank against the definition."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import EventRecord, Signal
from twin.meters.bank import MeterBank
from twin.meters.pq_events import Detector
from twin.metrology import half_cycle_rms

MS = 1_000_000
LOW, GOOD = 100.0, 230.0


def feed_detector(detector, values):
    """(half cycle, what, phases) of every transition of phase-a..c values, one row per half cycle."""
    trace = []
    for k, row in enumerate(values):
        transition = detector.step(np.array(row), k, 10 * k)
        if transition is not None:
            trace.append((k, "begin" if transition.end_ns is None else "end", transition.phases))
    return trace


def sag(needed=4):
    return Detector("sag", 184.0, needed, below=True)


def test_a_sag_needs_its_half_cycles_in_a_row():
    rows = [[LOW, GOOD, GOOD]] * 3 + [[GOOD] * 3] + [[LOW, GOOD, GOOD]] * 5 + [[GOOD] * 3] * 2
    assert feed_detector(sag(), rows) == [(7, "begin", "a"), (9, "end", "a")]


def test_other_phases_join_and_the_event_ends_when_all_are_back():
    rows = (
        [[GOOD, LOW, GOOD]] * 5
        + [[LOW, LOW, GOOD]] * 2
        + [[LOW, GOOD, GOOD]] * 8
        + [[GOOD] * 3]
        + [[GOOD, GOOD, LOW]] * 4
    )
    assert feed_detector(sag(), rows) == [(3, "begin", "b"), (15, "end", "ab"), (19, "begin", "c")]


def test_a_value_on_the_threshold_is_inside():
    assert feed_detector(sag(), [[184.0] * 3] * 9) == []
    assert feed_detector(Detector("swell", 253.0, 1, below=False), [[253.0] * 3] * 9) == []


def test_a_swell_has_no_filter():
    swell = Detector("swell", 253.0, 1, below=False)
    rows = [[GOOD] * 3, [GOOD, GOOD, 260.0], [GOOD] * 3]
    assert feed_detector(swell, rows) == [(1, "begin", "c"), (2, "end", "c")]


def test_extremes_start_and_trigger_of_a_sag():
    detector = sag()
    depths = [150.0, 90.0, 120.0, 130.0, 80.0]
    begin = [detector.step(np.array([depth, GOOD, GOOD]), k, 10 * k) for k, depth in enumerate(depths)][3]
    assert (begin.start_ns, begin.trigger_ns, begin.extreme) == (0, 30, 90.0)
    end = detector.step(np.array([GOOD] * 3), 5, 50)
    assert (end.start_ns, end.trigger_ns, end.end_ns, end.extreme) == (0, 30, 50, 80.0)


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from([LOW, GOOD]), min_size=3, max_size=3), st.integers(1, 12)),
        max_size=12,
    ),
    st.integers(4, 9),
)
def test_counting_equal_half_cycles_equals_stepping_through_them(runs, needed):
    stepped, counted = sag(needed), sag(needed)
    one, other, k = [], [], 0
    for row, count in runs:
        values = np.array(row)
        for number in range(k, k + count):
            one += [t for t in [stepped.step(values, number, 10 * number)] if t is not None]
        other += counted.repeat(values, k, count, lambda n: 10 * n)
        k += count
    assert one == other
    assert (stepped.count, stepped.idle) == (counted.count, counted.idle)


def dip(bank, feed, *, before_ns, duration_ns, depth=0.5, phase=0):
    """A rectangular dip of one phase; all records of it and of half a second around."""
    records = []
    feed.add(phasors())
    records += feed.run(bank, before_ns)
    low = phasors()
    low[phase] *= depth
    feed.add(low)
    records += feed.run(bank, duration_ns)
    feed.add(phasors())
    records += feed.run(bank, SECOND // 2)
    return [record for record in records if isinstance(record, EventRecord)]


def by_definition(feed, level, needed):
    """(start, trigger, end, extreme) of the first sag, from all half cycles of the signal at once."""
    signal = Signal(tuple("abcdef"), tuple(feed.segments), feed.now)
    total = math.floor((feed.now - feed.segments[0].start_ns) * 1e-9 * feed.frequency * 2)
    first = math.floor(feed.segments[0].theta / math.pi) + 3
    ends, rms = half_cycle_rms(signal, first, total - 4)
    # Runs of values below the level, phase by phase: (first, one after the last, lowest).
    runs = []
    for values in rms[:3]:
        edges = np.flatnonzero(np.diff([False, *(values < level), False]))
        runs += [(a, b, values[a:b].min()) for a, b in edges.reshape(-1, 2)]
    triggers = [a + needed - 1 for a, b, _ in runs if b - a >= needed]
    if not triggers:
        return None
    trigger = min(triggers)
    start = min(a for a, b, _ in runs if a <= trigger < b)
    end = next(k for k in range(trigger, len(ends)) if not any(a <= k < b for a, b, _ in runs))
    lowest = min(low for a, b, low in runs if a < end and b > trigger)
    return ends[start], ends[trigger], ends[end], lowest


@settings(max_examples=30, deadline=None)
@given(
    st.integers(60 * MS, 100 * MS),
    st.integers(15 * MS, 300 * MS),
    st.floats(0.0, 0.75),
    st.integers(0, 2),
    st.sampled_from([50.0, 49.3, 50.7]),
    st.floats(0.0, 6.28),
    st.integers(4, 12),
)
def test_a_dip_anywhere_on_the_wave_is_recorded_as_the_definition_says(
    before_ns, duration_ns, depth, phase, frequency, theta, needed
):
    one = replace(SETTINGS, sag_half_cycles=needed)
    bank, feed = MeterBank([one], start_ns=T0), Feed(frequency=frequency, theta=theta)
    records = dip(bank, feed, before_ns=before_ns, duration_ns=duration_ns, depth=depth, phase=phase)
    expected = by_definition(feed, 184.0, needed)
    if expected is None:
        assert records == []
        return
    begin, end = records
    assert (begin.start_ns, begin.trigger_ns) == pytest.approx(expected[:2], abs=1)
    assert begin.end_ns is None
    assert end.end_ns == pytest.approx(expected[2], abs=1)
    assert end.extreme == pytest.approx(expected[3], rel=1e-9, abs=1e-6)
    assert end.phases == "abc"[phase]
    assert bank.events(0) == [end]


def test_a_dip_of_ten_cycles_by_hand():
    # 50 % from 0.1 s to 0.3 s, theta 0 at T0. The window that ends at 0.11 s has half a cycle of each:
    # 230 sqrt((1 + 0.25) / 2) = 181.8 < 184; that which ends at 0.31 s too, at 0.32 s all is well.
    bank, feed = MeterBank([replace(SETTINGS, pt1=2300, pt2=230)], start_ns=T0), Feed()
    begin, end = dip(bank, Feed10(feed), before_ns=100 * MS, duration_ns=200 * MS)
    assert begin.start_ns == T0 + 110 * MS
    assert begin.trigger_ns == T0 + 200 * MS  # the tenth half cycle
    assert end.end_ns == T0 + 320 * MS
    assert (end.extreme, end.threshold, end.rated) == pytest.approx((1150.0, 1840.0, 2300.0))
    assert (end.type, end.phases, end.number) == ("sag", "a", 1)


class Feed10:
    """A feed at ten times the voltage."""

    def __init__(self, feed):
        self._feed = feed

    def add(self, rms):
        return self._feed.add(np.concatenate([10 * rms[:3], rms[3:]]))

    def run(self, bank, duration_ns):
        return self._feed.run(bank, duration_ns)


def test_steady_sags_are_counted_over_a_long_time():
    bank, feed = MeterBank([replace(SETTINGS, sag_half_cycles=200)], start_ns=T0), Feed()
    records = dip(bank, feed, before_ns=100 * MS, duration_ns=1_500 * MS)
    assert records == []  # 150 half cycles
    records = dip(bank, feed, before_ns=100 * MS, duration_ns=2_500 * MS)
    assert [record.trigger_ns - record.start_ns for record in records] == [1990 * MS] * 2


def test_swell_and_sag_run_side_by_side():
    # An earth fault on an isolated system: a falls, b and c rise. The rule joins events of one kind only.
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors())
    feed.run(bank, 100 * MS)
    rms = phasors()
    rms[:3] = [[0.0], [260 * np.exp(-2.4j)], [260 * np.exp(2.4j)]]
    feed.add(rms)
    records = feed.run(bank, 300 * MS)
    assert [(record.type, record.phases) for record in records] == [("swell", "bc"), ("sag", "a")]
    assert bank.in_event(0) == "sag"
    feed.add(phasors())
    records = feed.run(bank, 100 * MS)
    assert sorted((record.type, record.number) for record in records) == [("sag", 2), ("swell", 1)]
    assert bank.in_event(0) == ""


def test_over_current_is_watched_only_for_its_capture():
    plain = replace(SETTINGS, rated_current=5.0, over_current_threshold_percent=100)
    watching = replace(plain, over_current_waveform=True)
    bank, feed = MeterBank([plain, watching], start_ns=T0), Feed()
    feed.add(phasors(meters=2))
    feed.run(bank, 100 * MS)
    feed.add(phasors(i=6.0, meters=2))
    feed.run(bank, 400 * MS)
    assert bank.events(0) == []
    (event,) = bank.events(1)
    assert (event.type, event.phases, event.start_ns) == ("over_current", "abc", event.trigger_ns)
    assert [record.reason for record in bank.captures(1)] == ["over_current"]


def test_the_plain_model_has_no_power_quality():
    bank, feed = MeterBank([replace(SETTINGS, power_quality=False)], start_ns=T0), Feed()
    assert dip(bank, feed, before_ns=100 * MS, duration_ns=400 * MS) == []
    assert not bank.trigger_capture(0, feed.now)


def test_numbers_go_on_after_a_clear():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    dip(bank, feed, before_ns=100 * MS, duration_ns=400 * MS)
    bank.clear_events(0)
    assert bank.events(0) == []
    dip(bank, feed, before_ns=100 * MS, duration_ns=400 * MS)
    assert [event.number for event in bank.events(0)] == [2]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(-25.0, 25.0), st.integers(1 * MS, 30 * MS)), min_size=3, max_size=15))
def test_steps_close_together_are_recorded_as_the_definition_says(steps):
    # Several boundaries within a window: the bound of one step alone would not hold.
    bank, feed = MeterBank([replace(SETTINGS, sag_half_cycles=4)], start_ns=T0), Feed(theta=1.0)
    feed.add(phasors())
    feed.run(bank, 100 * MS)
    voltage = 200.0
    for step, duration_ns in steps:
        voltage = min(max(voltage + step, 150.0), 250.0)
        feed.add(phasors(voltage))
        feed.run(bank, duration_ns)
    feed.add(phasors())
    feed.run(bank, 200 * MS)
    expected = by_definition(feed, 184.0, 4)
    events = bank.events(0)
    assert bool(events) == (expected is not None)
    if expected is not None:
        first = events[0]
        found = (first.start_ns, first.trigger_ns, first.end_ns)
        assert found == pytest.approx(expected[:3], abs=1)
        assert first.extreme == pytest.approx(expected[3], rel=1e-9)


def test_new_settings_of_one_kind_leave_an_event_of_another_alone():
    # Manual 4.6: only when all phases are back to normal, a new sag is responded to.
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors())
    feed.run(bank, SECOND)
    feed.add(phasors(150.0))
    (begun,) = events_of(feed.run(bank, SECOND))
    swells = replace(SETTINGS, swell_threshold_percent=130, over_current_waveform=True)
    for settings_ in (swells, replace(swells, sag_waveform=not SETTINGS.sag_waveform)):
        assert bank.configure(0, settings_, feed.now) == []
        assert events_of(feed.run(bank, SECOND)) == []
    assert [event.number for event in bank.events(0)] == [begun.number]
    (ended,) = bank.configure(0, replace(swells, sag_threshold_percent=70), feed.now)
    assert (ended.number, ended.end_ns) == (begun.number, feed.now)
    (again,) = events_of(feed.run(bank, SECOND))
    assert again.number == begun.number + 1
    feed.add(phasors())
    (back,) = events_of(feed.run(bank, SECOND))
    assert (back.number, back.end_ns is None) == (again.number, False)


def events_of(records):
    return [record for record in records if isinstance(record, EventRecord)]

"""Pulses that are wired to an input in status mode: each is two changes of status, seen when they happen."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.kw320_io_bench import MS, Bench
from tests.meters.kw320_site import AMPERES, SECOND, START, VOLTS, scaled, segment
from tests.meters.test_alarm_inputs import alarm, trace
from twin.contracts import SoeRecord, WaveformRecord
from twin.meters.pulses import NEVER, TablePulses


def changes(bench):
    return [(one.input, one.on, one.time_ns - START) for one in bench.records if isinstance(one, SoeRecord)]


def watched(steps, *, width=100 * MS):
    bench = Bench()
    bench.write(0x101B, 1)
    bench.io.feed(0, 1, TablePulses([(START + at, rate) for at, rate in steps], width_ns=width))
    return bench


def test_each_pulse_begins_and_ends():
    bench = watched([(SECOND, 2.0)])
    bench.run(2600 * MS)
    begins = [1500, 2000, 2500]
    assert (
        changes(bench)
        == [*(("di1", on, at * MS) for begin in begins for on, at in ((True, begin), (False, begin + 100)))][
            : len(begins) * 2
        ]
    )
    assert bench.registers.unsigned(0x1033) == 6
    # The newest record: second 2, millisecond 600, all inputs off.
    assert bench.registers.row(0x4399 + 5 * 8, 8)[5:] == [2, 600, 0]


def test_pulses_that_run_into_one_another_are_one_change():
    bench = watched([(0, 10.0), (SECOND, 0.0)])
    bench.run(3 * SECOND)
    assert changes(bench) == [("di1", True, 100 * MS), ("di1", False, 1100 * MS)]


def test_neither_how_time_is_cut_nor_who_looks_matters():
    one, other = (watched([(0, 3.7), (7 * SECOND, 0.3)]) for _ in range(2))
    one.run(20 * SECOND)
    for _ in range(200):
        other.run(100 * MS).inputs()
    assert changes(one) == changes(other)
    assert len(changes(one)) > 50


def test_alarms_and_captures_see_them_and_counters_take_over():
    bench = Bench(profile="kw320q")
    bench.write(0x8001, 1)  # DI1 from off to on
    alarm(bench, 1, "di1", 1)
    bench.io.feed(0, 1, TablePulses([(START, 1.0)], width_ns=50 * MS))
    bench.run(2500 * MS)
    assert trace(bench) == [
        (1, kind, at, 0.0)
        for begin in (1000, 2000)
        for kind, at in (("active", begin), ("return", begin + 50))
    ]
    captured = [one.trigger_ns - START for one in bench.records if isinstance(one, WaveformRecord)]
    assert captured == [SECOND, 2 * SECOND]
    bench.run(520 * MS)  # in the third pulse
    assert bench.write(0x109E, 1) is None
    before = len(trace(bench))
    bench.run(2 * SECOND)
    assert bench.count(1) == 2
    assert [kind for _, kind, _, _ in trace(bench)[before:]] == []
    assert bench.inputs() == [1]  # 20 ms after its beginning, the fifth pulse lasts
    assert bench.write(0x109E, 0) is None
    bench.run(100 * MS)
    assert bench.inputs() == []


def test_without_supply_none_is_seen():
    bench = watched([(0, 10.0)], width=20 * MS)
    bench.run(SECOND)
    before = len(changes(bench))
    bench.fleet.set_power(0, on=False, now_ns=bench.now)
    bench.run(5 * SECOND)
    assert len(changes(bench)) == before
    bench.fleet.set_power(0, on=True, now_ns=bench.now)
    bench.run(SECOND)
    assert len(changes(bench)) - before == pytest.approx(20, abs=1)


@given(
    rates=st.lists(st.floats(0.0, 30.0).map(lambda rate: round(rate, 1)), min_size=1, max_size=4),
    width=st.integers(1, 300),
    instants=st.lists(st.integers(0, 5000), min_size=1, max_size=5),
)
def test_a_level_does_not_change_before_the_next_look(rates, width, instants):
    """By brute force over the time to the next look."""
    pulses = TablePulses([(k * SECOND, rate) for k, rate in enumerate(rates)], width_ns=width * MS)
    for at in instants:
        now = at * MS
        level, look = pulses.level(now), pulses.next_look_ns(now)
        assert look > now
        until = min(look, now + 2 * SECOND)
        between = range(now + MS, until, 7 * MS)
        assert all(pulses.level(ns) == level for ns in [*between, until - 1])
        if look == NEVER:
            assert pulses.level(now + 100 * SECOND) == level


# -- energy pulses --------------------------------------------------------------------------------------


def energy_bench(constant=60_000, *, width=20):
    """DO1 counts imported active energy and is wired to DI1, which shows status."""
    bench = Bench()
    bench.write(0x101B, 1)
    bench.write(0x100A, constant)
    bench.write(0x10A5, 0, width, 1)
    bench.io.link(0, "do1", 0, 1)
    return bench


def test_energy_pulses_are_changes_of_status_at_their_own_time():
    bench = energy_bench()
    begin = bench.fleet.energies(0)["ep_imp"]
    bench.run(20 * SECOND)
    # A pulse for each 1/60,000 kWh of the secondary: 200:1 and 40:1.
    per_second = Fraction((bench.fleet.energies(0)["ep_imp"] - begin) / 1000 / 8000 * 60_000 / 20)
    begins = [at for _, on, at in changes(bench) if on]
    assert len(begins) == bench.io.pulses(0, 1) > 20
    for k, at in enumerate(begins, start=1):
        assert at == pytest.approx(math.ceil(k / per_second * SECOND), abs=200)
    ends = [at for _, on, at in changes(bench) if not on]
    assert [end - at for at, end in zip(begins, ends, strict=False)] == pytest.approx(
        [20 * MS] * len(ends), abs=1
    )


def test_energy_pulses_follow_the_power():
    bench = energy_bench()
    bench.run(10_500 * MS)
    before = len(changes(bench))
    bench.feed = segment(scaled(VOLTS, 1.0), scaled(AMPERES, 0.5), start_ns=bench.now)
    bench.run(10 * SECOND)
    after = len(changes(bench)) - before
    assert after / before == pytest.approx(0.5 * 10 / 10.5, abs=0.08)
    assert sum(on for _, on, _ in changes(bench)) == bench.io.pulses(0, 1)


@pytest.mark.parametrize("share", [1e-6, 1e-12, 0.0])
def test_pulses_that_take_ages_are_waited_for(share):
    bench = energy_bench(constant=1)
    bench.feed = segment(VOLTS, scaled(AMPERES, share), start_ns=bench.now)
    bench.run(100 * 3600 * SECOND)
    assert changes(bench) == []


def test_cuts_do_not_move_energy_pulses():
    one, other = energy_bench(), energy_bench()
    for bench, step in ((one, 5 * SECOND), (other, 37 * MS)):
        while bench.now < START + 5 * SECOND:
            bench.run(min(step, START + 5 * SECOND - bench.now))
    assert changes(one) == changes(other)
    assert changes(one)

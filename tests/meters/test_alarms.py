"""Alarms: traces of (time, channel, transition), and the manual's worked example."""

from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import MINUTE, SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import AlarmRecord
from twin.meters.alarms import PARAMETERS, AlarmEngine
from twin.meters.bank import MeterBank
from twin.meters.quantities import COLUMN
from twin.meters.settings import AlarmChannel

MS = 1_000_000
CURRENT = AlarmChannel(9, ">", 4.5, 5 * SECOND, True)
VOLTAGE = AlarmChannel(1, "<", 99.8, 10 * SECOND, True)
EXAMPLE = replace(
    SETTINGS,
    pt1=10_000,
    pt2=100,
    ct1=200,
    ct2=5,
    alarm_enable=True,
    alarm_channels=(CURRENT, VOLTAGE),
    and_pairs=(True,) + (False,) * 7,
)
"""KW320 manual 4.4: I1 above 180 A for 5 s AND U1 below 9980 V for 10 s, CT 200:5, PT 10000:100."""


def with_channels(*channels, pairs=()):
    return replace(
        SETTINGS,
        alarm_enable=True,
        alarm_channels=channels,
        and_pairs=tuple(pair in pairs for pair in range(8)),
    )


def trace(records, start=T0):
    return [
        ((record.time_ns - start) // MS, record.channel, record.transition)
        for record in records
        if isinstance(record, AlarmRecord)
    ]


def run_engine(settings_, script):
    """Evaluate a script of (tick in ms, {quantity: value}); the engine expires delays in between."""
    engine, values, out = AlarmEngine([settings_]), np.zeros((1, 52)), []
    for ms, changes in script:
        while engine.next_deadline_ns < T0 + ms * MS:
            out += engine.expire(engine.next_deadline_ns)
        for name, value in changes.items():
            values[0, COLUMN[name]] = value
        out += engine.evaluate(T0 + ms * MS, values)
    return engine, out


def test_the_worked_example_of_the_manual():
    bank, feed = MeterBank([EXAMPLE], start_ns=T0), Feed()
    feed.add(phasors(10_000.0, 150.0))
    records = feed.run(bank, 10 * SECOND)
    feed.add(phasors(10_000.0, 190.0))  # 10 s: current too high
    records += feed.run(bank, 10 * SECOND)
    feed.add(phasors(9_970.0, 190.0))  # 20 s: voltage too low as well
    records += feed.run(bank, 30 * SECOND)
    feed.add(phasors(9_970.0, 170.0))  # 50 s: current back
    records += feed.run(bank, 10 * SECOND)
    # At 20.1 s the window holds half of each, 9985.01 V; at 50.1 s likewise 180.28 A.
    assert trace(records) == [
        (30_200, 1, "active"),
        (30_200, 2, "active"),
        (50_200, 1, "return"),
        (50_200, 2, "return"),
    ]
    first, second = [record for record in records if isinstance(record, AlarmRecord)][:2]
    assert (first.parameter, first.comparison, second.parameter, second.comparison) == ("i1", ">", "v1", "<")
    assert (first.value, first.setpoint) == pytest.approx((190.0, 180.0))
    assert (second.value, second.setpoint) == pytest.approx((9970.0, 9980.0))


def test_one_condition_of_a_pair_alone_gives_no_alarm():
    bank, feed = MeterBank([EXAMPLE], start_ns=T0), Feed()
    feed.add(phasors(10_000.0, 190.0))
    assert trace(feed.run(bank, 2 * MINUTE)) == []


def test_without_and_the_channels_of_the_example_work_alone():
    bank, feed = MeterBank([replace(EXAMPLE, and_pairs=(False,) * 8)], start_ns=T0), Feed()
    feed.add(phasors(10_000.0, 190.0))
    assert trace(feed.run(bank, 30 * SECOND)) == [(5_100, 1, "active")]


def test_a_delay_is_exact_and_a_condition_that_ends_with_it_gives_none():
    channel = AlarmChannel(9, ">", 4.5, 250 * MS, True)
    script = [(0, {"i1": 5.0}), (300, {"i1": 4.0}), (400, {"i1": 5.0}), (600, {"i1": 4.0})]
    assert trace(run_engine(with_channels(channel), script)[1]) == [(250, 1, "active"), (300, 1, "return")]
    on_the_tick = [(0, {"i1": 5.0}), (300, {"i1": 4.0})]
    exact = replace(channel, delay_ns=300 * MS)
    assert trace(run_engine(with_channels(exact), on_the_tick)[1]) == []


def test_without_delay_the_tick_itself_is_the_time():
    channel = AlarmChannel(17, "<", -100.0, 0, True)
    script = [(0, {"p_sum": -100.0}), (100, {"p_sum": -101.0}), (200, {"p_sum": 0.0})]
    assert trace(run_engine(with_channels(channel), script)[1]) == [(100, 1, "active"), (200, 1, "return")]


def test_equal_compares_counts_of_the_register():
    channel = AlarmChannel(1, "=", 230.0, 0, True)
    script = [(0, {"v1": 230.06}), (100, {"v1": 230.04}), (200, {"v1": 229.94})]
    assert trace(run_engine(with_channels(channel), script)[1]) == [(100, 1, "active"), (200, 1, "return")]


def test_a_reversed_sequence_is_seen_and_its_angle_recorded():
    bank, feed = MeterBank([with_channels(AlarmChannel(51, enabled=True))], start_ns=T0), Feed()
    feed.add(phasors())
    assert trace(feed.run(bank, SECOND)) == []
    feed.add(phasors()[[0, 2, 1, 3, 5, 4]])
    (record,) = feed.run(bank, SECOND)
    assert (record.parameter, record.transition) == ("reversed_phase_sequence", "active")
    assert 0 < record.value < 180
    assert bank.basic(0)["angle_v2_v1"] == pytest.approx(120.0)


def test_a_demand_alarm_falls_on_the_minute():
    one = replace(
        with_channels(AlarmChannel(45, ">", 2000.0, 0, True), AlarmChannel(48, ">", 3.0, 40 * MS, True)),
        demand_window_minutes=1,
    )
    bank, feed = MeterBank([one], start_ns=T0), Feed()
    feed.add(phasors(230.0, 4.0))
    assert trace(feed.run(bank, 3 * MINUTE)) == [(60_000, 1, "active"), (60_040, 2, "active")]


def test_a_disabled_channel_or_meter_is_silent():
    off = with_channels(replace(CURRENT, enabled=False))
    for settings_ in (off, replace(with_channels(CURRENT), alarm_enable=False)):
        engine, records = run_engine(settings_, [(0, {"i1": 9.0}), (60_000, {"i1": 0.0})])
        assert records == []
        assert not engine.watching


def test_new_alarm_settings_start_anew():
    bank, feed = MeterBank([with_channels(CURRENT)], start_ns=T0), Feed()
    feed.add(phasors(230.0, 5.0))
    assert trace(feed.run(bank, 10 * SECOND)) == [(5_100, 1, "active")]
    other = with_channels(replace(CURRENT, delay_ns=0))
    bank.configure(0, other, feed.now)
    assert bank.alarms.active(0) == (False,) * 16
    assert trace(feed.run(bank, SECOND), feed.now - SECOND) == [(100, 1, "active")]
    bank.configure(0, replace(other, location="elsewhere"), feed.now)
    assert bank.alarms.active(0)[0]


def test_new_settings_of_one_channel_leave_the_others_alone():
    # Manual 4.4: a return is recorded when the parameter is back to normal, not when another alarm is set.
    late = replace(CURRENT, delay_ns=20 * SECOND)
    channels = [replace(CURRENT, delay_ns=0), CURRENT, late, late]
    bank, feed = MeterBank([with_channels(*channels, pairs=(1,))], start_ns=T0), Feed()
    feed.add(phasors(230.0, 5.0))
    assert trace(feed.run(bank, 10 * SECOND)) == [(100, 1, "active"), (5_100, 2, "active")]
    changed = [channels[0], replace(CURRENT, setpoint=4.9), *channels[2:], VOLTAGE]
    (record,) = bank.configure(0, with_channels(*changed, pairs=(1,)), feed.now)
    assert (record.channel, record.transition) == (2, "return")
    assert bank.alarms.active(0)[:5] == (True, False, False, False, False)
    # The new limit has its delay from now on; channels 3 and 4 keep theirs, which have run since 0.1 s.
    later = trace(feed.run(bank, 15 * SECOND))
    assert later == [(15_100, 2, "active"), (20_100, 3, "active"), (20_100, 4, "active")]
    # A pair is one alarm: new settings of its second channel concern its first; a switched off one returns.
    changed = [replace(channels[0], enabled=False), changed[1], late, replace(late, setpoint=4.8), VOLTAGE]
    ended = bank.configure(0, with_channels(*changed, pairs=(1,)), feed.now)
    assert [(record.channel, record.transition) for record in ended] == [
        *((1, "return"), (3, "return"), (4, "return"))
    ]
    ended = bank.configure(0, replace(with_channels(*changed, pairs=(1,)), alarm_enable=False), feed.now)
    assert [record.channel for record in ended] == [2]


def test_parameters_are_named_by_the_code_table():
    # KW320 manual 6.3.4, alarming parameter code table.
    known = {0: "frequency", 1: "v1", 4: "v_avg", 5: "v12", 8: "vll_avg", 9: "i1", 12: "i_avg", 13: "i_n"}
    known |= {
        14: "p1",
        17: "p_sum",
        18: "q1",
        20: "q3",
        21: "q_sum",
        22: "s1",
        25: "s_sum",
        26: "pf1",
        29: "pf",
    }
    known |= {30: "v_unbalance", 31: "i_unbalance", 32: "load_type", 33: "thd_v1", 36: "thd_v_avg"}
    known |= {37: "thd_i1", 40: "thd_i_avg", 45: "p_demand", 47: "s_demand", 48: "i1_demand", 50: "i3_demand"}
    assert {code: PARAMETERS[code] for code in known} == known

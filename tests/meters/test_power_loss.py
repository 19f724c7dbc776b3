"""A meter without supply: what it forgets, what it keeps, and what it does not notice."""

from dataclasses import replace

import pytest

from tests.meters.data_log_site import FRAMES, Site
from tests.meters.feed import MINUTE, SECOND, SETTINGS, T0, Feed, phasors
from tests.meters.kw320_registers import CONFIG, Registers
from tests.meters.kw320_site import AMPERES, START, VOLTS, segment
from twin.contracts import AlarmRecord, EventRecord, IntervalBlock, Refusal
from twin.meters import build_fleet
from twin.meters.bank import BankError, MeterBank
from twin.meters.settings import AlarmChannel

POWER = 3 * 230 * 4.0
HOUR = 60 * MINUTE


def bank_and_feed(*settings):
    bank = MeterBank(settings or [SETTINGS], start_ns=T0)
    feed = Feed()
    feed.add(phasors(meters=len(settings) or 1))
    return bank, feed


def test_energy_is_counted_while_there_is_supply_alone():
    other = replace(SETTINGS, name="other")
    bank, feed = bank_and_feed(SETTINGS, other)
    feed.run(bank, 20 * MINUTE)
    bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    feed.run(bank, 25 * MINUTE + 7)
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    feed.run(bank, 15 * MINUTE)
    assert bank.energies(0)["ep_imp"] == pytest.approx(POWER * 35 / 60)
    assert bank.energies(1)["ep_imp"] == pytest.approx(POWER * (60 + 7 / MINUTE) / 60)


def test_time_must_be_now():
    bank, feed = bank_and_feed()
    feed.run(bank, SECOND)
    with pytest.raises(BankError):
        bank.set_power(0, on=False, now_ns=T0)


@pytest.mark.parametrize("mode", ["sliding", "fixed", "thermal"])
def test_demand_begins_anew(mode):
    bank, feed = bank_and_feed(replace(SETTINGS, demand_window_minutes=5, demand_mode=mode))
    feed.run(bank, 31 * MINUTE)  # a multiple of five minutes since the epoch
    shown = POWER * (1 - 0.1 ** (31 / 5) if mode == "thermal" else 1)
    assert bank.basic(0)["p_demand"] == pytest.approx(shown)
    bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    feed.run(bank, 10 * MINUTE)
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    feed.run(bank, 5 * MINUTE)
    # After one window: all of it, or 90 % of the thermal step.
    assert bank.basic(0)["p_demand"] == pytest.approx(POWER * (0.9 if mode == "thermal" else 1.0))
    # The maximum of before stays.
    assert bank.extremes(0)["max_p_demand"].value == pytest.approx(shown)
    assert bank.extremes(0)["max_p_demand"].time_ns <= T0 + 31 * MINUTE


def test_extremes_stay_and_do_not_see_what_is_not_measured():
    bank, feed = bank_and_feed()
    feed.run(bank, MINUTE)
    bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    feed.add(phasors(v=400.0))
    feed.run(bank, MINUTE)
    feed.add(phasors(v=100.0))
    feed.run(bank, MINUTE)
    feed.add(phasors())
    feed.run(bank, MINUTE)
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    feed.run(bank, MINUTE)
    extremes = bank.extremes(0)
    assert (extremes["max_v1"].value, extremes["min_v1"].value) == pytest.approx((230.0, 230.0))
    feed.add(phasors(v=240.0))
    feed.run(bank, MINUTE)
    assert bank.extremes(0)["max_v1"].value == pytest.approx(240.0)


def test_sags_and_alarms_of_the_dark_are_not_recorded():
    over = AlarmChannel(parameter=9, comparison=">", setpoint=3.0, delay_ns=SECOND, enabled=True)
    bank, feed = bank_and_feed(replace(SETTINGS, alarm_enable=True, alarm_channels=(over,)))
    before = feed.run(bank, 10 * SECOND)
    assert [record.transition for record in before if isinstance(record, AlarmRecord)] == ["active"]
    low = phasors()
    low[0] = 100.0
    feed.add(low)
    feed.run(bank, SECOND)
    assert bank.in_event(0) == "sag"
    records = bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    (ended,) = [record for record in records if isinstance(record, EventRecord)]
    assert (ended.type, ended.end_ns) == ("sag", bank.cursor_ns)
    assert bank.in_event(0) == ""
    assert bank.alarms.active(0) == (False,) * 16
    feed.add(phasors(v=100.0))
    assert not [r for r in feed.run(bank, 20 * SECOND) if not isinstance(r, IntervalBlock)]
    feed.add(phasors())
    feed.run(bank, 20 * SECOND)
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    came_back = bank.cursor_ns
    after = feed.run(bank, 20 * SECOND)
    # The condition still holds: the delay runs anew from the first tick.
    (alarm,) = [record for record in after if isinstance(record, AlarmRecord)]
    assert alarm.transition == "active"
    assert came_back + SECOND <= alarm.time_ns <= came_back + SECOND + SECOND // 10
    assert len(bank.events(0)) == 1


def test_a_sag_that_lasts_when_the_supply_comes_back_is_found_then():
    bank, feed = bank_and_feed()
    feed.run(bank, SECOND)
    bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    low = phasors()
    low[1] = 100.0
    feed.add(low)
    feed.run(bank, 5 * SECOND)
    assert bank.events(0) == []
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    came_back = bank.cursor_ns
    feed.run(bank, SECOND)
    (sag,) = bank.events(0)
    # Ten half cycles of 50 Hz.
    assert came_back + 90_000_000 <= sag.trigger_ns <= came_back + 110_000_000


def test_intervals_end_and_begin_with_the_supply():
    bank, feed = bank_and_feed()
    blocks = [r for r in feed.run(bank, 20 * MINUTE) if isinstance(r, IntervalBlock)]
    blocks += [r for r in bank.set_power(0, on=False, now_ns=bank.cursor_ns) if isinstance(r, IntervalBlock)]
    blocks += [r for r in feed.run(bank, 3 * MINUTE) if isinstance(r, IntervalBlock)]
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    blocks += [r for r in feed.run(bank, 37 * MINUTE) if isinstance(r, IntervalBlock)]
    # T0 lies a minute before a quarter of an hour.
    spans = [(0, 1), (1, 16), (16, 20), (23, 31), (31, 46)]
    assert [(block.end_ns - T0) // MINUTE for block in blocks] == [end for _, end in spans]
    lengths = [float(block.duration_s[0]) for block in blocks]
    assert lengths == pytest.approx([60.0 * (end - start) for start, end in spans])
    for block in blocks:
        means = dict(zip(block.channels, block.values[0], strict=True))
        assert means["v1_avg"] == pytest.approx(230.0)
        assert means["v1_max"] == pytest.approx(230.0)


def test_a_capture_that_waits_is_lost():
    bank, feed = bank_and_feed()
    feed.run(bank, SECOND)
    assert bank.trigger_capture(0, bank.cursor_ns)
    bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    feed.run(bank, SECOND)
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    feed.run(bank, SECOND)
    assert bank.captures(0) == []


def test_where_time_is_cut_changes_nothing():
    shown = []
    for cuts in ((), [T0 + step * 7_300_000_000 for step in range(1, 60)]):
        bank, feed = bank_and_feed(
            replace(SETTINGS, accuracy="class"), replace(SETTINGS, name="o", demand_mode="thermal")
        )
        records = feed.run(bank, 2 * MINUTE + 3, cuts=cuts)
        records += bank.set_power(1, on=False, now_ns=bank.cursor_ns)
        records += feed.run(bank, 3 * MINUTE, cuts=cuts)
        records += bank.set_power(1, on=True, now_ns=bank.cursor_ns)
        records += feed.run(bank, 2 * MINUTE, cuts=cuts)
        shown.append([bank.energies(0), bank.energies(1), bank.extremes(0), bank.extremes(1)])
        shown[-1] += [bank.basic_table()["p_demand"].tolist()]
    assert shown[0] == shown[1]


# -- the registers -----------------------------------------------------------------------------------


def test_registers_stand_still_settings_and_clock_survive():
    fleet = build_fleet([CONFIG], start_ns=START)
    whole = segment(VOLTS, AMPERES, start_ns=START)
    fleet.advance(whole, START + HOUR)
    assert fleet.write(0, 0x1008, [500, 5], fleet.now_ns).refusal is None
    fleet.write(0, 0x1045, [30], fleet.now_ns)  # the clock is set half a minute ahead
    before = Registers(fleet)
    fleet.set_power(0, on=False, now_ns=fleet.now_ns)
    assert not fleet.powered(0)
    fleet.advance(whole, START + 3 * HOUR)
    dark = Registers(fleet)
    assert {address for address in dark.word if dark.word[address] != before.word[address]} == {0x10200}
    answer = fleet.write(0, 0x1008, [100, 5], fleet.now_ns)
    assert (answer.refusal, answer.detail) == (Refusal.NO_SUPPLY, "head has no supply")
    fleet.set_power(0, on=True, now_ns=fleet.now_ns)
    fleet.advance(whole, START + 3 * HOUR + 36 * SECOND)
    after = Registers(fleet)
    assert after.row(0x1008, 2) == [500, 5]
    # 1034H in hundredths of an hour: an hour, and 36 s of the fourth.
    assert (before.dword(0x1034), after.dword(0x1034)) == (100, 101)
    # The battery drives the clock: 06:00 UTC + 3 h + 36 s, half a minute ahead.
    assert after.row(0x1040, 6) == [2026, 1, 15, 9, 1, 6]
    # 36 s are a hundredth of an hour, and the new ratio counts two and a half times as much.
    assert after.dword(0x4048) / before.dword(0x4048) == pytest.approx(1.025, rel=1e-4)
    # Alarm records stay; the channel starts anew and records again after its delay of 5 s.
    assert (before.unsigned(0x1032), after.unsigned(0x1032)) == (1, 2)
    assert after.row(0x42A9, 10) == before.row(0x42A9, 10)
    # Maxima stay.
    assert after.row(0x4136, 7) == before.row(0x4136, 7)


def test_what_it_is_already_changes_nothing():
    fleet = build_fleet([CONFIG], start_ns=START)
    whole = segment(VOLTS, AMPERES, start_ns=START)
    fleet.advance(whole, START + 90 * SECOND)
    fleet.set_power(0, on=True, now_ns=fleet.now_ns)
    fleet.advance(whole, START + 10 * 60 * SECOND)
    assert Registers(fleet).dword(0x1034) == 16  # 600 s of 36 s each


def test_data_logs_have_a_gap():
    site = Site()
    site.set_up(*FRAMES)
    site.run(5 * MINUTE + SECOND)
    site.fleet.set_power(0, on=False, now_ns=site.now)
    site.run(4 * MINUTE)
    site.fleet.set_power(0, on=True, now_ns=site.now)
    site.run(3 * MINUTE)
    minutes = [record.stamp[4] for record in site.retrieve()]
    assert minutes == [1, 2, 3, 4, 5, 10, 11, 12]


def test_a_logger_takes_its_means_over_the_time_with_supply():
    bank = MeterBank([SETTINGS], start_ns=T0, logged=(0,))
    feed = Feed()
    feed.add(phasors())
    feed.run(bank, 10 * SECOND)
    bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    feed.run(bank, 25 * SECOND)
    bank.set_power(0, on=True, now_ns=bank.cursor_ns)
    feed.run(bank, 5 * SECOND)
    bank.set_power(0, on=False, now_ns=bank.cursor_ns)
    feed.run(bank, 20 * SECOND)
    v1 = 1
    closed = bank.close_intervals([0])
    assert closed.duration_s.tolist() == [15.0]
    assert [closed.mean[0, v1], closed.low[0, v1], closed.high[0, v1]] == pytest.approx([230.0] * 3)
    feed.run(bank, 20 * SECOND)
    assert bank.close_intervals([0]).duration_s.tolist() == [0.0]

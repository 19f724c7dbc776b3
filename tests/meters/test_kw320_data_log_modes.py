"""When data logs record: modes, full logs, settings and clocks that change, summer time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.data_log_site import CONFIG, FRAMES, MINUTE, SIZE_FRAME, Site
from tests.meters.kw320_site import AMPERES, SECOND, START, VOLTS, rms, scaled, segment
from twin.meters import MeterConfig, build_fleet
from twin.meters.kw320.clock import MeterClock
from twin.meters.kw320.clock_search import NEVER, next_shown
from twin.meters.kw320.data_log_memory import DATA_LOG_BYTES, DataLogMemory
from twin.meters.kw320.data_log_settings import DataLogSettings

HOUR = 60 * MINUTE
DAY = 24 * HOUR


# -- the manual's example (6.3.8) -------------------------------------------------------------------------


LARGE = [0x4000 + k for k in range(117)]
LARGE_FRAMES = ((0x1102, LARGE), (0x1100, [117 << 8 | 2]), (0x1101, [1]))
"""Records of 246 octets: 266 a sector, 532 in two."""


def test_a_full_ring_erases_its_first_sector():
    site = Site()
    site.set_up(*LARGE_FRAMES)
    site.run(532 * MINUTE)
    assert site.status()[:2] == (532, 532)
    site.write(0x6000, [0, 0x010B, 0, 0])
    site.run(MINUTE)
    assert site.status()[:2] == (532, 267)
    # Offset 0 was latched at record 1, which is gone; the record that is oldest now has offset 266.
    assert site.read(0x6001, 1) == [0x01FF]
    site.write(0x6003, [266])
    assert site.read(0x6001, 1) == [0x010B]
    assert site.read(0x6004, 2) == [0, 267]
    # Naming the log again latches anew.
    assert [record.number for record in site.retrieve()] == list(range(267, 534))
    minutes = [60 * record.stamp[3] + record.stamp[4] for record in site.retrieve()]
    assert minutes == [(360 + 266 + k) for k in range(1, 268)]


def test_a_latched_offset_holds_while_records_come():
    site = Site()
    site.set_up()
    site.run(5 * MINUTE)
    site.write(0x6000, [0, 0x010B, 0, 4])
    assert site.read(0x6004, 2) == [0, 5]
    site.run(5 * MINUTE)
    assert site.read(0x6004, 2) == [0, 5]
    site.write(0x6003, [9])
    assert site.read(0x6004, 2) == [0, 10]


def test_a_window_stops_when_full():
    site = Site()
    start, end = [0x1A01, 0x0F06, 0x0A00], [0x1A02, 0x0F06, 0x0A00]  # 2026-01-15 06:10:00 and a month on
    site.set_up((0x11B2, [1, *start, *end]), *LARGE_FRAMES)
    site.run(12 * HOUR)
    assert site.status() == (532, 532, 246, (26, 1, 15, 6, 10, 0), (26, 1, 15, 15, 1, 0))
    assert site.fleet._data_logs.next_ns == NEVER


# -- modes ------------------------------------------------------------------------------------------------


def test_a_window_begins_and_ends():
    site = Site()
    start, end = [0x1A01, 0x0F06, 0x0A1E], [0x1A01, 0x0F06, 0x190A]  # 06:10:30 to 06:25:10
    site.set_up((0x11B2, [1, *start, *end]), *FRAMES[:3], (0x1101, [7]))
    site.run(HOUR)
    # 06:10:30, 06:17:30, 06:24:30
    assert [record.stamp[3:] for record in site.retrieve()] == [(6, 10, 30), (6, 17, 30), (6, 24, 30)]


def test_a_window_without_a_date_never_opens():
    site = Site()
    site.set_up((0x11B2, [1]), *FRAMES)
    site.run(HOUR)
    assert site.retrieve() == []


def test_daily():
    site = Site()
    # Day and second do not matter, only 11B4H's hour and 11B5H's minute: 02:30.
    site.set_up((0x11B2, [2, 0, 0x1102, 0x1E07]), *FRAMES)
    site.run(3 * DAY)
    assert [record.stamp for record in site.retrieve()] == [(26, 1, day, 2, 30, 0) for day in (16, 17, 18)]


def test_interval_zero_switches_off():
    site = Site()
    site.set_up()
    site.run(3 * MINUTE)
    site.set(0x1101, [0])
    site.run(3 * MINUTE)
    assert site.status() == (27300, 0, 24, (0,) * 6, (0,) * 6)
    assert site.fleet._data_logs.next_ns == NEVER


def test_any_change_of_the_settings_erases_that_log_alone():
    site = Site()
    site.set_up(*FRAMES, *((address + 0xC0, words) for address, words in FRAMES))
    site.run(3 * MINUTE)
    assert site.set(*SIZE_FRAME) is None  # the same value: nothing changes
    assert len(site.retrieve(1)) == 3
    site.set(0x1177, [0x0101])
    site.run(MINUTE)
    assert [record.number for record in site.retrieve(1)] == [1]
    assert [record.number for record in site.retrieve(2)] == [1, 2, 3, 4]


# -- the clock ------------------------------------------------------------------------------------------


def test_setting_the_clock_moves_the_records():
    site = Site()
    site.set_up(*FRAMES[:3], (0x1101, [15]))
    site.run(20 * MINUTE)
    assert site.set(0x1043, [9, 44, 50]) is None  # 06:20:00 becomes 09:44:50
    site.run(16 * MINUTE)
    assert [record.stamp[3:] for record in site.retrieve()] == [(6, 15, 0), (9, 45, 0), (10, 0, 0)]


def instants(clock, after, wanted, count):
    found = []
    for _ in range(count):
        after = next_shown(clock, after, wanted)
        found.append(after)
    return found


def test_hours_over_the_ends_of_summer_time():
    clock = MeterClock("Europe/Paris")

    def whole_hour(shown):
        return (shown // HOUR + 1) * HOUR

    spring = 1_774_742_400 * SECOND  # 2026-03-29 00:00 UTC, 01:00 in Paris
    found = instants(clock, spring, whole_hour, 3)
    assert [(at - spring) // HOUR for at in found] == [1, 2, 3]
    assert [clock.stamp(at)["hour"] for at in found] == [3, 4, 5]
    autumn = 1_792_886_400 * SECOND  # 2026-10-25 00:00 UTC, 02:00 in Paris
    found = instants(clock, autumn, whole_hour, 3)
    assert [(at - autumn) // HOUR for at in found] == [1, 2, 3]
    assert [clock.stamp(at)["hour"] for at in found] == [2, 3, 4]


def test_a_time_that_is_left_out_is_not_wanted():
    clock = MeterClock("Europe/Paris")

    def half_past_two(shown):
        return (shown - 150 * MINUTE) // DAY * DAY + DAY + 150 * MINUTE

    before = 1_774_656_000 * SECOND  # 2026-03-28 00:00 UTC
    days = [clock.stamp(at)["day"] for at in instants(clock, before, half_past_two, 3)]
    assert days == [28, 30, 31]


@given(
    interval=st.sampled_from([1, 7, 15, 60, 1440]),
    zone=st.sampled_from(["UTC", "Europe/Paris", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    after=st.integers(0, 365 * 24 * 3600),
)
def test_next_instant_is_the_first(interval, zone, after):
    """By brute force over the minutes of two days, at which all zones change."""
    clock, step = MeterClock(zone), interval * MINUTE
    after = START + after * SECOND
    found = next_shown(clock, after, lambda shown: (shown // step + 1) * step)
    minute = after // MINUTE * MINUTE + MINUTE
    while clock.local_ns(minute) % step:
        minute += MINUTE
    assert found == minute


# -- memory ----------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 2), st.integers(1, 117), st.integers(0, 4)),
            st.tuples(st.integers(0, 2), st.integers(1, 1500)),
        ),
        max_size=12,
    )
)
def test_the_memory_holds_the_newest_sectors(steps):
    """Against plain lists, with other sizes and sectors now and then."""
    memory = DataLogMemory(memoryview(bytearray(DATA_LOG_BYTES)))
    kept = [[], [], []]
    sizes = [(0, 0), (0, 0), (0, 0)]
    for step in steps:
        log = step[0]
        if len(step) == 3:
            sizes[log], kept[log] = step[1:], []
            memory.configure(log, DataLogSettings((0x4000,) * step[1], step[2], 1))
            continue
        registers, sectors = sizes[log]
        per_sector = math.floor(65536 / (12 + 2 * registers))
        if not registers or not sectors:
            continue
        for _ in range(step[1]):
            number = memory.next_number(log)
            if len(kept[log]) == sectors * per_sector:
                del kept[log][:per_sector]
            kept[log].append(number)
            memory.append(log, np.full(6 + registers, number % 65536, np.uint16))
    for log in range(3):
        assert list(memory.numbers(log)) == kept[log]
        for number in kept[log][:: max(1, len(kept[log]) // 40)]:
            assert set(memory.record(log, number).tolist()) == {number % 65536}


def test_logs_move_to_shared_memory_and_back_to_a_reader():
    site = Site()
    site.set_up()
    site.run(5 * MINUTE)
    memory = memoryview(bytearray(site.fleet.log_bytes(0)))
    site.fleet.publish_log_in(0, memory)
    site.run(5 * MINUTE)
    site.window = site.fleet.window_factory(0)(memory)[-1]
    assert [record.number for record in site.retrieve()] == list(range(1, 11))


# -- whose time it costs, and what does not change it ---------------------------------------------------


def test_records_do_not_depend_on_how_time_is_cut():
    def lived(steps):
        site = Site(MeterConfig(name="head", pt1=20_000, pt2=100, ct1=200, ct2=5, seed=5))
        site.set_up(*FRAMES, (0x11C2, [0x4048, 0x4049, 0x405A]), (0x11C0, [0x0301]), (0x11C1, [2]))
        for step in steps:
            site.run(step)
        return [(record.number, record.stamp, record.data) for log in (1, 2) for record in site.retrieve(log)]

    assert lived([10 * MINUTE]) == lived([7 * SECOND, 3 * MINUTE, 11 * SECOND, 402 * SECOND])


def test_meters_record_together_each_its_own_values():
    configs = [MeterConfig(name=f"m{k}", profile="kw320", accuracy="ideal") for k in range(3)]
    fleet = build_fleet(configs, start_ns=START)
    volts = [channel for k in range(3) for channel in (*scaled(VOLTS, 0.01 * (k + 1)), *AMPERES)]
    feed = segment(volts, [], start_ns=START)
    fleet.advance(feed, START)
    for meter in range(3):
        for address, words in FRAMES:
            fleet.write(meter, address, words, START)
    fleet.advance(feed, START + 2 * MINUTE)
    for meter in range(3):
        window = fleet.windows(meter)[-1]
        words, _ = window.read(window.write(window.initial(), 0x6001, [0x0A0B, 0, 0]), 0x6004, 24)
        first = words[5:11].astype(">u2").view(">f4")
        assert first == pytest.approx([0.01 * (meter + 1) * rms(v) for v in VOLTS], rel=1e-6)


def test_a_meter_is_set_up_with_its_logs():
    registers = {"log1_registers_sectors": 0x0201, "log1_interval_minutes": 1}
    registers |= {"log1_register_1": 0x4000, "log1_register_2": 0x4001}
    site = Site(MeterConfig(name="head", registers=registers))
    site.run(2 * MINUTE)
    assert len(site.retrieve()) == 2
    assert CONFIG.registers == {}

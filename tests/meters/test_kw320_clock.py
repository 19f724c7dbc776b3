"""The meter's clock shows local time, is set without moving simulated time, and keeps its stamps."""

from datetime import UTC, datetime

import pytest

from twin.meters.kw320.clock import FIELDS, MeterClock

SECOND = 1_000_000_000


def utc(*fields):
    return int(datetime(*fields, tzinfo=UTC).timestamp()) * SECOND


def shown(clock, ns):
    registers = clock.registers(ns)
    return tuple(registers[field] for field in FIELDS)


def test_worked_example_of_the_manual():
    # Manual 5.1.6.4.2: 07D6 000C 0012 000E 000F 0014 = 2006-12-18 14:15:20, a Monday.
    clock = MeterClock("UTC")
    registers = clock.registers(utc(2006, 12, 18, 14, 15, 20))
    assert [registers[field] for field in FIELDS] == [0x07D6, 0x000C, 0x0012, 0x000E, 0x000F, 0x0014]
    assert registers["week"] == 1


def test_local_time_follows_daylight_saving():
    clock = MeterClock("Europe/London")
    assert shown(clock, utc(2026, 3, 29, 0, 59, 59)) == (2026, 3, 29, 0, 59, 59)
    assert shown(clock, utc(2026, 3, 29, 1, 0, 0)) == (2026, 3, 29, 2, 0, 0)
    assert shown(clock, utc(2026, 10, 25, 0, 59, 59)) == (2026, 10, 25, 1, 59, 59)
    assert shown(clock, utc(2026, 10, 25, 1, 0, 0)) == (2026, 10, 25, 1, 0, 0)


def test_time_before_the_epoch_and_milliseconds():
    clock = MeterClock("UTC")
    assert shown(clock, -SECOND) == (1969, 12, 31, 23, 59, 59)
    assert clock.stamp(1_999_999_999)["millisecond"] == 999


def test_setting_moves_the_clock_alone():
    clock = MeterClock("UTC")
    now = utc(2026, 1, 15, 6, 0, 0) + 250_000_000
    clock.set(dict(zip(FIELDS, (2006, 12, 18, 14, 15, 20), strict=True)), now)
    assert shown(clock, now) == (2006, 12, 18, 14, 15, 20)
    assert clock.stamp(now)["millisecond"] == 0
    assert shown(clock, now + 40 * SECOND) == (2006, 12, 18, 14, 16, 0)


def test_setting_the_minute_keeps_the_rest():
    clock = MeterClock("UTC")
    now = utc(2026, 1, 15, 6, 7, 8) + 250_000_000
    clock.set({"minute": 30}, now)
    assert shown(clock, now) == (2026, 1, 15, 6, 30, 8)
    assert clock.stamp(now)["millisecond"] == 250


def test_stamps_of_the_past_stay():
    clock = MeterClock("UTC")
    then, now = utc(2026, 1, 15, 6, 0, 0), utc(2026, 1, 15, 7, 0, 0)
    clock.set({"year": 2030}, now)
    clock.set({"year": 2031}, now + SECOND)
    assert clock.stamp(then)["year"] == 2026
    assert clock.stamp(now)["year"] == 2030
    assert clock.stamp(now + SECOND)["year"] == 2031


def test_day_of_the_week_follows_the_date_until_it_is_set():
    clock = MeterClock("UTC")
    sunday = utc(2026, 1, 18, 12, 0, 0)
    assert [clock.registers(sunday + day * 86400 * SECOND)["week"] for day in range(8)] == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        0,
    ]
    clock.set({"week": 3}, sunday)
    assert clock.registers(sunday)["week"] == 3
    assert clock.registers(sunday + 86400 * SECOND)["week"] == 4
    clock.set({"hour": 11, "minute": 59, "second": 58}, sunday)  # the time of the day is not the date
    assert clock.registers(sunday)["week"] == 3
    clock.set({"day": 19}, sunday)
    assert clock.registers(sunday)["week"] == 1


def test_no_such_date():
    clock = MeterClock("UTC")
    with pytest.raises(ValueError, match="day"):
        clock.set({"month": 2, "day": 30}, utc(2026, 1, 15, 0, 0, 0))

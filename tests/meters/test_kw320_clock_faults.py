"""A clock that drifts, jumps or stands in another zone: what it shows, and when it comes to show a time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.data_log_site import MINUTE, Site
from twin.meters.kw320.clock import FIELDS, ClockCourse, MeterClock
from twin.meters.kw320.clock_search import next_month, next_shown

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def utc(*fields):
    return int(datetime(*fields, tzinfo=UTC).timestamp()) * SECOND


NOW = utc(2026, 1, 15, 6, 0, 0)


def shown(clock, ns):
    registers = clock.registers(ns)
    return tuple(registers[field] for field in FIELDS)


def clock_with(zone="UTC", now_ns=NOW, **course):
    clock = MeterClock(zone)
    clock.disturb(now_ns, ClockCourse(**course))
    return clock


def test_a_drift_is_what_it_says():
    # 100 ppm are 8.64 s a day.
    for drift, day in ((100_000, 8.64), (-100_000, -8.64)):
        clock = clock_with(drift=drift)
        assert clock.local_ns(NOW) == NOW
        assert (clock.local_ns(NOW + 24 * HOUR) - NOW - 24 * HOUR) / SECOND == pytest.approx(day, abs=1e-9)
        assert clock.local_ns(NOW - 1) == NOW - 1  # what it showed before stays


def test_setting_a_drifting_clock_corrects_it_and_it_drifts_on():
    clock = clock_with(drift=1_000_000)
    later = NOW + 1000 * SECOND
    assert shown(clock, later) == (2026, 1, 15, 6, 16, 41)
    clock.set(dict(zip(FIELDS, (2026, 1, 15, 6, 16, 40), strict=True)), later)
    assert clock.local_ns(later) == later
    assert clock.local_ns(later + 1000 * SECOND) == later + 1001 * SECOND


def test_jumps_add_up_and_whoever_sets_the_clock_right_takes_them_away():
    clock = clock_with(step_ns=-HOUR)
    clock.disturb(NOW + HOUR, ClockCourse(step_ns=2 * HOUR, drift=5000))
    assert clock.local_ns(NOW + HOUR) == NOW + 2 * HOUR
    clock.disturb(NOW + 2 * HOUR, ClockCourse(right=True))
    assert clock.local_ns(NOW + 3 * HOUR) == NOW + 3 * HOUR


def test_another_zone_has_its_own_summer():
    clock = clock_with("Europe/London", time_zone="America/New_York")
    assert shown(clock, NOW) == (2026, 1, 15, 1, 0, 0)
    assert shown(clock, utc(2026, 3, 20, 12)) == (2026, 3, 20, 8, 0, 0)  # London is still on winter time
    clock.disturb(utc(2026, 6, 1), ClockCourse(right=True))
    assert shown(clock, utc(2026, 7, 1, 12)) == (2026, 7, 1, 13, 0, 0)


def test_clocks_that_show_the_same_are_told_from_those_that_do_not():
    alike = [clock_with(drift=700), clock_with(drift=700)]
    assert alike[0].signature(NOW + HOUR) == alike[1].signature(NOW + HOUR)
    later = clock_with(now_ns=NOW + HOUR, drift=700)
    assert later.signature(NOW + 2 * HOUR) != alike[0].signature(NOW + 2 * HOUR)
    assert MeterClock("UTC").signature(NOW) == clock_with().signature(NOW)


@given(
    drift=st.integers(-10_000_000, 10_000_000),
    passed=st.integers(0, 40 * 24 * HOUR),
    wanted=st.integers(0, 30 * 24 * HOUR),
)
def test_running_on_ends_at_the_first_instant_that_shows_as_much(drift, passed, wanted):
    clock = clock_with(drift=drift)
    at = NOW + passed
    then = clock.run_on_ns(at, wanted)
    target = clock.local_ns(at) + wanted
    assert clock.local_ns(then) >= target
    assert clock.local_ns(then) - target <= 1
    assert wanted == 0 or clock.local_ns(then - 1) < target


@given(
    drift=st.integers(-2_000_000, 2_000_000),
    start=st.integers(0, 365 * 24 * 3600),
    minutes=st.sampled_from([1, 15, 60, 1440]),
)
def test_a_wanted_time_is_found_with_any_drift_and_over_any_change_of_summer_time(drift, start, minutes):
    step = minutes * 60 * SECOND
    clock = clock_with("Europe/London", drift=drift)
    at = NOW + start * SECOND + 123_456_789
    found = next_shown(clock, at, lambda local: (local // step + 1) * step)
    assert at < found
    assert 0 <= clock.local_ns(found) % step <= 1
    # Nothing was passed over: the clock left out or showed twice at most an hour on the way.
    assert found - at <= 1.003 * step + HOUR + 1


def test_a_month_ends_when_the_meter_thinks_so():
    fast = clock_with("Europe/London", drift=1_000_000)
    end = next_month(fast, NOW)
    exact = utc(2026, 2, 1)
    assert shown(fast, end) == (2026, 2, 1, 0, 0, 0)
    # Since the 15th it has gained a thousandth of 16.75 days.
    assert (exact - end) / SECOND == pytest.approx((exact - NOW) / SECOND * 1e-3 / 1.001, rel=1e-9)


def test_a_data_log_follows_a_clock_that_drifts():
    site = Site()
    site.set_up()
    site.fleet.disturb_clock(0, site.now, ClockCourse(drift=10_000_000))
    site.run(101 * MINUTE)
    # In 101 minutes the clock has shown 102.01 minutes' ends, each stamped as it was shown.
    stamps = [record.stamp for record in site.retrieve()]
    assert stamps == [(26, 1, 15, 6 + minute // 60, minute % 60, 0) for minute in range(1, 103)]


def test_zones_are_those_of_the_time_zone_database():
    for zone in ("Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"):
        clock = clock_with(time_zone=zone)
        local = datetime.fromtimestamp(NOW / SECOND, tz=ZoneInfo(zone))
        assert shown(clock, NOW) == local.timetuple()[:6]

"""Local times to UTC, across midnight and clock changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from twin.scenario import local_text, parse_local, utc_text
from twin.scenario.times import time_zone

LONDON = ZoneInfo("Europe/London")


def utc_ns(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9


def test_winter_and_summer_time():
    assert parse_local("2026-01-15 06:00", LONDON) == utc_ns(2026, 1, 15, 6)
    assert parse_local("2026-07-15 06:00", LONDON) == utc_ns(2026, 7, 15, 5)


def test_a_time_without_a_date_is_the_next_one():
    start = parse_local("2026-01-15 06:00", LONDON)
    assert parse_local("18:42:10.003", LONDON, after_ns=start) == utc_ns(2026, 1, 15, 18, 42, 10) + 3_000_000
    assert parse_local("05:59", LONDON, after_ns=start) == utc_ns(2026, 1, 16, 5, 59)
    assert parse_local("6:00", LONDON, after_ns=start) == start


def test_a_time_that_the_clock_skips_today_is_tomorrows():
    start = parse_local("2026-03-29 00:30", LONDON)
    assert parse_local("01:30", LONDON, after_ns=start) == utc_ns(2026, 3, 30, 0, 30)


def test_nanoseconds_are_kept():
    assert parse_local("2026-01-15 06:00:00.000000001", LONDON) % 10**9 == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("six", "'six' is no time; write 18:42"),
        ("18:42", "'18:42' has no date; write it as 2026-01-15 18:42"),
        ("2026-01-15 25:00", "'2026-01-15 25:00' is no time"),
        ("2026-02-30 10:00", "'2026-02-30 10:00' is no time"),
        ("2026-03-29 01:30", "the clock skips 2026-03-29 01:30:00 in Europe/London"),
    ],
)
def test_what_is_no_time(text, message):
    with pytest.raises(ValueError, match="^" + message):
        parse_local(text, LONDON)


def test_texts():
    at = utc_ns(2026, 7, 15, 5) + 250_000_000
    assert local_text(at, LONDON) == "2026-07-15 06:00:00.250"
    assert utc_text(at) == "2026-07-15T05:00:00.250Z"


@pytest.mark.parametrize("name", ["Europe/Londres", "", "../etc", "Europe"])
def test_unknown_zones(name):
    with pytest.raises(ValueError, match="is no time zone; give an IANA name"):
        time_zone(name)

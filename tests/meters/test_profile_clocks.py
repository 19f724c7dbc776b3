"""Intervals of the load profile end when the meter's own clock shows a multiple of their length."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.kw320_site import AMPERES, VOLTS, segment
from twin.contracts import IntervalBlock
from twin.meters import MeterConfig, build_fleet
from twin.meters.kw320.clock import ClockCourse, MeterClock
from twin.meters.kw320.clock_search import minutes_ahead, next_shift

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def instant(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * SECOND


class Site:
    """Meters on one steady signal, by the zones of their clocks."""

    def __init__(self, start_ns, *zones, minutes=60):
        configs = [
            MeterConfig(name=zone, time_zone=zone, load_profile_minutes=minutes, accuracy="ideal")
            for zone in zones
        ]
        self.fleet = build_fleet(configs, start_ns=start_ns)
        self.feed = segment([*VOLTS, *AMPERES] * len(zones), (), start_ns=start_ns)
        self.ends = {zone: [] for zone in zones}
        self.lengths = {zone: [] for zone in zones}

    def run_to(self, ns):
        for block in self.fleet.advance(self.feed, ns):
            if isinstance(block, IntervalBlock):
                for name, seconds in zip(block.meters, block.duration_s.tolist(), strict=True):
                    self.ends[name].append(block.end_ns)
                    self.lengths[name].append(seconds)
        return self

    def local(self, zone):
        """The ends as the zone's wall clock shows them."""
        shown = (datetime.fromtimestamp(end / SECOND, UTC) for end in self.ends[zone])
        return [f"{at.astimezone(ZoneInfo(zone)):%H:%M}" for at in shown]


def test_hours_of_half_hour_zones_end_at_full_hours_of_local_time():
    zones = ("UTC", "Asia/Kolkata", "Australia/Adelaide", "Asia/Kathmandu", "Europe/Berlin")
    site = Site(instant(2026, 1, 15, 6), *zones).run_to(instant(2026, 1, 15, 11))
    for zone in zones:
        assert {end[-2:] for end in site.local(zone)} == {"00"}, zone
        assert set(site.lengths[zone][1:]) == {3600.0}
    assert site.local("Asia/Kolkata") == ["12:00", "13:00", "14:00", "15:00", "16:00"]
    assert site.local("Asia/Kathmandu") == ["12:00", "13:00", "14:00", "15:00", "16:00"]
    assert site.lengths["Asia/Kolkata"][0] == 1800.0  # 11:30 to 12:00
    assert site.lengths["Asia/Kathmandu"][0] == 900.0  # 11:45 to 12:00


def test_a_repeated_hour_is_two_and_a_left_out_one_is_none():
    """Adelaide, 5 April 2026 3:00 to 2:00, and 4 October 2026 2:00 to 3:00."""
    zone = "Australia/Adelaide"
    site = Site(instant(2026, 4, 4, 14, 30), zone).run_to(instant(2026, 4, 4, 18, 30))
    assert site.local(zone) == ["02:00", "02:00", "03:00", "04:00"]
    assert site.lengths[zone] == [3600.0] * 4
    site = Site(instant(2026, 10, 3, 15, 30), zone).run_to(instant(2026, 10, 3, 18, 30))
    assert site.local(zone) == ["03:00", "04:00", "05:00"]
    assert site.lengths[zone] == [3600.0] * 3


def test_a_change_of_half_an_hour_cuts_an_hour():
    """Lord Howe Island, 5 April 2026: 2:00 becomes 1:30; 4 October 2026: 2:00 becomes 2:30."""
    zone = "Australia/Lord_Howe"
    site = Site(instant(2026, 4, 4, 13), zone).run_to(instant(2026, 4, 4, 17, 30))
    assert site.local(zone) == ["01:00", "01:30", "02:00", "03:00", "04:00"]
    assert site.lengths[zone] == [3600.0, 3600.0, 1800.0, 3600.0, 3600.0]
    site = Site(instant(2026, 10, 3, 13, 30), zone).run_to(instant(2026, 10, 3, 17))
    assert site.local(zone) == ["01:00", "02:30", "03:00", "04:00"]
    assert site.lengths[zone] == [3600.0, 3600.0, 1800.0, 3600.0]


def test_intervals_follow_a_clock_that_a_master_sets():
    start = instant(2026, 1, 15, 6)
    site = Site(start, "UTC").run_to(start + 70 * MINUTE)
    assert site.fleet.write(0, 0x1043, [7, 50, 0], site.fleet.now_ns).refusal is None  # 7:10 becomes 7:50
    site.run_to(start + 4 * HOUR)
    assert site.local("UTC") == ["07:00", "07:20", "08:20", "09:20"]
    assert site.lengths["UTC"] == [3600.0, 1200.0, 3600.0, 3600.0]


def test_intervals_follow_a_clock_that_drifts():
    """A minute in an hour and a half: at 7:59, 8:59 and 9:58 the clock has gone past the full hour."""
    start = instant(2026, 1, 15, 6)
    site = Site(start, "UTC")
    site.run_to(start + MINUTE)
    site.fleet.disturb_clock(0, site.fleet.now_ns, ClockCourse(drift=round(60 / 5400 * 1e9)))
    site.run_to(start + 4 * HOUR)
    assert site.local("UTC") == ["07:00", "07:59", "08:59", "09:58"]


@pytest.mark.parametrize("step", [MINUTE, 7 * MINUTE + 13 * SECOND, 5 * HOUR])
def test_it_does_not_matter_how_time_is_cut(step):
    start, end = instant(2026, 4, 4, 14, 10), instant(2026, 4, 4, 19, 40)
    whole = Site(start, "Australia/Adelaide", "Asia/Kolkata", minutes=20).run_to(end)
    cut = Site(start, "Australia/Adelaide", "Asia/Kolkata", minutes=20)
    for at in [*range(start, end, step), end]:
        cut.run_to(at)
    assert (cut.ends, cut.lengths) == (whole.ends, whole.lengths)


@given(
    st.sampled_from(["UTC", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]),
    st.integers(instant(2024, 1, 1), instant(2030, 1, 1)),
)
def test_a_clock_keeps_its_distance_until_its_next_shift(zone, at):
    clock = MeterClock(zone)
    shift = next_shift(clock, at)
    assert minutes_ahead(clock, shift - 1) == minutes_ahead(clock, at)
    assert minutes_ahead(clock, (at + shift) // 2) == minutes_ahead(clock, at)
    offsets = {
        datetime.fromtimestamp(ns / SECOND, UTC).astimezone(ZoneInfo(zone)).utcoffset()
        for ns in range(at, shift, 6 * HOUR)
    }
    assert len(offsets) == 1
    assert all(a < b for a, b in pairwise([at, shift]))

"""The energies of the last seven months, 463EH..478DH, against power x time of calendar months."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.kw320_registers import BRIGHT, CONFIG, Registers
from tests.meters.kw320_site import AMPERES, CT, PT, SECOND, VOLTS, segment
from twin.contracts import Refusal
from twin.meters import build_fleet
from twin.meters.energies import FEMTOJOULES
from twin.meters.energies import REGISTERS as ENERGIES
from twin.meters.kw320.clock import MeterClock
from twin.meters.kw320.clock_search import next_month
from twin.meters.kw320.months import MonthlyEnergies

HOUR = 3600 * SECOND
CURRENT = (*range(0x4048, 0x405A, 2), *range(0x4620, 0x463E, 2))
"""Energies of now: of the system, then of the phases; each set of the past follows their sequence (6.3.7)."""
LENGTH = 0x30
FIRST = 0x463E


def utc(*fields):
    return round(datetime(*fields, tzinfo=UTC).timestamp()) * SECOND


def ns(at):
    return round(at.timestamp()) * SECOND


def local(zone, *fields):
    return round(datetime(*fields, tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def past(back, current):
    """Return where an energy of so many months before stands."""
    return FIRST + LENGTH * (back - 1) + 2 * CURRENT.index(current)


def power(address):
    """Return what an energy register counts [W, var, VA primary]."""
    both = {
        letter: (
            [max(BRIGHT[f"{letter}{k}"], 0) for k in (1, 2, 3)],
            [max(-BRIGHT[f"{letter}{k}"], 0) for k in (1, 2, 3)],
        )
        for letter in "pq"
    }
    (p_in, p_out), (q_in, q_out) = both["p"], both["q"]
    s = [BRIGHT[f"s{k}"] for k in (1, 2, 3)]
    system = [sum(p_in), sum(p_out), sum(q_in), sum(q_out), sum(p_in + p_out), sum(p_in) - sum(p_out)]
    system += [sum(q_in + q_out), sum(q_in) - sum(q_out), sum(s)]
    phases = [
        part for pair in (*zip(p_in, p_out, strict=True), *zip(q_in, q_out, strict=True)) for part in pair
    ]
    return (system + phases + s)[CURRENT.index(address)]


def shows(registers, back, hours, address=0x4048, count_wh=100.0):
    """Whether the register of so many months before shows power x time."""
    counts = int(abs(power(address)) * hours / count_wh + 1e-3)
    return abs(abs(registers.signed_dword(past(back, address))) - counts) <= 1


class Site:
    """One meter on a steady load."""

    def __init__(self, start_ns, **config):
        self.fleet = build_fleet([replace(CONFIG, **config)], start_ns=start_ns)
        self.feed = segment(VOLTS, AMPERES, start_ns=start_ns)

    def until(self, ns):
        self.fleet.advance(self.feed, ns)
        return Registers(self.fleet)

    def write(self, address, *words):
        return self.fleet.write(0, address, words, self.fleet.now_ns).refusal

    def set_clock(self, *fields):
        assert self.write(0x1040, *fields) is None


def test_blocks_follow_one_another_as_printed():
    # 463EH..466DH, 466EH..469DH, 469EH..46CDH, .. 475EH..478DH; 48 words hold 24 energies.
    assert [past(back, 0x4048) for back in range(1, 8)] == [
        *(0x463E, 0x466E, 0x469E, 0x46CE, 0x46FE, 0x472E, 0x475E)
    ]
    assert past(7, 0x463C) + 1 == 0x478D
    fleet = Site(utc(2026, 1, 1)).fleet
    (block,) = [block for block in fleet.blocks(0) if block.address <= FIRST < block.address + block.count]
    assert block.address + block.count == 0x478E


@pytest.mark.parametrize("address", CURRENT, ids=[f"{a:04X}H" for a in CURRENT])
def test_every_energy_of_a_month_is_power_x_time(address):
    start = utc(2026, 2, 1) - 10 * HOUR
    site = Site(start)
    assert Registers(site.fleet).dword(past(1, address)) == 0
    registers = site.until(start + 10 * HOUR)
    assert shows(registers, 1, 10, address)
    sign = -1 if power(address) < 0 else 1
    assert sign * registers.signed_dword(past(1, address)) >= 0
    assert registers.signed_dword(past(1, address)) == registers.signed_dword(address)


def test_nine_months_of_a_leap_year_with_both_changes_of_summer_time():
    site = Site(local("Europe/London", 2028, 1, 1), time_zone="Europe/London")
    ends = [local("Europe/London", 2028, month, 1) for month in range(1, 12)]
    hours = [(end - begin) / HOUR for begin, end in itertools.pairwise(ends)]
    assert hours[1:3] == [29 * 24, 31 * 24 - 1]
    assert hours[9] == 31 * 24 + 1
    for month, end in enumerate(ends[1:], start=1):
        before = site.until(end - SECOND)
        after = site.until(end)
        for back in range(1, 8):
            earlier = month - 1 - back
            assert shows(before, back, hours[earlier] if earlier >= 0 else 0)
            assert shows(after, back, hours[month - back] if month >= back else 0)


def test_each_meter_ends_its_month_by_its_own_clock():
    zones = ("Pacific/Auckland", "Asia/Kathmandu", "UTC", "America/Havana")
    start = utc(2026, 3, 30)
    configs = [replace(CONFIG, name=f"m{k}", time_zone=zone) for k, zone in enumerate(zones)]
    fleet = build_fleet(configs, start_ns=start)
    fleet.advance(segment(VOLTS * 4, AMPERES * 4, start_ns=start), utc(2026, 4, 3))
    # The channels of each meter follow one another; here all meters see the same circuit in turn.
    for meter, zone in enumerate(zones):
        hours = (local(zone, 2026, 4, 1) - start) / HOUR
        shown = Registers(fleet, meter).dword(0x463E)
        now = Registers(fleet, meter).dword(0x4048)
        assert shown == pytest.approx(now * hours / 96, abs=1.5)


def test_presets_of_the_counting_energies_leave_the_months():
    start = utc(2026, 2, 1) - 10 * HOUR
    site = Site(start)
    site.until(start + 5 * HOUR)
    assert site.write(0x4048, 0x0A9D, 0x4089) is None
    assert shows(site.until(start + 10 * HOUR), 1, 10)


def test_energy_clear_clears_the_months_and_the_one_that_counts():
    start = utc(2026, 2, 1) - 10 * HOUR
    site = Site(start)
    site.until(utc(2026, 2, 1))
    site.until(utc(2026, 2, 28))
    assert site.write(0x1016, 1) is None
    registers = Registers(site.fleet)
    assert all(registers.dword(at) == 0 for at in range(FIRST, FIRST + 7 * LENGTH, 2))
    registers = site.until(utc(2026, 3, 1))
    assert shows(registers, 1, 24)
    assert registers.dword(past(2, 0x4048)) == 0


def test_another_display_of_energies_clears_the_months_and_counts_secondary():
    start = utc(2026, 2, 1) - 20 * HOUR
    site = Site(start)
    site.until(start + 10 * HOUR)
    assert site.write(0x1019, 1) is None
    registers = site.until(utc(2026, 2, 1))
    assert shows(registers, 1, 10, count_wh=PT * CT)  # counts of 0.001 kWh of the secondary (F7)
    point = next(point for point in site.fleet.points(0) if point.name == "last1_ep_imp")
    primary_kwh = registers.dword(past(1, 0x4048)) * point.scale
    assert (point.unit, primary_kwh) == ("kWh", pytest.approx(power(0x4048) / 100, rel=1e-3))


ALL_PAST = [past(back, current) for back in range(1, 8) for current in CURRENT]


def test_every_month_takes_its_range_sealed_or_not():
    site = Site(utc(2026, 2, 1))
    site.until(utc(2026, 2, 1) + SECOND)
    for seal in (0, 0x0A):
        assert site.write(0x101F, seal) is None
        for number, address in enumerate(ALL_PAST):
            value = 999_999_999 - 3 * number - seal
            assert site.write(address, value >> 16, value & 0xFFFF) is None, f"{address:04X}H"
            assert site.write(address, 1_000_000_000 >> 16, 1_000_000_000 & 0xFFFF) is Refusal.ILLEGAL_VALUE
        registers = Registers(site.fleet)
        shown = [registers.dword(address) for address in ALL_PAST]
        assert shown == [999_999_999 - 3 * number - seal for number in range(len(ALL_PAST))]
    # What table 4-3 names is sealed.
    assert site.write(0x463C, 0, 0) is Refusal.SEALED
    assert site.write(0x1016, 1) is Refusal.SEALED


def test_a_net_energy_takes_less_than_nothing_and_a_whole_set_is_one_write():
    site = Site(utc(2026, 2, 1))
    site.until(utc(2026, 2, 1) + SECOND)
    net = past(3, 0x4052)
    assert site.write(net, 0xFFFF, 0xFFFE) is None
    assert Registers(site.fleet).signed_dword(net) == -2
    assert site.write(past(3, 0x4050), 0xFFFF, 0xFFFE) is Refusal.ILLEGAL_VALUE
    whole = [word for k in range(24) for word in (0, 1000 + k)]
    assert site.write(past(2, 0x4048), *whole) is None
    assert Registers(site.fleet).row(past(2, 0x4048), LENGTH) == whole
    assert Registers(site.fleet).signed_dword(net) == -2


def test_what_was_written_moves_on_with_its_month():
    site = Site(utc(2026, 2, 27))
    site.until(utc(2026, 2, 27) + SECOND)
    assert site.write(past(1, 0x4048), 0, 4321) is None
    registers = site.until(utc(2026, 3, 1))
    assert (registers.dword(past(2, 0x4048)), shows(registers, 1, 48)) == (4321, True)


# -- the clock is set -----------------------------------------------------------------------------------


def test_clock_set_forward_over_the_end_of_a_month_ends_it():
    site = Site(utc(2026, 1, 31, 13))
    site.until(utc(2026, 1, 31, 23))
    site.set_clock(2026, 2, 1, 0, 0, 0)
    assert shows(Registers(site.fleet), 1, 10)
    registers = site.until(utc(2026, 2, 28, 23))  # the clock is an hour fast
    assert shows(registers, 1, 28 * 24)
    assert shows(registers, 2, 10)


def test_clock_set_forward_over_months_leaves_empty_ones():
    site = Site(utc(2026, 1, 20))
    site.until(utc(2026, 1, 20, 10))
    site.set_clock(2026, 4, 20, 10, 0, 0)
    registers = Registers(site.fleet)
    assert [registers.dword(past(back, 0x4048)) for back in (1, 2, 4)] == [0, 0, 0]
    assert shows(registers, 3, 10)


def test_clock_set_back_over_the_end_of_a_month_goes_on_with_it():
    site = Site(utc(2026, 1, 31, 14))
    assert shows(site.until(utc(2026, 2, 1, 2)), 1, 10)
    site.set_clock(2026, 1, 31, 23, 0, 0)
    assert Registers(site.fleet).dword(past(1, 0x4048)) == 0  # January counts again
    registers = site.until(utc(2026, 2, 1, 3))
    assert shows(registers, 1, 11)
    registers = site.until(utc(2026, 2, 1, 3) + 28 * 24 * HOUR)
    assert shows(registers, 1, 2 + 28 * 24)
    assert shows(registers, 2, 11)


def test_a_wrong_year_that_is_put_right_costs_nothing():
    site = Site(utc(2026, 1, 31, 14))
    site.until(utc(2026, 2, 1, 5))
    site.set_clock(2062)
    assert Registers(site.fleet).dword(past(1, 0x4048)) == 0
    site.set_clock(2026)
    assert shows(Registers(site.fleet), 1, 10)


@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.none() | st.tuples(st.integers(2024, 2026), st.integers(1, 12))),
        min_size=1,
        max_size=12,
    )
)
def test_energy_stays_with_the_month_that_the_clock_showed(steps):
    """By an account of the days that the clock showed of each month, a unit a day."""
    clock, start = MeterClock("UTC"), datetime(2026, 1, 29, tzinfo=UTC)
    months, now, lived = MonthlyEnergies(clock, ns(start)), start, 0
    account = Counter()

    def settle():
        months.settle(dict.fromkeys(ENERGIES, lived * FEMTOJOULES), ns(now))

    for days, jump in steps:
        for _ in range(days):
            shown = clock.stamp(ns(now))
            account[12 * shown["year"] + shown["month"]] += 1
            now, lived = now + timedelta(days=1), lived + 1
            if months.over(ns(now)):
                settle()
        if jump is not None:
            clock.set({"year": jump[0], "month": jump[1], "day": 1, "hour": 0}, ns(now))
            settle()
    settle()
    shown = clock.stamp(ns(now))
    current = 12 * shown["year"] + shown["month"]
    assert [round(month[0]) for month in months.table().reshape(7, -1)] == [
        account[current - back] for back in range(1, 8)
    ]


# -- supply ---------------------------------------------------------------------------------------------


def test_months_end_without_supply_too_and_survive():
    start = utc(2026, 1, 31, 2)
    site = Site(start)
    site.until(start + 10 * HOUR)
    site.fleet.set_power(0, on=False, now_ns=site.fleet.now_ns)
    site.until(utc(2026, 2, 1, 3))
    site.fleet.set_power(0, on=True, now_ns=site.fleet.now_ns)
    registers = Registers(site.fleet)
    assert shows(registers, 1, 10)
    registers = site.until(utc(2026, 3, 1))
    assert shows(registers, 1, 27 * 24 + 21)
    assert shows(registers, 2, 10)


# -- when a month ends ----------------------------------------------------------------------------------

CHANGES_AT_MIDNIGHT = {
    "America/Asuncion": utc(2023, 9, 30),  # 1 October begins at 01:00
    "America/Havana": utc(2020, 10, 31),  # 1 November has two midnights
    "Pacific/Apia": utc(2011, 12, 28),  # there is no 30 December
    "Europe/London": utc(2026, 3, 28),
}


@cache
def changes(zone):
    """The instants of eleven days at which a clock comes to show another month: minute by minute."""
    clock, first = MeterClock(zone), CHANGES_AT_MIDNIGHT[zone]
    minutes = [first + k * 60 * SECOND for k in range(11 * 24 * 60)]
    months = [clock.stamp(at)["month"] for at in minutes]
    return [at for at, before, after in zip(minutes[1:], months, months[1:], strict=False) if before != after]


@pytest.mark.parametrize("zone", CHANGES_AT_MIDNIGHT)
@given(seconds=st.integers(0, 11 * 24 * 3600))
def test_a_month_ends_with_the_first_instant_that_shows_another(zone, seconds):
    after = CHANGES_AT_MIDNIGHT[zone] + seconds * SECOND
    found = next_month(MeterClock(zone), after)
    later = [at for at in changes(zone) if at > after]
    assert found == later[0] if later else found > CHANGES_AT_MIDNIGHT[zone] + 11 * 24 * HOUR


def test_a_first_of_a_month_without_a_midnight_and_one_with_two():
    assert changes("America/Asuncion") == [utc(2023, 10, 1, 4)]
    assert changes("America/Havana") == [utc(2020, 11, 1, 4)]
    assert changes("Pacific/Apia") == [utc(2011, 12, 31, 10)]

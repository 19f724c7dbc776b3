"""People at home, what they leave on, and their calendar."""

from datetime import date, timedelta

import numpy as np

from tests.simulation.population import CALENDAR, DAY_NS, WORKDAY, population
from twin.contracts import NS_PER_SECOND
from twin.simulation.load_sink import random_stream
from twin.simulation.occupancy import BIN_SECONDS, BINS, Calendar, Occupancy


class TestPeople:
    def test_lights_only_in_the_dark_with_somebody_awake(self):
        house = population(3)[2]
        day = date(2026, 7, 15)
        begin = CALENDAR.utc_ns(day, 0.0)
        daylight = CALENDAR.daylight(day)
        awake = house.occupancy.awake(day)
        switched = 0
        for unit in house.units:
            if not unit.name.startswith("light"):
                continue
            for at, position in house.changes(unit, begin):
                step = int((at - begin) / (BIN_SECONDS * 1e9))
                if at >= begin + DAY_NS:
                    break
                if position == 0 and at >= begin:
                    switched += 1
                    assert awake[step] > 0
                    # 60 W/m2, three standard deviations of 10 W/m2, and a use that waits for the one before.
                    assert daylight[step] < 120.0
        assert switched > 0

    def test_attended_appliances_go_off_with_the_last_one(self):
        for house in population(6):
            begin = CALENDAR.utc_ns(WORKDAY, 0.0)
            awake = house.occupancy.awake(WORKDAY)
            for unit in house.units:
                if unit.name != "television":
                    continue
                on_since = None
                for at, position in house.changes(unit, begin):
                    if at >= begin + DAY_NS:
                        break
                    if position == 2:
                        if on_since is not None and on_since >= begin:
                            steps = slice(
                                int((on_since - begin) / (BIN_SECONDS * 1e9)),
                                max(int((at - 1 - begin) / (BIN_SECONDS * 1e9)), 0) + 1,
                            )
                            assert (awake[steps] > 0).all()
                        on_since = None
                    elif on_since is None:
                        on_since = at

    def test_nights_are_quiet_and_evenings_are_not(self):
        awake = np.zeros(BINS)
        for at in range(200):
            people = Occupancy(at, 2, CALENDAR, random_stream(at, "people"))
            awake += people.awake(WORKDAY)[:BINS]
        share = awake.reshape(24, 6).mean(axis=1) / 400.0
        assert share[3] < 0.02
        assert share[10] < 0.6
        assert share[19] > 0.75

    def test_never_more_than_live_there(self):
        for at in range(100):
            people = Occupancy(at, 3, CALENDAR, random_stream(at, "people"))
            assert people.awake(WORKDAY)[36:BINS].max() <= 3


class TestCalendar:
    def test_summer_time(self):
        spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
        hours = [
            (CALENDAR.utc_ns(day + timedelta(days=1), 0) - CALENDAR.utc_ns(day, 0)) / 3.6e12
            for day in (spring, autumn)
        ]
        assert hours == [23.0, 25.0]
        # 18:30 CEST is 16:30 UTC.
        assert CALENDAR.utc_ns(spring, 18.5 * 3600) == 1_774_801_800 * NS_PER_SECOND
        assert CALENDAR.local_date(CALENDAR.utc_ns(autumn, 86_399.0)) == autumn

    def test_holidays_are_sundays(self):
        calendar = Calendar(holidays=frozenset({date(2026, 5, 1)}))
        kinds = [calendar.kind_of_day(date(2026, 5, day)) for day in (1, 2, 3, 4)]
        assert kinds == ["sunday", "saturday", "sunday", "workday"]

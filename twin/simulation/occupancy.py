"""When people are at home and awake, and the local calendar that their days follow."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.simulation.appliances import Habit
from twin.simulation.load_sink import random_stream
from twin.simulation.sun import clear_sky, solar_position

BINS = 144
"""A day is looked at in steps of ten minutes."""
BIN_SECONDS = 600.0
_LATE_BINS = 36
"""People may stay up until six in the morning of the next day."""
_HOURS = (np.arange(BINS + _LATE_BINS) + 0.5) / 6.0
_CLOUD = 0.6
"""Mean of global irradiance over that of a clear sky, for the daylight that people expect."""

# Hours, shares and standard deviations below are typical of Central Europe: an engineering estimate,
# adjusted together with the habits of appliances.yaml against the standard load profile H0.
_WORKING_SHARE = 0.5
_WAKING = {"workday": (6.7, 0.75), "saturday": (8.0, 1.0), "sunday": (8.4, 1.0)}
_SLEEPING = {"workday": (23.0, 1.25), "saturday": (23.5, 1.4), "sunday": (22.9, 1.25)}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Local time, place and holidays of a site."""

    time_zone: str = "Europe/Berlin"
    """IANA name."""
    latitude: float = 51.0
    """North positive [degree]."""
    longitude: float = 10.0
    """East positive [degree]."""
    holidays: frozenset[date] = field(default=frozenset())
    """Days that are lived as Sundays."""

    def kind_of_day(self, day: date) -> str:
        """Return ``workday``, ``saturday`` or ``sunday``."""
        if day in self.holidays or day.weekday() == 6:
            return "sunday"
        return "saturday" if day.weekday() == 5 else "workday"

    def local_date(self, time_ns: int) -> date:
        """Return the local date at a time [ns]."""
        utc = datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC)
        return utc.astimezone(ZoneInfo(self.time_zone)).date()

    def utc_ns(self, day: date, seconds: float) -> int:
        """Return the time [ns] of a wall clock reading, given in seconds after midnight of a day."""
        whole = int(seconds)
        wall = datetime(day.year, day.month, day.day) + timedelta(seconds=whole)
        utc = wall.replace(tzinfo=ZoneInfo(self.time_zone)).timestamp()
        return int(utc) * NS_PER_SECOND + round((seconds - whole) * NS_PER_SECOND)

    def hour_weights(self, day: date, habit: Habit) -> NDArray[np.float64]:
        """Return a habit's weights of a day in steps of ten minutes, shape (144,)."""
        return np.repeat(np.asarray(getattr(habit, self.kind_of_day(day))), 6)

    def daylight(self, day: date) -> NDArray[np.float64]:
        """Return the usual global irradiance of a day [W/m2] in steps of ten minutes, shape (144,)."""
        return _daylight(self.utc_ns(day, 0.0), self.latitude, self.longitude)


@functools.lru_cache(maxsize=256)
def _daylight(midnight_ns: int, latitude: float, longitude: float) -> NDArray[np.float64]:
    times = midnight_ns + (np.arange(BINS) * 600 + 300) * NS_PER_SECOND
    elevation, _ = solar_position(times, latitude=latitude, longitude=longitude)
    return _CLOUD * clear_sky(elevation)


class Occupancy:
    """How many people of a household are at home and awake.

    Parameters
    ----------
    seed : int
        Of the household.
    residents : int
        Number of people.
    calendar : Calendar
        Kinds of days.
    rng : numpy.random.Generator
        Draws who works.
    """

    def __init__(self, seed: int, residents: int, calendar: Calendar, rng: np.random.Generator) -> None:
        self._seed = seed
        self._calendar = calendar
        self._working = rng.random(residents) < _WORKING_SHARE
        self._known: dict[date, NDArray[np.int64]] = {}
        self._drawn: dict[date, NDArray[np.int64]] = {}

    def awake(self, day: date) -> NDArray[np.int64]:
        """Return the number of people awake at home in steps of ten minutes, shape (180,).

        The steps run from midnight to six in the morning of the next day; the people who get up on
        that next day are not in them.
        """
        if day not in self._known:
            # What is used once a week looks a week ahead; a few weeks are kept for it.
            if len(self._known) > 40:
                self._known.clear()
                self._drawn.clear()
            today = self._day(day).copy()
            today[:_LATE_BINS] += self._day(day - timedelta(days=1))[BINS:]
            self._known[day] = today
        return self._known[day]

    def sample(self, days: Sequence[date]) -> NDArray[np.int64]:
        """Return `awake` of days that stand for a year, shape (days, 180)."""
        rng = random_stream(self._seed, "occupancy of the year")
        awake = np.array([self._draw(day, rng) for day in days])
        awake[:, :_LATE_BINS] += awake[:, BINS:]
        return awake

    def _day(self, day: date) -> NDArray[np.int64]:
        if day not in self._drawn:
            rng = random_stream(self._seed, f"occupancy {day.isoformat()}")
            self._drawn[day] = self._draw(day, rng)
        return self._drawn[day]

    def _draw(self, day: date, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the number of people awake at home on one day, shape (180,)."""
        kind = self._calendar.kind_of_day(day)
        people = len(self._working)
        spread = rng.standard_normal((9, people))
        chance = rng.random((4, people))
        mean, deviation = _WAKING[kind]
        wake = mean + deviation * spread[0]
        # Who works gets up earlier and goes to bed earlier.
        if kind == "workday":
            wake = np.where(self._working, wake - 0.3, wake + 0.6)
        mean, deviation = _SLEEPING[kind]
        sleep = np.minimum(mean + deviation * spread[1], 29.5)
        here = _between(wake, sleep)
        absences = _absences(kind, self._working, wake, spread, chance)
        absences.append(_summer_evening(day, spread[8], chance[3]))
        for leave, back, goes in absences:
            here &= ~(_between(leave, back) & goes[:, None])
        return np.asarray(here.sum(axis=0), dtype=np.int64)


def _between(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (start[:, None] <= _HOURS) & (end[:, None] > _HOURS)


Absence = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]


def _summer_evening(day: date, spread: NDArray[np.float64], chance: NDArray[np.float64]) -> Absence:
    """Return the time outdoors after work: nobody in winter, two in five in July."""
    season = -math.cos(2.0 * math.pi * (day.timetuple().tm_yday - 15) / 365.25)
    leave = 18.0 + 0.8 * spread
    return leave, leave + 2.6, chance < 0.45 * max(season, 0.0)


def _absences(
    kind: str,
    working: NDArray[np.bool_],
    wake: NDArray[np.float64],
    spread: NDArray[np.float64],
    chance: NDArray[np.float64],
) -> list[Absence]:
    """Return leaving [h], coming back [h] and whether at all, for each reason to be away."""
    if kind == "workday":
        work = (
            wake + 1.1 + 0.3 * spread[2],
            np.where(chance[2] < 0.35, 13.0, 16.9) + 0.9 * spread[3],
            working,
        )
        morning = 9.8 + 0.8 * spread[4]
        errand = (morning, morning + 1.4 + 0.4 * spread[5], ~working & (chance[0] < 0.55))
        afternoon = 15.0 + 1.0 * spread[6]
        walk = (afternoon, afternoon + 1.8 + 0.6 * spread[7], ~working & (chance[1] < 0.5))
        evening = (19.4 + 0.5 * spread[6], 21.9 + 0.6 * spread[7], working & (chance[1] < 0.12))
        return [work, errand, walk, evening]
    if kind == "saturday":
        morning = 10.2 + 0.8 * spread[4]
        shopping = (morning, morning + 1.5 + 0.4 * spread[5], chance[0] < 0.4)
        afternoon = 14.3 + 0.9 * spread[6]
        outing = (afternoon, afternoon + 2.6 + 0.8 * spread[7], chance[1] < 0.4)
        evening = (19.8 + 0.5 * spread[2], 23.5 + 0.9 * spread[3], chance[2] < 0.2)
        return [shopping, outing, evening]
    afternoon = 14.2 + 0.8 * spread[6]
    outing = (afternoon, afternoon + 2.8 + 0.8 * spread[7], chance[1] < 0.5)
    morning = 9.6 + 0.5 * spread[4]
    return [outing, (morning, morning + 1.3 + 0.3 * spread[5], chance[0] < 0.12)]

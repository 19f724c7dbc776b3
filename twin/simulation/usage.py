"""When in a day people start to use something, and what that comes to over a year."""

import functools
import math
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from twin.simulation.appliances import (
    Course,
    Device,
    Use,
    course_duration,
    course_energy,
    read_appliances,
    sample_durations,
)
from twin.simulation.occupancy import BIN_SECONDS, BINS, Calendar, Occupancy

_DAYS = tuple(date(2023, 1, 2) + timedelta(days=13 * at) for at in range(28))
"""Days that stand for a year."""
_EFFECTIVE_OCCUPANCY = np.array([0.0, 1.0, 1.528, 1.694, 1.983, 2.094])
"""Lights used by 0 to 5 people over those used by one (I. Richardson et al., Energy and
Buildings 41 (2009) 781-789)."""


def season_factor(use: Use, day: date) -> float:
    """Return how often a use happens on a day of the year, over the mean of the year."""
    if use.heating_season and day.month not in {1, 2, 3, 4, 10, 11, 12}:
        return 0.0
    return 1.0 + use.winter * math.cos(2.0 * math.pi * (day.timetuple().tm_yday - 15) / 365.25)


def presence_factors(awake: NDArray[np.int64], dark: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Return, for each need of a use, the factor on its weights; shapes as ``awake`` and ``dark``."""
    people = np.minimum(awake, len(_EFFECTIVE_OCCUPANCY) - 1)
    return {
        "nobody": np.ones(awake.shape),
        "somebody": np.where(awake > 0, 1.0, 0.0),
        "darkness": np.where(dark, _EFFECTIVE_OCCUPANCY[people], 0.0),
    }


@functools.lru_cache(maxsize=64)
def _habit_of_the_days(calendar: Calendar, habit: str) -> NDArray[np.float64]:
    """Return a habit's weights on the days of the sample, shape (days, 144)."""
    hours = read_appliances().habits[habit]
    return np.array([calendar.hour_weights(day, hours) for day in _DAYS])


class YearSample:
    """Twenty-eight days over the year, each weekday four times, for what to expect of a household.

    Parameters
    ----------
    occupancy : Occupancy
        The household's people.
    calendar : Calendar
        Kinds of days and daylight.
    dark_below : float
        Irradiance below which the household switches lights on [W/m2].
    """

    def __init__(self, occupancy: Occupancy, calendar: Calendar, dark_below: float) -> None:
        self._calendar = calendar
        awake = occupancy.sample(_DAYS)
        dark = np.array([calendar.daylight(day) for day in _DAYS]) < dark_below
        self._factors = presence_factors(awake[:, :BINS], dark)
        self._left = _seconds_left(awake)
        self._known: dict[Use, NDArray[np.float64]] = {}
        self._shares: dict[tuple[Course, Use], float] = {}

    def expect(self, device: Device) -> tuple[float, float]:
        """Return the mean of a day's sum of weights, and the energy of one use [Wh].

        For uses that are fixed, the energy is that of one use times the share of days that have any.
        """
        use = device.kind.use
        assert use is not None
        weights = self._weights(use)
        total = weights.sum()
        energy = course_energy(device.kind.course, device)
        if use.fixed:
            energy *= float(np.mean(weights.sum(axis=1) > 0.0))
        if use.attended and total > 0.0:
            energy *= self._kept(device.kind.course, use, weights)
        return float(total) / len(_DAYS), energy

    def _kept(self, course: Course, use: Use, weights: NDArray[np.float64]) -> float:
        """Return the share of a course's length that is left when leaving switches off."""
        if (course, use) not in self._shares:
            durations = np.minimum(sample_durations(course[0]), self._left[..., None]).mean(axis=-1)
            kept = (weights * durations).sum() / weights.sum()
            self._shares[course, use] = float(kept) / course_duration(course)
        return self._shares[course, use]

    def _weights(self, use: Use) -> NDArray[np.float64]:
        if use not in self._known:
            season = np.array([season_factor(use, day) for day in _DAYS])
            habit = _habit_of_the_days(self._calendar, use.habit)
            self._known[use] = season[:, None] * habit * self._factors[use.needs]
        return self._known[use]


def _seconds_left(awake: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how long somebody stays awake at home, from the middle of each ten minutes of a day [s]."""
    steps = np.arange(awake.shape[1])
    empty = np.where(awake > 0, awake.shape[1], steps)
    following = np.minimum.accumulate(empty[:, ::-1], axis=1)[:, ::-1]
    left = np.maximum((following - steps - 0.5) * BIN_SECONDS, 0.0)
    return np.asarray(left[:, :BINS])

"""When in a day people start to use something, and what that comes to over a year."""

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

_EFFECTIVE_OCCUPANCY = np.array([0.0, 1.0, 1.528, 1.694, 1.983, 2.094])
"""Lights used by 0 to 5 people over those used by one (I. Richardson et al., Energy and
Buildings 41 (2009) 781-789)."""


def start_weights(
    use: Use,
    day: date,
    habit: NDArray[np.float64],
    awake: NDArray[np.int64],
    dark: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the weights of starting a use in each ten minutes of a day, shape (144,)."""
    if use.heating_season and day.month not in {1, 2, 3, 4, 10, 11, 12}:
        return np.zeros(BINS)
    season = 1.0 + use.winter * math.cos(2.0 * math.pi * (day.timetuple().tm_yday - 15) / 365.25)
    weights: NDArray[np.float64] = season * habit
    if use.needs == "somebody":
        return np.where(awake > 0, weights, 0.0)
    if use.needs == "darkness":
        people = np.minimum(awake, len(_EFFECTIVE_OCCUPANCY) - 1)
        return np.where(dark, weights * _EFFECTIVE_OCCUPANCY[people], 0.0)
    return weights


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
        self._days = [date(2023, 1, 2) + timedelta(days=13 * at) for at in range(28)]
        self._calendar = calendar
        self._awake = occupancy.sample(self._days)
        self._dark = [calendar.daylight(day) < dark_below for day in self._days]
        self._left = _seconds_left(self._awake)
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
        return float(total) / len(self._days), energy

    def _kept(self, course: Course, use: Use, weights: NDArray[np.float64]) -> float:
        """Return the share of a course's length that is left when leaving switches off."""
        if (course, use) not in self._shares:
            durations = np.minimum(sample_durations(course[0]), self._left[..., None]).mean(axis=-1)
            kept = (weights * durations).sum() / weights.sum()
            self._shares[course, use] = float(kept) / course_duration(course)
        return self._shares[course, use]

    def _weights(self, use: Use) -> NDArray[np.float64]:
        if use not in self._known:
            habits = read_appliances().habits[use.habit]
            self._known[use] = np.array(
                [
                    start_weights(use, day, self._calendar.hour_weights(day, habits), awake[:BINS], dark)
                    for day, awake, dark in zip(self._days, self._awake, self._dark, strict=True)
                ]
            )
        return self._known[use]


def _seconds_left(awake: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how long somebody stays awake at home, from the middle of each ten minutes of a day [s]."""
    left = np.zeros(awake.shape)
    ahead = np.zeros(awake.shape[0])
    for at in range(awake.shape[1] - 1, -1, -1):
        ahead = np.where(awake[:, at] > 0, ahead + BIN_SECONDS, 0.0)
        left[:, at] = np.maximum(ahead - BIN_SECONDS / 2.0, 0.0)
    return left[:, :BINS]

"""Households as discrete events: people come and go, and switch on what they own.

Each appliance is one simpy process that follows its own list of changes. The list is a function of seed,
household, appliance and day, whatever else runs, so that a household that starts at noon is in the state
in which it would be had it run since yesterday.
"""

import itertools
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, TwinError
from twin.simulation.appliances import (
    Appliance,
    Device,
    Use,
    course_duration,
    course_energy,
    draw_course,
    make_device,
    read_appliances,
)
from twin.simulation.appliances import sample_durations
from twin.simulation.load_sink import Contribution, LoadSink, random_stream
from twin.simulation.occupancy import BIN_SECONDS, BINS, Calendar, Occupancy

_GAP_NS = NS_PER_SECOND
"""Least rest between two uses of one appliance."""
_YEAR_HOURS = 8766.0
_DARK = 60.0
"""Irradiance below which people switch lights on: 60 W/m2 in the mean, standard deviation 10 W/m2
(I. Richardson et al., Energy and Buildings 41 (2009) 781-789)."""
_EFFECTIVE_OCCUPANCY = np.array([0.0, 1.0, 1.528, 1.694, 1.983, 2.094])
"""Lights used by 0 to 5 people over those used by one (same source, table 2)."""


class HouseholdError(TwinError, ValueError):
    """A household that cannot be: its energy does not fit its appliances."""


@dataclass(frozen=True, slots=True)
class HouseholdSettings:
    """One household."""

    name: str
    """Stands in the cause of every change."""
    annual_energy: float
    """Expected energy of a year [Wh]; the number of uses follows from it, powers do not."""
    residents: int = 2
    """Decides when somebody is at home and awake."""
    appliances: tuple[str, ...] | None = None
    """Names of appliances of the catalogue; None draws them by their ownership."""
    additional: tuple[str, ...] = ()
    """Appliances on top of the drawn ones, for example ``electric_shower``."""


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One device of a household and how often it is used."""

    name: str
    device: Device
    uses_per_day: float
    """In the mean of the year; 0 for what runs by itself."""
    mean_weight: float
    """Mean over the year of a day's sum of weights."""


class Household:
    """The appliances of one household and when they change.

    Parameters
    ----------
    settings : HouseholdSettings
        Name, energy, residents, appliances.
    orders : sequence of int
        Harmonic orders of the emissions.
    calendar : Calendar
        Local time, place and holidays.
    rng : numpy.random.Generator
        Stream of this household; one number is taken from it.

    Raises
    ------
    HouseholdError
        The energy is less than what runs by itself needs, or much more than the appliances can use, or
        an appliance is unknown.
    """

    def __init__(
        self,
        settings: HouseholdSettings,
        *,
        orders: Sequence[int],
        calendar: Calendar,
        rng: np.random.Generator,
    ) -> None:
        self.settings = settings
        self.calendar = calendar
        self._seed = int(rng.integers(2**62))
        own = random_stream(self._seed, "household")
        self.occupancy = Occupancy(self._seed, settings.residents, calendar, own)
        self._dark_below = _DARK + 10.0 * own.standard_normal()
        self._weights: dict[tuple[date, Use], NDArray[np.float64]] = {}
        devices = self._devices(orders, own)
        self.use_scale = 1.0
        self.units = self._units(devices, own)

    def _devices(self, orders: Sequence[int], rng: np.random.Generator) -> list[tuple[str, Device]]:
        """Return the devices that the household owns, in the order of the catalogue."""
        catalogue = read_appliances()
        wanted = self.settings.appliances
        for name in (*(wanted or ()), *self.settings.additional):
            if name not in catalogue.appliances:
                known = ", ".join(sorted(catalogue.appliances))
                raise HouseholdError(f"{self.settings.name}: unknown appliance '{name}'; known: {known}")
        devices = []
        for name, kind in catalogue.appliances.items():
            # A stream of its own for each: another appliance in the household changes nothing here.
            stream = random_stream(self._seed, name)
            drawn = stream.random() < kind.owned_by
            owned = drawn if wanted is None else name in wanted
            if owned or name in self.settings.additional:
                count = int(stream.integers(kind.count[0], kind.count[1] + 1))
                for at in range(count):
                    label = f"{name} {at + 1}" if kind.count[1] > 1 else name
                    devices.append((label, make_device(catalogue, kind, orders, stream)))
        return devices

    def _units(self, devices: list[tuple[str, Device]], rng: np.random.Generator) -> list[Unit]:
        """Return the units, their uses scaled so that the energy of a year is met."""
        sample = YearSample(self, self._dark_below)
        by_itself = 0.0
        by_use = 0.0
        units = []
        for name, device in devices:
            kind = device.kind
            by_itself += device.draws[-1].p * _YEAR_HOURS
            if kind.always:
                mean = course_energy(kind.course, device) / course_duration(kind.course)
                by_itself += mean * 3600.0 * _YEAR_HOURS
            uses, weight = 0.0, 0.0
            if kind.use is not None:
                uses = kind.use.per_year / 365.25
                if kind.count[1] > 1:
                    # Some are used much, most are used little (Richardson 2009: minus log of a number).
                    uses *= -math.log(1.0 - random_stream(self._seed, f"{name}/favour").random())
                weight, energy = sample.expect(device)
                if kind.use.fixed:
                    by_itself += energy * 365.25
                else:
                    by_use += uses * energy * 365.25
            units.append(Unit(name, device, uses, weight))
        self.use_scale = self._scale(by_itself, by_use)
        return units

    def _scale(self, by_itself: float, by_use: float) -> float:
        """Return the factor on all uses that meets the energy of a year."""
        name, target = self.settings.name, self.settings.annual_energy
        left = target - by_itself
        if left < 0.0 or (by_use == 0.0 and left > 0.02 * target):
            raise HouseholdError(
                f"{name}: {target / 1e3:.0f} kWh a year do not fit what runs by itself there "
                f"({by_itself / 1e3:.0f} kWh); change the energy or name the appliances"
            )
        scale = left / by_use if by_use else 0.0
        if scale > 6.0:
            raise HouseholdError(
                f"{name}: {target / 1e3:.0f} kWh a year ask for {scale:.0f} times the usual number of uses; "
                "lower the energy or add 'electric_shower' or 'storage_water_heater'"
            )
        return scale

    def weights(self, day: date, use: Use) -> NDArray[np.float64]:
        """Return the weights of starting a use in each ten minutes of a local day, shape (144,)."""
        key = (day, use)
        if key not in self._weights:
            if len(self._weights) > 200:
                self._weights.clear()
            awake = self.occupancy.awake(day)[:BINS]
            dark = self.calendar.daylight(day) < self._dark_below
            habit = self.calendar.hour_weights(day, read_appliances().habits[use.habit])
            self._weights[key] = start_weights(use, day, habit, awake, dark)
        return self._weights[key]

    def changes(self, unit: Unit, start_ns: int) -> Iterator[tuple[int, int]]:
        """Yield the changes of a unit without end: time [ns] and position of the state in its draws.

        The first ones lie a day before ``start_ns``; the first of all is the state of rest.
        """
        first = self.calendar.local_date(start_ns) - timedelta(days=1)
        kind = unit.device.kind
        rest = len(unit.device.draws) - 1
        yield self.calendar.utc_ns(first, 0.0), rest
        if kind.always:
            yield from self._cycles(unit, first)
        elif kind.use is not None:
            yield from self._uses(unit, kind, kind.use, first)

    def _cycles(self, unit: Unit, first: date) -> Iterator[tuple[int, int]]:
        """Yield the changes of what repeats by itself, begun somewhere within its course."""
        rng = random_stream(self._seed, f"{unit.name}/cycles")
        course, states = unit.device.kind.course, unit.device.states
        at = self.calendar.utc_ns(first, 0.0)
        at -= int(rng.random() * course_duration(course) * NS_PER_SECOND)
        while True:
            for duration, position in zip(*draw_course(course, states, rng), strict=True):
                yield at, position
                at += duration

    def _uses(self, unit: Unit, kind: Appliance, use: Use, first: date) -> Iterator[tuple[int, int]]:
        """Yield the changes of what people use, day after day."""
        rest = len(unit.device.draws) - 1
        free = 0
        for number in itertools.count():
            day = first + timedelta(days=number)
            rng = random_stream(self._seed, f"{unit.name}/{day.isoformat()}")
            for seconds in self._starts(unit, use, day, rng):
                at = max(self.calendar.utc_ns(day, seconds), free)
                end = self._leave_ns(day, at) if use.attended else None
                for duration, position in zip(*draw_course(kind.course, unit.device.states, rng), strict=True):
                    if end is not None and at >= end:
                        break
                    yield at, position
                    at += duration
                at = at if end is None else min(at, max(end, free))
                yield at, rest
                free = at + _GAP_NS

    def _starts(self, unit: Unit, use: Use, day: date, rng: np.random.Generator) -> list[float]:
        """Return when a unit's uses of a day start, in order [s of the local day]."""
        weights = self.weights(day, use)
        total = float(weights.sum())
        if total == 0.0:
            return []
        if use.fixed:
            count = round(unit.uses_per_day)
        else:
            count = int(rng.poisson(unit.uses_per_day * self.use_scale * total / unit.mean_weight))
        drawn = rng.random((2, count))
        bins = np.searchsorted(np.cumsum(weights) / total, drawn[0], side="right")
        starts = (np.minimum(bins, BINS - 1) + drawn[1]) * BIN_SECONDS
        return sorted(starts.tolist())

    def _leave_ns(self, day: date, at: int) -> int:
        """Return when nobody is awake at home any more [ns], from a time on."""
        midnight = self.calendar.utc_ns(day, 0.0)
        bin_ns = int(BIN_SECONDS) * NS_PER_SECOND
        now = (at - midnight) // bin_ns
        empty = np.flatnonzero(self.occupancy.awake(day)[now:] == 0)
        ahead = int(empty[0]) if len(empty) else 0
        return midnight + (now + ahead) * bin_ns


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
    weights = season * habit
    if use.needs == "somebody":
        return weights * (awake > 0)
    if use.needs == "darkness":
        people = np.minimum(awake, len(_EFFECTIVE_OCCUPANCY) - 1)
        return weights * _EFFECTIVE_OCCUPANCY[people] * dark
    return weights


class YearSample:
    """Twenty-eight days over the year, each weekday four times, for what to expect of a household.

    Parameters
    ----------
    household : Household
        Its people, its calendar and the darkness at which it switches lights on.
    """

    def __init__(self, household: Household, dark_below: float) -> None:
        self._days = [date(2023, 1, 2) + timedelta(days=13 * at) for at in range(28)]
        calendar = household.calendar
        self._calendar = calendar
        self._awake = household.occupancy.sample(self._days)
        self._dark = [calendar.daylight(day) < dark_below for day in self._days]
        self._left = _seconds_left(self._awake)
        self._known: dict[Use, NDArray[np.float64]] = {}

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
            durations = sample_durations(device.kind.course[0])
            mean = course_duration(device.kind.course)
            kept = np.minimum(durations, self._left[..., None]).mean(axis=-1) / mean
            energy *= float((weights * kept).sum() / total)
        return float(total) / len(self._days), energy

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


def start_household(
    env: simpy.Environment,
    sink: LoadSink,
    *,
    load: int,
    settings: HouseholdSettings,
    orders: Sequence[int],
    calendar: Calendar,
    rng: np.random.Generator,
) -> Household:
    """Start the processes of a household; the sink hears of its state before this returns.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    sink : LoadSink
        Hears of every change.
    load : int
        Load point of the household, as the sink counts them.
    settings : HouseholdSettings
        Name, energy, residents, appliances.
    orders : sequence of int
        Harmonic orders of the emissions.
    calendar : Calendar
        Local time, place and holidays.
    rng : numpy.random.Generator
        Stream of this household, see `random_stream`.

    Raises
    ------
    HouseholdError
        The settings contradict themselves.
    """
    household = Household(settings, orders=orders, calendar=calendar, rng=rng)
    for unit in household.units:
        causes = [f"{settings.name}: {unit.name} {_said(state)}" for state in unit.device.states]
        contribution = Contribution(sink, load, len(orders))
        changes = household.changes(unit, int(env.now))
        position, upcoming = _present(changes, int(env.now))
        contribution.move(unit.device.draws[position], cause=causes[position], remember=True)
        if upcoming is not None:
            following = itertools.chain([upcoming], changes)
            env.process(_follow(env, contribution, unit.device, following, causes))
    return household


def _said(state: str) -> str:
    return "off" if state == "rest" else state


def _present(
    changes: Iterator[tuple[int, int]], now_ns: int
) -> tuple[int, tuple[int, int] | None]:
    """Return the position at a time and the first change after it; None when none ever follows."""
    position = -1
    for at, following in changes:
        if at > now_ns:
            return position, (at, following)
        position = following
    return position, None


def _follow(
    env: simpy.Environment,
    contribution: Contribution,
    device: Device,
    changes: Iterator[tuple[int, int]],
    causes: Sequence[str],
) -> Generator[simpy.Event, Any, None]:
    """Be the simpy process of one unit."""
    for at, position in changes:
        if at > env.now:
            yield env.timeout(at - env.now)
        contribution.move(device.draws[position], cause=causes[position], remember=True)

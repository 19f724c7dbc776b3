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
from twin.simulation.load_sink import Contribution, LoadSink, random_stream
from twin.simulation.occupancy import BIN_SECONDS, BINS, Calendar, Occupancy
from twin.simulation.usage import YearSample, presence_factors, season_factor

_GAP_NS = NS_PER_SECOND
"""Least rest between two uses of one appliance."""
_YEAR_DAYS = 365.25
_YEAR_HOURS = 24.0 * _YEAR_DAYS
_OWN_SHARE = 0.55
"""Households do without a freezer and the like before what runs by itself takes more than this share."""
_DARK = 60.0
"""Irradiance below which people switch lights on: 60 W/m2 in the mean, standard deviation 10 W/m2
(I. Richardson et al., Energy and Buildings 41 (2009) 781-789)."""


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
    own_energy: float
    """Expected energy of a year without regard to use [Wh]."""
    use_energy: float
    """Expected energy of a year's uses, before they are scaled [Wh]."""


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
        sample = YearSample(self.occupancy, calendar, self._dark_below)
        units = [self._unit(name, device, sample) for name, device in self._devices(orders)]
        self.units = tuple(self._forgo(units))
        self.use_scale = self._scale()

    def _devices(self, orders: Sequence[int]) -> list[tuple[str, Device]]:
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
                size = self.settings.annual_energy / 3.5e6 if kind.for_3500_kwh else 1.0
                for at in range(count):
                    label = f"{name} {at + 1}" if kind.count[1] > 1 else name
                    devices.append((label, make_device(catalogue, kind, orders, stream, size=size)))
        return devices

    def _unit(self, name: str, device: Device, sample: YearSample) -> Unit:
        """Return a device with the number of its uses and the energies of a year."""
        kind, use = device.kind, device.kind.use
        own = device.draws[-1].p * _YEAR_HOURS
        if kind.always:
            mean = course_energy(kind.course, device) / course_duration(kind.course)
            own += mean * 3600.0 * _YEAR_HOURS
        if use is None:
            return Unit(name, device, 0.0, 0.0, own, 0.0)
        uses = use.per_year / _YEAR_DAYS
        if kind.count[1] > 1:
            # Some are used much, most are used little: minus the log of a number (Richardson 2009).
            uses *= -math.log(1.0 - random_stream(self._seed, f"{name}/favour").random())
        weight, energy = sample.expect(device)
        if use.fixed:
            return Unit(name, device, uses, weight, own + uses * energy * _YEAR_DAYS, 0.0)
        return Unit(name, device, uses, weight, own, uses * energy * _YEAR_DAYS)

    def _forgo(self, units: list[Unit]) -> list[Unit]:
        """Return the units without those that a household of little energy does without."""
        if self.settings.appliances is not None:
            return units
        most = _OWN_SHARE * self.settings.annual_energy
        for unit in sorted(units, key=lambda unit: -unit.own_energy):
            if sum(other.own_energy for other in units) <= most:
                break
            if unit.device.kind.forgone:
                units = [other for other in units if other is not unit]
        return units

    def _scale(self) -> float:
        """Return the factor on all uses that meets the energy of a year."""
        name, target = self.settings.name, self.settings.annual_energy
        by_itself = sum(unit.own_energy for unit in self.units)
        by_use = sum(unit.use_energy for unit in self.units)
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
            presence = presence_factors(awake, dark)[use.needs]
            self._weights[key] = season_factor(use, day) * habit * presence
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
                for duration, position in zip(
                    *draw_course(kind.course, unit.device.states, rng), strict=True
                ):
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
        if total == 0.0 or unit.mean_weight == 0.0:
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


def start_household(
    env: simpy.Environment,
    sink: LoadSink,
    *,
    load: int | Sequence[int],
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
    load : int or sequence of int
        Load point of the household, as the sink counts them; of several, one for each phase, the
        appliances take one after the other.
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
    points = (load,) if isinstance(load, int) else tuple(load)
    for number, unit in enumerate(household.units):
        causes = [f"{settings.name}: {unit.name} {_said(state)}" for state in unit.device.states]
        contribution = Contribution(sink, points[number % len(points)], len(orders))
        changes = household.changes(unit, int(env.now))
        position, upcoming = _present(changes, int(env.now))
        contribution.move(unit.device.draws[position], cause=causes[position], remember=True)
        if upcoming is not None:
            following = itertools.chain([upcoming], changes)
            env.process(_follow(env, contribution, unit.device, following, causes))
    return household


def _said(state: str) -> str:
    return "off" if state == "rest" else state


def _present(changes: Iterator[tuple[int, int]], now_ns: int) -> tuple[int, tuple[int, int] | None]:
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

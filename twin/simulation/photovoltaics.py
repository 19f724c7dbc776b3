"""Photovoltaic plants under a common sky of passing clouds, as simpy processes."""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy
from numpy.typing import ArrayLike, NDArray

from twin.contracts import NS_PER_SECOND, TwinError
from twin.simulation.appliances import Spectrum, spectrum_ratio
from twin.simulation.load_sink import Contribution, Draw, LoadSink, make_draw, reactive_power
from twin.simulation.sun import DAY_NS, clear_sky, diffuse_fraction, solar_position

_SOLAR_CONSTANT = 1361.0
"""Kopp and Lean 2011 [W/m2]."""
_GROUND_ALBEDO = 0.2
_UPDATE_NS = 60 * NS_PER_SECOND


INVERTER_SPECTRUM = Spectrum(
    table={3: (1.0, 150), 5: (1.5, -60), 7: (1.0, 90), 9: (0.5, 0), 11: (0.8, -150), 13: (0.6, 45)},
    source="typical, engineering estimate; IEC 61727 allows 4 % (3rd to 9th) and 2 % (11th to 15th)",
)


class PlantError(TwinError, ValueError):
    """A plant that cannot be built."""


@dataclass(frozen=True, slots=True)
class PlantSettings:
    """One photovoltaic plant."""

    name: str
    peak_power: float
    """Of the modules under standard test conditions [W]."""
    rated_power: float
    """Of the inverter, apparent [VA]; active power is limited so that it holds with the power factor."""
    latitude: float
    """North positive [degree]."""
    longitude: float
    """East positive [degree]."""
    tilt: float = 35.0
    """Of the modules from horizontal [degree]."""
    azimuth: float = 180.0
    """The modules' facing, clockwise from north [degree]."""
    power_factor: float = 1.0
    """Displacement power factor at all powers."""
    overexcited: bool = False
    """True when the plant delivers reactive power, False when it draws it."""
    efficiency: float = 0.965
    """Of the inverter; the Euro efficiency of a data sheet."""
    losses: float = 0.08
    """Share lost to dirt, mismatch, wiring and reflection."""
    spectrum: Spectrum = INVERTER_SPECTRUM
    """Of the inverter's current at every power."""


def irradiance(
    settings: PlantSettings, time_ns: ArrayLike, clear_sky_index: ArrayLike
) -> NDArray[np.float64]:
    """Return the irradiance on the modules [W/m2].

    The share of the clear sky that passes the clouds is split by Erbs into beam and diffuse light; the
    sky's diffuse light is isotropic and the ground reflects a fifth.

    Parameters
    ----------
    settings : PlantSettings
        Site and position of the modules.
    time_ns : array_like of int
        UTC [ns].
    clear_sky_index : array_like
        Global irradiance over that of a clear sky.

    References
    ----------
    B. Liu, R. Jordan, "The long-term average performance of flat-plate solar-energy collectors", Solar
    Energy 7 (1963) 53-74.
    """
    elevation, azimuth = solar_position(time_ns, latitude=settings.latitude, longitude=settings.longitude)
    sine = np.sin(elevation)
    up = np.maximum(sine, 0.065)
    total = clear_sky(elevation) * np.asarray(clear_sky_index)
    # The earth's distance: Spencer 1971, first harmonic; the year's start is exact enough here.
    year = 2.0 * math.pi * (np.asarray(time_ns, dtype=np.int64) / DAY_NS % 365.2425) / 365.2425
    clearness = total / (_SOLAR_CONSTANT * (1.0 + 0.033 * np.cos(year)) * up)
    diffuse = total * diffuse_fraction(clearness)
    tilt = math.radians(settings.tilt)
    turned = azimuth - math.radians(settings.azimuth)
    facing = sine * math.cos(tilt) + np.cos(elevation) * math.sin(tilt) * np.cos(turned)
    beam = (total - diffuse) / up * np.maximum(facing, 0.0)
    sky = diffuse * (1.0 + math.cos(tilt)) / 2.0
    ground = total * _GROUND_ALBEDO * (1.0 - math.cos(tilt)) / 2.0
    return np.asarray(beam + sky + ground)


def plant_power(settings: PlantSettings, light: ArrayLike, ambient: ArrayLike) -> NDArray[np.float64]:
    """Return the active power that a plant delivers [W], not negative.

    Parameters
    ----------
    settings : PlantSettings
        Modules and inverter.
    light : array_like
        Irradiance on the modules [W/m2].
    ambient : array_like
        Air temperature [degree Celsius].

    References
    ----------
    R. Ross, "Interface design considerations for terrestrial solar cell modules", 12th IEEE PVSC (1976):
    cell temperature from the nominal operating cell temperature, 45 degrees. The coefficient of power,
    -0.37 %/K, is that of crystalline silicon in data sheets.
    """
    cell = np.asarray(ambient) + (45.0 - 20.0) / 800.0 * np.asarray(light)
    direct = settings.peak_power * np.asarray(light) / 1000.0 * (1.0 - 0.0037 * (cell - 25.0))
    alternating = direct * (1.0 - settings.losses) * settings.efficiency
    limit = settings.rated_power * settings.power_factor
    starts = 0.005 * settings.rated_power
    return np.where(alternating < starts, 0.0, np.minimum(alternating, limit))


def air_temperature(time_ns: ArrayLike, *, longitude: float) -> NDArray[np.float64]:
    """Return a temperate climate's mean air temperature [degree Celsius].

    A yearly wave (9.5 +- 9 degrees, coldest on 18 January) and a daily one (+- 4 degrees, warmest at
    15:00 solar time): an engineering estimate after Central European long-term means.
    """
    days = np.asarray(time_ns, dtype=np.int64) / DAY_NS
    yearly = -np.cos(2.0 * math.pi * (days - 17.5) / 365.2425)
    daily = np.cos(2.0 * math.pi * (days + longitude / 360.0 - 15.0 / 24.0))
    return 9.5 + 9.0 * yearly + 4.0 * daily


class Sky:
    """The clouds over a site; every plant under it sees the same ones.

    The weather is a Markov chain in continuous time over clear, broken and overcast; under a broken sky
    clouds pass within minutes. With a cloudiness c the three are in force for (1 - c)^2, 2 c (1 - c) and
    c^2 of the time, so that clouds hide the sun for the share c. The chain starts from these shares: it
    has been running for ever. Dwell times and transmission are engineering estimates; that a hidden sun
    leaves a fifth to a half of the light and cloud edges add some percent is typical.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the sky.
    cloudiness : float
        Share of time with clouds before the sun, 0 to 1.

    Attributes
    ----------
    clear_sky_index : float
        Present global irradiance over that of a clear sky.
    """

    def __init__(self, rng: np.random.Generator, *, cloudiness: float = 0.6) -> None:
        if not 0.0 <= cloudiness <= 1.0:
            raise PlantError(f"cloudiness {cloudiness:g} is no share; give a number from 0 to 1")
        self._rng = rng
        clear = 1.0 - cloudiness
        self._shares = (clear * clear, clear * clear + 2.0 * clear * cloudiness)
        self._changes = self.changes()
        self._stays, self.clear_sky_index = next(self._changes)
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have a function called after each change."""
        self._watchers.append(watcher)

    def changes(self) -> Iterator[tuple[int, float]]:
        """Yield for how long [ns] the sky stays, and its clear-sky index, without end."""
        while True:
            weather = self._rng.random()
            left = self._dwell(8.0 * 3600.0)
            while left > 0:
                mean, index = self._look(weather)
                stays = min(self._dwell(mean), left)
                yield stays, index
                left -= stays

    def _dwell(self, mean: float) -> int:
        return 1 + round(self._rng.exponential(mean) * NS_PER_SECOND)

    def _look(self, weather: float) -> tuple[float, float]:
        """Return the mean dwell [s] and the index of the next look of a kind of weather."""
        if weather < self._shares[0]:
            return 3600.0, 0.97 + 0.03 * self._rng.random()
        if weather < self._shares[1]:
            if self._rng.random() < 0.5:
                return 240.0, 1.0 + 0.06 * self._rng.random()
            return 240.0, 0.30 + 0.30 * self._rng.random()
        return 1500.0, 0.12 + 0.36 * self._rng.random()

    def run(self, env: simpy.Environment) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process of the sky."""
        while True:
            yield env.timeout(self._stays)
            self._stays, self.clear_sky_index = next(self._changes)
            for watcher in self._watchers:
                watcher()


class Plant:
    """One plant: follows the sun each minute and the sky at once.

    Parameters
    ----------
    sink : LoadSink
        Hears of every change.
    loads : sequence of int
        Load point of each phase: one, or three that share the power equally.
    settings : PlantSettings
        Site, modules, inverter.
    orders : sequence of int
        Harmonic orders of the emissions.
    """

    def __init__(
        self, sink: LoadSink, loads: Sequence[int], settings: PlantSettings, orders: Sequence[int]
    ) -> None:
        _check_plant(settings, loads)
        self.settings = settings
        self._orders = tuple(orders)
        self._ratio = spectrum_ratio(settings.spectrum, orders)
        self._phases = [Contribution(sink, load, len(orders)) for load in loads]
        self._off = self._phases[0].now
        self._sunset_ns = 0
        self._grid: tuple[int, float, NDArray[np.float64]] = (0, -1.0, np.zeros(0))

    def update(self, now_ns: int, clear_sky_index: float) -> None:
        """Go to the power of the present minute under the present sky."""
        power = self._power(now_ns - now_ns % _UPDATE_NS, clear_sky_index)
        draw = self._draw(power / len(self._phases)) if power > 0.0 else self._off
        for phase in self._phases:
            if draw.p != phase.now.p:
                phase.move(draw, cause=f"{self.settings.name}: {power:.0f} W from the sun")

    def _power(self, minute_ns: int, index: float) -> float:
        """Return the power of a minute [W], computed for half an hour at once."""
        first, known, powers = self._grid
        at = (minute_ns - first) // _UPDATE_NS
        if index != known or not 0 <= at < len(powers):
            times = minute_ns + np.arange(30) * _UPDATE_NS
            light = irradiance(self.settings, times, index)
            ambient = air_temperature(times, longitude=self.settings.longitude)
            powers = plant_power(self.settings, light, ambient)
            self._grid, at = (minute_ns, index, powers), 0
        return float(powers[at])

    def _draw(self, power: float) -> Draw:
        leading = self.settings.overexcited
        q = reactive_power(power, self.settings.power_factor, leading=leading)
        return make_draw(-power, q, self._ratio, self._orders)

    def run(self, env: simpy.Environment, sky: Sky) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process of the plant."""
        while True:
            yield env.timeout(self.next_ns(int(env.now)) - env.now)
            self.update(int(env.now), sky.clear_sky_index)

    def next_ns(self, now_ns: int) -> int:
        """Return the next whole minute by day; by night the first one with the sun up, a day at most."""
        following = now_ns - now_ns % _UPDATE_NS + _UPDATE_NS
        if following < self._sunset_ns:
            return following
        times = following + np.arange(1440) * _UPDATE_NS
        latitude, longitude = self.settings.latitude, self.settings.longitude
        up = solar_position(times, latitude=latitude, longitude=longitude)[0] > 0.0
        if not up[0]:
            return int(times[np.argmax(up)] if up.any() else times[-1])
        self._sunset_ns = int(times[-1] if up.all() else times[np.argmin(up)])
        return following


def _check_plant(settings: PlantSettings, loads: Sequence[int]) -> None:
    """Raise `PlantError` for settings that no plant can have."""
    name = settings.name
    if len(loads) not in {1, 3}:
        raise PlantError(f"{name}: has {len(loads)} load points; give one or three")
    if not (settings.peak_power > 0.0 and settings.rated_power > 0.0):
        raise PlantError(f"{name}: peak and rated power must be above zero; mend them")
    if not 0.0 < settings.power_factor <= 1.0:
        raise PlantError(f"{name}: power factor {settings.power_factor:g} is not within 0 and 1; mend it")
    if not (-90.0 <= settings.latitude <= 90.0 and -180.0 <= settings.longitude <= 180.0):
        raise PlantError(f"{name}: stands nowhere on earth; mend latitude and longitude")


def start_sky(env: simpy.Environment, *, rng: np.random.Generator, cloudiness: float = 0.6) -> Sky:
    """Start the process of a site's sky; see `Sky`."""
    sky = Sky(rng, cloudiness=cloudiness)
    env.process(sky.run(env))
    return sky


def start_plant(
    env: simpy.Environment,
    sink: LoadSink,
    *,
    loads: Sequence[int],
    settings: PlantSettings,
    orders: Sequence[int],
    sky: Sky,
) -> Plant:
    """Start the process of a photovoltaic plant; the sink hears of its power before this returns.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    sink : LoadSink
        Hears of every change.
    loads : sequence of int
        Load point of each phase, one or three.
    settings : PlantSettings
        Site, modules, inverter.
    orders : sequence of int
        Harmonic orders of the emissions.
    sky : Sky
        The site's clouds, started before.

    Raises
    ------
    PlantError
        The settings contradict themselves.
    """
    plant = Plant(sink, loads, settings, orders)
    plant.update(int(env.now), sky.clear_sky_index)
    sky.watch(lambda: plant.update(int(env.now), sky.clear_sky_index))
    env.process(plant.run(env, sky))
    return plant

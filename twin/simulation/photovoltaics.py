"""Photovoltaic plants: the sun's position, irradiance under a changing sky, inverter, simpy processes."""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import simpy
from numpy.typing import ArrayLike, NDArray

from twin.contracts import NS_PER_SECOND, TwinError
from twin.simulation.appliances import Spectrum, spectrum_ratio
from twin.simulation.load_sink import Contribution, Draw, LoadSink, make_draw, reactive_power

_J2000_NS = 946_728_000 * NS_PER_SECOND
"""2000-01-01 12:00 UTC."""
_DAY_NS = 86_400 * NS_PER_SECOND
_SOLAR_CONSTANT = 1361.0
"""Kopp and Lean 2011 [W/m2]."""
_GROUND_ALBEDO = 0.2
_UPDATE_NS = 60 * NS_PER_SECOND


class PlantError(TwinError, ValueError):
    """A plant that cannot be built."""


def solar_position(
    time_ns: ArrayLike, *, latitude: float, longitude: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sun's elevation and azimuth [rad], without refraction.

    Parameters
    ----------
    time_ns : array_like of int
        UTC since 1970 [ns], any shape.
    latitude, longitude : float
        North and east positive [degree].

    Returns
    -------
    elevation, azimuth : ndarray
        Azimuth clockwise from north, 0 to 2 pi.

    References
    ----------
    J. Michalsky, "The Astronomical Almanac's algorithm for approximate solar position (1950-2050)",
    Solar Energy 40 (1988) 227-235; accurate to 0.01 degree.
    """
    days = (np.asarray(time_ns, dtype=np.int64) - _J2000_NS) / _DAY_NS
    declination, right_ascension = _equatorial(days)
    hours = (days - np.floor(days + 0.5) + 0.5) * 24.0
    midnight = np.floor(days + 0.5) - 0.5
    sidereal = 6.697375 + 0.0657098242 * (midnight + hours / 24.0) + hours
    hour_angle = np.radians(15.0 * sidereal + longitude) - right_ascension
    north = math.radians(latitude)
    sine = np.sin(declination) * math.sin(north)
    sine = sine + np.cos(declination) * math.cos(north) * np.cos(hour_angle)
    elevation = np.arcsin(np.clip(sine, -1.0, 1.0))
    east = -np.cos(declination) * np.sin(hour_angle)
    northward = np.sin(declination) * math.cos(north)
    northward = northward - np.cos(declination) * math.sin(north) * np.cos(hour_angle)
    return elevation, np.arctan2(east, northward) % (2.0 * math.pi)


def _equatorial(days: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return declination and right ascension [rad] at days since J2000."""
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = np.radians(mean_longitude + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly))
    obliquity = np.radians(23.439 - 4.0e-7 * days)
    declination = np.arcsin(np.sin(obliquity) * np.sin(ecliptic))
    return declination, np.arctan2(np.cos(obliquity) * np.sin(ecliptic), np.cos(ecliptic))


def clear_sky(elevation: ArrayLike) -> NDArray[np.float64]:
    """Return the global horizontal irradiance of a clear sky [W/m2] at the sun's elevation [rad].

    References
    ----------
    B. Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal of Meteorology 2
    (1945) 154-166: 1098 cos(z) exp(-0.059 / cos(z)).
    """
    sine = np.sin(np.asarray(elevation, dtype=np.float64))
    up = np.maximum(sine, 1e-3)
    return np.where(sine > 1e-3, 1098.0 * up * np.exp(-0.059 / up), 0.0)


def diffuse_fraction(clearness: ArrayLike) -> NDArray[np.float64]:
    """Return the diffuse share of global irradiance at a clearness index (global over extraterrestrial).

    References
    ----------
    D. Erbs, S. Klein, J. Duffie, "Estimation of the diffuse radiation fraction for hourly, daily and
    monthly-average global radiation", Solar Energy 28 (1982) 293-302, equation 1.
    """
    kt = np.asarray(clearness, dtype=np.float64)
    middle = 0.9511 - 0.1604 * kt + 4.388 * kt**2 - 16.638 * kt**3 + 12.336 * kt**4
    return np.where(kt <= 0.22, 1.0 - 0.09 * kt, np.where(kt <= 0.80, middle, 0.165))


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
    spectrum: Spectrum = Spectrum(
        table={3: (1.0, 150.0), 5: (1.5, -60.0), 7: (1.0, 90.0), 9: (0.5, 0.0), 11: (0.8, -150.0), 13: (0.6, 45.0)},
        source="typical, engineering estimate; IEC 61727 allows 4 % (3rd to 9th) and 2 % (11th to 15th)",
    )


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
    year = 2.0 * math.pi * (np.asarray(time_ns, dtype=np.int64) / _DAY_NS % 365.2425) / 365.2425
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
    days = np.asarray(time_ns, dtype=np.int64) / _DAY_NS
    yearly = -np.cos(2.0 * math.pi * (days - 17.5) / 365.2425)
    daily = np.cos(2.0 * math.pi * (days + longitude / 360.0 - 15.0 / 24.0))
    return 9.5 + 9.0 * yearly + 4.0 * daily

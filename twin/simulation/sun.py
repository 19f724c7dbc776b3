"""Where the sun stands, and what of its light reaches the ground under a clear sky."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.contracts import NS_PER_SECOND

DAY_NS = 86_400 * NS_PER_SECOND
"""A day [ns]."""
_J2000_NS = 946_728_000 * NS_PER_SECOND
"""2000-01-01 12:00 UTC."""


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
    days = (np.asarray(time_ns, dtype=np.int64) - _J2000_NS) / DAY_NS
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

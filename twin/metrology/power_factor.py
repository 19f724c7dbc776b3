"""Power factors, their signs, lead and lag, and the quadrant that a load stands in."""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Reading
from twin.metrology.distortion import NEGLIGIBLE

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class PowerFactorSign(Enum):
    """What the sign of a shown power factor says."""

    IEC = "iec"
    """The sign of P: negative where active power is exported (quadrants II and III)."""
    IEEE = "ieee"
    """Negative where the current lags (quadrants I and III), positive where it leads."""
    LAG_POSITIVE = "lag positive"
    """Positive where the current lags (quadrants I and III), negative where it leads: IEEE the other way."""


def power_factor(p: Float, s: Float) -> Float:
    """Return P over S: of the whole waveform the true power factor, of order 1 the displacement one.

    Parameters
    ----------
    p, s : ndarray, shape (...)
        Active and apparent power [W, VA].

    Returns
    -------
    ndarray, shape (...)
        -1 .. 1, with the sign of P; NaN without apparent power.

    References
    ----------
    IEEE Std 1459-2010, 3.1.1 and 3.1.2 (power factor).
    """
    ratio: Float = np.full(np.broadcast(p, s).shape, np.nan)
    np.divide(p, s, out=ratio, where=s > 0.0)
    # |P| exceeds S by rounding alone.
    return np.clip(ratio, -1.0, 1.0)


def displacement_power_factor(reading: Reading) -> Float:
    """Return cos(phi1) of each phase, P1 over S1, shape (meters, 3), with the sign of P1.

    NaN without a fundamental of voltage and current.

    References
    ----------
    IEEE Std 1459-2010, 3.1.2 (fundamental power factor PF1).
    """
    s = reading.harmonic[:, :3, 1] * reading.harmonic[:, 3:, 1]
    live = (reading.harmonic[:, :3, 1] > NEGLIGIBLE) & (reading.harmonic[:, 3:, 1] > NEGLIGIBLE)
    return power_factor(reading.p_fundamental, np.where(live, s, 0.0))


def quadrant(p: Float, q: Float) -> Int:
    """Return the quadrant, 1 .. 4, by the signs of P and Q; a zero counts as import.

    I: both imported; II: P exported, Q imported; III: both exported; IV: P imported, Q exported.

    References
    ----------
    IEC 62053-23:2020, annex C.
    """
    out: Int = np.where(q < 0.0, np.where(p < 0.0, 3, 4), np.where(p < 0.0, 2, 1)).astype(np.int64)
    return out


def lags(p: Float, q: Float) -> NDArray[np.bool_]:
    """Return where the load is inductive: quadrants I and III; without P or Q it neither lags nor leads."""
    out: NDArray[np.bool_] = p * q > 0.0
    return out


def leads(p: Float, q: Float) -> NDArray[np.bool_]:
    """Return where the load is capacitive: quadrants II and IV."""
    out: NDArray[np.bool_] = p * q < 0.0
    return out


def signed_power_factor(p: Float, q: Float, s: Float, *, sign: PowerFactorSign) -> Float:
    """Return the power factor as a meter of a convention shows it.

    Parameters
    ----------
    p, q, s : ndarray, shape (...)
        Active, reactive, apparent power [W, var, VA].
    sign : PowerFactorSign
        The meter's convention; see the drawing in docs/numbers.md.

    Returns
    -------
    ndarray, shape (...)
        -1 .. 1; NaN without apparent power. Without reactive power IEEE and its reverse read positive.

    References
    ----------
    IEC 62053-23:2020, annex C (quadrants); KW320 manual, 5.1.7.6.1.1 (IEC and IEEE); JEMStar II manual,
    calculations (positive for lag).
    """
    factor = power_factor(p, s)
    if sign is PowerFactorSign.IEC:
        return factor
    negative = lags(p, q) if sign is PowerFactorSign.IEEE else leads(p, q)
    out: Float = np.where(negative, -np.abs(factor), np.abs(factor))
    return out

"""Symmetrical components and the ways to state unbalance."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Reading

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_TURN = complex(-0.5, math.sqrt(0.75))


def symmetrical_components(phasors: Complex) -> tuple[Complex, Complex, Complex]:
    """Return positive, negative and zero sequence.

    Parameters
    ----------
    phasors : ndarray, shape (..., 3)
        Fundamental phasors of phases a, b, c [V or A].

    Returns
    -------
    positive, negative, zero : ndarray, shape (...)
        [V or A].

    References
    ----------
    Fortescue, Trans. AIEE 37 (1918) 1027; IEC 61000-4-30:2015, 5.7.1.
    """
    a, b, c = phasors[..., 0], phasors[..., 1], phasors[..., 2]
    back = _TURN.conjugate()
    positive: Complex = (a + _TURN * b + back * c) / 3.0
    negative: Complex = (a + back * b + _TURN * c) / 3.0
    zero: Complex = (a + b + c) / 3.0
    return positive, negative, zero


def voltage_unbalance(reading: Reading) -> tuple[Float, Float]:
    """Return u2 and u0, negative and zero sequence over positive sequence.

    Parameters
    ----------
    reading : Reading
        Of a bank of meters.

    Returns
    -------
    u2, u0 : ndarray, shape (meters,)
        Fractions, not percent; NaN without a positive sequence.

    References
    ----------
    IEC 61000-4-30:2015, 5.7.1.
    """
    return _ratio(reading.v_negative, reading.v_positive), _ratio(reading.v_zero, reading.v_positive)


def current_unbalance(reading: Reading) -> tuple[Float, Float]:
    """Return i2 and i0 as `voltage_unbalance` does for voltages.

    References
    ----------
    IEC 61000-4-30:2015, 5.13.
    """
    return _ratio(reading.i_negative, reading.i_positive), _ratio(reading.i_zero, reading.i_positive)


def _ratio(component: Complex, positive: Complex) -> Float:
    """Return the ratio of magnitudes; NaN where the denominator is rounding (below 1e-9 V or A)."""
    size = np.abs(positive)
    out: Float = np.full(size.shape, np.nan)
    np.divide(np.abs(component), size, out=out, where=size > 1e-9)
    return out


def unbalance_of_line_voltages(vll: Float) -> Float:
    """Return u2 from the magnitudes of the three line voltages alone.

    ``u2 = sqrt((1 - sqrt(3 - 6 beta)) / (1 + sqrt(3 - 6 beta)))`` with
    ``beta = (Uab^4 + Ubc^4 + Uca^4) / (Uab^2 + Ubc^2 + Uca^2)^2``; line voltages have no zero sequence.

    Parameters
    ----------
    vll : ndarray, shape (..., 3)
        Fundamental line voltages ab, bc, ca [V].

    Returns
    -------
    ndarray, shape (...)
        Fraction; NaN without voltage.

    References
    ----------
    IEC 61000-4-30:2015, 5.7.1.
    """
    squares = vll * vll
    total = squares.sum(axis=-1)
    beta = np.full(total.shape, np.nan)
    np.divide((squares * squares).sum(axis=-1), total * total, out=beta, where=total > 0)
    # Rounding of equal voltages may leave 3 - 6 beta a hair above one.
    root = np.sqrt(np.clip(3.0 - 6.0 * beta, 0.0, 1.0))
    out: Float = np.sqrt((1.0 - root) / (1.0 + root))
    return out


def maximum_deviation(values: Float) -> Float:
    """Return the largest deviation from the average over the average.

    Parameters
    ----------
    values : ndarray, shape (..., 3)
        RMS voltages or currents [V or A].

    Returns
    -------
    ndarray, shape (...)
        Fraction; NaN where the average is zero.

    References
    ----------
    NEMA MG 1-2016, 14.36.2 (line voltages).
    """
    mean = values.mean(axis=-1)
    worst = np.abs(values - mean[..., np.newaxis]).max(axis=-1)
    out: Float = np.full(mean.shape, np.nan)
    np.divide(worst, mean, out=out, where=mean > 0)
    return out

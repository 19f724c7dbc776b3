"""A phase that is missing, and phases in the wrong order."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.metrology.unbalance import symmetrical_components

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Flags = NDArray[np.bool_]

_EVEN: Final = 1e-6
"""Sequence components closer than this, relative, tell no order."""


def lost_phases(v: Float, *, lost: float, present: float) -> Flags:
    """Return which phases are lost: below one level while another phase is at or above a second.

    All phases without voltage are an interruption, no phase loss.

    Parameters
    ----------
    v : ndarray, shape (..., 3)
        RMS, line to neutral [V].
    lost, present : float
        The two levels, the first below the second [V].

    Returns
    -------
    ndarray of bool, shape (..., 3)

    Raises
    ------
    ValueError
        If the levels are not in order.

    References
    ----------
    JEMStar II manual, phase loss trigger; the levels are the device's.
    """
    if not 0.0 < lost <= present:
        raise ValueError(f"a phase below {lost} V cannot be told from one above {present} V; swap the levels")
    missing: Flags = (v < lost) & (v >= present).any(axis=-1, keepdims=True)
    return missing


def phase_rotation(phasors: Complex) -> NDArray[np.int8]:
    """Return the order in which the phases follow each other.

    Parameters
    ----------
    phasors : ndarray, shape (..., 3)
        Fundamentals of a, b, c [V or A].

    Returns
    -------
    ndarray of int8, shape (...)
        1 for a b c (the positive sequence prevails), -1 for a c b, 0 where neither does.

    References
    ----------
    IEC 61000-4-30:2015, 5.7 (symmetrical components).
    """
    positive, negative, _ = symmetrical_components(phasors)
    one, two = np.abs(positive), np.abs(negative)
    order = np.where(np.abs(one - two) > _EVEN * np.maximum(one, two), np.sign(one - two), 0)
    return order.astype(np.int8)


def rotation_error(
    phasors: Complex, *, lowest: float = math.radians(90.0), highest: float = math.radians(150.0)
) -> Flags:
    """Return whether the phases stand at wrong angles to each other.

    Parameters
    ----------
    phasors : ndarray, shape (..., 3)
        Fundamentals of a, b, c [V or A].
    lowest, highest : float
        b must lag a, c must lag b and a must lag c by an angle from the one to the other [rad].

    Returns
    -------
    ndarray of bool, shape (...)
        False where a phase is zero: that is a loss.

    References
    ----------
    JEMStar II manual, status word: phase voltage rotation error outside 90 to 150 degrees.
    """
    lag = np.angle(phasors * np.roll(phasors, -1, axis=-1).conj()) % (2.0 * math.pi)
    wrong: Flags = ((lag < lowest) | (lag > highest)).any(axis=-1) & (phasors != 0.0).all(axis=-1)
    return wrong

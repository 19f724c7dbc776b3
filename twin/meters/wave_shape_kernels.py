"""Compiled ratios of the harmonics of many meters: shares of the fundamental, odd, even, THFF, K factor."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Flags = NDArray[np.bool_]


@njit(cache=True, nogil=True, error_model="numpy")
def harmonic_ratios(
    harmonic: Float,
    live: Flags,
    weight: Float,
    which: Int,
    rms: Float,
    negligible: float,
    shares: Float,
    ratios: Float,
) -> None:
    """Fill shares and ratios; zeros where a channel is not live.

    Parameters
    ----------
    harmonic : ndarray, shape (meters, 6, orders)
        RMS by order from 0, of va, vb, vc, ia, ib, ic.
    live : ndarray of bool, shape (meters, 6)
        Whether a channel has a fundamental.
    weight : ndarray, shape (frequencies, orders)
        What THFF weighs each order by, at each frequency that there is.
    which : ndarray of int64, shape (meters,)
        Frequency of each meter.
    rms : ndarray, shape (meters, 3)
        Of the voltages.
    negligible : float
        RMS below which there is no ratio.
    shares : ndarray, shape (meters, 6, 62)
        Orders 2 to 63 over order 1.
    ratios : ndarray, shape (meters, 6, 3)
        Odd and even content over order 1; THFF of a voltage, K factor of a current.

    See Also
    --------
    twin.metrology.odd_thd, even_thd, k_factor, telephone_harmonic_form_factor : the definitions.
    """
    meters, channels, orders = harmonic.shape
    for m in range(meters):
        for c in range(channels):
            shares[m, c, :] = 0.0
            ratios[m, c, :] = 0.0
            if not live[m, c]:
                continue
            fundamental = harmonic[m, c, 1]
            odd = even = weighted = squares = heating = 0.0
            for h in range(orders):
                square = harmonic[m, c, h] ** 2
                if h >= 1:
                    squares += square
                    heating += h * h * square
                if h >= 2:
                    shares[m, c, h - 2] = harmonic[m, c, h] / fundamental
                    if h % 2:
                        odd += square
                    else:
                        even += square
                if c < 3:
                    weighted += square * weight[which[m], h] ** 2
            if fundamental <= negligible:
                continue
            ratios[m, c, 0] = math.sqrt(odd) / fundamental
            ratios[m, c, 1] = math.sqrt(even) / fundamental
            ratios[m, c, 2] = math.sqrt(weighted) / rms[m, c] if c < 3 else heating / squares

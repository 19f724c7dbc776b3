"""Compiled bounds of displayed values over a boundary; `twin.meters.straddle` derives them."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.meters.quantity_kernels import PICKUP_CURRENT, PICKUP_VOLTAGE

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Flags = NDArray[np.bool_]
INF = math.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _quotient(n1: float, n2: float, d1: float, d2: float, by: float, under: float) -> tuple[float, float]:
    """Bound a quotient of two magnitudes that stray by ``by`` and ``under`` from either side's."""
    most = min(d1, d2) + under
    least = max(d1, d2) - under
    low = max(max(n1, n2) - by, 0.0) / most if most > 0.0 else 0.0
    high = (min(n1, n2) + by) / least if least > 0.0 else INF
    return low, high


@njit(cache=True, nogil=True, error_model="numpy")
def _power_factor(p_low: float, p_high: float, s_low: float, s_high: float) -> tuple[float, float]:
    """Bound P/S where its sign is sure."""
    if s_low <= 0.0 or p_low <= 0.0 <= p_high:
        return -INF, INF
    if p_low > 0.0:
        return p_low / s_high, p_high / s_low
    return p_low / s_low, p_high / s_high


@njit(cache=True, nogil=True, error_model="numpy")
def stray_bounds(
    rms: Float,
    vll: Float,
    i_n: Float,
    power: Float,
    fundamental: Float,
    thd: Float,
    sequence: Float,
    angle: Float,
    step: Float,
    general: Flags,
    plain: Flags,
    lowest: Float,
    highest: Float,
) -> None:
    """Narrow lowest and highest displayed values from -inf and inf.

    Parameters
    ----------
    rms, fundamental, thd : ndarray, shape (2, meters, 6)
        Of the channels before and after: RMS, RMS of order 1 [V or A], distortion.
    vll, i_n : ndarray, shape (2, meters, 3), (2, meters)
        [V], [A].
    power : ndarray, shape (2, meters, 2, 3)
        P [W] and Budeanu's Q [var] of the phases.
    sequence : ndarray, shape (2, meters, 4)
        Magnitudes: negative and positive sequence of the voltages [V], then of the currents [A].
    angle : ndarray, shape (meters,)
        Of vb before the boundary, 0..360 degrees.
    step : ndarray, shape (meters, 6)
        RMS of the difference.
    general, plain : ndarray of bool, shape (meters,)
        Reactive power is sqrt(S^2 - P^2); the power factor is P/S with the sign of P.
    lowest, highest : ndarray, shape (meters, 52)
        Filled in place.
    """
    for m in range(step.shape[0]):
        low, high = lowest[m], highest[m]
        live_v = live_i = False
        for column in (4, 8, 12, 17, 21, 25, 36, 40):
            low[column] = high[column] = 0.0
        low[13] = max(i_n[0, m], i_n[1, m])
        high[13] = min(i_n[0, m], i_n[1, m])
        for k in range(3):
            dv, di = step[m, k], step[m, 3 + k]
            v_low = max(rms[0, m, k], rms[1, m, k]) - dv
            i_low = max(rms[0, m, 3 + k], rms[1, m, 3 + k]) - di
            v_low = v_low if v_low >= PICKUP_VOLTAGE else 0.0
            i_low = i_low if i_low >= PICKUP_CURRENT else 0.0
            v_high = min(rms[0, m, k], rms[1, m, k]) + dv
            i_high = min(rms[0, m, 3 + k], rms[1, m, 3 + k]) + di
            sure = v_low > 0.0 and i_low > 0.0
            live_v = live_v or v_low > 0.0
            live_i = live_i or i_low > 0.0
            low[1 + k], high[1 + k], low[9 + k], high[9 + k] = v_low, v_high, i_low, i_high
            dll = dv + step[m, (k + 1) % 3]
            low[5 + k] = max(vll[0, m, k], vll[1, m, k]) - dll
            high[5 + k] = min(vll[0, m, k], vll[1, m, k]) + dll
            low[13] -= di
            high[13] += di
            by = dv * di + min(
                rms[0, m, k] * di + dv * rms[0, m, 3 + k], rms[1, m, k] * di + dv * rms[1, m, 3 + k]
            )
            for row in range(2):
                a, b = power[0, m, row, k], power[1, m, row, k]
                least, most = min(a, b) - by, max(a, b) + by
                column = 14 + 4 * row + k
                low[column] = least if sure else min(least, 0.0)
                high[column] = most if sure else max(most, 0.0)
                if row == 1 and general[m]:
                    low[column], high[column] = -INF, INF
            low[22 + k], high[22 + k] = v_low * i_low, v_high * i_high
            if plain[m]:
                low[26 + k], high[26 + k] = _power_factor(
                    low[14 + k], high[14 + k], low[22 + k], high[22 + k]
                )
            for half in range(2):
                c = k + 3 * half
                f1, f2 = fundamental[0, m, c], fundamental[1, m, c]
                n1 = thd[0, m, c] * f1 if thd[0, m, c] > 0.0 else 0.0
                n2 = thd[1, m, c] * f2 if thd[1, m, c] > 0.0 else 0.0
                q_low, q_high = _quotient(n1, n2, f1, f2, step[m, c], step[m, c])
                alive = i_low > 0.0 if half else v_low > 0.0
                low[33 + 4 * half + k] = q_low if alive else 0.0
                high[33 + 4 * half + k] = q_high
            for mean, first in ((4, 1), (8, 5), (12, 9), (36, 33), (40, 37)):
                low[mean] += low[first + k] / 3.0
                high[mean] += high[first + k] / 3.0
            for total, first in ((17, 14), (21, 18), (25, 22)):
                low[total] += low[first + k]
                high[total] += high[first + k]
        if low[13] < PICKUP_CURRENT:
            low[13] = 0.0
        if plain[m]:
            low[29], high[29] = _power_factor(low[17], high[17], low[25], high[25])
        for half in range(2):
            by = (step[m, 3 * half] + step[m, 3 * half + 1] + step[m, 3 * half + 2]) / 3.0
            low[30 + half], high[30 + half] = _quotient(
                sequence[0, m, 2 * half],
                sequence[1, m, 2 * half],
                sequence[0, m, 2 * half + 1],
                sequence[1, m, 2 * half + 1],
                by,
                by,
            )
            if not (live_i if half else live_v):
                low[30 + half] = 0.0
        if fundamental[0, m, 0] > step[m, 0] and fundamental[0, m, 1] > step[m, 1]:
            turn = math.degrees(
                math.asin(step[m, 0] / fundamental[0, m, 0]) + math.asin(step[m, 1] / fundamental[0, m, 1])
            )
            if turn < 90.0 and angle[m] - turn > 0.0 and angle[m] + turn < 360.0:
                low[51], high[51] = angle[m] - turn, angle[m] + turn

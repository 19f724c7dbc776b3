"""Compiled bounds of displayed values over a boundary; `twin.meters.straddle` derives them."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.meters.quantity_kernels import PICKUP_CURRENT, PICKUP_VOLTAGE
from twin.metrology.kernels import ANGLE, I_N, I_RMS, Q_BUDEANU, THD, V_RMS, VLL, P

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Flags = NDArray[np.bool_]
INF = math.inf
MARGIN = 1e-9
"""Relative widening of bounds against rounding."""


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
    one: Float,
    two: Float,
    sequence_one: Complex,
    sequence_two: Complex,
    harmonic_one: Float,
    harmonic_two: Float,
    values_one: Float,
    values_two: Float,
    high_rms: Float,
    fundamental: Flags,
    general: Flags,
    ieee: Flags,
    bounds: Float,
) -> None:
    """Fill lowest and highest displayed values, shape (2, meters, 52).

    Parameters
    ----------
    one, sequence_one, harmonic_one, two, sequence_two, harmonic_two
        Fields of `twin.metrology.Quantities` before and after.
    values_one, values_two : ndarray, shape (meters, 52)
        What is displayed before and after.
    high_rms : ndarray, shape (meters x 6,)
        Upper bound of every channel's RMS [V or A].
    fundamental, general, ieee : ndarray of bool, shape (meters,)
        Conventions of the meters.
    """
    bounds[0] = -INF
    bounds[1] = INF
    step = np.empty(6)  # RMS of the difference of the two sides, by channel
    for m in range(one.shape[0]):
        low, high = bounds[0, m], bounds[1, m]
        live_v = live_i = False
        plain = not ieee[m] and not fundamental[m]  # the power factor is P/S with the sign of P
        low[0], high[0] = min(values_one[m, 0], values_two[m, 0]), max(values_one[m, 0], values_two[m, 0])
        for column in (4, 8, 12, 17, 21, 25, 36, 40):
            low[column] = high[column] = 0.0
        low[13] = max(one[m, I_N], two[m, I_N])
        high[13] = min(one[m, I_N], two[m, I_N])
        for k in range(3):
            step[k] = max(high_rms[6 * m + k] - min(one[m, V_RMS + k], two[m, V_RMS + k]), 0.0)
            step[3 + k] = max(high_rms[6 * m + 3 + k] - min(one[m, I_RMS + k], two[m, I_RMS + k]), 0.0)
        for k in range(3):
            dv, di = step[k], step[3 + k]
            v_low = max(one[m, V_RMS + k], two[m, V_RMS + k]) - dv
            i_low = max(one[m, I_RMS + k], two[m, I_RMS + k]) - di
            v_low = v_low if v_low >= PICKUP_VOLTAGE else 0.0
            i_low = i_low if i_low >= PICKUP_CURRENT else 0.0
            v_high = min(one[m, V_RMS + k], two[m, V_RMS + k]) + dv
            i_high = min(one[m, I_RMS + k], two[m, I_RMS + k]) + di
            sure = v_low > 0.0 and i_low > 0.0
            live_v = live_v or v_low > 0.0
            live_i = live_i or i_low > 0.0
            low[1 + k], high[1 + k], low[9 + k], high[9 + k] = v_low, v_high, i_low, i_high
            dll = dv + step[(k + 1) % 3]
            low[5 + k] = max(one[m, VLL + k], two[m, VLL + k]) - dll
            high[5 + k] = min(one[m, VLL + k], two[m, VLL + k]) + dll
            low[13] -= di
            high[13] += di
            by = dv * di + min(
                one[m, V_RMS + k] * di + dv * one[m, I_RMS + k],
                two[m, V_RMS + k] * di + dv * two[m, I_RMS + k],
            )
            for column, power in ((14 + k, P + k), (18 + k, Q_BUDEANU + k)):
                least = min(one[m, power], two[m, power]) - by
                most = max(one[m, power], two[m, power]) + by
                low[column] = least if sure else min(least, 0.0)
                high[column] = most if sure else max(most, 0.0)
            if general[m]:
                low[18 + k], high[18 + k] = -INF, INF
            low[22 + k], high[22 + k] = v_low * i_low, v_high * i_high
            if plain:
                low[26 + k], high[26 + k] = _power_factor(
                    low[14 + k], high[14 + k], low[22 + k], high[22 + k]
                )
            for half in range(2):
                c = k + 3 * half
                f1, f2 = harmonic_one[m, c, 1], harmonic_two[m, c, 1]
                n1 = one[m, THD + c] * f1 if one[m, THD + c] > 0.0 else 0.0
                n2 = two[m, THD + c] * f2 if two[m, THD + c] > 0.0 else 0.0
                q_low, q_high = _quotient(n1, n2, f1, f2, step[c], step[c])
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
        if plain:
            low[29], high[29] = _power_factor(low[17], high[17], low[25], high[25])
        for half in range(2):
            by = (step[3 * half] + step[3 * half + 1] + step[3 * half + 2]) / 3.0
            low[30 + half], high[30 + half] = _quotient(
                abs(sequence_one[m, 3 * half + 1]),
                abs(sequence_two[m, 3 * half + 1]),
                abs(sequence_one[m, 3 * half]),
                abs(sequence_two[m, 3 * half]),
                by,
                by,
            )
            if not (live_i if half else live_v):
                low[30 + half] = 0.0
        if harmonic_one[m, 0, 1] > step[0] and harmonic_one[m, 1, 1] > step[1]:
            angle = math.degrees(one[m, ANGLE + 1]) % 360.0
            turn = math.degrees(
                math.asin(step[0] / harmonic_one[m, 0, 1]) + math.asin(step[1] / harmonic_one[m, 1, 1])
            )
            if turn < 90.0 and angle - turn > 0.0 and angle + turn < 360.0:
                low[51], high[51] = angle - turn, angle + turn
        for column in range(low.size):
            low[column] -= MARGIN * abs(low[column])
            high[column] += MARGIN * abs(high[column])

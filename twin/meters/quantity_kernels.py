"""Compiled arithmetic of displayed quantities, one call for all meters of a bank."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.metrology.kernels import (
    ANGLE,
    I_N,
    I_RMS,
    P_FUNDAMENTAL,
    Q_BUDEANU,
    Q_FUNDAMENTAL,
    THD,
    V_RMS,
    VLL,
    P,
    S,
)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Flags = NDArray[np.bool_]

PICKUP_VOLTAGE = 10.0
"""A phase voltage below reads 0 [V] (KW320 manual, specifications: pickup voltage 10 Vac)."""
PICKUP_CURRENT = 0.005
"""A current below reads 0 [A] (the same: pickup current 5 mA)."""
RESISTIVE = 0.03163858403911275
"""tan(arccos(0.9995)): below this |Q/P| the power factor reads 1.000 and the load counts as resistive."""
LETTER_C, LETTER_L, LETTER_R = 67.0, 76.0, 82.0
"""ASCII codes of the load characteristic (KW320 manual 6.3.7, 4040H)."""


@njit(cache=True, nogil=True, error_model="numpy")
def power_factor(p: float, q: float, s: float, ieee: bool) -> float:
    """Return P/S; 1 without apparent power (KW320 manual 5.1.7.2: dashboard of an unloaded meter)."""
    if s <= 0.0:
        return 1.0
    pf = min(abs(p) / s, 1.0)
    negative = p * q > 0.0 if ieee else p < 0.0
    return -pf if negative else pf


@njit(cache=True, nogil=True, error_model="numpy")
def zero_nan(value: float) -> float:
    """Return a value, or 0 for one that does not exist."""
    return 0.0 if math.isnan(value) else value


@njit(cache=True, nogil=True, error_model="numpy")
def displayed_quantities(
    frequency: Float,
    real: Float,
    sequence: Complex,
    harmonic: Float,
    fundamental: Flags,
    general: Flags,
    ieee: Flags,
    starting_current: Float,
    values: Float,
    registered: Float,
) -> None:
    """Fill displayed values (meters, 52) and registered powers (meters, 12), both zero, secondary SI.

    The first four arguments are the fields of `twin.metrology.Quantities`.

    Notes
    -----
    - Averages are arithmetic means of three phases. Sums of P, Q and S are sums of the phases; S so
      is the arithmetic apparent power of IEEE 1459-2010, 3.2.2.5, which the phase and total apparent
      energies of the KW320 manual's 5.1.7.3.2 follow.
    - Reactive power: Budeanu's, or sqrt(S^2 - P^2) with the sign of the fundamental's reactive power
      (KW320 manual 4.1, modes 0 and 1).
    - Energy registers count from the starting current of the device on, which lies below the pickup of
      its display (IEC 62053-22, starting current; test of no-load condition).
    - Fundamental energy mode: registered powers and power factors are of order 1 (KW320 manual 4.1).
    - PF sign: IEC that of P; IEEE negative for an inductive load (KW320 manual 5.1.7.6.1.1); inductive
      is quadrant I and III (IEC 62053-23, annex C).
    - Unbalance: negative over positive sequence of the fundamental (KW320 manual 4.3; IEC 61000-4-30,
      5.7.1), which gives the 50 % of a lost phase in the manual's max/min table.
    - No voltage: frequency reads 0, as in the manual's Fig 4-3. Distortion without a fundamental is 0.
    """
    for m in range(real.shape[0]):
        row = values[m]
        seen = False
        pf_p = pf_q = pf_s = 0.0
        for k in range(3):
            volt = real[m, V_RMS + k] if real[m, V_RMS + k] >= PICKUP_VOLTAGE else 0.0
            ampere = real[m, I_RMS + k] if real[m, I_RMS + k] >= PICKUP_CURRENT else 0.0
            registers = volt > 0.0 and real[m, I_RMS + k] >= starting_current[m]
            seen = seen or volt > 0.0
            row[1 + k] = volt
            row[4] += volt / 3.0
            row[5 + k] = real[m, VLL + k]
            row[8] += real[m, VLL + k] / 3.0
            row[9 + k] = ampere
            row[12] += ampere / 3.0
            if volt > 0.0:
                row[33 + k] = zero_nan(real[m, THD + k])
            if ampere > 0.0:
                row[37 + k] = zero_nan(real[m, THD + 3 + k])
            row[36] += row[33 + k] / 3.0
            row[40] += row[37 + k] / 3.0
            row[26 + k] = 1.0
            if volt == 0.0 or (ampere == 0.0 and not registers):
                continue
            active, reactive, apparent = real[m, P + k], real[m, Q_BUDEANU + k], real[m, S + k]
            if general[m]:
                reactive = math.sqrt(max(apparent * apparent - active * active, 0.0))
                if real[m, Q_FUNDAMENTAL + k] < 0.0:
                    reactive = -reactive
            if ampere > 0.0:
                row[14 + k], row[18 + k], row[22 + k] = active, reactive, apparent
                row[17] += active
                row[21] += reactive
                row[25] += apparent
            if fundamental[m]:
                active, reactive = real[m, P_FUNDAMENTAL + k], real[m, Q_FUNDAMENTAL + k]
                apparent = harmonic[m, k, 1] * harmonic[m, 3 + k, 1]
            if registers:
                registered[m, k], registered[m, 4 + k], registered[m, 8 + k] = active, reactive, apparent
            if ampere > 0.0:
                row[26 + k] = power_factor(active, reactive, apparent, ieee[m])
                pf_p += active
                pf_q += reactive
                pf_s += apparent
        row[0] = zero_nan(frequency[m]) if seen else 0.0
        row[13] = real[m, I_N] if real[m, I_N] >= PICKUP_CURRENT else 0.0
        row[29] = power_factor(pf_p, pf_q, pf_s, ieee[m])
        if seen and abs(sequence[m, 0]) > 0.0:
            row[30] = abs(sequence[m, 1]) / abs(sequence[m, 0])
        if row[12] > 0.0 and abs(sequence[m, 3]) > 0.0:
            row[31] = abs(sequence[m, 4]) / abs(sequence[m, 3])
        if abs(row[21]) <= RESISTIVE * abs(row[17]):
            row[32] = LETTER_R
        else:
            row[32] = LETTER_L if row[17] * row[21] > 0.0 or row[17] == 0.0 < row[21] else LETTER_C
        row[51] = zero_nan(math.degrees(real[m, ANGLE + 1]) % 360.0)

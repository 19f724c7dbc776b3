"""Compiled arithmetic of wirings: moments of the measuring elements, and what partial wirings display."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.meters.quantity_kernels import (
    LETTER_C,
    LETTER_L,
    LETTER_R,
    PICKUP_CURRENT,
    PICKUP_VOLTAGE,
    RESISTIVE,
    power_factor,
    zero_nan,
)
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
)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Int = NDArray[np.int64]
Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]


@njit(cache=True, nogil=True)
def combine_moments(meters: Rows, matrix: Float, turned: Flags, gram: Float, spectrum: Complex) -> None:
    """Turn the moments of inputs into those of combinations of them, in place.

    Parameters
    ----------
    meters : ndarray of int
        Which meters.
    matrix : ndarray, shape (all meters, 6, 6)
        Each combination by the inputs.
    turned : ndarray of bool, shape (all meters,)
        Whose currents b and c are that of phase a, order by order a third and two thirds of the order's
        own cycles of the fundamental later: a balanced load.
    gram, spectrum : ndarray, shape (all meters, 6, 6) and (all meters, 6, orders)
    """
    orders = spectrum.shape[2]
    half = np.empty((6, 6))
    column = np.empty(6, np.complex128)
    for m in meters:
        of = matrix[m]
        for a in range(6):
            for b in range(6):
                total = 0.0
                for k in range(6):
                    total += of[a, k] * gram[m, k, b]
                half[a, b] = total
        for a in range(6):
            for b in range(6):
                total = 0.0
                for k in range(6):
                    total += half[a, k] * of[b, k]
                gram[m, a, b] = total
        for h in range(orders):
            for k in range(6):
                column[k] = spectrum[m, k, h]
            for a in range(6):
                value = 0.0 + 0.0j
                for k in range(6):
                    value += of[a, k] * column[k]
                spectrum[m, a, h] = value
        if turned[m]:
            _suppose_balance(gram[m], spectrum[m])


@njit(cache=True, nogil=True)
def _suppose_balance(gram: Float, spectrum: Complex) -> None:
    third = 2.0 * math.pi / 3.0
    for h in range(spectrum.shape[1]):
        for k in range(1, 3):
            angle = -third * (h * k % 3)
            spectrum[3 + k, h] = spectrum[3, h] * complex(math.cos(angle), math.sin(angle))
    square = gram[3, 3]
    for k in range(1, 3):
        for a in range(6):
            total = 0.0
            for h in range(spectrum.shape[1]):
                total += (spectrum[a, h] * spectrum[3 + k, h].conjugate()).real
            gram[a, 3 + k] = gram[3 + k, a] = total
    gram[4, 4] = gram[5, 5] = square


@njit(cache=True, nogil=True, error_model="numpy")
def partial_quantities(
    meters: Rows,
    phases: Int,
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
    """Fill what some meters display and register that have not three phases to neutral.

    Parameters are those of `twin.meters.quantity_kernels.displayed_quantities`, and:

    Parameters
    ----------
    meters : ndarray of int
        Which meters.
    phases : ndarray of int64, shape (all meters,)
        1 or 2 phases to neutral; 0 for line voltages alone.

    Notes
    -----
    - Line voltages: P and Q are the sums of the elements (Blondel 1893: one element less than wires), S is
      3 Ve Ie with Ve = sqrt((Uab^2 + Ubc^2 + Uca^2) / 9), Ie = sqrt((Ia^2 + Ib^2 + Ic^2) / 3), the effective
      apparent power of a three-wire system (IEEE 1459-2010, 3.2.2.8). Energies count the sum in the
      counters of the system, because there are no phases.
    - One or two phases: as three, with averages over those that there are; no unbalance.
    - Whatever the wiring does not have is 0 (KW320 manual 3.2 A..C: not displayed).
    """
    for m in meters:
        values[m, :] = 0.0
        registered[m, :] = 0.0
        if phases[m] == 0:
            _line_quantities(
                real[m],
                sequence[m],
                harmonic[m],
                fundamental[m],
                general[m],
                ieee[m],
                starting_current[m],
                values[m],
                registered[m],
            )
        else:
            _phase_quantities(
                phases[m],
                real[m],
                harmonic[m],
                fundamental[m],
                general[m],
                ieee[m],
                starting_current[m],
                values[m],
                registered[m],
            )
        row = values[m]
        row[0] = zero_nan(frequency[m]) if max(row[1], row[2], row[5], row[6], row[7]) > 0.0 else 0.0
        if abs(row[21]) <= RESISTIVE * abs(row[17]):
            row[32] = LETTER_R
        else:
            row[32] = LETTER_L if row[17] * row[21] > 0.0 or row[17] == 0.0 < row[21] else LETTER_C


@njit(cache=True, nogil=True, error_model="numpy")
def _line_quantities(
    real: Float,
    sequence: Complex,
    harmonic: Float,
    fundamental: bool,
    general: bool,
    ieee: bool,
    starting: float,
    row: Float,
    registered: Float,
) -> None:
    volts = amperes = volts_1 = amperes_1 = active = reactive = active_1 = reactive_1 = 0.0
    registers = False
    for k in range(3):
        volt = real[VLL + k] if real[VLL + k] >= PICKUP_VOLTAGE else 0.0
        ampere = real[I_RMS + k] if real[I_RMS + k] >= PICKUP_CURRENT else 0.0
        registers = registers or real[I_RMS + k] >= starting
        row[5 + k], row[9 + k] = volt, ampere
        row[8] += volt / 3.0
        row[12] += ampere / 3.0
        if real[V_RMS + k] >= PICKUP_VOLTAGE:
            row[33 + k] = zero_nan(real[THD + k])
        if ampere > 0.0:
            row[37 + k] = zero_nan(real[THD + 3 + k])
        row[36] += row[33 + k] / 3.0
        row[40] += row[37 + k] / 3.0
        volts += real[VLL + k] ** 2
        amperes += real[I_RMS + k] ** 2
        volts_1 += harmonic[k, 1] ** 2
        amperes_1 += harmonic[3 + k, 1] ** 2
        active += real[P + k]
        reactive += real[Q_BUDEANU + k]
        active_1 += real[P_FUNDAMENTAL + k]
        reactive_1 += real[Q_FUNDAMENTAL + k]
    if row[8] > 0.0 and abs(sequence[0]) > 0.0:
        row[30] = abs(sequence[1]) / abs(sequence[0])
    if row[12] > 0.0 and abs(sequence[3]) > 0.0:
        row[31] = abs(sequence[4]) / abs(sequence[3])
    row[29] = 1.0
    if row[8] > 0.0:
        row[51] = zero_nan(math.degrees(real[ANGLE + 1]) % 360.0)
    if row[8] == 0.0 or (row[12] == 0.0 and not registers):
        return
    apparent = math.sqrt(volts * amperes / 3.0)
    if general:
        reactive = math.copysign(math.sqrt(max(apparent * apparent - active * active, 0.0)), reactive_1)
    if row[12] > 0.0:
        row[17], row[21], row[25] = active, reactive, apparent
    if fundamental:
        active, reactive, apparent = active_1, reactive_1, math.sqrt(volts_1 * amperes_1 / 3.0)
    if registers:
        registered[3], registered[7], registered[11] = active, reactive, apparent
    if row[12] > 0.0:
        row[29] = power_factor(active, reactive, apparent, ieee)


@njit(cache=True, nogil=True, error_model="numpy")
def _phase_quantities(
    phases: int,
    real: Float,
    harmonic: Float,
    fundamental: bool,
    general: bool,
    ieee: bool,
    starting: float,
    row: Float,
    registered: Float,
) -> None:
    pf_p = pf_q = pf_s = 0.0
    for k in range(phases):
        volt = real[V_RMS + k] if real[V_RMS + k] >= PICKUP_VOLTAGE else 0.0
        ampere = real[I_RMS + k] if real[I_RMS + k] >= PICKUP_CURRENT else 0.0
        registers = volt > 0.0 and real[I_RMS + k] >= starting
        row[1 + k], row[9 + k] = volt, ampere
        row[4] += volt / phases
        row[12] += ampere / phases
        if volt > 0.0:
            row[33 + k] = zero_nan(real[THD + k])
        if ampere > 0.0:
            row[37 + k] = zero_nan(real[THD + 3 + k])
        row[36] += row[33 + k] / phases
        row[40] += row[37 + k] / phases
        row[26 + k] = 1.0
        if volt == 0.0 or (ampere == 0.0 and not registers):
            continue
        active, reactive = real[P + k], real[Q_BUDEANU + k]
        apparent = real[V_RMS + k] * real[I_RMS + k]
        if general:
            reactive = math.copysign(
                math.sqrt(max(apparent * apparent - active * active, 0.0)), real[Q_FUNDAMENTAL + k]
            )
        if ampere > 0.0:
            row[14 + k], row[18 + k], row[22 + k] = active, reactive, apparent
            row[17] += active
            row[21] += reactive
            row[25] += apparent
        if fundamental:
            active, reactive = real[P_FUNDAMENTAL + k], real[Q_FUNDAMENTAL + k]
            apparent = harmonic[k, 1] * harmonic[3 + k, 1]
        if registers:
            registered[k], registered[4 + k], registered[8 + k] = active, reactive, apparent
        if ampere > 0.0:
            row[26 + k] = power_factor(active, reactive, apparent, ieee)
            pf_p += active
            pf_q += reactive
            pf_s += apparent
    row[29] = power_factor(pf_p, pf_q, pf_s, ieee)
    if phases == 2:
        row[5] = row[8] = real[VLL]
        row[13] = real[I_N] if real[I_N] >= PICKUP_CURRENT else 0.0

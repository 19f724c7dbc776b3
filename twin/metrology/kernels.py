"""Compiled loops of this room: moments of stationary segments and of samples, and what is made of them.

Array arguments are declared read-only in the signatures, so that one compiled version serves plain and
frozen arrays alike. Nothing here calls BLAS and nothing is reordered: results are bit-stable.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Int = NDArray[np.int64]

C3 = types.Array(types.complex128, 3, "C", readonly=True)
F3 = types.Array(types.float64, 3, "C", readonly=True)
F2 = types.Array(types.float64, 2, "C", readonly=True)
OUT3 = types.Array(types.float64, 3, "C")
OUT2 = types.Array(types.float64, 2, "C")
OUT1 = types.Array(types.float64, 1, "C")
COUT2 = types.Array(types.complex128, 2, "C")
COUT3 = types.Array(types.complex128, 3, "C")
C2 = types.Array(types.complex128, 2, "C", readonly=True)
I1 = types.Array(types.int64, 1, "C", readonly=True)
f64 = types.float64

NEGLIGIBLE = 1e-9  # [V or A]: a fundamental below this is rounding, not a quantity

# First columns of the real quantities, three phases or pairs each; I_N has one, ANGLE and THD six channels.
V_RMS, VLL, I_RMS, I_N, P, P_FUNDAMENTAL = 0, 3, 6, 9, 10, 13
Q_BUDEANU, Q_FUNDAMENTAL, S, ANGLE, THD = 16, 19, 22, 25, 31
REAL_COLUMNS = 37


@njit(types.void(F2, f64, OUT3), cache=True, nogil=True)
def products(values: Float, scale: float, gram: Float) -> None:
    """Fill scale x sums of products of rows (meters x size, n) of ``values``, meter by meter."""
    count = values.shape[1]
    meters, size = gram.shape[0], gram.shape[1]
    for meter in range(meters):
        for a in range(size):
            for b in range(a + 1):
                total = 0.0
                for n in range(count):
                    total += values[meter * size + a, n] * values[meter * size + b, n]
                gram[meter, a, b] = total * scale
                gram[meter, b, a] = total * scale


@njit(types.void(I1, C2, f64, OUT1, OUT3, COUT3), cache=True, nogil=True)
def steady_moments(
    order: Int, phasor: Complex, frequency: float, known: Float, gram: Float, spectrum: Complex
) -> None:
    """Fill the moments of a table of RMS phasors (meters x 6, terms), meter by meter.

    ``known`` (meters,) is the frequency, NaN where no phase has a voltage to measure it on.
    """
    meters, channels, orders = spectrum.shape
    for meter in range(meters):
        known[meter] = math.nan
        for a in range(channels):
            row = phasor[meter * channels + a]
            for b in range(a + 1):
                other = phasor[meter * channels + b]
                total = 0.0
                for k in range(row.size):
                    total += row[k].real * other[k].real
                    total += row[k].imag * other[k].imag
                gram[meter, a, b] = total
                gram[meter, b, a] = total
            spectrum[meter, a] = 0.0
            for k in range(row.size):
                if order[k] < orders:
                    spectrum[meter, a, order[k]] = row[k]
            if a < 3 and (orders < 2 or abs(spectrum[meter, a, 1]) > NEGLIGIBLE):
                known[meter] = frequency


@njit(types.void(F2, F2, f64, OUT1, OUT1), cache=True, nogil=True)
def bound_step(before: Float, after: Float, stretch: float, low: Float, high: Float) -> None:
    """Fill bounds of RMS values over a step; rows are channels, columns components of their phasors."""
    for c in range(before.shape[0]):
        x = y = d = 0.0
        for k in range(before.shape[1]):
            x += before[c, k] * before[c, k]
            y += after[c, k] * after[c, k]
            d += (after[c, k] - before[c, k]) * (after[c, k] - before[c, k])
        x, y, d = math.sqrt(x), math.sqrt(y), math.sqrt(d)
        low[c] = max(max(x, y) - d, 0.0) / stretch
        high[c] = (min(x, y) + d) * stretch


@njit(types.void(F3, C3, OUT2, COUT2, OUT3), cache=True, nogil=True)
def reduce_moments(gram: Float, spectrum: Complex, real: Float, sequence: Complex, harmonic: Float) -> None:
    """Fill the quantities of a reading from its moments.

    ``real`` (meters, REAL_COLUMNS): see the columns above. ``sequence`` (meters, 6): positive, negative, zero
    of voltages, then of currents. ``harmonic`` (meters, 6, orders).
    """
    meters, _, orders = spectrum.shape
    turn = complex(-0.5, math.sqrt(0.75))
    back = turn.conjugate()
    for m in range(meters):
        neutral = 0.0
        for a in range(3):
            b = (a + 1) % 3
            real[m, V_RMS + a] = math.sqrt(max(0.0, gram[m, a, a]))
            real[m, VLL + a] = math.sqrt(max(0.0, gram[m, a, a] + gram[m, b, b] - 2.0 * gram[m, a, b]))
            real[m, I_RMS + a] = math.sqrt(max(0.0, gram[m, 3 + a, 3 + a]))
            neutral += gram[m, 3 + a, 3 + a] + 2.0 * gram[m, 3 + a, 3 + b]
            real[m, P + a] = gram[m, a, 3 + a]
            reactive = 0.0
            for h in range(1, orders):
                if spectrum[m, 3 + a, h] == 0.0:
                    continue
                power = spectrum[m, a, h] * spectrum[m, 3 + a, h].conjugate()
                reactive += power.imag
            power = spectrum[m, a, 1] * spectrum[m, 3 + a, 1].conjugate()
            real[m, P_FUNDAMENTAL + a] = power.real
            real[m, Q_BUDEANU + a] = reactive
            real[m, Q_FUNDAMENTAL + a] = power.imag
            real[m, S + a] = real[m, V_RMS + a] * real[m, I_RMS + a]
        real[m, I_N] = math.sqrt(max(0.0, neutral))
        for c in range(6):
            distortion = 0.0
            for h in range(orders):
                x = spectrum[m, c, h]
                harmonic[m, c, h] = 0.0
                if x == 0.0:
                    continue
                square = x.real * x.real + x.imag * x.imag
                harmonic[m, c, h] = math.sqrt(square)
                if h >= 2:
                    distortion += square
            real[m, ANGLE + c] = math.nan
            real[m, THD + c] = math.nan
            if harmonic[m, c, 1] > NEGLIGIBLE:
                real[m, THD + c] = math.sqrt(distortion) / harmonic[m, c, 1]
                if harmonic[m, 0, 1] > NEGLIGIBLE:
                    x = spectrum[m, c, 1] * spectrum[m, 0, 1].conjugate()
                    real[m, ANGLE + c] = math.atan2(x.imag, x.real)
        for first in range(0, 6, 3):
            u = spectrum[m, first, 1]
            v = spectrum[m, first + 1, 1]
            w = spectrum[m, first + 2, 1]
            sequence[m, first] = (u + turn * v + back * w) / 3.0
            sequence[m, first + 1] = (u + back * v + turn * w) / 3.0
            sequence[m, first + 2] = (u + v + w) / 3.0

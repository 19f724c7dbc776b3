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
COUT2 = types.Array(types.complex128, 2, "C")
IOUT2 = types.Array(types.int64, 2, "C")
i64, f64, b1 = types.int64, types.float64, types.boolean

NEGLIGIBLE = 1e-9  # [V or A]: a fundamental below this is rounding, not a quantity


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


@njit(types.void(F3, C3, OUT2, COUT2, OUT3), cache=True, nogil=True)
def reduce_moments(gram: Float, spectrum: Complex, real: Float, sequence: Complex, harmonic: Float) -> None:
    """Fill the quantities of a reading from its moments.

    ``real`` (meters, 37): v 3, vll 3, i 3, i_n, p 3, p_fundamental 3, q_budeanu 3, q_fundamental 3, s 3,
    angle 6, thd 6. ``sequence`` (meters, 6): positive, negative, zero of voltages, then of currents.
    ``harmonic`` (meters, 6, orders).
    """
    meters, _, orders = spectrum.shape
    turn = complex(-0.5, math.sqrt(0.75))
    back = turn.conjugate()
    for m in range(meters):
        neutral = 0.0
        for a in range(3):
            b = (a + 1) % 3
            real[m, a] = math.sqrt(max(0.0, gram[m, a, a]))
            real[m, 3 + a] = math.sqrt(max(0.0, gram[m, a, a] + gram[m, b, b] - 2.0 * gram[m, a, b]))
            real[m, 6 + a] = math.sqrt(max(0.0, gram[m, 3 + a, 3 + a]))
            neutral += gram[m, 3 + a, 3 + a] + 2.0 * gram[m, 3 + a, 3 + b]
            real[m, 10 + a] = gram[m, a, 3 + a]
            real[m, 16 + a] = 0.0
            for h in range(1, orders):
                power = spectrum[m, a, h] * spectrum[m, 3 + a, h].conjugate()
                real[m, 16 + a] += power.imag
                if h == 1:
                    real[m, 13 + a] = power.real
                    real[m, 19 + a] = power.imag
            real[m, 22 + a] = real[m, a] * real[m, 6 + a]
        real[m, 9] = math.sqrt(max(0.0, neutral))
        for c in range(6):
            distortion = 0.0
            for h in range(orders):
                x = spectrum[m, c, h]
                square = x.real * x.real + x.imag * x.imag
                harmonic[m, c, h] = math.sqrt(square)
                if h >= 2:
                    distortion += square
            real[m, 25 + c] = math.nan
            real[m, 31 + c] = math.nan
            if harmonic[m, c, 1] > NEGLIGIBLE:
                real[m, 31 + c] = math.sqrt(distortion) / harmonic[m, c, 1]
                if harmonic[m, 0, 1] > NEGLIGIBLE:
                    x = spectrum[m, c, 1] * spectrum[m, 0, 1].conjugate()
                    real[m, 25 + c] = math.atan2(x.imag, x.real)
        for first in range(0, 6, 3):
            u = spectrum[m, first, 1]
            v = spectrum[m, first + 1, 1]
            w = spectrum[m, first + 2, 1]
            sequence[m, first] = (u + turn * v + back * w) / 3.0
            sequence[m, first + 1] = (u + back * v + turn * w) / 3.0
            sequence[m, first + 2] = (u + v + w) / 3.0


@njit(b1(F2, i64, i64, IOUT2, IOUT2, i64), cache=True, nogil=True)
def add_energy(power: Float, seconds: int, nanoseconds: int, whole: Int, rest: Int, direction: int) -> bool:
    """Add power x time to the counters of one direction; False if a power is not a number or too large.

    ``whole`` counts watt-hours, ``rest`` femtojoules (microwatt-nanoseconds) below one watt-hour. Power
    is taken to the microwatt; from there on the arithmetic is of whole numbers and exact.
    """
    for m in range(power.shape[0]):
        for p in range(power.shape[1]):
            value = power[m, p] * direction
            if not abs(value) < 9e9:
                return False
            if value <= 0.0:
                continue
            micro = int(np.rint(value * 1e6))
            watt = micro // 1_000_000
            micro -= watt * 1_000_000
            nano = watt * nanoseconds  # nJ
            small = micro * seconds  # uJ
            joule = watt * seconds + nano // 1_000_000_000 + small // 1_000_000
            left = (nano % 1_000_000_000) * 1_000_000
            left += (small % 1_000_000) * 1_000_000_000
            left += micro * nanoseconds
            left += (joule % 3600) * 1_000_000_000_000_000 + rest[m, p]
            whole[m, p] += joule // 3600 + left // 3_600_000_000_000_000_000
            rest[m, p] = left % 3_600_000_000_000_000_000
    return True

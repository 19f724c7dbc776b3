"""Compiled loop of the energy counters: power times time in whole numbers."""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

F3 = types.Array(types.float64, 3, "C", readonly=True)
IOUT3 = types.Array(types.int64, 3, "C")
i64 = types.int64


@njit(i64(F3, i64, i64, IOUT3, IOUT3, IOUT3), cache=True, nogil=True)
def add_integrals(value: Float, seconds: int, nanoseconds: int, whole: Int, rest: Int, fine: Int) -> int:
    """Add values x time to counters; what is not above zero adds nothing.

    All arrays have the shape (rows, meters, points). For a power, ``whole`` counts watt-hours, ``rest``
    femtojoules below one watt-hour and ``fine`` zeptojoules (picowatt-nanoseconds) below one femtojoule. The
    value is taken to the picowatt; from there on the arithmetic is of whole numbers and exact.

    Returns -1, or the row of a value that is not a number or too large; then nothing is added.
    """
    for row in range(value.shape[0]):
        for m in range(value.shape[1]):
            for n in range(value.shape[2]):
                if not abs(value[row, m, n]) < 9e9:
                    return row
    for row in range(value.shape[0]):
        for m in range(value.shape[1]):
            for n in range(value.shape[2]):
                power = value[row, m, n]
                if power <= 0.0:
                    continue
                watt = int(power)
                pico = int(np.rint((power - watt) * 1e12))
                watt += pico // 1_000_000_000_000
                pico %= 1_000_000_000_000
                micro = pico // 1_000_000
                pico -= micro * 1_000_000
                nano = watt * nanoseconds  # nJ
                small = micro * seconds  # uJ
                tiny = pico * seconds  # pJ
                bottom = pico * nanoseconds + fine[row, m, n]  # zJ
                joule = (
                    watt * seconds + nano // 1_000_000_000 + small // 1_000_000 + tiny // 1_000_000_000_000
                )
                left = (nano % 1_000_000_000) * 1_000_000
                left += (small % 1_000_000) * 1_000_000_000
                left += (tiny % 1_000_000_000_000) * 1_000
                left += micro * nanoseconds + bottom // 1_000_000
                left += (joule % 3600) * 1_000_000_000_000_000 + rest[row, m, n]
                whole[row, m, n] += joule // 3600 + left // 3_600_000_000_000_000_000
                rest[row, m, n] = left % 3_600_000_000_000_000_000
                fine[row, m, n] = bottom % 1_000_000
    return -1

"""Compiled loop of the energy counters: power times time in whole numbers."""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

F4 = types.Array(types.float64, 4, "C", readonly=True)
I1 = types.Array(types.int64, 1, "C", readonly=True)
IOUT3 = types.Array(types.int64, 3, "C")
i64 = types.int64
SECOND = 1_000_000_000


@njit(i64(F4, I1, IOUT3, IOUT3, IOUT3), cache=True, nogil=True)
def add_integrals(value: Float, durations: Int, whole: Int, rest: Int, fine: Int) -> int:
    """Add values x time to counters; what is not above zero adds nothing.

    Values have the shape (intervals, rows, meters, points), durations (intervals,) in nanoseconds, counters
    (rows, meters, points). For a power, ``whole`` counts watt-hours, ``rest`` femtojoules below one watt-hour
    and ``fine`` zeptojoules (picowatt-nanoseconds) below one femtojoule. The value is taken to the picowatt;
    from there on the arithmetic is of whole numbers and exact.

    Returns -1, or the row of a value that is not a number or too large; then nothing is added.
    """
    for interval in range(value.shape[0]):
        for row in range(value.shape[1]):
            for m in range(value.shape[2]):
                for n in range(value.shape[3]):
                    if not abs(value[interval, row, m, n]) < 9e9:
                        return row
    for interval in range(value.shape[0]):
        seconds, nanoseconds = durations[interval] // SECOND, durations[interval] % SECOND
        for row in range(value.shape[1]):
            for m in range(value.shape[2]):
                for n in range(value.shape[3]):
                    power = value[interval, row, m, n]
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
                    joule = watt * seconds + nano // 1_000_000_000
                    joule += small // 1_000_000 + tiny // 1_000_000_000_000
                    left = (nano % 1_000_000_000) * 1_000_000
                    left += (small % 1_000_000) * 1_000_000_000
                    left += (tiny % 1_000_000_000_000) * 1_000
                    left += micro * nanoseconds + bottom // 1_000_000
                    left += (joule % 3600) * 1_000_000_000_000_000 + rest[row, m, n]
                    whole[row, m, n] += joule // 3600 + left // 3_600_000_000_000_000_000
                    rest[row, m, n] = left % 3_600_000_000_000_000_000
                    fine[row, m, n] = bottom % 1_000_000
    return -1

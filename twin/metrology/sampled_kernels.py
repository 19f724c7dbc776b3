"""Compiled loops of the class A analyser: sums of products over half cycles and cycles, and subgroups.

One pass takes half a cycle of a meter's six channels, small enough for the first-level cache, and forms
every sum that RMS, power, the fundamental and flicker need. Sums have a fixed order: the same
samples give the same bits however they were fed.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

F1 = types.Array(types.float64, 1, "C", readonly=True)
F2 = types.Array(types.float64, 2, "C", readonly=True)
C2 = types.Array(types.complex128, 2, "C", readonly=True)
OUT1 = types.Array(types.float64, 1, "C")
OUT2 = types.Array(types.float64, 2, "C")
OUT3 = types.Array(types.float64, 3, "C")
i64, f64 = types.int64, types.float64

CHANNELS = 6
PAIRS = 21
"""Products of two of six channels: (0, 0), (1, 0), (1, 1), (2, 0) .."""
SUMS = PAIRS + 2 * CHANNELS
"""Products of pairs, then of each channel with the cosine and with the sine of theta."""
VALUES_PER_CYCLE = 32
"""Mean squares of each voltage per cycle, as the flickermeter takes them."""


@njit(f64(F1, i64, F1, i64, i64, OUT1), cache=True, nogil=True)
def dot(x: Float, x_from: int, y: Float, y_from: int, count: int, lane: Float) -> float:
    """Return the sum of ``count`` products, a multiple of eight; ``lane`` has room for an eighth of them.

    Eight stretches are added to each other side by side, then the lanes in halves: independent additions that
    a compiler may do several at once without changing their order.
    """
    size = count // 8
    a, b = x[x_from : x_from + count], y[y_from : y_from + count]
    k1, k2, k3, k4, k5, k6, k7 = size, 2 * size, 3 * size, 4 * size, 5 * size, 6 * size, 7 * size
    for k in range(size):
        low = (a[k] * b[k] + a[k1 + k] * b[k1 + k]) + (a[k2 + k] * b[k2 + k] + a[k3 + k] * b[k3 + k])
        high = (a[k4 + k] * b[k4 + k] + a[k5 + k] * b[k5 + k]) + (
            a[k6 + k] * b[k6 + k] + a[k7 + k] * b[k7 + k]
        )
        lane[k] = low + high
    while size % 2 == 0:
        size //= 2
        for k in range(size):
            lane[k] += lane[size + k]
    total = 0.0
    for k in range(size):
        total += lane[k]
    return total


@njit(types.void(F2, i64, i64, F1, F1, OUT2, OUT3, OUT2), cache=True, nogil=True)
def cycle_sums(
    samples: Float,
    first: int,
    per_cycle: int,
    cosine: Float,
    sine: Float,
    half_squares: Float,
    sums: Float,
    mean_squares: Float,
) -> None:
    """Fill the sums of whole cycles.

    Parameters
    ----------
    samples : ndarray, shape (meters * 6, n)
        Locked samples [V or A].
    first : int
        Column at which the first cycle begins.
    per_cycle : int
        Samples per cycle, a multiple of 64.
    cosine, sine : ndarray, shape (per_cycle,)
        Of theta.
    half_squares : ndarray, shape (meters * 6, 2 * cycles)
        Sums of squares over each half cycle.
    sums : ndarray, shape (cycles, meters, SUMS)
        Sums of products over each cycle.
    mean_squares : ndarray, shape (meters * 3, 32 * cycles) or (0, 0)
        Means of the voltages' squares over a 32nd of a cycle; left out when it has no row.
    """
    half, group = per_cycle // 2, per_cycle // VALUES_PER_CYCLE
    flicker = mean_squares.shape[0] > 0
    lane, folded = np.empty(half // 8), np.empty(half)
    for meter in range(sums.shape[1]):
        for cycle in range(sums.shape[0]):
            for k in range(SUMS):
                sums[cycle, meter, k] = 0.0
            for part in range(2):
                at = first + cycle * per_cycle + part * half
                pair = 0
                for a in range(CHANNELS):
                    row = samples[meter * CHANNELS + a]
                    for b in range(a):
                        other = samples[meter * CHANNELS + b]
                        sums[cycle, meter, pair] += dot(row, at, other, at, half, lane)
                        pair += 1
                    square = dot(row, at, row, at, half, lane)
                    half_squares[meter * CHANNELS + a, 2 * cycle + part] = square
                    sums[cycle, meter, pair] += square
                    pair += 1
                    if flicker and a < 3:
                        slot = VALUES_PER_CYCLE * cycle + part * (VALUES_PER_CYCLE // 2)
                        for g in range(VALUES_PER_CYCLE // 2):
                            total = 0.0
                            for n in range(at + g * group, at + (g + 1) * group):
                                total += row[n] * row[n]
                            mean_squares[meter * 3 + a, slot + g] = total / group
            # Half a cycle later the fundamental has the other sign: one half less the other holds all of it.
            for a in range(CHANNELS):
                row, at = samples[meter * CHANNELS + a], first + cycle * per_cycle
                for n in range(half):
                    folded[n] = row[at + n] - row[at + half + n]
                sums[cycle, meter, PAIRS + 2 * a] = dot(folded, 0, cosine, 0, half, lane)
                sums[cycle, meter, PAIRS + 2 * a + 1] = dot(folded, 0, sine, 0, half, lane)


@njit(types.void(C2, i64, f64, OUT2, OUT2), cache=True, nogil=True)
def subgroups(bins: Complex, cycles: int, scale: float, harmonic: Float, interharmonic: Float) -> None:
    """Fill harmonic and centred interharmonic subgroups (IEC 61000-4-7, 5.6 and annex A).

    Parameters
    ----------
    bins : ndarray, shape (channels, at least orders * cycles)
        Plain discrete transform of a window.
    cycles : int
        Bins from one order to the next.
    scale : float
        From a bin's magnitude to its RMS, bin 0 apart.
    harmonic, interharmonic : ndarray, shape (channels, orders)
        RMS; harmonic order 0 is the mean's magnitude alone.
    """
    for c in range(harmonic.shape[0]):
        for h in range(harmonic.shape[1]):
            at = h * cycles
            total = bins[c, at].real ** 2 + bins[c, at].imag ** 2
            if h == 0:
                total *= 0.5  # the mean has no RMS factor of sqrt 2
            else:
                for k in (at - 1, at + 1):
                    total += bins[c, k].real ** 2 + bins[c, k].imag ** 2
            harmonic[c, h] = math.sqrt(total) * scale
            total = 0.0
            for k in range(at + 2, at + cycles - 1):
                total += bins[c, k].real ** 2 + bins[c, k].imag ** 2
            interharmonic[c, h] = math.sqrt(total) * scale

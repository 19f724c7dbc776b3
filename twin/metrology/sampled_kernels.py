"""Compiled loops of the class A analyser: sums of products over half cycles and cycles, and subgroups.

One pass takes half a cycle of one phase, small enough for the first-level cache, and forms every sum that
RMS, power, the fundamental and flicker need; products of different phases are formed where asked for.
Sums have a fixed order: the same samples give the same bits however they were fed.
"""

import math
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Flags = NDArray[np.bool_]

F1 = types.Array(types.float64, 1, "C", readonly=True)
F2 = types.Array(types.float64, 2, "C", readonly=True)
C2 = types.Array(types.complex128, 2, "C", readonly=True)
OUT1 = types.Array(types.float64, 1, "C")
OUT2 = types.Array(types.float64, 2, "C")
OUT3 = types.Array(types.float64, 3, "C")
FLAGS = types.Array(types.bool_, 1, "C", readonly=True)
i64, u64, f64 = types.int64, types.uint64, types.float64

CHANNELS = 6
PAIRS = 21
"""Products of two of six channels: (0, 0), (1, 0), (1, 1), (2, 0) .."""
SUMS = PAIRS + 2 * CHANNELS
"""Products of pairs, then of each channel with the cosine and with the sine of theta."""
V_SQUARE, I_SQUARE, POWER = (0, 2, 5), (9, 14, 20), (6, 11, 17)
"""Where those of a phase stand: v v, i i, and v i."""
VALUES_PER_CYCLE = 32
"""Mean squares of each voltage per cycle, as the flickermeter takes them."""
STRETCHES = 16
"""Parts of half a cycle that are added side by side: independent sums that a processor forms several at once
without changing their order. Few long ones miss its registers, many short ones the memory's stride."""
USUAL_HALF = np.uint64(256)
"""Half of 512 samples per cycle."""
USUAL_SIZE = np.uint64(16)


@njit(inline="always")
def lanes_sum(lane: Float, size: Any) -> float:
    """Return the sum of the first ``size`` lanes, four by four and then what is left."""
    fours = size & ~np.uint64(3)
    t0 = t1 = t2 = t3 = 0.0
    for k in range(np.uint64(0), fours, np.uint64(4)):
        t0 += lane[k]
        t1 += lane[k + np.uint64(1)]
        t2 += lane[k + np.uint64(2)]
        t3 += lane[k + np.uint64(3)]
    for k in range(fours, size):
        t0 += lane[k]
    return (t0 + t1) + (t2 + t3)


@njit(inline="always")
def phase_products(v: Float, i: Float, at: Any, half: Any, size: Any, lanes: Float) -> None:
    """Fill the lanes of v v, i i and v i of either half of the cycle that begins at ``at``."""
    for part in range(2):
        begin = at + np.uint64(part) * half
        for k in range(size):
            x = y = z = 0.0
            for stretch in range(STRETCHES):
                n = begin + np.uint64(stretch) * size + k
                a = v[n]
                b = i[n]
                x += a * a
                y += b * b
                z += a * b
            lanes[3 * part, k] = x
            lanes[3 * part + 1, k] = y
            lanes[3 * part + 2, k] = z


@njit(inline="always")
def fold_cycle(row: Float, at: Any, half: Any, fold: Float) -> None:
    """Add a cycle's first half less its second, in which the fundamental has the other sign."""
    for k in range(half):
        fold[k] += row[at + k] - row[at + half + k]


@njit(inline="always")
def projection(fold: Float, wave: Float, size: Any, lane: Float) -> float:
    """Return the sum of products of two arrays."""
    for k in range(size):
        x = 0.0
        for stretch in range(STRETCHES):
            n = np.uint64(stretch) * size + k
            x += fold[n] * wave[n]
        lane[k] = x
    return lanes_sum(lane, size)


@njit(types.void(F1, u64, i64, OUT1, i64), cache=True, nogil=True)
def grouped_squares(row: Float, at: Any, group: int, out: Float, slot: int) -> None:
    """Fill the mean squares of the groups of a cycle."""
    width, two, half = np.uint64(group), np.uint64(2), np.uint64(group // 2)
    for g in range(VALUES_PER_CYCLE):
        # Two sums that do not wait for each other.
        even = odd = 0.0
        for n in range(half):
            even += row[at + two * n] * row[at + two * n]
            odd += row[at + two * n + np.uint64(1)] * row[at + two * n + np.uint64(1)]
        out[slot + g] = (even + odd) / group
        at += width


@njit(types.void(F2, i64, i64, F1, F1, FLAGS, OUT2, OUT2, OUT3, OUT2), cache=True, nogil=True)
def cycle_sums(
    samples: Float,
    first: int,
    per_cycle: int,
    cosine: Float,
    sine: Float,
    closing: Flags,
    folded: Float,
    half_squares: Float,
    sums: Float,
    mean_squares: Float,
) -> None:
    """Fill the sums of whole cycles: squares, powers of each phase, fundamentals.

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
    closing : ndarray of bool, shape (cycles,)
        Whether a window ends with the cycle: then its fundamental is taken.
    folded : ndarray, shape (meters * 6, per_cycle / 2) or (0, 0)
        Sum since the last window's end of first half cycles less second ones; carried from call to call.
        No fundamental is taken when it has no row.
    half_squares : ndarray, shape (meters * 6, 2 * cycles)
        Sums of squares over each half cycle.
    sums : ndarray, shape (cycles, meters, SUMS)
        Squares and powers of each cycle; with the cosine and the sine those since the last window's end,
        at cycles that close one. Other products are left alone.
    mean_squares : ndarray, shape (meters * 3, 32 * cycles) or (0, 0)
        Means of the voltages' squares over a 32nd of a cycle; left out when it has no row.
    """
    # Unsigned numbers need no look whether they are negative, which lets loops over them run side by side.
    half, per = np.uint64(per_cycle // 2), np.uint64(per_cycle)
    size = half // np.uint64(STRETCHES)
    # Loops of a length that the compiler knows run half again as fast.
    usual = half == USUAL_HALF
    fundamental = folded.shape[0] > 0
    group = per_cycle // VALUES_PER_CYCLE
    lanes = np.empty((6, size))
    for meter in range(sums.shape[1]):
        for phase in range(3):
            v_row, i_row = meter * CHANNELS + phase, meter * CHANNELS + 3 + phase
            v, i = samples[v_row], samples[i_row]
            at = np.uint64(first)
            for cycle in range(sums.shape[0]):
                if usual:
                    phase_products(v, i, at, USUAL_HALF, USUAL_SIZE, lanes)
                    if fundamental:
                        fold_cycle(v, at, USUAL_HALF, folded[v_row])
                        fold_cycle(i, at, USUAL_HALF, folded[i_row])
                else:
                    phase_products(v, i, at, half, size, lanes)
                    if fundamental:
                        fold_cycle(v, at, half, folded[v_row])
                        fold_cycle(i, at, half, folded[i_row])
                x, y, z = lanes_sum(lanes[0], size), lanes_sum(lanes[1], size), lanes_sum(lanes[2], size)
                half_squares[v_row, 2 * cycle] = x
                half_squares[i_row, 2 * cycle] = y
                x2, y2, z2 = lanes_sum(lanes[3], size), lanes_sum(lanes[4], size), lanes_sum(lanes[5], size)
                half_squares[v_row, 2 * cycle + 1] = x2
                half_squares[i_row, 2 * cycle + 1] = y2
                sums[cycle, meter, V_SQUARE[phase]] = x + x2
                sums[cycle, meter, I_SQUARE[phase]] = y + y2
                sums[cycle, meter, POWER[phase]] = z + z2
                if mean_squares.shape[0] > 0:
                    slot = VALUES_PER_CYCLE * cycle
                    grouped_squares(v, at, group, mean_squares[meter * 3 + phase], slot)
                at += per
                if not fundamental:
                    continue
                for channel in (phase, 3 + phase):
                    cosines = sines = 0.0
                    if closing[cycle]:
                        fold = folded[meter * CHANNELS + channel]
                        cosines = projection(fold, cosine, size, lanes[0])
                        sines = projection(fold, sine, size, lanes[0])
                        fold[:] = 0.0
                    sums[cycle, meter, PAIRS + 2 * channel] = cosines
                    sums[cycle, meter, PAIRS + 2 * channel + 1] = sines


@njit(types.void(F2, i64, i64, OUT3), cache=True, nogil=True)
def cross_sums(samples: Float, first: int, per_cycle: int, sums: Float) -> None:
    """Fill the products of channels that `cycle_sums` leaves alone; the parameters are the same."""
    count = np.uint64(per_cycle)
    size = count // np.uint64(STRETCHES)
    lane = np.empty(size)
    for meter in range(sums.shape[1]):
        for cycle in range(sums.shape[0]):
            at = np.uint64(first + cycle * per_cycle)
            pair = 0
            for a in range(CHANNELS):
                row = samples[meter * CHANNELS + a]
                for b in range(a + 1):
                    if b != a and a != b + 3:
                        other = samples[meter * CHANNELS + b]
                        for k in range(size):
                            x = 0.0
                            for stretch in range(STRETCHES):
                                n = at + np.uint64(stretch) * size + k
                                x += row[n] * other[n]
                            lane[k] = x
                        sums[cycle, meter, pair] = lanes_sum(lane, size)
                    pair += 1


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

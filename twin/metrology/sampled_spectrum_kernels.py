"""Compiled loops of the analyser's harmonics: the low bins of a window of 512 samples a cycle.

A window of N cycles of 512 samples has orders at every N-th bin. Bin N h + r is the sum over m of

    exp(-2j pi h m / 512)  exp(-2j pi r m / (512 N))  sum over q of x[512 q + m] exp(-2j pi r q / N)

A transform across the cycles q, short and the same for all m, a turn, and a transform of 512 points for each
of r = 0 .. N/2; negative h give the bins N h - r. Three steps of radix eight make 512 points, and the last
makes only the orders that are asked for. Vectors run along m, so that no sum depends on how many are formed
at once. That is twice as fast as a transform of all 512 N points that knows nothing of this.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

F1 = types.Array(types.float64, 1, "C", readonly=True)
F2 = types.Array(types.float64, 2, "C", readonly=True)
OUT1 = types.Array(types.float64, 1, "C")
OUT2 = types.Array(types.float64, 2, "C")
COUT2 = types.Array(types.complex128, 2, "C")
i64 = types.int64

POINTS = 512
"""Samples per cycle."""
ORDERS = 63
"""Most orders, order 0 included."""
WIDTH = 520
"""Room for the 512 real or imaginary parts of a transform: rows 4096 bytes apart would share their place in
the first-level cache."""
ROOT = math.sqrt(0.5)
C72, S72 = math.cos(0.4 * math.pi), math.sin(0.4 * math.pi)
C144, S144 = math.cos(0.8 * math.pi), math.sin(0.8 * math.pi)
C30 = math.sqrt(0.75)


@njit(inline="always")
def turn(zr: Float, zi: Float, tr: Float, ti: Float, at: int, r: float, i: float) -> None:
    """Store a value turned by that of the table at the same place."""
    zr[at] = r * tr[at] - i * ti[at]
    zi[at] = r * ti[at] + i * tr[at]


@njit(inline="always")
def radix_eight(zr: Float, zi: Float, tr: Float, ti: Float, step: int, count: int) -> None:
    """Transform eight points ``step`` apart, in place and turned by ``tr + j ti``, from each of ``count``."""
    for p in range(count):
        r0, r4, i0, i4 = zr[p], zr[p + 4 * step], zi[p], zi[p + 4 * step]
        r1, r5, i1, i5 = zr[p + step], zr[p + 5 * step], zi[p + step], zi[p + 5 * step]
        r2, r6, i2, i6 = zr[p + 2 * step], zr[p + 6 * step], zi[p + 2 * step], zi[p + 6 * step]
        r3, r7, i3, i7 = zr[p + 3 * step], zr[p + 7 * step], zi[p + 3 * step], zi[p + 7 * step]
        # Even outputs: four points of the sums.
        ar, ai, br, bi = r0 + r4, i0 + i4, r2 + r6, i2 + i6
        cr, ci, dr, di = r1 + r5, i1 + i5, r3 + r7, i3 + i7
        zr[p], zi[p] = (ar + br) + (cr + dr), (ai + bi) + (ci + di)
        turn(zr, zi, tr, ti, p + 4 * step, (ar + br) - (cr + dr), (ai + bi) - (ci + di))
        turn(zr, zi, tr, ti, p + 2 * step, (ar - br) + (ci - di), (ai - bi) - (cr - dr))
        turn(zr, zi, tr, ti, p + 6 * step, (ar - br) - (ci - di), (ai - bi) + (cr - dr))
        # Odd outputs: four points of the differences, each turned by an eighth more than the one before.
        fr, fi = ROOT * ((r1 - r5) + (i1 - i5)), ROOT * ((i1 - i5) - (r1 - r5))
        gr, gi = ROOT * ((i3 - i7) - (r3 - r7)), -ROOT * ((r3 - r7) + (i3 - i7))
        ar, ai, br, bi = r0 - r4, i0 - i4, i2 - i6, r2 - r6
        cr, ci, dr, di = fr + gr, fi + gi, fr - gr, fi - gi
        turn(zr, zi, tr, ti, p + step, (ar + br) + cr, (ai - bi) + ci)
        turn(zr, zi, tr, ti, p + 5 * step, (ar + br) - cr, (ai - bi) - ci)
        turn(zr, zi, tr, ti, p + 3 * step, (ar - br) + di, (ai + bi) - dr)
        turn(zr, zi, tr, ti, p + 7 * step, (ar - br) - di, (ai + bi) + dr)


@njit(inline="always")
def put(zr: Float, zi: Float, turns: Float, row: int, m: int, r: float, i: float) -> None:
    """Store value m of transform ``row``, turned by that of the table at the same place."""
    at, beside = m + WIDTH * row, m + 2 * WIDTH * row + WIDTH
    zr[at] = r * turns[at + WIDTH * row] - i * turns[beside]
    zi[at] = r * turns[beside] + i * turns[at + WIDTH * row]


@njit(types.void(F1, F1, OUT1, OUT1, i64), cache=True, nogil=True)
def across_ten(x: Float, turns: Float, zr: Float, zi: Float, points: int) -> None:
    """Fill transforms r = 0 .. 5 across ten cycles, 512 values each, turned by ``turns``.

    The sums of cycles five apart, and their differences with every other sign changed, are two transforms
    of five values. ``points`` is 512: as a constant it would be unrolled.
    """
    for m in range(points):
        a0, b0 = x[m] + x[m + 2560], x[m] - x[m + 2560]
        a1, b1 = x[m + 512] + x[m + 3072], x[m + 3072] - x[m + 512]
        a2, b2 = x[m + 1024] + x[m + 3584], x[m + 1024] - x[m + 3584]
        a3, b3 = x[m + 1536] + x[m + 4096], x[m + 4096] - x[m + 1536]
        a4, b4 = x[m + 2048] + x[m + 4608], x[m + 2048] - x[m + 4608]
        p1, p2, q1, q2 = a1 + a4, a2 + a3, a1 - a4, a2 - a3
        zr[m], zi[m] = a0 + (p1 + p2), 0.0
        put(zr, zi, turns, 2, m, a0 + (C72 * p1 + C144 * p2), -(S72 * q1 + S144 * q2))
        put(zr, zi, turns, 4, m, a0 + (C144 * p1 + C72 * p2), S72 * q2 - S144 * q1)
        p1, p2, q1, q2 = b1 + b4, b2 + b3, b1 - b4, b2 - b3
        put(zr, zi, turns, 5, m, b0 + (p1 + p2), 0.0)
        put(zr, zi, turns, 3, m, b0 + (C72 * p1 + C144 * p2), S72 * q1 + S144 * q2)
        put(zr, zi, turns, 1, m, b0 + (C144 * p1 + C72 * p2), S144 * q1 - S72 * q2)


@njit(types.void(F1, F1, OUT1, OUT1, i64), cache=True, nogil=True)
def across_twelve(x: Float, turns: Float, zr: Float, zi: Float, points: int) -> None:
    """Fill transforms r = 0 .. 6 across twelve cycles; see `across_ten`."""
    for m in range(points):
        a0, v0 = x[m] + x[m + 3072], x[m] - x[m + 3072]
        a1, v1 = x[m + 512] + x[m + 3584], x[m + 512] - x[m + 3584]
        a2, v2 = x[m + 1024] + x[m + 4096], x[m + 1024] - x[m + 4096]
        a3, v3 = x[m + 1536] + x[m + 4608], x[m + 1536] - x[m + 4608]
        a4, v4 = x[m + 2048] + x[m + 5120], x[m + 2048] - x[m + 5120]
        a5, v5 = x[m + 2560] + x[m + 5632], x[m + 2560] - x[m + 5632]
        p0, p1, p2, q0, q1, q2 = a0 + a3, a1 + a4, a2 + a5, a0 - a3, a1 - a4, a2 - a5
        zr[m], zi[m] = p0 + (p1 + p2), 0.0
        put(zr, zi, turns, 2, m, q0 + 0.5 * (q1 - q2), -C30 * (q1 + q2))
        put(zr, zi, turns, 4, m, p0 - 0.5 * (p1 + p2), -C30 * (p1 - p2))
        put(zr, zi, turns, 6, m, q0 - (q1 - q2), 0.0)
        p1, p2, q1, q2 = v0 + 0.5 * (v2 - v4), C30 * (v1 - v5), 0.5 * (v1 + v5) + v3, C30 * (v2 + v4)
        put(zr, zi, turns, 1, m, p1 + p2, -(q1 + q2))
        put(zr, zi, turns, 5, m, p1 - p2, q2 - q1)
        put(zr, zi, turns, 3, m, v0 - (v2 - v4), v3 - (v1 + v5))


@njit(types.void(F2, F2, i64, OUT1, OUT1), cache=True, nogil=True)
def along_cycle(fr: Float, fi: Float, eight: int, zr: Float, zi: Float) -> None:
    """Transform all rows of 512 points in place, but for the last step of radix eight.

    ``fr + j fi`` has the turns between the steps, 512 in row 0 and 64 in row 1. ``eight`` is 8: as a constant
    it would unroll loops that vectors run along.
    """
    for at in range(0, zr.size, WIDTH):
        real, imaginary = zr[at : at + POINTS], zi[at : at + POINTS]
        radix_eight(real, imaginary, fr[0], fi[0], 64, 8 * eight)
        for k in range(0, POINTS, 64):
            radix_eight(real[k : k + 64], imaginary[k : k + 64], fr[1], fi[1], 8, eight)


@njit(types.void(F1, F1, i64, COUT2, i64), cache=True, nogil=True)
def gathered(zr: Float, zi: Float, orders: int, bins: Complex, row: int) -> None:
    """Fill bins 0 .. N orders of a row from transforms r = 0 .. N/2, by the last step of radix eight.

    The two steps before leave order k + 8 j in the eight values from 8 (8 k + j) on: their sum is that order,
    their sum with eighths of a turn that of 64 less.
    """
    half = zr.size // WIDTH - 1
    cycles = 2 * half
    for r in range(half + 1):
        for h in range(64):
            low, high = h < orders, r > 0 and h >= 64 - orders
            if not (low or (high and r < half)):
                continue
            at = r * WIDTH + 8 * (8 * (h % 8) + h // 8)
            x, y = zr[at : at + 8], zi[at : at + 8]
            x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
            y0, y1, y2, y3, y4, y5, y6, y7 = y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7]
            if low:
                real = ((x0 + x4) + (x2 + x6)) + ((x1 + x5) + (x3 + x7))
                imaginary = ((y0 + y4) + (y2 + y6)) + ((y1 + y5) + (y3 + y7))
                bins[row, cycles * h + r] = complex(real, imaginary)
            if high and r < half:
                gr, gi = (x1 - x5) - (y3 - y7), (y1 - y5) + (x3 - x7)
                real = ((x0 - x4) - (y2 - y6)) + ROOT * (gr - gi)
                imaginary = ((y0 - y4) + (x2 - x6)) + ROOT * (gr + gi)
                bins[row, cycles * (64 - h) - r] = complex(real, -imaginary)


@njit(types.void(F2, i64, F1, F2, F2, i64, i64, COUT2), cache=True, nogil=True)
def low_bins(
    samples: Float, column: int, turns: Float, fr: Float, fi: Float, eight: int, orders: int, bins: Complex
) -> None:
    """Fill bins 0 .. N orders - 1 of a plain transform of N cycles of 512 samples from ``column`` on.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        Locked samples [V or A].
    column : int
        First sample of the window.
    turns : ndarray, shape ((N/2 + 1) * 2 * WIDTH,)
        exp(-2j pi r m / (512 N)), the real parts of row r, then the imaginary ones.
    fr, fi : ndarray, shape (2, 512)
        Tables of `along_cycle`.
    eight : int
        8.
    orders : int
        Orders, at most `ORDERS`.
    bins : ndarray, shape (channels, N * orders)
        Out.
    """
    cycles = turns.size // WIDTH - 2
    zr, zi = np.empty(turns.size // 2), np.empty(turns.size // 2)
    points = POINTS // 8 * eight
    for c in range(bins.shape[0]):
        x = samples[c, column : column + cycles * POINTS]
        if cycles == 10:
            across_ten(x, turns, zr, zi, points)
        else:
            across_twelve(x, turns, zr, zi, points)
        along_cycle(fr, fi, eight, zr, zi)
        gathered(zr, zi, orders, bins, c)

"""Compiled loops of the class A analyser: sums of products over half cycles and cycles, moments, subgroups.

One pass takes half a cycle of one phase, small enough for the first-level cache, and forms every sum that
RMS, power, the fundamental and flicker need; products of different phases are formed where asked for.
Sums have a fixed order: the same samples give the same bits however they were fed.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Int = NDArray[np.int64]

F1 = types.Array(types.float64, 1, "C", readonly=True)
F2 = types.Array(types.float64, 2, "C", readonly=True)
F3 = types.Array(types.float64, 3, "C", readonly=True)
I1 = types.Array(types.int64, 1, "C", readonly=True)
C2 = types.Array(types.complex128, 2, "C", readonly=True)
OUT1 = types.Array(types.float64, 1, "C")
OUT2 = types.Array(types.float64, 2, "C")
OUT3 = types.Array(types.float64, 3, "C")
OUT4 = types.Array(types.float64, 4, "C")
COUT3 = types.Array(types.complex128, 3, "C")
i64, f64 = types.int64, types.float64

CHANNELS = 6
PAIRS = 21
"""Products of two of six channels: (0, 0), (1, 0), (1, 1), (2, 0) .."""
SUMS = PAIRS + 2 * CHANNELS
"""Products of pairs, then of each channel with the cosine and with the sine of theta."""
CROSS_PAIRS = np.array([1, 3, 4, 7, 8, 10, 12, 13, 15, 16, 18, 19])
"""Where those of different phases stand."""
V_SQUARE, I_SQUARE, POWER = (0, 2, 5), (9, 14, 20), (6, 11, 17)
"""Where those of a phase stand: v v, i i, and v i."""
VALUES_PER_CYCLE = 32
"""Mean squares of each voltage per cycle, as the flickermeter takes them."""
LANES = 8
"""Sums that run side by side, for a processor to form several at once without changing their order."""
STRIDE = 4 * LANES
NEGLIGIBLE = 1e-9  # [V]: a fundamental below this is rounding, not a quantity


@njit(inline="always")
def sum_of_lanes(lane: Float, at: int) -> float:
    """Return the sum of eight lanes from ``at`` on."""
    low: float = (lane[at] + lane[at + 1]) + (lane[at + 2] + lane[at + 3])
    high: float = (lane[at + 4] + lane[at + 5]) + (lane[at + 6] + lane[at + 7])
    return low + high


@njit(inline="always")
def sum_of_squares(x: Float) -> float:
    """Return the sum of squares, four of them side by side."""
    quads = x.size // 4
    a = b = c = d = 0.0
    for q in range(quads):
        n = 4 * q
        a += x[n] * x[n]
        b += x[n + 1] * x[n + 1]
        c += x[n + 2] * x[n + 2]
        d += x[n + 3] * x[n + 3]
    for n in range(4 * quads, x.size):
        a += x[n] * x[n]
    return (a + b) + (c + d)


@njit(inline="always")
def add_phase_products(v: Float, i: Float, c: Float, s: Float, lanes: int, lane: Float) -> None:
    """Add v v, i i, v i, and v and i with cosine and sine, over half a cycle.

    Lane j of sum k is ``lane[8 k + j]``; it takes every eighth sample. ``lanes`` is `LANES`: as a constant it
    would unroll the loop, and the compiler would take one lane after the other.
    """
    for q in range(v.size // STRIDE):
        n = q * STRIDE
        for j in range(lanes):
            v0, v1, v2, v3 = v[n + j], v[n + j + 8], v[n + j + 16], v[n + j + 24]
            i0, i1, i2, i3 = i[n + j], i[n + j + 8], i[n + j + 16], i[n + j + 24]
            c0, c1, c2, c3 = c[n + j], c[n + j + 8], c[n + j + 16], c[n + j + 24]
            s0, s1, s2, s3 = s[n + j], s[n + j + 8], s[n + j + 16], s[n + j + 24]
            lane[j] += (v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3)
            lane[j + 8] += (i0 * i0 + i1 * i1) + (i2 * i2 + i3 * i3)
            lane[j + 16] += (v0 * i0 + v1 * i1) + (v2 * i2 + v3 * i3)
            lane[j + 24] += (v0 * c0 + v1 * c1) + (v2 * c2 + v3 * c3)
            lane[j + 32] += (v0 * s0 + v1 * s1) + (v2 * s2 + v3 * s3)
            lane[j + 40] += (i0 * c0 + i1 * c1) + (i2 * c2 + i3 * c3)
            lane[j + 48] += (i0 * s0 + i1 * s1) + (i2 * s2 + i3 * s3)


@njit(types.void(F2, i64, F1, F1, i64, OUT2, OUT3, OUT2), cache=True, nogil=True)
def cycle_sums(
    samples: Float,
    first: int,
    cosine: Float,
    sine: Float,
    lanes: int,
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
    cosine, sine : ndarray, shape (samples_per_cycle,)
        Of theta; a multiple of 64 samples.
    lanes : int
        `LANES`.
    half_squares : ndarray, shape (meters * 6, 2 * cycles)
        Sums of squares over each half cycle.
    sums : ndarray, shape (cycles, meters, SUMS)
        Squares, powers, and products with cosine and sine of each cycle. Other products are left alone.
    mean_squares : ndarray, shape (meters * 3, 32 * cycles) or (0, 0)
        Means of the voltages' squares over a 32nd of a cycle; left out when it has no row.
    """
    per_cycle = cosine.size
    half, group = per_cycle // 2, per_cycle // VALUES_PER_CYCLE
    lane = np.empty(7 * LANES)
    for meter in range(sums.shape[1]):
        for phase in range(3):
            v_row, i_row = meter * CHANNELS + phase, meter * CHANNELS + 3 + phase
            for cycle in range(sums.shape[0]):
                out = sums[cycle, meter]
                v_total = i_total = 0.0
                for k in range(2 * LANES, 7 * LANES):
                    lane[k] = 0.0
                for part in range(2):
                    angle = part * half
                    begin = first + cycle * per_cycle + angle
                    v, i = samples[v_row, begin : begin + half], samples[i_row, begin : begin + half]
                    for k in range(2 * LANES):
                        lane[k] = 0.0
                    add_phase_products(
                        v, i, cosine[angle : angle + half], sine[angle : angle + half], lanes, lane
                    )
                    v_square, i_square = sum_of_lanes(lane, 0), sum_of_lanes(lane, LANES)
                    half_squares[v_row, 2 * cycle + part] = v_square
                    half_squares[i_row, 2 * cycle + part] = i_square
                    v_total += v_square
                    i_total += i_square
                    if mean_squares.shape[0] > 0:
                        slot = VALUES_PER_CYCLE * cycle + part * (VALUES_PER_CYCLE // 2)
                        for g in range(VALUES_PER_CYCLE // 2):
                            square = sum_of_squares(v[g * group : (g + 1) * group])
                            mean_squares[meter * 3 + phase, slot + g] = square / group
                out[V_SQUARE[phase]], out[I_SQUARE[phase]] = v_total, i_total
                out[POWER[phase]] = sum_of_lanes(lane, 2 * LANES)
                for k in range(2):
                    out[PAIRS + 2 * phase + k] = sum_of_lanes(lane, (3 + k) * LANES)
                    out[PAIRS + 6 + 2 * phase + k] = sum_of_lanes(lane, (5 + k) * LANES)


@njit(types.void(F1, F2, f64, OUT2), cache=True, nogil=True)
def half_cycle_values(last: Float, squares: Float, scale: float, rms: Float) -> None:
    """Fill RMS over one cycle, renewed each half cycle (IEC 61000-4-30, 3.33: Urms(1/2)).

    Parameters
    ----------
    last : ndarray, shape (channels,)
        Sum of squares of the half cycle before the first; NaN where there is none.
    squares : ndarray, shape (channels, half cycles)
        Sums of squares.
    scale : float
        One over the samples of a cycle.
    rms : ndarray, shape (channels, half cycles)
        RMS.
    """
    for c in range(squares.shape[0]):
        rms[c, 0] = math.sqrt((last[c] + squares[c, 0]) * scale)
        for k in range(1, squares.shape[1]):
            rms[c, k] = math.sqrt((squares[c, k - 1] + squares[c, k]) * scale)


@njit(inline="always")
def add_cross_products(
    a: Float, b: Float, c: Float, d: Float, e: Float, f: Float, lanes: int, lane: Float
) -> None:
    """Add the products of different phases of va vb vc ia ib ic, in the order of `CROSS_PAIRS`.

    Lane j of product k is ``lane[8 k + j]``; it takes every eighth sample.
    """
    for q in range(a.size // STRIDE):
        n = q * STRIDE
        for j in range(lanes):
            a0, a1, a2, a3 = a[n + j], a[n + j + 8], a[n + j + 16], a[n + j + 24]
            b0, b1, b2, b3 = b[n + j], b[n + j + 8], b[n + j + 16], b[n + j + 24]
            c0, c1, c2, c3 = c[n + j], c[n + j + 8], c[n + j + 16], c[n + j + 24]
            d0, d1, d2, d3 = d[n + j], d[n + j + 8], d[n + j + 16], d[n + j + 24]
            e0, e1, e2, e3 = e[n + j], e[n + j + 8], e[n + j + 16], e[n + j + 24]
            f0, f1, f2, f3 = f[n + j], f[n + j + 8], f[n + j + 16], f[n + j + 24]
            lane[j] += (b0 * a0 + b1 * a1) + (b2 * a2 + b3 * a3)
            lane[j + 8] += (c0 * a0 + c1 * a1) + (c2 * a2 + c3 * a3)
            lane[j + 16] += (c0 * b0 + c1 * b1) + (c2 * b2 + c3 * b3)
            lane[j + 24] += (d0 * b0 + d1 * b1) + (d2 * b2 + d3 * b3)
            lane[j + 32] += (d0 * c0 + d1 * c1) + (d2 * c2 + d3 * c3)
            lane[j + 40] += (e0 * a0 + e1 * a1) + (e2 * a2 + e3 * a3)
            lane[j + 48] += (e0 * c0 + e1 * c1) + (e2 * c2 + e3 * c3)
            lane[j + 56] += (e0 * d0 + e1 * d1) + (e2 * d2 + e3 * d3)
            lane[j + 64] += (f0 * a0 + f1 * a1) + (f2 * a2 + f3 * a3)
            lane[j + 72] += (f0 * b0 + f1 * b1) + (f2 * b2 + f3 * b3)
            lane[j + 80] += (f0 * d0 + f1 * d1) + (f2 * d2 + f3 * d3)
            lane[j + 88] += (f0 * e0 + f1 * e1) + (f2 * e2 + f3 * e3)


@njit(types.void(F2, i64, i64, i64, OUT3), cache=True, nogil=True)
def cross_sums(samples: Float, first: int, per_cycle: int, lanes: int, sums: Float) -> None:
    """Fill the products of channels that `cycle_sums` leaves alone; the parameters are the same.

    ``lanes`` is `LANES`: as a constant it would unroll the loop along the lanes.
    """
    lane = np.empty(CROSS_PAIRS.size * LANES)
    for meter in range(sums.shape[1]):
        top = meter * CHANNELS
        for cycle in range(sums.shape[0]):
            for k in range(lane.size):
                lane[k] = 0.0
            begin = first + cycle * per_cycle
            end = begin + per_cycle
            add_cross_products(
                samples[top, begin:end],
                samples[top + 1, begin:end],
                samples[top + 2, begin:end],
                samples[top + 3, begin:end],
                samples[top + 4, begin:end],
                samples[top + 5, begin:end],
                lanes,
                lane,
            )
            for k in range(CROSS_PAIRS.size):
                sums[cycle, meter, CROSS_PAIRS[k]] = sum_of_lanes(lane, LANES * k)


@njit(types.void(F3, I1, I1, i64, F1, OUT2, OUT4, COUT3, OUT4), cache=True, nogil=True)
def span_moments(
    sums: Float,
    begin: Int,
    end: Int,
    per_cycle: int,
    known: Float,
    frequency: Float,
    gram: Float,
    phasor: Complex,
    rates: Float,
) -> None:
    """Fill the moments of spans of cycles.

    Parameters
    ----------
    sums : ndarray, shape (cycles, meters, SUMS)
        As `cycle_sums` and `cross_sums` fill them.
    begin, end : ndarray, shape (spans,)
        First cycle of each span, and the one after its last.
    per_cycle : int
        Samples per cycle.
    known : ndarray, shape (spans,)
        Cycles over time [Hz].
    frequency : ndarray, shape (spans, meters)
        The same, NaN where no phase has a fundamental.
    gram : ndarray, shape (spans, meters, 6, 6)
        Mean products.
    phasor : ndarray, shape (spans, meters, 6)
        RMS phasors of the fundamental.
    rates : ndarray, shape (spans, 5, meters, 3)
        P imported and exported, Q of the fundamental imported and exported, S [W, var, VA].
    """
    total = np.empty(SUMS)
    for span in range(begin.size):
        scale = 1.0 / ((end[span] - begin[span]) * per_cycle)
        for m in range(sums.shape[1]):
            for k in range(SUMS):
                total[k] = 0.0
            for cycle in range(begin[span], end[span]):
                for k in range(SUMS):
                    total[k] += sums[cycle, m, k]
            pair = 0
            for a in range(CHANNELS):
                for b in range(a + 1):
                    gram[span, m, a, b] = gram[span, m, b, a] = total[pair] * scale
                    pair += 1
            frequency[span, m] = math.nan
            for c in range(CHANNELS):
                at = PAIRS + 2 * c
                value = complex(total[at], -total[at + 1]) * (math.sqrt(2.0) * scale)
                phasor[span, m, c] = value
                if c < 3 and abs(value) > NEGLIGIBLE:
                    frequency[span, m] = known[span]
            for a in range(3):
                active = gram[span, m, a, 3 + a]
                reactive = (phasor[span, m, a] * phasor[span, m, 3 + a].conjugate()).imag
                rates[span, 0, m, a] = max(active, 0.0)
                rates[span, 1, m, a] = max(-active, 0.0)
                rates[span, 2, m, a] = max(reactive, 0.0)
                rates[span, 3, m, a] = max(-reactive, 0.0)
                rates[span, 4, m, a] = math.sqrt(gram[span, m, a, a] * gram[span, m, 3 + a, 3 + a])


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

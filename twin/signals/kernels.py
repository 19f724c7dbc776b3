"""Compiled loops of this room: phase over long times, window integrals, synthesis.

Array arguments are declared read-only in the signatures, so that one compiled version serves plain and
frozen arrays alike. Nothing here calls BLAS and nothing is reordered: results are bit-stable.

A term is ``Re{B exp(s u)}``. Written with the two real functions ``Re exp(s u)`` and ``-Im exp(s u)`` every
channel is a real combination of 2K functions that all channels share; their mean products and transforms
over a piece of a window are computed once, then applied to the coefficients ``Re B`` and ``Im B``.
"""

import cmath
import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Span = tuple[int, float, int, float]

C2 = types.Array(types.complex128, 2, "C", readonly=True)
C1 = types.Array(types.complex128, 1, "C", readonly=True)
F1 = types.Array(types.float64, 1, "C", readonly=True)
OUT2 = types.Array(types.float64, 2, "C")
OUT3 = types.Array(types.float64, 3, "C")
C1OUT = types.Array(types.complex128, 1, "C")
i64, f64, c128 = types.int64, types.float64, types.complex128
SPAN = types.Tuple((i64, f64, i64, f64))  # type: ignore[no-untyped-call]

SECOND = 1_000_000_000
TWO_PI = 2.0 * math.pi
ANCHOR = 256  # samples between two exact exponentials
SERIES = tuple(1.0 / math.factorial(n + 1) for n in range(16))


@njit(f64(f64, i64, f64), cache=True, nogil=True)
def cycles_fraction(frequency: float, ns: int, fraction: float) -> float:
    """Return ``frequency x time`` modulo one cycle; the products are exact for times up to weeks.

    The frequency is split at 2**-14 Hz: what is above has at most 23 bits, so that its products with
    whole seconds and with the remaining nanoseconds have no rounding.
    """
    seconds = ns // SECOND
    rest = float(ns - seconds * SECOND)
    whole = float(seconds)
    coarse = math.floor(frequency * 16384.0) / 16384.0
    fine = frequency - coarse
    a = coarse * whole
    b = fine * whole
    c = coarse * rest
    c -= math.floor(c * 1e-9) * 1e9
    cycles = (a - math.floor(a)) + (b - math.floor(b)) + (c + fine * rest + frequency * fraction) * 1e-9
    return cycles - math.floor(cycles)


@njit(c128(f64, f64, f64, f64), cache=True, nogil=True)
def mean_exponential(zr: float, zi: float, er: float, ei: float) -> complex:
    """Return (exp(z) - 1)/z, the mean of exp(z x) over 0 <= x <= 1, given z and exp(z)."""
    size = zr * zr + zi * zi
    if size > 0.25:
        scale = 1.0 / size
        nr = er - 1.0
        return complex((nr * zr + ei * zi) * scale, (ei * zr - nr * zi) * scale)
    sr = SERIES[15]
    si = 0.0
    for n in range(14, -1, -1):
        sr, si = SERIES[n] + sr * zr - si * zi, sr * zi + si * zr
    return complex(sr, si)


@njit(c128(c128, f64, f64, f64), cache=True, nogil=True)
def term_factor(rate: complex, order: float, phase: float, seconds: float) -> complex:
    """Return exp(rate x seconds + j order x phase)."""
    if rate == 0.0:
        return complex(math.cos(order * phase), math.sin(order * phase))
    return cmath.exp(rate * seconds + complex(0.0, order * phase))


@njit(f64(C2, F1, C1, f64, f64, SPAN, C1OUT, OUT2, OUT2), cache=True, nogil=True)
def piece_terms(
    amplitude: Complex,
    order: Float,
    rate: Complex,
    start: float,
    turn: float,
    span: Span,
    growth: Complex,
    br: Float,
    bi: Float,
) -> float:
    """Fill exp(s T) of every term and the coefficients of every channel at the start of a piece.

    ``start`` and ``turn`` are the phase at the start and that of the piece, reduced. Returns T [s].
    """
    channels, terms = amplitude.shape
    begin_s = (span[0] + span[1]) * 1e-9
    seconds = (span[2] + span[3]) * 1e-9
    for k in range(terms):
        anchor = term_factor(rate[k], order[k], start, begin_s)
        growth[k] = term_factor(rate[k], order[k], turn, seconds)
        for c in range(channels):
            b = amplitude[c, k] * anchor
            br[k, c] = b.real
            bi[k, c] = b.imag
    return seconds


@njit(types.void(C2, F1, C1, f64, f64, SPAN, f64, OUT3), cache=True, nogil=True)
def add_gram(
    amplitude: Complex,
    order: Float,
    rate: Complex,
    theta: float,
    frequency: float,
    span: Span,
    weight: float,
    gram: Float,
) -> None:
    """Add one piece of a window to the mean products of channels.

    Parameters
    ----------
    amplitude, order, rate, theta, frequency
        The fields of the segment.
    span
        Start of the piece after the start of the segment, whole and rest, then its length, whole and
        rest [ns].
    weight
        Length of the piece over the length of the window.
    gram
        (groups, n, n), added to; groups x n are the channels.
    """
    channels, terms = amplitude.shape
    groups, size = gram.shape[0], gram.shape[1]
    start = theta + TWO_PI * cycles_fraction(frequency, span[0], span[1])
    turn = TWO_PI * cycles_fraction(frequency, span[2], span[3])
    growth = np.empty(terms, np.complex128)
    br = np.empty((terms, channels))
    bi = np.empty((terms, channels))
    seconds = piece_terms(amplitude, order, rate, start, turn, span, growth, br, bi)
    whole_turn = TWO_PI * frequency * seconds
    pr = np.empty(channels)  # mean product of Re exp(s_k u) and each channel
    pi = np.empty(channels)  # the same with -Im exp(s_k u)
    for k in range(terms):
        for c in range(channels):
            pr[c] = 0.0
            pi[c] = 0.0
        for m in range(terms):
            zr = (rate[k].real + rate[m].real) * seconds
            zi = (rate[k].imag + rate[m].imag) * seconds + (order[k] + order[m]) * whole_turn
            g = growth[k] * growth[m]
            plus = mean_exponential(zr, zi, g.real, g.imag)
            zi = (rate[k].imag - rate[m].imag) * seconds + (order[k] - order[m]) * whole_turn
            g = growth[k] * growth[m].conjugate()
            minus = mean_exponential(zr, zi, g.real, g.imag)
            rr = 0.5 * weight * (minus.real + plus.real)
            ri = 0.5 * weight * (minus.imag - plus.imag)
            ir = -0.5 * weight * (minus.imag + plus.imag)
            ii = 0.5 * weight * (minus.real - plus.real)
            for c in range(channels):
                pr[c] += rr * br[m, c] + ri * bi[m, c]
                pi[c] += ir * br[m, c] + ii * bi[m, c]
        for group in range(groups):
            for a in range(size):
                ur = br[k, group * size + a]
                ui = bi[k, group * size + a]
                for b in range(a + 1):
                    gram[group, a, b] += ur * pr[group * size + b] + ui * pi[group * size + b]
                    gram[group, b, a] = gram[group, a, b]


@njit(types.void(C2, F1, C1, f64, f64, SPAN, f64, OUT3), cache=True, nogil=True)
def add_spectrum(
    amplitude: Complex,
    order: Float,
    rate: Complex,
    theta: float,
    frequency: float,
    span: Span,
    weight: float,
    spectrum: Float,
) -> None:
    """Add one piece of a window to its transform: RMS phasors relative to theta.

    ``spectrum`` (2, orders, channels) holds real and imaginary parts; the rest is as in `add_gram`.
    """
    channels, terms = amplitude.shape
    start = theta + TWO_PI * cycles_fraction(frequency, span[0], span[1])
    turn = TWO_PI * cycles_fraction(frequency, span[2], span[3])
    growth = np.empty(terms, np.complex128)
    br = np.empty((terms, channels))
    bi = np.empty((terms, channels))
    seconds = piece_terms(amplitude, order, rate, start, turn, span, growth, br, bi)
    whole_turn = TWO_PI * frequency * seconds
    for h in range(spectrum.shape[1]):
        scale = weight * (0.5 if h == 0 else 0.5 * math.sqrt(2.0))
        back = complex(math.cos(h * turn), -math.sin(h * turn))
        shift = scale * complex(math.cos(h * start), -math.sin(h * start))
        for k in range(terms):
            zr = rate[k].real * seconds
            zi = rate[k].imag * seconds
            g = growth[k] * back
            plus = shift * mean_exponential(zr, zi + (order[k] - h) * whole_turn, g.real, g.imag)
            g = growth[k].conjugate() * back
            minus = shift * mean_exponential(zr, -zi - (order[k] + h) * whole_turn, g.real, g.imag)
            a = plus + minus
            b = plus - minus
            for c in range(channels):
                spectrum[0, h, c] += a.real * br[k, c] - b.imag * bi[k, c]
                spectrum[1, h, c] += a.imag * br[k, c] + b.real * bi[k, c]


@njit(types.void(C2, F1, C1, f64, f64, i64, f64, i64, f64, OUT2), cache=True, nogil=True)
def add_samples(
    amplitude: Complex,
    order: Float,
    rate: Complex,
    theta: float,
    frequency: float,
    begin_ns: int,
    begin_rest: float,
    step_ns: int,
    step_rest: float,
    out: Float,
) -> None:
    """Write equidistant samples of one segment into ``out`` (channels, samples).

    ``begin`` is the first sample after the start of the segment, ``step`` the distance of two, each whole
    and rest [ns]. Terms advance by a recurrence that starts from an exact exponential every ``ANCHOR``.
    """
    channels, count = out.shape
    terms = order.shape[0]
    step_s = (step_ns + step_rest) * 1e-9
    turn = TWO_PI * cycles_fraction(frequency, step_ns, step_rest)
    er = np.empty(ANCHOR)
    ei = np.empty(ANCHOR)
    for block in range(0, count, ANCHOR):
        size = min(ANCHOR, count - block)
        rest = begin_rest + block * step_rest
        carry = math.floor(rest)
        rest -= carry
        ns = begin_ns + block * step_ns + carry
        phase = theta + TWO_PI * cycles_fraction(frequency, ns, rest)
        seconds = (ns + rest) * 1e-9
        for c in range(channels):
            for n in range(size):
                out[c, block + n] = 0.0
        for k in range(terms):
            value = term_factor(rate[k], order[k], phase, seconds)
            step = term_factor(rate[k], order[k], turn, step_s)
            for n in range(size):
                er[n] = value.real
                ei[n] = value.imag
                value *= step
            for c in range(channels):
                ar = amplitude[c, k].real
                ai = amplitude[c, k].imag
                for n in range(size):
                    out[c, block + n] += ar * er[n] - ai * ei[n]

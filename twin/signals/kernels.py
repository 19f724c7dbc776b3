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

C2 = types.Array(types.complex128, 2, "C", readonly=True)
C1 = types.Array(types.complex128, 1, "C", readonly=True)
F1 = types.Array(types.float64, 1, "C", readonly=True)
I1 = types.Array(types.int64, 1, "C", readonly=True)
OUT2 = types.Array(types.float64, 2, "C")
OUT3 = types.Array(types.float64, 3, "C")
C1OUT = types.Array(types.complex128, 1, "C")
i64, f64, c128 = types.int64, types.float64, types.complex128

SECOND = 1_000_000_000
TWO_PI = 2.0 * math.pi
ANCHOR = 256  # samples between two exact exponentials
SERIES = tuple(1.0 / math.factorial(n + 1) for n in range(16))


@njit(f64(f64, i64, f64), cache=True, nogil=True)
def cycles_fraction(frequency, ns, fraction):
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
def mean_exponential(zr, zi, er, ei):
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
def term_factor(rate, order, phase, seconds):
    """Return exp(rate x seconds + j order x phase)."""
    if rate == 0.0:
        return complex(math.cos(order * phase), math.sin(order * phase))
    return cmath.exp(rate * seconds + complex(0.0, order * phase))


@njit(types.void(F1, C1, f64, f64, C1, OUT2, OUT2, f64, OUT2, OUT2), cache=True, nogil=True)
def mean_products(order, rate, turn, seconds, growth, br, bi, weight, pr, pi):
    """Fill weight x mean products of the 2K functions of a piece with its channels.

    ``br``, ``bi`` (terms, channels) are the coefficients at the start of the piece; ``pr`` is the product
    with Re exp(s_k u), ``pi`` the one with -Im exp(s_k u). ``turn`` is the phase of the whole piece.
    """
    terms, channels = br.shape
    pr[:] = 0.0
    pi[:] = 0.0
    for k in range(terms):
        for m in range(terms):
            zr = (rate[k].real + rate[m].real) * seconds
            g = growth[k] * growth[m]
            plus = mean_exponential(
                zr, (rate[k].imag + rate[m].imag) * seconds + (order[k] + order[m]) * turn, g.real, g.imag
            )
            g = growth[k] * growth[m].conjugate()
            minus = mean_exponential(
                zr, (rate[k].imag - rate[m].imag) * seconds + (order[k] - order[m]) * turn, g.real, g.imag
            )
            rr = 0.5 * weight * (minus.real + plus.real)
            ri = 0.5 * weight * (minus.imag - plus.imag)
            ir = -0.5 * weight * (minus.imag + plus.imag)
            ii = 0.5 * weight * (minus.real - plus.real)
            for c in range(channels):
                pr[k, c] += rr * br[m, c] + ri * bi[m, c]
                pi[k, c] += ir * br[m, c] + ii * bi[m, c]


@njit(types.void(OUT2, OUT2, OUT2, OUT2, OUT3), cache=True, nogil=True)
def add_gram(br, bi, pr, pi, gram):
    """Add coefficients x mean products, meter by meter; the upper triangle is a copy of the lower."""
    terms = br.shape[0]
    meters, size = gram.shape[0], gram.shape[1]
    for k in range(terms):
        for meter in range(meters):
            first = meter * size
            for a in range(size):
                ur = br[k, first + a]
                ui = bi[k, first + a]
                for b in range(a + 1):
                    gram[meter, a, b] += ur * pr[k, first + b] + ui * pi[k, first + b]
    for meter in range(meters):
        for a in range(size):
            for b in range(a):
                gram[meter, b, a] = gram[meter, a, b]


@njit(types.void(F1, C1, f64, f64, f64, f64, C1, OUT2, OUT2, f64, OUT3), cache=True, nogil=True)
def add_spectrum(order, rate, turn, seconds, start, turn_reduced, growth, br, bi, weight, spectrum):
    """Add weight x RMS phasors relative to theta, by the exact transform of the piece."""
    terms, channels = br.shape
    for h in range(spectrum.shape[1]):
        scale = weight * (0.5 if h == 0 else 0.5 * math.sqrt(2.0))
        back = complex(math.cos(h * turn_reduced), -math.sin(h * turn_reduced))
        shift = scale * complex(math.cos(h * start), -math.sin(h * start))
        for k in range(terms):
            zr = rate[k].real * seconds
            zi = rate[k].imag * seconds
            g = growth[k] * back
            plus = shift * mean_exponential(zr, zi + (order[k] - h) * turn, g.real, g.imag)
            g = growth[k].conjugate() * back
            minus = shift * mean_exponential(zr, -zi - (order[k] + h) * turn, g.real, g.imag)
            a = plus + minus
            b = plus - minus
            for c in range(channels):
                spectrum[0, h, c] += a.real * br[k, c] - b.imag * bi[k, c]
                spectrum[1, h, c] += a.imag * br[k, c] + b.real * bi[k, c]


@njit(types.void(C2, F1, C1, f64, f64, f64, f64, C1OUT, OUT2, OUT2), cache=True, nogil=True)
def piece_terms(amplitude, order, rate, start, begin_s, turn, seconds, growth, br, bi):
    """Fill exp(s T) of every term and the coefficients of every channel at the start of a piece."""
    channels, terms = amplitude.shape
    for k in range(terms):
        anchor = term_factor(rate[k], order[k], start, begin_s)
        growth[k] = term_factor(rate[k], order[k], turn, seconds)
        for c in range(channels):
            b = amplitude[c, k] * anchor
            br[k, c] = b.real
            bi[k, c] = b.imag


@njit(
    types.void(C2, F1, C1, f64, f64, i64, f64, i64, f64, f64, OUT3, OUT3),
    cache=True,
    nogil=True,
)
def accumulate_piece(
    amplitude,
    order,
    rate,
    theta,
    frequency,
    begin_ns,
    begin_rest,
    length_ns,
    length_rest,
    weight,
    gram,
    spectrum,
):
    """Add one piece of a window to its mean products and to its transform.

    Parameters
    ----------
    amplitude, order, rate, theta, frequency
        The fields of the segment.
    begin_ns, begin_rest
        Start of the piece after the start of the segment, whole and rest [ns].
    length_ns, length_rest
        Length of the piece, whole and rest [ns].
    weight
        Length of the piece over the length of the window.
    gram
        (meters, n, n), added to; meters x n are the leading channels. No meters: not computed.
    spectrum
        (2, orders, channels) real and imaginary RMS phasors, added to. No orders: not computed.
    """
    channels, terms = amplitude.shape
    seconds = (length_ns + length_rest) * 1e-9
    begin_s = (begin_ns + begin_rest) * 1e-9
    start = theta + TWO_PI * cycles_fraction(frequency, begin_ns, begin_rest)
    turn = TWO_PI * cycles_fraction(frequency, length_ns, length_rest)
    omega = TWO_PI * frequency

    growth = np.empty(terms, np.complex128)  # exp(s T)
    br = np.empty((terms, channels))
    bi = np.empty((terms, channels))
    piece_terms(amplitude, order, rate, start, begin_s, turn, seconds, growth, br, bi)
    if gram.shape[0] > 0:
        pr = np.empty((terms, channels))
        pi = np.empty((terms, channels))
        mean_products(order, rate, omega * seconds, seconds, growth, br, bi, weight, pr, pi)
        add_gram(br, bi, pr, pi, gram)
    if spectrum.shape[1] > 0:
        add_spectrum(order, rate, omega * seconds, seconds, start, turn, growth, br, bi, weight, spectrum)


@njit(types.void(C2, F1, C1, f64, f64, I1, F1, I1, F1, I1, OUT2), cache=True, nogil=True)
def add_squares(
    amplitude, order, rate, theta, frequency, begin_ns, begin_rest, length_ns, length_rest, row, out
):
    """Add the integrals of the squares of all channels over many pieces of one segment.

    Piece n goes to ``out[row[n]]`` (rows, channels) [V2 s or A2 s]; the rest is as in `accumulate_piece`.
    """
    channels, terms = amplitude.shape
    growth = np.empty(terms, np.complex128)
    br = np.empty((terms, channels))
    bi = np.empty((terms, channels))
    pr = np.empty((terms, channels))
    pi = np.empty((terms, channels))
    for n in range(row.shape[0]):
        seconds = (length_ns[n] + length_rest[n]) * 1e-9
        begin_s = (begin_ns[n] + begin_rest[n]) * 1e-9
        start = theta + TWO_PI * cycles_fraction(frequency, begin_ns[n], begin_rest[n])
        turn = TWO_PI * cycles_fraction(frequency, length_ns[n], length_rest[n])
        piece_terms(amplitude, order, rate, start, begin_s, turn, seconds, growth, br, bi)
        whole_turn = TWO_PI * frequency * seconds
        mean_products(order, rate, whole_turn, seconds, growth, br, bi, seconds, pr, pi)
        for k in range(terms):
            for c in range(channels):
                out[row[n], c] += br[k, c] * pr[k, c] + bi[k, c] * pi[k, c]


@njit(types.void(C2, F1, C1, f64, f64, i64, f64, i64, f64, OUT2), cache=True, nogil=True)
def add_samples(amplitude, order, rate, theta, frequency, begin_ns, begin_rest, step_ns, step_rest, out):
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
        carry = int(math.floor(rest))
        rest -= carry
        ns = begin_ns + block * step_ns + carry
        phase = theta + TWO_PI * cycles_fraction(frequency, ns, rest)
        seconds = (ns + rest) * 1e-9
        out[:, block : block + size] = 0.0
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

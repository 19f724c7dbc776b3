"""Compiled loops of sampled blocks: local interpolation between samples, quadrature over their lattice.

Both rest on one function between the samples: in every cell, that is between two neighbouring samples, the
polynomial through the nearest ``points`` samples. Its coefficients come as a table (`lagrange_table` of
`blocks`): ``table[q, j, k]`` belongs to the power k of the way through the cell, 0 to 1, and to sample j of
the stencil, where q samples of the stencil lie left of the cell's left sample.
"""

import math

import numpy as np
from numba import njit, types

from twin.signals.kernels import ANCHOR, SPAN, TWO_PI, Float, Span, cycles_fraction

F1 = types.Array(types.float64, 1, "C", readonly=True)
F2 = types.Array(types.float64, 2, "C", readonly=True)
F2ANY = types.Array(types.float64, 2, "A", readonly=True)
F3 = types.Array(types.float64, 3, "C", readonly=True)
OUT1 = types.Array(types.float64, 1, "C")
OUT2 = types.Array(types.float64, 2, "C")
OUT3 = types.Array(types.float64, 3, "C")
i64, f64 = types.int64, types.float64


@njit(types.void(F2ANY, F3, i64, f64, i64, f64, OUT2), cache=True, nogil=True)
def add_interpolated(
    samples: Float,
    table: Float,
    begin: int,
    begin_rest: float,
    step: int,
    step_rest: float,
    out: Float,
) -> None:
    """Add to ``out`` (channels, n) what lies between samples, at equidistant places.

    The first place and the distance of two are whole and rest, in samples. Places beyond the first and
    the last sample are extrapolated by the outermost polynomial.
    """
    channels, count = samples.shape
    points = table.shape[1]
    weight = np.empty(points)
    for n in range(out.shape[1]):
        rest = begin_rest + n * step_rest
        carry = math.floor(rest)
        cell = min(max(begin + n * step + int(carry), 0), count - 2)
        way = rest - carry + (begin + n * step + int(carry) - cell)
        first = min(max(cell - (points // 2 - 1), 0), count - points)
        for j in range(points):
            value = 0.0
            for k in range(points - 1, -1, -1):
                value = value * way + table[cell - first, j, k]
            weight[j] = value
        for c in range(channels):
            total = 0.0
            for j in range(points):
                total += weight[j] * samples[c, first + j]
            out[c, n] += total


@njit(types.void(F3, i64, SPAN, OUT1), cache=True, nogil=True)
def lattice_weights(table: Float, count: int, span: Span, weight: Float) -> None:
    """Fill the weight of every sample in the integral over a span of the polynomials between them.

    Parameters
    ----------
    table
        See the head of this module.
    count
        Samples on the lattice.
    span
        Begin and end, each whole and rest, in samples.
    weight
        (count,), in units of one cell; those of a run of inner samples are 1.
    """
    points = table.shape[1]
    weight[:] = 0.0
    left = min(max(span[0], 0), count - 2)
    right = min(max(span[2], 0), count - 2)
    for cell in range(left, right + 1):
        begin = span[0] - cell + span[1] if cell == left else 0.0
        end = span[2] - cell + span[3] if cell == right else 1.0
        first = min(max(cell - (points // 2 - 1), 0), count - points)
        for j in range(points):
            high = 0.0
            low = 0.0
            for k in range(points - 1, -1, -1):
                part = table[cell - first, j, k] / (k + 1)
                high = (high + part) * end
                low = (low + part) * begin
            weight[first + j] += high - low


@njit(types.void(F2, F1, f64, OUT3), cache=True, nogil=True)
def add_weighted_gram(values: Float, weight: Float, scale: float, gram: Float) -> None:
    """Add scale x weighted sums of products of rows (groups x size, n) to ``gram`` (groups, size, size)."""
    count = values.shape[1]
    groups, size = gram.shape[0], gram.shape[1]
    share = np.empty(count)
    for group in range(groups):
        for a in range(size):
            for n in range(count):
                share[n] = values[group * size + a, n] * weight[n] * scale
            for b in range(a + 1):
                total = 0.0
                for n in range(count):
                    total += share[n] * values[group * size + b, n]
                gram[group, a, b] += total
                if b < a:
                    gram[group, b, a] = gram[group, a, b]


@njit(types.void(F2, F1, f64, f64, SPAN, f64, OUT3), cache=True, nogil=True)
def add_weighted_spectrum(
    values: Float,
    weight: Float,
    theta: float,
    frequency: float,
    lattice: Span,
    scale: float,
    spectrum: Float,
) -> None:
    """Add scale x weighted sums of samples x exp(-j h theta), as RMS phasors.

    Parameters
    ----------
    values, weight
        (channels, n) and (n,).
    theta, frequency
        Of the segment.
    lattice
        First sample after the start of the segment, whole and rest, then the distance of two, whole and
        rest [ns].
    scale
        One cell over the length of the window.
    spectrum
        (2, orders, channels), real and imaginary parts, added to.
    """
    channels, count = values.shape
    orders = spectrum.shape[1]
    # The inner loops run over the orders, which are independent of each other.
    real = np.zeros((channels, orders))
    imag = np.zeros((channels, orders))
    wr = np.empty(orders)
    wi = np.empty(orders)
    sr = np.empty(orders)
    si = np.empty(orders)
    turn = TWO_PI * cycles_fraction(frequency, lattice[2], lattice[3])
    for h in range(orders):
        sr[h] = math.cos(h * turn)
        si[h] = -math.sin(h * turn)
    for n in range(count):
        if n % ANCHOR == 0:
            rest = lattice[1] + n * lattice[3]
            carry = math.floor(rest)
            ns = lattice[0] + n * lattice[2] + int(carry)
            phase = theta + TWO_PI * cycles_fraction(frequency, ns, rest - carry)
            for h in range(orders):
                wr[h] = math.cos(h * phase)
                wi[h] = -math.sin(h * phase)
        for c in range(channels):
            x = values[c, n] * weight[n]
            for h in range(orders):
                real[c, h] += x * wr[h]
                imag[c, h] += x * wi[h]
        for h in range(orders):
            r = wr[h] * sr[h] - wi[h] * si[h]
            wi[h] = wr[h] * si[h] + wi[h] * sr[h]
            wr[h] = r
    for h in range(orders):
        factor = scale if h == 0 else scale * math.sqrt(2.0)
        for c in range(channels):
            spectrum[0, h, c] += factor * real[c, h]
            spectrum[1, h, c] += factor * imag[c, h]

"""Compiled white noise of inputs, by counter: what a key and a number give is fixed, whoever asks when."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Keys = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_ONE, _TWO = np.uint64(1), np.uint64(2)
_UNIT = 2.0**-53
_LAYERS, _TAIL, _AREA = 128, 3.442619855899, 9.91256303526217e-3
_RETRY, _LAYER_BITS = np.uint64(1) << np.uint64(44), np.uint64(_LAYERS - 1)
_PER_WINDOW = 136
"""Numbers that a window may use of each channel: 64 orders of two, and six for the products."""


@njit(cache=True, nogil=True)
def _hash(key: np.uint64, counter: np.uint64) -> np.uint64:
    """Return 64 well mixed bits (the finaliser of SplitMix64; Steele, Lea, Flood 2014)."""
    z = key + _STEP * (counter + _ONE)
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


@njit(cache=True, nogil=True)
def _normal(key: np.uint64, counter: np.uint64) -> float:
    """Return a standard normal number (Box and Muller 1958)."""
    radius = (float(_hash(key, _TWO * counter) >> _11) + 1.0) * _UNIT  # 0 < radius <= 1
    turn = float(_hash(key, _TWO * counter + _ONE) >> _11) * _UNIT
    return math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * turn)


@njit(cache=True, nogil=True)
def normals(keys: Keys, first: int, out: Float) -> None:
    """Fill standard normal numbers, shape (keys, numbers): those of counters from ``first`` on."""
    for row in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[row, k] = _normal(keys[row], np.uint64(first + k))


def _ziggurat() -> tuple[Float, Float]:
    """Return the widths of layers of equal area under the normal density, and each next one over its own."""
    edge = np.zeros(_LAYERS + 1)
    density = math.exp(-0.5 * _TAIL * _TAIL)
    edge[0], edge[1] = _AREA / density, _TAIL
    for k in range(2, _LAYERS):
        density = math.exp(-0.5 * edge[k - 1] ** 2) + _AREA / edge[k - 1]
        edge[k] = math.sqrt(-2.0 * math.log(density))
    return edge, edge[1:] / edge[:-1]


_EDGE, _RATIO = _ziggurat()


@njit(cache=True, nogil=True)
def _uniform(bits: np.uint64) -> float:
    return (float(np.int64(bits >> _11)) + 0.5) * _UNIT


@njit(cache=True, nogil=True)
def ziggurat_normal(key: np.uint64, counter: np.uint64) -> float:
    """Return a standard normal number at the cost of one hash in 98 of 100 cases.

    Counters are below 2^43; what lies above numbers the further hashes that the other cases take.

    References
    ----------
    Marsaglia, Tsang, "The ziggurat method for generating random variables" (2000), with 128 layers; Doornik,
    "An improved ziggurat method to generate normal random samples" (2005), table and rejection as there.
    """
    while True:
        bits = _hash(key, counter)
        layer = int(bits & _LAYER_BITS)
        u = 2.0 * _uniform(bits) - 1.0
        if abs(u) < _RATIO[layer]:
            return float(u * _EDGE[layer])
        counter += _RETRY
        if layer == 0:
            while True:
                x = math.log(_uniform(_hash(key, counter))) / _TAIL
                y = math.log(_uniform(_hash(key, counter + _RETRY)))
                counter += _TWO * _RETRY
                if -2.0 * y >= x * x:
                    return x - _TAIL if u < 0.0 else _TAIL - x
        x = u * _EDGE[layer]
        outer = math.exp(-0.5 * (_EDGE[layer] ** 2 - x * x))
        inner = math.exp(-0.5 * (_EDGE[layer + 1] ** 2 - x * x))
        if inner + _uniform(_hash(key, counter)) * (outer - inner) < 1.0:
            return float(x)
        counter += _RETRY


@njit(cache=True, nogil=True)
def ziggurat_normals(key: np.uint64, first: int, out: Float) -> None:
    """Fill standard normal numbers: those of counters from ``first`` on."""
    for k in range(out.size):
        out[k] = ziggurat_normal(key, np.uint64(first + k))


@njit(cache=True, nogil=True, error_model="numpy")
def draw(
    spectrum: Complex,
    noise: Float,
    keys: Keys,
    window: int,
    samples: int,
    whole: bool,
    delta: Complex,
    products: Float,
) -> None:
    """Draw what white noise adds to the phasors of windows, and to products by itself.

    Parameters
    ----------
    spectrum : ndarray, shape (meters, 6, orders)
        RMS phasors, at most 64 orders.
    noise : ndarray, shape (meters, 6)
        RMS of the noise.
    keys : ndarray, shape (meters, 6)
        Of each channel's numbers.
    window : int
        Number of the window.
    samples : int
        Independent samples in a window.
    whole : bool
        Whether orders that a meter's signal lacks get their noise too.
    delta : ndarray, shape (meters, 6, orders)
        Filled with the noise of the phasors.
    products : ndarray, shape (meters, 6, 6)
        Filled with that of mean products of two noises, for b >= a.

    Notes
    -----
    A phasor of N samples gets a complex normal number of variance 2 sigma^2 / N, the mean one of
    sigma^2 / N; the product of two noises has variance sigma_a^2 sigma_b^2 / N, twice that for a square.
    """
    meters, channels, orders = spectrum.shape
    root, first = math.sqrt(samples), window * _PER_WINDOW
    for m in range(meters):
        for h in range(orders):
            there = whole
            for c in range(channels):
                there = there or spectrum[m, c, h] != 0.0
            for c in range(channels):
                spread = noise[m, c] / root
                if not there or spread == 0.0:
                    delta[m, c, h] = 0.0
                    continue
                real = spread * ziggurat_normal(keys[m, c], np.uint64(first + 2 * h))
                imag = 0.0
                if h > 0:
                    imag = spread * ziggurat_normal(keys[m, c], np.uint64(first + 2 * h + 1))
                delta[m, c, h] = complex(real, imag)
        for a in range(channels):
            for b in range(a, channels):
                both = noise[m, a] * noise[m, b] / root
                if both > 0.0:
                    both *= math.sqrt(2.0) if a == b else 1.0
                    both *= ziggurat_normal(keys[m, a], np.uint64(first + 128 + b))
                products[m, a, b] = both


@njit(cache=True, nogil=True, error_model="numpy")
def disturb(gram: Float, spectrum: Complex, delta: Complex, products: Float, out: Complex) -> None:
    """Let the moments of windows fluctuate as white noise makes them.

    Parameters
    ----------
    gram : ndarray, shape (meters, 6, 6)
        Mean products, those of the noise's mean square included; changed in place.
    spectrum : ndarray, shape (meters, 6, orders)
        RMS phasors.
    delta, products : ndarray
        As `draw` fills them.
    out : ndarray, shape (meters, 6, orders)
        Phasors with their noise.

    Notes
    -----
    Mean products follow by Parseval's theorem: the noise of a product of two channels is what each one's
    phasors have in common with the other's noise, and the product of the two noises.
    """
    meters, channels, orders = spectrum.shape
    present = np.empty(orders, np.int64)
    for m in range(meters):
        count = 0
        for h in range(orders):
            there = False
            for c in range(channels):
                there = there or spectrum[m, c, h] != 0.0
                out[m, c, h] = spectrum[m, c, h] + delta[m, c, h]
            if there:
                present[count] = h
                count += 1
        for a in range(channels):
            for b in range(a, channels):
                change = products[m, a, b]
                for k in range(count):
                    h = present[k]
                    s, t, x, y = spectrum[m, a, h], spectrum[m, b, h], delta[m, a, h], delta[m, b, h]
                    change += (s.real * y.real + s.imag * y.imag) + (t.real * x.real + t.imag * x.imag)
                gram[m, a, b] += change
                if b > a:
                    gram[m, b, a] += change

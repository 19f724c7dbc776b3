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


@njit(cache=True, nogil=True, error_model="numpy")
def disturb(
    gram: Float, spectrum: Complex, noise: Float, keys: Keys, window: int, samples: int, out: Complex
) -> None:
    """Let the moments of windows fluctuate as white noise makes them.

    Parameters
    ----------
    gram : ndarray, shape (meters, 6, 6)
        Mean products, those of the noise's mean square included; changed in place.
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
    out : ndarray, shape (meters, 6, orders)
        Phasors with their noise.

    Notes
    -----
    A phasor of N samples gets a complex normal number of variance 2 sigma^2 / N, the mean one of
    sigma^2 / N. Mean products follow by Parseval's theorem: the noise of a product of two channels is what
    each one's phasors have in common with the other's noise, and the product of the two noises, of variance
    sigma_a^2 sigma_b^2 / N (twice that for a square).
    """
    meters, channels, orders = spectrum.shape
    delta = np.empty((channels, orders), np.complex128)
    for m in range(meters):
        for c in range(channels):
            spread = noise[m, c] / math.sqrt(samples)
            first = window * _PER_WINDOW
            for h in range(orders):
                real = imag = 0.0
                if spread > 0.0:
                    real = spread * _normal(keys[m, c], np.uint64(first + 2 * h))
                    if h > 0:
                        imag = spread * _normal(keys[m, c], np.uint64(first + 2 * h + 1))
                delta[c, h] = complex(real, imag)
                out[m, c, h] = spectrum[m, c, h] + delta[c, h]
        for a in range(channels):
            for b in range(a, channels):
                change = 0.0
                for h in range(orders):
                    s, t = spectrum[m, a, h], spectrum[m, b, h]
                    change += s.real * delta[b, h].real + s.imag * delta[b, h].imag
                    change += t.real * delta[a, h].real + t.imag * delta[a, h].imag
                both = noise[m, a] * noise[m, b] / math.sqrt(samples)
                if both > 0.0:
                    both *= math.sqrt(2.0) if a == b else 1.0
                    change += both * _normal(keys[m, a], np.uint64(window * _PER_WINDOW + 128 + b))
                gram[m, a, b] += change
                if b > a:
                    gram[m, b, a] += change

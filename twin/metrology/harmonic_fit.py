"""A periodic signal fitted to samples: its frequency and harmonics by least squares.

What a transform over whole cycles needs (many cycles, a whole number of samples in each) a fit does not: it
serves recordings of a few cycles, and those that end in the middle of one.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

_REFINEMENTS: Final = 12
_GRID: Final = 121
"""Frequencies that a search looks at."""
_SEARCH_ORDERS: Final = 5
"""Orders of the model that a search uses: more of them would fit any frequency to a cycle or two."""


@dataclass(frozen=True, slots=True, eq=False)
class HarmonicFit:
    """A sum of harmonics; position counts samples from the first one."""

    frequency: float
    """[Hz]"""
    sample_rate: float
    """[Hz]"""
    cosine: Float
    """(channels, orders) peak of cos(h x), orders from 0 [V or A]."""
    sine: Float
    """(channels, orders) peak of sin(h x)."""
    residual: Float
    """(channels,) RMS of what the fit leaves [V or A]."""

    def values(self, position: Float) -> Float:
        """Return the fitted signal at positions, shape (channels, positions)."""
        basis = _basis(self.frequency / self.sample_rate, position, self.cosine.shape[1])
        fitted: Float = np.concatenate((self.cosine, self.sine[:, 1:]), axis=1) @ basis.T
        return fitted


def carried_orders(sample_rate: float, frequency: float, *, samples: int, highest: int = 50) -> int:
    """Return the highest order that a rate shows without an alias, and a number of samples can tell."""
    below = math.ceil(sample_rate / frequency / 2.0 - 1e-9) - 1
    return max(1, min(highest, below, (samples - 1) // 2 - 1))


def fit_harmonics(samples: Float, *, sample_rate: float, frequency: float, highest: int) -> HarmonicFit:
    """Return the harmonics of a known frequency.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        Uniform in time [V or A].
    sample_rate, frequency : float
        [Hz]
    highest : int
        Last order; see `carried_orders`.
    """
    position = np.arange(samples.shape[1], dtype=np.float64)
    basis = _basis(frequency / sample_rate, position, highest + 1)
    solved, *_ = np.linalg.lstsq(basis, samples.T, rcond=None)
    left = samples - (basis @ solved).T
    zeros = np.zeros((1, samples.shape[0]))
    sine = np.concatenate((zeros, solved[highest + 1 :])).astype(np.float64)
    residual: Float = np.sqrt((left**2).mean(axis=1))
    cosine = solved[: highest + 1].astype(np.float64)
    return HarmonicFit(frequency, sample_rate, cosine.T, sine.T, residual)


def fit_frequency(samples: Float, *, sample_rate: float, near: float, highest: int) -> HarmonicFit:
    """Return the harmonics whose frequency, close to a first guess, leaves the least.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        All of one frequency, at least a cycle and a half long [V or A].
    sample_rate : float
        [Hz]
    near : float
        First guess, to a few per cent of 1 / length [Hz].
    highest : int
        Last order of the model.

    Notes
    -----
    Gauss-Newton: the derivative by the frequency, freed of what harmonics can explain, takes up what they
    leave.
    """
    position = np.arange(samples.shape[1], dtype=np.float64)
    order = np.arange(highest + 1)
    frequency = near
    for _ in range(_REFINEMENTS):
        fit = fit_harmonics(samples, sample_rate=sample_rate, frequency=frequency, highest=highest)
        basis = _basis(frequency / sample_rate, position, highest + 1)
        left = samples - fit.values(position)
        # d/df of c cos(h x) + s sin(h x) with x = 2 pi f n / rate.
        turned = np.concatenate((order * fit.sine, -order[1:] * fit.cosine[:, 1:]), axis=1)
        slope = (turned @ basis.T) * (2.0 * math.pi / sample_rate) * position
        explained, *_ = np.linalg.lstsq(basis, slope.T, rcond=None)
        free = slope - (basis @ explained).T
        power = float((free**2).sum())
        step = float((free * left).sum()) / power if power > 0.0 else 0.0
        # A step of more than a tenth of a cycle over the recording would leave the valley.
        limit = 0.1 * sample_rate / samples.shape[1]
        frequency += min(limit, max(-limit, step))
        if abs(step) < 1e-12 * near:
            break
    return fit_harmonics(samples, sample_rate=sample_rate, frequency=frequency, highest=highest)


def search_frequency(samples: Float, *, sample_rate: float, nominal: float, reach: float = 0.15) -> float:
    """Return the frequency near a nominal one at which few harmonics leave the least.

    The nominal frequency itself is taken where nothing is better by more than rounding.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        At least a cycle [V].
    sample_rate, nominal : float
        [Hz]
    reach : float
        How far from the nominal frequency, as a share of it.
    """

    def left(frequency: float) -> float:
        highest = min(_SEARCH_ORDERS, carried_orders(sample_rate, frequency, samples=samples.shape[1]))
        fit = fit_harmonics(samples, sample_rate=sample_rate, frequency=frequency, highest=highest)
        return float((fit.residual**2).sum())

    grid = nominal * (1.0 + reach * np.linspace(-1.0, 1.0, _GRID))
    best = min(grid.tolist(), key=left)
    return nominal if left(nominal) <= left(best) * (1.0 + 1e-6) + 1e-18 else best


def _basis(cycles_per_sample: float, position: Float, orders: int) -> Float:
    """Return cosines of all orders, then sines of all but order 0, shape (positions, 2 orders - 1)."""
    # Whole cycles are taken off before the order multiplies what is left.
    cycle = np.mod(cycles_per_sample * position, 1.0)
    angle = 2.0 * math.pi * np.mod(np.outer(cycle, np.arange(orders)), 1.0)
    return np.concatenate((np.cos(angle), np.sin(angle[:, 1:])), axis=1)

"""Harmonics of a locked window of samples: phasors of orders, harmonic and interharmonic subgroups."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_AT_ONCE: Final = 24
"""Channels that are transformed at once: their bins stay in the second-level cache."""


class SampledSpectrum:
    """The transform of windows of 10 or 12 cycles, and what is made of it.

    At 512 samples a cycle only the bins that orders need are formed, by kernels of this room; at other rates,
    or beyond 63 orders, all of them by SciPy.

    Parameters
    ----------
    cycles : int
        10 or 12.
    samples_per_cycle : int
        More than twice the orders.
    orders : int
        Orders 0 .. orders - 1.
    """

    __slots__ = ("_bins", "_tables", "cycles", "orders", "samples_per_cycle")

    def __init__(self, *, cycles: int, samples_per_cycle: int, orders: int) -> None:
        from twin.metrology.sampled_spectrum_kernels import ORDERS, POINTS  # noqa: PLC0415

        self.cycles = cycles
        self.samples_per_cycle = samples_per_cycle
        self.orders = orders
        own = samples_per_cycle == POINTS and orders <= ORDERS and cycles in {10, 12}
        self._tables = _tables(cycles) if own else None
        self._bins: Complex = np.empty((0, cycles * orders), np.complex128)

    def measure(
        self, samples: Float, column: int, spectrum: Complex, harmonic: Float, interharmonic: Float
    ) -> None:
        """Fill the harmonics of a window.

        Parameters
        ----------
        samples : ndarray, shape (channels, n)
            C-contiguous [V or A].
        column : int
            Where the window begins.
        spectrum : ndarray of complex, shape (channels, orders)
            RMS phasors; order 0 is the mean, real [V or A].
        harmonic, interharmonic : ndarray, shape (channels, orders)
            RMS of the harmonic subgroup of each order, and of the centred interharmonic subgroup above it
            [V or A].

        References
        ----------
        IEC 61000-4-7:2002+A1:2008, 5.6 and annex A; IEC 61000-4-30:2015, 5.8 and 5.9.
        """
        from twin.metrology.sampled_kernels import subgroups  # noqa: PLC0415

        scale = math.sqrt(2.0) / (self.cycles * self.samples_per_cycle)
        for first in range(0, samples.shape[0], _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            bins = self._transformed(samples[part], column)
            np.multiply(bins[:, : self.orders * self.cycles : self.cycles], scale, out=spectrum[part])
            subgroups(bins, self.cycles, scale, harmonic[part], interharmonic[part])
        spectrum[:, 0] /= math.sqrt(2.0)

    def _transformed(self, samples: Float, column: int) -> Complex:
        """Return bins 0 .. cycles x orders - 1 or more, not scaled."""
        if self._tables is None:
            from scipy.fft import rfft  # noqa: PLC0415

            window = samples[:, column : column + self.cycles * self.samples_per_cycle]
            bins: Complex = rfft(window, axis=1, workers=1)
            return bins
        from twin.metrology.sampled_spectrum_kernels import low_bins  # noqa: PLC0415

        if self._bins.shape[0] != samples.shape[0]:
            self._bins = np.empty((samples.shape[0], self.cycles * self.orders), np.complex128)
        turns, between_real, between_imaginary = self._tables
        low_bins(samples, column, turns, between_real, between_imaginary, 8, self.orders, self._bins)
        return self._bins


def _tables(cycles: int) -> tuple[Float, Float, Float]:
    """Return the turns before the transforms of 512 points, and between the steps of these."""
    from twin.metrology.sampled_spectrum_kernels import POINTS, WIDTH  # noqa: PLC0415

    half = cycles // 2
    before = np.exp(-2j * math.pi * np.outer(np.arange(half + 1), np.arange(POINTS)) / (cycles * POINTS))
    turns = np.zeros((half + 1, 2, WIDTH))
    turns[:, 0, :POINTS], turns[:, 1, :POINTS] = before.real, before.imag
    between = np.ones((2, POINTS), np.complex128)
    outputs = np.arange(8)[:, np.newaxis]
    between[0] = np.exp(-2j * math.pi * outputs * np.arange(64) / POINTS).reshape(-1)
    between[1, :64] = np.exp(-2j * math.pi * outputs * np.arange(8) / 64).reshape(-1)
    return turns.reshape(-1), between.real.copy(), between.imag.copy()

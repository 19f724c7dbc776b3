"""Ratios that describe a distorted waveform, from its harmonics 0, 1, 2 .. (RMS)."""

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

NEGLIGIBLE = 1e-9
"""A fundamental below this is rounding, not a quantity [V or A]."""


def thd(harmonic: Float, *, highest: int) -> Float:
    """Return the total harmonic distortion up to an order.

    Parameters
    ----------
    harmonic : ndarray, shape (..., orders)
        RMS by order from 0 [V or A].
    highest : int
        Last order that counts, below ``orders``.

    Returns
    -------
    ndarray, shape (...)
        Fraction of order 1; NaN without a fundamental.

    References
    ----------
    IEC 61000-4-7:2002, 3.3.1 (THD_Y with H = ``highest``).
    """
    return _distortion(harmonic, np.arange(2, _checked(harmonic, highest) + 1))


def odd_thd(harmonic: Float, *, highest: int) -> Float:
    """Return the distortion by orders 3, 5, 7 .. alone; as `thd`."""
    return _distortion(harmonic, np.arange(3, _checked(harmonic, highest) + 1, 2))


def even_thd(harmonic: Float, *, highest: int) -> Float:
    """Return the distortion by orders 2, 4, 6 .. alone; as `thd`."""
    return _distortion(harmonic, np.arange(2, _checked(harmonic, highest) + 1, 2))


def k_factor(harmonic: Float, *, highest: int) -> Float:
    """Return the K factor of a current, ``sum h^2 I_h^2 / sum I_h^2`` over orders 1 .. ``highest``.

    Parameters
    ----------
    harmonic : ndarray, shape (..., orders)
        RMS by order from 0 [A].
    highest : int
        Last order that counts, below ``orders``.

    Returns
    -------
    ndarray, shape (...)
        1 for a sine; NaN without a current.

    References
    ----------
    UL 1561; IEEE Std C57.110-2018, annex (relation to the harmonic loss factor).
    """
    order = np.arange(1, _checked(harmonic, highest) + 1)
    squares = harmonic[..., order] ** 2
    total = squares.sum(axis=-1)
    out: Float = np.full(total.shape, np.nan)
    np.divide((squares * order**2).sum(axis=-1), total, out=out, where=total > NEGLIGIBLE**2)
    return out


def crest_factor(spectrum: NDArray[np.complex128], *, samples_per_cycle: int = 512) -> Float:
    """Return the peak over the RMS value of a periodic waveform.

    Parameters
    ----------
    spectrum : ndarray, shape (..., orders)
        RMS phasors by order from 0 [V or A].
    samples_per_cycle : int
        Points at which the peak is sought, as an instrument that samples does; more than twice the
        highest order.

    Returns
    -------
    ndarray, shape (...)
        sqrt(2) for a sine; NaN for none.

    Raises
    ------
    ValueError
        If the points cannot show the highest order.

    References
    ----------
    IEC 60050-103:2009, 103-02-15 (peak factor).
    """
    orders = spectrum.shape[-1]
    if samples_per_cycle < 2 * orders:
        raise ValueError(
            f"{samples_per_cycle} points do not show order {orders - 1}; use at least {2 * orders}"
        )
    bins = spectrum * (samples_per_cycle / np.sqrt(2.0))
    bins[..., 0] *= np.sqrt(2.0)
    wave = np.fft.irfft(bins, samples_per_cycle, axis=-1)
    peak = np.abs(wave).max(axis=-1)
    rms = np.sqrt((np.abs(spectrum) ** 2).sum(axis=-1))
    out: Float = np.full(rms.shape, np.nan)
    np.divide(peak, rms, out=out, where=rms > NEGLIGIBLE)
    return out


def _checked(harmonic: Float, highest: int) -> int:
    """Return ``highest`` if the harmonics reach it."""
    if not 1 <= highest < harmonic.shape[-1]:
        raise ValueError(
            f"order {highest} is not among orders 1 .. {harmonic.shape[-1] - 1}; measure more orders"
        )
    return highest


def _distortion(harmonic: Float, orders: NDArray[np.int64]) -> Float:
    """Return the root of the sum of squares of some orders over order 1."""
    fundamental = harmonic[..., 1]
    content = np.sqrt((harmonic[..., orders] ** 2).sum(axis=-1))
    out: Float = np.full(fundamental.shape, np.nan)
    np.divide(content, fundamental, out=out, where=fundamental > NEGLIGIBLE)
    return out

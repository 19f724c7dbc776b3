"""Numbers that weigh a distorted waveform: telephone interference, and the angles of its harmonics."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.metrology.distortion import NEGLIGIBLE

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_PSOPHOMETRIC: Final = np.array(
    [
        *((16.66, -85.0), (50.0, -63.0), (100.0, -41.0), (200.0, -21.0), (300.0, -10.6), (400.0, -6.3)),
        *((500.0, -3.6), (600.0, -2.0), (700.0, -0.9), (800.0, 0.0), (900.0, 0.6), (1000.0, 1.0)),
        *((1200.0, 0.0), (1400.0, -0.9), (1600.0, -1.7), (1800.0, -2.4), (2000.0, -3.0), (2500.0, -4.2)),
        *((3000.0, -5.6), (3500.0, -8.5), (4000.0, -15.0), (4500.0, -25.0), (5000.0, -36.0)),
        (6000.0, -43.0),
    ]
)
"""Frequency [Hz] and psophometric weight relative to 800 Hz [dB] (ITU-T O.41, table 1)."""
_C_MESSAGE: Final = np.array(
    [
        *((60.0, -55.7), (100.0, -42.5), (200.0, -25.1), (300.0, -16.3), (400.0, -11.2), (500.0, -7.7)),
        *((600.0, -5.0), (700.0, -2.8), (800.0, -1.3), (900.0, -0.3), (1000.0, 0.0), (1200.0, -0.4)),
        *((1300.0, -0.7), (1500.0, -1.2), (1800.0, -1.3), (2000.0, -1.1), (2500.0, -1.1), (2800.0, -2.0)),
        *((3000.0, -3.0), (3300.0, -5.1), (3500.0, -7.1), (4000.0, -14.6), (4500.0, -22.3), (5000.0, -28.7)),
    ]
)
"""Frequency [Hz] and C-message weight relative to 1 kHz [dB] (ITU-T O.41, annex A)."""


def psophometric_weight(frequency: Float) -> Float:
    """Return the psophometric weight of a telephone circuit, 1 at 800 Hz.

    Interpolated in dB between 16.66 Hz and 6 kHz, 0 outside.

    References
    ----------
    ITU-T O.41 (10/94), table 1.
    """
    return _weight(frequency, _PSOPHOMETRIC)


def c_message_weight(frequency: Float) -> Float:
    """Return the C-message weight of a telephone circuit, 1 at 1 kHz.

    Interpolated in dB between 60 Hz and 5 kHz, 0 outside.

    References
    ----------
    ITU-T O.41 (10/94), annex A (North America); IEEE Std 743.
    """
    return _weight(frequency, _C_MESSAGE)


def telephone_harmonic_form_factor(harmonic: Float, frequency: Float, rms: Float) -> Float:
    """Return THFF, ``sqrt(sum (F_h X_h)^2) / X`` with ``F_h = (h f / 800 Hz) x psophometric weight``.

    Parameters
    ----------
    harmonic : ndarray, shape (..., orders)
        RMS by order from 0 [V or A].
    frequency : ndarray, shape (...)
        Fundamental [Hz].
    rms : ndarray, shape (...)
        Of the whole waveform [V or A].

    Returns
    -------
    ndarray, shape (...)
        Fraction; NaN without a waveform or a frequency.

    References
    ----------
    ITU-T O.41, table 1; IEC TR 60919-1 (telephone harmonic form factor). The factors agree with the weights
    lambda of IEC 60034-1 (telephone harmonic factor).
    """
    known = _frequencies(harmonic, frequency)
    return _weighted(harmonic, known / 800.0 * psophometric_weight(known), rms)


def telephone_influence_factor(harmonic: Float, frequency: Float, rms: Float) -> Float:
    """Return TIF, ``sqrt(sum (W_h X_h)^2) / X`` with ``W_h = 5 h f x C-message weight``, f in Hz.

    Parameters and returns as `telephone_harmonic_form_factor`, but a number: 0.5 for a sine of 60 Hz.

    References
    ----------
    IEEE Std 519-1992, 6.9 (TIF weights W_f = 5 P_f f); ITU-T O.41, annex A.
    """
    known = _frequencies(harmonic, frequency)
    return _weighted(harmonic, 5.0 * known * c_message_weight(known), rms)


def harmonic_angles(spectrum: Complex) -> Float:
    """Return the angle of every harmonic at the zero of the angle of va's fundamental.

    Parameters
    ----------
    spectrum : ndarray, shape (meters, 6, orders)
        RMS phasors by order from 0 [V or A].

    Returns
    -------
    ndarray, shape (meters, 6, orders)
        Angle of order h less h times that of va, -pi .. pi [rad]: the same wherever the window starts. NaN
        for order 0, below 1e-9 V or A, and without va.

    References
    ----------
    IEC 61000-4-7:2002+A1:2008, 5.2 (phase angle of harmonics relative to the fundamental voltage).
    """
    reference = spectrum[:, :1, 1:2]
    size = np.abs(reference)
    there = size > NEGLIGIBLE
    unit = np.where(there, reference.conj(), 1.0) / np.where(there, size, 1.0)
    turned = spectrum * unit ** np.arange(spectrum.shape[2])
    out: Float = np.where(there & (np.abs(spectrum) > NEGLIGIBLE), np.angle(turned), np.nan)
    out[:, :, 0] = np.nan
    return out


def _weight(frequency: Float, table: Float) -> Float:
    """Return the weight of a table in dB, 0 outside it."""
    decibels = np.interp(frequency, table[:, 0], table[:, 1], left=-np.inf, right=-np.inf)
    weight: Float = 10.0 ** (decibels / 20.0)
    return weight


def _frequencies(harmonic: Float, frequency: Float) -> Float:
    """Return the frequency of each order, shape (..., orders) [Hz]."""
    out: Float = np.asarray(frequency)[..., np.newaxis] * np.arange(harmonic.shape[-1])
    return out


def _weighted(harmonic: Float, weight: Float, rms: Float) -> Float:
    """Return the root of the sum of weighted squares over the RMS value."""
    content = np.sqrt(((harmonic * weight) ** 2).sum(axis=-1))
    out: Float = np.full(content.shape, np.nan)
    np.divide(content, rms, out=out, where=np.asarray(rms) > NEGLIGIBLE)
    return out

"""Powers that are defined on the running waveform: a voltage displaced in time, from samples."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError

Float = NDArray[np.float64]

CHANNELS = 6
HALF_TAPS = 32
"""Samples on either side that a value between samples is made of."""


class DisplacementError(TwinError, ValueError):
    """Samples that do not reach back by a quarter of a period, or no frequency to take it from."""


def quarter_cycle_power_samples(
    samples: Float, *, sample_rate: float, frequency: Float, start: int, count: int
) -> Float:
    """Return the mean of ``v(n - T/4) i(n)`` over a window, T the period of the tracked frequency.

    The delay is seldom a whole number of samples: the voltage between samples comes from a windowed sinc of
    64 taps.

    Parameters
    ----------
    samples : ndarray, shape (meters * 6, n)
        Uniform in time, from a quarter of a period and 32 samples before the window [V or A].
    sample_rate : float
        [Hz]
    frequency : ndarray, shape (meters,)
        As it is tracked, not as it is rated: a fixed delay errs, see `quarter_cycle_power` [Hz].
    start, count : int
        First sample and length of the window; a whole number of cycles for a steady value.

    Returns
    -------
    ndarray, shape (meters, 3)
        [var]

    Raises
    ------
    DisplacementError
        If a frequency is no number above zero, or the samples do not hold what the delay needs.

    References
    ----------
    NEMA C12.24-2011 (VAR by time delay).
    """
    from twin.metrology.synchronisation_kernels import interpolate  # noqa: PLC0415

    rows, size = samples.shape
    meters = rows // CHANNELS
    if rows % CHANNELS or frequency.shape != (meters,):
        raise DisplacementError(
            f"{rows} channels and frequencies of shape {frequency.shape} are not meters of six channels with "
            "one frequency each"
        )
    if not (np.isfinite(frequency) & (frequency > 0.0)).all():
        meter = int(np.flatnonzero(~(np.isfinite(frequency) & (frequency > 0.0)))[0])
        raise DisplacementError(
            f"the frequency of meter {meter} is {frequency[meter]}; it has no quarter of a period"
        )
    out = np.empty((meters, 3))
    for meter in range(meters):
        delay = sample_rate / (4.0 * float(frequency[meter]))
        low = math.floor(start - delay) - HALF_TAPS + 1
        high = math.floor(start + count - 1 - delay) + HALF_TAPS
        if low < 0 or high >= size or start + count > size or count < 1:
            raise DisplacementError(
                f"the window of {count} samples from {start} of meter {meter} needs samples {low} to "
                f"{max(high, start + count - 1)} of 0 to {size - 1}; start it later or pass more"
            )
        first = meter * CHANNELS
        displaced = np.empty((3, count))
        position = np.arange(start - low, start - low + count, dtype=np.float64) - delay
        voltage: Float = samples[first : first + 3, low : high + 1]
        interpolate(voltage, position, HALF_TAPS, 1.0, displaced)
        current: Float = samples[first + 3 : first + CHANNELS, start : start + count]
        out[meter] = (displaced * current).sum(axis=1) / count
    return out

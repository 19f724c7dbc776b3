"""Long series made short enough for a browser, and the half-cycle RMS of a waveform capture."""

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def min_max(values: Float, limit: int) -> NDArray[np.int64]:
    """Return the positions to draw of a long series so that no extreme is lost.

    The series is cut into equal runs; of each the first lowest and first highest value is kept, in order
    of time, and both ends of the series. NaN never counts as an extreme; a run of NaN keeps its first.

    Parameters
    ----------
    values : ndarray
        Shape (n,).
    limit : int
        Largest number of positions, at least 4.
    """
    n = values.size
    if n <= limit:
        return np.arange(n)
    runs = (limit - 2) // 2
    edges = np.linspace(0, n, runs + 1).astype(np.int64)
    keep = {0, n - 1}
    low = np.where(np.isnan(values), np.inf, values)
    high = np.where(np.isnan(values), -np.inf, values)
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        keep.add(first + int(np.argmin(low[first:last])))
        keep.add(first + int(np.argmax(high[first:last])))
    return np.array(sorted(keep))


def samples_per_cycle(voltages: Float, sample_interval_s: float) -> int:
    """Return the whole number of samples in a cycle, measured on the strongest voltage.

    The period is the mean distance of rising zero crossings, each placed by linear interpolation. A
    capture without a voltage to measure falls back to 50 Hz.

    Parameters
    ----------
    voltages : ndarray
        Shape (channels, n) [V].
    sample_interval_s : float
        [s].
    """
    fallback = max(2, round(1 / (50.0 * sample_interval_s)))
    if voltages.size == 0:
        return fallback
    x = voltages[int(np.argmax(np.mean(voltages**2, axis=1)))]
    if float(np.max(np.abs(x))) == 0.0:
        return fallback
    rising = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    places = rising + x[rising] / (x[rising] - x[rising + 1])
    if places.size < 2:
        return fallback
    # The median is deaf to the false crossings that a fault's edge may bring.
    period = float(np.median(np.diff(places)))
    plausible = 0.4 * fallback <= period <= 1.6 * fallback
    return round(period) if plausible else fallback


def half_cycle_rms(samples: Float, cycle: int) -> tuple[NDArray[np.int64], Float]:
    """Return the RMS over one cycle, refreshed each half cycle.

    Parameters
    ----------
    samples : ndarray
        Shape (channels, n) [V or A].
    cycle : int
        Samples in a cycle.

    Returns
    -------
    last : ndarray
        Shape (m,): the sample at which each window ends.
    rms : ndarray
        Shape (channels, m) [V or A].

    References
    ----------
    IEC 61000-4-30, 5.4.1: Urms(1/2).
    """
    n = samples.shape[1]
    if n < cycle:
        return np.empty(0, dtype=np.int64), np.empty((samples.shape[0], 0))
    total = np.concatenate([np.zeros((samples.shape[0], 1)), np.cumsum(samples**2, axis=1)], axis=1)
    # Half of an odd cycle is no whole number of samples: place each window by itself, do not add up.
    count = (n - cycle) * 2 // cycle + 1
    first = np.minimum(np.round(np.arange(count) * cycle / 2).astype(np.int64), n - cycle)
    mean = (total[:, first + cycle] - total[:, first]) / cycle
    return first + cycle - 1, np.sqrt(np.maximum(mean, 0.0))

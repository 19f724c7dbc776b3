"""Noise: band-limited, from a seed, as samples."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, SampledBlock, Signal
from twin.signals.disturbances.editing import DisturbanceError, between, require_positive, rows_of

OVERSAMPLING = 10
"""Samples per period of the highest frequency: what is between them is then known to 1e-5."""
_BESIDE = 8
"""Samples on either side of the stretch, so that no interpolation there is one-sided."""


def add_noise(
    signal: Signal,
    start_ns: int,
    end_ns: int,
    *,
    rms: float,
    bandwidth: float,
    seed: int,
    lowest: float = 0.0,
    phases: str = "abc",
    quantity: str = "v",
) -> Signal:
    """Return a signal with Gaussian noise that is white from ``lowest`` to ``bandwidth``, as samples.

    Parameters
    ----------
    signal : Signal
        Without samples; add noise last.
    start_ns, end_ns : int
        UTC [ns].
    rms : float
        Expected, of each phase; the phases are independent [V or A].
    bandwidth, lowest : float
        Highest and lowest frequency [Hz].
    seed : int
        Equal seeds make equal noise.
    phases, quantity : str
        Channels that get it.

    Returns
    -------
    Signal
        Its segments in the stretch share one `SampledBlock` of 10 samples per period of ``bandwidth``.

    Raises
    ------
    DisturbanceError
        If the band is empty, too narrow for the stretch, or the signal carries samples already.

    References
    ----------
    IEEE Std 1159-2019, 4.7.5 (noise: broadband below 200 kHz).
    """
    require_positive(rms=rms, bandwidth=bandwidth)
    if not 0.0 <= lowest < bandwidth:
        raise DisturbanceError(
            f"there is no band from {lowest} to {bandwidth} Hz; let it begin lower, at 0 or above"
        )
    if any(part.block is not None for part in signal.segments):
        raise DisturbanceError("the signal carries samples already; add the noise to those")
    if not start_ns < end_ns:
        raise DisturbanceError(f"from {start_ns} to {end_ns} ns is no stretch of time; let it end later")
    rows = rows_of(signal, phases, quantity)
    step_s = 1.0 / (OVERSAMPLING * bandwidth)
    count = math.ceil((end_ns - start_ns) / NS_PER_SECOND / step_s) + 1 + 2 * _BESIDE
    samples = np.zeros((len(signal.channels), count))
    samples[rows] = rms * _white(len(rows), count, lowest * step_s, bandwidth * step_s, seed)
    before_ns = _BESIDE * step_s * NS_PER_SECOND
    first_ns = start_ns - math.ceil(before_ns)
    block = SampledBlock(first_ns, math.ceil(before_ns) - before_ns, step_s, samples)
    return between(signal, start_ns, end_ns, lambda part: replace(part, block=block))


def _white(rows: int, count: int, lowest: float, highest: float, seed: int) -> NDArray[np.float64]:
    """Return independent rows of expected RMS 1, of frequencies between two shares of the sample rate."""
    normal = np.random.Generator(np.random.PCG64(seed)).normal(size=(rows, count))
    bins = np.fft.rfft(normal)
    share = np.fft.rfftfreq(count)
    kept = (share >= lowest) & (share <= highest)
    # A bin stands for itself and its negative frequency; the mean, and half the rate, are alone.
    alone = (share == 0.0) | (share == 0.5)
    energy = float(np.where(kept, np.where(alone, 1.0, 2.0), 0.0).sum()) / count
    if energy == 0.0:
        raise DisturbanceError(
            "no frequency of the band fits into the stretch; let it last longer or widen the band"
        )
    band: NDArray[np.float64] = np.fft.irfft(bins * kept, count) / math.sqrt(energy)
    return band

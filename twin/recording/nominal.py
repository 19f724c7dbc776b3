"""Nominal frequency and voltage of a recording that does not tell them."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.recording.lattice import Lattice
from twin.recording.sampled_recording import SampledRecording

Float = NDArray[np.float64]

USUAL: Final = (
    57.735, 63.509, 66.395, 69.282, 100.0, 110.0, 115.0, 120.0, 127.0, 133.0,
    200.0, 220.0, 230.0, 240.0, 254.0, 277.0, 347.0, 400.0, 480.0, 577.35,
    1905.26, 2401.78, 3464.1, 3810.51, 5773.5, 6350.85, 7199.56, 7621.02, 7967.43, 8660.25,
    11547.0, 12701.7, 13279.1, 14376.0, 17320.5, 19052.6, 19918.6, 38105.1, 63508.5, 66395.3,
)  # fmt: skip
"""Usual nominal voltages, line to neutral [V]."""
_SNAP: Final = 0.15
_LIVE: Final = 0.2
"""A voltage below this share of the largest does not count."""


def nominal_frequency(recording: SampledRecording) -> float:
    """Return 50 or 60 Hz: as the recording says, or whichever its strongest voltage is closer to [Hz]."""
    stated = recording.frequency
    if stated is not None:
        return 60.0 if abs(stated - 60.0) < abs(stated - 50.0) else 50.0
    rate = recording.rate_hz or 1.0 / float(np.median(np.diff(recording.time_s)))
    volts = recording.samples[[unit == "V" for unit in recording.units]]
    strongest = volts[int((volts**2).mean(axis=1).argmax())]
    windowed = (strongest - strongest.mean()) * np.hanning(strongest.size)
    size = max(1 << 16, 1 << math.ceil(math.log2(strongest.size)))
    bins = np.abs(np.fft.rfft(windowed, size))
    frequency = np.arange(bins.size) * rate / size
    near = (frequency > 40.0) & (frequency < 72.0)
    if not near.any():
        return 50.0
    found = float(frequency[near][int(bins[near].argmax())])
    return 50.0 if found < 55.0 else 60.0


def nominal_voltage(rms: Float) -> float:
    """Return the nominal voltage that half-cycle values of live voltages suggest [V].

    Their median over phases and time; the usual voltage next to it, if within 15 %.
    """
    level = float(np.median(rms))
    close = min(USUAL, key=lambda usual: abs(math.log(usual / level))) if level > 0.0 else level
    return close if abs(close - level) <= _SNAP * close else level


def live_nominal_voltage(lattice: Lattice, recording: SampledRecording) -> float:
    """Return the nominal voltage that the cycles of the live voltages of a recording suggest [V]."""
    rows = [unit == "V" for unit in recording.units]
    cycles = lattice.whole[rows].reshape(sum(rows), lattice.cycles, lattice.per_cycle)
    rms: Float = np.sqrt((cycles**2).mean(axis=2))
    levels = np.median(rms, axis=1)
    return nominal_voltage(rms[levels > _LIVE * levels.max()] if levels.max() > 0.0 else rms)

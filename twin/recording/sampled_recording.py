"""A recorded waveform for a meter to measure, whatever kind of file it came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.contracts import BadInputError, Finding, Mark


@dataclass(frozen=True, slots=True, eq=False)
class SampledRecording:
    """Voltages and currents of one measuring point, sampled together, primary values."""

    channels: tuple[str, ...]
    """Names of the rows, of ``va, vb, vc, ia, ib, ic`` in this order; at least one voltage."""
    units: tuple[str, ...]
    """``V`` or ``A``, by channel."""
    names: tuple[str, ...]
    """What the file calls each channel."""
    samples: NDArray[np.float64]
    """Shape (channels, samples): primary values [V or A]; all finite."""
    time_s: NDArray[np.float64]
    """Shape (samples,): time from the first sample, growing [s]."""
    rate_hz: float | None
    """Sampling rate [Hz]; None where it changes within the recording."""
    frequency: float | None
    """Nominal frequency as asked for, or else as the file states it [Hz]."""
    start_ns: int | None
    """Time of the first sample, UTC [ns]; None where the file does not tell."""
    trigger_s: float | None
    """Time of the trigger from the first sample [s]; None where there is none in the recording."""
    source: str
    """Path of the file."""


def read_recording(
    path: str | Path,
    *,
    channels: Mapping[str, str] | None = None,
    frequency: float | None = None,
    time_zone: str | None = None,
) -> SampledRecording:
    """Return a waveform recording from a COMTRADE or CSV file.

    Parameters
    ----------
    path : str or Path
        ``.cfg``, ``.dat`` or ``.cff`` (COMTRADE of any revision), or ``.csv`` with the header ``time_s`` and
        any of ``va_v, vb_v, vc_v, ia_a, ib_a, ic_a``, primary values.
    channels : mapping, optional
        Which of the file's channels is ``va``, ``vb``, .., by name, or for COMTRADE by number as ``#7``. Only
        these are taken then. By default COMTRADE channels are assigned by their units, names and
        phases (`assign_channels`), CSV columns by their header.
    frequency : float, optional
        Nominal frequency [Hz]; by default as the file states it. Without any, the rate is not checked.
    time_zone : str, optional
        IANA name of the zone of the recorder's clock, for files that do not tell its offset from UTC.

    Returns
    -------
    SampledRecording
        Channels that a recorder sampled one after another (skew) are brought to common instants by cubic
        interpolation.

    Raises
    ------
    BadInputError
        When there is no voltage, a value or a stretch of time is missing, units are wrong, time does not
        grow, the data are truncated, or there are fewer than 8 samples to a cycle. It names channel and
        sample.
    """
    # Here, so that either reader is loaded only when it is needed.
    from twin.recording.comtrade_samples import comtrade_samples  # noqa: PLC0415
    from twin.recording.csv_samples import csv_samples  # noqa: PLC0415

    path = Path(path)
    kind = path.suffix.lower()
    if kind in {".cfg", ".dat", ".cff"}:
        return comtrade_samples(path, channels=channels, frequency=frequency, time_zone=time_zone)
    if kind == ".csv":
        return csv_samples(path, channels=channels, frequency=frequency)
    what = f"unknown kind of recording '{path.suffix}'"
    mend = "name a .cfg, .dat, .cff or .csv file"
    raise BadInputError(Finding(Mark(str(path)), "", what, mend))

"""What a COMTRADE file says: channels, sampling rates, times and samples."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND

Revision = Literal[1991, 1999, 2013]


class DataFormat(StrEnum):
    """How the samples are written (IEEE C37.111-2013, 8.3 to 8.6)."""

    ASCII = "ASCII"
    """One line of text per sample."""
    BINARY = "BINARY"
    """16-bit integers."""
    BINARY32 = "BINARY32"
    """32-bit integers; since 2013."""
    FLOAT32 = "FLOAT32"
    """IEEE 754 single precision; since 2013."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalogChannel:
    """An analog channel: value = factor x count + offset, in ``unit``."""

    number: int
    name: str
    phase: str = ""
    component: str = ""
    """Circuit component that is monitored."""
    unit: str = ""
    factor: float = 1.0
    """The standard's ``a`` [unit per count]; negative where a transducer is connected the other way."""
    offset: float = 0.0
    """The standard's ``b`` [unit]."""
    skew_us: float = 0.0
    """How much later than the sample's time this channel was sampled [us]."""
    minimum: float | None = None
    """Lowest count of the channel's range; None when not stated."""
    maximum: float | None = None
    """Highest count of the channel's range."""
    primary: float = 1.0
    """Transformer ratio, primary side."""
    secondary: float = 1.0
    """Transformer ratio, secondary side."""
    scaling: Literal["P", "S"] | None = None
    """Whether values are primary or secondary; None in revision 1991, which does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalChannel:
    """A digital (status) channel."""

    number: int
    name: str
    phase: str = ""
    component: str = ""
    normal_state: int = 0


@dataclass(frozen=True, slots=True)
class SampleRate:
    """The sampling rate that holds up to a sample."""

    rate_hz: float
    """[Hz]."""
    last_sample: int
    """1-based number of the last sample at this rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComtradeConfiguration:
    """The content of a configuration file."""

    station: str = ""
    device: str = ""
    revision: Revision = 1999
    """Whose rules the file follows; files state other years too, see ``stated_revision``."""
    stated_revision: str = ""
    """The year as the file states it."""
    analog: tuple[AnalogChannel, ...] = ()
    digital: tuple[DigitalChannel, ...] = ()
    frequency: float | None = None
    """Nominal line frequency [Hz]; None when not stated."""
    rates: tuple[SampleRate, ...] = ()
    """Empty where the time stamps of the samples count (``nrates`` 0)."""
    sample_count: int | None = None
    """Samples that the file announces; None when it does not."""
    start_local_ns: int | None = None
    """Time of the first sample [ns since 1970-01-01 of the clock that stamped it]; None when not stated."""
    trigger_local_ns: int | None = None
    """Time of the trigger, on the same clock [ns]."""
    time_unit_s: float = 1e-6
    """Unit of the time stamps of the samples, before ``time_multiplier`` [s]: 1e-6 or 1e-9."""
    time_multiplier: float = 1.0
    data_format: DataFormat = DataFormat.ASCII
    utc_offset_s: int | None = None
    """What the clock that stamped the file is ahead of UTC [s]; None before 2013, and when not stated."""
    local_offset_s: int | None = None
    """What local time at the recorder is ahead of UTC [s]."""
    time_quality: str = "0"
    """Time quality code of IEEE C37.118: ``0`` locked .. ``F`` unreliable."""
    leap_second: str = "0"

    @property
    def start_utc_ns(self) -> int | None:
        """UTC of the first sample [ns]; None where the file does not tell its clock's offset."""
        return self._utc(self.start_local_ns)

    @property
    def trigger_utc_ns(self) -> int | None:
        """UTC of the trigger [ns]; None where the file does not tell its clock's offset."""
        return self._utc(self.trigger_local_ns)

    def _utc(self, local_ns: int | None) -> int | None:
        if local_ns is None or self.utc_offset_s is None:
            return None
        return local_ns - self.utc_offset_s * NS_PER_SECOND


@dataclass(frozen=True, slots=True, eq=False)
class ComtradeRecording:
    """A configuration and its samples."""

    configuration: ComtradeConfiguration
    time_s: NDArray[np.float64]
    """Shape (samples,): time from the first sample [s]; a channel's skew is not in it."""
    values: NDArray[np.float64]
    """Shape (analog channels, samples): in each channel's unit and scaling; NaN where missing."""
    digital: NDArray[np.uint8]
    """Shape (digital channels, samples): 0 or 1."""
    source: str = ""
    """Path of the file."""


def rate_times(rates: tuple[SampleRate, ...], count: int) -> NDArray[np.float64]:
    """Return the times of samples from their sampling rates.

    Each sample is 1/rate after the one before it, with the rate of its own section. Samples beyond the
    last section continue at its rate.

    Parameters
    ----------
    rates : tuple of SampleRate
        At least one, all above zero.
    count : int
        Number of samples.

    Returns
    -------
    ndarray of float64, shape (count,)
        Time from the first sample [s].
    """
    times = np.zeros(count)
    first, at = 0, 0.0  # the sample that a section is counted from, and its time
    for position, section in enumerate(rates):
        last = count - 1 if position == len(rates) - 1 else min(section.last_sample, count) - 1
        steps = np.arange(1, last - first + 1)
        times[first + 1 : last + 1] = at + steps / section.rate_hz
        if last > first:
            first, at = last, float(times[last])
    return times

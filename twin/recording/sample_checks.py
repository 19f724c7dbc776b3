"""What a meter cannot measure: missing values, gaps in time, too few samples, no voltage."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import BadInputError, Finding, Mark

CHANNELS: Final = ("va", "vb", "vc", "ia", "ib", "ic")
LEAST_SAMPLES_PER_CYCLE: Final = 8.0
JITTER: Final = 0.05
"""Part of a sampling interval that rounded or jittery time stamps may be off."""
GAP: Final = 1.5
"""An interval this many times the usual one around it is a gap."""
_NEIGHBOURS: Final = 4
"""Intervals on either side that tell what is usual."""

Float = NDArray[np.float64]


def unit_of(channel: str) -> str:
    """Return ``V`` or ``A``."""
    return "V" if channel.startswith("v") else "A"


def sampling_rate(time_s: Float) -> float | None:
    """Return the one sampling rate of increasing times [Hz]; None where it changes.

    Times count as evenly spaced when none is further from its even place than 5 % of an interval.
    """
    if time_s.size < 2:
        return None
    interval = (time_s[-1] - time_s[0]) / (time_s.size - 1)
    even = time_s[0] + interval * np.arange(time_s.size)
    return float(1.0 / interval) if np.abs(time_s - even).max() <= JITTER * interval else None


def check_values(
    file: str, names: Sequence[str], channels: Sequence[str], samples: Float, *, line: Callable[[int], int]
) -> None:
    """Refuse missing values, and voltages that are zero throughout.

    Parameters
    ----------
    file : str
        Path of the file.
    names, channels : sequence of str
        What the file and what the twin calls each row.
    samples : ndarray, shape (channels, samples)
        Values.
    line : callable
        The file's line of a sample (counted from 0); 0 where it has none.

    Raises
    ------
    BadInputError
        With one finding for each channel.
    """
    findings = []
    for name, values in zip(names, samples, strict=True):
        missing = np.flatnonzero(~np.isfinite(values))
        if missing.size:
            first = int(missing[0])
            more = f" (and {missing.size - 1} more)" if missing.size > 1 else ""
            what = f"sample {first + 1}{more} is missing or not a number"
            mend = "cut the recording before or after it, or leave the channel out"
            findings.append(Finding(Mark(file, line(first)), name, what, mend))
    voltages = [row for row, channel in enumerate(channels) if unit_of(channel) == "V"]
    if not findings and not samples[voltages].any():
        found = ", ".join(names[row] for row in voltages)
        what = f"no voltage: every sample of {found} is zero"
        mend = "choose the channels that hold the voltages"
        findings.append(Finding(Mark(file), "channels", what, mend))
    if findings:
        raise BadInputError(*findings)


def check_times(file: str, time_s: Float, frequency: float | None, *, line: Callable[[int], int]) -> None:
    """Refuse times that do not grow, gaps, and fewer than 8 samples to a cycle.

    Raises
    ------
    BadInputError
        At the first such sample.
    """

    def refuse(sample: int, what: str, mend: str) -> BadInputError:
        return BadInputError(Finding(Mark(file, line(sample)), "time", what, mend))

    wrong = np.flatnonzero(~np.isfinite(time_s))
    if wrong.size:
        raise refuse(wrong[0], f"the time of sample {wrong[0] + 1} is no number", "write it in seconds")
    if time_s.size < 2:
        raise refuse(0, "a single sample is no recording", "give at least one cycle")
    intervals = np.diff(time_s)
    back = np.flatnonzero(intervals <= 0.0)
    if back.size:
        at = int(back[0]) + 1
        what = f"time does not grow: {time_s[at - 1]:.9g} s at sample {at}, {time_s[at]:.9g} s at the next"
        raise refuse(at, what, "sort the samples and remove those that are there twice")
    gaps = np.flatnonzero(intervals > GAP * _usual(intervals))
    if gaps.size:
        at = int(gaps[0]) + 1
        what = f"a gap of {intervals[at - 1]:.6g} s after sample {at}, at {time_s[at - 1]:.9g} s"
        raise refuse(at, what, "cut the recording at the gap")
    if frequency is None:
        return
    longest = (1.0 + JITTER) / (LEAST_SAMPLES_PER_CYCLE * frequency)
    rate = sampling_rate(time_s)
    slow = np.flatnonzero(intervals > longest)
    if rate is not None and rate < LEAST_SAMPLES_PER_CYCLE * frequency * (1.0 - 1e-6):
        slow = np.zeros(1, dtype=np.intp)
    if slow.size:
        at = int(slow[0])
        per_cycle = 1.0 / (intervals[at] * frequency)
        what = f"{per_cycle:.3g} samples to a cycle of {frequency:g} Hz from sample {at + 1} on"
        mend = f"record with at least {LEAST_SAMPLES_PER_CYCLE * frequency:g} samples a second"
        raise refuse(at, what, mend)


def _usual(intervals: Float) -> Float:
    """Return, for each interval, the median of it and its neighbours [s]."""
    if intervals.size <= _NEIGHBOURS:
        return np.full(intervals.size, np.median(intervals))
    padded = np.pad(intervals, _NEIGHBOURS, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEIGHBOURS + 1)
    usual: Float = np.median(windows, axis=1)
    return usual

"""Values to COMTRADE files of the revisions 1999 and 2013, strictly by the standard."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.recording.comtrade.cff import join_combined
from twin.recording.comtrade.cfg_writer import configuration_text
from twin.recording.comtrade.configuration import (
    ComtradeConfiguration,
    ComtradeRecording,
    DataFormat,
    rate_times,
)
from twin.recording.comtrade.dat_reader import DIGITALS_PER_WORD, MISSING_FLOAT, MISSING_STAMP, row_type
from twin.recording.comtrade.failure import ComtradeWriteError
from twin.recording.errors import RecordingPathError

COUNT_LIMITS: Final = {
    DataFormat.ASCII: (-99999, 99998),
    DataFormat.BINARY: (-32767, 32767),
    DataFormat.BINARY32: (-2147483647, 2147483647),
}
"""Counts that mean a value; the one beyond them marks a missing one."""


def write_comtrade(recording: ComtradeRecording, path: str | Path) -> tuple[Path, ...]:
    """Write a recording and return the files that were made.

    Values are written to the nearest count; times as stamps in the configuration's unit and, where the
    configuration states sampling rates, by those.

    Parameters
    ----------
    recording : ComtradeRecording
        What to write; its ``data_format`` and ``revision`` choose the form.
    path : str or Path
        ``.cfg`` for a pair of files, ``.cff`` for one file (revision 2013). Replaced when it exists.

    Raises
    ------
    ComtradeWriteError
        When the recording does not fit the standard: a revision or format that does not have it, names
        that are too long or hold a comma, values outside the range of counts or not finite, times that do
        not follow the rates.
    RecordingPathError
        When a file cannot be written.

    References
    ----------
    IEEE C37.111-1999 and IEEE C37.111-2013, clauses 5 to 9.
    """
    path = Path(path)
    configuration = recording.configuration
    combined = path.suffix.lower() == ".cff"
    _check_form(configuration, path)
    _check_shapes(recording)
    text = configuration_text(configuration, recording.values.shape[1]).encode("ascii")
    data = _data(recording)
    if combined:
        whole = join_combined(text, data, data_format=configuration.data_format)
        return (_write(path, whole),)
    dat = path.with_suffix(".DAT" if path.suffix.isupper() else ".dat")
    # The configuration comes last: whoever watches a folder for it finds the data complete.
    _write(dat, data)
    return _write(path, text), dat


def _check_form(configuration: ComtradeConfiguration, path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix not in {".cfg", ".cff"}:
        raise ComtradeWriteError(f"{path}: unknown extension; name the file .cfg or .cff")
    if configuration.revision not in {1999, 2013}:
        msg = f"revision {configuration.revision} is not written; choose 1999 or 2013"
        raise ComtradeWriteError(msg)
    new_format = configuration.data_format in {DataFormat.BINARY32, DataFormat.FLOAT32}
    if configuration.revision == 1999 and (new_format or suffix == ".cff"):
        form = configuration.data_format if new_format else "a combined file"
        raise ComtradeWriteError(f"revision 1999 does not know {form}; choose revision 2013")


def _check_shapes(recording: ComtradeRecording) -> None:
    configuration, values, digital = recording.configuration, recording.values, recording.digital
    count = recording.time_s.size
    wanted = (len(configuration.analog), count), (len(configuration.digital), count)
    if (values.shape, digital.shape) != wanted:
        msg = f"values {values.shape} and states {digital.shape}; give {wanted[0]} and {wanted[1]}"
        raise ComtradeWriteError(msg)
    if count == 0:
        raise ComtradeWriteError("there is no sample; give at least one")
    if not np.isin(digital, (0, 1)).all():
        raise ComtradeWriteError("a digital channel has a state that is neither 0 nor 1")
    if configuration.rates:
        _check_rates(recording, count)
    elif (np.diff(recording.time_s) <= 0.0).any():
        raise ComtradeWriteError("times do not grow; sort the samples")


def _check_rates(recording: ComtradeRecording, count: int) -> None:
    configuration = recording.configuration
    if configuration.rates[-1].last_sample != count:
        msg = f"the last rate ends at sample {configuration.rates[-1].last_sample}; there are {count} samples"
        raise ComtradeWriteError(msg)
    if any(section.rate_hz <= 0.0 for section in configuration.rates):
        raise ComtradeWriteError(
            "a sampling rate is not above zero; leave the rates out where time stamps count"
        )
    tick = configuration.time_unit_s * configuration.time_multiplier
    wrong = np.flatnonzero(np.abs(recording.time_s - rate_times(configuration.rates, count)) > tick)
    if wrong.size:
        msg = f"the time of sample {wrong[0] + 1} is not what the sampling rates say; leave the rates out"
        raise ComtradeWriteError(msg)


def _stamps(recording: ComtradeRecording) -> NDArray[np.int64]:
    configuration = recording.configuration
    tick = configuration.time_unit_s * configuration.time_multiplier
    stamps = np.rint(recording.time_s / tick)
    limit = 9_999_999_999 if configuration.data_format is DataFormat.ASCII else MISSING_STAMP - 1
    if stamps[0] < 0 or stamps[-1] > limit:
        msg = (
            f"times to {recording.time_s[-1]:g} s do not fit stamps of {tick:g} s; raise the time multiplier"
        )
        raise ComtradeWriteError(msg)
    whole: NDArray[np.int64] = stamps.astype(np.int64)
    if not configuration.rates and (np.diff(whole) <= 0).any():
        msg = (
            f"two samples fall on one stamp of {tick:g} s; lower the time multiplier or stamp in nanoseconds"
        )
        raise ComtradeWriteError(msg)
    return whole


def _counts(recording: ComtradeRecording) -> NDArray[np.float64]:
    """Return the counts of all channels, whole but for FLOAT32, checked against the format's range."""
    configuration = recording.configuration
    counts = np.empty(recording.values.shape)
    for row, channel, values in zip(counts, configuration.analog, recording.values, strict=True):
        if channel.factor == 0.0:
            raise ComtradeWriteError(f"{channel.name}: the multiplier a is 0; give the value of one count")
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            msg = f"{channel.name}: sample {wrong[0] + 1} is not finite; cut the recording at the gap"
            raise ComtradeWriteError(msg)
        row[:] = (values - channel.offset) / channel.factor
        if configuration.data_format is DataFormat.FLOAT32:
            low, high = MISSING_FLOAT, -MISSING_FLOAT
            outside = np.flatnonzero((row <= low) | (row > high))
        else:
            np.rint(row, out=row)
            low, high = COUNT_LIMITS[configuration.data_format]
            outside = np.flatnonzero((row < low) | (row > high))
        if outside.size:
            sample = outside[0]
            msg = (
                f"{channel.name}: sample {sample + 1} is {row[sample]:.9g} counts, "
                f"outside {low:g} to {high:g}; choose a larger multiplier a or another format"
            )
            raise ComtradeWriteError(msg)
    return counts


def _data(recording: ComtradeRecording) -> bytes:
    configuration = recording.configuration
    counts, stamps = _counts(recording), _stamps(recording)
    if configuration.data_format is DataFormat.ASCII:
        rows = np.vstack([stamps, counts.astype(np.int64), recording.digital.astype(np.int64)]).T
        lines = (f"{k},{','.join(map(str, row))}\r\n" for k, row in enumerate(rows.tolist(), 1))
        return "".join(lines).encode("ascii")
    table = np.zeros(stamps.size, row_type(configuration))
    table["number"] = np.arange(1, stamps.size + 1)
    table["stamp"] = stamps
    table["analog"] = counts.T
    words = np.zeros((stamps.size, table["digital"].shape[1]), dtype=np.uint16)
    for position, states in enumerate(recording.digital):
        word, bit = divmod(position, DIGITALS_PER_WORD)
        words[:, word] |= states.astype(np.uint16) << np.uint16(bit)
    table["digital"] = words
    return table.tobytes()


def _write(path: Path, content: bytes) -> Path:
    """Write a file beside its place and rename it, so that nobody finds half of it."""
    beside = path.with_name(path.name + ".tmp")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        msg = f"{path}: cannot write: {error}; choose a folder that can be written"
        raise RecordingPathError(msg) from error
    return path

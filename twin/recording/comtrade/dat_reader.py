"""The samples of a data file, in each of the four formats."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.recording.comtrade.configuration import AnalogChannel, ComtradeConfiguration, DataFormat, rate_times
from twin.recording.comtrade.failure import refuse

Counts = NDArray[np.float64]

MISSING_STAMP: Final = 0xFFFFFFFF
"""Time stamp of a binary sample that has none (IEEE C37.111-2013, 8.6)."""
MISSING_TEXT: Final = 99999.0
"""Analog value of an ASCII sample that is missing; since 2013 the field may be blank."""
MISSING_FLOAT: Final = -float(np.finfo(np.float32).max)
"""Analog value of a FLOAT32 sample that is missing: the most negative number."""
ANALOG_TYPES: Final = {DataFormat.BINARY: "<i2", DataFormat.BINARY32: "<i4", DataFormat.FLOAT32: "<f4"}
DIGITALS_PER_WORD: Final = 16
SLACK: Final = 1
"""Samples that a file may have more or fewer than it announces: recorders miscount by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A data file before scaling."""

    numbers: NDArray[np.int64]
    """Shape (samples,): sample numbers as stated."""
    stamps: Counts
    """Shape (samples,): time stamps as stated; NaN where missing."""
    counts: Counts
    """Shape (analog channels, samples): NaN where missing."""
    digital: NDArray[np.uint8]
    """Shape (digital channels, samples)."""


def row_type(configuration: ComtradeConfiguration) -> np.dtype[np.void]:
    """Return the layout of one binary sample."""
    words = -(-len(configuration.digital) // DIGITALS_PER_WORD)
    analog = ANALOG_TYPES[configuration.data_format]
    return np.dtype(
        [
            ("number", "<u4"),
            ("stamp", "<u4"),
            ("analog", analog, (len(configuration.analog),)),
            ("digital", "<u2", (words,)),
        ]
    )


def read_table(configuration: ComtradeConfiguration, data: bytes, file: str, *, first_line: int = 1) -> Table:
    """Return the samples of a data file, checked for truncation and for gaps in their numbering.

    Parameters
    ----------
    configuration : ComtradeConfiguration
        What the configuration file says.
    data : bytes
        Content of the data file.
    file : str
        Its path, for messages.
    first_line : int
        Line of ``file`` at which an ASCII table begins.

    Raises
    ------
    BadInputError
        When the table is truncated, has a field that is no number or skips a sample.
    """
    if configuration.data_format is DataFormat.ASCII:
        table, lines = _ascii_table(configuration, data, file, first_line)
    else:
        table, lines = _binary_table(configuration, data, file), None
    _check_count(configuration, table.numbers.size, file)
    _check_numbers(table.numbers, file, lines)
    return table


def sample_times(configuration: ComtradeConfiguration, table: Table, file: str) -> NDArray[np.float64]:
    """Return the times of the samples from the first one, by the rates or else by the time stamps [s].

    Raises
    ------
    BadInputError
        When there is neither a rate nor a time stamp, or the stamps do not grow.
    """
    count = table.numbers.size
    if configuration.rates:
        return rate_times(configuration.rates, count)
    missing = np.flatnonzero(np.isnan(table.stamps))
    if missing.size:
        what = f"sample {missing[0] + 1} has no time stamp and the file states no sampling rate"
        raise refuse(file, what, "state the sampling rate in the configuration file")
    elapsed = table.stamps - table.stamps[0]
    times: NDArray[np.float64] = elapsed * (configuration.time_unit_s * configuration.time_multiplier)
    stuck = np.flatnonzero(np.diff(times) <= 0.0)
    if stuck.size:
        what = f"time does not grow from sample {stuck[0] + 1} to {stuck[0] + 2}"
        raise refuse(file, what, "state the sampling rate in the configuration file if it is constant")
    return times


def scale_counts(configuration: ComtradeConfiguration, counts: Counts) -> NDArray[np.float64]:
    """Return factor x count + offset of every channel, shape (analog channels, samples)."""
    factor = np.array([channel.factor for channel in configuration.analog])
    offset = np.array([channel.offset for channel in configuration.analog])
    with np.errstate(over="ignore", invalid="ignore"):  # a value out of range is infinite, and so no value
        scaled: NDArray[np.float64] = counts * factor[:, np.newaxis] + offset[:, np.newaxis]
    return scaled


def _binary_table(configuration: ComtradeConfiguration, data: bytes, file: str) -> Table:
    layout = row_type(configuration)
    whole, rest = divmod(len(data), layout.itemsize)
    announced = configuration.sample_count
    enough = announced is not None and whole >= announced
    if rest and not enough and data[-rest:].strip(b"\x1a\0\r\n"):
        what = f"the data ends within sample {whole + 1}, after {rest} of its {layout.itemsize} bytes"
        raise refuse(file, what, "copy the file again; if it is whole, check the number of channels")
    rows = np.frombuffer(data, layout, whole)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        counts = np.ascontiguousarray(rows["analog"].T, dtype=np.float64)
    counts[_missing(configuration, rows["analog"].T)] = np.nan
    stamps = rows["stamp"].astype(np.float64)
    stamps[rows["stamp"] == MISSING_STAMP] = np.nan
    bits = (rows["digital"][:, :, np.newaxis] >> np.arange(DIGITALS_PER_WORD, dtype=np.uint16)) & 1
    columns = bits.reshape(whole, bits.shape[1] * DIGITALS_PER_WORD).T
    digital = columns[: len(configuration.digital)].astype(np.uint8)
    return Table(rows["number"].astype(np.int64), stamps, counts, digital)


def _missing(configuration: ComtradeConfiguration, raw: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which analog values are marked as missing, shape (analog channels, samples).

    8000H (80000000H, the most negative float) since 1999. Revision 1991 fills a missing sample with FFFFH,
    which is also the count -1: it is taken as missing where -1 lies outside the channel's limits, and
    where every one of three or more channels reads it at once.
    """
    if configuration.data_format is DataFormat.FLOAT32:
        return np.asarray((raw <= np.float32(MISSING_FLOAT)) | ~np.isfinite(raw))
    lowest = np.iinfo(raw.dtype).min
    missing = np.asarray(raw == lowest)
    if configuration.revision == 1991:
        filled = np.asarray(raw == -1)
        outside = np.array([_excludes(channel, -1.0) for channel in configuration.analog], dtype=np.bool_)
        missing |= filled & outside[:, np.newaxis]
        if len(configuration.analog) >= 3:
            missing |= filled.all(axis=0)
    return missing


def _excludes(channel: AnalogChannel, count: float) -> bool:
    """Return whether a count is outside the limits that a channel states."""
    low, high = channel.minimum, channel.maximum
    if low is None or high is None or low >= high:
        return False
    return not low <= count <= high


def _ascii_table(
    configuration: ComtradeConfiguration, data: bytes, file: str, first_line: int
) -> tuple[Table, list[int]]:
    analog, digital = len(configuration.analog), len(configuration.digital)
    fields = 2 + analog + digital
    rows: list[list[str]] = []
    lines: list[int] = []
    text = data.replace(b"\x1a", b"").decode("latin-1")
    for line, row in enumerate(text.splitlines(), first_line):
        if not row.strip():
            continue
        cells = row.split(",")
        if len(cells) == fields + 1 and not cells[-1].strip():
            cells.pop()
        if len(cells) != fields:
            what = f"sample {len(rows) + 1} has {len(cells)} fields, not {fields}"
            mend = "copy the file again; if it is whole, check the number of channels"
            raise refuse(file, what, mend, line=line)
        rows.append(cells)
        lines.append(line)
    values = _numbers(rows, lines, file, configuration)
    counts = np.ascontiguousarray(values[:, 2 : 2 + analog].T)
    for row_counts, channel in zip(counts, configuration.analog, strict=True):
        if _excludes(channel, MISSING_TEXT) or channel.minimum is None:
            row_counts[row_counts == MISSING_TEXT] = np.nan
    states = values[:, 2 + analog :].T
    wrong = np.argwhere((states != 0.0) & (states != 1.0))
    if wrong.size:
        channel_index, sample = wrong[0]
        name = configuration.digital[channel_index].name
        what = f"the state at sample {sample + 1} is neither 0 nor 1"
        raise refuse(file, what, "check the number of channels", line=lines[sample], field=name)
    return Table(values[:, 0].astype(np.int64), values[:, 1], counts, states.astype(np.uint8)), lines


def _numbers(
    rows: list[list[str]], lines: list[int], file: str, configuration: ComtradeConfiguration
) -> NDArray[np.float64]:
    """Return the cells as numbers, blanks as NaN, shape (samples, fields)."""
    names = ["sample number", "time stamp", *(channel.name for channel in configuration.analog)]
    names += [channel.name for channel in configuration.digital]
    values = np.empty((len(rows), len(names)))
    for sample, cells in enumerate(rows):
        try:
            values[sample] = [float(cell) if cell.strip() else np.nan for cell in cells]
        except ValueError:
            column = next(k for k, cell in enumerate(cells) if not _is_number(cell))
            what = f"'{cells[column].strip()}' at sample {sample + 1} is no number"
            mend = "copy the file again from the recorder"
            raise refuse(file, what, mend, line=lines[sample], field=names[column]) from None
    unnumbered = np.flatnonzero(~(np.abs(values[:, 0]) < 2.0**53))
    if unnumbered.size:
        what = f"sample {unnumbered[0] + 1} has no number"
        raise refuse(file, what, "number the samples from 1", line=lines[unnumbered[0]])
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip() or "0")
    except ValueError:
        return False
    return True


def _check_count(configuration: ComtradeConfiguration, count: int, file: str) -> None:
    announced = configuration.sample_count
    if count == 0:
        raise refuse(file, "holds no sample", "copy the file again from the recorder")
    if announced is None or abs(count - announced) <= SLACK:
        return
    if count < announced:
        what = f"is truncated: {count} samples where {announced} are announced"
        raise refuse(file, what, "copy the file again from the recorder")
    what = f"holds {count} samples where {announced} are announced"
    raise refuse(file, what, "correct the last sample, or the number of channels, in the configuration file")


def _check_numbers(numbers: NDArray[np.int64], file: str, lines: list[int] | None) -> None:
    """Refuse a gap in the numbering; a file that numbers all its samples alike does not number them."""
    steps = np.diff(numbers)
    if not steps.any():
        return
    jumps = np.flatnonzero(steps != 1)
    if jumps.size:
        jump = int(jumps[0])
        what = f"a gap: sample number {numbers[jump]} is followed by {numbers[jump + 1]}"
        mend = "cut the recording at the gap; if there is none, check the number of channels"
        raise refuse(file, what, mend, line=lines[jump + 1] if lines else 0)

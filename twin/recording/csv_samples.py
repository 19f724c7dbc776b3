"""Waveforms as CSV: the form that `export_waveform_csv` writes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import suggestion
from twin.recording.sample_checks import CHANNELS, Float, check_times, check_values, sampling_rate, unit_of
from twin.recording.sampled_recording import SampledRecording

COLUMNS = {f"{channel}_{unit_of(channel).lower()}": channel for channel in CHANNELS}
"""Header of each channel's column."""


def csv_samples(
    path: Path, *, channels: Mapping[str, str] | None = None, frequency: float | None = None
) -> SampledRecording:
    """Return the recording of a CSV file; see `read_recording`.

    Raises
    ------
    BadInputError
        When the header, a row or a value is wrong, naming the line.
    """
    file = str(path)
    try:
        rows = path.read_bytes().decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = f"cannot be read ({error})"
        raise BadInputError(Finding(Mark(file), "", what, "name a CSV file in UTF-8")) from error
    lines = [number for number, row in enumerate(rows, 1) if row.strip("\x1a\0 \t")]
    if not lines:
        raise BadInputError(Finding(Mark(file), "", "is empty", "write a header and one row per sample"))
    header_line, *sample_lines = lines
    header = [field.strip() for field in rows[header_line - 1].split(",")]
    taken = _columns(header, channels, Mark(file, header_line))
    table = _table([rows[number - 1] for number in sample_lines], header, sample_lines, file)

    def line(sample: int) -> int:
        return sample_lines[sample]

    names = tuple(header[column] for column in taken.values())
    time_s = table[:, header.index("time_s")].copy()
    samples = np.ascontiguousarray(table[:, list(taken.values())].T)
    check_times(file, time_s, frequency, line=line)
    check_values(file, names, tuple(taken), samples, line=line)
    time_s -= time_s[0]
    return SampledRecording(
        channels=tuple(taken),
        units=tuple(unit_of(channel) for channel in taken),
        names=names,
        samples=samples,
        time_s=time_s,
        rate_hz=sampling_rate(time_s),
        frequency=frequency,
        start_ns=None,
        trigger_s=None,
        source=file,
    )


def _columns(header: list[str], channels: Mapping[str, str] | None, where: Mark) -> dict[str, int]:
    """Return the column of each channel that is taken, in the order of ``CHANNELS``."""
    if "time_s" not in header:
        mend = f"let the header be time_s and any of {', '.join(COLUMNS)}"
        raise BadInputError(Finding(where, "header", f"has no column time_s but {', '.join(header)}", mend))
    doubled = sorted({name for name in header if header.count(name) > 1})
    findings = [Finding(where, name, "is there twice", "rename one of the columns") for name in doubled]
    if channels is None:
        wanted = {channel: name for name, channel in COLUMNS.items() if name in header}
        known = {"time_s", *COLUMNS}
        findings += [
            Finding(where, name, "is an unknown column", _mend_column(name))
            for name in header
            if name not in known
        ]
    else:
        wanted = dict(channels)
        for channel, name in wanted.items():
            if channel not in CHANNELS:
                mend = f"known are {', '.join(CHANNELS)}"
                findings.append(Finding(where, f"channels.{channel}", "is an unknown channel", mend))
            elif name not in header:
                mend = suggestion(name, header, "columns")
                findings.append(Finding(where, f"channels.{channel}", f"there is no column '{name}'", mend))
            elif not name.lower().endswith(f"_{unit_of(channel).lower()}"):
                unit = unit_of(channel)
                mend = f"give {unit} and let its name end in _{unit.lower()}"
                findings.append(Finding(where, f"channels.{channel}", f"wrong unit in '{name}'", mend))
    if not findings and not any(channel in wanted for channel in CHANNELS[:3]):
        mend = "add at least one of va_v, vb_v, vc_v"
        findings.append(Finding(where, "header", "no voltage channel", mend))
    if findings:
        raise BadInputError(*findings)
    return {channel: header.index(wanted[channel]) for channel in CHANNELS if channel in wanted}


def _mend_column(name: str) -> str:
    channel, _, unit = name.lower().partition("_")
    if channel in CHANNELS and unit != unit_of(channel).lower():
        return f"wrong unit: write {channel} in {unit_of(channel)} as {channel}_{unit_of(channel).lower()}"
    return f"say which columns to take; {suggestion(name, ['time_s', *COLUMNS], 'columns')}"


def _table(rows: list[str], header: list[str], lines: list[int], file: str) -> Float:
    """Return all numbers, shape (samples, columns)."""
    if not rows:
        raise BadInputError(Finding(Mark(file), "", "holds no sample", "write one row per sample"))
    try:
        table: Float = np.loadtxt(rows, delimiter=",", comments=None, ndmin=2)
        if table.shape[1] == len(header):
            return table
    except ValueError:
        pass
    raise _first_wrong(rows, header, lines, file)


def _first_wrong(rows: list[str], header: list[str], lines: list[int], file: str) -> BadInputError:
    """Return the error of the first row that is not one number per column."""
    for sample, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        cells = row.split(",")
        if len(cells) != len(header):
            what = (
                f"sample {sample} has {len(cells)} values, not {len(header)}: unequal lengths, or truncated"
            )
            mend = "write one value per column; remove a row that is not whole"
            return BadInputError(Finding(Mark(file, line), "", what, mend))
        for name, cell in zip(header, cells, strict=True):
            try:
                float(cell)
            except ValueError:
                shown = (
                    f"'{cell.strip()}' at sample {sample} is no number"
                    if cell.strip()
                    else (f"sample {sample} is missing")
                )
                mend = "cut the recording before or after it, or leave the channel out"
                return BadInputError(Finding(Mark(file, line), name, shown, mend))
    return BadInputError(Finding(Mark(file), "", "cannot be read as numbers", "write plain decimal numbers"))

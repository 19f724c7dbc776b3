"""Recordings as CSV and Parquet for other programs."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from twin.contracts import NS_PER_SECOND, WaveformRecord
from twin.recording.errors import RecordingPathError
from twin.recording.load_profile import LoadProfile
from twin.recording.reader import Recording

_UNITS = {"v": "v", "i": "a"}


def export_waveform_csv(record: WaveformRecord) -> str:
    """Return a capture as CSV with primary values.

    The header is ``time_s`` and the channels with their unit (``va_v``, ``ia_a``); time counts from the
    first sample. Numbers have 9 significant digits, more than 16-bit counts carry.
    """
    header = [
        "time_s",
        *(f"{channel}_{_UNITS.get(channel[0], '')}".rstrip("_") for channel in record.channels),
    ]
    samples = record.raw.astype(np.float64) * np.array(record.scale)[:, np.newaxis]
    lines = [",".join(header)]
    for index, row in enumerate(samples.T.tolist()):
        numbers = [f"{index * record.sample_interval_s:.12g}", *(f"{value:.9g}" for value in row)]
        lines.append(",".join(numbers))
    return "\n".join(lines) + "\n"


def export_load_profile_csv(recording: Recording, *, meter: str | None = None) -> str:
    """Return the load profile as CSV, meter after meter.

    Columns are ``meter``, ``end_utc`` (ISO 8601), ``end_ns``, ``duration_s`` and the channels; a field
    is empty where the quantity does not exist. Numbers are exact.

    Parameters
    ----------
    recording : Recording
        Where from.
    meter : str, optional
        Only this meter; all by default.

    Raises
    ------
    NotRecordedError
        When the recording has no such meter.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    channels = _all_channels(recording, meter)
    writer.writerow(["meter", "end_utc", "end_ns", "duration_s", *channels])
    for name, profile in _profiles(recording, meter):
        columns = [profile.duration_s, *(profile.values.get(channel) for channel in channels)]
        for row, end_ns in enumerate(profile.end_ns.tolist()):
            numbers = ["" if c is None or np.isnan(c[row]) else repr(float(c[row])) for c in columns]
            writer.writerow([name, utc_text(end_ns), end_ns, *numbers])
    return text.getvalue()


def export_load_profile_parquet(recording: Recording, path: str | Path, *, meter: str | None = None) -> None:
    """Write the load profile to one Parquet file, sorted by meter and time.

    Columns are ``meter``, ``end_utc`` (a timestamp), ``duration_s`` and the channels; null where the
    quantity does not exist.

    Parameters
    ----------
    recording : Recording
        Where from.
    path : str or Path
        File to write; replaced when it exists.
    meter : str, optional
        Only this meter; all by default.

    Raises
    ------
    NotRecordedError
        When the recording has no such meter.
    RecordingPathError
        When the file cannot be written.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    channels = _all_channels(recording, meter)
    numbers = [(channel, pa.float64()) for channel in ("duration_s", *channels)]
    schema = pa.schema([("meter", pa.string()), ("end_utc", pa.timestamp("ns", tz="UTC")), *numbers])
    try:
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            for name, profile in _profiles(recording, meter):
                count = profile.end_ns.size
                columns = {"duration_s": profile.duration_s, **profile.values}
                absent = np.full(count, np.nan)
                arrays = [pa.array([name] * count), pa.array(profile.end_ns).cast(schema.field(1).type)]
                arrays += [pa.array(columns.get(channel, absent), from_pandas=True) for channel, _ in numbers]
                writer.write_table(pa.table(arrays, schema=schema))
    except OSError as error:
        msg = f"{path}: cannot write: {error}; choose a file that can be written"
        raise RecordingPathError(msg) from error


def _names(recording: Recording, meter: str | None) -> list[str]:
    return sorted(known.name for known in recording.meters()) if meter is None else [meter]


def _all_channels(recording: Recording, meter: str | None) -> list[str]:
    found = (recording.channels(name) for name in _names(recording, meter))
    return list(dict.fromkeys(channel for channels in found for channel in channels))


def _profiles(recording: Recording, meter: str | None) -> Iterator[tuple[str, LoadProfile]]:
    for name in _names(recording, meter):
        yield name, recording.load_profile(name)


def utc_text(ns: int) -> str:
    """Return an instant, UTC [ns], as ISO 8601 with as many digits as it needs."""
    seconds, rest = divmod(ns, NS_PER_SECOND)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"

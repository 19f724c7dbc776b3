"""Sealed days of the load profile: one Parquet file per day and set of channels, never changed.

Rows are sorted by meter and end of interval and compressed with zstd, so that any Parquet reader skips
the meters that it was not asked for. pyarrow is imported on use: most programs never seal.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twin.contracts import IntervalBlock
from twin.recording.errors import RecordingPathError
from twin.recording.load_profile import Piece

ROWS_PER_GROUP = 16_384
"""Granularity at which a reader skips other meters; large enough for compression to pay."""


def columns_of(blocks: Sequence[IntervalBlock]) -> list[Any]:
    """Return blocks of the same channels as columns of a segment: sorted, of equal intervals the last one."""
    import pyarrow as pa  # noqa: PLC0415

    names = sorted({meter for block in blocks for meter in block.meters})
    number = {name: at for at, name in enumerate(names)}
    sizes = [len(block.meters) for block in blocks]
    meter = np.array([number[name] for block in blocks for name in block.meters])
    end_ns = np.repeat([block.end_ns for block in blocks], sizes)
    order = np.lexsort((end_ns, meter))
    ends, meters = end_ns[order], meter[order]
    order = order[np.append((ends[1:] != ends[:-1]) | (meters[1:] != meters[:-1]), True)]
    values = np.concatenate([block.values for block in blocks])[order]
    duration_s = np.concatenate([block.duration_s for block in blocks])[order]
    # NaN is kept as NULL, as a database keeps it.
    columns = [pa.array(column, from_pandas=True) for column in (duration_s, *values.T)]
    return [pa.array(names, pa.string()).take(pa.array(meter[order])), end_ns[order], *columns]


def write_segment(path: Path, channels: Sequence[str], columns: Sequence[Any]) -> int:
    """Write a segment, all or nothing; return how many rows it has.

    The file appears under its name only when it is whole and on the disk.

    Parameters
    ----------
    path : Path
    channels : sequence of str
    columns : sequence
        meter, end_ns, duration_s and one for each channel, sorted by meter and end.

    Raises
    ------
    OSError
        When it cannot be written; nothing is left behind then.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    types = [pa.string(), pa.int64()] + [pa.float64()] * (1 + len(channels))
    names = ["meter", "end_ns", "duration_s", *channels]
    arrays = [pa.array(column, type=kind) for column, kind in zip(columns, types, strict=True)]
    table = pa.table(arrays, names=names)
    unfinished = path.with_name(path.name + ".tmp")
    try:
        with unfinished.open("wb") as file:
            # Measured values hardly repeat: a dictionary of them costs time and saves nothing.
            parquet.write_table(
                table, file, compression="zstd", row_group_size=ROWS_PER_GROUP, use_dictionary=["meter"]
            )
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_directory(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return int(table.num_rows)


def read_segment(path: Path, channels: tuple[str, ...], *, meter: str | None = None) -> dict[str, Piece]:
    """Return the intervals of a sealed segment by meter.

    Parameters
    ----------
    path : Path
        The Parquet file.
    channels : tuple of str
        Columns to read.
    meter : str, optional
        The only meter to read; all by default.

    Raises
    ------
    RecordingPathError
        When the file is missing or damaged.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    columns = ["meter", "end_ns", "duration_s", *channels]
    only = None if meter is None else [("meter", "=", meter)]
    try:
        # One thread: a day is a few milliseconds, and pages ask for several at a time.
        table = parquet.read_table(path, columns=columns, filters=only, partitioning=None, use_threads=False)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        msg = f"{path}: cannot read a sealed day: {error}; restore the file, or record again"
        raise RecordingPathError(msg) from error
    names = np.array(table["meter"].to_pylist(), dtype=object)
    end_ns = table["end_ns"].to_numpy()
    duration_s = table["duration_s"].to_numpy()
    values = np.empty((len(names), len(channels)))
    for column, channel in enumerate(channels):
        values[:, column] = table[channel].to_numpy()
    first = np.flatnonzero(np.r_[True, names[1:] != names[:-1]]) if names.size else np.empty(0, dtype=int)
    pieces = {}
    for start, stop in zip(first, np.r_[first[1:], names.size], strict=True):
        part = slice(int(start), int(stop))
        pieces[names[start]] = Piece(end_ns[part], duration_s[part], channels, values[part])
    return pieces


def sync_directory(path: Path) -> None:
    """Bring the names in a directory to the disk, so that a rename survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

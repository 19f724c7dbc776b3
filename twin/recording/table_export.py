"""What a recording holds besides samples as CSV and Parquet tables for other programs.

Columns are those of the database's tables, with a readable time before; registers are decoded.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from twin.contracts import Point
from twin.recording import rows
from twin.recording.errors import RecordingPathError
from twin.recording.export import export_load_profile_csv, export_load_profile_parquet, utc_text
from twin.recording.reader import Recording
from twin.recording.tables import ALARM, COMMAND, EVENT, SOE, TERMINAL, TRUTH, Kind

Tables = Iterator[tuple[Any, ...]]

_DECODED: Final = {"uint16": ">u2", "int16": ">i2", "uint32": ">u4", "int32": ">i4", "float32": ">f4"}
_REGISTER_COLUMNS: Final = ("meter", "name", "address", "time_ns", "raw", "value", "unit")


def export_table(
    recording: Recording,
    path: str | Path,
    *,
    what: Literal["load_profile", "events", "alarms", "soe", "commands", "truth", "terminals", "registers"],
    meter: str | None = None,
) -> None:
    """Write records of one kind to one file, in order of time.

    Parameters
    ----------
    recording : Recording
        Where from.
    path : str or Path
        File ``.csv`` or ``.parquet``; replaced when it exists.
    what : str
        Which records.
    meter : str, optional
        Only this meter's; all by default. Commands and truth belong to no meter.

    Raises
    ------
    NotRecordedError
        When the recording has no such meter.
    RecordingPathError
        When the file cannot be written.
    """
    path = Path(path)
    if meter is not None:
        recording.check_meter(meter)
    if what == "load_profile" and path.suffix == ".parquet":
        export_load_profile_parquet(recording, path, meter=meter)
        return
    try:
        if what == "load_profile":
            path.write_text(export_load_profile_csv(recording, meter=meter), encoding="utf-8")
            return
        columns, time, found = _CONTENT[what](recording, meter)
        timed = ((utc_text(row[columns.index(time)]), *row) for row in found)
        write = _write_parquet if path.suffix == ".parquet" else _write_csv
        write(path, (time.removesuffix("_ns") + "_utc", *columns), timed)
    except OSError as error:
        msg = f"{path}: cannot write: {error}; choose a file that can be written"
        raise RecordingPathError(msg) from error


def register_values(point: Point, words: tuple[int, ...]) -> tuple[int | float, float]:
    """Return what words of a register mean: the raw number and the engineering value.

    Parameters
    ----------
    point : Point
        The register; of two words the first is the high one.
    words : tuple of int
        As they were recorded.
    """
    raw = np.array(words, dtype=">u2").view(_DECODED[point.type])[0].item()
    return raw, raw * point.scale


def _events(recording: Recording, meter: str | None) -> tuple[tuple[str, ...], str, Tables]:
    return EVENT.given, "start_ns", map(rows.event_row, recording.events(meter=meter))


def _alarms(recording: Recording, meter: str | None) -> tuple[tuple[str, ...], str, Tables]:
    return ALARM.given, "time_ns", map(rows.alarm_row, recording.alarms(meter=meter))


def _soe(recording: Recording, meter: str | None) -> tuple[tuple[str, ...], str, Tables]:
    return SOE.given, "time_ns", map(rows.soe_row, recording.soe(meter=meter))


def _commands(recording: Recording, meter: str | None) -> tuple[tuple[str, ...], str, Tables]:
    found = (one for one in recording.commands() if meter in {None, one.target})
    return COMMAND.given, "applied_ns", map(rows.command_row, found)


def _truth(recording: Recording, meter: str | None) -> tuple[tuple[str, ...], str, Tables]:
    del meter  # what happened, happened to everybody
    return TRUTH.given, "time_ns", map(rows.truth_row, recording.truth())


def _terminals(recording: Recording, meter: str | None) -> tuple[tuple[str, ...], str, Tables]:
    return TERMINAL.given, "time_ns", map(rows.terminal_row, recording.terminals(meter=meter))


def _registers(recording: Recording, meter: str | None) -> tuple[tuple[str, ...], str, Tables]:
    names = [info.name for info in recording.meters()] if meter is None else [meter]
    return _REGISTER_COLUMNS, "time_ns", _register_rows(recording, names)


def _register_rows(recording: Recording, meters: list[str]) -> Tables:
    for meter in meters:
        for point in recording.register_points(meter):
            for change in recording.registers(meter, point.address):
                raw, value = register_values(point, change.words)
                yield meter, point.name, point.address, change.time_ns, float(raw), value, point.unit


_CONTENT: Final[dict[str, Callable[[Recording, str | None], tuple[tuple[str, ...], str, Tables]]]] = {
    "events": _events,
    "alarms": _alarms,
    "soe": _soe,
    "commands": _commands,
    "truth": _truth,
    "terminals": _terminals,
    "registers": _registers,
}


def _write_csv(path: Path, columns: tuple[str, ...], found: Tables) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in found:
            writer.writerow(["" if value is None or value != value else value for value in row])  # noqa: PLR0124


def _write_parquet(path: Path, columns: tuple[str, ...], found: Tables) -> None:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    kinds: dict[str, Kind] = {"address": "integer", "raw": "real"}
    kinds |= {
        column.name: column.kind
        for table in (EVENT, ALARM, SOE, COMMAND, TRUTH, TERMINAL)
        for column in table.columns
    }
    types = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string()}
    schema = pa.schema([(name, types[kinds.get(name, "text")]) for name in columns])
    by_column = list(zip(*found, strict=True)) or [()] * len(columns)
    arrays = [
        pa.array(values, type=field.type, from_pandas=True)
        for values, field in zip(by_column, schema, strict=True)
    ]
    parquet.write_table(pa.table(arrays, schema=schema), path, compression="zstd")

"""Records to rows and back: the only place that knows how a contract is laid out in a table."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from twin.contracts import (
    Access,
    AlarmRecord,
    CommandRecord,
    EventRecord,
    IntervalBlock,
    MeterInfo,
    Point,
    RegisterRecord,
    SoeRecord,
    TerminalRecord,
    TruthEntry,
    WaveformRecord,
)
from twin.recording.errors import RecordingError

Row = tuple[Any, ...]

INT16 = np.dtype("<i2")
"""How waveform samples are kept."""


@dataclass(frozen=True, slots=True)
class WaveformSummary:
    """One waveform capture without its samples."""

    meter: str
    number: int
    """The meter's own group number, from 1."""
    reason: str
    trigger_ns: int
    """UTC [ns]."""
    trigger_index: int
    """Sample at which the trigger fell."""
    sample_interval_s: float
    """[s]."""
    channels: tuple[str, ...]
    samples: int
    """Samples per channel."""


def interval_rows(blocks: Sequence[IntervalBlock]) -> list[Row]:
    """Return rows of a hot table: end_ns, meter, duration_s, one value per channel."""
    return [
        (block.end_ns, meter, duration_s, *numbers)
        for block in blocks
        for meter, duration_s, numbers in zip(
            block.meters, block.duration_s.tolist(), block.values.tolist(), strict=True
        )
    ]


def meter_row(position: int, meter: MeterInfo) -> Row:
    """Return the row of table ``meter``."""
    return (
        position,
        meter.name,
        meter.profile,
        meter.location,
        float(meter.rated_voltage),
        float(meter.rated_current),
    )


def meter_from(row: Row) -> MeterInfo:
    """Return the meter of a row."""
    name, profile, location, voltage, current = row
    return MeterInfo(name, profile, location, _number(voltage), _number(current))


def event_row(event: EventRecord) -> Row:
    """Return the row of table ``event``."""
    return (
        event.meter,
        int(event.number),
        event.type,
        event.phases,
        int(event.start_ns),
        int(event.trigger_ns),
        None if event.end_ns is None else int(event.end_ns),
        float(event.extreme),
        float(event.threshold),
        float(event.rated),
    )


def event_from(row: Row) -> EventRecord:
    """Return the event of a row."""
    return EventRecord(*row[:7], *map(_number, row[7:]))


def alarm_row(alarm: AlarmRecord) -> Row:
    """Return the row of table ``alarm``."""
    return (
        alarm.meter,
        int(alarm.channel),
        alarm.parameter,
        alarm.transition,
        int(alarm.time_ns),
        float(alarm.value),
        float(alarm.setpoint),
        alarm.comparison,
    )


def alarm_from(row: Row) -> AlarmRecord:
    """Return the alarm transition of a row."""
    meter, channel, parameter, transition, time_ns, value, setpoint, comparison = row
    value, setpoint = _number(value), _number(setpoint)
    return AlarmRecord(meter, channel, parameter, transition, time_ns, value, setpoint, comparison)


def soe_row(record: SoeRecord) -> Row:
    """Return the row of table ``soe``."""
    return (
        record.meter,
        record.module,
        int(record.time_ns),
        record.input,
        int(record.on),
        int(record.status),
    )


def soe_from(row: Row) -> SoeRecord:
    """Return the change of a digital input of a row."""
    meter, module, time_ns, changed, on, status = row
    return SoeRecord(meter, module, time_ns, changed, bool(on), status)


def terminal_row(record: TerminalRecord) -> Row:
    """Return the row of table ``terminal``."""
    return (record.meter, int(record.time_ns), *map(float, (*record.v, *record.i)))


def terminal_from(row: Row) -> TerminalRecord:
    """Return what was at a meter's place of a row."""
    meter, time_ns, *numbers = row
    va, vb, vc, ia, ib, ic = map(_number, numbers)
    return TerminalRecord(meter, time_ns, (va, vb, vc), (ia, ib, ic))


def waveform_row(waveform: WaveformRecord) -> Row:
    """Return the row of table ``waveform``.

    Raises
    ------
    RecordingError
        When samples, channels and scales do not fit each other.
    """
    raw = np.asarray(waveform.raw)
    rows = len(waveform.channels)
    where = f"waveform {waveform.number} of meter {waveform.meter!r}"
    if raw.dtype != np.int16 or raw.ndim != 2 or raw.shape[0] != rows or len(waveform.scale) != rows:
        msg = (
            f"{where}: raw is {raw.dtype} of shape {raw.shape} with {len(waveform.scale)} scales; "
            f"give int16 of shape ({rows}, samples) and {rows} scales"
        )
        raise RecordingError(msg)
    return (
        waveform.meter,
        int(waveform.number),
        waveform.reason,
        int(waveform.trigger_ns),
        int(waveform.trigger_index),
        float(waveform.sample_interval_s),
        to_json(waveform.channels, where),
        to_json([float(scale) for scale in waveform.scale], where),
        raw.shape[1],
        np.ascontiguousarray(raw, dtype=INT16).tobytes(),
    )


def waveform_from(row: Row) -> WaveformRecord:
    """Return the capture of a row, samples and all."""
    meter, number, reason, trigger_ns, trigger_index, interval_s, names, samples, blob, scale = row
    channels = from_json(names)
    return WaveformRecord(
        meter=meter,
        number=number,
        reason=reason,
        trigger_ns=trigger_ns,
        trigger_index=trigger_index,
        sample_interval_s=interval_s,
        channels=channels,
        raw=np.frombuffer(blob, dtype=INT16).astype(np.int16).reshape(len(channels), samples),
        scale=from_json(scale),
    )


def waveform_summary_from(row: Row) -> WaveformSummary:
    """Return the capture of a row, without samples."""
    meter, number, reason, trigger_ns, trigger_index, interval_s, names, samples = row
    channels = from_json(names)
    return WaveformSummary(meter, number, reason, trigger_ns, trigger_index, interval_s, channels, samples)


def register_row(change: RegisterRecord) -> Row:
    """Return the row of table ``register_change``.

    Raises
    ------
    RecordingError
        When the words are none.
    """
    words = change.words
    try:
        blob = struct.pack(f">{len(words)}H", *words)
    except struct.error:
        blob = b""
    if not blob:
        msg = f"register {change.address} of meter {change.meter!r}: {words} are no words of 0..65535"
        raise RecordingError(msg)
    return change.meter, change.address, change.time_ns, blob


def words_from(blob: bytes) -> tuple[int, ...]:
    """Return the words of a row of table ``register_change``."""
    return struct.unpack(f">{len(blob) // 2}H", blob)


def point_row(meter: str, point: Point) -> Row:
    """Return the row of table ``register_point``."""
    return (
        meter,
        point.name,
        int(point.address),
        int(point.words),
        point.type,
        point.word_order,
        float(point.scale),
        point.unit,
        point.access.value,
    )


def point_from(row: Row) -> Point:
    """Return the register of a row."""
    name, address, words, kind, word_order, scale, unit, access = row
    return Point(name, address, words, kind, word_order, _number(scale), unit, Access(access))


def command_row(command: CommandRecord) -> Row:
    """Return the row of table ``command``."""
    return (
        int(command.sequence),
        int(command.applied_ns),
        command.source,
        command.target,
        command.verb,
        to_json(command.arguments, f"command {command.sequence} ({command.verb})"),
        None if command.refusal is None else str(command.refusal),
    )


def command_from(row: Row) -> CommandRecord:
    """Return the command of a row."""
    sequence, applied_ns, source, target, verb, arguments, refusal = row
    return CommandRecord(sequence, applied_ns, source, target, verb, from_json(arguments), refusal)


def truth_row(entry: TruthEntry) -> Row:
    """Return the row of table ``truth``."""
    return (
        int(entry.time_ns),
        entry.kind,
        entry.element,
        entry.cause,
        to_json(entry.detail, f"truth entry {entry.kind!r} of {entry.element!r}"),
    )


def truth_from(row: Row) -> TruthEntry:
    """Return the entry of a row."""
    time_ns, kind, element, cause, detail = row
    return TruthEntry(time_ns, kind, element, cause, from_json(detail))


def to_json(value: object, where: str) -> str:
    """Return plain data as canonical JSON: sorted keys, numbers that do not exist as null, no -0.0.

    Raises
    ------
    RecordingError
        When the value is no plain data.
    """
    options = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY
    try:
        text = orjson.dumps(value, default=_plain, option=options)
    except TypeError as error:
        msg = f"{where} cannot be kept: {error}; use numbers, text, and lists or mappings of them"
        raise RecordingError(msg) from error
    if b"-0.0" in text:  # rare: it also matches -0.05, which the rewriting leaves alone
        text = orjson.dumps(_without_negative_zero(orjson.loads(text)))
    return text.decode()


def from_json(text: str) -> Any:
    """Return what ``to_json`` kept, with every list as a tuple."""
    return _with_tuples(orjson.loads(text))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    msg = f"{type(value).__name__} is no plain data"
    raise TypeError(msg)


def _without_negative_zero(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_negative_zero(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_negative_zero(item) for item in value]
    return value + 0.0 if isinstance(value, float) else value


def _with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_with_tuples(item) for item in value)
    return value


def _number(value: float | None) -> float:
    return math.nan if value is None else value

"""A meter's waveform capture as a COMTRADE file, named as the meter's web module names it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from twin.contracts import NS_PER_SECOND, MeterInfo, WaveformRecord
from twin.recording.comtrade import (
    AnalogChannel,
    ComtradeConfiguration,
    ComtradeRecording,
    DataFormat,
    SampleRate,
    write_comtrade,
)
from twin.recording.comtrade.configuration import rate_times
from twin.recording.errors import RecordingError, RecordingPathError

SAMPLES_PER_CYCLE: Final = 64
"""Of a capture (KW320 manual 4.6)."""
REASONS: Final = {
    "sag": ("V", "VOLTAGE_SAG"),
    "swell": ("V", "VOLTAGE_SWELL"),
    "over_current": ("I", "OVER_CURRENT"),
    "manual": ("", "MANUAL"),
    "di": ("", "DI"),
}
"""What triggered and how a file's name says it. The manual (5.1.7.4.6) shows the sag and the manual capture;
the others follow their pattern."""
_LOWEST_COUNT: Final = -32768
"""A converter's negative limit, which COMTRADE's 16-bit format keeps for a missing value."""
_TEXT_LIMIT: Final = 64


@dataclass(frozen=True, slots=True)
class TransformerRatios:
    """What the meter is connected through, each as (primary, secondary)."""

    voltage: tuple[float, float] = (1.0, 1.0)
    """PT, for example (20000, 100) [V]."""
    current: tuple[float, float] = (1.0, 1.0)
    """CT, for example (200, 5) [A]."""


def capture_name(record: WaveformRecord, *, time_zone: str, phases: str = "") -> str:
    """Return a capture's file name without extension.

    Parameters
    ----------
    record : WaveformRecord
        The capture.
    time_zone : str
        IANA name of the meter's zone.
    phases : str
        Letters of the phases that triggered, as `EventRecord.phases`; the name leaves them out when
        empty.

    Returns
    -------
    str
        For example ``2019-08-16T13-16-01.362-0400_Vabc_VOLTAGE_SAG``: local time of the trigger to the
        millisecond, offset from UTC, quantity and phases, reason.

    Raises
    ------
    RecordingError
        When the reason or the zone is unknown.

    References
    ----------
    KW320 manual 5.1.7.4.6 (waveform log). Its list drops zeros of the milliseconds (``37.24``); they are
    written here, so that names sort by time.
    """
    if record.reason not in REASONS:
        known = ", ".join(REASONS)
        msg = f"capture {record.number} of {record.meter}: unknown reason '{record.reason}'; known: {known}"
        raise RecordingError(msg)
    local = _local(record.trigger_ns, time_zone)
    quantity, reason = REASONS[record.reason]
    millisecond = record.trigger_ns % NS_PER_SECOND // 1_000_000
    stamp = f"{local:%Y-%m-%dT%H-%M-%S}.{millisecond:03d}{local:%z}"
    middle = f"{quantity}{phases}" if quantity and phases else ""
    return "_".join(part for part in (stamp, middle, reason) if part)


def export_comtrade(
    record: WaveformRecord,
    path: str | Path,
    *,
    meter: MeterInfo,
    time_zone: str,
    phases: str = "",
    ratios: TransformerRatios | None = None,
    scaling: Literal["P", "S"] = "P",
    revision: Literal[1999, 2013] = 2013,
    data_format: DataFormat = DataFormat.BINARY,
) -> tuple[Path, ...]:
    """Write a waveform capture as COMTRADE and return the files that were made.

    The counts are the meter's own, each channel's multiplier what one count is. The time of the sample
    at the trigger is that of the trigger.

    Parameters
    ----------
    record : WaveformRecord
        The capture, with primary scales.
    path : str or Path
        A folder, in which the files are named by `capture_name`, or a file ``.cfg`` or ``.cff``.
    meter : MeterInfo
        The meter that captured; its location becomes the station, its name the device.
    time_zone : str
        IANA name of the meter's zone. Revision 2013 states the offset from UTC; in 1999 the times are
        local and nothing says so.
    phases : str
        Letters of the phases that triggered, for the name.
    ratios : TransformerRatios, optional
        What the meter is connected through; 1:1 by default. Stated in the file, and what secondary
        values are divided by.
    scaling : {'P', 'S'}
        Primary or secondary values.
    revision : {2013, 1999}
        2013 stamps in nanoseconds, 1999 in microseconds.
    data_format : DataFormat
        A capture with a sample at the converter's limit of -32768, which BINARY cannot tell from a
        missing one, is written as BINARY32 (2013) or ASCII (1999) instead.

    Raises
    ------
    RecordingError
        When the capture is of another meter, or its reason or the zone is unknown.
    RecordingPathError
        When there is no such folder, or a file cannot be written.
    ComtradeWriteError
        When revision and format do not go together.

    References
    ----------
    KW320 manual 4.6 (capture), 5.1.7.4.6.1 (COMTRADE).
    """
    if record.meter != meter.name:
        msg = f"the capture is of meter '{record.meter}', not of '{meter.name}'; give the meter that captured"
        raise RecordingError(msg)
    path = Path(path)
    if path.is_dir():
        path /= capture_name(record, time_zone=time_zone, phases=phases) + ".cfg"
    elif path.suffix.lower() not in {".cfg", ".cff"}:
        msg = f"{path}: is no folder; create it, or name a file .cfg or .cff"
        raise RecordingPathError(msg)
    if data_format is DataFormat.BINARY and (record.raw == _LOWEST_COUNT).any():
        data_format = DataFormat.BINARY32 if revision == 2013 else DataFormat.ASCII
    ratios = TransformerRatios() if ratios is None else ratios
    analog = tuple(_channel(record, k, ratios, scaling) for k in range(len(record.channels)))
    count = record.raw.shape[1]
    rates = (SampleRate(1.0 / record.sample_interval_s, count),)
    offset_s = _offset_s(record.trigger_ns, time_zone)
    trigger_ns = record.trigger_ns + offset_s * NS_PER_SECOND
    start_ns = trigger_ns - round(record.trigger_index * record.sample_interval_s * NS_PER_SECOND)
    configuration = ComtradeConfiguration(
        station=_plain(meter.location),
        device=_plain(meter.name),
        revision=revision,
        analog=analog,
        frequency=50.0 if rates[0].rate_hz / SAMPLES_PER_CYCLE < 55.0 else 60.0,
        rates=rates,
        sample_count=count,
        start_local_ns=start_ns,
        trigger_local_ns=trigger_ns,
        time_unit_s=1e-9 if revision == 2013 else 1e-6,
        data_format=data_format,
        utc_offset_s=offset_s if revision == 2013 else None,
        local_offset_s=offset_s if revision == 2013 else None,
    )
    factors = np.array([channel.factor for channel in analog])
    values = record.raw.astype(np.float64) * factors[:, np.newaxis]
    digital = np.zeros((0, count), dtype=np.uint8)
    return write_comtrade(ComtradeRecording(configuration, rate_times(rates, count), values, digital), path)


def _channel(
    record: WaveformRecord, index: int, ratios: TransformerRatios, scaling: Literal["P", "S"]
) -> AnalogChannel:
    name = record.channels[index]
    primary, secondary = ratios.voltage if name.startswith("v") else ratios.current
    scale = record.scale[index]
    return AnalogChannel(
        number=index + 1,
        name=name.capitalize(),
        phase=name[1:].upper(),
        unit="V" if name.startswith("v") else "A",
        factor=scale if scaling == "P" else scale * secondary / primary,
        primary=primary,
        secondary=secondary,
        scaling=scaling,
    )


def _local(ns: int, time_zone: str) -> datetime:
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        msg = f"unknown time zone '{time_zone}'; give an IANA name, for example Europe/Berlin"
        raise RecordingError(msg) from error
    return datetime.fromtimestamp(ns // NS_PER_SECOND, UTC).astimezone(zone)


def _offset_s(ns: int, time_zone: str) -> int:
    """Return what the zone is ahead of UTC at a time [s]."""
    offset = _local(ns, time_zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _plain(text: str) -> str:
    """Return a text as the standard allows it: printable ASCII without commas, not too long."""
    ascii_text = text.encode("ascii", "replace").decode().replace(",", ";")
    return "".join(letter if letter.isprintable() else " " for letter in ascii_text)[:_TEXT_LIMIT].strip()

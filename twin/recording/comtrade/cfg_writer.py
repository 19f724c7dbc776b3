"""The text of a configuration file, as the standard wants it."""

from typing import Final

from twin.recording.comtrade.configuration import (
    AnalogChannel,
    ComtradeConfiguration,
    DataFormat,
    DigitalChannel,
)
from twin.recording.comtrade.failure import ComtradeWriteError
from twin.recording.comtrade.stamps import format_offset, format_stamp

_LIMITS: Final = {
    DataFormat.ASCII: (-99999.0, 99998.0),
    DataFormat.BINARY: (-32767.0, 32767.0),
    DataFormat.BINARY32: (-2147483647.0, 2147483647.0),
    DataFormat.FLOAT32: (-3.4028234e38, 3.4028234e38),
}
_LENGTHS: Final = {"station": 64, "device": 64, "name": 128, "phase": 2, "component": 64, "unit": 32}
"""Longest text of each field (IEEE C37.111-2013, 7.4)."""
_NAME_1999: Final = 64


def configuration_text(configuration: ComtradeConfiguration, samples: int) -> str:
    """Return the configuration file of a recording with so many samples, lines ended by CR LF.

    Raises
    ------
    ComtradeWriteError
        When a field is too long, holds a comma or a character outside ASCII, or is missing though it must
        be stated.
    """
    found = configuration
    nanoseconds = found.time_unit_s < 1e-6
    if nanoseconds and found.revision != 2013:
        raise ComtradeWriteError("revision 1999 stamps samples in microseconds; choose revision 2013")
    if found.start_local_ns is None:
        raise ComtradeWriteError("the time of the first sample is missing; give start_local_ns")
    digits = 9 if nanoseconds else 6
    trigger = found.start_local_ns if found.trigger_local_ns is None else found.trigger_local_ns
    rates = found.rates or ()
    lines = [
        f"{_text(found.station, 'station')},{_text(found.device, 'device')},{found.revision}",
        f"{len(found.analog) + len(found.digital)},{len(found.analog)}A,{len(found.digital)}D",
        *(_analog(channel, found) for channel in found.analog),
        *(_digital(channel, found) for channel in found.digital),
        "" if found.frequency is None else _number(found.frequency),
        str(len(rates)),
        *(f"{_number(section.rate_hz)},{section.last_sample}" for section in rates),
        *([] if rates else [f"0,{samples}"]),
        format_stamp(found.start_local_ns, digits=digits),
        format_stamp(trigger, digits=digits),
        str(found.data_format),
        _number(found.time_multiplier),
    ]
    if found.revision == 2013:
        lines += [
            f"{format_offset(found.utc_offset_s)},{format_offset(found.local_offset_s)}",
            f"{found.time_quality},{found.leap_second}",
        ]
    return "".join(f"{line}\r\n" for line in lines)


def _analog(channel: AnalogChannel, configuration: ComtradeConfiguration) -> str:
    if channel.scaling is None:
        msg = f"{channel.name}: say whether the values are primary or secondary (scaling 'P' or 'S')"
        raise ComtradeWriteError(msg)
    low, high = _LIMITS[configuration.data_format]
    fields = [
        str(channel.number),
        _name(channel.name, configuration),
        _text(channel.phase, "phase"),
        _text(channel.component, "component"),
        _text(channel.unit, "unit"),
        _number(channel.factor),
        _number(channel.offset),
        _number(channel.skew_us),
        _number(low if channel.minimum is None else channel.minimum),
        _number(high if channel.maximum is None else channel.maximum),
        _number(channel.primary),
        _number(channel.secondary),
        channel.scaling,
    ]
    return ",".join(fields)


def _digital(channel: DigitalChannel, configuration: ComtradeConfiguration) -> str:
    name = _name(channel.name, configuration)
    phase, component = _text(channel.phase, "phase"), _text(channel.component, "component")
    return f"{channel.number},{name},{phase},{component},{channel.normal_state}"


def _name(text: str, configuration: ComtradeConfiguration) -> str:
    if not text:
        raise ComtradeWriteError("a channel has no name; name it")
    limit = _NAME_1999 if configuration.revision == 1999 else _LENGTHS["name"]
    return _text(text, "name", limit)


def _text(text: str, field: str, limit: int = 0) -> str:
    limit = limit or _LENGTHS[field]
    if len(text) > limit:
        raise ComtradeWriteError(f"{field} '{text}' is longer than {limit} characters; shorten it")
    if not text.isascii() or not text.isprintable() or "," in text or text != text.strip():
        msg = f"{field} '{text}': use printable ASCII without commas, and no blank at either end"
        raise ComtradeWriteError(msg)
    return text


def _number(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))

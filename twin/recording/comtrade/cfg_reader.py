"""The text of a configuration file, read leniently."""

import math
import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from twin.recording.comtrade.configuration import (
    AnalogChannel,
    ComtradeConfiguration,
    DataFormat,
    DigitalChannel,
    Revision,
    SampleRate,
)
from twin.recording.comtrade.failure import refuse
from twin.recording.comtrade.stamps import parse_offset, parse_stamp

_COUNTS: Final = re.compile(r"^\s*\d*\s*,?\s*(?:\d+\s*[AaDd]\s*,?\s*){1,2}$")
_COUNT: Final = re.compile(r"(\d+)\s*([AD])", re.IGNORECASE)
_NANOSECOND_DIGITS: Final = 7
"""More than six digits of the second mean that samples are stamped in nanoseconds."""


class CfgLines:
    """The lines of a configuration file that are not blank, taken one after another."""

    def __init__(self, text: str, file: str, *, first_line: int = 1) -> None:
        stripped = text.replace("\x1a", "").replace("\0", "").splitlines()
        self.file = file
        self._lines = [
            (number, line.strip()) for number, line in enumerate(stripped, first_line) if line.strip()
        ]
        self._end = first_line + len(stripped)
        self._next = 0

    @property
    def line(self) -> int:
        """1-based number of the line that was taken last."""
        return self._lines[self._next - 1][0] if self._next else 1

    def peek(self, ahead: int = 0) -> str:
        """Return a line that is still to come; empty at the end."""
        position = self._next + ahead
        return self._lines[position][1] if position < len(self._lines) else ""

    def take(self, expected: str) -> str:
        """Return the next line.

        Raises
        ------
        BadInputError
            At the end of the file, naming what was expected.
        """
        if self._next >= len(self._lines):
            mend = "copy the file again from the recorder"
            raise refuse(self.file, f"ends before {expected}", mend, line=self._end)
        self._next += 1
        return self._lines[self._next - 1][1]


def read_configuration(lines: CfgLines) -> ComtradeConfiguration:
    """Return the configuration that a text states.

    Accepted beyond the standard: blank lines and trailing 0x1A anywhere, a missing first line, years other
    than 1991, 1999 and 2013, blank ``b``, skew, limits, line frequency and station fields, ``nrates`` 0
    with or without a line for it, blank or impossible dates, and missing lines after the file type.

    Raises
    ------
    BadInputError
        When a field that values or times depend on is missing or not a number.

    References
    ----------
    IEEE C37.111-1991, -1999 and -2013, clause 7 (configuration file).
    """
    station, device, stated = _identity(lines)
    analog_count, digital_count = _channel_counts(lines)
    analog = tuple(_analog(lines, k + 1) for k in range(analog_count))
    digital = tuple(_digital(lines, k + 1) for k in range(digital_count))
    flagged = any(channel.scaling is not None for channel in analog)
    revision = _revision(stated, flagged=flagged)
    frequency = _frequency(lines)
    rates, count = _rates(lines)
    start = _stamp(lines, "the time of the first sample", revision)
    trigger = _stamp(lines, "the time of the trigger", revision)
    nanoseconds = max(start.digits, trigger.digits) >= _NANOSECOND_DIGITS
    found = ComtradeConfiguration(
        station=station,
        device=device,
        revision=revision,
        stated_revision=stated,
        analog=analog,
        digital=digital,
        frequency=frequency,
        rates=rates,
        sample_count=count,
        start_local_ns=start.local_ns,
        trigger_local_ns=trigger.local_ns,
        time_unit_s=1e-9 if nanoseconds else 1e-6,
        data_format=_data_format(lines),
    )
    return _with_tail(found, lines)


def _identity(lines: CfgLines) -> tuple[str, str, str]:
    """Return station, device and year; the line may be missing, and a name may hold commas."""
    if _COUNTS.match(lines.peek()):
        return "", "", ""
    fields = _split(lines.take("the station and device line"))
    stated = ""
    if len(fields) > 1 and re.fullmatch(r"(19|20)\d\d" if len(fields) == 2 else r"\d*", fields[-1]):
        stated = fields.pop()
    return fields[0], ",".join(fields[1:]), stated


def _revision(stated: str, *, flagged: bool) -> Revision:
    """Return whose rules hold: by the year, or by the fields of the channels where it is another one."""
    year = int(stated) if stated.isdecimal() else 0
    if year >= 2013:
        return 2013
    return 1999 if year >= 1999 or (flagged and year != 1991) else 1991


def _channel_counts(lines: CfgLines) -> tuple[int, int]:
    text = lines.take("the number of channels")
    if not _COUNTS.match(text):
        mend = "write it as total,analogA,digitalD, for example 7,6A,1D"
        raise refuse(lines.file, f"'{text}' is no number of channels", mend, line=lines.line)
    found = {letter.upper(): int(number) for number, letter in _COUNT.findall(text)}
    return found.get("A", 0), found.get("D", 0)


def _analog(lines: CfgLines, position: int) -> AnalogChannel:
    fields = _split(lines.take(f"analog channel {position}"))
    if len(fields) < 10:
        what = f"analog channel {position} has {len(fields)} fields"
        mend = "it needs 10 (1991) or 13 fields; check the number of channels in the second line"
        raise refuse(lines.file, what, mend, line=lines.line)
    name = fields[1]
    label = name or f"analog channel {position}"

    def number(index: int, what: str, default: float | None) -> float | None:
        if index >= len(fields) or not fields[index]:
            if default is None:
                raise refuse(lines.file, f"{what} is missing", "add it", line=lines.line, field=label)
            return default
        return _number(lines, fields[index], what, label)

    def limit(index: int) -> float | None:
        return _number(lines, fields[index], "limit", label) if fields[index] else None

    flag = fields[12].upper()[:1] if len(fields) > 12 else ""
    scaling: Literal["P", "S"] | None = "P" if flag == "P" else "S" if flag == "S" else None
    return AnalogChannel(
        number=int(fields[0]) if fields[0].isdecimal() else position,
        name=name,
        phase=fields[2],
        component=fields[3],
        unit=fields[4],
        factor=number(5, "the multiplier a", None) or 0.0,
        offset=number(6, "the offset b", 0.0) or 0.0,
        skew_us=number(7, "the skew", 0.0) or 0.0,
        minimum=limit(8),
        maximum=limit(9),
        primary=number(10, "the primary ratio", 1.0) or 0.0,
        secondary=number(11, "the secondary ratio", 1.0) or 0.0,
        scaling=scaling,
    )


def _digital(lines: CfgLines, position: int) -> DigitalChannel:
    """Return a digital channel: 3 fields in 1991, 5 since."""
    fields = _split(lines.take(f"digital channel {position}"))
    if len(fields) < 2:
        what = f"digital channel {position} has {len(fields)} field"
        mend = "it needs 3 (1991) or 5 fields; check the number of channels in the second line"
        raise refuse(lines.file, what, mend, line=lines.line)
    long = len(fields) > 3
    return DigitalChannel(
        number=int(fields[0]) if fields[0].isdecimal() else position,
        name=fields[1],
        phase=fields[2] if long else "",
        component=fields[3] if long else "",
        normal_state=1 if fields[-1] == "1" and len(fields) > 2 else 0,
    )


def _frequency(lines: CfgLines) -> float | None:
    """Return the line frequency; it is missing when the line after next would be a sampling rate already."""
    if "," in lines.peek(1) and "/" not in lines.peek(1):
        return None
    value = _number(lines, lines.take("the line frequency"), "the line frequency", "")
    return value if value > 0.0 else None


def _rates(lines: CfgLines) -> tuple[tuple[SampleRate, ...], int | None]:
    """Return the sampling rates (none where time stamps count) and the number of samples."""
    text = lines.take("the number of sampling rates")
    if not text.isdecimal():
        mend = "write how many sampling rates follow; 0 where the time stamps count"
        raise refuse(lines.file, f"'{text}' is no number of sampling rates", mend, line=lines.line)
    found: list[SampleRate] = []
    for position in range(max(int(text), 1)):
        if int(text) == 0 and "/" in lines.peek():
            return (), None
        fields = _split(lines.take(f"sampling rate {position + 1}"))
        if len(fields) != 2:
            mend = "write it as rate,last sample"
            raise refuse(lines.file, f"'{','.join(fields)}' is no sampling rate", mend, line=lines.line)
        rate = _number(lines, fields[0], "the sampling rate", "")
        last = int(_number(lines, fields[1], "the number of the last sample", ""))
        if found and last <= found[-1].last_sample:
            what = f"the last sample {last} is not after {found[-1].last_sample}"
            raise refuse(lines.file, what, "state the sections in order", line=lines.line)
        found.append(SampleRate(rate, last))
    rates = tuple(found)
    count = rates[-1].last_sample or None
    usable = int(text) > 0 and all(section.rate_hz > 0.0 for section in rates)
    return (rates if usable else ()), count


@dataclass(frozen=True, slots=True)
class _StampOrNone:
    local_ns: int | None
    digits: int


def _stamp(lines: CfgLines, what: str, revision: Revision) -> _StampOrNone:
    """Return a time; the line may be missing altogether."""
    text = lines.peek()
    if not ("/" in text or ":" in text or text.replace(",", "").strip() == ""):
        return _StampOrNone(None, 0)
    found = parse_stamp(lines.take(what), month_first=revision == 1991)
    return _StampOrNone(None, 0) if found is None else _StampOrNone(found.local_ns, found.digits)


def _data_format(lines: CfgLines) -> DataFormat:
    text = lines.take("the file type (ASCII, BINARY, BINARY32 or FLOAT32)")
    try:
        return DataFormat(text.upper().rstrip(",").replace(" ", ""))
    except ValueError:
        mend = "known are ASCII, BINARY, BINARY32 and FLOAT32"
        raise refuse(lines.file, f"unknown file type '{text}'", mend, line=lines.line) from None


def _with_tail(found: ComtradeConfiguration, lines: CfgLines) -> ComtradeConfiguration:
    """Return the configuration with the time multiplier and the time codes, as far as they are there."""
    if not lines.peek():
        return found
    multiplier = _number(lines, lines.take("the time multiplier"), "the time multiplier", "")
    if not multiplier > 0.0:
        mend = "write 1 where time stamps are in microseconds"
        raise refuse(lines.file, f"the time multiplier is {multiplier:g}", mend, line=lines.line)
    found = replace(found, time_multiplier=multiplier)
    if not lines.peek():
        return found
    codes = [*_split(lines.take("the time codes")), ""]
    found = replace(found, utc_offset_s=parse_offset(codes[0]), local_offset_s=parse_offset(codes[1]))
    if not lines.peek():
        return found
    quality = [*_split(lines.take("the time quality")), ""]
    return replace(found, time_quality=quality[0], leap_second=quality[1])


def _split(line: str) -> list[str]:
    return [field.strip() for field in line.split(",")]


def _number(lines: CfgLines, text: str, what: str, field: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        mend = "write a number with a decimal point"
        raise refuse(lines.file, f"{what} '{text}' is no number", mend, line=lines.line, field=field)
    return value

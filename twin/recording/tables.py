"""The one definition of the schema: tables, their columns and keys, for whichever database holds them.

Text is UTF-8 and sorts by its bytes, times are UTC nanoseconds since 1970, numbers are SI and primary
values. SQL NULL stands for a quantity that does not exist (NaN in memory). Columns named ``*_json`` hold
JSON with sorted keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FORMAT = "twin recording"
"""Value of ``meta.format`` by which a recording is recognised."""
SCHEMA_VERSION = 4
"""Grows with every change of the tables; ``migrations`` tells how an older one becomes this one."""

Kind = Literal["integer", "real", "text", "blob"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: 64-bit integer, 64-bit float, text or bytes."""

    name: str
    kind: Kind
    required: bool = True
    """False: NULL where it does not exist."""
    note: str = ""
    """What it holds, where the name does not say it all."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    numbered: bool = False
    """The key is one integer that the database counts up as rows arrive."""
    replaces: bool = False
    """A later row with the same key takes the place of the earlier."""
    index: str | None = None
    """A column by which rows are also looked for."""
    unique: str | None = None
    """A column beside the key that has each value once."""
    bulky: bool = False
    """Rows may be large, so that SQLite had better keep them apart from their keys."""

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the columns that a row of this table gives, in order."""
        return tuple(
            column.name for column in self.columns if not (self.numbered and column.name in self.key)
        )


def _integer(name: str, note: str = "", *, required: bool = True) -> Column:
    return Column(name, "integer", required, note)


def _real(name: str, note: str = "", *, required: bool = False) -> Column:
    return Column(name, "real", required, note)


def _text(name: str, note: str = "", *, required: bool = True) -> Column:
    return Column(name, "text", required, note)


META = Table("meta", (_text("key"), _text("value")), key=("key",), replaces=True)

METER = Table(
    "meter",
    (
        _integer("position", "order in the scenario, from 0"),
        _text("name"),
        _text("profile", "device family"),
        _text("location", "what it is connected to"),
        _real("rated_voltage", "line to neutral [V]"),
        _real("rated_current", "[A]"),
    ),
    key=("position",),
    unique="name",
)

EVENT = Table(
    "event",
    (
        _text("meter"),
        _integer("number", "the meter's own, from 1"),
        _text("type", "sag, swell or over_current"),
        _text("phases", "letters of the phases in the event"),
        _integer("start_ns", "first half cycle outside the threshold"),
        _integer("trigger_ns", "when it was recorded"),
        _integer("end_ns", "NULL while it lasts", required=False),
        _real("extreme", "lowest or highest RMS so far [V or A]"),
        _real("threshold", "[V or A]"),
        _real("rated", "[V or A]"),
    ),
    key=("meter", "number"),
    replaces=True,
    index="start_ns",
)

ALARM = Table(
    "alarm",
    (
        _integer("id", "order of arrival"),
        _text("meter"),
        _integer("channel", "from 1"),
        _text("parameter", "quantity that is watched"),
        _text("transition", "active or return"),
        _integer("time_ns"),
        _real("value", "at the transition"),
        _real("setpoint"),
        _text("comparison", ">, = or <"),
    ),
    key=("id",),
    numbered=True,
    index="time_ns",
)

SOE = Table(
    "soe",
    (
        _integer("id", "order of arrival"),
        _text("meter"),
        _text("module", "I/O module whose inputs are recorded"),
        _integer("time_ns"),
        _text("input", "what has changed, for example di3"),
        _integer("state", "its new state: 1 on, 0 off"),
        _integer("status", "all inputs of the module, the first in bit 0"),
    ),
    key=("id",),
    numbered=True,
    index="time_ns",
)

WAVEFORM = Table(
    "waveform",
    (
        _text("meter"),
        _integer("number", "the meter's own, from 1"),
        _text("reason", "what triggered"),
        _integer("trigger_ns"),
        _integer("trigger_index", "sample at which the trigger fell"),
        _real("sample_interval_s", "[s]", required=True),
        _text("channels_json", "names, one per row of raw"),
        _text("scale_json", "primary value per count, one per row of raw"),
        _integer("samples", "per channel"),
        Column("raw", "blob", note="int16 little-endian, channel after channel"),
    ),
    key=("meter", "number"),
    replaces=True,
    index="trigger_ns",
    bulky=True,
)

COMMAND = Table(
    "command",
    (
        _integer("sequence", "position in the one ordered queue"),
        _integer("applied_ns", "when it took effect"),
        _text("source"),
        _text("target"),
        _text("verb"),
        _text("arguments_json"),
        _text("refusal", "NULL when done", required=False),
    ),
    key=("sequence",),
)

TRUTH = Table(
    "truth",
    (
        _integer("id", "order of arrival"),
        _integer("time_ns"),
        _text("kind", "what happened"),
        _text("element", "to what"),
        _text("cause", "by what"),
        _text("detail_json"),
    ),
    key=("id",),
    numbered=True,
    index="time_ns",
)

TERMINAL = Table(
    "terminal",
    (
        _integer("id", "order of arrival"),
        _text("meter", "at whose place"),
        _integer("time_ns", "from when on"),
        *(
            _real(name, f"RMS of phase {phase} to earth [V]")
            for name, phase in zip(("v1", "v2", "v3"), "abc", strict=True)
        ),
        *(
            _real(name, f"RMS in phase {phase} [A]")
            for name, phase in zip(("i1", "i2", "i3"), "abc", strict=True)
        ),
    ),
    key=("id",),
    numbered=True,
    index="time_ns",
)

REGISTER_POINT = Table(
    "register_point",
    (
        _text("meter"),
        _text("name", "of the register, as in the tag list"),
        _integer("address", "first word, from 0"),
        _integer("words", "1 or 2"),
        _text("type", "uint16, int16, uint32, int32 or float32"),
        _text("word_order", "high first; empty for one word"),
        _real("scale", "engineering value = raw value x scale, as set when the recording began"),
        _text("unit"),
        _text("access", "R, RW or W"),
    ),
    key=("meter", "address"),
    replaces=True,
)

REGISTER_CHANGE = Table(
    "register_change",
    (
        _text("meter"),
        _integer("address", "first word, from 0"),
        _integer("time_ns", "when it was first seen to differ"),
        Column("words", "blob", note="uint16 big-endian, as Modbus sends them"),
    ),
    key=("meter", "address", "time_ns"),
    replaces=True,
)

CHANNEL_SET = Table(
    "channel_set",
    (_integer("id"), _text("channels_json", "names of the columns of its load profile")),
    key=("id",),
)

METER_CHANNEL_SET = Table(
    "meter_channel_set",
    (_text("meter"), _integer("channel_set")),
    key=("meter", "channel_set"),
)

SEGMENT = Table(
    "segment",
    (
        _integer("id", "order in which days were sealed"),
        _integer("channel_set"),
        _integer("day", "days since 1970-01-01, UTC"),
        _text("file", "relative to the recording"),
        _integer("first_end_ns"),
        _integer("last_end_ns"),
        _integer("rows"),
    ),
    key=("id",),
)

TABLES = (
    META, METER, EVENT, ALARM, SOE, WAVEFORM, COMMAND, TRUTH, TERMINAL, REGISTER_POINT, REGISTER_CHANGE,
    CHANNEL_SET, METER_CHANNEL_SET, SEGMENT,
)  # fmt: skip
"""All but the load profile."""

RECORD_TABLES = {
    table.name: table
    for table in (EVENT, ALARM, SOE, WAVEFORM, COMMAND, TRUTH, TERMINAL, REGISTER_POINT, REGISTER_CHANGE)
}
"""What records other than intervals go to, by name."""


def profile_table(channel_set: int, channels: Sequence[str]) -> Table:
    """Return the table of the load profile of one set of channels: wide, one column per channel."""
    keys = (_integer("end_ns", "end of the interval"), _text("meter"), _real("duration_s", "[s]"))
    columns = (*keys, *(_real(channel) for channel in channels))
    return Table(f"load_profile_{channel_set}", columns, key=("end_ns", "meter"), replaces=True)

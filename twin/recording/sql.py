"""What readers and the writer ask of a recording's database, in words that SQLite and PostgreSQL share.

``?`` and ``:name`` stand for values. ``:after_ns`` is exclusive; rows of the filtered queries come newest
first.
"""

from collections.abc import Sequence

from twin.recording.tables import (
    ALARM,
    COMMAND,
    EVENT,
    METER,
    REGISTER_CHANGE,
    REGISTER_POINT,
    SOE,
    TERMINAL,
    TRUTH,
    WAVEFORM,
    Table,
)

ALL = 2**63 - 1
"""A limit that leaves nothing out."""


def quoted(names: Sequence[str]) -> str:
    """Return names as a list of columns, whatever case they have."""
    return ", ".join(f'"{name}"' for name in names)


def add_row(table: Table) -> str:
    """Return the statement that adds one row, or replaces it where the table says so."""
    marks = ", ".join("?" * len(table.given))
    return f"INSERT INTO {table.name} ({quoted(table.given)}) VALUES ({marks}){on_conflict(table)}"


def on_conflict(table: Table) -> str:
    """Return what an insertion does about a row with the same key."""
    if not table.replaces:
        return ""
    rest = [name for name in table.given if name not in table.key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return f" ON CONFLICT ({quoted(table.key)}) DO UPDATE SET {changes}"


NEXT_SEGMENT = "SELECT coalesce(max(id), 0) + 1 FROM segment"
SEGMENT_FILES = "SELECT file FROM segment"
OLD_SEGMENTS = "SELECT id, file FROM segment WHERE last_end_ns <= ? ORDER BY id"
DROP_SEGMENT = "DELETE FROM segment WHERE id = ?"

META = "SELECT key, value FROM meta"
LAST_BATCH = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'batch'"
LAST_COMMAND = "SELECT coalesce(max(sequence), 0) FROM command"
METERS = "SELECT name, profile, location, rated_voltage, rated_current FROM meter ORDER BY position"
CHANNEL_SETS = "SELECT id, channels_json FROM channel_set ORDER BY id"
METER_CHANNEL_SETS = "SELECT meter, channel_set FROM meter_channel_set ORDER BY meter, channel_set"
CHANNEL_SETS_OF_METER = (
    "SELECT id, channels_json FROM channel_set JOIN meter_channel_set ON channel_set = id"
    " WHERE meter = ? ORDER BY id"
)
SEGMENTS = (
    "SELECT file FROM segment WHERE channel_set = ? AND last_end_ns > ? AND first_end_ns <= ? ORDER BY id"
)
SEGMENT_DAYS = "SELECT day, file FROM segment WHERE channel_set = ? ORDER BY day, id"
NEWEST_SEGMENT_DAY = "SELECT max(day) FROM segment"

# PostgreSQL wants to know the type of a value that may be NULL.
_OF_METER = "(CAST(:meter AS TEXT) IS NULL OR meter = :meter)"

EVENTS = f"""
SELECT {quoted(EVENT.given)} FROM event
WHERE coalesce(end_ns, trigger_ns) > :after_ns AND {_OF_METER}
ORDER BY start_ns DESC, meter DESC, number DESC LIMIT :limit
"""
ALARMS = f"""
SELECT {quoted(ALARM.given)} FROM alarm
WHERE time_ns > :after_ns AND {_OF_METER}
ORDER BY time_ns DESC, id DESC LIMIT :limit
"""
SOE_RECORDS = f"""
SELECT {quoted(SOE.given)} FROM soe
WHERE time_ns > :after_ns AND {_OF_METER}
ORDER BY time_ns DESC, id DESC LIMIT :limit
"""
TERMINALS = f"""
SELECT {quoted(TERMINAL.given)} FROM terminal
WHERE time_ns > :after_ns AND {_OF_METER}
ORDER BY time_ns DESC, id DESC LIMIT :limit
"""
COMMANDS = f"""
SELECT {quoted(COMMAND.given)} FROM command
WHERE applied_ns > :after_ns
ORDER BY sequence DESC LIMIT :limit
"""
TRUTH_ENTRIES = f"""
SELECT {quoted(TRUTH.given)} FROM truth
WHERE time_ns > :after_ns AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind)
AND (CAST(:element AS TEXT) IS NULL OR element = :element)
AND (CAST(:without AS TEXT) IS NULL OR kind <> :without)
ORDER BY time_ns DESC, id DESC LIMIT :limit
"""
WAVEFORMS = f"""
SELECT meter, number, reason, trigger_ns, trigger_index, sample_interval_s, channels_json, samples
FROM waveform
WHERE trigger_ns > :after_ns AND {_OF_METER}
ORDER BY trigger_ns DESC, meter DESC, number DESC LIMIT :limit
"""
WAVEFORM_WITH_SAMPLES = """
SELECT meter, number, reason, trigger_ns, trigger_index, sample_interval_s, channels_json, samples, raw,
    scale_json
FROM waveform WHERE meter = ? AND number = ?
"""
REGISTER_POINTS = (
    f"SELECT {quoted(REGISTER_POINT.given[1:])} FROM register_point WHERE meter = ? ORDER BY address"
)
REGISTER_CHANGES = """
SELECT time_ns, words FROM register_change
WHERE meter = ? AND address = ? AND time_ns >= ? AND time_ns < ? ORDER BY time_ns
"""
REGISTER_BEFORE = """
SELECT time_ns, words FROM register_change
WHERE meter = ? AND address = ? AND time_ns < ? ORDER BY time_ns DESC LIMIT 1
"""

CANONICAL_ROWS = (
    (ALARM, ALARM.given, "time_ns, meter, channel, id"),
    (COMMAND, COMMAND.given, "sequence"),
    (EVENT, EVENT.given, "meter, number"),
    (METER, METER.given[1:], "name"),
    (REGISTER_CHANGE, REGISTER_CHANGE.given, "meter, address, time_ns"),
    (REGISTER_POINT, REGISTER_POINT.given, "meter, address"),
    (SOE, SOE.given, "time_ns, meter, id"),
    (TERMINAL, TERMINAL.given, "time_ns, meter, id"),
    (TRUTH, TRUTH.given, "time_ns, id"),
    (WAVEFORM, tuple(name for name in WAVEFORM.given if name != "samples"), "meter, number"),
)
"""Table, columns and key order of what the content hash covers, beside the load profile."""
OPTIONAL = frozenset({"register_change", "register_point", "soe", "terminal"})
"""Tables that do not enter the content hash while they are empty."""

FORGETTING = {
    "truth": ("DELETE FROM truth WHERE time_ns < ?", "DELETE FROM terminal WHERE time_ns < ?"),
    "alarms": ("DELETE FROM alarm WHERE time_ns < ?",),
    "soe": ("DELETE FROM soe WHERE time_ns < ?",),
    "events": ("DELETE FROM event WHERE end_ns < ?",),
    "waveforms": ("DELETE FROM waveform WHERE trigger_ns < ?",),
    # The last change before is what the register held since: it stays, or the trend would begin with a gap.
    "registers": (
        "DELETE FROM register_change WHERE time_ns < (SELECT max(later.time_ns) FROM register_change later"
        " WHERE later.meter = register_change.meter AND later.address = register_change.address"
        " AND later.time_ns <= ?)",
    ),
}
"""What removes rows of before an instant, by what retention calls them; the load profile goes by days."""


def hot_intervals(channel_set: int, channels: Sequence[str]) -> str:
    """Return the query of one meter's hot intervals that end in (start, end]."""
    return (
        f"SELECT {quoted(['end_ns', 'duration_s', *channels])} FROM load_profile_{channel_set}"
        " WHERE end_ns > ? AND end_ns <= ? AND meter = ? ORDER BY end_ns"
    )


def hot_intervals_of_all(channel_set: int, channels: Sequence[str]) -> str:
    """Return the query of every meter's hot intervals that end in (start, end], by meter and time."""
    return (
        f"SELECT {quoted(['meter', 'end_ns', 'duration_s', *channels])} FROM load_profile_{channel_set}"
        " WHERE end_ns > ? AND end_ns <= ? ORDER BY meter, end_ns"
    )


def first_hot_end(channel_set: int) -> str:
    """Return the query of the earliest end of a hot interval; NULL when there is none."""
    return f"SELECT min(end_ns) FROM load_profile_{channel_set}"


def last_hot_end(channel_set: int) -> str:
    """Return the query of the latest end of a hot interval; NULL when there is none."""
    return f"SELECT max(end_ns) FROM load_profile_{channel_set}"


def hot_ends(channel_set: int) -> str:
    """Return the query of the distinct ends of hot intervals."""
    return f"SELECT DISTINCT end_ns FROM load_profile_{channel_set}"


def drop_hot_intervals(channel_set: int) -> str:
    """Return the statement that removes the intervals that end in (start, end]."""
    return f"DELETE FROM load_profile_{channel_set} WHERE end_ns > ? AND end_ns <= ?"

"""Every SQL statement of the historian: the schema, what the writer runs, what readers run.

Text is UTF-8, times are UTC nanoseconds since 1970, numbers are SI and primary values. SQL NULL stands
for a quantity that does not exist (NaN in memory). Columns named ``*_json`` hold JSON with sorted keys.
"""

from collections.abc import Sequence

FORMAT = "twin recording"
"""Value of ``meta.format`` by which a recording is recognised."""
SCHEMA_VERSION = 1
"""Grows with every change after which an older reader would misread a recording."""

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE meter (
    position INTEGER PRIMARY KEY,      -- order in the scenario, from 0
    name TEXT NOT NULL UNIQUE,
    profile TEXT NOT NULL,
    location TEXT NOT NULL,
    rated_voltage REAL,                -- line to neutral [V]
    rated_current REAL                 -- [A]
) STRICT;

CREATE TABLE event (
    meter TEXT NOT NULL,
    number INTEGER NOT NULL,
    type TEXT NOT NULL,
    phases TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    trigger_ns INTEGER NOT NULL,
    end_ns INTEGER,                    -- NULL while it lasts
    extreme REAL,
    threshold REAL,
    rated REAL,
    PRIMARY KEY (meter, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_start ON event (start_ns);

CREATE TABLE alarm (
    id INTEGER PRIMARY KEY,
    meter TEXT NOT NULL,
    channel INTEGER NOT NULL,
    parameter TEXT NOT NULL,
    transition TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    value REAL,
    setpoint REAL,
    comparison TEXT NOT NULL
) STRICT;
CREATE INDEX alarm_time ON alarm (time_ns);

CREATE TABLE waveform (
    meter TEXT NOT NULL,
    number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    trigger_ns INTEGER NOT NULL,
    trigger_index INTEGER NOT NULL,
    sample_interval_s REAL NOT NULL,
    channels_json TEXT NOT NULL,       -- names, one per row of raw
    scale_json TEXT NOT NULL,          -- primary value per count, one per row of raw
    samples INTEGER NOT NULL,          -- per channel
    raw BLOB NOT NULL,                 -- int16 little-endian, channel after channel
    PRIMARY KEY (meter, number)
) STRICT;
CREATE INDEX waveform_trigger ON waveform (trigger_ns);

CREATE TABLE command (
    sequence INTEGER PRIMARY KEY,
    applied_ns INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    verb TEXT NOT NULL,
    arguments_json TEXT NOT NULL,
    refusal TEXT                       -- NULL when done
) STRICT;

CREATE TABLE truth (
    id INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    element TEXT NOT NULL,
    cause TEXT NOT NULL,
    detail_json TEXT NOT NULL
) STRICT;
CREATE INDEX truth_time ON truth (time_ns);

-- The load profile: one hot table load_profile_<id> per set of channels, and sealed days in Parquet.
CREATE TABLE channel_set (id INTEGER PRIMARY KEY, channels_json TEXT NOT NULL) STRICT;

CREATE TABLE meter_channel_set (
    meter TEXT NOT NULL,
    channel_set INTEGER NOT NULL REFERENCES channel_set (id),
    PRIMARY KEY (meter, channel_set)
) STRICT, WITHOUT ROWID;

CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    channel_set INTEGER NOT NULL REFERENCES channel_set (id),
    day INTEGER NOT NULL,              -- days since 1970-01-01, UTC
    file TEXT NOT NULL,                -- relative to the recording
    first_end_ns INTEGER NOT NULL,
    last_end_ns INTEGER NOT NULL,
    rows INTEGER NOT NULL
) STRICT;
"""

# What the writer runs.

SET_META = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"
ADD_METER = (
    "INSERT INTO meter (position, name, profile, location, rated_voltage, rated_current)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
ADD_CHANNEL_SET = "INSERT INTO channel_set (id, channels_json) VALUES (?, ?)"
ADD_METER_CHANNEL_SET = "INSERT INTO meter_channel_set (meter, channel_set) VALUES (?, ?)"
NEXT_SEGMENT = "SELECT coalesce(max(id), 0) + 1 FROM segment"
ADD_SEGMENT = (
    "INSERT INTO segment (id, channel_set, day, file, first_end_ns, last_end_ns, rows)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)

ADD_RECORD = {
    "event": (
        "INSERT OR REPLACE INTO event (meter, number, type, phases, start_ns, trigger_ns, end_ns,"
        " extreme, threshold, rated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "alarm": (
        "INSERT INTO alarm (meter, channel, parameter, transition, time_ns, value, setpoint, comparison)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "waveform": (
        "INSERT OR REPLACE INTO waveform (meter, number, reason, trigger_ns, trigger_index,"
        " sample_interval_s, channels_json, scale_json, samples, raw)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "command": (
        "INSERT INTO command (sequence, applied_ns, source, target, verb, arguments_json, refusal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    ),
    "truth": "INSERT INTO truth (time_ns, kind, element, cause, detail_json) VALUES (?, ?, ?, ?, ?)",
}
"""Statement by table; a later event or waveform of the same meter and number replaces the earlier."""

# What readers run. `:after_ns` is exclusive; `:limit` -1 means all; rows come newest first.

META = "SELECT key, value FROM meta"
LAST_BATCH = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'batch'"
METERS = "SELECT name, profile, location, rated_voltage, rated_current FROM meter ORDER BY position"
CHANNEL_SETS = "SELECT id, channels_json FROM channel_set ORDER BY id"
CHANNEL_SETS_OF_METER = (
    "SELECT id, channels_json FROM channel_set JOIN meter_channel_set ON channel_set = id"
    " WHERE meter = ? ORDER BY id"
)
SEGMENTS = (
    "SELECT file FROM segment WHERE channel_set = ? AND last_end_ns > ? AND first_end_ns <= ? ORDER BY id"
)
SEGMENT_DAYS = "SELECT day, file FROM segment WHERE channel_set = ? ORDER BY day, id"

EVENTS = """
SELECT meter, number, type, phases, start_ns, trigger_ns, end_ns, extreme, threshold, rated FROM event
WHERE coalesce(end_ns, trigger_ns) > :after_ns AND (:meter IS NULL OR meter = :meter)
ORDER BY start_ns DESC, meter DESC, number DESC LIMIT :limit
"""
ALARMS = """
SELECT meter, channel, parameter, transition, time_ns, value, setpoint, comparison FROM alarm
WHERE time_ns > :after_ns AND (:meter IS NULL OR meter = :meter)
ORDER BY time_ns DESC, id DESC LIMIT :limit
"""
COMMANDS = """
SELECT sequence, applied_ns, source, target, verb, arguments_json, refusal FROM command
WHERE applied_ns > :after_ns
ORDER BY sequence DESC LIMIT :limit
"""
TRUTH = """
SELECT time_ns, kind, element, cause, detail_json FROM truth
WHERE time_ns > :after_ns AND (:kind IS NULL OR kind = :kind) AND (:element IS NULL OR element = :element)
ORDER BY time_ns DESC, id DESC LIMIT :limit
"""
WAVEFORMS = """
SELECT meter, number, reason, trigger_ns, trigger_index, sample_interval_s, channels_json, samples
FROM waveform
WHERE trigger_ns > :after_ns AND (:meter IS NULL OR meter = :meter)
ORDER BY trigger_ns DESC, meter DESC, number DESC LIMIT :limit
"""
WAVEFORM = """
SELECT meter, number, reason, trigger_ns, trigger_index, sample_interval_s, channels_json, samples, raw,
    scale_json
FROM waveform WHERE meter = ? AND number = ?
"""

CANONICAL_ROWS = (
    ("alarm", "meter, channel, parameter, transition, time_ns, value, setpoint, comparison",
     "time_ns, meter, channel, id"),
    ("command", "sequence, applied_ns, source, target, verb, arguments_json, refusal", "sequence"),
    ("event", "meter, number, type, phases, start_ns, trigger_ns, end_ns, extreme, threshold, rated",
     "meter, number"),
    ("meter", "name, profile, location, rated_voltage, rated_current", "name"),
    ("truth", "time_ns, kind, element, cause, detail_json", "time_ns, id"),
    ("waveform", "meter, number, reason, trigger_ns, trigger_index, sample_interval_s, channels_json,"
     " scale_json, raw", "meter, number"),
)  # fmt: skip
"""Table, columns and key order of what the content hash covers, beside the load profile."""


# The hot tables of the load profile, one per set of channels.


def _quoted(channels: Sequence[str]) -> str:
    return "".join(f', "{channel}"' for channel in channels)


def create_profile_table(channel_set: int, channels: Sequence[str]) -> str:
    """Return the statement that creates the hot table of a set of channels."""
    columns = "".join(f', "{channel}" REAL' for channel in channels)
    return (
        f"CREATE TABLE load_profile_{channel_set} (end_ns INTEGER NOT NULL, meter TEXT NOT NULL,"
        f" duration_s REAL{columns}, PRIMARY KEY (end_ns, meter)) STRICT, WITHOUT ROWID"
    )


def add_interval(channel_set: int, channels: Sequence[str]) -> str:
    """Return the statement that adds (or corrects) one interval."""
    marks = ", ?" * len(channels)
    return (
        f"INSERT OR REPLACE INTO load_profile_{channel_set} (end_ns, meter, duration_s{_quoted(channels)})"
        f" VALUES (?, ?, ?{marks})"
    )


def hot_intervals(channel_set: int, channels: Sequence[str]) -> str:
    """Return the query of one meter's hot intervals that end in (start, end]."""
    return (
        f"SELECT end_ns, duration_s{_quoted(channels)} FROM load_profile_{channel_set}"
        " WHERE end_ns > ? AND end_ns <= ? AND meter = ? ORDER BY end_ns"
    )


def hot_intervals_of_all(channel_set: int, channels: Sequence[str]) -> str:
    """Return the query of every meter's hot intervals that end in (start, end], by meter and time."""
    return (
        f"SELECT meter, end_ns, duration_s{_quoted(channels)} FROM load_profile_{channel_set}"
        " WHERE end_ns > ? AND end_ns <= ? ORDER BY meter, end_ns"
    )


def first_hot_end(channel_set: int) -> str:
    """Return the query of the earliest end of a hot interval; NULL when there is none."""
    return f"SELECT min(end_ns) FROM load_profile_{channel_set}"


def hot_ends(channel_set: int) -> str:
    """Return the query of the distinct ends of hot intervals."""
    return f"SELECT DISTINCT end_ns FROM load_profile_{channel_set}"


def drop_hot_intervals(channel_set: int) -> str:
    """Return the statement that removes the intervals that end in (start, end]."""
    return f"DELETE FROM load_profile_{channel_set} WHERE end_ns > ? AND end_ns <= ?"

"""The historian: a recording that any process can read while one writes it.

It is a directory, in which events, alarms, commands, truth, waveforms and the last days of load profile
are in SQLite and finished days in Parquet; or a run in a PostgreSQL database that a URL names. Other SQL
and Parquet readers can use them without this package.
"""

from twin.recording.content import content_hash
from twin.recording.difference import first_difference
from twin.recording.errors import NotRecordedError, RecordingError, RecordingPathError
from twin.recording.export import (
    export_load_profile_csv,
    export_load_profile_parquet,
    export_waveform_csv,
)
from twin.recording.load_profile import LoadProfile
from twin.recording.places import DatabasePlace, Place, is_database, place_of
from twin.recording.reader import Recording, RecordingInfo
from twin.recording.rows import WaveformSummary
from twin.recording.writer import RecordingWriter

__all__ = [
    "DatabasePlace",
    "LoadProfile",
    "NotRecordedError",
    "Place",
    "Recording",
    "RecordingError",
    "RecordingInfo",
    "RecordingPathError",
    "RecordingWriter",
    "WaveformSummary",
    "content_hash",
    "export_load_profile_csv",
    "export_load_profile_parquet",
    "export_waveform_csv",
    "first_difference",
    "is_database",
    "place_of",
]

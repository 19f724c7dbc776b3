"""The historian: a recording is a directory that any process can read while one writes it.

Events, alarms, commands, truth, waveforms and the last days of load profile are in SQLite; finished
days of load profile are in Parquet. Other SQL and Parquet readers can use them without this package.
"""

from twin.recording.content import content_hash
from twin.recording.errors import NotRecordedError, RecordingError, RecordingPathError
from twin.recording.export import (
    export_load_profile_csv,
    export_load_profile_parquet,
    export_waveform_csv,
)
from twin.recording.load_profile import LoadProfile
from twin.recording.reader import Recording, RecordingInfo
from twin.recording.rows import WaveformSummary
from twin.recording.writer import RecordingWriter

__all__ = [
    "LoadProfile",
    "NotRecordedError",
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
]

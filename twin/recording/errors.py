"""What can go wrong with a recording."""

from twin.contracts import TwinError


class RecordingError(TwinError, ValueError):
    """A record that does not belong in this recording, or a recording that cannot be understood."""


class RecordingPathError(TwinError, OSError):
    """A place that cannot be created, read or written: missing, occupied, unwritable or full."""


class NotRecordedError(TwinError, LookupError):
    """A meter, channel or capture that the recording does not hold."""

"""Where the logs of a meter lie in memory that processes share, and the windows on them."""

from twin.contracts import RetrievalWindow
from twin.meters.kw320.data_log_memory import DATA_LOG_BYTES, DataLogMemory
from twin.meters.kw320.data_log_window import DataLogWindow
from twin.meters.kw320.published_log import LOG_BYTES, published_windows

_PAGE = 4096
_QUALITY_BYTES = -(-LOG_BYTES // _PAGE) * _PAGE


def log_bytes(*, power_quality: bool) -> int:
    """Return how much memory the logs of a meter need [bytes]; what is not used takes none."""
    return DATA_LOG_BYTES + (_QUALITY_BYTES if power_quality else 0)


def data_log_part(memory: memoryview) -> memoryview:
    """Return the part of a meter's memory that holds its data logs."""
    return memory[:DATA_LOG_BYTES]


def quality_part(memory: memoryview) -> memoryview:
    """Return the part of a meter's memory that holds its power-quality logs."""
    return memory[DATA_LOG_BYTES:]


def windows(memory: memoryview) -> tuple[RetrievalWindow, ...]:
    """Return the retrieval windows of a meter without power quality, in any process."""
    logs = DataLogMemory(data_log_part(memory))
    return (DataLogWindow(lambda: logs),)


def windows_with_quality(memory: memoryview) -> tuple[RetrievalWindow, ...]:
    """Return the retrieval windows of a meter with power quality, in any process."""
    return (*published_windows(quality_part(memory)), *windows(memory))

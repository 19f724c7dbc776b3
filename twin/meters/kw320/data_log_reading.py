"""Reading a data log as a master does: by its status, then window by window.

References
----------
KW320 manual 6.3.8, log status block, log retrieval block and the example of a retrieval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Point, RetrievalWindow
from twin.meters.kw320.data_log_settings import OVERHEAD_BYTES
from twin.meters.kw320.data_log_window import READY, RETRIEVAL_BLOCK, STATUS_BLOCKS, WINDOW_BYTES

Words = NDArray[np.uint16]

_HEADER_WORDS = 4
_NUMBER_WORDS, _STAMP_WORDS, _CRC_WORDS = 2, 3, 1


@dataclass(frozen=True, slots=True)
class DataLogStatus:
    """What the status block of a log says."""

    most: int
    """Records that it holds at most; 0 for a log that is not set."""
    used: int
    record_bytes: int
    first: str
    """Meter's time of the oldest record, ``2026-01-15T06:01:00``; empty without."""
    last: str


@dataclass(frozen=True, slots=True, eq=False)
class DataLogRecord:
    """A record."""

    number: int
    """Counted since the log was set."""
    stamp: str
    """Meter's time, ``2026-01-15T06:01:00``."""
    data: Words
    """Registers of the log's list, word by word."""


@dataclass(frozen=True, slots=True)
class DataLogColumn:
    """A register of a log's list, or a word of one that is listed in part."""

    name: str
    """Of the register; ``4001H`` for a word alone."""
    at: int
    """First word in a record's data."""
    point: Point | None
    """How the register is decoded; None for a word alone."""


def data_log_status(window: RetrievalWindow, log: int) -> DataLogStatus:
    """Return the status of a log, 1..3.

    Parameters
    ----------
    window : RetrievalWindow
        Of the meter's data logs.
    log : int
    """
    block = STATUS_BLOCKS[log - 1]
    words, _ = window.read(window.initial(), block.address, block.count)
    parts = words.tolist()
    first, last = _stamp(parts[6:9]), _stamp(parts[9:12])
    used = parts[2] << 16 | parts[3] if first else 0  # an empty log that is set says 1
    return DataLogStatus(parts[0] << 16 | parts[1], used, parts[4], first, last)


def read_data_log(window: RetrievalWindow, log: int, *, newest: int) -> list[DataLogRecord]:
    """Return the newest records of a log, 1..3, in order.

    Parameters
    ----------
    window : RetrievalWindow
        Of the meter's data logs.
    log : int
    newest : int
        So many at most.

    Returns
    -------
    list of DataLogRecord
        Those that are not overwritten while they are read.
    """
    status = data_log_status(window, log)
    found: list[DataLogRecord] = []
    if not status.used:
        return found
    address, size = RETRIEVAL_BLOCK.address, status.record_bytes // 2
    at_once = WINDOW_BYTES // status.record_bytes
    cursor = window.write(window.initial(), address, (log - 1,))
    offset = max(status.used - newest, 0)
    while offset < status.used:
        cursor = window.write(cursor, address + 1, (at_once << 8, offset >> 16, offset & 0xFFFF))
        words, cursor = window.read(cursor, address, RETRIEVAL_BLOCK.count)
        if words[1] & 0xFF != READY:
            break
        here = min(at_once, status.used - offset)
        found += map(_record, words[_HEADER_WORDS : _HEADER_WORDS + here * size].reshape(here, size))
        offset += here
    return found


def data_log_columns(addresses: Sequence[int], points: Sequence[Point]) -> tuple[DataLogColumn, ...]:
    """Return what the registers of a log's list are.

    Parameters
    ----------
    addresses : sequence of int
        The list, word by word.
    points : sequence of Point
        The meter's registers.
    """
    known = {point.address: point for point in points}
    columns, at = [], 0
    while at < len(addresses):
        point = known.get(addresses[at])
        words = 1 if point is None else point.words
        whole = [addresses[at] + k for k in range(words)]
        if point is None or list(addresses[at : at + words]) != whole:
            point, words = None, 1
        columns.append(DataLogColumn(point.name if point else f"{addresses[at]:04X}H", at, point))
        at += words
    return tuple(columns)


def _record(words: Words) -> DataLogRecord:
    assert words.size * 2 >= OVERHEAD_BYTES
    number = int(words[0]) << 16 | int(words[1])
    data = words[_NUMBER_WORDS + _STAMP_WORDS : -_CRC_WORDS]
    return DataLogRecord(number, _stamp(words[_NUMBER_WORDS:][:_STAMP_WORDS].tolist()), data)


def _stamp(words: Sequence[int]) -> str:
    """Return three words of a meter's time as text; empty where there is none."""
    year, month, day, hour, minute, second = (part for word in words for part in divmod(word, 0x100))
    return f"{2000 + year}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}" if month else ""

"""The retrieval window of the data logs, and their status.

References
----------
KW320 manual 6.3.8, log status block, log retrieval block and the example of a retrieval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.contracts import RegisterBlock
from twin.meters.kw320.data_log_memory import DataLogMemory
from twin.meters.kw320.data_log_settings import LOGS, MAX_REGISTERS, OVERHEAD_BYTES

RETRIEVAL_BLOCK = RegisterBlock(0x6000, 127)
"""Log, records and status, offset, and the window of 123 words."""
STATUS_BLOCKS = (RegisterBlock(0x6100, 12), RegisterBlock(0x6200, 12), RegisterBlock(0x6300, 12))
"""Of logs 1, 2, 3."""
WINDOW_BYTES = 246
READY = 0x0B
NOT_READY = 0xFF
ERASED = 0xBB
LIST_ERROR = 0xC0
"""Together with bit 0..2 for log 1..3."""
_HEADER_WORDS = 4
_MOST_RECORDS = WINDOW_BYTES // (OVERHEAD_BYTES + 2)
_MOST_OFFSET = 0xFFFF_FFFF
assert OVERHEAD_BYTES + 2 * MAX_REGISTERS == WINDOW_BYTES

Words = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class DataLogCursor:
    """What a master asked the retrieval window for."""

    log_word: int = 0
    """As written to 6000H."""
    records: int = 0
    """Records in a window (high byte of 6001H)."""
    offset: int = 0
    """Of the first record in the window, from the latched one (6002H)."""
    latched: int | None = None
    """Number of the oldest record when the log was asked for; offset 0 means that one."""
    erasures: int = 0
    """How often the log had been erased then."""
    changes: int = 0
    """How often settings of the logs had been changed then."""

    @property
    def log(self) -> int:
        """0..2: which log."""
        high, low = divmod(self.log_word, 0x100)
        return max(high, low)


class DataLogWindow:
    """Records of the data logs, as many as go into 123 registers.

    Nothing moves on by itself: reading twice shows the same.

    Parameters
    ----------
    memory : Callable
        Returns the memory of the meter's logs.
    """

    blocks = (RETRIEVAL_BLOCK, *STATUS_BLOCKS)

    def __init__(self, memory: Callable[[], DataLogMemory]) -> None:
        self._memory = memory

    def initial(self) -> DataLogCursor:
        """Return a new session's cursor: nothing was asked for yet."""
        return DataLogCursor()

    def read(self, cursor: DataLogCursor, address: int, count: int) -> tuple[Words, DataLogCursor]:
        """Return words of the window, or of a status block."""
        memory = self._memory()
        for log, block in enumerate(STATUS_BLOCKS):
            if address >= block.address and address < block.address + block.count:
                words = memory.consistent(log, partial(_status_words, memory, log))
                return words[address - block.address :][:count], cursor
        log = cursor.log
        words, cursor = memory.consistent(log, partial(_window_words, memory, cursor))
        return words[address - RETRIEVAL_BLOCK.address :][:count], cursor

    def write(self, cursor: DataLogCursor, address: int, words: Sequence[int]) -> DataLogCursor | None:
        """Ask for other records; the status in the low byte of 6001H is passed over.

        Naming the log, or offset 0, latches the record that is oldest then.

        Raises
        ------
        ValueError
            There is no such log, or no window takes so many records.
        """
        first = address - RETRIEVAL_BLOCK.address
        if first < 0 or first + len(words) > _HEADER_WORDS:
            return None
        header = [cursor.log_word, cursor.records << 8, cursor.offset >> 16, cursor.offset & 0xFFFF]
        header[first : first + len(words)] = words
        log_word, records, offset = header[0], header[1] >> 8, header[2] << 16 | header[3]
        high, low = divmod(log_word, 0x100)
        if min(high, low) or max(high, low) >= LOGS:
            raise ValueError(f"log_type (6000H) {log_word} is out of range 0..2")
        if records > _MOST_RECORDS:
            raise ValueError(f"log_window_records_status (6001H): {records} records do not go into a window")
        memory = self._memory()
        asked = replace(cursor, log_word=log_word, records=records, offset=offset, changes=memory.changes)
        again = first == 0 or offset == 0 or asked.log != cursor.log
        return memory.consistent(asked.log, partial(_latched, memory, asked, again=again))


def _latched(memory: DataLogMemory, cursor: DataLogCursor, *, again: bool = False) -> DataLogCursor:
    """Return a cursor that knows which record offset 0 is."""
    erasures = memory.erasures(cursor.log)
    if not again and cursor.latched is not None and cursor.erasures == erasures:
        return cursor
    return replace(cursor, latched=memory.numbers(cursor.log).start, erasures=erasures)


def _window_words(memory: DataLogMemory, cursor: DataLogCursor) -> tuple[Words, DataLogCursor]:
    cursor = _latched(memory, cursor)
    assert cursor.latched is not None
    log, numbers = cursor.log, memory.numbers(cursor.log)
    first = cursor.latched + cursor.offset
    fits = 0 < cursor.records * memory.record_bytes(log) <= WINDOW_BYTES
    ready = fits and first in numbers
    words = np.zeros(RETRIEVAL_BLOCK.count, np.uint16)
    status = _notice(memory, cursor) or (READY if ready else NOT_READY)
    words[:_HEADER_WORDS] = (
        cursor.log_word,
        cursor.records << 8 | status,
        cursor.offset >> 16,
        cursor.offset & 0xFFFF,
    )
    if status == READY:
        shown = [memory.record(log, at) for at in range(first, min(first + cursor.records, numbers.stop))]
        data = np.concatenate(shown)
        words[_HEADER_WORDS : _HEADER_WORDS + data.size] = data
    return words, cursor


def _notice(memory: DataLogMemory, cursor: DataLogCursor) -> int:
    """Return what the status says of the settings instead of the window; 0 when nothing.

    After settings were changed it says how that went, until a window is asked for; of a log whose register
    list is in error it always says so.
    """
    faults = memory.faults
    fresh = cursor.changes != memory.changes
    if faults >> cursor.log & 1 or (fresh and faults):
        return LIST_ERROR | faults
    return ERASED if fresh else 0


def _status_words(memory: DataLogMemory, log: int) -> Words:
    numbers = memory.numbers(log)
    used = max(len(numbers), 1) if memory.enabled(log) else 0
    words = np.zeros(STATUS_BLOCKS[log].count, np.uint16)
    most = memory.max_records(log)
    words[:5] = most >> 16, most & 0xFFFF, used >> 16, used & 0xFFFF, memory.record_bytes(log)
    if numbers:
        words[6:9] = memory.record(log, numbers[0])[2:5]
        words[9:12] = memory.record(log, numbers[-1])[2:5]
    return words

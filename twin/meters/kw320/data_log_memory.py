"""The memory of a meter's three data logs: sectors of records, and what a reader needs to find them.

One thread writes, in the memory of its own process or in memory that processes share; any number of
readers read. While records or sectors change the generation of a log is odd; a reader that finds another
generation after copying than before, or an odd one, reads once more. Across processes this needs stores and
loads that other cores see in order, as x86-64 guarantees.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.meters.kw320.data_log_settings import LOGS, SECTOR_BYTES, SECTORS, DataLogSettings

Words = NDArray[np.uint16]
Read = TypeVar("Read")

_SECTOR_WORDS = SECTOR_BYTES // 2
_COMMON_WORDS, _LOG_WORDS = 8, 16  # int64
_CHANGES, _FAULTS = range(2)
_GENERATION, _ERASURES, _RECORD_BYTES, _SECTOR_RECORDS, _MAX_RECORDS, _ENABLED, _FIRST, _NEXT = range(8)
_TABLE_AT = 8 * (_COMMON_WORDS + LOGS * _LOG_WORDS)
_SECTORS_AT = 1024
DATA_LOG_BYTES = _SECTORS_AT + SECTORS * SECTOR_BYTES
"""Room for the logs of a meter; what is not used takes no memory."""


class DataLogMemory:
    """Records of three logs, by number.

    Parameters
    ----------
    memory : memoryview, optional
        At least `DATA_LOG_BYTES`, zeros or what another one wrote; memory of its own by default.
    """

    def __init__(self, memory: memoryview | None = None) -> None:
        header = memoryview(bytearray(_SECTORS_AT)) if memory is None else memory[:_SECTORS_AT]
        numbers = np.frombuffer(header, np.int64, _COMMON_WORDS + LOGS * _LOG_WORDS)
        self._header = header
        self._common = numbers[:_COMMON_WORDS]
        self._log = numbers[_COMMON_WORDS:].reshape(LOGS, _LOG_WORDS)
        self._table = np.frombuffer(header, np.uint8, LOGS * SECTORS, _TABLE_AT).reshape(LOGS, SECTORS)
        self._sectors: Words | None = None
        if memory is not None:
            words = np.frombuffer(memory, np.uint16, SECTORS * _SECTOR_WORDS, _SECTORS_AT)
            self._sectors = words.reshape(SECTORS, _SECTOR_WORDS)

    def copy_to(self, memory: memoryview) -> "DataLogMemory":
        """Return the same logs in other memory."""
        memory[:_SECTORS_AT] = self._header
        other = DataLogMemory(memory)
        if self._sectors is not None:
            assert other._sectors is not None
            for log in range(LOGS):
                taken = self._taken(log)
                other._sectors[taken] = self._sectors[taken]
        return other

    # -- reading ------------------------------------------------------------------------------------

    @property
    def changes(self) -> int:
        """How often settings of the logs were changed."""
        return int(self._common[_CHANGES])

    @property
    def faults(self) -> int:
        """Bit 0..2: the register list of log 1..3 is in error."""
        return int(self._common[_FAULTS])

    def consistent(self, log: int, read: Callable[[], Read]) -> Read:
        """Return what a function reads of a log (0..2), at a moment at which nothing of it changed."""
        generation = self._log[log]
        while True:
            before = int(generation[_GENERATION])
            found = read()
            if not before & 1 and before == generation[_GENERATION]:
                return found

    def erasures(self, log: int) -> int:
        """Return how often a log was erased as a whole; records count from 1 after each."""
        return int(self._log[log, _ERASURES])

    def record_bytes(self, log: int) -> int:
        """Return the size of a log's records."""
        return int(self._log[log, _RECORD_BYTES])

    def max_records(self, log: int) -> int:
        """Return how many records a log holds at most."""
        return int(self._log[log, _MAX_RECORDS])

    def enabled(self, log: int) -> bool:
        """Return whether a log is switched on."""
        return bool(self._log[log, _ENABLED])

    def numbers(self, log: int) -> range:
        """Return the numbers of the records that a log holds, oldest first."""
        return range(int(self._log[log, _FIRST]), int(self._log[log, _NEXT]))

    def record(self, log: int, number: int) -> Words:
        """Return the words of a record that the log holds: number, time, data, CRC."""
        return self._place(log, number).copy()

    # -- writing ------------------------------------------------------------------------------------

    def configure(self, log: int, settings: DataLogSettings) -> None:
        """Erase a log and give it the sectors and records of its settings."""
        row = self._log[log]
        with self._changing(log):
            row[_ERASURES] += 1
            row[_RECORD_BYTES] = settings.record_bytes
            row[_SECTOR_RECORDS] = settings.sector_records
            row[_MAX_RECORDS] = settings.max_records
            row[_ENABLED] = settings.enabled and not settings.faulty
            row[_FIRST] = row[_NEXT] = 1
            self._table[log] = 0
            free = sorted({*range(SECTORS)}.difference(*(self._taken(other) for other in range(LOGS))))
            # A sector is noted by its number plus one; 0 is none.
            self._table[log, : settings.sectors] = np.array(free[: settings.sectors]) + 1
        bit = 1 << log
        self._common[_FAULTS] = self.faults & ~bit | (bit if settings.faulty else 0)

    def note_change(self) -> None:
        """Note that a master has changed settings."""
        self._common[_CHANGES] += 1

    def is_full(self, log: int) -> bool:
        """Return whether another record would erase a sector."""
        return len(self.numbers(log)) >= self.max_records(log)

    def next_number(self, log: int) -> int:
        """Return the number of the next record."""
        return int(self._log[log, _NEXT])

    def append(self, log: int, record: Words) -> None:
        """Add a record with its own number; where the log is full its oldest sector is erased."""
        row = self._log[log]
        if self._sectors is None:
            self._sectors = np.zeros((SECTORS, _SECTOR_WORDS), np.uint16)
        with self._changing(log):
            if self.is_full(log):
                row[_FIRST] += row[_SECTOR_RECORDS]
            self._place(log, int(row[_NEXT]))[:] = record
            row[_NEXT] += 1

    @contextmanager
    def _changing(self, log: int) -> Iterator[None]:
        self._log[log, _GENERATION] += 1
        yield
        self._log[log, _GENERATION] += 1

    def _taken(self, log: int) -> list[int]:
        return [int(number) - 1 for number in self._table[log] if number]

    def _place(self, log: int, number: int) -> Words:
        per_sector, size = int(self._log[log, _SECTOR_RECORDS]), int(self._log[log, _RECORD_BYTES]) // 2
        if self._sectors is None or not per_sector:
            return np.zeros(size, np.uint16)
        sector, within = divmod((number - 1) % int(self._log[log, _MAX_RECORDS]), per_sector)
        # Readers may come while a log is changed: they look anywhere, and then again.
        of = int(self._table[log, sector]) - 1
        return self._sectors[of, within * size : (within + 1) * size]


def crc16(octets: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the CRC-16 of Modbus of many rows of octets.

    Parameters
    ----------
    octets : ndarray of uint8, shape (rows, octets)

    Returns
    -------
    ndarray of uint16, shape (rows,)

    References
    ----------
    MODBUS over serial line specification V1.02, 6.2.2: polynomial A001H, start FFFFH.
    """
    crc = np.full(len(octets), 0xFFFF, np.uint16)
    for column in octets.T:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ column) & 0xFF]
    return crc


def _crc_table() -> NDArray[np.uint16]:
    table = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ 0xA001, table >> 1).astype(np.uint16)
    return table


_CRC_TABLE = _crc_table()


def records_of(numbers: Sequence[int], stamps: Sequence[Sequence[int]], data: Words) -> Words:
    """Return the words of records with their CRC.

    Parameters
    ----------
    numbers : sequence of int
        Of each record.
    stamps : sequence of sequence of int
        Three words each.
    data : uint16[records, registers]

    Returns
    -------
    uint16[records, 6 + registers]
        Number (high word first), time, data, CRC. The CRC stands as on a serial line, low octet first, so
        that the CRC over the whole record is 0.

    References
    ----------
    KW320 manual 6.3.8, record's format.
    """
    records = np.empty((len(data), data.shape[1] + 6), np.uint16)
    counted = np.array(numbers, np.int64)
    records[:, 0], records[:, 1] = counted >> 16 & 0xFFFF, counted & 0xFFFF
    records[:, 2:5] = stamps
    records[:, 5:-1] = data
    octets = records[:, :-1].astype(">u2").view(np.uint8)
    records[:, -1] = crc16(octets).byteswap()
    return records

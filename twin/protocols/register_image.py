"""A meter's holding registers as last published, in shared memory: one writer, any number of readers.

The words are stored compactly, block after block. Two copies are kept: a publication fills the one
that is not current, then makes it current. A publication stamps its copy with its own number
before the first and after the last word, and a reader that finds another number after copying than
before starts again, so what it returns is always one publication as a whole. Nobody ever waits for
a lock, and a writer that dies halfway leaves the last whole publication in place.

Across processes this needs stores and loads that other cores see in order, as x86-64 guarantees;
between threads the interpreter sees to it everywhere.
"""

import mmap
import os
import sys
from bisect import bisect_right
from collections.abc import Sequence
from multiprocessing.shared_memory import SharedMemory
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twin.contracts import BEYOND_REGISTERS, POWER_WORD, RegisterBlock, TwinError
from twin.protocols.file_limit import reserve_few_files

Words = NDArray[np.uint16]
STORED = np.dtype(">u2")
"""How words are stored: as Modbus sends them, so that a read for a master is one copy of bytes."""

CURRENT = 0
"""Number of the last whole publication; its parity names the copy that holds it."""
_COUNT = 1  # words per copy, checked on attaching
BEGIN = (2, 5)
"""Per copy: number of the publication that started to fill it."""
TIME = (3, 6)
"""Per copy: simulated time of that publication [ns]."""
END = (4, 7)
"""Per copy: number of the publication that finished filling it."""
HEADER = 64
"""Bytes of an image's stamps: eight int64, one cache line."""


class RegisterImageError(TwinError, ValueError):
    """A register image was laid out, filled or attached to in a way that does not fit its blocks."""


class RegisterImage:
    """Registers published by one writer and read by any thread of any process.

    Parameters
    ----------
    blocks
        Runs of addresses that exist, ascending and without overlap; they may touch.

    Raises
    ------
    RegisterImageError
        The blocks are empty, unordered, overlap or leave 0..131071.
    FileLimitError
        The operating system allows no further open file.

    Notes
    -----
    The creator owns the memory and must ``close`` and ``unlink`` it (or use ``with``); a reader
    that attached only closes. Before the first publication all words are 0 at time 0.
    """

    def __init__(self, blocks: Sequence[RegisterBlock]) -> None:
        count = self._lay_out(blocks)
        reserve_few_files(4, purpose="a register image")
        memory = SharedMemory(create=True, size=HEADER + 2 * stride_of(count))
        self._memory: SharedMemory | mmap.mmap | None = memory
        self._owner: SharedMemory | None = memory
        self.name = memory.name
        """Name under which another process attaches."""
        self._open_views(_bytes_of(memory))
        self._stamps[_COUNT] = count

    @classmethod
    def within(cls, stamps: memoryview, copies: Sequence[Words], blocks: Sequence[RegisterBlock]) -> Self:
        """Return an image in memory that somebody else keeps.

        Parameters
        ----------
        stamps
            `HEADER` bytes as int64, zeros before the first publication.
        copies
            Two arrays of `STORED`, as many as the blocks have words.
        blocks
            As for a new image.
        """
        image = cls.__new__(cls)
        image._lay_out(blocks)
        image._memory = image._owner = None
        image.name = ""
        image._stamps = stamps
        image._take_views(copies)
        return image

    @classmethod
    def attach(cls, name: str, blocks: Sequence[RegisterBlock]) -> Self:
        """Open the image that another process (or this one) created.

        Parameters
        ----------
        name
            The creator's ``name``.
        blocks
            The same blocks that it was created with.

        Raises
        ------
        RegisterImageError
            No such image, or it has another number of words.
        """
        image = cls.__new__(cls)
        count = image._lay_out(blocks)
        reserve_few_files(4, purpose="a register image")
        try:
            memory = _map_existing(name)
        except (FileNotFoundError, ValueError) as error:
            raise RegisterImageError(
                f"no register image named {name!r}; create it first, attach while it exists"
            ) from error
        image._memory = memory
        image._owner = None
        image.name = name
        buffer = _bytes_of(memory)
        found = buffer[:HEADER].cast("q")[_COUNT] if len(buffer) >= HEADER else -1
        if found != count:
            buffer.release()
            memory.close()
            raise RegisterImageError(
                f"register image {name!r} holds {found} words, the given blocks {count}; "
                "attach with the blocks that it was created with"
            )
        image._open_views(buffer)
        return image

    def publish(self, words: Words, now_ns: int) -> None:
        """Replace all words at once.

        Only one thread may publish.

        Parameters
        ----------
        words
            Shape (n,), all words of all blocks, in their order.
        now_ns
            Simulated time to which they belong, UTC [ns].

        Raises
        ------
        RegisterImageError
            ``words`` is not uint16 of the right length.
        """
        if words.shape != (self._count,) or words.dtype != np.uint16:
            raise RegisterImageError(
                f"expected uint16[{self._count}], got {words.dtype}{list(words.shape)}; "
                "publish the words of every block"
            )
        stamps = self._stamps
        number = stamps[CURRENT] + 1
        copy = number & 1
        stamps[BEGIN[copy]] = number
        self._words[copy][:] = words
        stamps[TIME[copy]] = now_ns
        stamps[END[copy]] = number
        stamps[CURRENT] = number

    def read(self, address: int, count: int) -> Words | None:
        """Return a copy of consecutive registers, all of one publication.

        Parameters
        ----------
        address
            First register, 0-based.
        count
            How many.

        Returns
        -------
        numpy.ndarray or None
            uint16, shape (count,); None where one of the addresses does not exist.
        """
        octets = self.read_octets(address, count)
        return None if octets is None else np.frombuffer(octets, STORED).astype(np.uint16)

    def read_octets(self, address: int, count: int) -> bytes | None:
        """Return the same as bytes, two a word, the high one first: what Modbus sends."""
        run = bisect_right(self._starts, address) - 1
        if run < 0 or count < 1 or address + count > self._ends[run]:
            return None
        first = 2 * (address - self._shifts[run])
        end = first + 2 * count
        stamps = self._stamps
        while True:
            number = stamps[CURRENT]
            copy = number & 1
            if stamps[END[copy]] != number:
                continue
            octets = bytes(self._octets[copy][first:end])
            if stamps[BEGIN[copy]] == number:
                return octets

    @property
    def powered(self) -> bool:
        """Whether the last publication was of a device with its supply."""
        at = self._power_place
        return at < 0 or bool(self._words[self._stamps[CURRENT] & 1][at])

    @property
    def count(self) -> int:
        """Words of all blocks."""
        return self._count

    @property
    def published_ns(self) -> int:
        """Simulated time of the last publication, UTC [ns]; 0 before the first."""
        stamps = self._stamps
        while True:
            number = stamps[CURRENT]
            time_ns = stamps[TIME[number & 1]]
            if stamps[BEGIN[number & 1]] == number:
                return time_ns

    @property
    def blocks(self) -> tuple[RegisterBlock, ...]:
        """The addresses that exist, as given."""
        return self._blocks

    def close(self) -> None:
        """Give up this process's view of the memory; doing so twice is allowed.

        No thread may read any longer.
        """
        if self._memory is None:
            return
        # numpy's views pin the buffer: they have to go before it can be closed.
        del self._words, self._octets
        self._stamps.release()
        self._buffer.release()
        self._memory.close()
        self._memory = None

    def unlink(self) -> None:
        """Free the memory once everyone has closed it; only the creator's call does anything."""
        if self._owner is not None:
            self._owner.unlink()
            self._owner = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self.unlink()

    def __del__(self) -> None:
        if getattr(self, "_memory", None) is not None and hasattr(self, "_words"):
            self.close()

    def _lay_out(self, blocks: Sequence[RegisterBlock]) -> int:
        """Join adjacent blocks to runs; return the number of words."""
        self._blocks = tuple(blocks)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._shifts: list[int] = []  # address minus place in the store
        stored = 0
        for block in self._blocks:
            end = block.address + block.count
            if block.count < 1 or block.address < 0 or end > 2 * BEYOND_REGISTERS:
                raise RegisterImageError(
                    f"{block} is empty or leaves addresses 0..{2 * BEYOND_REGISTERS - 1}"
                )
            if self._ends and block.address < self._ends[-1]:
                raise RegisterImageError(
                    f"{block} starts before the previous block ends; sort and split blocks"
                )
            if self._ends and block.address == self._ends[-1]:
                self._ends[-1] = end
            else:
                self._starts.append(block.address)
                self._ends.append(end)
                self._shifts.append(block.address - stored)
            stored += block.count
        if not stored:
            raise RegisterImageError("an image needs at least one register block")
        self._count = stored
        run = bisect_right(self._starts, POWER_WORD) - 1
        has_it = run >= 0 and self._ends[run] > POWER_WORD
        self._power_place = POWER_WORD - self._shifts[run] if has_it else -1
        return stored

    def _open_views(self, buffer: memoryview) -> None:
        self._buffer = buffer
        # A memoryview reads and writes an aligned int64 by one move, and faster than numpy.
        self._stamps = buffer[:HEADER].cast("q")
        self._take_views(
            [
                np.frombuffer(buffer, STORED, self._count, HEADER + copy * stride_of(self._count))
                for copy in (0, 1)
            ]
        )

    def _take_views(self, copies: Sequence[Words]) -> None:
        self._words = tuple(copies)
        self._octets = tuple(copy.view(np.uint8).data for copy in copies)


def stride_of(count: int) -> int:
    """Return the bytes of one copy of so many words: whole cache lines, so that copies share none."""
    return -(-2 * count // 64) * 64


def _bytes_of(memory: SharedMemory | mmap.mmap) -> memoryview:
    buffer = memoryview(memory) if isinstance(memory, mmap.mmap) else memory.buf
    assert buffer is not None, "only a closed SharedMemory has no buffer"
    return buffer


def _map_existing(name: str) -> SharedMemory | mmap.mmap:
    """Map memory that somebody else owns.

    Until Python 3.13, ``SharedMemory`` also hands memory that it merely attaches to over to the
    resource tracker, which frees it when the *attaching* program ends. So it is mapped directly.
    """
    if sys.platform == "win32":
        return SharedMemory(name)
    from _posixshmem import shm_open  # type: ignore[import-not-found]  # noqa: PLC0415 - POSIX only

    descriptor = shm_open(f"/{name}", os.O_RDWR, 0o600)
    try:
        return mmap.mmap(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)

"""The register images of all meters of one profile, in memory that processes share without a name.

The memory is an anonymous file: whoever holds its descriptor can map it, it has no entry in ``/dev/shm``, and
it is gone with the last process that holds it, however that process ends. Behind the images lies, for each
meter, room for what its logs publish; it takes no memory until something is written there.
"""

import mmap
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twin.contracts import RegisterBlock
from twin.protocols.file_limit import reserve_few_files
from twin.protocols.register_image import (
    BEGIN,
    CURRENT,
    END,
    HEADER,
    STORED,
    TIME,
    RegisterImage,
    RegisterImageError,
    Words,
    stride_of,
)

_PAGE = mmap.PAGESIZE
_LINE = HEADER // 8  # int64 per image


@dataclass(frozen=True, slots=True)
class BankPlan:
    """What another process needs to know, beside the descriptor, to attach to a bank."""

    blocks: tuple[RegisterBlock, ...]
    """Of every image."""
    images: int
    """How many."""
    log_bytes: int
    """Room behind each image, whole pages."""

    @property
    def words(self) -> int:
        """Words of one image."""
        return sum(block.count for block in self.blocks)

    @property
    def stride(self) -> int:
        """Bytes of one copy of an image."""
        return stride_of(self.words)

    @property
    def copies_at(self) -> int:
        """Where the copies begin [bytes]."""
        return -(-HEADER * self.images // _PAGE) * _PAGE

    @property
    def logs_at(self) -> int:
        """Where the logs begin [bytes]."""
        return self.copies_at + -(-2 * self.images * self.stride // _PAGE) * _PAGE

    @property
    def size(self) -> int:
        """Bytes in all, room for logs included."""
        return self.logs_at + self.images * self.log_bytes


class RegisterImageBank:
    """Images of one layout, published together by one thread, read by any thread of any process.

    Parameters
    ----------
    blocks
        Runs of addresses that exist, ascending and without overlap.
    images
        How many meters.
    log_bytes
        Room for each meter's logs; rounded up to whole pages.

    Raises
    ------
    RegisterImageError
        The blocks are empty, unordered, overlap or leave 0..131071; or there is no meter.
    FileLimitError
        The operating system allows no further open file.
    """

    descriptor: int
    """Of the memory, for processes that are started with it; -1 when closed."""

    def __init__(self, blocks: Sequence[RegisterBlock], images: int, *, log_bytes: int = 0) -> None:
        if images < 1:
            raise RegisterImageError("a bank of register images needs at least one meter")
        reserve_few_files(4, purpose="register images")
        plan = BankPlan(tuple(blocks), images, -(-log_bytes // _PAGE) * _PAGE)
        descriptor = _anonymous_file()
        os.ftruncate(descriptor, plan.size)
        self._open(plan, descriptor)

    @classmethod
    def attach(cls, descriptor: int, plan: BankPlan) -> Self:
        """Map a bank that another process made, whose descriptor this process has inherited.

        Raises
        ------
        RegisterImageError
            The memory is not as large as the plan says.
        """
        if (size := os.fstat(descriptor).st_size) != plan.size:
            raise RegisterImageError(f"the shared memory has {size} bytes, its plan says {plan.size}")
        bank = cls.__new__(cls)
        bank._open(plan, descriptor)
        return bank

    def publish(self, words: Words, now_ns: int) -> None:
        """Replace all words of all images; each image changes as a whole.

        Only one thread may publish.

        Parameters
        ----------
        words
            Shape (images, words), in the order of the blocks.
        now_ns
            Simulated time to which they belong, UTC [ns].

        Raises
        ------
        RegisterImageError
            ``words`` is not uint16 of the right shape.
        """
        expected = (self.plan.images, self.plan.words)
        if words.shape != expected or words.dtype != np.uint16:
            raise RegisterImageError(
                f"expected uint16{list(expected)}, got {words.dtype}{list(words.shape)}; "
                "publish every image of the bank"
            )
        stamps = self._stamps
        number = stamps[:, CURRENT] + 1
        # Images that were published alone in between are at odds with the others.
        for parity in (0, 1):
            rows = np.flatnonzero(number & 1 == parity)
            if not rows.size:
                continue
            chosen = slice(None) if rows.size == len(number) else rows
            stamps[chosen, BEGIN[parity]] = number[chosen]
            self._copies[parity][chosen] = words[chosen]
            stamps[chosen, TIME[parity]] = now_ns
            stamps[chosen, END[parity]] = number[chosen]
            stamps[chosen, CURRENT] = number[chosen]

    def log(self, image: int) -> memoryview:
        """Return the room for one meter's logs, zeros at first."""
        first = self.plan.logs_at + image * self.plan.log_bytes
        return self._buffer[first : first + self.plan.log_bytes]

    def close(self) -> None:
        """Give up the descriptor; images that are still held stay readable. Twice is allowed."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            self.close()

    def _open(self, plan: BankPlan, descriptor: int) -> None:
        self.plan = plan
        self.descriptor = descriptor
        self._buffer = buffer = memoryview(mmap.mmap(descriptor, plan.size))
        self._stamps: NDArray[np.int64] = np.frombuffer(buffer, np.int64, _LINE * plan.images).reshape(
            -1, _LINE
        )
        shape, length = (plan.images, plan.stride // 2), plan.images * plan.stride // 2
        self._copies = tuple(
            np.frombuffer(buffer, STORED, length, plan.copies_at + 2 * length * parity).reshape(shape)[
                :, : plan.words
            ]
            for parity in (0, 1)
        )
        self.images = tuple(self._image(row) for row in range(plan.images))
        """One per meter."""

    def _image(self, row: int) -> RegisterImage:
        stamps = self._buffer[HEADER * row : HEADER * (row + 1)].cast("q")
        return RegisterImage.within(stamps, [copy[row] for copy in self._copies], self.plan.blocks)


def _anonymous_file() -> int:
    """Return the descriptor of a new file that has no name and no place on a disk."""
    if sys.platform == "linux":
        return os.memfd_create("register-images")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())

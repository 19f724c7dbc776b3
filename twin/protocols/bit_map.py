"""Coils and discrete inputs: bits by number, their states in words of a published image.

References
----------
MODBUS Application Protocol Specification V1.1b3, sections 6.1 and 6.2: the first bit asked for is the lowest
of the first byte, what is over in the last byte is zero.
"""

from collections.abc import Sequence

import numpy as np

from twin.contracts import BitBlock, RegisterBlock, RegisterReader, TwinError
from twin.protocols.address_ranges import AddressRanges

_WORD = 16


class BitMapError(TwinError, LookupError):
    """An image lacks the words that a bit map points to."""


class BitMap:
    """Where an image holds the state of each coil, or of each input.

    Parameters
    ----------
    blocks
        Runs of bits; their words lie in one run of the image, so that one read finds them all.

    Raises
    ------
    AddressOverlapError
        Two runs share a bit.
    """

    __slots__ = ("_blocks", "_first", "_known", "_words")

    def __init__(self, blocks: Sequence[BitBlock]) -> None:
        self._blocks = sorted(blocks)
        whole = "bits"  # one owner for all: adjacent runs count as one
        self._known = AddressRanges(
            [(whole, [RegisterBlock(block.address, block.count) for block in self._blocks])]
        )
        self._first = min((block.word for block in blocks), default=0)
        last = max((block.word + (block.count - 1) // _WORD for block in blocks), default=-1)
        self._words = last + 1 - self._first

    def has(self, address: int, count: int) -> bool:
        """Return whether all of some consecutive bits exist."""
        return self._known.covering(address, count) is not None

    def read(self, image: RegisterReader, address: int, count: int) -> bytes:
        """Return the states of consecutive bits that exist, eight a byte, all of one publication.

        Raises
        ------
        BitMapError
            The image lacks the words.
        """
        words = image.read(self._first, self._words)
        if words is None:
            raise BitMapError(f"the image has no words {self._first:#x}..{self._first + self._words - 1:#x}")
        stored = np.unpackbits(words.astype("<u2").view(np.uint8), bitorder="little")
        states = np.zeros(count, np.uint8)
        for block in self._blocks:
            low, high = max(address, block.address), min(address + count, block.address + block.count)
            if low < high:
                at = _WORD * (block.word - self._first) + low - block.address
                states[low - address : high - address] = stored[at : at + high - low]
        return np.packbits(states, bitorder="little").tobytes()

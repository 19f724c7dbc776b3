"""What masters read where that is not what the meter holds: frozen, stuck, invalid or misordered registers.

Such a fault sits between the measuring part of a device and its register image, in its communication
processor or in a gateway that is set up wrongly: the meter measures, counts and logs as ever, and answers
every request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twin.meters.kw320.image import ImageLayout
from twin.meters.register_map import Register

Words = NDArray[np.uint16]
Change = Callable[[Words], None]
"""Turns the words of one image, in place, into what is read."""
ImageFaultKind = Literal["frozen", "stuck", "not_a_number", "word_order", "byte_order"]

QUIET_NAN: Final = (0x7FC0, 0x0000)
"""The words of the usual quiet NaN (IEEE 754-2019, 6.2.1: first bit of the significand set)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFault:
    """One such fault."""

    kind: ImageFaultKind
    """``frozen``: all registers stay as they are; ``stuck``: some do, or show ``value``; ``not_a_number``:
    floats read NaN; ``word_order``: the two words of a register stand exchanged; ``byte_order``: the two
    bytes of each word do."""
    registers: tuple[str | int, ...] = ()
    """Names or first addresses, of ``stuck`` and ``not_a_number``; without any, ``not_a_number`` means all
    floats."""
    value: int | None = None
    """Raw value that ``stuck`` registers show; what they read at the beginning when None."""


class ImageFaults:
    """The faults of all images of a fleet; an image without any is passed on as it is."""

    def __init__(self) -> None:
        self._changes: dict[int, dict[str, Change]] = {}

    def begin(self, meter: int, name: str, fault: ImageFault, layout: ImageLayout, words: Words) -> None:
        """Let a fault begin at an image.

        Parameters
        ----------
        meter : int
        name : str
            By which it is ended.
        fault : ImageFault
        layout : ImageLayout
            Of the image.
        words : uint16[words]
            What is read now.
        """
        self._changes.setdefault(meter, {})[name] = _change(fault, layout, words.copy())

    def end(self, meter: int, name: str) -> None:
        """End a fault."""
        del self._changes[meter][name]
        if not self._changes[meter]:
            del self._changes[meter]

    def read(self, meter: int, words: Words) -> Words:
        """Return what is read of a meter's words; they themselves where nothing is wrong."""
        if not self._changes:
            return words
        read: Words = self.read_rows(np.array([meter]), words[np.newaxis])[0]
        return read

    def read_rows(self, meters: NDArray[np.intp], words: Words) -> Words:
        """Return the same of many meters, words of shape (meters, words)."""
        if not self._changes:
            return words
        read = words
        for row, meter in enumerate(meters.tolist()):
            for change in self._changes.get(meter, {}).values():
                read = words.copy() if read is words else read
                change(read[row])
        return read


def find_registers(layout: ImageLayout, wanted: Sequence[str | int]) -> list[Register]:
    """Return registers by name or first address.

    Raises
    ------
    KeyError
        One is not in the image.
    """
    by_address: dict[str | int, Register] = {one.address: one for one in layout.registers.registers}
    return [(layout.registers.by_name | by_address)[one] for one in wanted]


def _change(fault: ImageFault, layout: ImageLayout, held: Words) -> Change:
    if fault.kind == "frozen":
        return partial(_put, slice(None), held)
    if fault.kind == "byte_order":
        return _exchange_bytes
    if fault.kind == "word_order":
        pairs = [layout.place(one.name) for one in layout.registers.registers if one.words == 2]
        return partial(_exchange_words, np.array(pairs, np.intp))
    registers = find_registers(layout, fault.registers)
    if fault.kind == "not_a_number":
        registers = registers or [one for one in layout.registers.registers if one.dtype == "float"]
        first = np.array([layout.place(one.name) for one in registers], np.intp)
        return partial(_put, np.stack([first, first + 1], axis=1), np.array(QUIET_NAN, np.uint16))
    places = np.array([layout.place(one.name) + k for one in registers for k in range(one.words)], np.intp)
    if fault.value is None:
        return partial(_put, places, held[places])
    raw = [fault.value >> 16 * (one.words - 1 - k) & 0xFFFF for one in registers for k in range(one.words)]
    return partial(_put, places, np.array(raw, np.uint16))


def _put(places: slice | NDArray[np.intp], held: Words, words: Words) -> None:
    words[places] = held


def _exchange_words(first: NDArray[np.intp], words: Words) -> None:
    words[first], words[first + 1] = words[first + 1], words[first]


def _exchange_bytes(words: Words) -> None:
    words.byteswap(inplace=True)

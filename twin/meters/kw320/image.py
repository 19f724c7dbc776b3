"""The words of a meter's register image, group by group: only what changed is encoded again."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from twin.meters.codec import BlockCodec, Scaling
from twin.meters.kw320.profile import image_map
from twin.meters.register_map import Register, RegisterMap

Words = NDArray[np.uint16]

CHANNELS = ("v1", "v2", "v3", "i1", "i2", "i3")
"""Channels with harmonics, in order."""
ORDERS = 62
"""Orders 2 to 63 (KW320 manual 4.3)."""
MEASURED = frozenset({"fast", "basic", "harmonic", "energy", "past_energy", "extreme"})
"""Kinds of registers that hold a quantity; the others hold their raw value."""


class ImageLayout:
    """Where each register stands in the words of an image, and how each kind is encoded.

    Parameters
    ----------
    registers : RegisterMap
        Those of the image.
    """

    def __init__(self, registers: RegisterMap) -> None:
        self.registers = registers
        self.size = sum(register.words for register in registers.registers)
        kinds: dict[str, list[tuple[Register, int]]] = {}
        position = 0
        for register in registers.registers:
            kinds.setdefault(_kind(register), []).append((register, position))
            position += register.words
        self._codec = {
            kind: BlockCodec([register for register, _ in rows], [at for _, at in rows])
            for kind, rows in kinds.items()
            if kind in MEASURED
        }
        self.keys = {kind: tuple(_key(register) for register, _ in rows) for kind, rows in kinds.items()}
        """Keys of the quantities of each kind, in order of address."""
        orders = [key.split("_h") for key in self.keys["harmonic"]]
        self.harmonic_order = np.array(
            [CHANNELS.index(channel) * ORDERS + int(order) - 2 for channel, order in orders]
        )
        """Place of each harmonic among orders 2 to 63 of v1, v2, v3, i1, i2, i3."""
        self._place = {register.name: at for rows in kinds.values() for register, at in rows}
        self.place_of_address = {
            register.address + word: at + word
            for rows in kinds.values()
            for register, at in rows
            for word in range(register.words)
        }
        """Place of each address among the words."""
        self._plain = {kind: rows for kind, rows in kinds.items() if kind not in MEASURED}
        self._plain_words = {kind: _by_word(rows) for kind, rows in self._plain.items()}

    def codec(self, kind: str) -> BlockCodec:
        """Return the codec of one of the kinds in ``MEASURED``."""
        return self._codec[kind]

    def place(self, name: str) -> int:
        """Return where a register's first word stands."""
        return self._place[name]

    def places(self, kind: str) -> NDArray[np.intp]:
        """Return where the registers of one kind stand, in order of address; each of one word."""
        return np.array([at for _, at in self._plain[kind]], np.intp)

    def get_quantities(self, words: Words, kind: str, scaling: Scaling) -> dict[str, float]:
        """Decode all quantities of one kind, by key; secondary SI, energies primary."""
        values = self._codec[kind].decode(words, scaling)
        return dict(zip(self.keys[kind], values.tolist(), strict=True))

    def primary(self, kind: str, values: Mapping[str, float], scaling: Scaling) -> dict[str, float]:
        """Return secondary quantities of one kind as primary ones."""
        registers = self._codec[kind].registers
        return {
            key: values[key] * scaling.ratio(register.unit)
            for key, register in zip(self.keys[kind], registers, strict=True)
        }

    def put_raw(self, words: Words, kind: str, raw: Mapping[str, int]) -> None:
        """Write the raw values of one kind; a register without one gets its default.

        Parameters
        ----------
        words : uint16[size]
            The image, changed in place.
        kind : str
            None of ``MEASURED``.
        raw : Mapping of str to int
            By key.
        """
        places, shifts, keys, defaults = self._plain_words[kind]
        values = np.array([raw.get(key, default) for key, default in zip(keys, defaults, strict=True)])
        words[places] = values >> shifts & 0xFFFF

    def raw_word(self, words: Words, name: str) -> int:
        """Return the raw value of a register of one word."""
        return int(words[self._place[name]])


@cache
def image_layout(profile: str) -> ImageLayout:
    """Return the layout of a model's image, made once."""
    return ImageLayout(image_map(profile))


_Words = tuple[NDArray[np.intp], NDArray[np.int64], tuple[str, ...], tuple[int, ...]]


def _by_word(rows: Sequence[tuple[Register, int]]) -> _Words:
    """Return, word by word: its place, how far to shift the raw value, the register's key and default."""
    each = [(register, at, word) for register, at in rows for word in range(register.words)]
    return (
        np.array([at + word for _, at, word in each], np.intp),
        np.array([16 * (register.words - 1 - word) for register, _, word in each], np.int64),
        tuple(_key(register) for register, _, _ in each),
        tuple(register.default for register, _, _ in each),
    )


def _kind(register: Register) -> str:
    return register.source.partition(".")[0]


def _key(register: Register) -> str:
    """Return the key of a register's quantity: its own name where the source names none."""
    return register.source.partition(".")[2] or register.name

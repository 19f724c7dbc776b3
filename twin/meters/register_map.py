"""A register map: the table of a device's registers, read from a data file.

The file is CSV with the columns ``address, stride, words, name, dtype, code, unit, access, range,
default, region, source, seal``. A row may stand for many: each ``{..}`` in its name lists alternatives,
either as a run ``{1..16}`` or as words ``{v1 v2 v3}``. ``stride`` says how many addresses lie between
them, one number per brace separated by ``;``, or one number for all where the last brace runs fastest.
``{0}``, ``{1}`` in ``region`` and ``source`` stand for the chosen alternative of the first and second brace.
``range`` lists numbers and closed intervals, ``0..40|45..51``; an empty one admits all that the data type
holds. ``seal`` is ``always`` where a seal forbids writing, or the bit of the seal's own selection that makes
it do so.
"""

import csv
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from twin.contracts import Access, RegisterBlock, TwinError

_BRACES = re.compile(r"\{([^}]*)\}")
_LIMITS = {
    "word": (0, 0xFFFF),
    "int": (-0x8000, 0x7FFF),
    "dword": (0, 0xFFFFFFFF),
    "float": (0, 0xFFFFFFFF),
}
_WORDS = {"word": 1, "int": 1, "dword": 2, "float": 2}


class RegisterMapError(TwinError, ValueError):
    """A table of registers that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Register:
    """One quantity or setting of a register map."""

    address: int
    """First word, 0-based."""
    words: int
    """1 or 2."""
    name: str
    """Unique within the map."""
    dtype: str
    """``word``, ``int``, ``dword`` or ``float``; two words stand high word first."""
    code: str
    """Format code, see ``twin.meters.codec``."""
    unit: str
    """Unit of the quantity as its manual gives it; empty for a number."""
    access: Access
    allowed: tuple[tuple[int, int], ...]
    """Closed intervals of raw values."""
    default: int
    """Raw value of a new device."""
    region: str
    """Settings region or data block; one write stays inside one region."""
    source: str
    """What fills it: a kind, and after a dot the key of the quantity."""
    seal: str = ""
    """``always``, a bit number, or empty: when a sealed meter refuses to have it written."""

    @property
    def writable(self) -> bool:
        """Whether a master may write it."""
        return self.access is not Access.READ

    @property
    def signed(self) -> bool:
        """Whether its raw value is in two's complement."""
        return self.dtype == "int" or self.allowed[0][0] < 0

    def allows(self, raw: int) -> bool:
        """Return whether a raw value lies in its range."""
        return any(low <= raw <= high for low, high in self.allowed)

    @property
    def range_text(self) -> str:
        """Return its range as people write it: ``0..40, 45..51``."""
        return ", ".join(f"{low}" if low == high else f"{low}..{high}" for low, high in self.allowed)


@dataclass(frozen=True)
class RegisterMap:
    """The registers of a device, in order of address."""

    registers: tuple[Register, ...]
    by_name: MappingProxyType[str, Register] = field(init=False, repr=False)
    """Registers by name."""

    def __post_init__(self) -> None:
        for before, after in itertools.pairwise(self.registers):
            if after.address < before.address + before.words:
                raise RegisterMapError(f"{before.name} and {after.name} share address {after.address:04X}H")
        by_name = {register.name: register for register in self.registers}
        if len(by_name) != len(self.registers):
            names = [register.name for register in self.registers]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise RegisterMapError(f"names stand twice: {', '.join(twice)}")
        object.__setattr__(self, "by_name", MappingProxyType(by_name))

    @classmethod
    def read(cls, path: Path) -> "RegisterMap":
        """Read a map from its data file.

        Raises
        ------
        RegisterMapError
            Two registers share an address or a name, or a row is not understood.
        """
        with path.open(encoding="utf-8", newline="") as file:
            rows = [register for row in csv.DictReader(file) for register in _expand(row)]
        return cls(tuple(sorted(rows, key=lambda register: register.address)))

    def select(self, registers: Iterable[Register]) -> "RegisterMap":
        """Return the map of some of its registers."""
        return RegisterMap(tuple(sorted(registers, key=lambda register: register.address)))

    def without_regions(self, *regions: str) -> "RegisterMap":
        """Return the map without whole regions, for a model that lacks them."""
        return self.select(register for register in self.registers if register.region not in regions)

    @cached_property
    def by_address(self) -> MappingProxyType[int, tuple[Register, int]]:
        """For every address that exists: its register, and which word of it."""
        table = {
            register.address + word: (register, word)
            for register in self.registers
            for word in range(register.words)
        }
        return MappingProxyType(table)

    @cached_property
    def blocks(self) -> tuple[RegisterBlock, ...]:
        """Runs of consecutive addresses that all exist, in order."""
        return blocks_of(self.registers)

    @cached_property
    def write_regions(self) -> tuple[tuple[RegisterBlock, ...], ...]:
        """Writable addresses by region, in order of address."""
        regions: dict[str, list[Register]] = {}
        for register in self.registers:
            if register.writable:
                regions.setdefault(register.region, []).append(register)
        return tuple(blocks_of(registers) for registers in regions.values())


def blocks_of(registers: Iterable[Register]) -> tuple[RegisterBlock, ...]:
    """Return the runs of consecutive addresses that registers in order of address make."""
    runs: list[list[int]] = []
    for register in registers:
        if runs and sum(runs[-1]) == register.address:
            runs[-1][1] += register.words
        else:
            runs.append([register.address, register.words])
    return tuple(RegisterBlock(address, count) for address, count in runs)


def _expand(row: dict[str, str]) -> Iterator[Register]:
    """Yield the registers that one row of the file stands for."""
    braces = [_alternatives(text) for text in _BRACES.findall(row["name"])]
    strides = [int(text) for text in row["stride"].split(";")] if row["stride"] else []
    if bool(braces) != bool(strides) or len(strides) not in {0, 1, len(braces)}:
        raise RegisterMapError(f"row {row['address']} {row['name']}: strides do not fit the braces")
    start = int(row["address"], 16)
    for count, at in enumerate(itertools.product(*(range(len(items)) for items in braces))):
        chosen = [items[k] for items, k in zip(braces, at, strict=True)]
        each = [count] if len(strides) == 1 else at
        offset = sum(k * stride for k, stride in zip(each, strides, strict=False))
        yield _register(row, start + offset, chosen)


def _register(row: dict[str, str], address: int, chosen: list[str]) -> Register:
    parts = iter(chosen)
    name = _BRACES.sub(lambda _: next(parts), row["name"])
    dtype, words = row["dtype"], int(row["words"])
    if _WORDS.get(dtype) != words:
        raise RegisterMapError(f"row {row['address']} {name}: a {dtype} does not take {words} words")
    return Register(
        address=address,
        words=words,
        name=name,
        dtype=dtype,
        code=row["code"],
        unit=row["unit"],
        access=Access(row["access"]),
        allowed=_intervals(row["range"]) or (_LIMITS[dtype],),
        default=int(row["default"] or 0),
        region=row["region"].format(*chosen),
        source=row["source"].format(*chosen),
        seal=row["seal"],
    )


def _alternatives(text: str) -> list[str]:
    """Return what a brace lists: ``1..3`` -> 1, 2, 3; ``a b`` -> a, b."""
    first, dots, last = text.partition("..")
    return [str(k) for k in range(int(first), int(last) + 1)] if dots else text.split()


def _intervals(text: str) -> tuple[tuple[int, int], ...]:
    """Return the closed intervals of a range such as ``0..40|45..51``."""
    intervals = []
    for part in text.split("|") if text else []:
        low, dots, high = part.partition("..")
        intervals.append((int(low), int(high if dots else low)))
    return tuple(intervals)

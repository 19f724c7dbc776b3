"""What a register may read: an interval of its value, and how its words are to be understood."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FORMATS = {"word": ">H", "int": ">h", "dword": ">I", "signed dword": ">i", "float": ">f"}
_HALF_COUNT = 0.5 + 1e-6
"""A whole number is the nearest one, but for binary rounding [counts]."""
_FLOAT_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Expected:
    """One register."""

    address: int
    kind: str
    low: float
    high: float
    what: str = ""

    @property
    def words(self) -> int:
        """How many registers of 16 bits it takes."""
        return struct.calcsize(_FORMATS[self.kind]) // 2

    def problem(self, word: Mapping[int, int]) -> str:
        """Return in what the words that were read disagree; nothing when they agree."""
        data = struct.pack(f">{self.words}H", *(word[self.address + k] for k in range(self.words)))
        (value,) = struct.unpack(_FORMATS[self.kind], data)
        if self.low <= value <= self.high:
            return ""
        return f"{self.address:04X}H {self.what}: reads {value:g}, expected {self.low:g}..{self.high:g}"


def exact(address: int, *values: int, what: str = "") -> list[Expected]:
    """Return words that read just so, one after the other."""
    return [Expected(address + k, "word", value, value, what) for k, value in enumerate(values)]


def within(address: int, kind: str, low: float, high: float, what: str) -> list[Expected]:
    """Return a register whose value lies between two."""
    return [Expected(address, kind, low, high, what)]


def nearest(address: int, kind: str, value: float, count: float, what: str) -> list[Expected]:
    """Return a whole-number register: the value in counts, rounded."""
    counts = value / count
    return within(address, kind, counts - _HALF_COUNT, counts + _HALF_COUNT, what)


def floating(address: int, value: float, what: str) -> list[Expected]:
    """Return a register of single precision."""
    slack = abs(value) * _FLOAT_ROUNDING + 1e-9
    return within(address, "float", value - slack, value + slack, what)


def joined(parts: Iterable[list[Expected]]) -> list[Expected]:
    """Return all of some lists."""
    return [each for part in parts for each in part]

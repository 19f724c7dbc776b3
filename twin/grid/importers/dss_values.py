"""Values in OpenDSS scripts: numbers, flags, lists, matrices, buses with their nodes, units of length."""

import math
from dataclasses import dataclass

from twin.contracts import Mark
from twin.grid.importers.dss_text import ScriptError

LENGTH_UNITS = {
    "none": None,
    "mi": 1609.344,
    "kft": 304.8,
    "km": 1000.0,
    "m": 1.0,
    "ft": 0.3048,
    "in": 0.0254,
    "cm": 0.01,
    "mm": 0.001,
}
"""Metres in each unit of length; None where a length and what is given per length only have to match."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One property set on one object."""

    key: str
    """Full name of the property, lower case."""
    value: str
    mark: Mark
    command: int
    """Number of the command that set it."""
    field: str
    """``class.name.property`` for findings."""

    def refuse(self, what: str, mend: str) -> ScriptError:
        """Return the error that says what is wrong with it."""
        return ScriptError(self.mark, self.field, what, mend)

    @property
    def number(self) -> float:
        """Its value as a number."""
        return self._number(self.value)

    @property
    def positive(self) -> float:
        """Its value as a number above zero."""
        value = self.number
        if not value > 0:
            raise self.refuse(f"{value:g} cannot be", "give a positive number")
        return value

    @property
    def whole(self) -> int:
        """Its value as a whole number."""
        value = self.number
        if value != round(value):
            raise self.refuse(f"'{self.value}' is no whole number", "correct it")
        return round(value)

    @property
    def flag(self) -> bool:
        """Its value as yes or no."""
        first = self.value.strip().lower()[:1]
        if first not in {"y", "t", "n", "f", "1", "0"}:
            raise self.refuse(f"'{self.value}' is neither yes nor no", "give yes or no")
        return first in {"y", "t", "1"}

    @property
    def words(self) -> list[str]:
        """Its value as a list of words."""
        return self.value.replace(",", " ").replace("|", " ").split()

    @property
    def numbers(self) -> list[float]:
        """Its value as a list of numbers."""
        words = self.words
        if not words:
            raise self.refuse("is empty", "give one or more numbers")
        return [self._number(word) for word in words]

    def matrix(self, size: int) -> list[list[float]]:
        """Return its value as a symmetric matrix, from all of its rows or from the lower triangle."""
        rows = [
            [self._number(word) for word in row.replace(",", " ").split()] for row in self.value.split("|")
        ]
        widths = [len(row) for row in rows]
        if widths == list(range(1, size + 1)):
            return [[rows[max(i, j)][min(i, j)] for j in range(size)] for i in range(size)]
        if widths != [size] * size:
            what = f"has rows of {', '.join(map(str, widths))} numbers"
            raise self.refuse(what, f"give {size} rows of {size}, or the lower triangle, rows apart by '|'")
        return rows

    def _number(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        if len(text.split()) > 1:
            what = f"'{text}' is no number; arithmetic in reverse Polish notation is not read"
            raise self.refuse(what, "write the result")
        raise self.refuse(f"'{text}' is no number", "give a plain number")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where one end of an element is connected: a bus, and a node of it for each conductor."""

    bus: str
    """Lower case."""
    nodes: tuple[int, ...]


def terminal(edit: Edit, text: str, defaults: tuple[int, ...]) -> Terminal:
    """Return a terminal from ``bus.1.2.3``; ``defaults`` are the nodes where none is written."""
    name, *written = text.strip().split(".")
    if not name:
        raise edit.refuse(f"'{text}' names no bus", "write it as bus, or as bus.1.2.3 with its nodes")
    try:
        nodes = [int(node) for node in written]
    except ValueError:
        raise edit.refuse(f"'{text}' has a node that is no number", "write it as bus.1.2.3") from None
    return Terminal(name.lower(), (*nodes, *defaults[len(nodes) :])[: len(defaults)])


def unit_of_length(edit: Edit) -> float | None:
    """Return the metres of a unit of length, None for ``none``."""
    written = edit.value.strip().lower()
    names = {"meter": "m", "miles": "mi", "mile": "mi", "feet": "ft", "meters": "m", "inch": "in"}
    name = names.get(written, written)
    if name not in LENGTH_UNITS:
        what = f"'{edit.value}' is no unit of length"
        raise edit.refuse(what, f"give one of {', '.join(LENGTH_UNITS)}")
    return LENGTH_UNITS[name]

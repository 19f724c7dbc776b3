"""What a field of a network file is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a field may hold."""

    NAME = "name"
    """Text or a whole number, which is read as text."""
    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    FLAG = "true or false"
    NUMBERS = "list of numbers"
    WHOLES = "list of whole numbers"
    POWER = "number, or a list with one for each phase or side"
    MATRIX = "list of rows of numbers"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one kind of component."""

    key: str
    """As written in the file; it carries the unit."""
    attribute: str
    """Name in the dataclass."""
    kind: Kind
    meaning: str
    required: bool = True
    default: Any = None
    factor: float = 1.0
    """SI value = file value x factor."""


def optional(key: str, attribute: str, kind: Kind, meaning: str, default: Any, factor: float = 1.0) -> Field:
    """Return a field that may be left out."""
    return Field(key, attribute, kind, meaning, required=False, default=default, factor=factor)

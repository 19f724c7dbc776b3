"""Commands: everything that changes a site or a meter after the start, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Refusal(StrEnum):
    """Why a command was not carried out; each protocol maps it to its own exception."""

    ILLEGAL_FUNCTION = "illegal_function"
    """The target has no such action (Modbus exception 01)."""
    ILLEGAL_ADDRESS = "illegal_address"
    """A register does not exist, is read-only or straddles regions (Modbus exception 02)."""
    ILLEGAL_VALUE = "illegal_value"
    """A value is outside its range (Modbus exception 03)."""
    SEALED = "sealed"
    """The meter's seal forbids it (Modbus exception 03)."""
    BUSY = "busy"
    """No answer in time (Modbus exception 06)."""
    NO_SUPPLY = "no_supply"
    """The meter has no auxiliary supply (Modbus: no answer, behind a gateway exception 0BH)."""
    FAILED = "failed"
    """A meter failed over it, and is as it was (Modbus exception 04)."""
    UNKNOWN_TARGET = "unknown_target"
    """No meter, switch or site element of that name (Modbus exception 04)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One request to change simulated state."""

    source: str
    """Who asks, for example ``modbus:head`` or ``dashboard``."""
    target: str
    """Name of a meter, switch or ``clock``."""
    verb: str
    """``write_registers``, ``write_coil``, ``open``, ``close``, ``pause``, ``resume``, ``set_speed``, .."""
    arguments: Mapping[str, object] = field(default_factory=dict)
    """Plain data: numbers, text, tuples of them. ``write_registers``: address, words;
    ``write_coil``: address, on; ``import_configuration``: registers, a mapping of names to raw values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command, given after all that it changed was republished."""

    applied_ns: int
    """Simulated time at which it was applied or refused, UTC [ns]."""
    refusal: Refusal | None = None
    """None when done."""
    detail: str = ""
    """For people: which register, which range."""

"""A meter as a protocol endpoint sees it: words to read, windows with a cursor, points by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Access(StrEnum):
    """What a master may do with a register."""

    READ = "R"
    READ_WRITE = "RW"
    WRITE = "W"


@dataclass(frozen=True, slots=True, order=True)
class RegisterBlock:
    """A run of consecutive addresses that all exist."""

    address: int
    """First address, 0-based."""
    count: int
    """How many words."""


BEYOND_REGISTERS = 0x10000
"""From here on an image's addresses are no registers: words that hold coils and inputs."""


POWER_WORD = BEYOND_REGISTERS + 0x200
"""Image address of the word that is 0 while a meter has no supply; an image without it always has one."""


@dataclass(frozen=True, slots=True, order=True)
class BitBlock:
    """A run of coils or discrete inputs that all exist, and where the image holds their states."""

    address: int
    """Number of the first, 0-based."""
    count: int
    """How many."""
    word: int
    """Image address of the word that holds the first in its lowest bit; sixteen a word. From
    ``BEYOND_REGISTERS`` on where no register shows them."""
    name: str = ""
    """What each is called in a tag list, before its number from 1; without one they are in no list."""


@dataclass(frozen=True, slots=True)
class SerialPort:
    """Which registers of its image say how a serial port of a meter is set."""

    address: int
    """Register of the unit identifier that the port answers to."""
    baud_rate: int
    """Register of its speed [Bd]."""
    parity: int
    """Register of its character format."""
    formats: tuple[str, ...]
    """By value of that register: data bits, parity and stop bits, for example ``8N1``."""
    protocol: int | None = None
    """Register that reads 0 while the port speaks Modbus; None where it always does."""


@dataclass(frozen=True, slots=True)
class Point:
    """One named quantity of a register map, as a SCADA's tag list needs it."""

    name: str
    """Quantity, for example ``v1`` or ``ep_imp``."""
    address: int
    """First word, 0-based."""
    words: int
    """1 or 2."""
    type: str
    """``uint16``, ``int16``, ``uint32``, ``int32`` or ``float32``."""
    word_order: str
    """``high first`` or, for one word, empty."""
    scale: float
    """Engineering value = raw value x scale."""
    unit: str
    """SI unit with prefix, for example ``kWh``; empty for a number."""
    access: Access
    """Read, read and write."""


class RegisterReader(Protocol):
    """A published register image: never torn, safe to read from any thread."""

    def read(self, address: int, count: int) -> NDArray[np.uint16] | None:
        """Return ``count`` words, or None where one of the addresses does not exist."""
        ...

    def read_octets(self, address: int, count: int) -> bytes | None:
        """Return the same, two bytes a word, the high one first."""
        ...

    @property
    def powered(self) -> bool:
        """Whether the device has its supply; without it answers nothing."""
        ...

    @property
    def published_ns(self) -> int:
        """Simulated time of the last publication, UTC [ns]."""
        ...


class RetrievalWindow(Protocol):
    """Registers whose content depends on a cursor that belongs to one master's session.

    ``read`` and ``write`` are pure: they take the session's cursor and return the next one. What they
    show (events, captures) is immutable once recorded.
    """

    @property
    def blocks(self) -> tuple[RegisterBlock, ...]:
        """Addresses that this window answers for, instead of the image."""
        ...

    def initial(self) -> Any:
        """Return a new session's cursor."""
        ...

    def read(self, cursor: Any, address: int, count: int) -> tuple[NDArray[np.uint16], Any]:
        """Return the words and the cursor after this read."""
        ...

    def write(self, cursor: Any, address: int, words: Sequence[int]) -> Any | None:
        """Return the cursor after this write, or None where it must go to the meter as a command.

        Raises ``ValueError`` for a value outside its range.
        """
        ...


class Device(Protocol):
    """All that an endpoint may know of a meter."""

    @property
    def name(self) -> str:
        """Name in the scenario."""
        ...

    @property
    def image(self) -> RegisterReader:
        """Published holding registers."""
        ...

    @property
    def windows(self) -> tuple[RetrievalWindow, ...]:
        """Cursor-driven registers."""
        ...

    @property
    def write_regions(self) -> tuple[tuple[RegisterBlock, ...], ...]:
        """Writable addresses by settings region; one write must stay inside one region."""
        ...

    @property
    def coils(self) -> tuple[BitBlock, ...]:
        """Outputs that a master may read and switch, by ``write_coil``."""
        ...

    @property
    def inputs(self) -> tuple[BitBlock, ...]:
        """Discrete inputs that a master may read."""
        ...

    @property
    def serial_ports(self) -> tuple[SerialPort, ...]:
        """Its serial ports, the first one first; empty where it has none."""
        ...

    @property
    def function_codes(self) -> frozenset[int]:
        """Modbus functions that the meter knows; any other answers exception 01."""
        ...

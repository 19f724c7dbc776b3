"""What the site and the process of its endpoints tell each other; all of it can be pickled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from twin.contracts import Answer, BitBlock, Command, RegisterBlock, RetrievalWindow, SerialPort
from twin.protocols.image_bank import BankPlan
from twin.protocols.serial_format import SerialFormat

if TYPE_CHECKING:
    Link = Connection[object, object]
else:
    Link = Connection

WindowFactory = Callable[[memoryview], tuple[RetrievalWindow, ...]]
"""Makes a meter's retrieval windows from the memory in which its logs are published; a function at the top
of a module, so that another process finds it by name."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A meter, for the process that serves it."""

    name: str
    bank: int
    """Which bank holds its image."""
    row: int
    """Which image of the bank it is."""
    windows: WindowFactory | None
    write_regions: tuple[tuple[RegisterBlock, ...], ...]
    coils: tuple[BitBlock, ...]
    inputs: tuple[BitBlock, ...]
    serial_ports: tuple[SerialPort, ...]
    function_codes: frozenset[int]


@dataclass(frozen=True, slots=True)
class PortPlan:
    """A port and the meters behind it."""

    host: str
    port: int
    listener: int
    """Descriptor of the socket that listens there."""
    units: Mapping[int, int]
    """Unit identifier to number of the device."""
    unit_check: str


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A serial line and the meters on it."""

    device: str
    path: str
    descriptor: int
    """Of the open device."""
    is_pair: bool
    format: SerialFormat
    members: tuple[tuple[int, int], ...]
    """Number of the device, and which of its serial ports."""


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """All that the process of the endpoints serves."""

    banks: tuple[tuple[int, BankPlan], ...]
    """Descriptor and layout of each bank."""
    devices: tuple[DevicePlan, ...]
    ports: tuple[PortPlan, ...]
    lines: tuple[LinePlan, ...]
    answer_timeout_s: float
    idle_timeout_s: float | None
    backlog: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The process listens on all ports."""


BEAT_S = 0.5
"""How often the process says that it serves [s]."""


@dataclass(frozen=True, slots=True)
class Alive:
    """The thread that serves the ports is not stuck."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The process cannot serve, and ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A master's write, to be carried out by the simulation."""

    number: int
    command: Command


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a write."""

    number: int
    answer: Answer | None
    """None where the simulation broke down over it."""
    failure: str = ""
    """Why, for the log."""

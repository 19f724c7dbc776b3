"""What the site and the process of its endpoints tell each other; all of it can be pickled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Protocol

from twin.contracts import Answer, BitBlock, Command, Device, RegisterBlock, RetrievalWindow, SerialPort
from twin.contracts.transport import EndpointFault, GatewaySettings
from twin.protocols.image_bank import BankPlan, RegisterImageBank
from twin.protocols.serial_format import SerialFormat

if TYPE_CHECKING:
    Link = Connection[object, object]
else:
    Link = Connection

WindowFactory = Callable[[memoryview], tuple[RetrievalWindow, ...]]
"""Makes a meter's retrieval windows from the memory in which its logs are published; a function at the top
of a module, so that another process finds it by name."""


class SharedDevice(Device, Protocol):
    """A meter whose image and logs lie in a bank, where another process can read them."""

    @property
    def bank(self) -> RegisterImageBank:
        """Where its image lies."""
        ...

    @property
    def row(self) -> int:
        """Which image of the bank it is."""
        ...

    @property
    def window_factory(self) -> WindowFactory | None:
        """Makes its retrieval windows from the bank's room for its logs; None where it has none."""
        ...


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
    standing: Mapping[int, EndpointFault]
    """Unit identifier to what is always wrong with it."""
    gateway: GatewaySettings | None


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A serial line and the meters on it."""

    device: str
    path: str
    descriptor: int
    """Of the open device."""
    is_pair: bool
    format: SerialFormat
    members: tuple[tuple[int, int, EndpointFault | None], ...]
    """Number of the device, which of its serial ports, and what is always wrong with it."""


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
    faults: "SetFaults"
    """That hold from the first request on."""


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
class SetFaults:
    """Faults that are to hold from now on, and no others."""

    number: int
    """Counts up."""
    faults: tuple[EndpointFault, ...]


@dataclass(frozen=True, slots=True)
class FaultsHeld:
    """Faults hold as they were set."""

    number: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a write."""

    number: int
    answer: Answer | None
    """None where the simulation broke down over it."""
    failure: str = ""
    """Why, for the log."""

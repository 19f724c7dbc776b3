"""Where meters are served over a serial line: one device, and the meters on its line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twin.contracts import Device, SerialPort
from twin.contracts.transport import EndpointFault
from twin.protocols.binding import BindingError
from twin.protocols.modbus_rtu import Station
from twin.protocols.serial_device import SerialDevice, open_serial
from twin.protocols.serial_format import SerialFormat
from twin.protocols.served_port import ServedDevice


@dataclass(frozen=True, slots=True)
class LineMember:
    """A meter on a line."""

    device: Device
    port: int = 1
    """Which of its serial ports is connected, from 1."""
    standing: EndpointFault | None = None
    """What is always wrong with it."""


@dataclass(frozen=True, slots=True)
class SerialBinding:
    """One serial device and the meters on its line; their registers say to which units they answer.

    Raises
    ------
    BindingError
        There is no meter, or one lacks the serial port.
    """

    device: str
    """A path, or ``pty``, ``pty:NAME``, ``pty:/PATH`` for a pair made here."""
    members: tuple[LineMember, ...]
    format: SerialFormat
    """How the line is set at first."""

    def __post_init__(self) -> None:
        if not self.members:
            raise BindingError(f"'{self.device}' has no meter on its line; give it one")
        for member in self.members:
            if not 1 <= member.port <= len(member.device.serial_ports):
                ports = len(member.device.serial_ports)
                raise BindingError(
                    f"meter {member.device.name!r} has no serial port {member.port}; "
                    + (f"it has {ports}" if ports else "serve it over TCP")
                )

    def stations(self) -> tuple[Station, ...]:
        """Lay out the meters for serving."""
        return tuple(Station(ServedDevice(member.device), port_of(member)) for member in self.members)


def port_of(member: LineMember) -> SerialPort:
    """Return which registers set the port of a meter that is connected."""
    return member.device.serial_ports[member.port - 1]


def open_lines(bindings: Sequence[SerialBinding]) -> list[SerialDevice]:
    """Return an open device for each line, in their order: all of them or none.

    Raises
    ------
    SerialDeviceError
        One cannot be used.
    """
    opened: list[SerialDevice] = []
    try:
        opened.extend(open_serial(binding.device, binding.format) for binding in bindings)
    except BaseException:
        close_lines(opened)
        raise
    return opened


def close_lines(devices: Iterable[SerialDevice]) -> None:
    """Close devices; those that are closed stay so."""
    for device in devices:
        device.close()

"""Endpoints: each protocol serves published register images and hands writes on as commands."""

from twin.protocols.binding import (
    Binding,
    BindingError,
    ListenError,
    PortInUseError,
    PortPermissionError,
    UnitCheck,
)
from twin.protocols.endpoint_life import EndpointProcessError
from twin.protocols.endpoint_messages import SharedDevice, WindowFactory
from twin.protocols.endpoint_process import EndpointProcess
from twin.protocols.file_limit import FileLimitError
from twin.protocols.image_bank import BankPlan, RegisterImageBank
from twin.protocols.modbus_server import BindingStatistics, ModbusServer, ServerStateError
from twin.protocols.points import points_csv
from twin.protocols.register_image import RegisterImage, RegisterImageError
from twin.protocols.serial_binding import LineMember, SerialBinding
from twin.protocols.serial_device import SerialDeviceError
from twin.protocols.serial_format import SerialFormat, SerialFormatError

__all__ = [
    "BankPlan",
    "Binding",
    "BindingError",
    "BindingStatistics",
    "EndpointProcess",
    "EndpointProcessError",
    "FileLimitError",
    "LineMember",
    "ListenError",
    "ModbusServer",
    "PortInUseError",
    "PortPermissionError",
    "RegisterImage",
    "RegisterImageBank",
    "RegisterImageError",
    "SerialBinding",
    "SerialDeviceError",
    "SerialFormat",
    "SerialFormatError",
    "ServerStateError",
    "SharedDevice",
    "UnitCheck",
    "WindowFactory",
    "points_csv",
]

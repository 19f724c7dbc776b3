"""Endpoints: each protocol serves published register images and hands writes on as commands."""

from twin.protocols.binding import (
    Binding,
    BindingError,
    ListenError,
    PortInUseError,
    PortPermissionError,
    UnitCheck,
)
from twin.protocols.file_limit import FileLimitError
from twin.protocols.modbus_server import BindingStatistics, ModbusTcpServer, ServerStateError
from twin.protocols.points import points_csv
from twin.protocols.register_image import RegisterImage, RegisterImageError

__all__ = [
    "Binding",
    "BindingError",
    "BindingStatistics",
    "FileLimitError",
    "ListenError",
    "ModbusTcpServer",
    "PortInUseError",
    "PortPermissionError",
    "RegisterImage",
    "RegisterImageError",
    "ServerStateError",
    "UnitCheck",
    "points_csv",
]

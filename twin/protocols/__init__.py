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
from twin.protocols.endpoint_messages import WindowFactory
from twin.protocols.endpoint_process import EndpointProcess, SharedDevice
from twin.protocols.file_limit import FileLimitError
from twin.protocols.image_bank import BankPlan, RegisterImageBank
from twin.protocols.modbus_server import BindingStatistics, ModbusTcpServer, ServerStateError
from twin.protocols.points import points_csv
from twin.protocols.register_image import RegisterImage, RegisterImageError

__all__ = [
    "BankPlan",
    "Binding",
    "BindingError",
    "BindingStatistics",
    "EndpointProcess",
    "EndpointProcessError",
    "FileLimitError",
    "ListenError",
    "ModbusTcpServer",
    "PortInUseError",
    "PortPermissionError",
    "RegisterImage",
    "RegisterImageBank",
    "RegisterImageError",
    "ServerStateError",
    "SharedDevice",
    "UnitCheck",
    "WindowFactory",
    "points_csv",
]

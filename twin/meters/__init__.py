"""Virtual meters: they turn a signal into registers, logs and captures as their manuals say."""

from twin.meters.connection import Connection, ConnectionFaultError, input_map
from twin.meters.current_transformer import CurrentTransformer
from twin.meters.kw320 import (
    FORMATS,
    PROFILES,
    AlarmConfig,
    ClockCourse,
    DataLogConfig,
    Fleet,
    ImageFault,
    LoggerConfig,
    MeterConfig,
    MeterConfigError,
    MeterFailedError,
    build_fleet,
    check_config,
    serial_registers,
)
from twin.meters.settings import RATED_FREQUENCIES, Wiring
from twin.meters.wiring import LINE_TO_LINE

__all__ = [
    "FORMATS",
    "LINE_TO_LINE",
    "PROFILES",
    "RATED_FREQUENCIES",
    "AlarmConfig",
    "ClockCourse",
    "Connection",
    "ConnectionFaultError",
    "CurrentTransformer",
    "DataLogConfig",
    "Fleet",
    "ImageFault",
    "LoggerConfig",
    "MeterConfig",
    "MeterConfigError",
    "MeterFailedError",
    "Wiring",
    "build_fleet",
    "check_config",
    "input_map",
    "serial_registers",
]

"""Virtual meters: they turn a signal into registers, logs and captures as their manuals say."""

from twin.meters.current_transformer import CurrentTransformer
from twin.meters.kw320 import (
    FORMATS,
    PROFILES,
    AlarmConfig,
    DataLogConfig,
    Fleet,
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
    "CurrentTransformer",
    "DataLogConfig",
    "Fleet",
    "LoggerConfig",
    "MeterConfig",
    "MeterConfigError",
    "MeterFailedError",
    "Wiring",
    "build_fleet",
    "check_config",
    "serial_registers",
]

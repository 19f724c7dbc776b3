"""The KW320 family of panel meters; ``kw320q`` with power quality. See ``docs/devices/kw320.md``."""

from twin.meters.kw320.clock import ClockCourse
from twin.meters.kw320.config import AlarmConfig, MeterConfig, check_config
from twin.meters.kw320.data_log_config import DataLogConfig
from twin.meters.kw320.fleet import Fleet, MeterFailedError
from twin.meters.kw320.image_faults import ImageFault
from twin.meters.kw320.installing import MeterConfigError, build_fleet
from twin.meters.kw320.logger_config import LoggerConfig
from twin.meters.kw320.profile import PROFILES
from twin.meters.kw320.serial_ports import FORMATS, serial_registers

__all__ = [
    "FORMATS",
    "PROFILES",
    "AlarmConfig",
    "ClockCourse",
    "DataLogConfig",
    "Fleet",
    "ImageFault",
    "LoggerConfig",
    "MeterConfig",
    "MeterConfigError",
    "MeterFailedError",
    "build_fleet",
    "check_config",
    "serial_registers",
]

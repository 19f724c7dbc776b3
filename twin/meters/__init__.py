"""Virtual meters: they turn a signal into registers, logs and captures as their manuals say."""

from twin.meters.current_transformer import CurrentTransformer
from twin.meters.kw320 import (
    PROFILES,
    AlarmConfig,
    Fleet,
    MeterConfig,
    MeterConfigError,
    build_fleet,
    check_config,
)

__all__ = [
    "PROFILES",
    "AlarmConfig",
    "CurrentTransformer",
    "Fleet",
    "MeterConfig",
    "MeterConfigError",
    "build_fleet",
    "check_config",
]

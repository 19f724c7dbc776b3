"""Virtual meters: they turn a signal into registers, logs and captures as their manuals say."""

from typing import TYPE_CHECKING, Any

from twin.meters.kw320 import PROFILES, AlarmConfig, MeterConfig, check_config

if TYPE_CHECKING:
    from twin.meters.kw320.fleet import Fleet, MeterConfigError, build_fleet

__all__ = [
    "PROFILES",
    "AlarmConfig",
    "Fleet",
    "MeterConfig",
    "MeterConfigError",
    "build_fleet",
    "check_config",
]


def __getattr__(name: str) -> Any:
    """Load what measures, and with it the compiled kernels, when it is first asked for."""
    if name in {"Fleet", "MeterConfigError", "build_fleet"}:
        from twin.meters.kw320 import fleet  # noqa: PLC0415

        return getattr(fleet, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

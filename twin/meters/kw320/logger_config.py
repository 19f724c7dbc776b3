"""The three data loggers of the web module, as a scenario sets them.

References
----------
KW320 manual 5.1.8.6: parameter types, details, shortest intervals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from twin.documents import suggestion
from twin.meters.energies import REGISTERS as ENERGIES
from twin.meters.quantities import BASIC_NAMES, DEMAND_NAMES

Detail = Literal["instantaneous", "minimum", "maximum", "average"]

LOGGERS: Final = 3
MONTH: Final = "month"
"""Interval from one first of a month to the next."""
SUFFIX: Final[dict[Detail, str]] = {
    "instantaneous": "",
    "minimum": "_min",
    "maximum": "_max",
    "average": "_avg",
}
"""Of a channel, after the quantity; written in capitals in files (5.1.8.6)."""
POWER_QUALITY: Final = tuple(
    name for name in BASIC_NAMES if name.startswith(("thd", "v_unbalance", "i_unbalance", "angle"))
)
REAL_TIME: Final = tuple(name for name in BASIC_NAMES if name not in {*POWER_QUALITY, *DEMAND_NAMES})
QUANTITIES: Final = (*BASIC_NAMES, *ENERGIES)
"""What loggers can keep."""
_SHORTEST: Final = (("real-time", REAL_TIME, 1), ("energy", ENERGIES, 15), ("demand", DEMAND_NAMES, 60),
                    ("power quality", POWER_QUALITY, 60))  # fmt: skip
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggerConfig:
    """One data logger."""

    quantities: tuple[str, ...]
    """Names of `QUANTITIES`."""
    values: tuple[Detail, ...] = ("instantaneous",)
    """What is kept of each; of energies and power quality the instantaneous value alone."""
    interval: int | Literal["month"] = 300
    """Whole seconds that divide a day, or a month [s]."""

    @property
    def channels(self) -> tuple[tuple[str, Detail], ...]:
        """Quantity and detail of each column, in order."""
        return tuple(
            (name, detail)
            for name in self.quantities
            for detail in self.values
            if detail == "instantaneous" or name in REAL_TIME or name in DEMAND_NAMES
        )


def logger_problems(loggers: tuple[LoggerConfig, ...]) -> Iterator[str]:
    """Yield what is wrong with the loggers of a meter: ``field: what; mend``."""
    if len(loggers) > LOGGERS:
        yield f"loggers: {len(loggers)} are too many; a meter has {LOGGERS}"
    for place, logger in enumerate(loggers):
        where = f"loggers[{place}]"
        if logger.interval != MONTH and not (1 <= logger.interval <= _DAY_S and not _DAY_S % logger.interval):
            yield f"{where}.interval: {logger.interval} s divides no day; use a divisor of a day, or month"
        for name in logger.quantities:
            if name not in QUANTITIES:
                mend = suggestion(name, QUANTITIES, "quantities")
                yield f"{where}.quantities: {name!r} cannot be logged; {mend}"
        if len(set(logger.quantities)) != len(logger.quantities):
            yield f"{where}.quantities: some stand twice; name each once"
        if not logger.channels:
            yield f"{where}.values: nothing is left to log; add instantaneous"
        for kind, names, shortest in _SHORTEST:
            if any(name in names for name in logger.quantities) and _is_shorter(logger, shortest):
                what = f"{logger.interval} s is too short for {kind} quantities"
                yield f"{where}.interval: {what}; use {shortest} s or more"


def _is_shorter(logger: LoggerConfig, seconds: int) -> bool:
    return isinstance(logger.interval, int) and logger.interval < seconds

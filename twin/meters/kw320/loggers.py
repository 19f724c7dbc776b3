"""The data loggers of a site: when their intervals end, and what they then keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, IntervalBlock
from twin.meters.bank import MeterBank
from twin.meters.energies import REGISTERS as ENERGIES
from twin.meters.interval_log import ClosedIntervals
from twin.meters.kw320.clock import MeterClock
from twin.meters.kw320.clock_search import NEVER, next_month_start, next_shown
from twin.meters.kw320.config import MeterConfig
from twin.meters.kw320.logger_config import MONTH, SUFFIX, Detail, LoggerConfig
from twin.meters.quantities import COLUMN, DIMENSION, NAMES, NUMBER

Float = NDArray[np.float64]

_DETAILS: tuple[Detail, ...] = ("instantaneous", "minimum", "maximum", "average")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns of all that can be kept a logger keeps."""

    channels: tuple[str, ...]
    columns: tuple[int, ...]
    """Among last, low, high and mean of each displayed quantity, then the energies."""
    dimensions: tuple[int, ...]
    """As of `twin.meters.quantities.DIMENSION`."""


class Loggers:
    """The loggers of all meters of a fleet; they follow the local time of the site, not the meters' clocks.

    Parameters
    ----------
    configs : sequence of MeterConfig
    start_ns : int
        UTC [ns].
    """

    def __init__(self, configs: Sequence[MeterConfig], start_ns: int) -> None:
        self._names = [config.name for config in configs]
        self._rows = [
            (meter, number, logger)
            for meter, config in enumerate(configs)
            for number, logger in enumerate(config.loggers, start=1)
        ]
        self.meters = tuple(meter for meter, _, _ in self._rows)
        """Which meter of the bank each logger is of."""
        known = {(number, logger): _layout(number, logger) for _, number, logger in self._rows}
        self._layouts = [known[number, logger] for _, number, logger in self._rows]
        self._clocks = {zone: MeterClock(zone) for zone in dict.fromkeys(c.time_zone for c in configs)}
        self._alike: dict[tuple[str, int | str], list[int]] = {}
        for row, (meter, _, logger) in enumerate(self._rows):
            self._alike.setdefault((configs[meter].time_zone, logger.interval), []).append(row)
        self._due_ns = {key: self._due_after(key, start_ns) for key in self._alike}
        self.next_ns = min(self._due_ns.values(), default=NEVER)
        """When the next interval ends, UTC; `NEVER` without [ns]."""

    def close(
        self, bank: MeterBank, ratios: Sequence[tuple[float, float]], now_ns: int
    ) -> list[IntervalBlock]:
        """End the intervals that end at an instant; return what they keep.

        Parameters
        ----------
        bank : MeterBank
            Lived up to that instant.
        ratios : sequence of (float, float)
            Primary over secondary volts and amperes of each meter.
        now_ns : int
            UTC [ns].
        """
        if self.next_ns > now_ns:
            return []
        rows = []
        for key, at in self._due_ns.items():
            if at <= now_ns:
                rows += self._alike[key]
                self._due_ns[key] = self._due_after(key, now_ns)
        self.next_ns = min(self._due_ns.values())
        rows.sort()
        closed = bank.close_intervals(rows)
        energies = bank.energy_table()
        return self._blocks(rows, closed, energies, ratios, now_ns)

    def _blocks(
        self,
        rows: Sequence[int],
        closed: ClosedIntervals,
        energies: Float,
        ratios: Sequence[tuple[float, float]],
        now_ns: int,
    ) -> list[IntervalBlock]:
        # One wide row of all that can be kept, then one pick of columns for all loggers that are alike.
        own = [self.meters[row] for row in rows]
        table = np.hstack([closed.last, closed.low, closed.high, closed.mean, energies[own]])
        volts, amperes = np.array(ratios)[own].T
        factors = np.stack([volts, amperes, volts * amperes, np.ones(len(rows))], axis=1)
        alike: dict[_Layout, list[int]] = {}
        for place, row in enumerate(rows):
            if closed.duration_s[place] > 0.0:
                alike.setdefault(self._layouts[row], []).append(place)
        return [
            IntervalBlock(
                tuple(self._names[own[place]] for place in places),
                now_ns,
                closed.duration_s[places],
                layout.channels,
                table[np.ix_(places, layout.columns)] * factors[np.ix_(places, layout.dimensions)],
            )
            for layout, places in alike.items()
        ]

    def _due_after(self, key: tuple[str, int | str], now_ns: int) -> int:
        zone, interval = key
        return next_shown(self._clocks[zone], now_ns, partial(_next_end, interval))


def channel_names(number: int, logger: LoggerConfig) -> tuple[str, ...]:
    """Return the channels of a logger in a recording: ``logger1_v1_min``."""
    return tuple(f"logger{number}_{name}{SUFFIX[detail]}" for name, detail in logger.channels)


def _layout(number: int, logger: LoggerConfig) -> _Layout:
    columns, dimensions = [], []
    for name, detail in logger.channels:
        if name in COLUMN:
            columns.append(_DETAILS.index(detail) * len(NAMES) + COLUMN[name])
            dimensions.append(DIMENSION[COLUMN[name]])
        else:
            columns.append(len(_DETAILS) * len(NAMES) + ENERGIES.index(name))
            dimensions.append(NUMBER)  # energies are primary already
    return _Layout(channel_names(number, logger), tuple(columns), tuple(dimensions))


def _next_end(interval: int | str, shown_ns: int) -> int:
    """Return the first wall time after another at which an interval ends [ns]."""
    if interval != MONTH:
        assert isinstance(interval, int)
        step = interval * NS_PER_SECOND
        return (shown_ns // step + 1) * step
    return next_month_start(shown_ns)

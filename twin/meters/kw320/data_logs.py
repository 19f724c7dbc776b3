"""The three data logs of a meter: when they record, and what of all meters is recorded at an instant."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.meters.kw320.clock import MeterClock
from twin.meters.kw320.clock_search import NEVER, next_shown
from twin.meters.kw320.data_log_memory import DataLogMemory, records_of
from twin.meters.kw320.data_log_settings import (
    LOGS,
    DataLogSettings,
    data_log_settings,
    stamp_words,
)

Words = NDArray[np.uint16]

_MINUTE_NS = 60 * NS_PER_SECOND
_DAY_NS = 1440 * _MINUTE_NS


class DataLogs:
    """The data logs of one meter.

    Parameters
    ----------
    raw : Mapping of str to int
        Raw value of every setting register by name.
    clock : MeterClock
        Whose time the logs follow.
    now_ns : int
        When the meter is switched on, UTC [ns].
    """

    def __init__(self, raw: Mapping[str, int], clock: MeterClock, now_ns: int) -> None:
        self._clock = clock
        self.memory = DataLogMemory()
        """What is recorded, and where readers find it."""
        self._settings = [DataLogSettings() for _ in range(LOGS)]
        self._due_ns = [NEVER] * LOGS
        self._records = [False] * LOGS
        self._configure(raw, range(1, LOGS + 1), now_ns)

    @property
    def next_ns(self) -> int:
        """When any of the logs records next, UTC; `NEVER` without [ns]."""
        return min(self._due_ns)

    def configure(self, raw: Mapping[str, int], logs: Sequence[int], now_ns: int) -> None:
        """Take what a master has set of some logs (1..3); they are erased."""
        self._configure(raw, logs, now_ns)
        self.memory.note_change()

    def _configure(self, raw: Mapping[str, int], logs: Sequence[int], now_ns: int) -> None:
        for log in logs:
            settings = self._settings[log - 1] = data_log_settings(raw, log)
            self._records[log - 1] = settings.enabled and not settings.faulty
            self.memory.configure(log - 1, settings)
        self.reschedule(now_ns)

    def set_back(self, raw: Mapping[str, int], now_ns: int) -> None:
        """Go on as some settings say; a log that was set otherwise meanwhile is erased."""
        logs = [log for log in range(1, LOGS + 1) if self._settings[log - 1] != data_log_settings(raw, log)]
        if logs:
            self.configure(raw, logs, now_ns)
        else:
            self.reschedule(now_ns)

    def reschedule(self, now_ns: int) -> None:
        """Find the next records anew: the clock was set, or settings were."""
        self._due_ns = [self._due_after(log, now_ns, {}) for log in range(LOGS)]

    def due(self, now_ns: int) -> list[int]:
        """Return the logs (0..2) that record at an instant."""
        return [log for log, at in enumerate(self._due_ns) if at == now_ns]

    def addresses(self, log: int) -> tuple[int, ...]:
        """Return the registers of a log (0..2), word by word."""
        return self._settings[log].addresses

    def stamp(self, now_ns: int, known: dict[object, tuple[int, int, int]]) -> tuple[int, int, int]:
        """Return the time of a record that is made at an instant; ``known`` are those of other clocks."""
        key = self._clock.signature(now_ns)
        if key not in known:
            known[key] = stamp_words(self._clock.stamp(now_ns))
        return known[key]

    def append(self, log: int, record: Words, now_ns: int, known: dict[object, int]) -> None:
        """Keep the record of an instant, and look out for the next; ``known`` are next ones of other logs."""
        self.memory.append(log, record)
        self._due_ns[log] = self._due_after(log, now_ns, known)

    def _due_after(self, log: int, now_ns: int, known: dict[object, int]) -> int:
        """Return when a log records next after an instant [ns]."""
        settings = self._settings[log]
        if not self._records[log] or (settings.mode == "window" and self.memory.is_full(log)):
            return NEVER
        key = settings.timing, self._clock.signature(now_ns)
        if key not in known:
            known[key] = next_shown(self._clock, now_ns, partial(_next_wanted, settings))
        return known[key]


def _next_wanted(settings: DataLogSettings, shown_ns: int) -> int | None:
    """Return the first wall time after another at which a log records; None when there is none [ns].

    A ring's intervals are counted from a midnight long ago: those that divide a day fall on the same times of
    each. A window's count from its start.
    """
    step = settings.interval_minutes * _MINUTE_NS
    if settings.mode == "ring":
        return (shown_ns // step + 1) * step
    if settings.mode == "daily":
        if settings.daily_minute is None:
            return None
        at = settings.daily_minute * _MINUTE_NS
        return (shown_ns - at) // _DAY_NS * _DAY_NS + _DAY_NS + at
    start, end = settings.start_ns, settings.end_ns
    if start is None or end is None:
        return None
    wanted = start if shown_ns < start else start + ((shown_ns - start) // step + 1) * step
    return wanted if wanted <= end else None


def record_due(meters: Sequence[tuple[DataLogs, Words]], layout: Mapping[int, int], now_ns: int) -> None:
    """Make the records of an instant.

    Parameters
    ----------
    meters : sequence of (DataLogs, uint16[words])
        Meters of one model with the words of their images.
    layout : Mapping of int to int
        Where each address stands among the words; one that is not there reads 0.
    now_ns : int
        UTC [ns].
    """
    alike: dict[tuple[int, ...], list[tuple[DataLogs, int, Words]]] = {}
    for logs, words in meters:
        for log in logs.due(now_ns):
            alike.setdefault(logs.addresses(log), []).append((logs, log, words))
    stamps: dict[object, tuple[int, int, int]] = {}
    nexts: dict[object, int] = {}
    for addresses, members in alike.items():
        data = np.zeros((len(members), len(addresses)), np.uint16)
        present = [(k, layout[address]) for k, address in enumerate(addresses) if address in layout]
        columns, places = [k for k, _ in present], [at for _, at in present]
        for row, (_, _, words) in enumerate(members):
            data[row, columns] = words[places]
        numbers = [logs.memory.next_number(log) for logs, log, _ in members]
        made = records_of(numbers, [logs.stamp(now_ns, stamps) for logs, _, _ in members], data)
        for (logs, log, _), record in zip(members, made, strict=True):
            logs.append(log, record, now_ns, nexts)

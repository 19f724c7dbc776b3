"""The logs of a meter in memory that processes share, for retrieval windows in any of them.

One thread writes, any number of readers read. Entries are only ever added: first the entry, then the
count. Clearing a log, and dropping its oldest event when it is full, let places be used again; they make
the generation odd and then even again, and a reader that finds another generation after copying than before,
or an odd one, reads once more.

Across processes this needs stores and loads that other cores see in order, as x86-64 guarantees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from twin.contracts import RetrievalWindow
from twin.meters.kw320.logs import CYCLE, CYCLES, MAX_EVENTS, MAX_WAVEFORMS, REASON_WORDS, PowerQualityLog
from twin.meters.kw320.windows import EventWindow, WaveformWindow

Words = NDArray[np.uint16]

_EVENT_WORDS, _WINDOWS = 8, 12 * CYCLES
_STAMPS = 64  # bytes: eight int64, one cache line
_EVENT_GENERATION, _EVENT_COUNT, _WAVEFORM_GENERATION, _WAVEFORM_COUNT, _EVENT_FIRST = range(5)
_EVENTS = MAX_EVENTS * _EVENT_WORDS
_REASONS = MAX_WAVEFORMS * REASON_WORDS
_SAMPLES = MAX_WAVEFORMS * _WINDOWS * CYCLE
LOG_BYTES = _STAMPS + 2 * (_EVENTS + _REASONS + _SAMPLES)
"""Room for full logs; what is not used takes no memory."""


class _LogMemory:
    """Where things stand in the memory of a log."""

    def __init__(self, memory: memoryview) -> None:
        self.stamps = memory[:_STAMPS].cast("q")
        words = np.frombuffer(memory, np.uint16, _EVENTS + _REASONS + _SAMPLES, _STAMPS)
        events, reasons, samples = np.split(words, [_EVENTS, _EVENTS + _REASONS])
        self.events = events.reshape(MAX_EVENTS, _EVENT_WORDS)
        self.reasons = reasons.reshape(MAX_WAVEFORMS, REASON_WORDS)
        self.samples = samples.reshape(MAX_WAVEFORMS, _WINDOWS, CYCLE)


class LogPublisher:
    """Copies what a log gets to shared memory.

    Parameters
    ----------
    memory : memoryview
        At least `LOG_BYTES`, zeros.
    """

    def __init__(self, memory: memoryview) -> None:
        self._memory = _LogMemory(memory)
        self._series: object = None  # of the events that were copied
        self._waveforms: object = None  # the list that was copied; clearing it puts a new one in its place

    def update(self, log: PowerQualityLog) -> None:
        """Publish what has changed since the last time."""
        memory, stamps = self._memory, self._memory.stamps
        if self._series is not log.series:
            stamps[_EVENT_GENERATION] += 1
            stamps[_EVENT_COUNT] = stamps[_EVENT_FIRST] = 0
            stamps[_EVENT_GENERATION] += 1
            self._series = log.series
        if stamps[_EVENT_FIRST] != log.dropped:
            stamps[_EVENT_GENERATION] += 1
            self._copy_events(log)
            stamps[_EVENT_GENERATION] += 1
        else:
            self._copy_events(log)
        if self._waveforms is not log.waveforms:
            _clear(stamps, _WAVEFORM_GENERATION, _WAVEFORM_COUNT)
            self._waveforms = log.waveforms
        for at in range(stamps[_WAVEFORM_COUNT], len(log.waveforms)):
            memory.reasons[at], memory.samples[at] = log.waveforms[at]
            stamps[_WAVEFORM_COUNT] = at + 1

    def _copy_events(self, log: PowerQualityLog) -> None:
        """Copy what was added, each event to its place in the circle."""
        memory, stamps = self._memory, self._memory.stamps
        for number in range(max(stamps[_EVENT_COUNT], log.dropped), log.dropped + len(log.events)):
            memory.events[number % MAX_EVENTS] = log.events[number - log.dropped]
            stamps[_EVENT_COUNT] = number + 1
        stamps[_EVENT_FIRST] = log.dropped


def _clear(stamps: memoryview, generation: int, count: int) -> None:
    stamps[generation] += 1
    stamps[count] = 0
    stamps[generation] += 1


class _Ring(Sequence[Words]):
    """Events in a circle, oldest first."""

    def __init__(self, events: Words, first: int, count: int) -> None:
        self._events, self._first, self._count = events, first, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Words: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Words]: ...

    def __getitem__(self, at: int | slice) -> Words | Sequence[Words]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(self._count))]
        event: Words = self._events[(self._first + at) % MAX_EVENTS]
        return event


class _Groups(Sequence[tuple[Words, Words]]):
    """Waveform groups as a log holds them: reasons and windows of each."""

    def __init__(self, reasons: Words, samples: Words) -> None:
        self._reasons, self._samples = reasons, samples

    def __len__(self) -> int:
        return len(self._reasons)

    @overload
    def __getitem__(self, at: int) -> tuple[Words, Words]: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[Words, Words]]: ...

    def __getitem__(self, at: int | slice) -> tuple[Words, Words] | Sequence[tuple[Words, Words]]:
        if isinstance(at, slice):
            return _Groups(self._reasons[at], self._samples[at])
        return self._reasons[at], self._samples[at]


@dataclass(frozen=True, slots=True)
class LogView:
    """A published log as it stood at one moment; its entries are not copied yet."""

    events: Sequence[Words]
    waveforms: Sequence[tuple[Words, Words]]
    _stamps: memoryview
    _generations: tuple[int, int]

    @property
    def holds(self) -> bool:
        """Whether nothing was cleared since, so that what was read is what stood there."""
        stamps, generations = self._stamps, self._generations
        return generations == (stamps[_EVENT_GENERATION], stamps[_WAVEFORM_GENERATION]) and not any(
            generation & 1 for generation in generations
        )


class LogReader:
    """Shows a published log as it stands.

    Parameters
    ----------
    memory : memoryview
        Where a `LogPublisher` writes.
    """

    def __init__(self, memory: memoryview) -> None:
        self._memory = _LogMemory(memory)

    def __call__(self) -> LogView:
        """Return the log as it is now."""
        memory, stamps = self._memory, self._memory.stamps
        generations = stamps[_EVENT_GENERATION], stamps[_WAVEFORM_GENERATION]
        first, groups = stamps[_EVENT_FIRST], stamps[_WAVEFORM_COUNT]
        events = _Ring(memory.events, first, max(stamps[_EVENT_COUNT] - first, 0))
        waveforms = _Groups(memory.reasons[:groups], memory.samples[:groups])
        return LogView(events, waveforms, stamps, generations)


def published_windows(memory: memoryview) -> tuple[RetrievalWindow, ...]:
    """Return the retrieval windows of a meter whose logs are published in this memory."""
    log = LogReader(memory)
    return (EventWindow(log), WaveformWindow(log))

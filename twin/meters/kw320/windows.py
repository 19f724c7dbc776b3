"""The retrieval windows: registers whose content follows what a master asked for before.

References
----------
KW320 manual 4.6, event log retrieve and waveform capture retrieve; 6.3.8, retrieve addresses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.contracts import RegisterBlock
from twin.meters.kw320.logs import MAX_EVENTS, MAX_WAVEFORMS, REASON_WORDS

EVENT_BLOCK = RegisterBlock(0x8CFD, 83)
"""Newest number, first asked for, how many, and ten events of eight words."""
WAVEFORM_BLOCK = RegisterBlock(0x8E00, 68)
"""Group, index, status, newest group, and the window of 64 words."""
VALID = 0x0B
INVALID = 0xFF
LAST_INDEX = 121
_GROUPS_PER_READ = 4
_EVENTS_PER_READ = 10

Words = NDArray[np.uint16]


class Log(Protocol):
    """A meter's log as a window reads it, wherever it is kept."""

    @property
    def events(self) -> Sequence[Sequence[int] | Words]:
        """Eight words each."""

    @property
    def waveforms(self) -> Sequence[tuple[Words, Words]]:
        """Reason words and windows of each group."""

    @property
    def holds(self) -> bool:
        """Whether what was read of it so far belongs together; else it has to be read anew."""


LogSource = Callable[[], Log]


@dataclass(frozen=True, slots=True)
class EventCursor:
    """What a master asked the event window for."""

    start: int = 1
    """First event, 1..50000 (8CFEH)."""
    count: int = 1
    """How many, 1..10 (8CFFH)."""


class EventWindow:
    """Power-quality events, ten at most in one read.

    Parameters
    ----------
    log : Callable
        Returns the meter's log as it is now.
    """

    blocks = (EVENT_BLOCK,)

    def __init__(self, log: LogSource) -> None:
        self._log = log

    def initial(self) -> EventCursor:
        """Return a new session's cursor: the first event."""
        return EventCursor()

    def read(self, cursor: EventCursor, address: int, count: int) -> tuple[Words, EventCursor]:
        """Return words of the window; places without an event read 0."""
        while True:
            log = self._log()
            words = self._words(log, cursor)
            if log.holds:
                break
        first = address - EVENT_BLOCK.address
        return words[first : first + count], cursor

    @staticmethod
    def _words(log: Log, cursor: EventCursor) -> Words:
        events = log.events
        words = np.zeros(EVENT_BLOCK.count, dtype=np.uint16)
        words[:3] = len(events), cursor.start, cursor.count
        for place, event in enumerate(events[cursor.start - 1 : cursor.start - 1 + cursor.count]):
            words[3 + 8 * place : 11 + 8 * place] = event
        return words

    def write(self, cursor: EventCursor, address: int, words: Sequence[int]) -> EventCursor | None:
        """Ask for other events.

        Raises
        ------
        ValueError
            The first event is beyond the newest, or the number of events is not 1..10.
        """
        asked = _changed((cursor.start, cursor.count), address - EVENT_BLOCK.address - 1, words)
        if asked is None:
            return None
        start, count = asked
        newest = min(max(len(self._log().events), 1), MAX_EVENTS)
        if not 1 <= start <= newest:
            raise ValueError(f"event_start (8CFEH) {start} is out of range 1..{newest}, the newest event")
        if not 1 <= count <= _EVENTS_PER_READ:
            raise ValueError(f"event_count (8CFFH) {count} is out of range 1..10")
        return EventCursor(start, count)


@dataclass(frozen=True, slots=True)
class WaveformCursor:
    """What a master asked the waveform window for."""

    group: int = 1
    """1..100 (8E00H)."""
    index: int = 0
    """0 reasons of four groups, 1 time and reasons, 2..121 one cycle of one channel (8E01H)."""


class WaveformWindow:
    """Captured waveforms, one cycle of one channel in one read.

    Parameters
    ----------
    log : Callable
        Returns the meter's log as it is now.
    """

    blocks = (WAVEFORM_BLOCK,)

    def __init__(self, log: LogSource) -> None:
        self._log = log

    def initial(self) -> WaveformCursor:
        """Return a new session's cursor: the reasons of the first groups."""
        return WaveformCursor()

    def read(self, cursor: WaveformCursor, address: int, count: int) -> tuple[Words, WaveformCursor]:
        """Return words of the window; only a read of the whole, valid window moves on."""
        while True:
            log = self._log()
            words, newest = self._words(log, cursor), len(log.waveforms)
            if log.holds:
                break
        valid = cursor.group <= newest
        whole = (address, count) == (WAVEFORM_BLOCK.address, WAVEFORM_BLOCK.count)
        first = address - WAVEFORM_BLOCK.address
        return words[first : first + count], self._next(cursor, newest) if whole and valid else cursor

    @staticmethod
    def _words(log: Log, cursor: WaveformCursor) -> Words:
        groups = log.waveforms
        valid = cursor.group <= len(groups)
        words = np.zeros(WAVEFORM_BLOCK.count, dtype=np.uint16)
        words[:4] = cursor.group, cursor.index, VALID if valid else INVALID, len(groups)
        if valid and cursor.index == 0:
            shown = groups[cursor.group - 1 : cursor.group - 1 + _GROUPS_PER_READ]
            for place, (reason, _) in enumerate(shown):
                words[4 + REASON_WORDS * place : 4 + REASON_WORDS * (place + 1)] = reason
        elif valid and cursor.index == 1:
            words[4 : 4 + REASON_WORDS] = groups[cursor.group - 1][0]
        elif valid:
            words[4:] = groups[cursor.group - 1][1][cursor.index - 2]
        return words

    @staticmethod
    def _next(cursor: WaveformCursor, newest: int) -> WaveformCursor:
        """Return the cursor after the whole window was read."""
        if cursor.index == 0:
            further = cursor.group + _GROUPS_PER_READ
            return replace(cursor, group=further) if further <= newest else cursor
        return replace(cursor, index=min(cursor.index + 1, LAST_INDEX))

    def write(self, cursor: WaveformCursor, address: int, words: Sequence[int]) -> WaveformCursor | None:
        """Ask for another group or cycle; a group that does not exist shows as invalid.

        Raises
        ------
        ValueError
            The group is not 1..100, or the index is not 0..121.
        """
        asked = _changed((cursor.group, cursor.index), address - WAVEFORM_BLOCK.address, words)
        if asked is None:
            return None
        group, index = asked
        if not 1 <= group <= MAX_WAVEFORMS:
            raise ValueError(f"waveform_group (8E00H) {group} is out of range 1..100")
        if not 0 <= index <= LAST_INDEX:
            raise ValueError(f"waveform_index (8E01H) {index} is out of range 0..121")
        return WaveformCursor(group, index)


def _changed(fields: tuple[int, int], first: int, words: Sequence[int]) -> tuple[int, int] | None:
    """Return a cursor's two fields with some written anew; None where other registers are written."""
    if first < 0 or first + len(words) > 2:
        return None
    changed = list(fields)
    changed[first : first + len(words)] = words
    return changed[0], changed[1]

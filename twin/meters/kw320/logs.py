"""What the meter keeps of events, waveforms and alarms, as the words that its registers show.

A log only grows; clearing it puts a new one in its place. A reader in another thread that took hold of a
log therefore never sees it change under its hands, only longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.contracts import EventRecord, WaveformRecord
from twin.meters.kw320.io_modules import module_of

MAX_EVENTS = 50_000
"""Power-quality events (KW320 manual 4.6); then each new one takes the place of the oldest."""
MAX_WAVEFORMS = 100
"""Waveform groups; when they are used up nothing is captured until they are cleared (4.6)."""
ALARM_RECORDS = 16
"""Alarm records, written in a circle (4.4)."""
CYCLE = 64
"""Samples per cycle of a capture (4.6) [samples]."""
CYCLES = 10
"""Cycles before and after the trigger (4.6)."""
REASON_WORDS = 16
"""Time stamp and triggering condition of a waveform group (4.6) [words]."""

_PHASES = {"a": 0, "b": 1, "c": 2}
_REASON_WORD = {"manual": 7, "sag": 11, "swell": 12, "over_current": 13}
_INPUT_WORD = {"io11": 8, "io21": 9, "io31": 10}
_OFF_TO_ON, _ON_TO_OFF = 0b01, 0b10


@dataclass(slots=True)
class PowerQualityLog:
    """Events and waveform groups of one meter."""

    events: list[tuple[int, ...]] = field(default_factory=list)
    """Eight words each, oldest first."""
    waveforms: list[tuple[NDArray[np.uint16], NDArray[np.uint16]]] = field(default_factory=list)
    """Per group: 16 reason words, and 120 windows of 64 words in the order of the manual."""
    dropped: int = 0
    """Events that gave way to newer ones since the log was cleared."""
    series: object = field(default_factory=object)
    """The same as long as events were only added and dropped, not cleared."""

    @property
    def holds(self) -> bool:
        """Whether what was read of it belongs together: always, a cleared log is put aside as a whole."""
        return True

    def without_events(self) -> "PowerQualityLog":
        """Return the log with its events cleared."""
        return PowerQualityLog(waveforms=self.waveforms)

    def without_waveforms(self) -> "PowerQualityLog":
        """Return the log with its waveforms cleared."""
        return PowerQualityLog(events=self.events, dropped=self.dropped, series=self.series)

    def without_oldest_event(self) -> "PowerQualityLog":
        """Return the log with room for one more event."""
        return PowerQualityLog(self.events[1:], self.waveforms, self.dropped + 1, self.series)


def phase_bits(phases: str) -> int:
    """Return ``ac`` as 101 in binary: bit 0 is phase a."""
    return sum(1 << _PHASES[phase] for phase in phases)


def event_words(
    record: EventRecord, stamp: Mapping[str, int], settings: Mapping[str, int]
) -> tuple[int, ...]:
    """Return the eight words of a power-quality event.

    Parameters
    ----------
    record : EventRecord
        A sag or a swell.
    stamp : Mapping of str to int
        The meter's clock when the event was recorded.
    settings : Mapping of str to int
        The meter's setting registers by name.

    References
    ----------
    KW320 manual 4.6, event logging data format: stamp in four words, condition bits (sag of phases
    1 to 3, then swell), rated value, threshold, half-cycle count (0 for a swell).
    """
    sag = record.type == "sag"
    bits = phase_bits(record.phases)
    return (
        stamp["year"] % 100 << 8 | stamp["month"],
        stamp["day"] << 8 | stamp["hour"],
        stamp["minute"] << 8 | stamp["second"],
        stamp["millisecond"],
        bits if sag else bits << 3,
        settings["rated_voltage"],
        settings["sag_threshold_percent" if sag else "swell_threshold_percent"],
        settings["sag_half_cycles"] if sag else 0,
    )


def waveform_words(
    record: WaveformRecord, stamp: Mapping[str, int], cause: str
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return the reason words and the 120 windows of a waveform group.

    Parameters
    ----------
    record : WaveformRecord
        Raw counts of va, vb, vc, ia, ib, ic, ten cycles before and ten after the trigger.
    stamp : Mapping of str to int
        The meter's clock at the trigger.
    cause : str
        Letters of the phases that triggered, or the input: ``di7 on``; empty for a manual trigger.

    Returns
    -------
    tuple of uint16[16] and uint16[120, 64]

    References
    ----------
    KW320 manual 4.6, waveform capture data format and waveform order.
    """
    reason = np.zeros(REASON_WORDS, dtype=np.uint16)
    reason[:7] = list(stamp.values())
    place, word = _reason(record.reason, cause)
    reason[place] = word
    first = record.trigger_index - CYCLES * CYCLE
    counts = record.raw[:, first : first + 2 * CYCLES * CYCLE].astype(np.int16).view(np.uint16)
    halves = counts.reshape(6, 2, CYCLES, CYCLE).transpose(1, 0, 2, 3)
    return reason, np.ascontiguousarray(halves.reshape(12 * CYCLES, CYCLE))


def _reason(reason: str, cause: str) -> tuple[int, int]:
    """Return which of the reason words says why a group was captured, and what it says."""
    if reason != "di":
        return _REASON_WORD[reason], 1 if reason == "manual" else phase_bits(cause)
    name, _, state = cause.partition(" ")
    module = module_of("di", int(name[2:]))
    bits = _OFF_TO_ON if state == "on" else _ON_TO_OFF
    return _INPUT_WORD[module.name], bits << 2 * module.inputs.index(int(name[2:]))


class RecordRing:
    """Records in a number of places that are written in a circle.

    Parameters
    ----------
    places : int
        How many there are.
    """

    __slots__ = ("_places", "count", "records")

    def __init__(self, places: int) -> None:
        self._places = places
        self.records: dict[int, dict[str, int]] = {}
        """Place, from 1 on, to the words of the record there."""
        self.count = 0
        """How many records were ever added."""

    @property
    def newest(self) -> int:
        """Place of the newest record; 0 when there is none (registers 1032H, 1033H)."""
        return (self.count - 1) % self._places + 1 if self.count else 0

    def add(self, words: dict[str, int]) -> None:
        """Put a record into the next place."""
        self.count += 1
        self.records[self.newest] = words

    def words(self) -> dict[str, int]:
        """Return the raw values of all places that hold a record, as ``3.status`` .. ``3.millisecond``."""
        return {
            f"{place}.{name}": value
            for place, record in self.records.items()
            for name, value in record.items()
        }

"""Counts of what the meters of a run recorded, for its summary."""

from collections import Counter
from collections.abc import Sequence

from twin.contracts import AlarmRecord, EventRecord, Record, WaveformRecord


class RunTotals:
    """Counts of what meters recorded."""

    def __init__(self) -> None:
        self.alarms: Counter[str] = Counter()
        self.captures: Counter[str] = Counter()
        self._newest_event: dict[str, int] = {}

    def add(self, records: Sequence[Record]) -> None:
        """Take in a batch of records."""
        for record in records:
            match record:
                case EventRecord(meter=meter, number=number):
                    self._newest_event[meter] = max(self._newest_event.get(meter, 0), number)
                case AlarmRecord(meter=meter, transition="active"):
                    self.alarms[meter] += 1
                case WaveformRecord(meter=meter):
                    self.captures[meter] += 1

    def events(self, meter: str) -> int:
        """Return how many events a meter recorded: it numbers them from 1 without a gap."""
        return self._newest_event.get(meter, 0)

"""When the months of a site's meters end, and what then becomes of their energies."""

from collections.abc import Sequence

import numpy as np

from twin.meters.bank import MeterBank
from twin.meters.kw320.clock_search import NEVER, next_month
from twin.meters.kw320.meter import Kw320Meter


class MonthSchedule:
    """When the months of a site's meters end; meters whose clocks show the same are looked up together.

    Parameters
    ----------
    meters : sequence of Kw320Meter
    bank : MeterBank
        Of the same meters.
    """

    def __init__(self, meters: Sequence[Kw320Meter], bank: MeterBank) -> None:
        self._meters = meters
        self._bank = bank
        self._ends_ns: dict[object, int] = {}
        self._due_ns = np.array([self._end_after(meter) for meter in range(len(meters))], np.int64)
        self.next_ns = int(self._due_ns.min(initial=NEVER))
        """When the next month ends, UTC; `NEVER` without a meter [ns]."""

    def close(self) -> list[int]:
        """End the months that end now; return the meters whose they are."""
        if self.next_ns > self._bank.cursor_ns:
            return []
        due: list[int] = np.flatnonzero(self._due_ns <= self._bank.cursor_ns).tolist()
        self.expect(due)
        return due

    def expect(self, meters: Sequence[int]) -> None:
        """Let months follow clocks, which go on without supply: they end, or the clock was set."""
        now_ns = self._bank.cursor_ns
        over = [meter for meter in meters if self._meters[meter].months.over(now_ns)]
        for meter, counted in zip(over, self._bank.counted_energies(over), strict=True):
            self._meters[meter].months.settle(counted, now_ns)
        self._due_ns[meters] = [self._end_after(meter) for meter in meters]
        self.next_ns = int(self._due_ns.min())

    def clear(self, meter: int) -> None:
        """Set all months of a meter to zero."""
        (counted,) = self._bank.counted_energies([meter])
        self._meters[meter].months.clear(counted)

    def _end_after(self, meter: int) -> int:
        now_ns, clock = self._bank.cursor_ns, self._meters[meter].clock
        key = clock.signature(now_ns)
        if self._ends_ns.get(key, now_ns) <= now_ns:
            self._ends_ns[key] = next_month(clock, now_ns)
        return self._ends_ns[key]

"""Which clocks the load profiles of a site follow: intervals end when the meter's own clock says so."""

from collections.abc import Sequence

import numpy as np

from twin.meters.bank import MeterBank
from twin.meters.kw320.clock_search import NEVER, minutes_ahead, next_shift
from twin.meters.kw320.meter import Kw320Meter


class ProfileClocks:
    """Tells a bank how far its meters' clocks are ahead of UTC, whenever that changes by whole minutes.

    Parameters
    ----------
    meters : sequence of Kw320Meter
    bank : MeterBank
        Of the same meters.
    """

    def __init__(self, meters: Sequence[Kw320Meter], bank: MeterBank) -> None:
        self._meters = meters
        self._bank = bank
        self._shifts_ns: dict[object, int] = {}
        self._due_ns = np.full(len(meters), NEVER, np.int64)
        self.next_ns = NEVER
        """When a clock is to be looked at next, UTC; `NEVER` without a meter [ns]."""
        self.follow(range(len(meters)))

    def look(self) -> None:
        """Follow the clocks that are due."""
        if self.next_ns <= self._bank.cursor_ns:
            self.follow(np.flatnonzero(self._due_ns <= self._bank.cursor_ns).tolist())

    def follow(self, meters: Sequence[int]) -> None:
        """Follow the clocks of some meters as they go now."""
        now_ns = self._bank.cursor_ns
        for meter in meters:
            clock = self._meters[meter].clock
            self._bank.set_minutes_ahead(meter, minutes_ahead(clock, now_ns))
            key = clock.signature(now_ns)
            if self._shifts_ns.get(key, now_ns) <= now_ns:
                self._shifts_ns[key] = next_shift(clock, now_ns)
            self._due_ns[meter] = self._shifts_ns[key]
        self.next_ns = int(self._due_ns.min(initial=NEVER))

"""Which ticks of the refresh lattices a bank must look at: those that can differ from the one before."""

from twin.meters.alarms import NEVER
from twin.meters.display import BASIC_NS, FAST_NS


class TickPlan:
    """The ticks to come.

    Parameters
    ----------
    start_ns : int
        Time at the beginning, UTC [ns].

    Attributes
    ----------
    next_tick : int
        First tick that has not been looked at, UTC [ns].
    fast_until, slow_until : int
        Fast ticks, and those of whole seconds, may differ from the one before up to here, UTC [ns].
    fast_from : int
        Fast ticks before are known to move no alarm, UTC [ns].
    """

    __slots__ = ("fast_from", "fast_until", "next_tick", "slow_until")

    def __init__(self, start_ns: int) -> None:
        self.next_tick = _tick_after(start_ns)
        self.fast_until = self.slow_until = self.fast_from = start_ns

    def expect_change(self, from_ns: int, settled_ns: int | None) -> None:
        """Look at every tick after a time.

        Parameters
        ----------
        from_ns : int
            UTC [ns].
        settled_ns : int or None
            Until windows lie in one stretch again, UTC [ns]; None for all the time.
        """
        self.begin(from_ns)
        if settled_ns is None:
            self.fast_until = self.slow_until = NEVER
            return
        settled = max(settled_ns, from_ns + 1)
        self.fast_until = -(-settled // FAST_NS) * FAST_NS
        self.slow_until = -(-settled // BASIC_NS) * BASIC_NS

    def begin(self, from_ns: int) -> None:
        """Count ticks from a time on."""
        self.next_tick = self.fast_from = _tick_after(from_ns)

    def look_once(self, now_ns: int) -> None:
        """Look at the next fast tick, whatever else is known of it."""
        tick = _tick_after(now_ns)
        self.next_tick = max(self.next_tick, tick)  # those before have been left out
        self.fast_from = min(self.fast_from, tick)
        self.fast_until = max(self.fast_until, tick)

    def see_second(self, now_ns: int) -> None:
        """Look at the next whole second, even if nothing changes any more: new intervals begin now."""
        self.next_tick = max(self.next_tick, _tick_after(now_ns))
        self.slow_until = max(self.slow_until, now_ns - now_ns % BASIC_NS + BASIC_NS)

    def upcoming(self, *, alarms: bool) -> int:
        """Return the next tick that must be looked at; ``alarms``: whether any alarm watches fast ticks."""
        fast = max(self.next_tick, self.fast_from) if alarms else NEVER
        slow = -(-self.next_tick // BASIC_NS) * BASIC_NS
        return min(
            fast if fast <= self.fast_until else NEVER,
            slow if slow <= self.slow_until else NEVER,
        )


def _tick_after(ns: int) -> int:
    return ns - ns % FAST_NS + FAST_NS

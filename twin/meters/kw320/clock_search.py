"""When a clock comes to show a wanted time: over time changes that leave times out, or show them twice."""

from collections.abc import Callable
from datetime import date
from typing import Final

from twin.contracts import NS_PER_SECOND
from twin.meters.kw320.clock import MeterClock

NEVER: Final = 1 << 62
"""Later than any instant [ns]."""
_DAY_NS = 86_400 * NS_PER_SECOND
_MINUTE_NS = 60 * NS_PER_SECOND
_LOOK_NS = _DAY_NS // 4
"""No zone changes its time and back within it."""
_LOOKS = 800
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def next_shown(clock: MeterClock, after_ns: int, wanted: Callable[[int], int | None]) -> int:
    """Return the first instant after another at which a clock comes to show a wanted time.

    Wall times that a clock leaves out, as in the night when summer begins, are not wanted; those that it
    shows twice are wanted twice.

    Parameters
    ----------
    clock : MeterClock
    after_ns : int
        UTC [ns].
    wanted : callable
        Returns the first wanted wall time after another, or None [ns].

    Returns
    -------
    int
        UTC; `NEVER` when there is none [ns].
    """
    at = after_ns
    while True:
        shown = clock.local_ns(at)
        target = wanted(shown)
        if target is None:
            return NEVER
        hop = min(target - shown, _DAY_NS)
        then = clock.run_on_ns(at, hop)
        if clock.zone_ns(then) == clock.zone_ns(at):
            if shown + hop == target:
                return then
            at = then
            continue
        at = _jump(clock, at, then)
        if wanted(clock.local_ns(at) - 1) == clock.local_ns(at):
            return at


def minutes_ahead(clock: MeterClock, now_ns: int) -> int:
    """Return how many whole minutes a clock is ahead of UTC at an instant [min]."""
    return (clock.local_ns(now_ns) - now_ns) // _MINUTE_NS


def next_shift(clock: MeterClock, after_ns: int) -> int:
    """Return the first instant after another from which on a clock is other whole minutes ahead of UTC.

    That is where its zone changes the time, or where it has drifted so far; where there is none, an instant
    more than half a year later, at which to look again, UTC [ns].
    """
    before = minutes_ahead(clock, after_ns)
    low = after_ns
    for _ in range(_LOOKS):
        high = low + _LOOK_NS
        if minutes_ahead(clock, high) != before:
            while high - low > 1:
                middle = (low + high) // 2
                if minutes_ahead(clock, middle) == before:
                    low = middle
                else:
                    high = middle
            return high
        low = high
    return low


def next_month(clock: MeterClock, after_ns: int) -> int:
    """Return the first instant after another at which a clock shows another month than then, UTC [ns].

    A month whose first hour a clock leaves out begins with what is shown first of it.
    """
    month = month_number(clock.local_ns(after_ns))
    at = after_ns
    while True:
        shown = clock.local_ns(at)
        hop = min(next_month_start(shown) - shown, _DAY_NS)
        then = clock.run_on_ns(at, hop)
        at = then if clock.zone_ns(then) == clock.zone_ns(at) else _jump(clock, at, then)
        if month_number(clock.local_ns(at)) != month:
            return at


def month_number(shown_ns: int) -> int:
    """Return the calendar month of a wall time, counted from January of the year 0."""
    day = date.fromordinal(_EPOCH_DAY + shown_ns // _DAY_NS)
    return 12 * day.year + day.month - 1


def next_month_start(shown_ns: int) -> int:
    """Return the wall time at which the month after that of another begins [ns]."""
    year, month = divmod(month_number(shown_ns) + 1, 12)
    return (date(year, month + 1, 1).toordinal() - _EPOCH_DAY) * _DAY_NS


def _jump(clock: MeterClock, low: int, high: int) -> int:
    """Return the first instant at which a clock's zone is as far ahead as at ``high``, UTC [ns]."""
    before = clock.zone_ns(low)
    while high - low > 1:
        middle = (low + high) // 2
        if clock.zone_ns(middle) == before:
            low = middle
        else:
            high = middle
    return high

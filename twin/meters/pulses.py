"""Pulses on a wire, counted in closed form: how many there have been until an instant, and whether one lasts.

Nothing is stepped through: the pulses of a day cost as little as those of a second.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Protocol

from twin.contracts import NS_PER_SECOND, TwinError

NEVER: Final = 1 << 62
"""Later than any instant [ns]."""


class PulseError(TwinError, ValueError):
    """A train of pulses that cannot be: rates below zero or without a beginning, times out of order."""


class PulseSource(Protocol):
    """What gives pulses."""

    def count(self, now_ns: int) -> int:
        """Return how many pulses have begun until an instant, it included; never fewer later."""
        ...

    def level(self, now_ns: int) -> bool:
        """Return whether a pulse lasts at an instant."""
        ...

    def next_look_ns(self, now_ns: int) -> int:
        """Return an instant after another before which the level does not change; `NEVER` if it stays."""
        ...


class TablePulses:
    """Pulses at a rate that changes in steps, as a water or gas meter gives them.

    The pulses are those of a quantity that flows: each begins when one more unit has passed, so that a
    change of the rate takes the part of a unit along.

    Parameters
    ----------
    steps : sequence of (int, float)
        From when on, UTC [ns], how many pulses come in a second; ascending. Before the first there is none.
    width_ns : int
        How long a pulse lasts [ns]. Pulses that come faster than that run into one another and are no
        longer told apart.

    Raises
    ------
    PulseError
        The steps are out of order, or a rate is negative or no number.
    """

    def __init__(self, steps: Sequence[tuple[int, float]], *, width_ns: int) -> None:
        times = [ns for ns, _ in steps]
        if sorted(set(times)) != times:
            raise PulseError("the steps of a pulse rate must be in order of time, each at its own")
        if not all(math.isfinite(rate) and rate >= 0 for _, rate in steps):
            raise PulseError("a pulse rate is 0 or more pulses per second")
        if width_ns <= 0:
            raise PulseError("a pulse lasts some time")
        self._times = times
        self._rates = [Fraction(str(rate)) / NS_PER_SECOND for _, rate in steps]
        self._width_ns = width_ns
        self._trains = [PulseTrain(width_ns)]
        for at in range(1, len(steps)):
            self._trains.append(self._ahead(at - 1, times[at]))

    def count(self, now_ns: int) -> int:
        """Return how many pulses have begun until an instant."""
        at = bisect_right(self._times, now_ns) - 1
        return self._ahead(at, now_ns).count if at >= 0 else 0

    def level(self, now_ns: int) -> bool:
        """Return whether a pulse lasts."""
        at = bisect_right(self._times, now_ns) - 1
        return at >= 0 and self._ahead(at, now_ns).busy_until > now_ns

    def next_look_ns(self, now_ns: int) -> int:
        """Return an instant after another before which the level does not change; `NEVER` if it stays."""
        at = bisect_right(self._times, now_ns) - 1
        following = self._times[at + 1] if at + 1 < len(self._times) else NEVER
        if at < 0:
            return following
        train, rate = self._ahead(at, now_ns), self._rates[at]
        if train.busy_until <= now_ns:
            return min(following, math.ceil(now_ns + train.rest / rate)) if rate else following
        if rate * self._width_ns >= 1 and train.count == self._ahead(at, now_ns + train.width_ns).count:
            return following  # each pulse begins before the one before it ends
        return min(following, math.ceil(train.busy_until))

    def _ahead(self, at: int, now_ns: int) -> "PulseTrain":
        begin = self._times[at]
        train = self._trains[at].copy()
        train.run(begin, now_ns, train.units + self._rates[at] * (now_ns - begin))
        return train


class PulseTrain:
    """A counter of units that gives a pulse at each whole one.

    A unit that is complete while the pulse before it still lasts keeps the contact closed for another
    width: there is no gap, and whoever counts sees one pulse. So an output whose period is not longer than
    its pulse stays closed, and counts nothing any more.

    Parameters
    ----------
    width_ns : int
        How long a pulse lasts [ns].
    """

    __slots__ = ("busy_until", "count", "units", "width_ns")

    def __init__(self, width_ns: int) -> None:
        self.width_ns = width_ns
        self.units = Fraction(0)
        """Units so far, with the part of one."""
        self.count = 0
        """Pulses that have begun."""
        self.busy_until: Fraction = Fraction(-(1 << 63))
        """When the last pulse ends, UTC [ns]."""

    @property
    def rest(self) -> Fraction:
        """Units until the next pulse."""
        return math.floor(self.units) + 1 - self.units

    def copy(self) -> "PulseTrain":
        """Return a train that goes on by itself."""
        other = PulseTrain(self.width_ns)
        other.units, other.count, other.busy_until = self.units, self.count, self.busy_until
        return other

    def run(self, begin_ns: int, end_ns: int, units: Fraction) -> None:
        """Let units pass at a constant rate.

        Parameters
        ----------
        begin_ns, end_ns : int
            From when to when, UTC [ns].
        units : Fraction
            Units so far at the end; not fewer than before.
        """
        before, self.units = self.units, units
        whole = math.floor(units) - math.floor(before)
        if whole <= 0 or end_ns <= begin_ns:
            return
        per_unit = (end_ns - begin_ns) / (units - before)  # [ns]
        first = begin_ns + (math.floor(before) + 1 - before) * per_unit
        gaps = whole - 1 if per_unit > self.width_ns else 0
        self.count += gaps + (1 if first > self.busy_until else 0)
        self.busy_until = end_ns - (units - math.floor(units)) * per_unit + self.width_ns

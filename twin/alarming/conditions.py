"""Alarm conditions: each says after every scan whether it holds, does not, or cannot be known.

Truth has three values, as Kleene's logic has them: a value that could not be read makes a limit unknown,
and an unknown part leaves a combination unknown unless the other parts decide it. What an alarm does with
the unknown is its rule's choice; by default it stays as it was, since a lost connection is no outage.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from twin.alarming.scans import SourceState

Truth = bool | None
Sources = Mapping[str, SourceState]


class Condition(Protocol):
    """Something that holds or not."""

    @property
    def sources(self) -> frozenset[str]:
        """Sources whose scans can change it."""
        ...

    @property
    def value(self) -> float:
        """What was compared at last; NaN where nothing was."""
        ...

    def truth(self, sources: Sources, now_ns: int) -> Truth:
        """Return whether it holds now, None when that cannot be known; called at each scan in order."""
        ...


class Tag:
    """One value of one source."""

    def __init__(self, source: str, name: str) -> None:
        self.source, self.name = source, name

    def read(self, sources: Sources) -> float:
        """Return the value of the latest scan; NaN where there is none."""
        values = sources[self.source].values
        return math.nan if values is None else values.get(self.name, math.nan)


class Limit:
    """A value is above or below a limit; with a deadband it returns only at a distance from it.

    Parameters
    ----------
    tag : Tag
    limit : float
    above : bool
        Whether the condition holds above the limit; below it otherwise.
    deadband : float
        At least 0: it ceases to hold at ``limit - deadband`` (above) or ``limit + deadband`` (below).

    References
    ----------
    ANSI/ISA-18.2, alarm deadband; OPC 10000-9, ExclusiveLimitAlarmType, deadbands of limits.
    """

    def __init__(self, tag: Tag, limit: float, *, above: bool, deadband: float = 0.0) -> None:
        self.sources = frozenset({tag.source})
        self.value = math.nan
        self._tag = tag
        self._sign = 1.0 if above else -1.0
        self._limit = limit
        self._deadband = deadband
        self._holds = False

    def truth(self, sources: Sources, now_ns: int) -> Truth:
        """Return whether the value is beyond the limit."""
        value = self._measure(sources, now_ns)
        if math.isnan(value):
            return None
        self.value = value
        beyond = self._sign * (value - self._limit)
        self._holds = beyond > (-self._deadband if self._holds else 0.0)
        return self._holds

    def _measure(self, sources: Sources, now_ns: int) -> float:
        return self._tag.read(sources)


class Deviation(Limit):
    """A value is further from a reference than allowed.

    Parameters
    ----------
    tag : Tag
    reference : float or sequence of Tag
        A number, or the mean of some tags.
    by : float
        How far is allowed.
    deadband : float
    summed : bool
        Whether the reference is the sum of the tags, not their mean.
    """

    def __init__(
        self,
        tag: Tag,
        reference: float | Sequence[Tag],
        by: float,
        *,
        deadband: float = 0.0,
        summed: bool = False,
    ) -> None:
        super().__init__(tag, by, above=True, deadband=deadband)
        self._reference = reference
        self._summed = summed
        if not isinstance(reference, int | float):
            self.sources = self.sources.union(other.source for other in reference)

    def _measure(self, sources: Sources, now_ns: int) -> float:
        reference = self._reference
        if not isinstance(reference, int | float):
            share = 1 if self._summed else len(reference)
            reference = sum(tag.read(sources) for tag in reference) / share
        return abs(self._tag.read(sources) - reference)


class RateOfChange(Limit):
    """A value rises or falls faster than allowed.

    Parameters
    ----------
    tag : Tag
    rate : float
        Units of the tag a second; above 0.
    over_ns : int
        The rate is the mean over this span: from the newest value that is at least so old to the present
        one [ns].
    falling : bool
        Whether a fall is looked for, not a rise.
    deadband : float
        Units of the tag a second.
    """

    def __init__(
        self, tag: Tag, rate: float, *, over_ns: int, falling: bool = False, deadband: float = 0.0
    ) -> None:
        super().__init__(tag, rate, above=True, deadband=deadband)
        self._over_ns = over_ns
        self._direction = -1.0 if falling else 1.0
        self._past: deque[tuple[int, float]] = deque()

    def _measure(self, sources: Sources, now_ns: int) -> float:
        value = self._tag.read(sources)
        if math.isnan(value):
            return math.nan
        past = self._past
        if not past or past[-1][0] < now_ns:
            past.append((now_ns, value))
        while len(past) > 1 and past[1][0] <= now_ns - self._over_ns:
            past.popleft()
        since, before = past[0]
        if now_ns - since < self._over_ns:
            return math.nan
        return self._direction * (value - before) / ((now_ns - since) * 1e-9)


class State:
    """A value is one of some states, or has a bit set."""

    def __init__(self, tag: Tag, *, states: frozenset[int] = frozenset(), bit: int | None = None) -> None:
        self.sources = frozenset({tag.source})
        self.value = math.nan
        self._tag = tag
        self._states = states
        self._bit = bit

    def truth(self, sources: Sources, now_ns: int) -> Truth:
        """Return whether the value is there."""
        value = self._tag.read(sources)
        if math.isnan(value):
            return None
        self.value = value
        if self._bit is not None:
            return bool(round(value) >> self._bit & 1)
        return value in self._states


class Communication:
    """A source has not answered several times in a row."""

    def __init__(self, source: str, *, failures: int) -> None:
        self.sources = frozenset({source})
        self.value = math.nan
        self._source = source
        self._failures = failures

    def truth(self, sources: Sources, now_ns: int) -> Truth:
        """Return whether the source is lost; never unknown."""
        self.value = float(sources[self._source].failures)
        return sources[self._source].failures >= self._failures


class Stale:
    """A value has not changed for some time although the source answers."""

    def __init__(self, tag: Tag, *, for_ns: int) -> None:
        self.sources = frozenset({tag.source})
        self.value = math.nan
        self._tag = tag
        self._for_ns = for_ns

    def truth(self, sources: Sources, now_ns: int) -> Truth:
        """Return whether it stands still."""
        if math.isnan(self._tag.read(sources)):
            return None
        unchanged_ns = now_ns - sources[self._tag.source].changed_ns[self._tag.name]
        self.value = unchanged_ns * 1e-9
        return unchanged_ns >= self._for_ns


class Not:
    """The contrary of a condition."""

    def __init__(self, part: Condition) -> None:
        self.sources = part.sources
        self._part = part

    @property
    def value(self) -> float:
        """Return what the part compared."""
        return self._part.value

    def truth(self, sources: Sources, now_ns: int) -> Truth:
        """Return the contrary; unknown stays unknown."""
        truth = self._part.truth(sources, now_ns)
        return None if truth is None else not truth


class Combination:
    """All, or any, of several conditions."""

    def __init__(self, parts: Sequence[Condition], *, every: bool) -> None:
        self.sources = frozenset().union(*(part.sources for part in parts))
        self._parts = tuple(parts)
        self._every = every

    @property
    def value(self) -> float:
        """Return what the first part compared that has compared something."""
        return next((part.value for part in self._parts if not math.isnan(part.value)), math.nan)

    def truth(self, sources: Sources, now_ns: int) -> Truth:
        """Return the combination in three-valued logic; every part sees every scan."""
        truths = [part.truth(sources, now_ns) for part in self._parts]
        decisive = not self._every
        if decisive in truths:
            return decisive
        return None if None in truths else not decisive

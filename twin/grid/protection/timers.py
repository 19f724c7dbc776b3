"""Timing elements: settings, and states that integrate exactly over pieces of constant current."""

import math
from dataclasses import dataclass, field

from twin.grid.protection.curves import TimeCurve
from twin.grid.protection.validation import (
    check_choice,
    check_not_negative,
    check_positive,
    check_share,
    refuse,
)

RESETS = ("instantaneous", "definite", "inverse")
"""Ways to fall back: at once, after a time, or as an induction disk."""


@dataclass(frozen=True, slots=True)
class InverseTime:
    """Settings of a dependent-time overcurrent element (51).

    References
    ----------
    IEC 60255-151:2009, 4.4.1 (operate) and 4.4.2 (reset: no intentional delay, definite time, dependent
    time); IEEE C37.112-2018 (the disk that both describe).
    """

    pickup: float
    """Primary current at which timing starts [A]."""
    curve: TimeCurve
    time_dial: float = 1.0
    """Time multiplier setting, time dial."""
    minimum_time: float = 0.0
    """Shortest operating time, a floor under the curve [s]."""
    reset: str = "instantaneous"
    """One of `RESETS`; ``inverse`` needs a curve with a reset constant."""
    reset_time: float = 0.0
    """For the definite reset: how long the current must stay away [s]."""
    start_multiple: float = 1.0
    """Current over pickup from which the element times: the threshold GT of IEC 60255-151."""
    multiple_limit: float = 20.0
    """Current over pickup from which the time stays: the limit GD of IEC 60255-151; infinite for none."""
    dropout_ratio: float = 1.0
    """Current over pickup at which a started element lets go; of no meaning for the disk of ``inverse``."""

    def __post_init__(self) -> None:
        """Refuse what cannot be set."""
        name = "inverse-time element"
        check_positive(name, pickup=self.pickup, time_dial=self.time_dial)
        check_not_negative(name, minimum_time=self.minimum_time, reset_time=self.reset_time)
        check_choice(name, RESETS, reset=self.reset)
        check_share(name, dropout_ratio=self.dropout_ratio)
        if not 1.0 <= self.start_multiple < math.inf:
            raise refuse(name, "start_multiple", self.start_multiple, "give a number of 1 or more")
        if not self.multiple_limit > self.start_multiple:
            raise refuse(name, "multiple_limit", self.multiple_limit, "give a number above start_multiple")
        if self.reset == "inverse" and self.curve.reset_seconds(0.0) is None:
            raise refuse(name, "reset", self.reset, f"curve {self.curve.name} has no reset constant")

    def operating_time(self, current: float) -> float:
        """Return the time from rest to operation at a constant current [s]; infinite if it never operates."""
        multiple = current / self.pickup
        if not multiple >= self.start_multiple:
            return math.inf
        seconds = self.time_dial * self.curve.trip_seconds(min(multiple, self.multiple_limit))
        return max(seconds, self.minimum_time)

    def full_reset_time(self, current: float) -> float:
        """Return the time from full travel to rest of the dependent reset at a constant current [s]."""
        seconds = self.curve.reset_seconds(current / self.pickup)
        return math.inf if seconds is None else self.time_dial * seconds


@dataclass(frozen=True, slots=True)
class DefiniteTime:
    """Settings of an independent-time element (50; with delay 0 it operates at once)."""

    pickup: float
    """Primary current from which it times [A]."""
    delay: float = 0.0
    """[s]."""
    dropout_ratio: float = 1.0
    """Current over pickup below which a started element falls back, at once."""

    def __post_init__(self) -> None:
        """Refuse what cannot be set."""
        check_positive("definite-time element", pickup=self.pickup)
        check_not_negative("definite-time element", delay=self.delay)
        check_share("definite-time element", dropout_ratio=self.dropout_ratio)

    def operating_time(self, current: float) -> float:
        """Return the time from rest to operation at a constant current [s]; infinite if it never operates."""
        return self.delay if current >= self.pickup else math.inf


@dataclass(slots=True)
class InverseTimer:
    """How far an inverse-time element has travelled: ``d travel / dt = 1 / t(I)``, operation at 1.

    Exact for piecewise constant currents, however they are cut.
    """

    settings: InverseTime
    travel: float = 0.0
    """0 at rest, 1 at operation."""
    started: bool = False
    """Whether the current is above pickup, or still above dropout."""
    away: float = 0.0
    """How long the current has been away, for the definite reset [s]."""

    def picked_up(self, current: float) -> bool:
        """Whether a current keeps the element started."""
        multiple = current / self.settings.pickup
        return multiple >= self.settings.start_multiple or (self.started and multiple > self._dropout())

    def time_to_operate(self, current: float) -> float:
        """Return the time to operation while ``current`` [A] lasts [s]; infinite if it never operates."""
        seconds = self.settings.operating_time(current)
        return max(1.0 - self.travel, 0.0) * seconds if seconds < math.inf else math.inf

    def advance(self, current: float, seconds: float) -> None:
        """Let ``seconds`` [s] pass at a constant ``current`` [A]."""
        if seconds <= 0.0:
            return
        self.started = self.picked_up(current)
        if self.started:
            self.away = 0.0
        operating = self.settings.operating_time(current)
        if operating < math.inf:
            self.travel = min(self.travel + seconds / operating, 1.0) if operating > 0.0 else 1.0
        elif not self.started:
            self._fall_back(current, seconds)

    def rest(self) -> None:
        """Return to rest at once."""
        self.travel, self.started, self.away = 0.0, False, 0.0

    def _dropout(self) -> float:
        # A disk is driven back by its spring wherever the current does not drive it on.
        settings = self.settings
        return settings.start_multiple if settings.reset == "inverse" else settings.dropout_ratio

    def _fall_back(self, current: float, seconds: float) -> None:
        if self.settings.reset == "inverse":
            back = self.settings.full_reset_time(current)
            self.travel = max(self.travel - seconds / back, 0.0) if back > 0.0 else 0.0
            return
        self.away += seconds
        if self.settings.reset == "instantaneous" or self.away >= self.settings.reset_time:
            self.travel = 0.0


@dataclass(slots=True)
class HoldTimer:
    """How long a condition has held; falls back at once when it ends."""

    delay: float
    """[s]."""
    elapsed: float = 0.0
    """[s]."""
    started: bool = False

    def time_left(self, *, holds: bool) -> float:
        """Return the time until the condition has held for the delay [s]; infinite if it does not hold."""
        return max(self.delay - self.elapsed, 0.0) if holds else math.inf

    def advance(self, seconds: float, *, holds: bool) -> None:
        """Let ``seconds`` [s] pass during which the condition held or not."""
        if seconds <= 0.0:
            return
        self.started = holds
        self.elapsed = min(self.elapsed + seconds, self.delay) if holds else 0.0

    def rest(self) -> None:
        """Return to rest at once."""
        self.elapsed, self.started = 0.0, False


@dataclass(slots=True)
class DefiniteTimer:
    """How long a current has been above the pickup of a definite-time element."""

    settings: DefiniteTime
    _timer: HoldTimer = field(init=False)

    def __post_init__(self) -> None:
        """Start at rest."""
        self._timer = HoldTimer(self.settings.delay)

    @property
    def travel(self) -> float:
        """Share of the delay that has passed."""
        return (
            self._timer.elapsed / self.settings.delay if self.settings.delay else float(self._timer.started)
        )

    def picked_up(self, current: float) -> bool:
        """Whether a current keeps the element started."""
        pickup = self.settings.pickup
        return current >= pickup or (self._timer.started and current > self.settings.dropout_ratio * pickup)

    def time_to_operate(self, current: float) -> float:
        """Return the time to operation while ``current`` [A] lasts [s]; infinite if it never operates."""
        return self._timer.time_left(holds=self.picked_up(current))

    def advance(self, current: float, seconds: float) -> None:
        """Let ``seconds`` [s] pass at a constant ``current`` [A]."""
        self._timer.advance(seconds, holds=self.picked_up(current))

    def rest(self) -> None:
        """Return to rest at once."""
        self._timer.rest()


Timer = InverseTimer | DefiniteTimer
TimeSettings = InverseTime | DefiniteTime


def start_timer(settings: TimeSettings) -> Timer:
    """Return a timer at rest with these settings."""
    return InverseTimer(settings) if isinstance(settings, InverseTime) else DefiniteTimer(settings)

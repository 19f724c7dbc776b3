"""Voltage and frequency elements with definite time: 27, 59, 81U, 81O, 81R."""

from dataclasses import dataclass, field

from twin.grid.protection.measured import PHASES, Action, Measured, Operation, earliest, unknown_event
from twin.grid.protection.timers import HoldTimer
from twin.grid.protection.validation import (
    check_choice,
    check_not_negative,
    check_positive,
    refuse,
    time_passes,
)


@dataclass(frozen=True, slots=True)
class VoltageSettings:
    """Settings of an undervoltage or overvoltage element.

    References
    ----------
    IEC 60255-127:2010, independent time characteristic.
    """

    name: str
    kind: str
    """``under`` (27) or ``over`` (59)."""
    pickup: float
    """Phase-to-earth voltage below or above which it times [V]."""
    delay: float
    """[s]."""
    dropout_ratio: float = 1.0
    """Voltage over pickup at which a started element lets go: 1 or more for under, 1 or less for over."""
    phases: str = "any"
    """``any`` phase operates it by itself, or ``all`` must be beyond the pickup together."""
    block_below: float = 0.0
    """Undervoltage does not time while the highest phase voltage is below this, as on a dead line [V]."""

    def __post_init__(self) -> None:
        """Refuse what cannot be set."""
        check_choice(self.name, ("under", "over"), kind=self.kind)
        check_choice(self.name, ("any", "all"), phases=self.phases)
        check_positive(self.name, pickup=self.pickup, dropout_ratio=self.dropout_ratio)
        check_not_negative(self.name, delay=self.delay, block_below=self.block_below)
        _check_dropout(self.name, self.kind, self.dropout_ratio)
        if self.block_below and (self.kind == "over" or self.block_below >= self.pickup):
            mend = "give less than the pickup of an undervoltage element, or 0"
            raise refuse(self.name, "block_below", self.block_below, mend)


@dataclass(frozen=True, slots=True)
class FrequencySettings:
    """Settings of a frequency element.

    References
    ----------
    IEC 60255-181:2019 (underfrequency, overfrequency, rate of change of frequency).
    """

    name: str
    kind: str
    """``under`` (81U), ``over`` (81O) or ``rocof`` (81R, of either sign)."""
    pickup: float
    """[Hz], for ``rocof`` [Hz/s]."""
    delay: float
    """[s]."""
    dropout_ratio: float = 1.0
    """Value over pickup at which a started element lets go: 1 or more for under, 1 or less for the others."""
    block_below: float = 0.0
    """The element does not time while the highest phase voltage is at or below this [V]."""

    def __post_init__(self) -> None:
        """Refuse what cannot be set."""
        check_choice(self.name, ("under", "over", "rocof"), kind=self.kind)
        check_positive(self.name, pickup=self.pickup, dropout_ratio=self.dropout_ratio)
        check_not_negative(self.name, delay=self.delay, block_below=self.block_below)
        _check_dropout(self.name, self.kind, self.dropout_ratio)


def _check_dropout(name: str, kind: str, ratio: float) -> None:
    if kind == "under" and ratio < 1.0:
        raise refuse(name, "dropout_ratio", ratio, "an under-element lets go at 1 or more of its pickup")
    if kind != "under" and ratio > 1.0:
        raise refuse(name, "dropout_ratio", ratio, "an over-element lets go at 1 or less of its pickup")


def _beyond(value: float, pickup: float, dropout: float, *, under: bool, started: bool) -> bool:
    """Return whether a value is beyond the pickup, or beyond the dropout of an element that has started."""
    if under:
        return value < pickup or (started and value < dropout)
    return value > pickup or (started and value > dropout)


@dataclass(slots=True)
class VoltageRelay:
    """An undervoltage or overvoltage element; events are ``trip 27 a`` and so on, ``trip 27`` for all.

    After a trip it gives none until every phase has let go.
    """

    settings: VoltageSettings
    tripped: bool = False
    timers: tuple[HoldTimer, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Start at rest."""
        count = len(PHASES) if self.settings.phases == "any" else 1
        self.timers = tuple(HoldTimer(self.settings.delay) for _ in range(count))

    @property
    def name(self) -> str:
        """The element's name."""
        return self.settings.name

    def time_to_event(self, measured: Measured) -> tuple[float, str] | None:
        """Return the seconds to the trip while ``measured`` lasts, and which; None if there is none."""
        holds = self._holds(measured)
        if self.tripped and any(holds):
            return None
        events = self._events()
        return earliest(
            [
                (timer.time_left(holds=held), what)
                for timer, held, what in zip(self.timers, holds, events, strict=True)
            ]
        )

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let ``seconds`` [s] pass during which ``measured`` was constant."""
        if not time_passes(self.name, seconds):
            return
        holds = self._holds(measured)
        for timer, held in zip(self.timers, holds, strict=True):
            timer.advance(seconds, holds=held)
        if not any(holds):
            self.tripped = False

    def fire(self, what: str) -> Action:
        """Trip.

        Raises
        ------
        GridError
            When the element has no such event.
        """
        if what not in self._events():
            raise unknown_event(self.name, what, ", ".join(self._events()))
        self.tripped = True
        return Action(Operation.OPEN, cause=what)

    def _events(self) -> tuple[str, ...]:
        number = "27" if self.settings.kind == "under" else "59"
        if self.settings.phases == "all":
            return (f"trip {number}",)
        return tuple(f"trip {number} {phase}" for phase in PHASES)

    def _holds(self, measured: Measured) -> list[bool]:
        s = self.settings
        under = s.kind == "under"
        if under and max(measured.voltages) < s.block_below:
            return [False] * len(self.timers)
        values: tuple[float, ...] = measured.voltages
        if s.phases == "all":
            values = (max(values) if under else min(values),)
        dropout = s.dropout_ratio * s.pickup
        return [
            _beyond(value, s.pickup, dropout, under=under, started=timer.started)
            for value, timer in zip(values, self.timers, strict=True)
        ]


@dataclass(slots=True)
class FrequencyRelay:
    """A frequency element; its event is ``trip 81U``, ``trip 81O`` or ``trip 81R``.

    After a trip it gives none until it has let go.
    """

    settings: FrequencySettings
    tripped: bool = False
    timer: HoldTimer = field(init=False)

    def __post_init__(self) -> None:
        """Start at rest."""
        self.timer = HoldTimer(self.settings.delay)

    @property
    def name(self) -> str:
        """The element's name."""
        return self.settings.name

    def time_to_event(self, measured: Measured) -> tuple[float, str] | None:
        """Return the seconds to the trip while ``measured`` lasts, and which; None if there is none."""
        holds = self._holds(measured)
        if self.tripped and holds:
            return None
        return earliest([(self.timer.time_left(holds=holds), self._event())])

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let ``seconds`` [s] pass during which ``measured`` was constant."""
        if not time_passes(self.name, seconds):
            return
        holds = self._holds(measured)
        self.timer.advance(seconds, holds=holds)
        if not holds:
            self.tripped = False

    def fire(self, what: str) -> Action:
        """Trip.

        Raises
        ------
        GridError
            When the element has no such event.
        """
        if what != self._event():
            raise unknown_event(self.name, what, self._event())
        self.tripped = True
        return Action(Operation.OPEN, cause=what)

    def _event(self) -> str:
        return {"under": "trip 81U", "over": "trip 81O", "rocof": "trip 81R"}[self.settings.kind]

    def _holds(self, measured: Measured) -> bool:
        s = self.settings
        # Without voltage there is no frequency to measure.
        if max(measured.voltages) <= s.block_below or measured.frequency <= 0.0:
            return False
        value = abs(measured.rocof) if s.kind == "rocof" else measured.frequency
        return _beyond(
            value, s.pickup, s.dropout_ratio * s.pickup, under=s.kind == "under", started=self.timer.started
        )

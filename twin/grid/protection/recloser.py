"""Reclosers, and reclosing relays with their breaker (79): shots, dead times, reclaim, lockout."""

from dataclasses import dataclass, field
from enum import StrEnum

from twin.grid.protection.measured import Action, Measured, Operation, earliest, unknown_event
from twin.grid.protection.overcurrent import Element, phase_and_residual
from twin.grid.protection.timers import DefiniteTime, HoldTimer, TimeSettings
from twin.grid.protection.validation import check_positive, refuse, time_passes


@dataclass(frozen=True, slots=True)
class Shot:
    """What trips the recloser while it is closed for the n-th time; any element may be left out, not all."""

    phase: TimeSettings | None = None
    """On the phase currents."""
    ground: TimeSettings | None = None
    """On the residual current."""
    phase_instantaneous: DefiniteTime | None = None
    """Beside ``phase``, for high currents."""
    ground_instantaneous: DefiniteTime | None = None
    """Beside ``ground``, for high currents."""

    def __post_init__(self) -> None:
        """Refuse a shot that never trips."""
        if not any((self.phase, self.ground, self.phase_instantaneous, self.ground_instantaneous)):
            raise refuse("recloser shot", "phase", None, "set at least one element")


@dataclass(frozen=True, slots=True)
class RecloserSettings:
    """A sequence of shots with the dead times between them.

    The times of the curves are those to the interruption of the current, as makers of reclosers state them; a
    host that models the breaker's opening time and arcing itself takes them as times to the trip.
    """

    name: str
    shots: tuple[Shot, ...]
    """One for each trip up to lockout."""
    dead_times: tuple[float, ...]
    """From each trip but the last to the reclosure [s]."""
    reset_time: float
    """Closed without a pickup for so long after a reclosure, the sequence starts afresh (reclaim) [s]."""

    def __post_init__(self) -> None:
        """Refuse a sequence that does not fit together."""
        if not self.shots:
            raise refuse(self.name, "shots", self.shots, "give at least one shot")
        if len(self.dead_times) != len(self.shots) - 1:
            mend = f"give {len(self.shots) - 1}: one between two shots"
            raise refuse(self.name, "dead_times", self.dead_times, mend)
        for n, dead_time in enumerate(self.dead_times):
            check_positive(self.name, **{f"dead_times[{n}]": dead_time})
        check_positive(self.name, reset_time=self.reset_time)


def fast_and_slow(
    name: str,
    *,
    fast: Shot,
    slow: Shot,
    fast_shots: int = 2,
    slow_shots: int = 2,
    dead_times: tuple[float, ...],
    reset_time: float,
) -> RecloserSettings:
    """Return the usual sequence: some fast shots, which save fuses, and then slow ones, which let them blow.

    Parameters
    ----------
    name : str
        Of the recloser.
    fast, slow : Shot
        Elements of the two kinds of shots.
    fast_shots, slow_shots : int
        How many of each.
    dead_times : tuple of float, shape (fast_shots + slow_shots - 1,)
        [s].
    reset_time : float
        [s].

    Raises
    ------
    GridError
        When the counts or the dead times do not fit.
    """
    for field_name, count in (("fast_shots", fast_shots), ("slow_shots", slow_shots)):
        if count < 0:
            raise refuse(name, field_name, count, "give a number of zero or more")
    return RecloserSettings(name, (fast,) * fast_shots + (slow,) * slow_shots, dead_times, reset_time)


class RecloserState(StrEnum):
    """Where in its sequence a recloser stands."""

    CLOSED = "closed"
    OPEN = "open"
    """Waiting for the dead time to pass."""
    LOCKOUT = "lockout"


@dataclass(slots=True)
class Recloser:
    """A recloser in its sequence.

    Events are ``trip <element>``, ``reclose``, ``reset`` (the sequence starts afresh) and, for the last trip,
    ``lockout <element>``; an element is named as in an overcurrent relay: ``51 b``, ``51N``. Elements
    start from rest at each reclosure. The reset time counts anew when an element picks up.
    """

    settings: RecloserSettings
    state: RecloserState = RecloserState.CLOSED
    trips: int = 0
    """Trips since the sequence started."""
    elements: tuple[Element, ...] = field(init=False)
    _dead: HoldTimer = field(init=False)
    _reclaim: HoldTimer = field(init=False)

    def __post_init__(self) -> None:
        """Start closed, at rest, with the first shot's elements."""
        self._reclaim = HoldTimer(self.settings.reset_time)
        self._dead = HoldTimer(0.0)
        self._enter_shot()

    @property
    def name(self) -> str:
        """The recloser's name."""
        return self.settings.name

    @property
    def closed(self) -> bool:
        """Whether its poles are closed."""
        return self.state is RecloserState.CLOSED

    def time_to_event(self, measured: Measured) -> tuple[float, str] | None:
        """Return the seconds to its next event while ``measured`` lasts, and which; None if there is none."""
        if self.state is RecloserState.LOCKOUT:
            return None
        if self.state is RecloserState.OPEN:
            return self._dead.time_left(holds=True), "reclose"
        verb = self._trip_verb()
        times = [(element.time_to_operate(measured), f"{verb} {element.name}") for element in self.elements]
        times.append((self._reclaim.time_left(holds=self._at_peace(measured)), "reset"))
        return earliest(times)

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let ``seconds`` [s] pass during which ``measured`` was constant."""
        if not time_passes(self.name, seconds) or self.state is RecloserState.LOCKOUT:
            return
        if self.state is RecloserState.OPEN:
            self._dead.advance(seconds, holds=True)
            return
        for element in self.elements:
            element.advance(measured, seconds)
        self._reclaim.advance(seconds, holds=self._at_peace(measured))

    def fire(self, what: str) -> Action:
        """Let an event happen: trip, reclose, reset or lock out.

        Raises
        ------
        GridError
            When the event cannot happen in the present state.
        """
        known = self._events()
        if what not in known:
            raise unknown_event(self.name, what, ", ".join(known) or "none, it is locked out")
        if what == "reset":
            self.trips = 0
            self._enter_shot()
            return Action(Operation.NONE, cause=what)
        if what == "reclose":
            self.state = RecloserState.CLOSED
            self._enter_shot()
            return Action(Operation.CLOSE, cause=what)
        self.trips += 1
        if self.trips == len(self.settings.shots):
            self.state = RecloserState.LOCKOUT
            return Action(Operation.LOCKOUT, cause=what)
        self.state = RecloserState.OPEN
        self._dead = HoldTimer(self.settings.dead_times[self.trips - 1])
        return Action(Operation.OPEN, cause=what)

    def open_by_hand(self) -> Action:
        """Open and lock out by order of an operator."""
        self.state = RecloserState.LOCKOUT
        return Action(Operation.LOCKOUT, cause="by hand")

    def close_by_hand(self) -> Action:
        """Close by order of an operator; the whole sequence lies ahead."""
        self.state = RecloserState.CLOSED
        self.trips = 0
        self._enter_shot()
        return Action(Operation.CLOSE, cause="by hand")

    def _trip_verb(self) -> str:
        return "lockout" if self.trips + 1 == len(self.settings.shots) else "trip"

    def _events(self) -> tuple[str, ...]:
        if self.state is RecloserState.LOCKOUT:
            return ()
        if self.state is RecloserState.OPEN:
            return ("reclose",)
        trips = tuple(f"{self._trip_verb()} {element.name}" for element in self.elements)
        return (*trips, "reset") if self.trips else trips

    def _enter_shot(self) -> None:
        shot = self.settings.shots[self.trips]
        self.elements = phase_and_residual(shot.phase_instantaneous, shot.ground_instantaneous)
        self.elements += phase_and_residual(shot.phase, shot.ground)
        self._reclaim.rest()

    def _at_peace(self, measured: Measured) -> bool:
        return self.trips > 0 and not any(element.picked_up(measured) for element in self.elements)

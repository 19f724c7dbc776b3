"""Overcurrent relays: instantaneous and time elements of phases and residual (50, 51, 50N, 51N)."""

from dataclasses import dataclass, field

from twin.grid.protection.measured import PHASES, Action, Measured, Operation, earliest, unknown_event
from twin.grid.protection.timers import DefiniteTime, InverseTime, Timer, TimeSettings, start_timer
from twin.grid.protection.validation import refuse, time_passes


@dataclass(frozen=True, slots=True)
class OvercurrentSettings:
    """The elements of an overcurrent relay; any of them may be left out, not all.

    A definite-time element may stand in the place of an inverse-time one.
    """

    name: str
    phase_time: TimeSettings | None = None
    """51."""
    phase_instantaneous: DefiniteTime | None = None
    """50."""
    residual_time: TimeSettings | None = None
    """51N, on three times the zero-sequence current."""
    residual_instantaneous: DefiniteTime | None = None
    """50N, on three times the zero-sequence current."""

    def __post_init__(self) -> None:
        """Refuse a relay that never trips."""
        if not any(
            (self.phase_time, self.phase_instantaneous, self.residual_time, self.residual_instantaneous)
        ):
            raise refuse(self.name, "phase_time", None, "set at least one element")


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a relay: a timer and the quantity that drives it."""

    name: str
    """ANSI number and, for phases, the phase: ``51 a``, ``50N``."""
    timer: Timer
    phase: int | None
    """0, 1, 2; None for the residual current."""

    def current(self, measured: Measured) -> float:
        """Return the current that drives the element [A]."""
        return measured.residual if self.phase is None else measured.currents[self.phase]

    def time_to_operate(self, measured: Measured) -> float:
        """Return the time to operation [s]."""
        return self.timer.time_to_operate(self.current(measured))

    def picked_up(self, measured: Measured) -> bool:
        """Whether the element is started or would be."""
        return self.timer.picked_up(self.current(measured))

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let time pass."""
        self.timer.advance(self.current(measured), seconds)


def phase_and_residual(
    phase: TimeSettings | None, residual: TimeSettings | None, *, number: str = ""
) -> tuple[Element, ...]:
    """Return elements at rest, one for each phase and one for the residual current, as far as they are set.

    Parameters
    ----------
    phase, residual : InverseTime or DefiniteTime, optional
        Settings; None leaves the elements out.
    number : str
        ANSI number; 51 for inverse-time and 50 for definite-time settings if empty.
    """
    elements = []
    if phase is not None:
        ansi = number or _ansi(phase)
        elements = [Element(f"{ansi} {name}", start_timer(phase), n) for n, name in enumerate(PHASES)]
    if residual is not None:
        elements.append(Element(f"{number or _ansi(residual)}N", start_timer(residual), None))
    return tuple(elements)


def _ansi(settings: TimeSettings) -> str:
    return "51" if isinstance(settings, InverseTime) else "50"


@dataclass(slots=True)
class OvercurrentRelay:
    """An overcurrent relay: its elements time, the first to operate opens the three poles.

    Events are ``trip <element>``. After a trip the output stays until every element has let go; meanwhile no
    further trip is given. The opening time of the breaker belongs to the host.
    """

    settings: OvercurrentSettings
    tripped: bool = False
    """Whether the trip output is set."""
    elements: tuple[Element, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Start at rest."""
        s = self.settings
        self.elements = phase_and_residual(
            s.phase_instantaneous, s.residual_instantaneous, number="50"
        ) + phase_and_residual(s.phase_time, s.residual_time, number="51")

    @property
    def name(self) -> str:
        """The relay's name."""
        return self.settings.name

    def time_to_event(self, measured: Measured) -> tuple[float, str] | None:
        """Return the seconds to the trip while ``measured`` lasts, and which; None if there is none."""
        if self.tripped and any(element.picked_up(measured) for element in self.elements):
            return None
        return earliest(
            [(element.time_to_operate(measured), f"trip {element.name}") for element in self.elements]
        )

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let ``seconds`` [s] pass during which ``measured`` was constant."""
        if not time_passes(self.name, seconds):
            return
        for element in self.elements:
            element.advance(measured, seconds)
        if not any(element.picked_up(measured) for element in self.elements):
            self.tripped = False

    def fire(self, what: str) -> Action:
        """Trip.

        Parameters
        ----------
        what : str
            ``trip <element>`` as `time_to_event` named it.

        Raises
        ------
        GridError
            When the relay has no such element.
        """
        known = [f"trip {element.name}" for element in self.elements]
        if what not in known:
            raise unknown_event(self.name, what, ", ".join(known))
        self.tripped = True
        return Action(Operation.OPEN, cause=what)

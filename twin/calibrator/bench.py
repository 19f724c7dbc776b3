"""The bench: what any meter on it answers, whatever it is made of."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from twin.calibrator.quantities import Course, Quantity
from twin.calibrator.stimulus import TICK_NS, Rating, Stimulus
from twin.contracts import NS_PER_SECOND, Instant, TwinError
from twin.meters.accuracy_limits import ActiveClass, ReactiveClass
from twin.metrology import EventKind

COUNT_S: Final = 10.0
"""How long energy is counted at a point [s]."""

THRESHOLDS: Final = {EventKind.DIP: 0.9, EventKind.SWELL: 1.1, EventKind.INTERRUPTION: 0.05}
"""Where events begin, as shares of the declared voltage, in every meter that can be set so."""
HYSTERESIS: Final = 0.02
"""Of all of them, share of the declared voltage; a meter without the setting has its own."""

Key = tuple[str, int | None, int | None]
"""Name of a quantity, phase 0..2 or None, order or None."""


class CalibrationError(TwinError, ValueError):
    """A meter that cannot be put on the bench as asked."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a meter showed in one course."""

    start: Instant
    """Begin of what steady values were measured over."""
    end: Instant
    """Its end."""
    values: dict[Key, float | None] = field(default_factory=dict)
    """SI, % for ratios; None, or no entry, where the meter showed nothing."""

    def read(self, quantity: Quantity, phase: int | None, order: int | None) -> float | None:
        """Return what was shown."""
        return self.values.get((quantity.name, phase, order))


class Bench(Protocol):
    """A meter on the source."""

    @property
    def rating(self) -> Rating:
        """What relative conditions refer to."""
        ...

    @property
    def active_class(self) -> ActiveClass:
        """Class of active energy."""
        ...

    @property
    def reactive_class(self) -> ReactiveClass:
        """Class of reactive energy."""
        ...

    @property
    def pulses_per_kwh(self) -> float:
        """Meter constant."""
        ...

    def has(self, quantity: Quantity, order: int | None) -> bool:
        """Tell whether the meter has a quantity, at an order."""
        ...

    def run(self, stimulus: Stimulus, course: Course) -> Taken:
        """Apply a stimulus and return what the meter showed."""
        ...


def stimulus_times(course: Course, *, no_load_s: float, event_s: float) -> tuple[float, float]:
    """Return how long a course applies its signal before and after the tick [s].

    Parameters
    ----------
    course : Course
    no_load_s : float
        Time of the no-load test [s].
    event_s : float
        How long the step of the voltage lasts [s].
    """
    after = {
        Course.STEADY: 5.0,
        Course.ENERGY: COUNT_S,
        Course.NO_LOAD: no_load_s,
        Course.FREQUENCY: 10.5,
        Course.THREE_SECONDS: 4.5,
        Course.TEN_MINUTES: 601.0,
        Course.EVENT: 2.5 + event_s,
        Course.CHANGE: 4.5,
        Course.SENSATION: 10.0,
        Course.SEVERITY: 601.0,
    }[course]
    # A flickermeter does not classify its first half minute.
    before = {Course.SEVERITY: 40.0, Course.SENSATION: 30.0}.get(course, 3.0)
    return before, after


def calm_second(stimulus: Stimulus, *, window_s: float) -> int:
    """Return the first whole second after the tick before which nothing stepped for a window [ns].

    Raises
    ------
    CalibrationError
        The modulation is too fast for that.
    """
    for second in range(1, 6):
        ns = TICK_NS + second * NS_PER_SECOND
        if ns <= stimulus.end_ns and stimulus.calm(ns - round(window_s * NS_PER_SECOND), ns):
            return ns
    raise CalibrationError("the modulation steps within every window; use slower changes for steady values")

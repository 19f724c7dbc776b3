"""Sectionalisers: they count what a recloser upstream interrupts, and open while the line is dead."""

from dataclasses import dataclass

from twin.grid.protection.measured import Action, Measured, Operation, earliest, unknown_event
from twin.grid.protection.validation import check_not_negative, check_positive, refuse, time_passes


@dataclass(frozen=True, slots=True)
class SectionaliserSettings:
    """What a sectionaliser counts, and when it opens.

    References
    ----------
    IEEE C37.63-2013 (automatic line sectionalizers): actuating current, counts to open, memory time.
    """

    name: str
    actuating_current: float
    """Phase current that arms it; usually 0.8 of the recloser's minimum trip current [A]."""
    counts: int
    """Interruptions until it opens; usually one less than the recloser's shots."""
    memory_time: float
    """From the last count to forgetting all counts [s]."""
    ground_current: float | None = None
    """Residual current that arms it [A]; None for no such element."""
    opening_delay: float = 0.0
    """From the last count to opening, in the same dead time [s]."""
    dead_current: float = 0.5
    """Phase current below which the line can be dead [A]."""

    def __post_init__(self) -> None:
        """Refuse what cannot be set."""
        name = self.name
        check_positive(name, actuating_current=self.actuating_current, memory_time=self.memory_time)
        check_not_negative(name, opening_delay=self.opening_delay, dead_current=self.dead_current)
        if self.ground_current is not None:
            check_positive(name, ground_current=self.ground_current)
        if self.counts < 1:
            raise refuse(name, "counts", self.counts, "give a number of 1 or more")
        if self.dead_current >= self.actuating_current:
            raise refuse(name, "dead_current", self.dead_current, "give less than actuating_current")
        if self.opening_delay >= self.memory_time:
            raise refuse(name, "opening_delay", self.opening_delay, "give less than memory_time")


@dataclass(slots=True)
class Sectionaliser:
    """A sectionaliser and what it has counted.

    An overcurrent arms it; a dead line (no current and no voltage) after that is one count. A fault that a
    fuse further down clears leaves the line live and is not counted. Events are ``open`` and ``forget``.
    """

    settings: SectionaliserSettings
    count: int = 0
    """Interruptions counted."""
    armed: bool = False
    """Whether an overcurrent has been seen since the last count."""
    opened: bool = False
    memory: float = 0.0
    """Time since the last count [s]."""
    waited: float = 0.0
    """Time since it was to open, in this dead time [s]."""

    @property
    def name(self) -> str:
        """The sectionaliser's name."""
        return self.settings.name

    def time_to_event(self, measured: Measured) -> tuple[float, str] | None:
        """Return the seconds to its next event while ``measured`` lasts, and which; None if there is none."""
        if self.opened:
            return None
        counts_now = self._counts_now(measured)
        count = self.count + counts_now
        times = []
        if count >= self.settings.counts and self._dead(measured):
            times.append((max(self.settings.opening_delay - self.waited, 0.0), "open"))
        if count:
            memory = 0.0 if counts_now else self.memory
            times.append((max(self.settings.memory_time - memory, 0.0), "forget"))
        return earliest(times)

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let ``seconds`` [s] pass during which ``measured`` was constant."""
        if not time_passes(self.name, seconds) or self.opened:
            return
        if self._counts_now(measured):
            self.count += 1
            self.armed, self.memory = False, 0.0
        elif self._overcurrent(measured):
            self.armed = True
        elif not self._dead(measured):
            # Load current again on a live line: what armed it was cleared by somebody else.
            self.armed = False
        if self.count:
            self.memory += seconds
        opening = self.count >= self.settings.counts and self._dead(measured)
        self.waited = self.waited + seconds if opening else 0.0

    def fire(self, what: str) -> Action:
        """Open, or forget what was counted.

        Raises
        ------
        GridError
            When it is open already or the event is unknown.
        """
        if self.opened or what not in {"open", "forget"}:
            raise unknown_event(self.name, what, "none, it is open" if self.opened else "open, forget")
        self.count, self.armed, self.memory, self.waited = 0, False, 0.0, 0.0
        if what == "forget":
            return Action(Operation.NONE, cause=what)
        self.opened = True
        return Action(Operation.LOCKOUT, cause=what)

    def close_by_hand(self) -> Action:
        """Close by order of an operator, with nothing counted."""
        self.opened = False
        self.count, self.armed, self.memory, self.waited = 0, False, 0.0, 0.0
        return Action(Operation.CLOSE, cause="by hand")

    def _overcurrent(self, measured: Measured) -> bool:
        ground = self.settings.ground_current
        return max(measured.currents) >= self.settings.actuating_current or (
            ground is not None and measured.residual >= ground
        )

    def _dead(self, measured: Measured) -> bool:
        return not measured.energised and max(measured.currents) <= self.settings.dead_current

    def _counts_now(self, measured: Measured) -> bool:
        return self.armed and self._dead(measured)

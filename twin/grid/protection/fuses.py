"""Fuses: a melting curve, a clearing curve, and an element that remembers how far it has melted."""

import math
from dataclasses import dataclass, field

from twin.grid.protection.curves import PointCurve
from twin.grid.protection.measured import PHASES, Action, Measured, Operation, earliest, unknown_event
from twin.grid.protection.validation import check_not_negative, check_positive, refuse, time_passes


@dataclass(frozen=True, slots=True)
class FuseSettings:
    """A kind of fuse link: when it melts and when it has cleared.

    Real links of one kind melt somewhere between a minimum and a maximum melting curve; ``tolerance`` says
    where this one does. What remains up to the total clearing curve is arcing.
    """

    name: str
    minimum_melting: PointCurve
    """The fastest link [A, s]."""
    maximum_melting: PointCurve | None = None
    """The slowest link [A, s], over the same span of time; None when the maker gives only one curve."""
    total_clearing: PointCurve | None = None
    """From the start of the current to the end of the arc, of the slowest link [A, s]."""
    arcing_time: float = 0.0
    """Instead of a total clearing curve: how long the arc burns [s]."""
    tolerance: float = 0.0
    """0: melts by the minimum, 1: by the maximum melting curve; in between, currents on a log scale."""
    cooling_time: float = 60.0
    """Time constant with which the element cools while the current is too small to melt it ever [s]."""

    def __post_init__(self) -> None:
        """Refuse curves that contradict one another."""
        check_not_negative(self.name, arcing_time=self.arcing_time)
        check_positive(self.name, cooling_time=self.cooling_time)
        if not 0.0 <= self.tolerance <= 1.0:
            raise refuse(self.name, "tolerance", self.tolerance, "give a share from 0 to 1")
        if self.tolerance and self.maximum_melting is None:
            raise refuse(self.name, "tolerance", self.tolerance, "give a maximum melting curve as well, or 0")
        if self.total_clearing is not None and self.arcing_time:
            raise refuse(self.name, "arcing_time", self.arcing_time, "leave it out: total_clearing says it")
        if self.maximum_melting is not None:
            self._check_span(self.maximum_melting)
            self._check_order("maximum_melting", self.minimum_melting, self.maximum_melting)
        if self.total_clearing is not None:
            self._check_order("total_clearing", self.slowest_melting, self.total_clearing)

    @property
    def slowest_melting(self) -> PointCurve:
        """The maximum melting curve, or the minimum one where there is no other."""
        return self.maximum_melting or self.minimum_melting

    def melting(self) -> PointCurve:
        """Return the melting curve of this link, at its place between minimum and maximum."""
        low, high = self.minimum_melting, self.maximum_melting
        if high is None or self.tolerance == 0.0:
            return low
        if self.tolerance == 1.0:
            return high
        times = sorted({time for _, time in low.points + high.points}, reverse=True)
        share = self.tolerance
        points = tuple((low.current_at(t) ** (1.0 - share) * high.current_at(t) ** share, t) for t in times)
        return PointCurve(f"{self.name} melting", points)

    def arcing(self, current: float) -> float:
        """Return how long the arc burns at a constant current [s]: clearing less (slowest) melting."""
        if self.total_clearing is None:
            return self.arcing_time
        slowest, clearing = self.slowest_melting, self.total_clearing
        # A link that melts below the curves' first current arcs as it would there.
        current = max(current, slowest.points[0][0], clearing.points[0][0])
        return clearing.trip_seconds(current) - slowest.trip_seconds(current)

    def clearing_time(self, current: float) -> float:
        """Return the time in which the slowest link has cleared a constant current [s]."""
        if self.total_clearing is not None:
            return self.total_clearing.trip_seconds(current)
        return self.slowest_melting.trip_seconds(current) + self.arcing_time

    def _check_span(self, high: PointCurve) -> None:
        low = self.minimum_melting
        for end in (0, -1):
            if high.points[end][1] != low.points[end][1]:
                mend = f"let it span the time of minimum_melting: {low.points[end][1]:g} s"
                raise refuse(self.name, "maximum_melting", high.points[end], mend)

    def _check_order(self, which: str, lower: PointCurve, upper: PointCurve) -> None:
        """Refuse an upper curve that dips below the lower one; straight lines cross only between corners."""
        first = upper.points[0][0]
        corners = sorted({current for current, _ in lower.points + upper.points if current >= first})
        # Beyond the last corner both go on with slopes of 0 or -2.
        for current in (*corners, 1e3 * corners[-1]):
            if upper.trip_seconds(current) < lower.trip_seconds(current) * (1.0 - 1e-12):
                mend = f"raise it to {lower.trip_seconds(current):g} s or more at {current:g} A"
                raise refuse(self.name, which, (current, upper.trip_seconds(current)), mend)


@dataclass(slots=True)
class _Pole:
    """The link of one phase."""

    melted: float = 0.0
    """Share of melting that is done, the sum of dt / t_melt(I)."""
    arced: float = 0.0
    """Share of arcing that is done."""
    arcing: bool = False
    clear: bool = False


@dataclass(slots=True)
class Fuse:
    """The links of a fuse, each on its own: events are ``melt a`` and ``clear a``, and so on.

    Melting adds up as ``dt / t_melt(I)``, which is ``I^2 t`` over the ``I^2 t`` that melts, so what earlier
    currents have left counts. A current that could never melt the link lets it cool exponentially. An arc
    goes out at once when its current is gone.
    """

    settings: FuseSettings
    phases: str = PHASES
    """The phases that have a link."""
    _poles: dict[str, _Pole] = field(init=False)
    _melting: PointCurve = field(init=False)

    def __post_init__(self) -> None:
        """Start cold and whole."""
        if (
            not self.phases
            or any(p not in PHASES for p in self.phases)
            or len(set(self.phases)) != len(self.phases)
        ):
            raise refuse(self.settings.name, "phases", self.phases, "give some of a, b, c, each once")
        self._poles = {phase: _Pole() for phase in PHASES if phase in self.phases}
        self._melting = self.settings.melting()

    @property
    def name(self) -> str:
        """The fuse's name."""
        return self.settings.name

    @property
    def blown(self) -> str:
        """The phases whose links have cleared."""
        return "".join(phase for phase, pole in self._poles.items() if pole.clear)

    def melted(self, phase: str) -> float:
        """Return how far the link of a phase has melted: 0 cold, 1 molten."""
        return self._poles[phase].melted

    def time_to_event(self, measured: Measured) -> tuple[float, str] | None:
        """Return the seconds to its next event while ``measured`` lasts, and which; None if there is none."""
        times = []
        for phase, pole in self._poles.items():
            current = measured.currents[PHASES.index(phase)]
            if pole.arcing:
                times.append((self._time_to_clear(pole, current), f"clear {phase}"))
            elif not pole.clear:
                times.append((self._time_to_melt(pole, current), f"melt {phase}"))
        return earliest(times)

    def advance(self, measured: Measured, seconds: float) -> None:
        """Let ``seconds`` [s] pass during which ``measured`` was constant."""
        if not time_passes(self.name, seconds):
            return
        for phase, pole in self._poles.items():
            current = measured.currents[PHASES.index(phase)]
            if pole.arcing:
                duration = self.settings.arcing(current) if current > 0.0 else 0.0
                pole.arced = min(pole.arced + seconds / duration, 1.0) if duration > 0.0 else 1.0
            elif not pole.clear:
                self._heat(pole, current, seconds)

    def fire(self, what: str) -> Action:
        """Let a link melt, so that it arcs, or clear, so that its pole is open for good.

        Raises
        ------
        GridError
            When the event cannot happen in the present state: nothing clears that has not melted.
        """
        known = self._events()
        if what not in known:
            raise unknown_event(self.name, what, ", ".join(known) or "none, all links have cleared")
        verb, phase = what.split()
        pole = self._poles[phase]
        if verb == "melt":
            pole.melted, pole.arcing = 1.0, True
            return Action(Operation.NONE, phase, what)
        pole.arcing, pole.clear = False, True
        return Action(Operation.LOCKOUT, phase, what)

    def replace(self) -> Action:
        """Put in new, cold links in place of those that have cleared."""
        phases = self.blown
        for phase in phases:
            self._poles[phase] = _Pole()
        return Action(Operation.CLOSE, phases, "new links")

    def _events(self) -> list[str]:
        return [
            f"{'clear' if pole.arcing else 'melt'} {phase}"
            for phase, pole in self._poles.items()
            if not pole.clear
        ]

    def _time_to_melt(self, pole: _Pole, current: float) -> float:
        seconds = self._melting.trip_seconds(current)
        return max(1.0 - pole.melted, 0.0) * seconds if seconds < math.inf else math.inf

    def _time_to_clear(self, pole: _Pole, current: float) -> float:
        if current <= 0.0:
            return 0.0
        return max(1.0 - pole.arced, 0.0) * self.settings.arcing(current)

    def _heat(self, pole: _Pole, current: float, seconds: float) -> None:
        melting = self._melting.trip_seconds(current)
        if melting < math.inf:
            pole.melted = min(pole.melted + seconds / melting, 1.0)
        else:
            pole.melted *= math.exp(-seconds / self.settings.cooling_time)

"""Sag, swell and over-current: detection on the one-cycle RMS, half cycle by half cycle.

The KW320's rules (manual 4.6), which are its own and not those of IEC 61000-4-30:

- sag: a phase stays below rated voltage x threshold for N consecutive half cycles;
- swell and over-current: a phase is above its threshold for one half cycle;
- without phase voltages a phase stands for a line voltage, a, b, c for V12, V23, V31 (6.3.8, note);
- while a phase is in an event no other begins one of the same kind: it joins, and the event ends when
  all phases are back. There is no hysteresis.

The manual does not say which RMS it counts half cycles of; URMS(1/2) of IEC 61000-4-30, 5.4.1 is taken.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.meters.settings import MeterSettings
from twin.meters.wiring import absent

Float = NDArray[np.float64]
PHASES: Final = "abc"
KINDS: Final = ("sag", "swell", "over_current")


@dataclass(frozen=True, slots=True)
class Transition:
    """Begin or end of an event, as a detector saw it; values are secondary."""

    type: str
    """``sag``, ``swell`` or ``over_current``."""
    phases: str
    start_ns: int
    """First half cycle outside [ns]."""
    trigger_ns: int
    half_cycle: int
    """Number of the half cycle at the trigger."""
    end_ns: int | None
    """None at the begin [ns]."""
    extreme: float

    @property
    def at_ns(self) -> int:
        """When it was seen [ns]."""
        return self.trigger_ns if self.end_ns is None else self.end_ns


@dataclass(slots=True)
class Detector:
    """One kind of event on the three phases of one meter."""

    type: str
    level: float
    """Threshold, secondary; NaN never triggers [V or A]."""
    needed: int
    """Consecutive half cycles outside that make an event."""
    below: bool
    """Whether outside is below the threshold."""
    count: list[int] = field(default_factory=lambda: [0, 0, 0])
    _start_ns: list[int] = field(default_factory=lambda: [0, 0, 0])
    _extreme: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    active: Transition | None = None

    @property
    def idle(self) -> bool:
        """Whether no phase is outside and no event lasts."""
        return self.active is None and not any(self.count)

    def seeks(self, other: "Detector") -> bool:
        """Tell whether another detector looks for the same, with whatever it has counted."""
        return (self.type, self.level, self.needed) == (other.type, other.level, other.needed)

    def outside(self, rms: float) -> bool:
        """Tell whether a value lies outside the threshold."""
        return rms < self.level if self.below else rms > self.level

    def step(self, rms: Float, half_cycle: int, ns: int) -> Transition | None:
        """Take the three phases of one half cycle; return the begin or the end of an event."""
        worse = min if self.below else max
        for phase, value in enumerate(rms.tolist()):
            if not self.outside(value):
                self.count[phase] = 0
                continue
            if self.count[phase] == 0:
                self._start_ns[phase] = ns
                self._extreme[phase] = value
            self.count[phase] += 1
            self._extreme[phase] = worse(self._extreme[phase], value)
        if self.active is None and max(self.count) < self.needed:
            return None
        out = [phase for phase in range(3) if self.count[phase]]
        if self.active is not None:
            return self._continue(out, ns)
        self.active = Transition(
            self.type,
            "".join(PHASES[phase] for phase in out),
            min(self._start_ns[phase] for phase in out),
            ns,
            half_cycle,
            None,
            worse(self._extreme[phase] for phase in out),
        )
        return self.active

    def repeat(
        self, rms: Float, first: int, count: int, instant: Callable[[int], int]
    ) -> Iterator[Transition]:
        """Take ``count`` equal half cycles from number ``first``; they are counted, not evaluated.

        ``instant`` gives the time of a half cycle [ns].
        """
        transition = self.step(rms, first, instant(first))
        if transition is not None:
            yield transition
        if count == 1 or self.idle:
            return
        last = first + count - 1
        missing = self.needed - max(self.count)
        if self.active is None and missing <= count - 1:
            trigger = first + missing
            self._count_outside(missing - 1)
            transition = self.step(rms, trigger, instant(trigger))
            if transition is not None:
                yield transition
            self._count_outside(last - trigger)
        else:
            self._count_outside(count - 1)

    def _count_outside(self, half_cycles: int) -> None:
        self.count = [number + half_cycles if number else 0 for number in self.count]

    def _continue(self, out: list[int], ns: int) -> Transition | None:
        event = self.active
        assert event is not None
        worse = min if self.below else max
        letters = set(event.phases) | {PHASES[phase] for phase in out}
        extreme = worse([event.extreme, *(self._extreme[phase] for phase in out)])
        self.active = Transition(
            event.type,
            "".join(sorted(letters)),
            event.start_ns,
            event.trigger_ns,
            event.half_cycle,
            None,
            extreme,
        )
        if out:
            return None
        ended = Transition(
            event.type,
            self.active.phases,
            event.start_ns,
            event.trigger_ns,
            event.half_cycle,
            ns,
            extreme,
        )
        self.active = None
        return ended


class EventMonitor:
    """The three detectors of one meter."""

    def __init__(self, settings: MeterSettings) -> None:
        fitted = settings.power_quality
        self.absent = absent(settings)
        watched = fitted and settings.over_current_waveform
        voltage, current = settings.rated_voltage, settings.rated_current
        nothing = float("nan")
        sag = voltage * settings.sag_threshold_percent / 100.0
        swell = voltage * settings.swell_threshold_percent / 100.0
        over = current * settings.over_current_threshold_percent / 100.0
        self.sag = Detector("sag", sag if fitted else nothing, settings.sag_half_cycles, below=True)
        self.swell = Detector("swell", swell if fitted else nothing, 1, below=False)
        self.over_current = Detector("over_current", over if watched else nothing, 1, below=False)

    @property
    def idle(self) -> bool:
        """Whether nothing is outside and no event lasts."""
        return self.sag.idle and self.swell.idle and self.over_current.idle

    @property
    def in_event(self) -> str:
        """Type of the event that lasts, voltage before current; empty without."""
        for detector in (self.sag, self.swell, self.over_current):
            if detector.active is not None:
                return detector.type
        return ""

    def go_on(self, before: "EventMonitor") -> list[str]:
        """Take over what detectors that look for the same have counted; return their kinds."""
        if not np.array_equal(self.absent, before.absent):
            return []
        same = [kind for kind in KINDS if getattr(self, kind).seeks(getattr(before, kind))]
        for kind in same:
            setattr(self, kind, getattr(before, kind))
        return same

    def detectors(self, rms: Float) -> tuple[tuple[Detector, Float], ...]:
        """Return each detector with its three of the six channels' RMS values; NaN where there is none."""
        if len(self.absent):
            rms = rms.copy()
            rms[self.absent] = np.nan
        return ((self.sag, rms[:3]), (self.swell, rms[:3]), (self.over_current, rms[3:]))


def levels(monitors: list[EventMonitor]) -> tuple[Float, Float]:
    """Return lowest and highest RMS without an event, by channel: shape (meters x 6,) each [V or A]."""
    low = np.full((len(monitors), 6), -np.inf)
    high = np.full((len(monitors), 6), np.inf)
    for meter, monitor in enumerate(monitors):
        if not np.isnan(monitor.sag.level):
            low[meter, :3] = monitor.sag.level
            low[meter, monitor.absent] = -np.inf
        if not np.isnan(monitor.swell.level):
            high[meter, :3] = monitor.swell.level
        if not np.isnan(monitor.over_current.level):
            high[meter, 3:] = monitor.over_current.level
    return low.ravel(), high.ravel()

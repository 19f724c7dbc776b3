"""The site's frequency over time: the grid's course, and that of an island.

A ramp is a chain of segments of constant frequency, each the mean of what it stands for, so that the phase at
their ends is exact. In between it strays by ``pi/4 x slope x length^2``; lengths are chosen so that this
stays below `PHASE_ERROR`, and are at most a cycle where the frequency changes faster than `FAST`.
"""

import bisect
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from twin.contracts import NS_PER_SECOND
from twin.simulation.site import Site

PHASE_ERROR = 1e-4
"""Largest error of phase within a ramp [rad]."""

FAST = 0.1
"""Ramps from here on have segments of at most a cycle [Hz/s]."""

GRAIN = 0.01
"""Steps in which the network's reactances follow: half of it is 1e-4 of them at 50 Hz [Hz]."""


@dataclass(frozen=True, slots=True)
class Course:
    """Frequency by straight lines between points, level before and after."""

    times_ns: tuple[int, ...]
    hertz: tuple[float, ...]

    def at(self, now_ns: int) -> tuple[float, float, int | None]:
        """Return frequency [Hz], slope [Hz/s] and until when that holds [ns]; None: for ever."""
        after = bisect.bisect_right(self.times_ns, now_ns)
        if after == len(self.times_ns):
            return self.hertz[-1], 0.0, None
        until = self.times_ns[after]
        if after == 0:
            return self.hertz[0], 0.0, until
        begin, low, high = self.times_ns[after - 1], self.hertz[after - 1], self.hertz[after]
        slope = (high - low) * NS_PER_SECOND / (until - begin)
        return low + slope * (now_ns - begin) / NS_PER_SECOND, slope, until


def course_of(points: Sequence[tuple[int, float]], rated: float) -> Course:
    """Return the course through points of time [ns] and frequency [Hz]; without any it is level."""
    if not points:
        return Course((0,), (rated,))
    return Course(tuple(at for at, _ in points), tuple(hertz for _, hertz in points))


class SystemFrequency:
    """The process of a site's frequency.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    site : Site
        It has the right frequency at once.
    grid : Course
        Of the grid.
    """

    def __init__(self, env: simpy.Environment, site: Site, grid: Course) -> None:
        self._env, self._site = env, site
        self._grid, self._course = grid, grid
        self._wake = env.event()
        self._step(int(env.now))

    def leave_grid(self, hertz: float, ramp: float) -> None:
        """Go to a frequency of its own [Hz], in a time [s]."""
        self._ramp_to(hertz, ramp, then=())

    def return_to_grid(self, ramp: float) -> None:
        """Go to where the grid's frequency will be after a time [s], and follow it from there."""
        end = int(self._env.now) + round(ramp * NS_PER_SECOND)
        later = tuple(
            (at, hz) for at, hz in zip(self._grid.times_ns, self._grid.hertz, strict=True) if at > end
        )
        self._ramp_to(self._grid.at(end)[0], ramp, then=later)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process."""
        while True:
            self._wake = self._env.event()
            wait = self._step(int(self._env.now))
            events = [self._wake] + ([] if wait is None else [self._env.timeout(wait)])
            yield self._env.any_of(events)

    def _ramp_to(self, hertz: float, ramp: float, *, then: tuple[tuple[int, float], ...]) -> None:
        now = int(self._env.now)
        present = self._course.at(now)[0]
        lasts = max(round(ramp * NS_PER_SECOND), 1)
        self._course = course_of([(now, present), (now + lasts, hertz), *then], hertz)
        if not self._wake.triggered:
            self._wake.succeed()

    def _step(self, now_ns: int) -> int | None:
        """Set the frequency from now on; return for how long [ns], None: for ever."""
        hertz, slope, until = self._course.at(now_ns)
        wait = None if until is None else until - now_ns
        if slope and wait is not None:
            seconds = math.sqrt(4.0 * PHASE_ERROR / (math.pi * abs(slope)))
            if abs(slope) >= FAST:
                seconds = min(seconds, 1.0 / hertz)
            wait = min(wait, max(int(seconds * NS_PER_SECOND), 1))
            hertz += slope * wait / NS_PER_SECOND / 2.0
        if hertz != self._site.frequency:
            self._site.set_frequency(hertz, network=round(hertz / GRAIN) * GRAIN)
        return wait

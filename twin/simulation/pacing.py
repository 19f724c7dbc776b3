"""Simulated time against the wall clock, on an absolute schedule that never drifts."""

import math
import time
from collections.abc import Callable

from twin.contracts import NS_PER_SECOND

FASTEST = math.inf
"""Speed of a simulation that waits for nothing."""
_FAR_NS = 2**62


def parse_speed(given: object) -> float:
    """Return a speed that somebody gave: a number, or ``max`` for as fast as possible.

    Raises
    ------
    ValueError
        Neither, or not between 0.1 and 1000.
    """
    if given == "max":
        return FASTEST
    try:
        speed = float(str(given))
    except ValueError:
        raise ValueError(f"'{given}' is no speed; give a number from 0.1 to 1000, or max") from None
    if not (0.1 <= speed <= 1000 or speed == FASTEST):
        raise ValueError(f"speed {speed:g} is not between 0.1 and 1000; choose one that is, or max")
    return speed


class Pacer:
    """Says how far simulated time should be now.

    Parameters
    ----------
    start_ns : int
        Simulated time at which it stands first, UTC [ns]; it is paused until ``resume``.
    speed : float
        Simulated seconds per wall second; `FASTEST` waits for nothing.
    wall : callable
        Monotonic wall time [s]; replaced in tests.
    """

    def __init__(
        self, start_ns: int, *, speed: float = 1.0, wall: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._speed = speed
        self._paused = True
        self._anchor_ns = start_ns
        self._anchor_wall = wall()

    @property
    def speed(self) -> float:
        """Simulated seconds per wall second."""
        return self._speed

    @property
    def paused(self) -> bool:
        """Whether simulated time stands still."""
        return self._paused

    def due_ns(self) -> int:
        """Return where simulated time should be now, UTC [ns]."""
        if self._paused:
            return self._anchor_ns
        if self._speed == FASTEST:
            return _FAR_NS
        elapsed = self._wall() - self._anchor_wall
        return self._anchor_ns + int(elapsed * self._speed * NS_PER_SECOND)

    def wall_until(self, sim_ns: int) -> float:
        """Return how long until a simulated time is due [s]; negative when it is overdue."""
        if self._paused:
            return float("inf")
        if self._speed == FASTEST:
            return 0.0
        due = self._anchor_wall + (sim_ns - self._anchor_ns) / (self._speed * NS_PER_SECOND)
        return due - self._wall()

    def pause(self, at_ns: int) -> None:
        """Stand still at a simulated time."""
        self._anchor_ns, self._paused = at_ns, True

    def resume(self, at_ns: int) -> None:
        """Go on from a simulated time."""
        self._anchor_ns, self._anchor_wall, self._paused = at_ns, self._wall(), False

    def set_speed(self, speed: float, at_ns: int) -> None:
        """Change the speed from a simulated time on.

        Raises
        ------
        ValueError
            Neither between 0.1 and 1000 nor `FASTEST`.
        """
        self._speed, self._anchor_ns, self._anchor_wall = parse_speed(speed), at_ns, self._wall()

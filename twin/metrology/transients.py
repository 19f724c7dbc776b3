"""Transients: samples that differ from the same sample of the cycle before.

The method takes samples that are locked to the grid. A change that lasts (a dip, a step) differs during one
cycle and then no more; a transient that is over would differ a second time, when the clean cycle follows
it: what agrees with the cycle before the last is such an echo and does not count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transient:
    """One transient; sample numbers count from the first sample that was ever fed."""

    first: int
    """First sample beyond the threshold."""
    last: int
    """Last sample beyond the threshold."""
    largest: float
    """Largest difference from the cycle before, on any channel [V or A]."""
    channels: tuple[bool, ...]
    """Which channels it was seen on."""


class TransientDetector:
    """Transients of several channels, fed with samples as they come.

    Parameters
    ----------
    channels : int
        Looked at together: what overlaps in time on several is one transient.
    samples_per_cycle : int
        Of the locked sampling.
    threshold : float
        Difference from the cycle before [V or A].
    consecutive : int
        How many samples in a row must be beyond it.
    hold_half_cycles : int
        Half cycles without another such run that end a transient.

    Raises
    ------
    ValueError
        If the settings detect nothing.

    References
    ----------
    JEMStar II manual, voltage transient triggers. IEC 61000-4-30:2015 speaks of transients in an
    informative annex only.
    """

    __slots__ = (
        "_channels",
        "_count",
        "_first",
        "_largest",
        "_last",
        "_memory",
        "_peak",
        "_run",
        "consecutive",
        "hold",
        "samples_per_cycle",
        "threshold",
    )

    def __init__(
        self,
        channels: int,
        *,
        samples_per_cycle: int,
        threshold: float,
        consecutive: int = 1,
        hold_half_cycles: int = 1,
    ) -> None:
        if not (threshold > 0.0 and 1 <= consecutive <= samples_per_cycle and hold_half_cycles >= 0):
            raise ValueError(
                f"threshold {threshold}, {consecutive} consecutive samples of {samples_per_cycle} per cycle "
                f"and a hold of {hold_half_cycles} half cycles detect nothing; use a positive threshold and "
                "at most a cycle of samples"
            )
        self.samples_per_cycle = samples_per_cycle
        self.threshold = threshold
        self.consecutive = consecutive
        self.hold = max(1, hold_half_cycles * samples_per_cycle // 2)
        self._memory = np.full((channels, 2 * samples_per_cycle), np.nan)
        self._run = np.zeros(channels, np.int64)
        self._peak = np.zeros(channels)
        self._count = 0
        self._first: int | None = None
        self._last = 0
        self._largest = 0.0
        self._channels = np.zeros(channels, np.bool_)

    @property
    def current(self) -> Transient | None:
        """The transient that goes on, if one does."""
        if self._first is None:
            return None
        return Transient(self._first, self._last, self._largest, tuple(bool(c) for c in self._channels))

    def update(self, samples: Float) -> list[Transient]:
        """Take further samples, shape (channels, n) [V or A], and return the transients that are over."""
        from twin.metrology.transient_kernels import deviations  # noqa: PLC0415

        values = np.concatenate((self._memory, samples), axis=1)
        size = np.empty((values.shape[0], samples.shape[1]))
        deviations(
            values,
            self.samples_per_cycle,
            float(self.threshold),
            self.consecutive,
            self._run,
            self._peak,
            size,
        )
        self._memory = values[:, values.shape[1] - 2 * self.samples_per_cycle :]
        done: list[Transient] = []
        for n in np.flatnonzero(size.any(axis=0)):
            number = self._count + int(n)
            done += self._over(number)
            if self._first is None:
                self._first, self._largest = number - self.consecutive + 1, 0.0
                self._channels[:] = False
            self._last = number
            self._largest = max(self._largest, float(size[:, n].max()))
            self._channels |= size[:, n] > 0.0
        self._count += samples.shape[1]
        return done + self._over(self._count)

    def _over(self, number: int) -> list[Transient]:
        """End the transient if sample ``number`` lies beyond its hold."""
        current = self.current
        if current is None or number - self._last <= self.hold:
            return []
        self._first = None
        return [current]

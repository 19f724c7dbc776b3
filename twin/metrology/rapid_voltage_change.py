"""Rapid voltage changes: from one steady level to another without a dip or a swell."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

HALF_CYCLES: Final = {50: 100, 60: 120}
"""Values of the arithmetic mean, by nominal frequency: one second."""


@dataclass(frozen=True, slots=True)
class RapidVoltageChange:
    """One rapid voltage change; known when the voltage has been steady again for a second."""

    start_ns: int
    """End of the window whose value left the steady state, UTC [ns]."""
    end_ns: int
    """100 or 120 half cycles before the voltage was found steady again, UTC [ns]."""
    duration_s: float
    """From unsteady to steady less the 100 or 120 half cycles that steadiness takes [s]."""
    steady_change: float
    """Delta Uss: largest of the channels' differences of the mean before and the first mean after [V]."""
    largest_change: float
    """Delta Umax: largest difference of a value, until found steady, from its channel's mean before [V]."""
    channels: tuple[bool, ...]
    """Which channels left their steady state."""


class RapidVoltageChangeDetector:
    """Rapid voltage changes of one polyphase system, fed with half-cycle values as they come.

    A channel is steady while all of its last 100 (120) values, the newest included, lie within the
    threshold of their arithmetic mean; the system while all channels are. From the moment that one is not,
    the threshold is less by the hysteresis, until all are steady again. An event during which a value
    crosses the dip or the swell threshold is none: it belongs to the dip or swell.

    The first 100 (120) values only fill the memory, and the voltage must have been steady once before
    it can change.

    Parameters
    ----------
    channels : int
        Of the system.
    threshold : float
        Typically 1 % to 6 % of the declared voltage [V].
    dip, swell : float
        Thresholds of dips and swells [V].
    hysteresis : float, optional
        Half the threshold without it [V].
    nominal_frequency : int
        50 or 60 [Hz].

    Raises
    ------
    ValueError
        If the thresholds cannot detect a change.

    References
    ----------
    IEC 61000-4-30:2015, 5.11.2 and 5.11.3.
    """

    __slots__ = (
        "_beyond",
        "_largest",
        "_left",
        "_means",
        "_memory",
        "_previous_ns",
        "_start_ns",
        "_steady",
        "_times",
        "count",
        "dip",
        "hysteresis",
        "swell",
        "threshold",
    )

    def __init__(
        self,
        channels: int,
        *,
        threshold: float,
        dip: float,
        swell: float,
        hysteresis: float | None = None,
        nominal_frequency: int = 50,
    ) -> None:
        hysteresis = threshold / 2.0 if hysteresis is None else hysteresis
        if nominal_frequency not in HALF_CYCLES:
            raise ValueError(f"rapid voltage changes are not defined at {nominal_frequency} Hz; use 50 or 60")
        if not (0.0 <= hysteresis < threshold and 0.0 < dip < swell):
            raise ValueError(
                f"threshold {threshold} V, hysteresis {hysteresis} V, dip {dip} V and swell {swell} V detect "
                "nothing; the hysteresis must be below the threshold and the dip below the swell"
            )
        self.threshold, self.hysteresis = threshold, hysteresis
        self.dip, self.swell = dip, swell
        self.count = HALF_CYCLES[nominal_frequency]
        self._memory = np.empty((channels, 0))
        self._times: Int = np.empty(0, np.int64)
        self._previous_ns = 0
        self._steady = False
        self._start_ns: int | None = None
        self._means = np.full(channels, np.nan)
        self._largest = 0.0
        self._left = np.zeros(channels, np.bool_)
        self._beyond = False

    @property
    def steady(self) -> bool:
        """Whether all channels are steady; False until the first second is over."""
        return self._steady

    def update(self, ends_ns: Int, rms: Float) -> list[RapidVoltageChange]:
        """Take further values and return the changes that became known with them.

        Parameters
        ----------
        ends_ns : ndarray of int64, shape (n,)
            End of each window, UTC [ns].
        rms : ndarray, shape (channels, n)
            URMS(1/2) [V].
        """
        values = np.concatenate((self._memory, rms), axis=1)
        times = np.concatenate((self._times, ends_ns))
        done: list[RapidVoltageChange] = []
        if values.shape[1] >= self.count:
            windows = np.lib.stride_tricks.sliding_window_view(values, self.count, axis=1)
            means = windows.mean(axis=2)
            away = np.maximum(windows.max(axis=2) - means, means - windows.min(axis=2))
            done = self._walk(times, values, means, away)
        keep = max(0, values.shape[1] - self.count + 1)
        self._previous_ns = int(times[keep - 1]) if keep else self._previous_ns
        self._memory, self._times = values[:, keep:], times[keep:]
        return done

    def _walk(self, times: Int, values: Float, means: Float, away: Float) -> list[RapidVoltageChange]:
        """Go from each change of the steady state to the next; column k stands for value k + count - 1."""
        newest = self.count - 1
        calm = np.logical_and.reduce(away <= self.threshold)
        calmer = np.logical_and.reduce(away <= self.threshold - self.hysteresis)
        done: list[RapidVoltageChange] = []
        k, size = 0, means.shape[1]
        while k < size:
            if self._steady:
                ahead = np.flatnonzero(~calm[k:])
                stop = k + int(ahead[0]) if ahead.size else size
                if stop > k:
                    self._means = means[:, stop - 1].copy()
                if stop < size:
                    self._begin(int(times[stop + newest]))
                k = stop
                continue
            back = calm if self._start_ns is None else calmer
            ahead = np.flatnonzero(back[k:])
            stop = k + int(ahead[0]) if ahead.size else size
            self._widen(values[:, k + newest : stop + newest], away[:, k:stop])
            if stop < size:
                change = self._end(times, means[:, stop], stop)
                done += [change] if change else []
            k = stop
        return done

    def _begin(self, start_ns: int) -> None:
        """Leave the steady state."""
        self._steady, self._start_ns = False, start_ns
        self._largest, self._beyond = 0.0, False
        self._left[:] = False

    def _widen(self, values: Float, away: Float) -> None:
        """Take values that came while the voltage was not steady."""
        if self._start_ns is None or not values.size:
            return
        self._largest = max(self._largest, float(np.abs(values - self._means[:, np.newaxis]).max()))
        self._left |= (away > self.threshold).any(axis=1)
        self._beyond = self._beyond or bool((values < self.dip).any() or (values > self.swell).any())

    def _end(self, times: Int, after: Float, k: int) -> RapidVoltageChange | None:
        """Become steady; return the change unless it was a dip, a swell or the first second."""
        self._steady = True
        start_ns, before = self._start_ns, self._means
        self._start_ns, self._means = None, after.copy()
        if start_ns is None or self._beyond:
            return None
        end_ns = max(start_ns, int(times[k - 1]) if k else self._previous_ns)
        return RapidVoltageChange(
            start_ns,
            end_ns,
            (end_ns - start_ns) * 1e-9,
            float(np.abs(after - before).max()),
            self._largest,
            tuple(bool(left) for left in self._left),
        )

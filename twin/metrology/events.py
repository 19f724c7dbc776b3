"""Dips, swells and interruptions of a polyphase system, from URMS(1/2).

Thresholds and hysteresis are absolute voltages: what they are a fraction of (declared or sliding reference)
is the instrument's business. A device that asks for several half cycles in a row adds that rule itself.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class EventKind(StrEnum):
    """What a detector looks for."""

    DIP = "dip"
    """From one channel below the threshold to all at or above threshold + hysteresis; 5.4.2."""
    SWELL = "swell"
    """From one channel above the threshold to all at or below threshold - hysteresis; 5.4.3."""
    INTERRUPTION = "interruption"
    """From all channels below the threshold to one at or above threshold + hysteresis; 5.5."""


@dataclass(frozen=True, slots=True)
class VoltageEvent:
    """One event, over or still going on."""

    kind: EventKind
    start_ns: int
    """End of the window whose value began the event, UTC [ns]."""
    end_ns: int | None
    """End of the window whose value ended it, UTC [ns]; None while it lasts."""
    extreme: float
    """Residual voltage: the lowest value on any channel; of a swell the highest [V]."""
    channels: tuple[bool, ...]
    """Which channels were beyond the threshold at any time in the event."""


class EventDetector:
    """One kind of event on one polyphase system, fed with half-cycle values as they come.

    Parameters
    ----------
    kind : EventKind
        What begins and ends the event.
    threshold : float
        [V].
    hysteresis : float
        Not negative [V].

    References
    ----------
    IEC 61000-4-30:2015, 5.4.2, 5.4.3, 5.5.
    """

    __slots__ = ("_channels", "_extreme", "_start_ns", "hysteresis", "kind", "threshold")

    def __init__(self, kind: EventKind, *, threshold: float, hysteresis: float) -> None:
        if not (threshold > 0 and hysteresis >= 0):
            raise ValueError(
                f"threshold {threshold} V and hysteresis {hysteresis} V detect nothing; "
                "use a positive threshold and a hysteresis of zero or more"
            )
        self.kind = kind
        self.threshold = threshold
        self.hysteresis = hysteresis
        self._start_ns: int | None = None
        self._extreme = 0.0
        self._channels: tuple[bool, ...] = ()

    @property
    def current(self) -> VoltageEvent | None:
        """The event that goes on, if one does."""
        if self._start_ns is None:
            return None
        return VoltageEvent(self.kind, self._start_ns, None, self._extreme, self._channels)

    def update(self, ends_ns: NDArray[np.int64], rms: NDArray[np.float64]) -> list[VoltageEvent]:
        """Take further values and return the events that ended with them.

        Parameters
        ----------
        ends_ns : ndarray of int64, shape (n,)
            End of each window, UTC [ns].
        rms : ndarray, shape (channels, n)
            URMS(1/2) [V].
        """
        begins: NDArray[np.bool_]
        recovered: NDArray[np.bool_]
        one, every = np.logical_or.reduce, np.logical_and.reduce
        if self.kind is EventKind.SWELL:
            beyond = rms > self.threshold
            begins, recovered = one(beyond), every(rms <= self.threshold - self.hysteresis)
        else:
            beyond = rms < self.threshold
            back = rms >= self.threshold + self.hysteresis
            if self.kind is EventKind.DIP:
                begins, recovered = one(beyond), every(back)
            else:
                begins, recovered = every(beyond), one(back)
        worst = rms.max(axis=0) if self.kind is EventKind.SWELL else rms.min(axis=0)
        done: list[VoltageEvent] = []
        position = 0
        while position < rms.shape[1]:
            if self._start_ns is None:
                ahead = np.flatnonzero(begins[position:])
                if not ahead.size:
                    break
                position += int(ahead[0])
                self._start_ns = int(ends_ns[position])
                self._extreme = float(worst[position])
                self._channels = (False,) * rms.shape[0]
            ahead = np.flatnonzero(recovered[position:])
            stop = position + int(ahead[0]) if ahead.size else rms.shape[1]
            self._widen(worst[position:stop], beyond[:, position:stop])
            if ahead.size:
                done.append(
                    VoltageEvent(self.kind, self._start_ns, int(ends_ns[stop]), self._extreme, self._channels)
                )
                self._start_ns = None
            position = stop
        return done

    def _widen(self, worst: NDArray[np.float64], beyond: NDArray[np.bool_]) -> None:
        """Take values inside the event into its extreme and its channels."""
        if not worst.size:
            return
        pick = max if self.kind is EventKind.SWELL else min
        extreme = worst.max() if self.kind is EventKind.SWELL else worst.min()
        self._extreme = pick(self._extreme, float(extreme))
        reached: NDArray[np.bool_] = np.logical_or.reduce(beyond, axis=1)
        self._channels = tuple(old or bool(new) for old, new in zip(self._channels, reached, strict=True))


def detect_events(
    ends_ns: NDArray[np.int64],
    rms: NDArray[np.float64],
    kind: EventKind,
    *,
    threshold: float,
    hysteresis: float,
) -> list[VoltageEvent]:
    """Return all events of one kind in a record of URMS(1/2), the last one perhaps not over.

    Parameters
    ----------
    ends_ns : ndarray of int64, shape (n,)
        End of each window, UTC [ns].
    rms : ndarray, shape (channels, n)
        URMS(1/2) of one polyphase system [V].
    kind : EventKind
        What to look for.
    threshold, hysteresis : float
        [V].

    Returns
    -------
    list of VoltageEvent
        In order of time.

    References
    ----------
    IEC 61000-4-30:2015, 5.4.2, 5.4.3, 5.5.
    """
    detector = EventDetector(kind, threshold=threshold, hysteresis=hysteresis)
    events = detector.update(ends_ns, rms)
    return [*events, detector.current] if detector.current else events

"""Power quality of a bank of meters: where to look at half cycles, event log, captures."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import EventRecord, WaveformRecord
from twin.meters.capture import CaptureStore
from twin.meters.front_end import CHANNELS, FrontEnd
from twin.meters.pq_events import EventMonitor, Transition, levels
from twin.meters.settings import MeterSettings
from twin.metrology import half_cycle_rms, step_bound

Float = NDArray[np.float64]

EVENT_CAPACITY: Final = 50_000
"""Events that a meter stores (KW320 manual 4.6); when full it stores no more (the manual is silent)."""
SPARE_NS: Final = 1000
"""How far a signal is continued past the end of a window, so that rounding finds it inside [ns]."""

Stamped = tuple[int, EventRecord | WaveformRecord]


class PowerQuality:
    """Events and captures of all meters of a bank.

    Half cycles are evaluated only around boundaries at which a bound says that a threshold may be
    crossed, and while something is outside; steady stretches in between are counted.
    """

    def __init__(self, settings: Sequence[MeterSettings], front_end: FrontEnd) -> None:
        self._settings = list(settings)
        self._front_end = front_end
        self._monitors = [EventMonitor(setting) for setting in settings]
        self._low_level, self._high_level = levels(self._monitors)
        self._watched = np.zeros(len(settings), np.bool_)
        self._next = 0  # number of the next half cycle, while any meter is watched
        self._steady = np.zeros((len(settings), CHANNELS))
        self._low = np.zeros(0)
        self._high = np.zeros(0)
        self._boundary_theta = -math.inf
        self._events: list[list[EventRecord]] = [[] for _ in settings]
        self._position: list[dict[int, int]] = [{} for _ in settings]
        self._open: list[dict[str, int]] = [{} for _ in settings]
        self._count = [0] * len(settings)
        self.captures = CaptureStore(settings, front_end)

    def events(self, meter: int) -> list[EventRecord]:
        """Return the event log of a meter, oldest first."""
        return list(self._events[meter])

    def in_event(self, meter: int) -> str:
        """Return the type of the event that a meter is in; empty without."""
        return self._monitors[meter].in_event

    def clear_events(self, meter: int) -> None:
        """Empty the event log of a meter; an event that lasts goes on unlogged."""
        self._events[meter].clear()
        self._position[meter].clear()

    def configure(self, meter: int, settings: MeterSettings, now_ns: int) -> None:
        """Take new settings; an event that lasts is dropped and detection starts anew."""
        self._settings[meter] = settings
        self.captures.configure(meter, settings)
        self._monitors[meter] = EventMonitor(settings)
        self._open[meter].clear()
        self._low_level, self._high_level = levels(self._monitors)
        if not self._front_end.empty:
            chosen = np.zeros_like(self._watched)
            chosen[meter] = settings.power_quality
            self._watch(chosen, now_ns)

    def rename(self, meter: int, settings: MeterSettings) -> None:
        """Take new settings that do not concern detection: name and ratios."""
        self._settings[meter] = settings
        self.captures.configure(meter, settings)

    def begin_stretch(self, steady: Float | None) -> None:
        """Decide which meters to watch over the boundary at which the newest segment begins.

        Parameters
        ----------
        steady : ndarray or None, shape (meters, 6)
            RMS values of the new stretch; None if it is not stationary.
        """
        after = self._front_end.newest
        theta = self._front_end.theta(after.start_ns)
        close = theta - self._boundary_theta < 2.0 * math.pi
        self._boundary_theta = theta
        if steady is None or not self._front_end.previous_stationary:
            self._low, self._high = np.array([-np.inf]), np.array([np.inf])
        else:
            low, high = step_bound(self._front_end.previous, after)
            if close and self._low.size:
                # The window may reach over an earlier boundary too: by Minkowski's inequality its RMS
                # strays from that earlier window's by at most the RMS of this step.
                step = np.maximum(high - low, 0.0)
                low, high = np.minimum(low, self._low - step), np.maximum(high, self._high + step)
            self._low, self._high = low, high
        if steady is not None:
            self._steady = steady
        crossed = np.less(self._low, self._low_level) | np.greater(self._high, self._high_level)
        if crossed.any():
            self._watch(np.any(crossed.reshape(-1, CHANNELS), axis=1), after.start_ns)

    def run(self, until_ns: int) -> list[Stamped]:
        """Look at the half cycles up to a time; return records with the time at which they came to be."""
        records: list[Stamped] = []
        if self._watched.any():
            records = self._look(until_ns)
        return records + self.captures.finish(until_ns)

    def _watch(self, chosen: NDArray[np.bool_], from_ns: int) -> None:
        if not self._watched.any():
            k = math.floor(self._front_end.theta(from_ns) / math.pi) - 1
            while self._instant(k) <= from_ns:
                k += 1
            self._next = k
        self._watched |= chosen & np.array([setting.power_quality for setting in self._settings])

    def _instant(self, half_cycle: int) -> int:
        at = self._front_end.instant(half_cycle * math.pi)
        return at.ns + round(at.fraction)

    def _look(self, until_ns: int) -> list[Stamped]:
        end = max(math.floor(self._front_end.theta(until_ns) / math.pi) + 2, self._next)
        while end > self._next and self._instant(end - 1) > until_ns:
            end -= 1
        steady_from = end
        if self._front_end.stationary:
            theta = self._front_end.theta(self._front_end.stretch_start_ns)
            steady_from = min(max(math.ceil(theta / math.pi) + 2, self._next), end)
        records: list[Stamped] = []
        if steady_from > self._next:
            records += self._evaluate(self._next, steady_from - self._next)
        if end > steady_from:
            records += self._count_steady(steady_from, end - steady_from)
        self._next = end
        return records

    def _evaluate(self, first: int, count: int) -> list[Stamped]:
        """Evaluate half cycles whose windows are not steady."""
        meters = np.flatnonzero(self._watched)
        front_end = self._front_end
        start = front_end.instant((first - 2) * math.pi - 1e-6)
        end_ns = self._instant(first + count - 1) + SPARE_NS
        signal = front_end.signal(start, end_ns, meters=meters)
        shift = 2 * front_end.turns_at(start.ns)
        ends, rms = half_cycle_rms(signal, first - shift, count)
        values = rms.reshape(len(meters), CHANNELS, count)
        records: list[Stamped] = []
        for k in range(count):
            for row, meter in enumerate(meters.tolist()):
                for detector, three in self._monitors[meter].detectors(values[row, :, k]):
                    transition = detector.step(three, first + k, int(ends[k]))
                    if transition is not None:
                        records += self._log(meter, transition, detector.level)
        return records

    def _count_steady(self, first: int, count: int) -> list[Stamped]:
        records: list[Stamped] = []
        for meter in np.flatnonzero(self._watched).tolist():
            for detector, three in self._monitors[meter].detectors(self._steady[meter]):
                for transition in detector.repeat(three, first, count, self._instant):
                    records += self._log(meter, transition, detector.level)
            self._watched[meter] = not self._monitors[meter].idle
        records.sort(key=lambda stamped: stamped[0])
        return records

    def _log(self, meter: int, transition: Transition, level: float) -> list[Stamped]:
        """Record a begin or an end, and let a begin trigger its capture."""
        kind = transition.type
        settings = self._settings[meter]
        voltage = kind != "over_current"
        ratio = settings.pt_ratio if voltage else settings.ct_ratio
        rated = settings.rated_voltage if voltage else settings.rated_current
        if transition.end_ns is None:
            if getattr(settings, f"{kind}_waveform"):
                self.captures.trigger(
                    meter, kind, transition.phases, transition.half_cycle * math.pi, transition.trigger_ns
                )
            if len(self._events[meter]) >= EVENT_CAPACITY:
                return []
            self._count[meter] += 1
            self._open[meter][kind] = self._count[meter]
        elif kind not in self._open[meter]:
            return []
        number = self._open[meter][kind]
        record = EventRecord(
            settings.name,
            number,
            kind,
            transition.phases,
            transition.start_ns,
            transition.trigger_ns,
            transition.end_ns,
            transition.extreme * ratio,
            level * ratio,
            rated * ratio,
        )
        if transition.end_ns is None:
            self._position[meter][number] = len(self._events[meter])
            self._events[meter].append(record)
            return [(transition.trigger_ns, record)]
        del self._open[meter][kind]
        if number in self._position[meter]:
            self._events[meter][self._position[meter].pop(number)] = record
        return [(transition.end_ns, record)]

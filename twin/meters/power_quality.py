"""Power quality of a bank of meters: where to look at half cycles, event log, captures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, EventRecord, Instant, WaveformRecord
from twin.meters.accuracy import CHANNELS
from twin.meters.capture import SAMPLES_PER_CYCLE, CaptureStore
from twin.meters.front_end import FrontEnd
from twin.meters.pq_events import EventMonitor, Transition, levels
from twin.meters.settings import MeterSettings
from twin.meters.wiring import Wirings
from twin.signals import window_gram

Float = NDArray[np.float64]

EVENT_CAPACITY: Final = 50_000
"""Events that a meter stores (KW320 manual 4.6); then each new one takes the place of the oldest."""
SPARE_NS: Final = 1000
"""How far a signal is continued past the end of a window, so that rounding finds it inside [ns]."""

STEPS_PER_HALF_CYCLE: Final = SAMPLES_PER_CYCLE // 2

WATCHED: Final = ("sag_", "swell_", "over_current_", "rated_", "power_quality", "wiring", "current_wiring")
"""Starts of the names of settings that events depend on."""
Stamped = tuple[int, EventRecord | WaveformRecord]


class PowerQuality:
    """Events and captures of all meters of a bank.

    Half cycles are evaluated only around boundaries at which a bound says that a threshold may be
    crossed, and while something is outside; steady stretches in between are counted.
    """

    def __init__(self, settings: Sequence[MeterSettings], front_end: FrontEnd, wirings: Wirings) -> None:
        self._settings = list(settings)
        self._wirings = wirings
        self._front_end = front_end
        self._monitors = [EventMonitor(setting) for setting in settings]
        self._noise_power = front_end.inputs.noise**2
        self._learn_levels()
        self._watched = np.zeros(len(settings), np.bool_)
        self._resting = np.ones(len(settings), np.bool_)
        """Whether nothing is outside at a meter and no event lasts."""
        self._on = np.ones(len(settings), np.bool_)
        self._next = 0  # number of the next half cycle, while any meter is watched
        self._steady = np.zeros((len(settings), CHANNELS))
        self._low = np.zeros(0)
        self._high = np.zeros(0)
        self._boundary_ns = -1
        self._events: list[dict[int, EventRecord]] = [{} for _ in settings]  # by number, oldest first
        self._open: list[dict[str, int]] = [{} for _ in settings]
        self._count = [0] * len(settings)
        self.captures = CaptureStore(settings, front_end)

    @property
    def idle(self) -> bool:
        """Whether no half cycle is looked at, and no capture waits for its end."""
        return not self._watched.any() and self.captures.idle

    def events(self, meter: int) -> list[EventRecord]:
        """Return the event log of a meter, oldest first."""
        return list(self._events[meter].values())

    def in_event(self, meter: int) -> str:
        """Return the type of the event that a meter is in; empty without."""
        return self._monitors[meter].in_event

    def clear_events(self, meter: int) -> None:
        """Empty the event log of a meter; an event that lasts goes on unlogged."""
        self._events[meter].clear()

    def configure(self, meter: int, settings: MeterSettings, now_ns: int) -> list[EventRecord]:
        """Take new settings; detection of the kinds of events that they concern starts anew.

        An event of such a kind that lasts ends now, as it was recorded; one of another goes on.
        """
        monitor = EventMonitor(settings)
        kept = monitor.go_on(self._monitors[meter])
        return self._begin(meter, settings, monitor, kept, now_ns)

    def _begin(
        self, meter: int, settings: MeterSettings, monitor: EventMonitor, kept: Sequence[str], now_ns: int
    ) -> list[EventRecord]:
        """Let a meter detect events by a monitor; return those that end, but the kinds that are kept."""
        ended = self._end_all(meter, kept, now_ns)
        self._settings[meter] = settings
        self.captures.configure(meter, settings)
        self._monitors[meter] = monitor
        self._resting[meter] = monitor.idle
        self._learn_levels()
        if not self._front_end.empty:
            chosen = np.zeros_like(self._watched)
            chosen[meter] = settings.power_quality
            self._watch(chosen, now_ns)
        return ended

    def set_power(self, meter: int, *, on: bool, now_ns: int) -> list[EventRecord]:
        """Give a meter its supply, or take it away; what lasts ends, and a capture that waits is lost."""
        self._on[meter] = on
        self._watched[meter] = False
        self.captures.drop(meter)
        settings = self._settings[meter]
        return self._begin(meter, settings, EventMonitor(settings), (), now_ns)

    def _end_all(self, meter: int, kept: Sequence[str], now_ns: int) -> list[EventRecord]:
        kinds = [kind for kind in self._open[meter] if kind not in kept]
        ended = [self._end(meter, self._open[meter].pop(kind), now_ns) for kind in kinds]
        return [record for record in ended if record is not None]

    def _learn_levels(self) -> None:
        """Find the levels between which the RMS of a signal is quiet; its noise comes on top."""
        self._low_level, high = levels(self._monitors)
        self._outer_low, self._outer_high = self._low_level.reshape(-1, CHANNELS), high.reshape(-1, CHANNELS)
        noise = self._wirings.watched_noise(self._noise_power)
        self._high_level = np.sqrt(np.maximum(high**2 - noise.ravel(), 0.0))

    def _end(self, meter: int, number: int, now_ns: int) -> EventRecord | None:
        """Close an event in the log; None when the log was cleared meanwhile."""
        event = self._events[meter].get(number)
        if event is None:
            return None
        ended = self._events[meter][number] = replace(event, end_ns=now_ns)
        return ended

    def rename(self, meter: int, settings: MeterSettings) -> None:
        """Take new settings that do not concern detection: name and ratios."""
        self._settings[meter] = settings
        self.captures.configure(meter, settings)

    def begin_stretch(self, steady: Float | None, bounds: tuple[Float, Float] | None) -> None:
        """Decide which meters to watch over the boundary at which the newest segment begins.

        Parameters
        ----------
        steady : ndarray or None, shape (meters, 6)
            RMS values of the new stretch; None if it is not stationary.
        bounds : tuple of ndarray, shape (meters x 6,), or None
            Lowest and highest one-cycle RMS over the boundary, as of `step_bound`; None if one of its sides
            is not stationary.
        """
        after = self._front_end.newest
        # No cycle lasts a second.
        close = after.start_ns - self._boundary_ns < NS_PER_SECOND and (
            self._front_end.cycles_before(after.start_ns, 1) < Instant(self._boundary_ns)
        )
        self._boundary_ns = after.start_ns
        if bounds is None:
            self._low, self._high = np.array([-np.inf]), np.array([np.inf])
        else:
            low, high = bounds
            if close and self._low.size:
                # The window may reach over an earlier boundary too: by Minkowski's inequality its RMS
                # strays from that earlier window's by at most the RMS of this step.
                step = np.maximum(high - low, 0.0)
                low, high = np.minimum(low, self._low - step), np.maximum(high, self._high + step)
            self._low, self._high = low, high
        if steady is not None:
            self._steady = steady
        crossed = np.less(self._low, self._low_level) | np.greater(self._high, self._high_level)
        if np.count_nonzero(crossed):
            self._watch(np.any(crossed.reshape(-1, CHANNELS), axis=1), after.start_ns)

    def run(self, until_ns: int) -> list[Stamped]:
        """Look at the half cycles up to a time; return records with the time at which they came to be."""
        records: list[Stamped] = []
        if self._watched.any():
            records = self._look(until_ns)
        return records + self.captures.finish(until_ns)

    def _watch(self, chosen: NDArray[np.bool_], from_ns: int) -> None:
        if not self._watched.any():
            k = self._front_end.last_step(from_ns, 2) - 1
            while self._instant(k) <= from_ns:
                k += 1
            self._next = k
        fitted = np.array([setting.power_quality for setting in self._settings])
        self._watched |= chosen & fitted & self._on

    def _instant(self, half_cycle: int) -> int:
        at = self._front_end.step_instant(half_cycle, 2)
        return at.ns + round(at.fraction)

    def _look(self, until_ns: int) -> list[Stamped]:
        end = max(self._front_end.last_step(until_ns, 2) + 2, self._next)
        while end > self._next and self._instant(end - 1) > until_ns:
            end -= 1
        steady_from = end
        if self._front_end.stationary:
            begin = self._front_end.stretch_start_ns
            # The first window that begins inside the stretch ends three steps after the last one before it.
            steady_from = min(max(self._front_end.last_step(begin, 2) + 3, self._next), end)
        records: list[Stamped] = []
        if steady_from > self._next:
            records += self._evaluate(self._next, steady_from - self._next)
        if end > steady_from:
            records += self._count_steady(steady_from, end - steady_from)
        self._next = end
        return records

    def _evaluate(self, first: int, count: int) -> list[Stamped]:
        """Evaluate half cycles whose windows are not steady: URMS(1/2) over exactly one cycle each."""
        meters = np.flatnonzero(self._watched)
        records: list[Stamped] = []
        noise = self._wirings.watched_noise(self._noise_power)
        for k in range(first, first + count):
            start = self._front_end.step_instant(k - 2, 2)
            end = self._front_end.step_instant(k, 2)
            signal = self._front_end.signal(start, end.ns + SPARE_NS, meters=meters)
            gram = window_gram(signal, start, end, channels=CHANNELS)
            squares = self._wirings.watched_squares(gram, meters)
            rms = np.sqrt(squares + noise[meters])
            for row in self._stirred(meters, rms).tolist():
                records += self._step(int(meters[row]), rms[row], k, end.ns + round(end.fraction))
        return records

    def _stirred(self, meters: NDArray[np.intp], rms: Float) -> NDArray[np.intp]:
        """Return which of some meters a half cycle's RMS values (meters, 6) can move.

        Detectors at rest stay so on whatever lies between their levels.
        """
        outside = np.any((rms < self._outer_low[meters]) | (rms > self._outer_high[meters]), axis=1)
        return np.flatnonzero(outside | ~self._resting[meters])

    def _step(self, meter: int, rms: Float, half_cycle: int, ns: int) -> list[Stamped]:
        """Show a half cycle's RMS values (6,) to the detectors of a meter."""
        records: list[Stamped] = []
        monitor = self._monitors[meter]
        for detector, three in monitor.detectors(rms):
            transition = detector.step(three, half_cycle, ns)
            if transition is not None:
                records += self._log(meter, transition, detector.level)
        self._resting[meter] = monitor.idle
        return records

    def _count_steady(self, first: int, count: int) -> list[Stamped]:
        records: list[Stamped] = []
        watched = np.flatnonzero(self._watched)
        stirred = watched[self._stirred(watched, self._steady[watched])]
        self._watched[:] = False
        for meter in stirred.tolist():
            seen = [
                (transition.at_ns, transition, detector.level)
                for detector, three in self._monitors[meter].detectors(self._steady[meter])
                for transition in detector.repeat(three, first, count, self._instant)
            ]
            # Numbers and captures go by time, whichever detector was asked first.
            for _, transition, level in sorted(seen, key=lambda one: one[0]):
                records += self._log(meter, transition, level)
            self._resting[meter] = self._monitors[meter].idle
            self._watched[meter] = not self._resting[meter]
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
                    meter,
                    kind,
                    transition.phases,
                    transition.half_cycle * STEPS_PER_HALF_CYCLE,
                    transition.trigger_ns,
                )
            if len(self._events[meter]) >= EVENT_CAPACITY:
                del self._events[meter][next(iter(self._events[meter]))]
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
            self._events[meter][number] = record
            return [(transition.trigger_ns, record)]
        del self._open[meter][kind]
        if number in self._events[meter]:
            self._events[meter][number] = record
        return [(transition.end_ns, record)]

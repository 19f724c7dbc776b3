"""The front end: primary volts and amperes to secondary, and the last seconds of the signal.

Ratios are those of the transformers that are fitted (the settings that a bank is built with). A ratio
that is changed later in a meter changes what it shows as primary, not what its terminals receive.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Instant, Segment, Signal, TwinError
from twin.meters.settings import MeterSettings
from twin.signals import instant_of_theta, theta_at

CHANNELS = 6
"""Channels per meter: va, vb, vc, ia, ib, ic."""
KEEP_NS = 2 * NS_PER_SECOND
"""How much of the past stays for windows and captures [ns]."""
LEAD_IN_NS = 5 * NS_PER_SECOND
"""How far the first segment is taken to reach back, so that the first windows are full [ns]."""
TWO_PI = 2.0 * math.pi


class FeedError(TwinError, ValueError):
    """A segment that does not fit to what a bank of meters has already seen."""


def is_stationary(segment: Segment) -> bool:
    """Tell whether all terms are steady harmonics of theta, so that every whole cycle is alike."""
    return not segment.rate.any() and bool(np.all(segment.order == np.floor(segment.order)))


def secondary_scale(settings: Sequence[MeterSettings]) -> NDArray[np.float64]:
    """Return what each primary channel is multiplied by, shape (meters x 6, 1)."""
    rows = [
        [1.0 / meter.pt_ratio] * 3
        + [(-1.0 if reversed_ else 1.0) / meter.ct_ratio for reversed_ in meter.current_direction]
        for meter in settings
    ]
    return np.array(rows, np.float64).reshape(-1, 1)


class FrontEnd:
    """The secondary signal of all meters of a bank, from two seconds ago to now.

    Cycles of theta are counted on over all segments; a segment's own theta may be reduced by whole cycles
    at its start.
    """

    def __init__(self, scale: NDArray[np.float64], *, start_ns: int) -> None:
        self._scale = scale
        self._names = tuple(f"channel{row}" for row in range(scale.shape[0]))
        self._raw: list[Segment] = []
        self._segments: list[Segment] = []
        self._cycles: list[int] = []  # whole cycles that a segment's own theta lacks
        self._start_ns = start_ns
        self.stretch_start_ns = start_ns
        """Since when the signal has been one stationary stretch [ns]."""
        self.stationary = True
        """Whether the newest segment holds steady harmonics alone."""
        self.previous_stationary = True
        """The same of the segment before it."""

    @property
    def empty(self) -> bool:
        """Whether no segment has come yet."""
        return not self._raw

    @property
    def newest(self) -> Segment:
        """The segment that holds now, secondary."""
        return self._segments[-1]

    def holds(self, segment: Segment) -> bool:
        """Tell whether a primary segment is the one that came last."""
        return bool(self._raw) and self._raw[-1] is segment

    def append(self, segment: Segment) -> bool:
        """Take a new primary segment; return whether it begins a new stretch.

        Raises
        ------
        FeedError
            If it has another number of channels than the meters have.
        """
        if segment.amplitude.shape[0] != self._scale.shape[0]:
            message = (
                f"the segment has {segment.amplitude.shape[0]} channels, the meters have "
                f"{self._scale.shape[0]}; give 6 channels per meter, meter-major"
            )
            raise FeedError(message)
        first = self.empty
        # Segments of one source share the arrays of their terms: look at the same ones once.
        known = not first and self._raw[-1].order is segment.order and self._raw[-1].rate is segment.rate
        stationary = self.stationary if known else is_stationary(segment)
        if first:
            self._lead_in(segment, stationary=stationary)
        previous = self._raw[-1]
        same = (
            stationary
            and self.stationary
            and previous.amplitude is segment.amplitude
            and previous.frequency == segment.frequency
            and np.array_equal(previous.order, segment.order)
        )
        amplitude = self._segments[-1].amplitude if same else self._scaled(segment.amplitude)
        lacking = theta_at(self._raw[-1], segment.start_ns) - segment.theta
        self._cycles.append(self._cycles[-1] + round(lacking / TWO_PI))
        self._raw.append(segment)
        self._segments.append(
            Segment(
                segment.start_ns, segment.frequency, segment.theta, segment.order, segment.rate, amplitude
            )
        )
        self._forget(segment.start_ns - KEEP_NS)
        if not same:
            self.stretch_start_ns = segment.start_ns
        self.previous_stationary, self.stationary = self.stationary, stationary
        return first or not same

    def rescale(self, scale: NDArray[np.float64]) -> None:
        """Change the scale of the whole kept signal, for a current input whose direction is turned."""
        self._scale = scale
        scaled: dict[int, NDArray[np.complex128]] = {}
        for index, raw in enumerate(self._raw):
            amplitude = scaled.setdefault(id(raw.amplitude), self._scaled(raw.amplitude))
            self._segments[index] = replace(raw, amplitude=amplitude)

    def last_step(self, ns: int, per_cycle: int) -> int:
        """Return the number of the last step of theta at a time, in the kept past or ahead.

        Steps divide each cycle into ``per_cycle``; they are counted from ``theta = 0`` of the first
        segment on through all boundaries, in whole numbers, so that no count ever loses precision.
        """
        index = self._index(ns)
        local = math.floor(theta_at(self._segments[index], ns) * per_cycle / TWO_PI)
        return local + per_cycle * self._cycles[index]

    def step_instant(self, step: int, per_cycle: int) -> Instant:
        """Return when the signal passed, or will pass, a step of theta."""
        index = len(self._segments) - 1
        while True:
            segment = self._segments[index]
            local = (step - per_cycle * self._cycles[index]) * TWO_PI / per_cycle
            if local >= segment.theta or index == 0:
                return instant_of_theta(segment, local)
            index -= 1

    def cycles_before(self, ns: int, cycles: int) -> Instant:
        """Return when theta was some whole cycles less than it is at a time."""
        index = self._index(ns)
        local = theta_at(self._segments[index], ns) - TWO_PI * cycles
        while local < self._segments[index].theta and index > 0:
            local += TWO_PI * (self._cycles[index] - self._cycles[index - 1])
            index -= 1
        return instant_of_theta(self._segments[index], local)

    def signal(self, start: Instant, end_ns: int, *, meters: NDArray[np.intp] | None = None) -> Signal:
        """Return the kept signal from the segment that holds at ``start``, of all or some meters."""
        segments = self._segments[self._index(start.ns) :]
        names = self._names
        if meters is not None:
            rows = (meters[:, None] * CHANNELS + np.arange(CHANNELS)).ravel()
            segments = [replace(part, amplitude=part.amplitude[rows]) for part in segments]
            names = tuple(names[row] for row in rows)
        return Signal(names, tuple(segments), max(end_ns, segments[-1].start_ns))

    def _index(self, ns: int) -> int:
        index = len(self._segments) - 1
        while index > 0 and self._segments[index].start_ns > ns:
            index -= 1
        return index

    def _scaled(self, amplitude: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return np.ascontiguousarray(amplitude * self._scale)

    def _lead_in(self, segment: Segment, *, stationary: bool) -> None:
        """Let a steady first segment reach back; before any other there was no signal."""
        begin = segment.start_ns - LEAD_IN_NS
        amplitude = segment.amplitude if stationary else np.zeros_like(segment.amplitude)
        rate = np.zeros_like(segment.rate)
        earlier = replace(
            segment, start_ns=begin, theta=theta_at(segment, begin), amplitude=amplitude, rate=rate
        )
        self._raw.append(earlier)
        self._segments.append(replace(earlier, amplitude=self._scaled(amplitude)))
        self._cycles.append(0)
        self.stretch_start_ns = begin
        self.stationary = True

    def _forget(self, before_ns: int) -> None:
        count = 0
        while count + 1 < len(self._raw) and self._raw[count + 1].start_ns <= before_ns:
            count += 1
        if count:
            del self._raw[:count], self._segments[:count], self._cycles[:count]

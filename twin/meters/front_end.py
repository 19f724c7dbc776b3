"""The front end: the last seconds of the signal, as the inputs pass it on."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Instant, Segment, Signal, TwinError
from twin.meters.accuracy import CHANNELS
from twin.meters.connection import Connection
from twin.meters.inputs import InputMaps, Inputs, is_stationary
from twin.meters.sampling import Sampler, turned_segment
from twin.meters.settings import MeterSettings
from twin.signals import instant_of_theta, theta_at

KEEP_NS = 2 * NS_PER_SECOND
"""How much of the past stays for windows and captures [ns]."""
LEAD_IN_NS = 5 * NS_PER_SECOND
"""How far the first segment is taken to reach back, so that the first windows are full [ns]."""
TWO_PI = 2.0 * math.pi


class FeedError(TwinError, ValueError):
    """A segment that does not fit to what a bank of meters has already seen."""


class FrontEnd:
    """The secondary signal of all meters of a bank, from two seconds ago to now.

    Cycles of theta are counted on over all segments; a segment's own theta may be reduced by whole cycles
    at its start.
    """

    def __init__(self, inputs: Inputs, *, start_ns: int) -> None:
        self.inputs = inputs
        """What makes secondary segments of primary ones."""
        self._names = tuple(f"channel{row}" for row in range(inputs.rows))
        self._raw: list[Segment] = []
        self._segments: list[Segment] = []
        self._secondary: Segment  # the newest segment, as it would be without samples
        self._sampler: Sampler | None = None
        """What samples the newest segment."""
        self._raw_stationary = True
        self._cycles: list[int] = []  # whole cycles that a segment's own theta lacks
        self._maps: list[InputMaps] = []  # how the inputs were connected
        self._new_connections: dict[int, Connection] = {}
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
        """Tell whether a primary segment is the one that came last, and nothing else has changed."""
        return bool(self._raw) and self._raw[-1] is segment and not self._new_connections

    def connect(self, meter: int, connection: Connection) -> None:
        """Let a meter's inputs be connected otherwise from the next segment on."""
        self._new_connections[meter] = connection

    def append(self, segment: Segment) -> bool:
        """Take a new primary segment; return whether it begins a new stretch.

        Raises
        ------
        FeedError
            If it has another number of channels than the meters have.
        """
        if segment.amplitude.shape[0] != self.inputs.rows:
            message = (
                f"the segment has {segment.amplitude.shape[0]} channels, the meters have "
                f"{self.inputs.rows}; give 6 channels per meter, meter-major"
            )
            raise FeedError(message)
        first = self.empty
        # Segments of one source share the arrays of their terms: look at the same ones once.
        last = self._raw[-1] if self._raw else None
        known = (
            last is not None
            and last.order is segment.order
            and last.rate is segment.rate
            and last.block is None is segment.block
        )
        steady = self._raw_stationary if known else is_stationary(segment)
        reconnected = bool(self._new_connections) and not first
        if first:
            self._reconnect()
            self._lead_in(segment, stationary=steady)
        previous = self._raw[-1]
        same = (
            steady
            and self.stationary
            and not reconnected
            and previous.amplitude is segment.amplitude
            and previous.frequency == segment.frequency
            and np.array_equal(previous.order, segment.order)
        )
        self._leave(segment.start_ns)
        self._reconnect()
        if same:
            secondary = replace(self._segments[-1], start_ns=segment.start_ns, theta=segment.theta)
        else:
            secondary = self._enter(segment, steady=steady)
        lacking = theta_at(self._raw[-1], segment.start_ns) - segment.theta
        self._cycles.append(self._cycles[-1] + round(lacking / TWO_PI))
        self._raw.append(segment)
        self._maps.append(self.inputs.maps)
        self._segments.append(secondary)
        self._forget(segment.start_ns - KEEP_NS)
        if not same:
            self.stretch_start_ns = segment.start_ns
        self._raw_stationary = steady
        self.previous_stationary, self.stationary = self.stationary, steady and self._sampler is None
        return first or not same

    @property
    def sampling(self) -> bool:
        """Whether the newest segment is measured on samples."""
        return self._sampler is not None

    def extend(self, until_ns: int) -> None:
        """Let the newest segment reach to a time, if it is one of samples."""
        if self._sampler is not None:
            self._segments[-1] = self._sampler.until(until_ns)

    def _enter(self, segment: Segment, *, steady: bool) -> Segment:
        """Return a new primary segment as the meters see it, with samples if it takes some."""
        self._secondary = self.inputs.secondary(segment)
        self._sampler = None
        if self.inputs.may_sample_steady or not steady:
            self._sampler = self.inputs.sampler(self._secondary)
        return self._secondary if self._sampler is None else self._sampler.until(segment.start_ns)

    def _reconnect(self) -> None:
        """Connect inputs as it was asked for since the last segment."""
        for meter, connection in self._new_connections.items():
            self.inputs.connect(meter, connection)
        self._new_connections.clear()

    def _leave(self, ns: int) -> None:
        """End the newest segment, in which transformers keep their flux."""
        self.extend(ns)
        if self.inputs.may_sample_steady:
            start_ns = self._raw[-1].start_ns
            entered = replace(self._secondary, start_ns=start_ns, theta=self._raw[-1].theta)
            self.inputs.leave(entered, self._sampler, ns)

    def turn(self, settings: Sequence[MeterSettings]) -> None:
        """Turn the direction of current inputs, for the whole kept signal."""
        turned = self.inputs.turn(settings)
        if self._sampler is not None:
            self._sampler.turn(turned)
        # Segments of one stretch go on sharing their amplitudes.
        made: dict[tuple[int, int], Segment] = {}
        for index, raw in enumerate(self._raw):
            if self._segments[index].block is not None:
                self._segments[index] = turned_segment(self._segments[index], turned)
                continue
            maps = self._maps[index]
            key = id(raw.amplitude), id(maps)
            if key not in made:
                made[key] = self.inputs.secondary(raw, maps=maps)
            alike = made[key]
            self._segments[index] = replace(
                alike, start_ns=raw.start_ns, theta=raw.theta, frequency=raw.frequency
            )

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
            # Neighbours are a view: samples are too many to copy for each window.
            together = bool(rows.size) and rows[-1] - rows[0] + 1 == rows.size
            chosen = slice(rows[0], rows[-1] + 1) if together else rows
            segments = [_rows(part, chosen) for part in segments]
            names = tuple(names[row] for row in rows)
        last = segments[-1]
        return Signal(names, tuple(segments), max(min(end_ns, _reach_ns(last, end_ns)), last.start_ns))

    def _index(self, ns: int) -> int:
        index = len(self._segments) - 1
        while index > 0 and self._segments[index].start_ns > ns:
            index -= 1
        return index

    def _lead_in(self, segment: Segment, *, stationary: bool) -> None:
        """Let a steady first segment reach back; before any other there was no signal."""
        begin = segment.start_ns - LEAD_IN_NS
        amplitude = segment.amplitude if stationary else np.zeros_like(segment.amplitude)
        rate = np.zeros_like(segment.rate)
        earlier = Segment(begin, segment.frequency, theta_at(segment, begin), segment.order, rate, amplitude)
        self._raw.append(earlier)
        self._maps.append(self.inputs.maps)
        self._segments.append(self._enter(earlier, steady=True))
        self._cycles.append(0)
        self.stretch_start_ns = begin
        self.stationary = self._sampler is None

    def _forget(self, before_ns: int) -> None:
        count = 0
        while count + 1 < len(self._raw) and self._raw[count + 1].start_ns <= before_ns:
            count += 1
        if count:
            for kept in (self._raw, self._segments, self._cycles, self._maps):
                del kept[:count]


def _reach_ns(segment: Segment, ns: int) -> int:
    """Return how far a segment is known, at most to a time."""
    block = segment.block
    if block is None:
        return ns
    length_ns = (block.samples.shape[1] - 1) * block.step_s * NS_PER_SECOND
    reach: int = block.start_ns + math.ceil(block.start_fraction + length_ns)
    return min(ns, reach)


def _rows(segment: Segment, rows: NDArray[np.intp] | slice) -> Segment:
    """Return a segment with some of its channels."""
    block = segment.block
    if block is not None:
        block = replace(block, samples=block.samples[rows])
    return replace(segment, amplitude=segment.amplitude[rows], block=block)

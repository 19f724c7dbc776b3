"""The source of the bench: conditions become a signal, and what is applied is known from them."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.calibrator.conditions import Component, Conditions, Triple
from twin.contracts import NS_PER_SECOND, Signal
from twin.signals.source import Fluctuation, SourceStep, Tone, source_signal

Complex = NDArray[np.complex128]

TICK_NS: Final = 1_767_225_600 * NS_PER_SECOND
"""2026-01-01T00:00:00Z, a ten-minute tick: what happens on a bench is timed by it [ns]."""
STEP_AFTER_S: Final = 0.5
"""How long after the tick a step of the voltage comes, at the least [s]."""
_QUARTER: Final = math.pi / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What relative conditions refer to."""

    voltage: float
    """Declared voltage, line to neutral [V]."""
    current: float
    """Rated current In [A]."""
    maximum_current: float
    """Imax [A]."""
    frequency: int
    """Nominal, 50 or 60 [Hz]."""

    @property
    def cycles(self) -> int:
        """Cycles of a basic window: 10 or 12."""
        return 12 if self.frequency == 60 else 10


class Stimulus:
    """What the source applies over time.

    Parameters
    ----------
    conditions : Conditions
        In relative units.
    rating : Rating
        Of the meter.
    before_s, after_s : float
        How long the signal is before and after the tick [s]. A step of the voltage comes half a second
        after the tick, at its point on wave. Theta is 0 at the start, where the voltage of phase a rises
        through zero.
    """

    def __init__(self, conditions: Conditions, rating: Rating, *, before_s: float, after_s: float) -> None:
        self.conditions = conditions
        self.rating = rating
        self.frequency = rating.frequency + conditions.frequency
        self.start_ns = TICK_NS - round(before_s * NS_PER_SECOND)
        self.end_ns = TICK_NS + round(after_s * NS_PER_SECOND)
        turn = -2.0 * math.pi / 3.0 * (1.0 if conditions.sequence == "abc" else -1.0)
        # The voltage of phase a is sin(theta): half cycles of theta begin at its zero crossings.
        self._angle = (-_QUARTER, turn - _QUARTER, -turn - _QUARTER)
        self.step_s = self._step_times()
        self._signal = source_signal(tuple(self._steps()), start_ns=self.start_ns)
        self._starts = [segment.start_ns for segment in self._signal.segments]
        first = np.abs(np.array([segment.amplitude[:3, 0] for segment in self._signal.segments]))
        self._levels = first / math.sqrt(2.0)
        stepping = np.any(np.abs(np.diff(self._levels, axis=0)) > 1e-9 * rating.voltage, axis=1)
        self._changes = np.array(self._starts[1:], np.int64)[stepping]

    def signal(self, start_ns: int, end_ns: int) -> Signal:
        """Return the part of the signal that covers a time."""
        first = max(0, bisect_right(self._starts, start_ns) - 1)
        last = bisect_right(self._starts, end_ns)
        return Signal(self._signal.channels, self._signal.segments[first:last], min(end_ns, self.end_ns))

    def chunks(self, length_ns: int) -> Iterator[tuple[int, int]]:
        """Yield start and end of consecutive stretches of the signal [ns]."""
        for start in range(self.start_ns, self.end_ns, length_ns):
            yield start, min(start + length_ns, self.end_ns)

    def calm(self, start_ns: int, end_ns: int) -> bool:
        """Tell whether no voltage steps within a time."""
        return not np.any((self._changes > start_ns) & (self._changes < end_ns))

    def fundamental(self) -> Complex:
        """Return the RMS phasors of order 1 that are set, shape (6,) [V or A]."""
        angle = np.array(self._angle)
        volts, amperes = self._magnitudes(self.conditions.voltage)
        return np.concatenate(
            [np.array(volts) * np.exp(1j * angle), amperes * np.exp(1j * (angle - self.conditions.lag_rad))]
        )

    def fundamental_voltage(self, ns: int, phase: int) -> float:
        """Return the RMS value of a phase's fundamental at a time, whatever modulates it [V]."""
        return float(self._levels[bisect_right(self._starts, ns) - 1, phase])

    def powers(self) -> tuple[float, float]:
        """Return mean active power, and reactive power of the fundamental, of all phases [W, var]."""
        conditions = self.conditions
        volts, amperes = self._magnitudes(conditions.voltage)
        apparent = sum(volt * ampere for volt, ampere in zip(volts, amperes, strict=True))
        active = apparent * math.cos(conditions.lag_rad)
        for u in (*conditions.u_harmonics, *conditions.u_interharmonics):
            for i in (*conditions.i_harmonics, *conditions.i_interharmonics):
                if u.order == i.order:
                    lag = math.radians(u.angle_deg - i.angle_deg) + u.order * conditions.lag_rad
                    active += apparent * u.percent * i.percent * 1e-4 * math.cos(lag)
        return active, apparent * math.sin(conditions.lag_rad)

    def _magnitudes(self, percent: Triple) -> tuple[Triple, Triple]:
        """Return the RMS values of the fundamentals [V, A]."""
        volts = [self.rating.voltage * one / 100.0 for one in percent]
        current = self.conditions.current
        ampere = self.rating.maximum_current if current is None else current / 100.0 * self.rating.current
        amperes = [ampere if phase in self.conditions.load else 0.0 for phase in "abc"]
        return (volts[0], volts[1], volts[2]), (amperes[0], amperes[1], amperes[2])

    def _step_times(self) -> tuple[float, float] | None:
        """Return begin and end of the event after the start; the end is that of the signal where it lasts."""
        step = self.conditions.step
        if step is None:
            return None
        earliest_s = (TICK_NS - self.start_ns) / NS_PER_SECOND + STEP_AFTER_S
        turns = math.ceil(earliest_s * self.frequency - step.angle_deg / 360.0)
        begin = (turns + step.angle_deg / 360.0) / self.frequency
        length = (self.end_ns - self.start_ns) / NS_PER_SECOND
        return begin, length if step.cycles is None else min(length, begin + step.cycles / self.frequency)

    def _steps(self) -> Iterator[SourceStep]:
        """Yield what the source does: one step, or the voltage before, in and after the event."""
        whole = (self.end_ns - self.start_ns) / NS_PER_SECOND
        step = self.conditions.step
        if step is None or self.step_s is None:
            yield self._source_step(whole, self.conditions.voltage)
            return
        begin, end = self.step_s
        yield self._source_step(begin, self.conditions.voltage)
        yield self._source_step(end - begin, step.voltage)
        if end < whole:
            yield self._source_step(whole - end, self.conditions.voltage)

    def _source_step(self, duration_s: float, percent: Triple) -> SourceStep:
        conditions = self.conditions
        volts, amperes = self._magnitudes(percent)
        modulation = conditions.modulation
        tones = [
            _tone(part, voltage=True) for part in (*conditions.u_harmonics, *conditions.u_interharmonics)
        ]
        tones += [
            _tone(part, voltage=False) for part in (*conditions.i_harmonics, *conditions.i_interharmonics)
        ]
        return SourceStep(
            duration_s=duration_s,
            frequency=self.frequency,
            voltage=volts,
            voltage_angle=self._angle,
            current=amperes,
            current_lag=(conditions.lag_rad,) * 3,
            tones=tuple(tones),
            fluctuation=None
            if modulation is None
            else Fluctuation(shape=modulation.shape, rate=modulation.hertz, depth=modulation.percent / 100.0),
        )


def _tone(part: Component, *, voltage: bool) -> Tone:
    """Return a component as the source takes it.

    sin(h x + a), where the channel's fundamental is sin x = cos(x - 90 deg), is
    cos(h (x - 90 deg) + (h - 1) 90 deg + a).
    """
    share, angle = part.percent / 100.0, (part.order - 1.0) * _QUARTER + math.radians(part.angle_deg)
    if voltage:
        return Tone(multiple=part.order, voltage=share, voltage_angle=angle)
    return Tone(multiple=part.order, current=share, current_angle=angle)

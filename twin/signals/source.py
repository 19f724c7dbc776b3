"""A three-phase source, step by step, as a signal: what a test bench puts on a meter's terminals.

A steady step is a few long segments. A tone turns its whole or broken multiple of theta, counted from
``theta`` at the start of the source on: like theta it goes on through boundaries and ramps without a jump.
Sinusoidal fluctuation is two sidebands of every voltage term, exactly. Rectangular fluctuation is a
boundary at each change. Ramps are segments of half a cycle of the highest frequency: the phase at their
ends is exact, and strays between them by at most pi/4 x (change of frequency per second) x (length of the
segment)^2; a magnitude grows or decays exponentially within each.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Segment, Signal, TwinError
from twin.signals.amplitude import amplitude_from_rms

Three = tuple[float, float, float]
Complex = NDArray[np.complex128]

CHANNELS: Final = ("va", "vb", "vc", "ia", "ib", "ic")
LONGEST_NS: Final = 10 * NS_PER_SECOND
"""Longest segment before it is anchored again [ns]."""
POSITIVE_SEQUENCE: Final = (0.0, -2.0 * math.pi / 3.0, 2.0 * math.pi / 3.0)
_TWO_PI: Final = 2.0 * math.pi
_VOLTAGES: Final = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])


class SourceError(TwinError, ValueError):
    """A step that a source cannot do."""


def _require_finite(given: "Tone | Fluctuation | SourceStep") -> None:
    """Refuse a number that is infinite or not a number."""
    for field in fields(given):
        value = getattr(given, field.name)
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
            raise SourceError(f"{field.name} {value} is not finite; give numbers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A harmonic or an interharmonic, in the same proportion on all of its phases."""

    multiple: float
    """Of the fundamental's actual frequency, in a ramp too; a whole number is a harmonic."""
    voltage: float = 0.0
    """RMS, share of each phase's fundamental voltage."""
    voltage_angle: float = 0.0
    """By cosine, beyond ``multiple`` times the fundamental's of its phase [rad]."""
    current: float = 0.0
    """RMS, share of each phase's fundamental current."""
    current_angle: float = 0.0
    """[rad]"""
    phases: str = "abc"
    """Those that carry it; phases that differ take one tone each."""

    def __post_init__(self) -> None:
        """Refuse what is no tone."""
        _require_finite(self)
        if not self.multiple > 0.0:
            raise SourceError(f"a tone's multiple {self.multiple} is not positive; give one above 0")
        if not self.phases or set(self.phases) - set("abc"):
            raise SourceError(
                f"a tone's phases '{self.phases}' are not some of a, b and c; give for example 'a'"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fluctuation:
    """A fluctuation of all voltages; currents do not follow."""

    shape: Literal["sinusoidal", "rectangular"]
    rate: float
    """Periods a second; a rectangular one has two changes in each [Hz]."""
    depth: float
    """Highest less lowest magnitude over their mean: dV/V of IEC 61000-4-15."""
    phase: float = 0.0
    """At the start of the step, of the cosine or of the period whose first half is the upper level [rad]."""

    def __post_init__(self) -> None:
        """Refuse what does not fluctuate."""
        _require_finite(self)
        if self.shape not in {"sinusoidal", "rectangular"}:
            raise SourceError(
                f"there is no fluctuation of shape '{self.shape}'; use sinusoidal or rectangular"
            )
        if not (self.rate > 0.0 and 0.0 < self.depth < 2.0):
            raise SourceError(
                f"rate {self.rate} Hz and depth {self.depth} do not fluctuate; "
                "give a positive rate and a depth between 0 and 2"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStep:
    """What a source does for a time."""

    duration_s: float
    frequency: float
    """[Hz]"""
    frequency_end: float | None = None
    """Reached linearly by the end of the step [Hz]."""
    voltage: Three
    """RMS of each phase's fundamental [V]."""
    voltage_end: Three | None = None
    """Reached linearly by the end of the step [V]."""
    voltage_angle: Three = POSITIVE_SEQUENCE
    """By cosine, relative to theta [rad]."""
    current: Three = (0.0, 0.0, 0.0)
    """RMS of each phase's fundamental [A]."""
    current_end: Three | None = None
    """Reached linearly by the end of the step [A]."""
    current_lag: Three = (0.0, 0.0, 0.0)
    """Of each current's fundamental behind its voltage's [rad]."""
    tones: tuple[Tone, ...] = ()
    fluctuation: Fluctuation | None = None

    def __post_init__(self) -> None:
        """Refuse what no source can do."""
        _require_finite(self)
        for name in ("voltage", "voltage_end", "voltage_angle", "current", "current_end", "current_lag"):
            value = getattr(self, name)
            if value is not None and len(value) != 3:
                raise SourceError(f"{name} {value} is not for three phases; give three values")
        if not self.duration_s > 0.0:
            raise SourceError(f"duration_s {self.duration_s} s does not pass; give a positive time")
        for name in ("frequency", "frequency_end"):
            value = getattr(self, name)
            if value is not None and not value > 0.0:
                raise SourceError(f"{name} {value} Hz is no frequency; give a positive one")
        for name in ("voltage", "voltage_end", "current", "current_end"):
            if min(getattr(self, name) or (0.0,)) < 0.0:
                raise SourceError(f"{name} {getattr(self, name)} is negative; turn its angle instead")

    @property
    def ramps(self) -> bool:
        """Whether something changes steadily in the step."""
        return (
            self.frequency_end not in {None, self.frequency}
            or self.voltage_end not in {None, self.voltage}
            or self.current_end not in {None, self.current}
        )


def source_signal(steps: Sequence[SourceStep], *, start_ns: int, theta: float = 0.0) -> Signal:
    """Return what a source does in some steps, as six channels va, vb, vc, ia, ib, ic.

    Parameters
    ----------
    steps : sequence of SourceStep
        One after the other, without a gap and without a jump of theta.
    start_ns : int
        UTC [ns].
    theta : float
        At the start [rad].

    Returns
    -------
    Signal
        Six channels [V and A].

    Raises
    ------
    SourceError
        If there is no step.
    """
    end_ns = start_ns + _length_ns(steps)
    return Signal(CHANNELS, tuple(source_segments(steps, start_ns=start_ns, theta=theta)), end_ns)


def source_segments(steps: Sequence[SourceStep], *, start_ns: int, theta: float = 0.0) -> Iterator[Segment]:
    """Yield the segments of `source_signal` one by one, so that long ones need no memory."""
    if not steps:
        raise SourceError("a source without steps does nothing; give at least one")
    passed = Fraction(0)
    cycles = Fraction(theta / _TWO_PI)
    for step in steps:
        run = _Run(step, start_ns, passed * NS_PER_SECOND, cycles)
        yield from run.segments()
        passed += Fraction(step.duration_s)
        cycles = run.cycles_at(Fraction(step.duration_s))


def _length_ns(steps: Sequence[SourceStep]) -> int:
    return round(sum((Fraction(step.duration_s) for step in steps), Fraction(0)) * NS_PER_SECOND)


class _Run:
    """One step that begins ``begin`` after the start of the source, with ``cycles`` of theta behind it."""

    def __init__(self, step: SourceStep, start_ns: int, begin: Fraction, cycles: Fraction) -> None:
        self._step = step
        self._origin_ns = start_ns
        self._begin = begin
        self._begin_ns = start_ns + round(begin)
        self._end_ns = start_ns + round(begin + Fraction(step.duration_s) * NS_PER_SECOND)
        self._cycles = cycles
        self._amplitudes: dict[float, Complex] = {}
        columns = _columns(step)
        self._order = np.array([column.order for column in columns])
        self._multiple = np.array([column.multiple for column in columns])
        self._side = np.array([column.side for column in columns])
        self._table = np.column_stack([column.phasor for column in columns])
        self._rate = self._rates(step.frequency)

    def segments(self) -> Iterator[Segment]:
        """Yield the segments of the step."""
        for begin_ns, end_ns in pairwise(self._boundaries()):
            yield self._segment(begin_ns, end_ns)

    def cycles_at(self, seconds: Fraction) -> Fraction:
        """Return the cycles of theta at a time after the start of the step, without rounding."""
        step = self._step
        change = Fraction(step.frequency_end or step.frequency) - Fraction(step.frequency)
        slope = change / Fraction(step.duration_s)
        return self._cycles + (Fraction(step.frequency) + slope * seconds / 2) * seconds

    def _boundaries(self) -> Iterator[int]:
        """Yield where segments begin, and at last where the step ends [ns]."""
        step = self._step
        spacing = [LONGEST_NS / Fraction(NS_PER_SECOND)]
        ahead = [Fraction(0)]  # of the first spacing, what lies before the step
        if step.ramps:
            spacing.append(Fraction(1, 2) / Fraction(max(step.frequency, step.frequency_end or 0.0)))
            ahead.append(Fraction(0))
        if step.fluctuation is not None and step.fluctuation.shape == "rectangular":
            spacing.append(Fraction(1, 2) / Fraction(step.fluctuation.rate))
            ahead.append(_half_periods(step.fluctuation) % 1 * spacing[-1])
        yield self._begin_ns
        numbers = [1] * len(spacing)
        last = self._begin_ns
        while True:
            times = [n * length - first for n, length, first in zip(numbers, spacing, ahead, strict=True)]
            soonest = min(times)
            numbers = [number + (time == soonest) for number, time in zip(numbers, times, strict=True)]
            at = self._origin_ns + round(self._begin + soonest * NS_PER_SECOND)
            if at >= self._end_ns:
                break
            if at > last:
                yield at
            last = at
        if self._end_ns > self._begin_ns:
            yield self._end_ns

    def _segment(self, begin_ns: int, end_ns: int) -> Segment:
        begin, end = self._since(begin_ns), self._since(end_ns)
        first = self.cycles_at(begin)
        frequency = self._step.frequency
        if self._step.ramps:
            frequency = float((self.cycles_at(end) - first) / (end - begin))
        if not self._step.ramps:
            rate, amplitude = self._rate, self._steady(begin, end)
        else:
            rate, amplitude = self._ramping(frequency, begin, end)
        theta = _TWO_PI * float(first % 1)
        return Segment(begin_ns, frequency, theta, self._tiled_order(rate), rate, amplitude)

    def _since(self, ns: int) -> Fraction:
        return (ns - self._origin_ns - self._begin) / NS_PER_SECOND

    def _tiled_order(self, rate: Complex) -> NDArray[np.float64]:
        return (
            self._order
            if rate.size == self._order.size
            else np.tile(self._order, rate.size // self._order.size)
        )

    def _rates(self, frequency: float) -> Complex:
        """Return the own rates of the terms, those that do not follow a whole order of theta [1/s]."""
        rates: Complex = 1j * _TWO_PI * (self._multiple * frequency + self._side)
        return rates

    def _steady(self, begin: Fraction, end: Fraction) -> Complex:
        """Return the peak amplitudes of the terms over a segment of a step without ramps."""
        level = self._level((begin + end) / 2)
        if level not in self._amplitudes:
            self._amplitudes[level] = self._scaled(level, self._magnitudes(0.0))
        amplitude = self._amplitudes[level]
        return self._turned(amplitude, begin) if self._rate.any() else amplitude

    def _ramping(self, frequency: float, begin: Fraction, end: Fraction) -> tuple[Complex, Complex]:
        """Return rates and peak amplitudes of the terms over a segment of a ramp."""
        level = self._level((begin + end) / 2)
        own = self._rates(frequency)
        before, after = self._magnitudes(float(begin)), self._magnitudes(float(end))
        even = (before > 0.0) & (after > 0.0)
        length_s = float(end - begin)
        growth = np.log(np.where(even, after, 1.0) / np.where(even, before, 1.0)) / length_s
        # To or from nothing there is no exponential: the mean holds for the segment.
        amplitude = self._turned(self._scaled(level, np.where(even, before, 0.5 * (before + after))), begin)
        parts, rates = [], []
        for one in np.unique(growth):
            parts.append(np.where((growth == one)[:, np.newaxis], amplitude, 0.0))
            rates.append(own + one)
        return np.concatenate(rates), np.concatenate(parts, axis=1)

    def _magnitudes(self, seconds: float) -> NDArray[np.float64]:
        """Return the RMS of the six fundamentals at a time [V or A]."""
        step, share = self._step, seconds / self._step.duration_s
        start = np.array([*step.voltage, *step.current])
        end = np.array([*(step.voltage_end or step.voltage), *(step.current_end or step.current)])
        magnitudes: NDArray[np.float64] = start + share * (end - start)
        return magnitudes

    def _scaled(self, level: float, magnitudes: NDArray[np.float64]) -> Complex:
        factor = magnitudes * np.where(_VOLTAGES > 0.0, level, 1.0)
        return amplitude_from_rms(factor[:, np.newaxis] * self._table)

    def _turned(self, amplitude: Complex, seconds: Fraction) -> Complex:
        """Return amplitudes whose own frequencies have run until a time after the start of the step."""
        cycles = self.cycles_at(seconds)
        turns = _turns(self._multiple, cycles) + _turns(self._side, seconds)
        turned: Complex = amplitude * np.exp(1j * _TWO_PI * turns)
        return turned

    def _level(self, seconds: Fraction) -> float:
        """Return by what a rectangular fluctuation multiplies the voltages at a time."""
        fluctuation = self._step.fluctuation
        if fluctuation is None or fluctuation.shape != "rectangular":
            return 1.0
        half = math.floor(2 * seconds * Fraction(fluctuation.rate) + _half_periods(fluctuation))
        return 1.0 + (-0.5 if half % 2 else 0.5) * fluctuation.depth


def _half_periods(fluctuation: Fluctuation) -> Fraction:
    """Return how many half periods of a fluctuation lie before its step."""
    return Fraction(fluctuation.phase / math.pi)


def _turns(speeds: NDArray[np.float64], passed: Fraction) -> NDArray[np.float64]:
    """Return the broken part of each product, which hours do not wear out."""
    known = {speed: float(Fraction(speed) * passed % 1) for speed in set(speeds.tolist())}
    return np.array([known[speed] for speed in speeds.tolist()])


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """One term of a step."""

    order: float
    """Whole multiple of theta that it follows."""
    multiple: float
    """Broken multiple of theta, as an own frequency; 0 where it follows an order."""
    side: float
    """Distance from there, as an own frequency [Hz]."""
    phasor: Complex
    """(6,), over each channel's fundamental, where theta is 0 and the step begins."""


def _columns(step: SourceStep) -> list[_Column]:
    """Return every term of a step."""
    angle = np.array([*step.voltage_angle, *np.subtract(step.voltage_angle, step.current_lag)])
    columns = [_Column(1.0, 0.0, 0.0, np.exp(1j * angle))]
    for tone in step.tones:
        carries = [phase in tone.phases for phase in "abc"]
        share = np.repeat([tone.voltage, tone.current], 3) * np.tile(carries, 2)
        turn = np.repeat([tone.voltage_angle, tone.current_angle], 3)
        phasor = share * np.exp(1j * (tone.multiple * angle + turn))
        whole = tone.multiple == int(tone.multiple)
        columns.append(_Column(tone.multiple if whole else 0.0, 0.0 if whole else tone.multiple, 0.0, phasor))
    fluctuation = step.fluctuation
    if fluctuation is not None and fluctuation.shape == "sinusoidal":
        quarter = fluctuation.depth / 4.0 * _VOLTAGES
        columns += [
            replace(
                column,
                side=sign * fluctuation.rate,
                phasor=quarter * column.phasor * np.exp(1j * sign * fluctuation.phase),
            )
            for sign in (1.0, -1.0)
            for column in columns
        ]
    return columns

"""A three-phase source, step by step, as a signal: what a test bench puts on a meter's terminals.

A steady step is a few long segments. Sinusoidal fluctuation is two sidebands of every voltage term, exactly.
Rectangular fluctuation is a boundary at each change. Ramps are segments of half a nominal cycle: the
phase at their ends is exact, and strays between them by at most pi/4 x (change of frequency per second) x
(length of the segment)^2; a magnitude grows or decays exponentially within each.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A harmonic or an interharmonic, in the same proportion on all phases."""

    multiple: float
    """Of the fundamental's actual frequency; a whole number is a harmonic."""
    voltage: float = 0.0
    """RMS, share of each phase's fundamental voltage."""
    voltage_angle: float = 0.0
    """At the start of the step, by cosine, beyond ``multiple`` times the fundamental's of its phase [rad]."""
    current: float = 0.0
    """RMS, share of each phase's fundamental current."""
    current_angle: float = 0.0
    """[rad]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fluctuation:
    """A fluctuation of all voltages; currents do not follow."""

    shape: Literal["sinusoidal", "rectangular"]
    rate: float
    """Periods a second; a rectangular one has two changes in each [Hz]."""
    depth: float
    """Highest less lowest magnitude over their mean: dV/V of IEC 61000-4-15."""


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
        numbers = [self.duration_s, self.frequency, *self.voltage, *self.voltage_angle, *self.current]
        numbers += [*(self.voltage_end or ()), *(self.current_end or ()), *self.current_lag]
        if not all(math.isfinite(number) for number in numbers):
            raise SourceError("a value of the step is not finite; give numbers")
        if not self.duration_s > 0.0:
            raise SourceError(f"duration_s {self.duration_s} s does not pass; give a positive time")
        for name, value in (("frequency", self.frequency), ("frequency_end", self.frequency_end)):
            if value is not None and not value > 0.0:
                raise SourceError(f"{name} {value} Hz is no frequency; give a positive one")
        for name in ("voltage", "voltage_end", "current", "current_end"):
            if min(getattr(self, name) or (0.0,)) < 0.0:
                raise SourceError(f"{name} {getattr(self, name)} is negative; turn its angle instead")
        if any(not tone.multiple > 0.0 for tone in self.tones):
            raise SourceError("a tone's multiple is not positive; give one above 0")
        if self.fluctuation is not None and not (
            self.fluctuation.rate > 0.0 and 0.0 < self.fluctuation.depth < 2.0
        ):
            raise SourceError(
                f"{self.fluctuation} does not fluctuate; give a positive rate and a depth below 2"
            )

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
    """
    end_ns = start_ns + _length_ns(steps)
    return Signal(CHANNELS, tuple(source_segments(steps, start_ns=start_ns, theta=theta)), end_ns)


def source_segments(steps: Sequence[SourceStep], *, start_ns: int, theta: float = 0.0) -> Iterator[Segment]:
    """Yield the segments of `source_signal` one by one, so that long ones need no memory."""
    passed = Fraction(0)
    cycles = Fraction(theta / _TWO_PI)
    for step in steps:
        run = _Run(step, start_ns, passed * NS_PER_SECOND, cycles % 1)
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
        self._order, self._rate, self._table = _terms(step)

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
        if step.ramps:
            spacing.append(Fraction(1, 2) / Fraction(max(step.frequency, step.frequency_end or 0.0)))
        if step.fluctuation is not None and step.fluctuation.shape == "rectangular":
            spacing.append(Fraction(1, 2) / Fraction(step.fluctuation.rate))
        yield self._begin_ns
        numbers = [1] * len(spacing)
        last = self._begin_ns
        while True:
            times = [number * length for number, length in zip(numbers, spacing, strict=True)]
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
        rate, amplitude = self._values(float(begin), float(end))
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

    def _values(self, begin_s: float, end_s: float) -> tuple[Complex, Complex]:
        """Return rates and peak amplitudes of the terms over a segment."""
        level = self._level(0.5 * (begin_s + end_s))
        own = self._rate
        if not self._step.ramps:
            if not own.any():
                return own, self._amplitudes.setdefault(level, self._scaled(level, self._magnitudes(0.0)))
            return own, self._turned(self._scaled(level, self._magnitudes(0.0)), begin_s)
        before, after = self._magnitudes(begin_s), self._magnitudes(end_s)
        even = (before > 0.0) & (after > 0.0)
        growth = np.log(np.where(even, after, 1.0) / np.where(even, before, 1.0)) / (end_s - begin_s)
        # To or from nothing there is no exponential: the mean holds for the segment.
        amplitude = self._turned(self._scaled(level, np.where(even, before, 0.5 * (before + after))), begin_s)
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

    def _turned(self, amplitude: Complex, seconds: float) -> Complex:
        """Return amplitudes whose own frequencies have run since the start of the step."""
        cycles = self._rate.imag / _TWO_PI * seconds
        turned: Complex = amplitude * np.exp(1j * _TWO_PI * (cycles % 1.0))
        return turned

    def _level(self, seconds: float) -> float:
        """Return by what a rectangular fluctuation multiplies the voltages at a time."""
        fluctuation = self._step.fluctuation
        if fluctuation is None or fluctuation.shape != "rectangular":
            return 1.0
        half = math.floor(seconds * 2.0 * fluctuation.rate)
        return 1.0 + (-0.5 if half % 2 else 0.5) * fluctuation.depth


def _terms(step: SourceStep) -> tuple[NDArray[np.float64], Complex, Complex]:
    """Return order, own rate and relative phasor, (6, terms), of every term of a step."""
    angle = np.array([*step.voltage_angle, *np.subtract(step.voltage_angle, step.current_lag)])
    columns: list[tuple[float, complex, Complex]] = [(1.0, 0j, np.exp(1j * angle))]
    for tone in step.tones:
        share = np.repeat([tone.voltage, tone.current], 3)
        turn = np.repeat([tone.voltage_angle, tone.current_angle], 3)
        phasor = share * np.exp(1j * (tone.multiple * angle + turn))
        whole = tone.multiple == int(tone.multiple)
        rate = 0j if whole else 1j * _TWO_PI * tone.multiple * step.frequency
        columns.append((tone.multiple if whole else 0.0, rate, phasor))
    if step.fluctuation is not None and step.fluctuation.shape == "sinusoidal":
        omega = 1j * _TWO_PI * step.fluctuation.rate
        quarter = step.fluctuation.depth / 4.0 * _VOLTAGES
        columns += [
            (order, rate + side, quarter * phasor)
            for side in (omega, -omega)
            for order, rate, phasor in columns
        ]
    orders, rates, phasors = zip(*columns, strict=True)
    return np.array(orders), np.array(rates, np.complex128), np.column_stack(phasors)

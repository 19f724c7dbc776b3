"""A recording on a lattice of equal steps of theta that begins with its first sample.

Where a cycle is a whole number of samples the lattice is the recording itself, untouched. A periodic
recording of any frequency is evaluated from its fit. Any other is resampled by a windowed sinc; at its
ends it is carried on by the harmonics of its first and last cycles, so that no sample is lost.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import BadInputError, Finding, Mark
from twin.metrology.harmonic_fit import (
    HarmonicFit,
    carried_orders,
    fit_frequency,
    fit_harmonics,
    search_frequency,
)
from twin.metrology.synchronisation import LEAST_CYCLES, GridLock, NoLockError, lock, resample
from twin.recording.sampled_recording import SampledRecording

Float = NDArray[np.float64]

PER_CYCLE: Final = 512
"""Samples per cycle that the reference analyser takes."""
_COHERENT: Final = 1e-3
"""Furthest that theta may stray from whole samples per cycle [rad]."""
_PERIODIC: Final = 1e-4
"""Most that a fit may leave of each channel for the recording to be periodic, share of its RMS."""
_FIT_LIMIT: Final = 4_000_000
"""Largest table of a fit, samples x columns."""
_DEAD: Final = 0.02
"""A voltage below this share of the largest is no reference."""
_STRAIGHT: Final = 2e-3
"""How far theta may stray from a straight line that it lies on [rad]."""
_MOST: Final = 0.4
"""Share of the nodes that make a line."""
PAD: Final = 80
"""Samples by which a recording is carried on before its first one."""
_END_CYCLES: Final = 2.0
_CHUNK: Final = 50
"""Cycles that are resampled at a time."""
_SHORT: Final = 0.1
"""By how much a recording may be shorter than a nominal cycle, where the grid runs faster."""
_SPARE: Final = 1e-6
"""Part of a cycle by which the end of a recording may be short of a whole one."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Samples at equal steps of theta."""

    samples: Float
    """(channels, m): from the recording's first sample to its end [V or A]."""
    per_cycle: int
    """Samples per cycle."""
    carried: int
    """Highest order that the recording's own rate shows."""
    frequency: float
    """Mean over the recording [Hz]."""
    crossing: int
    """First sample at which the reference's fundamental crosses zero."""
    time_s: Float
    """(m + 1,) time of each sample, and of the end, from the first one [s]."""

    @property
    def cycles(self) -> int:
        """Whole cycles from the first sample on."""
        return int(self.samples.shape[1]) // self.per_cycle

    @property
    def whole(self) -> Float:
        """The whole cycles, (channels, cycles x per_cycle)."""
        return self.samples[:, : self.cycles * self.per_cycle]


def lattice_of(recording: SampledRecording, *, nominal_frequency: float) -> Lattice:
    """Return a recording at equal steps of theta.

    Raises
    ------
    BadInputError
        If it has no voltage with a fundamental, is shorter than a cycle, or changes its rate.
    """
    rate = recording.rate_hz
    if rate is None:
        raise _bad(recording, "its sampling rate changes", "cut out the part with one rate")
    samples = recording.samples
    length = samples.shape[1] / rate
    if length * nominal_frequency < 1.0 - _SHORT:
        what = f"{samples.shape[1]} samples are {length * nominal_frequency:.2f} cycles"
        raise _bad(recording, what, "at least one whole cycle is needed")
    reference, track, frequency = _tracked(recording, rate, nominal_frequency)
    spc = round(rate / frequency)
    if _is_coherent(track, spc):
        return _native(recording, rate, spc, track)
    fit = periodic_fit(samples, rate, frequency)
    if fit is not None:
        exact = round(rate / fit.frequency)
        if abs(rate / fit.frequency - exact) * samples.shape[1] / exact**2 * 2.0 * math.pi < 1e-6:
            return _native(recording, rate, exact, _straight(fit, reference, samples.shape[1]))
        return _evaluated(fit, reference, samples.shape[1])
    return _resampled(recording, track, frequency, rate)


def _bad(recording: SampledRecording, what: str, mend: str) -> BadInputError:
    return BadInputError(Finding(Mark(recording.source), "", what, mend))


def _tracked(recording: SampledRecording, rate: float, nominal: float) -> tuple[int, GridLock, float]:
    """Return the row of the reference, its theta and the mean frequency."""
    rows = [row for row, unit in enumerate(recording.units) if unit == "V"]
    volts = recording.samples[rows]
    period = rate / nominal
    size = [_fundamental_size(recording.samples[row], rate, nominal) for row in rows]
    live = [row for row, one in zip(rows, size, strict=True) if one > _DEAD * max(size) and one > 1e-9]
    if not live:
        what = "no voltage has a fundamental near " + f"{nominal:g} Hz"
        raise _bad(recording, what, "check the channels and --frequency")
    if volts.shape[1] >= LEAST_CYCLES * period:
        for row in live:
            try:
                track = lock(
                    recording.samples[row],
                    sample_rate=rate,
                    nominal_frequency=nominal,
                    channel=recording.channels[row],
                )
            except NoLockError:
                continue
            track = _straightened(track)
            return row, track, track.frequency(0.0, recording.samples.shape[1] - 1.0)
    row, begin, end = max(
        ((row, *_live_stretch(recording.samples[row], period)) for row in live),
        key=lambda one: one[2] - one[1],
    )
    part = recording.samples[row : row + 1, begin:end]
    near = search_frequency(part, sample_rate=rate, nominal=nominal)
    highest = carried_orders(rate, near, samples=part.shape[1] // 2)
    fit = fit_frequency(part, sample_rate=rate, near=near, highest=highest)
    if not abs(fit.frequency / nominal - 1.0) < 0.16:
        fit = fit_harmonics(part, sample_rate=rate, frequency=nominal, highest=1)
    return row, _straight(fit, 0, volts.shape[1], begin=begin), fit.frequency


def _live_stretch(samples: Float, period: float) -> tuple[int, int]:
    """Return where a voltage is longest there without a break, a quarter of a cycle off either end."""
    size = max(2, round(period / 2.0))
    total = np.concatenate(([0.0], np.cumsum(samples**2)))
    level = (total[size:] - total[:-size]) / size
    there = np.concatenate(([False], level > 0.1 * level.max(), [False]))
    edges = np.flatnonzero(there[1:] != there[:-1])
    begins, ends = edges[::2], edges[1::2] + size - 1
    longest = int((ends - begins).argmax())
    begin, end = int(begins[longest]), int(ends[longest])
    aside = size if end - begin > 6 * size else 0
    return (begin + aside if begin else 0), (end - aside if end < samples.size else samples.size)


def _straightened(track: GridLock) -> GridLock:
    """Return a straight theta where most of it is straight.

    A dip bends the phase that is measured around its edges, not the grid's: what strays from the line on
    which most of the nodes lie is the measurement's.
    """
    live = np.concatenate((track.live, [False])) | np.concatenate(([False], track.live))
    position, theta = track.position[live], track.theta[live]
    slope = float(np.median(np.diff(theta) / np.diff(position)))
    reach = _STRAIGHT * 10.0
    levels = theta - slope * position
    offset = max(
        np.quantile(levels, [0.25, 0.5, 0.75]).tolist(),
        key=lambda level: int(np.count_nonzero(np.abs(levels - level) <= reach)),
    )
    for _ in range(8):
        away = theta - slope * position - offset
        away -= 2.0 * math.pi * np.rint(away / (2.0 * math.pi))
        on_line = np.abs(away) <= reach
        if np.count_nonzero(on_line) < max(3, _MOST * position.size):
            return track
        correction = np.polynomial.Polynomial.fit(position[on_line], away[on_line], 1).convert().coef
        correction = np.concatenate((correction, np.zeros(2)))
        offset, slope = offset + float(correction[0]), slope + float(correction[1])
        reach = max(_STRAIGHT, reach / 3.0)
    ends = np.array([0.0, track.samples - 1.0])
    return GridLock(track.sample_rate, track.samples, ends, offset + slope * ends, np.array([True]))


def _fundamental_size(samples: Float, rate: float, nominal: float) -> float:
    """Return the largest amplitude near the nominal frequency, by a transform of the mean-free samples."""
    windowed = (samples - samples.mean()) * np.hanning(samples.size)
    bins = np.abs(np.fft.rfft(windowed)) * 4.0 / samples.size
    frequency = np.arange(bins.size) * rate / samples.size
    width = max(0.15 * nominal, 1.5 * rate / samples.size)
    near = bins[np.abs(frequency - nominal) <= width]
    return float(near.max()) if near.size else 0.0


def _straight(fit: HarmonicFit, row: int, count: int, *, begin: int = 0) -> GridLock:
    """Return the theta of a steady fundamental, cos(theta) of a channel of a fit that begins at a sample."""
    first = math.atan2(-fit.sine[row, 1], fit.cosine[row, 1])
    first -= 2.0 * math.pi * fit.frequency / fit.sample_rate * begin
    last = first + 2.0 * math.pi * fit.frequency / fit.sample_rate * (count - 1.0)
    return GridLock(
        fit.sample_rate, count, np.array([0.0, count - 1.0]), np.array([first, last]), np.array([True])
    )


def _is_coherent(track: GridLock, spc: int) -> bool:
    """Tell whether theta advances by whole samples per cycle wherever the reference is there."""
    turn = track.theta - 2.0 * math.pi / spc * track.position
    live = np.concatenate((track.live, [False])) | np.concatenate(([False], track.live))
    if not live.any():
        return False
    turn = turn[live]
    # A flywheel may have lost whole turns only in the middle of nothing.
    turn -= 2.0 * math.pi * np.rint((turn - turn[0]) / (2.0 * math.pi))
    middle = float(np.median(turn))
    return bool(np.abs(turn - middle).max() < _COHERENT)


def _crossing(theta: float, spc: int) -> int:
    """Return the first sample at a zero crossing of cos(theta), for theta at sample 0."""
    cycles = (0.25 - theta / (2.0 * math.pi)) * 2.0
    return round((math.ceil(cycles - 1e-6) - cycles) * spc / 2.0)


def _native(recording: SampledRecording, rate: float, spc: int, track: GridLock) -> Lattice:
    count = recording.samples.shape[1]
    live = np.flatnonzero(track.live)
    at = float(track.position[live[0]])
    theta = float(track.theta_at(at)) - 2.0 * math.pi * at / spc
    return Lattice(
        recording.samples,
        spc,
        carried_orders(float(spc), 1.0, samples=count),
        rate / spc,
        _crossing(theta, spc),
        np.arange(count + 1, dtype=np.float64) / rate,
    )


def periodic_fit(samples: Float, rate: float, frequency: float) -> HarmonicFit | None:
    """Return the fit of all channels if it leaves next to nothing."""
    highest = carried_orders(rate, frequency, samples=samples.shape[1], highest=63)
    if samples.shape[1] * (2 * highest + 1) > _FIT_LIMIT or samples.shape[1] * frequency / rate < 1.5:
        return None
    fit = fit_frequency(samples, sample_rate=rate, near=frequency, highest=highest)
    size = np.sqrt((samples**2).mean(axis=1))
    return fit if (fit.residual <= _PERIODIC * size + 1e-12).all() else None


def _evaluated(fit: HarmonicFit, reference: int, count: int) -> Lattice:
    per_cycle = PER_CYCLE
    step = fit.sample_rate / fit.frequency / per_cycle
    size = math.floor(count / step + _SPARE * per_cycle)
    position = np.arange(size + 1, dtype=np.float64) * step
    values = np.concatenate(
        [fit.values(part) for part in np.array_split(position[:-1], max(1, size // 20_000))], axis=1
    )
    theta = float(_straight(fit, reference, count).theta[0])
    return Lattice(
        values,
        per_cycle,
        fit.cosine.shape[1] - 1,
        fit.frequency,
        _crossing(theta, per_cycle),
        position / fit.sample_rate,
    )


def _resampled(recording: SampledRecording, track: GridLock, frequency: float, rate: float) -> Lattice:
    samples = recording.samples
    count = samples.shape[1]
    padded = continued(samples, rate, frequency)
    shifted = _shifted(track, frequency)
    own = rate / frequency
    per_cycle = min(PER_CYCLE, max(64, 4 * math.ceil(own * 1.25 / 4.0)))
    first = float(shifted.theta_at(float(PAD)))
    last = float(shifted.theta_at(float(PAD + count)))
    size = math.floor((last - first) / (2.0 * math.pi) * per_cycle + _SPARE * per_cycle)
    parts = []
    for begin in range(0, size, _CHUNK * per_cycle):
        some = min(_CHUNK * per_cycle, size - begin)
        theta = first + 2.0 * math.pi * begin / per_cycle
        cycles = -(-some // per_cycle)
        whole = resample(padded, shifted, theta=theta, cycles=cycles, samples_per_cycle=per_cycle)
        parts.append(whole[:, :some])
    angles = first + 2.0 * math.pi * np.arange(size + 1) / per_cycle
    return Lattice(
        np.concatenate(parts, axis=1),
        per_cycle,
        max(1, min(50, math.floor(0.45 * own), math.ceil(own / 2.0 - 1e-9) - 1)),
        frequency,
        _crossing(first, per_cycle),
        (shifted.position_of(angles) - PAD) / rate,
    )


def continued(samples: Float, rate: float, frequency: float) -> Float:
    """Return a recording carried on at either end by the harmonics of its first and last cycles."""
    some = min(samples.shape[1], round(_END_CYCLES * rate / frequency))
    highest = carried_orders(rate, frequency, samples=some)
    extra = PAD + math.ceil(1.1 * rate / frequency)
    head = fit_harmonics(samples[:, :some], sample_rate=rate, frequency=frequency, highest=highest)
    tail = fit_harmonics(samples[:, -some:], sample_rate=rate, frequency=frequency, highest=highest)
    before = head.values(np.arange(-PAD, 0, dtype=np.float64))
    after = tail.values(some + np.arange(extra, dtype=np.float64))
    return np.concatenate((before, samples, after), axis=1)


def _shifted(track: GridLock, frequency: float) -> GridLock:
    """Return the theta of the recording that `continued` makes."""
    turn = 2.0 * math.pi * frequency / track.sample_rate
    extra = PAD + math.ceil(1.1 * track.sample_rate / frequency)
    count = track.samples + PAD + extra
    return GridLock(
        track.sample_rate,
        count,
        np.concatenate(([0.0], track.position + PAD, [count - 1.0])),
        np.concatenate(([track.theta[0] - turn * PAD], track.theta, [track.theta[-1] + turn * extra])),
        np.concatenate(([False], track.live, [False])),
    )

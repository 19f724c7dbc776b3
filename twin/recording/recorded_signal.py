"""A recording as a signal: gapless segments of samples, between what its first and its last cycles do.

The samples are the recording's own; where they are few to a cycle, more are put between them. Theta is
that of the recording's lattice, so that every meter finds the windows that the recording has.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, SampledBlock, Segment, Signal
from twin.metrology.harmonic_fit import carried_orders, fit_harmonics
from twin.recording.lattice import PAD, Lattice, continued, periodic_fit
from twin.recording.sampled_recording import SampledRecording
from twin.signals import carried_theta

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

CHANNELS: Final = ("va", "vb", "vc", "ia", "ib", "ic")
LONGEST_S: Final = 10.0
"""Longest segment [s]."""
LEAST_PER_CYCLE: Final = 128
"""Fewest samples per cycle of a block."""
STEADY_CYCLES: Final = 10
"""Most cycles that what lies before and after the recording is made of."""
STEADY_ORDERS: Final = 63
"""Highest order of it."""
_ALIKE: Final = 0.03
"""How far cycles that are alike differ at most, share of the largest voltage or current."""
_STRAIGHT: Final = 1e-4
"""How far theta strays from the line of a constant frequency at most [rad]."""
_BEND: Final = 3e-4
"""How far segments stray from the theta of the lattice at most [rad]."""
_HALF_TAPS: Final = 32
_MARGIN: Final = 8
"""Samples of a block beyond either end of its segment."""
_TWO_PI: Final = 2.0 * math.pi


def recorded_signal(
    lattice: Lattice,
    recording: SampledRecording,
    *,
    start_ns: int,
    lead_in_s: float = 0.0,
    lead_out_s: float = 0.0,
) -> Signal:
    """Return a recording as a signal.

    Parameters
    ----------
    lattice : Lattice
        Of the recording.
    recording : SampledRecording
        Of one sampling rate.
    start_ns : int
        Time of its first sample, UTC [ns].
    lead_in_s : float
        How long before it the steady state of its first cycles lasts [s].
    lead_out_s : float
        How long after it that of its last cycles lasts [s].

    Returns
    -------
    Signal
        Channels va, vb, vc, ia, ib, ic; those that the recording lacks are zero. Half cycles of theta are
        those between zero crossings of the reference's fundamental. Segments of the recording hold
        samples alone, the steady ones terms alone.
    """
    parts = recorded_segments(lattice, recording, start_ns=start_ns)
    end_ns = recorded_end_ns(recording, start_ns=start_ns)
    before = steady_before(lattice, recording, parts[0])
    begin_ns = start_ns - round(lead_in_s * NS_PER_SECOND)
    segments = _repeated(before, begin_ns, start_ns) if begin_ns < start_ns else []
    segments += parts
    stop_ns = end_ns + round(lead_out_s * NS_PER_SECOND)
    if stop_ns > end_ns:
        segments += _repeated(steady_after(lattice, recording, parts[-1], end_ns), end_ns, stop_ns)
    return Signal(CHANNELS, tuple(segments), stop_ns)


def recorded_end_ns(recording: SampledRecording, *, start_ns: int) -> int:
    """Return the end of a recording, one sampling interval after its last sample, UTC [ns]."""
    assert recording.rate_hz is not None
    length = Fraction(recording.samples.shape[1]) / Fraction(recording.rate_hz)
    return start_ns + round(length * NS_PER_SECOND)


def recorded_segments(lattice: Lattice, recording: SampledRecording, *, start_ns: int) -> list[Segment]:
    """Return the segments of a recording alone; see `recorded_signal`."""
    dense = _dense(lattice, recording)
    end_ns = recorded_end_ns(recording, start_ns=start_ns)
    bounds = _bounds(lattice, start_ns, end_ns)
    none = np.zeros(0)
    segments: list[Segment] = []
    for (begin_ns, frequency), (stop_ns, _) in pairwise([*bounds, (end_ns, 0.0)]):
        theta = carried_theta(segments[-1], begin_ns) if segments else _first_theta(lattice)
        segments.append(
            Segment(
                begin_ns,
                frequency,
                theta,
                none,
                none.astype(np.complex128),
                np.zeros((len(CHANNELS), 0), np.complex128),
                dense.block(start_ns, begin_ns, stop_ns),
            )
        )
    return segments


def steady_before(lattice: Lattice, recording: SampledRecording, first: Segment) -> Segment:
    """Return what the first cycles of a recording do, as a steady segment that starts with it.

    Parameters
    ----------
    lattice : Lattice
    recording : SampledRecording
    first : Segment
        First one of the recording.
    """
    cycles = _alike(lattice, recording, slice(None))
    frequency = cycles / float(lattice.time_s[cycles * lattice.per_cycle] - lattice.time_s[0])
    some = _samples_of(cycles, frequency, recording)
    return _steady(recording, 0, some, frequency, first.start_ns, first.theta, first.theta)


def steady_after(lattice: Lattice, recording: SampledRecording, last: Segment, end_ns: int) -> Segment:
    """Return what the last cycles of a recording do, as a steady segment that starts at its end.

    Parameters
    ----------
    lattice : Lattice
    recording : SampledRecording
    last : Segment
        Last one of the recording.
    end_ns : int
        End of the recording, UTC [ns].
    """
    cycles = _alike(lattice, recording, slice(None, None, -1))
    size = lattice.samples.shape[1]
    frequency = cycles / float(lattice.time_s[size] - lattice.time_s[size - cycles * lattice.per_cycle])
    some = _samples_of(cycles, frequency, recording)
    theta = carried_theta(last, end_ns)
    assert recording.rate_hz is not None
    at_first = theta - _TWO_PI * frequency * some / recording.rate_hz
    first = recording.samples.shape[1] - some
    return _steady(recording, first, some, frequency, end_ns, theta, at_first)


def _steady(
    recording: SampledRecording,
    first: int,
    count: int,
    frequency: float,
    start_ns: int,
    theta: float,
    theta_first: float,
) -> Segment:
    """Return the harmonics of some samples; ``theta_first`` is theta at the first of them."""
    rate = recording.rate_hz
    assert rate is not None
    highest = carried_orders(rate, frequency, samples=count, highest=STEADY_ORDERS)
    part = recording.samples[:, first : first + count]
    fit = fit_harmonics(part, sample_rate=rate, frequency=frequency, highest=highest)
    order = np.arange(highest + 1, dtype=np.float64)
    amplitude = np.zeros((len(CHANNELS), highest + 1), np.complex128)
    amplitude[_rows(recording)] = (fit.cosine - 1j * fit.sine) * np.exp(-1j * order * theta_first)
    return Segment(start_ns, frequency, theta, order, np.zeros(order.size, np.complex128), amplitude)


def _repeated(steady: Segment, begin_ns: int, stop_ns: int) -> list[Segment]:
    """Return a steady segment from a time on, anchored anew every so often."""
    longest = round(LONGEST_S * NS_PER_SECOND)
    return [
        Segment(ns, steady.frequency, carried_theta(steady, ns), steady.order, steady.rate, steady.amplitude)
        for ns in range(begin_ns, stop_ns, longest)
    ]


def _rows(recording: SampledRecording) -> list[int]:
    return [CHANNELS.index(name) for name in recording.channels]


def _samples_of(cycles: int, frequency: float, recording: SampledRecording) -> int:
    assert recording.rate_hz is not None
    whole = round(cycles * recording.rate_hz / frequency)
    return max(3, min(int(recording.samples.shape[1]), whole))


def _alike(lattice: Lattice, recording: SampledRecording, way: slice) -> int:
    """Return how many cycles from one end on are like the one at that end, `STEADY_CYCLES` at most."""
    size = lattice.cycles * lattice.per_cycle
    # From the end on backwards the last sample comes first.
    ordered = lattice.samples[:, way][:, :size]
    cycles = min(lattice.cycles, STEADY_CYCLES)
    shaped = ordered[:, : cycles * lattice.per_cycle].reshape(ordered.shape[0], cycles, lattice.per_cycle)
    away = np.sqrt(((shaped - shaped[:, :1]) ** 2).mean(axis=2))
    level = np.sqrt((shaped**2).mean(axis=2)).max(axis=1)
    volts = np.array([unit == "V" for unit in recording.units])
    largest = np.array([level[volts == volt].max() for volt in volts])
    differs = np.flatnonzero((away > _ALIKE * largest[:, np.newaxis]).any(axis=0))
    return int(differs[0]) if differs.size else int(cycles)


def _first_theta(lattice: Lattice) -> float:
    """Return theta at the first sample: a multiple of pi at the first crossing."""
    theta = -_TWO_PI * lattice.crossing / lattice.per_cycle
    return theta - _TWO_PI * math.floor(theta / _TWO_PI)


def _bounds(lattice: Lattice, start_ns: int, end_ns: int) -> list[tuple[int, float]]:
    """Return start and frequency of each segment; all but the last end with a whole cycle where it runs."""
    turns = np.arange(lattice.time_s.size) / lattice.per_cycle
    if float(np.abs(lattice.time_s * lattice.frequency - turns).max()) * _TWO_PI < _STRAIGHT:
        cycles = max(1, math.floor(LONGEST_S * lattice.frequency))
        length = Fraction(cycles) / Fraction(lattice.frequency) * NS_PER_SECOND
        count = max(1, math.ceil(Fraction(end_ns - start_ns - 2) / length))
        starts = [start_ns + round(number * length) for number in range(count)]
        whole = lattice.cycles - (count - 1) * cycles
        rest = starts[-1] + round(Fraction(whole) / Fraction(lattice.frequency) * NS_PER_SECOND)
        # What is left after the last whole cycle is a segment of its own: windows of it are not whole.
        if whole > 0 and rest < end_ns - 2:
            starts.append(rest)
        return [(ns, lattice.frequency) for ns in starts]
    nodes = _nodes(lattice)
    ns = [start_ns + round(float(lattice.time_s[node]) * NS_PER_SECOND) for node in nodes]
    bounds = []
    for (left, right), (begin, stop) in zip(pairwise(nodes), pairwise(ns), strict=True):
        if begin < min(stop, end_ns - 2):
            frequency = (right - left) / lattice.per_cycle / (stop - begin) * NS_PER_SECOND
            bounds.append((begin, frequency))
    return bounds


def _nodes(lattice: Lattice) -> list[int]:
    """Return the samples of a lattice between which theta is as good as straight, ends included."""
    last = lattice.time_s.size - 1
    step = max(1, lattice.per_cycle // 4)
    candidates = [*range(0, last, step), last]
    if len(candidates) > 2 and last - candidates[-2] < step // 2 + 1:
        del candidates[-2]
    places = np.array(candidates)
    time = lattice.time_s[places]
    turn = places / lattice.per_cycle
    kept = {0, places.size - 1}
    waiting = [(0, places.size - 1)]
    while waiting:
        left, right = waiting.pop()
        if right - left < 2:
            continue
        inner = slice(left + 1, right)
        slope = (turn[right] - turn[left]) / (time[right] - time[left])
        away = np.abs(turn[inner] - turn[left] - slope * (time[inner] - time[left])) * _TWO_PI
        long = time[right] - time[left] > LONGEST_S
        if float(away.max()) <= _BEND and not long:
            continue
        middle = (left + right) // 2 if float(away.max()) <= _BEND else left + 1 + int(away.argmax())
        kept.add(middle)
        waiting += [(left, middle), (middle, right)]
    return [int(places[at]) for at in sorted(kept)]


@dataclass(frozen=True, slots=True, eq=False)
class _Dense:
    """A recording with enough samples to a cycle, carried on beyond both ends."""

    samples: Float
    """(6, n)"""
    ahead: int
    """Samples before the recording's first one."""
    step_s: Fraction

    def block(self, start_ns: int, begin_ns: int, stop_ns: int) -> SampledBlock:
        """Return the block of a segment; ``start_ns`` is that of the recording."""
        step = self.step_s * NS_PER_SECOND
        first = math.floor((begin_ns - start_ns) / step) - _MARGIN
        after = math.ceil((stop_ns - start_ns) / step) + _MARGIN + 1
        at = start_ns + first * step
        whole = math.floor(at)
        samples = self.samples[:, self.ahead + first : self.ahead + after]
        return SampledBlock(whole, float(at - whole), float(self.step_s), samples)


def _dense(lattice: Lattice, recording: SampledRecording) -> _Dense:
    """Return the recording with at least `LEAST_PER_CYCLE` samples to a cycle, its own among them."""
    rate = recording.rate_hz
    assert rate is not None
    frequency = lattice.frequency
    factor = max(1, math.ceil(LEAST_PER_CYCLE * frequency / rate - 1e-9))
    padded = continued(recording.samples, rate, frequency)
    aside, count = 2 * _MARGIN, recording.samples.shape[1]
    part = padded[:, PAD - aside : PAD + count + aside]
    values = part if factor == 1 else _denser(recording, padded, aside, factor, frequency)
    out = np.zeros((len(CHANNELS), values.shape[1]))
    out[_rows(recording)] = values
    return _Dense(out, aside * factor, 1 / (Fraction(rate) * factor))


def _denser(recording: SampledRecording, padded: Float, aside: int, factor: int, frequency: float) -> Float:
    """Return the recording with samples between its samples.

    What is periodic is evaluated from its harmonics; the rest, or all, goes through a windowed sinc.
    """
    from twin.metrology.synchronisation_kernels import interpolate  # noqa: PLC0415

    rate = recording.rate_hz
    assert rate is not None
    count = recording.samples.shape[1]
    size = (count + 2 * aside) * factor
    position = (np.arange(size) / factor) + (PAD - aside)
    fit = periodic_fit(recording.samples, rate, frequency)
    left: Float = padded.copy()
    if fit is not None:
        left -= fit.values(np.arange(padded.shape[1], dtype=np.float64) - PAD)
    out = np.empty((padded.shape[0], size))
    interpolate(left, position, _HALF_TAPS, 1.0, out)
    if fit is not None:
        for begin in range(0, size, 20_000):
            piece = slice(begin, min(size, begin + 20_000))
            out[:, piece] += fit.values(position[piece] - PAD)
    return out

"""The lock on the grid: theta, frequency and windows of a recording whose samples run free.

The fundamental of a reference voltage is followed by its phasor over four cycles, weighted so that all
harmonics fall on zeros, against the phase that the pass before found. Where the reference is gone the lock is
a flywheel: its frequency is held, and theta goes through to where the fundamental comes back.

A window is a stretch of theta; its samples are made by a windowed sinc, never by straight lines.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]

TWO_PI: Final = 2.0 * math.pi
LEAST_PER_CYCLE: Final = 8
"""Fewest samples per nominal cycle."""
LEAST_CYCLES: Final = 6
"""Shortest recording, in nominal cycles."""
_PASSES: Final = 4
_REACH: Final = 2.0
"""Cycles on either side of a node that its phasor is made of."""
_PER_CYCLE: Final = 2
"""Nodes per nominal cycle."""
_LOST: Final = 0.1
"""A quarter of a cycle whose RMS is below this share of the usual is no reference."""
_NEGLIGIBLE: Final = 1e-9
"""A fundamental below this is rounding [V]."""
_HELD: Final = 10
"""Live stretches between nodes whose frequency the flywheel holds."""
_HALF_TAPS: Final = 32
"""Samples on either side of a new one."""


class NoLockError(TwinError, ValueError):
    """A recording without a fundamental to lock on, or a window that is not inside of it."""


@dataclass(frozen=True, slots=True, eq=False)
class GridLock:
    """Theta over a recording: a line through nodes about half a nominal cycle apart.

    Positions count samples from the first one, with fractions.
    """

    sample_rate: float
    """[Hz]"""
    samples: int
    """Length of the recording."""
    position: Float
    """(nodes,) where the nodes lie, ascending; the outer ones are the ends of the recording."""
    theta: Float
    """(nodes,) phase of the reference's fundamental, which is cos(theta), unbroken [rad]."""
    live: Flags
    """(nodes - 1,) whether the reference was there from a node to the next; else the flywheel ran."""
    _turned: Float = field(init=False, repr=False)
    """(nodes,) what theta has turned with a live reference [rad]."""
    _passed: Float = field(init=False, repr=False)
    """(nodes,) samples that passed with a live reference."""

    def __post_init__(self) -> None:
        """Sum up what is live."""
        for name, line in (("_turned", self.theta), ("_passed", self.position)):
            steps = np.where(self.live, np.diff(line), 0.0)
            object.__setattr__(self, name, np.concatenate(([0.0], np.cumsum(steps))))

    def theta_at(self, position: Float | float) -> Float:
        """Return theta at positions [rad]."""
        return np.asarray(np.interp(position, self.position, self.theta))

    def position_of(self, theta: Float | float) -> Float:
        """Return the positions at which theta reaches values [rad]."""
        return np.asarray(np.interp(theta, self.theta, self.position))

    def frequency(self, start: float, stop: float) -> float:
        """Return the mean frequency between two positions [Hz].

        Only stretches with a live reference count. Where a loss leaves less than ten live half cycles, the
        flywheel's frequency is returned: that of the last ten live half cycles before the end, or, at the
        start, the first ones.
        """
        edges = np.array([start, stop])
        elapsed = float(np.diff(np.interp(edges, self.position, self._passed))[0])
        turn = float(np.diff(np.interp(edges, self.position, self._turned))[0])
        where = np.flatnonzero(self.live)
        inside = (self.position[where + 1] > start) & (self.position[where] < stop)
        lost = elapsed < (stop - start) * (1.0 - 1e-9)
        if not elapsed > 0.0 or (lost and np.count_nonzero(inside) < _HELD):
            earlier = where[self.position[where] < stop][-_HELD:]
            held = earlier if earlier.size >= min(_HELD, where.size) else where[:_HELD]
            turn = float(np.diff(self.theta)[held].sum())
            elapsed = float(np.diff(self.position)[held].sum())
        return turn / elapsed * self.sample_rate / TWO_PI

    def cycle_frequency(self, start: float, stop: float) -> float:
        """Return the number of whole cycles between two positions over their time [Hz].

        NaN without a whole cycle. Over 10 s it is the power frequency of IEC 61000-4-30:2015, 5.1.
        """
        # Upward zero crossings lie at theta = -pi/2 and whole turns.
        first = math.ceil(float(self.theta_at(start)) / TWO_PI + 0.25)
        last = math.floor(float(self.theta_at(stop)) / TWO_PI + 0.25)
        if last <= first:
            return math.nan
        begin, end = self.position_of((np.array([first, last]) - 0.25) * TWO_PI)
        return self.frequency(float(begin), float(end))

    def window_starts(self, *, cycles: int) -> Float:
        """Return theta at the start of each whole window that `resample` can make, in order [rad]."""
        low, high = self.theta_at(np.array([_HALF_TAPS, self.samples - 1 - _HALF_TAPS]))
        first = math.ceil(float(low) / TWO_PI)
        count = max(0, math.floor((float(high) / TWO_PI - first) / cycles))
        starts: Float = TWO_PI * (first + cycles * np.arange(count, dtype=np.float64))
        return starts


def lock(
    reference: Float, *, sample_rate: float, nominal_frequency: float = 50.0, channel: str = "the reference"
) -> GridLock:
    """Lock on the fundamental of a recording.

    Parameters
    ----------
    reference : ndarray, shape (n,)
        One voltage, uniform in time [V].
    sample_rate : float
        At least 8 samples per nominal cycle [Hz].
    nominal_frequency : float
        The fundamental is sought within 15 % of it [Hz].
    channel : str
        Name for messages.

    Returns
    -------
    GridLock
        Theta to better than 1e-4 rad and frequency to better than 1 mHz for a steady fundamental with
        harmonics.

    Raises
    ------
    NoLockError
        If a sample is not finite, the rate is too low, the recording too short or without a fundamental.

    References
    ----------
    IEC 61000-4-7:2002+A1:2008, 4.4.1 (synchronisation); IEC 61000-4-30:2015, 4.4 and 5.1.
    """
    reference = np.ascontiguousarray(reference, np.float64)
    period = sample_rate / nominal_frequency
    _check(reference, period, channel)
    nodes = int((reference.size - 1 - 2.0 * _REACH * 1.2 * period) * _PER_CYCLE / period)
    centres = (reference.size - 1 - nodes * period / _PER_CYCLE) / 2.0 + (
        np.arange(nodes + 1) * period / _PER_CYCLE
    )
    found = GridLock(
        float(sample_rate),
        reference.size,
        np.array([0.0, reference.size - 1.0]),
        np.array([0.0, (reference.size - 1.0) / period * TWO_PI]),
        np.array([True]),
    )
    touched = _touched_by_loss(reference, centres, period)
    for _ in range(_PASSES):
        found = _followed(found, reference, centres, touched, channel)
    return found


def resample(samples: Float, locked: GridLock, *, theta: float, cycles: int, samples_per_cycle: int) -> Float:
    """Return a window of a recording at equal steps of theta.

    Content up to 0.43 of the lower of the two sample rates passes to 1e-3, to 0.4 of it to 1e-4.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        The recording that was locked on [V or A].
    locked : GridLock
        From one of its voltages.
    theta : float
        At the first sample of the window [rad].
    cycles : int
        Length of the window.
    samples_per_cycle : int
        New samples per cycle of theta.

    Returns
    -------
    ndarray, shape (channels, cycles * samples_per_cycle)
        [V or A].

    Raises
    ------
    NoLockError
        If the window, and 32 samples at either end, are not inside the recording, or a sample of it is
        not finite.

    References
    ----------
    IEC 61000-4-7:2002+A1:2008, 4.4.1 (the window is a whole number of periods).
    """
    from twin.metrology.synchronisation_kernels import interpolate  # noqa: PLC0415

    if samples.ndim != 2 or samples.shape[1] != locked.samples:
        raise NoLockError(
            f"samples of shape {samples.shape} are not the recording of {locked.samples} samples per channel "
            "that was locked on; pass that one"
        )
    count = cycles * samples_per_cycle
    angles = theta + TWO_PI * (np.arange(count) / samples_per_cycle)
    inside = locked.theta[0] <= angles[0] and angles[-1] <= locked.theta[-1]
    positions = np.ascontiguousarray(locked.position_of(angles))
    spacing = (positions[-1] - positions[0]) / max(1, count - 1)
    cutoff = min(1.0, 1.0 / spacing) if spacing > 0.0 else 1.0
    half = math.ceil(_HALF_TAPS / cutoff)
    low, high = math.floor(positions[0]) - half + 1, math.floor(positions[-1]) + half
    if not inside or low < 0 or high >= locked.samples:
        raise NoLockError(
            f"the window from theta {theta:.3f} rad over {cycles} cycles needs samples {low} to {high} of "
            f"0 to {locked.samples - 1}; take one of window_starts"
        )
    part = samples[:, low : high + 1]
    if not np.isfinite(part).all():
        row, n = (int(k) for k in np.argwhere(~np.isfinite(part))[0])
        raise NoLockError(f"sample {low + n} of channel {row} is {part[row, n]}; cut the recording there")
    out = np.empty((samples.shape[0], count))
    interpolate(part.astype(np.float64, copy=False), positions - low, half, cutoff, out)
    return out


def _check(reference: Float, period: float, channel: str) -> None:
    """Raise on a recording that cannot be locked on."""
    if reference.ndim != 1 or not np.isfinite(reference).all():
        bad = np.flatnonzero(~np.isfinite(reference.ravel()))
        where = (
            f"sample {bad[0]} of {channel} is no number" if bad.size else f"{channel} is no single channel"
        )
        raise NoLockError(f"{where}; cut the recording there or choose another reference")
    if not period >= LEAST_PER_CYCLE:
        raise NoLockError(
            f"{channel} has {period:.2f} samples per cycle; at least {LEAST_PER_CYCLE} are needed"
        )
    if reference.size < LEAST_CYCLES * period:
        raise NoLockError(
            f"{channel} lasts {reference.size / period:.1f} cycles; at least {LEAST_CYCLES} are needed"
        )


def _touched_by_loss(reference: Float, centres: Float, period: float) -> Flags:
    """Return the nodes whose phasor sees a loss of the reference.

    Any loss of three quarters of a nominal cycle holds the quarter about one of the nodes.
    """
    total = np.concatenate(([0.0], np.cumsum(reference**2)))
    low, high = np.ceil(centres - period / 8.0), np.floor(centres + period / 8.0) + 1.0
    squares = total[high.astype(np.int64)] - total[low.astype(np.int64)]
    quarter = squares / (high - low)
    # Where the reference is hardly ever there, the usual is nothing.
    usual = max(float(np.quantile(quarter, 0.75)), 0.1 * float(quarter.max()))
    lost = quarter < _LOST**2 * usual
    # A window reaches two cycles, at 15 % below nominal 2.4 nominal ones; the loss three quarters further.
    widened = math.ceil((1.2 * _REACH + 0.75) * _PER_CYCLE)
    spread = np.convolve(lost, np.ones(2 * widened + 1, np.int64))
    touched: Flags = spread[widened : widened + lost.size] > 0
    return touched


def _followed(before: GridLock, reference: Float, centres: Float, touched: Flags, channel: str) -> GridLock:
    """Return the lock that phasors against the theta of another one give."""
    from twin.metrology.synchronisation_kernels import reference_phasors  # noqa: PLC0415

    theta = before.theta_at(np.arange(reference.size, dtype=np.float64))
    centre = before.theta_at(centres)
    first = np.searchsorted(theta, centre - _REACH * TWO_PI, side="right")
    after = np.searchsorted(theta, centre + _REACH * TWO_PI, side="left")
    phasors = np.empty(centres.size, np.complex128)
    reference_phasors(reference, theta, centre, first, after, phasors)
    if not float(np.abs(phasors).max()) > _NEGLIGIBLE:
        raise NoLockError(
            f"{channel} has no fundamental near the nominal frequency; choose another reference"
        )
    there = np.flatnonzero(~touched)
    live = np.diff(there) == 1
    if not live.any():
        raise NoLockError(f"{channel} is never there for a few cycles; choose another reference")
    # From node to node theta turns by what is nearest to the turn of the pass before.
    phase = centre[there] + np.unwrap(np.angle(phasors[there]))
    reach = 1.2 * _REACH * _PER_CYCLE * float(centres[1] - centres[0])
    position, phase, live = _bridged(centres[there], phase, live, reach=reach)
    rate = np.diff(phase) / np.diff(position)
    head, tail = float(np.median(rate[live][:_HELD])), float(np.median(rate[live][-_HELD:]))
    last = reference.size - 1.0
    return GridLock(
        before.sample_rate,
        before.samples,
        np.concatenate(([0.0], position, [last])),
        np.concatenate(([phase[0] - head * position[0]], phase, [phase[-1] + tail * (last - position[-1])])),
        np.concatenate(([bool(there[0] == 0)], live, [bool(there[-1] == centres.size - 1)])),
    )


def _bridged(position: Float, phase: Float, live: Flags, *, reach: float) -> tuple[Float, Float, Flags]:
    """Carry theta through every loss of the reference.

    Over a loss theta turns by what is nearest to the flywheel's frequency. For ``reach`` samples from
    either side it follows the frequency of that side, so that a grid that comes back with another phase
    does not disturb the phasors there; the difference is made up in the middle.
    """
    rate = np.diff(phase) / np.diff(position)
    usual = float(np.median(rate[live]))
    places, angles, flags = [], [], []
    begin, turns = 0, 0.0
    for gap in np.flatnonzero(~live):
        before, after = rate[:gap][live[:gap]][-_HELD:], rate[gap + 1 :][live[gap + 1 :]][:_HELD]
        left = float(np.median(before)) if before.size else usual
        right = float(np.median(after)) if after.size else usual
        length = position[gap + 1] - position[gap]
        places += [position[begin : gap + 1]]
        angles += [phase[begin : gap + 1] + turns]
        flags += [live[begin:gap], np.zeros(3, np.bool_)]
        start = phase[gap] + turns
        turns += TWO_PI * float(np.rint((start + left * length - phase[gap + 1] - turns) / TWO_PI))
        aside = min(reach, 0.4 * length)
        places += [position[gap] + np.array([aside, length - aside])]
        angles += [np.array([start + left * aside, phase[gap + 1] + turns - right * aside])]
        begin = int(gap) + 1
    return (
        np.concatenate((*places, position[begin:])),
        np.concatenate((*angles, phase[begin:] + turns)),
        np.concatenate((*flags, live[begin:])),
    )

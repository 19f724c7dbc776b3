"""The flickermeter of IEC 61000-4-15 edition 2: from voltage samples to Pinst, Pst and Plt.

    u -> square -> adaptor 27.3 s -> 0.05 Hz -> 35 or 42 Hz -> lamp, eye -> square -> 0.3 s -> Pinst -> Pst

The squares are averaged down to an internal rate of 32 to 64 values a cycle. Slow input is first raised above
32 a cycle, so that squaring does not alias.

An envelope (32 values of it a cycle) may be fed in the voltage's place: squared and scaled to its mean it is
what the voltage becomes but for twice the mains frequency. The exception is rectangular modulation whose
harmonics come near that frequency, above 16 Hz: it wants samples, 512 a cycle for the accuracy of the tables.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.metrology.flicker_design import (
    LOW_PASS_HZ,
    Lamp,
    interpolator,
    steady_state,
    weighting_sections,
)

Float = NDArray[np.float64]

ADAPTOR_S: Final = 27.3
"""Time constant of the input voltage adaptor, 10 % to 90 % in one minute (5.3) [s]."""
SETTLING_S: Final = 30.0
"""Time after a start that is not classified [s]."""
PRIMING_CYCLES: Final = 10
"""Cycles whose mean square starts the adaptor, instead of a minute's wait."""
PER_CYCLE: Final = 32
"""Least number of internal values per nominal cycle."""
_LEAST_PER_CYCLE: Final = 8
_HALF_TAPS: Final = 16
"""Input samples on either side that raise a slow input's rate."""
_CLASSES: Final = 8192
_LOWEST: Final = -7.0
"""Decimal logarithm of the lowest class."""
_PER_DECADE: Final = _CLASSES / 13.0

_SMOOTHED: Final = (
    (0.0314, (0.1,)),
    (0.0525, (0.7, 1.0, 1.5)),
    (0.0657, (2.2, 3.0, 4.0)),
    (0.28, (6.0, 8.0, 10.0, 13.0, 17.0)),
    (0.08, (30.0, 50.0, 80.0)),
)
"""Weights of Pst, and the exceedances [%] whose levels are averaged under each (5.7.2)."""


class FlickerMeter:
    """One flickermeter per channel, fed with samples as they come.

    After a start, and after `restart`, the adaptor takes the mean square of the first ten cycles, the
    high-pass starts settled on it, and `SETTLING_S` seconds of Pinst are given but not classified. A later
    step of the voltage's level is flicker and dies out with the time constants of the standard (3.2 s of the
    high-pass, 27.3 s of the adaptor). Blocks may have any size: results do not depend on it. Without a
    voltage Pinst and a Pst that saw such a time are NaN.

    Parameters
    ----------
    channels : int
        Voltages, each with a meter of its own.
    sample_rate : float
        Samples, or values of an envelope, per second; at least 8 per nominal cycle [Hz].
    lamp : Lamp
        Reference lamp.
    nominal_frequency : int
        50 or 60 [Hz]; the voltage's own frequency may be off by 15 %.

    Raises
    ------
    ValueError
        If the rate is too low, or the frequency neither 50 nor 60 Hz.

    References
    ----------
    IEC 61000-4-15:2010, 5.3 to 5.7.
    """

    __slots__ = (
        "_adapt",
        "_counts",
        "_filled",
        "_highest",
        "_lamp",
        "_mean",
        "_partial",
        "_primer",
        "_quiet",
        "_ratio",
        "_sections",
        "_state",
        "_tail",
        "_taps",
        "_unknown",
        "channels",
        "internal_rate",
        "nominal_frequency",
        "sample_rate",
    )

    def __init__(self, channels: int, *, sample_rate: float, lamp: Lamp, nominal_frequency: int = 50) -> None:
        if nominal_frequency not in LOW_PASS_HZ:
            raise ValueError(f"there is no flickermeter for {nominal_frequency} Hz; use 50 or 60")
        least = _LEAST_PER_CYCLE * nominal_frequency
        if not sample_rate >= least:
            raise ValueError(f"{sample_rate} samples/s are too few for flicker; use at least {least}")
        target = float(PER_CYCLE * nominal_frequency)
        up = max(1, math.ceil(target / sample_rate - 1e-9))
        self.channels = channels
        self.nominal_frequency = nominal_frequency
        self._lamp = lamp
        self._taps = interpolator(up, half_taps=_HALF_TAPS)
        self._ratio = math.floor(sample_rate * up / target + 1e-9)
        self._design(float(sample_rate))
        self.restart()

    def _design(self, sample_rate: float) -> None:
        """Make the filters for a rate."""
        self.sample_rate = sample_rate
        self.internal_rate: float = sample_rate * self._taps.shape[0] / self._ratio
        self._adapt = -math.expm1(-1.0 / (ADAPTOR_S * self.internal_rate))
        self._sections = weighting_sections(
            self.internal_rate, self._lamp, self.nominal_frequency, averaged=self._ratio
        )

    def retune(self, sample_rate: float) -> None:
        """Take the samples that follow as ones of another rate, without a restart.

        For sampling that is locked to the grid: its rate follows the grid's frequency. What the filters hold
        is kept; a steady voltage stays steady.

        Parameters
        ----------
        sample_rate : float
            Within 20 % of that at the start [Hz].

        Raises
        ------
        ValueError
            If the rate is no number above zero.
        """
        if not 0.0 < sample_rate < math.inf:
            raise ValueError(f"{sample_rate} samples/s is no rate; give a positive number")
        before = steady_state(self._sections)
        self._design(float(sample_rate))
        self._state += steady_state(self._sections) - before

    @property
    def settled(self) -> bool:
        """Whether Pinst is being classified."""
        return self._quiet == 0

    def restart(self) -> None:
        """Forget everything, as an instrument does that was without supply."""
        self._tail = np.zeros((self.channels, 0))
        self._partial = np.zeros(self.channels)
        self._filled = 0
        self._primer: Float | None = np.zeros((self.channels, 0))
        self._mean = np.zeros(self.channels)
        self._state = np.tile(steady_state(self._sections), (self.channels, 1, 1))
        self._quiet = round(SETTLING_S * self.internal_rate)
        self._empty_classes()

    def feed(self, samples: Float) -> Float:
        """Take further samples and return the instantaneous flicker sensation that they complete.

        Parameters
        ----------
        samples : ndarray, shape (channels, n)
            Voltage, or its envelope [V].

        Returns
        -------
        ndarray, shape (channels, m)
            Pinst at `internal_rate`; 1 is the threshold of perceptibility, NaN stands for no voltage.

        Raises
        ------
        ValueError
            If the channels are not as many as at the start, or a sample is not finite.
        """
        from twin.metrology.flicker_kernels import mean_squares  # noqa: PLC0415

        self._check(samples)
        samples = self._raised(np.asarray(samples, np.float64))
        size, rest = divmod(self._filled + samples.shape[1], self._ratio)
        squares = np.empty((self.channels, size))
        mean_squares(samples, self._ratio, self._filled, self._partial, squares)
        self._filled = rest
        return self._sensed(squares)

    def feed_mean_squares(self, squares: Float) -> Float:
        """Take means of squares at `internal_rate`, as `feed` forms them, and return Pinst.

        Parameters
        ----------
        squares : ndarray, shape (channels, m)
            Means over equal stretches of the squared voltage, finite [V2].

        Returns
        -------
        ndarray, shape (channels, m) or fewer at the start
            As `feed` returns it.

        Raises
        ------
        ValueError
            If the channels are not as many as at the start.
        """
        if squares.ndim != 2 or squares.shape[0] != self.channels:
            raise ValueError(f"squares of shape {squares.shape} do not fit {self.channels} channels")
        return self._sensed(np.ascontiguousarray(squares))

    def _sensed(self, squares: Float) -> Float:
        """Return Pinst of mean squares, and classify it once settled."""
        from twin.metrology.flicker_kernels import LANES, classify, weigh  # noqa: PLC0415

        squares = self._primed(squares)
        pinst = np.empty_like(squares)
        weigh(squares, self._adapt, self._sections, LANES, self._mean, self._state, pinst)
        skipped = min(self._quiet, pinst.shape[1])
        self._quiet -= skipped
        settled = np.ascontiguousarray(pinst[:, skipped:])
        classify(settled, _LOWEST, _PER_DECADE, self._counts, self._unknown, self._highest)
        return pinst

    def exceeded(self, percent: float) -> Float:
        """Return the level of Pinst that was exceeded in a share of the time since the last `pst`.

        Between the borders of a class, 0.37 % apart, values count as spread evenly.

        Parameters
        ----------
        percent : float
            0 to 100.

        Returns
        -------
        ndarray, shape (channels,)
            NaN without a settled value, or where there was no voltage.
        """
        out = np.full(self.channels, np.nan)
        for c in range(self.channels):
            total = int(self._counts[c].sum())
            if not total or self._unknown[c]:
                continue
            above = np.cumsum(self._counts[c, ::-1])
            wanted = percent / 100.0 * total
            slot = min(int(np.searchsorted(above, wanted)), _CLASSES - 1)
            share = 1.0 - (wanted - (above[slot] - self._counts[c, -1 - slot])) / max(
                1, self._counts[c, -1 - slot]
            )
            level = 10.0 ** (_LOWEST + (_CLASSES - 1 - slot + share) / _PER_DECADE)
            out[c] = min(level, self._highest[c])
        return out

    def pst(self) -> Float:
        """Return the short-term severity since the last call, and begin a new interval.

        The caller calls it at its ten-minute ticks.

        Returns
        -------
        ndarray, shape (channels,)
            NaN without a settled value, or where there was no voltage.

        References
        ----------
        IEC 61000-4-15:2010, 5.7.2.
        """
        total = np.zeros(self.channels)
        for weight, shares in _SMOOTHED:
            levels = np.zeros(self.channels)
            for share in shares:
                levels += self.exceeded(share)
            total += weight * levels / len(shares)
        self._empty_classes()
        severity: Float = np.sqrt(total)
        return severity

    def _empty_classes(self) -> None:
        """Begin an interval of the classifier."""
        self._counts = np.zeros((self.channels, _CLASSES), np.int64)
        self._unknown = np.zeros(self.channels, np.int64)
        self._highest = np.full(self.channels, -np.inf)

    def _check(self, samples: Float) -> None:
        """Raise on samples that would spoil the filters."""
        if samples.ndim != 2 or samples.shape[0] != self.channels:
            raise ValueError(f"samples of shape {samples.shape} do not fit {self.channels} channels")
        if not np.isfinite(samples).all():
            channel, n = (int(k) for k in np.argwhere(~np.isfinite(samples))[0])
            raise ValueError(
                f"sample {n} of channel {channel} is {samples[channel, n]}; fill the gap or restart after it"
            )

    def _raised(self, samples: Float) -> Float:
        """Return the samples at a rate that squaring does not alias; a fast input as it is."""
        up, taps = self._taps.shape
        if up == 1:
            return samples
        samples = np.concatenate((self._tail, samples), axis=1)
        ready = max(0, samples.shape[1] - taps + 1)
        self._tail = samples[:, ready:]
        out = np.zeros((self.channels, ready, up))
        for k in range(taps):
            out += samples[:, k : k + ready, np.newaxis] * self._taps[:, k]
        return out.reshape(self.channels, ready * up)

    def _primed(self, squares: Float) -> Float:
        """Hold back the first cycles until their mean square can start the adaptor."""
        if self._primer is None:
            return squares
        squares = np.concatenate((self._primer, squares), axis=1)
        wanted = round(PRIMING_CYCLES * self.internal_rate / self.nominal_frequency)
        if squares.shape[1] < wanted:
            self._primer = squares
            return squares[:, :0]
        self._primer = None
        # A Hann window, so that an off-nominal frequency leaves no ripple in the mean.
        weight = 1.0 - np.cos(2.0 * math.pi * (np.arange(wanted) + 0.5) / wanted)
        self._mean = (squares[:, :wanted] * weight).sum(axis=1) / wanted
        return squares


def long_term_severity(pst: Float) -> Float:
    """Return the long-term severity of consecutive Pst values.

    Parameters
    ----------
    pst : ndarray, shape (..., n)
        Twelve of them make the two hours of IEC 61000-4-30.

    Returns
    -------
    ndarray, shape (...)
        Cube root of their mean cube; NaN if one of them is.

    References
    ----------
    IEC 61000-4-15:2010, 5.7.3; IEC 61000-4-30:2015, 5.3.
    """
    severity: Float = np.cbrt((np.asarray(pst, np.float64) ** 3).mean(axis=-1))
    return severity

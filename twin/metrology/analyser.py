"""The class A measuring chain on samples that are locked to the grid, for many meters at once.

One pass over the samples gives sums per half cycle and cycle; half-cycle RMS, basic windows of 10 or 12
cycles, energies and the flickermeter's input follow from them. Only the harmonics look at samples again.

A new series of basic windows begins at the first cycle that starts at or after a ten-minute tick of UTC. The
window which that cuts is finished all the same and belongs to the ten minutes that end; energy counts each
cycle once. IEC 61000-4-30 begins the series at the tick itself: here it is late by less than a cycle, since
samples are not looked at again between their cycles (`twin.metrology.basic_windows` cuts within a cycle).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, TwinError, WindowMeasure
from twin.metrology.analysed import AnalysedWindow, Measured
from twin.metrology.analyser_plan import Plan, Series, Span, plan_cycles
from twin.metrology.distortion import NEGLIGIBLE
from twin.metrology.energy import EnergyAccumulator
from twin.metrology.flicker import FlickerMeter
from twin.metrology.flicker_design import Lamp
from twin.metrology.sampled_spectrum import SampledSpectrum

Float = NDArray[np.float64]
Int = NDArray[np.int64]

CHANNELS: Final = 6
CHANNEL_NAMES: Final = ("va", "vb", "vc", "ia", "ib", "ic")
WINDOW_CYCLES: Final = {50: 10, 60: 12}
FREQUENCY_REACH: Final = 0.15
"""Class A covers the nominal frequency to 15 % either way (IEC 61000-4-30, 5.1)."""
VOLTAGES: Final = np.array([0, 1, 2])
CURRENTS: Final = np.array([3, 4, 5])
LOW: Final = np.tril_indices(CHANNELS)
"""Rows and columns of the 21 products of two channels, in their order."""


class AnalyserError(TwinError, ValueError):
    """Samples or cycle starts that cannot be measured."""


class Analyser:
    """Class A measurement of many meters, fed with samples as they come.

    Results do not depend on how the samples are cut into calls, to the bit; blocks of one second are fast.

    Parameters
    ----------
    meters : int
        Meters, each with the channels va vb vc ia ib ic.
    samples_per_cycle : int
        A multiple of 64.
    nominal_frequency : float
        50 or 60 [Hz].
    harmonics : bool
        Whether harmonics and interharmonics are measured.
    flicker : Lamp, optional
        Lamp of the flickermeters; none without it. They take a cycle for a nominal one: at a frequency off by
        1 % the flicker's frequency is taken for one off by 1 %.
    orders : int
        Orders 0 .. orders - 1.
    cross_products : bool
        Whether products of different phases are formed, which line-to-line voltages and the neutral current
        need; NaN without.

    Attributes
    ----------
    energy : EnergyAccumulator
        Counters of the three phases: active, reactive of the fundamental, apparent; a rate for each
        basic window.

    Raises
    ------
    AnalyserError
        If the numbers make no analyser.

    References
    ----------
    IEC 61000-4-30:2015, 4.5 and 5 (class A); IEC 61000-4-7:2002+A1:2008, 5.6; IEC 61000-4-15:2010.
    """

    def __init__(
        self,
        meters: int,
        *,
        samples_per_cycle: int = 512,
        nominal_frequency: float = 50.0,
        harmonics: bool = True,
        flicker: Lamp | None = None,
        orders: int = 51,
        cross_products: bool = True,
    ) -> None:
        if nominal_frequency not in WINDOW_CYCLES:
            raise AnalyserError(f"class A knows no nominal frequency of {nominal_frequency} Hz; use 50 or 60")
        if meters < 1 or samples_per_cycle < 64 or samples_per_cycle % 64:
            raise AnalyserError(
                f"{meters} meters of {samples_per_cycle} samples per cycle cannot be analysed; "
                "use one meter or more and a multiple of 64 samples"
            )
        if not 2 <= orders <= (samples_per_cycle - 1) // 2:
            raise AnalyserError(
                f"{samples_per_cycle} samples per cycle do not show {orders} orders; use fewer"
            )
        self.meters = meters
        self.samples_per_cycle = samples_per_cycle
        self.nominal_frequency = nominal_frequency
        self.harmonics = harmonics
        self.orders = orders
        self.cross_products = cross_products
        self.energy = EnergyAccumulator(meters)
        self._cycles = WINDOW_CYCLES[int(nominal_frequency)]
        theta = 2.0 * math.pi * np.arange(samples_per_cycle) / samples_per_cycle
        self._cosine, self._sine = np.cos(theta), np.sin(theta)
        self._spectra: SampledSpectrum | None = None
        if harmonics:
            self._spectra = SampledSpectrum(
                cycles=self._cycles, samples_per_cycle=samples_per_cycle, orders=orders
            )
        self._flicker: FlickerMeter | None = None
        if flicker is not None:
            self._flicker = FlickerMeter(
                3 * meters,
                sample_rate=samples_per_cycle * nominal_frequency,
                lamp=flicker,
                nominal_frequency=int(nominal_frequency),
            )
        # Cycles count from the first sample fed. Samples are held from `_held_from` on, sums and edges
        # from `_kept_from`; `_done` cycles are measured.
        self._held = np.zeros((CHANNELS * meters, 0))
        self._held_from = self._kept_from = self._done = 0
        self._edges: Int = np.zeros(0, np.int64)
        self._sums: Float = np.zeros((0, meters, 33))
        self._folded = np.zeros((CHANNELS * meters, samples_per_cycle // 2))
        self._last_half: Float | None = None
        self._series = Series()

    def feed(self, samples: Float, *, cycle_starts_ns: Int) -> Measured:
        """Take further samples and return what they complete.

        Parameters
        ----------
        samples : ndarray, shape (meters * 6, n)
            From where the last call ended; the first begins with a cycle [V or A].
        cycle_starts_ns : ndarray of int64
            UTC of the edges between cycles that the samples reach, one for each cycle that they complete;
            the first call has the start of the first cycle before them [ns].

        Returns
        -------
        Measured
            Values of the cycles completed. Both half cycles of a cycle come with its end.

        Raises
        ------
        AnalyserError
            If shapes do not fit, a sample is not finite, or the cycles are not those of the nominal
            frequency to 15 %. Nothing has been taken then.
        """
        samples = np.asarray(samples, np.float64)
        edges = self._checked(samples, np.asarray(cycle_starts_ns, np.int64))
        held = np.concatenate((self._held, samples), axis=1) if self._held.shape[1] else samples
        held = np.ascontiguousarray(held)
        count = edges.size - 1 - (self._done - self._kept_from)
        plan = plan_cycles(edges, self._kept_from, self._done, self._series, cycles=self._cycles)
        halves, sums, squares = self._summed(held, plan, count, samples)
        ends = edges[self._done - self._kept_from :]
        self._edges, self._sums = edges, np.concatenate((self._sums, sums)) if self._sums.size else sums
        half_ends = np.stack((ends[:-1] + (ends[1:] - ends[:-1]) // 2, ends[1:]), axis=1).reshape(-1)
        half_ends, rms = self._half_cycles(half_ends, halves)
        gram, phasor = self._moments([*plan.windows, *plan.counts])
        self._count(plan.counts, gram[len(plan.windows) :], phasor[len(plan.windows) :])
        windows = tuple(
            self._measured(window, held, gram[k], phasor[k]) for k, window in enumerate(plan.windows)
        )
        pinst, pst = self._sensation(squares, plan.ticks)
        self._done += count
        self._series = plan.series
        self._forget(held, owned=held is not samples)
        return Measured(half_ends, rms, windows, pinst, pst)

    def _checked(self, samples: Float, starts: Int) -> Int:
        """Return the edges of all cycles kept and completed."""
        if samples.ndim != 2 or samples.shape[0] != CHANNELS * self.meters:
            raise AnalyserError(
                f"samples of shape {samples.shape} do not fit {self.meters} meters of six channels; "
                f"pass {CHANNELS * self.meters} rows"
            )
        total = self._held.shape[1] + samples.shape[1]
        wanted = self._held_from + total // self.samples_per_cycle - self._done + (not self._edges.size)
        if starts.ndim != 1 or starts.size != wanted:
            raise AnalyserError(
                f"{starts.size} cycle starts do not fit; the samples reach {wanted} edges between cycles"
            )
        edges = np.concatenate((self._edges, starts))
        with np.errstate(divide="ignore"):
            frequency = NS_PER_SECOND / np.diff(edges).astype(np.float64)
        wrong = ~(np.abs(frequency / self.nominal_frequency - 1.0) <= FREQUENCY_REACH + 1e-6)
        if wrong.any():
            cycle = int(np.flatnonzero(wrong)[0])
            raise AnalyserError(
                f"cycle {self._kept_from + cycle} has {frequency[cycle]:g} Hz; cycles must follow each other "
                f"and keep to {self.nominal_frequency:g} Hz by 15 %"
            )
        return edges

    def _summed(self, held: Float, plan: Plan, count: int, samples: Float) -> tuple[Float, Float, Float]:
        """Return half-cycle squares, sums of cycles, and mean squares for the flickermeter."""
        from twin.metrology.sampled_kernels import (  # noqa: PLC0415
            SUMS,
            VALUES_PER_CYCLE,
            cross_sums,
            cycle_sums,
        )

        halves = np.empty((CHANNELS * self.meters, 2 * count))
        sums = np.full((count, self.meters, SUMS), np.nan)
        rows = 3 * self.meters if self._flicker is not None else 0
        squares = np.empty((rows, VALUES_PER_CYCLE * count if rows else 0))
        first = (self._done - self._held_from) * self.samples_per_cycle
        folded = self._folded.copy()
        cycle_sums(
            held,
            first,
            self.samples_per_cycle,
            self._cosine,
            self._sine,
            plan.closing(self._done, count),
            folded,
            halves,
            sums,
            squares,
        )
        if self.cross_products:
            cross_sums(held, first, self.samples_per_cycle, sums)
        # A sum is finite only if its samples are; what no cycle holds yet is looked at by itself.
        rest = samples[:, -(held.shape[1] % self.samples_per_cycle) :] if held.shape[1] else samples
        if held.shape[1] % self.samples_per_cycle == 0:
            rest = samples[:, :0]
        if not (np.isfinite(halves).all() and np.isfinite(rest).all()):
            bad = np.argwhere(~np.isfinite(samples))
            if not bad.size:
                raise AnalyserError("squares of the samples overflow; pass volts and amperes")
            row, n = (int(k) for k in bad[0])
            raise AnalyserError(
                f"sample {n} of channel {CHANNEL_NAMES[row % CHANNELS]} of meter "
                f"{row // CHANNELS} is {samples[row, n]}; fill the gap before it is measured"
            )
        self._folded = folded
        return halves, sums, squares

    def _half_cycles(self, ends: Int, halves: Float) -> tuple[Int, Float]:
        """Return URMS(1/2) from the squares of half cycles; the first needs a whole cycle."""
        if self._last_half is not None:
            halves = np.concatenate((self._last_half, halves), axis=1)
        elif ends.size:
            ends = ends[1:]
        if halves.shape[1]:
            self._last_half = halves[:, -1:].copy()
        rms = np.sqrt((halves[:, :-1] + halves[:, 1:]) / self.samples_per_cycle)
        return ends, rms.reshape(self.meters, CHANNELS, ends.size)

    def _moments(self, spans: list[Span]) -> tuple[Float, NDArray[np.complex128]]:
        """Return mean products (spans, meters, 6, 6) and fundamental RMS phasors (spans, meters, 6)."""
        sums = np.empty((len(spans), self.meters, 33))
        for k, span in enumerate(spans):
            inside = self._sums[span.first - self._kept_from : span.after - self._kept_from]
            np.add.reduce(inside, axis=0, out=sums[k])
            sums[k] /= (span.after - span.first) * self.samples_per_cycle
        gram = np.empty((len(spans), self.meters, CHANNELS, CHANNELS))
        gram[:, :, LOW[0], LOW[1]] = gram[:, :, LOW[1], LOW[0]] = sums[:, :, :21]
        phasor = (math.sqrt(2.0) * (sums[:, :, 21::2] - 1j * sums[:, :, 22::2])).astype(np.complex128)
        return gram, phasor

    def _count(self, spans: list[Span], gram: Float, phasor: NDArray[np.complex128]) -> None:
        """Count the energy of stretches."""
        p = gram[:, :, VOLTAGES, CURRENTS]
        s = np.sqrt(gram[:, :, VOLTAGES, VOLTAGES] * gram[:, :, CURRENTS, CURRENTS])
        q = (phasor[:, :, :3] * phasor[:, :, 3:].conj()).imag
        for k, span in enumerate(spans):
            begin, end = self._edges[span.first - self._kept_from], self._edges[span.after - self._kept_from]
            self.energy.add(p[k], q[k], s[k], int(end - begin))

    def _measured(
        self, span: Span, held: Float, gram: Float, phasor: NDArray[np.complex128]
    ) -> AnalysedWindow:
        """Return a basic window."""
        first = span.first
        start, end = (int(self._edges[k - self._kept_from]) for k in (first, span.after))
        frequency = np.full(self.meters, self._cycles * NS_PER_SECOND / (end - start))
        frequency[(np.abs(phasor[:, :3]) <= NEGLIGIBLE).all(axis=1)] = np.nan
        harmonic = interharmonic = None
        if self._spectra is not None:
            at = (first - self._held_from) * self.samples_per_cycle
            spectrum, harmonic, interharmonic = self._transformed(self._spectra, held, at)
        else:
            spectrum = np.stack((np.full_like(phasor, np.nan), phasor), axis=2)
        measure = WindowMeasure(frequency, gram, spectrum)
        return AnalysedWindow(start, end, span.overlapping, measure, harmonic, interharmonic)

    def _transformed(
        self, spectra: SampledSpectrum, held: Float, at: int
    ) -> tuple[NDArray[np.complex128], Float, Float]:
        """Return RMS phasors of orders, harmonic and interharmonic subgroups, each (meters, 6, orders)."""
        spectrum = np.empty((CHANNELS * self.meters, self.orders), np.complex128)
        harmonic, interharmonic = np.empty((2, *spectrum.shape))
        spectra.measure(held, at, spectrum, harmonic, interharmonic)
        shape = (self.meters, CHANNELS, self.orders)
        return spectrum.reshape(shape), harmonic.reshape(shape), interharmonic.reshape(shape)

    def _sensation(
        self, squares: Float, ticks: list[int]
    ) -> tuple[Float | None, tuple[tuple[int, Float], ...]]:
        """Return Pinst of the new cycles, and Pst at each tick among them."""
        if self._flicker is None:
            return None, ()
        per_cycle = squares.shape[1] // max(1, self._edges.size - 1 - (self._done - self._kept_from))
        parts: list[Float] = []
        pst: list[tuple[int, Float]] = []
        begin = 0
        for tick in ticks:
            stop = (tick - self._done) * per_cycle
            parts.append(self._flicker.feed_mean_squares(squares[:, begin:stop]))
            severity = self._flicker.pst().reshape(self.meters, 3)
            pst.append((int(self._edges[tick - self._kept_from]), severity))
            begin = stop
        parts.append(self._flicker.feed_mean_squares(squares[:, begin:]))
        pinst = np.concatenate(parts, axis=1)
        return pinst.reshape(self.meters, 3, pinst.shape[1]), tuple(pst)

    def _forget(self, held: Float, *, owned: bool) -> None:
        """Keep what open windows still need."""
        kept = oldest = self._series.window if self._series.cut is None else self._series.cut
        self._edges = self._edges[kept - self._kept_from :]
        self._sums = self._sums[kept - self._kept_from :]
        self._kept_from = kept
        needed = oldest if self.harmonics else self._done
        drop = (needed - self._held_from) * self.samples_per_cycle
        self._held = held if owned and not drop else held[:, drop:].copy()
        self._held_from = needed

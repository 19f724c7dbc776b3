"""The class A measuring chain on samples that are locked to the grid, for many meters at once.

One pass over the samples gives sums per half cycle and cycle; half-cycle RMS, basic windows of 10 or 12
cycles, energies and the flickermeter's input follow from them. Only the harmonics look at samples again.

A new series of basic windows begins at the first cycle that starts at or after a ten-minute tick of UTC. The
window which that cuts is finished all the same and belongs to the ten minutes that end; energy counts each
cycle once. IEC 61000-4-30 begins the series at the tick itself: here it is late by less than a cycle, since
samples are not looked at again between their cycles (`twin.metrology.basic_windows` cuts within a cycle).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, TwinError, WindowMeasure
from twin.metrology.analysed import AnalysedWindow, Measured
from twin.metrology.analyser_plan import Plan, Series, Span, plan_cycles
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
_FLICKER_STEP: Final = 1e-3
"""Change of the frequency that retunes the flickermeters; it costs less than 0.4 % of Pinst."""


class AnalyserError(TwinError, ValueError):
    """Samples or cycle starts that cannot be measured."""


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """What sums over spans of cycles give, spans first; see `twin.metrology.sampled_kernels.span_moments`."""

    frequency: Float
    gram: Float
    phasor: NDArray[np.complex128]
    rates: Float


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
        Lamp of the flickermeters; none without it. They follow the frequency of the basic window before, at
        the start that of the first cycle, in steps of 0.1 %.
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
        # Samples and cycles count from the first one fed. `_fed` samples have come, those from `_held_from`
        # on are held. `_done` cycles are measured; their sums and edges are kept from cycle `_kept_from` on.
        self._held = np.zeros((CHANNELS * meters, 0))
        self._fed = self._held_from = self._kept_from = self._done = 0
        self._edges: Int = np.zeros(0, np.int64)
        self._sums: Float = np.zeros((0, meters, 33))
        self._scratch: tuple[Float, Float] | None = None
        self._last_half: Float = np.full(CHANNELS * meters, np.nan)
        self._series = Series()
        nominal_ns = NS_PER_SECOND / nominal_frequency
        self._shortest = nominal_ns / (1.0 + FREQUENCY_REACH + 1e-6)
        self._longest = nominal_ns / (1.0 - FREQUENCY_REACH - 1e-6)

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
        samples = np.ascontiguousarray(samples, np.float64)
        edges = self._checked(samples, np.asarray(cycle_starts_ns, np.int64))
        count = edges.size - 1 - (self._done - self._kept_from)
        plan = plan_cycles(edges, self._kept_from, self._done, self._series, cycles=self._cycles)
        halves, sums, squares = self._summed(samples, count)
        ends = edges[self._done - self._kept_from :]
        self._edges, self._sums = edges, np.concatenate((self._sums, sums)) if self._sums.size else sums
        half_ends = np.empty(2 * count, np.int64)
        half_ends[::2], half_ends[1::2] = ends[:-1] + (ends[1:] - ends[:-1]) // 2, ends[1:]
        half_ends, rms = self._half_cycles(half_ends, halves)
        # What is both a window and counted is one and the same span.
        spans = list({id(span): span for span in (*plan.windows, *plan.counts)}.values())
        moments = self._moments(spans)
        place = {id(span): k for k, span in enumerate(spans)}
        lengths = [end - start for start, end in map(self._ends, plan.counts)]
        counted = moments.rates[[place[id(stretch)] for stretch in plan.counts]]
        self.energy.add_intervals(counted, lengths)
        windows = self._measured(plan.windows, samples, moments)
        pinst, pst = self._sensation(squares, plan)
        self._done += count
        self._series = plan.series
        self._forget(samples)
        return Measured(half_ends, rms, windows, pinst, pst)

    def _checked(self, samples: Float, starts: Int) -> Int:
        """Return the edges of all cycles kept and completed."""
        if samples.ndim != 2 or samples.shape[0] != CHANNELS * self.meters:
            raise AnalyserError(
                f"samples of shape {samples.shape} do not fit {self.meters} meters of six channels; "
                f"pass {CHANNELS * self.meters} rows"
            )
        total = self._fed + samples.shape[1]
        wanted = total // self.samples_per_cycle - self._done + (not self._edges.size)
        if starts.ndim != 1 or starts.size != wanted:
            raise AnalyserError(
                f"{starts.size} cycle starts do not fit; the samples reach {wanted} edges between cycles"
            )
        edges = np.concatenate((self._edges, starts))
        lengths = edges[1:] - edges[:-1]
        wrong = (lengths < self._shortest) | (lengths > self._longest)
        if wrong.any():
            cycle = int(wrong.argmax())
            raise AnalyserError(
                f"cycle {self._kept_from + cycle} lasts {lengths[cycle] * 1e-6:g} ms; cycles must follow "
                f"each other and keep to {self.nominal_frequency:g} Hz by 15 %"
            )
        return edges

    def _located(self, samples: Float, begin: int, end: int) -> tuple[Float, int]:
        """Return an array that holds the samples from one place to another, and the column of the first.

        Only what a call has cut is put together anew.
        """
        if begin >= self._fed:
            return samples, begin - self._fed
        held = self._held[:, begin - self._held_from : end - self._held_from]
        return np.concatenate((held, samples[:, : max(0, end - self._fed)]), axis=1), 0

    def _summed(self, samples: Float, count: int) -> tuple[Float, Float, Float]:
        """Return half-cycle squares, sums of cycles, and mean squares for the flickermeter."""
        begin = self._done * self.samples_per_cycle
        end = begin + count * self.samples_per_cycle
        if count and begin < self._fed:  # the first cycle came in two calls
            first = tuple(part.copy() for part in self._formed(samples, begin, 1))
            rest = self._formed(samples, begin + self.samples_per_cycle, count - 1)
            sums = np.concatenate((first[1], rest[1]))
            halves, squares = (np.concatenate((first[k], rest[k]), axis=1) for k in (0, 2))
        else:
            halves, sums, squares = self._formed(samples, begin, count)
        # A sum is finite only if its samples are; what no cycle holds yet is looked at by itself.
        ahead = samples[:, max(0, end - self._fed) :]
        if not (math.isfinite(halves.sum()) and np.isfinite(ahead).all()):
            bad = np.argwhere(~np.isfinite(samples))
            if not bad.size:
                raise AnalyserError("squares of the samples overflow; pass volts and amperes")
            row, n = (int(k) for k in bad[0])
            raise AnalyserError(
                f"sample {n} of channel {CHANNEL_NAMES[row % CHANNELS]} of meter "
                f"{row // CHANNELS} is {samples[row, n]}; fill the gap before it is measured"
            )
        return halves, sums, squares

    def _formed(self, samples: Float, begin: int, count: int) -> tuple[Float, Float, Float]:
        """Return what `_summed` does of some cycles from a place on."""
        from twin.metrology.sampled_kernels import (  # noqa: PLC0415
            LANES,
            VALUES_PER_CYCLE,
            cross_sums,
            cycle_sums,
        )

        size = self.samples_per_cycle
        halves, sums = self._space(count)
        rows = 3 * self.meters if self._flicker is not None else 0
        squares = np.empty((rows, VALUES_PER_CYCLE * count if rows else 0))
        source, at = self._located(samples, begin, begin + count * size)
        cycle_sums(source, at, self._cosine, self._sine, LANES, halves, sums, squares)
        if self.cross_products:
            cross_sums(source, at, size, LANES, sums)
        return halves, sums, squares

    def _space(self, count: int) -> tuple[Float, Float]:
        """Return room for the squares of half cycles and the sums of cycles, used again by later calls.

        Fresh memory costs as much as a tenth of the sums themselves. Products that are never formed stay NaN.
        """
        from twin.metrology.sampled_kernels import SUMS  # noqa: PLC0415

        if self._scratch is None or self._scratch[1].shape[0] != count:
            self._scratch = (
                np.empty((CHANNELS * self.meters, 2 * count)),
                np.full((count, self.meters, SUMS), np.nan),
            )
        return self._scratch

    def _half_cycles(self, ends: Int, halves: Float) -> tuple[Int, Float]:
        """Return URMS(1/2) from the squares of half cycles; the first needs a whole cycle."""
        from twin.metrology.sampled_kernels import half_cycle_values  # noqa: PLC0415

        rms = np.empty(halves.shape)
        if halves.shape[1]:
            half_cycle_values(self._last_half, halves, 1.0 / self.samples_per_cycle, rms)
            if np.isnan(self._last_half[0]):
                rms, ends = rms[:, 1:], ends[1:]
            self._last_half = halves[:, -1].copy()
        return ends, rms.reshape(self.meters, CHANNELS, ends.size)

    def _ends(self, span: Span) -> tuple[int, int]:
        """Return begin and end of a span, UTC [ns]."""
        return int(self._edges[span.first - self._kept_from]), int(self._edges[span.after - self._kept_from])

    def _moments(self, spans: list[Span]) -> _Moments:
        """Return the moments of spans."""
        from twin.metrology.sampled_kernels import span_moments  # noqa: PLC0415

        shape = (len(spans), self.meters)
        moments = _Moments(
            np.empty(shape),
            np.empty((*shape, CHANNELS, CHANNELS)),
            np.empty((*shape, CHANNELS), np.complex128),
            np.empty((len(spans), 5, self.meters, 3)),
        )
        first = np.array([span.first for span in spans], np.int64) - self._kept_from
        after = np.array([span.after for span in spans], np.int64) - self._kept_from
        known = (after - first) * NS_PER_SECOND / (self._edges[after] - self._edges[first])
        span_moments(
            self._sums,
            first,
            after,
            self.samples_per_cycle,
            known,
            moments.frequency,
            moments.gram,
            moments.phasor,
            moments.rates,
        )
        return moments

    def _measured(self, spans: list[Span], samples: Float, moments: _Moments) -> tuple[AnalysedWindow, ...]:
        """Return basic windows, which are the first spans of the moments."""
        harmonic = interharmonic = None
        fundamental = np.empty((len(spans), self.meters, CHANNELS, 2), np.complex128)
        fundamental[..., 0], fundamental[..., 1] = np.nan, moments.phasor[: len(spans)]
        windows = []
        for k, span in enumerate(spans):
            start, end = self._ends(span)
            spectrum = fundamental[k]
            if self._spectra is not None:
                size = self.samples_per_cycle
                source, column = self._located(samples, span.first * size, span.after * size)
                spectrum, harmonic, interharmonic = self._transformed(self._spectra, source, column)
            measure = WindowMeasure(moments.frequency[k], moments.gram[k], spectrum)
            windows.append(AnalysedWindow(start, end, span.overlapping, measure, harmonic, interharmonic))
        return tuple(windows)

    def _transformed(
        self, spectra: SampledSpectrum, samples: Float, column: int
    ) -> tuple[NDArray[np.complex128], Float, Float]:
        """Return RMS phasors of orders, harmonic and interharmonic subgroups, each (meters, 6, orders)."""
        spectrum = np.empty((CHANNELS * self.meters, self.orders), np.complex128)
        harmonic, interharmonic = np.empty((2, *spectrum.shape))
        spectra.measure(samples, column, spectrum, harmonic, interharmonic)
        shape = (self.meters, CHANNELS, self.orders)
        return spectrum.reshape(shape), harmonic.reshape(shape), interharmonic.reshape(shape)

    def _sensation(self, squares: Float, plan: Plan) -> tuple[Float | None, tuple[tuple[int, Float], ...]]:
        """Return Pinst of the new cycles, and Pst at each tick among them."""
        if self._flicker is None:
            return None, ()
        from twin.metrology.sampled_kernels import VALUES_PER_CYCLE  # noqa: PLC0415

        if self._edges.size > 1 and not self._done:
            self._follow(self._flicker, Span(0, 1))
        parts: list[Float] = []
        pst: list[tuple[int, Float]] = []
        begin = 0
        for stretch in plan.counts:  # one ends at every tick, another begins there
            stop = (stretch.after - self._done) * VALUES_PER_CYCLE
            parts.append(self._flicker.feed_mean_squares(squares[:, begin:stop]))
            begin = stop
            if stretch.after in plan.ticks:
                severity = self._flicker.pst().reshape(self.meters, 3)
                pst.append((int(self._edges[stretch.after - self._kept_from]), severity))
            self._follow(self._flicker, stretch)
        parts.append(self._flicker.feed_mean_squares(squares[:, begin:]))
        pinst = np.concatenate(parts, axis=1)
        return pinst.reshape(self.meters, 3, pinst.shape[1]), tuple(pst)

    def _follow(self, flicker: FlickerMeter, span: Span) -> None:
        """Tune the flickermeters to the frequency of a span."""
        begin, end = self._ends(span)
        rate = self.samples_per_cycle * (span.after - span.first) * NS_PER_SECOND / (end - begin)
        if abs(rate / flicker.sample_rate - 1.0) > _FLICKER_STEP:
            flicker.retune(rate)

    def _forget(self, samples: Float) -> None:
        """Keep what open windows still need."""
        oldest = self._series.window if self._series.cut is None else self._series.cut
        self._edges = self._edges[oldest - self._kept_from :]
        self._sums = self._sums[oldest - self._kept_from :].copy()
        self._kept_from = oldest
        begin = (oldest if self.harmonics else self._done) * self.samples_per_cycle
        end = self._fed + samples.shape[1]
        source, column = self._located(samples, begin, end)
        self._held = samples[:, column:].copy() if source is samples else source
        self._held_from, self._fed = begin, end

"""Channels that are sampled: for saturating transformers, clipped transients, and meters set to sample.

A segment of such channels is what no finite sum describes. It is sampled from its start to somewhat beyond
now, and further as time goes on; a sample depends on its number alone, so that nothing depends on how
time is cut.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, SampledBlock, Segment
from twin.signals import sampled_segment

Float = NDArray[np.float64]
Rows = NDArray[np.intp]

SAMPLES_PER_CYCLE = 512
AHEAD_NS = NS_PER_SECOND // 10
"""How far samples reach beyond now at least: further than any window looks [ns]."""


@dataclass(frozen=True, slots=True, eq=False)
class Cores:
    """Transformers that saturate within a segment."""

    rows: Rows
    """Their channels."""
    core: Float
    """Shape (rows, 6), as `twin.meters.saturation_kernels.saturate` takes them."""
    flux: Float
    """Shape (rows,): at the start of the segment [Wb]."""


class Sampler:
    """Samples of some channels of one segment, as far as time has come.

    Parameters
    ----------
    segment : Segment
        Secondary, with the errors of the inputs; terms, samples or both.
    rows : ndarray of int
        Channels that are sampled; the others keep their terms.
    full_scale : ndarray, shape (channels,)
        Of the converter [V or A].
    cores : Cores
        Some of the sampled channels.
    """

    def __init__(self, segment: Segment, rows: Rows, full_scale: Float, cores: Cores) -> None:
        block = segment.block
        if block is not None:
            block = replace(block, samples=block.samples[rows])
        self._source = replace(segment, amplitude=segment.amplitude[rows], block=block)
        self._rows, self._full_scale, self._cores = rows, full_scale[rows, None], cores
        self._place = np.searchsorted(rows, cores.rows)
        self._whole = segment.block
        self._kept = _without(segment, rows)
        self._until_ns = segment.start_ns - 1
        self._segment = self._kept
        self._linkage = np.empty((cores.rows.size, 0))

    def until(self, ns: int) -> Segment:
        """Return the segment with samples that reach beyond a time."""
        if ns > self._until_ns:
            start_ns = self._source.start_ns
            if self._source.block is None:
                # Some more than asked, so that small steps of time do not sample all anew each time.
                self._until_ns = ns + min(ns - start_ns, NS_PER_SECOND) + AHEAD_NS
            else:
                self._until_ns = ns
            self._segment = self._sampled(self._until_ns)
        return self._segment

    def flux(self, ns: int) -> Float:
        """Return the flux of the cores at a time that the samples reach, shape (rows,) [Wb]."""
        block = self._segment.block
        assert block is not None
        at = (ns - block.start_ns - block.start_fraction) / (block.step_s * NS_PER_SECOND)
        left = min(max(int(at), 0), self._linkage.shape[1] - 2)
        here, next_ = self._linkage[:, left], self._linkage[:, left + 1]
        between: Float = here + (at - left) * (next_ - here)
        return between

    def turn(self, turned: Float) -> None:
        """Turn the current inputs where ``turned`` is -1, samples that were made included."""
        sign = turned[self._rows, None]
        block = self._source.block
        if block is not None:
            block = replace(block, samples=block.samples * sign)
        self._source = replace(self._source, amplitude=self._source.amplitude * sign, block=block)
        if self._whole is not None:
            self._whole = replace(self._whole, samples=self._whole.samples * turned[:, None])
        self._kept = turned_segment(self._kept, turned)
        self._segment = turned_segment(self._segment, turned)
        sign = turned[self._cores.rows]
        self._cores = replace(self._cores, flux=self._cores.flux * sign)
        self._linkage = self._linkage * sign[:, None]

    def _sampled(self, until_ns: int) -> Segment:
        made = sampled_segment(self._source, until_ns, samples_per_cycle=SAMPLES_PER_CYCLE).block
        assert made is not None
        samples = made.samples
        if self._cores.rows.size:
            samples[self._place] = self._saturated(made)
        np.clip(samples, -self._full_scale, self._full_scale, out=samples)
        whole = np.zeros((self._kept.amplitude.shape[0], samples.shape[1]))
        if self._whole is not None:
            first = round(
                (made.start_ns - self._whole.start_ns + made.start_fraction - self._whole.start_fraction)
                / (made.step_s * NS_PER_SECOND)
            )
            whole[:] = self._whole.samples[:, first : first + samples.shape[1]]
        whole[self._rows] = samples
        return replace(self._kept, block=replace(made, samples=whole))

    def _saturated(self, block: SampledBlock) -> Float:
        """Return what saturating transformers pass on of their current."""
        from twin.meters.saturation_kernels import saturate  # noqa: PLC0415

        current = np.ascontiguousarray(block.samples[self._place])
        core = self._cores.core
        # The flux is known at the start of the segment, a few samples after the first.
        early = self._source.start_ns - block.start_ns - block.start_fraction
        before = round(early / (block.step_s * NS_PER_SECOND))
        ahead = current[:, : before + 1]
        gained = core[:, 0] * block.step_s * (ahead.sum(axis=1) - 0.5 * (ahead[:, 0] + ahead[:, -1]))
        out, self._linkage = np.empty_like(current), np.empty_like(current)
        saturate(current, block.step_s, core, self._cores.flux - gained, out, self._linkage)
        return out


def turned_segment(segment: Segment, turned: Float) -> Segment:
    """Return a segment whose channels are multiplied by 1 or -1."""
    block = segment.block
    if block is not None:
        block = replace(block, samples=block.samples * turned[:, None])
    return replace(segment, amplitude=segment.amplitude * turned[:, None], block=block)


def _without(segment: Segment, rows: Rows) -> Segment:
    """Return a segment in which some channels have no terms."""
    if rows.size == segment.amplitude.shape[0]:
        none = np.zeros(0)
        return replace(
            segment,
            order=none,
            rate=none.astype(np.complex128),
            amplitude=segment.amplitude[:, :0],
            block=None,
        )
    kept = segment.amplitude.copy()
    kept[rows] = 0.0
    return replace(segment, amplitude=kept, block=None)

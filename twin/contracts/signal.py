"""The site's voltages and currents between two events: damped exponentials, and samples where those fail."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SampledBlock:
    """Equidistant samples that a segment adds to its terms: what no finite sum describes.

    It holds at least from the start of its segment to the end, and several segments may share one.
    """

    start_ns: int
    """Time of the first sample, UTC [ns]."""
    start_fraction: float
    """The rest of that time, 0 <= rest < 1 [ns]."""
    step_s: float
    """Distance of two samples [s]."""
    samples: NDArray[np.float64]
    """Shape (channels, samples) [V or A]."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One stretch of time in which every channel is a fixed sum of terms.

    With ``tau = t - start`` in seconds and ``theta(t) = theta + 2 pi frequency tau``, channel c is::

        x_c(t) = sum_k Re{ amplitude[c, k] exp(rate[k] tau + j order[k] theta(t)) }

    and what its sampled block adds, if it has one. A segment ends where the next one of its signal
    starts. Terms are shared by all channels; a channel that lacks one has amplitude zero. Two segments
    that hold the *same* ``amplitude`` object and no rate or block are one stationary stretch that was
    merely re-anchored.
    """

    start_ns: int
    """First instant, UTC [ns]."""
    frequency: float
    """Fundamental frequency, constant within the segment [Hz]."""
    theta: float
    """Phase of the fundamental at ``start_ns`` [rad]; carried over boundaries without a jump."""
    order: NDArray[np.float64]
    """Shape (terms,): multiple of theta that the term follows; 0 for DC and for own frequencies."""
    rate: NDArray[np.complex128]
    """Shape (terms,): own damping and angular frequency, sigma + j omega [1/s]; 0 when stationary."""
    amplitude: NDArray[np.complex128]
    """Shape (channels, terms): complex *peak* amplitude [V or A]; real for a DC term."""
    block: SampledBlock | None = None
    """Samples to add; None where the terms are all there is."""


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """A gapless list of segments."""

    channels: tuple[str, ...]
    """Names of the rows of every segment's ``amplitude``, for example ``head.va``."""
    segments: tuple[Segment, ...]
    """In order of time, each ending at the next one's start."""
    end_ns: int
    """End of the last segment, UTC [ns]."""

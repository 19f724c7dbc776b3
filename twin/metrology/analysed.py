"""What the class A analyser hands out: windows, and what the samples of one call completed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import WindowMeasure

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class AnalysedWindow:
    """One basic window of all meters."""

    start_ns: int
    """UTC [ns]."""
    end_ns: int
    """UTC [ns]."""
    overlapping: bool
    """Whether a ten-minute tick cut it, so that the next series began before its end."""
    measure: WindowMeasure
    """Moments; with harmonics all orders, else orders 0 and 1 where order 0 is NaN."""
    harmonic: Float | None
    """(meters, 6, orders) RMS of harmonic subgroups [V or A]."""
    interharmonic: Float | None
    """(meters, 6, orders) RMS of the centred interharmonic subgroup above each order [V or A]."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the samples of one call completed."""

    half_cycle_ends_ns: Int
    """(k,) UTC [ns]."""
    half_cycle_rms: Float
    """(meters, 6, k) URMS(1/2), IRMS(1/2) [V or A]."""
    windows: tuple[AnalysedWindow, ...]
    """Basic windows in the order of their end."""
    pinst: Float | None
    """(meters, 3, m) instantaneous flicker sensation, 32 values a cycle."""
    pst: tuple[tuple[int, Float], ...]
    """Cycle start at each ten-minute tick [UTC ns], and Pst of the interval that ended, (meters, 3)."""

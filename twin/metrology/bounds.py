"""How far a one-cycle RMS can stray while its window straddles a boundary."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Segment
from twin.metrology.measure import NotStationaryError


def step_bound(before: Segment, after: Segment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bounds of every one-cycle RMS whose window straddles two stationary segments.

    Within the window the signal is ``before`` plus, after the boundary, the difference ``d`` of the two.
    By Minkowski's inequality its RMS is within RMS(d) of that of ``before``, and by the same argument of
    that of ``after``. The window is one cycle of theta, over which harmonics are orthogonal. Where the
    frequency changes, time weighs the two sides unequally, by at most the ratio of the frequencies.

    Parameters
    ----------
    before, after : Segment
        Stationary, same channels, theta carried over.

    Returns
    -------
    low, high : ndarray, shape (channels,)
        [V or A].

    Raises
    ------
    NotStationaryError
        If one of the two has decaying terms or own frequencies.
    """
    from twin.metrology import kernels  # noqa: PLC0415

    for segment in (before, after):
        if not kernels.is_stationary(segment.order, segment.rate):
            raise NotStationaryError(
                f"the segment at {segment.start_ns} ns has terms that are no harmonics; use half_cycle_rms"
            )
    ratio = after.frequency / before.frequency
    low = np.empty(before.amplitude.shape[0])
    high = np.empty_like(low)
    kernels.straddle_bounds(
        before.amplitude,
        before.order,
        after.amplitude,
        after.order,
        math.sqrt(max(ratio, 1.0 / ratio)),
        low,
        high,
    )
    return low, high

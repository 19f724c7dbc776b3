"""How far a one-cycle RMS can stray while its window straddles a boundary."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Segment
from twin.metrology.measure import steady_phasors


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
    order_b, x = steady_phasors(before)
    order_a, y = steady_phasors(after)
    if order_a.size != order_b.size or np.count_nonzero(order_a != order_b):
        orders = np.union1d(order_a, order_b)
        x, y = _spread(x, order_b, orders), _spread(y, order_a, orders)
    parts = np.array((x, y, y - x)).view(np.float64)
    rms_before, rms_after, rms_difference = np.sqrt(np.einsum("nck,nck->nc", parts, parts))
    ratio = after.frequency / before.frequency
    stretch = math.sqrt(max(ratio, 1.0 / ratio))
    low = np.maximum(np.maximum(rms_before, rms_after) - rms_difference, 0.0) / stretch
    high = (np.minimum(rms_before, rms_after) + rms_difference) * stretch
    return low, high


def _spread(
    phasor: NDArray[np.complex128], order: NDArray[np.int64], orders: NDArray[np.int64]
) -> NDArray[np.complex128]:
    """Return phasors on a wider list of orders, zero where they have none."""
    out = np.zeros((phasor.shape[0], orders.size), np.complex128)
    out[:, np.searchsorted(orders, order)] = phasor
    return out

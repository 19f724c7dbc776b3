"""How far a one-cycle RMS can stray while its window straddles a boundary."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Segment
from twin.metrology.measure import SteadyPhasors, steady_phasors


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
    return phasor_step_bound(steady_phasors(before), steady_phasors(after))


def phasor_step_bound(
    before: SteadyPhasors, after: SteadyPhasors
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of `step_bound` for two stationary segments whose phasors are known."""
    from twin.metrology.kernels import bound_step  # noqa: PLC0415

    x, y = before.phasor, after.phasor
    if before.order.size != after.order.size or np.count_nonzero(before.order != after.order):
        orders = np.union1d(before.order, after.order)
        x, y = _spread(x, before.order, orders), _spread(y, after.order, orders)
    ratio = after.frequency / before.frequency
    low, high = np.empty((2, x.shape[0]))
    bound_step(x.view(np.float64), y.view(np.float64), math.sqrt(max(ratio, 1.0 / ratio)), low, high)
    return low, high


def _spread(
    phasor: NDArray[np.complex128], order: NDArray[np.int64], orders: NDArray[np.int64]
) -> NDArray[np.complex128]:
    """Return phasors on a wider list of orders, zero where they have none."""
    out = np.zeros((phasor.shape[0], orders.size), np.complex128)
    out[:, np.searchsorted(orders, order)] = phasor
    return out

"""The analogue-to-digital converter of the inputs: its counts, its step and its range."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Segment
from twin.meters.settings import MeterSettings

Float = NDArray[np.float64]

COUNTS_PER_VOLT: Final = 37.59105
"""KW320 manual 4.6, waveform capture: real value = waveform value / 37.59105."""
COUNT_RANGE: Final = (-32768, 32767)
ORDERS: Final = 128
"""Orders 0 .. 127 that a clipped wave is described by."""
_POINTS: Final = 1024
_ALL_ORDERS: Final = np.arange(ORDERS, dtype=np.float64)


def counts_per_ampere(settings: MeterSettings) -> float:
    """Return the counts of one secondary ampere (KW320 manual 4.6, firmware above 3.21).

    For 333 mV inputs and Rogowski coils a secondary ampere is the rated output.
    """
    if settings.ct2 == 100.0 and settings.rogowski:
        return 20291.1
    return {
        1.0: 1683.153,
        5.0: 1683.153,
        333.0: 14427.15,
        80.0: 7414.289,
        100.0: 9267.440,
        200.0: 18514.68,
    }[settings.ct2]


def counts(settings: MeterSettings) -> Float:
    """Return counts per secondary volt or ampere of va, vb, vc, ia, ib, ic, shape (6,)."""
    return np.array([COUNTS_PER_VOLT] * 3 + [counts_per_ampere(settings)] * 3)


def peak_bound(segment: Segment) -> Float:
    """Return what no instant of a segment without growing terms exceeds, shape (channels,) [V or A]."""
    bound: Float = np.abs(segment.amplitude).sum(axis=1)
    return bound


def clipped(segment: Segment, full_scale: Float) -> Segment:
    """Return a stationary segment as a converter passes it on whose range it may exceed.

    Parameters
    ----------
    segment : Segment
        Stationary: whole orders and no rates, a constant with a real amplitude.
    full_scale : ndarray, shape (channels,)
        Largest magnitude that the converter holds [V or A]; infinite for none.

    Returns
    -------
    Segment
        The same one if no peak reaches the range; otherwise one of orders 0 .. 127 or more whose clipped
        channels are the harmonic series of the clipped wave, taken from 1024 points of a cycle. The kinks of
        a clipped wave let its orders fall as 1/h^2: what lies beyond holds below 2e-5 of its mean square,
        even at ten times the range.
    """
    rows = np.flatnonzero(peak_bound(segment) > full_scale)
    if not rows.size or segment.order.size == 0:
        return segment
    orders = max(ORDERS, int(np.abs(segment.order).max()) + 1)
    points = max(_POINTS, 1 << math.ceil(math.log2(8 * orders)))
    angles = 2.0 * np.pi / points * np.arange(points)
    turns = np.exp(1j * segment.order[:, None] * angles)
    waves = np.real(segment.amplitude[rows] @ turns)
    over = np.abs(waves).max(axis=1) > full_scale[rows]
    if not over.any():
        return segment
    rows, limit = rows[over], full_scale[rows[over], None]
    amplitude = _by_order(segment, orders)
    spectrum = np.fft.rfft(np.clip(waves[over], -limit, limit), axis=1)[:, :orders] / points
    spectrum[:, 1:] *= 2.0
    amplitude[rows] = spectrum
    order = _ALL_ORDERS if orders == ORDERS else np.arange(orders, dtype=np.float64)
    rate = np.zeros(orders, np.complex128)
    return Segment(segment.start_ns, segment.frequency, segment.theta, order, rate, amplitude)


def _by_order(segment: Segment, orders: int) -> NDArray[np.complex128]:
    """Return the amplitudes by order 0, 1 ..; a negative order is the conjugate of its positive one."""
    amplitude = np.zeros((segment.amplitude.shape[0], orders), np.complex128)
    for column, order in enumerate(segment.order.astype(int).tolist()):
        term = segment.amplitude[:, column]
        amplitude[:, abs(order)] += term.conj() if order < 0 else term
    return amplitude

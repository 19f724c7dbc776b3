"""Exact moments of a window: mean products of channels and harmonic phasors, over any pieces.

The kernels are imported where they are used, so that reading this package's names costs no compiler.
"""

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Instant, Signal
from twin.signals.phase import pieces

_NO_GRAM = np.zeros((0, 6, 6))
_NO_SPECTRUM = np.zeros((2, 0, 0))


def window_moments(
    signal: Signal, start: Instant, end: Instant, *, channels: int = 6, orders: int = 64
) -> tuple[NDArray[np.float64], NDArray[np.complex128], float]:
    """Return mean products, RMS phasors and the mean frequency of a window, in one pass.

    Parameters
    ----------
    signal : Signal
        Its channels are grouped by ``channels`` (meter-major).
    start, end : Instant
        The window; it may straddle any number of segments.
    channels : int
        Channels per meter; 0 for no mean products.
    orders : int
        Harmonic orders 0 .. orders - 1; 0 for no phasors.

    Returns
    -------
    gram : ndarray, shape (meters, channels, channels)
        Mean over the window of the product of two channels [V2, VA, A2].
    spectrum : ndarray, shape (all channels, orders)
        RMS phasors relative to theta [V or A]; order 0 is the mean.
    frequency : float
        Cycles of theta over the length of the window [Hz].

    Raises
    ------
    SignalRangeError
        If the window is empty or not inside the signal.
    """
    from twin.signals import kernels  # noqa: PLC0415

    rows = len(signal.channels)
    gram = np.zeros((rows // channels, channels, channels)) if channels else _NO_GRAM
    planes = np.zeros((2, orders, rows)) if orders else _NO_SPECTRUM
    total = (end.ns - start.ns) + (end.fraction - start.fraction)
    frequency = 0.0
    for piece in pieces(signal, start, end):
        segment = piece.segment
        weight = piece.length / total
        frequency += weight * segment.frequency
        terms = (
            np.ascontiguousarray(segment.amplitude),
            segment.order,
            segment.rate,
            segment.theta,
            segment.frequency,
        )
        if channels:
            kernels.add_gram(*terms, piece.span, weight, gram)
        if orders:
            kernels.add_spectrum(*terms, piece.span, weight, planes)
    spectrum = np.empty((planes.shape[2], orders), np.complex128)
    spectrum.real = planes[0].T
    spectrum.imag = planes[1].T
    return gram, spectrum, frequency


def window_gram(signal: Signal, start: Instant, end: Instant, *, channels: int = 6) -> NDArray[np.float64]:
    """Return the exact mean over a window of the products of a meter's channels.

    The diagonal holds the squares of the RMS values (IEC 61000-4-30 5.2), voltage against current the
    active power (IEEE 1459 3.1.2). Every integral of products of damped exponentials is taken in closed
    form, cross terms included.

    Parameters
    ----------
    signal : Signal
        Channels grouped by meter, meter-major.
    start, end : Instant
        The window; it may straddle segments.
    channels : int
        Channels per meter.

    Returns
    -------
    ndarray, shape (meters, channels, channels)
        Symmetric, positive semidefinite [V2, VA, A2].
    """
    return window_moments(signal, start, end, channels=channels, orders=0)[0]


def window_spectrum(
    signal: Signal, start: Instant, end: Instant, *, orders: int = 64
) -> NDArray[np.complex128]:
    """Return RMS phasors relative to theta by the exact Fourier transform of the window.

    ``X_h = sqrt(2)/T integral x(t) exp(-j h theta(t)) dt`` for h >= 1, and the mean for h = 0: what
    IEC 61000-4-7 5 takes from a rectangular window that is locked to the fundamental.

    Parameters
    ----------
    signal : Signal
        Any channels.
    start, end : Instant
        The window; it may straddle segments.
    orders : int
        Orders 0 .. orders - 1.

    Returns
    -------
    ndarray, shape (channels, orders)
        [V or A].
    """
    return window_moments(signal, start, end, channels=0, orders=orders)[1]

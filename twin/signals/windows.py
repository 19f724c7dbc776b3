"""Moments of a window: mean products of channels and harmonic phasors, over any pieces.

Pieces of terms are exact. Where a segment carries a block of samples, terms and block together are summed
over the samples of the block (see `twin.signals.blocks` for the order of the error).

The kernels are imported where they are used, so that reading this package's names costs no compiler.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Instant, Signal
from twin.signals.blocks import Rows, on_lattice, sampled_rows
from twin.signals.phase import Piece, pieces

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
        If the window is empty or not inside the signal, or a block does not cover its segment.
    """
    rows = len(signal.channels)
    gram = np.zeros((rows // channels, channels, channels)) if channels else _NO_GRAM
    planes = np.zeros((2, orders, rows)) if orders else _NO_SPECTRUM
    total = (end.ns - start.ns) + (end.fraction - start.fraction)
    frequency = 0.0
    for piece in pieces(signal, start, end):
        segment = piece.segment
        weight = piece.length / total
        frequency += weight * segment.frequency
        if segment.block is not None:
            _add_block(piece, weight, total * 1e-9, gram, planes)
        else:
            _add_terms(piece, weight, gram, planes)
    spectrum = np.empty((planes.shape[2], orders), np.complex128)
    spectrum.real = planes[0].T
    spectrum.imag = planes[1].T
    return gram, spectrum, frequency


def _add_terms(piece: Piece, weight: float, gram: NDArray[np.float64], planes: NDArray[np.float64]) -> None:
    """Add a piece of terms alone, in closed form."""
    from twin.signals import kernels  # noqa: PLC0415

    segment = piece.segment
    terms = (
        np.ascontiguousarray(segment.amplitude),
        segment.order,
        segment.rate,
        segment.theta,
        segment.frequency,
    )
    if gram.shape[0]:
        kernels.add_gram(*terms, piece.span, weight, gram)
    if planes.shape[1]:
        kernels.add_spectrum(*terms, piece.span, weight, planes)


def _add_block(
    piece: Piece,
    weight: float,
    total_s: float,
    gram: NDArray[np.float64],
    planes: NDArray[np.float64],
) -> None:
    """Add a piece whose segment has a block: meters that it has samples of over those, others exactly."""
    size = gram.shape[1] if gram.shape[0] else 1
    sampled = sampled_rows(piece).reshape(-1, size).any(axis=1)
    if sampled.all():
        _add_sampled(piece, slice(None), total_s, gram, planes)
        return
    for groups, exact in ((np.flatnonzero(sampled), False), (np.flatnonzero(~sampled), True)):
        rows = (groups[:, None] * size + np.arange(size)).ravel()
        if not rows.size:
            continue
        own_gram = np.ascontiguousarray(gram[groups]) if gram.shape[0] else gram
        own_planes = np.ascontiguousarray(planes[:, :, rows]) if planes.shape[1] else planes
        if exact:
            part = replace(piece.segment, amplitude=piece.segment.amplitude[rows], block=None)
            _add_terms(replace(piece, segment=part), weight, own_gram, own_planes)
        else:
            _add_sampled(piece, rows, total_s, own_gram, own_planes)
        if gram.shape[0]:
            gram[groups] = own_gram
        if planes.shape[1]:
            planes[:, :, rows] = own_planes


def _add_sampled(
    piece: Piece, rows: Rows, total_s: float, gram: NDArray[np.float64], planes: NDArray[np.float64]
) -> None:
    """Add some channels of a piece whose segment has a block, over the samples of the block."""
    from twin.signals import block_kernels  # noqa: PLC0415

    part = on_lattice(piece, rows)
    scale = part.step_s / total_s
    if gram.shape[0]:
        block_kernels.add_weighted_gram(part.values, part.weight, scale, gram)
    if planes.shape[1]:
        segment = piece.segment
        block_kernels.add_weighted_spectrum(
            part.values, part.weight, segment.theta, segment.frequency, part.lattice, scale, planes
        )


def window_gram(signal: Signal, start: Instant, end: Instant, *, channels: int = 6) -> NDArray[np.float64]:
    """Return the exact mean over a window of the products of a meter's channels.

    The diagonal holds the squares of the RMS values (IEC 61000-4-30 5.2), voltage against current the
    active power (IEEE 1459 3.1.2). Every integral of products of damped exponentials is taken in closed
    form, cross terms included; where there are blocks, over their samples.

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

"""Raw moments of a measuring window, from a stationary segment, from any window, or from samples."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Instant, Segment, Signal, TwinError, WindowMeasure
from twin.signals import window_moments

CHANNELS = 6
"""Channels of a meter: va, vb, vc, ia, ib, ic."""
_SQRT2 = math.sqrt(2.0)
_SQRT1_2 = math.sqrt(0.5)
NEGLIGIBLE = 1e-9
"""A fundamental below this is rounding, not a quantity [V or A]."""


class NotStationaryError(TwinError, ValueError):
    """A segment that decays or holds own frequencies or samples, where a stationary one is needed."""


@dataclass(frozen=True, slots=True, eq=False)
class SteadyPhasors:
    """A stationary segment as a table of phasors: all that its whole cycles are made of."""

    order: NDArray[np.int64]
    """Shape (terms,), ascending from 0, each order once."""
    phasor: NDArray[np.complex128]
    """Shape (channels, terms): RMS phasors [V or A]; that of order 0 is the value itself, real."""
    frequency: float
    """[Hz]"""


def measure_steady(segment: Segment, *, orders: int = 64) -> WindowMeasure:
    """Return the moments of a stationary segment over whole cycles of theta.

    Parameters
    ----------
    segment : Segment
        Six channels per meter, meter-major; no rates, whole orders.
    orders : int
        Orders 0 .. orders - 1 of the spectrum; higher terms count in RMS and power all the same.

    Returns
    -------
    WindowMeasure
        What `measure_window` gives for any whole number of cycles.

    Raises
    ------
    NotStationaryError
        If a term decays, has an own frequency, or an order that is no whole number, or there is a block.
    """
    return measure_phasors(steady_phasors(segment), orders=orders)


def measure_phasors(steady: SteadyPhasors, *, orders: int = 64) -> WindowMeasure:
    """Return the moments of a stationary segment whose phasors are known; see `measure_steady`."""
    from twin.metrology.kernels import steady_moments  # noqa: PLC0415

    meters = steady.phasor.shape[0] // CHANNELS
    frequency = np.empty(meters)
    gram = np.empty((meters, CHANNELS, CHANNELS))
    spectrum = np.empty((meters, CHANNELS, orders), np.complex128)
    steady_moments(steady.order, steady.phasor, steady.frequency, frequency, gram, spectrum)
    return WindowMeasure(frequency, gram, spectrum)


def steady_phasors(segment: Segment) -> SteadyPhasors:
    """Return the RMS phasors of a stationary segment, each order once.

    Several terms of one order are summed, a negative order is the conjugate of its positive one.

    Parameters
    ----------
    segment : Segment
        No rates, whole orders.

    Raises
    ------
    NotStationaryError
        If a term decays, has an own frequency, or an order that is no whole number, or there is a block.
    """
    order = segment.order.astype(np.int64)
    # Counting is several times faster than any() on arrays of this size.
    if (
        segment.block is not None
        or np.count_nonzero(segment.rate)
        or np.count_nonzero(order != segment.order)
    ):
        raise NotStationaryError(
            f"the segment at {segment.start_ns} ns has samples or terms that are no harmonics; use "
            "measure_window or half_cycle_rms, which take any"
        )
    phasor = np.multiply(segment.amplitude, _SQRT1_2, order="C")
    if order[0] < 0 or np.count_nonzero(order[1:] <= order[:-1]):
        phasor = np.where(order < 0, phasor.conj(), phasor)
        order, column = np.unique(np.abs(order), return_inverse=True)
        folded = np.zeros((phasor.shape[0], order.size), np.complex128)
        for k, slot in enumerate(column):
            folded[:, slot] += phasor[:, k]
        phasor = folded
    if order[0] == 0:
        phasor[:, 0] = phasor[:, 0].real * _SQRT2
    return SteadyPhasors(order, phasor, segment.frequency)


def measure_window(signal: Signal, start: Instant, end: Instant, *, orders: int = 64) -> WindowMeasure:
    """Return the moments of any window: of terms in closed form, of blocks over their samples.

    Parameters
    ----------
    signal : Signal
        Six channels per meter, meter-major.
    start, end : Instant
        The window; it may straddle segments.
    orders : int
        Orders 0 .. orders - 1 of the spectrum.

    Returns
    -------
    WindowMeasure
        Its frequency is cycles of theta over time.

    Raises
    ------
    SignalRangeError
        If the window is empty or not inside the signal.
    """
    gram, rows, frequency = window_moments(signal, start, end, channels=CHANNELS, orders=orders)
    spectrum = rows.reshape(gram.shape[0], CHANNELS, orders)
    return WindowMeasure(_known(spectrum, frequency), gram, spectrum)


def measure_samples(
    samples: NDArray[np.float64],
    *,
    samples_per_cycle: int,
    cycles: int,
    frequency: float,
    theta: float = 0.0,
    orders: int | None = None,
) -> WindowMeasure:
    """Return the moments of sampled channels over whole cycles.

    RMS and power are means of products of samples (IEC 61000-4-30 5.2.1), harmonics the bins of a
    rectangular window that lie on orders of the fundamental (IEC 61000-4-7 5).

    Parameters
    ----------
    samples : ndarray, shape (meters * 6, samples_per_cycle * cycles)
        Channels at equal steps of theta [V or A].
    samples_per_cycle : int
        Samples per cycle of theta.
    cycles : int
        Cycles in the window.
    frequency : float
        What the sampling is locked to [Hz].
    theta : float
        Phase at the first sample [rad].
    orders : int, optional
        Orders 0 .. orders - 1; without it 64, or what stays below half the sampling rate.

    Returns
    -------
    WindowMeasure
        Moments of the samples; aliases are where a meter would see them.

    Raises
    ------
    ValueError
        If the samples are not whole cycles, or an order reaches half the sampling rate.
    """
    from twin.metrology.kernels import products  # noqa: PLC0415

    rows, count = samples.shape
    below = (samples_per_cycle + 1) // 2
    orders = min(64, below) if orders is None else orders
    if count != samples_per_cycle * cycles or rows % CHANNELS:
        raise ValueError(
            f"{rows} x {count} samples are not meters of six channels over {cycles} cycles of "
            f"{samples_per_cycle}; pass whole cycles"
        )
    if orders > below:
        raise ValueError(
            f"order {orders - 1} is not below half of {samples_per_cycle} samples per cycle; "
            f"ask for at most {below} orders"
        )
    meters = rows // CHANNELS
    gram = np.empty((meters, CHANNELS, CHANNELS))
    products(np.ascontiguousarray(samples), 1.0 / count, gram)
    bins = np.fft.rfft(samples, axis=1)[:, : orders * cycles : cycles] / count
    bins[:, 1:] *= np.sqrt(2.0) * np.exp(-1j * theta * np.arange(1, orders))
    spectrum = bins.reshape(meters, CHANNELS, orders)
    return WindowMeasure(_known(spectrum, frequency), gram, spectrum)


def _known(spectrum: NDArray[np.complex128], frequency: float) -> NDArray[np.float64]:
    """Return the frequency of each meter, NaN where no phase has a voltage to measure it on."""
    out = np.full(spectrum.shape[0], frequency)
    if spectrum.shape[2] > 1:
        out[(np.abs(spectrum[:, :3, 1]) <= NEGLIGIBLE).all(axis=1)] = np.nan
    return out

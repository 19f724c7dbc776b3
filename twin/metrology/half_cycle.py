"""URMS(1/2): the RMS over one cycle, refreshed each half cycle.

IEC 61000-4-30 5.4.1 lets each channel commence at its own fundamental zero crossing. Here all channels of
a site share one lattice: value ``k`` is the window of one cycle of theta that ends at ``theta = k pi``.
Half cycles are counted from ``theta = 0`` of the first segment of the signal, and on through its
boundaries, however the later segments reduce their theta.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Instant, Segment, Signal
from twin.signals import SignalRangeError, instant_of_theta, on_lattice, pieces, theta_at

TWO_PI = 2.0 * math.pi


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """A segment with the half cycles that end in it."""

    segment: Segment
    stop_ns: int
    turns: int
    """Whole turns to add to the segment's theta to continue the count of the signal."""
    first: int
    """First half cycle that ends in it."""
    after: int
    """First half cycle that ends later."""


def _stretches(signal: Signal) -> list[_Stretch]:
    """Return the segments with their share of the lattice; every half cycle falls into exactly one."""
    out: list[_Stretch] = []
    theta = signal.segments[0].theta
    turns = 0
    for index, segment in enumerate(signal.segments):
        last = index + 1 == len(signal.segments)
        stop = signal.end_ns if last else signal.segments[index + 1].start_ns
        following = theta_at(segment, stop) + TWO_PI * turns
        following_turns = 0
        if not last:
            own = signal.segments[index + 1].theta
            following_turns = round((following - own) / TWO_PI)
            following = own + TWO_PI * following_turns
        after = math.floor(following / math.pi) + 1 if last else math.ceil(following / math.pi)
        out.append(_Stretch(segment, stop, turns, math.ceil(theta / math.pi), after))
        theta, turns = following, following_turns
    return out


def half_cycle_number(signal: Signal, ns: int) -> int:
    """Return the number of the last half cycle that has ended at ``ns`` [UTC ns].

    Raises
    ------
    SignalRangeError
        If the signal does not cover ``ns``.
    """
    for stretch in _stretches(signal):
        if stretch.segment.start_ns <= ns <= stretch.stop_ns:
            return math.floor((theta_at(stretch.segment, ns) + TWO_PI * stretch.turns) / math.pi)
    raise SignalRangeError(f"the signal does not cover {ns} ns; ask for a time inside it")


def half_cycle_instants(signal: Signal, first: int, count: int) -> list[Instant]:
    """Return when the half cycles ``first`` .. ``first + count - 1`` end.

    Raises
    ------
    SignalRangeError
        If one of them does not end inside the signal.
    """
    out: list[Instant] = []
    for stretch in _stretches(signal):
        segment = stretch.segment
        for k in range(max(first, stretch.first), min(first + count, stretch.after)):
            found = instant_of_theta(segment, k * math.pi - TWO_PI * stretch.turns)
            out.append(min(max(found, Instant(segment.start_ns)), Instant(stretch.stop_ns)))
    if len(out) < count:
        raise SignalRangeError(
            f"half cycles {first} to {first + count - 1} do not all end inside the signal "
            f"{signal.segments[0].start_ns}..{signal.end_ns} ns; give it more time before or after"
        )
    return out


def half_cycle_rms(
    signal: Signal, first: int, count: int, *, channels: slice | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return RMS values over one cycle, refreshed each half cycle, in closed form.

    Where a segment carries a block, the squares are summed over the block's samples.

    Parameters
    ----------
    signal : Signal
        It must cover one cycle before the first value; windows may straddle segments.
    first : int
        Number of the first value: its window ends at ``theta = first x pi``.
    count : int
        How many values.
    channels : slice, optional
        Rows of the signal; all without it.

    Returns
    -------
    ends_ns : ndarray of int64, shape (count,)
        End of each window, UTC, to the nearest ns.
    rms : ndarray, shape (channels, count)
        [V or A].

    Raises
    ------
    SignalRangeError
        If a window does not lie inside the signal, or a block does not cover its segment.

    References
    ----------
    IEC 61000-4-30:2015, 3.30 and 5.4.1.
    """
    from twin.signals.block_kernels import add_weighted_gram  # noqa: PLC0415
    from twin.signals.kernels import add_gram  # noqa: PLC0415

    rows = channels or slice(None)
    edges = half_cycle_instants(signal, first - 2, count + 2)
    squares = np.zeros((count + 1, len(signal.channels[rows]), 1, 1))  # integral over each half cycle
    amplitudes: dict[int, NDArray[np.complex128]] = {}
    for half in range(count + 1):
        for piece in pieces(signal, edges[half], edges[half + 1]):
            segment = piece.segment
            if segment.block is not None:
                part = on_lattice(piece, rows)
                add_weighted_gram(part.values, part.weight, part.step_s, squares[half])
                continue
            amplitude = amplitudes.get(segment.start_ns)
            if amplitude is None:
                amplitude = amplitudes[segment.start_ns] = np.ascontiguousarray(segment.amplitude[rows])
            # Groups of one channel: the mean products are the squares alone.
            add_gram(
                amplitude,
                segment.order,
                segment.rate,
                segment.theta,
                segment.frequency,
                piece.span,
                piece.length * 1e-9,
                squares[half],
            )
    ns = np.array([edge.ns for edge in edges], np.int64)
    fraction = np.array([edge.fraction for edge in edges])
    length = ((ns[2:] - ns[:-2]) + (fraction[2:] - fraction[:-2])) * 1e-9
    integral = squares[:-1, :, 0, 0] + squares[1:, :, 0, 0]
    # Rounding can leave a dead channel a hair below zero.
    mean = np.maximum(integral, 0.0) / length[:, np.newaxis]
    return ns[2:] + np.rint(fraction[2:]).astype(np.int64), np.ascontiguousarray(np.sqrt(mean).T)


def half_cycle_rms_samples(samples: NDArray[np.float64], *, samples_per_cycle: int) -> NDArray[np.float64]:
    """Return RMS values over one cycle, refreshed each half cycle, from samples.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        At equal steps of theta, the first at a multiple of pi [V or A].
    samples_per_cycle : int
        Even, so that a half cycle is a whole number of samples.

    Returns
    -------
    ndarray, shape (channels, n // (samples_per_cycle / 2) - 1)
        [V or A]; the first window is the first cycle.

    Raises
    ------
    ValueError
        If ``samples_per_cycle`` is odd.

    References
    ----------
    IEC 61000-4-30:2015, 5.4.1.
    """
    half, odd = divmod(samples_per_cycle, 2)
    if odd:
        raise ValueError(f"{samples_per_cycle} samples per cycle make no half cycle; use an even number")
    count = samples.shape[1] // half
    squares = (samples[:, : count * half] ** 2).reshape(samples.shape[0], count, half).sum(axis=2)
    rms: NDArray[np.float64] = np.sqrt((squares[:, :-1] + squares[:, 1:]) / samples_per_cycle)
    return rms

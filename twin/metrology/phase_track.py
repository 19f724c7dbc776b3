"""The phase of the fundamental in sampled stretches, followed by a sliding transform.

The transform of a quarter cycle of theta is taken once; six in a row, weighted 1 3 4 4 3 1, are the mean of
three one-cycle transforms a quarter cycle apart (1 2 1). One cycle suppresses harmonics of theta; the mean
suppresses the image at minus the fundamental that is left where the signal's own frequency is not that of
theta. The phase so found every quarter cycle is unwrapped and followed linearly in between.

Where the magnitude of the transform falls by a tenth of what it is within a cycle and a half, an event
cuts the window: its phase is not that of the fundamental, and the cycles around it do not count.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Instant
from twin.metrology.measure import NEGLIGIBLE
from twin.signals import Piece, on_lattice, theta_at

TWO_PI = 2.0 * math.pi
EDGE = 3
"""Quarter cycles from the middle of the window to its ends."""
SMOOTHING = np.array([1.0, 3.0, 4.0, 4.0, 3.0, 1.0]) / 16.0
FALL = 0.1
"""Loss of magnitude that marks an event within the window."""


def tracked_crossings(parts: list[Piece], channel: int) -> Iterator[tuple[Instant, Instant, int]]:
    """Yield first and last upward crossing and their number for each stretch with a steady fundamental.

    Parameters
    ----------
    parts : list of Piece
        Adjoining, each of a segment with a block.
    channel : int
        Row of the signal, the reference voltage.
    """
    head = parts[0]
    origin_ns, rest = head.segment.start_ns + head.span[0], head.span[1]
    theta = theta_at(head.segment, origin_ns) + TWO_PI * head.segment.frequency * rest * 1e-9
    edges_s, transform = _quarters(parts, channel)
    if transform.size < SMOOTHING.size:
        return
    phasor = np.convolve(transform, SMOOTHING, mode="valid")
    last = phasor.size - 1
    for begin, end in _steady(np.abs(phasor)):
        middle = np.arange(begin, end + 1)
        angle = np.unwrap(np.angle(phasor[begin : end + 1])) + theta + (middle + EDGE) * (math.pi / 2.0)
        place = edges_s[middle + EDGE]
        # Nothing is known beyond the first and the last window but that the phase goes on as it did.
        if begin == 0:
            angle, place = _extended(angle, place, edges_s[0], at=0)
        if end == last:
            angle, place = _extended(angle, place, edges_s[-1], at=-1)
        turns = (angle + math.pi / 2.0) / TWO_PI
        crossing = np.arange(math.ceil(turns[0]), math.floor(turns[-1]) + 1)
        if crossing.size:
            found = np.interp(crossing[[0, -1]], turns, place)
            yield _instant(origin_ns, rest, found[0]), _instant(origin_ns, rest, found[1]), crossing.size


def _quarters(parts: list[Piece], channel: int) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Return the edges of quarter cycles [s after the first], then the end, and the transform of each.

    The transforms are RMS phasors relative to theta.
    """
    from twin.signals.block_kernels import add_weighted_spectrum  # noqa: PLC0415

    rows = slice(channel, channel + 1)
    edges = [0.0]
    transform: list[complex] = []
    planes = np.zeros((2, 2, 1))
    filled = 0.0  # of the quarter cycle that is open
    opened_s = base_s = 0.0
    for piece in parts:
        segment = piece.segment
        quarter_ns = NS_PER_SECOND / (4.0 * segment.frequency)
        available, done = piece.length / quarter_ns, 0.0
        while available - done > 1e-9:
            take = min(1.0 - filled, available - done)
            part = on_lattice(_cut(piece, done * quarter_ns, take * quarter_ns), rows)
            add_weighted_spectrum(
                part.values, part.weight, segment.theta, segment.frequency, part.lattice, part.step_s, planes
            )
            done, filled = done + take, filled + take
            if filled > 1.0 - 1e-9:
                now_s = base_s + done * quarter_ns / NS_PER_SECOND
                transform.append(complex(planes[0, 1, 0], planes[1, 1, 0]) / (now_s - opened_s))
                edges.append(now_s)
                opened_s, filled = now_s, 0.0
                planes[:] = 0.0
        base_s += piece.length / NS_PER_SECOND
    return np.array([*edges, base_s]), np.array(transform)


def _cut(piece: Piece, begin: float, length: float) -> Piece:
    """Return the part of a piece that begins ``begin`` after it [ns]."""
    whole, duration = math.floor(begin), math.floor(length)
    return Piece(
        piece.segment,
        (piece.span[0] + whole, piece.span[1] + begin - whole, duration, length - duration),
    )


def _steady(size: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return first and last index of each run of windows that no event cuts, of two windows or more."""
    reach = 2 * EDGE
    around = np.pad(size, reach)
    most = np.lib.stride_tricks.sliding_window_view(around, 2 * reach + 1).max(axis=1)
    disturbed = (size < (1.0 - FALL) * most) | (size <= NEGLIGIBLE)
    # A window that loses less than a tenth may be cut all the same: its neighbours tell.
    near = np.lib.stride_tricks.sliding_window_view(np.pad(disturbed, EDGE), 2 * EDGE + 1).any(axis=1)
    step = np.diff(np.concatenate([[True], near, [True]]).astype(np.int8))
    begins, ends = np.flatnonzero(step == -1), np.flatnonzero(step == 1) - 1
    return [(int(a), int(b)) for a, b in zip(begins, ends, strict=True) if b > a]


def _extended(
    angle: NDArray[np.float64], place: NDArray[np.float64], to: float, *, at: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a track with one more point before its first (``at`` 0) or after its last (-1), in line."""
    a, b = (0, 1) if at == 0 else (-2, -1)
    slope = (angle[b] - angle[a]) / (place[b] - place[a])
    value = angle[at] + slope * (to - place[at])
    if at == 0:
        return np.concatenate([[value], angle]), np.concatenate([[to], place])
    return np.concatenate([angle, [value]]), np.concatenate([place, [to]])


def _instant(origin_ns: int, rest: float, after_s: float) -> Instant:
    """Return the instant ``after_s`` after an origin [s]."""
    after = after_s * NS_PER_SECOND + rest
    whole = math.floor(after)
    return Instant(origin_ns + whole, after - whole)

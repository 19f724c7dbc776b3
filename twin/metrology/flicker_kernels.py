"""Compiled loops of the flickermeter: squaring with decimation, the weighting chain, the classifier.

Channels are the first axis; every state array is changed in place, so that blocks of any size follow each
other. `twin.metrology.flicker` makes the coefficients and says what each section is.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

F2 = types.Array(types.float64, 2, "C", readonly=True)
FA2 = types.Array(types.float64, 2, "A", readonly=True)
OUT3 = types.Array(types.float64, 3, "C")
OUT2 = types.Array(types.float64, 2, "C")
OUT1 = types.Array(types.float64, 1, "C")
IOUT2 = types.Array(types.int64, 2, "C")
IOUT1 = types.Array(types.int64, 1, "C")
i64, f64 = types.int64, types.float64

DEAD = 1e-18
"""A mean square below this is rounding, not a voltage [V2]."""
SECTIONS = 7
"""Second-order sections, the last of them after the squaring multiplier."""
LANES = 8
"""Channels that run side by side."""
BLOCK = 64
"""Values that are laid out by lanes at a time."""


@njit(types.void(FA2, i64, i64, OUT1, OUT2), cache=True, nogil=True)
def mean_squares(samples: Float, ratio: int, filled: int, partial: Float, out: Float) -> None:
    """Fill means of ``ratio`` consecutive squares; ``filled`` squares are in ``partial`` already."""
    for c in range(samples.shape[0]):
        total, have, slot = partial[c], filled, 0
        for n in range(samples.shape[1]):
            total += samples[c, n] * samples[c, n]
            have += 1
            if have == ratio:
                out[c, slot] = total / ratio
                total, have, slot = 0.0, 0, slot + 1
        partial[c] = total


@njit(inline="always")
def section(x: float, k: int, j: int, sections: Float, held: Float) -> float:
    """Return what section k makes of a value, in transposed direct form II."""
    y: float = sections[k, 0] * x + held[2 * k, j]
    held[2 * k, j] = sections[k, 1] * x - sections[k, 3] * y + held[2 * k + 1, j]
    held[2 * k + 1, j] = sections[k, 2] * x - sections[k, 4] * y
    return y


@njit(inline="always")
def weigh_lanes(x: Float, adapt: float, sections: Float, lanes: int, held: Float) -> None:
    """Replace squared voltages by the sensation that they complete, one of each channel."""
    for j in range(lanes):
        average = held[2 * SECTIONS, j] + adapt * (x[j] - held[2 * SECTIONS, j])
        held[2 * SECTIONS, j] = average
        dead = average <= DEAD
        value = 1.0 if dead else x[j] / average
        value = section(value, 0, j, sections, held)
        value = section(value, 1, j, sections, held)
        value = section(value, 2, j, sections, held)
        value = section(value, 3, j, sections, held)
        value = section(value, 4, j, sections, held)
        value = section(value, 5, j, sections, held)
        value = section(value * value, 6, j, sections, held)
        x[j] = math.nan if dead else value


@njit(types.void(F2, f64, F2, i64, OUT1, OUT3, OUT2), cache=True, nogil=True)
def weigh(
    squares: Float, adapt: float, sections: Float, lanes: int, mean: Float, state: Float, pinst: Float
) -> None:
    """Fill the instantaneous flicker sensation.

    Eight channels run side by side, each in its own lane, as a processor's vectors do; the arithmetic of a
    channel does not depend on the others.

    Parameters
    ----------
    squares : ndarray, shape (channels, n)
        Squared voltage at the internal rate [V2].
    adapt : float
        Step of the input adaptor, 1 - exp(-T / 27.3 s).
    sections : ndarray, shape (7, 5)
        b0 b1 b2 a1 a2; the last follows the squaring multiplier, the others precede it.
    lanes : int
        `LANES`: as a constant it would unroll the loops along the lanes.
    mean : ndarray, shape (channels,)
        State of the input adaptor [V2].
    state : ndarray, shape (channels, 7, 2)
        Of the sections, transposed direct form II.
    pinst : ndarray, shape (channels, n)
        NaN where there is no voltage.
    """
    channels, count = squares.shape
    held, block = np.empty((2 * SECTIONS + 1, LANES)), np.empty((BLOCK, LANES))
    for first in range(0, channels, LANES):
        used = min(LANES, channels - first)
        for j in range(LANES):
            c = first + min(j, used - 1)  # idle lanes repeat the last channel
            held[2 * SECTIONS, j] = mean[c]
            for k in range(SECTIONS):
                held[2 * k, j], held[2 * k + 1, j] = state[c, k, 0], state[c, k, 1]
        for begin in range(0, count, BLOCK):
            size = min(BLOCK, count - begin)
            for j in range(LANES):
                c = first + min(j, used - 1)
                for n in range(size):
                    block[n, j] = squares[c, begin + n]
            for n in range(size):
                weigh_lanes(block[n], adapt, sections, lanes, held)
            for j in range(used):
                for n in range(size):
                    pinst[first + j, begin + n] = block[n, j]
        for j in range(used):
            mean[first + j] = held[2 * SECTIONS, j]
            for k in range(SECTIONS):
                state[first + j, k, 0], state[first + j, k, 1] = held[2 * k, j], held[2 * k + 1, j]


@njit(types.void(F2, f64, f64, IOUT2, IOUT1, OUT1), cache=True, nogil=True)
def classify(
    pinst: Float, lowest: float, per_decade: float, counts: Int, unknown: Int, highest: Float
) -> None:
    """Count values into logarithmic classes from 10 ** ``lowest``, NaN apart; keep the largest."""
    classes = counts.shape[1]
    for c in range(pinst.shape[0]):
        for n in range(pinst.shape[1]):
            value = pinst[c, n]
            if math.isnan(value):
                unknown[c] += 1
                continue
            slot = 0
            if value > 0.0:
                slot = int(max(0.0, min((math.log10(value) - lowest) * per_decade, classes - 1.0)))
            counts[c, slot] += 1
            highest[c] = max(highest[c], value)

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


@njit(types.void(F2, f64, F2, OUT1, OUT3, OUT2), cache=True, nogil=True)
def weigh(squares: Float, adapt: float, sections: Float, mean: Float, state: Float, pinst: Float) -> None:
    """Fill the instantaneous flicker sensation.

    Parameters
    ----------
    squares : ndarray, shape (channels, n)
        Squared voltage at the internal rate [V2].
    adapt : float
        Step of the input adaptor, 1 - exp(-T / 27.3 s).
    sections : ndarray, shape (sections, 5)
        b0 b1 b2 a1 a2; the last follows the squaring multiplier, the others precede it.
    mean : ndarray, shape (channels,)
        State of the input adaptor [V2].
    state : ndarray, shape (channels, sections, 2)
        Of the sections, transposed direct form II.
    pinst : ndarray, shape (channels, n)
        NaN where there is no voltage.
    """
    last = sections.shape[0] - 1
    for c in range(squares.shape[0]):
        average = mean[c]
        for n in range(squares.shape[1]):
            average += adapt * (squares[c, n] - average)
            dead = average <= DEAD
            x = 1.0 if dead else squares[c, n] / average
            for k in range(last + 1):
                if k == last:
                    x *= x
                y = sections[k, 0] * x + state[c, k, 0]
                state[c, k, 0] = sections[k, 1] * x - sections[k, 3] * y + state[c, k, 1]
                state[c, k, 1] = sections[k, 2] * x - sections[k, 4] * y
                x = y
            pinst[c, n] = math.nan if dead else x
        mean[c] = average


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

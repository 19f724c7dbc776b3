"""Compiled loop of the transient detector: each sample against the same one of the cycle before."""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

FA2 = types.Array(types.float64, 2, "A", readonly=True)
OUT2 = types.Array(types.float64, 2, "C")
OUT1 = types.Array(types.float64, 1, "C")
IOUT1 = types.Array(types.int64, 1, "C")
i64, f64 = types.int64, types.float64


@njit(types.void(FA2, i64, f64, i64, IOUT1, OUT1, OUT2), cache=True, nogil=True)
def deviations(
    values: Float, cycle: int, threshold: float, consecutive: int, run: Int, peak: Float, out: Float
) -> None:
    """Fill how far samples deviate that are part of a long enough run of deviating ones, else 0.

    Parameters
    ----------
    values : ndarray, shape (channels, 2 * cycle + n)
        Two cycles of memory, NaN where there is none yet, and the new samples [V or A].
    cycle : int
        Samples per cycle.
    threshold : float
        A sample deviates if it differs by more from that of the cycle before, and is no echo: the cycle
        before that does not agree with it either [V or A].
    consecutive : int
        Length of a run from which on it counts.
    run, peak : ndarray, shape (channels,)
        Length and largest deviation of the run in progress.
    out : ndarray, shape (channels, n)
        Largest deviation of the run so far [V or A].
    """
    for c in range(out.shape[0]):
        for n in range(out.shape[1]):
            x = values[c, n + 2 * cycle]
            deviation = abs(x - values[c, n + cycle])
            earlier = abs(x - values[c, n])
            if deviation > threshold and (math.isnan(earlier) or earlier > threshold):
                run[c] += 1
                peak[c] = max(peak[c], deviation)
            else:
                run[c] = 0
                peak[c] = 0.0
            out[c, n] = peak[c] if run[c] >= consecutive else 0.0

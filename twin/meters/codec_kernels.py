"""Compiled codec: the quantities of many meters become register words at once."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Words = NDArray[np.uint16]

WHOLE, FLOAT, ENERGY = 0, 1, 2
"""What a register holds: a rounded number, a float, completed units of energy."""


@njit(cache=True, nogil=True, error_model="numpy")
def encode_rows(
    values: Float,
    factor: Float,
    rows: Int,
    place: Int,
    column: Int,
    kind: Int,
    at: Int,
    size: Int,
    low: Float,
    high: Float,
    tolerance: float,
    rollover: float,
    out: Words,
) -> None:
    """Encode quantities of some meters.

    Parameters
    ----------
    values : ndarray, shape (places, columns)
        Quantities; NaN where there is none.
    factor : ndarray, shape (meters, registers)
        Counts, or units of the float, per unit of the quantity.
    rows : ndarray of int64
        Meters to encode.
    place : ndarray of int64, shape (meters,)
        Row of ``values`` that is each meter's.
    column : ndarray of int64, shape (registers,)
        Column of ``values`` that is each register's.
    kind, at, size : ndarray of int64, shape (registers,)
        `WHOLE`, `FLOAT` or `ENERGY`; place of the first word; 1 or 2 words.
    low, high : ndarray, shape (registers,)
        Bounds of the raw value.
    tolerance : float
        An energy this close below a whole count has reached it [counts].
    rollover : float
        Count at which an energy begins anew.
    out : ndarray of uint16, shape (meters, words)
        Changed in place, nowhere but in the words of these registers.

    See Also
    --------
    twin.meters.codec.BlockCodec.encode : the same for one meter, and the rules.
    """
    single = np.empty(1, np.float32)
    bits = single.view(np.uint32)
    largest = float(np.finfo(np.float32).max)
    for row in rows:
        for k in range(kind.size):
            count = values[place[row], column[k]] * factor[row, k]
            count = 0.0 if math.isnan(count) else min(max(count, -largest), largest)
            if kind[k] == FLOAT:
                single[0] = count
                raw = np.int64(bits[0])
            elif kind[k] == ENERGY:
                completed = np.fmod(np.floor(abs(count) + tolerance), rollover)
                raw = np.int64(math.copysign(completed, count))
            else:
                raw = np.int64(min(max(np.rint(count), low[k]), high[k]))
            if size[k] == 2:
                out[row, at[k]] = np.uint16(raw >> 16 & 0xFFFF)
                out[row, at[k] + 1] = np.uint16(raw & 0xFFFF)
            else:
                out[row, at[k]] = np.uint16(raw & 0xFFFF)

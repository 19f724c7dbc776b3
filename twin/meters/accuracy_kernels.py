"""Compiled front-end errors: what a stretch of signal becomes behind imperfect inputs."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Columns of the table of input errors, one row per channel.
NOMINAL, RATIO, RATIO_LOW, PHASE, PHASE_LOW, KNEE, OFFSET = range(7)
COLUMNS = 7


@njit(cache=True, nogil=True, error_model="numpy")
def distort(
    amplitude: Complex, sign: Float, constant: int, scale: Float, errors: Float, out: Complex, bound: Float
) -> None:
    """Scale the terms of a segment and give them the errors that their channel has at its level.

    Parameters
    ----------
    amplitude : ndarray, shape (rows, terms)
        Primary peak amplitudes [V or A].
    sign : ndarray, shape (terms,)
        1 where a term turns forward, -1 backward, 0 where it does not turn.
    constant : int
        Term that takes the offset; -1 for a term of its own in front, which ``out`` then has.
    scale : ndarray, shape (rows, 1)
        Secondary over primary.
    errors : ndarray, shape (rows, 7)
        By column: nominal value, ratio error and what low load adds, phase displacement and what low load
        adds [rad], knee of both as a multiple of nominal, offset.
    out : ndarray, shape (rows, terms) or (rows, 1 + terms)
        Secondary peak amplitudes.
    bound : ndarray, shape (rows,)
        What no instant exceeds if no term grows; by the largest term and Cauchy's inequality for the others.
    """
    rows, terms = amplitude.shape
    shift = 1 if constant < 0 else 0
    for r in range(rows):
        s = scale[r, 0]
        square = largest = total = 0.0
        for k in range(terms):
            a = amplitude[r, k]
            size = a.real * a.real + a.imag * a.imag
            total += size
            largest = max(largest, size)
            square += size if sign[k] == 0.0 else 0.5 * size
        x = math.sqrt(square) * abs(s)
        low = errors[r, KNEE] / (errors[r, KNEE] + x / errors[r, NOMINAL])
        ratio = s * (1.0 + (errors[r, RATIO] + errors[r, RATIO_LOW] * low))
        phase = errors[r, PHASE] + errors[r, PHASE_LOW] * low
        real, imag = ratio * math.cos(phase), ratio * math.sin(phase)
        for k in range(terms):
            a = amplitude[r, k]
            if sign[k] == 0.0:
                out[r, k + shift] = complex(a.real * ratio, a.imag * ratio)
            else:
                turn = imag * sign[k]
                out[r, k + shift] = complex(a.real * real - a.imag * turn, a.imag * real + a.real * turn)
        if shift:
            out[r, 0] = errors[r, OFFSET]
        else:
            out[r, constant] += errors[r, OFFSET]
        rest = math.sqrt((terms - 1) * max(total - largest, 0.0)) if terms > 1 else 0.0
        bound[r] = abs(ratio) * (math.sqrt(largest) + rest) + abs(errors[r, OFFSET])

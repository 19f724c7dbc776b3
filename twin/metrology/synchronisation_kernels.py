"""Compiled loops of the lock on the grid: phasors of the reference, and samples between samples."""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Int = NDArray[np.int64]

F1 = types.Array(types.float64, 1, "C", readonly=True)
FA1 = types.Array(types.float64, 1, "A", readonly=True)
FA2 = types.Array(types.float64, 2, "A", readonly=True)
I1 = types.Array(types.int64, 1, "C", readonly=True)
COUT1 = types.Array(types.complex128, 1, "C")
OUT2 = types.Array(types.float64, 2, "C")
i64, f64 = types.int64, types.float64

# Blackman-Harris window with four terms, side lobes at -92 dB (Harris 1978).
A0, A1, A2, A3 = 0.35875, 0.48829, 0.14128, 0.01168


@njit(types.void(FA1, F1, F1, I1, I1, COUT1), cache=True, nogil=True)
def reference_phasors(
    samples: Float, theta: Float, centre: Float, first: Int, after: Int, out: Complex
) -> None:
    """Fill peak phasors relative to theta, weighted with cos^4 over two cycles to either side.

    Parameters
    ----------
    samples, theta : ndarray, shape (n,)
        Reference and the phase that it is compared with [rad].
    centre : ndarray, shape (nodes,)
        Theta at the middle of each window [rad].
    first, after : ndarray of int64, shape (nodes,)
        Samples of each window: theta within 4 pi of the middle.
    out : ndarray of complex128, shape (nodes,)
        2 sum(w x exp(-j theta)) / sum(w).
    """
    for node in range(out.shape[0]):
        real = imag = total = 0.0
        for n in range(first[node], after[node]):
            square = math.cos((theta[n] - centre[node]) / 8.0) ** 2
            weight = square * square
            total += weight
            real += weight * samples[n] * math.cos(theta[n])
            imag -= weight * samples[n] * math.sin(theta[n])
        out[node] = complex(2.0 * real / total, 2.0 * imag / total)


@njit(types.void(FA2, F1, i64, f64, OUT2), cache=True, nogil=True)
def interpolate(samples: Float, position: Float, half: int, cutoff: float, out: Float) -> None:
    """Fill values between samples by a windowed sinc.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        Uniform in time.
    position : ndarray, shape (m,)
        Where the values lie, at least ``half`` samples inside [samples].
    half : int
        Samples on either side.
    cutoff : float
        Share of half the sample rate that passes, 1 or less.
    out : ndarray, shape (channels, m)
        Values; the weights of each add to one.
    """
    weights = np.empty(2 * half)
    turn_sin, turn_cos = math.sin(math.pi * cutoff), math.cos(math.pi * cutoff)
    step_sin, step_cos = math.sin(math.pi / half), math.cos(math.pi / half)
    for m in range(position.shape[0]):
        start = math.floor(position[m]) - half + 1
        distance = position[m] - start  # falls by one from tap to tap
        s, c = math.sin(math.pi * cutoff * distance), math.cos(math.pi * cutoff * distance)
        ws, wc = math.sin(math.pi * distance / half), math.cos(math.pi * distance / half)
        total = 0.0
        for k in range(2 * half):
            x = distance - k
            sinc = s / (math.pi * x) if abs(x) > 1e-9 else cutoff
            window = A0 + A1 * wc + A2 * (2.0 * wc * wc - 1.0) + A3 * (4.0 * wc * wc - 3.0) * wc
            weights[k] = sinc * window
            total += weights[k]
            s, c = s * turn_cos - c * turn_sin, c * turn_cos + s * turn_sin
            ws, wc = ws * step_cos - wc * step_sin, wc * step_cos + ws * step_sin
        for channel in range(samples.shape[0]):
            value = 0.0
            for k in range(2 * half):
                value += weights[k] * samples[channel, start + k]
            out[channel, m] = value / total

"""Compiled flux of current transformers: an implicit trapezoidal rule, one Newton solution a step."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]
_ITERATIONS = 100
_TOLERANCE = 1e-13


@njit(cache=True, nogil=True)
def excitation(flux: float, limit_flux: float, limit_current: float, exponent: float) -> float:
    """Return the exciting current of the saturating core, odd in the flux [A]."""
    return math.copysign(limit_current * (abs(flux) / limit_flux) ** exponent, flux)


@njit(cache=True, nogil=True, error_model="numpy")
def saturate(current: Float, step: float, core: Float, flux: Float, out: Float, linkage: Float) -> None:
    """Solve d(flux)/dt = R (i - i_e(flux)) - (flux - rest) / T, and pass on i - i_e(flux).

    Parameters
    ----------
    current : ndarray, shape (rows, samples)
        Primary current over the ratio [A].
    step : float
        Distance of two samples [s].
    core : ndarray, shape (rows, 6)
        By column: loop resistance R [ohm], limit flux [Wb], exciting current at it [A], exponent, time
        constant T [s], flux at rest [Wb].
    flux : ndarray, shape (rows,)
        At the first sample [Wb].
    out, linkage : ndarray, shape (rows, samples)
        Secondary current [A], flux linkage [Wb].
    """
    half = 0.5 * step
    for r in range(current.shape[0]):
        resistance, limit, peak, exponent, slow, rest = core[r]
        x = flux[r]
        excited = excitation(x, limit, peak, exponent)
        linkage[r, 0], out[r, 0] = x, current[r, 0] - excited
        for k in range(1, current.shape[1]):
            known = x * (1.0 - half / slow) + step * rest / slow
            known += half * resistance * (current[r, k - 1] + current[r, k] - excited)
            # The left side grows steeper than a line away from zero: from beyond, Newton goes straight down.
            lean = 1.0 + half / slow
            y = known / lean
            for _ in range(_ITERATIONS):
                excited = excitation(y, limit, peak, exponent)
                miss = lean * y + half * resistance * excited - known
                slope = lean + half * resistance * exponent * excited / y if y != 0.0 else lean
                change = miss / slope
                y -= change
                if abs(change) <= _TOLERANCE * limit:
                    break
            x = y
            excited = excitation(x, limit, peak, exponent)
            linkage[r, k], out[r, k] = x, current[r, k] - excited

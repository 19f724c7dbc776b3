"""Zeros of a sum of exponentials, none missed."""

from math import hypot, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from twin.grid.transients.errors import CircuitError
from twin.grid.transients.terms import Terms

Complex = NDArray[np.complex128]

_STEPS = 100_000


def next_zero(
    terms: Terms, row: int, after: float, *, until: float = inf, scale: float = 0.0
) -> float | None:
    """Find the first zero of one row at or after a time.

    From where the row is f with slope f', and where a bound M on |f''| holds from there on, no zero can lie
    nearer than the root of ``|f| - |f'| d - M d^2 / 2`` (without the slope where it leads away). Going there
    again and again approaches the first zero from the left, near it as Newton's method does, and can pass
    none: no sampling, no bracket.

    Parameters
    ----------
    terms
        The waveforms.
    row
        Which of them.
    after
        Where to start, in seconds from the terms' start [s].
    until
        Where to give up [s].
    scale
        A level of which 1e-12 is as good as zero; the row's own at ``after`` where that is larger. So a
        current that merely decays is zero in the end.

    Returns
    -------
    float or None
        Time of the zero [s], or None if there is none up to ``until`` or none at all.

    Raises
    ------
    CircuitError
        If the search does not end, which a component of very high frequency can cause.
    """
    s, start = terms.s, terms.start[row]
    used = start != 0.0
    s, start = s[used], start[used]
    if not len(s):
        return after
    time = after
    good = 1e-12 * max(float(np.abs(start * np.exp(s * time)).sum()), scale)
    for _ in range(_STEPS):
        value = start * np.exp(s * time)
        f, slope = float(value.real.sum()), float((s * value).real.sum())
        size = np.abs(value)
        if abs(f) <= good:
            return time
        if _never(s, value):
            return None
        bend = float((size * np.abs(s) ** 2).sum())
        towards = max(-slope if f > 0.0 else slope, 0.0)
        step = 2.0 * abs(f) / (towards + hypot(towards, sqrt(2.0 * bend * abs(f))))
        if time + step == time:
            return time
        time += step
        if time > until:
            return None
    raise CircuitError(f"no current zero within {time:.6g} s and {_STEPS} steps: give the search an end")


def _never(s: Complex, value: Complex) -> bool:
    """Whether what does not decay is a constant that the rest can no longer reach."""
    lasting = s.real == 0.0
    constant = lasting & (s == 0.0)
    if (lasting & ~constant).any() or not constant.any():
        return False
    return bool(np.abs(value[~constant]).sum() < abs(float(value[constant].real.sum())))

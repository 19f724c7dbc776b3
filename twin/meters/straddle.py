"""How far displayed values can stray while a measuring window straddles one boundary.

With these bounds alarms need no look at a window that cannot move them. Between two stationary stretches of
equal frequency the signal of a window is that of ``before`` plus, behind the boundary, the difference ``d``
of the two. Over a window of whole cycles the RMS of that part is at most RMS(d), and so:

- RMS values stray by RMS(d) at most, by Minkowski's inequality, from either side;
- a mean product <v, i> strays by V RMS(di) + RMS(dv) I + RMS(dv) RMS(di), by that of Cauchy and Schwarz. A
  projection on harmonics and a turn by 90 degrees lengthen nothing: it holds for Budeanu's Q as well;
- a fundamental, or what remains beside it, strays by RMS(d), a sequence component by the mean over phases;
- what may fall below a pickup may read zero.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.meters.window import Conventions, WindowView

Float = NDArray[np.float64]

MARGIN: Final = 1e-9
"""Relative widening against rounding."""


def _both(before: Float, after: Float) -> Float:
    return np.ascontiguousarray(np.stack((before, after)))


def straddle_range(
    before: WindowView, after: WindowView, high: Float, conventions: Conventions
) -> tuple[Float, Float]:
    """Return lowest and highest value that any window over the boundary can show.

    Parameters
    ----------
    before, after : WindowView
        Steady views of the two sides; equal frequency.
    high : ndarray, shape (meters x 6,)
        Upper bound of `step_bound` over the boundary, the smaller RMS of the two sides plus RMS(d) [V or A].
    conventions : Conventions
        Of the meters.

    Returns
    -------
    lowest, highest : ndarray, shape (meters, 52)
        By column of ``quantities.NAMES``; infinite where nothing is known: demands, load type, reactive
        power by sqrt(S^2 - P^2), power factors by IEEE or of the fundamental.
    """
    from twin.meters.straddle_kernels import stray_bounds  # noqa: PLC0415

    one, two = before.reading, after.reading
    rms = np.stack((np.hstack((one.v, one.i)), np.hstack((two.v, two.i))))
    step = np.maximum(high.reshape(rms.shape[1:]) - rms.min(axis=0), 0.0)
    sequence = np.abs(
        [(side.v_negative, side.v_positive, side.i_negative, side.i_positive) for side in (one, two)]
    ).transpose(0, 2, 1)
    lowest, highest = np.full_like(before.values, -np.inf), np.full_like(before.values, np.inf)
    stray_bounds(
        rms,
        _both(one.vll, two.vll),
        _both(one.i_n, two.i_n),
        np.stack((np.stack((one.p, one.q_budeanu), axis=1), np.stack((two.p, two.q_budeanu), axis=1))),
        _both(one.harmonic[:, :, 1], two.harmonic[:, :, 1]),
        _both(one.thd, two.thd),
        np.ascontiguousarray(sequence),
        np.degrees(one.angle[:, 1]) % 360.0,
        step,
        conventions.general,
        ~(conventions.ieee | conventions.fundamental),
        lowest,
        highest,
    )
    frequencies = np.stack((before.values[:, 0], after.values[:, 0]))
    lowest[:, 0], highest[:, 0] = frequencies.min(axis=0), frequencies.max(axis=0)
    with np.errstate(invalid="ignore"):
        lowest -= MARGIN * np.abs(lowest)
        highest += MARGIN * np.abs(highest)
    return lowest, highest

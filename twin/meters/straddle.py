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

import numpy as np
from numpy.typing import NDArray

from twin.meters.window import Conventions, WindowView

Float = NDArray[np.float64]


def straddle_bounds(before: WindowView, after: WindowView, high: Float, conventions: Conventions) -> Float:
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
    ndarray, shape (2, meters, 52)
        Lowest and highest by column of ``quantities.NAMES``; infinite where nothing is known: demands, load
        type, reactive power by sqrt(S^2 - P^2), power factors by IEEE or of the fundamental, and all that
        is not wired 3LN with three transformers.
    """
    from twin.meters.straddle_kernels import stray_bounds  # noqa: PLC0415

    one, two = before.quantities, after.quantities
    bounds = np.empty((2, *before.values.shape))
    stray_bounds(
        one.real,
        two.real,
        one.sequence,
        two.sequence,
        one.harmonic,
        two.harmonic,
        before.values,
        after.values,
        high,
        conventions.fundamental,
        conventions.general,
        conventions.ieee,
        bounds,
    )
    bounds[0, conventions.wirings.special] = -np.inf
    bounds[1, conventions.wirings.special] = np.inf
    return bounds

"""The ITIC (CBEMA) curve of 2000: which voltage, for how long, equipment must ride through.

References
----------
ITI (CBEMA) Curve Application Note, Information Technology Industry Council, 2000: 500 % of nominal for
0.01 cycle, 200 % for 1 ms, 140 % for 3 ms, 120 % up to 0.5 s, 110 % beyond; 0 % for 20 ms, 70 % up to
0.5 s, 80 % up to 10 s, 90 % beyond.
"""

import math

import numpy as np

UPPER = (
    (0.01 / 60, 500.0),
    (1e-3, 200.0),
    (3e-3, 140.0),
    (3e-3, 120.0),
    (0.5, 120.0),
    (0.5, 110.0),
    (100.0, 110.0),
)
"""Corners of the upper limit: duration [s], RMS or peak equivalent in percent of nominal."""

LOWER = ((0.02, 0.0), (0.02, 70.0), (0.5, 70.0), (0.5, 80.0), (10.0, 80.0), (10.0, 90.0), (100.0, 90.0))
"""Corners of the lower limit: duration [s], percent of nominal."""

INSIDE = "inside"
"""No interruption of function is allowed."""
UNDER = "under"
"""No damage region: equipment may stop."""
OVER = "over"
"""Prohibited region: equipment may be damaged."""


def upper_limit(duration_s: float) -> float:
    """Return the highest voltage to be borne for ``duration_s`` seconds, in percent of nominal.

    Below 3 ms the limit is straight between its corners on the curve's own axes, time being logarithmic.
    A corner belongs to the more tolerant side.
    """
    if duration_s > 0.5:
        return 110.0
    if duration_s > 3e-3:
        return 120.0
    times, limits = zip(*UPPER[:3], strict=True)
    return float(np.interp(math.log(max(duration_s, times[0])), np.log(times), limits))


def lower_limit(duration_s: float) -> float:
    """Return the lowest voltage to be borne for ``duration_s`` seconds, in percent of nominal."""
    for longest, limit in ((0.02, 0.0), (0.5, 70.0), (10.0, 80.0)):
        if duration_s <= longest:
            return limit
    return 90.0


def region(duration_s: float, percent: float) -> str:
    """Return where a voltage event falls: ``inside``, ``under`` or ``over``.

    Parameters
    ----------
    duration_s : float
        Length of the event [s].
    percent : float
        Residual or highest voltage in percent of nominal.
    """
    if percent > upper_limit(duration_s):
        return OVER
    return UNDER if percent < lower_limit(duration_s) else INSIDE

"""What metrology hands to meters: raw moments of a window, and the quantities made of them.

Every array has the meters of one bank as its first axis, so that one kernel call serves them all.
Channels are ordered va, vb, vc, ia, ib, ic; phases a, b, c; line pairs ab, bc, ca. Signs: import
(from source towards load through the metering point) is positive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WindowMeasure:
    """Moments of a measuring window, all that RMS, power and harmonic quantities need."""

    frequency: Float
    """Shape (meters,): fundamental frequency [Hz]; NaN without a voltage to measure it on."""
    gram: Float
    """Shape (meters, 6, 6): mean over the window of the product of two channels [V2, VA, A2]."""
    spectrum: NDArray[np.complex128]
    """Shape (meters, 6, orders): *RMS* phasor at order 0, 1, 2 .. relative to theta [V or A];
    order 0 is the mean, real."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The quantities of one measuring window, unscaled by any meter's transformer ratios."""

    frequency: Float
    """(meters,) [Hz]; NaN without voltage."""
    v: Float
    """(meters, 3) line-to-neutral RMS [V]."""
    vll: Float
    """(meters, 3) line-to-line RMS, ab, bc, ca [V]."""
    i: Float
    """(meters, 3) RMS [A]."""
    i_n: Float
    """(meters,) RMS of ia + ib + ic [A]."""
    p: Float
    """(meters, 3) active power [W]."""
    p_fundamental: Float
    """(meters, 3) active power of order 1 [W]."""
    q_budeanu: Float
    """(meters, 3) sum over orders of V I sin(phi) [var]."""
    q_fundamental: Float
    """(meters, 3) V1 I1 sin(phi1) [var]; positive when the current lags."""
    s: Float
    """(meters, 3) apparent power V I [VA]."""
    v_positive: NDArray[np.complex128]
    """(meters,) positive sequence of the fundamental voltages, RMS phasor [V]."""
    v_negative: NDArray[np.complex128]
    """(meters,) negative sequence [V]."""
    v_zero: NDArray[np.complex128]
    """(meters,) zero sequence [V]."""
    i_positive: NDArray[np.complex128]
    """(meters,) positive sequence of the fundamental currents, RMS phasor [A]."""
    i_negative: NDArray[np.complex128]
    """(meters,) negative sequence [A]."""
    i_zero: NDArray[np.complex128]
    """(meters,) zero sequence [A]."""
    harmonic: Float
    """(meters, 6, orders) RMS at order 0, 1, 2 .. [V or A]."""
    angle: Float
    """(meters, 6) angle of the fundamental relative to that of va, -pi..pi [rad]; NaN at zero."""
    thd: Float
    """(meters, 6) total harmonic distortion, fraction of order 1; NaN without a fundamental."""

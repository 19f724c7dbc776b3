"""Filters of the flickermeter: lamp-eye weighting of IEC 61000-4-15 made digital and calibrated."""

import cmath
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


class Lamp(StrEnum):
    """The reference incandescent lamp, 60 W."""

    V230 = "230 V"
    V120 = "120 V"


@dataclass(frozen=True, slots=True)
class Weighting:
    """Lamp-eye weighting, its frequencies already divided by 2 pi [Hz], and its calibration."""

    k: float
    damping: float
    w1: float
    w2: float
    w3: float
    w4: float
    unit_change: float
    """Relative sinusoidal change at 8.8 Hz that is one unit of perceptibility."""


WEIGHTING: Final = {
    Lamp.V230: Weighting(1.74802, 4.05981, 9.15494, 2.27979, 1.22535, 21.9, 0.00250),
    Lamp.V120: Weighting(1.6357, 4.167375, 9.077169, 2.939902, 1.394468, 17.31512, 0.00321),
}
"""IEC 61000-4-15:2010, 5.5 (coefficients) and tables 1 and 2 (calibration)."""
LOW_PASS_HZ: Final = {50: 35.0, 60: 42.0}
"""Cut-off of the sixth-order Butterworth filter by nominal frequency (5.5) [Hz]."""
HIGH_PASS_HZ: Final = 0.05
SMOOTHING_S: Final = 0.3
"""Time constant of the sliding mean after the squaring multiplier (5.6) [s]."""
CALIBRATION_HZ: Final = 8.8


def weighting_sections(rate: float, lamp: Lamp, nominal_frequency: int, *, averaged: int) -> Float:
    """Return the second-order sections from the demodulated voltage to Pinst.

    Analogue sections are made digital by the bilinear transform, each with its own characteristic
    frequency kept. The gain makes the calibration point read a largest Pinst of one.

    Parameters
    ----------
    rate : float
        Values per second [Hz].
    lamp : Lamp
        Reference lamp.
    nominal_frequency : int
        50 or 60 [Hz].
    averaged : int
        Squares that were averaged into one value, whose droop the calibration takes in.

    Returns
    -------
    ndarray, shape (7, 5)
        b0 b1 b2 a1 a2 of the high-pass, the low-pass (three), the weighting (two), and, after the
        squaring multiplier, the sliding mean.

    References
    ----------
    IEC 61000-4-15:2010, 5.5 and 5.6.
    """
    weighting = WEIGHTING[lamp]
    cut = LOW_PASS_HZ[nominal_frequency]
    w3, w4 = _warped(weighting.w3, rate), _warped(weighting.w4, rate)
    w1, w2 = _warped(weighting.w1, rate), _warped(weighting.w2, rate)
    damping = weighting.damping / weighting.w1 * w1
    wc = _warped(cut, rate)
    high = _warped(HIGH_PASS_HZ, rate)
    rows = [_bilinear((0.0, 1.0, 0.0), (0.0, 1.0, high), rate)]
    for pair in range(3):
        damped = 2.0 * math.sin(math.pi * (2 * pair + 1) / 12.0)
        rows.append(_bilinear((0.0, 0.0, wc * wc), (1.0, damped * wc, wc * wc), rate))
    rows.append(_bilinear((0.0, weighting.k * w1, 0.0), (1.0, 2.0 * damping, w1 * w1), rate))
    rows.append(_bilinear((0.0, 1.0 / w2, 1.0), (1.0 / (w3 * w4), 1.0 / w3 + 1.0 / w4, 1.0), rate))
    rows.append(_bilinear((0.0, 0.0, 1.0), (0.0, SMOOTHING_S, 1.0), rate))
    sections = np.array(rows)
    # d G sin(wt) squared is (d G)^2 / 2 (1 - cos(2 w t)); the sliding mean leaves |L(2 w)| of the ripple.
    gain = abs(response(sections[:-1], CALIBRATION_HZ, rate)) * _droop(CALIBRATION_HZ, rate, averaged)
    ripple = abs(response(sections[-1:], 2.0 * CALIBRATION_HZ, rate))
    scale = math.sqrt(2.0 / (1.0 + ripple)) / (weighting.unit_change * gain)
    sections[-2, :3] *= scale
    return sections


def response(sections: Float, frequency: float, rate: float) -> complex:
    """Return the transfer of a cascade of sections at a frequency [Hz]."""
    delay = cmath.exp(-2j * math.pi * frequency / rate)
    out = complex(1.0)
    for b0, b1, b2, a1, a2 in sections:
        out *= (b0 + b1 * delay + b2 * delay**2) / (1.0 + a1 * delay + a2 * delay**2)
    return out


def steady_state(sections: Float) -> Float:
    """Return the states, shape (sections, 2), of a cascade whose input has been one for ever.

    Only for a cascade that blocks direct current in its first section: all later ones are at rest.
    """
    state = np.zeros((sections.shape[0], 2))
    _, b1, b2, _, _ = sections[0]
    state[0] = (b1 + b2, b2)
    return state


def interpolator(up: int, *, half_taps: int) -> Float:
    """Return the taps, shape (up, 2 half_taps), that raise a rate ``up`` times.

    Row p makes the value p / ``up`` of a sample after the middle one of ``2 half_taps`` samples. A Kaiser
    window (beta 8) keeps content below 0.4 of the sample rate to 1e-3 and images below 1e-4.
    """
    position = np.arange(2 * half_taps)[np.newaxis, :] - (half_taps - 1)
    distance = np.arange(up)[:, np.newaxis] / up - position
    inside = np.sqrt(np.maximum(0.0, 1.0 - (distance / half_taps) ** 2))
    taps = np.sinc(distance) * np.i0(8.0 * inside) / np.i0(8.0)
    normal: Float = taps / taps.sum(axis=1, keepdims=True)
    return normal


def _warped(frequency: float, rate: float) -> float:
    """Return the analogue angular frequency that the bilinear transform takes to ``frequency``."""
    return 2.0 * rate * math.tan(math.pi * frequency / rate)


def _bilinear(
    numerator: tuple[float, float, float], denominator: tuple[float, float, float], rate: float
) -> list[float]:
    """Return b0 b1 b2 a1 a2 of a section given by falling powers of s."""
    s = 2.0 * rate
    b = _substituted(numerator, s)
    a = _substituted(denominator, s)
    return [b[0] / a[0], b[1] / a[0], b[2] / a[0], a[1] / a[0], a[2] / a[0]]


def _substituted(powers: tuple[float, float, float], s: float) -> tuple[float, float, float]:
    """Return the coefficients in z^-1 of a polynomial in s; one degree is dropped when it is not there."""
    two, one, zero = powers[0] * s * s, powers[1] * s, powers[2]
    return (two + one + zero, 2.0 * (zero - two), two - one + zero)


def _droop(frequency: float, rate: float, averaged: int) -> float:
    """Return what averaging ``averaged`` squares leaves of a ripple of theirs."""
    angle = math.pi * frequency / rate
    return math.sin(angle) / (averaged * math.sin(angle / averaged))

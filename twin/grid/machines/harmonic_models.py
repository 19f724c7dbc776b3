r"""Harmonic currents of power electronics, with angles relative to the fundamental, from closed forms.

A spectrum is an array of ratios ``r_h = I_h / I_1``, one for each order asked for, whose angle is that of the
harmonic at the crest of the fundamental current; r_1 = 1. It is what `twin.simulation.load_sink.make_draw`
takes. A waveform is i(x) = Re sum c_h exp(j h x), x = 0 at the crest of the phase voltage; then
r_h = c_h / |c_1| exp(-j h arg c_1).
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import TwinError

Spectrum = NDArray[np.complex128]
_NARROW = 0.01
"""Overlap below which the closed form loses digits and Gauss-Legendre of the tenth order does not [rad]."""
_INSTANT = 1e-12
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(10)


class SpectrumError(TwinError, ValueError):
    """A rectifier that cannot work as described."""


def _ratios(coefficients: Sequence[complex], orders: Sequence[int], first: complex) -> Spectrum:
    """Return harmonics over fundamental, angles at the crest of the fundamental."""
    size, angle = abs(first), math.atan2(first.imag, first.real)
    out = [
        1.0 if order == 1 else value / size * cmath.exp(-1j * order * angle)
        for value, order in zip(coefficients, orders, strict=True)
    ]
    return np.array(out, dtype=np.complex128)


def _wave_integral(order: int, low: float, high: float, frequency: int, phase: float) -> complex:
    """Return the integral of cos(frequency x + phase) exp(-j order x) from low to high."""
    total = 0j
    for sign in (1.0, -1.0):
        rate = sign * frequency - order
        turn = cmath.exp(1j * sign * phase) / 2.0
        if rate == 0.0:
            total += turn * (high - low)
        else:
            total += turn * (cmath.exp(1j * rate * high) - cmath.exp(1j * rate * low)) / (1j * rate)
    return total


def overlap_angle(firing: float, reactance: float, direct_current: float, u_rated: float) -> float:
    r"""Return the angle during which two valves of a six-pulse bridge commutate [rad].

    .. math:: \cos\alpha - \cos(\alpha + \mu) = \frac{2 X I_d}{\sqrt{2} U}

    Parameters
    ----------
    firing : float
        Alpha [rad]; 0 for diodes.
    reactance : float
        X per phase, of source, line reactor and transformer [ohm].
    direct_current : float
        I_d, smooth [A].
    u_rated : float
        U line to line, RMS [V].

    Raises
    ------
    SpectrumError
        The current does not commutate, or not within 60 degrees.

    References
    ----------
    N. Mohan, T. Undeland, W. Robbins, "Power Electronics", 3rd ed., eq. 6-62.
    """
    after = math.cos(firing) - math.sqrt(2.0) * reactance * direct_current / u_rated
    if after < -1.0:
        raise SpectrumError("the current is too large to commutate; lower it or the reactance")
    overlap = math.acos(after) - firing
    if overlap > math.pi / 3.0:
        raise SpectrumError("commutation takes over 60 degrees; lower current or reactance")
    return overlap


def six_pulse_coefficients(orders: Sequence[int], *, firing: float, overlap: float) -> list[complex]:
    r"""Return the Fourier coefficients of the line current of a six-pulse bridge with smooth direct current.

    During overlap the current rises as (cos a - cos x) / (cos a - cos(a + m)). The derivative is then
    a sum of four arcs of a sine, and the coefficients of the current are

    .. math::
        c_h = \frac{4 \sin(h\pi/3)}{\pi h} \;
              \frac{\int_a^{a+m} \sin x \, e^{-jhx} dx}{\cos a - \cos(a + m)}

    for odd h, in units of the direct current; even orders and multiples of three vanish.

    Parameters
    ----------
    orders : sequence of int
        Harmonic orders.
    firing, overlap : float
        a and m [rad].
    """
    return [_six_pulse(order, firing, overlap) for order in orders]


def _six_pulse(order: int, firing: float, overlap: float) -> complex:
    if order % 2 == 0 or order % 3 == 0:
        return 0j
    if overlap < _INSTANT:
        arc = cmath.exp(-1j * order * firing)
    elif overlap < _NARROW:
        at = firing + overlap * (_POINTS + 1.0) / 2.0
        weight = _WEIGHTS * np.sin(at)
        arc = complex(np.sum(weight * np.exp(-1j * order * at)) / np.sum(weight))
    else:
        fall = 2.0 * math.sin(firing + overlap / 2.0) * math.sin(overlap / 2.0)
        arc = _wave_integral(order, firing, firing + overlap, 1, -math.pi / 2.0) / fall
    return 4.0 * math.sin(order * math.pi / 3.0) / (math.pi * order) * arc


def six_pulse(orders: Sequence[int], *, firing: float = 0.0, overlap: float = 0.0) -> Spectrum:
    """Return the spectrum of a six-pulse bridge: drives, chargers, rectifiers on a direct-current choke.

    Parameters
    ----------
    orders : sequence of int
        Harmonic orders.
    firing : float
        0 for diodes [rad].
    overlap : float
        Of the commutation, see `overlap_angle`; 0 up to pi / 3 [rad].

    Returns
    -------
    ndarray of complex128, shape (orders,)
        0 at even orders and multiples of three.
    """
    if not (0.0 <= firing < math.pi and 0.0 <= overlap <= math.pi / 3.0 and firing + overlap <= math.pi):
        raise SpectrumError("firing must lie within 0 and 180, overlap within 0 and 60 degrees; mend them")
    first = _six_pulse(1, firing, overlap)
    return _ratios(six_pulse_coefficients(orders, firing=firing, overlap=overlap), orders, first)


def twelve_pulse(
    orders: Sequence[int], *, firing: float = 0.0, overlap: float = 0.0, imbalance: float = 0.0
) -> Spectrum:
    """Return the spectrum of two six-pulse bridges behind a star and a delta winding.

    Orders 5, 7, 17, 19 ... of the two oppose each other; of them the difference of the two currents is left.

    Parameters
    ----------
    orders : sequence of int
        Harmonic orders.
    firing, overlap : float
        As in `six_pulse`, the same for both bridges [rad].
    imbalance : float
        Difference of the bridges' currents over their sum, 0 to 1; a few percent in practice.
    """
    if not 0.0 <= imbalance <= 1.0:
        raise SpectrumError(f"an imbalance of {imbalance:g} is no share; give 0 to 1")
    bridge = six_pulse(orders, firing=firing, overlap=overlap)
    opposed = np.array([order % 12 in {5, 7} for order in orders])
    return np.where(opposed, bridge * imbalance, bridge)


def capacitor_rectifier(orders: Sequence[int], *, smoothing: float) -> Spectrum:
    r"""Return the spectrum of a single-phase rectifier with a capacitor and a resistive load behind it.

    With ideal diodes the capacitor follows the voltage's size while they conduct, from -b to g about the
    crest: i = cos x - w sin x with w = omega R C, in units of the crest of the voltage over R. They stop
    conducting at tan g = 1 / w, the capacitor discharges as exp(-x / w), and they start again where it meets
    the next crest's flank: cos b = cos g exp(-(pi - b - g) / w).

    Parameters
    ----------
    orders : sequence of int
        Harmonic orders; even ones vanish.
    smoothing : float
        omega R C, 0 (no capacitor) and up; 10 to 40 in small supplies and LED lamps without correction.

    References
    ----------
    The elementary analysis of the peak rectifier, as in N. Mohan, T. Undeland, W. Robbins, "Power
    Electronics", 3rd ed., section 5-3-2, without the source's impedance.
    """
    if not 0.0 <= smoothing < 1e6:
        raise SpectrumError(f"smoothing omega R C is {smoothing:g}; give a number from 0 to a million")
    start, stop = conduction(smoothing)

    def coefficient(order: int) -> complex:
        if order % 2 == 0:
            return 0j
        resistive = _wave_integral(order, -start, stop, 1, 0.0)
        capacitive = _wave_integral(order, -start, stop, 1, math.pi / 2.0)
        return 2.0 / math.pi * (resistive + smoothing * capacitive)

    return _ratios([coefficient(order) for order in orders], orders, coefficient(1))


def conduction(smoothing: float) -> tuple[float, float]:
    """Return from how far before to how far after the crest a peak rectifier conducts [rad]."""
    if smoothing < 1e-9:
        return math.pi / 2.0, math.pi / 2.0
    stop = math.atan(1.0 / smoothing)
    low, high = 0.0, math.pi / 2.0
    for _ in range(100):
        middle = (low + high) / 2.0
        left = math.cos(stop) * math.exp(-(math.pi - middle - stop) / smoothing)
        if math.cos(middle) > left:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0, stop


def corrected_rectifier(
    orders: Sequence[int],
    *,
    ripple: float = 0.05,
    ripple_angle: float = -math.pi / 2.0,
    dead_angle: float = 0.05,
) -> Spectrum:
    r"""Return the spectrum of a single-phase supply with power factor correction.

    The current follows the voltage's shape times a reference. The ripple of the direct voltage at twice the
    frequency passes its regulator and modulates the reference: i = (1 + g cos(2 x + d)) cos x, whose third
    harmonic is g/2. After each zero of the voltage the current stays away for a dead angle.

    Parameters
    ----------
    orders : sequence of int
        Harmonic orders; even ones vanish.
    ripple : float
        g, 0 to 1.
    ripple_angle : float
        d, relative to the crest of the voltage [rad]; an integrating regulator gives about -90 degrees.
    dead_angle : float
        After each zero, 0 to 1 [rad].
    """
    if not (0.0 <= ripple <= 1.0 and 0.0 <= dead_angle <= 1.0):
        raise SpectrumError("ripple and dead angle lie between 0 and 1; mend them")
    low, high = -math.pi / 2.0 + dead_angle, math.pi / 2.0

    def coefficient(order: int) -> complex:
        if order % 2 == 0:
            return 0j
        parts = _wave_integral(order, low, high, 1, 0.0)
        parts += ripple / 2.0 * _wave_integral(order, low, high, 3, ripple_angle)
        parts += ripple / 2.0 * _wave_integral(order, low, high, 1, ripple_angle)
        return 2.0 / math.pi * parts

    return _ratios([coefficient(order) for order in orders], orders, coefficient(1))


def led_lamp(orders: Sequence[int]) -> Spectrum:
    """Return the spectrum of a LED lamp with a plain rectifier: omega R C = 5, an engineering estimate."""
    return capacitor_rectifier(orders, smoothing=5.0)


def ev_charger(orders: Sequence[int]) -> Spectrum:
    """Return the spectrum of an on-board charger with correction: ripple 6 %, dead angle 0.12, an estimate.

    It keeps the limits of IEC 61000-3-12:2011, table 2, for a short-circuit ratio of 33.
    """
    return corrected_rectifier(orders, ripple=0.06, dead_angle=0.12)


@dataclass(frozen=True, slots=True)
class Distortion:
    """What a spectrum amounts to."""

    thd: float
    """Harmonics over fundamental, both RMS."""
    crest_sum: float
    """Sum of the sizes of all ratios: a bound on the crest."""


def distortion(spectrum: Spectrum, orders: Sequence[int]) -> Distortion:
    """Return the distortion of a spectrum."""
    sizes = [abs(complex(value)) for value, order in zip(spectrum, orders, strict=True) if order > 1]
    return Distortion(math.sqrt(math.fsum(size * size for size in sizes)), 1.0 + math.fsum(sizes))


def summation_exponent(order: int) -> float:
    """Return the exponent with which harmonics of many sources add: IEC 61000-3-6:2008, 8.2, table 3."""
    if order < 5:
        return 1.0
    return 1.4 if order <= 10 else 2.0


def summed_size(sizes: Sequence[float], order: int) -> float:
    """Return the size of the sum of harmonics of many sources, by the general summation law.

    (sum U_i^a)^(1/a), IEC 61000-3-6:2008, 8.2, equation 4: the value that 95 % of the time is not exceeded.
    """
    exponent = summation_exponent(order)
    return float(math.fsum(size**exponent for size in sizes) ** (1.0 / exponent))


def angle_spread(order: int, sources: int) -> float:
    r"""Return how far angles of equal sources have to differ to add as the summation law says.

    Angles spread evenly over -d to d give a sum whose mean square is :math:`N + N(N-1)(\sin d / d)^2`. The
    law asks for :math:`N^{2/a}`. So d = 0 where a = 1 and d = pi where a = 2.

    Parameters
    ----------
    order : int
        Harmonic order.
    sources : int
        N, at least 2.

    Returns
    -------
    float
        d, 0 to pi [rad].
    """
    if sources < 2:
        raise SpectrumError(f"{sources} sources do not add; give at least 2")
    wanted = (sources ** (2.0 / summation_exponent(order)) - sources) / (sources * (sources - 1.0))
    low, high = 0.0, math.pi
    for _ in range(80):
        middle = (low + high) / 2.0
        if (math.sin(middle) / middle) ** 2 > wanted:
            low = middle
        else:
            high = middle
    return 0.0 if low == 0.0 else (low + high) / 2.0


def diverse(spectrum: Spectrum, orders: Sequence[int], rng: np.random.Generator, *, sources: int) -> Spectrum:
    """Return the spectrum of one of many like sources: each angle turned by a draw from `angle_spread`."""
    draws = 2.0 * rng.random(len(orders)) - 1.0
    spread = np.array([0.0 if order == 1 else angle_spread(order, sources) for order in orders])
    return np.asarray(spectrum * np.exp(1j * spread * draws), dtype=np.complex128)

"""Powers of a window by every definition in use, and the one place where totals of phases are made.

Per phase, arrays are (..., 3) for phases a, b, c; P, Q1, Budeanu's Q and S themselves are fields of
`twin.contracts.Reading`. Import is positive, Q is positive when the current lags.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import Reading, WindowMeasure

Float = NDArray[np.float64]

_SIXTY_DEGREES = (0.5, np.sqrt(0.75))


def nonactive_power(p: Float, s: Float) -> Float:
    """Return the nonactive power ``N = sqrt(S^2 - P^2)``, never negative.

    Parameters
    ----------
    p, s : ndarray, shape (...)
        Active and apparent power of the same points [W, VA].

    Returns
    -------
    ndarray, shape (...)
        [var]

    References
    ----------
    IEEE Std 1459-2010, 3.1.2 (nonactive power); S. Fryze, Przeglad Elektrotechniczny 7-8 (1931):
    the current less its share in phase with the voltage, times the voltage.
    """
    # The product form keeps digits where S and |P| are nearly equal.
    out: Float = np.sqrt(np.maximum((s - np.abs(p)) * (s + np.abs(p)), 0.0))
    return out


def fryze_power(p: Float, s: Float, q_fundamental: Float) -> Float:
    """Return Fryze's reactive power with the sign of the fundamental reactive power.

    Nonactive power has no direction of its own; meters that show it by quadrant take the direction of Q1.
    For a sine this is Q; otherwise its magnitude is never below that of Budeanu's Q.

    Parameters
    ----------
    p, s, q_fundamental : ndarray, shape (...)
        [W, VA, var]

    Returns
    -------
    ndarray, shape (...)
        [var]; positive where Q1 is zero.
    """
    magnitude = nonactive_power(p, s)
    out: Float = np.where(q_fundamental < 0.0, -magnitude, magnitude)
    return out


def budeanu_distortion(p: Float, q_budeanu: Float, s: Float) -> Float:
    """Return Budeanu's distortion power ``D = sqrt(S^2 - P^2 - Q_B^2)``.

    Parameters
    ----------
    p, q_budeanu, s : ndarray, shape (...)
        [W, var, VA]

    Returns
    -------
    ndarray, shape (...)
        [VA]; zero for a sine and for a linear resistor.

    References
    ----------
    C. Budeanu, Puissances reactives et fictives, 1927; IEEE Std 1459-2010, annex B, where it is advised
    against.
    """
    out: Float = np.sqrt(np.maximum((s - np.abs(p)) * (s + np.abs(p)) - q_budeanu * q_budeanu, 0.0))
    return out


def quarter_cycle_power(measure: WindowMeasure) -> Float:
    """Return reactive power by displacement, the mean of ``v(t - T/4) i(t)``, T the period as it is.

    Displacing a voltage by a quarter of its own period turns order h by h x 90 degrees, so that of every
    order ``S_h = P_h + j Q_h`` the window's mean holds ``Re{S_h (-j)^h}``: +Q1, -P2, -Q3, +P4, +Q5 ..
    This is exact for any stationary window of whole cycles; the signal must not hold more than the spectrum.

    Parameters
    ----------
    measure : WindowMeasure
        Of a bank of meters.

    Returns
    -------
    ndarray, shape (meters, 3)
        [var]; that of the fundamental for a sine.

    See Also
    --------
    quarter_cycle_power_samples : the same from samples, for any window.

    Notes
    -----
    A delay that is fixed at 5 ms turns 49.5 Hz by 89.1 degrees alone. A current that lags by 5 degrees then
    gives ``cos(84.1 deg)`` in place of ``cos(85 deg)``: 18 % too much. The delay must track the frequency.

    References
    ----------
    NEMA C12.24-2011 (VAR by time delay); JEMStar II manual, calculations (the current advanced by 90 degrees
    of the fundamental: the same mean). IEC 62053-24:2020 takes the fundamental alone instead.
    """
    power = measure.spectrum[:, :3] * measure.spectrum[:, 3:].conj()
    order = np.arange(power.shape[2])
    out: Float = np.zeros(power.shape[:2])
    out += power.real[:, :, order % 4 == 0].sum(axis=2) + power.imag[:, :, order % 4 == 1].sum(axis=2)
    out -= power.real[:, :, order % 4 == 2].sum(axis=2) + power.imag[:, :, order % 4 == 3].sum(axis=2)
    return out


def q_power(p: Float, q: Float) -> Float:
    """Return Q of the Q-hour meter, ``P / 2 + sqrt(3) Q / 2``: power with the voltage lagged by 60 degrees.

    ``V I cos(phi - 60 deg)`` is what a watt-hour meter counts whose coils see the voltage 60 degrees late;
    the reactive power is twice that less P, over sqrt(3).

    Parameters
    ----------
    p, q : ndarray, shape (...)
        [W, var]

    Returns
    -------
    ndarray, shape (...)
        [VA]; V I where a sine's current lags by 60 degrees, half of P where it does not lag.

    References
    ----------
    JEMStar II manual, calculations (Q = Watts/2 + VARS sqrt(3)/2); Handbook for Electricity Metering, EEI
    (Q-hour metering).
    """
    out: Float = _SIXTY_DEGREES[0] * p + _SIXTY_DEGREES[1] * q
    return out


def vectorial_apparent_power(p: Float, q: Float) -> Float:
    """Return ``sqrt(P^2 + Q^2)`` of a phase, or of the sums of three.

    Parameters
    ----------
    p, q : ndarray, shape (...)
        [W, var]; which reactive power it is, is the meter's choice.

    References
    ----------
    IEEE Std 1459-2010, 3.2.2 (vector apparent power); NEMA C12.24-2011.
    """
    out: Float = np.hypot(p, q)
    return out


def total_of_phases(phases: Float) -> Float:
    """Return the sum of phases a, b, c, signs kept.

    This defines every total of P, Q, V2, A2 and of the arithmetic apparent power.

    Parameters
    ----------
    phases : ndarray, shape (..., 3)

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    IEEE Std 1459-2010, 3.2.2 (P = Pa + Pb + Pc; arithmetic apparent power SA = Sa + Sb + Sc).
    """
    # Added from a to c: the sum has the same bits on every machine.
    out: Float = phases[..., 0] + phases[..., 1] + phases[..., 2]
    return out


def with_total(phases: Float) -> Float:
    """Return phases a, b, c and their total, shape (..., 4): the four points of an energy counter."""
    return np.concatenate((phases, total_of_phases(phases)[..., np.newaxis]), axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class TotalPowers:
    """Powers of three phases together; every array is (meters,)."""

    p: Float
    """Sum of P [W]."""
    q: Float
    """Sum of Q, signs kept [var]."""
    s_arithmetic: Float
    """Sa + Sb + Sc [VA]."""
    s_vectorial: Float
    """sqrt(P^2 + Q^2) of the sums [VA]; never above the arithmetic one."""
    pf_arithmetic: Float
    """P over the arithmetic S, with the sign of P; NaN without apparent power."""
    pf_vectorial: Float
    """P over the vectorial S, with the sign of P; NaN without apparent power."""


def total_powers(reading: Reading, q: Float | None = None) -> TotalPowers:
    """Return the totals of three phases.

    Parameters
    ----------
    reading : Reading
        Of a bank of meters.
    q : ndarray, shape (meters, 3), optional
        The reactive power that the meter takes [var]; that of the fundamental without it.

    References
    ----------
    IEEE Std 1459-2010, 3.2.2 (arithmetic and vector apparent power and power factor).
    """
    from twin.metrology.power_factor import power_factor  # noqa: PLC0415

    p = total_of_phases(reading.p)
    reactive = total_of_phases(reading.q_fundamental if q is None else q)
    arithmetic, vectorial = total_of_phases(reading.s), vectorial_apparent_power(p, reactive)
    return TotalPowers(
        p, reactive, arithmetic, vectorial, power_factor(p, arithmetic), power_factor(p, vectorial)
    )

"""Powers of IEEE Std 1459-2010: apparent power split into fundamental and harmonic, balanced and not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.contracts import WindowMeasure
from twin.metrology.distortion import NEGLIGIBLE
from twin.metrology.power import nonactive_power, total_of_phases
from twin.metrology.power_factor import power_factor
from twin.metrology.unbalance import symmetrical_components

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class SplitPowers:
    """Apparent power and its parts.

    ``S^2 = S1^2 + SN^2``, ``SN^2 = DI^2 + DV^2 + SH^2``, ``SH^2 = PH^2 + DH^2``. Arrays are (meters, 3) for
    single phases, (meters,) for the effective powers of three phases. Harmonic means whatever is not the
    fundamental: direct current and interharmonics too.
    """

    v: Float
    """V, or Ve [V]."""
    v_fundamental: Float
    """V1, or Ve1 [V]."""
    v_harmonic: Float
    """VH = sqrt(V^2 - V1^2), or VeH [V]."""
    i: Float
    """I, or Ie [A]."""
    i_fundamental: Float
    """I1, or Ie1 [A]."""
    i_harmonic: Float
    """IH = sqrt(I^2 - I1^2), or IeH [A]."""
    p: Float
    """P [W]."""
    p_fundamental: Float
    """P1 [W]."""
    p_harmonic: Float
    """PH = P - P1 [W]."""
    s: Float
    """S = V I, or Se = 3 Ve Ie [VA]."""
    s_fundamental: Float
    """S1, or Se1 [VA]."""
    s_nonfundamental: Float
    """SN, or SeN [VA]."""
    d_current: Float
    """Current distortion power DI = V1 IH, or DeI [var]."""
    d_voltage: Float
    """Voltage distortion power DV = VH I1, or DeV [var]."""
    s_harmonic: Float
    """SH = VH IH, or SeH [VA]."""
    d_harmonic: Float
    """Harmonic distortion power DH = sqrt(SH^2 - PH^2), or DeH [var]."""
    n: Float
    """Nonactive power N = sqrt(S^2 - P^2) [var]."""
    pf: Float
    """P / S, or PFe = P / Se; NaN without apparent power."""
    thd_v: Float
    """VH / V1, or VeH / Ve1; NaN without a fundamental."""
    thd_i: Float
    """IH / I1, or IeH / Ie1; NaN without a fundamental."""
    pollution: Float
    """Harmonic pollution SN / S1, or SeN / Se1; NaN without a fundamental."""


@dataclass(frozen=True, slots=True, eq=False)
class SinglePhasePowers:
    """Powers of each phase by itself; every array is (meters, 3)."""

    split: SplitPowers
    """Apparent power and its parts."""
    q_fundamental: Float
    """Q1 [var]."""
    pf_fundamental: Float
    """PF1 = P1 / S1 = cos(phi1); NaN without a fundamental."""


@dataclass(frozen=True, slots=True, eq=False)
class EffectivePowers:
    """Powers of three phases together; every array is (meters,)."""

    split: SplitPowers
    """Effective apparent power Se and its parts."""
    p_positive: Float
    """P1+ = 3 V1+ I1+ cos(phi1+) [W]."""
    q_positive: Float
    """Q1+ = 3 V1+ I1+ sin(phi1+) [var]."""
    s_positive: Float
    """S1+ = 3 V1+ I1+ [VA]."""
    s_unbalanced: Float
    """SU1 = sqrt(Se1^2 - S1+^2) [VA]."""
    pf_positive: Float
    """PF1+ = P1+ / S1+; NaN without a positive sequence."""
    load_unbalance: Float
    """SU1 / S1+; NaN without a positive sequence."""


def single_phase_powers(measure: WindowMeasure) -> SinglePhasePowers:
    """Return the powers of each phase under nonsinusoidal conditions.

    Parameters
    ----------
    measure : WindowMeasure
        Of a bank of meters.

    Returns
    -------
    SinglePhasePowers
        Phases a, b, c each against the neutral.

    References
    ----------
    IEEE Std 1459-2010, 3.1.2.
    """
    square = np.einsum("mcc->mc", measure.gram)
    one = measure.spectrum[:, :, 1]
    power = one[:, :3] * one[:, 3:].conj()
    split = _split(
        square[:, :3],
        _square(one[:, :3]),
        square[:, 3:],
        _square(one[:, 3:]),
        np.einsum("maa->ma", measure.gram[:, :3, 3:]),
        power.real,
        phases=1.0,
    )
    return SinglePhasePowers(split, power.imag, _factor(power.real, split.s_fundamental))


def effective_powers(measure: WindowMeasure, *, wires: int = 4) -> EffectivePowers:
    """Return the effective powers of three phases under nonsinusoidal, unbalanced conditions.

    With four wires, ``Ve^2 = (3 (Va^2 + Vb^2 + Vc^2) + Vab^2 + Vbc^2 + Vca^2) / 18`` (a load that takes as
    much between lines as to the neutral, xi = 1) and ``Ie^2 = (Ia^2 + Ib^2 + Ic^2 + In^2) / 3`` (a neutral
    wire like the others, rho = 1). With three, ``Ve^2 = (Vab^2 + Vbc^2 + Vca^2) / 9`` and
    ``Ie^2 = (Ia^2 + Ib^2 + Ic^2) / 3``. Order 1 alone gives Ve1 and Ie1, differences of squares VeH and IeH.

    Parameters
    ----------
    measure : WindowMeasure
        Of a bank of meters. With three wires the voltages may refer to any point, the active power being the
        same.
    wires : int
        4, or 3 without a neutral.

    Returns
    -------
    EffectivePowers
        Sums and effective values of each meter.

    Raises
    ------
    ValueError
        If the wires are neither 3 nor 4.

    References
    ----------
    IEEE Std 1459-2010, 3.2.2.8 (effective values), 3.2.3 (nonsinusoidal and unbalanced).
    """
    if wires not in {3, 4}:
        raise ValueError(f"effective powers are defined for 3 and 4 wires, not for {wires}")
    one = measure.spectrum[:, :, 1]
    volts, amperes = one[:, :3], one[:, 3:]
    gram = measure.gram
    v_square, v_fundamental = np.einsum("maa->ma", gram[:, :3, :3]), _square(volts)
    i_square, i_fundamental = np.einsum("maa->ma", gram[:, 3:, 3:]), _square(amperes)
    ahead = np.array([1, 2, 0])
    lines = v_square + v_square[:, ahead] - 2.0 * gram[:, np.arange(3), ahead]
    lines_fundamental = _square(volts - volts[:, ahead])
    if wires == 4:
        ve = (3.0 * total_of_phases(v_square) + total_of_phases(lines)) / 18.0
        ve1 = (3.0 * total_of_phases(v_fundamental) + total_of_phases(lines_fundamental)) / 18.0
        neutral = gram[:, 3:, 3:].sum(axis=(1, 2))
        ie = (total_of_phases(i_square) + neutral) / 3.0
        ie1 = (total_of_phases(i_fundamental) + _square(amperes.sum(axis=1))) / 3.0
    else:
        ve, ve1 = total_of_phases(lines) / 9.0, total_of_phases(lines_fundamental) / 9.0
        ie, ie1 = total_of_phases(i_square) / 3.0, total_of_phases(i_fundamental) / 3.0
    p = total_of_phases(np.einsum("maa->ma", gram[:, :3, 3:]))
    p1 = total_of_phases((volts * amperes.conj()).real)
    split = _split(ve, ve1, ie, ie1, p, p1, phases=3.0)
    positive = 3.0 * symmetrical_components(volts)[0] * symmetrical_components(amperes)[0].conj()
    s_positive = np.abs(positive)
    s_unbalanced = nonactive_power(s_positive, split.s_fundamental)
    return EffectivePowers(
        split,
        positive.real,
        positive.imag,
        s_positive,
        s_unbalanced,
        _factor(positive.real, s_positive),
        _ratio(s_unbalanced, s_positive, NEGLIGIBLE**2),
    )


def _split(v: Float, v1: Float, i: Float, i1: Float, p: Float, p1: Float, *, phases: float) -> SplitPowers:
    """Return the parts of an apparent power from squares of voltages and currents."""
    v, i = np.maximum(v, 0.0), np.maximum(i, 0.0)
    rms_v, rms_v1, rms_vh = np.sqrt(v), np.sqrt(v1), np.sqrt(np.maximum(v - v1, 0.0))
    rms_i, rms_i1, rms_ih = np.sqrt(i), np.sqrt(i1), np.sqrt(np.maximum(i - i1, 0.0))
    s, s1 = phases * rms_v * rms_i, phases * rms_v1 * rms_i1
    d_current, d_voltage = phases * rms_v1 * rms_ih, phases * rms_vh * rms_i1
    s_harmonic = phases * rms_vh * rms_ih
    s_nonfundamental = np.sqrt(d_current**2 + d_voltage**2 + s_harmonic**2)
    return SplitPowers(
        v=rms_v,
        v_fundamental=rms_v1,
        v_harmonic=rms_vh,
        i=rms_i,
        i_fundamental=rms_i1,
        i_harmonic=rms_ih,
        p=p,
        p_fundamental=p1,
        p_harmonic=p - p1,
        s=s,
        s_fundamental=s1,
        s_nonfundamental=s_nonfundamental,
        d_current=d_current,
        d_voltage=d_voltage,
        s_harmonic=s_harmonic,
        d_harmonic=nonactive_power(p - p1, s_harmonic),
        n=nonactive_power(p, s),
        pf=power_factor(p, s),
        thd_v=_ratio(rms_vh, rms_v1, NEGLIGIBLE),
        thd_i=_ratio(rms_ih, rms_i1, NEGLIGIBLE),
        pollution=_ratio(s_nonfundamental, s1, NEGLIGIBLE**2),
    )


def _square(phasor: Complex) -> Float:
    """Return the squared magnitude."""
    out: Float = phasor.real * phasor.real + phasor.imag * phasor.imag
    return out


def _ratio(part: Float, whole: Float, least: float) -> Float:
    """Return part over whole; NaN where the whole is rounding."""
    out: Float = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > least)
    return out


def _factor(p: Float, s: Float) -> Float:
    """Return P over S of the fundamental; NaN where it is rounding."""
    return power_factor(p, np.where(s > NEGLIGIBLE**2, s, 0.0))

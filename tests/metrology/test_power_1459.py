"""Powers of IEEE Std 1459-2010 against its example, closed forms and plain sums over samples."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tests.signals.waves import at, segment, signal, stationary_segments
from twin.metrology import effective_powers, measure_samples, measure_steady, single_phase_powers
from twin.signals import amplitude_from_rms, synthesise_cycles


def phasor(size, degrees):
    return size * np.exp(1j * np.radians(degrees))


def stationary(rows, order=(1,), frequency=60.0):
    amplitude = amplitude_from_rms(np.array(rows, complex).reshape(6, -1))
    return segment(amplitude=amplitude, order=order, frequency=frequency, theta=0.7)


def closed(rows, order=(1,)):
    return measure_steady(stationary(rows, order))


@pytest.fixture(params=["closed form", "samples"])
def example(request):
    """Return the moments of annex B's single-phase nonsinusoidal example, here as phase a."""
    rows = np.zeros((6, 4), complex)
    rows[0] = [phasor(100, 0), phasor(8, -70), phasor(15, 140), phasor(5, 20)]
    rows[3] = [phasor(100, -30), phasor(20, -165), phasor(15, 233), phasor(10, 288)]
    part = stationary(rows, (1, 3, 5, 7))
    if request.param == "closed form":
        return measure_steady(part)
    samples = synthesise_cycles(signal(part, duration_s=1), at(0.0), samples_per_cycle=512, count=512)
    return measure_samples(samples, samples_per_cycle=512, cycles=1, frequency=60.0, theta=part.theta)


def test_single_phase_example_to_all_printed_digits(example):
    powers = single_phase_powers(example)
    split = powers.split
    printed = {
        "v": (101.5579, 4),
        "i": (103.5616, 4),
        "p": (8632.79, 2),
        "p_fundamental": (8660.25, 2),
        "p_harmonic": (-27.47, 2),
        "s": (10517.49, 2),
        "s_fundamental": (10000.0, 2),
        "s_nonfundamental": (3258.47, 2),
        "d_current": (2692.58, 2),
        "d_voltage": (1772.00, 2),
        "s_harmonic": (477.13, 2),
        "d_harmonic": (476.34, 2),
        "n": (6007.71, 2),
        "pf": (0.82080, 5),
        "thd_v": (0.17720, 5),
        "thd_i": (0.26926, 5),
    }
    for name, (value, digits) in printed.items():
        assert round(float(getattr(split, name)[0, 0]), digits) == value, name
    assert round(float(powers.q_fundamental[0, 0]), 2) == 5000.00
    assert round(float(powers.pf_fundamental[0, 0]), 5) == 0.86603
    # The dead phases have powers of zero and no factors.
    assert not split.s[0, 1:].any()
    assert np.isnan([split.pf[0, 1:], split.thd_v[0, 1:], powers.pf_fundamental[0, 1:]]).all()


def test_a_balanced_sine_has_one_apparent_power():
    """230 V, 10 A lagging 30 degrees: Se = S1+ = 6900 VA, nothing else, with four wires and with three."""
    rows = [phasor(230, -120 * n) for n in range(3)] + [phasor(10, -120 * n - 30) for n in range(3)]
    for wires in (3, 4):
        e = effective_powers(closed(rows), wires=wires)
        assert (e.split.v[0], e.split.i[0]) == pytest.approx((230.0, 10.0))
        assert (e.split.s[0], e.split.s_fundamental[0], e.s_positive[0]) == pytest.approx((6900.0,) * 3)
        assert (e.p_positive[0], e.q_positive[0]) == pytest.approx((6900 * 0.75**0.5, 3450.0))
        assert e.pf_positive[0] == pytest.approx(0.75**0.5)
        # Roots of rounding: 1e-16 of a square is 1e-8 of its root.
        assert e.s_unbalanced[0] == pytest.approx(0.0, abs=1e-3)
        assert e.split.s_nonfundamental[0] == pytest.approx(0.0, abs=1e-2)
        assert e.split.n[0] == pytest.approx(3450.0)


def test_one_resistor_on_one_phase_of_four_wires():
    """I in phase a and the neutral: Ie = I sqrt(2/3), Ve = V, Se = sqrt(6) V I, P = V I, PFe = 1/sqrt(6).

    I1+ = I/3, so S1+ = P1+ = V I, SU1 = sqrt(6 - 1) V I, load unbalance sqrt(5).
    """
    rows = [phasor(120, -120 * n) for n in range(3)] + [10, 0, 0]
    e = effective_powers(closed(rows))
    assert e.split.v[0] == pytest.approx(120.0)
    assert e.split.i[0] == pytest.approx(10 * np.sqrt(2 / 3))
    assert e.split.s[0] == pytest.approx(1200 * np.sqrt(6))
    assert e.split.p[0] == pytest.approx(1200.0)
    assert e.split.pf[0] == pytest.approx(1 / np.sqrt(6))
    assert (e.s_positive[0], e.p_positive[0], e.q_positive[0]) == pytest.approx((1200.0, 1200.0, 0.0))
    assert e.s_unbalanced[0] == pytest.approx(1200 * np.sqrt(5))
    assert e.load_unbalance[0] == pytest.approx(np.sqrt(5))
    assert e.split.n[0] == pytest.approx(1200 * np.sqrt(5))


def test_one_resistor_between_two_lines_of_three_wires():
    """R from a to b: I = sqrt(3) V/R, Ie = I sqrt(2/3), Se = 3 V Ie, P = sqrt(3) V I, PF 1/sqrt(2)."""
    volts = np.array([phasor(100, -120 * n) for n in range(3)])
    current = (volts[0] - volts[1]) / 20.0
    size = abs(current)
    e = effective_powers(closed([*volts, current, -current, 0]), wires=3)
    assert e.split.v[0] == pytest.approx(100.0)
    assert e.split.i[0] == pytest.approx(size * np.sqrt(2 / 3))
    assert e.split.p[0] == pytest.approx(np.sqrt(3) * 100 * size)
    assert e.split.s[0] == pytest.approx(300 * size * np.sqrt(2 / 3))
    assert e.split.pf[0] == pytest.approx(1 / np.sqrt(2))
    assert e.s_positive[0] == pytest.approx(np.sqrt(3) * 100 * size)
    assert e.load_unbalance[0] == pytest.approx(1.0)
    # The voltages of three wires may refer to any point: a shift of the neutral changes nothing.
    shifted = effective_powers(closed([*(volts + 37.0), current, -current, 0]), wires=3)
    for name in ("v", "p", "s"):
        assert getattr(shifted.split, name)[0] == pytest.approx(getattr(e.split, name)[0])


def test_unbalanced_resistors_between_phases_and_neutral():
    """Ra : Rb : Rc = 1 : 2 : 4: with I = V/Ra, In^2 = I^2 (1 + 1/4 + 1/16 - 1/2 - 1/4 - 1/8) = 7/16 I^2."""
    volts = np.array([phasor(230, -120 * n) for n in range(3)])
    share = np.array([1.0, 0.5, 0.25])
    e = effective_powers(closed([*volts, *(volts / 23.0 * share)]))
    assert e.split.i[0] == pytest.approx(10 * np.sqrt((1 + 1 / 4 + 1 / 16 + 7 / 16) / 3))
    assert e.split.p[0] == pytest.approx(2300 * 1.75)
    assert e.s_positive[0] == pytest.approx(2300 * 1.75)
    assert e.split.s[0] == pytest.approx(3 * 230 * 10 * np.sqrt(1.75 / 3))
    assert e.s_unbalanced[0] == pytest.approx(2300 * np.sqrt(9 * 1.75 / 3 - 1.75**2))


def test_triplen_currents_load_the_neutral():
    """Three third harmonics of 4 A return as 12 A: IeH^2 = (3 x 16 + 144)/3 = 64, DeI = 3 V IeH."""
    rows = np.zeros((6, 2), complex)
    for n in range(3):
        rows[n, 0] = phasor(230, -120 * n)
        rows[3 + n] = [phasor(10, -120 * n), 4.0]
    e = effective_powers(closed(rows, (1, 3)))
    assert e.split.i_harmonic[0] == pytest.approx(8.0)
    assert e.split.d_current[0] == pytest.approx(3 * 230 * 8)
    assert e.split.d_voltage[0] == pytest.approx(0.0, abs=1e-2)
    assert e.split.thd_i[0] == pytest.approx(0.8)
    assert e.split.pollution[0] == pytest.approx(0.8)
    assert effective_powers(closed(rows, (1, 3)), wires=3).split.i_harmonic[0] == pytest.approx(4.0)


def waveform_powers(x, wires):
    """Return the effective powers of one cycle of samples (6, n), written from the definitions alone."""
    n = x.shape[1]
    basis = np.exp(-2j * np.pi * np.arange(n) / n)
    phasors = np.sqrt(2) / n * (x * basis).sum(axis=1)
    first = np.sqrt(2) * (phasors[:, None] * basis.conj()).real
    rms = lambda y: np.sqrt((y**2).mean())  # noqa: E731

    def effective(y):
        va, vb, vc, ia, ib, ic = y
        lines = rms(va - vb) ** 2 + rms(vb - vc) ** 2 + rms(vc - va) ** 2
        if wires == 3:
            return np.sqrt(lines / 9), np.sqrt((rms(ia) ** 2 + rms(ib) ** 2 + rms(ic) ** 2) / 3)
        phases = rms(va) ** 2 + rms(vb) ** 2 + rms(vc) ** 2
        currents = rms(ia) ** 2 + rms(ib) ** 2 + rms(ic) ** 2 + rms(ia + ib + ic) ** 2
        return np.sqrt((3 * phases + lines) / 18), np.sqrt(currents / 3)

    power = lambda y: (y[:3] * y[3:]).mean(axis=1).sum()  # noqa: E731
    ve, ie = effective(x)
    ve1, ie1 = effective(first)
    veh, ieh = np.sqrt(max(ve**2 - ve1**2, 0)), np.sqrt(max(ie**2 - ie1**2, 0))
    turn = np.exp(2j * np.pi / 3 * np.arange(3))
    s1 = 3 * (phasors[:3] * turn).mean() * (phasors[3:] * turn).mean().conj()
    return {
        "v": ve,
        "i": ie,
        "s": 3 * ve * ie,
        "s_fundamental": 3 * ve1 * ie1,
        "p": power(x),
        "p_fundamental": power(first),
        "d_current": 3 * ve1 * ieh,
        "d_voltage": 3 * veh * ie1,
        "s_harmonic": 3 * veh * ieh,
        "p_positive": s1.real,
        "q_positive": s1.imag,
        "s_positive": abs(s1),
    }


@settings(deadline=None, max_examples=40)
@given(stationary_segments(rows=12))
def test_effective_powers_agree_with_plain_sums_over_a_waveform(part):
    samples = synthesise_cycles(signal(part, duration_s=1), at(0.0), samples_per_cycle=512, count=512)
    measure = measure_steady(part)
    # Roots of differences of squares lose half the digits.
    floor = 1e-6 * np.abs(part.amplitude).sum(axis=1).max() ** 2 + 1e-6
    for wires in (3, 4):
        found = effective_powers(measure, wires=wires)
        for meter in range(2):
            for name, expected in waveform_powers(samples[6 * meter : 6 * meter + 6], wires).items():
                value = getattr(found if name.endswith("positive") else found.split, name)[meter]
                assert value == pytest.approx(expected, rel=1e-9, abs=floor), name


@settings(deadline=None, max_examples=40)
@given(stationary_segments(rows=6))
def test_apparent_powers_split_without_rest(part):
    measure = measure_steady(part)
    for split in (single_phase_powers(measure).split, effective_powers(measure).split):
        assert np.allclose(
            split.s**2, split.s_fundamental**2 + split.s_nonfundamental**2, rtol=1e-9, atol=1e-6
        )
        parts = split.d_current**2 + split.d_voltage**2 + split.s_harmonic**2
        assert np.allclose(split.s_nonfundamental**2, parts, rtol=1e-9, atol=1e-6)
        assert np.allclose(split.s**2, split.p**2 + split.n**2, rtol=1e-9, atol=1e-6)
        assert (split.s_harmonic**2 + 1e-3 >= split.d_harmonic**2).all()


@settings(deadline=None, max_examples=40)
@given(stationary_segments(rows=6))
def test_effective_apparent_power_is_the_largest(part):
    """Se >= SA by Cauchy-Schwarz: without a zero sequence Ve is the quadratic mean of the phases."""
    amplitude = part.amplitude.copy()
    amplitude[:3] -= amplitude[:3].mean(axis=0)
    measure = measure_steady(replace(part, amplitude=amplitude))
    single, e = single_phase_powers(measure).split, effective_powers(measure)
    arithmetic = single.s.sum(axis=1)
    assert e.split.v**2 == pytest.approx((single.v**2).sum(axis=1) / 3)
    assert (e.split.s >= arithmetic * (1 - 1e-9)).all()
    assert (e.split.s_fundamental >= e.s_positive * (1 - 1e-9)).all()


def test_a_power_needs_three_or_four_wires():
    with pytest.raises(ValueError, match="3 and 4 wires, not for 2"):
        effective_powers(closed([230] * 3 + [1] * 3), wires=2)

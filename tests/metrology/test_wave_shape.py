"""Telephone weights and factors against the tables of other standards, angles of harmonics by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import at, segment, signal
from twin.metrology import (
    c_message_weight,
    harmonic_angles,
    harmonic_groups,
    measure_samples,
    measure_steady,
    measure_window,
    psophometric_weight,
    telephone_harmonic_form_factor,
    telephone_influence_factor,
    window_bins,
)
from twin.signals import amplitude_from_rms, instant_of_theta, synthesise_cycles


def of_order(order, size, *, fundamental=0.0):
    out = np.zeros(64)
    out[1] = fundamental
    out[order] = size
    return out


@pytest.mark.parametrize(
    ("frequency", "weight"),
    [
        *((50, 0.0000444), (100, 0.00112), (200, 0.0223), (300, 0.111), (500, 0.414), (700, 0.790)),
        *((1000, 1.40), (1500, 1.61), (2000, 1.76), (2500, 1.91), (3000, 1.97)),
    ],
)
def test_thff_weights_agree_with_those_of_iec_60034_1(frequency, weight):
    # Weighting factors lambda of IEC 60034-1, telephone harmonic factor; theirs are rounded differently.
    found = telephone_harmonic_form_factor(of_order(1, 7.0), np.array(frequency), np.array(7.0))
    assert found == pytest.approx(weight, rel=0.02)


@pytest.mark.parametrize(
    ("frequency", "weight"),
    [
        *((60, 0.5), (300, 225), (360, 400), (420, 650), (540, 1320), (660, 2260), (720, 2760)),
        *((780, 3360), (900, 4350), (1000, 5000), (1020, 5100), (1140, 5630), (1260, 6050), (1380, 6370)),
        *((1500, 6680), (1740, 7320), (1860, 7820), (2100, 8830), (2460, 10340), (2820, 10210)),
        *((3000, 9670), (3300, 8090), (3540, 6730), (3900, 4400), (4260, 2750), (5000, 840)),
    ],
)
def test_tif_weights_agree_with_the_curve_of_1960(frequency, weight):
    # Single-frequency TIF of 1960 (EEI and Bell, IEEE Std 519-1992). A C-message filter may differ by 1 dB up
    # to 3 kHz, by 2 or 3 dB above.
    found = telephone_influence_factor(of_order(1, 7.0), np.array(frequency), np.array(7.0))
    decibels = 20 * math.log10(found / weight)
    assert abs(decibels) < (1.0 if frequency <= 3000 else 2.0)


def test_telephone_factors_by_hand():
    # 5 % of order 11 at 50 Hz, 550 Hz: O.41 has -3.6 dB at 500 Hz and -2.0 at 600 Hz.
    harmonic = of_order(11, 0.05, fundamental=1.0)
    rms = np.array(math.hypot(1, 0.05))
    thff = telephone_harmonic_form_factor(harmonic, np.array(50.0), rms)
    eleventh = 0.05 * 550 / 800 * 10 ** (-2.8 / 20)
    assert thff == pytest.approx(math.hypot(eleventh, 50 / 800 * 10 ** (-63 / 20)) / rms)
    # C-message: -7.7 dB at 500 Hz, -5.0 at 600 Hz; nothing is tabled below 60 Hz.
    tif = telephone_influence_factor(harmonic, np.array(50.0), rms)
    assert tif == pytest.approx(0.05 * 5 * 550 * 10 ** (-6.35 / 20) / rms)


def test_weights_end_where_their_tables_end():
    frequency = np.array([10.0, 800.0, 1000.0, 7000.0])
    assert psophometric_weight(frequency) == pytest.approx([0, 1, 10 ** (1 / 20), 0])
    assert c_message_weight(frequency) == pytest.approx([0, 10 ** (-1.3 / 20), 1, 0])


def test_factors_of_many_channels_and_of_none():
    harmonic = np.zeros((2, 3, 64))
    harmonic[0, :, 1], harmonic[0, :, 5] = 230.0, [1.0, 2.0, 3.0]
    rms = np.sqrt((harmonic**2).sum(axis=2))
    frequency = np.array([[50.0], [np.nan]])
    found = telephone_harmonic_form_factor(harmonic, frequency, rms)
    assert found.shape == (2, 3)
    assert np.isnan(found[1]).all()
    for k in range(3):
        one = telephone_harmonic_form_factor(harmonic[0, k], np.array(50.0), rms[0, k])
        assert found[0, k] == pytest.approx(float(one), rel=1e-15)


def shapely():
    """Return a segment whose harmonics have known angles to their fundamentals."""
    rows = np.zeros((6, 3), complex)
    for n in range(3):
        rows[n] = [230 * np.exp(-2j * np.pi * n / 3), 10 * np.exp(0.4j), 5 * np.exp(-1.1j)]
    rows[3] = [10 * np.exp(-0.3j), 2 * np.exp(2.0j), 0]
    return segment(amplitude=amplitude_from_rms(rows), order=[1, 3, 5], theta=0.9)


def test_angles_of_harmonics_by_hand():
    found = harmonic_angles(measure_steady(shapely()).spectrum)
    assert found[0, 0, [1, 3, 5]] == pytest.approx([0.0, 0.4, -1.1])
    assert found[0, 1, [1, 3, 5]] == pytest.approx([-2 * np.pi / 3, 0.4, -1.1])
    assert found[0, 3, [1, 3]] == pytest.approx([-0.3, 2.0])
    assert np.isnan(found[0, 3, [0, 2, 5]]).all()
    assert np.isnan(found[0, 4]).all()


@settings(deadline=None, max_examples=20)
@given(st.floats(0.0, 6.28), st.floats(-3.0, 3.0))
def test_angles_do_not_depend_on_where_a_window_starts(start, turn):
    """Nor on the phase of the site against theta: turning every order by h x turn changes nothing."""
    part = shapely()
    expected = harmonic_angles(measure_steady(part).spectrum)[0, 0, [1, 3, 5]]
    whole = signal(part, duration_s=1)
    begin = instant_of_theta(part, 0.9 + 6.3 + start)
    end = instant_of_theta(part, 0.9 + 6.3 + start + 20 * np.pi)
    later = measure_window(whole, begin, end)
    assert harmonic_angles(later.spectrum)[0, 0, [1, 3, 5]] == pytest.approx(expected, abs=1e-8)
    turned = segment(amplitude=part.amplitude * np.exp(1j * turn * part.order), order=part.order)
    found = harmonic_angles(measure_steady(turned).spectrum)[0, 0, [1, 3, 5]]
    assert found == pytest.approx(expected, abs=1e-9)


def test_angles_agree_with_those_of_the_groups():
    samples = synthesise_cycles(signal(shapely(), duration_s=1), at(0.0), samples_per_cycle=128, count=1280)
    groups = harmonic_groups(window_bins(samples, cycles=10, orders=10), cycles=10)
    moments = measure_samples(samples, samples_per_cycle=128, cycles=10, frequency=50.0, orders=10)
    found = harmonic_angles(moments.spectrum)[0]
    live = np.abs(moments.spectrum[0]) > 1e-3
    live[:, 0] = False
    assert found[live] == pytest.approx(groups.angle[:, :10][live], abs=1e-9)


def test_without_a_voltage_there_is_no_reference():
    part = segment(amplitude=amplitude_from_rms(np.array([[0]] + [[1]] * 5, complex)), order=[1])
    assert np.isnan(harmonic_angles(measure_steady(part).spectrum)).all()

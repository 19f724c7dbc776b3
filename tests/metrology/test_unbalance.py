import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import segment
from twin.metrology import (
    current_unbalance,
    maximum_deviation,
    measure_steady,
    reading,
    symmetrical_components,
    unbalance_of_line_voltages,
    voltage_unbalance,
)
from twin.signals import amplitude_from_rms


def bank(phasors):
    rows = np.array([*phasors, *phasors], complex)[:, None]
    return reading(measure_steady(segment(amplitude=amplitude_from_rms(rows), order=[1])))


def degrees(size, angle):
    return size * np.exp(1j * np.radians(angle))


def test_components_make_up_the_phases_again():
    """V1 = 100, V2 = 5 at 40 degrees, V0 = 3 at -70 degrees: built by hand, taken apart."""
    one, two, zero = 100.0 + 0j, degrees(5, 40), degrees(3, -70)
    turn = degrees(1, 120)
    phases = [one + two + zero, turn**2 * one + turn * two + zero, turn * one + turn**2 * two + zero]
    found = symmetrical_components(np.array(phases))
    assert np.allclose(found, [one, two, zero])
    u2, u0 = voltage_unbalance(bank(phases))
    assert u2[0] == pytest.approx(0.05)
    assert u0[0] == pytest.approx(0.03)
    assert current_unbalance(bank(phases))[0][0] == pytest.approx(0.05)


def test_testing_state_of_iec_61000_4_30():
    """Phases of 73, 80 and 87 % at 120 degrees: u1 = 80, |u2| = |u0| = |73 + 80 a + 87 a^2| / 3 / 80."""
    u2, u0 = voltage_unbalance(bank([degrees(73, 0), degrees(80, -120), degrees(87, 120)]))
    expected = np.sqrt(73**2 + 80**2 + 87**2 - 73 * 80 - 80 * 87 - 87 * 73) / 3 / 80
    assert u2[0] == pytest.approx(expected)
    assert u0[0] == pytest.approx(expected)
    assert expected == pytest.approx(0.05052, abs=1e-5)


@settings(deadline=None)
@given(st.floats(0.0, 0.9), st.floats(-np.pi, np.pi), st.floats(0.0, 50.0), st.floats(-np.pi, np.pi))
def test_line_voltages_alone_give_the_same_u2(u2, angle, zero, zero_angle):
    """The formula of magnitudes against the phasors, whatever the zero sequence."""
    turn = degrees(1, 120)
    two = 100 * u2 * np.exp(1j * angle)
    common = zero * np.exp(1j * zero_angle)
    phases = np.array([100 + two, turn**2 * 100 + turn * two, turn * 100 + turn**2 * two]) + common
    lines = np.abs(phases - np.roll(phases, -1))
    # Near balance the formula takes the root of a difference: 1e-16 becomes 1e-8.
    assert unbalance_of_line_voltages(lines) == pytest.approx(u2, abs=3e-8, rel=1e-6)


def test_maximum_deviation_by_hand():
    """460, 467 and 450 V: average 459, largest deviation 9 (NEMA's own numbers)."""
    assert maximum_deviation(np.array([460.0, 467.0, 450.0])) == pytest.approx(9 / 459)


def test_without_a_voltage_there_is_no_unbalance():
    u2, u0 = voltage_unbalance(bank([0, 0, 0]))
    assert np.isnan(
        [u2[0], u0[0], maximum_deviation(np.zeros(3)), unbalance_of_line_voltages(np.zeros(3))]
    ).all()

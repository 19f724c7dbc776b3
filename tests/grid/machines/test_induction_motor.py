"""Motors against the textbook, Thevenin's theorem, the balance of energy and closed forms of their run-up."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.grid.machines.drive import Drive, MechanicalLoad
from twin.grid.machines.induction_motor import (
    Cage,
    EquivalentCircuit,
    MotorError,
    breakdown,
    operating_point,
    phase_matrix,
    sequence_voltages,
    torque,
)
from twin.grid.machines.motor_fit import Nameplate, drive_of, fit_motor

A = cmath.exp(2j * math.pi / 3)
TURNS = np.array([1.0, A * A, A])

TEXTBOOK = EquivalentCircuit(460.0, 60.0, 2, 0.641, 1.106, 26.3, (Cage(0.332, 0.464),))
"""S. Chapman, "Electric Machinery Fundamentals", 4th ed., example 7-3: 460 V, 25 hp, 60 Hz, four poles."""
PHASE = 460.0 / math.sqrt(3)

PLATE = Nameplate(
    p_rated=55e3,
    u_rated=400.0,
    frequency=50.0,
    speed=1480.0,
    efficiency=0.94,
    power_factor=0.86,
    starting_current=6.8,
    starting_torque=2.5,
    breakdown_torque=2.7,
)
"""A usual four-pole machine of 55 kW; catalogue values of this order."""


def test_the_textbook_example_comes_out():
    at = operating_point(TEXTBOOK, 0.022, PHASE * TURNS)
    assert abs(at.current[0]) == pytest.approx(18.88, abs=0.02)
    assert math.degrees(cmath.phase(at.current[0])) == pytest.approx(-33.6, abs=0.1)
    assert at.p / math.hypot(at.p, at.q) == pytest.approx(0.833, abs=0.001)
    assert at.p == pytest.approx(12_530, abs=10)
    assert at.stator_loss == pytest.approx(685, abs=2)
    assert at.mechanical == pytest.approx(11_585, abs=10)
    assert at.torque == pytest.approx(62.8, abs=0.05)
    # Less 1,100 W of rotational losses.
    assert (at.mechanical - 1100) / at.p == pytest.approx(0.837, abs=0.001)


@given(
    slip=st.floats(1e-3, 2.0) | st.floats(-0.3, -1e-3),
    r1=st.floats(0.0, 2.0),
    x1=st.floats(0.05, 3.0),
    r2=st.floats(0.05, 3.0),
    x2=st.floats(0.05, 3.0),
)
def test_torque_is_that_of_thevenins_source(slip, r1, x1, r2, x2):
    circuit = EquivalentCircuit(460.0, 60.0, 2, r1, x1, 26.3, (Cage(r2, x2),))
    source = PHASE * 26.3j / complex(r1, x1 + 26.3)
    inner = 26.3j * complex(r1, x1) / complex(r1, x1 + 26.3)
    speed = 2 * math.pi * 60.0 / 2
    current = abs(source) / math.hypot(inner.real + r2 / slip, inner.imag + x2)
    expected = 3.0 * current**2 * r2 / slip / speed
    assert torque(circuit, slip, PHASE, frequency=60.0) == pytest.approx(expected, rel=1e-11)


def test_breakdown_is_thevenins():
    source = abs(PHASE * 26.3j / complex(0.641, 1.106 + 26.3))
    inner = 26.3j * complex(0.641, 1.106) / complex(0.641, 1.106 + 26.3)
    reach = math.hypot(inner.real, inner.imag + 0.464)
    slip, largest = breakdown(TEXTBOOK, PHASE)
    assert slip == pytest.approx(0.332 / reach, rel=1e-6)
    assert largest == pytest.approx(1.5 * source**2 / (2 * math.pi * 30) / (inner.real + reach), rel=1e-12)
    # Example 7-5 of the same book, worked with rounded values: 0.198 and 229 N m.
    assert slip == pytest.approx(0.198, rel=0.02)
    assert largest == pytest.approx(229.0, rel=0.01)


voltages = st.lists(st.complex_numbers(max_magnitude=400.0, allow_nan=False), min_size=3, max_size=3)


@given(slip=st.floats(-0.5, 1.5), voltage=voltages, frequency=st.floats(30.0, 70.0), iron=st.booleans())
def test_what_goes_in_is_lost_or_turns_the_shaft(slip, voltage, frequency, iron):
    circuit = EquivalentCircuit(
        400.0, 50.0, 2, 0.3, 0.6, 20.0, (Cage(0.9, 0.6), Cage(0.25, 1.4)), 500.0 if iron else math.inf
    )
    at = operating_point(circuit, slip, voltage, frequency=frequency)
    spent = at.stator_loss + at.iron_loss + at.rotor_loss + at.mechanical
    scale = abs(at.p) + abs(at.mechanical) + at.rotor_loss + at.stator_loss + 1e-9
    assert abs(at.p - spent) <= 1e-12 * scale
    size = [abs(value) for value in sequence_voltages(voltage)]
    assert torque(circuit, slip, *size, frequency=frequency) == pytest.approx(at.torque, rel=1e-9, abs=1e-9)


@given(slip=st.floats(-0.5, 1.5), voltage=voltages, frequency=st.floats(30.0, 70.0))
def test_phase_admittance_draws_what_the_sequences_draw(slip, voltage, frequency):
    matrix = TEXTBOOK.phase_admittance(slip, frequency)
    current = np.array([sum(matrix[i, j] * voltage[j] for j in range(3)) for i in range(3)])
    at = operating_point(TEXTBOOK, slip, voltage, frequency=frequency)
    expected = at.current[0] * TURNS + at.current[1] * np.conj(TURNS)
    size = max(abs(value) for value in voltage) + 1.0
    assert np.abs(current - expected).max() <= 1e-13 * size * np.abs(matrix).max() * 10
    assert abs(current.sum()) <= 1e-12 * size * np.abs(matrix).max()
    power = sum(v * i.conjugate() for v, i in zip(voltage, current, strict=True))
    assert abs(power - complex(at.p, at.q)) <= 1e-11 * size * size * np.abs(matrix).max()


def test_unbalanced_supply_brakes():
    balanced = operating_point(TEXTBOOK, 0.022, PHASE * TURNS)
    unbalanced = operating_point(TEXTBOOK, 0.022, PHASE * TURNS + 0.1 * PHASE * np.conj(TURNS))
    assert unbalanced.torque < balanced.torque
    assert unbalanced.rotor_loss > balanced.rotor_loss
    # At standstill both sequences see the same machine.
    assert TEXTBOOK.sequence_admittances(1.0)[0] == TEXTBOOK.sequence_admittances(1.0)[1]


def test_a_harmonic_sees_a_rotor_nearly_at_rest():
    fundamental = TEXTBOOK.harmonic_admittance(1, 0.03)
    assert np.abs(fundamental - TEXTBOOK.phase_admittance(0.03)).max() < 1e-15
    # 5th, negative sequence: slip (5 + 0.97) / 5; the impedance by hand.
    rotor = complex(0.332 / (5.97 / 5), 5 * 0.464)
    shunt = 5j * 26.3
    by_hand = 1 / (complex(0.641, 5 * 1.106) + rotor * shunt / (rotor + shunt))
    current = TEXTBOOK.harmonic_admittance(5, 0.03) @ np.conj(TURNS)
    assert current[0] == pytest.approx(by_hand, rel=1e-12)


def test_admittance_without_a_negative_sequence_follows_positive_voltages_only():
    assert np.abs(phase_matrix(2 - 1j, 0j) @ np.conj(TURNS)).max() < 1e-15
    assert phase_matrix(2 - 1j, 0j) @ TURNS == pytest.approx((2 - 1j) * TURNS)


@pytest.mark.parametrize(
    "change",
    [{"xm": 0.0}, {"r1": -1.0}, {"cages": ()}, {"pole_pairs": 0}, {"u_rated": math.nan}],
)
def test_impossible_circuits_are_refused(change):
    data = {"u_rated": 400.0, "frequency": 50.0, "pole_pairs": 2, "r1": 0.3, "x1": 0.6, "xm": 20.0}
    with pytest.raises(MotorError):
        EquivalentCircuit(**{**data, "cages": (Cage(0.3, 0.6),), **change})


def test_a_fit_does_what_the_nameplate_says():
    motor = fit_motor(PLATE)
    assert motor.worst < 1e-9
    voltage = 400.0 / math.sqrt(3)
    at = operating_point(motor.circuit, PLATE.slip, voltage * TURNS)
    assert at.p == pytest.approx(55e3 / 0.94, rel=1e-9)
    assert at.p / math.hypot(at.p, at.q) == pytest.approx(0.86, rel=1e-9)
    current = 55e3 / (math.sqrt(3) * 400.0 * 0.94 * 0.86)
    assert abs(at.current[0]) == pytest.approx(current, rel=1e-9)
    shaft = at.torque - motor.friction
    assert shaft == pytest.approx(55e3 / (2 * math.pi * 1480 / 60), rel=1e-9)
    standing = operating_point(motor.circuit, 1.0, voltage * TURNS)
    assert abs(standing.current[0]) == pytest.approx(6.8 * current, rel=1e-9)
    assert standing.torque == pytest.approx(2.5 * 55e3 / (2 * math.pi * 1480 / 60), rel=1e-9)


@pytest.mark.parametrize(
    ("plate", "worst"),
    [
        (Nameplate(110e3, 400.0, 50.0, 1486.0, 0.954, 0.86, 7.1, 2.5, 2.9), 1e-6),
        (Nameplate(315e3, 400.0, 50.0, 1488.0, 0.962, 0.87, 7.0, 2.0, 2.9), 1e-6),
        (Nameplate(7.5e3, 400.0, 50.0, 2910.0, 0.881, 0.89, 7.5, 2.6, 3.5), 1e-6),
        (Nameplate(11e3, 400.0, 50.0, 1460.0, 0.898, 0.85, 7.0, 2.4, 2.9), 0.03),
    ],
)
def test_usual_machines_can_be_fitted(plate, worst):
    assert fit_motor(plate).worst < worst


@pytest.mark.parametrize(
    "change",
    [
        {"speed": 1500.0},
        {"efficiency": 0.999},
        {"power_factor": 1.0},
        {"breakdown_torque": 0.9},
        {"starting_torque": 20.0},
        {"p_rated": -1.0},
    ],
)
def test_contradicting_nameplates_are_refused(change):
    data = {name: getattr(PLATE, name) for name in PLATE.__dataclass_fields__}
    with pytest.raises(MotorError, match=r"mend|accept"):
        fit_motor(Nameplate(**{**data, **change}))


def lossless_stator(r2: float) -> EquivalentCircuit:
    return EquivalentCircuit(400.0, 50.0, 2, 0.0, 0.5, 1e9, (Cage(r2, 0.5),))


@pytest.mark.parametrize("end", [0.5, 0.1, 0.02])
def test_run_up_without_load_takes_the_time_of_its_closed_form(end):
    """Kloss: T = 2 Tk / (s/sk + sk/s); t = J w / (2 Tk) ((1 - s^2) / (2 sk) + sk ln 1/s)."""
    circuit = lossless_stator(0.15)
    free = Drive(circuit, MechanicalLoad(0.0, 150.0, 0.0), 2.0)
    speed, largest = 50 * math.pi, 1.5 * (400.0**2 / 3) / (50 * math.pi) / 1.0
    expected = 2.0 * speed / (2 * largest) * ((1 - end * end) / 0.3 + 0.15 * math.log(1 / end))
    assert free.run_up_time(400.0 / math.sqrt(3), to_slip=end) == pytest.approx(expected, rel=1e-7)


def test_steps_in_time_and_the_integral_over_slip_agree():
    drive = drive_of(PLATE, inertia=3.0)
    voltage = 380.0 / math.sqrt(3)
    seconds = drive.run_up_time(voltage, to_slip=0.1)
    slip = 1.0
    for _ in range(200):
        slip = drive.advance(slip, seconds / 200, voltage)
    assert slip == pytest.approx(0.1, abs=1e-6)


def test_at_rated_load_and_voltage_it_settles_at_rated_slip():
    drive = drive_of(PLATE, inertia=3.0)
    voltage = 400.0 / math.sqrt(3)
    assert drive.settling_slip(1.0, voltage) == pytest.approx(PLATE.slip, rel=1e-9)
    assert drive.settling_slip(0.0, voltage) == pytest.approx(PLATE.slip, rel=1e-9)
    assert abs(drive.acceleration(drive.settling_slip(1.0, voltage), voltage)) < 1e-6


def test_a_constant_torque_stalls_in_a_deep_sag_and_runs_up_again():
    drive = drive_of(PLATE, inertia=3.0, exponent=0.0)
    full = 400.0 / math.sqrt(3)
    # Breakdown torque goes with the square of voltage: below 1 / sqrt(2.7) nothing holds rated torque.
    assert drive.settling_slip(PLATE.slip, full * 0.66) < 0.2
    assert drive.settling_slip(PLATE.slip, full * 0.58) == 1.0
    assert drive.settling_slip(1.0, full) == pytest.approx(PLATE.slip, rel=1e-9)
    assert drive.run_up_time(full * 0.5) == math.inf
    slowed = drive.advance(PLATE.slip, 0.2, full * 0.3)
    assert PLATE.slip < slowed < 1.0
    assert drive.run_up_time(full, from_slip=slowed) < drive.run_up_time(full)


def test_breakaway_holds_the_shaft():
    held = Drive(TEXTBOOK, MechanicalLoad(5.0, 180.0, 1.0, breakaway=200.0), 0.5)
    assert held.settling_slip(1.0, PHASE) == 1.0
    assert held.settling_slip(0.9, PHASE) < 0.05


def test_without_voltage_the_shaft_slows_as_its_load_says():
    """Linear load: speed falls as exp(-t T / (J n))."""
    drive = Drive(TEXTBOOK, MechanicalLoad(60.0, 180.0, 1.0), 0.8)
    expected = 1.0 - 0.98 * math.exp(-0.5 * 60.0 / (0.8 * 180.0))
    assert drive.advance(0.02, 0.5, 0.0, steps=50) == pytest.approx(expected, rel=1e-9)


def test_a_faster_field_turns_a_fan_faster_and_draws_less_magnetising_current():
    drive = drive_of(PLATE, inertia=3.0)
    voltage = 400.0 / math.sqrt(3)
    assert drive.settling_slip(1.0, voltage, frequency=52.0) > drive.settling_slip(
        1.0, voltage, frequency=48.0
    )
    idle = [drive.circuit.sequence_admittances(0.0, hertz)[0] for hertz in (48.0, 52.0)]
    assert abs(idle[0]) > abs(idle[1])

"""Motors on a bus: traces of starts, sags, drop-outs and restarts, against the physics that drives them."""

import itertools
import math

import numpy as np
import pytest
import simpy

from tests.simulation.bench_bus import TURNS, BenchBus
from twin.contracts import NS_PER_SECOND
from twin.grid.machines.motor_fit import Nameplate, drive_of
from twin.simulation.motors import (
    Contactor,
    Motor,
    MotorSettings,
    MotorSettingsError,
    Starter,
    behind_soft_starter,
    start_motor,
)

PLATE = Nameplate(55e3, 400.0, 50.0, 1480.0, 0.94, 0.86, 6.8, 2.5, 2.7)
FAN = drive_of(PLATE, inertia=3.0, load_share=0.8)
HOIST = drive_of(PLATE, inertia=1.5, load_share=0.9, exponent=0.0)
PHASE = 400.0 / math.sqrt(3)


def seconds(value: float) -> int:
    return round(value * NS_PER_SECOND)


def bench(settings, *, running=False, impedance=1e-6 + 1e-6j) -> tuple[simpy.Environment, BenchBus, Motor]:
    env = simpy.Environment(initial_time=seconds(1000.0))
    bus = BenchBus(impedance=impedance)
    bus.env = env
    motor = start_motor(env, bus, settings=settings, running=running)
    return env, bus, motor


def currents_of(env, bus, until) -> list[tuple[float, float]]:
    """Time since now and current of phase a after each event."""
    start, seen = int(env.now), []
    while env.peek() <= start + seconds(until):
        env.step()
        seen.append(((int(env.now) - start) / 1e9, float(abs(bus.currents()[0]))))
    return seen


def test_a_direct_start_takes_the_time_of_its_integral_and_draws_its_starting_current():
    env, bus, motor = bench(MotorSettings("fan", FAN))
    env.run(env.now + 1)
    motor.switch_on()
    seen = currents_of(env, bus, 20.0)
    assert max(value for _, value in seen) == pytest.approx(6.8 * PLATE.current, rel=1e-3)
    # The current falls through twice its final value at a slip of its own: time by the integral.
    final = seen[-1][1]
    passed = next(at for at, value in seen if 0 < value < 2.0 * final and at > 0)
    slip = _slip_at_current(2.0 * final)
    assert passed == pytest.approx(FAN.run_up_time(PHASE, to_slip=slip), rel=0.01)
    assert motor.slip == pytest.approx(FAN.settling_slip(1.0, PHASE), rel=1e-3)
    assert final == pytest.approx(abs(FAN.circuit.sequence_admittances(motor.slip)[0]) * PHASE, rel=2.5e-3)


def _slip_at_current(current: float) -> float:
    low, high = 0.001, 1.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        if abs(FAN.circuit.sequence_admittances(middle)[0]) * PHASE > current:
            high = middle
        else:
            low = middle
    return low


def test_no_step_changes_the_current_by_more_than_its_resolution_and_rest_needs_no_events():
    env, bus, motor = bench(MotorSettings("fan", FAN, resolution=0.01))
    env.run(env.now + 1)
    motor.switch_on()
    values = [value for _, value in currents_of(env, bus, 20.0) if value > 1.0]
    changes = [abs(b / a - 1.0) for a, b in itertools.pairwise(values)]
    assert max(changes) < 0.0101
    assert 50 < sum(change > 0 for change in changes) < 500
    env.run(env.now + seconds(60.0))
    told = len(bus.heard)
    env.run(env.now + seconds(3600.0))
    assert len(bus.heard) == told


def test_a_weak_bus_sags_and_the_start_takes_longer():
    weak = 0.02 + 0.06j
    env, bus, motor = bench(MotorSettings("fan", FAN, contactor=None), impedance=weak)
    env.run(env.now + 1)
    motor.switch_on()
    lowest, times = 1.0, None
    start = int(env.now)
    while env.peek() <= start + seconds(60.0):
        env.step()
        lowest = min(lowest, float(abs(bus.voltages()[0])) / PHASE)
        if times is None and motor.slip < 0.1:
            times = (int(env.now) - start) / 1e9
    standing = FAN.circuit.sequence_admittances(1.0)[0]
    assert lowest == pytest.approx(abs(1.0 / (1.0 + weak * standing)), rel=1e-6)
    assert times > 1.2 * FAN.run_up_time(PHASE, to_slip=0.1)


def test_star_delta_draws_a_third_and_then_the_rest():
    starter = Starter("star_delta", star_time=5.0, pause=0.05)
    env, bus, motor = bench(MotorSettings("fan", FAN, starter))
    env.run(env.now + 1)
    motor.switch_on()
    first = currents_of(env, bus, 0.001)
    assert first[-1][1] == pytest.approx(6.8 * PLATE.current / 3.0, rel=1e-3)
    currents_of(env, bus, 5.02)
    assert float(np.abs(bus.currents()).max()) < 1e-6  # between star and delta
    before = motor.slip
    later = currents_of(env, bus, 10.0)
    assert motor.slip < before
    assert max(value for _, value in later) < 6.8 * PLATE.current
    assert motor.slip == pytest.approx(FAN.settling_slip(1.0, PHASE), rel=1e-2)


def test_a_soft_starter_limits_current_and_keeps_the_balance_of_power():
    env, bus, motor = bench(MotorSettings("fan", FAN, Starter("soft", initial_voltage=0.4, ramp=10.0)))
    env.run(env.now + 1)
    motor.switch_on()
    seen = currents_of(env, bus, 40.0)
    first = next(value for _, value in seen if value > 1.0)
    assert first == pytest.approx(0.4 * 6.8 * PLATE.current, rel=1e-3)
    assert max(value for _, value in seen) < 0.8 * 6.8 * PLATE.current
    assert motor.slip == pytest.approx(FAN.settling_slip(1.0, PHASE), rel=1e-2)
    motor_side, line_side = 2.0 - 1.5j, behind_soft_starter(2.0 - 1.5j, 0.6)
    assert line_side.real == pytest.approx(0.36 * motor_side.real)
    assert abs(line_side) == pytest.approx(0.6 * abs(motor_side))
    assert line_side.imag < 0
    assert behind_soft_starter(motor_side, 1.0) == pytest.approx(motor_side)


def test_a_sag_slows_a_running_motor_and_its_return_costs_more_than_the_rated_current():
    env, bus, motor = bench(MotorSettings("hoist", HOIST, contactor=None), running=True)
    env.run(env.now + seconds(1.0))
    rated = motor.slip
    assert rated == pytest.approx(HOIST.settling_slip(0.0, PHASE), rel=1e-5)
    calm = float(abs(bus.currents()[0]))
    bus.disturb([0.4, 0.4, 0.4])
    env.run(env.now + seconds(0.15))
    expected = HOIST.advance(rated, 0.15, 0.4 * PHASE, steps=200)
    bus.disturb([1.0, 1.0, 1.0])
    env.run(env.now + 1)
    assert motor.slip == pytest.approx(expected, rel=1e-4)
    assert float(abs(bus.currents()[0])) > 3.0 * calm
    env.run(env.now + seconds(10.0))
    assert motor.slip == pytest.approx(rated, rel=1e-2)


def test_a_long_sag_stalls_a_constant_torque():
    env, bus, motor = bench(MotorSettings("hoist", HOIST, contactor=None), running=True)
    env.run(env.now + seconds(1.0))
    bus.disturb([0.5, 0.5, 0.5])
    env.run(env.now + seconds(20.0))
    assert motor.slip == 1.0
    expected = abs(HOIST.circuit.sequence_admittances(1.0)[0]) * 0.5 * PHASE
    assert float(abs(bus.currents()[0])) == pytest.approx(expected, rel=2e-3)


def test_on_a_bus_too_weak_for_its_torque_it_stalls_in_the_time_that_inertia_needs():
    settings = MotorSettings("hoist", HOIST, contactor=None)
    env, bus, motor = bench(settings, running=True, impedance=0.05 + 0.25j)
    env.run(env.now + seconds(1.0))
    calm = motor.slip
    assert calm < 0.05
    bus.disturb([0.8, 0.8, 0.8])
    start = int(env.now)
    while motor.slip < 0.5 and env.peek() < start + seconds(100.0):
        env.step()
    lasted = (int(env.now) - start) / 1e9
    # With no torque at all the load alone would need J w (s - s0) / T.
    load = HOIST.load.at(HOIST.load.speed)
    assert lasted > 1.5 * 50 * math.pi * (0.5 - calm) / load
    assert lasted < 100.0
    instants = [at for at, _ in bus.heard]
    assert max(instants.count(at) for at in set(instants)) < 20


def test_motors_that_pull_on_each_other_come_to_rest():
    env = simpy.Environment(initial_time=0)
    bus = BenchBus(impedance=0.02 + 0.08j)
    bus.env = env
    motors = [
        start_motor(env, bus, settings=MotorSettings(name, FAN, contactor=None), running=True)
        for name in ("one", "two", "three")
    ]
    env.run(seconds(1.0))
    bus.disturb([0.9, 0.92, 0.9])
    env.run(seconds(30.0))
    told = len(bus.heard)
    env.run(seconds(3600.0))
    assert len(bus.heard) == told
    slips = [motor.slip for motor in motors]
    assert slips == pytest.approx([slips[0]] * 3, rel=0.01)
    instants = [at for at, _ in bus.heard]
    assert max(instants.count(at) for at in set(instants)) < 60


def test_unbalanced_sags_act_by_both_sequences():
    env, bus, motor = bench(MotorSettings("hoist", HOIST, contactor=None), running=True)
    env.run(env.now + seconds(1.0))
    bus.disturb([1.0, 0.7, 1.0])
    env.run(env.now + seconds(5.0))
    one, two = 0.9 * PHASE, 0.1 * PHASE
    assert motor.slip == pytest.approx(HOIST.settling_slip(0.01, one, two), rel=0.02)
    assert abs(bus.currents().sum()) < 1e-3  # no path to earth


def test_contactors_drop_out_and_come_back_one_after_the_other():
    env = simpy.Environment(initial_time=0)
    bus = BenchBus(impedance=0.002 + 0.006j)
    bus.env = env
    motors = [
        start_motor(
            env,
            bus,
            settings=MotorSettings(name, FAN, contactor=Contactor(restart_delay=delay)),
            running=True,
        )
        for name, delay in (("one", 2.0), ("two", 12.0), ("three", None))
    ]
    env.run(seconds(10.0))
    bus.disturb([0.3, 0.3, 0.3])
    env.run(env.now + seconds(0.5))
    assert not any(motor.connected for motor in motors)
    bus.disturb([1.0, 1.0, 1.0])
    env.run(seconds(60.0))
    trace = [(at / 1e9, cause) for at, cause in bus.heard if "dropped" in cause or "restarted" in cause]
    connects = sorted({(round(at, 6), cause) for at, cause in trace})
    assert connects == [
        (10.02, "one: contactor dropped out"),
        (10.02, "three: contactor dropped out"),
        (10.02, "two: contactor dropped out"),
        (12.5, "one: restarted"),
        (22.5, "two: restarted"),
    ]
    assert [motor.connected for motor in motors] == [True, True, False]


def test_a_short_sag_is_ridden_through():
    env, bus, motor = bench(MotorSettings("fan", FAN), running=True)
    env.run(env.now + seconds(1.0))
    bus.disturb([0.3, 0.3, 0.3])
    env.run(env.now + seconds(0.015))
    bus.disturb([1.0, 1.0, 1.0])
    env.run(env.now + seconds(5.0))
    assert motor.connected


def test_switched_off_it_slows_down_and_restarts_from_its_speed():
    env, bus, motor = bench(MotorSettings("fan", FAN), running=True)
    env.run(env.now + seconds(1.0))
    running = motor.slip
    motor.switch_off()
    env.run(env.now + seconds(3.0))
    assert float(np.abs(bus.currents()).max()) < 1e-6
    motor.switch_on()
    env.run(env.now + 1)
    assert motor.slip == pytest.approx(FAN.advance(running, 3.0, 0.0, steps=1000), rel=1e-6)
    assert 0.05 < motor.slip < 1.0


def test_a_change_of_frequency_is_followed():
    env, bus, motor = bench(MotorSettings("fan", FAN), running=True)
    env.run(env.now + seconds(1.0))
    bus.hertz = 49.0
    bus.disturb([1.0, 1.0, 1.0])
    env.run(env.now + seconds(10.0))
    assert motor.slip == pytest.approx(FAN.settling_slip(0.01, PHASE, frequency=49.0), rel=1e-2)


def test_the_same_start_is_the_same_to_the_bit():
    traces = []
    for _ in range(2):
        env, bus, motor = bench(MotorSettings("fan", FAN), impedance=0.01 + 0.02j)
        env.run(env.now + 1)
        motor.switch_on()
        traces.append(currents_of(env, bus, 10.0))
    assert traces[0] == traces[1]


@pytest.mark.parametrize(
    "change",
    [
        {"starter": Starter("soft", initial_voltage=0.0)},
        {"contactor": Contactor(drop_out=0.9)},
        {"resolution": 0.0},
    ],
)
def test_settings_that_contradict_themselves_are_refused(change):
    with pytest.raises(MotorSettingsError, match="fan"):
        MotorSettings("fan", FAN, **change)


def test_the_bench_is_what_it_says():
    bus = BenchBus(impedance=0.1j)
    bus.machines["star"] = np.eye(3) * 2.0
    bus.closed.add("star")
    assert bus.voltages() == pytest.approx(PHASE * TURNS / (1 + 0.2j))

"""Machines of a scenario on a solved site: what follows by itself, against what can be worked out by hand."""

import math

import numpy as np
import pytest

from tests.simulation.equipment_site import MOTOR, NETWORK, Run
from twin.contracts import Instant
from twin.metrology import FlickerMeter, Lamp
from twin.scenario.equipment import motor_drive
from twin.signals import synthesise
from twin.simulation.moment import moment_of

E = 400 / math.sqrt(3)
Z = 0.02 + 0.04j
"""Of the source and the feeder together."""


def test_cold_load_pickup_follows_from_an_outage(tmp_path):
    text = """
loads:
  - {model: constant, loads: [BASE], share: 0 %}
  - {model: thermostatic, loads: [HEAT], device: water_heater, count: 60}
events:
  - {event: switch, at: "13:00", switch: Q2, to: open}
  - {event: switch, at: "15:00", switch: Q2, to: closed}
"""
    run = Run(tmp_path, text, minutes=300)
    before = [run.to(60 * minute).power().real for minute in range(30, 60, 3)]
    assert run.to(3660).power().real == pytest.approx(0, abs=1)
    after = run.to(3 * 3600 + 5).power().real
    later = run.to(4.9 * 3600).power().real
    duty = np.mean(before)
    assert 0.2 * 120e3 < duty < 0.6 * 120e3
    assert after > 1.8 * duty  # all contacts are closed
    assert later < 0.75 * after  # diversity has come back


def test_a_start_sags_as_deep_as_the_locked_rotor_says(tmp_path):
    text = MOTOR + (
        "    running: false\n"
        "loads: [{model: constant, loads: all, share: 0 %}]\n"
        'events: [{event: motor, at: "12:01", motor: M1, to: "on"}]\n'
    )
    run = Run(tmp_path, text)
    drive = motor_drive(run.scenario.scenario.motors[0], run.scenario.network)
    run.to(60)
    locked = drive.circuit.sequence_admittances(1.0)[0]
    by_hand = E / abs(1 + Z * locked)
    assert by_hand < 0.9 * E
    assert np.abs(run.site.fundamental(0)[:3]) == pytest.approx([by_hand] * 3, rel=1e-9)
    run.to(120)
    (sag,) = run.of("EventRecord")[-1:]
    assert (sag.type, sag.phases) == ("sag", "abc")
    assert sag.extreme == pytest.approx(by_hand, rel=2e-3)
    assert (sag.start_ns - run.scenario.start_ns) / 1e9 == pytest.approx(60.0, abs=0.03)
    lasts = (sag.end_ns - sag.start_ns) / 1e9
    assert 0.1 < lasts < drive.run_up_time(by_hand)
    assert run.truth("machine_connected") == [(60.0, "M1", "M1: switched on")]


def running_pq(run):
    """Return what the motor draws at rest at the present voltage, by its circuit."""
    drive = motor_drive(run.scenario.scenario.motors[0], run.scenario.network)
    volts = float(np.abs(run.site.fundamental(0)[0]))
    y = drive.circuit.sequence_admittances(drive.settling_slip(0.01, volts))[0]
    return 3 * volts**2 * y.conjugate()


def test_a_motor_in_service_draws_what_its_circuit_says(tmp_path):
    run = Run(tmp_path, MOTOR + "loads: [{model: constant, loads: all, share: 0 %}]\n").to(1)
    assert run.power() == pytest.approx(running_pq(run), rel=3e-3)
    assert 40e3 < run.power().real < 50e3  # 80 % of 55 kW and the losses


FAULT = """
loads: [{{model: constant, loads: all, share: 0 %}}]
events:
  - {{event: fault, at: "12:01", name: F, bus: FAR, type: 3ph, phases: abc, resistance: {ohm} ohm,
     clear_after: {lasts} ms}}
"""


def test_a_deep_sag_drops_the_contactor_and_the_motor_comes_back(tmp_path):
    text = MOTOR + "    contactor: {restart_delay: 5 s}\n" + FAULT.format(ohm=0.001, lasts=150)
    run = Run(tmp_path, text).to(90)
    ((dropped, name, cause),) = run.truth("machine_disconnected")
    assert (name, cause) == ("M1", "M1: contactor dropped out")
    assert dropped == pytest.approx(60.02, abs=1e-6)
    connected = run.truth("machine_connected")
    assert connected[-1][2] == "M1: restarted"
    # The fault goes out phase by phase, at zeros of its current.
    assert connected[-1][0] == pytest.approx(60.15 + 5.0, abs=0.02)
    assert run.power() == pytest.approx(running_pq(run), rel=5e-3)


def test_a_shallow_sag_does_not(tmp_path):
    run = Run(tmp_path, MOTOR + FAULT.format(ohm=0.08, lasts=150))
    run.to(60.1)
    assert 0.55 * E < abs(run.site.fundamental(0)[0]) < 0.85 * E
    run.to(90)
    assert run.truth("machine_disconnected") == []
    assert run.power() == pytest.approx(running_pq(run), rel=5e-3)


ROOF = """
photovoltaics:
  - {name: PV, bus: MAIN, peak_power: 40 kW, ride_through: EN50549-1, tilt: 30 deg}
"""


def test_a_roof_rides_through_a_shallow_sag_and_trips_in_a_deep_one(tmp_path):
    shallow = Run(tmp_path, ROOF + FAULT.format(ohm=0.04, lasts=200))
    before = shallow.to(59).power().real
    assert before < -25e3
    shallow.to(60.1)
    assert 0.5 * E < abs(shallow.site.fundamental(0)[0]) < 0.85 * E
    assert shallow.to(62).power().real == pytest.approx(before, rel=2e-2)
    deep = Run(tmp_path, ROOF + FAULT.format(ohm=0.001, lasts=500))
    assert deep.to(62).power().real == pytest.approx(0.0, abs=1.0)
    # Healthy for 60 s, then a ramp of 10 % a minute.
    assert deep.to(60 + 0.5 + 58).power().real == pytest.approx(0.0, abs=1.0)
    assert 0.05 * before > deep.to(60 + 0.5 + 120).power().real > 0.2 * before


def test_an_inverter_keeps_its_current_in_a_sag(tmp_path):
    """With 110 % of rated current and voltage left above half, whatever the solver does with other loads."""
    text = ROOF.replace("tilt: 30 deg", "tilt: 30 deg, inverter_power: 30 kVA")
    run = Run(tmp_path, text + FAULT.format(ohm=0.035, lasts=200)).to(60.1)
    volts = np.abs(run.site.load_voltage(run.scenario.loads.by_name["PV"]))
    assert (volts < 0.7 * E).all()
    assert (volts > 0.5 * E).all()
    drawn = [run.site.p[at] + 1j * run.site.q[at] for at in run.scenario.loads.by_name["PV"]]
    assert np.abs(drawn) / volts == pytest.approx([1.1 * 30e3 / 3 / E] * 3, rel=5e-3)


def pst(run, seconds):
    """Return Pst of the voltages that the meter sees."""
    rate = 1600
    run.to(seconds)
    begin = run.scenario.start_ns
    volts = synthesise(
        run.signal(), Instant(begin), step_s=1 / rate, count=int(seconds * rate) - 1, channels=slice(0, 3)
    )
    meter = FlickerMeter(3, sample_rate=rate, lamp=Lamp.V230)
    meter.feed(volts)
    return meter.pst()


def test_a_welder_flickers(tmp_path):
    text = """
loads: [{model: constant, loads: all, share: 0 %}]
welders: [{name: W, bus: MAIN, power: 60 kVA, phases: ab, pause: [2 s, 4 s]}]
"""
    run = Run(tmp_path, text)
    severity = pst(run, 120)
    depth = 60e3 / 400**2 * abs(Z)
    assert severity[0] > 0.5
    assert severity[1] > 0.5
    lowest = run.built.summary()["meters"][0]["v_min"]
    assert lowest == pytest.approx(E * (1 - depth), rel=2e-2)
    spots = run.truth("machine_connected")
    assert len(spots) > 20
    assert spots[0][2] == "W: spot 1"


def test_an_arc_furnace_flickers_and_has_even_harmonics(tmp_path):
    text = """
loads: [{model: constant, loads: all, share: 0 %}]
arc_furnaces: [{name: F, bus: MAIN, short_circuit_power: 150 kVA, first_wait: [1 s, 1 s]}]
"""
    run = Run(tmp_path, text)
    severity = pst(run, 90)
    assert (severity > 1.0).all()
    order = run.site.segment.order.tolist()
    second = np.abs(run.site.segment.amplitude[3:6, order.index(2)])
    first = np.abs(run.site.segment.amplitude[3:6, order.index(1)])
    assert (second > 0.02 * first).any()


def test_a_constant_load_emits_its_spectrum(tmp_path):
    """Ratio and angle of each order, those of the network file; BASE alone has one."""
    network = NETWORK.replace("q_var: [1000, 1000, 1000]}", "q_var: [1000, 1000, 1000], spectrum: bridge}")
    text = "loads: [{model: constant, loads: [BASE]}, {model: constant, loads: [HEAT], share: 0 %}]\n"
    run = Run(tmp_path, text, network=network).to(1)
    segment = run.site.segment
    order = segment.order.tolist()
    current = segment.amplitude[3:6]
    assert [order.count(h) for h in (2, 5, 7)] == [1, 1, 1]
    one = current[:, order.index(1)]
    for h, share, angle in ((2, 0.04, 30), (5, 0.2, 180), (7, 0.1, 180)):
        ratio = current[:, order.index(h)] / np.abs(one) / np.exp(1j * h * np.angle(one))
        assert ratio == pytest.approx([share * np.exp(1j * math.radians(angle))] * 3, abs=1e-8)


def test_loads_follow_their_voltage_as_their_class_says(tmp_path):
    low = NETWORK.replace("r1_ohm: 0.01, x1_ohm: 0.03,", "r1_ohm: 0.4, x1_ohm: 0.6,")
    text = """
loads: [{model: constant, loads: [HEAT], share: 0 %}, {model: constant, loads: [BASE], zip: CLASS}]
"""
    run = Run(tmp_path, text.replace("CLASS", "{z: 0.5, i: 0.3, q_z: 1.0, q_i: 0}"), network=low).to(1)
    u = np.abs(run.site.load_voltage([0, 1, 2])) / E
    assert (u < 0.98).all()
    expected = sum(3000 * (0.5 * u**2 + 0.3 * u + 0.2) + 1j * 1000 * u**2)
    assert run.power() == pytest.approx(expected, rel=1e-9)
    run = Run(tmp_path, text.replace("CLASS", "planning"), network=low).to(1)
    u = np.abs(run.site.load_voltage([0, 1, 2])) / E
    assert run.power() == pytest.approx(sum(3000 * u + 1j * 1000 * u**2), rel=1e-9)


def test_a_battery_holds_the_metering_point_near_zero(tmp_path):
    text = """
loads: [{model: constant, loads: all}]
batteries: [{name: B, bus: MAIN, capacity: 60 kWh, power: 20 kW, of: [BASE, HEAT]}]
"""
    run = Run(tmp_path, text)
    assert abs(run.to(5).power().real) < 100
    drawn = sum(run.site.p[at] for at in run.scenario.loads.by_name["B"])
    assert drawn == pytest.approx(-12e3, abs=1e-3)


def test_a_charger_charges_and_pauses_in_an_outage(tmp_path):
    text = """
loads: [{model: constant, loads: all, share: 0 %}]
chargers:
  - {name: C, bus: FAR, power: 11 kW, share_of_days: 100 %, energy: 50 kWh,
     arrival: {mean: 11.5, spread: 0}, departure: {mean: 8, spread: 0}}
events:
  - {event: switch, at: "12:05", switch: Q2, to: open}
  - {event: switch, at: "12:06", switch: Q2, to: closed}
"""
    run = Run(tmp_path, text)
    assert run.to(240).power().real == pytest.approx(11e3, rel=0.02)
    assert run.to(364).power().real < 100  # it waits 5 s to 60 s
    assert run.to(430).power().real == pytest.approx(11e3, rel=0.02)


def test_meters_name_machines_and_machines_of_one_bus_are_told_apart(tmp_path):
    text = MOTOR + "  - {name: M2, bus: MAIN, power: 30 kW, speed: 1470, inertia: 0.5, running: false}\n"
    meters = """
meters:
  - {name: one, profile: kw320q, accuracy: ideal, at: {load: M1}, ct: 200:5}
  - {name: both, profile: kw320q, accuracy: ideal, at: {loads: [M1, M2]}, ct: 200:5}
"""
    run = Run(tmp_path, text, meters=meters).to(1)
    one, both = (run.site.fundamental(at)[3:] for at in (0, 1))
    assert abs(one[0]) > 50
    assert both == pytest.approx(one, rel=1e-12)


def test_the_same_seed_is_the_same_site(tmp_path):
    text = (
        MOTOR
        + """
loads: [{model: thermostatic, loads: [HEAT], count: 9}]
welders: [{name: W, bus: MAIN, power: 40 kVA}]
arc_furnaces: [{name: F, bus: FAR, short_circuit_power: 100 kVA, first_wait: [0 s, 2 s]}]
"""
    )
    traces = []
    for cut in (1, 3):
        run = Run(tmp_path, text)
        for at in range(cut, 10, cut):
            run.to(at)
        traces.append((run.of("TruthEntry"), run.site.p.tolist(), run.site.fundamental(0).tolist()))
    assert traces[0] == traces[1]


def test_a_moment_of_the_site_holds_its_machines(tmp_path):
    run = Run(tmp_path, MOTOR).to(10)
    moment = moment_of(run.scenario, run.scenario.start_ns + 10 * 10**9)
    rows = {(row["bus"], row["phase"]): row["v_volt"] for row in moment.flow(v_min_pu=0.7)}
    volts = np.abs(run.site.fundamental(0)[:3])
    found = [rows["MAIN", phase] for phase in "abc"]
    assert (volts < 0.985 * E).all()
    assert found == pytest.approx(volts, rel=1e-6)


def test_what_feeds_in_leaves_faults_their_transients(tmp_path, caplog):
    """An ideal current source into inductances would let no current be continuous."""
    run = Run(tmp_path, ROOF + FAULT.format(ohm=0.04, lasts=200)).to(60.001)
    assert run.site.segment.rate.real.min() < -10.0
    run.to(61)
    assert not caplog.records

"""The site's frequency: offset, profile, islands; its phase, its reactances, what meters show."""

import math

import numpy as np
import pytest

from tests.simulation.equipment_site import MOTOR, NETWORK, Run
from twin.grid import GridSolver, LoadPoint, Probe, read_network
from twin.simulation.system_frequency import PHASE_ERROR, Course

NOTHING = "loads: [{model: constant, loads: all}]\n"
SET = "{name: SET, bus: SET, r1_ohm: 0.01, x1_ohm: 0.1, r0_ohm: 0.01, x0_ohm: 0.05}"
LINK = "{name: LINK, from: FAR, to: SET, r1_ohm: 0.001, x1_ohm: 0.001, r0_ohm: 0.001, x0_ohm: 0.001}"
DIESEL = (
    NETWORK.replace("[FAR, 400]]", "[FAR, 400], [SET, 400]]")
    .replace("x0_ohm: 0.03}]\nlines:", f"x0_ohm: 0.03}}, {SET}]\nlines:")
    .replace("switches: [", f"  - {LINK}\nswitches: [{{name: QS, branch: LINK, closed: false}}, ")
)


def reading(run, name):
    fleet = run.built.engine.fleet
    return fleet.decode(0, fleet.words(0))[name]


def phase(run, at_s):
    """Return theta at an instant, over the signal that the meters saw [cycles], and the frequency there."""
    at_ns = run.scenario.start_ns + round(at_s * 1e9)
    segment = [one for one in run.signal().segments if one.start_ns <= at_ns][-1]
    turned = segment.theta / (2 * math.pi) + segment.frequency * (at_ns - segment.start_ns) / 1e9
    return turned, segment.frequency


def test_an_offset_is_there_from_the_start(tmp_path):
    run = Run(tmp_path, NOTHING + "frequency: {offset: -0.3}\n").to(5)
    assert run.site.frequency == pytest.approx(49.7)
    assert reading(run, "frequency") == pytest.approx(49.7, abs=0.005)


def test_reactances_follow(tmp_path):
    """Against a solver that was made for the frequency."""
    run = Run(tmp_path, NOTHING + "frequency: {offset: 1.5}\n").to(1)
    scenario = run.scenario
    own = GridSolver(
        scenario.network,
        probes=[meter.probe for meter in scenario.meters],
        loads=scenario.loads.points,
        orders=run.site.solver.orders,
        frequency=51.5,
    ).solve(run.site.p, run.site.q, run.site.emission)
    assert run.site.fundamental(0) == pytest.approx(own.phasor[:, 0], rel=1e-12)


def test_a_solver_finds_its_way_back(tmp_path):
    (tmp_path / "network.yaml").write_text(NETWORK, encoding="utf-8")
    network = read_network(tmp_path / "network.yaml")
    load = [LoadPoint("x", "FAR", "a")]
    probe = [Probe("x", "FAR", loads=("x",))]
    power = (np.array([2e3]), np.array([1e3]), np.zeros((1, 2), complex))
    solver = GridSolver(network, probes=probe, loads=load, orders=[1, 5])
    first = solver.solve(*power).phasor
    solver.set_frequency(55.0)
    other = solver.solve(*power).phasor
    assert np.abs(other - first).max() > 1e-2
    solver.set_frequency(50.0)
    assert (solver.solve(*power).phasor == first).all()
    # j times 1.1 of the reactances, by hand: E = V + Z (S/V)*.
    z = 0.04 + 1.1j * 0.05
    z0 = 0.13 + 1.1j * 0.09
    v = other[0, 0]
    i = np.conj((2e3 + 1e3j) / v)
    assert v + (2 * z + z0) / 3 * i == pytest.approx(400 / math.sqrt(3), rel=1e-9)


PROFILE = (
    NOTHING
    + """
frequency:
  profile:
    - {at: "12:00:02", frequency: 50 Hz}
    - {at: "12:00:04", frequency: 49 Hz}
    - {at: "12:00:10", frequency: 49 Hz}
    - {at: "12:01:00", frequency: 49.5 Hz}
"""
)


def test_a_ramp_keeps_its_phase(tmp_path):
    run = Run(tmp_path, PROFILE).to(30)

    def exact(t):
        cycles = 50 * min(t, 2)
        if t > 2:
            s = min(t, 4) - 2
            cycles += 50 * s - 0.5 * s * s / 2
        if t > 4:
            cycles += 49 * (min(t, 10) - 4)
        if t > 10:
            cycles += 49 * (t - 10) + 0.01 * (t - 10) ** 2 / 2
        return cycles

    for at in np.linspace(0.5, 29.5, 500):
        turned, _ = phase(run, at)
        error = (turned - exact(at) + 0.5) % 1.0 - 0.5
        # Ends of segments fall on whole nanoseconds.
        assert abs(2 * math.pi * error) < PHASE_ERROR + 1e-6
    lengths = np.diff([one.start_ns for one in run.signal().segments]) / 1e9
    starts = np.array([one.start_ns for one in run.signal().segments][:-1]) - run.scenario.start_ns
    steep = (starts >= 2e9) & (starts < 4e9)
    assert lengths[steep].max() <= 1 / 49
    assert reading(run, "frequency") == pytest.approx(49.2, abs=0.02)


def test_a_course_is_straight_between_its_points():
    course = Course((10, 20, 30), (50.0, 51.0, 49.0))
    assert course.at(0) == (50.0, 0.0, 10)
    assert course.at(15)[0] == pytest.approx(50.5)
    assert course.at(20) == (51.0, pytest.approx(-2e8), 30)
    assert course.at(30) == (49.0, 0.0, None)


ISLAND = (
    NOTHING
    + """
events:
  - {event: island, at: "12:00:05", switch: Q2%s, frequency: 48.8 Hz, ramp: 2 s, lasts: 10 s}
"""
)
METER = "meters:\n  - {name: island, profile: kw320q, accuracy: ideal, at: {load: HEAT}, ct: 20:5}\n"


def test_an_island_with_a_source_goes_its_own_way_and_comes_back(tmp_path):
    run = Run(tmp_path, ISLAND % ", source_switch: QS", network=DIESEL, meters=METER)
    run.to(4.9)
    volts = run.site.load_voltage([3, 4, 5])
    assert np.abs(volts) == pytest.approx([230.0] * 3, rel=0.01)
    run.to(12)
    assert run.site.frequency == pytest.approx(48.8)
    assert reading(run, "frequency") == pytest.approx(48.8, abs=0.005)
    source = 400 / math.sqrt(3)
    z = 0.011 + 0.101j * 48.8 / 50
    v = abs(run.site.load_voltage([3])[0])
    assert abs(v + z * 1000 / v) == pytest.approx(source, rel=2e-4)
    run.to(16)
    assert 48.8 < run.site.frequency < 50.0
    run.to(20)
    assert run.site.frequency == 50.0
    assert run.site.switches["Q2"]
    assert not run.site.switches["QS"]
    assert reading(run, "frequency") == pytest.approx(50.0, abs=0.005)


def test_an_island_without_a_source_is_dead(tmp_path):
    run = Run(tmp_path, ISLAND % "", meters=METER).to(12)
    assert run.site.frequency == 50.0
    assert (run.site.load_voltage([3, 4, 5]) == 0).all()
    assert reading(run, "v1") == 0
    ((_, element, _),) = run.truth("island_formed")
    assert element == "Q2"
    run.to(20)
    assert np.abs(run.site.load_voltage([3])) == pytest.approx([230.0], rel=0.01)


def test_a_roof_trips_below_its_frequency(tmp_path):
    """EN 50549-1 here: 47.5 Hz for 0.2 s."""
    text = """
photovoltaics:
  - {name: PV, bus: FAR, peak_power: 5 kW, ride_through: EN50549-1}
frequency:
  profile:
    - {at: "12:00:02", frequency: 50 Hz}
    - {at: "12:00:03", frequency: 47.6 Hz}
    - {at: "12:00:05", frequency: 47.6 Hz}
    - {at: "12:00:06", frequency: 47.4 Hz}
"""
    run = Run(tmp_path, text)
    roof = run.scenario.loads.by_name["PV"]
    assert sum(run.to(4).site.p[at] for at in roof) < -2e3
    # The ramp passes 47.5 Hz at 5.5 s.
    assert sum(run.to(5.68).site.p[at] for at in roof) < -2e3
    assert sum(run.to(5.75).site.p[at] for at in roof) == 0.0


def test_a_motor_follows_the_frequency(tmp_path):
    """A pump takes power with nearly the third power of its speed."""
    text = MOTOR + NOTHING.replace("loads: all", "loads: all, share: 0 %")
    rated = Run(tmp_path, text).to(5).power().real
    slow = Run(tmp_path, text + "frequency: {offset: -1}\n").to(5).power().real
    assert slow / rated == pytest.approx(0.98**3, abs=0.005)

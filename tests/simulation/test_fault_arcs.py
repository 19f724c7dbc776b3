"""The harmonics of a fault's arc: what they are at the fault, and what the network makes of them."""

import math

import numpy as np
import pytest

from tests.simulation.fault_bench import ISOLATED, SCENARIO, Run
from twin.grid import GridSolver
from twin.grid.nodes import Nodes
from twin.simulation.faults import SQUARE

ARCING = """
  - {event: fault, at: "12:00:05", name: F1, bus: END, type: TYPE, phases: PHASES, resistance: 2 ohm,
     arc_voltage: 1400 V, clear_after: 5 s}
"""
TAIL = """
  - {name: tail, profile: kw320q, at: {branch: L2, end: to}, pt: "20000:100", ct: "200:5", accuracy: ideal}
events:
"""
EARTHED = ISOLATED.replace("star_point: isolated", "star_point: earthed")


def arcing(folder, kind, phases, *, network=EARTHED):
    """A run with meters of the town, the head of the feeder and its tail, where the fault is."""
    events = ARCING.replace("TYPE", kind).replace("PHASES", phases)
    return Run(folder, events, network=network, scenario=SCENARIO.replace("\nevents:\n", TAIL))


@pytest.mark.parametrize(
    ("kind", "phases", "near"),
    # The two phases of an llg share one resistance, which is that of their mean current.
    [("slg", "b", 1e-3), ("ll", "ac", 1e-3), ("llg", "bc", 0.12), ("3ph", "abc", 1e-3)],
)
def test_an_arc_is_a_square_wave_of_voltage_behind_its_resistance(kind, phases, near, tmp_path):
    run = arcing(tmp_path, kind, phases).to(6)
    town, tail = run.site.phasors(0), run.site.phasors(2)
    orders = np.array(run.site.solver.orders)
    # What comes down the line and the town does not draw flows in the fault, and there alone (Kirchhoff).
    volts, into = tail[:3], -tail[3:] - town[3:]
    sound = ["abc".index(letter) for letter in "abc" if letter not in phases]
    assert abs(into[sound]).max(initial=0.0) < 1e-6 * abs(into).max()
    if kind == "ll":
        assert abs(into.sum(axis=0)).max() < 1e-6 * abs(into).max()
    for path in [phases] if kind == "ll" else phases:
        plus = "abc".index(path[0])
        across = volts[plus] - (volts["abc".index(path[1])] if len(path) == 2 else 0)
        current = into[plus]
        arc = across - 2.0 * current
        # On a fine grid of the cycle the arc's voltage has one height and the sign of the current.
        turn = np.exp(1j * np.outer(np.linspace(0, 2 * np.pi, 400, endpoint=False), orders))
        shape = math.sqrt(2) * (turn @ arc).real
        assert abs(arc[0]) / SQUARE == pytest.approx(1400, rel=near)
        assert abs(arc[1:]) == pytest.approx(SQUARE * 1400 / orders[1:], rel=1e-6)
        fundamental = (math.sqrt(2) * turn[:, :1] @ current[:1]).real
        inside = abs(fundamental) > 0.3 * abs(fundamental).max()
        assert shape[inside] * np.sign(fundamental[inside]) == pytest.approx(1400, rel=0.12 + near)


@pytest.mark.parametrize(("kind", "phases"), [("slg", "b"), ("ll", "ac"), ("llg", "bc"), ("3ph", "abc")])
def test_an_arc_s_harmonics_obey_the_network_without_the_fault(kind, phases, tmp_path):
    site = arcing(tmp_path, kind, phases).to(6).site
    town, tail, solver = site.phasors(0), site.phasors(2), site.solver
    network = solver.network
    plain = GridSolver(network, probes=[], loads=[], orders=solver.orders)
    bus, nodes = network.bus_index["END"], Nodes(network)
    own = [nodes.at(bus, letter) for letter in "abc"]
    for at, order in enumerate(solver.orders):
        if order > 1:
            expected = -plain.drawn(own, order).impedance @ (-tail[3:, at] - town[3:, at])
            assert tail[:3, at] == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("kind", "phases"), [("slg", "b"), ("3ph", "abc")])
def test_an_arc_s_harmonics_end_with_it_and_follow_the_load_meanwhile(kind, phases, tmp_path):
    run = arcing(tmp_path, kind, phases)
    site = run.to(4).site
    before = site.phasors(2).copy()
    assert not before[:, 1:].any()
    burning = run.to(6).site.phasors(2).copy()
    site.change(0, 500e3, 200e3, np.zeros(len(site.solver.orders)), cause="test")
    heavier = run.to(7).site.phasors(2)
    # An arc's harmonics have its current's angle h times, and always the same height.
    own = -heavier[3:, :] - site.phasors(0)[3:, :]
    arc = heavier[1] - 2.0 * own[1]
    assert abs(np.angle(arc[0] / burning[1][0])) > 1e-3
    assert abs(arc[1:] * np.array(site.solver.orders)[1:]) == pytest.approx(SQUARE * 1400, rel=1e-6)
    turned = arc[1:] / np.exp(1j * np.array(site.solver.orders)[1:] * np.angle(own[1, 0]))
    assert abs(turned.imag).max() < 1e-6 * abs(turned).max()
    run.to(12)
    assert site.solver.faults == ()
    assert not site.phasors(2)[:, 1:].any()


def test_a_three_phase_arc_goes_out_phase_by_phase_and_what_is_left_is_still_an_arc(tmp_path):
    run = arcing(tmp_path, "3ph", "abc").to(9.9)
    site, left = run.site, set()
    site.watch(lambda: left.add((state(site), site.phasors(2)[:3, 1].any())))
    run.to(11)
    assert left == {("llg", True), ("slg", True), ("", False)}


def test_an_arc_without_current_has_no_harmonics(tmp_path):
    events = ARCING.replace("TYPE", "slg").replace("PHASES", "b")
    run = Run(tmp_path, events).to(5.01)
    assert run.site.phasors(0)[:3, 1].all()
    (trip,) = run.to(5.5).times("recloser_tripped")
    assert trip < 5.3
    # Though two poles of the recloser still conducted when the third had opened, the fault lasts.
    assert state(run.site) == "slg"
    assert run.times("fault_cleared") == []
    assert not run.site.phasors(0)[:, 1:].any()


def state(site):
    return "".join(fault.type for fault in site.solver.faults)


def test_the_head_s_meter_sees_the_arc_s_harmonics_as_the_network_carries_them(tmp_path):
    network = EARTHED.replace("c1_f_per_km: 1.0e-8, c0_f_per_km: 5.0e-9", "c1_f_per_km: 0, c0_f_per_km: 0")
    run = arcing(tmp_path, "slg", "b", network=network).to(6)
    seen = run.site.segment.amplitude[6 + 4] / math.sqrt(2)
    # Without load and capacitance one loop: source and line in the phase domain, 2 ohm, the arc.
    for at, h in ((1, 3), (2, 5), (3, 7)):
        own = (2 * (0.2 + 2j * h) + (0.2 + 2j * h)) / 3
        line = 10 * (2 * (0.4 + 0.35j * h) + (0.6 + 1.4j * h)) / 3
        expected = SQUARE * 1400 / h / abs(own + line + 2.0)
        assert abs(seen[at]) == pytest.approx(expected, rel=2e-3)
    amps = math.sqrt(sum(abs(seen[1:]) ** 2)) / abs(seen[0])
    assert run.meter(1)["thd_i2"] == pytest.approx(amps, rel=0.005)

"""Faults of a scenario as they run their course, seen by the truth ledger, the meters and the network."""

import cmath
import math

import numpy as np
import pytest

from tests.sites import write_site
from twin.contracts import BadInputError, Command
from twin.grid import GridSolver, fault
from twin.grid.nodes import Nodes
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.faults import SQUARE

S = 10**9

NETWORK = """
network: feeder
buses:
  - {name: GRID, u_rated_v: 20000}
  - {name: HEAD, u_rated_v: 20000}
  - {name: END, u_rated_v: 20000}
sources: [{name: S, bus: GRID, r1_ohm: 0.2, x1_ohm: 2, r0_ohm: 0.2, x0_ohm: 2}]
line_types:
  - {name: oh, r1_ohm_per_km: 0.4, x1_ohm_per_km: 0.35, r0_ohm_per_km: 0.6, x0_ohm_per_km: 1.4,
     c1_f_per_km: 1.0e-8, c0_f_per_km: 5.0e-9}
lines:
  - {name: L1, from: GRID, to: HEAD, type: oh, length_m: 4000}
  - {name: L2, from: HEAD, to: END, type: oh, length_m: 6000}
switches: [{name: Q1, branch: L1}, {name: Q2, branch: L2}]
reclosers:
  - {name: REC, switch: Q1, pickup_a: 200, fast_time_dial: 0.05, slow_time_dial: 0.5, reset_time_s: 20,
     dead_times_s: [0.5, 2, 5], opening_time_s: 0.04}
loads:
  - {name: TOWN, bus: END, phases: abc, p_w: [90000, 90000, 90000], q_var: [30000, 30000, 30000]}
"""
ISOLATED = NETWORK.replace("x0_ohm: 2}", "x0_ohm: 2, star_point: isolated}").replace(
    NETWORK[NETWORK.index("reclosers") : NETWORK.index("loads:")], ""
)

SCENARIO = """
version: 1
title: Faults
start: 2026-06-01 12:00
duration: 60 s
network: network.yaml
loads: [{model: constant}]
meters:
  - {name: town, profile: kw320q, at: {load: TOWN}, pt: "20000:100", ct: "50:5", accuracy: ideal}
  - {name: head, profile: kw320q, at: {branch: L1}, pt: "20000:100", ct: "200:5", accuracy: ideal}
events:
"""


class Run:
    """A scenario's site, run to its end or further in steps; what happened is in ``truth``."""

    def __init__(self, folder, events, *, network=NETWORK, scenario=SCENARIO):
        path = write_site(folder, scenario=scenario + events, network=network)
        self.scenario = load_scenario(path)
        self.running = build_site(self.scenario)
        self.engine = self.running.engine
        self.site = self.engine.site
        self.records = []
        self.engine._keep = self.records.extend
        self.engine.begin()

    def to(self, seconds):
        self.engine.advance_to(self.scenario.start_ns + round(seconds * S))
        return self

    def times(self, kind, **of):
        start = self.scenario.start_ns
        return [
            (one.time_ns - start) / S
            for one in self.records
            if getattr(one, "kind", "") == kind
            and all(
                getattr(one, key, None) == value or one.detail.get(key) == value for key, value in of.items()
            )
        ]

    def meter(self, at):
        fleet = self.engine.fleet
        return fleet.decode(at, fleet.words(at))


def test_a_temporary_fault_goes_out_in_the_dead_time_and_power_comes_back(tmp_path):
    events = """
  - {event: fault, at: "12:00:10", name: F1, bus: END, type: slg, phases: a, self_extinguishing: true,
     deionisation: 300 ms}
"""
    run = Run(tmp_path, events).to(9)
    before = run.meter(0)["v1"]
    run.to(60)
    (trip,) = run.times("recloser_tripped")
    (reclosed,) = run.times("recloser_reclosed")
    (gone,) = run.times("fault_cleared", cause="deionised")
    row = fault(run.scenario.network, bus="END", type="slg", phases="a", loads="none")
    amps = row["fault_current_a"]["a"]["magnitude"]
    multiple = amps / 200
    expected = 0.05 * (19.61 / (multiple**2 - 1) + 0.491)
    assert trip == pytest.approx(10 + expected, abs=2e-3)
    # The poles open within a cycle of the contacts' parting; the open time counts from the last of them.
    last_pole = reclosed - 0.5
    assert trip + 0.04 <= last_pole < trip + 0.06
    assert gone == pytest.approx(last_pole + 0.3, abs=0.011)
    assert run.times("recloser_reset") == pytest.approx([reclosed + 20])
    assert run.meter(0)["v1"] == pytest.approx(before, rel=1e-6)
    # The meter in town: a sag while the fault lasts, then an interruption until the reclosure.
    events = [one for one in run.records if type(one).__name__ == "EventRecord" and one.meter == "town"]
    assert events
    start = run.scenario.start_ns
    first = min(one.start_ns for one in events)
    assert (first - start) / S == pytest.approx(10.0, abs=0.03)
    assert max((one.end_ns or one.start_ns) - start for one in events) / S == pytest.approx(
        reclosed, abs=0.06
    )


def test_a_lasting_fault_ends_in_lockout_until_it_is_repaired(tmp_path):
    events = """
  - {event: fault, at: "12:00:05", name: F1, bus: END, type: 3ph, phases: abc}
  - {event: repair, at: "12:00:40", of: F1}
  - {event: switch, at: "12:00:45", switch: Q1, to: closed}
"""
    run = Run(tmp_path, events).to(39)
    assert len(run.times("recloser_tripped")) == 4
    assert len(run.times("recloser_locked_out")) == 1
    assert run.meter(0)["v1"] == 0.0
    run.to(60)
    assert run.times("fault_cleared", cause="repair") == [40.0]
    assert run.times("switch_operated", cause="scenario") == [45.0]
    assert len(run.times("recloser_tripped")) == 4
    assert run.meter(0)["v1"] > 11000


def test_an_operator_locks_the_recloser_out_by_command(tmp_path):
    run = Run(tmp_path, "  []\n").to(5)
    run.engine.apply(Command("operator", "Q1", "open", {}))
    run.to(6)
    assert run.times("recloser_locked_out") == [5.0]
    run.engine.apply(Command("operator", "Q1", "close", {}))
    run.to(8)
    assert run.meter(0)["v1"] > 11000


def test_a_fault_evolves(tmp_path):
    network = ISOLATED.replace("star_point: isolated", "star_point: earthed")
    events = """
  - event: fault
    at: "12:00:05"
    name: F1
    bus: END
    type: slg
    phases: a
    resistance: 1 ohm
    clear_after: 10 s
    evolves:
      - {after: 100 ms, type: llg, phases: ab}
      - {after: 200 ms, type: 3ph, phases: abc, resistance: 0}
"""
    run = Run(tmp_path, events, network=network)
    at = {5.05: ("slg", "a", 1.0), 5.15: ("llg", "ab", 1.0), 5.25: ("3ph", "abc", 0.0)}
    for seconds, (kind, phases, ohm) in at.items():
        run.to(seconds)
        row = fault(run.scenario.network, bus="END", type=kind, phases=phases, resistance=ohm)
        volts = {(one["bus"], one["phase"]): one["v_volt"] for one in row["voltages"]}
        seen = abs(run.site.fundamental(run.site.solver.probes.index(run.site.solver.probes[1]))[:3])
        assert seen == pytest.approx([volts["GRID", p] for p in "abc"], rel=3e-3)
    run.to(20)
    assert len(run.times("fault_evolved")) == 2
    assert run.site.solver.faults == ()


def test_an_arc_s_resistance_is_its_voltage_over_its_current(tmp_path):
    network = ISOLATED.replace("star_point: isolated", "star_point: earthed")
    events = """
  - {event: fault, at: "12:00:05", name: F1, bus: END, type: slg, phases: b, resistance: 2 ohm,
     arc_voltage: 1400 V, clear_after: 5 s}
"""
    run = Run(tmp_path, events, network=network).to(6)
    (burning,) = run.site.solver.faults
    volts = abs(run.site.fundamental(2)[1])
    amps = volts / burning.resistance
    assert burning.resistance == pytest.approx(2 + SQUARE * 1400 / amps, rel=2e-4)
    assert pytest.approx(0.9, abs=0.001) == SQUARE
    # Independent: the study with that resistance gives the same current.
    row = fault(run.scenario.network, bus="END", type="slg", phases="b", resistance=burning.resistance)
    assert amps == pytest.approx(row["fault_current_a"]["b"]["magnitude"], rel=5e-3)
    run.to(12)
    assert run.site.solver.faults == ()


def test_an_arc_that_the_network_cannot_keep_goes_out(tmp_path):
    network = ISOLATED.replace("star_point: isolated", "star_point: earthed")
    events = """
  - {event: fault, at: "12:00:05", name: F1, bus: END, type: slg, phases: b, arc_voltage: 30 kV}
"""
    run = Run(tmp_path, events, network=network).to(6)
    assert run.site.solver.faults == ()
    assert len(run.times("fault_cleared", cause="arc too long")) == 1


def test_an_intermittent_earth_fault_strikes_on_peaks_and_goes_out_at_zeros(tmp_path):
    events = """
  - event: fault
    at: "12:00:05"
    name: F1
    bus: END
    type: slg
    phases: c
    resistance: 5 ohm
    intermittent: {interval: 100 ms, burning: 5 ms, lasts: 950 ms}
"""
    run = Run(tmp_path, events, network=ISOLATED).to(10)
    struck = run.times("fault_applied")
    assert 8 <= len(struck) <= 10
    assert np.diff(struck).min() >= 0.1
    assert np.diff(struck).max() <= 0.1101
    assert len(run.times("fault_cleared")) == len(struck)
    assert run.site.solver.faults == ()
    # Each strike falls on a peak: half periods lie between any two of them, but for the bus's small change.
    halves = np.diff(struck) / 0.01
    assert abs(halves - np.round(halves)).max() < 0.02


def test_a_strike_falls_on_a_peak_of_the_phase_voltage(tmp_path):
    events = """
  - event: fault
    at: "12:00:05.0031"
    name: F1
    bus: END
    type: slg
    phases: a
    resistance: 5 ohm
    intermittent: {interval: 100 ms, burning: 5 ms, lasts: 50 ms}
"""
    run = Run(tmp_path, events, network=ISOLATED)
    run.to(5.003)
    voltage = complex(run.site.fundamental(2)[0])
    segment = run.site.segment
    run.to(5.2)
    (struck,) = run.times("fault_applied")
    seconds = struck - (segment.start_ns - run.scenario.start_ns) / S
    angle = segment.theta + 2 * math.pi * 50 * seconds + cmath.phase(voltage)
    assert abs(math.cos(angle)) == pytest.approx(1.0, abs=1e-6)


def test_a_broken_conductor_leaves_two_phases_and_is_mended(tmp_path):
    network = ISOLATED.replace("star_point: isolated", "star_point: earthed")
    events = """
  - {event: conductor, at: "12:00:05", name: C1, branch: L2, phase: b, falls: true, resistance: 200 ohm,
     mended_after: 10 s}
"""
    run = Run(tmp_path, events, network=network).to(8)
    assert abs(run.site.fundamental(1)[4]) < 1.0
    assert run.meter(1)["i1"] > 5
    assert run.meter(0)["v2"] < 2500  # what comes through the other phases' capacitance and the load
    assert run.times("fault_applied")[0] == pytest.approx(5.0, abs=0.011)
    run.to(20)
    assert run.times("conductor_mended") == [15.0]
    assert run.site.solver.state.open_poles == frozenset()
    assert run.site.solver.faults == ()
    assert run.meter(0)["v2"] > 11000


@pytest.mark.parametrize(
    ("event", "field", "what"),
    [
        ("{event: repair, at: '12:00:01', of: X}", "events[0].of", "no fault"),
        (
            "{event: conductor, at: '12:00:01', name: C, branch: L9, phase: a}",
            "events[0].branch",
            "no line 'L9'",
        ),
        (
            "{event: fault, at: '12:00:01', name: F, bus: END, type: slg, phases: ab}",
            "events[0].phases",
            "1 phases",
        ),
        (
            "{event: fault, at: '12:00:01', name: F, bus: END, type: 3ph, phases: abc, "
            "intermittent: {interval: 100 ms, lasts: 1 s}}",
            "events[0].intermittent",
            "does not strike again",
        ),
        (
            "{event: fault, at: '12:00:01', name: F, bus: END, type: slg, phases: a, "
            "intermittent: {interval: 40 ms, burning: 30 ms, lasts: 1 s}}",
            "events[0].intermittent.burning",
            "run into each other",
        ),
        (
            "{event: fault, at: '12:00:01', name: F, bus: END, type: slg, phases: a, evolves: "
            "[{after: 2 s, type: slg, phases: b}, {after: 1 s, type: slg, phases: c}]}",
            "events[0].evolves",
            "do not follow",
        ),
    ],
)
def test_what_cannot_happen_is_refused(event, field, what, tmp_path):
    path = write_site(tmp_path, scenario=SCENARIO + f"  - {event}\n", network=NETWORK)
    with pytest.raises(BadInputError) as caught:
        load_scenario(path)
    (finding,) = caught.value.findings
    assert finding.field == field
    assert what in finding.what


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

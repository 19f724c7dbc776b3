"""Faults of a scenario as they run their course, seen by the truth ledger, the meters and the network."""

import cmath
import math

import numpy as np
import pytest

from tests.simulation.fault_bench import ISOLATED, NETWORK, SCENARIO, Run, S
from tests.sites import write_site
from twin.contracts import BadInputError, Command
from twin.grid import fault
from twin.scenario import load_scenario
from twin.simulation.faults import SQUARE


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

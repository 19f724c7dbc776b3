"""Ferroresonance on the site: told when a transformer with open phases could lock into it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.equipment_site import Run
from tests.simulation.test_transitions import MS, START, Clock
from twin.grid import Bus, Fault, GridSolver, Line, LoadPoint, Network, Probe, Source, Switch, Transformer
from twin.grid.protection_devices import InstalledFuse
from twin.simulation.ferroresonance_watch import watch_ferroresonance
from twin.simulation.site import Site

UNIT = Transformer(
    "T", "H", "L", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn11",
    p_iron=500.0, i0_percent=0.6, knee_percent=120.0, air_core_percent=25.0,
)  # fmt: skip
CABLE = Line("C", "G", "H", 0.2, 0.1, 0.8, 0.4, c1=0.3e-6, c0=0.3e-6)


def site_with(units=(UNIT,), *, load_w=0.0, cable=CABLE):
    """Return a fused cable with transformers at its end, each with a load of three phases behind it."""
    buses = {bus: Bus(bus, 20e3) for bus in ("G", "H")} | {
        one.lv_bus: Bus(one.lv_bus, 400.0) for one in units
    }
    network = Network(
        "cable", tuple(buses.values()), (Source("S", "G", 1.0, 0.0, 0.5, 5.0, 0.5, 5.0),),
        lines=(cable,), transformers=tuple(units), switches=(Switch("Q", "C"),),
        fuses=tuple(InstalledFuse(f"F{one}", one, kind="K", rating=25.0) for one in ("C", "T")),
    )  # fmt: skip
    points = [LoadPoint(f"{one.name}.{letter}", one.lv_bus, letter) for one in units for letter in "abc"]
    truth, clock, probes = [], Clock(), [Probe("head", "G", "C")]
    site = Site(
        GridSolver(network, probes=probes, loads=points, orders=[1]),
        orders=[1], frequency=50.0, start_ns=START, load_names=[point.name for point in points],
        reversed_probes=[False], switches={"Q": True}, witness=truth.append, call_at=clock.call_at,
    )  # fmt: skip
    watch_ferroresonance(site)
    draw(site, load_w)
    clock.run(site, START + 100 * MS)
    return site, clock, truth


def draw(site, load_w):
    """Add to the load of all three phases together."""
    for at in range(len(site.p)):
        site.change(at, load_w / len(site.p), 0.0, np.zeros(1, dtype=complex), cause="test")


def blow(site, clock, letters, branch="C"):
    """Have fuses of a branch blow, one after the other."""
    for letter in letters:
        site.open_pole(site.solver.network.branch_index[branch], 0, letter)
        clock.run(site, site.time_ns + 60 * MS)


def told(truth):
    return [entry for entry in truth if entry.kind == "ferroresonance_condition"]


def test_one_fuse_of_an_unloaded_cable_fed_transformer():
    """By hand: X_C of 0.3 uF; a delta with two phases fed has two windings abreast behind each open one."""
    site, clock, truth = site_with()
    blow(site, clock, "c")
    (entry,) = told(truth)
    assert entry.element == "T"
    assert entry.detail["fed"] == "ab"
    assert entry.detail["side"] == "hv"
    assert entry.detail["x_c_ohm"] == pytest.approx(1 / (2 * math.pi * 50 * 0.3e-6), rel=1e-9)
    magnetising = math.sqrt(0.006**2 - (500 / 400e3) ** 2)
    assert entry.detail["x_m_ohm"] == pytest.approx(3 * 20e3**2 / 400e3 / magnetising / 2, rel=1e-9)
    # The knee at 120 % of 28.3 kV less X_C / X_m lies above the EMF of half a phase's 16.3 kV.
    assert entry.detail["verdict"] == "possible"


def test_two_fuses_leave_one_phase_and_are_another_event():
    site, clock, truth = site_with()
    blow(site, clock, "cb")
    assert [entry.detail["fed"] for entry in told(truth)] == ["ab", "a"]


def test_nothing_is_told_with_three_phases_closed_or_all_open():
    site, clock, truth = site_with()
    draw(site, 3e3)
    clock.run(site, START + 200 * MS)
    site.operate("Q", closed=False, cause="test")
    clock.run(site, START + 300 * MS)
    assert not site.switches["Q"]
    assert not told(truth)  # the poles of a breaker part one by one: no state that lasts
    site.operate("Q", closed=True, cause="test")
    clock.run(site, START + 900 * MS)
    assert not told(truth)


@pytest.mark.parametrize(("share", "flagged"), [(0.3, True), (0.98, True), (1.02, False), (15.0, False)])
def test_load_takes_it_away(share, flagged):
    """By hand: some 3 % of the rating, where X_C G V_0 is half the crest of a phase.

    Two windings abreast of 3 kohm base, 25 % of that beyond the knee at 120 % of 28.3 kV.
    """
    base, knee = 3 * 20e3**2 / 400e3, 1.2 * math.sqrt(2) * 20e3
    x_c = 1 / (2 * math.pi * 50 * 0.3e-6)
    x_air, x_m = 0.25 * base / 2, base / math.sqrt(0.006**2 - (500 / 400e3) ** 2) / 2
    current = knee * (1 - x_air / x_m) / (x_c - x_air)
    conductance = 20e3 * math.sqrt(2 / 3) / 2 / (x_c * x_c * current)
    most = conductance / 2 * base * 400e3 - 500
    assert most == pytest.approx(12.6e3, rel=0.01)
    site, clock, truth = site_with(load_w=share * most)
    blow(site, clock, "c")
    assert bool(told(truth)) is flagged


def test_a_load_that_goes_off_later_brings_it_and_it_is_told_once():
    site, clock, truth = site_with(load_w=200e3)
    blow(site, clock, "c")
    assert not told(truth)
    for step in (-200e3, 100e3, -100e3):
        draw(site, step)
        clock.run(site, site.time_ns + 100 * MS)
    assert len(told(truth)) == 1
    site.close_pole(site.solver.network.branch_index["C"], 0, "c")
    clock.run(site, site.time_ns + 100 * MS)
    blow(site, clock, "c")
    assert len(told(truth)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"cable": replace(CABLE, c1=0.0, c0=0.0)},
        {"units": [replace(UNIT, knee_percent=None, air_core_percent=None)]},
        {"units": [replace(UNIT, vector_group="YNd11")]},
    ],
)
def test_without_capacitance_or_saturation_or_behind_a_delta_there_is_none(change):
    site, clock, truth = site_with(**change)
    blow(site, clock, "c")
    assert not told(truth)


def test_a_fuse_at_the_transformer_leaves_the_cable_on_the_fed_side():
    site, clock, truth = site_with()
    blow(site, clock, "c", branch="T")
    assert not told(truth)


def test_an_earthed_conductor_holds_its_phase():
    site, clock, truth = site_with()
    blow(site, clock, "c")
    assert len(told(truth)) == 1
    site, clock, truth = site_with()
    site.apply_fault(Fault("f", "H", "slg", "c", 1.0), cause="test")
    clock.run(site, site.time_ns + 100 * MS)
    blow(site, clock, "c")
    assert not told(truth)


def test_transformers_on_one_cable_share_its_capacitance_and_their_loads():
    """Equal ones behave as one with half of it; the load of one damps the other, which is in parallel."""
    other = replace(UNIT, name="U", lv_bus="M")
    site, clock, truth = site_with((UNIT, other))
    blow(site, clock, "c")
    entries = told(truth)
    assert {entry.element for entry in entries} == {"T", "U"}
    assert all(entry.detail["x_c_ohm"] == pytest.approx(2 / (2 * math.pi * 50 * 0.3e-6)) for entry in entries)
    site, clock, truth = site_with((UNIT, other))
    for at in range(3):
        site.change(at, 30e3, 0.0, np.zeros(1, dtype=complex), cause="test")
    blow(site, clock, "c")
    assert not told(truth)


@pytest.mark.parametrize(
    ("change", "flagged"),
    [
        ({"hv_bus": "G"}, False),
        ({"hv_bus": "H"}, True),
        ({"hv_bus": "G", "vector_group": "Ii0", "hv_phases": "ab", "lv_phases": "a", "u_lv": 231.0}, False),
    ],
)
def test_a_side_that_is_fed_from_elsewhere_has_no_open_phases(change, flagged):
    """Two transformers on the same low voltage: one that does not hang on the cable holds both."""
    site, clock, truth = site_with((UNIT, replace(UNIT, name="U", **change)))
    blow(site, clock, "c")
    assert bool(told(truth)) is flagged


def test_capacitance_between_phases_drives_an_earthed_star():
    """An overhead line: C_between is (C1 - C0) / 3, counted for the open phase against each fed one."""
    star = replace(UNIT, vector_group="YNyn0", s_rated=25e3, p_iron=10.0)
    line = replace(CABLE, c1=60e-9, c0=15e-9)
    site, clock, truth = site_with((star,), cable=line)
    blow(site, clock, "c")
    expected = 15e-9 + 2 * 15e-9
    (entry,) = told(truth)
    assert entry.detail["x_c_ohm"] == pytest.approx(1 / (2 * math.pi * 50 * expected), rel=1e-9)
    screened, clock, truth = site_with((star,), cable=replace(CABLE, c1=45e-9, c0=45e-9))
    blow(screened, clock, "c")
    assert not told(truth)


NETWORK = """
network: village
frequency_hz: 50
buses:
  columns: [name, u_rated_v]
  rows: [[GRID, 20000], [HV, 20000], [LV, 400]]
sources: [{name: GRID, bus: GRID, r1_ohm: 0.4, x1_ohm: 4, r0_ohm: 0.4, x0_ohm: 4}]
lines:
  - {name: CABLE, from: GRID, to: HV, r1_ohm: 0.2, x1_ohm: 0.1, r0_ohm: 0.8, x0_ohm: 0.4, c1_f: 3.0e-7,
     c0_f: 3.0e-7}
transformers:
  - {name: T, hv: HV, lv: LV, s_rated_va: 400000, u_hv_v: 20000, u_lv_v: 400, vk_percent: 4, vkr_percent: 1,
     vector_group: Dyn11, p_iron_w: 500, i0_percent: 0.6, knee_percent: 120, air_core_percent: 25}
loads:
  - {name: HOUSES, bus: LV, phases: abc, p_w: LOAD, q_var: [0, 0, 0]}
"""
METERS = """
meters:
  - {name: head, profile: kw320q, accuracy: ideal, at: {branch: CABLE}, pt: 20000:100, ct: 50:5}
loads:
  - {model: constant, loads: [HOUSES]}
events:
  - {event: conductor, name: dig, at: "12:01", branch: CABLE, phase: b, mended_after: 60 s}
"""


@pytest.mark.parametrize(("load", "told_at"), [(100, [60.0]), (30_000, [])])
def test_a_scenario_tells_it_when_a_conductor_breaks(tmp_path, load, told_at):
    site = Run(tmp_path, network=NETWORK.replace("LOAD", f"[{load}, {load}, {load}]"), meters=METERS).to(150)
    assert len(site.truth("conductor_broken")) == 1
    found = site.truth("ferroresonance_condition")
    assert [(round(at, 1), element, cause) for at, element, cause in found] == [
        (at, "T", "open phases") for at in told_at
    ]

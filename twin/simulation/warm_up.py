"""Compile every kernel once, by letting a small site see a load change, a fault and a capture."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from twin.scenario import load_scenario
from twin.simulation.build import build_site

_NETWORK = """
frequency_hz: 50
buses:
  columns: [name, u_rated_v]
  rows: [[GRID, 400], [HOME, 400]]
sources: [{name: GRID, bus: GRID, r1_ohm: 0.01, x1_ohm: 0.03, r0_ohm: 0.01, x0_ohm: 0.03}]
line_types: [{name: cable, r1_ohm_per_km: 0.3, x1_ohm_per_km: 0.08, r0_ohm_per_km: 1.2, x0_ohm_per_km: 0.3}]
lines:
  columns: [name, from, to, type, length_m]
  rows: [[CABLE, GRID, HOME, cable, 100]]
loads:
  columns: [name, bus, phases, p_w, q_var]
  rows: [[HOUSE, HOME, a, 2000, 500]]
network: warm-up
"""
_SCENARIO = """
version: 1
title: warm-up
start: 2026-01-15 18:00
duration: 90 s
network: network.yaml
loads: [{model: household}]
meters:
  - name: head
    profile: kw320q
    at: {branch: CABLE}
    alarms: [{parameter: v1, comparison: "<", setpoint: 200 V}]
events:
  - event: fault
    name: F
    at: "18:00:20.003"
    bus: HOME
    type: slg
    phases: a
    resistance: 20 mohm
    clear_after: 200 ms
"""


def warm_up_kernels() -> float:
    """Compile what a site needs into the kernel cache; returns how long it took [s]."""
    started = time.perf_counter()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "network.yaml").write_text(_NETWORK, encoding="utf-8")
        (folder / "scenario.yaml").write_text(_SCENARIO, encoding="utf-8")
        scenario = load_scenario(folder / "scenario.yaml")
        with build_site(scenario) as site:
            site.record_to(folder / "recording", overwrite=False)
            site.engine.advance_to(scenario.end_ns)
            for meter in range(len(site.engine.fleet)):
                site.engine.fleet.words(meter)
    return time.perf_counter() - started

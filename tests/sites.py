"""A small site for tests: a 400 V source, two cables, three customers, two meters."""

from pathlib import Path

NETWORK = """
network: little
frequency_hz: 50
buses:
  columns: [name, u_rated_v]
  rows: [[GRID, 400], [MAIN, 400], [HOME, 400]]
sources: [{name: GRID, bus: GRID, r1_ohm: 0.01, x1_ohm: 0.03, r0_ohm: 0.01, x0_ohm: 0.03}]
line_types: [{name: cable, r1_ohm_per_km: 0.3, x1_ohm_per_km: 0.08, r0_ohm_per_km: 1.2, x0_ohm_per_km: 0.3}]
lines:
  columns: [name, from, to, type, length_m]
  rows: [[CABLE1, GRID, MAIN, cable, 100], [CABLE2, MAIN, HOME, cable, 200]]
switches: [{name: SW2, branch: CABLE2, closed: true}]
capacitors: [{name: CAP, bus: MAIN, q_rated_var: 10000, closed: false}]
loads:
  columns: [name, bus, phases, p_w, q_var]
  rows:
    - [SHOP, MAIN, abc, [3000, 2000, 1000], [900, 600, 300]]
    - [HOUSE1, HOME, a, 2000, 500]
    - [HOUSE2, HOME, b, 1000, 300]
"""

SCENARIO = """
version: 1
title: A little site
seed: 7
start: 2026-01-15 18:00
time_zone: Europe/London
duration: 10 min
network: network.yaml
loads:
  - {model: constant, loads: all}
meters:
  - name: head
    profile: kw320q
    at: {branch: CABLE1}
    ct: 100:5
    endpoint: {port: 0}
  - name: home
    profile: kw320q
    at: {loads: [HOUSE1, HOUSE2]}
    ct: 50:5
    alarms: [{parameter: v1, comparison: "<", setpoint: 200 V, delay: 50 ms}]
    endpoint: {port: 0}
events:
  - {event: switch, at: "18:02", switch: CAP, to: closed}
  - event: fault
    at: "18:05:00.003"
    name: F1
    bus: HOME
    type: slg
    phases: a
    resistance: 50 mohm
    clear_after: 300 ms
dashboard: {port: 0}
"""


def write_site(folder: Path, *, scenario: str = SCENARIO, network: str = NETWORK) -> Path:
    """Write the site's two files and return the scenario's path."""
    (folder / "network.yaml").write_text(network, encoding="utf-8")
    path = folder / "scenario.yaml"
    path.write_text(scenario, encoding="utf-8")
    return path

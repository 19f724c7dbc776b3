"""Compile every kernel once, by letting a small site see all that can happen to one.

A kernel compiles when it is first called, and loads from its cache when a process first calls it: in a live
session that would keep a tick waiting for seconds. So a session does all of it before time starts.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from twin.grid import NotConvergedError
from twin.scenario import SiteScenario, load_scenario
from twin.simulation.build import RunningSite, build_site
from twin.simulation.live import PUBLISH_NS
from twin.simulation.publishing import Publisher
from twin.simulation.site import Site

_NETWORK = """
frequency_hz: 50
buses:
  columns: [name, u_rated_v]
  rows: [[GRID, 400], [MAIN, 400], [HOME, 400]]
sources: [{name: GRID, bus: GRID, r1_ohm: 0.01, x1_ohm: 0.03, r0_ohm: 0.01, x0_ohm: 0.03}]
line_types: [{name: cable, r1_ohm_per_km: 0.3, x1_ohm_per_km: 0.08, r0_ohm_per_km: 1.2, x0_ohm_per_km: 0.3}]
lines:
  columns: [name, from, to, type, length_m]
  rows: [[CABLE1, GRID, MAIN, cable, 100], [CABLE2, MAIN, HOME, cable, 100]]
switches: [{name: SWITCH, branch: CABLE2, closed: true}]
capacitors: [{name: BANK, bus: MAIN, q_rated_var: 10000, closed: false}]
loads:
  columns: [name, bus, phases, p_w, q_var]
  rows: [[HOUSE, HOME, a, 2000, 500], [SHOP, MAIN, abc, [3000, 2000, 1000], [900, 600, 300]]]
network: warm-up
"""
_METERS = """
  - name: METER
    profile: kw320q
    at: {branch: CABLE1}
    ct: 50:5
    load_profile: 60 s
    over_current: {rated_current: 5 A}
    alarms:
      - {parameter: v1, comparison: "<", setpoint: 200 V}
      - {parameter: thd_i1, setpoint: 5 %, delay: 1 s}
"""
# A master can set any meter to another wiring at any time.
_OTHER = """
  - {name: OTHER, profile: kw320, at: {load: HOUSE}}
  - {name: TWO, profile: kw320q, at: {branch: CABLE2}, wiring: 2LL, current_wiring: 2CT}
  - {name: ONE, profile: kw320q, at: {branch: CABLE2}, wiring: 1LN, current_wiring: 1CT}
"""
_KINDS = {
    "ideal": "accuracy: ideal",
    "sampled": "fidelity: sampled",
    "saturating": "current_transformer: {burden: 30 VA, remanence: 50 %}",
}
"""What makes meters use kernels of their own."""
_SCENARIO = """
version: 1
title: warm-up
start: 2026-01-15 18:00
duration: {duration}
network: network.yaml
loads:
  - {{model: household, loads: [HOUSE]}}
  - {{model: constant, loads: all}}
meters:{meters}
events:
  - {{event: switch, at: "18:00:02", switch: BANK, to: closed}}
  - event: fault
    name: F
    at: "18:00:03.003"
    bus: HOME
    type: slg
    phases: a
    resistance: 20 mohm
    clear_after: 200 ms
  - {{event: switch, at: "18:00:04.2", switch: SWITCH, to: open}}
  - {{event: switch, at: "18:00:05.1", switch: SWITCH, to: closed}}
"""
_TICKS = 70
"""How many ticks are published one by one: up to the end of all events."""


def warm_up_kernels(kinds: Iterable[str] = tuple(_KINDS)) -> float:
    """Compile kernels into their cache, and load them from there; returns how long it took [s].

    Parameters
    ----------
    kinds : iterable of str
        Of meters beside the plain ones: ``ideal``, ``sampled``, ``saturating``; all by default.
    """
    started = time.perf_counter()
    for kind in dict.fromkeys(("", *kinds)):
        _live_with(kind)
    return time.perf_counter() - started


def warm_up_for(kinds: frozenset[str]) -> None:
    """Have the kernels of such meters compiled and loaded in this process, each once."""
    for kind in ("", *sorted(kinds)):
        _live_once_with(kind)


@cache
def _live_once_with(kind: str) -> None:
    _live_with(kind)


def _live_with(kind: str) -> None:
    """Let a site with a kind of meters live; empty: plain ones."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "network.yaml").write_text(_NETWORK, encoding="utf-8")
        duration = "6 s" if kind else "62 s"  # a load profile's interval is the same for all
        text = _SCENARIO.format(duration=duration, meters=_METERS + _beside(kind))
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
        scenario = load_scenario(folder / "scenario.yaml")
        with build_site(scenario) as site:
            site.record_to(folder / "recording", overwrite=True)
            _live(site, scenario.end_ns)


def _beside(kind: str) -> str:
    """Return what stands behind the meter: a key of its own, or other meters."""
    return f"    {_KINDS[kind]}\n" if kind else _OTHER


def kinds_of(scenario: SiteScenario) -> frozenset[str]:
    """Return what its meters are beside plain, as ``warm_up_kernels`` takes it."""
    meters = scenario.scenario.meters
    found = {
        "ideal": any(meter.accuracy == "ideal" for meter in meters),
        "sampled": any(meter.fidelity == "sampled" for meter in meters),
        "saturating": any(meter.current_transformer is not None for meter in meters),
    }
    return frozenset(kind for kind, used in found.items() if used)


def _live(site: RunningSite, end_ns: int) -> None:
    """Let a site live as a session does: its ticks published, some of them prepared."""
    publisher = Publisher(site.engine.fleet, [info.name for info in site.infos])
    engine, solved = site.engine, site.engine.site
    assert isinstance(solved, Site)
    no_harmonics = np.zeros_like(solved.emission)
    site.begin()
    for tick in range(_TICKS):
        tick_ns = min((engine.now_ns // PUBLISH_NS + 1) * PUBLISH_NS, end_ns)
        if tick % 10 in (0, 9):
            publisher.prepare(tick_ns)
        engine.advance_to(tick_ns)
        publisher.publish(tick_ns)
        if tick % 15 == 14:  # little steps of load, seen at the ticks around them
            solved.change(0, 50.0, 10.0, no_harmonics[0], cause="warm-up")
    engine.advance_to(end_ns)
    publisher.publish(end_ns)
    for meter in range(len(engine.fleet)):
        engine.fleet.words(meter)
    with suppress(NotConvergedError):  # what is tried before it is given up
        solved.solver.solve(1e12 + solved.p, solved.q, no_harmonics)
    publisher.close()

"""A 20 kV feeder on which faults run their course, for the tests of faults and of their arcs."""

from tests.sites import write_site
from twin.scenario import load_scenario
from twin.simulation import build_site

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

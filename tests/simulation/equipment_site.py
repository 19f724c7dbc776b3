"""A 400 V site for machines: a source of known impedance, one cable, and what a test puts on it."""

from twin.contracts import Signal
from twin.scenario import load_scenario
from twin.simulation import build_site

NETWORK = """
network: bench
frequency_hz: 50
buses:
  columns: [name, u_rated_v]
  rows: [[GRID, 400], [MAIN, 400], [FAR, 400]]
sources: [{name: GRID, bus: GRID, r1_ohm: 0.01, x1_ohm: 0.03, r0_ohm: 0.01, x0_ohm: 0.03}]
lines:
  - {name: FEEDER, from: GRID, to: MAIN, r1_ohm: 0.01, x1_ohm: 0.01, r0_ohm: 0.04, x0_ohm: 0.03}
  - {name: TAIL, from: MAIN, to: FAR, r1_ohm: 0.02, x1_ohm: 0.01, r0_ohm: 0.08, x0_ohm: 0.03}
switches: [{name: Q1, branch: FEEDER}, {name: Q2, branch: TAIL}]
spectra: [{name: bridge, orders: [2, 5, 7], percent: [4, 20, 10], angle_deg: [30, 180, 180]}]
loads:
  - {name: BASE, bus: MAIN, phases: abc, p_w: [3000, 3000, 3000], q_var: [1000, 1000, 1000]}
  - {name: HEAT, bus: FAR, phases: abc, p_w: [1000, 1000, 1000], q_var: [0, 0, 0]}
"""

HEAD = """
version: 1
title: Machines
seed: 5
start: 2026-06-15 12:00
time_zone: UTC
duration: {minutes} min
network: network.yaml
location: {{latitude: 50 deg, longitude: 0 deg, cloudiness: 0 %}}
dashboard: {{port: 0}}
"""

METERS = """
meters:
  - {name: head, profile: kw320q, accuracy: ideal, at: {branch: FEEDER, end: to, reverse: true}, ct: 400:5}
"""

MOTOR = """
motors:
  - name: M1
    bus: MAIN
    power: 55 kW
    speed: 1480
    efficiency: 94 %
    inertia: 2.0
    starting_torque: 2.5
"""


def scenario(folder, text="", *, minutes=10, network=NETWORK, meters=METERS):
    """Write the site with further text of the scenario, and load it."""
    (folder / "network.yaml").write_text(network, encoding="utf-8")
    path = folder / "scenario.yaml"
    path.write_text(HEAD.format(minutes=minutes) + meters + text, encoding="utf-8")
    return load_scenario(path)


class Run:
    """A built site that is run to seconds after its start."""

    def __init__(self, folder, text="", **options):
        self.scenario = scenario(folder, text, **options)
        self.built = build_site(self.scenario)
        self.records = []
        keep = self.built.engine._keep
        self.built.engine._keep = lambda records: (self.records.extend(records), keep(records))
        self.segments = []
        measure = self.built.engine.fleet.advance

        def advance(segment, until_ns, **options):
            if not self.segments or self.segments[-1] is not segment:
                self.segments.append(segment)
            return measure(segment, until_ns, **options)

        self.built.engine.fleet.advance = advance
        self.built.begin()

    @property
    def site(self):
        """The physical site."""
        return self.built.engine.site

    def to(self, seconds):
        """Advance to an instant."""
        self.built.engine.advance_to(self.scenario.start_ns + round(seconds * 1e9))
        return self

    def power(self, probe=0):
        """Return the complex power at a probe into the site."""
        seen = self.site.fundamental(probe)
        turned = -1.0 if self.scenario.meters[probe].reverse else 1.0
        return turned * complex(sum(seen[:3] * seen[3:].conj()))

    def signal(self):
        """Return all that the meters have seen."""
        later = [
            one
            for one, after in zip(self.segments, self.segments[1:], strict=False)
            if one.start_ns < after.start_ns
        ]
        channels = tuple(f"c{at}" for at in range(6 * len(self.scenario.meters)))
        return Signal(channels, (*later, self.segments[-1]), self.site.time_ns)

    def of(self, kind):
        """Return the records of a type."""
        return [record for record in self.records if type(record).__name__ == kind]

    def truth(self, kind):
        """Return the truth entries of a kind as seconds, element and cause."""
        return [
            ((entry.time_ns - self.scenario.start_ns) / 1e9, entry.element, entry.cause)
            for entry in self.of("TruthEntry")
            if entry.kind == kind
        ]

"""A network with protection in simulated time, without meters: what happens, and when."""

from functools import partial

import numpy as np
import simpy

from twin.documents import read_yaml
from twin.grid import Fault, GridSolver, LoadPoint, parse_network
from twin.simulation.protecting import Protection, protection_probes
from twin.simulation.site import Site

S = 10**9


class Bench:
    """A solved site with its protection; ``happened`` lists (time [s], kind, element, cause, detail)."""

    def __init__(self, folder, text, *, loads=(), modes=False):
        file = folder / "network.yaml"
        file.write_text(text, encoding="utf-8")
        self.network = parse_network(read_yaml(file))
        self.environment = simpy.Environment(initial_time=0)
        probes = protection_probes(self.network)
        points = [LoadPoint(f"{bus} {phase}", bus, phase) for bus, _ in loads for phase in "abc"]
        self.truth = []
        solver = GridSolver(self.network, probes=probes, loads=points, orders=[1])
        self.site = Site(
            solver,
            orders=[1],
            frequency=self.network.frequency,
            start_ns=0,
            load_names=[point.name for point in points],
            reversed_probes=[False] * len(probes),
            switches={switch.name: switch.closed for switch in self.network.switches},
            witness=self.truth.append,
            call_at=self.call_at if modes else None,
        )
        for at, (_, watts) in enumerate(loads):
            for phase in range(3):
                self.site.change(3 * at + phase, watts / 3, 0.0, np.zeros(1), cause="test")
        self.truth.clear()
        self.protection = Protection(self.site, first=0, call_at=self.call_at)

    def call_at(self, at_ns, function):
        timeout = self.environment.timeout(at_ns - int(self.environment.now))
        timeout.callbacks.append(lambda _: function())

    def at(self, seconds, function):
        self.call_at(round(seconds * S), function)

    def fault(self, seconds, bus, kind="3ph", phases="abc", resistance=0.0, name="F"):
        fault = Fault(name, bus, kind, phases, resistance)
        self.at(seconds, partial(self.site.apply_fault, fault, cause="test"))

    def run(self, until):
        environment, site, end = self.environment, self.site, round(until * S)
        while True:
            if environment.peek() > site.time_ns:
                site.settle()
            if environment.peek() > end:
                break
            site.time_ns = int(environment.peek())
            environment.step()
        site.time_ns = end
        site.settle()
        return self

    @property
    def happened(self):
        return [(e.time_ns / S, e.kind, e.element, e.cause) for e in self.truth]

    def times(self, kind, **of):
        return [
            e.time_ns / S
            for e in self.truth
            if e.kind == kind
            and all(getattr(e, key, e.detail.get(key)) == value for key, value in of.items())
        ]

    def detail(self, kind):
        return [e.detail for e in self.truth if e.kind == kind]

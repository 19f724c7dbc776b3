"""Faults with their transients: a site of a hundred cables with a hundred meters, and the European feeder.

A fault strikes and is cleared pole by pole; all its events together count, with the solutions of the network.
Limit: 40 ms for a fault to earth among a hundred buses, so that 200 faults of a year take under 8 s; 300 ms
for one on the European feeder.
"""

import heapq
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from twin.grid import (
    Bus,
    Fault,
    GridSolver,
    Line,
    LoadPoint,
    Network,
    Probe,
    Source,
    Transformer,
    read_network,
)
from twin.grid.rated import load_points
from twin.simulation.site import Site

EUROPEAN = Path(__file__).parent.parent / "scenarios" / "networks" / "european-lv.yaml"
MS = 1_000_000
START = 1_700_000_000_000_000_000
ROUNDS = 8


class Events:
    """A site to which faults happen, without anything else."""

    def __init__(
        self,
        network: Network,
        probes: list[Probe],
        points: list[LoadPoint],
        power: tuple[np.ndarray, np.ndarray],
    ) -> None:
        self.waiting: list[tuple[int, int, Callable[[], None]]] = []
        self.count = itertools.count()
        self.site = Site(
            GridSolver(network, probes=probes, loads=points, orders=[1]),
            orders=[1],
            frequency=network.frequency,
            start_ns=START,
            load_names=[point.name for point in points],
            reversed_probes=[False] * len(probes),
            switches={bank.name: bank.closed for bank in network.capacitors},
            witness=lambda _: None,
            call_at=lambda at, function: heapq.heappush(self.waiting, (at, next(self.count), function)),
        )
        for at, (p, q) in enumerate(zip(*power, strict=True)):
            self.load(at, p, q)
        self.run(100)

    def load(self, at: int, p: float, q: float) -> None:
        """Let a load point draw more."""
        self.site.change(at, p, q, np.zeros(1, dtype=np.complex128), cause="benchmark")

    def run(self, milliseconds: float) -> None:
        """Let time pass."""
        until = self.site.time_ns + round(milliseconds * MS)
        while self.waiting and self.waiting[0][0] <= until:
            at, _, function = heapq.heappop(self.waiting)
            self.site.settle()
            self.site.time_ns = max(at, self.site.time_ns)
            function()
        self.site.settle()
        self.site.time_ns = until

    def fault(self, bus: str, kind: str, phases: str) -> float:
        """Return what a fault takes from strike to clearing, at loads without a circuit so far [s]."""
        site = self.site
        self.load(0, 1.0, 0.0)
        self.run(3137.7)
        begin = time.perf_counter()
        site.apply_fault(Fault("f", bus, kind, phases, 0.1), cause="benchmark")
        self.run(100)
        assert site.segment.rate.size > 1, "the fault has no transient"
        site.clear_fault("f", cause="benchmark")
        self.run(100)
        return time.perf_counter() - begin


def hundred() -> Events:
    """Return a low-voltage network of 100 cables with their charging, a meter at each customer."""
    rng = np.random.default_rng(6)
    lines, points, probes, p = [], [], [], []
    for k in range(1, 101):
        km = rng.uniform(0.01, 0.05)
        values = 0.127 * km, 0.08 * km, 0.507 * km, 0.32 * km, 8.7e-7 * km, 8.7e-7 * km
        lines.append(Line(f"L{k}", f"B{rng.integers(max(0, k - 6), k)}", f"B{k}", *values))
        for phase in "abc" if k % 4 == 0 else "abc"[k % 3]:
            points.append(LoadPoint(f"P{k}", f"B{k}", phase))
            p.append(rng.uniform(100.0, 1500.0))
        probes.append(Probe(f"M{k}", f"B{k}", loads=(f"P{k}",)))
    network = Network(
        "hundred",
        (Bus("MV", 20e3), *(Bus(f"B{k}", 400.0) for k in range(101))),
        (Source("S", "MV", r1=0.4, x1=4.0, r0=0.4, x0=4.0),),
        lines=tuple(lines),
        transformers=(Transformer("T", "MV", "B0", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn5"),),
    )
    return Events(network, probes, points, (np.array(p), 0.4 * np.array(p)))


def european() -> Events:
    """Return the European feeder with its scenario's meters."""
    network = read_network(EUROPEAN)
    points, p, q, _ = load_points(network)
    probes = [Probe("head", network.transformers[0].lv_bus, "TRAFO", "to")]
    probes += [Probe(point.name, point.bus, loads=(point.name,)) for point in points[::9]]
    return Events(network, probes, points, (p, q))


def main() -> None:
    for name, events, bus in (
        ("100 cables, 100 meters", hundred(), "B90"),
        ("European feeder", european(), "639"),
    ):
        for kind, phases in (("slg", "a"), ("ll", "bc"), ("3ph", "abc")):
            events.fault(bus, kind, phases)
            best = min(events.fault(bus, kind, phases) for _ in range(ROUNDS))
            print(f"{name}: a fault ({kind}), strike to clearing  {1e3 * best:6.1f} ms")


if __name__ == "__main__":
    main()

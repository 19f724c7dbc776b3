"""Transients of networks with hundreds of modes: what meters see of them is as with all modes."""

import logging
import math

import numpy as np
import pytest

from tests.simulation.test_transitions import MS, START, jumps, site_of, value
from twin.grid import (
    Bus,
    Capacitor,
    Fault,
    GridSolver,
    Line,
    LoadPoint,
    Network,
    Probe,
    Source,
    Transformer,
)
from twin.grid.natural_response import NaturalResponse

EVERYTHING = 10**9


def feeder(buses, *, seed, charging=0.0, grounded=True, bank=0.0):
    """Return a radial low-voltage network of cables, its loads and their powers, of which some feed in."""
    rng = np.random.default_rng(seed)
    names = ["MV", "B0", *(f"B{k}" for k in range(1, buses))]
    lines = []
    for k in range(1, buses):
        parent = f"B{rng.integers(max(0, k - 6), k)}"
        length = rng.uniform(0.01, 0.06)
        r1, x1, c = 0.2 * length, 0.08 * length, charging * length
        lines.append(Line(f"L{k}", parent, f"B{k}", r1, x1, 4 * r1, 4 * x1, c, c))
    banks = (Capacitor("C", f"B{buses // 2}", bank),) if bank else ()
    network = Network(
        "feeder",
        tuple(Bus(name, 20e3 if name == "MV" else 400.0) for name in names),
        (Source("S", "MV", r1=0.4, x1=4.0, r0=0.4, x0=4.0),),
        lines=tuple(lines),
        transformers=(
            Transformer("T", "MV", "B0", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn5" if grounded else "Dy5"),
        ),
        capacitors=banks,
    )
    points, p, q = [], [], []
    for k in range(1, buses):
        for phase in "abc" if k % 3 == 0 else "abc"[k % 3]:
            points.append(LoadPoint(f"P{k}{phase}", f"B{k}", phase))
            p.append(rng.uniform(100.0, 2500.0) * (-1.0 if k % 7 == 0 else 1.0))
            q.append(0.0 if k % 5 == 0 else abs(p[-1]) * rng.uniform(0.1, 0.5))
    return network, points, np.array(p), np.array(q)


def after_a_fault(case, fault, *, small, theta=0.4):
    """Return the modes that three meters see of a fault: substation, cable, a customer."""
    network, points, p, q = case
    head = next(line for line in network.lines if line.to_bus == fault.bus)
    probes = [
        Probe("head", "B0", "T", "to"),
        Probe("cable", head.from_bus, head.name),
        Probe("customer", points[-1].bus, loads=(points[-1].name,)),
    ]
    solver = GridSolver(network, probes=probes, loads=points, orders=[1])
    response = NaturalResponse(network, probes, points, frequency=50.0)
    response.small = small
    silent = np.zeros((len(points), 1), dtype=complex)
    solution = solver.solve(p, q, silent)
    before = solver.operating_point(solution, p, q)
    solver.apply_fault(fault)
    solution = solver.solve(p, q, silent)
    after = solver.operating_point(solution, p, q)
    modes = response.after_event(before, after, theta=theta, since=0.0)
    return modes, math.sqrt(2) * np.abs(solution.phasor[:, 0]).reshape(3, 2, 3)


def waveform(modes, times):
    return (modes.amplitude @ np.exp(np.outer(modes.rate, times))).real


def audible(modes, highest=30e3):
    """Return what is slower than any meter's band is wide."""
    keep = np.abs(modes.rate.imag) < 2 * math.pi * highest
    return type(modes)(modes.rate[keep], modes.amplitude[:, keep])


CASES = {
    "cables without charging": ({"seed": 1}, 2e-4),
    "cables": ({"seed": 2, "charging": 8.7e-7}, 1e-3),
    "cables and a bank": ({"seed": 3, "charging": 2e-7, "bank": 30e3}, 1e-3),
    "isolated": ({"seed": 4, "charging": 8.7e-7, "grounded": False}, 1e-3),
    "a bank": ({"seed": 5, "bank": 30e3}, 2e-4),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    list(zip(CASES, [("llg", "ca"), ("3ph", "abc"), ("slg", "b"), ("slg", "a"), ("ll", "bc")], strict=True)),
)
def test_meters_see_what_they_would_with_all_modes(name, kind):
    """From 0.1 ms on, of the amplitude of the steady voltages and currents; all modes where they matter."""
    options, limit = CASES[name]
    case = feeder(22, **options)
    fault = Fault("f", "B18", *kind, 0.05)
    reduced, size = after_a_fault(case, fault, small=0)
    full, _ = after_a_fault(case, fault, small=EVERYTHING)
    assert reduced.rate.size <= 32 < full.rate.size
    times = np.concatenate([np.linspace(1e-4, 2e-2, 400), np.linspace(0.02, 0.5, 100)])
    difference = waveform(audible(reduced), times) - waveform(audible(full), times)
    worst = np.abs(difference).max(axis=1).reshape(3, 2, 3).max(axis=2)
    assert (worst < limit * np.maximum(size.max(axis=2), [[1.0, 1.0]])).all()


def test_the_offset_decays_as_with_all_modes():
    """Near the substation its mode is the slowest that the transformer's current has."""
    case = feeder(22, seed=1)
    fault = Fault("f", "B1", "3ph", "abc", 1e-3)
    rates = []
    for small in (0, EVERYTHING):
        modes, _ = after_a_fault(case, fault, small=small)
        rates.append(modes.rate[np.abs(modes.amplitude[3]).argmax()])
    assert rates[1].imag == 0.0
    assert -rates[1].real < 400.0
    assert rates[0] == pytest.approx(rates[1], rel=1e-4)


@pytest.mark.parametrize("kind", [("slg", "b"), ("llg", "ab"), ("3ph", "abc")])
def test_a_fault_among_a_hundred_buses_comes_and_goes_without_a_jump(kind, caplog):
    """Its phases go out at zeros; Kirchhoff's law holds at a bus with meters all round."""
    network, points, p, q = feeder(100, seed=6, charging=8.7e-7)
    lines = {line.name: line for line in network.lines}
    bus = "B60"
    around = [
        Probe(line.name, bus, line.name, "from" if line.from_bus == bus else "to")
        for line in lines.values()
        if bus in (line.from_bus, line.to_bus)
    ]
    drawn = tuple(point.name for point in points if point.bus == bus)
    probes = [Probe("head", "MV", "T"), *around, Probe("customers", bus, loads=drawn)]
    site, clock = site_of(network, probes, points, p, q)
    clock.run(site, START + 103 * MS)
    far = "B90"
    with caplog.at_level(logging.WARNING):
        site.apply_fault(Fault("f", far, *kind, 0.05), cause="test")
        clock.run(site, site.time_ns + 63 * MS)
        site.clear_fault("f", cause="test")
        clock.run(site, site.time_ns + 500 * MS)
    assert not caplog.records
    assert site.solver.faults == ()
    changes = {one.start_ns for one, _ in clock.segments if one.rate.size > 1}
    assert len(changes) == 1 + len(kind[1])
    assert max(one.rate.size for one, _ in clock.segments) < 60
    assert jumps(clock, [3, 4, 5]) < 1e-6
    for segment, end in clock.segments[1:]:
        for at in np.linspace(segment.start_ns, end, 5):
            sample = value(segment, int(at)).reshape(-1, 2, 3)[1:, 1]
            assert np.abs(sample.sum(axis=0)).max() < 1e-6 * np.abs(segment.amplitude[3:6]).sum()

"""Waveforms over faults and switching: what cannot jump does not, and poles go out at current zeros."""

import heapq
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.contracts import Segment
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
    Switch,
    Transformer,
    read_network,
)
from twin.grid.rated import load_points
from twin.simulation.interrupting import without_phase
from twin.simulation.site import Site

START = 1_700_000_000_000_000_000
MS = 1_000_000
NETWORKS = Path(__file__).parents[2] / "scenarios" / "networks"


class Clock:
    """Simulated time with functions called at instants; keeps every segment with its end."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, int, object]] = []
        self.order = itertools.count()
        self.segments: list[tuple[Segment, int]] = []

    def call_at(self, at_ns, function):
        heapq.heappush(self.waiting, (at_ns, next(self.order), function))

    def run(self, site, until_ns):
        """Let time pass, events at their instants."""
        while self.waiting and self.waiting[0][0] <= until_ns:
            at_ns, _, function = heapq.heappop(self.waiting)
            self.pass_to(site, at_ns)
            function()
        self.pass_to(site, until_ns)

    def pass_to(self, site, at_ns):
        site.settle()
        if at_ns > site.time_ns:
            self.segments.append((site.segment, at_ns))
            site.time_ns = at_ns


def site_of(network, probes, points, p, q):
    clock = Clock()
    truth = []
    site = Site(
        GridSolver(network, probes=probes, loads=points, orders=[1]),
        orders=[1],
        frequency=network.frequency,
        start_ns=START,
        load_names=[point.name for point in points],
        reversed_probes=[False] * len(probes),
        switches={switch.name: switch.closed for switch in network.switches}
        | {bank.name: bank.closed for bank in network.capacitors},
        witness=truth.append,
        call_at=clock.call_at,
    )
    for at, (active, reactive) in enumerate(zip(p, q, strict=True)):
        site.change(at, active, reactive, np.zeros(1, dtype=complex), cause="start")
    clock.run(site, START + 100 * MS)
    return site, clock


def value(segment, at_ns):
    """Return every channel at an instant, from the definition of a segment."""
    tau = (at_ns - segment.start_ns) * 1e-9
    theta = segment.theta + 2 * math.pi * segment.frequency * tau
    turn = np.exp(segment.rate * tau + 1j * segment.order * theta)
    return (segment.amplitude * turn).real.sum(axis=1)


def jumps(clock, rows):
    """Return the largest jump of some rows at any boundary, of their largest amplitude."""
    largest = max(np.abs(one.amplitude[rows]).sum(axis=1).max() for one, _ in clock.segments)
    worst = 0.0
    for (one, end), (other, _) in itertools.pairwise(clock.segments):
        assert other.start_ns in {end, one.start_ns}
        worst = max(worst, float(np.abs(value(one, end)[rows] - value(other, end)[rows]).max()))
    return worst / largest


def behind(resistance, reactance, *, load_p=0.0, load_q=0.0):
    """Return one line from an ideal source, with a meter at its head."""
    network = Network(
        "line", (Bus("A", 400.0), Bus("B", 400.0)), (Source("S", "A"),),
        lines=(Line("L", "A", "B", resistance, reactance, resistance, reactance),),
        switches=(Switch("Q", "L"),),
    )  # fmt: skip
    points = [LoadPoint(f"P{phase}", "B", phase) for phase in "abc"]
    return site_of(network, [Probe("head", "A", "L")], points, [load_p] * 3, [load_q] * 3)


@pytest.mark.parametrize("angle_deg", [0.0, 37.0, 90.0, 133.0])
def test_a_fault_current_has_the_closed_form_of_r_and_l(angle_deg):
    """i = sqrt2 U/Z (sin(wt + a - phi) - sin(a - phi) exp(-R t / L)) (IEC 60909-0, 4.1), from no current."""
    r, x = 0.02, 0.1
    site, clock = behind(r, x)
    period = 20 * MS
    # Phase a of the source is a cosine: its voltage passes a zero upwards a quarter period late.
    at = START + 5 * period + round((angle_deg + 270.0) / 360.0 * period)
    clock.run(site, at)
    site.apply_fault(Fault("f", "B", "3ph", "abc", 1e-6), cause="test")
    clock.run(site, at + 60 * MS)
    z, phi = math.hypot(r, x), math.atan2(x, r)
    u, omega, alpha = 400 / math.sqrt(3), 2 * math.pi * 50, math.radians(angle_deg)
    segment = clock.segments[-1][0]
    for t in np.linspace(0.0, 0.06, 25):
        steady = math.sin(omega * t + alpha - phi)
        offset = math.sin(alpha - phi) * math.exp(-r / x * omega * t)
        expected = math.sqrt(2) * u / z * (steady - offset)
        found = value(segment, segment.start_ns + round(t * 1e9))[3]
        assert found == pytest.approx(expected, abs=1e-4 * math.sqrt(2) * u / z)


def test_a_capacitor_rings_with_the_inductance_ahead_of_it():
    """Energising: f = 1 / (2 pi sqrt(L C)), damping R / 2L, voltage from zero (IEC 60871-1, annex)."""
    x, r, q = 0.05, 0.005, 30e3
    network = Network(
        "bank", (Bus("A", 400.0), Bus("B", 400.0)), (Source("S", "A"),),
        lines=(Line("L", "A", "B", r, x, r, x),), capacitors=(Capacitor("C", "B", q, closed=False),),
    )  # fmt: skip
    probes = [Probe("head", "A", "L"), Probe("bank", "B")]
    site, clock = site_of(network, probes, [LoadPoint("P", "B", "a")], [0.0], [0.0])
    clock.run(site, START + 103 * MS)
    site.operate("C", closed=True, cause="test")
    clock.run(site, START + 200 * MS)
    segment = next(one for one, _ in clock.segments if one.rate.size > 1)
    ringing = segment.rate[np.abs(segment.rate.imag) > 0]
    inductance, capacitance = x / (100 * math.pi), q / 400.0**2 / (100 * math.pi)
    assert np.abs(ringing.real + r / (2 * inductance)).max() < 1e-3 * r / (2 * inductance)
    natural = math.sqrt(1 / (inductance * capacitance) - (r / (2 * inductance)) ** 2)
    assert np.abs(np.abs(ringing.imag) - natural).max() < 1e-5 * natural
    start = value(segment, segment.start_ns)
    assert np.abs(start[6:9]).max() < 1e-6 * 325  # the bank comes without charge
    assert np.abs(start[3:6]).max() < 1e-6 * 100
    peak = max(value(segment, segment.start_ns + k * 20_000)[6:9].max() for k in range(500))
    assert 1.2 * 326.6 < peak < 2.0 * 326.6


def test_poles_open_one_by_one_at_zeros_of_their_currents():
    site, clock = behind(0.01, 0.05, load_p=20e3, load_q=15e3)
    before = site.segment
    clock.run(site, START + 107 * MS)
    site.operate("Q", closed=False, cause="test")
    parted = site.time_ns
    clock.run(site, parted + 100 * MS)
    boundaries = [one.start_ns for one, _ in clock.segments if one.start_ns > parted]
    assert 1 <= len(boundaries) <= 3
    assert all(parted < at < parted + 20 * MS for at in boundaries)
    largest = np.abs(before.amplitude[3:6]).max()
    gone = set()
    for (one, end), (other, _) in itertools.pairwise(clock.segments):
        if end in boundaries:
            out = [k for k in range(3, 6) if np.abs(other.amplitude[k]).sum() < 1e-6 * largest]
            fresh = [k for k in out if k not in gone]
            assert fresh
            assert np.abs(value(one, end)[fresh]).max() < 1e-5 * largest
            gone.update(fresh)
    assert gone == {3, 4, 5}
    assert not site.switches["Q"]


def test_a_bank_goes_out_at_zeros_of_its_currents():
    """Nothing rings and nothing jumps when its units leave one by one."""
    network = Network(
        "bank", (Bus("A", 400.0), Bus("B", 400.0)), (Source("S", "A"),),
        lines=(Line("L", "A", "B", 0.005, 0.05, 0.005, 0.05),), capacitors=(Capacitor("C", "B", 30e3),),
    )  # fmt: skip
    points = [LoadPoint(f"P{phase}", "B", phase) for phase in "abc"]
    site, clock = site_of(network, [Probe("head", "A", "L")], points, [2e3] * 3, [1e3] * 3)
    clock.run(site, START + 104 * MS)
    site.operate("C", closed=False, cause="test")
    clock.run(site, START + 200 * MS)
    assert len({one.start_ns for one, _ in clock.segments if one.start_ns > START + 104 * MS}) >= 3
    assert jumps(clock, [3, 4, 5]) < 1e-6
    assert not site.switches["C"]


def test_a_pole_that_is_closed_again_in_time_stays_closed():
    site, clock = behind(0.01, 0.05, load_p=20e3)
    clock.run(site, START + 107 * MS)
    site.operate("Q", closed=False, cause="test")
    site.operate("Q", closed=True, cause="test")
    clock.run(site, START + 200 * MS)
    assert site.switches["Q"]
    assert np.abs(site.segment.amplitude[3:6]).min() >= 0
    assert np.abs(site.segment.amplitude[3:6, 0]).min() > 10


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(["LV1", "LV3", "LV5", "MV2"]),
    st.sampled_from([("slg", "a"), ("slg", "c"), ("ll", "ab"), ("llg", "bc"), ("3ph", "abc")]),
    st.integers(0, 19_999_999),
    st.floats(0.0, 0.5),
)
def test_branch_currents_never_jump_over_a_fault_and_its_clearing(bus, kind, moment, resistance):
    """On site8, at any point on wave: KCL at a bus with three meters, and continuity of every current."""
    network = read_network(NETWORKS / "site8.yaml")
    points, p, q, _ = load_points(network)
    probes = [
        Probe("head", "MV1", "GRID", "to"),
        Probe("cable", "MV1", "CAB12", "from"),
        Probe("unit", "MV1", "TA", "from"),
        Probe("feeder", "LV2", "F23", "from"),
    ]
    site, clock = site_of(network, probes, points, p, q)
    clock.run(site, START + 100 * MS + moment)
    site.apply_fault(Fault("f", bus, kind[0], kind[1], resistance), cause="test")
    clock.run(site, site.time_ns + 63 * MS)
    site.clear_fault("f", cause="test")
    clock.run(site, site.time_ns + 60 * MS)
    assert site.solver.faults == ()
    series = [6 * at + 3 + phase for at in (0, 2, 3) for phase in range(3)]
    assert jumps(clock, series) < 1e-6
    for segment, end in clock.segments:
        for at in np.linspace(segment.start_ns, end, 5):
            sample = value(segment, int(at))
            total = sample[3:6] + sample[9:12] + sample[15:18]
            assert np.abs(total).max() < 1e-8 * np.abs(segment.amplitude[3:6]).sum()
    # In the end what decays has decayed: the site is as before.
    clock.run(site, site.time_ns + 3_000 * MS)
    site.reanchor()
    assert site.segment.rate.size == 1
    assert site.calm_ns is None


def test_phases_leave_a_fault_one_by_one():
    fault = Fault("f", "B", "3ph", "abc", 0.1)
    two = without_phase(fault, "b")
    assert (two.type, two.phases) == ("llg", "ac")
    assert without_phase(two, "a").type == "slg"
    assert without_phase(without_phase(two, "a"), "c") is None
    assert without_phase(Fault("g", "B", "ll", "ab", 0.1), "a") is None


def test_a_transformer_carries_a_fault_to_its_other_side():
    """Earth fault on the star side of a Dyn transformer: current in two phases of the delta side alone."""
    network = Network(
        "dyn", (Bus("H", 20e3), Bus("L", 400.0)), (Source("S", "H", 1, 0, 0.1, 1.0, 0.1, 1.0),),
        transformers=(Transformer("T", "H", "L", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn11"),),
    )  # fmt: skip
    probes = [Probe("hv", "H", "T"), Probe("lv", "L")]
    site, clock = site_of(network, probes, [LoadPoint("P", "L", "a")], [0.0], [0.0])
    site.apply_fault(Fault("f", "L", "slg", "a", 1e-6), cause="test")
    clock.run(site, START + 600 * MS)
    segment = site.segment
    sizes = sorted(np.abs(segment.amplitude[3:6, 0]))
    assert sizes[0] < 1e-6 * sizes[2]
    assert sizes[1] == pytest.approx(sizes[2], rel=1e-9)
    assert jumps(clock, [3, 4, 5]) < 1e-6

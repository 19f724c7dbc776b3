"""The solver against its own equations, a dense twin, and the rules that results must obey."""

import cmath
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grid.grid_cases import no_emission, points, solver_of, two_bus
from twin.grid import (
    Bus,
    Fault,
    GridError,
    GridSolver,
    HarmonicShare,
    Line,
    Load,
    LoadPoint,
    Network,
    NotConvergedError,
    Probe,
    Source,
    Spectrum,
    Transformer,
    fault,
    harmonics,
    read_network,
)
from twin.grid.admittance import capacitor_admittance, source_block, source_voltage
from twin.grid.elements import branch_elements
from twin.grid.nodal import NodalSystem, State
from twin.grid.nodes import Nodes

NETWORKS = Path(__file__).parents[2] / "scenarios" / "networks"
ORDERS = [1, 3, 5, 7]


def dense(network, h, *, capacitors=()):
    """Return the plain nodal matrix and right-hand side: the twin of the block factorisation."""
    n = len(network.buses)
    index = network.bus_index
    Y = np.zeros((n, 3, n, 3), dtype=complex)
    rhs = np.zeros((n, 3), dtype=complex)
    flat = Y.reshape(3 * n, 3 * n)
    for element in branch_elements(network, Nodes(network), np.array([float(h)])):
        flat[np.ix_(element.nodes, element.nodes)] += element.y[0]
    for source in network.sources:
        at = index[source.bus]
        y = source_block(source, h)
        Y[at, :, at, :] += y
        if h == 1:
            rhs[at] += y @ source_voltage(source, network.buses[at])
    for capacitor in capacitors:
        at = index[capacitor.bus]
        Y[at, :, at, :] += np.eye(3) * capacitor_admittance(capacitor, network.buses[at], h)
    return Y.reshape(3 * n, 3 * n), rhs.reshape(-1)


@pytest.mark.parametrize("h", [1, 5, 13])
def test_blocks_agree_with_the_dense_matrix(site, h):
    system = NodalSystem(site, [h], keep=[3, 5])
    factors = system.factorise(State(capacitors=frozenset({0})))
    generator = np.random.default_rng(7)
    injection = generator.normal(size=24) + 1j * generator.normal(size=24)
    row = system.pattern.row
    permuted = np.empty_like(injection)
    permuted[row] = injection
    ours = system.solve(factors, 0, permuted)[row]
    Y, _ = dense(site, h, capacitors=site.capacitors)
    expected = np.linalg.solve(Y, injection)
    assert np.max(np.abs(ours - expected)) < 1e-10 * np.max(np.abs(expected))


def test_reduction_and_fixed_point_agree_with_the_dense_twin(site):
    probes = [
        Probe("head", "SRC", "GRID", "from"),
        Probe("ta", "LV1", "TA", "to"),
        Probe("cable", "MV2", "CAB12", "to"),
        Probe("customer", "LV3", loads=("LD_LV3",)),
    ]
    solver, p, q = solver_of(site, probes, ORDERS)
    generator = np.random.default_rng(3)
    emission = 0.1 * (generator.normal(size=(18, 4)) + 1j * generator.normal(size=(18, 4))) * p[:, None]
    solution = solver.solve(p, q, emission)
    index = site.bus_index
    loads, _, _ = points(site)
    node = [3 * index[load.bus] + "abc".index(load.phase) for load in loads]
    current = None
    for n, h in enumerate(ORDERS):
        Y, rhs = dense(site, h)
        inverse = np.linalg.inv(Y)
        if h == 1:
            v = inverse @ rhs
            for _ in range(60):
                current = np.conj((p + 1j * q) / v[node])
                injected = rhs.copy()
                np.subtract.at(injected, node, current)
                v = inverse @ injected
            v1 = v[node]
        else:
            injected = np.zeros(len(rhs), dtype=complex)
            current = emission[:, n] * np.exp(1j * h * np.angle(v1)) / np.abs(v1)
            np.subtract.at(injected, node, current)
            v = inverse @ injected
        V = v.reshape(-1, 3)
        elements = branch_elements(site, Nodes(site), np.array([float(h)]))
        expected = []
        for probe, branch, near in (("SRC", "GRID", 0), ("LV1", "TA", 1), ("MV2", "CAB12", 1)):
            at = site.branch_index[branch]
            element = elements[at]
            i = (element.y[0] @ v[list(element.nodes)])[3 * near : 3 * near + 3]
            expected.extend([*V[index[probe]], *i])
        mine = [at for at, load in enumerate(loads) if load.name == "LD_LV3"]
        expected.extend([*V[index["LV3"]], *current[mine]])
        scale = np.maximum(np.abs(expected), 1e-3 * np.abs(expected).max())
        assert np.max(np.abs(solution.phasor[:, n] - expected) / scale) < 1e-9
    assert solution.mismatch < 1e-11


def test_emission_gives_the_currents_of_a_spectrum(site):
    """The simulation's way to state a spectrum equals the network file's."""
    rectifier = Spectrum("r", (HarmonicShare(5, 20.0, 0.0), HarmonicShare(7, 10.0, 40.0)))
    extra = Load("NL", "LV2", "abc", (20e3, 10e3, 5e3), (8e3, 8e3, -2e3), "r")
    network = replace(site, spectra=(rectifier,), loads=(*site.loads, extra))
    expected = {(row["h"], row["bus"], row["phase"]): row for row in harmonics(network)}
    solver, p, q = solver_of(network, [Probe("x", "LV3", loads=())], ORDERS)
    emission = no_emission(len(p), 4)
    for k in range(18, 21):
        s = complex(p[k], q[k])
        for n, h in enumerate(ORDERS):
            for share in rectifier.shares:
                if share.order == h:
                    ratio = cmath.rect(share.percent / 100, math.radians(share.angle_deg))
                    emission[k, n] = ratio * abs(s) * cmath.exp(-1j * h * cmath.phase(s))
    phasor = solver.solve(p, q, emission).phasor
    for n, h in enumerate(ORDERS):
        if h == 3:
            assert np.all(phasor[:3, n] == 0)
            continue
        for k, phase in enumerate("abc"):
            row = expected[h, "LV3", phase]
            theirs = cmath.rect(row["v_volt"], math.radians(row["angle_deg"]))
            assert abs(phasor[k, n] - theirs) < 1e-8


def test_kirchhoff_at_a_bus(site):
    """LV2 has two cables and a load: what comes in goes out, at every order."""
    probes = [
        Probe("in", "LV2", "F12", "to"),
        Probe("out", "LV2", "F23", "from"),
        Probe("load", "LV2", loads=("LD_LV2",)),
    ]
    solver, p, q = solver_of(site, probes, ORDERS)
    phasor = solver.solve(p, q, np.full((18, 4), 500.0 + 100j)).phasor
    total = phasor[3:6] + phasor[9:12] + phasor[15:18]
    assert np.max(np.abs(total)) < 1e-9 * np.max(np.abs(phasor[3:6]))


def test_switching_off_and_on_restores_identical_bits(site):
    probe = [Probe("head", "SRC", "GRID", "from"), Probe("x", "LV2", "F12", "to")]
    solver, p, q = solver_of(site, probe, ORDERS)
    emission = np.full((18, 4), 300.0 - 20j)
    before = solver.solve(p, q, emission).phasor.tobytes()
    solver.set_switch("Q12", False)
    solver.set_switch("PFC", True)
    solver.apply_fault(Fault("f", "LV4", "slg", "b", 0.01))
    other = solver.solve(p, q, emission).phasor.tobytes()
    solver.clear_fault("f")
    solver.set_switch("PFC", False)
    solver.set_switch("Q12", True)
    assert solver.solve(p, q, emission).phasor.tobytes() == before != other
    # Neither the memory of states nor a newly made solver makes a difference.
    fresh, _, _ = solver_of(site, probe, ORDERS)
    assert fresh.solve(p, q, emission).phasor.tobytes() == before
    fresh._reductions.clear()
    fresh.set_switch("PFC", True)
    fresh.set_switch("Q12", False)
    fresh.apply_fault(Fault("another name", "LV4", "slg", "b", 0.01))
    assert fresh.solve(p, q, emission).phasor.tobytes() == other


def test_a_load_at_an_ideal_source_changes_no_voltage():
    network = replace(two_bus(0.0), loads=())
    loads = [LoadPoint("near", "A", "a"), LoadPoint("far", "B", "a")]
    probes = [Probe("both", "A", loads=("near",)), Probe("line", "A", "L")]
    solver = GridSolver(network, probes=probes, loads=loads, orders=[1])
    phasor = solver.solve(np.array([50e3, 1e3]), np.zeros(2), no_emission(2)).phasor[:, 0]
    alone = solver.solve(np.array([0.0, 1e3]), np.zeros(2), no_emission(2)).phasor[:, 0]
    assert phasor[3] == pytest.approx(50e3 / (400 / math.sqrt(3)), rel=1e-12)
    assert np.array_equal(phasor[6:], alone[6:])
    assert np.array_equal(phasor[:3], alone[:3])


@st.composite
def meshed_networks(draw):
    """Random connected graphs with cycles, parallel lines and buses to keep."""
    size = draw(st.integers(2, 12))
    pairs = [(draw(st.integers(0, k - 1)), k) for k in range(1, size)]
    number = st.integers(0, size - 1)
    extra = draw(st.lists(st.tuples(number, number).filter(lambda ends: ends[0] != ends[1]), max_size=20))
    lines = tuple(
        Line(f"L{k}", f"B{f}", f"B{t}", 0.1 + 0.01 * k, 0.2, 0.4, 0.3 + 0.02 * k, 1e-6, 5e-7)
        for k, (f, t) in enumerate([*pairs, *extra])
    )
    buses = tuple(Bus(f"B{k}", 400.0) for k in range(size))
    sources = (Source("S", "B0", 1.0, 0.0, 0.01, 0.02, 0.01, 0.03),)
    return Network("mesh", buses, sources, lines=lines), draw(st.sets(number))


@settings(max_examples=80, deadline=None)
@given(meshed_networks(), st.sampled_from([1, 7]))
def test_a_mesh_agrees_with_the_dense_matrix(case, h):
    network, keep = case
    system = NodalSystem(network, [h], keep=keep)
    row = system.pattern.row
    assert sorted(row) == list(range(3 * len(network.buses)))
    assert all(row[3 * bus] >= system.pattern.first_kept for bus in keep)
    injection = np.arange(1.0, len(row) + 1) * (1 + 0.5j)
    permuted = np.empty_like(injection)
    permuted[row] = injection
    ours = system.solve(system.factorise(State()), 0, permuted)[row]
    Y, _ = dense(network, h)
    expected = np.linalg.solve(Y, injection)
    assert np.max(np.abs(ours - expected)) < 1e-10 * np.max(np.abs(expected))


def test_an_island_is_dead(site):
    probes = [Probe("dead", "LV5", "F45", "to"), Probe("tb", "MV2", "TB"), Probe("live", "LV1", "TA", "to")]
    solver, p, q = solver_of(site, probes, ORDERS)
    solver.set_switch("QB", False)
    solution = solver.solve(p, q, np.full((18, 4), 500.0 + 0j))
    assert np.all(solution.phasor[:6] == 0)
    assert np.all(solution.phasor[9:12] == 0)
    assert np.all(np.abs(solution.phasor[6:9, 0]) > 10e3)
    assert np.all(np.abs(solution.phasor[12:, 0]) > 0)
    # What is dead draws nothing: the rest is as if those loads were gone.
    gone = replace(site, loads=tuple(load for load in site.loads if load.bus not in {"LV4", "LV5"}))
    gone_solver, p, q = solver_of(gone, probes[2:], ORDERS)
    gone_solver.set_switch("QB", False)
    rest = gone_solver.solve(p, q, np.full((12, 4), 500.0 + 0j)).phasor
    assert solution.phasor[12:] == pytest.approx(rest, rel=1e-12)


def test_a_power_that_is_no_number_is_an_error():
    solver, p, q = solver_of(two_bus(1e3))
    with pytest.raises(NotConvergedError, match="no voltage satisfies"):
        solver.solve(p * math.nan, q, no_emission(1))
    assert solver.solve(p, q, no_emission(1)).mismatch < 1e-11


def test_loads_of_another_order_give_the_same(site):
    loads, p, q = points(site)
    order = np.random.default_rng(1).permutation(len(loads))
    probes = [Probe("head", "SRC", "GRID", "from"), Probe("x", "LV3", "F23", "to")]
    emission = np.outer(p, [0, 0.1, 0.05, 0.02]) + 0j
    one = GridSolver(site, probes=probes, loads=loads, orders=ORDERS).solve(p, q, emission)
    other = GridSolver(
        site, probes=probes, loads=[loads[k] for k in order], orders=ORDERS
    ).solve(p[order], q[order], emission[order])  # fmt: skip
    assert other.phasor == pytest.approx(one.phasor, rel=1e-9, abs=1e-9)


def test_no_load_losses_are_drawn_at_rated_voltage():
    network = Network(
        "iron",
        (Bus("HV", 20e3), Bus("LV", 400.0)),
        (Source("S", "HV"),),
        transformers=(Transformer("T", "HV", "LV", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn5", 1200.0, 0.5),),
    )
    solver = GridSolver(network, probes=[Probe("t", "HV", "T")], loads=[], orders=[1])
    phasor = solver.solve(np.zeros(0), np.zeros(0), no_emission(0)).phasor[:, 0]
    s = np.sum(phasor[:3] * np.conj(phasor[3:]))
    assert s.real == pytest.approx(1200.0, rel=1e-3)
    assert abs(s) == pytest.approx(0.005 * 400e3, rel=1e-3)


def test_requests_that_do_not_fit_name_the_mend(site):
    loads, _, _ = points(site)
    with pytest.raises(GridError, match="no bus 'LV33'; did you mean 'LV3'"):
        GridSolver(site, probes=[Probe("x", "LV33")], loads=loads, orders=[1])
    with pytest.raises(GridError, match="the from end of 'F12' is at bus 'LV1'"):
        GridSolver(site, probes=[Probe("x", "LV2", "F12")], loads=loads, orders=[1])
    with pytest.raises(GridError, match="hold 1"):
        GridSolver(site, probes=[], loads=loads, orders=[3, 5])
    solver, p, q = solver_of(site)
    with pytest.raises(GridError, match=r"need p and q of shape \(18,\)"):
        solver.solve(p[1:], q, no_emission(18))
    with pytest.raises(GridError, match="did you mean 'Q12'"):
        solver.set_switch("Q13", True)
    with pytest.raises(GridError, match="cannot have phases 'abc'"):
        solver.apply_fault(Fault("f", "LV1", "slg"))
    with pytest.raises(GridError, match="no fault 'f'"):
        solver.clear_fault("f")
    with pytest.raises(GridError, match="ideal source holds"):
        fault(read_network(NETWORKS / "site8.yaml"), bus="SRC", type="3ph")


@st.composite
def radial_networks(draw):
    """Random trees of 400 V lines with loads of up to some kW."""
    size = draw(st.integers(2, 14))
    number = st.floats(0.001, 0.03)
    buses = tuple(Bus(f"B{k}", 400.0) for k in range(size))
    lines = []
    for k in range(1, size):
        r, x = draw(number), draw(number)
        c = draw(st.sampled_from([0.0, 1e-7]))
        parent = draw(st.integers(0, k - 1))
        lines.append(Line(f"L{k}", f"B{parent}", f"B{k}", r, x, 3 * r, 4 * x, c, c / 2))
    power = st.floats(-2e3, 4e3)
    loads = tuple(
        Load(
            f"P{k}",
            f"B{draw(st.integers(0, size - 1))}",
            draw(st.sampled_from("abc")),
            (draw(power),),
            (draw(power),),
        )
        for k in range(draw(st.integers(1, 8)))
    )
    source = Source("S", "B0", 1.0, 0.0, 0.01, 0.02, 0.01, 0.03)
    return Network("random", buses, (source,), lines=tuple(lines), loads=loads)


@settings(max_examples=60, deadline=None)
@given(radial_networks())
def test_power_in_is_loads_plus_losses(network):
    probes = []
    for line in network.lines:
        probes.append(Probe(f"{line.name} from", line.from_bus, line.name, "from"))
        probes.append(Probe(f"{line.name} to", line.to_bus, line.name, "to"))
    loads, p, q = points(network)
    names = tuple(load.name for load in loads if load.bus == "B0")
    probes.append(Probe("here", "B0", loads=names))
    solution = GridSolver(network, probes=probes, loads=loads, orders=[1]).solve(p, q, no_emission(len(p)))
    phasor = solution.phasor[:, 0].reshape(-1, 2, 3)
    power = np.sum(phasor[:, 0] * np.conj(phasor[:, 1]), axis=1)
    slack = sum(power[k] for k, probe in enumerate(probes) if probe.bus == "B0")
    losses = sum(power[:-1])
    assert abs(slack - losses - np.sum(p + 1j * q)) < 1e-6 * (1 + np.sum(np.abs(p) + np.abs(q)))
    if not any(line.c1 for line in network.lines):
        for k in range(0, len(probes) - 1, 2):
            line = network.lines[k // 2]
            i = phasor[k, 1]
            rs, rm = (line.r0 + 2 * line.r1) / 3, (line.r0 - line.r1) / 3
            expected = (rs - rm) * np.sum(np.abs(i) ** 2) + rm * abs(np.sum(i)) ** 2
            assert (power[k] + power[k + 1]).real == pytest.approx(expected, rel=1e-6, abs=1e-6)

"""Both ways in which load currents reach the meters: against each other, and against dense matrices."""

import numpy as np
import pytest

from tests.grid.grid_cases import points, solver_of
from tests.grid.test_solver import dense
from twin.grid import Bus, Fault, Line, Load, Network, Probe, Source
from twin.grid.reducer import Reducer
from twin.grid.transfers import FactorTransfers, TableTransfers, choose_transfers

ORDERS = (1, 3, 5)
LENGTH = 40


def street(length=LENGTH):
    """A feeder with a three-phase or single-phase load at every bus, a meter at each and one in a line."""
    buses = [Bus(f"B{k}", 400.0) for k in range(length)]
    lines = [Line(f"L{k}", f"B{k}", f"B{k + 1}", 0.01, 0.008, 0.03, 0.03) for k in range(length - 1)]
    loads = []
    for k in range(1, length):
        phases = "abc" if k % 3 else "abc"[k // 3 % 3]
        loads.append(Load(f"P{k}", f"B{k}", phases, (900.0,) * len(phases), (200.0,) * len(phases)))
    network = Network(
        "street",
        tuple(buses),
        (Source("S", "B0", r1=0.01, x1=0.02, r0=0.01, x0=0.02),),
        lines=tuple(lines),
        loads=tuple(loads),
    )
    probes = [Probe(f"M{k}", f"B{k}", loads=(f"P{k}",)) for k in range(1, length)]
    probes.append(Probe("feeder", "B3", branch="L3", end="from"))
    return network, tuple(probes)


def reducer_of(solver):
    reduction = solver._reduction()
    return Reducer(solver._system, reduction.factors, solver._probe_rows, solver._ends), reduction


def currents(loads, *, seed=5):
    generator = np.random.default_rng(seed)
    out = generator.normal(size=(len(ORDERS), loads)) + 1j * generator.normal(size=(len(ORDERS), loads))
    out[1] = 0.0  # at the third nobody emits
    return out


def faulted(solver):
    solver.apply_fault(Fault("F", "B7", "slg", "b", 0.2))


@pytest.mark.parametrize("change", [lambda _: None, faulted], ids=["whole", "faulted"])
def test_factors_and_tables_agree(change):
    network, probes = street()
    solver, p, _ = solver_of(network, probes, ORDERS)
    change(solver)
    reducer, reduction = reducer_of(solver)
    table = TableTransfers(reducer, reducer.at(reducer.one)[1])
    drawn = currents(len(p))
    one, other = (made.phasors(reduction.base, drawn) for made in (table, FactorTransfers(reducer)))
    assert not one[:, 1].any()
    assert not other[:, 1].any()
    np.testing.assert_allclose(other, one, rtol=0.0, atol=1e-12 * np.abs(one).max())


@pytest.mark.parametrize("order", ORDERS)
def test_factors_agree_with_the_dense_matrix(order):
    """The twin of the kernel: voltages by `numpy.linalg.solve`, currents by Ohm's law and Kirchhoff's."""
    network, probes = street()
    solver, p, _ = solver_of(network, probes, ORDERS)
    reducer, reduction = reducer_of(solver)
    load_points, _, _ = points(network)
    drawn = np.zeros((len(ORDERS), len(p)), dtype=complex)
    at = ORDERS.index(order)
    drawn[at] = currents(len(p))[0]
    found = FactorTransfers(reducer).phasors(np.zeros_like(reduction.base), drawn)
    Y, _ = dense(network, order)
    injection = np.zeros((len(network.buses), 3), dtype=complex)
    for load, amperes in zip(load_points, drawn[at], strict=True):
        injection[network.bus_index[load.bus], "abc".index(load.phase)] -= amperes
    volts = np.linalg.solve(Y, injection.ravel()).reshape(-1, 3)
    expected = np.zeros((len(probes), 2, 3), dtype=complex)
    for k, probe in enumerate(probes):
        expected[k, 0] = volts[network.bus_index[probe.bus]]
        for load, amperes in zip(load_points, drawn[at], strict=True):
            beyond = int(load.bus[1:]) > 3 if probe.branch else load.name in probe.loads
            if beyond:
                expected[k, 1, "abc".index(load.phase)] += amperes
    np.testing.assert_allclose(found[:, at], expected.ravel(), rtol=0.0, atol=1e-10 * np.abs(expected).max())


def test_a_large_site_takes_the_factors_and_a_small_one_the_table():
    for length, kind in ((LENGTH, FactorTransfers), (5, TableTransfers)):
        network, probes = street(length=length)
        solver, _, _ = solver_of(network, probes, ORDERS)
        reducer, _ = reducer_of(solver)
        assert isinstance(choose_transfers(reducer, reducer.at(reducer.one)[1]), kind)


def test_solutions_come_out_of_the_factors():
    """What meters show are the node voltages of the same solution, and the currents balance."""
    network, probes = street()
    solver, p, q = solver_of(network, probes, ORDERS)
    emission = np.full((len(p), len(ORDERS)), 20.0 + 5.0j)
    solution = solver.solve(p, q, emission)
    seen = solution.phasor.reshape(len(probes), 2, 3, len(ORDERS))
    for at, order in enumerate(ORDERS):
        volts = solver.node_voltages(solution, order)
        nodes = solver._system.nodes
        for k, probe in enumerate(probes):
            expected = [volts[nodes.at(network.bus_index[probe.bus], letter)] for letter in "abc"]
            np.testing.assert_allclose(seen[k, 0, :, at], expected, rtol=0.0, atol=1e-9)
        beyond = seen[2 : LENGTH - 1, 1, :, at].sum(axis=0)  # meters M3 .. at bus B3 and after
        own = seen[2, 1, :, at]
        np.testing.assert_allclose(seen[-1, 1, :, at], beyond - own, rtol=0.0, atol=1e-9)

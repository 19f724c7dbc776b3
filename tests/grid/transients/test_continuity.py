"""Whatever the circuit: nothing jumps, Kirchhoff holds at all times, and energy only falls."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from twin.grid.transients import (
    Capacitors,
    Circuit,
    Conductances,
    CoupledRL,
    State,
    Switches,
    assemble,
    between,
    clear_pole_by_pole,
    modes,
    state_at,
    stationary,
    transient,
)

from .circuits import branch, driven, element_residual, kirchhoff_current

TIMES = np.array([0.0, 1e-6, 3e-5, 1e-3, 7e-3, 0.02, 0.11])


def decades(low, high):
    return st.floats(low, high).map(lambda x: float(f"{10.0**x:.4g}"))


@st.composite
def random_circuits(draw):
    """Circuits in which every node has a path to earth, and shunts that an event adds."""
    nodes = draw(st.integers(1, 7))
    branches, caps, conductances = [], [], []

    def place(kind, p, q):
        if kind == "coil":
            branches.append((p, q, draw(decades(-2, 2)), draw(decades(-5, 0))))
        elif kind == "capacitor":
            caps.append((p, q, draw(decades(-8, -3))))
        else:
            conductances.append((p, q, draw(decades(-5, 2))))

    kinds = st.sampled_from(["coil", "coil", "capacitor", "conductance"])
    for node in range(nodes):
        place(draw(kinds), draw(st.integers(-1, node - 1)), node)
    for _ in range(draw(st.integers(0, 6))):
        p, q = draw(st.integers(-1, nodes - 1)), draw(st.integers(-1, nodes - 1))
        if p != q:
            place(draw(kinds), p, q)
    assume(branches)
    fault = (draw(st.integers(0, nodes - 1)), draw(decades(-3, 3)))
    # A conductance stays where the fault is, so that its removal interrupts no coil.
    conductances.append((fault[0], -1, draw(decades(-5, 0))))
    p, q, R, L = (np.array(column) for column in zip(*branches, strict=True))
    k = len(branches)
    coupling = draw(st.floats(0.0, 0.9)) * (np.ones((k, k)) - np.eye(k)) + np.eye(k)
    root = np.sqrt(L)
    weight = draw(st.sampled_from([1.0, 0.05, 20.0]))
    terminals = list(between(p.tolist(), q.tolist()))
    terminals[0] = tuple((node, w * weight) for node, w in terminals[0])
    group = CoupledRL(
        tuple(f"coil {i}" for i in range(k)), tuple(terminals), np.diag(R), coupling * np.outer(root, root)
    )
    circuit = Circuit(
        nodes,
        (group,),
        Capacitors(
            tuple(f"capacitor {i}" for i in range(len(caps))),
            between([c[0] for c in caps], [c[1] for c in caps]),
            np.array([c[2] for c in caps]),
        ),
        Conductances(
            between([g[0] for g in conductances], [g[1] for g in conductances]),
            np.array([g[2] for g in conductances]),
        ),
    )
    return circuit, fault


def with_fault(circuit, fault):
    old, (node, g) = circuit.conductances, fault
    new = Conductances(old.terminals + between([node], [-1]), np.append(old.G, g))
    return Circuit(circuit.nodes, circuit.branches, circuit.capacitors, new)


@settings(max_examples=150, deadline=None)
@given(random_circuits(), st.floats(0.0, 6.3), st.floats(0.0, 0.03))
def test_nothing_jumps_and_kirchhoff_holds(drawn, theta, clearing):
    circuit, fault = drawn
    faulted = with_fault(circuit, fault)
    sources = driven(circuit, {"coil 0": np.array([100.0, 10.0j])}, theta=theta, order=(1.0, 5.0))
    before = stationary(circuit, sources)
    first = transient(faulted, sources, state_at(circuit, before, 0.0))
    second = transient(circuit, sources.later(clearing), first.state(clearing))
    injection = np.zeros((circuit.nodes, len(TIMES)))
    # A conductance between two nodes of nearly one voltage: what is left of g (v - v') is rounding.
    volts = max(100.0, *(np.abs(event.terms.amplitude).max() for event in (first, second)))
    rounding = 1e-13 * volts * max(1.0, faulted.conductances.G.max())
    last, left = before.at(0.0), circuit.nodes
    for event, of in ((first, faulted), (second, circuit)):
        start = event.terms.at(0.0)
        b, c = len(of.branch_names), len(of.capacitors.names)
        assert event.modes.s.real.max(initial=0.0) <= 0.0
        for rows in (slice(left, left + b), slice(left + b, left + b + c)):
            signal = np.abs(event.terms.amplitude[rows]).max(initial=0.0)
            assert np.abs(start[rows] - last[rows]).max(initial=0.0) <= 1e-9 * signal + rounding
        values = event.terms.at(TIMES)
        currents = np.abs(event.terms.amplitude[left:]).max()
        missing = kirchhoff_current(of, values, injection)
        assert np.abs(missing).max() <= 1e-9 * currents + rounding
        residual, size = element_residual(
            of, event.terms, sources.later(clearing if of is circuit else 0.0).emf
        )
        assert residual <= 1e-6 * size
        last = event.terms.at(clearing)


@settings(max_examples=100, deadline=None)
@given(random_circuits(), st.floats(0.0, 6.3), st.floats(0.0, 0.05))
def test_a_pole_that_opens_at_its_zero_makes_nothing_jump(drawn, theta, parting):
    circuit, (node, _) = drawn
    extra = branch("feeder", node, circuit.nodes, 0.3, 2e-3)
    switched = Circuit(
        circuit.nodes + 1,
        (*circuit.branches, extra),
        circuit.capacitors,
        circuit.conductances,
        Switches(("pole",), (circuit.nodes,), (-1,)),
    )
    closed = switched.switched(close=["pole"])
    sources = driven(switched, {"coil 0": 100.0, "feeder": 60.0j}, theta=theta)
    first = transient(closed, sources, state_at(switched, stationary(switched, sources), 0.0))
    openings = clear_pole_by_pole(
        lambda left: closed.switched(open_={"pole"} - left),
        sources,
        first.terms,
        {"pole": parting},
        until=2.0,
    )
    assume(openings)
    (opening,) = openings
    assert opening.time >= parting
    before, after = first.terms.at(opening.time), opening.after.terms.at(0.0)
    b, c, n = len(switched.branch_names), len(circuit.capacitors.names), switched.nodes
    volts = max(100.0, *(np.abs(event.terms.amplitude).max() for event in (first, opening.after)))
    rounding = 1e-13 * volts * max(1.0, circuit.conductances.G.max())
    for rows in (slice(n, n + b), slice(n + b, n + b + c)):
        signal = np.abs(first.terms.amplitude[rows]).max(initial=0.0)
        assert np.abs(after[rows] - before[rows]).max(initial=0.0) <= 1e-9 * signal + rounding
    values = opening.after.terms.at(TIMES)
    missing = kirchhoff_current(opening.after.circuit, values, np.zeros((n, len(TIMES))))
    assert np.abs(missing).max() <= 1e-9 * np.abs(first.terms.amplitude[n:]).max() + rounding
    assert np.abs(values[switched.branch_row("feeder")]).max() <= rounding + 1e-12


@settings(max_examples=100, deadline=None)
@given(random_circuits(), st.data())
def test_without_sources_the_stored_energy_never_grows(drawn, data):
    circuit, fault = drawn
    circuit = with_fault(circuit, fault)
    space = modes(assemble(circuit)).space
    n = len(space.A)
    assume(n > 0)
    x = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=n, max_size=n)))
    assume(np.abs(x).max() > 1e-3)
    current, voltage = space.currents @ x, assemble(circuit).capacitor_incidence @ space.voltages @ x
    state = State(
        dict(zip(circuit.branch_names, current.tolist(), strict=True)),
        dict(zip(circuit.capacitors.names, voltage.tolist(), strict=True)),
    )
    result = transient(circuit, driven(circuit, {}), state)
    values = result.terms.at(TIMES)
    b, c = len(current), len(voltage)
    i = values[circuit.nodes : circuit.nodes + b]
    v = values[circuit.nodes + b : circuit.nodes + b + c]
    energy = 0.5 * (i * (circuit.branches[0].L @ i)).sum(axis=0)
    energy += 0.5 * (circuit.capacitors.C[:, None] * v**2).sum(axis=0)
    assert energy[0] == np.float64(energy[0])
    assert abs(energy[0] - 0.5 * x @ x) <= 1e-6 * energy[0]
    assert (np.diff(energy) <= 1e-6 * energy[0]).all()


def test_charge_that_no_path_discharges_stays():
    """Capacitors in a row of their own: every time constant is infinite, and rounding makes none."""
    circuit = Circuit(
        nodes=5,
        branches=(branch("coil", 0, 1, 1.0, 1.0),),
        capacitors=Capacitors(("a", "b", "c"), between([0, 0, 0], [2, 3, 4]), np.array([1e-3, 1e-3, 1e-4])),
        conductances=Conductances(between([0, 0, 0], [-1, -1, -1]), np.array([1.0, 1e-4, 0.1])),
    )
    state = State({}, {"a": 3.0, "b": -9.534, "c": 95.346})
    result = transient(circuit, driven(circuit, {}), state)
    for time in (0.0, 1.0, 1e4):
        assert result.state(time).voltages == pytest.approx(state.voltages, rel=1e-12)

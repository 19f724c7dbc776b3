"""Large circuits: the same steady state, and what a state excites, as with all modes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.grid.transients import (
    Capacitors,
    Circuit,
    Conductances,
    FloatingError,
    ImpulseError,
    LargeCircuit,
    State,
    Switches,
    between,
    silent_sources,
    state_at,
    stationary,
    transient,
)
from twin.grid.transients.terms import joined

from .circuits import branch, capacitor_bank, driven, kirchhoff_current
from .test_continuity import random_circuits, with_fault

TIMES = np.array([0.0, 1e-6, 1e-4, 1e-3, 7e-3, 0.02, 0.11])


def ladder(count, *, seed):
    """Return a row of coils with loads and stray capacitances, a switch to earth at its end."""
    rng = np.random.default_rng(seed)
    branches = [branch("c0", -1, 0, 0.02, 5e-5)]
    for k in range(1, count):
        branches.append(branch(f"c{k}", k - 1, k, rng.uniform(2e-3, 2e-2), rng.uniform(2e-6, 2e-5)))
        branches.append(branch(f"l{k}", k, -1, rng.uniform(5.0, 50.0), rng.uniform(5e-3, 5e-2)))
    last = [count - 1]
    return Circuit(
        nodes=count,
        branches=tuple(branches),
        capacitors=Capacitors(("bank",), between([count // 2], [-1]), np.array([3e-4])),
        conductances=Conductances(between(last, [-1]), np.array([0.1])),
        switches=Switches(("fault",), (count - 1,), (-1,)),
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_fault_on_a_ladder_is_as_with_all_modes(seed):
    circuit = ladder(60, seed=seed)
    sources = driven(circuit, {"c0": 325.0 - 40.0j}, theta=0.7)
    before = stationary(circuit, sources)
    shorted = circuit.switched(close=["fault"])
    state = state_at(circuit, before, 0.0)
    state = State(state.currents, {"bank": state.voltages["bank"]})
    full = transient(shorted, sources, state)
    large = LargeCircuit(shorted)
    forced = large.steady_state(sources)
    steady = full.terms.amplitude[:, :1]
    assert np.abs(forced.amplitude - steady).max() < 1e-10 * np.abs(steady).max()
    free = large.free_terms(forced, state)
    assert free.rate.size < 32 < full.terms.rate.size
    times = np.linspace(1e-4, 0.1, 300)
    found, known = joined(forced, free).at(times), full.terms.at(times)
    kinds = circuit.nodes, circuit.nodes + len(circuit.branch_names)
    for rows in (slice(0, kinds[0]), slice(*kinds)):
        assert np.abs(found[rows] - known[rows]).max() < 1e-5 * np.abs(known[rows]).max()


@settings(max_examples=80, deadline=None)
@given(random_circuits(), st.floats(0.0, 6.28))
def test_nothing_jumps_and_currents_balance_in_any_circuit(case, theta):
    """Whatever the circuit: continuity where the event is, Kirchhoff's law always, and no mode grows."""
    circuit, fault = case
    after = with_fault(circuit, fault)
    sources = driven(circuit, {"coil 0": 100.0}, theta=theta)
    state = state_at(circuit, stationary(circuit, sources), 0.0)
    large = LargeCircuit(after)
    forced = large.steady_state(sources)
    free = large.free_terms(forced, state)
    assert (free.rate.real <= 0.0).all()
    terms = joined(forced, free)
    values = terms.at(TIMES)
    currents = values[circuit.nodes : circuit.nodes + len(circuit.branch_names)]
    wanted = np.array([state.currents[name] for name in circuit.branch_names])
    volts = max(100.0, np.abs(terms.amplitude).max())
    scale = np.abs(terms.amplitude[circuit.nodes :]).sum(axis=1).max() + 1e-6 * volts
    assert np.abs(currents[:, 0] - wanted).max() < 1e-6 * scale
    unbalance = kirchhoff_current(after, values, np.zeros((circuit.nodes, TIMES.size)))
    assert np.abs(unbalance).max() < 1e-6 * scale


def test_what_would_have_to_jump_is_named():
    circuit = capacitor_bank(0.1, 1e-3, 1e-4)
    large = LargeCircuit(circuit, float_at_zero=True)
    forced = large.steady_state(silent_sources(circuit, frequency=50.0))
    with pytest.raises(ImpulseError, match="'source' would jump from 5 A"):
        large.free_terms(forced, State({"source": 5.0}, {}))
    two = Circuit(
        nodes=2,
        branches=(branch("source", -1, 0, 0.1, 1e-3),),
        capacitors=Capacitors(("one", "other"), between([0, 1], [-1, -1]), np.array([1e-4, 1e-6])),
        switches=Switches(("breaker",), (0,), (1,)),
        closed=frozenset({"breaker"}),
    )
    large = LargeCircuit(two)
    forced = large.steady_state(silent_sources(two, frequency=50.0))
    with pytest.raises(ImpulseError, match="capacitor 'other' would jump from 0 V"):
        large.free_terms(forced, State({}, {"one": 300.0, "other": 0.0}))


def test_what_floats_is_named_or_held():
    """Behind an open breaker a capacitance of its own floats; a transformer's far side floats with it."""
    winding = branch("unit", 0, -1, 0.1, 1e-3)
    winding = type(winding)(("unit",), (((0, 1.0), (1, -0.5), (2, 0.5)),), winding.R, winding.L)
    circuit = Circuit(
        nodes=3,
        branches=(branch("source", -1, 0, 0.1, 1e-3), winding),
        conductances=Conductances(between([1], [2]), np.array([0.5])),
        node_names=("a", "b", "c"),
    )
    with pytest.raises(FloatingError, match="b, c"):
        LargeCircuit(circuit)
    sources = driven(circuit, {"source": 100.0})
    held = LargeCircuit(circuit, float_at_zero=True).steady_state(sources)
    known = stationary(circuit, sources, float_at_zero=True)
    assert held.amplitude == pytest.approx(known.amplitude, abs=1e-9)
    assert abs(held.amplitude[1, 0] + held.amplitude[2, 0]) < 1e-9

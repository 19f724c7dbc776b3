"""Terms as a signal carries them, and sources that decay."""

from math import pi

import numpy as np
import pytest

from twin.contracts import Instant, Segment, Signal
from twin.grid.transients import CircuitError, State, assemble, modes, state_at, stationary, transient
from twin.grid.transients.circuit import Circuit, CoupledRL, between
from twin.signals import synthesise

from .circuits import branch, capacitor_bank, coil_and_fault, driven


def test_a_segment_holds_the_terms_as_they_are():
    circuit = capacitor_bank(0.05, 0.4e-3, 300e-6).switched(close=["breaker"])
    sources = driven(circuit, {"source": np.array([325.0, 10.0j])}, theta=0.8, order=(1.0, 5.0))
    terms = transient(circuit, sources, State()).terms
    start = 1_700_000_000_000_000_000
    segment = Segment(start, terms.frequency, terms.theta, terms.order, terms.rate, terms.amplitude)
    signal = Signal(tuple(str(row) for row in range(circuit.rows)), (segment,), start + 100_000_000)
    step = 1 / 25_600
    samples = synthesise(signal, Instant(start, 0.0), step_s=step, count=1024)
    expected = terms.at(np.arange(1024) * step)
    scale = np.abs(expected).max(axis=1, keepdims=True) + 1e-12
    assert (np.abs(samples - expected) / scale).max() < 1e-10


def test_starting_later_is_the_same_waveform():
    circuit = coil_and_fault(0.1, 1e-3)
    sources = driven(circuit, {"source": 100.0}, theta=0.3)
    fault = circuit.switched(close=["fault"])
    event = transient(fault, sources, state_at(circuit, stationary(circuit, sources), 0.0))
    t = np.linspace(0.0, 0.05, 101)
    np.testing.assert_allclose(event.terms.later(0.013).at(t), event.terms.at(t + 0.013), atol=1e-10)
    again = transient(fault, sources.later(0.013), event.state(0.013))
    np.testing.assert_allclose(again.terms.at(t), event.terms.at(t + 0.013), atol=1e-10)


def test_a_decaying_emf_has_its_closed_form():
    """L i' + R i = V exp(-a t) from rest: i = V (exp(-a t) - exp(-R t / L)) / (R - a L)."""
    R, L, V, a = 2.0, 0.05, 90.0, 12.0
    circuit = coil_and_fault(R, L).switched(close=["fault"])
    sources = driven(circuit, {"source": V}, order=(0.0,))
    sources = type(sources)(
        50.0, 0.0, sources.order, sources.emf, sources.fixed, sources.injection, np.array([-a + 0j])
    )
    event = transient(circuit, sources, State())
    t = np.linspace(0.0, 0.3, 301)
    expected = V * (np.exp(-a * t) - np.exp(-R / L * t)) / (R - a * L)
    np.testing.assert_allclose(event.terms.at(t)[1], expected, atol=1e-11 * V)
    later = transient(circuit, sources.later(0.1), event.state(0.1))
    np.testing.assert_allclose(later.terms.at(t)[1], event.terms.at(t + 0.1)[1], atol=1e-11 * V)


def test_a_driven_undamped_resonance_is_refused():
    L = 1.0
    circuit = capacitor_bank(0.0, L, 1 / (L * (2 * pi * 50.0) ** 2)).switched(close=["breaker"])
    sources = driven(circuit, {"source": 1.0})
    with pytest.raises(CircuitError, match="undamped resonance at s = "):
        stationary(circuit, sources)


def test_too_many_states_are_refused():
    n = 401
    group = CoupledRL(
        tuple(f"c{i}" for i in range(n)), between([0] * n, [-1] * n), np.eye(n), np.diag(np.linspace(1, 2, n))
    )
    circuit = Circuit(1, (group, branch("source", -1, 0, 1.0, 1.0)))
    with pytest.raises(CircuitError, match="401 states are more than 400: reduce the network"):
        modes(assemble(circuit))


def test_source_arrays_of_another_circuit_are_refused():
    small, large = coil_and_fault(1.0, 1.0), capacitor_bank(1.0, 1.0, 1.0)
    with pytest.raises(
        CircuitError, match=r"sources.injection has shape \(1, 1\); the circuit needs \(2, 1\)"
    ):
        stationary(large, driven(small, {"source": 1.0}))


def test_stiff_circuits_keep_their_slow_modes():
    """Time constants of 1 ns and 10 s side by side: both come out to nine digits."""
    group = CoupledRL(("fast", "slow"), between([0, 0], [-1, -1]), np.diag([1e3, 1e-2]), np.diag([1e-6, 0.1]))
    source = branch("source", -1, 0, 1e-9, 1e-9)
    s = np.sort(modes(assemble(Circuit(1, (group, source)))).s.real)
    # Three coils at one node: two states. The source holds the node, so that each coil decays by itself.
    assert s[0] == pytest.approx(-1e9, rel=2e-3)
    assert s[1] == pytest.approx(-0.1, rel=1e-6)

"""Events whose waveforms textbooks write down."""

from math import pi, sqrt

import numpy as np
import pytest

from twin.grid.transients import (
    Capacitors,
    Circuit,
    CircuitError,
    Conductances,
    CoupledRL,
    FloatingError,
    ImpulseError,
    State,
    Switches,
    assemble,
    between,
    modes,
    state_at,
    stationary,
    transient,
)

from .circuits import branch, capacitor_bank, coil_and_fault, driven

OMEGA = 2 * pi * 50.0


@pytest.mark.parametrize("theta", [0.0, 0.4, pi / 2, 2.2, 3.0, 5.5])
def test_a_fault_current_has_the_dc_offset_of_its_point_on_wave(theta):
    """From no load, i = Im/|Z| (cos(w t + theta - phi) - cos(theta - phi) exp(-R t / L)) (IEC 60909-0, 4)."""
    R, L, peak = 0.1, 1e-3, 325.0
    circuit = coil_and_fault(R, L)
    fault = circuit.switched(close=["fault"])
    sources = driven(circuit, {"source": peak}, theta=theta)
    result = transient(fault, sources, State({"source": 0.0}))
    t = np.linspace(0.0, 0.2, 401)
    Z, phi = abs(R + 1j * OMEGA * L), np.angle(R + 1j * OMEGA * L)
    expected = peak / Z * (np.cos(OMEGA * t + theta - phi) - np.cos(theta - phi) * np.exp(-R / L * t))
    np.testing.assert_allclose(
        result.terms.at(t)[circuit.branch_row("source")], expected, atol=1e-9 * peak / Z
    )
    np.testing.assert_allclose(
        result.terms.at(t)[circuit.switch_row("fault")], expected, atol=1e-9 * peak / Z
    )
    np.testing.assert_allclose(result.terms.at(t)[0], 0.0, atol=1e-12)


def test_a_fault_from_load_adds_the_load_current_that_flowed():
    R, L, peak, g, theta = 0.1, 1e-3, 325.0, 0.5, 1.1
    circuit = coil_and_fault(R, L, load=g)
    sources = driven(circuit, {"source": peak}, theta=theta)
    before = stationary(circuit, sources)
    Z = R + 1j * OMEGA * L
    loaded = peak * np.exp(1j * theta) / (Z + 1.0 / g)
    assert before.at(0.0)[circuit.branch_row("source")] == pytest.approx(loaded.real, rel=1e-12)
    result = transient(circuit.switched(close=["fault"]), sources, state_at(circuit, before, 0.0))
    t = np.linspace(0.0, 0.1, 301)
    short = peak * np.exp(1j * theta) / Z
    expected = (short * np.exp(1j * OMEGA * t)).real + (loaded - short).real * np.exp(-R / L * t)
    np.testing.assert_allclose(
        result.terms.at(t)[circuit.branch_row("source")], expected, atol=1e-9 * abs(short)
    )


def test_an_energised_capacitor_rings_at_its_natural_frequency():
    """IEC 62271-110 / IEEE C37.012: f = 1 / (2 pi sqrt(L C)), damping R / (2 L), peak near V sqrt(C / L)."""
    R, L, C, peak = 0.05, 0.4e-3, 300e-6, 8165.0
    circuit = capacitor_bank(R, L, C)
    closed = circuit.switched(close=["breaker"])
    ring = modes(assemble(closed))
    assert ring.s.shape == (1,)
    assert ring.s[0].real == pytest.approx(-R / (2 * L), rel=1e-12)
    assert ring.s[0].imag == pytest.approx(sqrt(1 / (L * C) - (R / (2 * L)) ** 2), rel=1e-12)
    result = transient(closed, driven(circuit, {"source": peak}), State())
    t = np.linspace(0.0, 0.02, 20001)
    inrush = result.terms.at(t)[circuit.switch_row("breaker")]
    assert inrush[0] == pytest.approx(0.0, abs=1e-6)
    assert np.abs(inrush).max() == pytest.approx(peak * sqrt(C / L), rel=0.06)
    assert np.abs(result.terms.at(t)[1]).max() == pytest.approx(2 * peak, rel=0.06)


def test_series_rlc_step_against_its_closed_form():
    R, L, C, V = 3.0, 2e-3, 50e-6, 100.0
    circuit = capacitor_bank(R, L, C).switched(close=["breaker"])
    sources = driven(circuit, {"source": V}, order=(0.0,))
    result = transient(circuit, sources, State())
    alpha = R / (2 * L)
    damped = sqrt(1 / (L * C) - alpha**2)
    t = np.linspace(0.0, 0.02, 501)
    current = V / (damped * L) * np.exp(-alpha * t) * np.sin(damped * t)
    voltage = V - V * np.exp(-alpha * t) * (np.cos(damped * t) + alpha / damped * np.sin(damped * t))
    np.testing.assert_allclose(result.terms.at(t)[circuit.branch_row("source")], current, atol=1e-9 * V)
    np.testing.assert_allclose(
        result.terms.at(t)[circuit.capacitor_voltage_row("bank")], voltage, atol=1e-9 * V
    )


def test_critical_damping_is_drawn_apart_and_says_what_that_costs():
    """i = V / L t exp(-alpha t) with R = 2 sqrt(L / C)."""
    L, C, V = 2e-3, 50e-6, 100.0
    R = 2 * sqrt(L / C)
    circuit = capacitor_bank(R, L, C).switched(close=["breaker"])
    result = transient(circuit, driven(circuit, {"source": V}, order=(0.0,)), State())
    t = np.linspace(0.0, 0.01, 501)
    current = V / L * t * np.exp(-R / (2 * L) * t)
    error = np.abs(result.terms.at(t)[circuit.branch_row("source")] - current).max() / current.max()
    assert result.modes.split
    assert error < 1e-7
    assert result.modes.error < 1e-7
    assert error < 10 * result.modes.error + 1e-12


def test_back_to_back_switching_has_the_peak_and_frequency_of_the_standard():
    """IEC 62271-100 annex / IEEE C37.012: I = V sqrt(C_eq / L), f = 1 / (2 pi sqrt(L C_eq))."""
    C1, C2, between_banks, peak = 400e-6, 200e-6, 40e-6, 8165.0
    C_eq = C1 * C2 / (C1 + C2)
    circuit = Circuit(
        nodes=3,
        branches=(branch("source", -1, 0, 0.05, 3e-3), branch("bus", 1, 2, 1e-3, between_banks)),
        capacitors=Capacitors(("one", "two"), between([0, 2], [-1, -1]), np.array([C1, C2])),
        switches=Switches(("breaker",), (0,), (1,)),
    )
    sources = driven(circuit, {"source": peak})
    before = stationary(circuit, sources)
    charged = state_at(circuit, before, 0.0)
    V = charged.voltages["one"]
    state = State(charged.currents, {"one": V, "two": 0.0})
    result = transient(circuit.switched(close=["breaker"]), sources, state)
    t = np.linspace(0.0, 1e-3, 20001)
    inrush = result.terms.at(t)[circuit.switch_row("breaker")]
    assert inrush.max() == pytest.approx(V * sqrt(C_eq / between_banks), rel=0.02)
    fast = result.terms.rate.imag.max()
    assert fast / (2 * pi) == pytest.approx(1 / (2 * pi * sqrt(between_banks * C_eq)), rel=0.01)


def test_an_rc_discharge_keeps_its_trapped_charge_while_disconnected():
    C, G = 10e-6, 1e-3
    circuit = Circuit(
        nodes=2,
        capacitors=Capacitors(("bank",), between([0], [-1]), np.array([C])),
        conductances=Conductances(between([1], [-1]), np.array([G])),
        switches=Switches(("q",), (0,), (1,)),
    )
    silent = driven(circuit, {})
    waiting = transient(circuit, silent, State({}, {"bank": 40.0}))
    t = np.linspace(0.0, 1.0, 11)
    np.testing.assert_allclose(waiting.terms.at(t)[0], 40.0, rtol=1e-14)
    discharge = transient(circuit.switched(close=["q"]), silent, waiting.state(3.0))
    t = np.linspace(0.0, 0.05, 101)
    np.testing.assert_allclose(discharge.terms.at(t)[1], 40.0 * np.exp(-G / C * t), rtol=1e-11)
    np.testing.assert_allclose(
        discharge.terms.at(t)[circuit.switch_row("q")], 0.04 * np.exp(-G / C * t), rtol=1e-11
    )


def test_an_interrupted_coil_is_refused_by_name():
    circuit = capacitor_bank(0.1, 1e-3, 1e-4).switched(close=["breaker"])
    flowing = stationary(circuit, driven(circuit, {"source": 325.0}))
    with pytest.raises(ImpulseError, match=r"branch 'source' would jump from .* A .*current is zero"):
        transient(
            circuit.switched(open_=["breaker"]),
            driven(circuit, {"source": 325.0}),
            state_at(circuit, flowing, 0.001),
        )


def test_a_charged_capacitor_on_a_bolted_short_is_refused_by_name():
    circuit = Circuit(
        nodes=1,
        branches=(branch("source", -1, 0, 0.1, 1e-3),),
        capacitors=Capacitors(("bank",), between([0], [-1]), np.array([1e-4])),
        switches=Switches(("fault",), (0,), (-1,)),
    )
    with pytest.raises(
        ImpulseError, match=r"capacitor 'bank' would jump from 100 V to 0 V: put an inductance"
    ):
        transient(circuit.switched(close=["fault"]), driven(circuit, {}), State({}, {"bank": 100.0}))


def test_a_branch_that_is_gone_must_not_have_carried_current():
    circuit = capacitor_bank(0.1, 1e-3, 1e-4)
    with pytest.raises(ImpulseError, match="branch 'old' is gone while it carries 7 A"):
        transient(circuit, driven(circuit, {}), State({"old": 7.0}))


def test_a_floating_island_is_named_or_held_at_its_mean():
    circuit = Circuit(
        nodes=3,
        branches=(branch("source", -1, 0, 0.1, 1e-3), branch("island", 1, 2, 1.0, 1e-2)),
        conductances=Conductances(between([0, 1], [-1, 2]), np.array([0.1, 0.2])),
        node_names=("bus", "p", "q"),
    )
    with pytest.raises(FloatingError, match="voltage of p, q"):
        assemble(circuit)
    sources = driven(circuit, {"island": 10.0, "source": 5.0})
    held = stationary(circuit, sources, float_at_zero=True)
    v, i = held.amplitude[:3, 0], held.amplitude[circuit.branch_row("island"), 0]
    assert v[1] == pytest.approx(-v[2], rel=1e-12)
    assert i == pytest.approx(10.0 / (1.0 + 1j * OMEGA * 1e-2 + 5.0), rel=1e-12)


def test_an_ideal_source_and_its_derivative_reach_a_capacitor():
    """A capacitor across a fixed node is no state; behind a resistor it is charged as RC."""
    R, C = 10.0, 20e-6
    circuit = Circuit(
        nodes=2,
        capacitors=Capacitors(("across", "behind"), between([0, 1], [-1, -1]), np.array([5e-6, C])),
        conductances=Conductances(between([0], [1]), np.array([1 / R])),
        fixed=(0,),
    )
    sources = driven(circuit, {}, theta=0.7)
    sources.fixed[0, 0] = 100.0
    state = State({}, {"across": 100.0 * np.cos(0.7), "behind": 0.0})
    result = transient(circuit, sources, state)
    forced = 100.0 * np.exp(0.7j) / (1 + 1j * OMEGA * R * C)
    t = np.linspace(0.0, 0.02, 101)
    expected = (forced * np.exp(1j * OMEGA * t)).real - forced.real * np.exp(-t / (R * C))
    np.testing.assert_allclose(result.terms.at(t)[1], expected, atol=1e-10 * 100)
    assert len(result.modes.s) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: branch_circuit(-1.0, 1e-3), "generate power"),
        (lambda: branch_circuit(1.0, 0.0), "not positive definite"),
        (lambda: branch_circuit(1.0, float("nan")), "no finite number"),
        (lambda: Circuit(1, (branch("a", 0, 3, 1, 1),)), "no node 3"),
        (lambda: Circuit(1, (branch("a", 0, -1, 1, 1), branch("a", 0, -1, 1, 1))), "share the name 'a'"),
        (
            lambda: Circuit(1, conductances=Conductances(between([0], [-1]), np.array([-1.0]))),
            "conductance 0 is -1.0",
        ),
        (lambda: coil_and_fault(1, 1).switched(close=["x"]), "no switch 'x'"),
    ],
)
def test_what_no_network_can_be_is_refused(make, message):
    with pytest.raises(CircuitError, match=message):
        make()


def branch_circuit(R, L):
    return Circuit(1, (branch("a", -1, 0, R, L),))


def test_two_ideal_sources_on_one_node_are_refused():
    circuit = Circuit(2, switches=Switches(("tie",), (0,), (1,)), closed=frozenset({"tie"}), fixed=(0, 1))
    with pytest.raises(CircuitError, match="without any impedance"):
        assemble(circuit)


@pytest.mark.parametrize("ratio", [0.05, 0.2, 0.5, 1.0])
def test_the_worst_peak_is_the_factor_of_the_short_circuit_standard(ratio):
    """IEC 60909-0, 4.3.1.1: kappa = 1.02 + 0.98 exp(-3 R / X), fitted at a voltage zero to about 2 %."""
    X = 0.3
    circuit = coil_and_fault(ratio * X, X / OMEGA).switched(close=["fault"])
    sources = driven(circuit, {"source": 325.0}, theta=-pi / 2)
    t = np.linspace(0.0, 0.02, 20001)
    current = transient(circuit, sources, State()).terms.at(t)[circuit.switch_row("fault")]
    steady = 325.0 / abs(X * (ratio + 1j))
    assert np.abs(current).max() / steady == pytest.approx(1.02 + 0.98 * np.exp(-3 * ratio), rel=0.02)


def test_an_earth_fault_in_an_isolated_network():
    """Steady: I = 3 w C V, healthy phases at the line voltage. At first the healthy capacitances recharge."""
    C, V = 1.5e-6, 20e3 * sqrt(2 / 3)
    phases = V * np.exp(-2j * pi / 3 * np.arange(3))
    circuit = Circuit(
        nodes=4,
        branches=(
            CoupledRL(("a", "b", "c"), between([3, 3, 3], [0, 1, 2]), 0.2 * np.eye(3), 3e-3 * np.eye(3)),
        ),
        capacitors=Capacitors(("ca", "cb", "cc"), between([0, 1, 2], [-1, -1, -1]), np.full(3, C)),
        switches=Switches(("fault",), (0,), (-1,)),
    )
    # The fault passes 5 ohm, so that the charge of its own phase finds a way.
    faulted = Circuit(
        circuit.nodes,
        circuit.branches,
        circuit.capacitors,
        Conductances(between([0], [-1]), np.array([0.2])),
    )
    sources = driven(circuit, dict(zip("abc", phases, strict=True)))
    before = stationary(circuit, sources)
    event = transient(faulted, sources, state_at(circuit, before, 0.0))
    settled = np.linspace(1.0, 1.02, 2001)
    voltages = np.abs(event.terms.at(settled)[:3]).max(axis=1)
    assert 0.2 * voltages[0] == pytest.approx(3 * OMEGA * C * V, rel=5e-3)
    np.testing.assert_allclose(voltages[1:], sqrt(3) * V, rtol=5e-3)
    first = event.terms.at(np.linspace(0.0, 0.01, 5001))
    assert np.abs(first[1:3]).max() > 1.8 * V
    assert 0.2 * np.abs(first[0]).max() > 10 * 3 * OMEGA * C * V
    # Healthy voltages ring at the zero-sequence frequency: 1.5 L against 2 C of both healthy phases.
    ring = event.terms.rate[event.terms.rate.imag > 0].imag.min()
    assert ring == pytest.approx(1 / sqrt(1.5 * 3e-3 * 2 * C), rel=0.02)

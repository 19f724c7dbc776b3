"""Ferroresonance: the reduction against nodal analysis, the verdict against curves and time-domain runs."""

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from twin.grid.transients import CircuitError
from twin.grid.transients.ferroresonance import Verdict, ferroresonance, open_phase_circuit
from twin.grid.transients.inrush import Core

OMEGA = 2 * pi * 50.0
PEAK = 20e3 * sqrt(2 / 3)


def core(X_m, X_air, knee):
    return Core(magnetising=X_m / OMEGA, air_core=X_air / OMEGA, knee=knee / OMEGA)


def voltages_of_all_phases(connection, energised, X_m, C_earth, C_between):
    """Linear nodal analysis of phases a, b, c (and the star point) with 1 or 2 of them held."""
    Y = np.zeros((4, 4), dtype=complex)

    def add(p, q, y):
        for node in (p, q):
            if node is not None:
                Y[node, node] += y
        if p is not None and q is not None:
            Y[p, q] -= y
            Y[q, p] -= y

    for k in range(3):
        add(k, None, 1j * OMEGA * C_earth)
        add(k, (k + 1) % 3, 1j * OMEGA * C_between)
        ends = {"delta": (k, (k + 1) % 3), "star_earthed": (k, None), "star_isolated": (k, 3)}[connection]
        add(*ends, 1 / (1j * X_m))
    if connection != "star_isolated":
        Y[3, 3] = 1.0
    held = list(range(energised))
    free = [k for k in range(4) if k not in held]
    emf = PEAK * np.exp(-2j * pi / 3 * np.array(held))
    v = np.zeros(4, dtype=complex)
    v[held] = emf
    v[free] = np.linalg.solve(Y[np.ix_(free, free)], -Y[np.ix_(free, held)] @ emf)
    return v


REDUCTIONS = [
    (connection, energised, C_between)
    for connection in ("delta", "star_earthed", "star_isolated")
    for energised in (1, 2)
    for C_between in (0.0, 0.03e-6)
    if C_between or connection != "star_earthed"
]


@pytest.mark.parametrize(("connection", "energised", "C_between"), REDUCTIONS)
def test_the_reduction_agrees_with_nodal_analysis(connection, energised, C_between):
    C_earth, X_m = 0.2e-6, 90e3
    circuit = open_phase_circuit(
        connection=connection, energised=energised, phase_voltage=PEAK, C_earth=C_earth, C_between=C_between
    )
    X = X_m * sum(circuit.shares)
    X_C = 1 / (OMEGA * circuit.C)
    winding = abs(circuit.emf * X / (X - X_C))
    v = voltages_of_all_phases(connection, energised, X_m, C_earth, C_between)
    driving = 0.0 if connection == "star_earthed" else v[:energised].mean()
    assert winding == pytest.approx(abs(v[2] - driving), rel=1e-10)


CASES = [
    # X_m, X_air, knee, C: one winding of a delta with one phase energised; verdict
    (20e3, 500.0, 30e3, 1 / (OMEGA * 300.0), Verdict.NONE),
    (20e3, 500.0, 30e3, 1 / (OMEGA * 5e3), Verdict.POSSIBLE),
    (20e3, 500.0, 30e3, 1 / (OMEGA * 15e3), Verdict.CERTAIN),
    (20e3, 500.0, 30e3, 1 / (OMEGA * 25e3), Verdict.CERTAIN),
    (20e3, 500.0, 30e3, 1 / (OMEGA * 60e3), Verdict.NONE),
]


@pytest.mark.parametrize(("X_m", "X_air", "knee", "C", "verdict"), CASES)
def test_the_five_cases_of_one_winding(X_m, X_air, knee, C, verdict):
    """By hand: E = 16.33 kV, V_k (1 - X_C / X_m) = 22.5 kV at 5 kohm, 7.5 kV at 15 kohm."""
    result = ferroresonance(
        core(X_m, X_air, knee),
        frequency=50.0,
        connection="delta",
        energised=1,
        phase_voltage=PEAK,
        C_earth=C,
    )
    assert result.verdict is verdict
    assert result.flagged == (verdict is not Verdict.NONE)
    assert result.emf == pytest.approx(PEAK)
    assert pytest.approx(1 / (OMEGA * C)) == result.X_C
    if verdict is not Verdict.NONE:
        assert result.voltage > knee
        # On the capacitive line, and on the characteristic.
        current = (result.voltage + PEAK) / result.X_C
        assert result.voltage == pytest.approx(knee + X_air * (current - knee / X_m), rel=1e-12)


@pytest.mark.parametrize(("X_m", "X_air", "knee", "C", "verdict"), CASES)
@pytest.mark.parametrize("connection", ["delta", "star_isolated"])
@pytest.mark.parametrize("energised", [1, 2])
def test_a_conductance_quenches_it(X_m, X_air, knee, C, verdict, connection, energised):
    """Phasors, state by state: E = V + I / (j w C) with I = G V - j i(V), V over the saturated range."""
    one = core(X_m, X_air, knee)
    result = ferroresonance(
        one, frequency=50.0, connection=connection, energised=energised, phase_voltage=PEAK, C_earth=C
    )
    if not result.flagged:
        assert result.quenched_by == 0.0
        return
    shares = {("delta", 1): [1], ("delta", 2): [0.5], ("star_isolated", 1): [2, 1]}.get(
        (connection, energised), [1, 0.5]
    )
    i = knee / X_m / max(shares) * np.logspace(0, 6, 600_001)
    own = np.multiply.outer(np.array(shares), i)
    V = np.where(own < knee / X_m, X_m * own, knee + X_air * (own - knee / X_m)).sum(axis=0)
    capacitive = i / (OMEGA * C) >= V
    for factor, exists in ((0.97, True), (1.03, False)):
        needed = np.abs(V + (factor * result.quenched_by * V - 1j * i) / (1j * OMEGA * C))
        assert bool(needed[capacitive].min() <= PEAK / energised) is exists


@given(
    st.floats(3.0, 5.5),
    st.floats(0.005, 0.3),
    st.floats(0.5, 3.0),
    st.floats(1.5, 6.0),
    st.sampled_from(["delta", "star_isolated"]),
    st.sampled_from([1, 2]),
)
def test_the_verdict_is_what_the_curves_show(decade, air, knee, c_decade, connection, energised):
    """Count the intersections on a fine grid of currents, with the windings' voltages added one by one."""
    X_m, X_C = 10.0**decade, 10.0**c_decade
    one = core(X_m, air * X_m, knee * PEAK)
    result = ferroresonance(
        one,
        frequency=50.0,
        connection=connection,
        energised=energised,
        phase_voltage=PEAK,
        C_earth=1 / (OMEGA * X_C),
    )
    shares = {
        ("delta", 1): [1],
        ("delta", 2): [0.5],
        ("star_isolated", 1): [2, 1],
        ("star_isolated", 2): [1, 0.5],
    }
    first = knee * PEAK / X_m / max(shares[connection, energised])
    current = first * np.concatenate([np.linspace(0, 10, 20001), np.logspace(1, 7, 20001)])

    def winding(i):
        return np.where(i < knee * PEAK / X_m, X_m * i, knee * PEAK + air * X_m * (i - knee * PEAK / X_m))

    surplus = sum(winding(m * current) for m in shares[connection, energised]) - X_C * current
    E = PEAK / energised
    if abs(surplus.max() - E) < 1e-3 * E or abs(surplus[-1] + E) < 1e-3 * E:
        return
    low = np.flatnonzero(surplus <= -E)
    locked = len(low) > 0 and current[low[0]] > first * 1.001
    grazes = len(low) > 0 and abs(current[low[0]] / first - 1) < 2e-3
    if grazes or abs(result.X_C / result.X_air - 1) < 1e-3:
        return
    assert result.flagged == locked
    if locked:
        assert (result.verdict is Verdict.POSSIBLE) == (surplus.max() >= E)


def settle(one, C, flux, charge):
    """Integrate E cos(w t) = d flux/dt + R i + q / C from two different starts; the last cycle's flux."""

    def slope(t, y):
        i = one.current(np.array(y[0]))
        return [PEAK * np.cos(OMEGA * t) - y[1] / C - 60.0 * i, i]

    t = np.linspace(0.98, 1.0, 401)
    return solve_ivp(slope, (0, 1.0), [flux, charge], t_eval=t, max_step=1e-4, rtol=1e-7, atol=1e-9).y[0]


def test_time_domain_runs_end_where_the_verdict_says():
    X_m, X_air, knee = 60e3, 600.0, 22e3
    one = core(X_m, X_air, knee)

    def verdict(C):
        return ferroresonance(
            one, frequency=50.0, connection="delta", energised=1, phase_voltage=PEAK, C_earth=C
        ).verdict

    both = 1 / (OMEGA * 4e3)
    assert verdict(both) is Verdict.POSSIBLE
    calm = settle(one, both, 0.0, 0.0)
    wild = settle(one, both, -2.0 * one.knee, -both * 60e3)
    assert np.abs(calm).max() < one.knee < np.abs(wild).max()
    only = 1 / (OMEGA * 40e3)
    assert verdict(only) is Verdict.CERTAIN
    assert np.abs(settle(one, only, 0.0, 0.0)).max() > one.knee
    never = 1 / (OMEGA * 400.0)
    assert verdict(never) is Verdict.NONE
    assert np.abs(settle(one, never, 0.0, 0.0)).max() < one.knee


def test_screened_cables_do_not_drive_an_earthed_star():
    result = ferroresonance(
        core(60e3, 600.0, 22e3),
        frequency=50.0,
        connection="star_earthed",
        energised=2,
        phase_voltage=PEAK,
        C_earth=0.3e-6,
    )
    assert result.verdict is Verdict.NONE
    assert result.emf == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energised": 3}, "leave no open one"),
        ({"connection": "x"}, "none of"),
        ({"C_earth": 0.0}, "nor all be zero"),
    ],
)
def test_impossible_open_phases_are_refused(change, message):
    good = {"connection": "delta", "energised": 1, "phase_voltage": PEAK, "C_earth": 1e-7}
    with pytest.raises(CircuitError, match=message):
        open_phase_circuit(**(good | change))

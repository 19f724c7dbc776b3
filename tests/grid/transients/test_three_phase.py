"""A coupled line, a Dyn1 bank and R-L loads against hand-written equations integrated step by step.

States of the reference: the line currents, the capacitor voltages at the line's end, and the currents of
the three transformer units, which feed one load each. It knows nothing of incidences or modes.
"""

from itertools import pairwise
from math import pi

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from twin.grid.transients import (
    Capacitors,
    Circuit,
    Conductances,
    CoupledRL,
    Switches,
    between,
    clear_pole_by_pole,
    state_at,
    stationary,
    transient,
)

from .circuits import driven, kirchhoff_current

OMEGA = 2 * pi * 50.0
PEAK = 20e3 * np.sqrt(2 / 3)
RATIO = 20e3 / 231.0  # winding across two phases : winding from phase to neutral
R_LINE = np.array([[1.2, 0.2, 0.2], [0.2, 1.25, 0.2], [0.2, 0.2, 1.2]])
L_LINE = np.array([[6.0, 2.1, 1.9], [2.1, 6.1, 2.1], [1.9, 2.1, 6.0]]) * 1e-3
L_SOURCE = np.diag([2e-3, 2e-3, 2e-3])
C_END = np.array([0.9e-6, 1.0e-6, 0.95e-6])
R_UNIT, L_UNIT = np.array([8.0, 8.0, 8.0]), np.array([0.12, 0.12, 0.12])
R_LOAD, L_LOAD = np.array([0.5, 0.8, 0.6]), np.array([0.8e-3, 0.5e-3, 1.5e-3])
G_FAULT = 2.0
POLES = ("qa", "qb", "qc")
DELTA = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]])
PHASES = PEAK * np.exp(-2j * pi / 3 * np.arange(3))


def feeder(*, fault):
    """Nodes 0-2 behind the source, 3-5 the line's end, 6-8 the loads, 9-11 the line's side of the poles."""
    units = tuple(((3 + k, 1.0), (3 + (k + 1) % 3, -1.0), (6 + k, -RATIO), (-1, RATIO)) for k in range(3))
    shunts = [(3, -1, G_FAULT)] if fault else []
    return Circuit(
        nodes=12,
        branches=(
            CoupledRL(("sa", "sb", "sc"), between([-1] * 3, [0, 1, 2]), np.zeros((3, 3)), L_SOURCE),
            CoupledRL(("la", "lb", "lc"), between([9, 10, 11], [3, 4, 5]), R_LINE, L_LINE),
            CoupledRL(("ta", "tb", "tc"), units, np.diag(R_UNIT), np.diag(L_UNIT)),
            CoupledRL(("za", "zb", "zc"), between([6, 7, 8], [-1] * 3), np.diag(R_LOAD), np.diag(L_LOAD)),
        ),
        capacitors=Capacitors(("ca", "cb", "cc"), between([3, 4, 5], [-1] * 3), C_END),
        conductances=Conductances(
            between([s[0] for s in shunts], [s[1] for s in shunts]), np.array([s[2] for s in shunts])
        ),
        switches=Switches(POLES, (0, 1, 2), (9, 10, 11)),
        closed=frozenset(POLES),
    )


def integrate(start, duration, *, phase, fault, live):
    """Integrate line currents, end voltages and unit currents with the open phases' currents held at zero."""
    R_u = R_UNIT + RATIO**2 * R_LOAD
    L_u = L_UNIT + RATIO**2 * L_LOAD
    live = np.array(live, dtype=int)
    inverse = np.linalg.inv((L_LINE + L_SOURCE)[np.ix_(live, live)])
    drop = R_LINE[np.ix_(live, live)]
    g = np.array([G_FAULT if fault else 0.0, 0.0, 0.0])

    def slope(t, y):
        i, v, u = y[:3], y[3:6], y[6:]
        emf = (PHASES * np.exp(1j * (OMEGA * t + phase))).real
        di = np.zeros(3)
        di[live] = inverse @ ((emf - v)[live] - drop @ i[live])
        dv = (i - DELTA.T @ u - g * v) / C_END
        du = (DELTA @ v - R_u * u) / L_u
        return np.concatenate([di, dv, du])

    return solve_ivp(
        slope, (0, duration), start, method="DOP853", rtol=1e-10, atol=1e-7, dense_output=True
    ).sol


def reference_state(circuit, values):
    rows = [circuit.branch_row(n) for n in ("la", "lb", "lc")]
    rows += [circuit.capacitor_voltage_row(n) for n in ("ca", "cb", "cc")]
    rows += [circuit.branch_row(n) for n in ("ta", "tb", "tc")]
    return values[rows]


@pytest.fixture(scope="module", params=[0.3, 1.9])
def fault_case(request):
    healthy, faulted = feeder(fault=False), feeder(fault=True)
    sources = driven(healthy, dict(zip(("sa", "sb", "sc"), PHASES, strict=True)), theta=request.param)
    before = stationary(healthy, sources)
    event = transient(faulted, sources, state_at(healthy, before, 0.0))
    return request.param, sources, before, event


def close_to(ours, theirs):
    for rows in (slice(0, 3), slice(3, 6), slice(6, 9)):
        scale = max(np.abs(theirs[rows]).max(), 1e-3)
        np.testing.assert_allclose(ours[rows], theirs[rows], atol=1e-7 * scale, rtol=0)


def test_a_single_phase_fault_behind_a_coupled_line(fault_case):
    phase, _, before, event = fault_case
    y0 = reference_state(event.circuit, before.at(0.0))
    t = np.linspace(0.0, 0.025, 1201)
    reference = integrate(y0, 0.025, phase=phase, fault=True, live=[0, 1, 2])
    close_to(reference_state(event.circuit, event.terms.at(t)), reference(t))


def test_the_breaker_clears_pole_by_pole(fault_case):
    phase, sources, _, event = fault_case
    faulted = event.circuit
    parting = dict.fromkeys(POLES, 0.011)
    openings = clear_pole_by_pole(
        lambda closed: faulted.switched(open_=set(POLES) - closed), sources, event.terms, parting
    )
    assert [len(o.poles) for o in openings] == [1, 1, 1]
    assert openings[0].time >= 0.011
    assert openings[-1].time < 0.011 + 0.02
    live = [0, 1, 2]
    y = integrate(
        reference_state(faulted, event.terms.at(0.0)), openings[0].time, phase=phase, fault=True, live=live
    )(openings[0].time)
    ends = [o.time for o in openings[1:]] + [openings[-1].time + 0.01]
    for opening, end in zip(openings, ends, strict=True):
        pole = POLES.index(opening.poles[0])
        assert abs(y[pole]) < 1e-6 * np.abs(event.terms.amplitude[12:15]).max()
        y[pole] = 0.0
        live = [k for k in live if k != pole]
        span = end - opening.time
        reference = integrate(y, span, phase=phase + OMEGA * opening.time, fault=True, live=live)
        t = np.linspace(0.0, span, 201)
        ours = opening.after.terms.at(t)
        close_to(reference_state(opening.after.circuit, ours), reference(t))
        gone = opening.after.circuit.switch_row(opening.poles[0])
        assert np.abs(ours[gone]).max() == 0.0
        assert np.abs(ours[opening.after.circuit.branch_row("l" + "abc"[pole])]).max() < 1e-8
        y = reference(span)


def test_kirchhoff_and_continuity_through_the_whole_chain(fault_case):
    _, sources, before, event = fault_case
    faulted = event.circuit
    openings = clear_pole_by_pole(
        lambda closed: faulted.switched(open_=set(POLES) - closed),
        sources,
        event.terms,
        {"qa": 0.02, "qb": 0.021, "qc": 0.0225},
    )
    chain = [(0.0, before), (0.0, event.terms), *((o.time, o.after.terms) for o in openings)]
    circuits = [feeder(fault=False), faulted, *(o.after.circuit for o in openings)]
    states = slice(12, 12 + 12 + 3)
    for (t0, earlier), (t1, later) in pairwise(chain):
        jump = np.abs(later.at(0.0) - earlier.at(t1 - t0))[states]
        size = np.abs(earlier.amplitude).sum(axis=1)[states]
        assert jump[:12].max() <= 1e-9 * size[:12].max()
        assert jump[12:].max() <= 1e-9 * size[12:].max()
    for circuit, (_, terms) in zip(circuits, chain, strict=True):
        values = terms.at(np.linspace(0.0, 0.05, 301))
        missing = kirchhoff_current(circuit, values, np.zeros((12, 301)))
        assert np.abs(missing).max() <= 1e-9 * np.abs(values[12:]).max()


def test_two_poles_in_series_go_out_together():
    """An isolated network: after the first pole the other two carry one current, i and -i."""
    circuit = Circuit(
        nodes=7,
        branches=(
            CoupledRL(
                ("a", "b", "c"), between([-1] * 3, [0, 1, 2]), 0.1 * np.eye(3), 1e-3 * (np.eye(3) + 0.1)
            ),
            CoupledRL(("x", "y", "z"), between([3, 4, 5], [6] * 3), np.eye(3), 5e-3 * np.eye(3)),
        ),
        conductances=Conductances(between([0, 1, 2], [-1] * 3), np.full(3, 1e-3)),
        switches=Switches(POLES, (0, 1, 2), (3, 4, 5)),
        closed=frozenset(POLES),
    )
    sources = driven(circuit, dict(zip("abc", PHASES, strict=True)))
    before = stationary(circuit, sources)
    openings = clear_pole_by_pole(
        lambda closed: circuit.switched(open_=set(POLES) - closed),
        sources,
        before,
        dict.fromkeys(POLES, 0.003),
        float_at_zero=True,
    )
    assert [len(o.poles) for o in openings] == [1, 2]
    quarter = openings[1].time - openings[0].time
    assert quarter == pytest.approx(0.005, rel=0.05)
    last = openings[1].after
    assert np.abs(last.terms.at(0.01)[[last.circuit.branch_row(n) for n in "xyz"]]).max() < 1e-8

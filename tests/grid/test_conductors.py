"""Neutrals, laterals, star points, deltas and open poles against closed forms and plain circuit laws."""

import cmath
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.contracts import BadInputError
from twin.grid import (
    Bus,
    Capacitor,
    Grounding,
    Line,
    Load,
    LoadPoint,
    Network,
    Probe,
    Source,
    Transformer,
    fault,
    flow,
    read_network,
)
from twin.grid.nodal import NodalSystem, State
from twin.grid.nodes import Nodes
from twin.grid.rated import load_points
from twin.grid.solver import GridSolver
from twin.grid.transformers import VECTOR_GROUPS, parse_vector_group, transformer_admittance

OMEGA = 2 * math.pi * 50
STIFF = {"r1": 1e-6, "x1": 1e-5, "r0": 1e-6, "x0": 1e-5}


def volts(network, **options):
    """Return complex voltages by bus and conductor."""
    return {
        (row["bus"], row["phase"]): row["v_volt"] * cmath.exp(1j * math.radians(row["angle_deg"] or 0.0))
        for row in flow(network, **options)
    }


def four_wire(loads, *, r_neutral=0.2, earth_far=None):
    """Return a source and a four-wire line of 0.1 ohm a phase, no coupling, neutral earthed at its start."""
    r = np.diag([0.1, 0.1, 0.1, r_neutral])
    x = np.diag([1e-6] * 4)
    groundings = [Grounding("start", "A")]
    if earth_far is not None:
        groundings.append(Grounding("far", "B", r=earth_far))
    matrix = tuple(map(tuple, r.tolist()))
    return Network(
        "four wires",
        (Bus("A", 400.0, phases="abcn"), Bus("B", 400.0, phases="abcn")),
        (Source("S", "A", **STIFF),),
        lines=(Line("L", "A", "B", phases="abcn", r=matrix, x=tuple(map(tuple, x.tolist()))),),
        groundings=tuple(groundings),
        loads=loads,
    )


def test_a_single_load_lifts_the_neutral_by_its_own_drop():
    """One resistor behind 0.1 ohm out and 0.2 ohm back."""
    u = 400 / math.sqrt(3)
    network = four_wire((Load("R", "B", "a", (u**2 / 10.0,), (0.0,)),))
    v = volts(network, loads="constant_impedance")
    current = u / 10.3
    assert abs(v["B", "n"]) == pytest.approx(0.2 * current, rel=1e-5)
    assert abs(v["B", "a"]) == pytest.approx(u - 0.1 * current, rel=1e-6)
    assert v["A", "n"] == pytest.approx(0.0, abs=1e-3)


def test_a_broken_neutral_puts_two_loads_in_series():
    """10 ohm on a, 40 ohm on b, neutral open: the line voltage divides as the resistors are."""
    u = 400 / math.sqrt(3)
    loads = (Load("R", "B", "a", (u**2 / 10.0,), (0.0,)), Load("Q", "B", "b", (u**2 / 40.0,), (0.0,)))
    points, p, q, _ = load_points(four_wire(tuple(replace(load, z_percent=100.0) for load in loads)))
    network = four_wire(tuple(replace(load, z_percent=100.0) for load in loads))
    solver = GridSolver(network, probes=[Probe("m", "B", "L", "to")], loads=points, orders=[1], v_min_pu=0.01)
    solver.set_poles({(0, 0, "n")})
    solution = solver.solve(p, q, np.zeros((2, 1), dtype=complex))
    loop = 400.0 / 50.2
    assert abs(solution.load_voltage[0]) == pytest.approx(10 * loop, rel=1e-5)
    assert abs(solution.load_voltage[1]) == pytest.approx(40 * loop, rel=1e-5)
    # A meter measures against the neutral that it is connected to, wherever that has gone.
    assert abs(solution.phasor[1, 0]) == pytest.approx(40 * loop, rel=1e-5)
    assert abs(solution.phasor[3, 0] + solution.phasor[4, 0]) < 1e-5  # what a stray path to earth takes
    neutral = solver.node_voltages(solution)[Nodes(network).at(1, "n")]
    assert abs(neutral) == pytest.approx(abs(u - loop * 10.1 * cmath.exp(1j * math.radians(30))), rel=1e-3)


def test_a_floating_neutral_is_a_finding(tmp_path):
    text = """network: floating
buses:
  - {name: A, u_rated_v: 400, phases: abcn}
sources:
  - {name: S, bus: A, ideal: true}
"""
    path = tmp_path / "network.yaml"
    path.write_text(text)
    with pytest.raises(BadInputError) as raised:
        read_network(path)
    (finding,) = raised.value.findings
    assert finding.what == "the neutral of bus 'A' floats"
    assert "groundings" in finding.mend
    path.write_text(text + "groundings:\n  - {name: E, bus: A, r_ohm: 5}\n")
    assert read_network(path).groundings[0].r == 5.0


def isolated(*, coil=None, c0=0.4e-6):
    """Return a 20 kV cable on a source whose star point is isolated, or earthed by a coil [ohm]."""
    star = {"star_point": "isolated"} if coil is None else {"x_star": coil}
    source = Source("S", "A", r1=0.1, x1=1.0, r0=0.1, x0=1.0, **star)
    line = Line("C", "A", "B", 0.5, 0.4, 2.0, 1.2, c1=c0, c0=c0)
    return Network("isolated", (Bus("A", 20e3), Bus("B", 20e3)), (source,), lines=(line,))


def test_an_earth_fault_on_an_isolated_network_draws_its_capacitances_only():
    """I = 3 w C0 U; healthy phases rise to the line voltage (IEC 60909-3, 3.2)."""
    u = 20e3 / math.sqrt(3)
    result = fault(isolated(), bus="B", type="slg", phases="a", loads="none")
    assert result["fault_current_a"]["a"]["magnitude"] == pytest.approx(3 * OMEGA * 0.4e-6 * u, rel=2e-3)
    rows = {(row["bus"], row["phase"]): row for row in result["voltages"]}
    assert rows["B", "b"]["v_pu"] == pytest.approx(math.sqrt(3), rel=1e-3)
    assert rows["B", "c"]["v_pu"] == pytest.approx(math.sqrt(3), rel=1e-3)


def test_a_tuned_coil_cancels_the_fault_current():
    """X = 1 / (3 w C0): resonant earthing leaves what losses and the source's own impedance leave."""
    tuned = 1 / (3 * OMEGA * 0.4e-6)
    free = fault(isolated(), bus="B", type="slg", phases="a", loads="none")
    compensated = fault(isolated(coil=tuned), bus="B", type="slg", phases="a", loads="none")
    ratio = [r["fault_current_a"]["a"]["magnitude"] for r in (compensated, free)]
    assert ratio[0] / ratio[1] < 5e-3
    half = fault(isolated(coil=2 * tuned), bus="B", type="slg", phases="a", loads="none")
    assert half["fault_current_a"]["a"]["magnitude"] == pytest.approx(0.5 * ratio[1], rel=5e-3)


@pytest.mark.parametrize("group", [group for group in VECTOR_GROUPS if not group.startswith("I")])
def test_every_vector_group_turns_and_scales(group):
    """Without load the low voltage lags by the clock number, at the rated ratio (IEC 60076-1, 6)."""
    high, low, clock = parse_vector_group(group)
    unit = Transformer(
        "T", "H", "L", 400e3, 20e3, 400.0, 4.0, 1.0, group, tap=2, tap_max=2, tap_step_percent=2.5
    )
    y = transformer_admittance(unit, np.array([1.0]), hv_neutral=False, lv_neutral=False)[0]
    turn = np.exp(-2j * math.pi / 3 * np.arange(3))
    hv = 21e3 / math.sqrt(3) * turn
    lv = 400 / math.sqrt(3) * turn * cmath.exp(-1j * math.pi / 6 * clock)
    v = np.concatenate((hv, [0.0], lv, [0.0]))
    assert np.abs(y @ v).max() < 1e-9 * np.abs(y).max() * 400
    # Zero-sequence voltage drives current where a star point is earthed and the other side lets it.
    zero = np.concatenate((np.zeros(4), np.ones(3), [0.0]))
    drives = np.abs((y @ zero)[4:7]).max() > 1e-6 * np.abs(y).max()
    passes = low == "zn" or (low == "yn" and high in {"D", "YN"})
    assert drives == passes
    assert np.abs(y - y.T).max() < 1e-12 * np.abs(y).max()


def test_an_open_phase_ahead_of_a_delta_leaves_half_the_voltage_on_two_phases():
    """Dyn11 with phase a of its cable open: the open terminal sits half-way between b and c."""
    network = Network(
        "open phase",
        (Bus("S", 20e3), Bus("H", 20e3), Bus("L", 400.0)),
        (Source("G", "S", **STIFF),),
        lines=(Line("C", "S", "H", 0.1, 0.1, 0.3, 0.3),),
        transformers=(Transformer("T", "H", "L", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn11"),),
    )
    system = NodalSystem(network, [1])
    factors = system.factorise(State(open_poles=frozenset({(0, 0, "a")})))
    v = system.solve(factors, 0, system.source_injection)[system.pattern.row]
    u = 20e3 / math.sqrt(3)
    assert abs(v[3]) == pytest.approx(u / 2, rel=1e-4)
    sizes = sorted(abs(value) / (400 / math.sqrt(3)) for value in v[6:9])
    assert sizes == pytest.approx([0.5, 0.5, 1.0], rel=1e-3)


def test_an_open_delta_feeds_three_phases_from_two_units():
    units = tuple(
        Transformer(name, "H", "L", 100e3, 20e3, 400.0, 1e-3, 1e-4, "Ii0", hv_phases=side, lv_phases=side)
        for name, side in (("AB", "ab"), ("BC", "bc"))
    )
    load = Load("D", "L", "abc", (1e3,) * 3, (0.0,) * 3, connection="delta")
    network = Network(
        "open delta", (Bus("H", 20e3), Bus("L", 400.0)), (Source("S", "H", **STIFF),), transformers=units,
        loads=(load,), groundings=(Grounding("corner", "L", conductor="b"),),
    )  # fmt: skip
    v = volts(network)
    sides = [v["L", one] - v["L", other] for one, other in ("ab", "bc", "ca")]
    assert [abs(side) for side in sides] == pytest.approx([400.0] * 3, rel=1e-4)
    assert abs(v["L", "b"]) < 1e-3


def test_a_balanced_delta_is_the_star_of_a_third_of_its_impedance():
    base = Network(
        "delta", (Bus("A", 400.0), Bus("B", 400.0)), (Source("S", "A", 1.0, 0.0, 0.01, 0.1, 0.01, 0.1),),
        lines=(Line("L", "A", "B", 0.1, 0.05, 0.3, 0.2),),
    )  # fmt: skip
    delta = replace(base, loads=(Load("D", "B", "abc", (3e3,) * 3, (1e3,) * 3, connection="delta"),))
    star = replace(base, loads=(Load("Y", "B", "abc", (3e3,) * 3, (1e3,) * 3),))
    for model in ("constant_impedance", "constant_power"):
        one, other = volts(delta, loads=model), volts(star, loads=model)
        assert all(abs(one[key] - other[key]) < 1e-8 for key in one)


@pytest.mark.parametrize(("z", "i"), [(100.0, 0.0), (0.0, 100.0), (30.0, 20.0), (0.0, 0.0)])
def test_shares_of_a_load_follow_the_voltage(z, i):
    """P = P0 (z u^2 + i u + p): checked at the voltage found, and the voltage by Kirchhoff."""
    source = Source("S", "A", 1.0, 0.0, 0.2, 1e-9, 0.2, 1e-9)
    load = Load("X", "A", "a", (20e3,), (0.0,), z_percent=z, i_percent=i)
    network = Network("zip", (Bus("A", 400.0),), (source,), loads=(load,))
    u0 = 400 / math.sqrt(3)
    u = volts(network)["A", "a"].real
    share = z / 100 * (u / u0) ** 2 + i / 100 * u / u0 + (1 - z / 100 - i / 100)
    assert u * (u0 - u) / 0.2 == pytest.approx(20e3 * share, rel=1e-8)


def test_a_detuned_bank_resonates_where_its_reactor_says():
    """7 % is in series resonance at order sqrt(1 / 0.07): the bank then shorts its bus."""
    bank = Capacitor("F", "A", 50e3, reactor_percent=7.0, quality=50.0)
    order = math.sqrt(1 / 0.07)
    from twin.grid.admittance import capacitor_admittance

    bus = Bus("A", 400.0)
    at_resonance = capacitor_admittance(bank, bus, order)
    x_c = 400.0**2 / 50e3
    assert at_resonance == pytest.approx(1 / (0.07 * x_c / 50), rel=1e-9)
    assert capacitor_admittance(bank, bus, 1.0).imag == pytest.approx(1 / (x_c * 0.93), rel=1e-3)
    delta = Capacitor("D", "A", 50e3, connection="delta")
    assert capacitor_admittance(delta, bus, 1.0) * 3 == pytest.approx(
        capacitor_admittance(Capacitor("Y", "A", 50e3), bus, 1.0)
    )


def test_meters_on_dead_conductors_read_zero():
    network = Network(
        "dead", (Bus("A", 400.0), Bus("B", 400.0), Bus("C", 230.0, phases="b")),
        (Source("S", "A", 1.0, 0.0, 0.01, 0.1, 0.01, 0.1),),
        lines=(Line("L", "A", "B", 0.1, 0.05, 0.3, 0.2), Line("M", "B", "C", 0.1, 0.1, 0.1, 0.1, phases="b")),
        loads=(Load("P", "C", "b", (1e3,), (0.0,)),),
    )  # fmt: skip
    probes = [Probe("m", "C", loads=("P",)), Probe("l", "B", "L", "to")]
    solver = GridSolver(network, probes=probes, loads=[LoadPoint("P", "C", "b")], orders=[1, 3])
    alive = solver.solve(np.array([1e3]), np.array([0.0]), np.array([[0, 50.0]], dtype=complex)).phasor
    assert abs(alive[1, 0]) > 200
    assert np.all(alive[[0, 2]] == 0)
    solver.set_poles({(0, 0, "b")})
    dead = solver.solve(np.array([1e3]), np.array([0.0]), np.array([[0, 50.0]], dtype=complex)).phasor
    # What is left is what the other phases' currents induce: none flow here.
    assert np.max(np.abs(dead[:6])) < 1e-6
    assert abs(dead[6, 0]) > 200


@st.composite
def radial_networks(draw):
    """Random feeders: laterals of one and two phases, star and delta loads of any law, a capacitor."""
    size = draw(st.integers(2, 7))
    number = st.floats(0.02, 0.3)
    phases = ["abc"]
    lines = []
    for k in range(1, size):
        parent = draw(st.integers(0, k - 1))
        own = draw(
            st.sampled_from([p for p in ("abc", "ab", "ac", "b", "a") if set(p) <= set(phases[parent])])
        )
        phases.append(own)
        z = [draw(number) for _ in range(4)]
        lines.append(
            Line(f"L{k}", f"B{parent}", f"B{k}", z[0], z[1], z[0] + z[2], z[1] + z[3], 1e-7, 5e-8, phases=own)
        )
    buses = tuple(
        Bus(f"B{k}", 400.0 if len(own) > 1 else 400.0 / math.sqrt(3), phases=own)
        for k, own in enumerate(phases)
    )
    loads = []
    for k in range(1, size):
        connection = "delta" if phases[k] == "abc" and draw(st.booleans()) else "star"
        count = len(phases[k])
        p = tuple(draw(st.floats(-2e3, 4e3)) for _ in range(count))
        q = tuple(draw(st.floats(-1e3, 2e3)) for _ in range(count))
        z, i = draw(st.sampled_from([(0.0, 0.0), (100.0, 0.0), (0.0, 100.0), (20.0, 30.0)]))
        loads.append(Load(f"P{k}", f"B{k}", phases[k], p, q, connection=connection, z_percent=z, i_percent=i))
    source = Source("S", "B0", draw(st.floats(0.95, 1.05)), 0.0, 0.02, 0.05, 0.02, 0.05)
    bank = Capacitor("C", "B0", 5e3, connection=draw(st.sampled_from(["star", "delta", "isolated_star"])))
    return Network("random", buses, (source,), lines=tuple(lines), loads=tuple(loads), capacitors=(bank,))


@settings(max_examples=60, deadline=None)
@given(radial_networks())
def test_what_the_source_gives_is_what_loads_and_losses_take(network):
    """Complex power at every node and in all, from voltages and element laws alone."""
    points, p, q, _ = load_points(network)
    solver = GridSolver(network, probes=[], loads=points, orders=[1], v_min_pu=0.3)
    solution = solver.solve(p, q, np.zeros((len(points), 1), dtype=complex))
    v = solver.node_voltages(solution)
    system = NodalSystem(network, [1])
    into = np.zeros(v.size, dtype=complex)
    for element in (*system.elements, *system._shunts):
        np.add.at(into, list(element.nodes), element.y[0] @ v[list(element.nodes)])
    nodes = Nodes(network)
    for point, current in zip(points, solution.load_current, strict=True):
        plus, minus = nodes.side(network.bus_index[point.bus], point.phase)
        into[plus] += current
        if minus >= 0:
            into[minus] -= current
    # Behind its impedance the source drives its short-circuit current: the shunt above holds the rest.
    source = np.zeros(v.size, dtype=complex)
    source[:] = system.source_injection[system.pattern.row]
    scale = np.abs(source).max()
    assert np.abs(into - source).max() < 1e-9 * scale
    slack = np.sum(v * np.conj(source))
    taken = np.sum(v * np.conj(into))
    assert abs(slack - taken) < 1e-9 * abs(slack)
    drawn = np.sum(solution.load_voltage * np.conj(solution.load_current))
    u = np.abs(solution.load_voltage) / solver.load_base
    shares = np.array([(point.z_share, point.i_share) for point in points]).reshape(-1, 2)
    wanted = (p + 1j * q) * (shares[:, 0] * u**2 + shares[:, 1] * u + 1 - shares.sum(axis=1))
    assert abs(drawn - wanted.sum()) < 1e-6 * max(1.0, np.abs(wanted).sum())

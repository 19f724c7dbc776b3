"""Parts that only loads hold to earth on a running site: broken neutrals, phases behind a delta."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.grid import (
    Bus,
    GridSolver,
    Grounding,
    Line,
    LoadPoint,
    Network,
    Probe,
    Source,
    Transformer,
)
from twin.grid.attached import Machine

ORDERS = [1, 3, 5, 7]
Z = tuple(tuple(0.1 * (i == j) for j in range(4)) for i in range(4))
CUT = {(0, 0, "n"), (0, 1, "n")}


def four_wire(*, z=Z, far=()):
    return Network(
        "four wires",
        (Bus("M", 400.0, phases="abcn"), Bus("A", 400.0, phases="abcn")),
        (Source("S", "M", 1.0, 0.0, 0.01, 0.02, 0.01, 0.02),),
        lines=(Line("L", "M", "A", phases="abcn", r=z, x=z),),
        groundings=(Grounding("G", "M"), *far),
    )


def solver(network, *, z=0.0, orders=ORDERS, **options):
    points = [LoadPoint(letter, "A", letter, z_share=z) for letter in "abc"]
    probes = [Probe("head", "A", branch="L", end="to"), Probe("house", "A", loads=("a", "b", "c"))]
    return GridSolver(network, probes=probes, loads=points, orders=orders, **options)


def emission(*, third=(300.0, 0.0, 0.0), fifth=(100.0, 100.0, 0.0)):
    out = np.zeros((3, len(ORDERS)), dtype=complex)
    out[:, 1], out[:, 2] = third, fifth
    return out


P, Q = np.array([1000.0, 1200.0, 900.0]), np.zeros(3)


def test_the_neutral_of_three_resistances_settles_at_their_common_voltage():
    """V_n = sum(Y V) / sum(Y) over what lies between source and neutral (Millman's theorem)."""
    line = tuple(tuple(0.05 * (i == j) for j in range(4)) for i in range(4))
    site = replace(four_wire(z=line), sources=(Source("S", "M", 1.0, 0.0, 0.03, 0.02, 0.03, 0.02),))
    grid = solver(site, z=1.0)
    grid.open_poles(CUT)
    p = np.array([500.0, 2000.0, 3500.0])
    solution = grid.solve(p, Q, np.zeros((3, 4), dtype=complex))
    emf = 400.0 / 3**0.5 * np.exp(-2j * np.pi / 3 * np.arange(3))
    load = 400.0**2 / 3 / p
    y = 1.0 / (load + 0.08 + 0.07j)
    expected = np.sum(y * emf) / np.sum(y)
    assert grid.node_voltages(solution)[7] == pytest.approx(expected, abs=1e-7)
    assert solution.load_voltage == pytest.approx((emf - expected) * y * load, abs=1e-7)


def test_harmonics_behind_a_broken_neutral_find_their_way_through_other_loads():
    grid = solver(four_wire())
    grid.open_poles(CUT)
    solution = grid.solve(P, Q, emission())
    assert abs(np.sum(solution.currents, axis=1)) == pytest.approx(np.zeros(4), abs=1e-9)
    largest = np.abs(solution.load_voltage).max()
    for order in (3, 5):
        volts = np.abs(grid.node_voltages(solution, order))
        assert 1.0 < volts[7] < largest
        assert volts[:4].max() < 1.0
    # Kirchhoff's law at the bus: what comes by the line is what the loads draw.
    head, house = solution.phasor[3:6], solution.phasor[9:12]
    assert -head == pytest.approx(house, abs=1e-8)
    assert np.abs(house[:, 1]).min() > 0.01  # a third harmonic flows in all phases now


def test_the_potential_is_what_currents_beside_admittances_make():
    """Each load as a source of current beside its admittance: V_n = -sum(J - Y V) / sum(Y)."""
    grid = solver(four_wire())
    grid.open_poles(CUT)
    solution = grid.solve(P, Q, emission())
    free = solver(four_wire())  # what the loads would draw
    drawn = np.zeros((4, 3), dtype=complex)
    volts = solution.load_voltage
    for at, v in enumerate(volts):
        floor = max(abs(v), 0.7 * free.load_base[at])
        size = abs(v) / floor**2
        drawn[0, at] = P[at] * v / floor**2
        for n in (1, 2):
            drawn[n, at] = emission()[at, n] * size * np.exp(1j * ORDERS[n] * np.angle(v))
    y = np.sqrt(np.sum(np.abs(drawn) ** 2, axis=0)) / np.abs(volts)
    for n, order in ((1, 3), (2, 5)):
        u = -np.sum(drawn[n]) / np.sum(y)  # mean load voltage at the order
        assert solution.currents[n] == pytest.approx(drawn[n] + y * u, abs=1e-9)
        at_bus = grid.node_voltages(solution, order)[4:]
        assert np.mean(at_bus[:3]) - at_bus[3] == pytest.approx(u, abs=1e-8)


def test_a_mended_neutral_is_as_if_it_had_never_been_broken():
    grid = solver(four_wire())
    before = grid.solve(P, Q, emission())
    grid.open_poles(CUT)
    broken = grid.solve(P, Q, emission())
    grid.set_poles(())
    after = grid.solve(P, Q, emission())
    assert np.array_equal(before.phasor, after.phasor)
    assert np.abs(broken.phasor - before.phasor).max() > 10.0


@pytest.mark.parametrize("ohm", [1e3, 1e5, 1e7])
def test_the_fundamental_goes_over_from_a_poor_earth_to_none(ohm):
    """A neutral earthed through ever more ohms comes to what a floating one is, in proportion."""
    earthed = solver(four_wire(far=(Grounding("far", "A", ohm, 0.0),)), z=1.0)
    floating = solver(four_wire(), z=1.0)
    volts = []
    for grid in (earthed, floating):
        grid.open_poles(CUT)
        solution = grid.solve(P, Q, np.zeros((3, 4), dtype=complex))
        volts.append(grid.node_voltages(solution)[7])
    admittance = np.sum(P) / (400.0**2 / 3)
    expected = volts[1] * admittance / (admittance + 1.0 / ohm)
    assert volts[0] == pytest.approx(expected, rel=0.1 / ohm, abs=1e-7)


def test_nothing_moves_without_load():
    grid = solver(four_wire())
    grid.open_poles(CUT)
    solution = grid.solve(np.zeros(3), Q, np.zeros((3, 4), dtype=complex))
    assert abs(grid.node_voltages(solution)[7]) < 1e-6
    assert np.abs(solution.phasor[:, 1:]).max() == 0.0


def test_a_motor_beside_loads_keeps_the_balance():
    """A machine without neutral adds nothing to the neutral's currents; one with it takes its share."""
    star = 0.02 * (np.eye(3) - 1.0 / 3.0)
    for y in (star, 0.02 * np.eye(3)):
        grid = solver(four_wire())
        grid.open_poles(CUT)
        grid.set_machine("M", Machine((0, 1, 2), y.astype(complex)))
        solution = grid.solve(P, Q, emission())
        assert abs(np.sum(solution.currents[0])) < 1e-9
        drawn = solution.currents[0] - np.einsum("ij,j->i", y, solution.load_voltage)
        expected = P * solution.load_voltage / np.maximum(np.abs(solution.load_voltage), 161.6581) ** 2
        assert drawn == pytest.approx(expected, rel=1e-6)
        assert grid.node_voltages(solution)[4:7] - grid.node_voltages(solution)[7] == pytest.approx(
            solution.load_voltage, abs=1e-8
        )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(50.0, 5000.0), min_size=3, max_size=3),
    st.lists(st.floats(0.0, 0.8), min_size=9, max_size=9),
    st.lists(st.floats(-3.14, 3.14), min_size=9, max_size=9),
)
def test_no_harmonic_voltage_of_a_neutral_exceeds_the_largest_load_voltage(power, ratio, angle):
    grid = solver(four_wire(), z=1.0)
    grid.open_poles(CUT)
    p = np.array(power)
    spectrum = np.array(ratio).reshape(3, 3) * np.exp(1j * np.array(angle).reshape(3, 3)) * p[:, None]
    solution = grid.solve(p, Q, np.concatenate((np.zeros((3, 1)), spectrum), axis=1))
    assert abs(np.sum(solution.currents, axis=1)).max() < 1e-8
    largest = np.abs(solution.load_voltage).max()
    for order in (3, 5, 7):
        assert abs(grid.node_voltages(solution, order)[7]) < 1.05 * largest


def behind_a_delta(hv_phases, lv_phases, *, lv="b"):
    """Phases that a delta feeds, nothing earthed, and behind them a single-phase unit to earth."""
    return Network(
        "unearthed",
        (Bus("M", 20e3), Bus("A", 6e3), Bus("B", 400.0 if len(lv_phases) == 2 else 230.0, phases=lv)),
        (Source("S", "M", 1.0, 0.0, 0.1, 1.0, 0.1, 1.0),),
        transformers=(
            Transformer("T", "M", "A", 1e6, 20e3, 6e3, 5.0, 1.0, "Yd11"),
            Transformer(
                "U", "A", "B", 5e4, 6e3 / 3**0.5, 400.0 if len(lv_phases) == 2 else 230.0, 4.0, 1.0, "Ii0",
                hv_phases=hv_phases, lv_phases=lv_phases,
            ),
        ),
    )  # fmt: skip


def test_a_unit_with_nothing_behind_it_earths_nothing():
    """Its earthed winding carries no current: the phases lie about earth, as far as stray paths put them."""
    grid = GridSolver(behind_a_delta("b", "ab", lv="ab"), probes=[], loads=[], orders=[1])
    none = np.zeros(0)
    volts = grid.node_voltages(grid.solve(none, none, np.zeros((0, 1), dtype=complex)))
    assert np.abs(volts[3:6] - volts[[4, 5, 3]]) == pytest.approx(6e3, rel=1e-6)
    assert np.abs(volts[3:6]) == pytest.approx(6e3 / 3**0.5, rel=0.05)
    assert abs(volts[6] - volts[7]) == pytest.approx(400.0 * abs(volts[4]) / (6e3 / 3**0.5), rel=1e-6)


def test_a_load_behind_a_unit_holds_the_phase_to_earth():
    """The only path to earth leads through the unit's load: its current is nothing, and so its voltage."""
    network = behind_a_delta("b", "ab", lv="ab")
    grid = GridSolver(network, probes=[], loads=[LoadPoint("x", "B", "ab", z_share=1.0)], orders=[1])
    solution = grid.solve(np.array([5e3]), np.zeros(1), np.zeros((1, 1), dtype=complex))
    volts = grid.node_voltages(solution)
    assert abs(solution.load_voltage[0]) < 1e-6
    assert abs(volts[4]) < 1e-3
    assert np.abs(volts[[3, 5]]) == pytest.approx(6e3, rel=1e-5)

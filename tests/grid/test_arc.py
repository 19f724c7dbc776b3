"""The harmonics of an arc against its waveform and a plain circuit."""

import math

import numpy as np
import pytest

from twin.grid import Bus, Fault, GridSolver, Line, Network, Probe, Source
from twin.grid.arc import Arc, arc_injection, square_wave


def test_a_square_wave_is_the_sum_of_its_orders():
    """v = U sign(i), sampled, against the sum of orders 1 .. 199 (Fourier)."""
    current = np.array([3.0 * np.exp(0.7j)])
    theta = np.linspace(0.0, 2 * math.pi, 4001)[:-1]
    wave = np.zeros(theta.size)
    for order in range(1, 200):
        wave += math.sqrt(2) * (square_wave(100.0, current, order)[0] * np.exp(1j * order * theta)).real
    expected = 100.0 * np.sign(np.cos(theta + 0.7))
    away = np.abs(np.cos(theta + 0.7)) > 0.1
    assert np.abs(wave - expected)[away].max() < 4.0
    assert square_wave(100.0, np.zeros(1, complex), 3)[0] == 0
    assert square_wave(100.0, current, 2)[0] == 0


@pytest.mark.parametrize(("kind", "phases"), [("slg", "a"), ("ll", "bc")])
def test_an_arc_drives_its_harmonics_through_the_network(kind, phases):
    """One line, no loads: I_h = -V_h / (Z_h + R) by hand, at the head and at the fault."""
    z1, z0 = complex(0.2, 0.5), complex(0.6, 1.5)
    network = Network(
        "line", (Bus("A", 20e3), Bus("B", 20e3)), (Source("S", "A"),),
        lines=(Line("L", "A", "B", z1.real, z1.imag, z0.real, z0.imag),),
    )  # fmt: skip
    orders = [1, 3, 5]
    solver = GridSolver(network, probes=[Probe("head", "A", "L")], loads=[], orders=orders)
    total, own, height = 12.0, 2.0, 1500.0
    fault = Fault("f", "B", kind, phases, total)
    solver.apply_fault(fault)
    solution = solver.solve(np.zeros(0), np.zeros(0), np.zeros((0, 3), dtype=complex))
    volts = solver.node_voltages(solution)[3:6]
    nodes = [3 + "abc".index(letter) for letter in phases]
    across = np.array([[1.0], [-1.0]]) if kind == "ll" else np.ones((1, 1))
    through = across.T @ volts[["abc".index(letter) for letter in phases]] / total
    for order in (3, 5):
        effect = solver.drawn(nodes, order)
        seen = across.T @ effect.impedance @ across
        drawn = arc_injection(Arc(height, own), through, order, seen, fault_resistance=total)
        head = effect.probes @ across @ drawn
        one, nought = (complex(z.real, order * z.imag) for z in (z1, z0))
        if kind == "slg":
            loop, current = (2 * one + nought) / 3, volts[0] / total
        else:
            loop, current = 2 * one, (volts[1] - volts[2]) / total
        source = square_wave(height, np.array([current]), order)[0]
        expected = -source / (loop + own)
        place = 3 + "abc".index(phases[0])
        assert head[place] == pytest.approx(expected, rel=1e-6)
        if kind == "ll":
            assert head[5] == pytest.approx(-expected, rel=1e-6)

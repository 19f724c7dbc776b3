"""A network with its rated loads: their points, their admittances, the steady state that they make."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.grid.components import Load, LoadPoint
from twin.grid.elements import Element, between
from twin.grid.errors import GridError
from twin.grid.network import Network
from twin.grid.nodal import NodalSystem, State
from twin.grid.nodes import EARTH, Nodes
from twin.grid.solver import GridSolver

Complex = NDArray[np.complex128]

V_MIN_PU = 0.7
"""Voltage below which a load turns to a constant impedance, of the rated one [pu]."""


def solve_fundamental(
    network: Network, state: State, *, loads: str = "constant_power", v_min_pu: float = V_MIN_PU
) -> tuple[Complex, list[tuple[tuple[int, int, Load], complex]]]:
    """Return voltages c128[nodes] at order 1, and what each side of each load draws [A].

    A side is given by its two nodes (`EARTH` for earth) and its load.
    """
    if loads not in {"constant_power", "constant_impedance"}:
        raise GridError(f"loads '{loads}' are unknown; give constant_power or constant_impedance")
    if loads == "constant_impedance":
        system = NodalSystem(network, [1])
        factors = system.factorise(state, shunts=load_shunts(network, system.nodes, [1.0]))
        return system.solve(factors, 0, system.source_injection)[system.pattern.row], []
    points, p, q, sides = load_points(network)
    solver = GridSolver(network, probes=[], loads=points, orders=[1], v_min_pu=v_min_pu)
    solver.set_poles(state.open_poles)
    solution = solver.solve(p, q, np.zeros((len(points), 1), dtype=np.complex128))
    currents = [complex(one) for one in solution.load_current]
    return solver.node_voltages(solution), list(zip(sides, currents, strict=True))


def load_points(
    network: Network,
) -> tuple[list[LoadPoint], NDArray[np.float64], NDArray[np.float64], list[tuple[int, int, Load]]]:
    """Return each single-phase part of the rated loads that has power: points, P [W], Q [var], sides."""
    nodes = Nodes(network)
    held = {source.bus for source in network.sources if source.ideal}
    points, p, q, sides = [], [], [], []
    for load in network.loads:
        z, i = load.zip_shares
        for side, active, reactive in zip(load.sides, load.p, load.q, strict=True):
            # A load between phases that an ideal source holds changes no voltage; a neutral is not held.
            plus, minus = nodes.side(network.bus_index[load.bus], side)
            still = load.bus in held and (minus == EARTH or nodes.letter[minus] != "n")
            if (active or reactive) and not still:
                points.append(LoadPoint(load.name, load.bus, side, z, i))
                p.append(active)
                q.append(reactive)
                sides.append((plus, minus, load))
    return points, np.array(p, dtype=np.float64), np.array(q, dtype=np.float64), sides


def load_shunts(
    network: Network, nodes: Nodes, h: Sequence[float], *, series: float | None = None
) -> list[Element]:
    """Return the rated loads as admittances ``y = (P - jQ) / V^2`` at rated voltage, at some orders.

    With ``series``, a share of each load at order h: ``Z = R + jhX``, the rest ``Y = G + jB/h``; loads with
    a spectrum are left out.
    """
    out = []
    for load in network.loads:
        if series is not None and load.spectrum:
            continue
        bus = network.bus_index[load.bus]
        for side, p, q in zip(load.sides, load.p, load.q, strict=True):
            rated = network.buses[bus].u_phase ** 2 * (3.0 if len(side) == 2 else 1.0)
            y = complex(p, -q) / rated
            values = np.array([y if series is None else _damped(y, ratio, series) for ratio in h])
            element = between(nodes, bus, side, values)
            if element is not None and values.any():
                out.append(element)
    return out


def _damped(y: complex, h: float, series: float) -> complex:
    """Return a load's admittance at order h, part of it in series and the rest in parallel [S]."""
    if y == 0 or y.real < 0:
        return 0j
    parallel = (1.0 - series) * y
    total = complex(parallel.real, parallel.imag / h)
    if series > 0:
        z = 1.0 / (series * y)
        total += 1.0 / complex(z.real, h * z.imag)
    return total

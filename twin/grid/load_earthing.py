"""Load flow where nothing but loads holds a part of the network to earth.

There every ampere between phase and earth returns through the other loads, and the little that stands for a
path to earth turns a rounded current into volts. What the loads draw is therefore part of the equations.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.grid import load_kernels
from twin.grid.components import LoadPoint
from twin.grid.elements import Element, between
from twin.grid.errors import NotConvergedError
from twin.grid.network import Network
from twin.grid.nodal import NodalSystem, State
from twin.grid.nodes import EARTH

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]

_ROUNDS = 300
_TOLERANCE = 1e-11
"""Largest change of a load's voltage in the last round [pu]."""

_GOOD_ENOUGH = 1e-7
"""What is taken where rounding hinders more [pu]."""


def held_by_loads(system: NodalSystem, state: State, ends: Sequence[tuple[int, int]]) -> bool:
    """Return whether loads, given by their nodes, join a part that nothing earths to another, or to earth."""
    topology = system.topology(state)
    group = np.append(topology.group, EARTH)
    loose = np.append(topology.floating, False)
    return any(group[plus] != group[minus] and (loose[plus] or loose[minus]) for plus, minus in ends)


def settle(
    network: Network,
    system: NodalSystem,
    state: State,
    points: Sequence[LoadPoint],
    p: Float,
    q: Float,
    voltages: Complex,
    v_min_pu: float,
) -> tuple[Complex, list[complex]]:
    """Return voltages c128[nodes] and load currents, improved from an approximate solution.

    Loads are admittances at the last voltage; half a step is taken in its magnitude.

    Raises
    ------
    NotConvergedError
        The loads find no common star point.
    """
    nodes, index = system.nodes, network.bus_index
    ends = [nodes.side(index[one.bus], one.phase) for one in points]
    rated = [
        network.buses[index[one.bus]].u_phase * (3.0**0.5 if len(one.phase) == 2 else 1.0) for one in points
    ]
    level = [abs(_across(voltages, *side)) for side in ends]
    for _ in range(_ROUNDS):
        shunts: list[Element] = []
        admittance = []
        for at, point in enumerate(points):
            y = _admittance(point, p[at], q[at], level[at], rated[at], v_min_pu)
            admittance.append(y)
            element = between(nodes, index[point.bus], point.phase, np.array([y]))
            shunts.extend([] if element is None else [element])
        factors = system.factorise(state, shunts=shunts)
        voltages = system.solve(factors, 0, system.source_injection)[system.pattern.row]
        across = [_across(voltages, *side) for side in ends]
        steps = [abs(v) - old for v, old in zip(across, level, strict=True)]
        moved = [abs(step) / base for step, base in zip(steps, rated, strict=True)]
        change = max(moved)
        if change <= _TOLERANCE:
            break
        level = [old + 0.5 * step for old, step in zip(level, steps, strict=True)]
    if not change <= _GOOD_ENOUGH:
        worst = points[moved.index(change)]
        raise NotConvergedError(
            f"load '{worst.name}' at bus '{worst.bus}' and others of a part that nothing earths find no "
            f"common star point (last change {change:.3g} pu); earth the part by a row in groundings, or "
            "connect them in delta"
        )
    return voltages, [y * v for y, v in zip(admittance, across, strict=True)]


def _across(voltages: Complex, plus: int, minus: int) -> complex:
    return complex(voltages[plus]) - (complex(voltages[minus]) if minus != EARTH else 0.0)


def _admittance(point: LoadPoint, p: float, q: float, level: float, rated: float, v_min_pu: float) -> complex:
    least = (v_min_pu if point.v_min_pu is None else point.v_min_pu) * rated
    floor = max(level, least)
    drawn = load_kernels.drawn_current(complex(floor), p, q, *point.shares, least, rated)
    return complex(drawn) / floor

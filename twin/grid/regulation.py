"""Tap changers at rest: where voltage regulators have moved their taps in a steady state."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.grid.errors import NotConvergedError
from twin.grid.network import Network
from twin.grid.nodal import NodalSystem, initial_state
from twin.grid.nodes import EARTH, Nodes
from twin.grid.rated import solve_fundamental
from twin.grid.transformers import TapChanger, Transformer

Complex = NDArray[np.complex128]

_ROUNDS = 100
"""After so many a regulator that still moves hunts between positions."""


def regulated(network: Network, *, loads: str, v_min_pu: float) -> Network:
    """Return the network with every controlled transformer at the tap where its regulator rests.

    All regulators outside their band move together, each by as many steps as its voltage lacks (at least
    one); then the network is solved again, until none moves.

    Parameters
    ----------
    network : Network
    loads, v_min_pu
        As `twin.grid.study.flow`.

    Raises
    ------
    NotConvergedError
        A regulator hunts: its band is narrower than a step.
    """
    if not network.tap_changers:
        return network
    for _ in range(_ROUNDS):
        v, _ = solve_fundamental(network, initial_state(network), loads=loads, v_min_pu=v_min_pu)
        moves = {
            control.transformer: steps
            for control in network.tap_changers
            if (steps := steps_wanted(network, control, v))
        }
        if not moves:
            return network
        network = with_taps(network, moves)
    raise NotConvergedError(
        f"tap changers of {', '.join(sorted(moves))} find no rest; widen their bandwidth beyond one step"
    )


def with_taps(network: Network, moves: dict[str, int]) -> Network:
    """Return the network with some transformers moved by a number of steps."""
    units = tuple(
        replace(unit, tap=unit.tap + moves[unit.name]) if unit.name in moves else unit
        for unit in network.transformers
    )
    return replace(network, transformers=units)


def steps_wanted(network: Network, control: TapChanger, v: Complex) -> int:
    """Return by how many steps a regulator wants its transformer to move; 0 within the band.

    Parameters
    ----------
    network : Network
    control : TapChanger
    v : c128[nodes]
        Voltages against earth [V].
    """
    unit = network.transformers[[one.name for one in network.transformers].index(control.transformer)]
    seen = abs(regulator_voltage(network, control, unit, v))
    lack = control.u_set - seen
    if abs(lack) <= control.bandwidth / 2.0:
        return 0
    rated = unit.u_lv / (1.0 if unit.single_phase else math.sqrt(3.0))
    if len(control.phase) == 2 and not unit.single_phase:
        rated *= math.sqrt(3.0)
    step = rated * unit.tap_step_percent / 100.0 / control.pt_ratio
    steps = max(1, math.floor(abs(lack) / step + 0.5))
    # More turns on the high-voltage side lower the voltage.
    wanted = math.copysign(steps, lack) * (1 if unit.tap_side == "lv" else -1)
    return int(min(max(unit.tap + wanted, unit.tap_min), unit.tap_max)) - unit.tap


def regulator_voltage(network: Network, control: TapChanger, unit: Transformer, v: Complex) -> complex:
    """Return the secondary voltage that a regulator sees, line drop compensated [V]."""
    nodes = Nodes(network)
    bus = network.bus_index[control.bus or unit.lv_bus]
    plus, minus = nodes.side(bus, control.phase)
    primary = complex(v[plus]) - (complex(v[minus]) if minus != EARTH else 0.0)
    seen = primary / control.pt_ratio
    if control.ct_primary:
        current = _current(network, unit, control.phase[0], v)
        seen -= complex(control.r_line, control.x_line) * current / control.ct_primary
    return seen


def _current(network: Network, unit: Transformer, letter: str, v: Complex) -> complex:
    """Return the current out of the transformer's low-voltage terminal of a phase [A]."""
    system = NodalSystem(network, [1])
    element = system.elements[network.branch_index[unit.name]]
    at = element.terminal(1, letter)
    if at is None:
        return 0j
    return -complex(sum(element.y[0, at, j] * v[node] for j, node in enumerate(element.nodes)))

"""A transformer of the network that goes live, as the circuit whose inrush is computed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid.components import PHASES
from twin.grid.magnetising import DELTA_LEGS, core_of, remanence, winding_connection, winding_resistance
from twin.grid.network import Network
from twin.grid.nodes import EARTH, Nodes
from twin.grid.thevenin import Drawn
from twin.grid.transformers import Transformer, winding_ends
from twin.grid.transients.inrush import Energising

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Terminals:
    """Where a transformer draws its magnetising current."""

    nodes: tuple[int, ...]
    """In the order of `twin.grid.nodes.Nodes`."""
    letters: str
    """Conductor of each."""
    incidence: Float
    """(nodes, lines): what each node delivers of each line current; the neutral takes them back."""


def energised_terminals(network: Network, nodes: Nodes, unit: Transformer, side: str) -> Terminals:
    """Return the terminals of a side's windings."""
    bus = network.bus_index[unit.hv_bus if side == "hv" else unit.lv_bus]
    connection = winding_connection(unit, side)
    if connection == "single":
        plus, minus = winding_ends(unit.hv_phases if side == "hv" else unit.lv_phases)
        letters, weight = "abcn"[plus] + "abcn"[minus], np.array([[1.0], [-1.0]])
    elif connection == "star_earthed":
        letters, weight = "abcn", np.vstack((np.eye(3), -np.ones(3)))
    else:
        letters, weight = PHASES, np.eye(3)
    numbers = [nodes.at(bus, letter) for letter in letters]
    kept = [at for at, number in enumerate(numbers) if number != EARTH]
    return Terminals(
        tuple(numbers[at] for at in kept), "".join(letters[at] for at in kept), weight[np.array(kept)]
    )


def energising(
    unit: Transformer,
    side: str,
    terminals: Terminals,
    drawn: Drawn,
    voltage: Complex,
    *,
    theta: float,
    frequency: float,
    rated_frequency: float,
) -> Energising:
    """Return the circuit of a transformer and the network behind it.

    The network is its Thevenin equivalent at the fundamental: R and L of its impedance at the energised bus,
    the same at every frequency. Its EMF is such that the windings, without saturation, have the voltage of
    the steady state that follows.

    Parameters
    ----------
    unit : Transformer
        At its present tap.
    side : str
        ``hv`` or ``lv``, the side that is fed.
    terminals : Terminals
    drawn : Drawn
        Effect of currents from its nodes.
    voltage : c128[nodes]
        Steady voltage of each of them after closing, RMS [V].
    theta : float
        Phase of the fundamental at the closing [rad].
    frequency, rated_frequency : float
        Of the sources, and of the network [Hz].
    """
    omega = 2.0 * math.pi * frequency
    lines = terminals.incidence.shape[1]
    impedance = terminals.incidence.T @ drawn.impedance @ terminals.incidence
    impedance = impedance + winding_resistance(unit, side) * np.eye(lines)
    connection = winding_connection(unit, side)
    if connection == "star_earthed":
        star = (unit.r_star_hv, unit.x_star_hv) if side == "hv" else (unit.r_star_lv, unit.x_star_lv)
        impedance = impedance + complex(*star)
    core = core_of(unit, side, rated_frequency)
    across = terminals.incidence.T @ voltage
    if connection == "star_isolated":
        across = across - across.mean()
    winding = DELTA_LEGS if connection == "delta" else np.eye(lines)
    magnetising = winding.T @ (winding @ across) / (1j * omega * core.magnetising)
    emf = across + impedance @ magnetising
    return Energising(
        core,
        frequency,
        math.sqrt(2.0) * emf * np.exp(1j * theta),
        _dissipative(impedance.real),
        _dissipative(impedance.imag / omega),
        remanence(unit, side, rated_frequency),
        "star_earthed" if connection == "single" else connection,
    )


def _dissipative(matrix: Float) -> Float:
    """Return a matrix without what rounding, or capacitance behind it, makes of it: it stores no energy."""
    value, vector = np.linalg.eigh((matrix + matrix.T) / 2.0)
    return np.asarray((vector * np.maximum(value, 0.0)) @ vector.T)

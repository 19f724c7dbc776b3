"""What a current drawn anywhere does to the network: at its own place, and at the metering points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.nodal import Factors, NodalSystem
from twin.grid.probes import ProbeRows

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The effect of one ampere drawn from each of some nodes to earth, loads open."""

    impedance: Complex
    """(nodes, nodes): fall of the voltage of each node; Thevenin's impedance [ohm]."""
    probes: Complex
    """(probes * 6, nodes): change of each probe row [V/A, A/A]."""


def drawn_from(
    system: NodalSystem, factors: Factors, probes: ProbeRows, nodes: Sequence[int], order: int = 1
) -> Drawn:
    """Return the effect of currents drawn from nodes.

    Parameters
    ----------
    system : NodalSystem
    factors : Factors
        Of the network's state.
    probes : ProbeRows
    nodes : sequence of int
        In the order of `twin.grid.nodes.Nodes`.
    order : int
        One of the system's.
    """
    one = int(np.flatnonzero(system.orders == order)[0])
    row = system.pattern.row
    weights = probes.weights(factors.elements, factors.topology.in_service, one)
    impedance = np.empty((len(nodes), len(nodes)), dtype=np.complex128)
    seen = np.empty((probes.count, len(nodes)), dtype=np.complex128)
    column = np.empty(probes.count, dtype=np.complex128)
    for at, node in enumerate(nodes):
        current = np.zeros(system.rows, dtype=np.complex128)
        current[row[node]] = -1.0
        v = system.solve(factors, one, current)
        v[system.held_rows] = 0.0
        impedance[:, at] = -v[row[list(nodes)]]
        kernels.weighted_sums(probes.start, row[probes.node], weights, v, column)
        seen[:, at] = column
    return Drawn(impedance, seen)

"""Arcs of a running site: the harmonics that they add to what meters see."""

import numpy as np
from numpy.typing import NDArray

from twin.grid import Fault, GridSolver, Solution
from twin.grid.arc import Arc, arc_injection, arc_paths
from twin.grid.nodes import Nodes

Complex = NDArray[np.complex128]

EXTINCTION = 1.0
"""An arc whose current is below this goes out, RMS [A]."""


class Arcs:
    """Arcs by the name of their fault.

    Parameters
    ----------
    solver : GridSolver
        Whose orders above 1 the arcs' harmonics have.
    """

    def __init__(self, solver: GridSolver) -> None:
        self._solver = solver
        self._nodes = Nodes(solver.network)
        self._burning: dict[str, Arc] = {}

    def set(self, name: str, arc: Arc | None) -> None:
        """Let an arc burn in a fault from now on, as long as the fault is there, or no longer."""
        if arc is None:
            self._burning.pop(name, None)
        else:
            self._burning[name] = arc

    def phasors(self, solution: Solution) -> Complex | None:
        """Return what arcs add to the probes' rows in the present state, (probes * 6, orders) RMS.

        None when nothing burns.
        """
        present = [fault for fault in self._solver.faults if fault.name in self._burning]
        if not present:
            return None
        volts = self._solver.node_voltages(solution)
        out = np.zeros_like(solution.phasor)
        for fault in present:
            self._add(self._burning[fault.name], fault, volts, out)
        return out

    def _add(self, arc: Arc, fault: Fault, volts: Complex, out: Complex) -> None:
        """Add an arc's part; paths without current have no arc."""
        solver, bus = self._solver, self._solver.network.bus_index[fault.bus]
        letters = sorted(fault.phases)
        nodes = [self._nodes.at(bus, letter) for letter in letters]
        incidence = np.array([_signs(path, letters) for path in arc_paths(fault)]).T
        current = (incidence * volts[nodes, None]).sum(axis=0) / fault.resistance
        burns = np.abs(current) >= EXTINCTION
        if not burns.any():
            return
        incidence, current = incidence[:, burns], current[burns]
        for at, order in enumerate(solver.orders):
            if order > 1 and order % 2:
                effect = solver.drawn(nodes, order)
                own = np.einsum("np,nm,mq->pq", incidence, effect.impedance, incidence)
                drawn = arc_injection(arc, current, order, own, fault_resistance=fault.resistance)
                out[:, at] += np.einsum("rn,np,p->r", effect.probes, incidence, drawn)


def _signs(path: str, letters: list[str]) -> list[float]:
    """Return +1 where a path begins and -1 where it ends, if not in the earth."""
    return [(1.0, -1.0)[path.index(letter)] if letter in path else 0.0 for letter in letters]

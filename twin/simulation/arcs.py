"""Arcs of a running site: the harmonics that they add to what meters see."""

import numpy as np
from numpy.typing import NDArray

from twin.grid import GridSolver, Solution
from twin.grid.arc import Arc, arc_injection
from twin.grid.components import PHASES
from twin.grid.nodes import Nodes

Complex = NDArray[np.complex128]


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
        """Let an arc burn from now on, or no longer."""
        if arc is None:
            self._burning.pop(name, None)
        else:
            self._burning[name] = arc

    def phasors(self, solution: Solution) -> Complex | None:
        """Return what arcs add to the probes' rows in the present state, (probes * 6, orders) RMS.

        None when nothing burns.
        """
        if not self._burning:
            return None
        solver = self._solver
        volts = solver.node_voltages(solution)
        out = np.zeros_like(solution.phasor)
        for name in sorted(self._burning):
            arc = self._burning[name]
            bus = solver.network.bus_index[arc.fault.bus]
            own = [self._nodes.at(bus, letter) for letter in sorted(arc.fault.phases)]
            phase = dict(self._nodes.phases(bus))
            here = np.array([volts[phase[letter]] if letter in phase else 0j for letter in PHASES])
            for at, order in enumerate(solver.orders):
                if order > 1 and order % 2:
                    effect = solver.drawn(own, order)
                    out[:, at] += effect.probes @ arc_injection(arc, here, order, effect)
        return out

"""Voltages of buses at which no meter or relay looks: found anew with every solution, once asked for."""

import numpy as np
from numpy.typing import NDArray

from twin.grid import GridSolver, Solution
from twin.grid.nodes import Nodes

Complex = NDArray[np.complex128]


class BusVoltages:
    """Fundamental phase voltages of some buses of a network.

    Parameters
    ----------
    solver : GridSolver
    """

    def __init__(self, solver: GridSolver) -> None:
        self._solver = solver
        self._nodes = Nodes(solver.network)
        self._solution: Solution | None = None
        self._watched = False
        self._volts: Complex = np.zeros(0, dtype=np.complex128)

    def watch(self) -> None:
        """Know the voltages from now on; the network must be as it was last solved."""
        self._watched = True
        if self._solution is not None:
            self.take(self._solution)

    def take(self, solution: Solution) -> None:
        """Take a solution of the network's present state."""
        self._solution = solution
        if self._watched:
            self._volts = self._solver.node_voltages(solution)

    def at(self, bus: int) -> Complex:
        """Return the phase voltages of a bus against earth, shape (3,), RMS [V]; zero for a missing phase.

        Parameters
        ----------
        bus : int
            Position in ``network.buses``.

        Raises
        ------
        RuntimeError
            Nobody has said that voltages are wanted.
        """
        if not self._watched:
            raise RuntimeError("voltages of buses are not watched; call watch() first")
        out = np.zeros(3, dtype=np.complex128)
        for letter, node in self._nodes.phases(bus):
            out["abc".index(letter)] = self._volts[node]
        return out

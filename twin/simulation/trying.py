"""Would a network that is changed still have a solution? Asked before a command changes it for good."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.grid import Fault, GridSolver, NotConvergedError

ARC_OHM = 1e-6
"""Least resistance of a fault: what is left of a bolted one beside the network's own [ohm]."""


class Solved(Protocol):
    """What is asked of a site."""

    p: NDArray[np.float64]
    q: NDArray[np.float64]
    emission: NDArray[np.complex128]

    @property
    def solver(self) -> GridSolver:
        """The network's solver."""


def at_least(fault: Fault) -> Fault:
    """Return a fault as the network gets it, with what is left of a bolted one's resistance."""
    return replace(fault, resistance=max(fault.resistance, ARC_OHM))


def objection(site: Solved, *changes: Callable[[GridSolver], None]) -> str:
    """Return why a site's network must not be changed, empty when it may be; the site stays as it is.

    Parameters
    ----------
    site : Solved
        With the loads of this instant.
    *changes : callable
        Each changes the solver, on top of those before it; there must be a solution after each.
    """
    solver = site.solver
    with solver.tentative():
        for change in changes:
            change(solver)
            try:
                solver.solve(site.p, site.q, site.emission)
            except NotConvergedError as error:
                return str(error)
    return ""

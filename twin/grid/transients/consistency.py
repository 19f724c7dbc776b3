"""What follows at once in a large circuit: voltages without capacitors, currents that Kirchhoff binds."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import splu

from twin.grid.transients.sparse_system import SparseSystem, islands

Float = NDArray[np.float64]


class Consistency:
    """Kirchhoff's laws of a circuit without its sources, as `state_space` has them.

    Voltages on capacitors are states. Those on conductances alone follow from the current law. Where nothing
    but inductors meets, the law binds the currents, and the voltage follows from its derivative.

    Parameters
    ----------
    system : SparseSystem
    """

    def __init__(self, system: SparseSystem) -> None:
        self._system = system
        on_capacitors = islands(system.capacitor_rows)
        seen = (system.conductance_rows @ on_capacitors.basis).tocsr()
        on_conductances = islands(seen)
        self._P = on_capacitors.basis[:, on_conductances.pivots].tocsr()
        self._N = (on_capacitors.basis @ on_conductances.basis).tocsr()
        self._A_N = (system.A @ self._N).tocsr()
        self._from_emf = (self._A_N.T @ system.blocks.inverse_inductance()).tocsr()
        self._to_current = self._from_emf.T.tocsr()
        self._resistive = _solver(self._P.T @ system.G @ self._P)
        self._inductive = _solver(self._from_emf @ self._A_N)
        self.on_capacitors = system.C.diagonal() > 0.0
        self._held = on_capacitors.pivots
        self._capacitive = _solver(system.C[self._held][:, self._held])

    def currents(self, given: Float) -> Float:
        """Return the nearest currents, in energy, that the current law allows.

        Parameters
        ----------
        given
            Shape (branches,) or (branches, k) [A].
        """
        return np.asarray(given - self._to_current @ self._inductive(self._A_N.T @ given))

    def voltages(self, currents: Float, charged: Float) -> Float:
        """Return the voltages of all nodes that go with currents and charged capacitors.

        Parameters
        ----------
        currents
            Shape (branches,) or (branches, k), allowed by the current law [A].
        charged
            Shape (free,) or (free, k): voltages, of which those on capacitors count [V].
        """
        system = self._system
        v = (charged.T * self.on_capacitors).T
        v = v - self._P @ self._resistive(self._P.T @ (system.A.T @ currents + system.G @ v))
        emf = system.A @ v - system.blocks.R @ currents
        return np.asarray(v - self._N @ self._inductive(self._from_emf @ emf))

    def charged(self, charge: Float) -> Float:
        """Return the voltages of the nodes on capacitors, those that switches tie together sharing theirs.

        Of nodes that capacitors tie to nothing but each other, one has none.

        Parameters
        ----------
        charge
            Shape (free,) or (free, k): on the capacitors, at each node [C].
        """
        v = np.zeros_like(charge)
        v[self._held] = self._capacitive(charge[self._held])
        return v


def _solver(matrix: csr_matrix) -> Callable[[Float], Float]:
    """Factorise a symmetric positive definite matrix."""
    if matrix.shape[0] == 0:
        return np.zeros_like
    factors = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    solve: Callable[[Float], Float] = factors.solve
    return solve

"""Short circuits at any bus of one network, from one factorisation (Thevenin at the faulted conductors)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.grid import kernels
from twin.grid.admittance import check_fault, inverse
from twin.grid.components import PHASES, Fault
from twin.grid.errors import GridError
from twin.grid.network import Network
from twin.grid.nodal import NodalSystem, initial_state
from twin.grid.probes import find_bus
from twin.grid.rated import load_shunts

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class ShortCircuit:
    """What a fault makes of a network."""

    voltage: Complex
    """(nodes,) retained voltages against earth, in the order of `twin.grid.nodes.Nodes`, RMS [V]."""
    current: Complex
    """(3,) RMS from the network into the fault, phases a b c [A]."""


class ShortCircuits:
    """Faults of one network, one after the other.

    Parameters
    ----------
    network : Network
    loads : str
        ``constant_impedance`` at rated voltage, or ``none``.

    Raises
    ------
    GridError
        A load model of another name.
    """

    def __init__(self, network: Network, *, loads: str = "constant_impedance") -> None:
        if loads not in {"constant_impedance", "none"}:
            raise GridError(f"loads '{loads}' are unknown to a fault; give constant_impedance or none")
        self.network = network
        self._system = NodalSystem(network, [1])
        shunts = load_shunts(network, self._system.nodes, [1.0]) if loads == "constant_impedance" else []
        self._factors = self._system.factorise(replace(initial_state(network), faults=()), shunts=shunts)
        self._before = self._system.solve(self._factors, 0, self._system.source_injection)

    def fault(self, fault: Fault) -> ShortCircuit:
        """Return voltages and currents of a fault.

        Raises
        ------
        GridError
            An impossible fault, a bus or phase that is not there, or a bus that an ideal source holds.
        """
        check_fault(fault)
        bus = find_bus(self.network, fault.bus, f"fault '{fault.name}'")
        if any(source.ideal and source.bus == fault.bus for source in self.network.sources):
            raise GridError(f"an ideal source holds bus '{fault.bus}', which therefore cannot be faulted")
        here = dict(self._system.nodes.phases(bus))
        letters = [letter for letter in PHASES if letter in fault.phases]
        missing = [letter for letter in letters if letter not in here]
        if missing:
            raise GridError(f"bus '{fault.bus}' has no phase {missing[0]}: choose among '{''.join(here)}'")
        row = self._system.pattern.row
        rows = row[[here[letter] for letter in letters]]
        current = np.zeros(3, dtype=np.complex128)
        voltage = self._before
        if not self._factors.still[rows].any():
            response = np.stack([self._response(int(one)) for one in rows])
            z = response[:, rows].T
            drawn = _currents(fault, z, self._before[rows])
            voltage = voltage - np.einsum("k,kn->n", drawn, response)
            current[[PHASES.index(letter) for letter in letters]] = drawn
        return ShortCircuit(voltage[row], current)

    def _response(self, at: int) -> Complex:
        """Return the voltages of all rows per ampere fed into one [V/A]."""
        x = np.zeros(self._system.rows, dtype=np.complex128)
        x[at] = 1.0
        pattern = self._system.pattern
        kernels.substitute(pattern.start, pattern.column, self._factors.matrix[0], at, 0, x)
        return x


def _currents(fault: Fault, z: Complex, v: Complex) -> Complex:
    """Return the currents into a fault behind the impedances of its conductors."""
    if fault.type == "ll":
        loop = (z[0, 0] + z[1, 1]) - (z[0, 1] + z[1, 0]) + fault.resistance
        current = (v[0] - v[1]) / loop
        return np.array([current, -current])
    whole = z + fault.resistance * np.eye(len(v))
    return np.asarray(np.einsum("ij,j->i", inverse(whole[None])[0], v))

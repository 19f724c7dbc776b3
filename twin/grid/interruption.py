"""When currents can be interrupted: the next zero of what flows through a pole or a fault."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.grid.transients import Circuit, Terms, next_zero

Complex = NDArray[np.complex128]

PATIENCE = 1.0
"""A current without a zero for so long is interrupted all the same [s]."""


@dataclass(frozen=True, slots=True, eq=False)
class Currents:
    """Waveforms of a network from an instant on, by the names of its parts."""

    circuit: Circuit
    nodes: Mapping[str, int]
    """Of the circuit, by label."""
    forced: Terms
    excited: Circuit | None
    """The circuit whose modes are still there."""
    free: Terms | None
    """Those modes."""

    def of_pole(self, name: str) -> float:
        """Return the time to the next zero of a pole's current [s]; at once where there is no such pole."""
        if name not in self.circuit.switches.names:
            return 0.0
        free = None
        if self.free is not None and self.excited is not None and name in self.excited.switches.names:
            free = self.free.amplitude[self.excited.switch_row(name)]
        return self._zero(self.forced.amplitude[self.circuit.switch_row(name)], free)

    def of_voltage(self, plus: str, minus: str | None) -> float:
        """Return the time to the next zero between two nodes, the second one earth when None [s].

        A fault is a resistance: its current is zero when its voltage is.
        """
        if plus not in self.nodes:
            return 0.0
        free = None
        if self.free is not None and self.excited is not None:
            names = self.excited.node_names
            free = _difference(self.free, {name: at for at, name in enumerate(names)}, plus, minus)
        return self._zero(_difference(self.forced, self.nodes, plus, minus), free)

    def _zero(self, forced: Complex, free: Complex | None) -> float:
        terms = self.forced
        order, rate, amplitude = terms.order, terms.rate, forced
        if free is not None and self.free is not None:
            order = np.concatenate((order, self.free.order))
            rate = np.concatenate((rate, self.free.rate))
            amplitude = np.concatenate((amplitude, free))
        row = Terms(terms.frequency, terms.theta, order, rate, amplitude[None, :])
        zero = next_zero(row, 0, 0.0, until=PATIENCE)
        return PATIENCE if zero is None else zero


def _difference(terms: Terms, nodes: Mapping[str, int], plus: str, minus: str | None) -> Complex:
    out = np.zeros(terms.order.size, dtype=np.complex128)
    if plus in nodes:
        out += terms.amplitude[nodes[plus]]
    if minus is not None and minus in nodes:
        out -= terms.amplitude[nodes[minus]]
    return out

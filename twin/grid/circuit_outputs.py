"""What probes see of a circuit: weights over the rows of its solution."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.grid.circuit_draft import EARTH, Contribution, Draft
from twin.grid.components import PHASES, Probe
from twin.grid.network import Network
from twin.grid.nodes import Nodes
from twin.grid.transients import Circuit

Float = NDArray[np.float64]


class CircuitOutputs:
    """What probes see, as weights over the rows of a circuit."""

    def __init__(self, draft: Draft, circuit: Circuit, number: Mapping[int, int]) -> None:
        self._draft, self._circuit, self._number = draft, circuit, number
        first = circuit.nodes
        self._branch = {name: first + at for at, name in enumerate(circuit.branch_names)}
        first += len(circuit.branch_names) + len(circuit.capacitors.names)
        self._capacitor = {name: first + at for at, name in enumerate(circuit.capacitors.names)}

    def rows(
        self,
        probes: Sequence[Probe],
        network: Network,
        nodes: Nodes,
        names: Mapping[str, Sequence[int]],
    ) -> Float:
        """Return (probes * 6, rows of the circuit)."""
        out = np.zeros((6 * len(probes), self._circuit.rows))
        for k, probe in enumerate(probes):
            bus = network.bus_index[probe.bus]
            for at, letter in enumerate(PHASES):
                if not nodes.has(bus, letter):
                    continue
                self._voltage(out[6 * k + at], nodes.at(bus, letter), 1.0)
                self._voltage(out[6 * k + at], nodes.at(bus, "n"), -1.0)
                if probe.branch is not None:
                    terminal = (network.branch_index[probe.branch], int(probe.end == "to"), letter)
                    self._current(out[6 * k + 3 + at], self._draft.terminals.get(terminal), 1.0)
            for name in probe.loads if probe.branch is None else ():
                for load in names[name]:
                    for letter, sign in zip(self._draft.sides[load], (1.0, -1.0), strict=False):
                        row = out[6 * k + 3 + PHASES.index(letter)]
                        self._current(row, self._draft.loads[load], sign)
        return out

    def of_load(self, load: int) -> Float:
        """Return (rows of the circuit,): what a load draws."""
        row = np.zeros(self._circuit.rows)
        if load in self._draft.loads:
            self._current(row, self._draft.loads[load], 1.0)
        return row

    def _voltage(self, row: Float, node: int, weight: float) -> None:
        if node != EARTH and node in self._number:
            row[self._number[node]] += weight

    def _current(self, row: Float, part: Contribution | None, sign: float) -> None:
        if part is None:
            return
        for name, weight in part.branches:
            row[self._branch[name]] += sign * weight
        for name, farad in part.capacitors:
            row[self._capacitor[name]] += sign * farad / self._draft.capacitors[name][1]
        for terminals, siemens, weight in part.conductances:
            for node, share in terminals:
                self._voltage(row, node, sign * weight * siemens * share)

"""What probes see of a circuit: weights over the rows of its solution."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix

from twin.grid.circuit_draft import EARTH, Contribution, Draft
from twin.grid.components import PHASES, Probe
from twin.grid.network import Network
from twin.grid.nodes import Nodes
from twin.grid.transients import Circuit


class _Entries:
    """A sparse matrix while it is filled, one row after the other."""

    def __init__(self) -> None:
        self.row = 0
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._weights: list[float] = []

    def add(self, column: int, weight: float) -> None:
        """Add to the present row."""
        self._rows.append(self.row)
        self._columns.append(column)
        self._weights.append(weight)

    def matrix(self, rows: int, columns: int) -> csr_matrix:
        """Return what was filled in."""
        return csr_matrix((np.array(self._weights), (self._rows, self._columns)), shape=(rows, columns))


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
    ) -> csr_matrix:
        """Return (probes * 6, rows of the circuit)."""
        out = _Entries()
        for k, probe in enumerate(probes):
            bus = network.bus_index[probe.bus]
            for at, letter in enumerate(PHASES):
                if not nodes.has(bus, letter):
                    continue
                out.row = 6 * k + at
                self._voltage(out, nodes.at(bus, letter), 1.0)
                self._voltage(out, nodes.at(bus, "n"), -1.0)
                if probe.branch is not None:
                    terminal = (network.branch_index[probe.branch], int(probe.end == "to"), letter)
                    out.row = 6 * k + 3 + at
                    self._current(out, self._draft.terminals.get(terminal), 1.0)
            for name in probe.loads if probe.branch is None else ():
                for load in names[name]:
                    for letter, sign in zip(self._draft.sides[load], (1.0, -1.0), strict=False):
                        out.row = 6 * k + 3 + PHASES.index(letter)
                        self._current(out, self._draft.loads[load], sign)
        return out.matrix(6 * len(probes), self._circuit.rows)

    def of_loads(self, loads: Sequence[int]) -> csr_matrix:
        """Return (loads, rows of the circuit): what some loads draw."""
        out = _Entries()
        for out.row, load in enumerate(loads):
            self._current(out, self._draft.loads.get(load), 1.0)
        return out.matrix(len(loads), self._circuit.rows)

    def _voltage(self, out: _Entries, node: int, weight: float) -> None:
        if node != EARTH and node in self._number:
            out.add(self._number[node], weight)

    def _current(self, out: _Entries, part: Contribution | None, sign: float) -> None:
        if part is None:
            return
        for name, weight in part.branches:
            out.add(self._branch[name], sign * weight)
        for name, farad in part.capacitors:
            out.add(self._capacitor[name], sign * farad / self._draft.capacitors[name][1])
        for terminals, siemens, weight in part.conductances:
            for node, share in terminals:
                self._voltage(out, node, sign * weight * siemens * share)

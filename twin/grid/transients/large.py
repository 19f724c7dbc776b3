"""Steady state and transients of a circuit with hundreds of states, at a cost that grows with its size."""

from dataclasses import replace
from math import tau

import numpy as np
from numpy.typing import NDArray

from twin.grid.transients.assembly import result_rows
from twin.grid.transients.circuit import Circuit
from twin.grid.transients.krylov import Reduction
from twin.grid.transients.sparse_system import sparse_system
from twin.grid.transients.steady import Sources, check_shapes
from twin.grid.transients.terms import Terms
from twin.grid.transients.transient import (
    State,
    ordered,
    refuse_jump,
    scale_of_kind,
    without_negligible,
)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


class LargeCircuit:
    """A circuit that `steady_state` and `transient` would take too long for.

    Instead of all modes it finds those that a state excites, as far as frequencies up to 30 kHz see them.
    Branch currents and capacitor voltages are continuous and Kirchhoff's current law holds all the same.

    Parameters
    ----------
    circuit
        The circuit.
    float_at_zero
        As `assemble`.

    Raises
    ------
    FloatingError
        If nodes float; the message names them.
    CircuitError
        If closed switches tie two fixed nodes, or one to earth.
    """

    def __init__(self, circuit: Circuit, *, float_at_zero: bool = False) -> None:
        self.circuit = circuit
        self._system = sparse_system(circuit, float_at_zero=float_at_zero)

    def steady_state(self, sources: Sources) -> Terms:
        """Solve the circuit at each order of its sources; see `steady_state`."""
        system = self._system
        check_shapes(sources, len(self.circuit.branch_names), len(self.circuit.fixed), self.circuit.nodes)
        order, rate = np.asarray(sources.order, dtype=float), sources.rates
        points = rate + 1j * tau * sources.frequency * order
        held = system.T_fixed @ sources.fixed
        series = sources.emf + system.A_all @ held
        currents = np.zeros(series.shape, dtype=np.complex128)
        free = np.zeros((system.T.shape[1], len(points)), dtype=np.complex128)
        charging = np.zeros((len(system.c), len(points)), dtype=np.complex128)
        for at, s in enumerate(points):
            drawn = system.G_all.T @ (system.g * (system.G_all @ held[:, at]))
            drawn = drawn + system.C_all.T @ (s * system.c * (system.C_all @ held[:, at]))
            fed = system.T.T @ (sources.injection[:, at] - drawn)
            currents[:, at], free[:, at] = system.at(complex(s))(series[:, at], fed)
            charging[:, at] = s * system.c * (system.C_all @ (system.T @ free[:, at] + held[:, at]))
        rows = result_rows(system, currents, charging, free, sources.fixed, sources.injection)
        return Terms(sources.frequency, sources.theta, order, rate, rows)

    def free_terms(self, forced: Terms, state: State, *, let_go: float = 0.0) -> Terms:
        """Return the modes that a state excites beside the steady state.

        Parameters
        ----------
        forced
            All rows of the steady state.
        state
            Currents and voltages that cannot jump, at the start of the terms.
        let_go
            Part of a current that may be lost, as `transient` [A].

        Raises
        ------
        ImpulseError
            If a current or a voltage would have to jump; the message names the element.
        """
        circuit, system = self.circuit, self._system
        currents = ordered(state.currents, circuit.branch_names, "branch")
        voltages = ordered(state.voltages, circuit.capacitors.names, None)
        start, n, b, c = forced.at(0.0), circuit.nodes, len(currents), len(voltages)
        free_i, free_v = currents - start[n : n + b], voltages - start[n + b : n + b + c]
        size = np.abs(forced.amplitude).sum(axis=1)
        charge = system.T.T @ (system.C_all.T @ (system.c * free_v))
        reduction = Reduction(system)
        begin = reduction.consistent(free_i, charge)
        jump = np.where(np.abs(begin.jump) <= let_go, 0.0, begin.jump)
        refuse_jump(circuit.branch_names, jump, currents, float(size[n : n + b].max(initial=0.0)), "branch")
        torn = reduction.across(charge) - free_v
        largest = float(size[n + b : n + b + c].max(initial=0.0))
        refuse_jump(circuit.capacitors.names, torn, voltages, largest, "capacitor")
        modes = reduction.modes(begin)
        count = len(modes.s)
        none = np.zeros((len(circuit.fixed), count), dtype=np.complex128)
        fed = np.zeros((n, count), dtype=np.complex128)
        rows = result_rows(system, modes.currents, modes.charging, modes.voltages, none, fed)
        free = replace(forced, order=np.zeros(count), rate=modes.s, amplitude=rows)
        return without_negligible(free, scale_of_kind(circuit, size + np.abs(rows).sum(axis=1)))[0]

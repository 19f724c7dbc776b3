"""Circuits that several tests use, and Kirchhoff's laws written out element by element."""

import numpy as np

from twin.grid.transients import (
    Capacitors,
    Circuit,
    Conductances,
    CoupledRL,
    Switches,
    Terms,
    between,
    silent_sources,
)


def branch(name, p, q, R, L):
    return CoupledRL((name,), between([p], [q]), np.array([[float(R)]]), np.array([[float(L)]]))


def coil_and_fault(R, L, load=0.5):
    """EMF behind R-L at a node with a conductance; a switch earths the node."""
    return Circuit(
        nodes=1,
        branches=(branch("source", -1, 0, R, L),),
        conductances=Conductances(between([0], [-1]), np.array([load])),
        switches=Switches(("fault",), (0,), (-1,)),
    )


def capacitor_bank(R, L, C):
    """EMF behind R-L at node 0, a switch to a capacitor at node 1."""
    return Circuit(
        nodes=2,
        branches=(branch("source", -1, 0, R, L),),
        capacitors=Capacitors(("bank",), between([1], [-1]), np.array([C])),
        switches=Switches(("breaker",), (0,), (1,)),
    )


def driven(circuit, emf, *, frequency=50.0, theta=0.0, order=(1.0,)):
    """EMFs by branch name: one peak phasor, or one for each order."""
    sources = silent_sources(circuit, frequency=frequency, theta=theta, order=order)
    for name, phasor in emf.items():
        sources.emf[circuit.branch_names.index(name)] = phasor
    return sources


def kirchhoff_current(circuit: Circuit, values, injection):
    """Sum of the currents that leave each node, element by element."""
    residual = -np.array(injection, dtype=values.dtype)

    def add(terminals, current):
        for node, weight in terminals:
            if node >= 0:
                residual[node] += weight * current

    row = circuit.nodes
    for group in circuit.branches:
        for terminals in group.terminals:
            add(terminals, values[row])
            row += 1
    row += len(circuit.capacitors.names)
    for terminals in circuit.capacitors.terminals:
        add(terminals, values[row])
        row += 1
    for terminals, g in zip(circuit.conductances.terminals, circuit.conductances.G, strict=True):
        across = sum(weight * values[node] for node, weight in terminals if node >= 0)
        add(terminals, g * across)
    for p, q in zip(circuit.switches.from_nodes, circuit.switches.to_nodes, strict=True):
        add(((p, 1.0), (q, -1.0)), values[row])
        row += 1
    for node in circuit.fixed:
        residual[node] = 0.0
    return residual


def element_residual(circuit: Circuit, terms: Terms, emf):
    """How far each term misses ``L di/dt + R i = v + emf`` and ``i = C dv/dt``, with the terms' sizes."""
    s, values = terms.s, terms.start
    worst, row = [], circuit.nodes
    drive = np.zeros((len(circuit.branch_names), len(s)), dtype=complex)
    drive[:, : emf.shape[1]] = emf * np.exp(1j * terms.order[: emf.shape[1]] * terms.theta)
    for group in circuit.branches:
        k = len(group.names)
        current = values[row : row + k]
        across = np.zeros((k, len(s)), dtype=complex)
        for index, terminals in enumerate(group.terminals):
            for node, weight in terminals:
                if node >= 0:
                    across[index] += weight * values[node]
        needed = (group.L @ current) * s + group.R @ current
        first = row - circuit.nodes
        worst.append(np.abs(needed - across - drive[first : first + k]).max(initial=0.0))
        row += k
    count = len(circuit.capacitors.names)
    voltage, current = values[row : row + count], values[row + count : row + 2 * count]
    charging = circuit.capacitors.C[:, None] * s * voltage
    worst.append(np.abs(charging - current).max(initial=0.0))
    return max(worst), float(np.abs(values).max(initial=0.0))

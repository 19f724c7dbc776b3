"""Networks and shorthands that the tests of the grid share."""

import numpy as np

from twin.grid import (
    Bus,
    GridSolver,
    Line,
    Load,
    LoadPoint,
    Network,
    Source,
)


def points(network):
    """Return load points and powers of a network's loads."""
    parts = [
        (LoadPoint(load.name, load.bus, phase), p, q)
        for load in network.loads
        for phase, p, q in zip(load.phases, load.p, load.q, strict=True)
    ]
    return [part[0] for part in parts], np.array([part[1] for part in parts]), np.array([x[2] for x in parts])


def solver_of(network, probes=(), orders=(1,), **options):
    loads, p, q = points(network)
    return GridSolver(network, probes=probes, loads=loads, orders=orders, **options), p, q


def no_emission(loads, orders=1):
    return np.zeros((loads, orders), dtype=complex)


def two_bus(p, q=0.0, r=0.1, x=0.05):
    return Network(
        "two",
        (Bus("A", 400.0), Bus("B", 400.0)),
        (Source("S", "A"),),
        lines=(Line("L", "A", "B", r, x, r, x),),
        loads=(Load("P", "B", "a", (p,), (q,)),),
    )

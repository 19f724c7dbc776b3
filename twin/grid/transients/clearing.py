"""Breakers open one pole after the other, each at its own current zero."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from twin.grid.transients.circuit import Circuit
from twin.grid.transients.steady import Sources
from twin.grid.transients.terms import Terms
from twin.grid.transients.transient import Transient, state_at, transient
from twin.grid.transients.zeros import next_zero

_NOTHING = 1e-9
"""A pole that carries less than this share of the largest pole current before the opening carries none."""


@dataclass(frozen=True, slots=True, eq=False)
class PoleOpening:
    """One instant at which poles go out, and what follows it."""

    time: float
    """Since the start of the terms before the first opening [s]."""
    poles: tuple[str, ...]
    """Poles that opened at this instant."""
    after: Transient
    """Waveforms from this instant on."""


def clear_pole_by_pole(
    build: Callable[[frozenset[str]], Circuit],
    sources: Sources,
    before: Terms,
    parting: Mapping[str, float],
    *,
    until: float = inf,
    float_at_zero: bool = False,
) -> tuple[PoleOpening, ...]:
    """Open the poles of a breaker, each at its first current zero after its contacts part.

    Parameters
    ----------
    build
        Gives the circuit for a set of closed poles; poles are switches of the circuit, open ones stay
        listed. For example ``lambda closed: circuit.switched(open_=set(poles) - closed)``.
    sources
        Sources with their phase at the start of ``before``.
    before
        All rows of the circuit with all poles closed.
    parting
        When the contacts of each pole part, since the start of ``before`` [s].
    until
        Where to give up: poles that carry a current without zeros up to here stay closed [s].
    float_at_zero
        Whether islands without a tie to earth are held at a mean voltage of zero.

    Returns
    -------
    tuple of PoleOpening
        In order of time; poles without a zero are in none.
    """
    closed = frozenset(parting)
    circuit, terms, start = build(closed), before, 0.0
    rows = [circuit.switch_row(pole) for pole in sorted(closed)]
    scale = float(np.abs(before.amplitude[rows]).sum(axis=1).max(initial=0.0))
    openings: list[PoleOpening] = []
    while closed:
        found = _first_zeros(circuit, terms, closed, parting, start, until, scale)
        if not found:
            break
        time, poles = found
        state = state_at(circuit, terms, time - start)
        closed -= frozenset(poles)
        circuit = build(closed)
        after = transient(circuit, sources.later(time), state, float_at_zero=float_at_zero)
        openings.append(PoleOpening(time, poles, after))
        terms, start = after.terms, time
    return tuple(openings)


def _first_zeros(
    circuit: Circuit,
    terms: Terms,
    closed: frozenset[str],
    parting: Mapping[str, float],
    start: float,
    until: float,
    scale: float,
) -> tuple[float, tuple[str, ...]] | None:
    """Earliest zero among the closed poles, and all poles whose zero it is."""
    zeros: dict[str, float] = {}
    for pole in sorted(closed):
        row, after = circuit.switch_row(pole), max(parting[pole], start) - start
        amplitude = terms.later(after).amplitude[row]
        if float(np.abs(amplitude).sum()) <= _NOTHING * scale:
            zeros[pole] = start + after
            continue
        zero = next_zero(terms, row, after, until=until - start, scale=scale)
        if zero is not None:
            zeros[pole] = start + zero
    if not zeros:
        return None
    time = min(zeros.values())
    # Two poles in series go out together: rounding must not leave one closed behind the other.
    return time, tuple(pole for pole, zero in zeros.items() if zero - time <= 1e-9)

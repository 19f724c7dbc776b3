"""What follows an event: the new forced response plus the natural modes that keep every state continuous."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twin.grid.transients.assembly import Assembly, assemble
from twin.grid.transients.circuit import Circuit
from twin.grid.transients.errors import ImpulseError
from twin.grid.transients.modes import Modes, modes
from twin.grid.transients.steady import Sources, steady_state
from twin.grid.transients.terms import Terms, joined

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

JUMP = 1e-6
"""A current or voltage that would jump by more than this share of the largest is an impulse, not rounding."""
_LEAST = 1e-3
"""Currents and voltages below this are no scale to judge a jump by [A or V]."""
NEGLIGIBLE = 1e-10
"""Modes that together stay below this share of the largest signal of each kind of row are left out."""


@dataclass(frozen=True, slots=True)
class State:
    """What cannot jump, by name: elements keep their state while a switch has them disconnected."""

    currents: Mapping[str, float] = field(default_factory=dict)
    """Of inductive branches; a branch that is not named carries none [A]."""
    voltages: Mapping[str, float] = field(default_factory=dict)
    """Of capacitors; a capacitor that is not named holds none [V]."""


@dataclass(frozen=True, slots=True, eq=False)
class Transient:
    """A circuit's waveforms from an event on."""

    circuit: Circuit
    """The circuit after the event."""
    terms: Terms
    """All rows of the circuit: forced terms first, then the modes."""
    forced: int
    """How many of the terms are forced."""
    dropped: Float
    """Shape (rows,): bound of what modes left out add at any time, impulses excepted [V or A]."""
    modes: Modes
    """The circuit's natural modes."""

    def state(self, delay: float) -> State:
        """Return what cannot jump, ``delay`` seconds after the event."""
        return state_at(self.circuit, self.terms, delay)


def state_at(circuit: Circuit, terms: Terms, delay: float) -> State:
    """Read the continuous state off a circuit's waveforms.

    Parameters
    ----------
    circuit
        The circuit whose rows the terms hold.
    terms
        Its waveforms.
    delay
        Time since the terms' start [s].

    Returns
    -------
    State
        Branch currents and capacitor voltages.
    """
    values = terms.at(delay)
    names, caps = circuit.branch_names, circuit.capacitors.names
    first = circuit.nodes + len(names)
    return State(
        dict(zip(names, values[circuit.nodes : first].tolist(), strict=True)),
        dict(zip(caps, values[first : first + len(caps)].tolist(), strict=True)),
    )


def stationary(circuit: Circuit, sources: Sources, *, float_at_zero: bool = False) -> Terms:
    """Solve a circuit's steady state; see `steady_state` and `assemble`."""
    return steady_state(assemble(circuit, float_at_zero=float_at_zero), sources)


def transient(
    circuit: Circuit,
    sources: Sources,
    state: State,
    *,
    float_at_zero: bool = False,
    natural: Modes | None = None,
    forced: Terms | None = None,
    assembly: Assembly | None = None,
    let_go: float = 0.0,
) -> Transient:
    """Find the waveforms of a circuit from a state on.

    Parameters
    ----------
    circuit
        The circuit after the event.
    sources
        Its sources, with their phase at the event.
    state
        Currents and voltages that cannot jump, at the event.
    float_at_zero
        Whether islands without a tie to earth are held at a mean voltage of zero; they are refused otherwise.
    natural
        The modes of the same circuit, where they are known already.
    forced
        All rows of its steady state, where that is known already.
    assembly
        Its matrices, likewise.
    let_go
        Part of a current that may be lost: an instant that is a whole number of nanoseconds misses a
        current's zero by as much [A].

    Returns
    -------
    Transient
        Forced terms plus modes. Every inductive branch's current and every capacitor's voltage starts where
        the state has it, and Kirchhoff's laws hold at all times.

    Raises
    ------
    ImpulseError
        If a current or a voltage would have to jump; the message names the element.
    FloatingError
        If nodes float.
    """
    assembly = assemble(circuit, float_at_zero=float_at_zero) if assembly is None else assembly
    forced = steady_state(assembly, sources) if forced is None else forced
    natural = modes(assembly) if natural is None else natural
    currents = ordered(state.currents, circuit.branch_names, "branch")
    voltages = ordered(state.voltages, circuit.capacitors.names, None)
    start = forced.at(0.0)
    b, c = len(currents), len(voltages)
    free_i = currents - start[circuit.nodes : circuit.nodes + b]
    free_v = voltages - start[circuit.nodes + b : circuit.nodes + b + c]
    size = np.abs(forced.amplitude).sum(axis=1)
    largest_i = float(size[circuit.nodes : circuit.nodes + b].max(initial=0.0))
    largest_v = float(size[circuit.nodes + b : circuit.nodes + b + c].max(initial=0.0))
    x = natural.space.from_currents @ free_i + natural.space.from_capacitors @ free_v
    across = assembly.capacitor_incidence @ natural.space.voltages @ x
    jump = natural.space.currents @ x - free_i
    jump = np.where(np.abs(jump) <= let_go, 0.0, jump)
    refuse_jump(circuit.branch_names, jump, currents, largest_i, "branch")
    refuse_jump(circuit.capacitors.names, across - free_v, voltages, largest_v, "capacitor")
    free = _mode_terms(assembly, natural, natural.coordinates @ x, forced)
    scale = size + np.abs(free.amplitude).sum(axis=1)
    free, dropped = without_negligible(free, scale_of_kind(circuit, scale))
    return Transient(circuit, joined(forced, free), len(forced.order), dropped, natural)


def ordered(given: Mapping[str, float], names: tuple[str, ...], gone: str | None) -> Float:
    """Return states in the circuit's order; a current that has lost its branch is an impulse."""
    if gone is not None:
        largest = max(map(abs, given.values()), default=0.0)
        known = set(names)
        for name, value in given.items():
            if name not in known and abs(value) > JUMP * largest:
                raise ImpulseError(
                    f"{gone} '{name}' is gone while it carries {value:.6g} A: open it at a current zero"
                )
    return np.array([given.get(name, 0.0) for name in names], dtype=float)


def refuse_jump(names: tuple[str, ...], jump: Float, value: Float, scale: float, kind: str) -> None:
    """Raise where a state would have to jump."""
    if not len(jump):
        return
    worst = int(np.abs(jump).argmax())
    if abs(jump[worst]) <= JUMP * max(float(np.abs(value).max()), scale, _LEAST):
        return
    before, unit = value[worst], "A" if kind == "branch" else "V"
    after = before + jump[worst]
    mend = (
        "open its switch where its current is zero, or give it a path"
        if kind == "branch"
        else "put an inductance or a resistance into the loop that the switch closes"
    )
    raise ImpulseError(
        f"{kind} '{names[worst]}' would jump from {before:.6g} {unit} to {after:.6g} {unit}: {mend}"
    )


def _mode_terms(assembly: Assembly, natural: Modes, amplitude: Complex, forced: Terms) -> Terms:
    motion = natural.vectors * amplitude
    m = len(natural.s)
    none = np.zeros((assembly.circuit.nodes, m), dtype=np.complex128)
    rows = assembly.outputs(
        natural.space.currents @ motion,
        natural.space.charging @ motion,
        natural.space.voltages @ motion,
        np.zeros((assembly.T_fixed.shape[1], m), dtype=np.complex128),
        none,
    )
    return Terms(forced.frequency, forced.theta, np.zeros(m), natural.s, rows)


def scale_of_kind(circuit: Circuit, scale: Float) -> Float:
    """Return the largest signal of each row's kind, so that a quiet row does not keep all modes."""
    b, c = len(circuit.branch_names), len(circuit.capacitors.names)
    bounds = np.cumsum([0, circuit.nodes, b, c, c, len(circuit.switches.names)])
    result = np.zeros_like(scale)
    for first, last in pairwise(bounds):
        result[first:last] = scale[first:last].max(initial=0.0)
    return result


def without_negligible(free: Terms, scale: Float) -> tuple[Terms, Float]:
    """Leave out the smallest modes as long as their sum stays below the limit in every row."""
    size = np.abs(free.amplitude)
    share = (size / np.where(scale > 0.0, scale, 1.0)[:, None]).max(axis=0, initial=0.0)
    rising = np.argsort(share, kind="stable")
    drop = rising[np.cumsum(share[rising]) <= NEGLIGIBLE]
    keep = np.setdiff1d(np.arange(len(share)), drop)
    rest = Terms(free.frequency, free.theta, free.order[keep], free.rate[keep], free.amplitude[:, keep])
    return rest, size[:, drop].sum(axis=1)

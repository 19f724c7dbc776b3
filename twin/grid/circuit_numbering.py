"""A draft as a circuit: the nodes that it uses, numbered without gaps."""

from collections.abc import Mapping, Sequence

import numpy as np

from twin.grid.circuit_draft import EARTH, Draft, Numbered, Terminals
from twin.grid.transients import Capacitors, Circuit, Conductances, CoupledRL, Switches


def circuit_of(draft: Draft, fixed: Mapping[int, complex]) -> tuple[Circuit, dict[int, int]]:
    """Return a draft as a circuit, and the circuit's number of each node that it uses.

    Parameters
    ----------
    draft : Draft
    fixed : mapping of int to complex
        Nodes that ideal sources hold.
    """
    used = _used(draft)
    known = next((one for one in draft.numbered if one.used == used), None)
    if known is None:
        known = _number(draft, used)
        draft.numbered[:] = [known]
    number = known.number
    own_groups, own_conductances = draft.groups[draft.lasting[0] :], draft.conductance_terminals
    names = sorted(draft.capacitors)
    held = [draft.capacitors[name] for name in names]
    circuit = Circuit(
        nodes=len(used),
        branches=known.groups + _moved_groups(own_groups, number),
        capacitors=Capacitors(
            tuple(names), _moved([terminals for terminals, _ in held], number), np.array([c for _, c in held])
        ),
        conductances=Conductances(
            known.conductances + _moved(own_conductances[draft.lasting[1] :], number),
            np.array(draft.conductance),
        ),
        switches=Switches(
            tuple(name for name, _, _ in draft.switches),
            tuple(number[plus] for _, plus, _ in draft.switches),
            tuple(number[minus] for _, _, minus in draft.switches),
        ),
        closed=frozenset(draft.closed),
        fixed=tuple(number[node] for node in sorted(fixed) if node in number),
        node_names=known.names,
    )
    return circuit, number


def _used(draft: Draft) -> set[int]:
    used = {node for group in draft.groups for terminals in group.terminals for node, _ in terminals}
    used.update(node for terminals, _ in draft.capacitors.values() for node, _ in terminals)
    used.update(node for terminals in draft.conductance_terminals for node, _ in terminals)
    for _, plus, minus in draft.switches:
        used.update((plus, minus))
    used.discard(EARTH)
    return used


def _number(draft: Draft, used: set[int]) -> Numbered:
    """Give nodes their numbers, and with them what loads and faults do not change."""
    ordered = sorted(used)
    number = {node: at for at, node in enumerate(ordered)}
    number[EARTH] = EARTH
    groups, conductances = draft.lasting
    return Numbered(
        used,
        number,
        tuple(draft.labels[node] for node in ordered),
        _moved_groups(draft.groups[:groups], number),
        _moved(draft.conductance_terminals[:conductances], number),
    )


def _moved(terminals: Sequence[Terminals], number: Mapping[int, int]) -> tuple[Terminals, ...]:
    return tuple([tuple([(number[node], weight) for node, weight in one]) for one in terminals])


def _moved_groups(groups: Sequence[CoupledRL], number: Mapping[int, int]) -> tuple[CoupledRL, ...]:
    return tuple(
        CoupledRL(group.names, _moved(group.terminals, number), group.R, group.L) for group in groups
    )

"""Transformers as coupled branches of a circuit."""

import math
from collections.abc import Sequence

import numpy as np

from twin.grid.circuit_draft import EARTH, Contribution, Draft, Float, Terminals, balanced
from twin.grid.transformers import Transformer, parse_vector_group, windings


def add_transformer(draft: Draft, at: int, unit: Transformer, nodes: Sequence[int], omega: float) -> None:
    """Add a transformer: its short-circuit branches, and what magnetises it on its low-voltage side.

    Parameters
    ----------
    draft : Draft
    at : int
        Position in ``network.branches``.
    unit : Transformer
        At its present tap.
    nodes : sequence of int
        Of the windings: high-voltage a b c star, low-voltage a b c star.
    omega : float
        Rated angular frequency [rad/s].
    """
    wound = windings(unit)
    base = wound.z_factor * unit.voltage_at_tap("lv") ** 2 / unit.s_rated
    r1, x1 = _short_circuit(unit.vk_percent, unit.vkr_percent, base)
    count = wound.incidence.shape[0]
    r, x = r1 * np.eye(count), x1 * np.eye(count)
    high, low, _ = parse_vector_group(unit.vector_group)
    if unit.vk0_percent is not None and count == 3 and not (high == "Y" and low == "yn"):
        r0, x0 = _short_circuit(unit.vk0_percent, unit.vkr0_percent or 0.0, base)
        r, x = balanced(r1, r0), balanced(x1, x0)
    names = [f"{unit.name}.{k}" for k in range(count)]
    terminals = [_weighted(row, nodes) for row in wound.incidence]
    draft.add_group(names, terminals, r, x, omega)
    for end in (0, 1):
        for column, letter in enumerate("abcn"):
            weights = wound.incidence[:, 4 * end + column]
            parts = [(names[k], float(weights[k])) for k in range(count) if weights[k]]
            if parts:
                draft.terminals[at, end, letter] = Contribution(branches=parts)
    _magnetising(draft, at, unit, wound.low, nodes[4:], base, omega)


def _magnetising(
    draft: Draft, at: int, unit: Transformer, low: Float, nodes: Sequence[int], base: float, omega: float
) -> None:
    size = unit.i0_percent / 100.0 / base
    g = unit.p_iron / unit.s_rated / base
    b = math.sqrt(max(size**2 - g**2, 0.0))
    for k, row in enumerate(low):
        terminals = _weighted(row, nodes)
        name = f"{unit.name}.m{k}"
        if b > 0.0:
            draft.add_branch(name, terminals, 0.0, 1.0 / b, omega)
        if g > 0.0:
            draft.add_conductance(terminals, g)
        for column, letter in enumerate("abcn"):
            if row[column] and (at, 1, letter) in draft.terminals:
                here = draft.terminals[at, 1, letter]
                if b > 0.0:
                    here.branches.append((name, float(row[column])))
                if g > 0.0:
                    here.conductances.append((terminals, g, float(row[column])))


def _short_circuit(vk: float, vkr: float, base: float) -> tuple[float, float]:
    r = vkr / 100.0 * base
    return r, math.sqrt(max((vk / 100.0 * base) ** 2 - r**2, 0.0))


def _weighted(row: Float, nodes: Sequence[int]) -> Terminals:
    return tuple(
        (node, float(weight)) for node, weight in zip(nodes, row, strict=True) if weight and node != EARTH
    )

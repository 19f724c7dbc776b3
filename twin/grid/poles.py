"""What operation moves, by name: the single poles of switches, the taps of transformers."""

from twin.documents import suggestion
from twin.grid.admittance import capacitor_sides
from twin.grid.circuit_draft import pole as circuit_pole
from twin.grid.components import Line
from twin.grid.errors import GridError
from twin.grid.network import Network
from twin.grid.transformers import Transformer

Pole = tuple[int, int, str]
"""Branch, end (0 from, 1 to) and conductor; of a bank -1 - its position, 0 and the phases of its unit."""


def poles_of_switch(network: Network, switch: str) -> list[Pole]:
    """Return the poles of a switch; none of a bank whose units only go out together."""
    for item in network.switches:
        if item.name == switch:
            at = network.branch_index[item.branch]
            branch = network.branches[at]
            phases = branch.phases if isinstance(branch, Line) else branch.hv_phases
            return [(at, 0, letter) for letter in phases]
    for at, bank in enumerate(network.capacitors):
        if bank.name == switch and bank.connection != "isolated_star":
            return [(-1 - at, 0, side) for side in capacitor_sides(bank)]
    return []


def pole_name(network: Network, pole: Pole) -> str:
    """Return what the circuit of the network calls a pole."""
    at, end, letter = pole
    named = network.branches[at] if at >= 0 else network.capacitors[-1 - at]
    return circuit_pole(named.name, letter, end)


def tapped_unit(network: Network, name: str, position: int) -> Transformer:
    """Return a transformer that has a tap position.

    Raises
    ------
    GridError
        There is no such transformer, or no such position.
    """
    units = {unit.name: unit for unit in network.transformers}
    if name not in units:
        raise GridError(f"the network has no transformer '{name}'; {suggestion(name, units, 'transformers')}")
    unit = units[name]
    if not unit.tap_min <= position <= unit.tap_max:
        raise GridError(f"transformer '{name}' has taps {unit.tap_min} .. {unit.tap_max}, not {position}")
    return unit

"""The one-line diagram: switches stand in series with their branches, and no name on a line or symbol."""

import re
from pathlib import Path

import pytest

from dashboards import diagram
from dashboards.placement import Placement
from twin.contracts import BranchLine, BusLine, Diagram, SwitchLine
from twin.grid import read_network
from twin.simulation.diagram import draw_diagram, switch_lines

NETWORKS = Path(__file__).parents[2] / "scenarios" / "networks"
SWITCH = re.compile(
    r'<g class="switch \w+" transform="translate\(([\d.-]+) ([\d.-]+)\)" data-switch="([^"]+)".*?'
    r'<text (?:x="([\d.-]+)" )?y="([\d.-]+)"( class="aside")?>'
)


def drawn(network):
    """Return a shipped network's diagram, its placement and its switches: place, and how the name stands."""
    loaded = read_network(NETWORKS / f"{network}.yaml")
    found = draw_diagram(loaded, keep=(), generators=())
    svg = diagram.render(found, switch_lines(loaded), ())
    switches = {
        name: (float(x), float(y), float(text_y), bool(aside))
        for x, y, name, _, text_y, aside in SWITCH.findall(svg)
    }
    return found, Placement(found), switches


@pytest.mark.parametrize(("network", "names"), [("feeder", ["LBS", "REC"]), ("works", None)])
def test_switches_in_series_stand_on_their_branch_alone(network, names):
    found, placement, switches = drawn(network)
    on_branches = {name: branch for branch in found.branches for name in branch.switches}
    if names is not None:
        assert sorted(on_branches) == names
    assert on_branches
    for name, branch in on_branches.items():
        x, y, _, aside = switches[name]
        (ax, ay), (bx, by) = placement.own_run(branch)
        upright = abs(ax - bx) < 1
        assert aside == upright  # else the name would lie on the line
        if upright:
            assert x == pytest.approx(ax, abs=0.1)
            assert min(ay, by) < y < max(ay, by)
        else:
            assert y == pytest.approx(ay, abs=0.1)
            assert min(ax, bx) < x < max(ax, bx)
        for other in found.branches:
            if other is not branch:
                for left, top, right, bottom in placement._runs(other):
                    assert not (left - 2 < x < right + 2 and top - 2 < y < bottom + 2), (name, other.name)
        for bus, (bus_x, bus_y) in placement.places.items():
            assert max(abs(bus_x - x), abs(bus_y - y)) >= 20, (name, bus)


def one_bus(y):
    """A source that stands low or high, with a capacitor and a switch on no branch that is drawn."""
    return Diagram((BusLine("A", 0.5, y, "source"), BusLine("B", 0.5, 1 - y, "bus")), ())


def test_the_name_of_a_switch_above_its_bus_is_above_it():
    """What hangs on a bus has its line towards the bus: the name stands at the other side."""
    low = one_bus(0.999)
    svg = diagram.render(low, [SwitchLine(f"S{k}", "A", closed=True, kind="switch") for k in range(6)], ())
    bus_y = Placement(low).places["A"][1]
    places = [(float(y), float(text_y)) for _, y, _, _, text_y, _ in SWITCH.findall(svg)]
    above = [text_y for y, text_y in places if y < bus_y - 1]
    assert above
    assert set(above) == {-16.0}
    assert {text_y for y, text_y in places if y >= bus_y - 1} <= {25.0}


def test_a_branch_between_a_transformer_and_a_breaker_has_room_for_both():
    buses = (BusLine("A", 0.0, 0.5, "source"), BusLine("B", 0.1, 0.5, "bus"), BusLine("C", 1.0, 0.5, "bus"))
    branches = (BranchLine("T", "A", "B", "transformer", ("Q",)), BranchLine("L", "B", "C", "line"))
    found = Diagram(buses, branches)
    svg = diagram.render(found, [SwitchLine("Q", "A", closed=True, kind="switch")], ())
    ((x, _, _, _, _, _),) = SWITCH.findall(svg)
    circles = [float(at) for at in re.findall(r'<circle cx="([\d.]+)"', svg)]
    assert float(x) + 10 <= min(circles) - 11 + 0.2

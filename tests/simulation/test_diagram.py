"""The one-line diagram: what stays, what is drawn as one, where it stands."""

from dataclasses import replace
from pathlib import Path

from twin.grid import Bus, Line, Load, Network, Source, Switch, read_network
from twin.simulation.diagram import draw_diagram


def chain(count, *, loads=(), extra=()):
    """A line of buses 0..count-1 with some loads and further branches."""
    branches = [(str(at), str(at + 1)) for at in range(count - 1)] + list(extra)
    names = sorted({name for pair in branches for name in pair}, key=int)
    return Network(
        "chain",
        tuple(Bus(name, 400.0) for name in names),
        (Source("S", "0"),),
        lines=tuple(Line(f"L{a}-{b}", a, b, 0.1, 0.1, 0.1, 0.1) for a, b in branches),
        loads=tuple(Load(f"D{bus}", bus, "a", (1.0,), (0.0,)) for bus in loads),
    )


def edges(diagram):
    return sorted(tuple(sorted((line.from_bus, line.to_bus), key=int)) for line in diagram.branches)


def test_a_chain_without_anything_on_it_is_one_line():
    diagram = draw_diagram(chain(50), keep=(), generators=())
    assert [bus.name for bus in diagram.buses] == ["0", "49"]
    assert edges(diagram) == [("0", "49")]


def test_loads_forks_and_kept_buses_stay():
    network = chain(10, loads=("7",), extra=(("4", "20"), ("20", "21")))
    diagram = draw_diagram(network, keep=("2",), generators=("21",))
    kinds = {bus.name: bus.kind for bus in diagram.buses}
    assert kinds == {
        "0": "source", "2": "bus", "4": "bus", "7": "customer", "9": "bus", "21": "photovoltaic"
    }  # fmt: skip
    assert edges(diagram) == [("0", "2"), ("2", "4"), ("4", "21"), ("4", "7"), ("7", "9")]


def test_a_tree_without_coordinates_stands_in_the_unit_square():
    diagram = draw_diagram(chain(10, extra=(("4", "20"), ("6", "30"))), keep=(), generators=())
    at = {bus.name: (bus.x, bus.y) for bus in diagram.buses}
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in at.values())
    assert len(set(at.values())) == len(at)
    assert at["0"][1] == 0.0 < at["4"][1] < at["6"][1]


def test_a_ring_is_drawn_closed():
    diagram = draw_diagram(chain(6, extra=(("5", "0"),), loads=("3",)), keep=(), generators=())
    assert edges(diagram) == [("0", "3"), ("0", "3")]


def test_the_european_feeder_keeps_its_customers_and_its_shape():
    path = Path(__file__).parents[2] / "scenarios" / "networks" / "european-lv.yaml"
    network = read_network(path)
    diagram = draw_diagram(network, keep=(), generators=())
    customers = [bus for bus in diagram.buses if bus.kind == "customer"]
    assert len(customers) == 55
    assert len(diagram.buses) < 250 < len(network.buses)
    assert len(diagram.branches) == len(diagram.buses) - 1  # still a tree


def test_a_switch_within_a_chain_stands_on_its_line():
    network = replace(chain(6), switches=(Switch("Q2", "L3-4"), Switch("Q1", "L1-2")))
    (line,) = draw_diagram(network, keep=(), generators=()).branches
    assert (line.from_bus, line.to_bus, line.switches) == ("0", "5", ("Q1", "Q2"))

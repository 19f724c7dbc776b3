"""Networks as OpenDSS scripts: the same flow in OpenDSS, and again here from the script."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.grid.opendss_cases import (
    SCRIPTS,
    V_MIN,
    carried_out,
    difference,
    largest_difference,
    node_voltages,
    solved,
)
from twin.grid import (
    Bus,
    Capacitor,
    GridError,
    Grounding,
    HarmonicShare,
    Line,
    Load,
    Network,
    Source,
    Spectrum,
    Switch,
    TapChanger,
    Transformer,
    check_network,
    flow,
    read_network,
)
from twin.grid.importers.opendss_script import read_opendss
from twin.grid.importers.opendss_writer import opendss_text

NETWORKS = Path(__file__).parents[2] / "scenarios" / "networks"


@pytest.fixture(scope="module")
def dss():
    """OpenDSS itself."""
    return pytest.importorskip("opendssdirect", reason="OpenDSS is an optional extra")


def again(network, folder):
    """Return a network after a journey through a script."""
    path = folder / "written.dss"
    path.write_text(opendss_text(network))
    return read_opendss(path)[0]


def voltages(network):
    rated = {bus.name: bus.u_phase for bus in network.buses}
    rows = flow(network, v_min_pu=V_MIN)
    return [
        complex(
            row["v_volt"] * math.cos(math.radians(row["angle_deg"] or 0.0)),
            row["v_volt"] * math.sin(math.radians(row["angle_deg"] or 0.0)),
        )
        / rated[row["bus"]]
        for row in rows
    ]


def ordered(network, like):
    """Return the network with its buses in the order of another's."""
    from dataclasses import replace

    at = {bus.name.lower(): bus for bus in network.buses}
    return replace(network, buses=tuple(at[bus.name.lower()] for bus in like.buses))


def journey(network, folder):
    """Return the largest change of a voltage on the way to a script and back [pu]."""
    other = ordered(again(network, folder), network)
    pairs = zip(voltages(network), voltages(other), strict=True)
    return max(abs(one - two) for one, two in pairs)


def in_opendss(dss, network):
    """Return the largest difference between our flow and that of OpenDSS with the written script [pu]."""
    lines = [line for line in opendss_text(network).splitlines() if line != "clear"]
    return largest_difference(network, solved(dss, lines))


@pytest.mark.parametrize("name", ["ieee13", "four_wire", "isolated", "open_delta", "single_phase"])
def test_a_script_survives_the_journey(name, tmp_path):
    assert journey(read_opendss(SCRIPTS / f"{name}.dss")[0], tmp_path) < 1e-6


@pytest.mark.parametrize("name", ["site8", "european-lv"])
def test_shipped_networks_in_opendss(dss, name, tmp_path):
    network = read_network(NETWORKS / f"{name}.yaml")
    assert in_opendss(dss, network) < 1e-6
    assert journey(network, tmp_path) < 1e-6


@pytest.mark.parametrize(
    "group", ["Dyn1", "Dyn5", "Dyn7", "Dyn11", "YNd1", "Yd5", "Yd11", "YNyn0", "Yyn0", "Dd0", "Dd4"]
)
@pytest.mark.parametrize("step_up", [False, True])
def test_vector_groups(dss, group, step_up, tmp_path):
    """An unbalanced delta load beyond each, so that a wrong clock number or sequence shows."""
    u_hv, u_lv = (400.0, 20e3) if step_up else (20e3, 400.0)
    network = Network(
        "groups",
        (Bus("head", u_hv), Bus("far", u_lv)),
        (Source("S", "head", 1.01, 20.0, 1e-3, 2e-3, 2e-3, 3e-3),),
        transformers=(Transformer("T", "head", "far", 400e3, u_hv, u_lv, 4.0, 1.0, group, 800.0, 0.5),),
        loads=(
            Load("D", "far", "ab", (30e3,), (10e3,), connection="delta", z_percent=100.0),
            Load("E", "far", "ca", (5e3,), (-4e3,), connection="delta"),
        ),
        # Where nothing earths the far side, OpenDSS and we hold it in different ways: here by capacitance.
        capacitors=(Capacitor("C", "far", 3e3),),
    )
    assert in_opendss(dss, network) < 1e-6
    assert journey(network, tmp_path) < 1e-6


def everything():
    """A network with one of each thing that can be written."""
    return Network(
        "every thing",
        (
            Bus("MV 1", 20e3, 1.0, 2.0),
            Bus("mv.2", 20e3),
            Bus("LV", 400.0, phases="abcn"),
            Bus("tail", 400.0, phases="abcn"),
            Bus("hut", 400.0 / math.sqrt(3.0), phases="bn"),
            Bus("off", 400.0),
            Bus("star", 400.0),
        ),
        (Source("GRID", "MV 1", 1.02, -10.0, 0.3, 2.5, 0.5, 3.0, r_star=1.0, x_star=20.0),),
        lines=(
            Line("cable", "MV 1", "mv.2", 0.4, 0.3, 1.2, 0.9, 3e-7, 2e-7),
            Line(
                "street",
                "LV",
                "tail",
                phases="abcn",
                r=tuple(tuple(0.05 if i == j else 0.01 for j in range(4)) for i in range(4)),
                x=tuple(tuple(0.09 if i == j else 0.07 for j in range(4)) for i in range(4)),
            ),
            Line(
                "path", "tail", "hut", phases="bn", r=((0.1, 0.02), (0.02, 0.1)), x=((0.1, 0.07), (0.07, 0.1))
            ),
            Line("spare", "star", "off", 0.1, 0.1, 0.1, 0.1),
        ),
        transformers=(
            Transformer(
                "T 1",
                "mv.2",
                "LV",
                250e3,
                20e3,
                400.0,
                4.0,
                1.1,
                "Dyn5",
                500.0,
                0.6,
                tap_side="hv",
                tap=-1,
                tap_min=-2,
                tap_max=2,
                tap_step_percent=2.5,
            ),
            Transformer(
                "T 2", "mv.2", "star", 100e3, 20e3, 410.0, 4.0, 1.5, "YNyn0", r_star_lv=0.5, x_star_lv=0.1
            ),
        ),
        groundings=(Grounding("earth", "LV"), Grounding("rod", "tail", 5.0)),
        switches=(Switch("Q1", "cable"), Switch("Q2", "spare", closed=False)),
        capacitors=(
            Capacitor("C1", "LV", 20e3, u_rated=440.0, reactor_percent=7.0, quality=20.0),
            Capacitor("C2", "star", 5e3, connection="isolated_star"),
            Capacitor("C3", "star", 5e3, phases="ca", connection="delta"),
            Capacitor("C4", "tail", 2e3, phases="b"),
            Capacitor("C5", "tail", 2e3, closed=False),
        ),
        loads=(
            Load("three", "tail", "abc", (9e3, 5e3, 2e3), (3e3, 1e3, -1e3)),
            Load("even", "tail", "abc", (3e3,) * 3, (1e3,) * 3, z_percent=40.0, i_percent=30.0),
            Load("one", "hut", "b", (2e3,), (500.0,), "led", i_percent=100.0),
            Load("delta", "star", "abc", (4e3, 5e3, 6e3), (1e3, 2e3, 0.0), connection="delta"),
            Load("side", "star", "bc", (-4e3,), (0.0,), connection="delta", z_percent=100.0),
            Load("two", "star", "ac", (4e3, 4e3), (1e3, 1e3)),
        ),
        spectra=(Spectrum("led", (HarmonicShare(3, 40.0, 170.0), HarmonicShare(5, 20.0, -30.0))),),
    )


def test_one_of_each(dss, tmp_path):
    network = everything()
    assert not check_network(network)
    back = again(network, tmp_path)
    assert [bus.name for bus in back.buses] == ["MV_1", "mv_2", "LV", "tail", "hut", "star", "off"]
    assert back.spectra == network.spectra
    assert {load.name: load.spectrum for load in back.loads}["one"] == "led"
    assert [(one.branch, one.closed) for one in back.switches] == [("cable", True), ("spare", False)]
    assert [one.name for one in back.capacitors if not one.closed] == ["C5"]
    assert (back.buses[0].x, back.buses[0].y) == (1.0, 2.0)
    reference = solved(dss, opendss_text(network).splitlines()[1:])
    named = {"mv 1": "mv_1", "mv.2": "mv_2"}
    rows = [
        {**row, "bus": named.get(row["bus"].lower(), row["bus"])}
        for row in flow(network, v_min_pu=V_MIN)
        if row["bus"] != "off"
    ]
    assert (
        difference(back, [{**row, "bus": _case(back, row["bus"])} for row in rows], reference, turn=-10.0)
        < 1e-6
    )


def _case(network, name):
    return next(bus.name for bus in network.buses if bus.name.lower() == name.lower())


def test_a_regulator_survives_the_journey(tmp_path):
    network, _ = read_opendss(SCRIPTS / "ieee13.dss")
    back = again(network, tmp_path)
    assert {one.name: one for one in back.tap_changers} == {one.name: one for one in network.tap_changers}
    assert isinstance(back.tap_changers[0], TapChanger)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sources": (Source("S", "head", star_point="isolated", r1=1, x1=1, r0=1, x0=1),)}, "source 'S'"),
        ({"transformers": (Transformer("T", "head", "far", 1e5, 400.0, 400.0, 4.0, 1.0, "Dzn0"),)}, "Dzn0"),
        ({"transformers": (Transformer("T", "head", "far", 1e5, 400.0, 400.0, 4.0, 1.0, "Yyn6"),)}, "Yyn6"),
        (
            {
                "transformers": (
                    Transformer("T", "head", "far", 1e5, 400.0, 400.0, 4.0, 1.0, "YNyn0", vk0_percent=3.0),
                )
            },
            "zero-sequence",
        ),
        (
            {"capacitors": (Capacitor("C", "head", 1e3, connection="delta", reactor_percent=7.0),)},
            "capacitor 'C'",
        ),
    ],
)
def test_what_cannot_be_written_is_named(change, words):
    parts = {"sources": (Source("S", "head"),), **change}
    network = Network("no", (Bus("head", 400.0), Bus("far", 400.0)), **parts)
    with pytest.raises(GridError, match=words):
        opendss_text(network)


# Random radial networks ------------------------------------------------------------------------------


@st.composite
def radial_networks(draw):
    """A source, a transformer of any kind, and a tree of cables with loads and capacitors of all kinds."""
    number = st.floats(0.2, 1.0)
    neutral = draw(st.booleans())
    group = draw(st.sampled_from(["Dyn1", "Dyn5", "Dyn11", "YNyn0"]))
    phases = "abcn" if neutral else "abc"
    buses = [Bus("head", 20e3), Bus("b0", 400.0, phases=phases)]
    lines, loads, capacitors = [], [], []
    for at in range(1, draw(st.integers(1, 7)) + 1):
        parent = buses[draw(st.integers(1, at))]
        here = parent.phases
        if len(parent.phases.replace("n", "")) > 1 and draw(st.booleans()):
            kept = draw(st.sampled_from(["a", "b", "c", "ab", "ac", "bc"]))
            here = "".join(x for x in parent.phases if x in kept or x == "n")
            if not here.replace("n", ""):
                here = parent.phases
        single = len(here.replace("n", "")) == 1
        buses.append(Bus(f"b{at}", 400.0 / math.sqrt(3.0) if single else 400.0, phases=here))
        lines.append(_cable(f"l{at}", parent.name, f"b{at}", here, draw(number), draw(number)))
        letters = here.replace("n", "")
        power = 4e3 * draw(number), 2e3 * draw(st.floats(-1.0, 1.0))
        shares = draw(st.sampled_from([(0.0, 0.0), (100.0, 0.0), (0.0, 100.0), (30.0, 20.0)]))
        shares = {"z_percent": shares[0], "i_percent": shares[1]}
        if len(letters) > 1 and draw(st.booleans()):
            side = {"abc": "abc", "ab": "ab", "bc": "bc", "ac": "ca"}[letters]
            count = 3 if side == "abc" else 1
            values = [(power[0],) * count, (power[1],) * count]
            loads.append(Load(f"p{at}", f"b{at}", side, *values, connection="delta", **shares))
        else:
            parts = [draw(number) for _ in letters]
            values = [tuple(value * part for part in parts) for value in power]
            loads.append(Load(f"p{at}", f"b{at}", letters, *values, **shares))
        if draw(st.booleans()):
            capacitors.append(Capacitor(f"c{at}", f"b{at}", 1e3 * draw(number), phases=letters[0]))
    return Network(
        "random",
        tuple(buses),
        (Source("S", "head", draw(st.floats(0.95, 1.05)), draw(st.floats(-60.0, 60.0)), 0.5, 4.0, 1.0, 5.0),),
        lines=tuple(lines),
        transformers=(
            Transformer("T", "head", "b0", 160e3, 20e3, 400.0, 4.0 + draw(number), 1.0, group, 300.0, 0.4),
        ),
        groundings=(Grounding("E", "b0", draw(number)),) if neutral else (),
        capacitors=tuple(capacitors),
        loads=tuple(loads),
    )


def _cable(name, one, other, phases, r, x):
    """A cable of up to 150 m whose matrices are those of conductors in one plane."""
    size = range(len(phases))
    return Line(
        name,
        one,
        other,
        phases=phases,
        r=tuple(tuple(r * (0.06 if i == j else 0.01) for j in size) for i in size),
        x=tuple(
            tuple(x * (0.09 - 0.01 * abs(i - j)) if i == j else x * (0.07 - 0.01 * abs(i - j)) for j in size)
            for i in size
        ),
        c=tuple(tuple(4e-8 if i == j else -8e-9 for j in size) for i in size),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=radial_networks())
def test_random_radial_networks(dss, tmp_path, network):
    assert not check_network(network)
    assert in_opendss(dss, network) < 1e-6
    assert journey(network, tmp_path) < 1e-6


@pytest.mark.parametrize("phases", ["b", "bc", "abc"])
def test_a_filter_of_any_number_of_phases_is_the_same_there(phases, dss, tmp_path):
    """The reactor counts from the reactance of a unit, of which there are as many as phases."""
    filtered = Capacitor("F", "B", 30e3, phases=phases, reactor_percent=7.0, quality=30.0)
    network = Network(
        "filter",
        (Bus("A", 400.0), Bus("B", 400.0)),
        (Source("S", "A", 1.0, 0.0, 0.02, 0.05, 0.02, 0.05),),
        lines=(Line("L", "A", "B", 0.2, 0.1, 0.5, 0.3),),
        capacitors=(filtered,),
    )
    reference = solved(dss, [*opendss_text(network).splitlines(), "set tolerance=1e-10"])
    assert largest_difference(network, reference) < 1e-7
    assert again(network, tmp_path).capacitors[0].reactor_percent == pytest.approx(7.0, rel=1e-9)


@pytest.mark.parametrize(("phases", "closed"), [("abc", False), ("bc", False), ("b", True)])
def test_a_bank_without_current_leaves_the_script_solvable(phases, closed, dss, tmp_path):
    """The star point of an isolated star that is open, or of one unit, hangs on nothing."""
    banks = (
        Capacitor("idle", "B", 5e3, phases=phases, connection="isolated_star", closed=closed),
        Capacitor("works", "B", 5e3, connection="isolated_star"),
    )
    network = Network(
        "idle bank",
        (Bus("A", 400.0), Bus("B", 400.0)),
        (Source("S", "A", 1.0, 0.0, 0.01, 0.02, 0.01, 0.02),),
        lines=(Line("L", "A", "B", 0.1, 0.1, 0.3, 0.3),),
        capacitors=banks,
        loads=(Load("one", "B", "abc", (2e3, 3e3, 4e3), (0.0, 1e3, 500.0)),),
    )
    text = opendss_text(network)
    assert "capacitor 'idle': it is disabled" in text
    assert in_opendss(dss, network) < 1e-8
    assert [bank.name for bank in again(network, tmp_path).capacitors] == ["works"]
    assert journey(network, tmp_path) < 1e-12


def test_a_load_on_low_voltage_keeps_its_law_in_opendss(dss):
    """Below 0.7 of rated voltage a load is a constant impedance, there as well as here."""
    network = Network(
        "low",
        (Bus("A", 400.0), Bus("B", 400.0)),
        (Source("S", "A", 0.6, 0.0, 0.01, 0.02, 0.01, 0.02),),
        lines=(Line("L", "A", "B", 0.1, 0.1, 0.3, 0.3),),
        loads=(Load("one", "B", "abc", (20e3, 30e3, 40e3), (0.0, 10e3, 5e3), z_percent=30.0),),
    )
    carried_out(dss, [line for line in opendss_text(network).splitlines() if line != "clear"])
    dss.Text.Command("set tolerance=1e-10 maxiterations=1000")
    dss.Text.Command("solve")
    assert difference(network, flow(network), node_voltages(dss), turn=0.0) < 1e-6

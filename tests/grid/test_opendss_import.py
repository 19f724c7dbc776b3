"""OpenDSS scripts: what each thing in them means, and the same voltages as OpenDSS itself."""

import math
from functools import partial
from pathlib import Path

import pytest

from tests.grid.opendss_cases import (
    HEAD,
    HOUSE,
    SCRIPTS,
    V_MIN,
    carried_out,
    difference,
    largest_difference,
    network_of,
    node_voltages,
    solved,
)
from twin.grid import flow, harmonics, write_network
from twin.grid.importers.opendss_script import read_opendss
from twin.grid.network_file import read_network
from twin.grid.regulation import regulated


@pytest.fixture(scope="module")
def dss():
    """OpenDSS itself."""
    return pytest.importorskip("opendssdirect", reason="OpenDSS is an optional extra")


@pytest.fixture
def read(tmp_path):
    """Return what reads a script's text."""
    return partial(network_of, tmp_path)


# The same voltages as OpenDSS -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["four_wire", "isolated", "open_delta", "single_phase"])
def test_voltages_are_those_of_opendss(dss, name):
    path = SCRIPTS / f"{name}.dss"
    network, _ = read_opendss(path)
    assert largest_difference(network, solved(dss, [f'redirect "{path}"'])) < 1e-6


def test_ieee_13_node_feeder(dss):
    """Taps where the published solution has them (10, 8, 11), then all voltages at these taps."""
    path = SCRIPTS / "ieee13.dss"
    network, _ = read_opendss(path)
    at_rest = regulated(network, loads="constant_power", v_min_pu=V_MIN)
    taps = {unit.name: unit.tap for unit in at_rest.transformers if unit.name.startswith("Reg")}
    assert taps == {"Reg1": 10, "Reg2": 8, "Reg3": 11}
    held = [f"disable regcontrol.{name}" for name in taps]
    held += [f"transformer.{name}.taps=[1 {1 + tap * 0.00625}]" for name, tap in taps.items()]
    assert largest_difference(network, solved(dss, [f'redirect "{path}"', *held])) < 1e-6


def test_ieee_13_node_feeder_against_its_publication():
    """Node voltages of the published solution, given there to four decimals [pu].

    References
    ----------
    W. H. Kersting, Radial distribution test feeders, IEEE PES Winter Meeting 2001, and its file of results.
    There the load of line 632-671 is spread out evenly, and the substation has no impedance.
    """
    network, _ = read_opendss(SCRIPTS / "ieee13.dss")
    rows = {(row["bus"], row["phase"]): row["v_pu"] for row in flow(network)}
    published = {
        "RG60": {"a": 1.0625, "b": 1.0500, "c": 1.0687},
        "632": {"a": 1.0210, "b": 1.0420, "c": 1.0174},
        "633": {"a": 1.0180, "b": 1.0401, "c": 1.0148},
        "671": {"a": 0.9900, "b": 1.0529, "c": 0.9778},
        "675": {"a": 0.9835, "b": 1.0553, "c": 0.9758},
        "634": {"a": 0.9940, "b": 1.0218, "c": 0.9960},
        "645": {"b": 1.0329, "c": 1.0155},
        "646": {"b": 1.0311, "c": 1.0134},
        "684": {"a": 0.9881, "c": 0.9758},
        "611": {"c": 0.9738},
        "652": {"a": 0.9825},
    }
    for bus, phases in published.items():
        for phase, value in phases.items():
            assert rows[bus, phase] == pytest.approx(value, abs=1e-3), (bus, phase)


def test_harmonics_are_those_of_opendss(dss, tmp_path, monkeypatch):
    """Its lines without the earth return's dependence on frequency, all loads but one linear."""
    monkeypatch.chdir(Path.cwd())
    path = SCRIPTS / "four_wire.dss"
    network, _ = read_opendss(path)
    rows = harmonics(network, v_min_pu=V_MIN)
    linear = [f"load.{load.name}.spectrum=linear" for load in network.loads if not load.spectrum]
    # The shop's load is two of ours: its powers have different shares.
    linear = sorted({name.replace("shop_p", "shop").replace("shop_q", "shop") for name in linear})
    for order in (3, 5, 7):
        solved(dss, [f'redirect "{path}"', *linear, "batchedit line..* rg=0 xg=0"])
        # It saves voltages between two solutions, and changes the working directory to where.
        dss.Basic.DataPath(str(tmp_path))
        for command in (f"set harmonics=({order})", "set neglectloady=yes", "solve mode=harmonics"):
            dss.Text.Command(command)
        here = [row for row in rows if row["h"] == order]
        assert max(row["v_volt"] for row in here) > 0.5
        assert difference(network, here, node_voltages(dss), turn=0.0) < 1e-6


# What single properties mean ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "properties",
    [
        "kw=100",
        "kw=100 pf=-.9",
        "kw=100 kvar=50 pf=.9",
        "pf=.9 kvar=50",
        "kva=100 pf=.8",
        "kw=50 kva=100",
        "kva=100 kvar=20",
        "kw=10 pf=.9 kw=20 kvar=1 pf=.8 kw=30",
        "",
    ],
)
def test_power_follows_what_was_set_last_as_in_opendss(dss, read, properties):
    text = f"{HEAD}{HOUSE}new load.x bus1=house kv=0.4 {properties}\n"
    network, _ = read(text)
    carried_out(dss, [*text.splitlines(), "solve"])
    for key, own in (("kw", network.loads[0].p), ("kvar", network.loads[0].q)):
        dss.Text.Command(f"? load.x.{key}")
        assert sum(own) / 1e3 == pytest.approx(float(dss.Text.Result()), rel=1e-9)


@pytest.mark.parametrize(
    "properties",
    [
        "",
        "mvasc3=200 mvasc1=210",
        "isc3=5000 isc1=4000",
        "isc3=5000 isc1=4000 x1r1=2 x0r0=1",
        "r1=1 x1=2",
        "z1=[1,2]",
        "z0=[3 4] z1=[1,2]",
        "puz1=[.01 .02] basemva=10",
    ],
)
def test_the_impedance_of_a_source_is_that_of_opendss(dss, read, properties):
    text = "new circuit.c bus1=head basekv=12.47\n" + (
        f"edit vsource.source {properties}\n" if properties else ""
    )
    network, _ = read(text)
    carried_out(dss, [*text.splitlines(), "solve"])
    for key in ("r1", "x1", "r0", "x0"):
        dss.Text.Command(f"? vsource.source.{key}")
        assert getattr(network.sources[0], key) == pytest.approx(float(dss.Text.Result()), rel=1e-9), key


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("nphases=3", ""),
        ("nphases=1 r1=.1 x1=.2 r0=.4 x0=.8", ""),
        ("nphases=2 rmatrix=(1|.1 2) xmatrix=[1 .1|.1 2] units=mi", "length=5280 units=ft"),
        ("nphases=3 r1=.1 x1=.2 r0=.4 x0=.8 basefreq=60 units=km", "length=200"),
        ("nphases=2 r1=.1 rmatrix={1 | 0 1}", ""),
        ("nphases=3 rmatrix=[1 0 0|0 1 0|0 0 1] x1=5", "x0=2"),
        ("", "phases=2 r1=1"),
        ("", "phases=3 b1=10 b0=5 length=3"),
        ("", "switch=yes"),
        ("", "switch=yes r1=1 length=2"),
        ("", "rmatrix=[1 0 0|0 1 0|0 0 1] c1=5"),
        ("nphases=3 r1=5", "rmatrix=[1 0 0|0 1 0|0 0 1]"),
    ],
)
def test_the_matrices_of_a_line_are_those_of_opendss(dss, read, code, line):
    """By the no-load voltage of nothing less than the line's whole admittance matrix."""
    extra = f"new linecode.k {code}\n" if code else ""
    phases = (
        int(code.split("nphases=")[1][0])
        if code
        else int(line.split("phases=")[1][0])
        if "phases" in line
        else 3
    )
    nodes = ".1.2.3"[: 2 * phases]
    uses = " linecode=k" if code else ""
    text = f"{HEAD}{extra}new line.l bus1=head{nodes} bus2=house{nodes}{uses} {line}\n"
    network, _ = read(text)
    carried_out(dss, [*text.splitlines(), "solve"])
    dss.Circuit.SetActiveElement("line.l")
    flat = dss.CktElement.YPrim()
    theirs = [complex(*pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
    from twin.grid.nodal import NodalSystem

    element = NodalSystem(network, [1]).elements[0]
    ours = element.y[0].T.ravel()
    scale = max(map(abs, theirs))
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-9 * scale


def test_the_language(read, tmp_path):
    """Comments, quotes, abbreviations, positions, continuations, other files, edits of what stands."""
    (tmp_path / "More").mkdir()
    (tmp_path / "More" / "loads.dss").write_text("New Load.Second 1 house.2 0.23 kW=2 kvar=0\n")
    (tmp_path / "places.csv").write_text("! bus, x, y\nhead, 1.5, 2\nHOUSE, 3, 4\n")
    network, notes = read(
        "/* a block\nof words */\nClear // all\nSet DefaultBaseFreq=50\n"
        "New Object=Circuit.Test basekv=0.4 bus1=Head R1 = 0.01, X1=0.03 R0=0.01 X0=0.03 ! the source\n"
        "New linecode.Cable nph=3 r1=.1 x1=.1 r0=.2 x0=.2 c1=0 c0=0 units=km\n"
        "New Line.Main Head House CABLE 0.5\n~ units=km\n"
        "new load.First like=none\n".replace("like=none", "bus1=house.1 phases=1 kv=0.23 kw=1 kvar=0.5")
        + "m kvar=0.25\n"
        "new load.third like=FIRST bus1=house.3\n"
        "Redirect more\\LOADS.dss\n"
        "new loadshape.day npts=2 mult=(1 2)\n~ interval=1\n"
        "new monitor.m element=line.main\nnew energymeter.e element=line.main\n"
        "new load.gone bus1=house.1 phases=1 enabled=no\n"
        "new load.off bus1=house.1 phases=1\ndisable load.off\n"
        "load.First.kW=3 kvar=1\nbatchedit load.t.* kw=4\n"
        "edit vsource.source pu=1.05\nset loadmult=2\nset mode=daily\n"
        "buscoords places.csv\nsolve\nshow voltages\n"
    )
    assert network.name == "Test"
    assert network.frequency == 50.0
    assert [(bus.name, bus.x, bus.y) for bus in network.buses] == [("Head", 1.5, 2.0), ("House", 3.0, 4.0)]
    assert network.sources[0].u_pu == 1.05
    assert network.lines[0].r1 == pytest.approx(0.05)
    assert [(load.name, load.phases) for load in network.loads] == [
        ("First", "a"),
        ("third", "c"),
        ("Second", "b"),
    ]
    assert [load.p for load in network.loads] == [(6000.0,), (8000.0,), (4000.0,)]
    # The power that was set last counts: kW at the power factor that OpenDSS starts from.
    reactive = 8e3 * math.tan(math.acos(0.88))
    assert [load.q[0] for load in network.loads] == pytest.approx([2000.0, reactive, 0.0])
    assert any("monitors" in note for note in notes)
    assert any("load shapes are left out (1)" in note for note in notes)
    assert network.assumptions == tuple(notes)


def test_a_load_rated_at_another_voltage_draws_what_it_would_there(read):
    """230 V on a bus of 400 / sqrt 3: P' = P (U / 230)^2 of an impedance, P U / 230 of a current."""
    network, _ = read(
        HEAD
        + HOUSE
        + "new load.z bus1=house.1 phases=1 kv=0.22 kw=1 kvar=0 model=2\n"
        + "new load.i bus1=house.1 phases=1 kv=0.22 kw=1 kvar=0 model=5\n"
        + "new load.p bus1=house.1 phases=1 kv=0.22 kw=1 kvar=0\n"
        + "new load.mix bus1=house.1 phases=1 kv=0.22 kw=1 kvar=1 model=8 zipv=(0.5 0.3 0.2 1 0 0 0)\n"
    )
    ratio = 400.0 / math.sqrt(3.0) / 220.0
    powers = {load.name: (load.p[0], load.q[0]) for load in network.loads}
    assert powers["z"][0] == pytest.approx(1e3 * ratio**2)
    assert powers["i"][0] == pytest.approx(1e3 * ratio)
    assert powers["p"][0] == 1e3
    assert powers["mix_p"][0] == pytest.approx(1e3 * (0.5 * ratio**2 + 0.3 * ratio + 0.2))
    assert powers["mix_q"] == pytest.approx((0.0, 1e3 * ratio**2))
    mix = next(load for load in network.loads if load.name == "mix_p")
    assert mix.z_percent == pytest.approx(100 * 0.5 * ratio**2 / (0.5 * ratio**2 + 0.3 * ratio + 0.2))


def test_opened_branches_become_open_switches(read):
    network, _ = read(
        HEAD
        + HOUSE
        + "new line.tie bus1=head bus2=house switch=y\nnew line.q bus1=head bus2=house switch=y\n"
        "open line.TIE 1\nopen line.tie 2\nopen line.l 1\nclose line.l 1\n"
    )
    assert [(switch.branch, switch.closed) for switch in network.switches] == [("tie", False), ("q", True)]


def test_names_are_unique_across_lines_and_transformers(read):
    network, notes = read(
        HEAD + HOUSE + "new transformer.L buses=[house low] kvs=[0.4 0.1] kvas=[10 10]\n"
        "new transformer.l2 buses=[low lower] kvs=[0.1 0.05]\n"
    )
    assert [unit.name for unit in network.transformers] == ["L", "l2"]
    network, notes = read(HEAD + HOUSE + "new transformer.l buses=[house low] kvs=[0.4 0.1] kvas=[10 10]\n")
    assert [unit.name for unit in network.transformers] == ["l transformer"]
    assert any("line of its name" in note for note in notes)


@pytest.mark.parametrize("name", ["ieee13", "four_wire", "isolated", "open_delta", "single_phase"])
def test_a_network_file_can_hold_it(name, tmp_path):
    network, _ = read_opendss(SCRIPTS / f"{name}.dss")
    write_network(network, tmp_path / "network.yaml")
    again = {
        (row["bus"], row["phase"]): row["v_volt"] for row in flow(read_network(tmp_path / "network.yaml"))
    }
    for row in flow(network):
        assert again[row["bus"], row["phase"]] == pytest.approx(row["v_volt"], rel=1e-9, abs=1e-9)

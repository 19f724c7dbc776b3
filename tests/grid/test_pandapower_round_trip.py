"""Our network to pandapower and back, and pandapower's own unbalanced load flow of it."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.grid import Bus, GridError, Line, Load, Network, Source, Transformer, flow, read_network
from twin.grid.importers.files import import_file, read_foreign
from twin.grid.importers.pandapower_net import from_pandapower
from twin.grid.importers.pandapower_writer import pandapower_text, to_pandapower

NETWORKS = Path(__file__).parents[2] / "scenarios" / "networks"

pytest.importorskip("pandapower", reason="pandapower is an optional extra")


def volts(network):
    return np.array([row["v_pu"] for row in flow(network, v_min_pu=0.3)])


def test_site8_survives_the_round_trip(tmp_path):
    network = read_network(NETWORKS / "site8.yaml")
    path = tmp_path / "site8.json"
    path.write_text(pandapower_text(network))
    back, assumptions = read_foreign(path)
    assert np.max(np.abs(volts(back) - volts(network))) < 1e-9
    assert [bus.name for bus in back.buses] == [bus.name for bus in network.buses]
    assert [unit.vector_group for unit in back.transformers] == ["Dyn11", "Dyn1"]
    assert {load.name for load in back.loads} == {load.name for load in network.loads}
    assert import_file(path, tmp_path / "out") == assumptions
    assert read_network(tmp_path / "out" / "network.yaml").buses == back.buses


def test_a_folder_with_content_is_left_alone(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    path = tmp_path / "net.json"
    path.write_text(pandapower_text(read_network(NETWORKS / "site8.yaml")))
    with pytest.raises(GridError, match="is not empty; give a new directory"):
        import_file(path, tmp_path)
    with pytest.raises(GridError, match=r"must end in \.dss or \.json"):
        import_file(tmp_path / "kept.txt", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}"])
def test_a_file_that_is_no_pandapower_network_names_the_mend(tmp_path, text):
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(GridError, match=r"is (no|a) pandapower network .*pandapower\.to_json has written"):
        import_file(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_program_asked_for_reads_the_file_whatever_its_name(tmp_path):
    network = read_network(NETWORKS / "site8.yaml")
    path = tmp_path / "site8.dss"
    path.write_text(pandapower_text(network))
    import_file(path, tmp_path / "out", program="pandapower")
    assert len(read_network(tmp_path / "out" / "network.yaml").buses) == len(network.buses)
    path.write_text("clear\nnew circuit.c bus1=a basekv=0.4\n")
    with pytest.raises(GridError, match="is no pandapower network"):
        import_file(path, tmp_path / "new", program="pandapower")
    with pytest.raises(GridError, match="give opendss or pandapower"):
        import_file(path, tmp_path / "new", program="excel")


@st.composite
def radial_networks(draw):
    size = draw(st.integers(2, 6))
    unit = st.floats(0.01, 0.4)
    buses = (Bus("HV", 20e3), *(Bus(f"B{k}", 400.0) for k in range(size)))
    lines = tuple(
        Line(f"L{k}", f"B{draw(st.integers(0, k - 1))}", f"B{k}", *(draw(unit) / 10 for _ in range(4)))
        for k in range(1, size)
    )
    group = draw(st.sampled_from(["Dyn1", "Dyn5", "Dyn7", "Dyn11"]))
    loads = tuple(
        Load(f"P{k}", f"B{k}", phase, (draw(st.floats(500.0, 6e3)),), (draw(st.floats(-1e3, 2e3)),))
        for k in range(1, size)
        for phase in draw(st.sampled_from(["a", "b", "c", "ab", "abc"]))
    )
    loads = tuple(replace(load, name=f"{load.name}.{at}") for at, load in enumerate(loads))
    transformer = Transformer("T", "HV", "B0", 400e3, 20e3, 400.0, 4.0, 1.0, group)
    # Next to nothing: pandapower's source is ideal in the positive sequence only.
    source = Source("S", "HV", r1=1e-4, x1=1e-3, r0=1e-4, x0=1e-3)
    return Network("random", buses, (source,), lines=lines, transformers=(transformer,), loads=loads)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(radial_networks())
def test_pandapower_finds_the_same_voltages(network):
    from pandapower.pf.runpp_3ph import runpp_3ph

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = to_pandapower(network)
        runpp_3ph(net, numba=False, tolerance_mva=1e-10)
    theirs = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy().ravel()
    assert np.all(np.isfinite(theirs))
    assert np.max(np.abs(theirs - volts(network))) < 1e-6
    back, _ = from_pandapower(net)
    assert np.max(np.abs(volts(back) - volts(network))) < 1e-9


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"buses": (Bus("SRC", 20e3, phases="abcn"),)}, "bus 'SRC' has conductors 'abcn'"),
        ({"loads": (Load("D", "LV1", "abc", (1.0,) * 3, (0.0,) * 3, connection="delta"),)}, "load 'D'"),
    ],
)
def test_what_pandapower_cannot_hold_is_named(change, what):
    network = replace(read_network(NETWORKS / "site8.yaml"), **change)
    with pytest.raises(GridError, match=what):
        to_pandapower(network)

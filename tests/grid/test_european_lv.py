"""The shipped European low-voltage feeder against pandapower and OpenDSS, on the same loads."""

import copy
import math
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twin.grid import Line, Source, fault, flow, read_network
from twin.grid.importers.pandapower_net import from_pandapower

NETWORK = Path(__file__).parents[2] / "scenarios" / "networks" / "european-lv.yaml"


@pytest.fixture(scope="module")
def network():
    return read_network(NETWORK)


@pytest.fixture(scope="module")
def voltages(network):
    return np.array([row["v_pu"] for row in flow(network)]).reshape(-1, 3)


@pytest.fixture(scope="module")
def pandapower_net():
    pytest.importorskip("pandapower", reason="pandapower is an optional extra")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pandapower.networks import ieee_european_lv_asymmetric

        return ieee_european_lv_asymmetric("on_peak_566")


def test_the_shipped_file_is_what_the_converter_makes(network, pandapower_net):
    converted, assumptions = from_pandapower(pandapower_net)
    assert converted.buses == network.buses
    assert converted.lines == network.lines
    assert converted.line_types == network.line_types
    assert [replace(unit, name="TRAFO") for unit in converted.transformers] == list(network.transformers)
    assert [replace(source, name="GRID") for source in converted.sources] == list(network.sources)
    assert [(x.name, x.bus, x.phases, x.p) for x in converted.loads] == [
        (x.name, x.bus, x.phases, x.p) for x in network.loads
    ]
    for load in network.loads:
        assert load.p[0] / math.hypot(load.p[0], load.q[0]) == pytest.approx(0.95, abs=1e-4)
    assert any("IEC 60909-0" in sentence for sentence in assumptions)


def test_pandapower_agrees(network, voltages, pandapower_net):
    """Within 5e-7 pu, once its source, ideal in the positive sequence, is set to our head voltage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pandapower.pf.runpp_3ph import runpp_3ph

        net = copy.deepcopy(pandapower_net)
        net.sn_mva = 1.0
        net.ext_grid["vm_pu"] = np.mean(voltages[0])
        for load in network.loads:
            at = net.asymmetric_load.index[net.asymmetric_load["name"] == load.name][0]
            net.asymmetric_load.loc[at, f"q_{load.phases}_mvar"] = load.q[0] / 1e6
        # A percent since 3.5: this much makes the transformer's zero sequence its short-circuit impedance.
        net.trafo["mag0_percent"] = 1e10
        runpp_3ph(net, numba=False, tolerance_mva=1e-10)
    theirs = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
    assert np.all(np.isfinite(theirs))
    assert np.max(np.abs(voltages - theirs)) < 5e-7


def test_opendss_agrees(network, voltages):
    """OpenDSS with the same impedances: within 1e-8 pu."""
    pytest.importorskip("opendssdirect", reason="opendssdirect.py is an optional extra")
    theirs = open_dss(network)
    assert np.max(np.abs(voltages - theirs)) < 1e-8


def test_opendss_agrees_on_faults_far_out(network):
    """Without loads, through 10 mohm: single phase, and two phases to earth, within 1e-8 pu."""
    pytest.importorskip("opendssdirect", reason="opendssdirect.py is an optional extra")
    bare = replace(network, loads=())
    for kind, phases in (("slg", "c"), ("llg", "ab")):
        faults = [f"new fault.{phase} bus1=b639.{'abc'.index(phase) + 1} phases=1 r=0.01" for phase in phases]
        theirs = open_dss(bare, *faults)
        rows = fault(bare, bus="639", type=kind, phases=phases, resistance=0.01)["voltages"]
        ours = np.array([row["v_pu"] for row in rows]).reshape(-1, 3)
        assert np.max(np.abs(ours - theirs)) < 1e-8
        assert np.min(ours) < 0.2


def open_dss(network, *more):
    """Solve in OpenDSS and return phase voltages [pu] by bus."""
    from opendssdirect import dss

    source, unit = network.sources[0], network.transformers[0]
    rated = {bus.name: bus.u_rated for bus in network.buses}
    kv = rated[source.bus] / 1e3
    commands = [
        "clear",
        "set defaultbasefrequency=50",
        f"new circuit.eu bus1=s.1.2.3 basekv={kv} pu={source.u_pu} angle=0 frequency=50 "
        f"z1=[{source.r1},{source.x1}] z0=[{source.r0},{source.x0}]",
    ]
    # Three units: star phase a on the delta winding between A and C (clock 1).
    xhl = math.sqrt(unit.vk_percent**2 - unit.vkr_percent**2)
    for k, (plus, minus) in enumerate(((1, 3), (2, 1), (3, 2)), start=1):
        commands.append(
            f"new transformer.t{k} phases=1 windings=2 buses=[s.{plus}.{minus} b1.{k}.0] conns=[wye wye] "
            f"kvs=[{unit.u_hv / 1e3} {unit.u_lv / 1e3 / math.sqrt(3)}] kvas=[{unit.s_rated / 3e3} "
            f"{unit.s_rated / 3e3}] xhl={xhl} %rs=[{unit.vkr_percent / 2} {unit.vkr_percent / 2}] "
            "%noloadloss=0 %imag=0 ppm_antifloat=0"
        )
    commands.extend(
        f"new line.l{k} bus1=b{line.from_bus} bus2=b{line.to_bus} phases=3 length=1 r1={line.r1} "
        f"x1={line.x1} r0={line.r0} x0={line.x0} c1=0 c0=0"
        for k, line in enumerate(network.lines)
    )
    commands.extend(
        f"new load.{load.name} bus1=b{load.bus}.{'abc'.index(load.phases) + 1}.0 phases=1 "
        f"kv={rated[load.bus] / 1e3 / math.sqrt(3)} kw={load.p[0] / 1e3} kvar={load.q[0] / 1e3} model=1 "
        "vminpu=0.1 vmaxpu=2"
        for load in network.loads
    )
    for command in [*commands, *more, "set tolerance=1e-12 maxiterations=100", "solve"]:
        dss.Text.Command(command)
    assert dss.Solution.Converged()
    out = []
    for bus in network.buses:
        dss.Circuit.SetActiveBus("s" if bus.name == source.bus else f"b{bus.name}")
        values = np.array(dss.Bus.Voltages()).reshape(-1, 2)
        assert dss.Bus.Nodes() == [1, 2, 3]
        out.append(np.hypot(values[:, 0], values[:, 1]) / (bus.u_rated / math.sqrt(3)))
    return np.array(out)


def test_a_pandapower_net_of_other_parts():
    """Couplers, taps, parallel lines, generators, a shunt, a bus out of service."""
    pp = pytest.importorskip("pandapower", reason="pandapower is an optional extra")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = pp.create_empty_network(f_hz=50, sn_mva=1)
        high, one, two, three, off = (
            pp.create_bus(net, kv, name=name)
            for kv, name in ((20, "HV"), (0.4, "LV"), (0.4, "LV"), (0.4, ""), (0.4, "off"))
        )
        net.bus.loc[off, "in_service"] = False
        pp.create_ext_grid(net, high, vm_pu=1.01, s_sc_max_mva=200, rx_max=0.1, x0x_max=1.0, r0x0_max=0.1)
        pp.create_transformer(net, high, one, "0.4 MVA 20/0.4 kV")
        net.trafo.loc[0, ["tap_pos", "pfe_kw", "i0_percent"]] = [-1, 0.0, 0.0]
        pp.create_switch(net, one, two, et="b", closed=True)
        line = pp.create_line(net, two, three, 0.3, "NAYY 4x150 SE", parallel=2)
        stub = pp.create_line(net, one, off, 0.3, "NAYY 4x150 SE")
        net.line.loc[stub, "c_nf_per_km"] = 0.0
        pp.create_switch(net, three, line, et="l", closed=True, name="Q1")
        pp.create_load(net, three, 0.06, 0.02)
        pp.create_sgen(net, three, 0.02, 0.0, scaling=0.5)
        pp.create_storage(net, three, p_mw=0.005, max_e_mwh=0.01)
        pp.create_shunt(net, two, q_mvar=-0.02)
        pp.runpp(net, numba=False, tolerance_mva=1e-10)
    network, assumptions = from_pandapower(net)
    assert [bus.name for bus in network.buses] == ["HV", "LV", "bus 3"]
    assert network.switches[0].name == "Q1"
    assert network.transformers[0].u_hv == pytest.approx(20e3 * 0.975)
    text = " ".join(assumptions)
    assert all(
        word in text
        for word in ("couplers", "zero-sequence data", "split equally", "tap", "out of service", "one end")
    )
    # pandapower's own source is ideal in the positive sequence.
    network = replace(network, sources=(Source("S", "HV", 1.01),))
    rows = {(row["bus"], row["phase"]): row["v_pu"] for row in flow(network)}
    for index, bus in ((one, "LV"), (three, "bus 3")):
        assert rows[bus, "a"] == pytest.approx(net.res_bus.vm_pu[index], abs=1e-8)
    assert isinstance(network.lines[0], Line)

"""OpenDSS scripts: what is read, what is refused, and the same voltages as OpenDSS itself."""

import cmath
import math
import os
from pathlib import Path

import pytest

from twin.grid import Network, flow
from twin.grid.importers.opendss_script import read_opendss
from twin.grid.regulation import regulated

SCRIPTS = Path(__file__).parent / "dss"

V_MIN = 0.1


@pytest.fixture(scope="module")
def dss():
    """OpenDSS itself."""
    return pytest.importorskip("opendssdirect", reason="OpenDSS is an optional extra")


def solved_by_opendss(dss, commands) -> dict[str, complex]:
    """Return the voltages of all nodes after some commands, solved tightly, loads keeping their law."""
    cwd = Path.cwd()
    try:
        # OpenDSS keeps the base frequency of the script before.
        for command in ("clear", "set defaultbasefrequency=60", *commands):
            dss.Text.Command(command)
    finally:
        # A redirect leaves the working directory elsewhere.
        os.chdir(cwd)
    for command in (
        f"batchedit load..* vminpu={V_MIN} vmaxpu=5 vlowpu=0.01",
        "set controlmode=static maxiterations=1000 maxcontroliter=100 tolerance=1e-10",
        "solve",
    ):
        dss.Text.Command(command)
    assert dss.Solution.Converged()
    flat = dss.Circuit.AllBusVolts()
    values = [complex(*pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
    return dict(zip(dss.Circuit.AllNodeNames(), values, strict=True))


def largest_difference(network: Network, reference: dict[str, complex], *, turn: float) -> float:
    """Return the largest difference of a node's voltage [pu]; every conductor of ours must be there."""
    rated = {bus.name: bus.u_phase for bus in network.buses}
    worst = 0.0
    for row in flow(network, v_min_pu=V_MIN):
        other = reference[f"{row['bus'].lower()}.{'abcn'.index(row['phase']) + 1}"]
        own = cmath.rect(row["v_volt"], math.radians((row["angle_deg"] or 0.0) + turn))
        worst = max(worst, abs(own - other) / rated[row["bus"]])
    return worst


@pytest.mark.parametrize("name", ["four_wire", "isolated", "open_delta", "single_phase"])
def test_voltages_are_those_of_opendss(dss, name):
    path = SCRIPTS / f"{name}.dss"
    network, _ = read_opendss(path)
    reference = solved_by_opendss(dss, [f'redirect "{path}"'])
    assert largest_difference(network, reference, turn=network.sources[0].angle_deg) < 1e-6


def test_ieee_13_node_feeder(dss):
    """Taps where the published solution has them (10, 8, 11), then all voltages at these taps."""
    network, _ = read_opendss(SCRIPTS / "ieee13.dss")
    at_rest = regulated(network, loads="constant_power", v_min_pu=V_MIN)
    taps = {unit.name: unit.tap for unit in at_rest.transformers if unit.name.startswith("Reg")}
    assert taps == {"Reg1": 10, "Reg2": 8, "Reg3": 11}
    moved = [f"transformer.{name}.taps=[1 {1 + tap * 0.00625}]" for name, tap in taps.items()]
    off = [f"disable regcontrol.{name}" for name in taps]
    reference = solved_by_opendss(dss, [f'redirect "{SCRIPTS / "ieee13.dss"}"', *off, *moved])
    assert largest_difference(network, reference, turn=30.0) < 1e-6


def test_ieee_13_node_feeder_against_its_publication():
    """Node voltages of the published solution, given there to four decimals [pu].

    References
    ----------
    W. H. Kersting, Radial distribution test feeders, IEEE PES Winter Meeting 2001; the file of results for
    the 13-node feeder. There the load of line 632-671 is spread evenly, and the substation is ideal.
    """
    network, _ = read_opendss(SCRIPTS / "ieee13.dss")
    rows = {(row["bus"], row["phase"]): row["v_pu"] for row in flow(network)}
    published = {
        "RG60": (1.0625, 1.0500, 1.0687),
        "632": (1.0210, 1.0420, 1.0174),
        "633": (1.0180, 1.0401, 1.0148),
        "671": (0.9900, 1.0529, 0.9778),
        "675": (0.9835, 1.0553, 0.9758),
        "634": (0.9940, 1.0218, 0.9960),
    }
    for bus, values in published.items():
        for phase, value in zip("abc", values, strict=True):
            assert rows[bus, phase] == pytest.approx(value, abs=1e-3), (bus, phase)
    assert rows["611", "c"] == pytest.approx(0.9738, abs=1e-3)
    assert rows["652", "a"] == pytest.approx(0.9825, abs=1e-3)
    assert rows["645", "b"] == pytest.approx(1.0329, abs=1e-3)
    assert rows["646", "c"] == pytest.approx(1.0134, abs=1e-3)

"""Reading, checking and writing network files."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from twin.contracts import BadInputError
from twin.grid import (
    Bus,
    Capacitor,
    HarmonicShare,
    Line,
    Load,
    Network,
    Source,
    Spectrum,
    Switch,
    Transformer,
    check_network,
    network_text,
    read_network,
    write_network,
)
from twin.grid.importers import pandapower_net

NETWORKS = Path(__file__).parents[2] / "scenarios" / "networks"

GOOD = """\
network: small
buses:
  - {name: HV, u_rated_v: 20000}
  - {name: LV, u_rated_v: 400}
  - {name: 34, u_rated_v: 400}
sources:
  - {name: S, bus: HV, r1_ohm: 0.2, x1_ohm: 1.5, r0_ohm: 2, x0_ohm: 3}
line_types:
  - {name: NAYY, r1_ohm_per_km: 0.2067, x1_ohm_per_km: 0.080425, r0_ohm_per_km: 0.8, x0_ohm_per_km: 0.3}
lines:
  columns: [name, from, to, type, length_m]
  rows:
    - [L1, LV, 34, NAYY, 250]
transformers:
  - {name: T, hv: HV, lv: LV, s_rated_va: 400000, u_hv_v: 20000, u_lv_v: 400, vk_percent: 6,
     vkr_percent: 1.2, vector_group: Dyn5}
switches:
  - {name: Q1, branch: L1}
capacitors:
  - {name: C1, bus: LV, q_rated_var: 50000, closed: false}
loads:
  - {name: kiosk, bus: 34, phases: b, p_w: 900, q_var: 100, spectrum: led}
  - {name: shop, bus: 34, phases: abc, p_w: [1, 2, 3], q_var: [4, 5, 6]}
spectra:
  - {name: led, orders: [3, 5], percent: [60, 30], angle_deg: [180, 0]}
"""


def findings(tmp_path, text):
    file = tmp_path / "net.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError) as error:
        read_network(file)
    return [(found.where.line, found.field, found.what, found.mend) for found in error.value.findings]


def test_a_small_file_in_si(tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text(GOOD, encoding="utf-8")
    network = read_network(file)
    line = network.lines[0]
    assert line.to_bus == "34"
    assert (line.r1, line.x1) == pytest.approx((0.051675, 0.02010625), rel=1e-15)
    assert (line.r0, line.x0) == pytest.approx((0.2, 0.075), rel=1e-15)
    assert network.loads[0] == Load("kiosk", "34", "b", (900.0,), (100.0,), "led")
    assert network.loads[1].p == (1.0, 2.0, 3.0)
    assert network.spectra[0].shares == (HarmonicShare(3, 60.0, 180.0), HarmonicShare(5, 30.0, 0.0))
    assert network.switches[0].closed
    assert not network.capacitors[0].closed
    assert network.frequency == 50.0
    assert check_network(network) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "what", "mend"),
    [
        ("[L1, LV, 34,", "[L1, LW, 34,", 13, "lines[0].from", "no 'LW' among the buses", "'LV'?"),
        ("u_rated_v: 20000", "u_rated_v: 20 kV", 3, "buses[0].u_rated_v", "'20 kV' is no plain", "in V"),
        ("u_rated_v: 20000", "u_rated: 20000", 3, "buses[0].u_rated", "unknown field", "'u_rated_v'?"),
        ("length_m]", "lenght_m]", 11, "lines.columns", "unknown column 'lenght_m'", "'length_m'?"),
        ("NAYY, 250]", "NAYY]", 13, "lines[0]", "has 4 values", "give 5"),
        ("NAYY, 250]", "NAYY, -250]", 13, "lines[0].length_m", "a length of -250 m", "positive"),
        ("NAYY, 250]", "NAYI, 250]", 13, "lines[0].type", "no 'NAYI' among the line_types", "'NAYY'?"),
        ("NAYY, 250]", "NAYY, .inf]", 13, "lines[0].length_m", "does not fit", "number"),
        ("NAYY, 250]", "NAYY, 1e999]", 13, "lines[0].length_m", "does not fit", "number"),
        ("r0_ohm_per_km: 0.8, x0_ohm_per_km: 0.3", "r0_ohm_per_km: 0, x0_ohm_per_km: 0", 13,
         "lines[0].length_m", "no zero-sequence impedance", "one bus of"),
        ("Dyn5", "Dyn6", 16, "transformers[0].vector_group", "no 'Dyn6'", "Dyn1, Dyn5"),
        ("s_rated_va: 400000", "s_rated_va: 4e15", 15, "transformers[0].vk_percent", "1e-07 ohm", "check"),
        ("vkr_percent: 1.2", "vkr_percent: 12", 16, "transformers[0].vkr_percent", "no part of", "0 .."),
        ("u_lv_v: 400", "u_lv_v: 20000", 15, "transformers[0].u_lv_v", "winding of 20000 V", "correct"),
        ("branch: L1", "branch: L2", 18, "switches[0].branch", "no 'L2'", "'L1'?"),
        ("name: C1, bus", "name: Q1, bus", 20, "capacitors[0].name", "'Q1' stands twice", "rename"),
        ("q_rated_var: 50000", "q_rated_var: -1", 20, "capacitors[0].q_rated_var", "-1 var", "positive"),
        ("phases: b,", "phases: n,", 22, "loads[0].phases", "'n' names no phases", "some of abc"),
        ("phases: b,", "phases: abc,", 22, "loads[0].p_w", "has 1 for phases 'abc'", "list of three"),
        ("spectrum: led", "spectrum: leds", 22, "loads[0].spectrum", "no 'leds'", "'led'?"),
        ("orders: [3, 5]", "orders: [3, 3]", 25, "spectra[0].orders", "an order twice", "once"),
        ("orders: [3, 5]", "orders: [3]", 25, "spectra[0].orders", "differ in length", "each order"),
        ("x0_ohm: 3}", "x0_ohm: 3, ideal: true}", 7, "sources[0].ideal", "has an impedance", "drop"),
        ("r0_ohm: 2, x0_ohm: 3", "r0_ohm: 0", 7, "sources[0].r0_ohm", "one sequence only", "ideal"),
        ("{name: 34,", "{name: 35,", 13, "lines[0].to", "no '34' among the buses", "'35'?"),
        ("transformers:", "tranformers:", 14, "tranformers", "unknown section", "'transformers'?"),
        ("network: small", "frequency_hz: -5", 1, "frequency_hz", "no rated frequency", "Hz"),
    ],
)  # fmt: skip
def test_a_finding_names_line_field_and_mend(tmp_path, old, new, line, field, what, mend):
    assert old in GOOD
    found = findings(tmp_path, GOOD.replace(old, new, 1))
    matching = [f for f in found if f[:2] == (line, field) and what in f[2] and mend in f[3]]
    assert matching, found


def test_all_findings_come_at_once_and_one_mistake_gives_one(tmp_path):
    text = GOOD.replace("NAYY, 250]", "NAYY]").replace("phases: b,", "phases: n,").replace("Dyn5", "Dyn6")
    found = findings(tmp_path, text)
    # The switch names the line that could not be read: that is no mistake of its own.
    assert [where for where, *_ in found] == [13, 16, 22]


def test_an_island_is_found(tmp_path):
    text = GOOD.replace("  - {name: LV,", "  - {name: X1, u_rated_v: 400}\n  - {name: LV,")
    found = findings(tmp_path, text)
    assert [(line, field) for line, field, *_ in found] == [(4, "buses[1].name")]
    assert "'X1' cannot be reached from any source" in found[0][2]


def test_no_document_no_lines():
    network = Network("bare", (Bus("A", 400.0), Bus("A", 400.0)), ())
    found = check_network(network)
    assert {str(one.where) for one in found} == {"bare"}
    assert {one.field for one in found} == {"buses[1].name", "sources"}


def test_what_is_written_is_read_back(tmp_path):
    network = Network(
        "round trip: 100 %",
        (Bus("true", 400.0), Bus("1.10", 400.0, 1.5, -2.25), Bus("no # comment", 400.0), Bus("007", 400.0)),
        (Source("S", "true", 1.02, 30.0, 0.01, 0.1, 0.02, 0.3),),
        lines=(
            Line("a: b", "true", "1.10", 0.1, 0.2, 0.3, 1 / 3, 1e-9, 2e-9),
            Line("{x}", "1.10", "no # comment", 0.1, 0.2, 0.3, 0.4),
            Line("'q\"", "1.10", "007", 0.1, 0.2, 0.3, 0.4),
        ),
        switches=(Switch("Q", "a: b", closed=False),),
        capacitors=(Capacitor("C", "007", 1e3, closed=False),),
        loads=(Load("PV", "007", "c", (-3e3,), (0.0,), "s"),),
        spectra=(Spectrum("s", (HarmonicShare(5, 20.0, -30.0),)),),
        description="Two words. " * 30,
        assumptions=("one: of them", "two"),
        frequency=60.0,
    )
    network = replace(network, description=network.description.strip())
    write_network(network, tmp_path / "net.yaml")
    assert read_network(tmp_path / "net.yaml") == network
    assert [file.name for file in tmp_path.iterdir()] == ["net.yaml"]


@pytest.mark.parametrize("name", ["site8", "european-lv"])
def test_a_shipped_network_is_written_as_it_stands(name):
    file = NETWORKS / f"{name}.yaml"
    assert network_text(read_network(file)) == file.read_text(encoding="utf-8")


def test_the_european_feeder_has_its_published_size():
    network = read_network(NETWORKS / "european-lv.yaml")
    assert (len(network.buses), len(network.lines), len(network.loads)) == (907, 905, 55)
    assert {load.phases for load in network.loads} == {"a", "b", "c"}
    assert [load.name for load in network.loads] == [f"LOAD{number}" for number in range(1, 56)]
    assert isinstance(network.transformers[0], Transformer)


def test_reading_loads_nothing_heavy():
    code = (
        "import sys; from twin.grid import read_network, check_network;"
        f"read_network({str(NETWORKS / 'site8.yaml')!r});"
        "print(sorted({'numba', 'scipy', 'pandas', 'pandapower'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
    assert "pandapower" not in vars(pandapower_net)

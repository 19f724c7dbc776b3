"""Neutrals at an ideal source, filters without losses, parts without earth, files with odd values."""

import cmath
import math

import pytest

from twin.contracts import BadInputError
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
    Transformer,
    fault,
    flow,
    harmonics,
    read_network,
)

E = 400.0 / math.sqrt(3.0)


def phasors(rows):
    """Return voltages by bus and conductor [V]."""
    return {
        (row["bus"], row["phase"]): cmath.rect(row["v_volt"], math.radians(row["angle_deg"] or 0.0))
        for row in rows
    }


def test_a_load_at_an_ideal_source_lifts_its_neutral():
    """The source holds the phases; the neutral rises by the load's current in its earth."""
    network = Network(
        "neutral",
        (Bus("M", 400.0, phases="abcn"),),
        (Source("S", "M"),),
        groundings=(Grounding("G", "M", 2.0, 0.5),),
        loads=(Load("P", "M", "b", (3000.0,), (900.0,)), Load("D", "M", "ab", (1e3,), (0.0,), "", "delta")),
    )
    v = phasors(flow(network))
    current = (complex(3000.0, 900.0) / (v["M", "b"] - v["M", "n"])).conjugate()
    assert v["M", "n"] == pytest.approx(current * complex(2.0, 0.5), abs=1e-8)
    assert abs(v["M", "n"]) > 25.0
    assert abs(v["M", "b"]) == pytest.approx(E, rel=1e-12)


def with_filter(quality, connection):
    shares = (HarmonicShare(5, 20.0, 0.0), HarmonicShare(7, 10.0, 0.0))
    return Network(
        "filter",
        (Bus("A", 400.0), Bus("B", 400.0)),
        (Source("S", "A"),),
        lines=(Line("L", "A", "B", 0.02, 0.03, 0.05, 0.08),),
        capacitors=(Capacitor("F", "B", 20e3, True, "abc", connection, None, 4.0, quality),),
        loads=(Load("N", "B", "abc", (9e3, 9e3, 9e3), (1e3, 1e3, 1e3), "six"),),
        spectra=(Spectrum("six", shares),),
    )


@pytest.mark.parametrize("connection", ["star", "isolated_star", "delta"])
def test_a_filter_without_losses_shorts_its_order(connection):
    """4 % in series are tuned to order 5 exactly: the limit of ever better reactors."""
    ideal, good = (harmonics(with_filter(quality, connection)) for quality in (0.0, 1e7))
    for one, other in zip(ideal, good, strict=True):
        assert one["v_volt"] == pytest.approx(other["v_volt"], abs=1e-4)
    fifth = [row["v_volt"] for row in ideal if row["h"] == 5 and row["bus"] == "B"]
    seventh = [row["v_volt"] for row in ideal if row["h"] == 7 and row["bus"] == "B"]
    assert max(fifth) < 1e-4
    assert min(seventh) > 1e-2


def without_earth(*groundings, connection="star"):
    phases = "c" if connection == "star" else "ca"
    return Network(
        "unearthed",
        (Bus("H", 20e3), Bus("L", 400.0)),
        (Source("S", "H", 1.0, 0.0, 0.2, 1.5, 0.2, 1.5),),
        transformers=(Transformer("T", "H", "L", 400e3, 20e3, 400.0, 4.0, 1.0, "Dy5"),),
        groundings=groundings,
        loads=(Load("N", "L", phases, (5e3,), (1e3,), "s", connection),),
        spectra=(Spectrum("s", (HarmonicShare(3, 30.0, 0.0),)),),
    )


def test_harmonics_without_a_way_back_are_refused():
    """A current source against earth where nothing is earthed would have any voltage."""
    with pytest.raises(GridError, match="load 'N' at bus 'L' draws current against earth at order 3"):
        harmonics(without_earth())
    earthed = harmonics(without_earth(Grounding("G", "L", 100.0, 0.0, "a")))
    assert 0 < max(row["v_pu"] for row in earthed if row["h"] == 3) < 5
    between = harmonics(without_earth(connection="delta"))
    assert 0 < max(row["v_pu"] for row in between if row["h"] == 3) < 0.1


def test_rounding_in_a_capacitance_matrix_earths_nothing():
    """0.1 + 0.2 - 0.3 is no capacitance to earth: the part is held as any other that nothing earths."""
    c = ((0.3e-9, -0.1e-9, -0.2e-9), (-0.1e-9, 0.3e-9, -0.2e-9), (-0.2e-9, -0.2e-9, 0.4e-9))
    c = tuple(tuple(value * 1.1 for value in row) for row in c)
    assert 0 < max(sum(row) for row in c) < 1e-20
    eye = tuple(tuple(0.1 * (i == j) for j in range(3)) for i in range(3))
    network = Network(
        "rounded",
        (Bus("H", 20e3), Bus("L", 400.0), Bus("X", 400.0)),
        (Source("S", "H", 1.0, 0.0, 0.2, 1.5, 0.2, 1.5),),
        lines=(Line("C", "L", "X", r=eye, x=eye, c=c),),
        transformers=(Transformer("T", "H", "L", 400e3, 20e3, 400.0, 4.0, 1.0, "Dy5"),),
        loads=(Load("P", "X", "abc", (1e3, 1e3, 1e3), (0.0, 0.0, 0.0), "", "delta"),),
    )
    level = [row["v_pu"] for row in flow(network) if row["bus"] == "X"]
    assert level == pytest.approx([level[0]] * 3, abs=1e-6)
    assert 0.98 < level[0] < 1.0
    assert fault(network, bus="X", type="slg", phases="a")["fault_current_a"]["a"]["magnitude"] < 1e-3


@pytest.mark.parametrize("limit", [0.0, -1.0, 1.01, math.nan])
def test_a_limit_of_voltage_that_is_none_is_refused(limit):
    network = Network("one", (Bus("M", 400.0),), (Source("S", "M"),))
    for study in (flow, harmonics):
        with pytest.raises(GridError, match="give more than 0"):
            study(network, v_min_pu=limit)


FILE = """\
network: odd
buses:
  - {name: H, u_rated_v: 20000}
  - {name: L, u_rated_v: 400, phases: abcn}
  - {name: X, u_rated_v: 400}
  - {name: one, u_rated_v: 230, phases: b}
sources:
  - {name: S, bus: H, r1_ohm: 0.2, x1_ohm: 1.5, r0_ohm: 2, x0_ohm: 3}
transformers:
  - {name: T, hv: H, lv: L, s_rated_va: 400000, u_hv_v: 20000, u_lv_v: 400, vk_percent: 6, vkr_percent: 1.2,
     vector_group: Dyn5, tap_min: -2, tap_max: 2, tap_step_percent: 2.5}
groundings:
  - {name: G, bus: L}
lines:
  - {name: M, from: L, to: X, r_ohm: [[1], [0, 1], [0, 0, 1]], x_ohm: [[1], [0, 1], [0, 0, 1]]}
  - {name: lateral, from: X, to: one, phases: b, r1_ohm: 1, x1_ohm: 1, r0_ohm: 1, x0_ohm: 1}
spectra:
  - {name: s, orders: [3], percent: [5], angle_deg: [0]}
"""


def test_a_lateral_of_230_v_belongs_to_400_v(tmp_path):
    (tmp_path / "odd.yaml").write_text(FILE)
    level = {(row["bus"], row["phase"]): row for row in flow(read_network(tmp_path / "odd.yaml"))}
    assert level["one", "b"]["v_volt"] == pytest.approx(E, rel=1e-9)
    assert level["one", "b"]["v_pu"] == pytest.approx(E / 230.0, rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "where", "what", "mend"),
    [
        ("r1_ohm: 0.2", "r1_ohm: 1" + 400 * "0", "8: sources[0].r1_ohm", "so many digits", "1e+30"),
        ("s_rated_va: 400000", "s_rated_va: 1e-300", "10: transformers[0].s_rated_va", "1e-300", "1e-30"),
        ("network: odd", "network: {a: 1}", "1: network", "is no name", "NAME"),
        ("orders: [3]", f"orders: [1{30 * '0'}]", "18: spectra[0].orders", "2 .. 1000", "whole order"),
        ("tap_min: -2", "tap_min: -40", "11: transformers[0].tap_min", "no voltage", "raise it"),
        ("Dyn5,", "Dyn5, r_star_lv_ohm: 5,", "11: transformers[0].r_star_lv_ohm", "neutral of bus 'L'",
         "groundings"),
        ("r_ohm: [[1], [0, 1]", "r_ohm: [[1], [5, 1]", "15: lines[0].r_ohm", "of active power", "beside"),
        ("x_ohm: [[1], [0, 1]", "x_ohm: [[1], [5, 1]", "15: lines[0].x_ohm", "reactive power", "beside"),
        ("r_ohm: [[1], [0, 1], [0, 0, 1]], x_ohm: [[1], [0, 1], [0, 0, 1]]",
         "r_ohm: [[1], [1, 1], [1, 1, 1]], x_ohm: [[1], [1, 1], [1, 1, 1]]", "15: lines[0].r_ohm",
         "loop without impedance", "lower"),
        ("u_rated_v: 230", "u_rated_v: 240", "16: lines[1].to", "230.94 V and 240 V to earth", "transformer"),
        ("Dyn5", "Dyn3", "11: transformers[0].vector_group", "no 'Dyn3'", "give Dyn1, Dyn5, Dyn7, Dyn11"),
    ],
)  # fmt: skip
def test_what_no_network_can_have_is_named(tmp_path, old, new, where, what, mend):
    assert old in FILE
    path = tmp_path / "odd.yaml"
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(BadInputError) as caught:
        read_network(path)
    found = str(caught.value).splitlines()
    assert any(line.startswith(f"{path}:{where}") and what in line and mend in line for line in found), found


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ("[[name], u_rated_v]", "unknown column '['name']'"),
        ("[name, u_rated_v, name]", "'name' stands twice"),
    ],
)
def test_odd_columns_of_a_table_are_named(tmp_path, columns, what):
    path = tmp_path / "odd.yaml"
    path.write_text(f"network: odd\nbuses:\n  columns: {columns}\n  rows:\n    - [A, 400]\nsources: []\n")
    with pytest.raises(BadInputError) as caught:
        read_network(path)
    assert what in str(caught.value)


@pytest.mark.parametrize(("z", "i"), [(0.0, 0.0), (30.0, 50.0)])
def test_loads_alone_hold_a_part_to_earth(z, i):
    """Behind a delta without neutral what goes to earth through one load comes back through the others."""
    powers = {"a": 90e3, "b": 60e3, "c": 75e3}
    network = Network(
        "unearthed",
        (Bus("H", 20e3), Bus("L", 400.0)),
        (Source("S", "H", 1.0, 0.0, 0.2, 1.5, 0.2, 1.5),),
        transformers=(Transformer("T", "H", "L", 1e6, 20e3, 400.0, 6.0, 1.0, "Dy11"),),
        loads=tuple(
            Load(letter, "L", letter, (p,), (p / 3,), z_percent=z, i_percent=i)
            for letter, p in powers.items()
        ),
    )
    v = phasors(flow(network))
    currents = []
    for letter, p in powers.items():
        u = max(abs(v["L", letter]) / E, 0.7)
        share = z / 100 * u**2 + i / 100 * u + 1 - z / 100 - i / 100
        currents.append(complex(p, -p / 3) * share * v["L", letter] / (u * E) ** 2)
    assert abs(sum(currents)) < 1e-6 * max(map(abs, currents))
    assert abs(sum(v["L", letter] for letter in "abc")) > 0.1 * E

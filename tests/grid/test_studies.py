"""Load flow, faults and harmonics against closed forms and limits."""

import cmath
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.grid.grid_cases import no_emission, two_bus
from twin.grid import (
    Bus,
    Capacitor,
    Fault,
    GridSolver,
    HarmonicShare,
    Line,
    Load,
    Network,
    Probe,
    Source,
    Spectrum,
    Switch,
    Transformer,
    fault,
    flow,
    harmonics,
)


@pytest.mark.parametrize("bus", ["MV1", "LV2"])
@pytest.mark.parametrize(("kind", "phases"), [("slg", "b"), ("ll", "ca"), ("llg", "bc"), ("3ph", "abc")])
def test_a_bolted_fault_is_the_limit_of_small_resistances(site, bus, kind, phases):
    """Voltages are linear in the resistance near zero: extrapolate from two small ones, in 1e-6 pu."""

    def phasors(resistance):
        result = fault(site, bus=bus, type=kind, phases=phases, resistance=resistance)
        v = [row["v_pu"] * cmath.exp(1j * math.radians(row["angle_deg"] or 0)) for row in result["voltages"]]
        return np.array(v), result

    scale = 1e-3 if bus == "MV1" else 1e-6
    one, two, four = (phasors(scale * factor)[0] for factor in (1, 2, 4))
    # Richardson: exact up to the third order in the resistance.
    limit = (8 * one - 6 * two + four) / 3
    bolted, result = phasors(0.0)
    assert np.max(np.abs(bolted - limit)) < 1e-8
    rows = {row["phase"]: row for row in result["voltages"] if row["bus"] == bus}
    if kind == "ll":
        v = [row["v_pu"] * cmath.exp(1j * math.radians(row["angle_deg"])) for row in map(rows.get, phases)]
        assert abs(v[0] - v[1]) < 1e-11
    else:
        assert all(rows[phase]["v_pu"] < 1e-11 for phase in phases)


def test_a_bolted_three_phase_fault_without_loads_is_the_thevenin_current():
    """c U / (sqrt 3 Z): the textbook value behind a source impedance and a line."""
    network = Network(
        "two",
        (Bus("A", 10e3), Bus("B", 10e3)),
        (Source("S", "A", 1.1, 0.0, 0.1, 1.0, 0.2, 2.0),),
        lines=(Line("L", "A", "B", 0.4, 0.3, 1.6, 1.2),),
    )
    currents = fault(network, bus="B", type="3ph", loads="none")["fault_current_a"]
    z1, z0 = complex(0.5, 1.3), complex(1.8, 3.2)
    expected = 1.1 * 10e3 / math.sqrt(3) / z1
    for phase, turn in (("a", 0), ("b", -120), ("c", 120)):
        assert currents[phase]["magnitude"] == pytest.approx(abs(expected), rel=1e-7)
        angle = math.degrees(cmath.phase(expected)) + turn
        assert math.remainder(currents[phase]["angle_deg"] - angle, 360) == pytest.approx(0, abs=1e-5)
    single = fault(network, bus="B", type="slg", phases="a", resistance=2.0, loads="none")["fault_current_a"]
    expected = 3 * 1.1 * 10e3 / math.sqrt(3) / (2 * z1 + z0 + 3 * 2.0)
    assert single["a"]["magnitude"] == pytest.approx(abs(expected), rel=1e-9)
    double = fault(network, bus="B", type="ll", phases="bc", resistance=2.0, loads="none")["fault_current_a"]
    expected = 1.1 * 10e3 / abs(2 * z1 + 2.0)
    assert double["b"]["magnitude"] == pytest.approx(expected, rel=1e-9)


def test_a_fault_in_operation_equals_the_study_without_loads(site):
    bare = replace(site, loads=())
    solver = GridSolver(bare, probes=[Probe("x", "LV3", "F23", "to")], loads=[], orders=[1])
    solver.apply_fault(Fault("f", "LV2", "llg", "bc", 0.02))
    phasor = solver.solve(np.zeros(0), np.zeros(0), no_emission(0)).phasor
    rows = fault(bare, bus="LV2", type="llg", phases="bc", resistance=0.02)["voltages"]
    expected = [
        cmath.rect(row["v_volt"], math.radians(row["angle_deg"])) for row in rows if row["bus"] == "LV3"
    ]
    assert phasor[:3, 0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("p", [1e3, 50e3, 100e3, -60e3])
def test_a_two_bus_flow_solves_its_quadratic(p):
    """V^4 + (2 (RP + XQ) - E^2) V^2 + |Z|^2 |S|^2 = 0: the closed form of one load behind one impedance."""
    q, r, x, e2 = 0.2 * p, 0.1, 0.05, 400.0**2 / 3
    half = e2 / 2 - (r * p + x * q)
    v2 = half + math.sqrt(half**2 - (r**2 + x**2) * (p**2 + q**2))
    rows = {(row["bus"], row["phase"]): row for row in flow(two_bus(p, q), v_min_pu=0.5)}
    assert rows["B", "a"]["v_volt"] == pytest.approx(math.sqrt(v2), rel=1e-10)


@pytest.mark.parametrize("p", [150e3, 400e3, 2e6])
def test_below_v_min_a_load_is_an_impedance(p):
    """P0 (V / Vmin)^2: a divider of the line and Z = Vmin^2 / conj(S)."""
    e = 400.0 / math.sqrt(3)
    z = (0.7 * e) ** 2 / p
    expected = e * z / abs(z + complex(0.1, 0.05))
    assert expected < 0.7 * e
    rows = {(row["bus"], row["phase"]): row for row in flow(two_bus(p))}
    assert rows["B", "a"]["v_volt"] == pytest.approx(expected, rel=1e-9)


def test_a_part_that_nothing_earths_has_its_neutral_at_earth():
    """Fed from its star side, a transformer's delta side floats; an earth fault there is no short."""
    network = Network(
        "back",
        (Bus("LV", 400.0), Bus("MV", 20e3)),
        (Source("S", "LV", 1.0, 0.0, 1e-3, 1e-2, 1e-3, 1e-2),),
        transformers=(Transformer("T", "MV", "LV", 400e3, 20e3, 400.0, 4.0, 1.0, "Dyn11"),),
    )
    rows = [row for row in flow(network) if row["bus"] == "MV"]
    assert [row["v_pu"] for row in rows] == pytest.approx([1, 1, 1], abs=1e-6)
    result = fault(network, bus="MV", type="slg", phases="a")
    v = {row["phase"]: row["v_pu"] for row in result["voltages"] if row["bus"] == "MV"}
    assert (v["a"], v["b"], v["c"]) == pytest.approx((0, math.sqrt(3), math.sqrt(3)), abs=1e-6)
    assert result["fault_current_a"]["a"]["magnitude"] < 1e-3


@pytest.mark.parametrize(
    ("group", "turn"), [("Dyn1", -30), ("Dyn5", -150), ("Dyn7", 150), ("Dyn11", 30), ("YNyn0", 0)]
)
def test_the_clock_turns_the_voltages(group, turn):
    network = Network(
        "clock",
        (Bus("HV", 20e3), Bus("LV", 400.0)),
        (Source("S", "HV"),),
        transformers=(Transformer("T", "HV", "LV", 400e3, 20e3, 400.0, 4.0, 1.0, group),),
    )
    rows = {row["phase"]: row for row in flow(network) if row["bus"] == "LV"}
    assert rows["a"]["v_pu"] == pytest.approx(1.0, abs=1e-12)
    assert rows["a"]["angle_deg"] == pytest.approx(turn, abs=1e-9)
    assert math.remainder(rows["b"]["angle_deg"] - turn + 120, 360) == pytest.approx(0, abs=1e-9)


def test_damping_moves_between_open_and_parallel():
    """A 5th-order divider: 1 A into a source of jX and a load of R in series with jX, or in parallel."""
    shares = Spectrum("s", (HarmonicShare(5, 10.0, 0.0),))
    network = Network(
        "damped",
        (Bus("A", 400.0),),
        (Source("S", "A", 1.0, 0.0, 0.0, 0.1, 0.0, 0.1),),
        loads=(Load("NL", "A", "a", (1e3,), (0.0,), "s"), Load("Z", "A", "a", (20e3,), (10e3,))),
        spectra=(shares,),
    )
    v2 = 400.0**2 / 3
    z = v2 / complex(20e3, -10e3)
    y = 1 / z
    series, parallel = 1 / complex(z.real, 5 * z.imag), complex(y.real, y.imag / 5)
    for damping, load in ((None, 0), (1.0, series), (0.0, parallel)):
        rows = {(row["h"], row["phase"]): row for row in harmonics(network, damping=damping)}
        i1 = 1e3 / rows[1, "a"]["v_volt"]
        assert rows[5, "a"]["v_volt"] == pytest.approx(0.1 * i1 / abs(1 / 0.5j + load), rel=1e-9)
    y_half = 0.5 * y
    z_half = 1 / y_half
    mixed = 1 / complex(z_half.real, 5 * z_half.imag) + complex(y_half.real, y_half.imag / 5)
    rows = {(row["h"], row["phase"]): row for row in harmonics(network, damping=0.5)}
    assert rows[5, "a"]["v_volt"] == pytest.approx(0.1 * i1 / abs(1 / 0.5j + mixed), rel=1e-9)


@pytest.mark.parametrize("kind", ["ll", "llg"])
def test_the_order_of_the_letters_of_a_fault_means_nothing(site, kind):
    one, other = (fault(site, bus="LV2", type=kind, phases=phases) for phases in ("ca", "ac"))
    assert one == other


def test_angles_are_counted_from_the_source(site):
    turned = replace(site, sources=(replace(site.sources[0], angle_deg=70.0),))
    for one, other in zip(flow(site), flow(turned), strict=True):
        assert other["v_volt"] == pytest.approx(one["v_volt"], rel=1e-12)
        assert other["angle_deg"] == pytest.approx(one["angle_deg"], abs=1e-9)


def test_a_capacitor_resonates_with_its_source():
    """1 / (1 / jhX + jhB) at the bus: 16 kvar at 400 V are B = 0.1 S in each phase."""
    x, b = 0.25, 0.1
    network = Network(
        "resonant",
        (Bus("A", 400.0),),
        (Source("S", "A", 1.0, 0.0, 0.0, x, 0.0, x),),
        capacitors=(Capacitor("C", "A", 16e3),),
        loads=(Load("NL", "A", "c", (2e3,), (0.0,), "s"),),
        spectra=(
            Spectrum(
                "s",
                tuple(HarmonicShare(h, 10.0, 15.0) for h in (5, 7)),
            ),
        ),
    )
    rows = {(row["h"], row["phase"]): row for row in harmonics(network)}
    v1 = cmath.rect(rows[1, "c"]["v_volt"], math.radians(rows[1, "c"]["angle_deg"]))
    i1 = (2e3 / v1).conjugate()
    for h in (5, 7):
        drawn = cmath.rect(0.1 * abs(i1), h * cmath.phase(i1) + math.radians(15.0))
        expected = -drawn / (1 / complex(0, h * x) + complex(0, h * b))
        assert rows[h, "c"]["v_volt"] == pytest.approx(abs(expected), rel=1e-9)
        turn = rows[h, "c"]["angle_deg"] - math.degrees(cmath.phase(expected))
        assert math.remainder(turn, 360) == pytest.approx(0, abs=1e-7)
        assert rows[h, "a"]["v_volt"] == pytest.approx(0, abs=1e-9)


def test_the_file_decides_what_is_open(site):
    opened = replace(site, switches=(Switch("QB", "TB", closed=False),))
    rows = {(row["bus"], row["phase"]): row for row in flow(opened)}
    assert rows["LV5", "a"] == {"bus": "LV5", "phase": "a", "v_volt": 0.0, "v_pu": 0.0, "angle_deg": None}
    assert rows["LV1", "a"]["v_pu"] > 0.9

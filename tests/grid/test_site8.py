"""The reference site against OpenDSS; see site8/README.md."""

import cmath
import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest

from twin.grid import HarmonicShare, Load, Spectrum, fault, flow, harmonics, read_network

CASES = Path(__file__).parent / "site8"
NETWORK = Path(__file__).parents[2] / "scenarios" / "networks" / "site8.yaml"
TOLERANCE = 1e-6
TYPES = {"SLG": "slg", "LL": "ll", "LLG": "llg", "3PH": "3ph"}


def table(name):
    with (CASES / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def phasor(row, key):
    return cmath.rect(float(row[key]), math.radians(float(row["angle_deg"])))


def worst(expected, rows, key=lambda row: (row["bus"], row["phase"])):
    """Return the largest distance of two phasors [pu] over all expected rows."""
    found = {key(row): phasor(row, "v_pu") for row in rows}
    assert len(expected) == len(rows)
    return max(abs(phasor(row, "v_ln_pu") - found[key(row)]) for row in expected)


@pytest.fixture(scope="module")
def network():
    return read_network(NETWORK)


@pytest.mark.parametrize(
    ("file", "loads"),
    [("flow_pq.csv", "constant_power"), ("flow_z.csv", "constant_impedance")],
)
def test_flow(network, file, loads):
    assert worst(table(file), flow(network, loads=loads)) < TOLERANCE


FAULTS = table("faults.csv")


@pytest.mark.parametrize("case", sorted({row["fault"] for row in FAULTS}))
def test_fault(network, case):
    expected = [row for row in FAULTS if row["fault"] == case]
    first = expected[0]
    result = fault(
        network,
        bus=first["bus_faulted"],
        type=TYPES[first["type"]],
        phases=first["phases"],
        resistance=float(first["Rf_ohm"]),
    )
    assert worst(expected, result["voltages"]) < TOLERANCE


@pytest.mark.parametrize("case", sorted({row["fault"] for row in FAULTS}))
def test_fault_current_follows_from_the_voltages_of_the_reference(network, case):
    """Through a known resistance the reference's voltages give the current: I = V / R."""
    rows = [row for row in FAULTS if row["fault"] == case and row["bus"] == row["bus_faulted"]]
    first, resistance = rows[0], float(rows[0]["Rf_ohm"])
    v = {row["phase"]: phasor(row, "v_ln_volt") for row in rows}
    one, *others = first["phases"]
    expected = (v[one] - v[others[0]] if first["type"] == "LL" else v[one]) / resistance
    result = fault(
        network,
        bus=first["bus_faulted"],
        type=TYPES[first["type"]],
        phases=first["phases"],
        resistance=resistance,
    )["fault_current_a"]
    found = cmath.rect(result[one]["magnitude"], math.radians(result[one]["angle_deg"]))
    # The reference prints volts to 1e-6.
    assert abs(found - expected) < 2e-6 / resistance + 1e-7 * abs(expected)
    for healthy in set("abc") - set(first["phases"]):
        assert result[healthy] == {"magnitude": 0.0, "angle_deg": None}


def test_harmonics(network):
    shares = zip((5, 7, 11, 13, 17, 19), (22.0, 11.0, 8.5, 6.5, 4.5, 3.5), strict=True)
    rectifier = Spectrum("rectifier", tuple(HarmonicShare(h, percent, 0.0) for h, percent in shares))
    non_linear = (
        Load("NL_LV2", "LV2", "abc", (20e3, 20e3, 20e3), (8e3, 8e3, 8e3), "rectifier"),
        Load("NL_LV4", "LV4", "abc", (15e3, 10e3, 5e3), (4e3, 3e3, 2e3), "rectifier"),
    )
    site = replace(network, spectra=(rectifier,), loads=network.loads + non_linear)
    expected = table("harmonics.csv")
    rows = harmonics(site)
    found = {(row["h"], row["bus"], row["phase"]): row for row in rows}
    assert len(expected) == len(rows)
    for row in expected:
        ours = found[int(row["h"]), row["bus"], row["phase"]]
        assert ours["v_pu"] == pytest.approx(float(row["v_ln_pu"]), abs=2e-9)
        assert ours["percent_of_v1"] == pytest.approx(float(row["percent_of_V1"]), abs=2e-7)
        if float(row["v_ln_pu"]) > 1e-6:
            turn = math.radians(ours["angle_deg"] - float(row["angle_deg"]))
            assert abs(cmath.exp(1j * turn) - 1) < 1e-6

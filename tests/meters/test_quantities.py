"""Displayed quantities: the kernel against a plain twin, and against numbers worked by hand."""

import math

import numpy as np
import pytest

from tests.meters.feed import Feed, phasors
from twin.meters.quantities import COLUMN, NAMES, display, primary_factor
from twin.metrology import measure_steady, quantities


def show(rms, *, orders=(1.0,), fundamental=False, general=False, ieee=False, starting=0.005):
    segment = Feed(orders=orders).add(rms)
    taken = quantities(measure_steady(segment))
    count = len(rms) // 6
    flags = {"fundamental": fundamental, "general": general, "ieee": ieee}
    flags = {name: np.full(count, flag) for name, flag in flags.items()}
    values, registered = display(taken, **flags, starting_current=np.full(count, starting))
    return dict(zip(NAMES, values[0], strict=True)), registered[0], taken.reading(), values, registered


def plain(taken, meter, *, fundamental, general, ieee):
    """The same definitions in plain Python, for one meter."""
    out = dict.fromkeys(NAMES, 0.0)
    registered = np.zeros(12)
    v = [x if x >= 10.0 else 0.0 for x in taken.v[meter]]
    i = [x if x >= 0.005 else 0.0 for x in taken.i[meter]]
    one = lambda p, q, s: 1.0 if s <= 0 else math.copysign(min(abs(p) / s, 1), -p * q if ieee else p)  # noqa: E731
    total = np.zeros(3)
    for k in range(3):
        out[f"v{k + 1}"], out[f"i{k + 1}"] = v[k], i[k]
        out[("v12", "v23", "v31")[k]] = taken.vll[meter, k]
        out[f"thd_v{k + 1}"] = np.nan_to_num(taken.thd[meter, k]) if v[k] else 0.0
        out[f"thd_i{k + 1}"] = np.nan_to_num(taken.thd[meter, 3 + k]) if i[k] else 0.0
        out[f"pf{k + 1}"] = 1.0
        if not (v[k] and i[k]):
            continue
        p, q, s = taken.p[meter, k], taken.q_budeanu[meter, k], taken.s[meter, k]
        if general:
            q = math.copysign(math.sqrt(max(s * s - p * p, 0)), taken.q_fundamental[meter, k])
        out[f"p{k + 1}"], out[f"q{k + 1}"], out[f"s{k + 1}"] = p, q, s
        if fundamental:
            p, q = taken.p_fundamental[meter, k], taken.q_fundamental[meter, k]
            s = taken.harmonic[meter, k, 1] * taken.harmonic[meter, 3 + k, 1]
        out[f"pf{k + 1}"] = one(p, q, s)
        registered[[k, 4 + k, 8 + k]] = p, q, s
        total += p, q, s
    out["pf"] = one(*total)
    for letter in "pqs":
        out[f"{letter}_sum"] = sum(out[f"{letter}{k}"] for k in (1, 2, 3))
    out["v_avg"], out["i_avg"] = np.mean(v), np.mean(i)
    out["vll_avg"] = taken.vll[meter].mean()
    out["thd_v_avg"] = np.mean([out[f"thd_v{k}"] for k in (1, 2, 3)])
    out["thd_i_avg"] = np.mean([out[f"thd_i{k}"] for k in (1, 2, 3)])
    out["i_n"] = taken.i_n[meter] if taken.i_n[meter] >= 0.005 else 0.0
    live = any(v)
    out["frequency"] = taken.frequency[meter] if live else 0.0
    positive, negative = abs(taken.v_positive[meter]), abs(taken.v_negative[meter])
    out["v_unbalance"] = negative / positive if live and positive else 0.0
    positive, negative = abs(taken.i_positive[meter]), abs(taken.i_negative[meter])
    out["i_unbalance"] = negative / positive if any(i) and positive else 0.0
    p, q = out["p_sum"], out["q_sum"]
    flat = abs(q) <= math.tan(math.acos(0.9995)) * abs(p)
    out["load_type"] = ord("R") if flat else ord("L" if p * q > 0 or (p == 0 < q) else "C")
    out["angle_v2_v1"] = np.nan_to_num(math.degrees(taken.angle[meter, 1]) % 360)
    return out, registered


@pytest.mark.parametrize("fundamental", [False, True])
@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("ieee", [False, True])
def test_the_kernel_agrees_with_its_plain_twin(fundamental, general, ieee):
    rng = np.random.default_rng(7)
    rms = rng.normal(size=(60, 4)) + 1j * rng.normal(size=(60, 4))
    rms[:, 0] *= 30.0  # some phases fall below the pickup of 10 V, none of the currents
    rms[6:12] = 0.0  # a dead meter
    rms[15:18] *= 1e-4  # currents below 5 mA
    flags = {"fundamental": fundamental, "general": general, "ieee": ieee}
    _, _, taken, values, registered = show(rms, orders=(1.0, 2.0, 5.0, 11.0), **flags)
    for meter in range(10):
        expected, counted = plain(taken, meter, **flags)
        np.testing.assert_allclose(values[meter], [expected[name] for name in NAMES], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(registered[meter], counted, rtol=1e-12, atol=1e-12)


def test_a_balanced_inductive_load_by_hand():
    # 230 V, 4 A, 60 degrees lagging: 3 x 230 x 4 = 2760 VA, half of it watts, 0.866 of it var.
    shown, registered, *_ = show(phasors(230.0, 4.0, math.pi / 3))
    assert shown["p_sum"] == pytest.approx(1380.0)
    assert shown["q_sum"] == pytest.approx(2390.23, abs=0.01)
    assert shown["s_sum"] == pytest.approx(2760.0)
    assert shown["pf"] == pytest.approx(0.5)
    assert shown["vll_avg"] == pytest.approx(398.3717)
    assert shown["i_n"] == 0.0
    assert shown["load_type"] == 76.0  # L
    assert shown["angle_v2_v1"] == pytest.approx(240.0)
    assert registered[:3].sum() == pytest.approx(1380.0)


@pytest.mark.parametrize(
    ("lag_degrees", "iec", "ieee", "letter"),
    [
        (60, 0.5, -0.5, "L"),
        (-60, 0.5, 0.5, "C"),
        (120, -0.5, 0.5, "C"),
        (-120, -0.5, -0.5, "L"),
        (0, 1, 1, "R"),
    ],
)
def test_power_factor_and_load_type_in_the_four_quadrants(lag_degrees, iec, ieee, letter):
    # IEC: sign of the active power. IEEE: negative for an inductive load (quadrants I and III).
    rms = phasors(230.0, 4.0, math.radians(lag_degrees))
    assert show(rms)[0]["pf"] == pytest.approx(iec)
    assert show(rms, ieee=True)[0]["pf"] == pytest.approx(ieee)
    assert show(rms)[0]["load_type"] == ord(letter)


def test_a_lost_phase_makes_fifty_percent_unbalance():
    # Phasors 1, a2, 0: |1 + a a| / |1 + a a2| = 1/2, the 49.9 and 50.0 % of the manual's Fig 4-3.
    rms = phasors()
    rms[[2, 5]] = 0.0
    shown, *_ = show(rms)
    assert shown["v_unbalance"] == pytest.approx(0.5)
    assert shown["i_unbalance"] == pytest.approx(0.5)


def test_budeanu_general_and_fundamental_power_of_the_ieee_1459_example():
    # IEEE 1459 annex B, as recomputed in two ways: P 8632.79, Q1 5000, Budeanu 4984.67, S 10517.49.
    degrees = lambda magnitude, angle: magnitude * np.exp(1j * np.radians(angle))  # noqa: E731
    v = [degrees(100, 0), degrees(8, -70), degrees(15, 140), degrees(5, 20)]
    i = [degrees(100, -30), degrees(20, -165), degrees(15, 233), degrees(10, 288)]
    rms = np.zeros((6, 4), complex)
    rms[0], rms[3] = v, i
    orders = (1.0, 3.0, 5.0, 7.0)
    full, *_ = show(rms, orders=orders)
    assert full["p_sum"] == pytest.approx(8632.79, abs=0.005)
    assert full["q_sum"] == pytest.approx(4984.67, abs=0.005)
    assert full["s_sum"] == pytest.approx(10517.49, abs=0.005)
    assert full["pf"] == pytest.approx(0.82080, abs=5e-6)
    general, *_ = show(rms, orders=orders, general=True)
    assert general["q_sum"] == pytest.approx(math.sqrt(10517.49**2 - 8632.79**2), abs=0.01)
    fundamental, registered, *_ = show(rms, orders=orders, fundamental=True)
    assert fundamental["pf"] == pytest.approx(0.86603, abs=5e-6)
    assert registered[[0, 4, 8]] == pytest.approx([8660.25, 5000.00, 10000.0], abs=0.005)
    assert fundamental["thd_v1"] == pytest.approx(0.17720, abs=5e-6)
    assert fundamental["thd_i1"] == pytest.approx(0.26926, abs=5e-6)


def test_pickup_is_ten_volts_and_five_milliamperes():
    assert show(phasors(9.99, 4.0))[0]["v1"] == 0.0
    assert show(phasors(9.99, 4.0))[0]["frequency"] == 0.0
    assert show(phasors(10.01, 4.0))[0]["frequency"] == 50.0
    assert show(phasors(230.0, 0.00499))[1].tolist() == [0.0] * 12
    # IEC 62053-22: the meter starts at 0.001 of 5 A.
    assert show(phasors(230.0, 0.00501))[1][0] == pytest.approx(230 * 0.00501)


def test_an_unloaded_meter_shows_unity_power_factor():
    # KW320 manual 5.1.7.2: the dashboard of an unloaded meter reads 1.000 PF at 0.000 kVA.
    assert show(phasors(230.0, 0.0))[0]["pf"] == 1.0


def test_primary_values_scale_by_dimension():
    expected = {
        **dict.fromkeys(("v1", "v12", "vll_avg"), 100.0),
        **dict.fromkeys(("i1", "i_n", "i_avg", "i1_demand"), 40.0),
        **dict.fromkeys(("p1", "p_sum", "q1", "s_sum", "p_demand", "s_demand"), 4000.0),
        **dict.fromkeys(("pf", "thd_v1", "thd_i1", "v_unbalance", "i_unbalance", "frequency"), 1.0),
        **dict.fromkeys(("load_type", "angle_v2_v1"), 1.0),
    }
    found = {name: primary_factor(COLUMN[name], pt_ratio=100.0, ct_ratio=40.0) for name in expected}
    assert found == expected

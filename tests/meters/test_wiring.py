"""Every wiring against the phasors of what is connected: sums over orders, written out, no metrology."""

import cmath
import itertools
import math
from dataclasses import replace

import pytest

from tests.meters.feed import SECOND, SETTINGS, T0
from tests.meters.kw320_site import (
    difference,
    k_factor,
    largest_sample,
    polar,
    rms,
    root_of_squares,
    segment,
    sequence,
    total,
)
from twin.meters.bank import MeterBank

VOLTS = (
    {1: polar(240, 5), 3: polar(6, 40), 5: polar(9, -70)},
    {1: polar(230, -118), 3: polar(5, 160), 7: polar(4, 60)},
    {1: polar(220, 121), 5: polar(7, 190), 11: polar(3, 77)},
)
"""RMS phasors of va, vb, vc by order; unbalanced, with a zero sequence [V]."""
_A = {1: polar(4.0, -25), 5: polar(0.3, -150), 7: polar(0.2, 33)}
_C = {1: polar(3.0, 88), 5: polar(0.25, 75), 11: polar(0.1, 10)}
THREE_WIRE = (_A, {h: -x for h, x in total([_A, _C]).items()}, _C)
"""Currents without a neutral: they sum to zero."""
FOUR_WIRE = (_A, {1: polar(3.5, -150), 3: polar(0.4, 10)}, _C)
PHASES = {"3LN": 3, "1LL": 2, "1LN": 1}
CURRENTS = ("3CT", "2CT", "1CT")


def bank_of(volts, amperes, **settings):
    settings |= {"installed_wiring": settings.get("installed_wiring", settings.get("wiring", "3LN"))}
    currents = settings.get("installed_current_wiring", settings.get("current_wiring", "3CT"))
    bank = MeterBank([replace(SETTINGS, installed_current_wiring=currents, **settings)], start_ns=T0)
    bank.advance(segment(volts, amperes, start_ns=T0), T0 + 3600 * SECOND)
    return bank


def turned(channel, thirds):
    """The current of a neighbour phase in a balanced load: every order a third of a cycle later."""
    return {h: x * cmath.exp(-2j * math.pi / 3 * h * thirds) for h, x in channel.items()}


def reckoned(amperes, wiring, current_wiring):
    """What a meter knows of the currents."""
    a, b, c = amperes
    if wiring == "1LN":
        return (a, {}, {})
    if wiring == "1LL":
        return (a, {h: -x for h, x in a.items()} if current_wiring == "1CT" else b, {})
    if current_wiring == "2CT":
        return (a, {h: -x for h, x in total([a, c]).items()}, c)
    return (a, turned(a, 1), turned(a, 2)) if current_wiring == "1CT" else (a, b, c)


def product(v, i):
    """Complex power by order."""
    return {h: v[h] * i[h].conjugate() for h in v.keys() & i.keys()}


def power(v, i):
    orders = product(v, i)
    return sum(x.real for x in orders.values()), sum(x.imag for x in orders.values())


def thd(channel):
    return root_of_squares(channel, lambda order: True)


def angle(channel, reference):
    return math.degrees(cmath.phase(channel[1]) - cmath.phase(reference[1])) % 360


@pytest.mark.parametrize(("wiring", "current_wiring"), [*itertools.product(["3LN", "1LL", "1LN"], CURRENTS)])
def test_phases_to_neutral(wiring, current_wiring):
    phases = PHASES[wiring]
    amperes = reckoned(FOUR_WIRE, wiring, current_wiring)
    shown = bank_of(VOLTS, FOUR_WIRE, wiring=wiring, current_wiring=current_wiring).basic(0)
    sums = [0.0, 0.0, 0.0]
    for k in range(3):
        name = str(k + 1)
        if k >= phases:
            absent = ("v", "i", "p", "q", "s", "pf", "thd_v", "thd_i")
            assert [shown[one + name] for one in absent] == [0.0] * len(absent)
            assert not shown[f"v{name}_harmonics"].any()
            assert (shown[f"v{name}_crest"], shown[f"i{name}_k_factor"]) == (0.0, 0.0)
            continue
        v, i = VOLTS[k], amperes[k]
        p, q = power(v, i)
        s = rms(v) * rms(i)
        assert shown["v" + name] == pytest.approx(rms(v))
        assert shown["i" + name] == pytest.approx(rms(i))
        assert (shown["p" + name], shown["q" + name]) == pytest.approx((p, q))
        assert (shown["s" + name], shown["pf" + name]) == pytest.approx((s, p / s))
        assert shown["thd_v" + name] == pytest.approx(thd(v))
        assert shown["thd_i" + name] == pytest.approx(thd(i))
        assert shown[f"i{name}_k_factor"] == pytest.approx(k_factor(i))
        sums = [before + more for before, more in zip(sums, (p, q, s), strict=True)]
    assert (shown["p_sum"], shown["q_sum"], shown["s_sum"]) == pytest.approx(tuple(sums))
    assert shown["pf"] == pytest.approx(sums[0] / sums[2])
    assert shown["v_avg"] == pytest.approx(sum(rms(v) for v in VOLTS[:phases]) / phases)
    assert shown["i_avg"] == pytest.approx(sum(rms(i) for i in amperes[:phases]) / phases)
    assert shown["i_n"] == pytest.approx(0.0 if phases == 1 else rms(total(amperes)), abs=1e-9)
    pairs = {3: ("v12", "v23", "v31"), 2: ("v12",), 1: ()}[phases]
    lines = {"v12": (0, 1), "v23": (1, 2), "v31": (2, 0)}
    expected = {name: rms(difference(VOLTS[a], VOLTS[b])) for name, (a, b) in lines.items()}
    for name in lines:
        assert shown[name] == pytest.approx(expected[name] if name in pairs else 0.0)
    average = sum(expected[name] for name in pairs) / len(pairs) if pairs else 0.0
    assert shown["vll_avg"] == pytest.approx(average)
    if phases < 3:
        gone = ("v_unbalance", "i_unbalance", "angle_v3_v1", "angle_i3_v1", "ua_positive_real")
        assert [shown[name] for name in gone] == [0.0] * len(gone)
    else:
        positive, negative, _ = sequence(amperes)
        assert shown["i_unbalance"] == pytest.approx(abs(negative) / abs(positive), abs=1e-12)
    assert shown["angle_i1_v1"] == pytest.approx(angle(amperes[0], VOLTS[0]))
    assert shown["frequency"] == pytest.approx(50.0)


@pytest.mark.parametrize(("wiring", "current_wiring"), [*itertools.product(["2LL", "3LL"], CURRENTS)])
def test_line_voltages(wiring, current_wiring):
    amperes = reckoned(THREE_WIRE, wiring, current_wiring)
    bank = bank_of(VOLTS, THREE_WIRE, wiring=wiring, current_wiring=current_wiring)
    shown = bank.basic(0)
    for name in ("v1", "v2", "v3", "v_avg", "i_n", "p1", "p2", "p3", "q1", "s3", "pf1", "pf2", "pf3"):
        assert shown[name] == 0.0, name
    v12, v23, v31 = (difference(VOLTS[a], VOLTS[b]) for a, b in ((0, 1), (1, 2), (2, 0)))
    assert [shown[name] for name in ("v12", "v23", "v31")] == pytest.approx([rms(v12), rms(v23), rms(v31)])
    assert [shown[f"i{k}"] for k in (1, 2, 3)] == pytest.approx([rms(i) for i in amperes])
    # Blondel: two elements, against B, measure what three phases consume.
    two = [power(v12, amperes[0]), power({h: -x for h, x in v23.items()}, amperes[2])]
    p, q = (sum(part) for part in zip(*two, strict=True))
    if current_wiring != "1CT":
        three = [power(v, i) for v, i in zip(VOLTS, THREE_WIRE, strict=True)]
        assert (p, q) == pytest.approx(tuple(sum(part) for part in zip(*three, strict=True)))
    volts = math.sqrt((rms(v12) ** 2 + rms(v23) ** 2 + rms(v31) ** 2) / 9)
    s = 3 * volts * math.sqrt(sum(rms(i) ** 2 for i in amperes) / 3)
    assert (shown["p_sum"], shown["q_sum"], shown["s_sum"]) == pytest.approx((p, q, s))
    assert shown["pf"] == pytest.approx(p / s)
    # Slots of shapes are V12, V31, V23 (6.3.7), those of angles and components V12, V23, V31 (4.3).
    for slot, line in enumerate((v12, v31, v23), start=1):
        assert shown[f"thd_v{slot}"] == pytest.approx(thd(line))
        assert shown[f"v{slot}_harmonics"][5 - 2] == pytest.approx(abs(line.get(5, 0)) / abs(line[1]))
        assert shown[f"v{slot}_crest"] == pytest.approx(largest_sample(line) / rms(line), rel=1e-9)
    assert shown["angle_v2_v1"] == pytest.approx(angle(v23, v12))
    assert shown["angle_v3_v1"] == pytest.approx(angle(v31, v12))
    assert shown["angle_i3_v1"] == pytest.approx(angle(amperes[2], v12))
    positive, negative, _ = sequence((v12, v23, v31))
    assert shown["v_unbalance"] == pytest.approx(abs(negative) / abs(positive))
    turn = cmath.exp(-1j * cmath.phase(v12[1]))
    component = complex(shown["ua_positive_real"], shown["ua_positive_imag"])
    assert component == pytest.approx(positive * turn)
    # The energies of an hour: those of the system alone, by the sign of the sum.
    energies = bank.energies(0)
    assert (energies["ep_imp"], energies["ep_exp"]) == pytest.approx((p, 0.0))
    assert (energies["eq_imp"], energies["es"]) == pytest.approx((q, s))
    assert [energies[f"ep{k}_imp"] for k in "abc"] == [0.0, 0.0, 0.0]


def test_a_resistive_load_in_open_delta_has_unity_power_factor():
    # 100 V line to line, 5 A, unity: 866.025 W; each element alone sees 30 degrees.
    volts = [{1: polar(100 / math.sqrt(3), -120 * k)} for k in range(3)]
    amperes = [{1: polar(5.0, -120 * k)} for k in range(3)]
    shown = bank_of(volts, amperes, wiring="2LL", current_wiring="2CT").basic(0)
    assert shown["p_sum"] == pytest.approx(866.0254)
    assert shown["s_sum"] == pytest.approx(866.0254)
    assert shown["q_sum"] == pytest.approx(0.0, abs=1e-9)
    assert shown["pf"] == pytest.approx(1.0)
    assert shown["v_unbalance"] == pytest.approx(0.0, abs=1e-12)


def test_a_lagging_load_in_open_delta_imports_though_one_element_exports():
    # At 75 degrees lag the element of A sees 105 degrees: its power alone is negative.
    volts = [{1: polar(100 / math.sqrt(3), -120 * k)} for k in range(3)]
    amperes = [{1: polar(5.0, -120 * k - 75)} for k in range(3)]
    energies = bank_of(volts, amperes, wiring="2LL", current_wiring="3CT").energies(0)
    assert energies["ep_imp"] == pytest.approx(866.0254 * math.cos(math.radians(75)), rel=1e-6)
    assert energies["ep_exp"] == 0.0
    assert energies["eq_imp"] == pytest.approx(866.0254 * math.sin(math.radians(75)), rel=1e-6)


@pytest.mark.parametrize("wiring", ["2LL", "3LL"])
def test_general_and_fundamental_modes_without_phases(wiring):
    v12, v23, v31 = (difference(VOLTS[a], VOLTS[b]) for a, b in ((0, 1), (1, 2), (2, 0)))
    p = sum(power(v, i)[0] for v, i in zip(VOLTS, THREE_WIRE, strict=True))
    s = math.sqrt(rms(v12) ** 2 + rms(v23) ** 2 + rms(v31) ** 2) * math.sqrt(
        sum(rms(i) ** 2 for i in THREE_WIRE) / 3
    )
    shown = bank_of(VOLTS, THREE_WIRE, wiring=wiring, reactive_mode="general").basic(0)
    assert shown["q_sum"] == pytest.approx(math.sqrt(s * s - p * p))
    bank = bank_of(VOLTS, THREE_WIRE, wiring=wiring, energy_mode="fundamental")
    first = sum(v[1] * i[1].conjugate() for v, i in zip(VOLTS, THREE_WIRE, strict=True))
    s1 = math.sqrt(abs(v12[1]) ** 2 + abs(v23[1]) ** 2 + abs(v31[1]) ** 2) * math.sqrt(
        sum(abs(i[1]) ** 2 for i in THREE_WIRE) / 3
    )
    energies = bank.energies(0)
    assert (energies["ep_imp"], energies["eq_imp"], energies["es"]) == pytest.approx(
        (first.real, first.imag, s1)
    )
    assert bank.basic(0)["pf"] == pytest.approx(first.real / s1)
    assert bank.basic(0)["p_sum"] == pytest.approx(p)

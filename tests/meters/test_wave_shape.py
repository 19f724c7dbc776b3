"""Crest, THFF, K factor, harmonics, sequence components and angles against published or hand numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import Instant, Signal
from twin.meters.bank import MeterBank
from twin.signals import synthesise

MS = 1_000_000


SEQUENCES = ("positive", "negative", "zero")


def basic(rms, *, orders=(1.0,), frequency=50.0, wiring="3LN"):
    bank = MeterBank([replace(SETTINGS, wiring=wiring)], start_ns=T0)
    feed = Feed(orders=orders, frequency=frequency, theta=0.9)
    feed.add(rms)
    feed.run(bank, SECOND)
    return bank.basic(0)


def test_thff_of_one_harmonic_by_hand():
    # 5 % of order 11 at 50 Hz: 550 Hz, weight 550/800 x 10^(-2.8/20) = 0.4981; over the total RMS.
    rms = np.hstack([phasors(), 0.05 * phasors()])
    shown = basic(rms, orders=(1.0, 11.0))
    expected = 0.05 * (550 / 800) * 10 ** (-2.8 / 20) / math.sqrt(1 + 0.05**2)
    assert shown["v1_thff"] == pytest.approx(expected, rel=1e-5)
    assert basic(phasors())["v2_thff"] == pytest.approx(50 / 800 * 10 ** (-63 / 20))


def test_k_factor_by_hand():
    # (1 + 9 x 0.09 + 25 x 0.04) / (1 + 0.09 + 0.04)
    rms = np.hstack([phasors(), 0.3 * phasors(), 0.2 * phasors()])
    assert basic(rms, orders=(1.0, 3.0, 5.0))["i2_k_factor"] == pytest.approx(2.81 / 1.13)
    assert basic(phasors(i=0.0))["i1_k_factor"] == 0.0


def test_harmonics_odd_and_even_content():
    rms = np.hstack([phasors(), 0.03 * phasors(), 0.04 * phasors(), 0.12 * phasors()])
    shown = basic(rms, orders=(1.0, 3.0, 5.0, 4.0))
    harmonics = shown["v1_harmonics"]
    assert harmonics.shape == (62,)
    assert (harmonics[1], harmonics[3], harmonics[2]) == pytest.approx((0.03, 0.04, 0.12))
    assert (shown["v1_odd"], shown["v1_even"]) == pytest.approx((0.05, 0.12))
    assert shown["thd_v1"] == pytest.approx(0.13)
    assert shown["i3_harmonics"][1] == pytest.approx(0.03)


def test_crest_factor_of_a_sine_and_of_a_peaked_wave():
    # 64 samples at multiples of 2 pi / 64 catch the peak of a cosine, and of cosines that peak together.
    assert basic(phasors())["v1_crest"] == pytest.approx(math.sqrt(2))
    same = phasors().copy()
    same[:3] = 230.0
    rms = np.hstack([same, 0.2 * same])
    assert basic(rms, orders=(1.0, 3.0))["v2_crest"] == pytest.approx(
        math.sqrt(2) * 1.2 / math.sqrt(1 + 0.04)
    )


def test_crest_factor_of_a_window_over_a_boundary():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed(theta=0.3)
    feed.add(phasors())
    feed.run(bank, 950 * MS)
    feed.add(phasors(300.0))
    feed.run(bank, 50 * MS)
    signal = Signal(tuple("abcdef"), tuple(feed.segments), feed.now)
    samples = synthesise(signal, Instant(T0 + 800 * MS), step_s=1e-5, count=20_000, channels=slice(0, 1))
    expected = np.abs(samples).max() / np.sqrt((samples**2).mean())
    # Between two samples a cosine falls by at most 1 - cos(pi / 64) = 0.12 %.
    assert bank.basic(0)["v1_crest"] == pytest.approx(expected, rel=1.3e-3)


def test_sequence_components_refer_to_phase_a():
    positive, negative, zero = 220.0, 12.0 * np.exp(1j * 0.7), 5.0 * np.exp(-1j * 1.1)
    a = np.exp(2j * np.pi / 3)
    rms = phasors()
    rms[:3, 0] = [
        positive + negative + zero,
        positive * a**2 + negative * a + zero,
        positive * a + negative * a**2 + zero,
    ]
    turn = np.exp(-1j * np.angle(rms[0, 0]))
    shown = basic(rms)
    for name, component in (("positive", positive), ("negative", negative), ("zero", zero)):
        found = shown[f"ua_{name}_real"] + 1j * shown[f"ua_{name}_imag"]
        assert found == pytest.approx(component * turn, abs=1e-9)
    assert shown["v_unbalance"] == pytest.approx(12 / 220)


def test_angles_are_ahead_of_phase_a_in_degrees():
    shown = basic(phasors(lag=math.radians(30)))
    expected = {"v2": 240.0, "v3": 120.0, "i1": 330.0, "i2": 210.0, "i3": 90.0}
    assert {name: round(shown[f"angle_{name}_v1"], 9) for name in expected} == expected


def test_a_dead_meter_shows_zeros():
    shown = basic(np.zeros((6, 1), complex))
    for name, value in shown.items():
        if name.startswith("pf"):
            assert value == 1.0
        elif name != "load_type":
            assert not np.any(value), name
    assert shown["load_type"] == ord("R")


def test_what_is_below_the_pickup_has_no_angle_and_no_sequence():
    # Appendix A: pickup 10 V, 5 mA; what reads 0 has no phase either.
    shown = basic(phasors(i=0.004))
    assert [shown[f"angle_i{k}_v1"] for k in (1, 2, 3)] == [0.0] * 3
    assert {shown[f"ia_{name}_{part}"] for name in SEQUENCES for part in ("real", "imag")} == {0.0}
    assert shown["angle_v2_v1"] == pytest.approx(240.0)
    one = phasors()
    one[4] *= 0.004 / 4.0
    shown = basic(one)
    assert [shown[f"angle_i{k}_v1"] for k in (1, 2, 3)] == pytest.approx([0.0, 0.0, 120.0])
    assert shown["ia_positive_real"] == pytest.approx((8.0 + 0.004) / 3)
    shown = basic(phasors(9.9))
    assert [shown[f"angle_{name}_v1"] for name in ("v2", "v3", "i1", "i2", "i3")] == [0.0] * 5
    assert {shown[f"ua_{name}_{part}"] for name in SEQUENCES for part in ("real", "imag")} == {0.0}
    # Line voltages above the pickup: slot 2 of the shapes is V31, of the angles V23.
    line = basic(phasors(9.9), wiring="3LL")
    assert [line["angle_v2_v1"], line["angle_v3_v1"]] == pytest.approx([240.0, 120.0])
    assert line["ua_positive_real"] == pytest.approx(9.9 * math.sqrt(3))


def test_every_displayed_name_is_a_register():
    names = set(basic(phasors()))
    expected = {
        f"{c}{k}_{what}" for k in (1, 2, 3) for c, what in (("v", "crest"), ("v", "thff"), ("i", "k_factor"))
    }
    assert expected <= names
    assert {"ia_zero_imag", "angle_i3_v1", "s_demand", "i3_demand", "thd_i_avg", "load_type"} <= names

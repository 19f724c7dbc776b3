"""Power factors, their signs by convention, and quadrants."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.waves import segment
from twin.metrology import (
    PowerFactorSign,
    displacement_power_factor,
    lags,
    leads,
    measure_steady,
    power_factor,
    quadrant,
    reading,
    signed_power_factor,
)
from twin.signals import amplitude_from_rms

S = np.array([100.0, 100.0, 100.0, 100.0])
P = np.array([80.0, -80.0, -80.0, 80.0])
Q = np.array([60.0, 60.0, -60.0, -60.0])
"""Quadrants I, II, III, IV: lag, lead, lag, lead."""


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        # The drawing of docs/numbers.md: IEC and IEEE as in the KW320 manual, 5.1.7.6.1.1, the third as in
        # that of the JEMStar II.
        (PowerFactorSign.IEC, [0.8, -0.8, -0.8, 0.8]),
        (PowerFactorSign.IEEE, [-0.8, 0.8, -0.8, 0.8]),
        (PowerFactorSign.LAG_POSITIVE, [0.8, -0.8, 0.8, -0.8]),
    ],
)
def test_signs_by_quadrant(sign, expected):
    assert signed_power_factor(P, Q, S, sign=sign).tolist() == expected


def test_quadrants_lag_and_lead():
    assert quadrant(P, Q).tolist() == [1, 2, 3, 4]
    assert lags(P, Q).tolist() == [True, False, True, False]
    assert leads(P, Q).tolist() == [False, True, False, True]


def test_on_the_axes():
    p, q = np.array([100.0, -100.0, 0.0, 0.0]), np.array([0.0, 0.0, 100.0, -100.0])
    assert quadrant(p, q).tolist() == [1, 2, 1, 4]
    assert not lags(p, q).any()
    assert signed_power_factor(p, q, S, sign=PowerFactorSign.IEC).tolist() == [1.0, -1.0, 0.0, 0.0]
    assert signed_power_factor(p, q, S, sign=PowerFactorSign.IEEE).tolist() == [1.0, 1.0, 0.0, 0.0]


def test_without_apparent_power_there_is_no_factor():
    zero = np.zeros(2)
    assert np.isnan(power_factor(zero, zero)).all()
    for sign in PowerFactorSign:
        assert np.isnan(signed_power_factor(zero, zero, zero, sign=sign)).all()


def test_rounding_does_not_exceed_one():
    assert power_factor(np.array([1.0 + 1e-15, -1.0 - 1e-15]), np.ones(2)).tolist() == [1.0, -1.0]


def test_true_and_displacement_factors_of_a_distorted_load():
    """230 V sine; current order 1 lags 30 degrees, order 3 of 75 % of it: I = 1.25 I1."""
    rows = np.zeros((6, 2), complex)
    rows[:3, 0] = 230.0
    rows[3:, 0] = 8.0 * np.exp(-1j * np.pi / 6)
    rows[3:, 1] = 6.0
    r = reading(measure_steady(segment(amplitude=amplitude_from_rms(rows), order=[1, 3])))
    cosine = np.cos(np.pi / 6)
    assert displacement_power_factor(r)[0] == pytest.approx([cosine] * 3)
    assert power_factor(r.p, r.s)[0] == pytest.approx([cosine / 1.25] * 3)
    dead = reading(measure_steady(segment(amplitude=np.zeros((6, 1)), order=[1])))
    assert np.isnan(displacement_power_factor(dead)).all()


def test_the_panel_meter_shows_the_same_sign():
    """`twin.meters` computes its own factors in a compiled loop; the definition is this one."""
    from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
    from twin.meters.bank import MeterBank

    for sign in (PowerFactorSign.IEC, PowerFactorSign.IEEE):
        expected = signed_power_factor(P, Q, S, sign=sign)
        for which, lag in enumerate((0.6435, np.pi - 0.6435, np.pi + 0.6435, -0.6435)):
            bank = MeterBank([replace(SETTINGS, convention=sign.value)], start_ns=T0)
            feed = Feed()
            feed.add(phasors(230.0, 4.0, lag))
            feed.run(bank, SECOND)
            assert bank.basic(0)["pf1"] == pytest.approx(expected[which], abs=1e-4)

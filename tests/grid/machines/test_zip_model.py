"""Voltage dependence: shares, tangents, mixtures."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.grid.machines.zip_model import ZIP_CLASSES, Zip, ZipError, mixed, zip_of_exponent


def test_the_three_pure_loads():
    assert Zip(1.0, 0.0, 0.0).power(0.9) == pytest.approx(0.81)
    assert Zip(0.0, 1.0, 0.0).power(0.9) == pytest.approx(0.9)
    assert Zip(0.0, 0.0, 1.0).power(0.9) == 1.0


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.1), (1.0, 1.0, 1.0), (math.nan, 0.0, 1.0)])
def test_shares_make_a_whole(shares):
    with pytest.raises(ZipError, match="sum to 1"):
        Zip(*shares)


@given(exponent=st.floats(-1.0, 4.0))
def test_a_tangent_agrees_to_the_third_order(exponent):
    shares = zip_of_exponent(exponent)
    assert shares.power(1.0) == pytest.approx(1.0, abs=1e-12)
    assert shares.sensitivity() == pytest.approx(exponent, abs=1e-12)
    third = abs(exponent * (exponent - 1) * (exponent - 2)) / 6 + 0.1
    assert abs(shares.power(0.97) - 0.97**exponent) < 2.0 * third * 0.03**3


def test_published_sets_are_whole_and_fall_with_voltage_near_the_rated_one():
    for name, kind in ZIP_CLASSES.items():
        assert kind.power(1000.0, 300.0, 1.0) == pytest.approx((1000.0, 300.0)), name
        assert kind.source
        assert kind.active.sensitivity() >= 0.0
        assert kind.reactive.sensitivity() >= 0.0


def test_residential_loads_give_a_few_percent_in_a_reduction_of_voltage():
    # 1.50 * 0.9025 - 2.31 * 0.95 + 1.81
    assert ZIP_CLASSES["residential"].active.power(0.95) == pytest.approx(0.96925)


def test_a_mixture_draws_the_sum_of_its_parts():
    both = mixed({"resistive": 0.4, "regulated": 0.6})
    assert both.power(1000.0, 100.0, 0.8) == pytest.approx((400 * 0.64 + 600, 40 * 0.64 + 60))
    with pytest.raises(ZipError, match="no class"):
        mixed({"coffee": 1.0})
    with pytest.raises(ZipError, match="sum to"):
        mixed({"resistive": 0.4})

"""Inverters: power kept within the current's limit, curves, and the times of ride-through and return."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twin.contracts import NS_PER_SECOND
from twin.grid.machines.inverter import (
    VOLT_VAR_1547_B,
    VOLT_WATT_1547,
    Curve,
    Inverter,
    InverterError,
    injected_current,
    set_points,
    within_rating,
)
from twin.grid.machines.ride_through import (
    EN_50549_1,
    IEEE_1547_II,
    Conditions,
    RideThrough,
    RideThroughError,
    Trip,
    advance,
    begin,
    power_share,
    see,
    time_to_event,
)

TURNS = np.exp(-2j * np.pi / 3 * np.arange(3))
THREE = Inverter(30_000.0, 230.0)
ONE = Inverter(4_600.0, 230.0, phases=1)
CALM = {"u_low": 1.0, "u_high": 1.0}


def test_at_rated_voltage_it_delivers_what_was_set():
    current = injected_current(THREE, 230.0 * TURNS, 27_000.0, 6_000.0)
    power = sum(230.0 * TURNS * np.conj(current))
    assert power == pytest.approx(27_000.0 + 6_000.0j)
    assert np.abs(current).max() < 1.1 * THREE.i_rated
    single = injected_current(ONE, [230j], 4_000.0, 0.0)
    assert 230j * np.conj(single[0]) == pytest.approx(4_000.0)


@given(
    sizes=st.lists(st.floats(0.0, 1.3), min_size=3, max_size=3),
    p=st.floats(-30e3, 30e3),
    q=st.floats(-30e3, 30e3),
)
@example(sizes=[1.0, 0.0, 1e-308], p=0.0, q=0.0)
def test_the_current_is_balanced_limited_and_never_gives_more_than_was_set(sizes, p, q):
    volts = 230.0 * np.array(sizes) * TURNS
    current = injected_current(THREE, volts, p, q)
    assert abs(current.sum()) < 1e-9
    assert np.ptp(np.abs(current)) < 1e-9
    assert np.abs(current).max() <= 1.1 * THREE.i_rated * (1 + 1e-12)
    power = complex(sum(volts * np.conj(current)))
    assert abs(power.real) <= abs(p) + 1e-6
    assert abs(power.imag) <= abs(q) + 1e-6


def test_in_a_sag_the_power_falls_with_voltage_and_the_current_stays():
    for depth in (0.3, 0.5, 0.8):
        current = injected_current(THREE, 230.0 * depth * TURNS, 30_000.0, 0.0)
        assert np.abs(current) == pytest.approx(1.1 * THREE.i_rated)
    unbalanced = injected_current(THREE, 230.0 * TURNS * np.array([1.0, 0.4, 1.0]), 30_000.0, 0.0)
    assert np.abs(unbalanced) == pytest.approx(1.1 * THREE.i_rated)
    assert (injected_current(THREE, 0.1 * TURNS, 30_000.0, 0.0) == 0).all()


def test_priority_says_what_is_cut():
    assert within_rating(8.0, 8.0, 10.0, "active") == pytest.approx((8.0, 6.0))
    assert within_rating(8.0, 8.0, 10.0, "reactive") == pytest.approx((6.0, 8.0))
    assert within_rating(-12.0, 5.0, 10.0, "active") == pytest.approx((-10.0, 0.0))
    assert within_rating(3.0, -4.0, 10.0, "active") == (3.0, -4.0)


def test_curves_between_and_beyond_their_points():
    assert VOLT_VAR_1547_B.at(0.90) == 0.44
    assert VOLT_VAR_1547_B.at(0.95) == pytest.approx(0.22)
    assert VOLT_VAR_1547_B.at(1.0) == 0.0
    assert VOLT_VAR_1547_B.at(1.05) == pytest.approx(-0.22)
    assert VOLT_WATT_1547.at(1.08) == pytest.approx(0.6)
    smart = Inverter(10_000.0, 230.0, volt_var=VOLT_VAR_1547_B, volt_watt=VOLT_WATT_1547)
    p, q = set_points(smart, 1.08, 10_000.0, 0.0)
    assert (p, q) == pytest.approx((6_000.0, -4_400.0))
    p, q = set_points(smart, 1.05, 10_000.0, 0.0)
    assert q == pytest.approx(-2_200.0)
    assert p == pytest.approx(math.sqrt(1e8 - 2_200.0**2))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Curve(()),
        lambda: Curve(((1.0, 0.0), (0.9, 1.0))),
        lambda: Inverter(0.0, 230.0),
        lambda: Inverter(1.0, 230.0, phases=2),
        lambda: injected_current(THREE, [230.0], 1.0, 0.0),
    ],
)
def test_what_cannot_be_is_refused(build):
    with pytest.raises(InverterError):
        build()


def seconds(value: float) -> int:
    return round(value * NS_PER_SECOND)


def after(rules, state, *, until: float):
    return advance(rules, state, seconds(until))


@pytest.mark.parametrize(
    ("u_pu", "trips_after"), [(0.40, 0.16), (0.60, 10.0), (0.75, None), (1.15, 2.0), (1.25, 0.16)]
)
def test_category_two_trips_at_its_times(u_pu, trips_after):
    """IEEE 1547-2018, table 12."""
    state = see(IEEE_1547_II, begin(IEEE_1547_II, 0), Conditions(u_pu, u_pu, 60.0))
    if trips_after is None:
        assert time_to_event(IEEE_1547_II, state) is None
        return
    assert time_to_event(IEEE_1547_II, state) == seconds(trips_after)
    assert advance(IEEE_1547_II, state, seconds(trips_after) - 1).mode != "tripped"
    assert advance(IEEE_1547_II, state, seconds(trips_after)).mode == "tripped"


def test_a_short_deep_sag_pauses_and_recovers():
    state = after(IEEE_1547_II, begin(IEEE_1547_II, 0), until=1.0)
    assert power_share(IEEE_1547_II, state) == 1.0
    state = see(IEEE_1547_II, state, Conditions(0.2, 0.9, 60.0))
    assert state.mode == "paused"
    assert power_share(IEEE_1547_II, state) == 0.0
    state = see(IEEE_1547_II, after(IEEE_1547_II, state, until=1.1), Conditions(**CALM, frequency=60.0))
    assert state.mode == "running"
    assert power_share(IEEE_1547_II, state) == 0.0
    assert power_share(IEEE_1547_II, after(IEEE_1547_II, state, until=1.3)) == pytest.approx(0.5)
    assert power_share(IEEE_1547_II, after(IEEE_1547_II, state, until=2.0)) == 1.0


def test_timers_start_again_when_the_voltage_was_back():
    state = see(IEEE_1547_II, begin(IEEE_1547_II, 0), Conditions(0.4, 1.0, 60.0))
    state = see(IEEE_1547_II, after(IEEE_1547_II, state, until=0.1), Conditions(**CALM, frequency=60.0))
    state = see(IEEE_1547_II, after(IEEE_1547_II, state, until=0.12), Conditions(0.4, 1.0, 60.0))
    assert time_to_event(IEEE_1547_II, state) == seconds(0.16)


def test_after_a_trip_it_waits_and_ramps():
    state = see(EN_50549_1, begin(EN_50549_1, 0), Conditions(0.4, 0.4, 50.0))
    state = after(EN_50549_1, state, until=0.5)
    assert state.mode == "tripped"
    assert state.since_ns == seconds(0.3)
    state = see(EN_50549_1, state, Conditions(0.80, 0.80, 50.0))
    assert time_to_event(EN_50549_1, state) is None
    state = see(EN_50549_1, after(EN_50549_1, state, until=10.0), Conditions(**CALM, frequency=50.0))
    assert time_to_event(EN_50549_1, state) == seconds(60.0)
    # A glimpse out of the window starts the delay again.
    state = see(EN_50549_1, after(EN_50549_1, state, until=50.0), Conditions(**CALM, frequency=50.3))
    state = see(EN_50549_1, after(EN_50549_1, state, until=51.0), Conditions(**CALM, frequency=50.0))
    state = after(EN_50549_1, state, until=111.0)
    assert state.mode == "running"
    assert power_share(EN_50549_1, state) == 0.0
    assert power_share(EN_50549_1, after(EN_50549_1, state, until=411.0)) == pytest.approx(0.5)
    # A pause in between does not jump the ramp.
    state = see(EN_50549_1, after(EN_50549_1, state, until=171.0), Conditions(0.46, 1.0, 50.0))
    assert state.mode == "paused"
    state = see(EN_50549_1, after(EN_50549_1, state, until=171.2), Conditions(**CALM, frequency=50.0))
    assert power_share(EN_50549_1, after(EN_50549_1, state, until=231.0)) == pytest.approx(0.2)
    assert power_share(EN_50549_1, after(EN_50549_1, state, until=800.0)) == 1.0


def test_frequency_trips():
    state = see(EN_50549_1, begin(EN_50549_1, 0), Conditions(**CALM, frequency=51.6))
    assert time_to_event(EN_50549_1, state) == seconds(0.2)


changes = st.lists(
    st.tuples(st.integers(1, 5 * NS_PER_SECOND), st.floats(0.0, 1.3), st.floats(46.0, 53.0)), max_size=8
)


@given(changes=changes, cut=st.integers(2, 5))
def test_the_state_does_not_depend_on_how_often_one_looks(changes, cut):
    whole = parts = begin(EN_50549_1, 0)
    for wait, u_pu, frequency in changes:
        now = Conditions(u_pu, u_pu, frequency)
        whole, parts = see(EN_50549_1, whole, now), see(EN_50549_1, parts, now)
        until = whole.time_ns + wait
        for step in range(1, cut):
            parts = advance(EN_50549_1, parts, parts.time_ns + (until - parts.time_ns) * step // cut)
        whole, parts = advance(EN_50549_1, whole, until), advance(EN_50549_1, parts, until)
        assert whole == parts
        assert 0.0 <= power_share(EN_50549_1, whole) <= 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"trips": (Trip("under_voltage", 0.5, 0.0),)},
        {"ramp": 0.0},
        {"reconnect_delay": 0.0},
        {"voltage_window": (1.1, 0.9)},
    ],
)
def test_contradicting_rules_are_refused(change):
    with pytest.raises(RideThroughError, match="own"):
        RideThrough(**{"name": "own", "trips": (), **change})

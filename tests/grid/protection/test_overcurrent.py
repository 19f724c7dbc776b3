"""Overcurrent elements: closed forms of operating and reset, and traces."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.grid import GridError
from twin.grid.protection import (
    CURVES,
    Action,
    DefiniteTime,
    InverseTime,
    Measured,
    Operation,
    OvercurrentRelay,
    OvercurrentSettings,
    measured_from_phasors,
)
from twin.grid.protection.timers import InverseTimer

DISK = InverseTime(100.0, CURVES["ieee_very_inverse"], 2.0, reset="inverse")


def phase_a(current: float) -> Measured:
    return Measured((current, 0.0, 0.0), 0.0)


def relay(**elements) -> OvercurrentRelay:
    return OvercurrentRelay(OvercurrentSettings("feeder", **elements))


def test_a_constant_current_trips_at_the_time_of_the_curve():
    device = relay(phase_time=InverseTime(100.0, CURVES["iec_b"], 0.1))
    seconds, what = device.time_to_event(phase_a(1000.0))
    assert (seconds, what) == (pytest.approx(0.15), "trip 51 a")
    assert device.time_to_event(phase_a(100.0)) is None
    assert device.time_to_event(phase_a(99.0)) is None


def test_an_evolving_fault_adds_up_shares_of_the_curve():
    """0.5 of travel at 2 x pickup and 0.5 at 10 x: half of 13.5 s and half of 1.5 s."""
    device = relay(phase_time=InverseTime(100.0, CURVES["iec_b"]))
    device.advance(phase_a(200.0), 6.75)
    assert device.time_to_event(phase_a(1000.0)) == (pytest.approx(0.75), "trip 51 a")


def test_the_disk_runs_back_and_then_trips_sooner():
    """C37.112: travel 0.75 up at 5 x, then tr/(1-M^2) down at half the pickup for a quarter of it."""
    timer = InverseTimer(DISK)
    up = 2.0 * (19.61 / 24.0 + 0.491)
    down = 2.0 * 21.6 / 0.75
    timer.advance(500.0, 0.75 * up)
    timer.advance(50.0, 0.25 * down)
    assert timer.travel == pytest.approx(0.5)
    assert timer.time_to_operate(500.0) == pytest.approx(0.5 * up)
    timer.advance(0.0, 2.0 * 21.6 * 0.5)
    assert timer.travel == pytest.approx(0.0, abs=1e-12)
    timer.advance(0.0, 1.0)
    assert timer.travel == 0.0


def test_an_instantaneous_reset_forgets_and_a_definite_one_waits():
    forgets = InverseTimer(InverseTime(100.0, CURVES["iec_b"]))
    waits = InverseTimer(InverseTime(100.0, CURVES["iec_b"], reset="definite", reset_time=2.0))
    for timer in (forgets, waits):
        timer.advance(1000.0, 0.75)
        timer.advance(0.0, 1.5)
    assert forgets.time_to_operate(1000.0) == pytest.approx(1.5)
    assert waits.time_to_operate(1000.0) == pytest.approx(0.75)
    waits.advance(1000.0, 0.15)
    waits.advance(0.0, 1.0)
    # The pickup in between has started the wait afresh.
    assert waits.travel == pytest.approx(0.6)
    waits.advance(0.0, 1.0)
    assert waits.travel == 0.0


def test_between_dropout_and_pickup_a_started_element_holds():
    timer = InverseTimer(InverseTime(100.0, CURVES["iec_b"], dropout_ratio=0.95))
    timer.advance(97.0, 1.0)
    assert not timer.started
    timer.advance(1000.0, 0.75)
    timer.advance(97.0, 100.0)
    assert (timer.started, timer.travel) == (True, pytest.approx(0.5))
    timer.advance(94.0, 0.001)
    assert (timer.started, timer.travel) == (False, 0.0)


def test_a_disk_knows_no_dropout():
    timer = InverseTimer(InverseTime(100.0, CURVES["iec_e"], reset="inverse", dropout_ratio=0.9))
    timer.advance(500.0, 0.5)
    before = timer.travel
    timer.advance(95.0, 1.0)
    assert timer.travel == pytest.approx(before - (1.0 - 0.95**2) / 21.6)


def test_start_multiple_minimum_time_and_limit():
    settings = InverseTime(
        100.0, CURVES["iec_a"], 0.1, start_multiple=1.3, minimum_time=0.25, multiple_limit=20.0
    )
    assert settings.operating_time(125.0) == math.inf
    assert settings.operating_time(130.0) == pytest.approx(0.014 / (1.3**0.02 - 1.0))
    assert settings.operating_time(1500.0) == pytest.approx(0.25, rel=0.02)
    # 0.1 x 2.267 s at the limit is less than the minimum.
    assert settings.operating_time(5000.0) == 0.25


def test_definite_time_runs_between_dropout_and_pickup():
    device = relay(phase_instantaneous=DefiniteTime(500.0, 0.2, dropout_ratio=0.9))
    device.advance(phase_a(500.0), 0.05)
    assert device.time_to_event(phase_a(460.0)) == (pytest.approx(0.15), "trip 50 a")
    assert device.time_to_event(phase_a(440.0)) is None


def test_the_earliest_element_trips():
    """Phase b by 50, the residual by 51N before phase c by 51."""
    device = relay(
        phase_time=InverseTime(100.0, CURVES["iec_b"]),
        phase_instantaneous=DefiniteTime(2000.0),
        residual_time=InverseTime(20.0, CURVES["iec_b"]),
        residual_instantaneous=DefiniteTime(1500.0, 0.05),
    )
    assert device.time_to_event(Measured((0.0, 2500.0, 0.0), 2500.0)) == (0.0, "trip 50 b")
    # 600 A is 30 x the residual pickup, and the time stays from 20 x up.
    assert device.time_to_event(Measured((0.0, 0.0, 600.0), 600.0)) == (
        pytest.approx(13.5 / 19.0),
        "trip 51N",
    )
    assert device.time_to_event(Measured((0.0, 0.0, 600.0), 0.0)) == (pytest.approx(2.7), "trip 51 c")
    assert device.time_to_event(Measured((0.0, 0.0, 600.0), 1500.0)) == (0.05, "trip 50N")


def test_a_trip_stays_until_the_current_is_gone():
    device = relay(phase_time=InverseTime(100.0, CURVES["iec_b"], 0.1))
    device.advance(phase_a(1000.0), 0.15)
    assert device.fire("trip 51 a") == Action(Operation.OPEN, "abc", "trip 51 a")
    assert device.time_to_event(phase_a(1000.0)) is None
    device.advance(phase_a(1000.0), 0.06)
    assert device.tripped
    device.advance(phase_a(0.0), 0.5)
    assert not device.tripped
    assert device.time_to_event(phase_a(1000.0)) == (pytest.approx(0.15), "trip 51 a")


def test_phasors_give_the_residual_current():
    a = complex(-0.5, math.sqrt(3.0) / 2.0)
    balanced = measured_from_phasors((10.0, 10.0 * a**2, 10.0 * a))
    assert balanced.residual == pytest.approx(0.0, abs=1e-12)
    assert balanced.currents == pytest.approx((10.0, 10.0, 10.0))
    earth = measured_from_phasors((10.0 + 90.0j, 10.0 * a**2, 10.0 * a), (230.0, 0.0, 1j))
    assert earth.residual == pytest.approx(90.0)
    assert earth.voltages == (230.0, 0.0, 1.0)


currents = st.floats(0.0, 5000.0)
pieces = st.lists(st.tuples(currents, st.floats(1e-6, 5.0)), min_size=1, max_size=6)
settings_of_all_kinds = st.sampled_from(
    [
        InverseTime(100.0, CURVES["iec_a"], 0.5),
        InverseTime(100.0, CURVES["iec_c"], 1.0, dropout_ratio=0.9, reset="definite", reset_time=1.0),
        DISK,
        InverseTime(100.0, CURVES["ieee_extremely_inverse"], 5.0, reset="inverse", minimum_time=0.1),
        DefiniteTime(100.0, 3.0, dropout_ratio=0.9),
    ]
)


@given(settings_of_all_kinds, pieces, st.lists(st.floats(0.0, 1.0), max_size=4), currents)
def test_cutting_time_changes_nothing(settings, history, cuts, current):
    """Any history in one piece each, or cut anywhere: the same time to trip."""
    whole, cut = relay(phase_time=settings), relay(phase_time=settings)
    for value, seconds in history:
        whole.advance(phase_a(value), seconds)
        edges = [0.0, *sorted(c * seconds for c in cuts), seconds]
        for start, end in itertools.pairwise(edges):
            cut.advance(phase_a(value), end - start)
    one, other = whole.time_to_event(phase_a(current)), cut.time_to_event(phase_a(current))
    assert (one is None) == (other is None)
    if one is not None:
        assert other[1] == one[1]
        assert other[0] == pytest.approx(one[0], rel=1e-9, abs=1e-9)


@given(settings_of_all_kinds, pieces, currents, currents)
def test_more_current_never_trips_later(settings, history, low, high):
    device = relay(phase_time=settings)
    for value, seconds in history:
        device.advance(phase_a(value), seconds)
    low, high = sorted((low, high))
    slow, fast = device.time_to_event(phase_a(low)), device.time_to_event(phase_a(high))
    assert slow is None or (fast is not None and fast[0] <= slow[0] * (1 + 1e-12))


@given(settings_of_all_kinds, pieces, st.floats(101.0, 5000.0))
def test_waiting_for_the_time_brings_the_event(settings, history, current):
    """After the announced time it is due, to rounding; waiting longer keeps it due."""
    device = relay(phase_time=settings)
    for value, seconds in history:
        device.advance(phase_a(value), seconds)
    seconds, what = device.time_to_event(phase_a(current))
    device.advance(phase_a(current), seconds)
    assert device.time_to_event(phase_a(current)) == (pytest.approx(0.0, abs=1e-9), what)
    device.advance(phase_a(current), 1.0)
    assert device.time_to_event(phase_a(current)) == (0.0, what)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pickup": 0.0}, "pickup = 0.0 cannot be; give a finite number above zero"),
        ({"pickup": math.nan}, "pickup = nan"),
        ({"time_dial": -1.0}, "time_dial"),
        ({"minimum_time": -0.1}, "minimum_time"),
        ({"reset": "slow"}, "reset = 'slow' cannot be; choose one of instantaneous, definite, inverse"),
        ({"reset": "inverse"}, "no reset constant"),
        ({"dropout_ratio": 1.1}, "dropout_ratio"),
        ({"start_multiple": 0.9}, "start_multiple"),
        ({"multiple_limit": 1.0}, "multiple_limit"),
    ],
)
def test_refused_settings(change, message):
    with pytest.raises(GridError, match=message):
        InverseTime(**{"pickup": 100.0, "curve": CURVES["iec_a"], **change})


def test_refused_relays_and_events():
    with pytest.raises(GridError, match="feeder: phase_time = None cannot be; set at least one element"):
        relay()
    with pytest.raises(GridError, match="feeder: event = 'trip 50N' cannot be; events now are: trip 51 a"):
        relay(phase_time=DISK).fire("trip 50N")
    with pytest.raises(GridError, match=r"definite-time element: delay = -0\.1"):
        DefiniteTime(100.0, -0.1)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"currents": (1.0, -1.0, 0.0)}, "currents"),
        ({"residual": math.nan}, "residual"),
        ({"voltages": (math.inf, 0.0, 0.0)}, "voltages"),
        ({"frequency": -50.0}, "frequency"),
        ({"rocof": math.inf}, "rocof"),
    ],
)
def test_what_no_instrument_shows_is_refused(fields, name):
    with pytest.raises(GridError, match=f"measured values: {name} = "):
        Measured(**fields)

"""Reclosers: traces of sequences, reclaim, lockout, and what they can never do."""

import itertools

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
    Recloser,
    RecloserSettings,
    RecloserState,
    Shot,
    fast_and_slow,
)

FAST = Shot(InverseTime(200.0, CURVES["ieee_very_inverse"], 0.1), DefiniteTime(50.0, 0.1))
SLOW = Shot(InverseTime(200.0, CURVES["ieee_very_inverse"], 1.0), DefiniteTime(50.0, 2.0))
SETTINGS = fast_and_slow("R1", fast=FAST, slow=SLOW, dead_times=(0.5, 2.0, 5.0), reset_time=30.0)

FAULT = Measured((0.0, 1000.0, 1000.0))
LOAD = Measured((80.0, 80.0, 80.0))
DEAD = Measured(energised=True)
FAST_TIME = 0.1 * (19.61 / 24.0 + 0.491)
SLOW_TIME = 10.0 * FAST_TIME


def step(recloser: Recloser, measured: Measured) -> tuple[float, str, Action]:
    seconds, what = recloser.time_to_event(measured)
    recloser.advance(measured, seconds)
    return seconds, what, recloser.fire(what)


def test_a_permanent_fault_goes_through_all_shots_to_lockout():
    recloser = Recloser(SETTINGS)
    trace = [step(recloser, FAULT if recloser.closed else DEAD) for _ in range(7)]
    assert [(what, action.operation) for _, what, action in trace] == [
        ("trip 51 b", Operation.OPEN),
        ("reclose", Operation.CLOSE),
        ("trip 51 b", Operation.OPEN),
        ("reclose", Operation.CLOSE),
        ("trip 51 b", Operation.OPEN),
        ("reclose", Operation.CLOSE),
        ("lockout 51 b", Operation.LOCKOUT),
    ]
    assert [seconds for seconds, _, _ in trace] == pytest.approx(
        [FAST_TIME, 0.5, FAST_TIME, 2.0, SLOW_TIME, 5.0, SLOW_TIME]
    )
    assert recloser.state is RecloserState.LOCKOUT
    assert recloser.time_to_event(FAULT) is None
    with pytest.raises(
        GridError, match="R1: event = 'reclose' cannot be; events now are: none, it is locked out"
    ):
        recloser.fire("reclose")


def test_a_temporary_fault_is_forgotten_after_the_reset_time():
    recloser = Recloser(SETTINGS)
    step(recloser, FAULT)
    step(recloser, DEAD)
    assert step(recloser, LOAD) == (pytest.approx(30.0), "reset", Action(Operation.NONE, cause="reset"))
    assert (recloser.trips, recloser.time_to_event(LOAD)) == (0, None)


def test_after_a_reset_the_first_shot_is_the_first_again():
    recloser = Recloser(SETTINGS)
    for _ in range(3):
        step(recloser, FAULT)
        step(recloser, DEAD)
    assert recloser.time_to_event(FAULT) == (pytest.approx(SLOW_TIME), "lockout 51 b")
    step(recloser, LOAD)
    assert recloser.time_to_event(FAULT) == (pytest.approx(FAST_TIME), "trip 51 b")


def test_a_trip_without_delay_starts_the_reset_time_again():
    at_once = Shot(phase_instantaneous=DefiniteTime(800.0))
    recloser = Recloser(RecloserSettings("R3", (at_once,) * 3, (1.0, 1.0), 10.0))
    step(recloser, FAULT)
    step(recloser, DEAD)
    recloser.advance(LOAD, 9.0)
    step(recloser, FAULT)
    step(recloser, DEAD)
    assert recloser.time_to_event(LOAD) == (10.0, "reset")


def test_a_pickup_starts_the_reset_time_again():
    recloser = Recloser(SETTINGS)
    step(recloser, FAULT)
    step(recloser, DEAD)
    recloser.advance(LOAD, 29.0)
    assert recloser.time_to_event(LOAD) == (pytest.approx(1.0), "reset")
    recloser.advance(Measured((250.0, 0.0, 0.0)), 0.2)
    assert recloser.time_to_event(LOAD) == (30.0, "reset")


def test_an_earth_fault_trips_by_the_ground_element():
    recloser = Recloser(SETTINGS)
    earth = Measured((150.0, 80.0, 80.0), residual=70.0)
    assert step(recloser, earth)[:2] == (0.1, "trip 50N")


def test_the_first_shot_may_trip_at_once_and_the_next_ones_wait():
    """A reclosing relay: 50 and 51 in the first shot, 51 alone in the second, which is the last."""
    first = Shot(
        SLOW.phase, phase_instantaneous=DefiniteTime(800.0), ground_instantaneous=DefiniteTime(400.0, 0.05)
    )
    relay = Recloser(RecloserSettings("79", (first, Shot(SLOW.phase)), (1.0,), 10.0))
    assert relay.time_to_event(Measured((700.0, 0.0, 0.0)))[1] == "trip 51 a"
    assert relay.time_to_event(Measured((700.0, 0.0, 0.0), 700.0)) == (0.05, "trip 50N")
    assert step(relay, FAULT)[:2] == (0.0, "trip 50 b")
    step(relay, DEAD)
    assert relay.time_to_event(FAULT) == (pytest.approx(SLOW_TIME), "lockout 51 b")


def test_a_shot_starts_from_rest():
    """What the disk of the shot before had travelled is no part of the next shot."""
    recloser = Recloser(SETTINGS)
    mixed = Measured((900.0, 1000.0, 0.0))
    step(recloser, mixed)
    step(recloser, DEAD)
    assert recloser.time_to_event(FAULT)[0] == pytest.approx(FAST_TIME)


def test_by_hand():
    recloser = Recloser(SETTINGS)
    assert recloser.open_by_hand().operation is Operation.LOCKOUT
    assert recloser.time_to_event(DEAD) is None
    assert recloser.close_by_hand() == Action(Operation.CLOSE, cause="by hand")
    assert recloser.time_to_event(FAULT) == (pytest.approx(FAST_TIME), "trip 51 b")


def test_a_single_shot_locks_out_at_once():
    recloser = Recloser(RecloserSettings("R2", (FAST,), (), 10.0))
    assert recloser.time_to_event(FAULT) == (pytest.approx(FAST_TIME), "lockout 51 b")


measured_values = st.builds(
    lambda i, j, residual: Measured((i, j, 0.0), residual),
    st.floats(0.0, 2000.0),
    st.floats(0.0, 2000.0),
    st.floats(0.0, 300.0),
)


@given(st.lists(st.tuples(measured_values, st.floats(0.001, 40.0)), max_size=25))
def test_it_never_trips_more_often_than_it_has_shots(history):
    """Whatever flows: at most four trips between two resets, the last locks out; it closes only when open."""
    recloser = Recloser(SETTINGS)
    trips, open_poles = 0, False
    for value, duration in history:
        left = duration
        while True:
            measured = DEAD if open_poles else value
            event = recloser.time_to_event(measured)
            if event is None or event[0] > left:
                recloser.advance(measured, left)
                break
            seconds, what = event
            recloser.advance(measured, seconds)
            left -= seconds
            action = recloser.fire(what)
            if action.operation is Operation.CLOSE:
                assert open_poles
                open_poles = False
            elif action.operation in {Operation.OPEN, Operation.LOCKOUT}:
                assert not open_poles
                open_poles, trips = True, trips + 1
                assert (action.operation is Operation.LOCKOUT) == (trips == 4)
            else:
                trips = 0
            assert recloser.closed is not open_poles
            assert trips <= 4


@given(
    st.lists(st.tuples(measured_values, st.floats(1e-6, 3.0)), max_size=5),
    st.lists(st.floats(0.0, 1.0), max_size=4),
    measured_values,
)
def test_cutting_time_changes_nothing(history, cuts, value):
    whole, cut = Recloser(SETTINGS), Recloser(SETTINGS)
    for recloser in (whole, cut):
        step(recloser, FAULT)
        step(recloser, DEAD)
    for piece, seconds in history:
        whole.advance(piece, seconds)
        for start, end in itertools.pairwise([0.0, *sorted(c * seconds for c in cuts), seconds]):
            cut.advance(piece, end - start)
    one, other = whole.time_to_event(value), cut.time_to_event(value)
    assert (one is None) == (other is None)
    if one is not None:
        assert other[0] == pytest.approx(one[0], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shots": ()}, "shots = "),
        ({"dead_times": (0.5,)}, "dead_times = .*give 3: one between two shots"),
        ({"dead_times": (0.5, 0.0, 5.0)}, r"dead_times\[1\] = 0\.0"),
        ({"reset_time": -1.0}, "reset_time"),
    ],
)
def test_refused_settings(change, message):
    settings = {"shots": SETTINGS.shots, "dead_times": SETTINGS.dead_times, "reset_time": 30.0, **change}
    with pytest.raises(GridError, match=f"R1: {message}"):
        RecloserSettings("R1", **settings)


def test_refused_shots():
    with pytest.raises(GridError, match="recloser shot: phase = None"):
        Shot()
    with pytest.raises(GridError, match="R1: fast_shots = -1"):
        fast_and_slow("R1", fast=FAST, slow=SLOW, fast_shots=-1, dead_times=(), reset_time=1.0)

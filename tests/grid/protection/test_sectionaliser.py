"""Sectionalisers: what counts, when they open, what they forget."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.grid import GridError
from twin.grid.protection import Action, Measured, Operation, Sectionaliser, SectionaliserSettings

SETTINGS = SectionaliserSettings(
    "S1", 160.0, counts=2, memory_time=60.0, ground_current=30.0, opening_delay=0.1
)
FAULT = Measured((0.0, 1000.0, 0.0), 1000.0)
EARTH = Measured((50.0, 50.0, 80.0), 40.0)
LOAD = Measured((80.0, 80.0, 80.0))
IDLE = Measured()
DEAD = Measured(energised=False)


def after(*pieces: tuple[Measured, float]) -> Sectionaliser:
    device = Sectionaliser(SETTINGS)
    for measured, seconds in pieces:
        device.advance(measured, seconds)
    return device


def test_it_opens_in_the_dead_time_after_its_counts():
    device = after((LOAD, 5.0), (FAULT, 0.2), (DEAD, 0.5), (FAULT, 0.2))
    assert device.time_to_event(DEAD) == (0.1, "open")
    device.advance(DEAD, 0.04)
    assert device.time_to_event(DEAD) == (pytest.approx(0.06), "open")
    device.advance(DEAD, 0.06)
    assert device.fire("open") == Action(Operation.LOCKOUT, cause="open")
    assert device.time_to_event(DEAD) is None
    with pytest.raises(GridError, match="S1: event = 'open' cannot be; events now are: none, it is open"):
        device.fire("open")
    assert device.close_by_hand().operation is Operation.CLOSE
    assert (device.opened, device.count) == (False, 0)


def test_it_never_opens_under_current():
    device = after((FAULT, 0.2), (DEAD, 0.5), (FAULT, 0.2), (DEAD, 0.05))
    assert device.count == 2
    assert device.time_to_event(FAULT) == (pytest.approx(59.95), "forget")
    device.advance(FAULT, 0.2)
    assert device.time_to_event(DEAD) == (0.1, "open")


def test_an_interruption_without_overcurrent_is_no_count():
    assert after((LOAD, 1.0), (DEAD, 1.0), (LOAD, 1.0), (DEAD, 1.0)).count == 0


def test_a_fault_cleared_downstream_is_no_count():
    """The line stays live: neither no load at all nor a later dead line counts."""
    assert after((FAULT, 0.2), (IDLE, 1.0), (DEAD, 1.0)).count == 0


def test_one_dead_time_is_one_count_and_a_residual_current_arms():
    device = after((EARTH, 0.2), (DEAD, 0.1), (DEAD, 0.1))
    assert device.count == 1


def test_it_forgets_after_the_memory_time_since_the_last_count():
    device = after((FAULT, 0.2), (DEAD, 0.5))
    assert device.time_to_event(LOAD) == (pytest.approx(59.5), "forget")
    device.advance(LOAD, 59.5)
    assert device.fire("forget") == Action(Operation.NONE, cause="forget")
    assert device.count == 0
    device.advance(FAULT, 0.2)
    assert device.time_to_event(DEAD) == (60.0, "forget")


def test_every_count_starts_the_memory_time_again():
    settings = SectionaliserSettings("S3", 160.0, counts=3, memory_time=60.0)
    device = Sectionaliser(settings)
    for measured, seconds in ((FAULT, 0.2), (DEAD, 30.0), (FAULT, 0.2)):
        device.advance(measured, seconds)
    assert device.time_to_event(FAULT) == (pytest.approx(29.8), "forget")
    assert device.time_to_event(DEAD) == (60.0, "forget")
    device.advance(DEAD, 1.0)
    assert device.time_to_event(LOAD) == (59.0, "forget")


def test_a_line_that_carries_current_is_not_dead():
    """Fed from behind: no count, and no opening."""
    fed = Measured((20.0, 0.0, 0.0), energised=False)
    assert after((FAULT, 0.2), (fed, 1.0)).count == 0
    assert after((FAULT, 0.2), (DEAD, 0.5), (FAULT, 0.2), (DEAD, 0.05)).time_to_event(fed)[1] == "forget"


values = st.sampled_from([FAULT, EARTH, LOAD, IDLE, DEAD])


@given(
    st.lists(st.tuples(values, st.floats(1e-6, 20.0)), max_size=8),
    st.lists(st.floats(0.0, 1.0), max_size=4),
    values,
)
def test_cutting_time_changes_nothing(history, cuts, value):
    whole, cut = Sectionaliser(SETTINGS), Sectionaliser(SETTINGS)
    for piece, seconds in history:
        whole.advance(piece, seconds)
        for start, end in itertools.pairwise([0.0, *sorted(c * seconds for c in cuts), seconds]):
            cut.advance(piece, end - start)
    assert (whole.count, whole.armed) == (cut.count, cut.armed)
    one, other = whole.time_to_event(value), cut.time_to_event(value)
    assert (one is None) == (other is None)
    if one is not None:
        assert other == (pytest.approx(one[0], abs=1e-9), one[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actuating_current": 0.0}, "actuating_current"),
        ({"ground_current": -1.0}, "ground_current"),
        ({"counts": 0}, "counts = 0 cannot be; give a number of 1 or more"),
        ({"memory_time": 0.0}, "memory_time"),
        ({"dead_current": 200.0}, "give less than actuating_current"),
        ({"opening_delay": 60.0}, "give less than memory_time"),
    ],
)
def test_refused_settings(change, message):
    with pytest.raises(GridError, match=f"S1: .*{message}"):
        SectionaliserSettings(
            "S1", **{"actuating_current": 160.0, "counts": 2, "memory_time": 60.0, **change}
        )

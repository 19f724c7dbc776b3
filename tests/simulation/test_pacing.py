"""Pacing: an absolute schedule that neither drifts nor jumps."""

import pytest

from twin.simulation.pacing import FASTEST, Pacer, parse_speed

S = 10**9


class Wall:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def wall():
    return Wall()


def test_it_stands_until_resumed(wall):
    pacer = Pacer(5 * S, wall=wall)
    wall.now += 10
    assert (pacer.due_ns(), pacer.paused) == (5 * S, True)
    assert pacer.wall_until(6 * S) == float("inf")
    pacer.resume(5 * S)
    wall.now += 2
    assert pacer.due_ns() == 7 * S


def test_a_trace_of_speeds_and_pauses(wall):
    pacer = Pacer(0, speed=10, wall=wall)
    trace = []
    pacer.resume(0)
    wall.now += 1
    trace.append(pacer.due_ns())
    pacer.set_speed(0.5, 10 * S)
    wall.now += 4
    trace.append(pacer.due_ns())
    pacer.pause(12 * S)
    wall.now += 100
    trace.append(pacer.due_ns())
    pacer.resume(12 * S)
    wall.now += 2
    trace.append(pacer.due_ns())
    assert trace == [10 * S, 12 * S, 12 * S, 13 * S]


def test_it_does_not_drift_over_a_day(wall):
    pacer = Pacer(0, wall=wall)
    pacer.resume(0)
    for _ in range(864):
        wall.now += 100.0
        pacer.due_ns()
    assert pacer.due_ns() == 86_400 * S


def test_wall_until_is_negative_when_overdue(wall):
    pacer = Pacer(0, speed=2, wall=wall)
    pacer.resume(0)
    wall.now += 3
    assert pacer.wall_until(8 * S) == pytest.approx(1.0)
    assert pacer.wall_until(4 * S) == pytest.approx(-1.0)


@pytest.mark.parametrize("speed", [0.0, -1.0, 0.09, 1001.0, float("nan")])
def test_speeds_out_of_range(wall, speed):
    with pytest.raises(ValueError, match=r"is not between 0\.1 and 1000; choose one that is"):
        Pacer(0, wall=wall).set_speed(speed, 0)


def test_as_fast_as_possible_waits_for_nothing(wall):
    pacer = Pacer(0, speed=FASTEST, wall=wall)
    assert pacer.wall_until(S) == float("inf")
    pacer.resume(0)
    assert pacer.due_ns() > 100 * 365 * 86400 * S
    assert pacer.wall_until(10**6 * S) == 0.0
    pacer.set_speed(2.0, 1000 * S)
    wall.now += 3
    assert pacer.due_ns() == 1006 * S


@pytest.mark.parametrize(("given", "speed"), [("max", FASTEST), (0.1, 0.1), ("60", 60.0), (1000, 1000.0)])
def test_speeds_are_numbers_or_max(given, speed):
    assert parse_speed(given) == speed


@pytest.mark.parametrize("given", ["fast", None, 0, -1, 1001, "nan", [1]])
def test_what_is_no_speed_is_named(given):
    with pytest.raises(ValueError, match=r"number from 0.1 to 1000, or max|choose one that is, or max"):
        parse_speed(given)

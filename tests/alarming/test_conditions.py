"""Conditions over hand-made scans."""

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.alarming.conditions import (
    Combination,
    Communication,
    Condition,
    Deviation,
    Limit,
    Not,
    RateOfChange,
    Stale,
    State,
    Tag,
    Truth,
)
from twin.alarming.delays import Delay
from twin.alarming.scans import Scan, SourceState

SECOND = 10**9
NAN = math.nan


def truths(
    condition: Condition, scans: Sequence[Mapping[str, float] | None], *, step_ns: int = SECOND
) -> list[Truth]:
    """Return what a condition says after each scan of source ``m``."""
    state = SourceState()
    found = []
    for at, values in enumerate(scans):
        state.take(Scan("m", at * step_ns, values))
        found.append(condition.truth({"m": state}, at * step_ns))
    return found


def of(*values: float) -> list[Mapping[str, float] | None]:
    """Return scans of one value x."""
    return [{"x": value} for value in values]


X = Tag("m", "x")


def test_a_limit_holds_beyond_it_and_returns_at_the_deadband() -> None:
    above = Limit(X, 100.0, above=True, deadband=5.0)
    assert truths(above, of(99, 100, 100.1, 96, 95, 99, 101)) == [
        *(False, False, True, True, False, False, True)
    ]
    below = Limit(X, 100.0, above=False, deadband=5.0)
    assert truths(below, of(101, 100, 99.9, 104, 105, 101)) == [False, False, True, True, False, False]


def test_a_value_that_cannot_be_read_is_unknown() -> None:
    limit = Limit(X, 1.0, above=True)
    assert truths(limit, [{"x": 2.0}, None, {"x": NAN}, {}, {"x": 0.0}]) == [True, None, None, None, False]


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=60), st.floats(-5, 5), st.floats(0, 5), st.booleans()
)
def test_a_wider_deadband_never_switches_more_often(
    values: list[float], limit: float, deadband: float, above: bool
) -> None:
    def switches(width: float) -> int:
        found = truths(Limit(X, limit, above=above, deadband=width), of(*values))
        return sum(a != b for a, b in zip([False, *found], found, strict=False))

    assert switches(deadband) <= switches(0.0)


def test_a_deviation_is_from_a_number_a_mean_or_a_sum() -> None:
    assert truths(Deviation(X, 50.0, 0.2), of(50.1, 50.3, 49.7)) == [False, True, True]
    tags = [Tag("m", name) for name in "xyz"]
    scans = [dict(zip("xyz", values, strict=True)) for values in ((230, 230, 230), (200, 230, 230))]
    assert truths(Deviation(X, tags, 15.0), scans) == [False, True]  # the mean is 220
    balance = Deviation(X, [Tag("m", "y"), Tag("m", "z")], 5.0, summed=True)
    scans = [dict(zip("xyz", values, strict=True)) for values in ((60, 40, 24), (60, 40, 26), (60, -40, 26))]
    assert truths(balance, [*scans, {"x": 60, "y": NAN, "z": 26}]) == [False, True, True, None]


def test_a_rate_of_change_is_the_mean_over_its_span() -> None:
    rises = RateOfChange(X, 2.0, over_ns=2 * SECOND)
    # 0 -> 5 in the two seconds before the fourth scan: 2.5 a second
    assert truths(rises, of(0, 0, 1, 5, 5, 5)) == [None, None, False, True, False, False]
    falls = RateOfChange(X, 2.0, over_ns=2 * SECOND, falling=True)
    assert truths(falls, of(0, 0, -1, -5, -5, -5)) == [None, None, False, True, False, False]


def test_states_and_bits() -> None:
    assert truths(State(X, states=frozenset({2, 4})), of(1, 2, 3, 4)) == [False, True, False, True]
    assert truths(State(X, bit=1), of(0, 1, 2, 3, 65534)) == [False, False, True, True, True]


def test_communication_is_lost_after_failures_in_a_row() -> None:
    lost = Communication("m", failures=2)
    scans = [None, {"x": 1.0}, None, None, None, {"x": 1.0}]
    assert truths(lost, scans) == [False, False, False, True, True, False]


def test_a_value_is_stale_when_it_stands_still() -> None:
    stale = Stale(X, for_ns=2 * SECOND)
    scans: list[Mapping[str, float] | None] = [*of(1, 1, 1), None, *of(1, 2, 2)]
    assert truths(stale, scans) == [False, False, True, None, True, False, False]


@pytest.mark.parametrize("every", [True, False])
def test_combinations_are_kleenes(every: bool) -> None:
    """All truth tables, against the minimum and maximum of false = 0, unknown = 1/2, true = 1."""
    number: dict[Truth, float] = {False: 0.0, None: 0.5, True: 1.0}
    values = {False: 0.0, None: NAN, True: 2.0}
    for first in (False, None, True):
        for second in (False, None, True):
            parts = [Limit(Tag("m", name), 1.0, above=True) for name in "xy"]
            scan = {"x": values[first], "y": values[second]}
            (found,) = truths(Combination(parts, every=every), [scan])
            pick = min if every else max
            assert number[found] == pick(number[first], number[second])
            (contrary,) = truths(Not(parts[0]), [scan])
            assert number[contrary] == 1.0 - number[first]


def follow(delay: Delay, course: Sequence[Truth]) -> list[bool]:
    """Return what a delay makes of one truth a second."""
    return [delay.follow(truth, at * SECOND) for at, truth in enumerate(course)]


def test_delays_need_an_unbroken_condition() -> None:
    delay = Delay(on_ns=2 * SECOND, off_ns=SECOND)
    course = [True, True, False, True, True, True, False, True, False, False]
    assert follow(delay, course) == [*[False] * 5, *[True] * 4, False]


def test_the_unknown_changes_nothing() -> None:
    delay = Delay(on_ns=0, off_ns=0)
    assert follow(delay, [None, True, None, None, False, None]) == [False, True, True, True, False, False]


@given(st.lists(st.sampled_from([True, False, None]), max_size=50), st.integers(0, 5), st.integers(0, 5))
def test_a_delay_against_a_look_back(course: list[Truth], on: int, off: int) -> None:
    """It switches exactly where the known truths back to that long ago were all the other."""
    found = follow(Delay(on_ns=on * SECOND, off_ns=off * SECOND), course)
    active = False
    known: list[tuple[int, bool]] = []
    for at, truth in enumerate(course):
        if truth is not None:
            known.append((at, truth))
            since = at
            for past, value in reversed(known):
                if value != truth:
                    break
                since = past
            if truth != active and at - since >= (on if truth else off):
                active = truth
        assert found[at] is active

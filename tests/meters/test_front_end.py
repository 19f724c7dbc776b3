"""The front end: scale, stretches, and the count of theta over boundaries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from twin.meters.front_end import FrontEnd
from twin.meters.inputs import Inputs

MS = 1_000_000


def front_end(*meters):
    return FrontEnd(Inputs(meters or [SETTINGS]), start_ns=T0)


def test_channels_are_divided_by_their_ratios_and_turned():
    one = replace(SETTINGS, pt1=10_000, pt2=100, ct1=200, ct2=5, current_direction=(False, True, False))
    end = front_end(SETTINGS, one)
    end.append(Feed().add(phasors(10_000.0, 40.0, meters=2)))
    magnitudes = np.abs(end.newest.amplitude[:, 0]) / np.sqrt(2)
    np.testing.assert_allclose(magnitudes, [10_000] * 3 + [40] * 3 + [100] * 3 + [1] * 3)
    raw = phasors(meters=1)[4, 0]
    assert (end.newest.amplitude[10, 0] / raw).real < 0 < (end.newest.amplitude[9, 0] / phasors()[3, 0]).real


def test_the_same_amplitudes_anchored_again_are_one_stretch():
    end, feed = front_end(), Feed()
    assert end.append(feed.add(phasors()))
    feed.now += 7 * SECOND
    assert not end.append(feed.anchor_again())
    assert end.stretch_start_ns < T0
    feed.now += SECOND
    again = replace(feed.anchor_again(), frequency=49.9)
    assert end.append(again)
    assert end.stretch_start_ns == feed.now


def test_equal_amplitudes_in_another_array_are_a_new_stretch():
    end, feed = front_end(), Feed()
    end.append(feed.add(phasors()))
    feed.now += SECOND
    assert end.append(feed.add(phasors()))


def test_the_past_is_kept_for_two_seconds():
    end, feed = front_end(), Feed()
    for _ in range(100):
        end.append(feed.add(phasors()))
        feed.now += 100 * MS
    kept = end.signal(type(end.cycles_before(feed.now, 1))(feed.now - 2 * SECOND), feed.now)
    assert 20 <= len(kept.segments) <= 22
    assert len(end._segments) <= 23


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.sampled_from([50.0, 49.9, 50.25, 60.0])), min_size=1, max_size=20
    ),
    st.integers(1, 64),
)
def test_steps_follow_one_another_through_boundaries(durations, per_cycle):
    end, feed = front_end(), Feed(theta=2.0)
    last, cycles = None, 2.0 / (2 * np.pi)
    for duration, frequency in durations:
        end.append(feed.add(phasors(), frequency=frequency))
        step = end.last_step(feed.now, per_cycle)
        assert last is None or 0 <= step - last <= 1
        feed.now += duration
        cycles += duration * 1e-9 * frequency
        last = end.last_step(feed.now, per_cycle)
        assert last == pytest.approx(np.floor(cycles * per_cycle), abs=1)
        at = end.step_instant(last, per_cycle)
        assert at.ns <= feed.now
        assert end.step_instant(last + 1, per_cycle).ns >= feed.now - 1
        before = end.cycles_before(feed.now, 3)
        assert before.ns < feed.now - 3 * SECOND / 61


def test_the_count_of_steps_stays_exact_for_ten_years():
    # A count in radians would have lost the nanosecond after a year.
    end, feed = front_end(), Feed()
    end.append(feed.add(phasors()))
    end._cycles = [cycles + 50 * 86_400 * 3_653 for cycles in end._cycles]
    step = end.last_step(T0 + 123 * MS, 2)
    at = end.step_instant(step, 2)
    assert at.ns + round(at.fraction) == T0 + 120 * MS

"""Traces of half-cycle values, 10 ms apart, and the changes that they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.metrology.rapid_voltage_change import RapidVoltageChangeDetector

few = settings(deadline=None, max_examples=40)
MS = 1_000_000


def trace(*stretches):
    """Return URMS(1/2) of one channel: (value, count) or (from, to, count)."""
    parts = []
    for stretch in stretches:
        value, count = stretch[0], stretch[-1]
        parts.append(np.linspace(value, stretch[1], count) if len(stretch) == 3 else np.full(count, value))
    return np.concatenate(parts).astype(float)


def detect(*channels, **options):
    rms = np.array(channels)
    settings_ = {"threshold": 230 * 0.03, "dip": 207.0, "swell": 253.0} | options
    detector = RapidVoltageChangeDetector(len(rms), **settings_)
    ends = (np.arange(rms.shape[1]) + 1) * 10 * MS
    return [
        (c.start_ns // MS, c.end_ns // MS, round(c.steady_change, 6), round(c.largest_change, 6), c.channels)
        for c in detector.update(ends, rms)
    ]


def test_a_step_between_two_steady_levels():
    """Half a cycle of transition: value 201 ends at 2010 ms and leaves the threshold by itself."""
    found = detect(trace((230.0, 200), (222.0, 1), (215.0, 150)))
    assert found == [(2010, 2010, 15.0, 15.0, (True,))]


def test_a_motor_start_has_a_largest_change_and_a_steady_one():
    """Down by 18 V, back over 0.5 s to 225 V: the level is steady when it stays within 1.5 % of its mean."""
    found = detect(trace((230.0, 200), (212.0, 30), (212.0, 225.0, 51), (225.0, 200)))
    ((start, end, steady, largest, _),) = found
    assert (start, largest) == (2010, 18.0)
    values = trace((230.0, 200), (212.0, 30), (212.0, 225.0, 51), (225.0, 200))
    for first in range(201, 400):
        window = values[first : first + 100]
        if np.abs(window - window.mean()).max() <= 230 * 0.015:
            break
    assert end == first * 10  # the value before the first steady second
    assert steady == pytest.approx(230.0 - window.mean(), abs=1e-6)


def test_a_change_that_reaches_the_dip_threshold_is_none():
    assert detect(trace((230.0, 200), (206.9, 1), (215.0, 150))) == []
    assert len(detect(trace((230.0, 200), (207.0, 1), (215.0, 150)))) == 1
    assert detect(trace((230.0, 200), (253.1, 5), (240.0, 150))) == []
    after = detect(trace((230.0, 200), (200.0, 5), (230.0, 150), (220.0, 150)))
    assert [change[0] for change in after] == [3560]


def test_small_changes_and_slow_ones_are_none():
    assert detect(trace((230.0, 200), (223.2, 200))) == []
    assert detect(trace((230.0, 200), (230.0, 215.0, 1000), (215.0, 200))) == []


def test_steadiness_is_half_the_threshold_after_a_change():
    """A ripple of +-5 V is steady before (6.9 V) but not after a change (3.45 V); it ends with the ripple."""
    ripple = np.tile([5.0, -5.0], 75)
    values = np.concatenate((230 + ripple, 215 + ripple, trace((215.0, 150))))
    ((start, end, steady, _, _),) = detect(values)
    assert (start, steady) == (1510, 15.0)
    assert end == 3000
    ((_, end, _, _, _),) = detect(values, hysteresis=0.0)
    assert end == 1510


def test_the_first_second_is_no_change():
    assert detect(trace((0.0, 20), (230.0, 300)), dip=1.0) == []
    assert detect(trace((230.0, 99))) == []


def test_one_channel_of_three_is_enough_and_all_must_be_steady():
    steady = trace((230.0, 500))
    early = trace((230.0, 200), (220.0, 300))
    late = trace((230.0, 250), (218.0, 250))
    found = detect(steady, early, late)
    assert found == [(2010, 2500, 12.0, 12.0, (False, True, True))]


def test_sixty_hertz_takes_120_values():
    found = detect(trace((230.0, 130), (220.0, 119)), nominal_frequency=60)
    assert found == []
    found = detect(trace((230.0, 130), (220.0, 120)), nominal_frequency=60)
    assert found == [(1310, 1310, 10.0, 10.0, (True,))]
    assert detect(trace((230.0, 119), (215.0, 200)), nominal_frequency=60) == []


@few
@given(st.lists(st.integers(0, 300), max_size=8), st.integers(0, 2**31))
def test_blocks_of_any_size_give_the_same(cuts, seed):
    rng = np.random.default_rng(seed)
    rms = np.repeat(230 + 6 * rng.standard_normal((2, 9)), 150, axis=1) + rng.normal(0, 0.5, (2, 1350))
    ends = (np.arange(1350) + 1) * 10 * MS
    make = lambda: RapidVoltageChangeDetector(2, threshold=6.9, dip=207.0, swell=253.0)  # noqa: E731
    edges = np.minimum(np.cumsum([0, *cuts]), 1350)
    parts = make()
    found = []
    for a, b in zip(edges, [*edges[1:], 1350], strict=True):
        found += parts.update(ends[a:b], rms[:, a:b])
    assert found == make().update(ends, rms)


def test_settings_that_detect_nothing_are_refused():
    for options in ({"hysteresis": 6.9}, {"dip": 260.0}, {"threshold": 0.0}):
        with pytest.raises(ValueError, match="detect nothing"):
            detect(trace((230.0, 200)), **options)
    with pytest.raises(ValueError, match="use 50 or 60"):
        detect(trace((230.0, 200)), nominal_frequency=400)

"""Aggregation over ten-minute ticks, by hand and for random grids."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.metrology.aggregation import (
    TEN_MINUTES_NS,
    TWO_HOURS_NS,
    aggregate_150_180,
    aggregate_ten_minutes,
    aggregate_two_hours,
    basic_windows,
    flag,
    limited_above,
    limited_below,
    overdeviation,
    underdeviation,
)

few = settings(deadline=None, max_examples=25)
TICK = 2_945_376 * TEN_MINUTES_NS  # an even hour
MS = 1_000_000
NEVER = np.zeros(0, bool)


def cycles_of(frequency, start_ns, seconds):
    """Return the starts of cycles of a steady grid."""
    return start_ns + np.rint(np.arange(int(seconds * frequency) + 1) * (1e9 / frequency)).astype(np.int64)


def test_windows_begin_anew_at_the_tick():
    """49.9 Hz from 1 s before a tick: windows of 200.4 ms, the fifth is cut by the tick and finished."""
    starts = cycles_of(49.9, TICK - 1000 * MS, 10)
    windows = basic_windows(starts, cycles=10)
    length = 10e9 / 49.9
    before = windows.interval == TICK // TEN_MINUTES_NS - 1
    own = before & ~windows.overlapping
    assert windows.start_ns[own] == pytest.approx(TICK - 1000 * MS + np.arange(5) * length, abs=2)
    assert windows.end_ns[own][-1] > TICK
    assert before.sum() == 15  # the 150-cycle interval in progress is finished
    assert windows.start_ns[~before][0] == TICK
    assert np.diff(windows.start_ns[~before]) == pytest.approx(length, abs=2)


@few
@given(
    st.sampled_from([(50.0, 10), (60.0, 12)]),
    st.floats(0.9, 1.1),
    st.integers(0, 599),
    st.integers(0, 19 * MS),
)
def test_ten_minutes_are_covered_without_a_gap(nominal, ratio, second, ns):
    f0, cycles = nominal
    start = TICK - TEN_MINUTES_NS + second * 1000 * MS + ns
    starts = cycles_of(f0 * ratio, start, 1250)
    windows = basic_windows(starts, cycles=cycles)
    own = ~windows.overlapping
    assert np.array_equal(windows.interval[own], windows.start_ns[own] // TEN_MINUTES_NS)
    length = cycles * 1e9 / (f0 * ratio)
    assert windows.end_ns - windows.start_ns == pytest.approx(length, abs=3)
    same = windows.interval[own][1:] == windows.interval[own][:-1]
    assert np.array_equal(windows.start_ns[own][1:][same], windows.end_ns[own][:-1][same])
    # At a tick the new series begins while the old window ends: less than one window of overlap.
    late = (windows.end_ns[own][:-1] - windows.start_ns[own][1:])[~same]
    assert ((late >= 0) & (late <= length + 3)).all()
    ones = np.ones((1, own.size))
    ten = aggregate_ten_minutes(windows, ones, np.zeros(own.size, bool))
    for a, b in pairwise(ten):
        assert b.start_ns % TEN_MINUTES_NS == 0
        assert 0 <= a.end_ns - b.start_ns <= length + 3
    middle = ten[1]
    assert middle.parts == int(np.ceil(TEN_MINUTES_NS / length - 1e-9))
    for part in aggregate_150_180(windows, ones, np.zeros(own.size, bool)):
        assert part.parts == 15
        assert part.end_ns - part.start_ns == pytest.approx(15 * length, abs=3)


def test_intervals_of_150_cycles_restart_at_the_tick():
    starts = cycles_of(50.2, TICK - 7000 * MS, 20)
    windows = basic_windows(starts, cycles=10)
    parts = aggregate_150_180(
        windows, np.ones((1, windows.start_ns.size)), np.zeros(windows.start_ns.size, bool)
    )
    begins = [(part.start_ns - TICK) / 1e9 for part in parts]
    length = 150 / 50.2
    assert begins == pytest.approx(
        [-7, -7 + length, -7 + 2 * length, 0, length, 2 * length, 3 * length], abs=1e-6
    )


def test_means_are_quadratic_or_arithmetic():
    """3 and 4 V: root of 12.5; 30 W and -10 W: 10 W."""
    windows = basic_windows(cycles_of(50.0, TICK, 0.4), cycles=10)
    values = np.array([[3.0, 4.0], [30.0, -10.0]])
    (ten,) = aggregate_ten_minutes(windows, values, np.zeros(2, bool), arithmetic=np.array([False, True]))
    assert ten.values == pytest.approx([12.5**0.5, 10.0])
    (ten,) = aggregate_ten_minutes(windows, np.array([[1.0, np.nan]]), np.zeros(2, bool))
    assert np.isnan(ten.values[0])
    assert (ten.start_ns, ten.end_ns, ten.parts) == (TICK, TICK + 400 * MS, 2)


def test_two_hours_are_made_of_twelve_ten_minutes():
    starts = cycles_of(50.0, TICK - TEN_MINUTES_NS, 600 * 26)
    windows = basic_windows(starts, cycles=10)
    level = 230.0 + (windows.interval - windows.interval[0])
    flags = (windows.start_ns >= TICK) & (windows.start_ns < TICK + MS)
    ten = aggregate_ten_minutes(windows, level[None], flags)
    assert len(ten) == 26
    two = aggregate_two_hours(ten)
    assert [part.parts for part in two] == [1, 12, 12, 1]
    assert [part.flagged for part in two] == [False, True, False, False]
    assert two[1].start_ns == TICK
    assert two[1].end_ns == TICK + TWO_HOURS_NS
    assert two[1].values[0] == pytest.approx(np.sqrt(np.mean((230.0 + np.arange(1, 13)) ** 2)))


def test_what_a_dip_touches_is_flagged_up_to_the_top():
    """A dip of 300 ms over a tick: the windows it touches, both ten minutes, the two hours."""
    windows = basic_windows(cycles_of(50.0, TICK - 2000 * MS, 6), cycles=10)
    flags = flag(windows, [(TICK - 50 * MS, TICK + 250 * MS)])
    touched = [(s - TICK) // MS for s in windows.start_ns[flags & ~windows.overlapping]]
    assert touched == [-200, 0, 200]
    ones = np.ones((1, flags.size))
    assert [part.flagged for part in aggregate_ten_minutes(windows, ones, flags)] == [True, True]
    lasting = flag(windows, [(TICK + 1500 * MS, None)])
    assert lasting.sum() == (windows.end_ns >= TICK + 1500 * MS).sum() > 0
    assert not flag(windows, []).any()


def test_deviations_by_hand():
    """IEC 61000-4-30 5.12: 225 and 240 V of 230: 5 V for one of two windows below, 10 V above."""
    rms = np.array([[225.0, 240.0]])
    below = np.sqrt((limited_below(rms, declared=230.0) ** 2).mean(axis=1))
    above = np.sqrt((limited_above(rms, declared=230.0) ** 2).mean(axis=1))
    assert underdeviation(below, declared=230.0)[0] == pytest.approx(1 - ((225**2 + 230**2) / 2) ** 0.5 / 230)
    assert overdeviation(above, declared=230.0)[0] == pytest.approx(((230**2 + 240**2) / 2) ** 0.5 / 230 - 1)


def test_cycles_must_be_in_order():
    for starts in ([TICK], [TICK, TICK], [TICK + 5, TICK]):
        with pytest.raises(ValueError, match="in order of time"):
            basic_windows(np.array(starts), cycles=10)

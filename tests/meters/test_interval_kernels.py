"""The compiled loops of minutes and intervals against plain numpy."""

import numpy as np
import pytest

from twin.meters.demand_kernels import end_minutes
from twin.meters.interval_kernels import add_repeatedly, interval_values, widen, widen_stamped

UNIT = 3_600_000_000_000_000_000


def draws(*shape, seed=3):
    return np.random.default_rng(seed).normal(size=shape)


def test_repeated_sums_round_as_one_sum_after_the_other():
    values, sums = draws(4, 5), draws(4, 5, seed=4)
    expected = sums.copy()
    for _ in range(7):
        expected += values
    add_repeatedly(values, 7, sums)
    np.testing.assert_array_equal(sums, expected)


def test_extremes_keep_the_first_of_equal_values():
    history = np.round(draws(9, 4, 3))  # whole numbers: some come twice
    times = 100 + np.arange(9)
    high, low = np.zeros((4, 3)), np.zeros((4, 3))
    high_ns, low_ns = np.zeros((2, 4, 3), np.int64)
    high[0], low[0] = 99.0, -99.0
    expected = [np.maximum(high, history.max(axis=0)), np.minimum(low, history.min(axis=0))]
    first = [times[history.argmax(axis=0)], times[history.argmin(axis=0)]]
    moved = [expected[0] > high, expected[1] < low]
    plain = high.copy(), low.copy()
    widen(history, *plain)
    widen_stamped(history, times, high, low, high_ns, low_ns)
    for found, same, stamp, wide, when, beyond in zip(
        (high, low), plain, (high_ns, low_ns), expected, first, moved, strict=True
    ):
        np.testing.assert_array_equal(found, wide)
        np.testing.assert_array_equal(same, wide)
        np.testing.assert_array_equal(stamp, np.where(beyond, when, 0))
    assert not high_ns[0].any()
    assert high_ns[1:].any()


def test_intervals_agree_with_plain_numpy():
    generator = np.random.default_rng(8)
    meters, chosen = 6, np.array([0, 2, 5])
    whole, before = (
        generator.integers(10**6, 10**9, (5, meters, 3)),
        generator.integers(0, 10**6, (5, meters, 3)),
    )
    rest, rest_before = generator.integers(0, UNIT, (2, 5, meters, 3))
    sums, low, high = draws(3, meters, 8)
    low[2, 3] = high[2, 6] = np.inf
    columns = tuple(np.array(of) for of in ([0, 1], [3], [6, 7, 5]))
    factor, duration = draws(meters, 12, seed=5), np.array([900.0, 60.0, 1.0])
    whole[4, 5], before[4, 5], rest[4, 5], rest_before[4, 5] = 1, 1, 0, 0  # no apparent energy at meter 5
    found = np.empty((3, 12))
    interval_values(
        chosen, duration, whole, rest, before, rest_before, UNIT, sums, low, high, columns, factor, found
    )
    energies = (whole - before)[:, chosen].sum(axis=2) + ((rest - rest_before)[:, chosen] / UNIT).sum(axis=2)
    extremes = np.concatenate([low[chosen][:, columns[1]], high[chosen][:, columns[2]]], axis=1)
    extremes[np.isinf(extremes)] = np.nan
    power_factor = [(e[0] - e[1]) / e[4] if e[4] > 0.0 else np.nan for e in energies.T]
    parts = (
        energies.T,
        sums[chosen][:, columns[0]] / duration[:, None],
        extremes,
        np.array(power_factor)[:, None],
    )
    expected = np.concatenate(parts, axis=1) * factor[chosen]
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert np.isnan(found[1, 7])
    assert np.isnan(found[1, 8])
    assert np.isnan(found[2, -1])


@pytest.mark.parametrize("alike", [True, False])
def test_demands_are_means_of_the_last_minutes(alike):
    meters, minutes = 3, np.zeros((30, 3, 6))
    window = np.full(3, 5) if alike else np.array([5, 10, 3])
    every = np.full(3, 5) if alike else np.array([1, 10, 3])
    thermal = np.array([False, not alike, False])
    lag, shown = draws(meters, 6), np.zeros((meters, 6))
    means, history = draws(meters, 6, seed=9), np.empty((12, meters, 6))
    end_minutes(31, means, minutes, window, every, thermal, lag, shown, history)
    for step in range(12):
        for meter in range(meters):
            due = [m for m in range(31, 32 + step) if m % every[meter] == 0]
            expected = np.zeros(6)
            if due:
                held = min(due[-1] - 30, window[meter])  # minutes before the first are zero
                expected = lag[meter] if thermal[meter] else means[meter] * held / window[meter]
            np.testing.assert_allclose(history[step, meter], expected, rtol=1e-14)

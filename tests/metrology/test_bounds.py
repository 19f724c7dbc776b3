import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import following, segment, signal, size_of, stationary_segments
from twin.metrology import NotStationaryError, half_cycle_rms, step_bound
from twin.signals import instant_of_theta, window_gram


@settings(deadline=None, max_examples=60)
@given(stationary_segments(), stationary_segments(), st.integers(30_000_000, 60_000_000), st.floats(0.0, 1.0))
def test_no_window_of_one_cycle_leaves_the_bounds(one, other, cut, position):
    """Any one-cycle window over the boundary, not only those of the half-cycle lattice."""
    two = following(
        one,
        cut,
        order=other.order,
        rate=other.rate,
        amplitude=other.amplitude,
        frequency=other.frequency,
    )
    whole = signal(one, two, duration_s=0.2)
    low, high = step_bound(one, two)
    turn = 2 * np.pi
    at_cut = one.theta + turn * one.frequency * cut * 1e-9
    start = instant_of_theta(one, at_cut - turn * position)
    end = instant_of_theta(two, two.theta + turn * (1 - position))
    rms = np.sqrt(np.maximum(np.diag(window_gram(whole, start, end)[0]), 0.0))
    slack = 1e-7 * size_of(whole)
    assert (rms >= low - slack).all()
    assert (rms <= high + slack).all()


@settings(deadline=None, max_examples=30)
@given(stationary_segments(), st.integers(0, 2**31))
def test_bounds_agree_with_plain_numpy(one, seed):
    rng = np.random.default_rng(seed)
    step = rng.normal(size=one.amplitude.shape) + 1j * rng.normal(size=one.amplitude.shape)
    step[:, one.order == 0] = step[:, one.order == 0].real
    two = following(one, 20_000_000, amplitude=one.amplitude + step)
    # A direct term has its value as RMS, all others the amplitude over root two.
    weight = np.where(one.order == 0, 1.0, 0.5)
    x, y, d = (
        np.sqrt((weight * np.abs(part) ** 2).sum(axis=1)) for part in (one.amplitude, two.amplitude, step)
    )
    low, high = step_bound(one, two)
    slack = 1e-12 * (x + y)
    assert (np.abs(low - np.maximum(np.maximum(x, y) - d, 0.0)) <= slack).all()
    assert (np.abs(high - (np.minimum(x, y) + d)) <= slack).all()


def test_a_small_step_has_close_bounds():
    """230 V to 229 V: nothing between can be far from both."""
    one = segment(amplitude=np.full((6, 1), 230 * np.sqrt(2)), order=[1])
    two = following(one, 5_000_000, amplitude=np.full((6, 1), 229 * np.sqrt(2) + 0j))
    low, high = step_bound(one, two)
    assert low == pytest.approx([229.0] * 6)
    assert high == pytest.approx([230.0] * 6)


def test_a_jump_of_phase_alone_can_reach_far():
    """Opposite phase: between two equal levels the bounds are 0 and three times the level."""
    one = segment(amplitude=np.full((6, 1), np.sqrt(2)), order=[1])
    two = following(one, 5_000_000, amplitude=np.full((6, 1), -np.sqrt(2) + 0j))
    low, high = step_bound(one, two)
    assert low == pytest.approx([0.0] * 6)
    assert high == pytest.approx([3.0] * 6)


def test_orders_may_differ_on_the_two_sides():
    one = segment(amplitude=np.full((6, 2), np.sqrt(2)), order=[1, 5])
    two = following(
        one, 5_000_000, order=np.array([0.0, 1.0]), amplitude=np.tile([1.0 + 0j, np.sqrt(2)], (6, 1))
    )
    low, high = step_bound(one, two)
    # RMS sqrt(2) on both sides, difference 1 V direct and 1 V of order 5.
    assert low == pytest.approx([0.0] * 6, abs=1e-12)
    assert high == pytest.approx([2 * np.sqrt(2)] * 6)


def test_a_change_of_frequency_widens_by_the_root_of_the_ratio():
    one = segment(amplitude=np.full((6, 1), np.sqrt(2)), order=[1], frequency=50.0)
    two = following(one, 5_000_000, frequency=50.5)
    low, high = step_bound(one, two)
    assert high == pytest.approx([1.01**0.5] * 6)
    assert low == pytest.approx([1.01**-0.5] * 6)


def test_decaying_terms_have_no_such_bound():
    one = segment(amplitude=np.ones((6, 1)), order=[1])
    two = following(one, 5_000_000, rate=np.array([-1.0 + 0j]))
    with pytest.raises(NotStationaryError, match="half_cycle_rms"):
        step_bound(one, two)


def test_half_cycle_values_of_a_step_stay_within():
    one = segment(amplitude=np.full((1, 2), 100.0), order=[1, 3])
    two = following(one, 47_000_000, amplitude=np.array([[60.0 + 20j, 3.0j]]))
    low, high = step_bound(one, two)
    _, rms = half_cycle_rms(signal(one, two, duration_s=0.2), 2, 12)
    assert low[0] <= rms.min()
    assert rms.max() <= high[0]

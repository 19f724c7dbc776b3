"""The lock on the grid against signals whose theta is known, and resampling against their values."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.metrology.half_cycle import half_cycle_rms_samples
from twin.metrology.harmonic_groups import harmonic_groups, window_bins
from twin.metrology.synchronisation import TWO_PI, NoLockError, lock, resample
from twin.metrology.synchronisation_kernels import A0, A1, A2, A3, interpolate, reference_phasors

few = settings(deadline=None, max_examples=20)
CONTENT = {2: (5.0, 0.3), 3: (23.0, 0.0), 5: (11.5, 1.0), 7: (7.0, -2.0)}


def theta_of(f, t, shift=0.4):
    return TWO_PI * f * t + shift


def recorded(theta, content=CONTENT):
    """Return a distorted voltage with an offset that follows theta."""
    return 2.0 + 325 * np.cos(theta) + sum(a * np.cos(h * theta + p) for h, (a, p) in content.items())


def theta_error(locked, theta):
    error = locked.theta_at(np.arange(theta.size, dtype=float)) - theta
    return np.abs((error + math.pi) % TWO_PI - math.pi)


def window_errors(locked, f, cycles):
    edges = locked.position_of(locked.window_starts(cycles=cycles))
    return np.array([locked.frequency(a, b) - f for a, b in pairwise(edges)])


@few
@given(
    st.sampled_from([(50.0, 10), (60.0, 12)]),
    st.floats(0.85, 1.15),
    st.sampled_from([6400.0, 10_000.0, 12_800.0, 25_600.0]),
    st.floats(-3, 3),
)
def test_frequency_and_theta_of_a_steady_grid(nominal, ratio, rate, shift):
    """IEC 61000-4-30 5.1.2 asks for 10 mHz over 42.5 to 57.5 Hz; 1 mHz is what is claimed here."""
    f0, cycles = nominal
    f = f0 * ratio
    theta = theta_of(f, np.arange(int(11 * rate)) / rate, shift)
    locked = lock(recorded(theta), sample_rate=rate, nominal_frequency=f0)
    assert locked.live.all()
    assert theta_error(locked, theta).max() < 5e-4
    assert abs(locked.cycle_frequency(0.3 * rate, 10.3 * rate) - f) < 1e-5
    assert np.abs(window_errors(locked, f, cycles)).max() < 1e-3


@pytest.mark.parametrize("rate", [400.0, 450.0, 1000.0])
def test_eight_samples_per_cycle_are_enough_for_the_fundamental(rate):
    theta = theta_of(49.83, np.arange(int(11 * rate)) / rate)
    locked = lock(230 * np.cos(theta), sample_rate=rate)
    assert abs(locked.cycle_frequency(0.3 * rate, 10.3 * rate) - 49.83) < 1e-5


def test_ten_second_frequency_of_a_drifting_grid_is_its_mean():
    """50 Hz with a swing of 80 mHz and a ramp of 10 mHz/s: whole cycles over their time."""
    rate = 10_000.0
    t = np.arange(int(24 * rate)) / rate
    theta = TWO_PI * (50.0 * t + 0.005 * t**2) + 0.5 * np.sin(TWO_PI * 0.16 * t)
    locked = lock(recorded(theta), sample_rate=rate)
    for start in (1.0, 5.5, 12.0):
        k = np.arange(math.ceil(50 * (start - 1)), math.floor(50 * (start + 12)))
        crossings = np.interp((k + 0.75) * TWO_PI, theta, t)
        inside = crossings[(crossings >= start) & (crossings <= start + 10)]
        expected = (inside.size - 1) / (inside[-1] - inside[0])
        assert locked.cycle_frequency(start * rate, (start + 10) * rate) == pytest.approx(expected, abs=1e-4)


@few
@given(
    st.floats(42.6, 57.4),
    st.floats(3.0, 3.05),
    st.sampled_from([6400.0, 12_800.0]),
    st.floats(1.0, 12.0),
    st.floats(-1.0, 1.0),
)
def test_an_interruption_of_the_reference_is_no_frequency_glitch(f, begin, rate, cycles, jump):
    """To 0 V at any point on wave, for 1 to 12 cycles; the grid may come back with another phase."""
    t = np.arange(int(11 * rate)) / rate
    end = begin + cycles / f
    jump = jump if cycles >= 4 else 0.0  # before, it is a jump of phase like any other
    theta = theta_of(f, t) + np.where(t >= end, jump, 0.0)
    samples = np.where((t < begin) | (t >= end), recorded(theta) - 2.0, 0.0)
    locked = lock(samples, sample_rate=rate)
    assert np.abs(window_errors(locked, f, 10)).max() < 1e-3
    assert np.abs(window_errors(locked, f, 1)).max() < 5e-3


def test_a_five_cycle_interruption_reads_zero_for_its_true_duration():
    """URMS(1/2) through the lock: 0 V inside, and below 10 % for as long as it was."""
    rate, f = 12_800.0, 49.7
    t = np.arange(int(2 * rate)) / rate
    theta = theta_of(f, t, 0.0)
    begin, end = 40.25 / f, 45.25 / f
    samples = np.where((t < begin) | (t >= end), 325 * np.cos(theta), 0.0)
    locked = lock(samples, sample_rate=rate)
    start = locked.window_starts(cycles=60)[0]
    window = resample(samples[None], locked, theta=start, cycles=60, samples_per_cycle=256)
    rms = half_cycle_rms_samples(window, samples_per_cycle=256)[0]
    assert rms.min() < 230e-5
    below = rms < 23.0
    # One-cycle windows that lie inside by all but 1 % of their square: eight of them, half a cycle apart.
    assert below.sum() in {8, 9}
    assert rms[0] == pytest.approx(325 / math.sqrt(2), rel=1e-5)


@few
@given(st.floats(48.0, 52.0), st.sampled_from([(12_800.0, 512), (25_600.0, 128), (9973.0, 256)]))
def test_a_free_running_recording_keeps_its_harmonics(f, rates):
    """Orders to 0.35 of the sample rate within 0.1 % (class I: 5 %); a straight line loses 2.9 % at 50."""
    rate, per_cycle = rates
    t = np.arange(int(0.6 * rate)) / rate
    theta = theta_of(f, t)
    highest = min(50, int(0.35 * min(rate / f, per_cycle)))
    content = {h: (10.0, 0.1 * h) for h in range(2, highest + 1)}
    samples = recorded(theta, content)
    locked = lock(samples, sample_rate=rate)
    start = locked.window_starts(cycles=10)[0]
    window = resample(samples[None], locked, theta=start, cycles=10, samples_per_cycle=per_cycle)
    found = harmonic_groups(window_bins(window, cycles=10, orders=highest + 1), cycles=10)
    assert found.subgroup[0, 2:] * math.sqrt(2) == pytest.approx(10.0, rel=1e-3)
    assert found.subgroup[0, 1] * math.sqrt(2) == pytest.approx(325.0, rel=1e-6)
    for h, (_, angle) in content.items():
        assert abs(np.angle(np.exp(1j * (found.angle[0, h] - angle)))) < 2e-3
    assert found.interharmonic_subgroup.max() < 0.05


def test_resampling_to_fewer_samples_keeps_high_orders_out():
    rate = 25_600.0
    theta = theta_of(50.1, np.arange(int(rate)) / rate)
    samples = recorded(theta, {60: (20.0, 0.0)})
    locked = lock(samples, sample_rate=rate)
    start = locked.window_starts(cycles=10)[1]
    window = resample(samples[None], locked, theta=start, cycles=10, samples_per_cycle=64)
    found = harmonic_groups(window_bins(window, cycles=10, orders=31), cycles=10)
    assert found.group[0, 2:].max() < 5e-3
    assert found.group[0, 1] * math.sqrt(2) == pytest.approx(325.0, rel=1e-6)


def test_kernels_agree_with_numpy():
    rng = np.random.default_rng(3)
    samples = rng.standard_normal((2, 300))
    position = np.sort(rng.uniform(70, 229, 40))
    position[:2] = 80.0, 81.0
    for half, cutoff in ((16, 1.0), (60, 0.4)):
        out = np.empty((2, 40))
        interpolate(samples, position, half, cutoff, out)
        k = np.floor(position)[:, None] + np.arange(1 - half, half + 1)
        x = np.pi * (position[:, None] - k) / half
        weights = np.sinc(cutoff * (position[:, None] - k))
        weights *= A0 + A1 * np.cos(x) + A2 * np.cos(2 * x) + A3 * np.cos(3 * x)
        expected = (weights * samples[:, k.astype(int)]).sum(axis=2) / weights.sum(axis=1)
        assert np.abs(out - expected).max() < 1e-11

    theta = np.linspace(0, 60, 300)
    centre = np.array([20.0, 33.3])
    first = np.searchsorted(theta, centre - 4 * np.pi, side="right")
    after = np.searchsorted(theta, centre + 4 * np.pi)
    phasors = np.empty(2, complex)
    reference_phasors(samples[0], theta, centre, first, after, phasors)
    for node in range(2):
        part = slice(first[node], after[node])
        weights = np.cos((theta[part] - centre[node]) / 8) ** 4
        expected = 2 * (weights * samples[0, part] * np.exp(-1j * theta[part])).sum() / weights.sum()
        assert abs(phasors[node] - expected) < 1e-12


def test_recordings_that_cannot_be_locked_on_are_refused_by_name():
    rate = 6400.0
    good = recorded(theta_of(50.0, np.arange(6400) / rate))
    gap = good.copy()
    gap[17] = np.nan
    for samples, at, message in (
        (gap, rate, "sample 17 of VA is no number"),
        (good, 399.0, "VA has 7.98 samples per cycle; at least 8"),
        (good[:700], rate, "VA lasts 5.5 cycles; at least 6"),
        (0 * good, rate, "VA has no fundamental"),
    ):
        with pytest.raises(NoLockError, match=message):
            lock(samples, sample_rate=at, channel="VA")
    locked = lock(good, sample_rate=rate)
    starts = locked.window_starts(cycles=10)
    with pytest.raises(NoLockError, match="take one of window_starts"):
        resample(good[None], locked, theta=float(starts[-1]) + 20 * math.pi, cycles=10, samples_per_cycle=128)
    with pytest.raises(NoLockError, match="pass that one"):
        resample(good[None, 5:], locked, theta=float(starts[0]), cycles=1, samples_per_cycle=128)
    gap[700] = np.nan
    two = np.vstack((good, gap))
    with pytest.raises(NoLockError, match="sample 700 of channel 1 is nan"):
        resample(two, locked, theta=float(starts[0]), cycles=10, samples_per_cycle=128)
    assert lock(good[:800], sample_rate=rate).window_starts(cycles=10).size == 0

"""Transients on a 325 V sine with 64 samples to the cycle, at known samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.metrology.transient_kernels import deviations
from twin.metrology.transients import Transient, TransientDetector

few = settings(deadline=None, max_examples=40)
N = 64


def sine(cycles, channels=1):
    wave = 325 * np.cos(2 * np.pi * np.arange(cycles * N) / N)
    return np.tile(wave, (channels, 1))


def detect(samples, **options):
    detector = TransientDetector(
        len(samples), **({"samples_per_cycle": N, "threshold": 20.0, "consecutive": 4} | options)
    )
    return detector.update(samples)


def test_an_impulse_is_seen_once_with_its_size():
    """Samples 328 to 331 are 20.5 V high: four in a row, as the manual's example; no echo a cycle later."""
    samples = sine(12)
    samples[0, 328:332] += 20.5
    assert detect(samples) == [Transient(328, 331, pytest.approx(20.5), (True,))]
    assert detect(samples, threshold=20.6) == []
    assert detect(samples, consecutive=5) == []
    assert detect(samples, consecutive=1) == [Transient(328, 331, pytest.approx(20.5), (True,))]


def test_an_oscillation_is_one_transient_on_all_its_channels():
    """A capacitor switched at sample 400: 10 times the fundamental, gone after a cycle and a half."""
    samples = sine(16, 3)
    t = np.arange(N * 3 // 2)
    ring = 200 * np.exp(-t / 25) * np.sin(2 * np.pi * 10 * t / N)
    samples[0, 400 : 400 + t.size] += ring
    samples[2, 400 : 400 + t.size] -= 0.5 * ring
    (found,) = detect(samples, consecutive=2)
    assert 400 < found.first <= 402
    assert found.channels == (True, False, True)
    assert found.largest == pytest.approx(np.abs(ring).max(), rel=0.2)
    assert found.last < 400 + 2 * N


def test_a_step_differs_for_one_cycle_only():
    """A dip to half: what lies more than 20 V apart, around the two peaks of that cycle."""
    samples = sine(12)
    samples[0, 320:] *= 0.5
    found = detect(samples)
    assert len(found) == 1
    assert (found[0].first, found[0].last) == (320, 383)
    assert found[0].largest == pytest.approx(162.5)


def test_two_transients_far_apart_are_two():
    samples = sine(20)
    samples[0, 300:304] += 50
    samples[0, 340:344] += 70
    samples[0, 900:904] -= 60
    found = detect(samples)
    assert [(t.first, t.last) for t in found] == [(300, 303), (340, 343), (900, 903)]
    merged = detect(samples, hold_half_cycles=2)
    assert [(t.first, t.last, round(t.largest)) for t in merged] == [(300, 343, 70), (900, 903, 60)]


def test_the_first_cycle_and_a_steady_wave_show_nothing():
    assert detect(sine(5)) == []
    detector = TransientDetector(1, samples_per_cycle=N, threshold=20.0)
    detector.update(sine(3))
    assert detector.current is None
    late = sine(1)
    late[0, -1] += 30
    assert detector.update(late) == []
    assert detector.current == Transient(255, 255, pytest.approx(30.0), (True,))


@few
@given(st.lists(st.integers(0, 400), max_size=8), st.integers(0, 2**31))
def test_blocks_of_any_size_give_the_same(cuts, seed):
    rng = np.random.default_rng(seed)
    samples = sine(24, 2)
    for start in rng.integers(0, samples.shape[1] - 30, 6):
        samples[rng.integers(0, 2), start : start + rng.integers(1, 30)] += rng.normal(0, 60)
    samples += rng.normal(0, 6, samples.shape)
    edges = np.minimum(np.cumsum([0, *cuts]), samples.shape[1])
    make = lambda: TransientDetector(2, samples_per_cycle=N, threshold=20.0, consecutive=3)  # noqa: E731
    parts, whole = make(), make()
    found = []
    for a, b in zip(edges, [*edges[1:], samples.shape[1]], strict=True):
        found += parts.update(samples[:, a:b])
    assert found == whole.update(samples)
    assert parts.current == whole.current


@few
@given(st.integers(0, 2**31), st.integers(1, 6))
def test_kernel_agrees_with_numpy(seed, consecutive):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 20, (2, 200))
    values[:, :50] = np.nan
    run, peak, out = np.zeros(2, np.int64), np.zeros(2), np.empty((2, 150))
    deviations(values, 25, 15.0, consecutive, run, peak, out)
    off = np.abs(values[:, 50:] - values[:, 25:175])
    earlier = np.abs(values[:, 50:] - values[:, :150])
    beyond = (off > 15) & ~(earlier <= 15)
    for c in range(2):
        for n in range(150):
            length = next((k for k in range(n + 1) if not beyond[c, n - k]), n + 1)
            expected = off[c, n - length + 1 : n + 1].max() if length >= consecutive else 0.0
            assert out[c, n] == expected


def test_settings_that_detect_nothing_are_refused():
    for options in ({"threshold": 0.0}, {"consecutive": 65}, {"hold_half_cycles": -1}):
        with pytest.raises(ValueError, match="detect nothing"):
            detect(sine(3), **options)

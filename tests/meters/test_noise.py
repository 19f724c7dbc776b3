"""Noise of the inputs: by counter, of the right variance in readings, and never in what is counted."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest, norm

from tests.meters.feed import MINUTE, SECOND, SETTINGS, T0, Feed, phasors
from twin.meters.bank import MeterBank
from twin.meters.display import FAST_NS
from twin.meters.inputs import Inputs
from twin.meters.noise_kernels import disturb, draw, normals, ziggurat_normals
from twin.metrology import measure_samples, measure_steady

NOISY = replace(SETTINGS, accuracy="class", seed=5, sag_waveform=True)
MASK = 2**64 - 1
KEYS = np.array([3, 2**63 + 17, 12345678901234567], np.uint64)


def plain_normal(key, counter):
    """The same number in whole numbers of Python."""

    def mixed(n):
        z = (key + 0x9E3779B97F4A7C15 * (n + 1)) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    radius = ((mixed(2 * counter) >> 11) + 1) / 2**53
    return math.sqrt(-2 * math.log(radius)) * math.cos(2 * math.pi * (mixed(2 * counter + 1) >> 11) / 2**53)


def test_numbers_are_those_of_their_key_and_counter():
    out = np.empty((3, 50))
    normals(KEYS, 17_000_000_000, out)
    expected = [[plain_normal(int(key), 17_000_000_000 + k) for k in range(50)] for key in KEYS]
    np.testing.assert_allclose(out, expected, rtol=1e-13)
    later = np.empty((3, 20))
    normals(KEYS, 17_000_000_030, later)
    np.testing.assert_array_equal(later, out[:, 30:])


def test_splitmix64_is_the_published_one():
    # First outputs of SplitMix64 seeded with 1234567 (reference implementation of Vigna).
    key, seen = 1234567, []
    for n in range(2):
        z = (key + 0x9E3779B97F4A7C15 * (n + 1)) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        seen.append(z ^ (z >> 31))
    assert seen == [6457827717110365317, 3203168211198807973]


def test_numbers_are_normal_and_independent():
    out = np.empty((3, 200_000))
    normals(KEYS, 0, out)
    assert np.abs(out.mean(axis=1)).max() < 0.01
    assert np.abs(out.var(axis=1) - 1).max() < 0.015
    assert np.abs((out**4).mean(axis=1) - 3).max() < 0.1
    assert np.abs(np.corrcoef(np.vstack([out[:, 1:], out[:, :-1]])) - np.eye(6)).max() < 0.01


def plain_ziggurat(key, counter):
    """The same number step by step, with the table of Doornik's ZIGNOR made anew."""
    tail, area = 3.442619855899, 9.91256303526217e-3
    edges = [area / math.exp(-0.5 * tail**2), tail]
    while len(edges) < 128:
        edges.append(math.sqrt(-2 * math.log(math.exp(-0.5 * edges[-1] ** 2) + area / edges[-1])))
    edges.append(0.0)

    def hashed():
        nonlocal counter
        z = (key + 0x9E3779B97F4A7C15 * (counter + 1)) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        counter += 2**44
        return z ^ (z >> 31)

    def uniform(bits):
        return ((bits >> 11) + 0.5) / 2**53

    while True:
        bits = hashed()
        layer, u = bits % 128, 2 * uniform(bits) - 1
        x = u * edges[layer]
        if abs(u) < edges[layer + 1] / edges[layer]:
            return x
        while layer == 0:
            x, y = math.log(uniform(hashed())) / tail, math.log(uniform(hashed()))
            if -2 * y >= x * x:
                return x - tail if u < 0 else tail - x
        upper, lower = (math.exp(-0.5 * (edges[at] ** 2 - x * x)) for at in (layer, layer + 1))
        if lower + uniform(hashed()) * (upper - lower) < 1:
            return x


def test_the_ziggurat_follows_its_rules():
    key, out = 2**63 + 17, np.empty(20_000)
    ziggurat_normals(np.uint64(key), 2**42, out)
    expected = [plain_ziggurat(key, 2**42 + k) for k in range(out.size)]
    np.testing.assert_allclose(out, expected, rtol=1e-13)
    assert (np.abs(out) > 3.45).any()  # the tail too


def test_numbers_of_the_ziggurat_are_normal_and_independent():
    out = np.empty((3, 400_000))
    for row, key in enumerate(KEYS):
        ziggurat_normals(key, 2**42 - 200_000, out[row])
    assert np.abs(out.mean(axis=1)).max() < 0.006
    assert np.abs(out.var(axis=1) - 1).max() < 0.01
    assert np.abs((out**4).mean(axis=1) - 3).max() < 0.07
    assert np.abs(np.corrcoef(np.vstack([out[:, 1:], out[:, :-1]])) - np.eye(6)).max() < 0.007
    # The layers, their wedges and the tail join without a step: Kolmogorov and Smirnov, and the far ends.
    assert kstest(out.ravel(), norm.cdf).pvalue > 0.001
    far = np.count_nonzero(np.abs(out) > 3.5, axis=None) / out.size
    assert far == pytest.approx(2 * norm.sf(3.5), rel=0.12)
    again = np.empty(10)
    ziggurat_normals(KEYS[1], 2**42 - 200_000 + 7, again)
    np.testing.assert_array_equal(again, out[1, 7:17])


def test_orders_that_are_not_there_need_no_noise_for_products():
    rms = np.hstack([phasors(230.0, 2.0, 0.6), 0.04 * phasors(230.0, 2.0, 0.6)])
    clean = measure_steady(Feed(orders=(1.0, 5.0)).add(rms), orders=8)
    noise, keys = np.full((1, 6), 0.01), np.arange(6, dtype=np.uint64).reshape(1, 6)
    grams, spectra = [], []
    for whole in (True, False):
        grams.append(clean.gram.copy())
        spectra.append(np.empty_like(clean.spectrum))
        drawn = np.empty_like(clean.spectrum), np.empty_like(clean.gram)
        draw(clean.spectrum, noise, keys, 7, 640, whole, *drawn)
        disturb(grams[-1], clean.spectrum, *drawn, spectra[-1])
    np.testing.assert_array_equal(*grams)
    np.testing.assert_array_equal(spectra[0][..., [1, 5]], spectra[1][..., [1, 5]])
    assert (spectra[0][..., [0, 2, 3, 4, 6, 7]] != 0).all()
    assert (spectra[1][..., [0, 2, 3, 4, 6, 7]] == 0).all()


def test_windows_fluctuate_as_noisy_samples_do():
    # Two ways: moments disturbed in one step, and samples with noise that are measured.
    rms = np.hstack([phasors(230.0, 2.0, 0.6), 0.04 * phasors(230.0, 2.0, 0.6)])
    noise = np.array([[0.3, 0.2, 0.1, 0.004, 0.006, 0.008]])
    segment = Feed(orders=(1.0, 5.0)).add(rms)
    clean = measure_steady(segment, orders=8)
    random = np.random.default_rng(1)
    keys = random.integers(0, 2**63, (1, 6)).astype(np.uint64)
    angles = 2 * np.pi / 64 * np.arange(640)
    wave = np.sqrt(2) * np.real(rms @ np.exp(1j * np.outer([1, 5], angles)))
    made, sampled = [], []
    for window in range(1500):
        gram, spectrum = clean.gram.copy(), np.empty_like(clean.spectrum)
        gram[0, range(6), range(6)] += noise[0] ** 2
        drawn = np.empty_like(clean.spectrum), np.empty_like(gram)
        draw(clean.spectrum, noise, keys, window, 640, True, *drawn)
        disturb(gram, clean.spectrum, *drawn, spectrum)
        made.append((gram[0], spectrum[0]))
        measured = measure_samples(
            wave + noise.T * random.normal(size=wave.shape),
            samples_per_cycle=64,
            cycles=10,
            frequency=50.0,
            orders=8,
        )
        sampled.append((measured.gram[0], measured.spectrum[0]))
    for part in (0, 1):
        one, two = (np.array([window[part] for window in windows]) for windows in (made, sampled))
        sigma = two.std(axis=0)
        assert np.abs(one.mean(axis=0) - two.mean(axis=0)).max() < 0.2 * sigma.max()
        np.testing.assert_allclose(one.std(axis=0), sigma, rtol=0.12)
    # What belongs together fluctuates together: the square of va and its fundamental.
    for windows in (made, sampled):
        square = np.array([gram[0, 0] for gram, _ in windows])
        fundamental = np.array([abs(spectrum[0, 1]) for _, spectrum in windows])
        assert np.corrcoef(square, fundamental)[0, 1] > 0.99


def test_displayed_values_scatter_by_sigma_over_root_n():
    bank, feed = MeterBank([NOISY], start_ns=T0), Feed()
    feed.add(phasors(230.0, 2.0))
    shown = []
    for _ in range(400):
        feed.run(bank, FAST_NS)
        shown.append(bank.fast(0))
    sigma = Inputs([NOISY]).noise[0]
    # 100 ppm of 400 V and of 5 A, and a step of the converter: 1/37.59105 V, 1/1683.153 A.
    steps = np.array([1 / 37.59105] * 3 + [1 / 1683.153] * 3)
    np.testing.assert_allclose(sigma**2, np.array([0.04] * 3 + [0.0005] * 3) ** 2 + steps**2 / 12)
    root = math.sqrt(640)
    scatter = {name: np.std([one[name] for one in shown]) for name in ("v1", "i1", "p1")}
    assert scatter["v1"] == pytest.approx(sigma[0] / root, rel=0.15)
    assert scatter["i1"] == pytest.approx(sigma[3] / root, rel=0.15)
    assert scatter["p1"] == pytest.approx(math.hypot(230 * sigma[3], 2 * sigma[0]) / root, rel=0.15)


def test_what_is_shown_depends_neither_on_cuts_nor_on_who_looks():
    shown = []
    for cuts in ((), [T0 + k * 37_000_000 for k in range(1, 60)]):
        bank, feed = MeterBank([NOISY], start_ns=T0), Feed()
        feed.add(phasors(230.0, 2.0))
        if cuts:
            for cut in cuts:
                bank.advance(feed.segments[-1], cut)
                bank.fast(0)
        feed.run(bank, 3 * SECOND)
        first = bank.fast(0), bank.basic(0), bank.energies(0)
        assert bank.fast(0) == first[0]
        shown.append(first)
    assert shown[0][0] == shown[1][0]
    assert shown[0][2] == shown[1][2]
    for name, value in shown[0][1].items():
        np.testing.assert_array_equal(value, shown[1][1][name])


def test_noise_that_is_drawn_before_its_time_is_the_same():
    shown = []
    for prepared in (False, True):
        bank, feed = MeterBank([NOISY, replace(NOISY, name="two")], start_ns=T0), Feed(orders=(1.0, 5.0))
        both = [np.hstack([phasors(230.0, k), 0.02 * phasors(230.0, k)]) for k in (2.0, 3.0)]
        feed.add(np.vstack(both))
        for tick in range(1, 25):
            if tick == 14:  # in vain: something changes before the tick comes
                feed.run(bank, FAST_NS // 2)
                feed.add(np.vstack([0.99 * rms * [1.0, 0.0] for rms in both]))
                feed.run(bank, FAST_NS // 2)
            else:
                feed.run(bank, FAST_NS)
            shown.append((bank.fast(1), bank.basic(0)["v1_harmonics"].tolist()))
            if prepared:
                bank.prepare_display(T0 + (tick + 1) * FAST_NS)
    assert shown[:24] == shown[24:]


def test_energies_and_extremes_take_the_mean():
    quiet, feed = MeterBank([NOISY], start_ns=T0), Feed()
    feed.add(phasors(230.0, 2.0))
    feed.run(quiet, 5 * MINUTE)
    extremes = quiet.extremes(0)
    assert extremes["max_v1"].value == extremes["min_v1"].value
    assert quiet.fast(0)["v1"] != extremes["max_v1"].value
    assert quiet.fast(0)["v1"] == pytest.approx(extremes["max_v1"].value, abs=5 * 0.04 / 25)


def test_captured_samples_hold_the_noise():
    groups = []
    for _ in range(2):
        bank, feed = MeterBank([NOISY], start_ns=T0), Feed()
        feed.add(phasors(230.0, 2.0))
        feed.run(bank, SECOND)
        bank.trigger_capture(0, feed.now)
        feed.run(bank, SECOND)
        groups += bank.captures(0)
    np.testing.assert_array_equal(groups[0].raw, groups[1].raw)
    volts = groups[0].raw[:3] * np.array(groups[0].scale[:3])[:, None]
    folded = volts.reshape(3, 20, 64)
    rest = (folded - folded.mean(axis=1, keepdims=True)).std() * math.sqrt(20 / 19)
    step = 1 / 37.59105
    assert rest == pytest.approx(math.hypot(0.04, step / math.sqrt(12)), rel=0.05)

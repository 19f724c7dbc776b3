"""The class A analyser against closed form, the plain implementations, and itself under any cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.contracts import Instant, Segment, Signal
from twin.metrology import (
    Analyser,
    AnalyserError,
    FlickerMeter,
    Lamp,
    half_cycle_rms,
    half_cycle_rms_samples,
    harmonic_groups,
    measure_samples,
    measure_window,
    window_bins,
)
from twin.signals import instant_of_theta, synthesise_cycles

START = 1_700_000_123_000_000_000
PER_CYCLE = 128
TICK = 1_700_000_400_000_000_000


def waves(cycles: int, *, meters: int = 2, per_cycle: int = PER_CYCLE, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    theta = 2 * np.pi * np.arange(cycles * per_cycle) / per_cycle
    out = 0.3 * rng.normal(size=(6 * meters, theta.size))
    for row in range(6 * meters):
        out[row] += (325 if row % 6 < 3 else 7) * np.cos(theta - 2.1 * row)
        out[row] += 9 * np.cos(5 * theta + row) + 2 * np.cos(7.4 * theta)
    return out


def edges(cycles: int, *, frequency: float = 50.0, start: int = START) -> np.ndarray:
    return start + np.rint(np.arange(cycles + 1) * 1e9 / frequency).astype(np.int64)


@pytest.mark.parametrize(("nominal", "actual", "cycles"), [(50, 50.0, 10), (50, 46.3, 10), (60, 60.7, 12)])
def test_windows_equal_the_plain_implementations(nominal: int, actual: float, cycles: int) -> None:
    samples = waves(2 * cycles)
    analyser = Analyser(2, samples_per_cycle=PER_CYCLE, nominal_frequency=nominal)
    at = edges(2 * cycles, frequency=actual)
    measured = analyser.feed(samples, cycle_starts_ns=at)
    assert [window.start_ns for window in measured.windows] == [at[0], at[cycles]]
    for k, window in enumerate(measured.windows):
        part = samples[:, k * cycles * PER_CYCLE : (k + 1) * cycles * PER_CYCLE]
        plain = measure_samples(part, samples_per_cycle=PER_CYCLE, cycles=cycles, frequency=actual, orders=51)
        np.testing.assert_allclose(window.measure.gram, plain.gram, rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(window.measure.spectrum, plain.spectrum, rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(window.measure.frequency, actual, rtol=1e-7)
        groups = harmonic_groups(window_bins(part, cycles=cycles), cycles=cycles)
        assert window.harmonic is not None
        assert window.interharmonic is not None
        np.testing.assert_allclose(window.harmonic.reshape(12, 51), groups.subgroup, rtol=1e-12)
        np.testing.assert_allclose(
            window.interharmonic.reshape(12, 51), groups.interharmonic_subgroup, rtol=1e-12
        )


def test_half_cycle_values_equal_the_plain_implementation() -> None:
    samples = waves(6)
    measured = Analyser(2, samples_per_cycle=PER_CYCLE).feed(samples, cycle_starts_ns=edges(6))
    plain = half_cycle_rms_samples(samples, samples_per_cycle=PER_CYCLE)
    np.testing.assert_allclose(measured.half_cycle_rms.reshape(12, -1), plain, rtol=1e-13)
    np.testing.assert_array_equal(measured.half_cycle_ends_ns, START + 10_000_000 * np.arange(2, 13))


def test_fundamental_without_harmonics_is_that_of_the_transform() -> None:
    samples = waves(10)
    with_orders = Analyser(2, samples_per_cycle=PER_CYCLE).feed(samples, cycle_starts_ns=edges(10))
    alone = Analyser(2, samples_per_cycle=PER_CYCLE, harmonics=False).feed(samples, cycle_starts_ns=edges(10))
    np.testing.assert_allclose(
        alone.windows[0].measure.spectrum[..., 1], with_orders.windows[0].measure.spectrum[..., 1], rtol=1e-12
    )


def test_energy_of_whole_cycles_is_exact_across_a_tick() -> None:
    theta = 2 * np.pi * np.arange(47 * PER_CYCLE) / PER_CYCLE
    samples = np.stack([325 * np.cos(theta)] * 3 + [7 * np.cos(theta - 0.6)] * 3)
    analyser = Analyser(1, samples_per_cycle=PER_CYCLE)
    at = edges(47, start=TICK - 333_000_000)
    windows = analyser.feed(samples, cycle_starts_ns=at).windows
    # The tick falls into cycle 16: a new series from edge 17 on, beside the window of cycles 10 to 20.
    assert [(w.start_ns, w.overlapping) for w in windows] == [
        (at[0], False),
        (at[10], True),
        (at[17], False),
        (at[27], False),
        (at[37], False),
    ]
    hours = 47 * 0.02 / 3600
    half = 325 * 7 / 2
    np.testing.assert_allclose(analyser.energy.watt_hours("p_imp"), half * np.cos(0.6) * hours, rtol=1e-12)
    np.testing.assert_allclose(analyser.energy.watt_hours("q_imp"), half * np.sin(0.6) * hours, rtol=1e-12)
    np.testing.assert_allclose(analyser.energy.watt_hours("s"), half * hours, rtol=1e-12)


def test_an_interruption_reads_zero_and_leaves_the_frequency_alone() -> None:
    samples = waves(40)
    samples[:3, 12 * PER_CYCLE : 35 * PER_CYCLE] = 0.0
    measured = Analyser(2, samples_per_cycle=PER_CYCLE).feed(samples, cycle_starts_ns=edges(40))
    np.testing.assert_array_equal(measured.half_cycle_rms[0, :3, 24:69], 0.0)
    assert measured.half_cycle_rms[0, :3, 23].min() > 0.0
    frequency = np.stack([window.measure.frequency for window in measured.windows])
    np.testing.assert_array_equal(frequency[[0, 1, 3]], 50.0)
    assert np.isnan(frequency[2, 0])
    assert frequency[2, 1] == 50.0


def test_flicker_equals_a_flickermeter_of_its_own() -> None:
    samples = waves(30)
    measured = Analyser(2, samples_per_cycle=PER_CYCLE, flicker=Lamp.V230).feed(
        samples, cycle_starts_ns=edges(30)
    )
    alone = FlickerMeter(6, sample_rate=50 * PER_CYCLE, lamp=Lamp.V230)
    pinst = alone.feed(samples.reshape(2, 6, -1)[:, :3].reshape(6, -1))
    assert measured.pinst is not None
    np.testing.assert_allclose(measured.pinst.reshape(6, -1), pinst, rtol=1e-9, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 34 * PER_CYCLE), max_size=6), st.booleans())
def test_the_cut_of_the_feed_changes_no_bit(cuts: list[int], harmonics: bool) -> None:
    samples, at = waves(34), edges(34, start=TICK - 333_000_000)

    def run(places: list[int]) -> list[np.ndarray]:
        analyser = Analyser(2, samples_per_cycle=PER_CYCLE, harmonics=harmonics, flicker=Lamp.V230)
        rms, ends, pinst, windows = [], [], [], []
        seen = 0
        for begin, stop in zip([0, *places], [*places, samples.shape[1]], strict=True):
            reached = stop // PER_CYCLE + 1
            got = analyser.feed(samples[:, begin:stop], cycle_starts_ns=at[seen:reached])
            seen = reached
            rms.append(got.half_cycle_rms)
            ends.append(got.half_cycle_ends_ns)
            pinst.append(got.pinst)
            for window in got.windows:
                windows += [np.array([window.start_ns, window.end_ns]), window.measure.gram]
                windows += [window.measure.spectrum]
                windows += [window.harmonic, window.interharmonic] if harmonics else []
        energy = analyser.energy
        whole = [np.concatenate(rms, axis=2), np.concatenate(ends), np.concatenate(pinst, axis=2)]
        return [*whole, energy.whole, energy.rest, energy.fine, *windows]

    for one, other in zip(run([]), run(sorted(cuts)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_errors_name_what_is_wrong_and_take_nothing() -> None:
    samples, at = waves(10), edges(10)
    analyser = Analyser(2, samples_per_cycle=PER_CYCLE)
    bad = samples.copy()
    bad[9, 700] = np.nan
    with pytest.raises(AnalyserError, match="sample 700 of channel ia of meter 1 is nan"):
        analyser.feed(bad, cycle_starts_ns=at)
    bad = samples[:, :700].copy()
    bad[1, 699] = np.inf
    with pytest.raises(AnalyserError, match="sample 699 of channel vb of meter 0 is inf"):
        analyser.feed(bad, cycle_starts_ns=at[:6])
    with pytest.raises(AnalyserError, match="reach 11 edges"):
        analyser.feed(samples, cycle_starts_ns=at[:-1])
    with pytest.raises(AnalyserError, match="pass 12 rows"):
        analyser.feed(samples[:6], cycle_starts_ns=at)
    with pytest.raises(AnalyserError, match="cycle 0 lasts 25 ms"):
        analyser.feed(samples, cycle_starts_ns=edges(10, frequency=40.0))
    assert len(analyser.feed(samples, cycle_starts_ns=at).windows) == 1
    with pytest.raises(AnalyserError, match="use 50 or 60"):
        Analyser(1, nominal_frequency=16.7)
    with pytest.raises(AnalyserError, match="multiple of 64"):
        Analyser(1, samples_per_cycle=100)


@pytest.mark.parametrize("per_cycle", [64, 128, 320, 512])
@pytest.mark.parametrize("first", [0, 7])
def test_the_kernels_form_the_sums_that_plain_numpy_forms(per_cycle: int, first: int) -> None:
    from twin.metrology.sampled_kernels import LANES, SUMS, cross_sums, cycle_sums

    meters, cycles = 2, 5
    samples = np.random.default_rng(per_cycle).normal(size=(6 * meters, first + cycles * per_cycle + 3))
    theta = 2 * np.pi * np.arange(per_cycle) / per_cycle
    halves, sums = np.empty((6 * meters, 2 * cycles)), np.full((cycles, meters, SUMS), np.nan)
    squares = np.empty((3 * meters, 32 * cycles))
    cosine, sine = np.cos(theta), np.sin(theta)
    cycle_sums(samples, first, cosine, sine, LANES, halves, sums, squares)
    cross_sums(samples, first, per_cycle, LANES, sums)
    cut = samples[:, first : first + cycles * per_cycle].reshape(meters, 6, cycles, per_cycle)
    low = np.tril_indices(6)
    products = np.einsum("macn,mbcn->cmab", cut, cut)[:, :, low[0], low[1]]
    assert sums[:, :, :21] == pytest.approx(products, rel=1e-12, abs=1e-9)
    expected = (cut.reshape(6 * meters, 2 * cycles, -1) ** 2).sum(axis=2)
    assert halves == pytest.approx(expected, rel=1e-12)
    groups = (cut[:, :3].reshape(3 * meters, 32 * cycles, -1) ** 2).mean(axis=2)
    assert squares == pytest.approx(groups, rel=1e-12)
    assert sums[:, :, 21::2] == pytest.approx((cut @ cosine).transpose(2, 0, 1), abs=1e-10)
    assert sums[:, :, 22::2] == pytest.approx((cut @ sine).transpose(2, 0, 1), abs=1e-10)
    again, none = sums.copy(), np.empty((0, 0))
    cycle_sums(samples, first, cosine, sine, LANES, halves, again, none)
    assert np.array_equal(again, sums)  # what flicker needs changes nothing else


def test_without_cross_products_only_those_of_different_phases_are_missing() -> None:
    theta = 2 * np.pi * np.arange(512 * 10) / 512
    samples = np.array([325 * np.cos(theta - a) for a in (0, 2, 4, 0.5, 2.5, 4.5)])
    edges = 10**18 + 20_000_000 * np.arange(11)
    whole = Analyser(1).feed(samples, cycle_starts_ns=edges).windows[0].measure.gram[0]
    some = Analyser(1, cross_products=False).feed(samples, cycle_starts_ns=edges).windows[0].measure.gram[0]
    kept = np.isfinite(some)
    assert {tuple(at) for at in np.argwhere(kept).tolist()} == {
        *((n, n) for n in range(6)), *((p, p + 3) for p in range(3)), *((p + 3, p) for p in range(3))
    }  # fmt: skip
    assert np.array_equal(some[kept], whole[kept])


@pytest.mark.parametrize("block", [50 * 512, 7 * 512 + 300, 1000])
def test_a_window_that_calls_cut_reads_as_one_that_they_do_not(block: int) -> None:
    """At the rate of the fast transform, past a tick, where windows no longer begin with blocks."""
    samples, at = waves(95, meters=1, per_cycle=512), edges(95, start=TICK - 333_000_000)
    whole = Analyser(1).feed(samples, cycle_starts_ns=at).windows
    analyser, parts, seen = Analyser(1), [], 0
    for begin in range(0, samples.shape[1], block):
        stop = min(begin + block, samples.shape[1])
        reached = stop // 512 + 1
        parts += analyser.feed(samples[:, begin:stop], cycle_starts_ns=at[seen:reached]).windows
        seen = reached
    assert [(w.start_ns, w.overlapping) for w in parts] == [(w.start_ns, w.overlapping) for w in whole]
    for one, other in zip(parts, whole, strict=True):
        assert np.array_equal(one.measure.gram, other.measure.gram)
        assert np.array_equal(one.measure.spectrum, other.measure.spectrum)
        assert np.array_equal(one.harmonic, other.harmonic)
        assert np.array_equal(one.interharmonic, other.interharmonic)


def test_the_caller_may_use_its_samples_again() -> None:
    """What is held for a window that goes on is a copy."""
    samples, at = waves(20, meters=1), edges(20)
    expected = Analyser(1, samples_per_cycle=PER_CYCLE).feed(samples, cycle_starts_ns=at).windows[1]
    analyser, cut = Analyser(1, samples_per_cycle=PER_CYCLE), 13 * PER_CYCLE + 40
    block = samples[:, :cut].copy()
    analyser.feed(block, cycle_starts_ns=at[:14])
    block[:] = 0.0
    found = analyser.feed(samples[:, cut:], cycle_starts_ns=at[14:]).windows[0]
    assert np.array_equal(found.measure.gram, expected.measure.gram)
    assert np.array_equal(found.harmonic, expected.harmonic)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("nominal", "frequency"), [(50, 50.0), (50, 47.3), (60, 60.0), (60, 63.1)])
def test_coherent_signals_read_their_closed_form(nominal: int, frequency: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    orders = np.array([0.0, 1.0, 3.0, 5.0, 29.0, 50.0])
    size = np.array([0.4, 325.0, 12.0, 9.0, 4.0, 2.0])
    amplitude = size * np.exp(2j * np.pi * rng.uniform(size=(6, 6)))
    amplitude[:, 0] = 0.4
    start = 1_699_999_987_000_000_000
    segment = Segment(start, frequency, 0.0, orders, np.zeros(6, np.complex128), amplitude)
    cycles = nominal // 5
    signal = Signal(tuple("abcdef"), (segment,), start + 3 * 10**9)
    samples = synthesise_cycles(signal, Instant(start), samples_per_cycle=512, count=512 * 2 * cycles)
    at = edges(2 * cycles, frequency=frequency, start=start)
    analyser = Analyser(1, nominal_frequency=nominal)
    measured = analyser.feed(samples, cycle_starts_ns=at)
    for number, window in enumerate(measured.windows):
        begin, end = (instant_of_theta(segment, 2 * np.pi * cycles * (number + k)) for k in (0, 1))
        exact = measure_window(signal, begin, end, orders=51)
        size_of = np.abs(exact.gram).max()
        assert np.abs(window.measure.gram - exact.gram).max() < 1e-11 * size_of
        assert np.abs(window.measure.spectrum - exact.spectrum).max() < 1e-11 * np.sqrt(size_of)
        assert window.measure.frequency == pytest.approx(frequency, rel=1e-8)
    ends, rms = half_cycle_rms(signal, 2, 4 * cycles - 1)
    assert np.abs(measured.half_cycle_ends_ns - ends).max() <= 1
    assert measured.half_cycle_rms[0] == pytest.approx(rms, rel=1e-11)


@pytest.mark.parametrize("point", [0.0, 0.13, 0.5, 0.77])
def test_a_dip_at_any_point_on_wave_reads_its_closed_form(point: float) -> None:
    order, rate = np.array([1.0]), np.zeros(1, np.complex128)
    amplitude = 325.0 * np.exp(-2j * np.pi * np.array([0, 1, 2, 0.1, 1.1, 2.1])[:, None] / 3)
    start = 1_699_999_987_000_000_000
    begin, end = start + round((3 + point) * 2e7), start + round((5.6 + point) * 2e7)
    segments = tuple(
        Segment(ns, 50.0, 2 * np.pi * 50 * (ns - start) * 1e-9, order, rate, amplitude * share)
        for ns, share in ((start, 1.0), (begin, 0.4), (end, 1.0))
    )
    signal = Signal(tuple("abcdef"), segments, start + 10**9)
    samples = synthesise_cycles(signal, Instant(start), samples_per_cycle=512, count=512 * 12)
    measured = Analyser(1).feed(samples, cycle_starts_ns=edges(12, start=start))
    _, rms = half_cycle_rms(signal, 2, 23)
    # One sample of 512 on the wrong side of an edge, at the crest of the larger voltage.
    assert np.abs(measured.half_cycle_rms[0] ** 2 - rms**2).max() < 325.0**2 / 512
    assert measured.half_cycle_rms[0, :3].min() == pytest.approx(rms[:3].min(), abs=0.002 * 230)


@pytest.mark.parametrize("frequency", [42.5, 49.0, 50.0, 51.0, 57.5])
def test_flicker_reads_one_at_any_frequency_of_the_grid(frequency: float) -> None:
    """Table 1 of IEC 61000-4-15, in hertz of time while samples and values follow the grid's cycles."""
    table = [(2.0, 0.879), (8.8, 0.25), (20.0, 0.704)]
    seconds, per_cycle = 30, 64
    cycles = int(seconds * frequency)
    t = np.arange(cycles * per_cycle) / (per_cycle * frequency)
    samples = np.ones((6, t.size))
    for row, (hertz, percent) in enumerate(table):
        change = 1 + percent / 200 * np.sin(2 * np.pi * hertz * t)
        samples[row] = 325 * np.sin(2 * np.pi * frequency * t) * change
    analyser = Analyser(
        1, samples_per_cycle=per_cycle, harmonics=False, flicker=Lamp.V230, orders=2, cross_products=False
    )
    pinst = analyser.feed(samples, cycle_starts_ns=edges(cycles, frequency=frequency)).pinst
    assert pinst is not None
    assert pinst[0, :, -round(8 * 32 * frequency) :].max(axis=1) == pytest.approx(1.0, abs=0.01)


def test_a_wandering_frequency_is_no_flicker() -> None:
    """From 49 to 51 Hz in half a minute, ten times as fast as grids go."""
    per_cycle = 64
    frequency = np.concatenate((np.full(1500, 49.0), np.linspace(49.0, 51.0, 1500), np.full(1500, 51.0)))
    starts = START + np.rint(np.concatenate(([0.0], np.cumsum(1e9 / frequency)))).astype(np.int64)
    theta = 2 * np.pi * np.arange(frequency.size * per_cycle) / per_cycle
    samples = np.tile(325 * np.cos(theta), (6, 1))
    analyser = Analyser(
        1, samples_per_cycle=per_cycle, harmonics=False, flicker=Lamp.V230, orders=2, cross_products=False
    )
    pinst = analyser.feed(samples, cycle_starts_ns=starts).pinst
    assert pinst is not None
    assert pinst[0, :, 31 * 50 * 32 :].max() < 1e-3

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import EPOCH, at, direct, following, segment, signal
from twin.contracts import Instant, SampledBlock
from twin.signals import SignalRangeError, pieces, synthesise, synthesise_cycles, window_moments
from twin.signals.block_kernels import (
    add_interpolated,
    add_weighted_gram,
    add_weighted_spectrum,
    lattice_weights,
)
from twin.signals.blocks import lagrange_table

few = settings(deadline=None, max_examples=25)
STEP = 1.0 / 6400  # 156250 ns, a whole number


def with_samples(samples, *, step_s=STEP, before=0, terms=None, **fields):
    """Return a segment whose block begins ``before`` samples before it; without terms unless given."""
    samples = np.atleast_2d(np.asarray(samples, float))
    part = terms or segment(amplitude=np.zeros((samples.shape[0], 0)), order=[], **fields)
    start = part.start_ns - before * Fraction(step_s) * 10**9
    whole = start.numerator // start.denominator
    return replace(part, block=SampledBlock(whole, float(start - whole), step_s, samples))


def test_samples_are_given_back_where_they_lie():
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(3, 1000))
    terms = segment(amplitude=rng.normal(size=(3, 2)), order=[1, 5])
    whole = signal(with_samples(samples, before=4, terms=terms), duration_s=0.15)
    found = synthesise(whole, at(0.0), step_s=STEP, count=900)
    expected = samples[:, 4:904] + direct(terms, np.arange(900) * np.longdouble(STEP)).astype(float)
    assert np.abs(found - expected).max() < 1e-12
    coarse = synthesise_cycles(whole, at(0.0), samples_per_cycle=64, count=450)
    assert np.abs(coarse - expected[:, ::2]).max() < 1e-12
    rows = synthesise(whole, at(0.0), step_s=STEP, count=9, channels=slice(1, 3))
    assert (rows == found[1:, :9]).all()


@few
@given(st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6), st.floats(0.0, 0.99), st.integers(6, 40))
def test_polynomials_of_the_fifth_degree_are_exact_up_to_the_ends_of_a_block(coefficients, place, count):
    """One-sided near the ends, central within; the integral of what lies between is exact as well."""
    whole = np.polynomial.Polynomial(coefficients)
    unit = lambda n: (2.0 * n - (count - 1)) / (count - 1)  # noqa: E731
    wave = whole(unit(np.arange(count)))
    part = signal(with_samples(wave), duration_s=(count - 1) * STEP)
    found = synthesise(part, Instant(EPOCH, place), step_s=0.37 * STEP, count=int((count - 1) / 0.37))
    where = place * 1e-9 / STEP + 0.37 * np.arange(found.shape[1])
    assert np.abs(found[0] - whole(unit(where))).max() < 1e-12 * (1 + np.abs(coefficients).sum())
    begin, end = sorted((place, 0.63 * place))
    if end - begin > 1e-3:
        a, b = (Instant(EPOCH + int(x * (count - 1) * STEP * 1e9)) for x in (begin, end))
        _, spectrum, _ = window_moments(part, a, b, channels=0, orders=1)
        ua, ub = (unit((t.ns - EPOCH) * 1e-9 / STEP) for t in (a, b))
        mean = (whole.integ()(ub) - whole.integ()(ua)) / (ub - ua)
        assert abs(spectrum[0, 0] - mean) < 1e-10 * (1 + np.abs(coefficients).sum())


@few
@given(st.integers(0, 2**32 - 1), st.integers(8, 80), st.integers(1, 6), st.floats(0.0, 30.0))
def test_whole_cycles_are_the_mean_and_the_transform_of_the_samples(seed, per_cycle, cycles, shift):
    """Any periodic samples, any begin of the window: a discrete transform, to rounding."""
    rng = np.random.default_rng(seed)
    step_s = 1.0 / (50.0 * per_cycle)
    cycle = rng.normal(size=(6, per_cycle))
    lead = 4
    samples = np.tile(np.roll(cycle, lead, axis=1), (1, cycles + 8 + 30 // per_cycle))
    whole = signal(with_samples(samples, step_s=step_s, before=lead), duration_s=(cycles + 6) / 50)
    begin_ns = round(shift * 1e9 * step_s)
    window = Instant(EPOCH + begin_ns), Instant(EPOCH + begin_ns + cycles * 20_000_000)
    orders = per_cycle // 2
    gram, spectrum, frequency = window_moments(whole, *window, orders=orders)
    assert frequency == pytest.approx(50.0, rel=1e-14)
    assert np.abs(gram[0] - cycle @ cycle.T / per_cycle).max() < 1e-12 * np.abs(cycle).max() ** 2
    # A shift by a part of a sample leaves the transform of samples; that by whole ones is theta's.
    bins = np.fft.fft(cycle, axis=1)[:, :orders] / per_cycle
    bins[:, 1:] *= np.sqrt(2)
    assert np.abs(spectrum - bins).max() < 1e-12 * per_cycle


def test_segments_that_share_a_block_add_up_as_one():
    """The terms go on through the boundaries, so that the cut is none."""
    rng = np.random.default_rng(3)
    terms = segment(amplitude=rng.normal(size=(6, 2)), order=[1, 3], frequency=49.7, theta=2.0)
    one = with_samples(rng.normal(size=(6, 2000)), before=10, terms=terms)
    two = following(one, 33_333_333)
    three = following(two, 1)
    four = following(three, 61_234_567)
    whole, cut = signal(one, duration_s=0.3), signal(one, two, three, four, duration_s=0.3)
    window = at(0.0101), at(0.2023, 0.5)
    for a, b in zip(window_moments(whole, *window), window_moments(cut, *window), strict=True):
        assert np.abs(a - b).max() < 1e-12
    samples = [synthesise(s, at(0.001), step_s=1.1e-4, count=2500) for s in (whole, cut)]
    assert np.abs(samples[0] - samples[1]).max() < 1e-11
    assert sum(piece.segment.block is one.block for piece in pieces(cut, *window)) == 4


def test_a_term_that_dies_within_a_sample_does_not_overwhelm_the_window():
    """Extended backwards by three samples it would be e^600; it stays below e^3."""
    terms = segment(amplitude=np.full((6, 1), 1.0), order=[0], rate=[-200.0 / STEP])
    part = with_samples(np.ones((6, 200)), before=8, terms=terms)
    gram, spectrum, _ = window_moments(signal(part, duration_s=0.02), at(0.0), at(0.02))
    assert np.abs(spectrum[:, 0] - 1.0).max() < 25.0 * STEP / 0.02
    assert np.abs(gram - 1.0).max() < 450.0 * STEP / 0.02


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_block_of_few_samples_is_one_polynomial(count):
    wave = np.arange(float(count)) ** (count - 1)
    part = signal(with_samples(wave), duration_s=(count - 1) * STEP)
    found = synthesise(part, at(0.0), step_s=STEP / 8, count=8 * (count - 1))
    assert found[0] == pytest.approx((np.arange(8 * (count - 1)) / 8) ** (count - 1), abs=1e-12)
    mean = window_moments(part, at(0.0), Instant(part.end_ns), channels=0, orders=1)[1][0, 0]
    assert mean == pytest.approx((count - 1) ** (count - 1) / count, rel=1e-12)


def test_a_block_must_cover_its_segment():
    samples = np.ones((1, 65))  # 10 ms
    good = signal(with_samples(samples), duration_s=0.01)
    assert synthesise(good, at(0.0), step_s=1e-3, count=10).shape == (1, 10)
    late = signal(with_samples(samples, before=-1), duration_s=0.005)
    early = signal(with_samples(samples), duration_s=0.0100001)
    one = signal(with_samples(samples[:, :1]), duration_s=0.001)
    other = signal(
        with_samples(samples, terms=segment(amplitude=np.ones((6, 1)), order=[1])), duration_s=0.001
    )
    for whole, message in (
        (late, "begins only at .* ns; let it begin 156250 ns earlier"),
        (early, "ends 100 ns early, with sample 64"),
        (one, "two samples or more"),
        (other, "of each of the 6 channels"),
    ):
        with pytest.raises(SignalRangeError, match=message):
            synthesise(whole, at(0.0), step_s=1e-3, count=1)
        with pytest.raises(SignalRangeError, match=message):
            window_moments(whole, at(0.0), at(0.001), channels=1)


# The loops against plain numpy.


def test_coefficients_are_those_of_lagrange():
    table = lagrange_table()
    for left in range(5):
        nodes = np.arange(6) - left
        for j in range(6):
            values = np.polynomial.polynomial.polyval(nodes, table[left, j])
            assert np.abs(values - np.eye(6)[j]).max() < 1e-12


@few
@given(st.integers(6, 30), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_loops_agree_with_plain_numpy(count, left, right):
    rng = np.random.default_rng(count)
    samples = rng.normal(size=(2, count))
    begin, end = sorted(((count - 1) * left, (count - 1) * right))

    def polynomial(cell):
        first = min(max(cell - 2, 0), count - 6)
        return first, np.linalg.inv(np.vander(np.arange(first, first + 6.0) - cell, increasing=True))

    where = np.linspace(begin, end, 7)
    found = np.zeros((2, 7))
    step = (end - begin) / 6
    add_interpolated(samples, lagrange_table(), int(begin), begin % 1, int(step), step % 1, found)
    for n, place in enumerate(where):
        cell = min(int(place), count - 2)
        first, inverse = polynomial(cell)
        powers = (place - cell) ** np.arange(6)
        assert np.abs(samples[:, first : first + 6] @ (powers @ inverse) - found[:, n]).max() < 1e-10

    weight = np.empty(count)
    lattice_weights(lagrange_table(), count, (int(begin), begin % 1, int(end), end % 1), weight)
    expected = np.zeros(count)
    for cell in range(count - 1):
        a, b = (min(max(x - cell, 0.0), 1.0) for x in (begin, end))
        first, inverse = polynomial(cell)
        power = np.arange(1, 7)
        expected[first : first + 6] += (b**power - a**power) / power @ inverse
    assert np.abs(weight - expected).max() < 1e-12

    gram = np.ones((2, 1, 1))
    add_weighted_gram(samples, weight, 0.5, gram)
    assert gram[:, 0, 0] == pytest.approx(1 + 0.5 * (samples**2 * weight).sum(axis=1), rel=1e-12)
    pair = np.zeros((1, 2, 2))
    add_weighted_gram(samples, weight, 2.0, pair)
    assert np.abs(pair[0] - 2 * (samples * weight) @ samples.T).max() < 1e-12
    planes = np.zeros((2, 4, 2))
    add_weighted_spectrum(samples, weight, 0.3, 50.0, (-1000, 0.25, 156_250, 0.5), 0.1, planes)
    theta = 0.3 + 2 * np.pi * 50 * 1e-9 * (-999.75 + 156_250.5 * np.arange(count))
    root = np.array([1, *[2**0.5] * 3])[:, None]
    bins = 0.1 * root * (np.exp(-1j * np.outer(np.arange(4), theta)) @ (samples * weight).T)
    assert np.abs(planes[0] + 1j * planes[1] - bins).max() < 1e-12


def test_only_meters_with_samples_are_summed_over_them():
    """A neighbour that is sampled changes no bit of a meter that is not: its terms are integrated exactly."""
    rng = np.random.default_rng(2)
    amplitude = rng.normal(size=(12, 2)) + 1j * rng.normal(size=(12, 2))
    terms = segment(amplitude=amplitude, order=[1, 5], rate=[0.0, -40.0])
    samples = np.concatenate([np.zeros((6, 400)), rng.normal(size=(6, 400))])
    window = at(0.001), at(0.023)

    def moments(rows, *, sampled):
        part = replace(terms, amplitude=terms.amplitude[rows])
        part = with_samples(samples[rows], before=50, terms=part) if sampled else part
        return window_moments(signal(part, duration_s=0.05), *window, orders=9)

    gram, spectrum, _ = moments(slice(None), sampled=True)
    for meter, sampled in ((0, False), (1, True)):
        own = slice(6 * meter, 6 * meter + 6)
        alone, alone_spectrum, _ = moments(own, sampled=sampled)
        assert (gram[meter] == alone[0]).all()
        assert (spectrum[own] == alone_spectrum).all()

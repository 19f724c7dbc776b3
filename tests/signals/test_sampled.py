"""Closed form against samples: equal where they must be, within the bound of the quadrature elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals import quadrature_bound
from tests.signals.waves import EPOCH, amplitudes, at, following, segment, signal, size_of
from twin.contracts import Instant, SampledBlock
from twin.signals import (
    SignalRangeError,
    WholeOrderError,
    instant_of_theta,
    sampled,
    sampled_segment,
    synthesise,
    synthesise_cycles,
    theta_at,
    window_moments,
)

few = settings(deadline=None, max_examples=40)
frequencies = st.one_of(st.floats(42.5, 57.5), st.floats(51.0, 69.0))


@st.composite
def parts(draw, *, rows=6):
    """Draw harmonics to the 50th, interharmonics, a decaying direct term and damped oscillations."""
    order = sorted(draw(st.sets(st.integers(0, 50), min_size=1, max_size=6)))
    own = draw(st.lists(st.floats(30.0, 15_000.0), max_size=2))
    rate = [1j * w for w in own]
    rate += [complex(-draw(st.floats(1.0, 2000.0)))] * draw(st.booleans())
    rate += [complex(-draw(st.floats(10.0, 1500.0)), draw(st.floats(0.0, 12_000.0)))] * draw(st.booleans())
    amplitude = draw(amplitudes(rows, len(order) + len(rate), 300.0))
    amplitude[:, np.array([*order, *([1] * len(rate))]) == 0] *= 0.1
    amplitude.imag[:, : len(order)][:, np.array(order) == 0] = 0.0
    return segment(
        amplitude=amplitude,
        order=[*order, *([0] * len(rate))],
        rate=[*([0] * len(order)), *rate],
        frequency=draw(frequencies),
        theta=draw(st.floats(0.0, 6.28)),
    )


@st.composite
def wholes(draw):
    """Draw 1 to 5 segments: dips at any point on wave, jumps of phase, changes of frequency or all."""
    whole = [draw(parts())]
    for _ in range(draw(st.integers(0, 4))):
        before, cut = whole[-1], draw(st.integers(100_000, 40_000_000))
        other = draw(parts())
        fields = draw(
            st.sampled_from(
                [
                    {"amplitude": before.amplitude * draw(st.floats(0.0, 1.0))},
                    {"amplitude": before.amplitude * np.exp(1j * draw(st.floats(-3.0, 3.0)))},
                    {"frequency": other.frequency},
                    {k: getattr(other, k) for k in ("order", "rate", "amplitude", "frequency")},
                ]
            )
        )
        whole.append(following(before, cut, **fields))
    return signal(*whole, duration_s=0.25)


windows = st.tuples(
    st.integers(0, 60_000_000),
    st.integers(200_000, 150_000_000),
    st.floats(0.0, 0.999),
    st.floats(0.0, 0.999),
).map(lambda w: (Instant(EPOCH + w[0], w[2]), Instant(EPOCH + w[0] + w[1], w[3])))
rates = st.sampled_from([128, 256, 512, 1024])


@few
@given(wholes(), windows, rates)
def test_moments_of_samples_agree_within_the_bound(whole, window, per_cycle):
    gram, spectrum, frequency = window_moments(whole, *window, orders=10)
    found, bins, same = window_moments(sampled(whole, samples_per_cycle=per_cycle), *window, orders=10)
    size = size_of(whole)
    product, transform = quadrature_bound.moments(whole, *window, per_cycle, orders=10)
    assert (np.abs(found[0] - gram[0]) <= product + 1e-12 * size**2).all()
    assert (np.abs(bins - spectrum) <= transform + 1e-12 * size).all()
    assert same == frequency


@few
@given(wholes(), windows, rates)
def test_values_between_samples_agree_within_the_bound(whole, window, per_cycle):
    step_s = (window[1].ns - window[0].ns) * 1e-9 / 500
    exact = synthesise(whole, window[0], step_s=step_s, count=500)
    found = synthesise(sampled(whole, samples_per_cycle=per_cycle), window[0], step_s=step_s, count=500)
    bound = np.max([quadrature_bound.between(part, per_cycle) for part in whole.segments], axis=0)
    assert (np.abs(found - exact).max(axis=1) <= bound + 1e-11 * size_of(whole)).all()


@few
@given(parts(), st.sampled_from([110, 128, 256, 512]), st.integers(1, 12), st.floats(0.0, 50.0), st.data())
def test_whole_cycles_of_harmonics_below_nyquist_are_equal(part, per_cycle, cycles, begin_ms, data):
    """Coherent and stationary, the window anywhere on the wave and between the samples: to 1e-12."""
    still = part.rate == 0.0
    part = replace(
        part,
        order=part.order[still],
        rate=part.rate[still],
        amplitude=np.ascontiguousarray(part.amplitude[:, still]),
    )
    whole = signal(part, duration_s=0.5)
    turned = sampled(whole, samples_per_cycle=per_cycle)
    start = Instant(EPOCH + round(begin_ms * 1e6), data.draw(st.floats(0.0, 0.999)))
    theta = theta_at(part, start.ns) + 2 * np.pi * part.frequency * start.fraction * 1e-9
    window = start, instant_of_theta(part, theta + 2 * np.pi * cycles)
    gram, spectrum, _ = window_moments(whole, *window, orders=51)
    found, bins, _ = window_moments(turned, *window, orders=51)
    size = size_of(whole)
    assert np.abs(found - gram).max() <= 1e-12 * size**2
    assert np.abs(bins - spectrum).max() <= 1e-12 * size
    # And the samples themselves, where they coincide.
    samples = [synthesise_cycles(s, at(0.0), samples_per_cycle=per_cycle, count=500) for s in (whole, turned)]
    assert np.abs(samples[0] - samples[1]).max() <= 1e-12 * size


@pytest.mark.parametrize("seed", range(5))
def test_the_error_falls_with_the_sixth_power_of_the_step(seed):
    """Both ends of the window lie on samples at every rate, so that only the step differs."""
    rng = np.random.default_rng(seed)
    part = segment(
        amplitude=rng.normal(size=(6, 5)) + 1j * rng.normal(size=(6, 5)),
        order=[1, 3, 5, 0, 0],
        rate=[0, 0, 0, 777j, -150.0 + 900j],
        frequency=50.0,
        theta=1.0,
    )
    whole = signal(part, duration_s=0.3)
    window = at(0.0), at(0.02 * (3 + rng.integers(1, 32) / 32))
    exact = window_moments(whole, *window, orders=4)
    errors = []
    for per_cycle in (64, 128, 256):
        found = window_moments(sampled(whole, samples_per_cycle=per_cycle), *window, orders=4)
        errors.append([np.abs(a - b).max() for a, b in zip(found[:2], exact[:2], strict=True)])
    order = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (order > 5.5).all()
    assert (order < 6.6).all()


@pytest.mark.parametrize("ratio", [0.01, 0.5, 3.0])
def test_two_poles_close_together_stand_for_a_repeated_one(ratio):
    """``t exp(s t)`` as ``(exp(s(1 + d)t) - exp(st)) / (s d)``, d = 1e-4.

    The rest of the series is at most ``|s| d t/2`` of the value, as ``exp(x) - 1 = x + x^2/2 + ..`` and both
    decay: 1.5e-4 of the value after three time constants of a real pole, and nowhere more than 2 d/e of
    the crest, times ``|s|/|Re s|`` for a complex one.
    """
    d = 1e-4
    for pole in (-40.0, -40.0 + 40.0 * ratio * 1j):
        scale = 1.0 / (pole * d)
        part = segment(amplitude=[[scale, -scale]], order=[0, 0], rate=[pole * (1 + d), pole])
        tau = np.arange(4000) * 1e-4
        found = synthesise(signal(part, duration_s=0.4), at(0.0), step_s=1e-4, count=4000)[0]
        exact = (tau * np.exp(pole * tau)).real
        envelope = tau * np.exp(pole.real * tau)
        assert (np.abs(found - exact) <= 1.01 * abs(pole) * d / 2 * tau * envelope + 1e-12).all()
        crest = 1.0 / (-pole.real * np.e)
        worst = np.abs(found - exact).max() / crest
        assert 1e-6 < worst < 0.75 * d * abs(pole) / -pole.real


def test_samples_of_a_segment_with_a_block_are_the_blocks_own():
    """Nothing is interpolated, only what the segment needs is kept, and the terms are added."""
    rng = np.random.default_rng(5)
    block = SampledBlock(EPOCH - 1_000_000, 0.5, 1e-4, rng.normal(size=(2, 3000)))
    part = replace(segment(amplitude=rng.normal(size=(2, 2)), order=[1, 7]), block=block)
    whole = signal(part, following(part, 70_000_000, amplitude=2 * part.amplitude), duration_s=0.1)
    turned = sampled(whole, samples_per_cycle=64)
    for before, after in zip(whole.segments, turned.segments, strict=True):
        assert after.amplitude.shape == (2, 0)
        assert after.block.step_s == 1e-4
        assert after.block.samples.shape[1] < 720
        assert after.theta == before.theta
    first = Instant(EPOCH, 0.5)  # on the samples of the block
    samples = [synthesise(s, first, step_s=1e-4, count=990) for s in (whole, turned)]
    assert np.abs(samples[0] - samples[1]).max() < 1e-12
    window = at(0.0123), at(0.0879)
    for a, b in zip(*(window_moments(s, *window, channels=2) for s in (whole, turned)), strict=True):
        assert np.abs(a - b).max() < 1e-12


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(WholeOrderError):
        sampled(signal(segment(amplitude=np.ones((1, 1)), order=[1.5]), duration_s=1), samples_per_cycle=64)
    short = SampledBlock(EPOCH, 0.0, 1e-3, np.ones((1, 10)))
    part = replace(segment(amplitude=np.ones((1, 1)), order=[1]), block=short)
    with pytest.raises(SignalRangeError, match="ends 1000000 ns early"):
        sampled_segment(part, EPOCH + 10_000_000, samples_per_cycle=64)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import (
    EPOCH,
    at,
    damped_segments,
    following,
    quadrature,
    segment,
    signal,
    size_of,
    stationary_segments,
)
from twin.metrology import (
    half_cycle_instants,
    half_cycle_number,
    half_cycle_rms,
    half_cycle_rms_samples,
    measure_steady,
)
from twin.signals import SignalRangeError, instant_of_theta, synthesise_cycles

few = settings(deadline=None, max_examples=20)


@few
@given(stationary_segments(), st.integers(2, 40))
def test_stationary_values_are_the_rms(part, first):
    whole = signal(part, duration_s=1.0)
    first += int(part.theta // np.pi) + 1
    ends, rms = half_cycle_rms(whole, first, 10)
    expected = np.sqrt(np.maximum(np.diag(measure_steady(part).gram[0]), 0.0))
    assert np.abs(rms**2 - expected[:, None] ** 2).max() <= 1e-11 * size_of(whole) ** 2
    assert np.abs(np.diff(ends) - 5e8 / part.frequency).max() <= 1.0


@few
@given(stationary_segments(), damped_segments(), st.integers(1, 50_000_000), st.data())
def test_values_over_a_boundary_agree_with_quadrature(one, other, cut, data):
    two = following(
        one,
        cut,
        order=other.order,
        rate=other.rate,
        amplitude=other.amplitude,
        frequency=other.frequency,
    )
    whole = signal(one, two, duration_s=0.2)
    first = int(np.ceil(one.theta / np.pi)) + 2
    ends, rms = half_cycle_rms(whole, first, 12)
    edges = half_cycle_instants(whole, first - 2, 14)
    n = data.draw(st.integers(0, 11))
    gram, _ = quadrature(whole, edges[n], edges[n + 2])
    assert np.abs(rms[:, n] ** 2 - np.diag(gram)).max() <= 1e-11 * size_of(whole) ** 2
    assert abs(ends[n] - edges[n + 2].ns) <= 1


def test_a_dip_of_one_cycle_by_hand():
    """230 V, at 100 ms down to half for 20 ms, all at zero crossings: windows half in have sqrt(0.625)."""
    amplitude = np.full((1, 1), 230 * np.sqrt(2) + 0j)
    one = segment(amplitude=amplitude, order=[1])
    two = following(one, 100_000_000, amplitude=amplitude / 2)
    three = following(two, 20_000_000, amplitude=amplitude)
    ends, rms = half_cycle_rms(signal(one, two, three, duration_s=1), 9, 6)
    assert ((ends - EPOCH) // 1_000_000).tolist() == [90, 100, 110, 120, 130, 140]
    half = 230 * 0.625**0.5
    assert rms[0] == pytest.approx([230.0, 230.0, half, 115.0, half, 230.0])


@few
@given(stationary_segments(highest=12), stationary_segments(highest=12), st.integers(1, 9))
def test_closed_form_agrees_with_samples(one, two, halves):
    """A boundary at a multiple of pi cuts no sample interval, and odd orders fill half cycles wholly."""
    one = segment(amplitude=one.amplitude, order=2 * one.order + 1, frequency=50.0)
    two = following(
        one, halves * 10_000_000, order=2 * two.order + 1, amplitude=two.amplitude, rate=0 * two.rate
    )
    whole = signal(one, two, duration_s=0.3)
    samples = synthesise_cycles(whole, at(0.0), samples_per_cycle=64, count=64 * 7)
    found = half_cycle_rms_samples(samples, samples_per_cycle=64)
    _, rms = half_cycle_rms(whole, 2, 13)
    assert np.abs(found**2 - rms**2).max() <= 1e-11 * size_of(whole) ** 2


def test_half_cycles_count_on_through_reduced_theta_and_changes_of_frequency():
    one = segment(amplitude=np.ones((1, 1)), order=[1], frequency=50.0, theta=1.0)
    two = following(one, 333_333_333, frequency=48.5)
    three = following(two, 123_456_789, frequency=51.25)
    whole = signal(one, two, three, duration_s=1)
    assert two.theta < 2 * np.pi
    turns = 1.0 / (2 * np.pi) + 50 * 0.333333333 + 48.5 * 0.123456789
    assert half_cycle_number(whole, three.start_ns) == int(2 * turns)
    edges = half_cycle_instants(whole, 1, 90)
    steps = np.diff([edge.ns - EPOCH + edge.fraction for edge in edges])
    nominal = 5e8 / np.array([50.0, 48.5, 51.25])
    assert (steps > nominal.min() - 1e-3).all()
    assert (steps < nominal.max() + 1e-3).all()
    assert edges[0] == instant_of_theta(one, np.pi)
    for n in (0, 30, 60, 80):
        assert half_cycle_number(whole, edges[n].ns + 1) == n + 1
        assert half_cycle_number(whole, edges[n].ns - 1) == n


@few
@given(st.integers(1, 60), st.sampled_from([50.0, 60.0]))
def test_a_boundary_on_the_lattice_neither_hides_nor_doubles_a_half_cycle(k, frequency):
    one = segment(amplitude=np.ones((1, 1)), order=[1], frequency=frequency)
    two = following(one, instant_of_theta(one, k * np.pi).ns - EPOCH)
    whole = signal(one, two, duration_s=2)
    edges = half_cycle_instants(whole, 1, 100)
    steps = np.diff([edge.ns - EPOCH + edge.fraction for edge in edges])
    assert np.abs(steps - 5e8 / frequency).max() < 1e-3


def test_windows_must_lie_inside_the_signal():
    whole = signal(segment(amplitude=np.ones((1, 1)), order=[1]), duration_s=0.1)
    ends, _ = half_cycle_rms(whole, 2, 9)
    assert ends[0] == at(0.02).ns
    assert ends[-1] == at(0.1).ns
    for first, count in ((1, 1), (2, 10)):
        with pytest.raises(SignalRangeError, match="do not all end inside the signal"):
            half_cycle_rms(whole, first, count)
    with pytest.raises(SignalRangeError, match="does not cover"):
        half_cycle_number(whole, at(0.2).ns)


def test_samples_need_an_even_number_per_cycle():
    with pytest.raises(ValueError, match="use an even number"):
        half_cycle_rms_samples(np.zeros((3, 65)), samples_per_cycle=65)

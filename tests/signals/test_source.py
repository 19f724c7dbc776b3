"""The three-phase source against plain numpy: what is asked for is what the terminals carry."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.contracts import NS_PER_SECOND, Instant
from twin.signals import synthesise, theta_at, window_gram, window_spectrum
from twin.signals.source import Fluctuation, SourceError, SourceStep, Tone, source_signal

START = 1_767_225_600 * NS_PER_SECOND
DEG = math.pi / 180.0


def step(**given):
    return SourceStep(**({"duration_s": 1.0, "frequency": 50.0, "voltage": (230.0,) * 3} | given))


def test_a_steady_step_is_the_cosine_that_was_asked_for():
    signal = source_signal(
        [step(frequency=49.3, current=(5.0, 4.0, 3.0), current_lag=(30 * DEG, -20 * DEG, 0.0))],
        start_ns=START,
    )
    t = np.arange(1000) * 1e-3
    wave = synthesise(signal, Instant(START), step_s=1e-3, count=1000)
    theta = 2 * np.pi * 49.3 * t
    assert wave[1] == pytest.approx(230 * np.sqrt(2) * np.cos(theta - 2 * np.pi / 3), abs=1e-9)
    assert wave[4] == pytest.approx(4 * np.sqrt(2) * np.cos(theta - 2 * np.pi / 3 + 20 * DEG), abs=1e-9)


def test_harmonics_and_interharmonics_follow_the_fundamental_of_their_phase():
    tones = (
        Tone(multiple=5, voltage=0.06, voltage_angle=0.3, current=0.2, current_angle=-1.0),
        Tone(multiple=3.5, voltage=0.01, voltage_angle=0.7),
    )
    signal = source_signal([step(tones=tones, current=(5.0,) * 3, current_lag=(0.5,) * 3)], start_ns=START)
    t = np.arange(2000) * 5e-4
    wave = synthesise(signal, Instant(START), step_s=5e-4, count=2000)
    angle = 2 * np.pi * 50 * t + 2 * np.pi / 3
    v = np.cos(angle) + 0.06 * np.cos(5 * angle + 0.3) + 0.01 * np.cos(3.5 * angle + 0.7)
    assert wave[2] == pytest.approx(230 * np.sqrt(2) * v, abs=1e-9)
    i = np.cos(angle - 0.5) + 0.2 * np.cos(5 * (angle - 0.5) - 1.0)
    assert wave[5] == pytest.approx(5 * np.sqrt(2) * i, abs=1e-9)


@pytest.mark.parametrize("shape", ["sinusoidal", "rectangular"])
def test_fluctuation_swings_between_the_two_levels_and_leaves_the_current_alone(shape):
    fluctuation = Fluctuation(shape=shape, rate=8.8, depth=0.02)
    signal = source_signal([step(fluctuation=fluctuation, current=(5.0,) * 3)], start_ns=START)
    t = np.arange(20_000) * 5e-5
    wave = synthesise(signal, Instant(START), step_s=5e-5, count=t.size)
    swing = np.cos(2 * np.pi * 8.8 * t) if shape == "sinusoidal" else 1.0 - 2.0 * ((t * 17.6).astype(int) % 2)
    carrier = np.sqrt(2) * np.cos(2 * np.pi * 50 * t)
    # A change is rounded to a nanosecond: no sample lies that close to one.
    assert wave[0] == pytest.approx(230 * (1 + 0.01 * swing) * carrier, abs=1e-6)
    assert wave[3] == pytest.approx(5 * carrier, abs=1e-9)


def test_a_fluctuation_has_a_boundary_at_each_change_and_no_other():
    fluctuation = Fluctuation(shape="rectangular", rate=13.5, depth=0.004)
    signal = source_signal([step(duration_s=20.0, fluctuation=fluctuation)], start_ns=START)
    begins = {segment.start_ns - START for segment in signal.segments}
    changes = {round(k * NS_PER_SECOND / 27) for k in range(540)}
    assert begins == changes | {10 * NS_PER_SECOND}


def test_a_frequency_ramp_follows_the_quadratic_phase():
    signal = source_signal([step(duration_s=2.0, frequency=49.0, frequency_end=51.0)], start_ns=START)
    t = np.arange(4000) * 5e-4
    wave = synthesise(signal, Instant(START), step_s=5e-4, count=t.size)
    exact = 230 * np.sqrt(2) * np.cos(2 * np.pi * (49.0 * t + 0.5 * 1.0 * t * t))
    bound = math.pi / 4 * 1.0 * 0.01**2
    assert np.abs(wave[0] - exact).max() < 1.1 * bound * 230 * math.sqrt(2)
    assert np.abs(wave[0] - exact).max() > 0.1 * bound * 230 * math.sqrt(2)


def test_a_magnitude_ramp_is_linear_to_what_an_exponential_of_half_a_cycle_strays():
    ramp = step(voltage=(230.0, 230.0, 0.0), voltage_end=(180.0, 230.0, 100.0))
    signal = source_signal([ramp], start_ns=START)
    for at in (0.25, 0.5, 0.75):
        begin = START + round(at * NS_PER_SECOND)
        gram = window_gram(signal, Instant(begin), Instant(begin + 20_000_000))
        middle = at + 0.01
        # The mean square over a cycle of a line is that of its middle and slope^2 T^2 / 12.
        assert math.sqrt(gram[0, 0, 0]) == pytest.approx(230 - 50 * middle, abs=0.02)
        assert math.sqrt(gram[0, 1, 1]) == pytest.approx(230, abs=1e-9)
        assert math.sqrt(gram[0, 2, 2]) == pytest.approx(100 * middle, rel=0.02)


def test_steps_follow_each_other_without_a_gap_or_a_jump_of_theta():
    steps = [
        step(duration_s=0.123456789123, frequency=49.7),
        step(duration_s=25.5, frequency=50.3, voltage=(0.0,) * 3),
        step(duration_s=1.0, frequency=50.3, frequency_end=48.0),
    ]
    signal = source_signal(steps, start_ns=START, theta=1.0)
    assert signal.segments[0].theta == pytest.approx(1.0, abs=1e-12)
    for one, two in pairwise(signal.segments):
        assert two.start_ns - one.start_ns <= 10 * NS_PER_SECOND
        jump = (theta_at(one, two.start_ns) - two.theta) / (2 * math.pi)
        # A boundary is rounded to a nanosecond: 50e-9 cycles where the frequency steps there.
        assert abs(jump - round(jump)) < 1e-7
    assert signal.end_ns == START + round(26.623456789123 * NS_PER_SECOND)


def test_what_is_merely_anchored_again_shares_its_amplitudes():
    signal = source_signal([step(duration_s=35.0)], start_ns=START)
    assert len(signal.segments) == 4
    assert len({id(segment.amplitude) for segment in signal.segments}) == 1


def test_hours_of_source_do_not_drift():
    signal = source_signal([step(duration_s=36_000.0, frequency=49.98765)], start_ns=START)
    last = signal.segments[-1]
    seconds = (last.start_ns - START) / NS_PER_SECOND
    from fractions import Fraction

    exact = float(Fraction(49.98765) * Fraction(last.start_ns - START, NS_PER_SECOND) % 1) * 2 * math.pi
    assert seconds > 35_000
    assert last.theta == pytest.approx(exact, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    multiple=st.integers(2, 40),
    share=st.floats(0.001, 0.5),
    angle=st.floats(-3.0, 3.0),
    frequency=st.floats(42.5, 69.0),
)
def test_any_harmonic_is_read_back_from_ten_cycles(multiple, share, angle, frequency):
    tone = Tone(multiple=multiple, voltage=share, voltage_angle=angle)
    signal = source_signal([step(frequency=frequency, tones=(tone,))], start_ns=START)
    end = NS_PER_SECOND * 10 / frequency
    window = Instant(START), Instant(START + math.floor(end), end - math.floor(end))
    phasor = window_spectrum(signal, *window)[0, multiple]
    assert abs(phasor) == pytest.approx(230 * share, rel=1e-6)
    assert math.remainder(float(np.angle(phasor)) - angle, 2 * math.pi) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"duration_s": 0.0}, "duration_s"),
        ({"frequency": -50.0}, "frequency"),
        ({"voltage": (230.0, -1.0, 230.0)}, "voltage"),
        ({"voltage": (230.0, math.nan, 230.0)}, "not finite"),
        ({"tones": (Tone(multiple=0.0),)}, "multiple"),
        ({"fluctuation": Fluctuation(shape="rectangular", rate=8.8, depth=2.5)}, "depth"),
    ],
)
def test_what_no_source_can_do_is_refused(wrong, message):
    with pytest.raises(SourceError, match=message):
        step(**wrong)

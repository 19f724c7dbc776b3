"""The three-phase source against plain numpy: what is asked for is what the terminals carry."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.contracts import NS_PER_SECOND, Instant
from twin.signals import synthesise, theta_at, window_gram, window_spectrum
from twin.signals.source import Fluctuation, SourceError, SourceStep, Tone, source_segments, source_signal

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
        ({"voltage_angle": (0.0, math.inf, 0.0)}, "voltage_angle .* not finite"),
        ({"frequency_end": math.inf}, "frequency_end inf is not finite"),
        ({"current": (5.0, 5.0)}, "current .* three values"),
    ],
)
def test_what_no_source_can_do_is_refused(wrong, message):
    with pytest.raises(SourceError, match=message):
        step(**wrong)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Tone(multiple=0.0), "multiple 0.0"),
        (lambda: Tone(multiple=5, voltage=math.nan), "voltage nan"),
        (lambda: Tone(multiple=5, phases="ax"), "phases 'ax'"),
        (lambda: Fluctuation(shape="rectangular", rate=8.8, depth=2.5), "depth 2.5"),
        (lambda: Fluctuation(shape="rectangular", rate=math.inf, depth=0.1), "rate inf"),
        (lambda: Fluctuation(shape="square", rate=8.8, depth=0.1), "shape 'square'"),
        (lambda: source_signal([], start_ns=START), "at least one"),
    ],
)
def test_what_is_no_tone_fluctuation_or_source_is_refused(made, message):
    with pytest.raises(SourceError, match=message):
        made()


def test_an_interharmonic_goes_on_through_steps_and_ramps_as_a_multiple_of_theta():
    tones = (Tone(multiple=3.5, voltage=0.1, voltage_angle=0.7),)
    steps = [
        step(duration_s=0.5073, frequency=50.0, tones=tones),
        step(duration_s=1.0, frequency=50.0, frequency_end=52.0, tones=tones),
        step(duration_s=12.3, frequency=52.0, tones=tones),
    ]
    signal = source_signal(steps, start_ns=START, theta=0.4)
    t = np.arange(13_700) * 1e-3
    wave = synthesise(signal, Instant(START), step_s=1e-3, count=t.size)
    u = np.clip(t - 0.5073, 0.0, 1.0)
    theta = 0.4 + 2 * np.pi * (50.0 * t + u * u + 2.0 * np.maximum(t - 1.5073, 0.0))
    angle = theta + 2 * np.pi / 3
    exact = 230 * np.sqrt(2) * (np.cos(angle) + 0.1 * np.cos(3.5 * angle + 0.7))
    calm = (t < 0.5073) | (t > 1.5073)
    assert wave[2][calm] == pytest.approx(exact[calm], abs=1e-7)
    # 2 Hz/s over half a cycle at 52 Hz, seen by the fundamental and 3.5 times as much by the tone.
    strays = math.pi / 4 * 2.0 / 104**2
    assert np.abs(wave[2] - exact).max() < 1.01 * strays * (1 + 0.35) * 230 * math.sqrt(2)


@pytest.mark.parametrize("shape", ["sinusoidal", "rectangular"])
@pytest.mark.parametrize("phase", [-4.0, 1.0, 3.3])
def test_a_fluctuation_may_begin_at_any_phase(shape, phase):
    fluctuation = Fluctuation(shape=shape, rate=8.8, depth=0.02, phase=phase)
    signal = source_signal([step(fluctuation=fluctuation)], start_ns=START)
    t = np.arange(9_999) * 1e-4 + 3.3e-6
    wave = synthesise(signal, Instant(START, 3_300.0), step_s=1e-4, count=t.size)
    periods = 8.8 * t + phase / (2 * np.pi)
    swing = np.cos(2 * np.pi * periods) if shape == "sinusoidal" else np.where(periods % 1 < 0.5, 1.0, -1.0)
    assert wave[0] == pytest.approx(
        230 * np.sqrt(2) * (1 + 0.01 * swing) * np.cos(2 * np.pi * 50 * t), abs=1e-6
    )


def test_a_tone_may_be_on_one_phase_alone():
    signal = source_signal([step(tones=(Tone(multiple=3, voltage=0.1, phases="b"),))], start_ns=START)
    phasor = window_spectrum(signal, Instant(START), Instant(START + 200_000_000))[:3, 3]
    assert np.abs(phasor) == pytest.approx([0.0, 23.0, 0.0], abs=1e-9)


def test_a_frequency_ramp_and_a_fluctuation_work_on_the_same_step():
    fluctuation = Fluctuation(shape="sinusoidal", rate=8.8, depth=0.1)
    ramp = step(frequency=49.5, frequency_end=50.5, voltage_end=(200.0,) * 3, fluctuation=fluctuation)
    signal = source_signal([ramp], start_ns=START)
    t = np.arange(9_999) * 1e-4
    wave = synthesise(signal, Instant(START), step_s=1e-4, count=t.size)
    magnitude = (230 - 30 * t) * (1 + 0.05 * np.cos(2 * np.pi * 8.8 * t)) * math.sqrt(2)
    exact = magnitude * np.cos(2 * np.pi * (49.5 * t + 0.5 * t * t))
    # The magnitude of an exponential strays from the line by less than (slope T)^2 / 8 of itself.
    bound = math.pi / 4 / 101**2 * 1.05 + (30 / 200 / 101) ** 2 / 8
    assert np.abs(wave[0] - exact).max() < 1.05 * bound * 230 * math.sqrt(2)
    assert wave[1][0] == pytest.approx(magnitude[0] * math.cos(-2 * math.pi / 3), abs=1e-9)


def test_the_iterator_gives_the_segments_of_the_signal_without_holding_them():
    fluctuation = Fluctuation(shape="rectangular", rate=4000 / 120, depth=0.01)
    tones = (Tone(multiple=5, voltage=0.03),)
    steps = [step(duration_s=7200.0, fluctuation=fluctuation, tones=tones)]
    first = [segment for _, segment in zip(range(2000), source_segments(steps, start_ns=START), strict=False)]
    # 1,997 changes; at 10 s and at 20 s a segment is merely anchored again.
    assert first[-1].start_ns == START + round(1997 * NS_PER_SECOND / (2 * Fraction(4000 / 120)))
    # Two levels, whatever the number of changes.
    assert len({id(segment.amplitude) for segment in first}) == 2
    short = source_signal([replace(steps[0], duration_s=20.0)], start_ns=START)
    for one, two in zip(short.segments, first, strict=False):
        assert (one.start_ns, one.theta, one.frequency) == (two.start_ns, two.theta, two.frequency)
        assert np.array_equal(one.amplitude, two.amplitude)

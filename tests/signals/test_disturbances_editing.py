"""Disturbances together: what is untouched, what stays the same object, what is refused."""

import cmath
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from tests.signals.disturbed import PEAK, at, continuous_theta, gapless, steady, wave
from twin.contracts import Instant
from twin.signals import disturbances as d
from twin.signals import synthesise, window_gram
from twin.signals.source import Tone

CHANGES = {
    "sag": lambda s, a, b: d.sag(s, a, b, residual=0.4 * cmath.exp(-0.3j), phases="bc"),
    "unbalanced": lambda s, a, b: d.unbalanced(s, a, b, negative=0.02),
    "dc": lambda s, a, b: d.add_dc(s, a, b, offset=3.0),
    "harmonics": lambda s, a, b: d.add_harmonics(s, a, b, d.rectifier_current(6, overlap=0.2)),
    "interharmonics": lambda s, a, b: d.add_interharmonics(s, a, b, {175.0: 0.02}, quantity="v"),
    "impulse": lambda s, a, b: d.impulse(s, a, peak=900.0, front_s=1.2e-6, half_value_s=50e-6),
    "oscillation": lambda s, a, b: d.oscillation(s, a, peak=90.0, frequency=700.0, damping=300.0),
    "fluctuate": lambda s, a, b: d.fluctuate(s, a, b, rate=8.8, depth=0.02),
    "step": lambda s, a, b: d.step_repeatedly(s, a, b, rate=16.67, depth=0.02),
    "frequency": lambda s, a, b: d.vary_frequency(s, a, b, d.ramp(50.0, 49.0, 0.2)),
    "capacitor": lambda s, a, b: d.energise_capacitor(
        s, a, inductance=3e-4, resistance=0.05, capacitance=2e-4
    ),
}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_sequence_of_disturbances_is_gapless_and_leaves_what_was_before(data):
    before = steady(tones=(Tone(multiple=5, voltage=0.03),))
    signal, earliest = before, before.end_ns
    for name in data.draw(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=4)):
        begin = at(data.draw(st.floats(0.05, 0.5)))
        signal = CHANGES[name](signal, begin, begin + data.draw(st.integers(1, 400_000_000)))
        earliest = min(earliest, begin)
    assert gapless(signal)
    assert continuous_theta(signal)
    assert signal.end_ns == before.end_ns
    window = Instant(at(0.0)), Instant(earliest)
    assert np.array_equal(window_gram(before, *window), window_gram(signal, *window))


@pytest.mark.parametrize(
    "name", ["sag", "unbalanced", "dc", "harmonics", "interharmonics", "fluctuate", "step"]
)
def test_what_lies_after_a_disturbance_is_as_it_was(name):
    before = steady(tones=(Tone(multiple=5, voltage=0.03),))
    after = CHANGES[name](before, at(0.21), at(0.37))
    _, x = wave(before, 0.37, 0.5, 7_000.0)
    _, y = wave(after, 0.37, 0.5, 7_000.0)
    assert y == pytest.approx(x, abs=1e-9)


def test_what_was_merely_anchored_again_still_is():
    signal = steady(40.0)
    varied = d.sag(signal, at(5.0), at(35.0), residual=0.85)
    levels = [part.amplitude for part in varied.segments if at(5.0) <= part.start_ns < at(35.0)]
    assert len(levels) == 4
    assert len({id(level) for level in levels}) == 1
    bank = d.energise_capacitor(signal, at(5.0), inductance=3e-4, resistance=0.05, capacitance=2e-4)
    assert len({id(part.amplitude) for part in bank.segments[2:]}) == 1
    # Another frequency is another signal, whatever its amplitudes.
    wandering = d.vary_frequency(signal, at(5.0), at(6.0), d.ramp(50.0, 50.0 + 1e-9, 1.0))
    inside = [part for part in wandering.segments if at(5.0) <= part.start_ns < at(6.0)]
    assert all(one.amplitude is not two.amplitude for one, two in pairwise(inside))


def test_a_connected_bank_answers_to_what_the_source_does_later():
    inductance, resistance, capacitance = 300e-6, 0.05, 200e-6
    source = d.sag(steady(current=(0.0,) * 3), at(0.3), at(0.4), residual=0.5 * cmath.exp(-0.4j))
    close = at(0.29)
    after = d.energise_capacitor(
        source, close, inductance=inductance, resistance=resistance, capacitance=capacitance
    )

    def slope(t, y, sagging):
        size, turn = (0.5, -0.4) if sagging else (1.0, 0.0)
        e = PEAK * size * math.cos(2 * math.pi * 50 * t + turn)
        return [y[1] / capacitance, (e - resistance * y[1] - y[0]) / inductance]

    state, pieces = [0.0, 0.0], []
    for begin, end, sagging in ((0.29, 0.3, False), (0.3, 0.4, True), (0.4, 0.45, False)):
        grid = np.linspace(begin, end, round((end - begin) * 1e5) + 1)
        solved = solve_ivp(
            slope, (begin, end), state, t_eval=grid, args=(sagging,), rtol=1e-10, atol=1e-8, method="DOP853"
        )
        state = solved.y[:, -1]
        pieces.append(solved.y[:, :-1])
    expected = np.concatenate(pieces, axis=1)
    y = synthesise(after, Instant(close), step_s=1e-5, count=expected.shape[1])
    assert y[0] == pytest.approx(expected[0], abs=5e-3)
    assert y[3] == pytest.approx(expected[1], abs=5e-3)


def test_a_point_on_wave_is_found_beyond_a_jump_of_phase_and_an_interruption():
    signal = d.sag(steady(), at(0.102), at(0.5), residual=0.7 * cmath.exp(-0.7j))
    when = d.point_on_wave(signal, at(0.101), channel="va", degrees=90.0)
    value = synthesise(signal, Instant(when), step_s=1e-6, count=1)[0, 0]
    assert value == pytest.approx(0.7 * PEAK, rel=1e-9)
    assert at(0.102) < when < at(0.122)
    dead = d.sag(steady(), at(0.1), at(0.5), residual=0.0, phases="a")
    when = d.point_on_wave(dead, at(0.2), channel="va", degrees=90.0)
    assert when == at(0.5)
    with pytest.raises(d.DisturbanceError, match="does not stand at"):
        d.point_on_wave(dead, at(0.995), channel="va", degrees=180.0)
    with pytest.raises(d.DisturbanceError, match="no channel 'vx'"):
        d.point_on_wave(dead, at(0.1), channel="vx", degrees=0.0)


def test_many_changes_take_time_in_proportion_to_their_number():
    signal = d.step_repeatedly(steady(60.0), at(0.0), at(60.0), rate=4000 / 120, depth=0.01)
    # 4,000 changes, one of them at the start, and five new anchors of the source, that at 30 s on a change.
    assert len(signal.segments) == 4004
    boundaries = np.array([part.start_ns for part in signal.segments])
    assert np.diff(boundaries).max() <= 15_000_001


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: d.sag(s, at(0.5), at(1.5), residual=0.5), "outside the signal"),
        (lambda s: d.sag(s, at(0.5), at(0.5), residual=0.5), "no stretch"),
        (lambda s: d.sag(s, at(0.5), at(0.6), residual=math.nan), "factor of phase a .* not finite"),
        (lambda s: d.sag(s, at(0.5), at(0.6), residual=0.5, phases="A"), "no channel 'vA'"),
        (lambda s: d.sag(s, at(0.5), at(0.6), residual=0.5, phases=""), "no phase is named"),
        (lambda s: d.add_dc(s, at(0.1), at(0.2), offset=1.0, phases="x"), "no channel 'vx'"),
        (lambda s: d.add_dc(s, at(0.1), at(0.2), offset=math.inf), "offset inf"),
        (lambda s: d.fluctuate(s, at(0.1), at(0.2), rate=-8.8, depth=0.1), "rate -8.8"),
        (lambda s: d.step_repeatedly(s, at(0.1), at(0.2), rate=0.0, depth=0.1), "rate 0.0"),
        (lambda s: d.step_repeatedly(s, at(0.1), at(0.2), rate=2e9, depth=0.1), "once a nanosecond"),
        (lambda s: d.step_repeatedly(s, at(0.1), at(0.2), rate=8.8, depth=2.0), "below 2"),
        (
            lambda s: d.vary_frequency(s, at(0.1), at(0.2), lambda t: 1.0 - 30 * t),
            "frequency -0.* not positive",
        ),
        (lambda s: d.oscillation(s, at(0.1), peak=9.0, frequency=700.0, damping=0.0), "damping 0.0"),
        (
            lambda s: d.oscillation(s, at(0.1), peak=math.nan, frequency=700.0, damping=9.0),
            "peak is not finite",
        ),
        (lambda _: d.sag_factors("H", 0.5), "no sag of type"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(d.DisturbanceError, match=message):
        change(steady())

"""Disturbances against independent computations: differential equations, plain waveforms, closed forms."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from tests.signals.disturbed import PEAK, START, A, at, continuous_theta, gapless, steady, wave
from twin.contracts import Instant
from twin.signals import disturbances as d
from twin.signals import synthesise, window_spectrum
from twin.signals.source import Tone

# -- variations ---------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    begin=st.floats(0.05, 0.4),
    length=st.floats(0.001, 0.5),
    residual=st.floats(0.0, 1.8),
    phases=st.sampled_from(["a", "bc", "abc"]),
)
def test_a_sag_changes_its_phases_in_its_time_and_nothing_else(begin, length, residual, phases):
    before = steady(tones=(Tone(multiple=5, voltage=0.06),))
    start, end = at(begin), at(begin + length)
    after = d.sag(before, start, end, residual=residual, phases=phases)
    assert gapless(after)
    assert continuous_theta(after)
    t, x = wave(before, 0.0, 0.99, 10_000.0)
    _, y = wave(after, 0.0, 0.99, 10_000.0)
    ns = np.rint(t * 1e9).astype(np.int64) + START
    inside = (ns >= start) & (ns < end)
    for row, name in enumerate(before.channels):
        factor = np.where(inside & (name[1] in phases) & (name[0] == "v"), residual, 1.0)
        assert y[row] == pytest.approx(x[row] * factor, abs=1e-7)


def test_a_jump_of_phase_turns_harmonics_by_their_order():
    before = steady(tones=(Tone(multiple=5, voltage=0.1, voltage_angle=0.4),))
    factor = 0.7 * cmath.exp(-1j * math.radians(30))
    after = d.sag(before, at(0.2), at(0.8), residual=factor, phases="a")
    t, y = wave(after, 0.3, 0.1)
    angle = 2 * np.pi * 50 * t - math.radians(30)
    assert y[0] == pytest.approx(0.7 * PEAK * (np.cos(angle) + 0.1 * np.cos(5 * angle + 0.4)), abs=1e-6)


def test_the_divider_is_that_of_two_impedances():
    source, feeder = 0.02 + 0.1j, 0.15 + 0.05j
    assert d.divider(source, feeder) == pytest.approx(feeder / (source + feeder))
    assert d.divider(source, 0j) == 0
    with pytest.raises(d.DisturbanceError, match="impedances"):
        d.divider(0j, 0j)


@pytest.mark.parametrize("kind", "ABCDEFG")
def test_a_sag_type_is_none_at_full_voltage_and_has_its_known_sequences(kind):
    full = d.sag_factors(kind, 1.0)
    assert full == pytest.approx((1.0, 1.0, 1.0))
    v = 0.4
    a, b, c = (x * y for x, y in zip(d.sag_factors(kind, v), (1.0, A**2, A), strict=True))
    positive, negative, zero = (a + A * b + A**2 * c) / 3, (a + A**2 * b + A * c) / 3, (a + b + c) / 3
    expected = {  # by Fortescue from the faults that make the types
        "A": (v, 0.0, 0.0),
        "B": ((2 + v) / 3, (v - 1) / 3, (v - 1) / 3),
        "C": ((1 + v) / 2, (1 - v) / 2, 0.0),
        "D": ((1 + v) / 2, (v - 1) / 2, 0.0),
        "E": ((1 + 2 * v) / 3, (1 - v) / 3, (1 - v) / 3),
        "F": ((1 + 2 * v) / 3, (v - 1) / 3, 0.0),
        "G": ((1 + 2 * v) / 3, (1 - v) / 3, 0.0),
    }[kind]
    assert (positive, negative, zero) == pytest.approx(expected, abs=1e-12)


def test_unbalance_has_the_sequences_that_were_asked_for():
    after = d.unbalanced(steady(), at(0.1), at(0.9), negative=0.02 * cmath.exp(0.5j), zero=0.01j)
    phasor = window_spectrum(after, Instant(at(0.2)), Instant(at(0.4)))[:3, 1]
    positive = (phasor[0] + A * phasor[1] + A**2 * phasor[2]) / 3
    negative = (phasor[0] + A**2 * phasor[1] + A * phasor[2]) / 3
    assert negative / positive == pytest.approx(0.02 * cmath.exp(0.5j), abs=1e-12)
    assert phasor.sum() / 3 / positive == pytest.approx(0.01j, abs=1e-12)


@pytest.mark.parametrize("degrees", [0, 37, 90, 180, 270, 359])
@pytest.mark.parametrize("channel", ["va", "vb", "ic"])
def test_a_point_on_wave_is_where_the_sine_has_that_angle(degrees, channel):
    signal = steady(frequency=49.3, current_lag=(0.6,) * 3)
    when = d.point_on_wave(signal, at(0.1), channel=channel, degrees=degrees)
    row = signal.channels.index(channel)
    peak = PEAK if channel[0] == "v" else 10 * math.sqrt(2)
    assert at(0.1) <= when <= at(0.1) + 1e9 / 49.3 + 1
    value = synthesise(signal, Instant(when), step_s=1e-6, count=2)[row]
    assert value[0] == pytest.approx(peak * math.sin(math.radians(degrees)), abs=peak * 2e-6)
    assert (value[1] - value[0]) * math.cos(math.radians(degrees)) >= -1e-6


# -- transients ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("front", "half"),
    [(5e-9, 50e-9), (1.2e-6, 50e-6), (8e-6, 40e-6), (10e-6, 350e-6), (250e-6, 2500e-6)],
)
def test_an_impulse_rises_and_halves_as_iec_60060_measures_it(front, half):
    slow, fast, scale = d.impulse_rates(front, half)
    t = np.linspace(0, 3 * half, 3_000_001)
    y = scale * (np.exp(-slow * t) - np.exp(-fast * t))
    crest = int(y.argmax())
    t30, t90 = (np.interp(level, y[:crest], t[:crest]) for level in (0.3, 0.9))
    origin = t30 - 0.5 * (t90 - t30)
    fall = crest + int((y[crest:] < 0.5).argmax())
    assert y.max() == pytest.approx(1.0, abs=1e-4)
    assert (t90 - t30) / 0.6 == pytest.approx(front, rel=1e-3)
    assert t[fall] - origin == pytest.approx(half, rel=1e-3)


def test_an_impulse_adds_its_crest_and_is_gone_after():
    before = steady()
    after = d.impulse(before, at(0.1), peak=2000.0, front_s=1.2e-6, half_value_s=50e-6, phases="b")
    _, x = wave(before, 0.0999, 0.0002, 1e8)
    _, y = wave(after, 0.0999, 0.0002, 1e8)
    assert (y - x)[1].max() == pytest.approx(2000.0, rel=1e-4)
    assert np.abs((y - x)[[0, 2, 3, 4, 5]]).max() < 1e-9
    assert after.segments[-1].amplitude.shape[1] == before.segments[-1].amplitude.shape[1]
    with pytest.raises(d.DisturbanceError, match="no impulse"):
        d.impulse_rates(50e-6, 50e-6)


def test_an_oscillation_is_a_damped_cosine():
    after = d.oscillation(steady(), at(0.1), peak=100.0, frequency=700.0, damping=300.0, phases="c")
    t, y = wave(after, 0.1, 0.05)
    _, x = wave(steady(), 0.1, 0.05)
    u = t - 0.1
    assert (y - x)[2] == pytest.approx(100 * np.exp(-300 * u) * np.sin(2 * np.pi * 700 * u), abs=1e-6)


@pytest.mark.parametrize("resistance", [0.05, 0.5, 2.0 * math.sqrt(300e-6 / 200e-6), 20.0])
@pytest.mark.parametrize("trapped", [0.0, -150.0])
def test_energising_a_capacitor_solves_the_circuit(resistance, trapped):
    inductance, capacitance = 300e-6, 200e-6
    before = steady(tones=(Tone(multiple=7, voltage=0.05, voltage_angle=1.0),), current=(0.0,) * 3)
    close = d.point_on_wave(before, at(0.1), channel="va", degrees=70.0)
    after = d.energise_capacitor(
        before, close, inductance=inductance, resistance=resistance, capacitance=capacitance, trapped=trapped
    )
    begin = (close - START) * 1e-9

    def source(t):
        angle = 2 * np.pi * 50 * t
        return PEAK * (np.cos(angle) + 0.05 * np.cos(7 * angle + 1.0))

    def slope(t, y):
        return [y[1] / capacitance, (source(begin + t) - resistance * y[1] - y[0]) / inductance]

    grid = np.arange(1500) * 1e-5
    solved = solve_ivp(
        slope, (0, grid[-1]), [trapped, 0.0], t_eval=grid, rtol=1e-10, atol=1e-9, method="DOP853"
    )
    y = synthesise(after, Instant(close), step_s=1e-5, count=grid.size)
    assert y[0] == pytest.approx(solved.y[0], abs=2e-3)
    assert y[3] == pytest.approx(solved.y[1], abs=2e-3)


def test_a_bank_rings_at_its_natural_frequency_and_at_most_doubles():
    first, second = d.natural_poles(300e-6, 0.05, 200e-6)
    assert first == pytest.approx(second.conjugate())
    assert abs(first.imag) == pytest.approx(
        math.sqrt(1 / (300e-6 * 200e-6) - (0.05 / 600e-6) ** 2), rel=1e-12
    )
    with pytest.raises(d.DisturbanceError, match=r"resistance 0\.0 is not positive"):
        d.natural_poles(300e-6, 0.0, 200e-6)


def test_back_to_back_inrush_is_that_of_an_lc_circuit():
    peak, frequency = d.back_to_back_inrush(PEAK, first=200e-6, second=100e-6, inductance=20e-6)
    series = 200e-6 * 100e-6 / 300e-6
    solved = solve_ivp(
        lambda t, y: [y[1] / series, (PEAK - y[0]) / 20e-6], (0, 4e-4), [0, 0], max_step=1e-6, rtol=1e-9
    )
    assert peak == pytest.approx(solved.y[1].max(), rel=1e-4)
    assert frequency == pytest.approx(1 / (2 * math.pi * math.sqrt(20e-6 * series)))


# -- fluctuations and frequency -----------------------------------------------------------------


def test_a_fluctuation_is_a_product():
    after = d.fluctuate(steady(), at(0.1), at(0.9), rate=8.8, depth=0.02)
    t, y = wave(after, 0.2, 0.5, 10_000.0)
    swing = 1 + 0.01 * np.sin(2 * np.pi * 8.8 * (t - 0.1))
    assert y[0] == pytest.approx(PEAK * swing * np.cos(2 * np.pi * 50 * t), abs=1e-7)
    assert y[3] == pytest.approx(10 * math.sqrt(2) * np.cos(2 * np.pi * 50 * t), abs=1e-8)


def test_rectangular_changes_swing_between_two_levels():
    after = d.step_repeatedly(steady(), at(0.1), at(0.9), rate=13.5, depth=0.04, phases="a")
    boundaries = [part.start_ns for part in after.segments if part.start_ns > START]
    assert len(boundaries) == math.ceil(0.8 * 27) + 1
    t, y = wave(after, 0.1005, 0.5, 9_973.0)
    level = np.where(np.floor((t - 0.1) * 27) % 2, 0.98, 1.02)
    assert y[0] == pytest.approx(PEAK * level * np.cos(2 * np.pi * 50 * t), abs=1e-5)


def test_a_frequency_that_wanders_keeps_theta_whole():
    after = d.vary_frequency(steady(3.0), at(0.5), at(1.5), d.ramp(50.0, 49.0, 1.0))
    assert gapless(after)
    assert continuous_theta(after)
    t, y = wave(after, 0.0, 2.9, 5_000.0)
    u = np.clip(t - 0.5, 0.0, 1.0)
    exact = PEAK * np.cos(2 * np.pi * (50 * t - 0.5 * u * u))
    # A ramp of 1 Hz/s held for half a cycle strays by pi/4 x (10 ms)^2.
    assert np.abs(y[0] - exact).max() < 1.2 * math.pi / 4 * 1e-4 * PEAK


# -- categories ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("magnitude", "duration", "name"),
    [
        (0.5, 0.1, "instantaneous sag"),
        (0.5, 0.61, "momentary sag"),
        (0.5, 10.0, "temporary sag"),
        (0.85, 61.0, "undervoltage"),
        (1.3, 0.1, "instantaneous swell"),
        (1.3, 2.0, "momentary swell"),
        (1.15, 30.0, "temporary swell"),
        (1.15, 100.0, "overvoltage"),
        (0.05, 0.1, "momentary interruption"),
        (0.05, 30.0, "temporary interruption"),
        (0.0, 100.0, "sustained interruption"),
        (0.95, 5.0, "none"),
        (0.5, 0.005, "none"),
    ],
)
def test_categories_are_those_of_the_table(magnitude, duration, name):
    assert d.category(magnitude, duration) == name


def test_transients_have_the_categories_of_the_table():
    assert d.impulse_category(40e-9) == "nanosecond impulsive transient"
    assert d.impulse_category(50e-6) == "microsecond impulsive transient"
    assert d.impulse_category(2.5e-3) == "millisecond impulsive transient"
    # A bank of 200 uF behind 300 uH rings at 650 Hz, one of 1 nF behind 1 uH at 5 MHz.
    first, _ = d.natural_poles(300e-6, 0.05, 200e-6)
    assert d.oscillation_category(abs(first.imag) / (2 * math.pi)) == "low-frequency oscillatory transient"
    assert d.oscillation_category(50e3) == "medium-frequency oscillatory transient"
    assert d.oscillation_category(5e6) == "high-frequency oscillatory transient"


@pytest.mark.parametrize(("magnitude", "duration"), [(math.nan, 1.0), (-0.1, 1.0), (0.5, math.nan)])
def test_what_is_no_event_has_no_category(magnitude, duration):
    with pytest.raises(d.DisturbanceError, match="no event"):
        d.category(magnitude, duration)

"""Spectra against published formulas, transforms of the drawn waveform, balances of power and limits."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.grid.machines.harmonic_models import (
    SpectrumError,
    angle_spread,
    capacitor_rectifier,
    conduction,
    corrected_rectifier,
    distortion,
    diverse,
    ev_charger,
    led_lamp,
    overlap_angle,
    six_pulse,
    six_pulse_coefficients,
    summation_exponent,
    summed_size,
    twelve_pulse,
)
from twin.simulation.load_sink import random_stream

ORDERS = tuple(range(1, 51))
SAMPLES = 1 << 16


def transform(wave) -> np.ndarray:
    """Peak phasors of orders 0 to 50 of a waveform over one period, x = 0 at the first sample."""
    x = (np.arange(SAMPLES) + 0.5) * 2 * math.pi / SAMPLES
    line = np.fft.rfft(wave(x)) * 2 / SAMPLES
    order = np.arange(51)
    return line[:51] * np.exp(-0.5j * order * 2 * math.pi / SAMPLES)


def ratios(line: np.ndarray) -> np.ndarray:
    order = np.arange(1, 51)
    return line[1:] / abs(line[1]) * np.exp(-1j * order * cmath.phase(line[1]))


def bridge(firing, overlap):
    def half(x):
        """From the start of the rise on, for half a period."""
        after = (np.cos(firing) - np.cos(firing + np.minimum(x, overlap))) / (
            np.cos(firing) - np.cos(firing + overlap)
        )
        down = x - 2 * math.pi / 3
        falling = (np.cos(firing) - np.cos(firing + np.clip(down, 0, overlap))) / (
            np.cos(firing) - np.cos(firing + overlap)
        )
        return after - falling

    def wave(x):
        x = np.mod(x + math.pi / 3 - firing, 2 * math.pi)
        return np.where(x < math.pi, half(np.mod(x, math.pi)), -half(np.mod(x, math.pi)))

    return wave


@pytest.mark.parametrize(("firing", "overlap"), [(0.0, 0.3), (0.5, 0.2), (1.0, 0.05), (0.2, 1.0)])
def test_six_pulse_is_the_transform_of_its_waveform(firing, overlap):
    line = transform(bridge(firing, overlap))
    ours = six_pulse_coefficients(ORDERS, firing=firing, overlap=overlap)
    assert np.abs(line[1:] - ours).max() < 3e-8
    assert np.abs(ratios(line) - six_pulse(ORDERS, firing=firing, overlap=overlap)).max() < 3e-8


@given(firing=st.floats(0.01, 1.4), overlap=st.floats(0.02, 1.0))
def test_six_pulse_sizes_are_kimbarks(firing, overlap):
    """E. Kimbark, "Direct Current Transmission", 1971: sizes of the harmonics with overlap."""
    fall = math.cos(firing) - math.cos(firing + overlap)
    ours = dict(zip(ORDERS, six_pulse_coefficients(ORDERS, firing=firing, overlap=overlap), strict=True))
    for order in (5, 7, 11, 13, 23, 25):
        a = math.sin((order - 1) * overlap / 2) / (order - 1)
        b = math.sin((order + 1) * overlap / 2) / (order + 1)
        inside = a * a + b * b - 2 * a * b * math.cos(2 * firing + overlap)
        size = 2 * math.sqrt(3) / math.pi / order * math.sqrt(max(inside, 0.0)) / fall
        assert abs(ours[order]) == pytest.approx(size, rel=1e-7, abs=1e-9)


@given(firing=st.floats(0.0, 1.4), overlap=st.floats(1e-7, 1.0))
def test_a_bridge_takes_from_the_line_what_it_gives_to_the_direct_side(firing, overlap):
    """P = 3 V I1 cos(phi), against Vd Id = 3 sqrt(6) V / pi (cos a + cos(a + m)) / 2 Id."""
    first = six_pulse_coefficients([1], firing=firing, overlap=overlap)[0]
    line = 3 * 0.5 * math.sqrt(2) * first.real
    direct = 3 * math.sqrt(6) / math.pi * (math.cos(firing) + math.cos(firing + overlap)) / 2
    assert line == pytest.approx(direct, rel=1e-10, abs=1e-12)
    assert first.imag <= 0.0  # the current lags


def test_without_overlap_sizes_go_as_one_over_the_order():
    spectrum = six_pulse(ORDERS)
    for order, value in zip(ORDERS, spectrum, strict=True):
        expected = 0.0 if order % 2 == 0 or order % 3 == 0 else 1 / order
        assert abs(value) == pytest.approx(expected, abs=1e-15)
    assert spectrum[4] == pytest.approx(-0.2)
    assert spectrum[6] == pytest.approx(1 / 7)
    # 31.08 %: pi^2 / 9 - 1 is the square of the distortion over all orders.
    everything = six_pulse(range(1, 20001))
    thd = distortion(everything, range(1, 20001)).thd
    assert thd == pytest.approx(math.sqrt(math.pi**2 / 9 - 1), abs=1e-4)


@given(firing=st.floats(0.0, 1.2), overlap=st.floats(0.0, 0.02))
def test_small_overlaps_join_without_a_step(firing, overlap):
    near = six_pulse(ORDERS, firing=firing, overlap=max(overlap - 1e-9, 0.0))
    assert np.abs(six_pulse(ORDERS, firing=firing, overlap=overlap) - near).max() < 1e-7


def test_overlap_by_hand():
    # 400 V, 0.1 ohm, 200 A, diodes: cos m = 1 - sqrt2 0.1 200 / 400; m = 2 asin(sqrt(0.035355))
    assert overlap_angle(0.0, 0.1, 200.0, 400.0) == pytest.approx(0.37831, abs=1e-5)
    with pytest.raises(SpectrumError, match="60 degrees"):
        overlap_angle(0.0, 0.5, 400.0, 400.0)
    with pytest.raises(SpectrumError, match="commutate"):
        overlap_angle(3.0, 0.1, 200.0, 400.0)


def test_twelve_pulses_leave_orders_next_to_multiples_of_twelve():
    ideal = twelve_pulse(ORDERS, overlap=0.2)
    left = {order for order, value in zip(ORDERS, ideal, strict=True) if abs(value) > 1e-12}
    assert left == {1, 11, 13, 23, 25, 35, 37, 47, 49}
    uneven = twelve_pulse(ORDERS, overlap=0.2, imbalance=0.04)
    single = six_pulse(ORDERS, overlap=0.2)
    assert abs(uneven[4]) == pytest.approx(0.04 * abs(single[4]))
    # The pair by hand: the second bridge fires 30 degrees later, its winding turns negative sequence by -30.
    turn = cmath.exp(-1j * math.pi / 6 * 5) * cmath.exp(-1j * math.pi / 6)
    assert (0.52 + 0.48 * turn) * single[4] == pytest.approx(uneven[4])


@pytest.mark.parametrize("smoothing", [0.5, 2.0, 5.0, 20.0])
def test_the_peak_rectifier_is_the_transform_of_its_waveform(smoothing):
    start, stop = conduction(smoothing)

    def wave(x):
        at = np.mod(x + math.pi / 2, math.pi) - math.pi / 2
        sign = np.where(np.cos(x) >= 0, 1.0, -1.0)
        on = (at >= -start) & (at <= stop)
        return sign * np.where(on, np.cos(at) - smoothing * np.sin(at), 0.0)

    assert np.abs(ratios(transform(wave)) - capacitor_rectifier(ORDERS, smoothing=smoothing)).max() < 2e-3


@given(smoothing=st.floats(0.05, 200.0))
def test_the_capacitor_gives_back_what_it_takes(smoothing):
    """Charge while conducting = charge of the load over half a period."""
    start, stop = conduction(smoothing)
    assert 0.0 < stop < math.pi / 2
    assert 0.0 < start <= math.pi / 2
    taken = math.sin(stop) + math.sin(start) + smoothing * (math.cos(stop) - math.cos(start))
    while_conducting = math.sin(stop) + math.sin(start)
    off = math.pi - start - stop
    after = smoothing * math.cos(stop) * (1.0 - math.exp(-off / smoothing))
    assert taken == pytest.approx(while_conducting + after, rel=1e-9)


def test_without_a_capacitor_the_rectifier_is_a_resistor():
    spectrum = capacitor_rectifier(ORDERS, smoothing=0.0)
    assert np.abs(spectrum[1:]).max() < 1e-15


def test_a_corrected_supply_by_hand():
    clean = corrected_rectifier(ORDERS, ripple=0.0, dead_angle=0.0)
    assert np.abs(clean[1:]).max() < 1e-15
    rippled = corrected_rectifier(ORDERS, ripple=0.1, ripple_angle=0.0, dead_angle=0.0)
    assert rippled[2] == pytest.approx(0.05 / 1.05)

    def wave(x):
        at = np.mod(x + math.pi / 2, math.pi) - math.pi / 2
        sign = np.where(np.cos(x) >= 0, 1.0, -1.0)
        return sign * np.where(at > -math.pi / 2 + 0.2, (1 + 0.1 * np.cos(2 * at - 1.0)) * np.cos(at), 0.0)

    ours = corrected_rectifier(ORDERS, ripple=0.1, ripple_angle=-1.0, dead_angle=0.2)
    assert np.abs(ratios(transform(wave)) - ours).max() < 1e-4


def test_a_led_lamp_keeps_the_limits_of_small_lamps():
    """IEC 61000-3-2:2018, 7.4.3 b: third at most 86 %, fifth at most 61 % of the fundamental."""
    spectrum = led_lamp(ORDERS)
    assert 0.6 < abs(spectrum[2]) <= 0.86
    assert abs(spectrum[4]) <= 0.61


def test_a_charger_keeps_its_limits():
    """IEC 61000-3-12:2011, table 2, short-circuit ratio 33, in percent of the reference current."""
    limits = {3: 21.6, 5: 10.7, 7: 7.2, 9: 3.8, 11: 3.1, 13: 2.0}
    spectrum = ev_charger(ORDERS)
    for order, limit in limits.items():
        assert 0.0 < 100 * abs(spectrum[order - 1]) <= limit
    assert 0.02 < distortion(spectrum, ORDERS).thd < 0.23


def test_summation_law_by_hand():
    assert [summation_exponent(order) for order in (3, 4, 5, 10, 11, 49)] == [1.0, 1.0, 1.4, 1.4, 2.0, 2.0]
    assert summed_size([3.0, 4.0], 13) == pytest.approx(5.0)
    assert summed_size([3.0, 4.0], 3) == 7.0
    assert summed_size([1.0, 1.0], 7) == pytest.approx(2 ** (1 / 1.4))


@pytest.mark.parametrize("order", [3, 7, 25])
def test_drawn_angles_add_as_the_law_says(order):
    sources, spread = 20, angle_spread(order, 20)
    rng = random_stream(1, "angles")
    draws = np.exp(1j * spread * (2 * rng.random((4000, sources)) - 1))
    measured = math.sqrt(float(np.mean(np.abs(draws.sum(axis=1)) ** 2)))
    assert measured == pytest.approx(summed_size([1.0] * sources, order), rel=0.02)


def test_diversity_turns_angles_and_keeps_sizes():
    spectrum = six_pulse(ORDERS, overlap=0.3)
    one = diverse(spectrum, ORDERS, random_stream(1, "one"), sources=10)
    assert np.abs(one) == pytest.approx(np.abs(spectrum))
    assert one[0] == 1.0
    assert abs(one[24] - spectrum[24]) > 1e-4
    assert (one == diverse(spectrum, ORDERS, random_stream(1, "one"), sources=10)).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: six_pulse(ORDERS, firing=-0.1),
        lambda: six_pulse(ORDERS, overlap=1.2),
        lambda: twelve_pulse(ORDERS, imbalance=2.0),
        lambda: capacitor_rectifier(ORDERS, smoothing=math.nan),
        lambda: corrected_rectifier(ORDERS, ripple=-1.0),
        lambda: angle_spread(5, 1),
    ],
)
def test_what_cannot_work_is_refused(call):
    with pytest.raises(SpectrumError, match=r"mend|give"):
        call()

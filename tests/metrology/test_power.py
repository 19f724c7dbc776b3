"""Reactive, nonactive and apparent powers, totals, against hand numbers, samples and quadrature."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.signals.waves import at, segment, signal, stationary_segments
from twin.metrology import (
    DisplacementError,
    budeanu_distortion,
    fryze_power,
    measure_steady,
    nonactive_power,
    q_power,
    quarter_cycle_power,
    quarter_cycle_power_samples,
    reading,
    total_powers,
    vectorial_apparent_power,
)
from twin.signals import amplitude_from_rms, synthesise, synthesise_cycles


def phasor(size, degrees):
    return size * np.exp(1j * np.radians(degrees))


def stationary(rows, order=(1,), frequency=50.0):
    amplitude = amplitude_from_rms(np.array(rows, complex).reshape(6, -1))
    return segment(amplitude=amplitude, order=order, frequency=frequency, theta=0.7)


def ieee_example():
    """IEEE Std 1459-2010, annex B: the single-phase nonsinusoidal example as phase a."""
    rows = np.zeros((6, 4), complex)
    rows[0] = [phasor(100, 0), phasor(8, -70), phasor(15, 140), phasor(5, 20)]
    rows[3] = [phasor(100, -30), phasor(20, -165), phasor(15, 233), phasor(10, 288)]
    return stationary(rows, (1, 3, 5, 7), 60.0)


def test_reactive_powers_of_the_ieee_example():
    """S 10517.49, P 8632.79: N 6007.71; Q_B 4984.67 leaves D = sqrt(N^2 - Q_B^2) = 3353.6."""
    r = reading(measure_steady(ieee_example()))
    p, s = r.p[0, 0], r.s[0, 0]
    assert nonactive_power(p, s) == pytest.approx(6007.71, abs=5e-3)
    assert fryze_power(p, s, r.q_fundamental[0, 0]) == pytest.approx(6007.71, abs=5e-3)
    assert fryze_power(p, s, -r.q_fundamental[0, 0]) == pytest.approx(-6007.71, abs=5e-3)
    expected = np.sqrt(6007.71**2 - 4984.67**2)
    assert budeanu_distortion(p, r.q_budeanu[0, 0], s) == pytest.approx(expected, abs=1e-2)


def test_quarter_cycle_power_of_the_ieee_example():
    """Orders 1, 3, 5, 7 count as +Q1, -Q3, +Q5, -Q7; each V I sin of the difference of angles."""
    q = {
        1: 100 * 100 * np.sin(np.radians(30)),
        3: 8 * 20 * np.sin(np.radians(-70 + 165)),
        5: 15 * 15 * np.sin(np.radians(140 - 233)),
        7: 5 * 10 * np.sin(np.radians(20 - 288)),
    }
    found = quarter_cycle_power(measure_steady(ieee_example()))
    assert found[0, 0] == pytest.approx(q[1] - q[3] + q[5] - q[7], abs=1e-9)
    assert found[0, 1:] == pytest.approx(0.0)


@settings(deadline=None, max_examples=40)
@given(stationary_segments(rows=12))
def test_quarter_cycle_power_is_the_mean_of_displaced_samples(part):
    """512 samples a cycle: a quarter is 128 of them, for orders up to 20 an exact mean over the cycle."""
    samples = synthesise_cycles(signal(part, duration_s=1), at(0.0), samples_per_cycle=512, count=640)
    three = samples.reshape(2, 6, 640)
    expected = (three[:, :3, :512] * three[:, 3:, 128:]).mean(axis=2)
    found = quarter_cycle_power(measure_steady(part))
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(part.amplitude).sum(axis=1).max() ** 2)


@pytest.mark.parametrize(("frequency", "rate"), [(49.5, 25_600.0), (51.3, 3200.0), (61.7, 6400.0)])
def test_a_tracked_delay_of_samples_agrees_with_the_closed_form(frequency, rate):
    """Free-running samples, the delay a fraction of one; a window of about a second."""
    order = [1, 3, 5, 11]
    rows = np.array([[230, 10, 8, 4]] * 3 + [[5, 1, 1, 0.5]] * 3) * np.exp(
        1j * np.random.default_rng(3).uniform(-3, 3, (6, 4))
    )
    part = stationary(rows, order, frequency)
    cycles = round(frequency)
    count = round(cycles * rate / frequency)
    samples = synthesise(signal(part, duration_s=3), at(0.0), step_s=1 / rate, count=count + 2000)
    found = quarter_cycle_power_samples(
        samples, sample_rate=rate, frequency=np.array([frequency]), start=1500, count=count
    )
    expected = quarter_cycle_power(measure_steady(part))
    # The window is whole cycles to within half a sample: less than half a sample's share of S x orders.
    assert np.allclose(found, expected, atol=1150 * 4 / count)
    # Against samples of the displaced voltages themselves, the values between samples alone err.
    t = (np.arange(1500, 1500 + count) / rate - 1 / (4 * frequency))[:, None]
    angle = (part.theta + 2 * np.pi * frequency * t) * np.array(order)
    displaced = np.array([(part.amplitude[c] * np.exp(1j * angle)).real.sum(axis=1) for c in range(3)])
    exact = (displaced * samples[3:, 1500 : 1500 + count]).mean(axis=1)
    assert np.allclose(found[0], exact, atol=1150 * 1e-7)


def test_a_fixed_delay_errs_by_18_percent_at_49_5_hz():
    """V I sin(5 deg) by a delay of 5 ms at 49.5 Hz reads V I cos(89.1 - 5 deg): 1.179 of the truth."""
    rows = [230] * 3 + [phasor(5, -5)] * 3
    part = stationary(rows, (1,), 49.5)
    # 99 cycles are 2 s and 51,200 samples.
    samples = synthesise(signal(part, duration_s=4), at(0.0), step_s=1 / 25_600, count=55_000)
    window = {"sample_rate": 25_600.0, "start": 1000, "count": 51_200}
    true = 1150 * np.sin(np.radians(5))
    tracked = quarter_cycle_power_samples(samples, frequency=np.array([49.5]), **window)
    fixed = quarter_cycle_power_samples(samples, frequency=np.array([50.0]), **window)
    assert tracked[0] == pytest.approx([true] * 3, rel=1e-6)
    assert fixed[0] == pytest.approx([1150 * np.cos(np.radians(84.1))] * 3, rel=1e-6)
    assert fixed[0, 0] / true == pytest.approx(1.179, abs=5e-4)


def test_displacement_needs_what_lies_before_the_window():
    samples = np.zeros((6, 1000))
    window = {"sample_rate": 3200.0, "start": 48, "count": 64}
    good = np.array([50.0])
    # A quarter of 64 samples and 32 taps: from sample 1 on.
    assert not quarter_cycle_power_samples(samples, frequency=good, **window).any()
    with pytest.raises(DisplacementError, match="start it later or pass more"):
        quarter_cycle_power_samples(samples, frequency=np.array([40.0]), **window)
    with pytest.raises(DisplacementError, match="frequency of meter 0 is nan"):
        quarter_cycle_power_samples(samples, frequency=np.array([np.nan]), **window)
    with pytest.raises(DisplacementError, match="one frequency each"):
        quarter_cycle_power_samples(samples, frequency=np.array([50.0, 50.0]), **window)
    with pytest.raises(DisplacementError, match="of 0 to 999"):
        quarter_cycle_power_samples(samples, frequency=good, sample_rate=3200.0, start=990, count=64)


@pytest.mark.parametrize(
    ("degrees", "share"), [(0, 0.5), (60, 1.0), (90, 0.75**0.5), (-30, 0.0), (150, 0.0), (-120, -1.0)]
)
def test_q_is_the_power_with_the_voltage_lagged_by_60_degrees(degrees, share):
    """A current that lags by the given angle: V I cos(phi - 60 deg)."""
    rows = [230] * 3 + [phasor(10, -degrees)] * 3
    r = reading(measure_steady(stationary(rows)))
    lagged = stationary([phasor(230, -60)] * 3 + [phasor(10, -degrees)] * 3)
    found = q_power(r.p, r.q_fundamental)[0, 0]
    assert found == pytest.approx(2300 * share, abs=1e-9)
    assert found == pytest.approx(reading(measure_steady(lagged)).p[0, 0], abs=1e-9)
    assert (2 * found - r.p[0, 0]) / np.sqrt(3) == pytest.approx(r.q_fundamental[0, 0], abs=1e-9)


def test_totals_of_an_unbalanced_load():
    """10 A resistive, 10 A lagging 60 degrees, 10 A leading 60 degrees at 230 V: phases' vars cancel."""
    lag = [0, -60, 60]
    rows = [phasor(230, -120 * n) for n in range(3)] + [phasor(10, -120 * n + lag[n]) for n in range(3)]
    sums = total_powers(reading(measure_steady(stationary(rows))))
    assert sums.p[0] == pytest.approx(2300 * 2)
    assert sums.q[0] == pytest.approx(0.0, abs=1e-9)
    assert sums.s_arithmetic[0] == pytest.approx(6900)
    assert sums.s_vectorial[0] == pytest.approx(4600)
    assert sums.pf_arithmetic[0] == pytest.approx(2 / 3)
    assert sums.pf_vectorial[0] == pytest.approx(1.0)


def test_totals_take_the_reactive_power_of_the_meter():
    r = reading(measure_steady(ieee_example()))
    sums = total_powers(r, fryze_power(r.p, r.s, r.q_fundamental))
    # With Fryze's power a phase by itself has P^2 + Q^2 = S^2, harmonics included.
    assert sums.s_vectorial[0] == pytest.approx(10517.49, abs=5e-3)
    assert total_powers(r, r.q_budeanu).s_vectorial[0] == pytest.approx(np.hypot(8632.79, 4984.67), abs=1e-2)
    dead = reading(measure_steady(stationary([0] * 6)))
    assert np.isnan(total_powers(dead).pf_arithmetic).all()


@settings(deadline=None, max_examples=60)
@given(stationary_segments(rows=6))
def test_powers_are_ordered_as_their_definitions_demand(part):
    r = reading(measure_steady(part))
    n = nonactive_power(r.p, r.s)
    floor = 1e-6 * r.s.max() + 1e-9
    assert (np.abs(r.p) <= r.s + floor).all()
    assert (np.abs(r.q_budeanu) <= n + floor).all()
    assert (np.abs(quarter_cycle_power(measure_steady(part))) <= r.s + floor).all()
    distortion = budeanu_distortion(r.p, r.q_budeanu, r.s)
    assert np.allclose(r.p**2 + r.q_budeanu**2 + distortion**2, r.s**2, rtol=1e-6, atol=floor**2)
    for q in (r.q_fundamental, r.q_budeanu, fryze_power(r.p, r.s, r.q_fundamental)):
        sums = total_powers(r, q)
        if q is not r.q_fundamental:  # Q1 may exceed N where harmonic vars oppose it
            assert (sums.s_vectorial <= sums.s_arithmetic * (1 + 1e-9) + floor).all()
    assert (vectorial_apparent_power(r.p, n) <= r.s + floor).all()


def test_a_sine_has_one_reactive_power():
    rows = [phasor(230, -120 * n) for n in range(3)] + [phasor(10, -120 * n - 30) for n in range(3)]
    measure = measure_steady(stationary(rows))
    r = reading(measure)
    for q in (
        r.q_budeanu,
        r.q_fundamental,
        quarter_cycle_power(measure),
        fryze_power(r.p, r.s, r.q_fundamental),
    ):
        assert q[0] == pytest.approx([1150.0] * 3)
    assert budeanu_distortion(r.p, r.q_budeanu, r.s)[0] == pytest.approx([0.0] * 3, abs=1e-3)

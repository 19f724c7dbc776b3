import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import at, segment, signal
from twin.metrology import EnergyAccumulator, EnergyError, measure_steady, measure_window, reading
from twin.signals import amplitude_from_rms, instant_of_theta

powers = st.floats(-8e9, 8e9) | st.floats(-1e4, 1e4) | st.sampled_from([0.0, -0.0, 1e-7, 4.9e-7])
durations = st.integers(0, 3_600_000_000_000) | st.integers(0, 10**9) | st.integers(0, 400 * 86400 * 10**9)
intervals = st.tuples(powers, powers, st.floats(0.0, 8e9), durations)


def add(counter, interval):
    p, q, s, duration = interval
    counter.add(np.array([[p]]), np.array([[q]]), np.array([[s]]), duration)


def femtojoules(counter, row):
    return int(counter.whole[row, 0, 0]) * 3_600_000_000_000_000_000 + int(counter.rest[row, 0, 0])


def microwatts(power):
    """Return a power rounded to the microwatt, as the counter takes it."""
    return int(np.rint(max(power, 0.0) * 1e6))


@settings(deadline=None)
@given(st.lists(intervals, min_size=1, max_size=8))
def test_counters_hold_the_exact_sum(steps):
    counter = EnergyAccumulator(1, 1)
    for step in steps:
        add(counter, step)
    for row, pick in enumerate(
        (lambda i: i[0], lambda i: -i[0], lambda i: i[1], lambda i: -i[1], lambda i: i[2])
    ):
        assert femtojoules(counter, row) == sum(microwatts(pick(step)) * step[3] for step in steps)
        assert 0 <= counter.rest[row, 0, 0] < 3_600_000_000_000_000_000


@settings(deadline=None)
@given(st.lists(intervals, min_size=2, max_size=8), st.randoms())
def test_any_order_gives_the_same_bits(steps, random):
    one, other = EnergyAccumulator(1, 1), EnergyAccumulator(1, 1)
    shuffled = list(steps)
    random.shuffle(shuffled)
    for step in steps:
        add(one, step)
    for step in shuffled:
        add(other, step)
    assert (one.whole == other.whole).all()
    assert (one.rest == other.rest).all()


@settings(deadline=None)
@given(intervals, st.lists(st.integers(0, 1000), max_size=6))
def test_any_cut_of_an_interval_gives_the_same_bits(interval, cuts):
    whole, cut = EnergyAccumulator(1, 1), EnergyAccumulator(1, 1)
    add(whole, interval)
    edges = sorted([0, interval[3], *(c * interval[3] // 1000 for c in cuts)])
    for start, end in itertools.pairwise(edges):
        add(cut, (*interval[:3], end - start))
    assert (whole.whole == cut.whole).all()
    assert (whole.rest == cut.rest).all()


def test_an_hour_at_one_kilowatt_is_one_kilowatt_hour():
    counter = EnergyAccumulator(1, 1)
    for _ in range(3600):
        add(counter, (1000.0, -500.0, 1200.0, 10**9))
    assert counter.whole[:, 0, 0].tolist() == [1000, 0, 0, 500, 1200]
    assert not counter.rest.any()


def test_a_third_of_a_watt_hour_shows_its_digits():
    counter = EnergyAccumulator(1, 1)
    add(counter, (1.0, 0.0, 0.0, 1_200_000_000_000))
    assert counter.picowatt_hours("p_imp")[0, 0] == 333_333_333_333
    assert counter.watt_hours("p_imp")[0, 0] == pytest.approx(1 / 3, rel=1e-15)


def test_an_hour_of_distorted_cycles_agrees_with_the_closed_form():
    """Energies from ten-cycle windows of 3,600 s against P x T from the phasors, at 1e-9."""
    rng = np.random.default_rng(11)
    rms = np.array([[230, 5, 8], [229, 4, 9], [231, 6, 7], [10, 3, 2], [12, 1, 2], [9, 2, 3]], float)
    angle = rng.uniform(-0.5, 0.5, rms.shape)
    angle[:, 0] = np.radians([0, -120, 120, -25, -140, 90])
    phasor = rms * np.exp(1j * angle)
    part = segment(amplitude=amplitude_from_rms(phasor), order=[1, 3, 5], frequency=50.0, theta=0.3)
    whole = signal(part, duration_s=10)
    steady = reading(measure_steady(part))
    counter = EnergyAccumulator(1)
    # Eight windows at different places of the segment stand for the 18,000 of an hour.
    for n in range(8):
        start = instant_of_theta(part, 0.3 + 2 * np.pi * 60 * n)
        window = reading(
            measure_window(whole, start, instant_of_theta(part, 0.3 + 2 * np.pi * (60 * n + 10)))
        )
        for _ in range(2250):
            counter.add(window.p, window.q_fundamental, window.s, 200_000_000)
    power = (phasor[:3] * phasor[3:].conj()).sum(axis=1).real
    assert counter.watt_hours("p_imp")[0] == pytest.approx(power, rel=1e-9)
    assert steady.p[0] == pytest.approx(power, rel=1e-12)
    q = (phasor[:3, 0] * phasor[3:, 0].conj()).imag
    assert counter.watt_hours("q_imp")[0] == pytest.approx(q, rel=1e-9)
    s = np.sqrt((rms[:3] ** 2).sum(axis=1) * (rms[3:] ** 2).sum(axis=1))
    assert counter.watt_hours("s")[0] == pytest.approx(s, rel=1e-9)
    assert not counter.whole[1].any()


def test_a_century_of_a_gigawatt_fits():
    counter = EnergyAccumulator(1, 1)
    for _ in range(100):
        add(counter, (1e9, 0.0, 0.0, 366 * 86400 * 10**9))
    assert counter.whole[0, 0, 0] == 100 * 366 * 24 * 10**9


@pytest.mark.parametrize("power", [np.nan, np.inf, -np.inf, 1e10])
def test_what_is_no_power_is_refused(power):
    with pytest.raises(EnergyError, match="no number or beyond 9 GW"):
        add(EnergyAccumulator(1, 1), (1.0, power, 1.0, 1))


def test_time_does_not_run_backwards():
    with pytest.raises(EnergyError, match="no duration"):
        add(EnergyAccumulator(1, 1), (1.0, 1.0, 1.0, -1))


def test_a_counter_is_the_plain_rational_sum():
    """The whole-number arithmetic against fractions, once, in watt-hours."""
    counter = EnergyAccumulator(1, 1)
    add(counter, (123.456789, 0.0, 0.0, 987_654_321))
    expected = Fraction(123_456_789, 10**6) * Fraction(987_654_321, 10**9) / 3600
    assert counter.picowatt_hours("p_imp")[0, 0] == int(expected * 10**12)


def test_windows_of_a_direct_current_count_too():
    part = segment(amplitude=np.array([[10.0]] * 3 + [[2.0]] * 3), order=[0])
    r = reading(measure_window(signal(part, duration_s=1), at(0.0), at(0.37)))
    counter = EnergyAccumulator(1)
    counter.add(r.p, r.q_fundamental, r.s, 370_000_000)
    assert counter.watt_hours("p_imp")[0] == pytest.approx([20 * 0.37 / 3600] * 3)

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals.waves import (
    EPOCH,
    amplitudes,
    at,
    following,
    quadrature,
    segment,
    signal,
    size_of,
    stationary_segments,
)
from twin.contracts import Instant
from twin.metrology import (
    EnergyAccumulator,
    EnergyError,
    IntegralAccumulator,
    QuadrantAccumulator,
    measure_samples,
    measure_steady,
    measure_window,
    q_power,
    quadrant,
    reading,
    total_of_phases,
    with_total,
)
from twin.signals import amplitude_from_rms, instant_of_theta, synthesise_cycles, theta_at

powers = st.floats(-8e9, 8e9) | st.floats(-1e4, 1e4) | st.sampled_from([0.0, -0.0, 1e-7, 4.9e-7])
durations = st.integers(0, 3_600_000_000_000) | st.integers(0, 10**9) | st.integers(0, 400 * 86400 * 10**9)
intervals = st.tuples(powers, powers, st.floats(0.0, 8e9), durations)


def add(counter, interval):
    p, q, s, duration = interval
    counter.add(np.array([[p]]), np.array([[q]]), np.array([[s]]), duration)


def picowatts(power):
    """Return a power rounded to the picowatt, as the counter takes it."""
    power = max(power, 0.0)
    return int(power) * 10**12 + int(np.rint((power - int(power)) * 1e12))


def counted(counter):
    """Return every count of an accumulator, to be compared bit for bit."""
    return np.stack([counter.whole, counter.rest, counter.fine])


@settings(deadline=None)
@given(st.lists(intervals, min_size=1, max_size=8))
def test_counters_hold_the_exact_sum(steps):
    counter = EnergyAccumulator(1, 1)
    for step in steps:
        add(counter, step)
    for row, pick in enumerate(
        (lambda i: i[0], lambda i: -i[0], lambda i: i[1], lambda i: -i[1], lambda i: i[2])
    ):
        exact = sum(picowatts(pick(step)) * step[3] for step in steps)
        assert counter.zeptojoules(counter.names[row], 0, 0) == exact
        assert 0 <= counter.rest[row, 0, 0] < 3_600_000_000_000_000_000
        assert 0 <= counter.fine[row, 0, 0] < 1_000_000


@settings(deadline=None)
@given(powers)
def test_a_power_counts_to_the_picowatt(power):
    assert picowatts(power) == pytest.approx(Fraction(max(power, 0.0)) * 10**12, abs=0.5, rel=1e-15)


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
    assert (counted(one) == counted(other)).all()


@settings(deadline=None)
@given(intervals, st.lists(st.integers(0, 1000), max_size=6))
def test_any_cut_of_an_interval_gives_the_same_bits(interval, cuts):
    whole, cut = EnergyAccumulator(1, 1), EnergyAccumulator(1, 1)
    add(whole, interval)
    edges = sorted([0, interval[3], *(c * interval[3] // 1000 for c in cuts)])
    for start, end in itertools.pairwise(edges):
        add(cut, (*interval[:3], end - start))
    assert (counted(whole) == counted(cut)).all()


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


@pytest.mark.parametrize("sampled", [False, True])
def test_an_hour_of_distorted_cycles_agrees_with_the_closed_form(sampled):
    """Energies from ten-cycle windows of 3,600 s against P x T from the phasors; the goal is 1e-9."""
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
        if sampled:
            samples = synthesise_cycles(whole, start, samples_per_cycle=512, count=5120)
            moments = measure_samples(
                samples, samples_per_cycle=512, cycles=10, frequency=50.0, theta=theta_at(part, start.ns)
            )
        else:
            moments = measure_window(whole, start, instant_of_theta(part, 0.3 + 2 * np.pi * (60 * n + 10)))
        window = reading(moments)
        for _ in range(2250):
            counter.add(window.p, window.q_fundamental, window.s, 200_000_000)
    power = (phasor[:3] * phasor[3:].conj()).sum(axis=1).real
    assert counter.watt_hours("p_imp")[0] == pytest.approx(power, rel=1e-11)
    assert steady.p[0] == pytest.approx(power, rel=1e-12)
    q = (phasor[:3, 0] * phasor[3:, 0].conj()).imag
    assert counter.watt_hours("q_imp")[0] == pytest.approx(q, rel=1e-11)
    s = np.sqrt((rms[:3] ** 2).sum(axis=1) * (rms[3:] ** 2).sum(axis=1))
    assert counter.watt_hours("s")[0] == pytest.approx(s, rel=1e-11)
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


def test_an_hour_at_the_starting_current_agrees_to_a_billionth():
    """1 mA and 230 V, 0.23 W: 18,000 windows of 200 ms; rounding to the microwatt would err by 1e-6."""
    phasor = np.array([[230.0]] * 3 + [[0.001 * np.exp(-1j * np.pi / 3)]] * 3)
    window = reading(measure_steady(segment(amplitude=amplitude_from_rms(phasor), order=[1])))
    counter = EnergyAccumulator(1)
    for _ in range(18_000):
        counter.add(window.p, window.q_fundamental, window.s, 200_000_000)
    assert counter.watt_hours("p_imp")[0] == pytest.approx([0.115] * 3, rel=1e-11)
    assert counter.watt_hours("q_imp")[0] == pytest.approx([0.23 * np.sqrt(0.75)] * 3, rel=1e-11)


@st.composite
def stepped_signals(draw):
    """Draw one or two seconds of harmonics at any frequency with up to two steps at any instant."""
    first = draw(stationary_segments())
    parts = [first]
    for _ in range(draw(st.integers(0, 2))):
        amplitude = draw(amplitudes(6, first.order.size, 300.0))
        if first.order[0] == 0:
            amplitude[:, 0] = amplitude[:, 0].real
        last = parts[-1]
        parts.append(following(last, draw(st.integers(1, 400_000_000)), amplitude=amplitude))
    return signal(*parts, duration_s=2)


@settings(deadline=None, max_examples=25)
@given(stepped_signals(), st.integers(0, 900_000_000), st.integers(1, 10**9), st.data())
def test_any_interval_agrees_with_quadrature(whole, start, length, data):
    """Any cut, length, frequency, harmonics, steps: within 1e-9 of S x t (the goal is 1e-8)."""
    edges = sorted({0, length, *data.draw(st.lists(st.integers(1, length), max_size=6))})
    counter, squares = EnergyAccumulator(1), IntegralAccumulator(("v2", "a2"), 1)
    for begin, end in itertools.pairwise(edges):
        window = measure_window(whole, Instant(EPOCH + start + begin), Instant(EPOCH + start + end), orders=2)
        r = reading(window)
        counter.add(r.p, r.q_fundamental, r.s, end - begin)
        squares.add_rates(np.stack([r.v**2, r.i**2]), end - begin)
    gram, _ = quadrature(whole, Instant(EPOCH + start), Instant(EPOCH + start + length))
    v2, a2, p = np.diag(gram)[:3], np.diag(gram)[3:], np.diag(gram[:3, 3:])
    hours = length / 3.6e12
    net = counter.watt_hours("p_imp")[0] - counter.watt_hours("p_exp")[0]
    floor = 1e-12 * size_of(whole) ** 2 + 1e-11
    assert (np.abs(net - p * hours) <= (1e-9 * np.sqrt(v2 * a2) + floor) * hours).all()
    assert (np.abs(squares.watt_hours("v2")[0] - v2 * hours) <= (1e-9 * v2 + floor) * hours).all()
    assert (np.abs(squares.watt_hours("a2")[0] - a2 * hours) <= (1e-9 * a2 + floor) * hours).all()


def test_a_year_does_not_drift():
    """52,560 intervals of ten minutes against one product of whole numbers."""
    counter = EnergyAccumulator(1)
    p, q, s = (
        np.array([[123.456789012345, 1 / 3, 2e5 / 7]]),
        np.full((1, 3), -1 / 7),
        np.full((1, 3), 1e9 / 3),
    )
    for _ in range(52_560):
        counter.add(p, q, s, 600_000_000_000)
    for name, power in (("p_imp", p), ("q_exp", -q), ("s", s)):
        for phase in range(3):
            exact = picowatts(power[0, phase]) * 365 * 86400 * 10**9
            assert counter.zeptojoules(name, 0, phase) == exact
    assert counter.watt_hours("p_imp")[0] == pytest.approx(p[0] * 8760, rel=1e-12)


@settings(deadline=None)
@given(st.lists(intervals, min_size=1, max_size=8))
def test_quadrants_hold_what_the_directions_hold(steps):
    """Q1 + Q2 is the reactive import, Q3 + Q4 the export, exactly; each interval counts in one quadrant."""
    four, two = QuadrantAccumulator(1, 1), EnergyAccumulator(1, 1)
    exact = dict.fromkeys(("q1", "q2", "q3", "q4"), 0)
    for step in steps:
        add(four, step)
        add(two, step)
        p, q, _, duration = step
        exact[f"q{int(quadrant(np.array(p), np.array(q)))}"] += picowatts(abs(q)) * duration
    for name, count in exact.items():
        assert four.zeptojoules(name, 0, 0) == count
    sums = {
        "q_imp": ("q1", "q2"),
        "q_exp": ("q3", "q4"),
        "p_imp": ("p_imp",),
        "p_exp": ("p_exp",),
        "s": ("s",),
    }
    for name, parts in sums.items():
        assert two.zeptojoules(name, 0, 0) == sum(four.zeptojoules(part, 0, 0) for part in parts)


@settings(deadline=None)
@given(st.lists(intervals, min_size=2, max_size=6), st.randoms(), st.integers(0, 1000))
def test_quadrants_are_free_of_order_and_cut(steps, random, cut):
    one, other = QuadrantAccumulator(1, 1), QuadrantAccumulator(1, 1)
    pieces = [(p, q, s, part) for p, q, s, d in steps for part in (d * cut // 1000, d - d * cut // 1000)]
    random.shuffle(pieces)
    for step in steps:
        add(one, step)
    for piece in pieces:
        add(other, piece)
    assert (counted(one) == counted(other)).all()


def test_an_hour_in_each_quadrant():
    counter = QuadrantAccumulator(1, 4)
    for p, q in ((300.0, 40.0), (-200.0, 30.0), (-100.0, -20.0), (400.0, -10.0)):
        # Phase b stands in the opposite quadrant, phase c is dead: the total stands with phase a.
        three_p, three_q = np.array([[p, -p / 2, 0.0]]), np.array([[q, -q / 2, 0.0]])
        counter.add(with_total(three_p), with_total(three_q), np.zeros((1, 4)), 3_600_000_000_000)
    assert counter.whole[:, 0, 0].tolist() == [700, 300, 40, 30, 20, 10, 0]
    assert counter.whole[:, 0, 1].tolist() == [150, 350, 10, 5, 20, 15, 0]
    assert not counter.whole[:, 0, 2].any()
    assert counter.whole[:, 0, 3].tolist() == [350, 150, 20, 15, 10, 5, 0]


@pytest.mark.parametrize("power", [(1.0, np.nan), (-1.0, np.nan), (np.nan, 1.0), (1.0, -1e10), (-1.0, 1e10)])
def test_a_quadrant_needs_numbers(power):
    counter = QuadrantAccumulator(1, 1)
    with pytest.raises(EnergyError, match="no number or beyond 9 GW"):
        add(counter, (*power, 1.0, 10**9))
    assert not counted(counter).any()


def test_hours_of_squares_and_of_q():
    """230 V for 20 minutes and 115 V for 40 are 230^2/3 + 115^2 2/3 V2h; Q of 1 kW at 60 degrees is 2 kVA."""
    counter = IntegralAccumulator(("v2", "q"), 1, 1)
    q = q_power(np.array([[1000.0]]), np.array([[1000.0 * np.sqrt(3)]]))
    for volts, minutes in ((230.0, 20), (115.0, 40)):
        counter.add_rates(np.stack([np.array([[volts**2]]), q]), minutes * 60 * 10**9)
    assert counter.watt_hours("v2")[0, 0] == pytest.approx((230**2 + 2 * 115**2) / 3, rel=1e-15)
    assert counter.watt_hours("q")[0, 0] == pytest.approx(2000.0, rel=1e-12)


def test_rates_of_a_direction_are_not_negative():
    counter = IntegralAccumulator(("v2", "q"), 1, 3)
    with pytest.raises(EnergyError, match="q is below zero; count the two directions apart"):
        counter.add_rates(np.stack([np.ones((1, 3)), -np.ones((1, 3))]), 1)
    with pytest.raises(EnergyError, match=r"shape \(1, 1, 3\) do not fit"):
        counter.add_rates(np.ones((1, 3)), 1)
    assert not counted(counter).any()


def test_several_intervals_count_as_one_after_the_other_and_a_wrong_one_stops_them_all():
    rates = np.random.default_rng(7).uniform(0.0, 1e5, (3, 2, 4, 3))
    durations = (200_000_003, 7_200_000_000_000, 1)
    apart, together = (IntegralAccumulator(("v2", "a2"), 4, 3) for _ in range(2))
    for interval, duration in zip(rates, durations, strict=True):
        apart.add_rates(interval, duration)
    together.add_intervals(rates, durations)
    assert (counted(together) == counted(apart)).all()
    wrong = rates.copy()
    wrong[2, 1, 0, 0] = np.nan
    with pytest.raises(EnergyError, match="a rate of a2 is no number"):
        together.add_intervals(wrong, durations)
    assert (counted(together) == counted(apart)).all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), durations), min_size=1, max_size=4))
def test_the_counting_loop_agrees_with_plain_whole_numbers(steps):
    """The compiled arithmetic against Python's whole numbers, for a bank of meters."""
    counter = IntegralAccumulator(("a", "b"), 3, 4)
    exact = np.zeros((2, 3, 4), object)
    for seed, duration in steps:
        rates = np.random.default_rng(seed).uniform(0, 1, (2, 3, 4)) ** 8 * 8.9e9
        counter.add_rates(rates, duration)
        exact += np.vectorize(picowatts, otypes=[object])(rates) * duration
    for row, m, n in np.ndindex(2, 3, 4):
        assert counter.zeptojoules("ab"[row], m, n) == exact[row, m, n]


def test_a_total_is_the_sum_of_the_phases():
    phases = np.array([[1.0, -2.0, 4.0], [0.5, 0.25, 0.125]])
    assert total_of_phases(phases).tolist() == [3.0, 0.875]
    assert with_total(phases)[:, 3].tolist() == [3.0, 0.875]
    assert (with_total(phases)[:, :3] == phases).all()

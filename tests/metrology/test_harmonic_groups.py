"""Groups of bins against tones of known place, and against sums written out bin by bin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.metrology.harmonic_groups import (
    harmonic_groups,
    partial_weighted_distortion,
    total_demand_distortion,
    total_distortion,
    window_bins,
)

few = settings(deadline=None, max_examples=25)
SQRT2 = np.sqrt(2.0)


def wave(cycles, per_cycle, tones, mean=0.0):
    """Return one channel: RMS and angle [rad] by bin, cosines."""
    x = np.arange(cycles * per_cycle) / (cycles * per_cycle)
    out = np.full((1, x.size), mean)
    for k, (rms, angle) in tones.items():
        out += rms * SQRT2 * np.cos(2 * np.pi * k * x + angle)
    return out


def groups_of(cycles, per_cycle, tones, *, orders=51, mean=0.0):
    samples = wave(cycles, per_cycle, tones, mean)
    return harmonic_groups(window_bins(samples, cycles=cycles, orders=orders), cycles=cycles)


@few
@given(
    st.sampled_from([10, 12]),
    st.dictionaries(
        st.integers(2, 50), st.tuples(st.floats(0.01, 50), st.floats(-3.1, 3.1)), min_size=1, max_size=20
    ),
    st.floats(-3, 3),
)
def test_harmonics_are_exact_on_coherent_windows(cycles, content, shift):
    """IEC 61000-4-7: to 1e-9 of the fundamental; angles do not depend on where the window begins."""
    tones = {cycles: (230.0, shift)}
    tones |= {h * cycles: (rms, angle + h * shift) for h, (rms, angle) in content.items()}
    found = groups_of(cycles, 512, tones, mean=1.5)
    expected = np.zeros(51)
    expected[:2] = 1.5, 230.0
    for h, (rms, _) in content.items():
        expected[h] = rms
    for grouping in (found.harmonic, found.group, found.subgroup):
        assert np.abs(grouping[0] - expected).max() < 230e-9
    assert found.interharmonic_group.max() < 230e-9
    for h, (_, angle) in content.items():
        assert abs(np.angle(np.exp(1j * (found.angle[0, h] - angle)))) < 1e-9
    thd = np.sqrt((expected[2:41] ** 2).sum()) / 230.0
    assert total_distortion(found.subgroup, highest=40)[0] == pytest.approx(thd, abs=1e-9)


@few
@given(st.sampled_from([10, 12]), st.integers(0, 2**31))
def test_groups_are_the_sums_of_the_standard(cycles, seed):
    """The formulas of 5.6 and annex A, written out bin by bin."""
    rng = np.random.default_rng(seed)
    bins = rng.standard_normal((2, 8 * cycles + 1)) + 1j * rng.standard_normal((2, 8 * cycles + 1))
    found = harmonic_groups(bins, cycles=cycles)
    y = np.abs(bins[1]) ** 2
    half = cycles // 2
    for h in range(1, 8):
        k = h * cycles
        group = y[k - half] / 2 + sum(y[k + i] for i in range(1 - half, half)) + y[k + half] / 2
        assert found.group[1, h] == pytest.approx(np.sqrt(group))
        assert found.subgroup[1, h] == pytest.approx(np.sqrt(y[k - 1] + y[k] + y[k + 1]))
        between = sum(y[k + i] for i in range(1, cycles))
        assert found.interharmonic_group[1, h] == pytest.approx(np.sqrt(between))
        centred = sum(y[k + i] for i in range(2, cycles - 1))
        assert found.interharmonic_subgroup[1, h] == pytest.approx(np.sqrt(centred))


@few
@given(st.sampled_from([10, 12]), st.integers(0, 2**31))
def test_nothing_is_counted_twice_or_lost(cycles, seed):
    """Groups share all bins out; subgroups and centred subgroups do, but for the neighbours of order 0."""
    rng = np.random.default_rng(seed)
    bins = rng.standard_normal((1, 9 * cycles + 1)) + 1j * rng.standard_normal((1, 9 * cycles + 1))
    found = harmonic_groups(bins, cycles=cycles)
    squares = np.abs(bins[0]) ** 2
    half = cycles // 2
    upto = squares[: 8 * cycles + half].sum() + squares[8 * cycles + half] / 2
    near_zero = squares[1:half].sum() + squares[half] / 2
    assert (found.group**2).sum() == pytest.approx(upto - near_zero)
    both = (found.subgroup**2).sum() + (found.interharmonic_subgroup**2).sum()
    assert both == pytest.approx(squares[:-1].sum() - squares[1] - squares[-2])


@pytest.mark.parametrize(("cycles", "frequency"), [(10, 50), (12, 60)])
def test_a_tone_falls_where_the_standard_puts_it(cycles, frequency):
    """5 Hz steps above order 3: the first is its subgroup, the last that of order 4, others lie between."""
    for step in range(1, cycles):
        found = groups_of(cycles, 256, {cycles: (230.0, 0.0), 3 * cycles + step: (5.0, 1.0)})
        near_3, near_4 = step == 1, step == cycles - 1
        assert found.subgroup[0, 3] == pytest.approx(5.0 if near_3 else 0.0, abs=1e-9), step * 5 + frequency
        assert found.subgroup[0, 4] == pytest.approx(5.0 if near_4 else 0.0, abs=1e-9)
        centred = found.interharmonic_subgroup[0, 3]
        assert centred == pytest.approx(0.0 if near_3 or near_4 else 5.0, abs=1e-9)
        middle = 2 * step - cycles
        share = 0.5**0.5 if middle == 0 else 1.0
        assert found.group[0, 3] == pytest.approx(5.0 * share if middle <= 0 else 0.0, abs=1e-9)
        assert found.group[0, 4] == pytest.approx(5.0 * share if middle >= 0 else 0.0, abs=1e-9)


def test_verification_state_2_of_61000_4_30():
    """10 % of order 3, 5 % of 5 and 29, an interharmonic of 1 % at 7.5 times the fundamental."""
    tones = {10: (230.0, 0.0), 30: (23.0, 0.0), 50: (11.5, 0.0), 290: (11.5, 0.0), 75: (2.3, 0.0)}
    found = groups_of(10, 512, tones)
    assert found.subgroup[0, [1, 3, 5, 29]] == pytest.approx([230.0, 23.0, 11.5, 11.5])
    assert found.interharmonic_subgroup[0, 7] == pytest.approx(2.3)
    assert total_distortion(found.subgroup, highest=40)[0] == pytest.approx(0.015**0.5)
    assert total_distortion(found.group, highest=40)[0] == pytest.approx((0.015 + 1e-4) ** 0.5)
    assert total_distortion(found.harmonic, highest=4)[0] == pytest.approx(0.1)
    odd = total_distortion(found.harmonic, lowest=3, step=2, highest=50)
    assert odd[0] == pytest.approx(0.015**0.5)
    assert total_distortion(found.harmonic, lowest=2, step=2, highest=50)[0] == pytest.approx(0.0, abs=1e-9)


def test_other_ratios_by_hand():
    current = np.zeros((1, 51))
    current[0, [1, 5, 7, 17]] = 100.0, 20.0, 10.0, 4.0
    assert total_demand_distortion(current, demand_current=200.0)[0] == pytest.approx(516**0.5 / 200)
    assert partial_weighted_distortion(current)[0] == pytest.approx((17 * 16) ** 0.5 / 100)
    assert np.isnan(total_demand_distortion(current, demand_current=0.0)[0])
    assert np.isnan(total_distortion(np.zeros((1, 51)), highest=50)[0])


def test_a_dead_reference_has_no_angles():
    found = groups_of(10, 256, {20: (5.0, 0.0)})
    assert np.isnan(found.angle).all()
    assert found.harmonic[0, 2] == pytest.approx(5.0)


def test_class_one_off_nominal():
    """The lock may err by 0.03 % (4.4.1): orders to 50 of 10 % of the fundamental stay within 5 %."""
    x = np.arange(5120) / 512
    content = {1: 230.0} | dict.fromkeys((2, 3, 5, 25, 49, 50), 23.0)
    samples = sum(rms * SQRT2 * np.cos(2 * np.pi * h * x * 1.0003 + h) for h, rms in content.items())[None]
    found = harmonic_groups(window_bins(samples, cycles=10), cycles=10)
    for h, rms in content.items():
        assert found.subgroup[0, h] == pytest.approx(rms, rel=0.05)


def test_bad_windows_are_refused():
    with pytest.raises(ValueError, match="lock the sampling"):
        window_bins(np.zeros((1, 5121)), cycles=10)
    with pytest.raises(ValueError, match="use more than 102"):
        window_bins(np.zeros((1, 1020)), cycles=10)
    with pytest.raises(ValueError, match="window_bins"):
        harmonic_groups(np.zeros((1, 100), complex), cycles=10)
    with pytest.raises(ValueError, match="measure more orders"):
        total_distortion(np.zeros((1, 51)), highest=51)

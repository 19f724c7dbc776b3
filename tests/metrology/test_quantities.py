"""Readings against hand numbers, a published example and plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.signals.waves import at, segment, signal, stationary_segments
from twin.contracts import WindowMeasure
from twin.metrology import measure_samples, measure_steady, reading, symmetrical_components
from twin.signals import amplitude_from_rms, synthesise_cycles


def phasor(size, degrees):
    return size * np.exp(1j * np.radians(degrees))


def of(rows, order=(1,), frequency=60.0):
    """Return the reading of one meter whose channels have the given RMS phasors."""
    amplitude = amplitude_from_rms(np.array(rows, complex).reshape(6, -1))
    part = segment(amplitude=amplitude, order=order, frequency=frequency, theta=0.7)
    return part, reading(measure_steady(part))


@pytest.fixture(params=["closed form", "samples"])
def example(request):
    """IEEE Std 1459-2010, annex B: the single-phase nonsinusoidal example, here as phase a."""
    order = [1, 3, 5, 7]
    rows = np.zeros((6, 4), complex)
    rows[0] = [phasor(100, 0), phasor(8, -70), phasor(15, 140), phasor(5, 20)]
    rows[3] = [phasor(100, -30), phasor(20, -165), phasor(15, 233), phasor(10, 288)]
    part, closed = of(rows, order)
    if request.param == "closed form":
        return closed
    samples = synthesise_cycles(signal(part, duration_s=1), at(0.0), samples_per_cycle=512, count=512)
    return reading(
        measure_samples(samples, samples_per_cycle=512, cycles=1, frequency=60.0, theta=part.theta)
    )


def test_ieee_1459_single_phase_example(example):
    v, i, p = example.v[0, 0], example.i[0, 0], example.p[0, 0]
    assert v == pytest.approx(101.5579, abs=5e-5)
    assert i == pytest.approx(103.5616, abs=5e-5)
    assert p == pytest.approx(8632.79, abs=5e-3)
    assert example.s[0, 0] == pytest.approx(10517.49, abs=5e-3)
    assert example.p_fundamental[0, 0] == pytest.approx(8660.25, abs=5e-3)
    assert example.q_fundamental[0, 0] == pytest.approx(5000.00, abs=5e-3)
    assert p - example.p_fundamental[0, 0] == pytest.approx(-27.47, abs=5e-3)
    assert example.q_budeanu[0, 0] == pytest.approx(4984.67, abs=5e-3)
    assert p / example.s[0, 0] == pytest.approx(0.82080, abs=5e-6)
    assert example.thd[0, 0] == pytest.approx(0.17720, abs=5e-6)
    assert example.thd[0, 3] == pytest.approx(0.26926, abs=5e-6)


def test_ieee_1459_apparent_power_splits_as_published(example):
    """S^2 = S1^2 + DI^2 + DV^2 + SH^2 with DI = S1 THDI, DV = S1 THDV, SH = S1 THDI THDV."""
    s1 = example.harmonic[0, 0, 1] * example.harmonic[0, 3, 1]
    thd_v, thd_i = example.thd[0, 0], example.thd[0, 3]
    assert s1 == pytest.approx(10000.0)
    assert s1 * thd_i == pytest.approx(2692.58, abs=5e-3)
    assert s1 * thd_v == pytest.approx(1772.00, abs=5e-3)
    assert s1 * thd_v * thd_i == pytest.approx(477.13, abs=5e-3)
    assert np.sqrt(example.s[0, 0] ** 2 - s1**2) == pytest.approx(3258.47, abs=5e-3)
    assert np.sqrt(example.s[0, 0] ** 2 - example.p[0, 0] ** 2) == pytest.approx(6007.71, abs=5e-3)
    harmonic = (477.13**2 - 27.47**2) ** 0.5
    assert harmonic == pytest.approx(476.34, abs=1e-2)


def test_balanced_inductive_load():
    """230 V, 10 A lagging 30 degrees: P 1991.86 W, Q +1150 var a phase; sqrt(3) between the voltages."""
    rows = [phasor(230, -120 * n) for n in range(3)] + [phasor(10, -120 * n - 30) for n in range(3)]
    _, r = of(rows)
    assert r.v[0] == pytest.approx([230.0] * 3)
    assert r.vll[0] == pytest.approx([398.3716857] * 3)
    assert r.i_n[0] == pytest.approx(0.0, abs=1e-6)
    assert r.p[0] == pytest.approx([1991.858429] * 3)
    assert r.q_fundamental[0] == pytest.approx([1150.0] * 3)
    assert r.q_budeanu[0] == pytest.approx([1150.0] * 3)
    assert r.s[0] == pytest.approx([2300.0] * 3)
    assert np.degrees(r.angle[0]) == pytest.approx([0, -120, 120, -30, -150, 90])
    # Phasors are relative to theta, whatever its value at the start of the segment.
    assert r.v_positive[0] == pytest.approx(230.0)
    assert abs(r.v_negative[0]) == pytest.approx(0.0, abs=1e-12)
    assert abs(r.i_zero[0]) == pytest.approx(0.0, abs=1e-12)
    assert r.thd[0] == pytest.approx([0.0] * 6, abs=1e-12)


@pytest.mark.parametrize(
    ("degrees", "p_sign", "q_sign"), [(-30, 1, 1), (-150, -1, 1), (150, -1, -1), (30, 1, -1)]
)
def test_four_quadrants(degrees, p_sign, q_sign):
    """Current against voltage: lagging import, lagging export, leading export, leading import."""
    rows = [phasor(230, -120 * n) for n in range(3)] + [phasor(10, -120 * n + degrees) for n in range(3)]
    _, r = of(rows)
    assert r.p[0] == pytest.approx([p_sign * 1991.858429] * 3)
    assert r.q_fundamental[0] == pytest.approx([q_sign * 1150.0] * 3)


def test_single_phase_load_returns_through_the_neutral():
    rows = [phasor(120, -120 * n) for n in range(3)] + [phasor(9, 0), 0, 0]
    _, r = of(rows)
    assert r.i_n[0] == pytest.approx(9.0)
    for component in (r.i_positive, r.i_negative, r.i_zero):
        assert component[0] == pytest.approx(3.0)
    assert np.isnan(r.angle[0, 4:]).all()
    assert np.isnan(r.thd[0, 4:]).all()
    assert r.p[0] == pytest.approx([1080.0, 0, 0])


def test_triplen_harmonics_add_in_the_neutral():
    """Three equal third harmonics are in phase: 3 x 2 A return; line voltages do not hold a third."""
    rows = np.zeros((6, 2), complex)
    for n in range(3):
        rows[n] = [phasor(230, -120 * n), phasor(10, 0)]
        rows[3 + n] = [phasor(10, -120 * n), phasor(2, 0)]
    _, r = of(rows, order=[1, 3])
    assert r.i_n[0] == pytest.approx(6.0)
    assert r.vll[0] == pytest.approx([398.3716857] * 3)
    assert r.v[0] == pytest.approx([(230.0**2 + 10.0**2) ** 0.5] * 3)
    assert r.thd[0] == pytest.approx([10 / 230] * 3 + [0.2] * 3)


def test_angles_are_relative_to_va_and_unknown_without_it():
    _, r = of([0, 10, 0, 5, 0, 0])
    assert np.isnan(r.angle).all()
    assert r.thd[0, 1] == pytest.approx(0.0, abs=1e-12)
    _, r = of([phasor(10, 170), phasor(10, -170), 0, phasor(1, -10), 0, 0])
    assert np.degrees(r.angle[0, [0, 1, 3]]) == pytest.approx([0.0, 20.0, 180.0])


def test_a_dead_site_reads_zero():
    _, r = of([0] * 6)
    assert np.isnan(r.frequency).all()
    assert not np.any([r.v, r.vll, r.i, r.p, r.s, r.q_fundamental])
    assert r.i_n[0] == 0


def test_direct_current_counts_in_rms_and_power_not_in_distortion():
    part = segment(amplitude=np.array([[3.0, 4.0 * np.sqrt(2)]] * 6), order=[0, 1])
    r = reading(measure_steady(part))
    assert r.v[0] == pytest.approx([5.0] * 3)
    assert r.p[0] == pytest.approx([25.0] * 3)
    assert r.p_fundamental[0] == pytest.approx([16.0] * 3)
    assert r.harmonic[0, 0, :2] == pytest.approx([3.0, 4.0])
    assert r.thd[0] == pytest.approx([0.0] * 6, abs=1e-12)


def plain(measure):
    """Return the same quantities by plain numpy, written from their definitions."""
    g, x = measure.gram, measure.spectrum
    rms = np.sqrt(np.maximum(np.einsum("mcc->mc", g), 0.0))
    ahead = [1, 2, 0]
    difference = np.eye(3) - np.eye(3)[ahead]
    lines = np.einsum("ka,mab,kb->mk", difference, g[:, :3, :3], difference)
    power = x[:, :3] * x[:, 3:].conj()
    one = x[:, :, 1]
    with np.errstate(all="ignore"):
        thd = np.sqrt((np.abs(x[:, :, 2:]) ** 2).sum(axis=2)) / np.abs(one)
    thd[np.abs(one) <= 1e-9] = np.nan
    return {
        "v": rms[:, :3],
        "i": rms[:, 3:],
        "vll": np.sqrt(np.maximum(lines, 0.0)),
        "i_n": np.sqrt(np.maximum(g[:, 3:, 3:].sum(axis=(1, 2)), 0.0)),
        "p": np.einsum("maa->ma", g[:, :3, 3:]),
        "p_fundamental": power[:, :, 1].real,
        "q_fundamental": power[:, :, 1].imag,
        "q_budeanu": power[:, :, 1:].imag.sum(axis=2),
        "s": rms[:, :3] * rms[:, 3:],
        "harmonic": np.abs(x),
        "thd": thd,
        **dict(zip(("v_positive", "v_negative", "v_zero"), symmetrical_components(one[:, :3]), strict=True)),
        **dict(zip(("i_positive", "i_negative", "i_zero"), symmetrical_components(one[:, 3:]), strict=True)),
    }


@settings(deadline=None, max_examples=40)
@given(stationary_segments(rows=12))
def test_the_kernel_agrees_with_plain_numpy(part):
    measure = measure_steady(part, orders=21)
    found = reading(measure)
    for name, expected in plain(measure).items():
        # Differences of nearly equal squares lose half the digits: 1e-6 V against hundreds.
        loose = 1e-4 if name in {"vll", "i_n"} else 1e-8
        assert np.allclose(getattr(found, name), expected, rtol=1e-12, atol=loose, equal_nan=True), name


def test_a_spectrum_needs_a_fundamental():
    measure = WindowMeasure(np.array([50.0]), np.zeros((1, 6, 6)), np.zeros((1, 6, 1), complex))
    with pytest.raises(ValueError, match="no fundamental"):
        reading(measure)

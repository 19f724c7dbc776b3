"""Distortion against plain waveforms, transforms and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tests.signals.disturbed import PEAK, at, steady, wave
from twin.contracts import Instant
from twin.signals import disturbances as d
from twin.signals import synthesise, window_gram


def bridge_current(x, overlap, firing):
    """Return the phase current of a six-pulse bridge at angles from the natural commutation on."""

    def commutated(u):
        inside = (math.cos(firing) - np.cos(np.clip(u, firing, firing + overlap))) / (
            math.cos(firing) - math.cos(firing + overlap)
        )
        return np.where(u < firing, 0.0, np.where(u >= firing + overlap, 1.0, inside))

    third = 2 * math.pi / 3

    def half(u):
        u = np.mod(u, 2 * math.pi)
        return commutated(u) - commutated(u - third)

    return half(x) - half(x - math.pi)


@pytest.mark.parametrize(("overlap", "firing"), [(0.2, 0.0), (0.35, 0.3), (0.05, 1.0)])
def test_a_bridge_has_the_harmonics_of_its_waveform(overlap, firing):
    count = 1 << 16
    x = 2 * np.pi * (np.arange(count) + 0.5) / count
    bins = (
        np.fft.fft(bridge_current(x, overlap, firing)) / count * np.exp(-1j * np.pi * np.fft.fftfreq(count))
    )
    shares = d.rectifier_current(6, overlap=overlap, firing=firing, highest=49)
    unit = bins[1] / abs(bins[1])
    assert sorted(shares) == [h for h in range(2, 50) if h % 6 in {1, 5}]
    for h, share in shares.items():
        assert share == pytest.approx(bins[h] / abs(bins[1]) / unit**h, abs=2e-6)


def test_without_overlap_orders_are_one_over_h_and_twelve_pulses_leave_every_second_pair():
    six = d.rectifier_current(6)
    assert {h: abs(share) for h, share in six.items()} == pytest.approx({h: 1 / h for h in six})
    assert sorted(d.rectifier_current(12)) == [11, 13, 23, 25, 35, 37, 47, 49]
    with pytest.raises(d.DisturbanceError, match="no bridge"):
        d.rectifier_current(7)


def test_harmonics_come_in_their_own_sequence():
    after = d.add_harmonics(steady(), at(0.1), at(0.9), {5: 0.2 + 0j, 7: 0.1j}, quantity="i")
    t, y = wave(after, 0.2, 0.1)
    angle = 2 * np.pi * 50 * t - 2 * np.pi / 3
    expected = np.cos(angle) + 0.2 * np.cos(5 * angle) + 0.1 * np.cos(7 * angle + math.pi / 2)
    assert y[4] == pytest.approx(10 * math.sqrt(2) * expected, abs=1e-8)


def test_notches_are_the_series_of_the_notched_wave():
    depth, width, firing = 0.4, math.radians(12), math.radians(25)
    highest = 2001
    shares = d.notch_shares(depth=depth, width=width, firing=firing, highest=highest)
    x = np.linspace(-math.pi, math.pi, 721)[:-1]
    series = sum((share * np.exp(1j * h * x)).real for h, share in shares.items())
    va, vb, vc = (np.cos(x - k * 2 * math.pi / 3) for k in range(3))
    notch = np.zeros_like(x)
    edges = []
    for begin, other in ((-math.pi / 3, vc), (math.pi / 3, vb)):
        for opposite in (0.0, math.pi):
            low = begin + opposite + firing
            inside = np.mod(x - low, 2 * math.pi) < width
            notch = np.where(inside, -depth * 0.5 * (va - other), notch)
            edges += [low, low + width]
    far = np.min([np.abs(np.angle(np.exp(1j * (x - edge)))) for edge in edges], axis=0) > math.radians(1.5)
    assert far.sum() > 600
    assert series[far] == pytest.approx(notch[far], abs=0.02 * depth)
    # Parseval: what the tail beyond the last order holds is small.
    power = sum(abs(share) ** 2 for share in shares.values()) / 2
    dense = np.linspace(-math.pi, math.pi, 720_001)[:-1]
    va, vb, vc = (np.cos(dense - k * 2 * math.pi / 3) for k in range(3))
    full = np.zeros_like(dense)
    for begin, other in ((-math.pi / 3, vc), (math.pi / 3, vb)):
        for opposite in (0.0, math.pi):
            inside = np.mod(dense - begin - opposite - firing, 2 * math.pi) < width
            full = np.where(inside, -depth * 0.5 * (va - other), full)
    assert power == pytest.approx((full**2).mean(), rel=5e-3)


def test_a_direct_component_and_interharmonics_are_what_they_say():
    after = d.add_dc(steady(), at(0.1), at(0.9), offset=0.23, phases="a")
    after = d.add_interharmonics(after, at(0.2), at(0.8), {175.0: 0.02 + 0j}, phases="a", quantity="v")
    t, y = wave(after, 0.3, 0.2)
    expected = PEAK * (np.cos(2 * np.pi * 50 * t) + 0.02 * np.cos(2 * np.pi * 175 * (t - 0.2))) + 0.23
    assert y[0] == pytest.approx(expected, abs=1e-7)


def test_converters_draw_sums_and_differences_of_both_sides():
    found = d.converter_frequencies(50.0, 40.0, reach=1)
    assert 290.0 in found  # 50 + 6 x 40
    assert 190.0 in found  # |50 - 6 x 40|
    assert 10.0 in found  # |5 x 50 - 6 x 40|
    assert 50.0 not in found


@settings(max_examples=30, deadline=None)
@given(
    source=st.floats(10e-6, 300e-6),
    converter=st.floats(0.0, 300e-6),
    current=st.floats(50.0, 400.0),
    firing=st.floats(0.2, 1.2),
)
def test_a_commutation_ends_when_the_current_has_changed_over(source, converter, current, firing):
    notch = d.commutation_notch(
        line_voltage=400.0,
        frequency=50.0,
        source_inductance=source,
        converter_inductance=converter,
        direct_current=current,
        firing=firing,
    )
    omega, crest = 2 * math.pi * 50, 400 * math.sqrt(2)

    def flown(overlap, steps=20_000):
        """Return what the driving voltage has pushed through both inductances, by the midpoint rule [A]."""
        x = firing + overlap * (np.arange(steps) + 0.5) / steps
        volt_seconds = crest * np.sin(x).sum() * overlap / steps / omega
        return volt_seconds / (2 * (source + converter))

    overlap = brentq(lambda mu: flown(mu) - current, 1e-9, math.pi / 3 + 0.01, xtol=1e-14)
    assert notch.overlap == pytest.approx(overlap, rel=1e-6)
    assert notch.width_s == pytest.approx(overlap / omega, rel=1e-6)
    assert notch.depth == pytest.approx(crest * math.sin(firing) * source / (source + converter))
    # What is missing at the point is the source's part of all the volt-seconds of the commutation.
    missing = flown(notch.overlap) * 2 * source
    assert notch.area == pytest.approx(missing, rel=1e-6)


def test_a_notch_in_a_line_voltage_has_the_area_of_the_standard():
    notch = d.commutation_notch(
        line_voltage=230.0 * math.sqrt(3.0),
        frequency=50.0,
        source_inductance=100e-6,
        converter_inductance=50e-6,
        direct_current=200.0,
        firing=0.6,
    )
    shares = d.notch_shares(depth=notch.share, width=notch.overlap, firing=0.6, highest=400)
    before = steady()
    after = d.add_harmonics(before, at(0.0), at(1.0), shares, quantity="v")
    # c hands over to a at theta = 0.6 - pi/3; one cycle later than the first time.
    begin = 0.02 + (0.6 - math.pi / 3) / (2 * math.pi * 50)
    _, x = wave(before, begin - notch.width_s, 3 * notch.width_s, 1e7)
    _, y = wave(after, begin - notch.width_s, 3 * notch.width_s, 1e7)
    missing = ((x - y)[0] - (x - y)[2]).sum() * 1e-7
    assert missing == pytest.approx(notch.area, rel=0.01)
    assert notch.area == pytest.approx(2 * 100e-6 * 200.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"direct_current": 8000.0}, "do not commutate"),
        ({"source_inductance": 0.0}, "source_inductance 0.0 is not positive"),
        ({"firing": -0.1}, "firing -0.1"),
        ({"firing": 3.0}, "do not commutate"),
    ],
)
def test_a_bridge_that_cannot_commutate_is_refused(wrong, message):
    good = {
        "line_voltage": 400.0,
        "frequency": 50.0,
        "source_inductance": 100e-6,
        "converter_inductance": 50e-6,
        "direct_current": 200.0,
        "firing": 0.6,
    }
    with pytest.raises(d.DisturbanceError, match=message):
        d.commutation_notch(**(good | wrong))


# -- noise --------------------------------------------------------------------------------------


def noisy(seed=1, **given):
    given = {"rms": 2.3, "bandwidth": 2000.0, "phases": "a"} | given
    return d.add_noise(steady(), at(0.1), at(0.9), seed=seed, **given)


def test_noise_has_its_time_its_channel_and_its_seed():
    _, x = wave(steady(), 0.0, 1.0 - 1e-4, 20_000.0)
    _, y = wave(noisy(), 0.0, 1.0 - 1e-4, 20_000.0)
    rest = y - x
    assert np.abs(rest[0][:1999]).max() < 1e-9
    assert np.abs(rest[0][18_001:]).max() < 1e-9
    assert np.abs(rest[1:]).max() < 1e-9
    assert np.array_equal(y, wave(noisy(), 0.0, 1.0 - 1e-4, 20_000.0)[1])
    assert not np.array_equal(y, wave(noisy(seed=2), 0.0, 1.0 - 1e-4, 20_000.0)[1])


@pytest.mark.parametrize(("lowest", "bandwidth"), [(0.0, 2000.0), (500.0, 2000.0), (0.0, 9000.0)])
def test_noise_has_one_rms_however_it_is_looked_at(lowest, bandwidth):
    signal = d.add_noise(
        steady(voltage=(0.0,) * 3), at(0.1), at(0.9), rms=2.3, bandwidth=bandwidth, lowest=lowest, seed=5
    )
    # 2 B T degrees of freedom for each of three phases: four sigma of a mean square.
    degrees = 3 * 2 * (bandwidth - lowest) * 0.6
    free = 4 * math.sqrt(2 / degrees) / 2
    sampled = synthesise(signal, Instant(at(0.2)), step_s=0.6 / 40_961, count=40_961)
    gram = window_gram(signal, Instant(at(0.2)), Instant(at(0.8)))[0]
    closed = np.sqrt(np.diag(gram)[:3])
    assert math.sqrt((closed**2).mean()) == pytest.approx(2.3, rel=free)
    # Between samples nothing is lost: samples on another lattice carry the same.
    assert sampled[:3].std(axis=1) == pytest.approx(closed, rel=2e-3)
    assert abs(gram[0, 1]) < 4 * 2.3**2 / math.sqrt(degrees / 3)


def test_noise_stays_in_its_band():
    signal = d.add_noise(
        steady(voltage=(0.0,) * 3), at(0.0), at(1.0), rms=1.0, bandwidth=3000.0, lowest=1000.0, seed=3
    )
    samples = synthesise(signal, Instant(at(0.1)), step_s=1 / 32_768, count=16_384)[0]
    power = np.abs(np.fft.rfft(samples * np.hanning(16_384))) ** 2
    frequency = np.fft.rfftfreq(16_384, 1 / 32_768)
    inside = (frequency > 990) & (frequency < 3010)
    assert power[~inside].sum() < 1e-5 * power.sum()
    lower, upper = ((frequency > f) & (frequency < f + 900) for f in (1050, 2050))
    assert power[lower].sum() == pytest.approx(power[upper].sum(), rel=0.25)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rms": -1.0}, "rms -1.0"),
        ({"bandwidth": 0.0}, "bandwidth 0.0"),
        ({"lowest": 3000.0}, "no band"),
        ({"lowest": 999.91, "bandwidth": 999.92}, "no frequency of the band"),
    ],
)
def test_noise_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(d.DisturbanceError, match=message):
        noisy(**wrong)


def test_noise_comes_last_and_once():
    for change in (
        lambda s: d.add_noise(s, at(0.2), at(0.3), rms=1.0, bandwidth=1e3, seed=1),
        lambda s: d.fluctuate(s, at(0.2), at(0.3), rate=8.8, depth=0.1),
        lambda s: d.step_repeatedly(s, at(0.2), at(0.3), rate=8.8, depth=0.1),
        lambda s: d.vary_frequency(s, at(0.2), at(0.3), d.ramp(50.0, 49.0, 0.1)),
        lambda s: d.energise_capacitor(s, at(0.05), inductance=1e-3, resistance=0.1, capacitance=1e-4),
    ):
        with pytest.raises(d.DisturbanceError, match="samples"):
            change(noisy())


def test_distortion_that_cannot_be_is_refused():
    whole = at(0.0), at(1.0)
    with pytest.raises(d.DisturbanceError, match="not whole"):
        d.add_harmonics(steady(), *whole, {2.5: 0.1})
    with pytest.raises(d.DisturbanceError, match=r"share of order 5 .* not finite"):
        d.add_harmonics(steady(), *whole, {5: math.nan})
    with pytest.raises(d.DisturbanceError, match=r"frequency 0\.0"):
        d.add_interharmonics(steady(), *whole, {0.0: 0.1})
    with pytest.raises(d.DisturbanceError, match="two commutations"):
        d.rectifier_current(6, overlap=1.2)
    with pytest.raises(d.DisturbanceError, match="no notch"):
        d.notch_shares(depth=1.2, width=0.1, firing=0.0)

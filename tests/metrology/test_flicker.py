"""The flickermeter against the tables of its standard and against an analogue one in the frequency domain."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrology.flicker_tables import RECTANGULAR, SEVERITY, SINUSOIDAL
from twin.metrology.flicker import (
    _CLASSES,
    _LOWEST,
    _PER_DECADE,
    SETTLING_S,
    FlickerMeter,
    long_term_severity,
)
from twin.metrology.flicker_design import LOW_PASS_HZ, WEIGHTING, Lamp, weighting_sections
from twin.metrology.flicker_kernels import LANES, classify, mean_squares, weigh

few = settings(deadline=None, max_examples=15)
PAIRS = [("230 V", 50), ("120 V", 60)]
ALL_PAIRS = [("230 V", 50), ("230 V", 60), ("120 V", 50), ("120 V", 60)]


def modulated(table, shape, *, frequency, per_cycle, seconds, off=0.0):
    """Return one channel per entry of a table: a voltage whose amplitude is modulated about one."""
    rows = np.array(table)
    t = np.arange(round(seconds * per_cycle * frequency)) / (per_cycle * frequency)
    swing = np.sin(2 * np.pi * rows[:, :1] * t)
    if shape == "rectangular":
        swing = np.where(swing >= 0.0, 1.0, -1.0)
    return np.sin(2 * np.pi * (frequency + off) * t) * (1 + rows[:, 1:] / 200 * swing)


def largest(samples, lamp, frequency, per_cycle, seconds=10):
    """Return the largest Pinst of each channel over the last seconds."""
    meter = FlickerMeter(
        len(samples), sample_rate=per_cycle * frequency, lamp=Lamp(lamp), nominal_frequency=frequency
    )
    pinst = meter.feed(samples)
    return pinst[:, -round(seconds * meter.internal_rate) :].max(axis=1)


@pytest.mark.parametrize("per_cycle", [8, 12.8, 32, 64])
@pytest.mark.parametrize(("lamp", "frequency"), PAIRS)
def test_sinusoidal_modulation_reads_one(lamp, frequency, per_cycle):
    """Tables 1a and 2a. The standard allows 8 %."""
    table = SINUSOIDAL[lamp, frequency]
    samples = modulated(table, "sinusoidal", frequency=frequency, per_cycle=per_cycle, seconds=30)
    assert largest(samples, lamp, frequency, per_cycle) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("lamp", "frequency"), PAIRS)
def test_rectangular_modulation_reads_one(lamp, frequency):
    """Tables 1b and 2b. Edges between two samples are what costs accuracy at fewer samples per cycle."""
    table = RECTANGULAR[lamp, frequency]
    found = []
    for first in range(0, len(table), 8):
        samples = modulated(
            table[first : first + 8], "rectangular", frequency=frequency, per_cycle=512, seconds=25
        )
        found += list(largest(samples, lamp, frequency, 512, seconds=8))
    assert found == pytest.approx([1.0] * len(table), abs=0.01)


@pytest.mark.parametrize("off", [-7.5, -0.5, 0.5, 7.5])
def test_off_nominal_frequency_reads_one(off):
    table = SINUSOIDAL["230 V", 50]
    samples = modulated(table, "sinusoidal", frequency=50, per_cycle=32, seconds=30, off=off)
    assert largest(samples, "230 V", 50, 32) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("lamp", "frequency"), PAIRS)
def test_an_envelope_reads_what_the_voltage_does(lamp, frequency):
    """32 values a cycle, 1,600 a second at 50 Hz; rectangular ones up to 16 Hz."""
    rate = 32 * frequency
    t = np.arange(30 * rate) / rate
    for shape, table in (("sinusoidal", SINUSOIDAL), ("rectangular", RECTANGULAR)):
        rows = np.array([row for row in table[lamp, frequency] if shape == "sinusoidal" or row[0] <= 16])
        swing = np.sin(2 * np.pi * rows[:, :1] * t)
        swing = np.where(swing >= 0.0, 1.0, -1.0) if shape == "rectangular" else swing
        found = largest(325.0 * (1 + rows[:, 1:] / 200 * swing), lamp, frequency, 32)
        assert found == pytest.approx(1.0, abs=0.01 if shape == "sinusoidal" else 0.035)


def analogue(samples, rate, lamp, frequency):
    """Return Pinst of a periodic record: the analogue transfer functions on its Fourier series."""
    w = WEIGHTING[Lamp(lamp)]
    f = np.fft.rfftfreq(samples.size, 1 / rate)
    s = 1j * f  # all corner frequencies in Hz
    poles = np.exp(1j * np.pi * (np.arange(6) + 3.5) / 6)
    low = 1 / np.prod([s / LOW_PASS_HZ[frequency] - pole for pole in poles], axis=0)
    eye = w.k * w.w1 * s / (s**2 + 2 * w.damping * s + w.w1**2)
    eye = eye * (1 + s / w.w2) / ((1 + s / w.w3) * (1 + s / w.w4))
    transfer = s / (s + 0.05) * low * eye
    mean = 1 / (1 + 2j * np.pi * f * 0.3)
    at = np.interp(8.8, f, np.abs(transfer))
    scale = 2 / ((w.unit_change * at) ** 2 * (1 + 1 / math.hypot(1, 2 * np.pi * 17.6 * 0.3)))
    x = np.fft.irfft(np.fft.rfft(samples**2 / np.mean(samples**2)) * transfer, samples.size)
    return scale * np.fft.irfft(np.fft.rfft(x**2) * mean, samples.size)


@pytest.mark.parametrize("shape", ["sinusoidal", "rectangular"])
@pytest.mark.parametrize(("lamp", "frequency"), ALL_PAIRS)
def test_all_lamps_and_frequencies_agree_with_the_analogue_meter(lamp, frequency, shape):
    """Modulation and mains repeat together each 20 s; the two pairs without a printed table too."""
    entries = [(0.5, 1.0), (2.0, 0.8), (8.8, 0.3), (13.5, 0.3), (20.0, 0.6), (25.5, 1.0), (33.3, 2.0)]
    samples = modulated(entries, shape, frequency=frequency, per_cycle=128, seconds=60)
    period = 20 * 128 * frequency
    expected = [analogue(row[-period:], 128 * frequency, lamp, frequency).max() for row in samples]
    assert largest(samples, lamp, frequency, 128, seconds=20) == pytest.approx(expected, rel=0.006)


@pytest.mark.parametrize(("lamp", "frequency"), PAIRS)
def test_severity_reads_one(lamp, frequency):
    """Table 5. The standard allows 5 %; 1 change per minute needs whole minutes: one, then ten."""
    per_cycle = 128
    table = SEVERITY[lamp, frequency]
    rows = np.array([(changes / 120, percent) for changes, percent in table])
    rate = per_cycle * frequency
    meter = FlickerMeter(len(rows), sample_rate=rate, lamp=Lamp(lamp), nominal_frequency=frequency)
    step = 30 * rate
    for block in range(24):
        t = (np.arange(step) + block * step) / rate
        swing = np.where(np.sin(2 * np.pi * rows[:, :1] * t + 1e-9) >= 0.0, 1.0, -1.0)
        meter.feed(np.sin(2 * np.pi * frequency * t) * (1 + rows[:, 1:] / 200 * swing))
        if block == 3:
            meter.pst()
    assert meter.pst() == pytest.approx(1.0, abs=0.01)


def test_severity_grows_with_the_change():
    """Pinst goes with the square of the change, Pst with the change itself (table 5 times 0.2 to 4)."""
    rate = 1600
    t = np.arange(150 * rate) / rate
    swing = np.where(np.sin(2 * np.pi * 110 / 120 * t) >= 0.0, 1.0, -1.0)
    factors = np.array([0.2, 0.5, 1.0, 2.0, 4.0])
    meter = FlickerMeter(5, sample_rate=rate, lamp=Lamp.V230)
    meter.feed(1 + factors[:, None] * 0.722 / 200 * swing)
    assert meter.pst() / factors == pytest.approx(1.0, abs=0.015)


@pytest.mark.parametrize(("lamp", "frequency"), ALL_PAIRS)
def test_a_clean_sine_does_not_flicker(lamp, frequency):
    """At 15 % below nominal the low-pass of the standard lets more of twice the frequency through."""
    rate = 64 * frequency
    t = np.arange(90 * rate) / rate
    f = frequency * np.array([1.0, 1.01, 0.99, 1.15, 0.85])[:, None]
    samples = 325.0 * np.sin(2 * np.pi * f * t)
    meter = FlickerMeter(5, sample_rate=rate, lamp=Lamp(lamp), nominal_frequency=frequency)
    meter.feed(samples)
    severity = meter.pst()
    assert (severity[:4] < 0.01).all()
    pinst = analogue(samples[4, -20 * rate :], rate, lamp, frequency).mean()
    assert severity[4] == pytest.approx(math.sqrt(0.5096 * pinst), rel=0.1)
    assert severity[4] < 0.04


def test_a_start_settles_before_values_are_classified():
    """From the worst point on wave, off nominal: what the start leaves is gone after SETTLING_S."""
    rate = 1600
    t = np.arange(200 * rate) / rate
    clean = np.cos(2 * np.pi * 49.3 * t)[None, :]
    meter = FlickerMeter(1, sample_rate=rate, lamp=Lamp.V230)
    assert np.isnan(meter.pst()[0])
    pinst = meter.feed(clean[:, : 29 * rate])
    assert not meter.settled
    assert np.isnan(meter.pst()[0])
    pinst = np.concatenate((pinst, meter.feed(clean[:, 29 * rate :])), axis=1)
    assert meter.settled
    assert pinst[0, round(SETTLING_S * rate) :].max() < 1e-3
    assert meter.pst()[0] < 0.01
    meter.restart()
    assert not meter.settled


def test_no_voltage_has_no_flicker_and_says_so():
    meter = FlickerMeter(2, sample_rate=1600, lamp=Lamp.V230)
    meter.feed(np.vstack((np.zeros(64_000), np.ones(64_000))))
    severity = meter.pst()
    assert np.isnan(severity[0])
    assert severity[1] == pytest.approx(0.0, abs=1e-3)


@few
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=8), st.sampled_from([400, 640, 2000, 25_600]))
def test_blocks_of_any_size_give_the_same(cuts, rate):
    rng = np.random.default_rng(7)
    samples = np.cos(2 * np.pi * 50 * np.arange(9000) / rate) + 0.02 * rng.standard_normal((2, 9000))
    whole = FlickerMeter(2, sample_rate=rate, lamp=Lamp.V120)
    parts = FlickerMeter(2, sample_rate=rate, lamp=Lamp.V120)
    expected = whole.feed(samples)
    edges = np.minimum(np.cumsum([0, *cuts]), 9000)
    found = [parts.feed(samples[:, a:b]) for a, b in zip(edges, [*edges[1:], 9000], strict=True)]
    assert np.array_equal(np.concatenate(found, axis=1), expected)


@pytest.mark.parametrize("channels", [1, 3, 8, 19])
def test_channels_that_run_side_by_side_do_not_touch_each_other(channels):
    """Nor does it matter which stand beside each other, to the bit; one of them has no voltage."""
    rng = np.random.default_rng(channels)
    samples = np.cos(2 * np.pi * np.arange(6000) / 32) * (1 + 0.05 * rng.standard_normal((channels, 6000)))
    samples[channels // 2] = 0.0
    together = FlickerMeter(channels, sample_rate=1600, lamp=Lamp.V230).feed(samples)
    assert np.isnan(together[channels // 2]).all()
    assert np.isfinite(np.delete(together, channels // 2, axis=0)).all()
    for channel in range(channels):
        alone = FlickerMeter(1, sample_rate=1600, lamp=Lamp.V230).feed(samples[channel : channel + 1])
        assert np.array_equal(together[channel], alone[0], equal_nan=True)


def test_kernels_agree_with_numpy_and_scipy():
    from scipy.signal import sosfilt

    rng = np.random.default_rng(1)
    samples = 1 + 0.1 * rng.standard_normal((2, 1000))
    partial = np.array([0.5, 0.25])
    out = np.empty((2, 200))
    mean_squares(samples[:, :998], 5, 2, partial, out)
    squares = (samples[:, 3:998] ** 2).reshape(2, 199, 5).mean(axis=2)
    assert np.abs(out[:, 1:] - squares).max() < 1e-12
    assert out[:, 0] == pytest.approx((np.array([0.5, 0.25]) + (samples[:, :3] ** 2).sum(axis=1)) / 5)

    sections = weighting_sections(1600.0, Lamp.V230, 50, averaged=16)
    mean, state, pinst = np.ones(2), np.zeros((2, 7, 2)), np.empty((2, 200))
    weigh(out, 0.01, sections, LANES, mean, state, pinst)
    average = np.ones(2)
    levels = np.empty_like(out)
    for n in range(200):
        average += 0.01 * (out[:, n] - average)
        levels[:, n] = average
    sos = np.insert(sections, 3, 1.0, axis=1)
    expected = sosfilt(sos[6:], sosfilt(sos[:6], out / levels) ** 2)
    assert np.abs(pinst - expected).max() <= 1e-9 * np.abs(expected).max()

    values = np.concatenate((10.0 ** rng.uniform(-9, 8, 500), [0.0, np.nan, np.nan]))[None, :]
    counts, unknown, highest = np.zeros((1, _CLASSES), np.int64), np.zeros(1, np.int64), np.zeros(1)
    classify(values, _LOWEST, _PER_DECADE, counts, unknown, highest)
    known = np.maximum(values[0, :501], 1e-300)
    slots = np.clip(np.floor((np.log10(known) - _LOWEST) * _PER_DECADE), 0, _CLASSES - 1)
    assert np.array_equal(counts[0], np.bincount(slots.astype(int), minlength=_CLASSES))
    assert (unknown[0], highest[0]) == (2, known.max())


@few
@given(st.integers(0, 2**31))
def test_classified_levels_are_the_percentiles_of_the_values(seed):
    rng = np.random.default_rng(seed)
    meter = FlickerMeter(1, sample_rate=1600, lamp=Lamp.V230)
    values = np.exp(rng.normal(0, 1.5, (1, 20_000)))
    classify(values, _LOWEST, _PER_DECADE, meter._counts, meter._unknown, meter._highest)
    for percent in (0.1, 1, 3, 10, 50, 80):
        level = meter.exceeded(percent)[0]
        width = 10 ** (1 / _PER_DECADE)
        above = [100 * np.mean(values > level * factor) for factor in (width, 1 / width)]
        assert above[0] <= percent <= above[1]


def test_long_term_severity_is_the_cubic_mean():
    assert long_term_severity(np.ones((2, 12))) == pytest.approx(1.0)
    assert long_term_severity(np.array([2.0] + [0.0] * 11)) == pytest.approx((8 / 12) ** (1 / 3))
    assert np.isnan(long_term_severity(np.array([1.0, np.nan])))


@pytest.mark.parametrize("rate", [399, float("nan")])
def test_too_few_samples_are_refused(rate):
    with pytest.raises(ValueError, match="use at least 400"):
        FlickerMeter(1, sample_rate=rate, lamp=Lamp.V230)


def test_bad_input_is_refused_by_name():
    with pytest.raises(ValueError, match="use 50 or 60"):
        FlickerMeter(1, sample_rate=5000, lamp=Lamp.V230, nominal_frequency=16)
    meter = FlickerMeter(2, sample_rate=1600, lamp=Lamp.V230)
    with pytest.raises(ValueError, match="do not fit 2 channels"):
        meter.feed(np.ones((1, 5)))
    with pytest.raises(ValueError, match="sample 1 of channel 1 is nan"):
        meter.feed(np.array([[1.0, 1.0], [1.0, np.nan]]))

"""A recording as a signal: its own samples, at their own times, between steady ends."""

import math
from itertools import pairwise

import numpy as np
import pytest

from twin.contracts import NS_PER_SECOND, Instant
from twin.metrology import measure_window
from twin.recording.lattice import lattice_of
from twin.recording.recorded_signal import recorded_end_ns, recorded_signal
from twin.recording.sampled_recording import SampledRecording
from twin.signals import synthesise, theta_at

START_NS = 1_767_225_600_123_456_789
ALL = ("va", "vb", "vc", "ia", "ib", "ic")


def waves(t, f, *, names=ALL, tones=None, phase=None):
    rows = []
    turn = 2 * np.pi * f * t if phase is None else phase
    for name in names:
        shift = math.radians({"a": 17.0, "b": -103.0, "c": 137.0}[name[1]] - (30.0 if name[0] == "i" else 0))
        x = turn + shift
        size = (230.0 if name[0] == "v" else 10.0) * math.sqrt(2.0)
        rows.append(size * (np.cos(x) + sum(s * np.cos(h * x) for h, s in (tones or {}).items())))
    return np.array(rows)


def recording_of(samples, rate, names=ALL):
    units = tuple("V" if name[0] == "v" else "A" for name in names)
    time = np.arange(samples.shape[1]) / rate
    return SampledRecording(
        tuple(names), units, tuple(names), samples, time, rate, None, None, None, "made here"
    )


def signal_of(recording, *, nominal=50.0, **aside):
    lattice = lattice_of(recording, nominal_frequency=nominal)
    return lattice, recorded_signal(lattice, recording, start_ns=START_NS, **aside)


def largest_jump(signal):
    jumps = (theta_at(one, two.start_ns) - two.theta for one, two in pairwise(signal.segments))
    return max(abs(math.remainder(jump, 2 * math.pi)) for jump in jumps)


@pytest.mark.parametrize(
    ("f", "rate", "seconds", "orders"),
    [
        (50.0, 600, 1.0, (3, 5)),
        (50.0, 1000, 1.01, (3, 7)),
        (50.0, 25600, 0.4, (3, 25, 49)),
        (60.0, 15360, 1.0, (5, 49)),
        (49.37, 12800, 1.0, (3, 49)),
        (50.21, 1600, 1.0, (3, 13)),
        (50.0, 6400, 21.0, (3, 5)),
    ],
)
def test_the_samples_and_what_lies_between_and_beside_them_are_the_recordings(f, rate, seconds, orders):
    tones = dict.fromkeys(orders, 0.04)
    t = np.arange(round(rate * seconds)) / rate
    recording = recording_of(waves(t, f, tones=tones), rate)
    nominal = 60.0 if f > 55 else 50.0
    lattice, signal = signal_of(recording, nominal=nominal, lead_in_s=1.0, lead_out_s=1.0)
    assert signal.channels == ALL
    assert signal.end_ns == recorded_end_ns(recording, start_ns=START_NS) + NS_PER_SECOND
    at_samples = synthesise(signal, Instant(START_NS), step_s=1.0 / rate, count=t.size)
    assert np.abs(at_samples - recording.samples).max() < 1e-6
    # Between the samples, and before and after the recording, the same waves go on.
    finer = 7.3 * rate
    count = int((seconds + 1.8) * finer)
    between = synthesise(signal, Instant(START_NS - 900_000_000), step_s=1.0 / finer, count=count)
    truth = waves(np.arange(count) / finer - 0.9, f, tones=tones)
    assert np.abs(between - truth).max() < 325 * 1e-3
    assert largest_jump(signal) < 1e-6
    lengths = np.diff([part.start_ns for part in signal.segments])
    assert lengths.max() <= 10 * NS_PER_SECOND
    assert lattice.frequency == pytest.approx(f, rel=1e-7)


def test_a_whole_number_of_samples_per_cycle_is_kept_to_the_last_digit():
    rate = 12800
    t = np.arange(rate // 2) / rate
    noisy = waves(t, 50.0) + np.random.default_rng(3).normal(0, 0.5, (6, t.size))
    recording = recording_of(noisy, rate)
    _, signal = signal_of(recording)
    got = synthesise(signal, Instant(START_NS), step_s=1.0 / rate, count=t.size)
    assert np.abs(got - noisy).max() < 1e-9
    measure = measure_window(signal, Instant(START_NS), Instant(signal.end_ns), orders=2)
    rms = np.sqrt(np.diagonal(measure.gram, axis1=1, axis2=2))[0]
    assert rms == pytest.approx(np.sqrt((noisy**2).mean(axis=1)), rel=1e-4)


def test_theta_follows_a_grid_whose_frequency_wanders():
    rate = 6400
    t = np.arange(rate * 6) / rate
    phase = 2 * np.pi * (50.0 * t + 0.6 / 1.5 / (2 * np.pi) * (1 - np.cos(1.5 * t)))
    recording = recording_of(waves(t, 50.0, phase=phase, tones={5: 0.05}), rate)
    _, signal = signal_of(recording, lead_in_s=0.5, lead_out_s=0.5)
    got = synthesise(signal, Instant(START_NS), step_s=1.0 / rate, count=t.size)
    assert np.abs(got - recording.samples).max() < 1e-9
    assert largest_jump(signal) < 1e-6
    inside = [part for part in signal.segments if part.block is not None]
    assert 10 < len(inside) < 400
    # Theta differs from the grid's by the same angle everywhere.
    ends = [part.start_ns for part in inside]
    grid = np.interp((np.array(ends) - START_NS) * 1e-9, t, phase)
    away = np.array(
        [math.remainder(part.theta - g, 2 * math.pi) for part, g in zip(inside, grid, strict=True)]
    )
    assert np.ptp(np.unwrap(away)) < 5e-3


def test_channels_that_a_recording_lacks_are_zero():
    rate, names = 12800, ("vb", "ib")
    t = np.arange(rate) / rate
    recording = recording_of(waves(t, 50.0, names=names), rate, names)
    _, signal = signal_of(recording, lead_in_s=0.2)
    got = synthesise(signal, Instant(START_NS - 100_000_000), step_s=1.0 / rate, count=2000)
    assert np.abs(got[[0, 2, 3, 5]]).max() == 0.0
    assert np.sqrt((got[[1, 4], :1792] ** 2).mean(axis=1)) == pytest.approx([230.0, 10.0], rel=1e-9)


def test_what_lies_before_and_after_does_not_mix_the_steady_cycles_with_an_event():
    rate = 12800
    t = np.arange(rate) / rate
    samples = waves(t, 50.0)
    samples[1, (t >= 0.06)] *= 0.4
    samples[1, (t >= 0.93)] /= 0.4
    _, signal = signal_of(recording_of(samples, rate), lead_in_s=1.0, lead_out_s=1.0)
    for begin_ns in (START_NS - NS_PER_SECOND, START_NS + NS_PER_SECOND):
        got = synthesise(signal, Instant(begin_ns), step_s=1.0 / rate, count=rate)
        assert np.sqrt((got[1] ** 2).mean()) == pytest.approx(230.0, rel=1e-9)

"""Waveform capture: its samples against direct evaluation of the signal."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import WaveformRecord
from twin.meters.bank import MeterBank
from twin.meters.capture import CAPACITY, SAMPLES, TRIGGER_INDEX
from twin.meters.converter import counts_per_ampere

MS = 1_000_000


def value(feed, channel, ns):
    """One channel at a time, from the definition of a segment."""
    segment = [part for part in feed.segments if part.start_ns <= ns][-1]
    tau = (ns - segment.start_ns) * 1e-9
    phase = segment.theta + 2 * math.pi * segment.frequency * tau
    return sum(
        (amplitude * np.exp(rate * tau + 1j * order * phase)).real
        for amplitude, rate, order in zip(
            segment.amplitude[channel], segment.rate, segment.order, strict=True
        )
    )


def captured(records):
    return [record for record in records if isinstance(record, WaveformRecord)]


def test_a_sag_is_captured_ten_cycles_before_and_after():
    one = replace(SETTINGS, sag_waveform=True, sag_half_cycles=4, pt1=2300, pt2=230, ct1=200, ct2=5)
    bank, feed = MeterBank([SETTINGS, one], start_ns=T0), Feed(orders=(1.0, 3.0), theta=0.4)
    good = np.hstack([phasors(meters=2), 0.05 * phasors(meters=2)])
    good[6:9] *= 10.0
    good[9:] *= 40.0
    bad = good.copy()
    bad[6] *= 0.5
    feed.add(good)
    feed.run(bank, 333 * MS)
    feed.add(bad)
    records = feed.run(bank, 100 * MS)
    feed.add(good)
    records += feed.run(bank, SECOND)
    (record,) = captured(records)
    assert (record.meter, record.number, record.reason) == ("m", 1, "sag")
    assert bank.capture_causes(1) == ["a"]
    assert record.trigger_ns == bank.events(1)[0].trigger_ns
    assert record.raw.shape == (6, SAMPLES)
    assert record.trigger_index == TRIGGER_INDEX
    assert record.sample_interval_s == pytest.approx(0.02 / 64)
    for channel in range(6):
        samples = [
            value(feed, 6 + channel, record.trigger_ns + (k - TRIGGER_INDEX) * 312_500)
            for k in range(SAMPLES)
        ]
        error = np.abs(record.raw[channel] * record.scale[channel] - samples)
        # Half a count, and what the signal moves in half a nanosecond.
        assert error.max() <= record.scale[channel] * 0.501
    assert record.scale[0] == pytest.approx(10 / 37.59105)
    assert record.scale[3] == pytest.approx(40 / 1683.153)


def test_a_manual_trigger_takes_effect_at_the_next_sample():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors())
    feed.run(bank, 100 * MS + 1)
    assert bank.trigger_capture(0, feed.now)
    (record,) = captured(feed.run(bank, 300 * MS))
    assert (record.reason, record.trigger_ns) == ("manual", T0 + 100 * MS + 1)
    at_trigger = value(feed, 0, T0 + 100 * MS + 312_500)
    assert record.raw[0, TRIGGER_INDEX] == round(at_trigger * 37.59105)


def test_no_trigger_is_heard_while_one_is_written():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors())
    feed.run(bank, 100 * MS)
    assert bank.trigger_capture(0, feed.now)
    feed.run(bank, 199 * MS)
    assert not bank.trigger_capture(0, feed.now)
    assert len(captured(feed.run(bank, 10 * MS))) == 1
    assert bank.trigger_capture(0, feed.now)


def test_it_stops_when_full_and_goes_on_after_a_clear():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors())
    heard = 0
    for _ in range(CAPACITY + 5):
        heard += bank.trigger_capture(0, feed.now) if feed.now > T0 else 0
        feed.run(bank, 210 * MS)
        feed.anchor_again()
    assert heard == len(bank.captures(0)) == CAPACITY
    bank.clear_captures(0)
    assert bank.captures(0) == []
    assert bank.trigger_capture(0, feed.now)
    assert [record.number for record in captured(feed.run(bank, 210 * MS))] == [CAPACITY + 1]


def test_counts_saturate():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(230.0, 20.0))  # a peak of 28.3 A is 47,607 counts
    feed.run(bank, 100 * MS)
    bank.trigger_capture(0, feed.now)
    (record,) = captured(feed.run(bank, 300 * MS))
    assert (record.raw[3].max(), record.raw[3].min()) == (32767, -32768)
    assert record.raw[0].max() == round(230 * math.sqrt(2) * 37.59105)


def test_each_current_input_has_its_scale():
    # KW320 manual 4.6, firmware above 3.21.
    scale = {code: counts_per_ampere(replace(SETTINGS, ct2=code)) for code in (1, 5, 80, 100, 200, 333)}
    assert scale == {1: 1683.153, 5: 1683.153, 80: 7414.289, 100: 9267.440, 200: 18514.68, 333: 14427.15}
    assert counts_per_ampere(replace(SETTINGS, ct2=100, rogowski=True)) == 20291.1


def test_a_capture_follows_theta_through_a_change_of_frequency():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed(frequency=50.0)
    feed.add(phasors())
    feed.run(bank, 100 * MS)
    bank.trigger_capture(0, feed.now)
    feed.run(bank, 30 * MS)
    feed.add(phasors(), frequency=48.0)
    (record,) = captured(feed.run(bank, 300 * MS))
    # Locked to the grid: the samples are those of an undisturbed cosine.
    ideal = np.rint(230 * math.sqrt(2) * 37.59105 * np.cos(2 * np.pi * np.arange(SAMPLES) / 64))
    np.testing.assert_allclose(record.raw[0], ideal, atol=1)

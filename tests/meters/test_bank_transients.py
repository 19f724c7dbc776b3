"""Transients and blackouts: where no stretch is steady, every window counts."""

from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from twin.contracts import EventRecord, Instant, Signal
from twin.meters.bank import MeterBank
from twin.signals import synthesise

MS = 1_000_000


def decaying(bank, feed):
    """A steady load, then the same with a current that decays over 50 ms on top, for 400 ms."""
    steady = np.hstack([phasors(), np.zeros((6, 1))])
    feed.add(steady)
    records = feed.run(bank, SECOND)
    transient = steady.copy()
    transient[3:, 1] = [30.0, 20.0, -25.0]
    feed.add(transient, rate=[0.0, complex(-20.0, 0.0)])
    records += feed.run(bank, 400 * MS)
    feed.add(steady)
    return records + feed.run(bank, 600 * MS)


def samples(feed, start_ns, length_ns, count=400_000):
    signal = Signal(tuple("abcdef"), tuple(feed.segments), feed.now)
    return synthesise(signal, Instant(start_ns), step_s=length_ns * 1e-9 / count, count=count)


def test_energy_of_a_transient_is_the_integral_of_its_power():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed(orders=(1.0, 0.0), theta=0.6)
    decaying(bank, feed)
    x = samples(feed, T0 + SECOND, 400 * MS)
    shown = bank.energies(0)
    for k, phase in enumerate("abc"):
        mean = (x[k] * x[3 + k]).mean()
        expected = (920.0 * 1.6 + mean * 0.4) / 3600
        assert shown[f"ep{phase}_imp"] - shown[f"ep{phase}_exp"] == pytest.approx(expected, rel=1e-5)


def test_each_tick_of_a_transient_is_measured():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed(orders=(1.0, 0.0), theta=0.6)
    steady = np.hstack([phasors(), np.zeros((6, 1))])
    feed.add(steady)
    feed.run(bank, SECOND)
    transient = steady.copy()
    transient[3:, 1] = 30.0
    feed.add(transient, rate=[0.0, complex(-20.0, 0.0)])
    seen = []
    for tick in range(1, 5):
        feed.run(bank, 100 * MS)
        window = samples(feed, T0 + SECOND + (tick - 2) * 100 * MS, 200 * MS)
        seen.append((bank.fast(0)["i1"], np.sqrt((window[3] ** 2).mean())))
    shown, expected = zip(*seen, strict=True)
    assert shown == pytest.approx(expected, rel=1e-4)
    assert shown[1] > shown[2] > shown[3]


def test_over_current_of_a_decaying_current_ends_when_it_has_decayed():
    one = replace(SETTINGS, over_current_waveform=True, rated_current=5.0)
    bank, feed = MeterBank([one], start_ns=T0), Feed(orders=(1.0, 0.0), theta=0.6)
    begin, end = (record for record in decaying(bank, feed) if isinstance(record, EventRecord))
    assert begin.type == "over_current"
    assert begin.start_ns - T0 - SECOND < 12 * MS
    # Over one cycle from t0 the offset adds D^2 exp(-40 t0) (1 - exp(-0.8)) / 0.8 with D = 30 sqrt 2, beside
    # its product with the 4 A: back below 5 A within 90 to 160 ms, on a half cycle.
    assert 90 * MS < end.end_ns - T0 - SECOND < 160 * MS
    assert len(bank.captures(0)) == 1


def test_a_blackout_is_a_sag_to_nothing():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors())
    feed.run(bank, SECOND)
    feed.add(0.0 * phasors())
    feed.run(bank, 3 * SECOND)
    assert bank.in_event(0) == "sag"
    shown = bank.basic(0)
    assert (shown["frequency"], shown["v1"], shown["p_sum"], shown["pf"]) == (0.0, 0.0, 0.0, 1.0)
    assert bank.extremes(0)["min_frequency"].value == 0.0
    feed.add(phasors())
    feed.run(bank, SECOND)
    (event,) = bank.events(0)
    assert event.extreme == pytest.approx(0.0, abs=1e-9)
    assert event.end_ns - T0 == 4 * SECOND + 20 * MS
    assert bank.basic(0)["v1"] == pytest.approx(230.0)
    assert bank.energies(0)["ep_imp"] == pytest.approx(2760.0 * 2 / 3600)


def test_a_meter_that_wakes_in_a_sag_records_it():
    bank, feed = MeterBank([SETTINGS], start_ns=T0), Feed()
    feed.add(phasors(100.0))
    records = [record for record in feed.run(bank, SECOND) if isinstance(record, EventRecord)]
    assert [(record.start_ns - T0) // MS for record in records] == [10]
    assert [(record.trigger_ns - T0) // MS for record in records] == [100]


def test_values_before_any_signal_are_zero():
    bank = MeterBank([SETTINGS], start_ns=T0)
    assert set(bank.fast(0).values()) == {0.0}
    assert bank.energies(0)["ep_imp"] == 0.0
    assert bank.extremes(0) == {}
    assert not bank.trigger_capture(0, T0)

"""Wirings beyond the displayed values: events, captures, alarms, samples, and a meter that is set wrongly."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.meters.feed import SECOND, SETTINGS, T0, Feed, phasors
from tests.meters.kw320_site import segment
from tests.meters.test_wiring import THREE_WIRE, VOLTS, bank_of
from twin.contracts import AlarmRecord, EventRecord, WaveformRecord
from twin.meters.bank import MeterBank
from twin.meters.settings import AlarmChannel

LINE = 230.0 * math.sqrt(3.0)


def installed(wiring, current_wiring="3CT", **settings):
    return replace(
        SETTINGS,
        wiring=wiring,
        installed_wiring=wiring,
        current_wiring=current_wiring,
        installed_current_wiring=current_wiring,
        **settings,
    )


def sagged(depths):
    rms = phasors()
    rms[:3, 0] *= depths
    return rms


@pytest.mark.parametrize("wiring", ["2LL", "3LL"])
def test_a_sag_without_phase_voltages_is_one_of_line_voltages(wiring):
    # A at half voltage: V12 and V31 fall to sqrt(1 + 0.25 + 0.5) / sqrt 3 = 76.4 %, V23 stays.
    bank = MeterBank([installed(wiring, rated_voltage=LINE, sag_threshold_percent=80)], start_ns=T0)
    feed = Feed()
    feed.add(phasors())
    assert not feed.run(bank, 2 * SECOND)
    feed.add(sagged([0.5, 1, 1]))
    feed.run(bank, SECOND)
    feed.add(phasors())
    feed.run(bank, SECOND)
    (sag,) = bank.events(0)
    assert (sag.type, sag.phases) == ("sag", "ac")
    assert sag.extreme == pytest.approx(LINE * math.sqrt(1.75 / 3), rel=1e-9)
    assert sag.rated == pytest.approx(LINE)


def test_a_sag_of_a_phase_that_is_not_connected_is_none():
    bank = MeterBank([installed("1LN"), installed("1LL")], start_ns=T0)
    feed = Feed()
    feed.add(phasors(meters=2))
    feed.run(bank, 2 * SECOND)
    feed.add(np.concatenate([sagged([1, 1, 0.5]), sagged([1, 1, 0.5])]))
    feed.run(bank, SECOND)
    feed.add(np.concatenate([sagged([1, 0.5, 1]), sagged([1, 0.5, 1])]))
    feed.run(bank, SECOND)
    assert bank.idle is False  # the second meter is in its event
    assert bank.events(0) == []
    (sag,) = bank.events(1)
    assert sag.phases == "b"


def test_over_current_sees_the_reckoned_current_of_phase_b():
    settings = installed("3LN", "2CT", over_current_waveform=True, rated_current=5.0)
    bank = MeterBank([settings], start_ns=T0)
    feed = Feed()
    feed.add(phasors(i=4.0))
    feed.run(bank, 2 * SECOND)
    rms = phasors(i=4.0)
    rms[3:, 0] = [4.0, 0.0, 4.0]  # i2 = -(i1 + i3): 8 A, though no transformer sees it
    feed.add(rms)
    feed.run(bank, SECOND)
    feed.add(phasors(i=4.0))
    records = feed.run(bank, SECOND)
    (event,) = [record for record in records if isinstance(record, EventRecord)]
    assert (event.type, event.phases) == ("over_current", "b")
    assert event.extreme == pytest.approx(8.0)


def test_a_capture_shows_what_the_inputs_receive():
    bank = MeterBank([installed("2LL", "2CT", rated_voltage=100.0)], start_ns=T0)
    feed = Feed()
    feed.add(phasors(v=50.0, i=4.0))
    feed.run(bank, SECOND)
    bank.trigger_capture(0, bank.cursor_ns)
    (capture,) = [r for r in feed.run(bank, SECOND) if isinstance(r, WaveformRecord)]
    peak = [scale * np.abs(row).max() for scale, row in zip(capture.scale, capture.raw, strict=True)]
    line = 50.0 * math.sqrt(6.0)
    # 64 samples to the cycle find a peak within cos(pi / 64) of it.
    assert peak == pytest.approx(
        [line, 0.0, line, 4 * math.sqrt(2), 0.0, 4 * math.sqrt(2)], rel=2e-3, abs=0.02
    )


def test_an_alarm_compares_what_the_register_shows_of_a_missing_quantity():
    low = AlarmChannel(parameter=2, comparison="<", setpoint=100.0, enabled=True)
    turned = AlarmChannel(parameter=51, enabled=True)
    settings = installed("1LN", alarm_enable=True, alarm_channels=(low, turned))
    bank = MeterBank([settings], start_ns=T0)
    feed = Feed()
    feed.add(phasors())
    records = [record for record in feed.run(bank, SECOND) if isinstance(record, AlarmRecord)]
    assert [(record.parameter, record.value) for record in records] == [("v2", 0.0)]


@pytest.mark.parametrize("wiring", ["3LN", "2LL", "3LL", "1LL", "1LN"])
@pytest.mark.parametrize("current_wiring", ["2CT", "1CT"])
def test_samples_and_closed_form_agree(wiring, current_wiring):
    one = bank_of(VOLTS, THREE_WIRE, wiring=wiring, current_wiring=current_wiring)
    other = MeterBank([installed(wiring, current_wiring, fidelity="sampled")], start_ns=T0)
    other.advance(segment(VOLTS, THREE_WIRE, start_ns=T0), T0 + 2 * SECOND)
    expected, shown = one.basic(0), other.basic(0)
    for name, value in expected.items():
        if name.endswith("_demand"):
            continue  # of an hour, and of two seconds
        assert shown[name] == pytest.approx(value, rel=1e-6, abs=1e-6), name


def test_a_register_sets_how_inputs_are_read_not_what_is_connected():
    bank = MeterBank([SETTINGS], start_ns=T0)
    feed = Feed()
    feed.add(phasors(lag=math.pi / 3))
    feed.run(bank, 2 * SECOND)
    bank.configure(0, replace(SETTINGS, wiring="2LL"), bank.cursor_ns)
    shown = bank.basic(0)
    # V2 and VN are taken for one: V12 is what reaches V1, V23 what reaches V3 the other way.
    assert [shown[name] for name in ("v12", "v23")] == pytest.approx([230.0, 230.0])
    assert shown["v31"] == pytest.approx(LINE)
    assert shown["p_sum"] == pytest.approx(2 * 230 * 4 * math.cos(math.pi / 3))
    bank.configure(0, SETTINGS, bank.cursor_ns)
    assert bank.basic(0)["p_sum"] == pytest.approx(3 * 230 * 4 * math.cos(math.pi / 3))


def test_where_time_is_cut_changes_nothing():
    settings = [
        installed("2LL", "2CT", rated_voltage=LINE, accuracy="class"),
        installed("3LL", "1CT", rated_voltage=LINE, accuracy="class"),
        installed("1LL", "2CT", accuracy="class"),
    ]
    shown = []
    for cuts in ((), (T0 + 300_000_000, T0 + 2_050_000_000, T0 + 2_110_000_000)):
        bank = MeterBank(settings, start_ns=T0)
        feed = Feed()
        for rms in (phasors(meters=3), np.tile(sagged([0.5, 1, 1]), (3, 1)), phasors(meters=3)):
            feed.add(rms)
            feed.run(bank, 2 * SECOND, cuts=cuts)
        shown.append([bank.energies(k) for k in range(3)] + [bank.events(k) for k in range(3)])
        shown[-1] += [bank.basic_table()["p_sum"].tolist(), bank.extremes(1)]
    assert shown[0] == shown[1]

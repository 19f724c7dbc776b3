"""The retrieval windows walk through events and waveforms, for each master by itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.meters.kw320_site import AMPERES, PT, SECOND, START, VOLTS, scaled, segment
from twin.contracts import EventRecord, RegisterBlock, WaveformRecord
from twin.meters import MeterConfig, build_fleet
from twin.meters.kw320.logs import (
    PowerQualityLog,
    RecordRing,
    event_words,
    phase_bits,
    waveform_words,
)
from twin.meters.kw320.windows import EventWindow, WaveformWindow

STAMP = {
    "year": 2019, "month": 8, "day": 16, "hour": 13, "minute": 16, "second": 1, "millisecond": 362
}  # fmt: skip
SETTINGS = {
    "rated_voltage": 230, "sag_threshold_percent": 90, "swell_threshold_percent": 110, "sag_half_cycles": 4
}  # fmt: skip


def event(kind, phases, number=1):
    return EventRecord("head", number, kind, phases, START, START, None, 100.0, 207.0, 230.0)


def capture(number, reason="sag"):
    samples = np.arange(6 * 1280, dtype=np.int64).reshape(6, 1280) - 3000 + number
    return WaveformRecord(
        "head", number, reason, START, 640, 1 / 3200, ("va", "vb", "vc", "ia", "ib", "ic"),
        samples.astype(np.int16), (1.0,) * 6,
    )  # fmt: skip


def log_of(events=0, groups=0):
    log = PowerQualityLog()
    for number in range(1, events + 1):
        log.events.append((number, 2, 3, 4, 5, 6, 7, 8))
    for number in range(1, groups + 1):
        log.waveforms.append(waveform_words(capture(number), STAMP | {"millisecond": number}, "a"))
    return log


def events_of(log):
    return EventWindow(lambda: log)


def waveforms_of(log):
    return WaveformWindow(lambda: log)


# -- words of the manual 4.6 ----------------------------------------------------------------------------


def test_event_words():
    # Year and month, day and hour, minute and second share a word; 2019 is 19 = 13H.
    assert event_words(event("sag", "ac"), STAMP, SETTINGS) == (
        *(0x1308, 0x100D, 0x1001, 362),
        *(0b000101, 230, 90, 4),
    )
    assert event_words(event("swell", "b"), STAMP, SETTINGS)[4:] == (0b010000, 230, 110, 0)


def test_phase_bits():
    assert [phase_bits(phases) for phases in ("", "a", "b", "c", "abc")] == [0, 1, 2, 4, 7]


@pytest.mark.parametrize(
    ("reason", "phases", "words"),
    [
        ("manual", "", [1, 0, 0, 0, 0, 0, 0]),
        ("sag", "ab", [0, 0, 0, 0, 3, 0, 0]),
        ("swell", "c", [0, 0, 0, 0, 0, 4, 0]),
        ("over_current", "b", [0, 0, 0, 0, 0, 0, 2]),
    ],
)
def test_reason_words(reason, phases, words):
    reasons, _ = waveform_words(capture(1, reason), STAMP, phases)
    assert reasons[:7].tolist() == [2019, 8, 16, 13, 16, 1, 362]
    assert reasons[7:14].tolist() == words
    assert reasons[14:].tolist() == [0, 0]


def test_waveform_order():
    # Ten cycles of u1, u2, u3, i1, i2, i3 before the trigger, then ten of each after it.
    record = capture(1)
    _, windows = waveform_words(record, STAMP, "a")
    assert windows.shape == (120, 64)
    for place in range(120):
        after, rest = divmod(place, 60)
        channel, cycle = divmod(rest, 10)
        first = 640 * after + 64 * cycle
        assert windows[place].view(np.int16).tolist() == record.raw[channel, first : first + 64].tolist()


def test_alarm_ring_is_written_in_a_circle():
    ring = RecordRing(16)
    assert (ring.newest, ring.words()) == (0, {})
    for count in range(1, 19):
        ring.add({"status": count})
    assert ring.newest == 2
    assert ring.words()["2.status"] == 18
    assert ring.words()["3.status"] == 3
    assert len(ring.words()) == 16


# -- events ---------------------------------------------------------------------------------------------


def test_event_window_has_its_addresses():
    assert events_of(log_of()).blocks == (RegisterBlock(0x8CFD, 83),)


def test_no_event_reads_zero():
    window = events_of(log_of())
    words, _ = window.read(window.initial(), 0x8CFD, 83)
    assert words.tolist() == [0, 1, 1] + [0] * 80


def test_events_are_retrieved_ten_at_a_time():
    window = events_of(log_of(events=25))
    cursor, seen = window.initial(), []
    for start in (1, 11, 21):
        cursor = window.write(cursor, 0x8CFE, [start, 10])
        words, cursor = window.read(cursor, 0x8CFD, 83)
        assert words[:3].tolist() == [25, start, 10]
        seen += [row.tolist() for row in words[3:].reshape(10, 8)]
    assert [row[0] for row in seen] == [*range(1, 26), 0, 0, 0, 0, 0]
    assert seen[24] == [25, 2, 3, 4, 5, 6, 7, 8]


def test_event_window_shows_as_many_as_asked_for():
    window = events_of(log_of(events=5))
    cursor = window.write(window.initial(), 0x8CFE, [2, 2])
    words, _ = window.read(cursor, 0x8D00, 24)
    assert words.reshape(3, 8)[:, 0].tolist() == [2, 3, 0]


def test_parts_of_the_event_window():
    window = events_of(log_of(events=5))
    cursor = window.write(window.initial(), 0x8CFF, [3])
    assert window.read(cursor, 0x8CFE, 2)[0].tolist() == [1, 3]
    assert window.read(cursor, 0x8D08, 2)[0].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("address", "words"), [(0x8CFE, [0]), (0x8CFE, [6]), (0x8CFF, [0]), (0x8CFF, [11]), (0x8CFE, [1, 11])]
)
def test_event_request_out_of_range(address, words):
    window = events_of(log_of(events=5))
    with pytest.raises(ValueError, match="out of range"):
        window.write(window.initial(), address, words)


@pytest.mark.parametrize(("address", "count"), [(0x8CFD, 1), (0x8D00, 1), (0x8CFD, 3), (0x8CFF, 2)])
def test_read_only_event_registers_are_not_the_windows_to_write(address, count):
    window = events_of(log_of(events=5))
    assert window.write(window.initial(), address, [1] * count) is None


@given(events=st.integers(0, 30), start=st.integers(1, 30), count=st.integers(1, 10))
def test_event_window_shows_a_slice(events, start, count):
    log = log_of(events=events)
    window = events_of(log)
    if start > max(events, 1):
        with pytest.raises(ValueError, match="event_start"):
            window.write(window.initial(), 0x8CFE, [start, count])
        return
    cursor = window.write(window.initial(), 0x8CFE, [start, count])
    words, after = window.read(cursor, 0x8D00, 80)
    expected = [*log.events[start - 1 : start - 1 + count]]
    assert after == cursor
    assert [tuple(row) for row in words.reshape(10, 8).tolist()] == expected + [(0,) * 8] * (
        10 - len(expected)
    )


# -- waveforms ------------------------------------------------------------------------------------------


def read_all(window, cursor):
    return window.read(cursor, 0x8E00, 68)


def test_waveform_window_has_its_addresses():
    assert waveforms_of(log_of()).blocks == (RegisterBlock(0x8E00, 68),)


def test_no_waveform_is_invalid_and_stays_put():
    window = waveforms_of(log_of())
    words, cursor = read_all(window, window.initial())
    assert words[:4].tolist() == [1, 0, 0xFF, 0]
    assert not words[4:].any()
    assert cursor == window.initial()


def test_reasons_of_nineteen_groups_take_five_reads():
    # The manual's own example: 1, 5, 9, 13, 17, and there it stays.
    window = waveforms_of(log_of(groups=19))
    cursor, starts, milliseconds = window.initial(), [], []
    for _ in range(6):
        words, cursor = read_all(window, cursor)
        starts.append(int(words[0]))
        milliseconds.append([int(row[6]) for row in words[4:].reshape(4, 16)])
    assert starts == [1, 5, 9, 13, 17, 17]
    assert milliseconds[0] == [1, 2, 3, 4]
    assert milliseconds[4] == [17, 18, 19, 0]


def test_a_group_is_walked_cycle_by_cycle():
    log = log_of(groups=2)
    window = waveforms_of(log)
    cursor = window.write(window.initial(), 0x8E00, [2, 1])
    words, cursor = read_all(window, cursor)
    assert words[:4].tolist() == [2, 1, 0x0B, 2]
    assert words[4:20].tolist() == log.waveforms[1][0].tolist()
    assert not words[20:].any()
    for index in range(2, 122):
        words, cursor = read_all(window, cursor)
        assert words[:2].tolist() == [2, index]
        assert words[4:].tolist() == log.waveforms[1][1][index - 2].tolist()
    assert read_all(window, cursor)[0][:2].tolist() == [2, 121]


@pytest.mark.parametrize(("address", "count"), [(0x8E00, 67), (0x8E01, 67), (0x8E04, 64), (0x8E02, 1)])
def test_a_partial_read_stays_put(address, count):
    window = waveforms_of(log_of(groups=9))
    for index in (0, 1, 50):
        cursor = window.write(window.initial(), 0x8E00, [1, index])
        words, after = window.read(cursor, address, count)
        assert after == cursor
        assert len(words) == count


def test_a_group_that_does_not_exist_is_invalid():
    window = waveforms_of(log_of(groups=2))
    cursor = window.write(window.initial(), 0x8E00, [3, 5])
    words, after = read_all(window, cursor)
    assert words[:4].tolist() == [3, 5, 0xFF, 2]
    assert after == cursor


@pytest.mark.parametrize(("address", "words"), [(0x8E00, [0]), (0x8E00, [101]), (0x8E01, [122])])
def test_waveform_request_out_of_range(address, words):
    window = waveforms_of(log_of(groups=2))
    with pytest.raises(ValueError, match="out of range"):
        window.write(window.initial(), address, words)


@pytest.mark.parametrize(("address", "count"), [(0x8E02, 1), (0x8E03, 1), (0x8E04, 1), (0x8E01, 2)])
def test_read_only_waveform_registers_are_not_the_windows_to_write(address, count):
    window = waveforms_of(log_of(groups=2))
    assert window.write(window.initial(), address, [1] * count) is None


# -- a meter that lives through a sag -------------------------------------------------------------------

CONFIG = MeterConfig(
    name="head",
    pt1=20_000,
    pt2=100,
    ct1=200,
    ct2=5,
    rated_voltage=58,
    time_zone="Europe/Paris",
    registers={"sag_threshold_percent": 80, "sag_waveform_enable": 1, "swell_threshold_percent": 120},
)
SAG = (scaled(VOLTS[:1], 0.5)[0], *VOLTS[1:])


def sagged():
    """One second of normal supply, 200 ms with half the voltage of phase a, then normal again."""
    fleet = build_fleet([CONFIG], start_ns=START)
    records = fleet.advance(segment(VOLTS, AMPERES, start_ns=START), START + SECOND)
    records += fleet.advance(segment(SAG, AMPERES, start_ns=START + SECOND), START + SECOND + SECOND // 5)
    after = segment(VOLTS, AMPERES, start_ns=START + SECOND + SECOND // 5)
    records += fleet.advance(after, START + 3 * SECOND)
    return fleet, after, records


@pytest.fixture(scope="module")
def site():
    return sagged()


def test_sag_is_in_the_event_window(site):
    fleet, _, records = site
    window = fleet.windows(0)[0]
    words, _ = window.read(window.initial(), 0x8CFD, 83)
    recorded = next(record for record in records if isinstance(record, EventRecord))
    milliseconds = (recorded.trigger_ns - START) // 1_000_000
    assert words[:3].tolist() == [1, 1, 1]
    # Paris is an hour ahead: 2026-01-15 07:00:01.
    assert words[3:11].tolist() == [26 << 8 | 1, 15 << 8 | 7, 0 << 8 | 1, milliseconds - 1000, 1, 58, 80, 10]
    # Ten half cycles of 10 ms below the threshold; the one-cycle RMS needs up to two to fall below it.
    assert 1100 <= milliseconds <= 1120


def test_the_end_of_a_sag_adds_no_event(site):
    fleet, _, records = site
    events = [record for record in records if isinstance(record, EventRecord)]
    assert [event.end_ns is None for event in events] == [True, False]
    assert fleet.windows(0)[0].read(fleet.windows(0)[0].initial(), 0x8CFD, 1)[0].tolist() == [1]


def test_captured_waveform_is_the_signal_before_and_after(site):
    fleet, _, records = site
    recorded = next(record for record in records if isinstance(record, WaveformRecord))
    window = fleet.windows(0)[1]
    reasons, _ = window.read(window.initial(), 0x8E00, 68)
    assert reasons[:4].tolist() == [1, 0, 0x0B, 1]
    assert reasons[4:11].tolist() == [2026, 1, 15, 7, 0, 1, (recorded.trigger_ns - START) // 1_000_000 - 1000]
    assert reasons[11:20].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]

    def cycle(index):
        cursor = window.write(window.initial(), 0x8E00, [1, index])
        return window.read(cursor, 0x8E04, 64)[0].view(np.int16)

    # Manual 4.6: volts of the secondary are counts / 37.59105. The trigger falls ten half cycles into the
    # sag, so that cycle 1 before it is normal and cycle 10 is sagged; ten cycles later all is normal.
    def effective(index):
        return math.sqrt(np.mean(np.square(cycle(index) / 37.59105))) * PT

    normal = math.sqrt(sum(abs(phasor) ** 2 for phasor in VOLTS[0].values()))
    assert effective(2) == pytest.approx(normal, rel=1e-3)
    assert effective(11) == pytest.approx(0.5 * normal, rel=1e-3)
    assert effective(71) == pytest.approx(normal, rel=1e-3)
    # Manual 4.6: amperes of a 5 A input are counts / 1683.153.
    amperes = math.sqrt(np.mean(np.square(cycle(32) / 1683.153))) * 40
    assert amperes == pytest.approx(math.sqrt(sum(abs(i) ** 2 for i in AMPERES[0].values())), rel=1e-3)


def test_manual_trigger_and_clearing():
    fleet, after, _ = sagged()
    now = START + 3 * SECOND
    events, waveforms, _ = fleet.windows(0)
    assert fleet.write(0, 0x8000, [0xAA], now).refusal is None
    fleet.advance(after, now + SECOND)
    words, _ = waveforms.read(waveforms.initial(), 0x8E00, 68)
    assert words[3] == 2
    assert words[20 + 7] == 1  # the second group was triggered by hand
    fleet.write(0, 0x800F, [0x55], now + SECOND)
    assert events.read(events.initial(), 0x8CFD, 1)[0].tolist() == [0]
    assert waveforms.read(waveforms.initial(), 0x8E03, 1)[0].tolist() == [2]
    fleet.write(0, 0x800E, [0x55], now + SECOND)
    assert waveforms.read(waveforms.initial(), 0x8E02, 2)[0].tolist() == [0xFF, 0]


def test_event_log_goes_on_after_clearing():
    fleet, _, _ = sagged()
    now = START + 3 * SECOND
    fleet.write(0, 0x800F, [0x55], now)
    fleet.advance(segment(SAG, AMPERES, start_ns=now), now + SECOND // 5)
    fleet.advance(segment(VOLTS, AMPERES, start_ns=now + SECOND // 5), now + SECOND)
    events = fleet.windows(0)[0]
    assert events.read(events.initial(), 0x8CFD, 1)[0].tolist() == [1]


def test_stamps_keep_the_clock_of_their_time():
    fleet, _, _ = sagged()
    fleet.write(0, 0x1040, [2031], START + 3 * SECOND)
    events = fleet.windows(0)[0]
    assert events.read(events.initial(), 0x8D00, 1)[0].tolist() == [26 << 8 | 1]


def test_fleet_tells_the_event_that_lasts():
    fleet = build_fleet([CONFIG], start_ns=START)
    fleet.advance(segment(VOLTS, AMPERES, start_ns=START), START + SECOND)
    assert (fleet.in_event(0), fleet.now_ns) == ("", START + SECOND)
    fleet.advance(segment(SAG, AMPERES, start_ns=START + SECOND), START + SECOND + SECOND // 5)
    assert fleet.in_event(0) == "sag"
    fleet.advance(segment(VOLTS, AMPERES, start_ns=START + SECOND + SECOND // 5), START + 3 * SECOND)
    assert fleet.in_event(0) == ""

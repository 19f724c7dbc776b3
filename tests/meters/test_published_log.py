"""Logs in shared memory: windows on them show what windows on the logs themselves show, whole at any time."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters.test_kw320_windows import STAMP, capture, log_of
from twin.meters.kw320.logs import MAX_EVENTS, PowerQualityLog, waveform_words
from twin.meters.kw320.published_log import LOG_BYTES, LogPublisher, LogReader, published_windows
from twin.meters.kw320.windows import EVENT_BLOCK, WAVEFORM_BLOCK, EventWindow, WaveformWindow


def memory():
    return memoryview(np.zeros(-(-LOG_BYTES // 8), np.int64)).cast("B")


def everything(window, block, asked):
    """Read a window from several places."""
    shown = []
    for words in asked:
        cursor = window.write(window.initial(), block.address + (block is EVENT_BLOCK), words)
        for _ in range(2):
            read, cursor = window.read(cursor, block.address, block.count)
            shown.append((read.tolist(), cursor))
    return shown


@given(st.lists(st.sampled_from(["event", "group", "clear events", "clear groups", "publish"]), max_size=25))
@settings(max_examples=40, deadline=None)
def test_published_windows_show_what_the_log_holds(steps):
    log, shared = PowerQualityLog(), memory()
    publisher = LogPublisher(shared)
    events, groups = published_windows(shared)
    for number, step in enumerate([*steps, "publish"], start=1):
        if step == "event":
            log.events.append((number, 2, 3, 4, 5, 6, 7, 65535))
        elif step == "group":
            log.waveforms.append(waveform_words(capture(number), STAMP | {"millisecond": number}, "ab"))
        elif step == "clear events":
            log = log.without_events()
        elif step == "clear groups":
            log = log.without_waveforms()
        else:
            publisher.update(log)
            starts = [(1 + k, 10) for k in range(max(1, len(log.events)))]
            own = EventWindow(lambda log=log: log)
            assert everything(events, EVENT_BLOCK, starts) == everything(own, EVENT_BLOCK, starts)
            places = [(1 + k, index) for k in range(len(log.waveforms) + 1) for index in (0, 1, 2, 121)]
            own = WaveformWindow(lambda log=log: log)
            assert everything(groups, WAVEFORM_BLOCK, places) == everything(own, WAVEFORM_BLOCK, places)


def test_the_last_event_that_a_meter_keeps_has_its_place():
    log, shared = log_of(events=MAX_EVENTS), memory()
    log.events[-1] = (9, 8, 7, 6, 5, 4, 3, 2)
    LogPublisher(shared).update(log)
    (window, _) = published_windows(shared)
    words, _ = window.read(window.write(window.initial(), 0x8CFE, [MAX_EVENTS, 10]), 0x8CFD, 83)
    assert words[:12].tolist() == [MAX_EVENTS, MAX_EVENTS, 10, 9, 8, 7, 6, 5, 4, 3, 2, 0]
    with pytest.raises(ValueError, match=r"out of range 1\.\.50000"):
        window.write(window.initial(), 0x8CFE, [MAX_EVENTS + 1])


def test_a_view_tells_when_its_log_was_cleared():
    log, shared = log_of(events=3, groups=2), memory()
    publisher, reader = LogPublisher(shared), LogReader(shared)
    publisher.update(log)
    view = reader()
    assert (len(view.events), len(view.waveforms), view.holds) == (3, 2, True)
    log.events.append((4,) * 8)
    publisher.update(log)
    assert view.holds  # what is added does not touch what is there
    publisher.update(log.without_events())
    assert not view.holds
    assert (len(reader().events), len(reader().waveforms), reader().holds) == (0, 2, True)


def test_no_read_mixes_a_log_with_the_one_before():
    """One thread fills and clears a log without a pause; all words of a log carry its own number."""
    shared, done = memory(), threading.Event()
    publisher = LogPublisher(shared)

    def write():
        number = 0
        while not done.is_set():
            number = number % 60_000 + 1
            log = PowerQualityLog()
            for _ in range(3):
                log.events.append((number,) * 8)
                publisher.update(log)

    thread = threading.Thread(target=write)
    thread.start()
    window, seen = published_windows(shared)[0], set()
    cursor = window.initial().__class__(1, 10)
    try:
        reads = 0
        while reads < 20_000 or (len(seen) <= 20 and reads < 2_000_000):  # on a busy machine turns are long
            reads += 1
            words, _ = window.read(cursor, 0x8CFD, 83)
            shown = set(words[3 : 3 + 8 * words[0]].tolist())
            assert len(shown) <= 1, f"mixed: {shown}"
            assert not words[3 + 8 * int(words[0]) :].any()
            seen |= shown
    finally:
        done.set()
        thread.join()
    assert len(seen) > 20


@given(st.integers(0, 40), st.integers(1, 5))
@settings(max_examples=3, deadline=None)
def test_a_full_log_drops_its_oldest_events(more, at_once):
    """Past the last place they are written in a circle; the window shows the newest from the oldest on."""
    log, shared = PowerQualityLog(), memory()
    log.events.extend((number, 0, 0, 0, 0, 0, 0, 0) for number in range(MAX_EVENTS - 5))
    publisher = LogPublisher(shared)
    publisher.update(log)
    reader = LogReader(shared)
    for number in range(MAX_EVENTS - 5, MAX_EVENTS + more):
        if len(log.events) >= MAX_EVENTS:
            log = log.without_oldest_event()
        log.events.append((number % 65536, 0, 0, 0, 0, 0, 0, 0))
        if number % at_once == 0:
            publisher.update(log)
    publisher.update(log)
    view = reader()
    assert view.holds
    assert len(view.events) == len(log.events) == min(MAX_EVENTS, MAX_EVENTS + more)
    for place in (0, 1, 9, 49_990, len(log.events) - 1):
        assert view.events[place].tolist() == list(log.events[place])
    own, window = EventWindow(lambda: log), published_windows(shared)[0]
    asked = [(start, 10) for start in (1, 2, 49_000, len(log.events) - 3, len(log.events))]
    assert everything(window, EVENT_BLOCK, asked) == everything(own, EVENT_BLOCK, asked)


def test_a_view_tells_when_an_event_was_dropped():
    log, shared = log_of(events=MAX_EVENTS), memory()
    publisher, reader = LogPublisher(shared), LogReader(shared)
    publisher.update(log)
    view = reader()
    log = log.without_oldest_event()
    log.events.append((7,) * 8)
    publisher.update(log)
    assert not view.holds
    assert reader().holds
    assert reader().events[MAX_EVENTS - 1].tolist() == [7] * 8
    publisher.update(log.without_waveforms())
    assert len(reader().events) == MAX_EVENTS
    publisher.update(log.without_events())
    assert len(reader().events) == 0

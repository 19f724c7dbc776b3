"""What is appended comes back, record for record, in order, filtered and limited as asked."""

import dataclasses
import math
import threading
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recording import records
from twin.contracts import Access, AlarmRecord, CommandRecord, MeterInfo, Point, TruthEntry
from twin.recording import (
    NotRecordedError,
    Recording,
    RecordingError,
    RecordingPathError,
    RecordingWriter,
    content_hash,
)
from twin.recording.rows import from_json, to_json
from twin.recording.tables import SCHEMA_VERSION

STORES = ("sqlite", "postgresql")


@pytest.fixture
def writer(create):
    return create()


@pytest.fixture
def recording(writer):
    return Recording.open(writer.path)


def test_info_and_meters(writer, recording):
    assert recording.meters() == list(records.METERS)
    info = recording.info
    assert info.scenario == records.SCENARIO
    assert info.schema_version == SCHEMA_VERSION
    assert not info.complete
    writer.close()
    assert recording.info.complete


def test_nothing_shows_before_the_flush(writer, recording):
    writer.append([records.truth(1)])
    assert recording.truth() == []
    writer.flush()
    assert recording.truth() == [records.truth(1)]


def test_every_kind_comes_back(writer, recording):
    events = [records.event(n) for n in range(1, 6)]
    alarms = [records.alarm(n) for n in range(6)]
    soe = [records.soe(n) for n in range(5)]
    commands = [records.command(n) for n in range(1, 4)]
    truth = [records.truth(n) for n in range(50)]
    terminals = [records.terminal(n) for n in range(4)]
    writer.append([*events, *alarms, *soe, *commands, *truth, *terminals])
    writer.flush()
    assert recording.events() == events
    assert recording.alarms() == alarms
    assert recording.soe() == soe
    assert recording.soe(meter="head", limit=2) == soe[-2:]
    assert recording.soe(meter="spare") == []
    assert recording.commands() == commands
    assert recording.truth() == truth
    assert recording.terminals() == recording.terminals(meter="head") == terminals


def test_limit_keeps_the_latest_in_order_of_time(writer, recording):
    truth = [records.truth(n) for n in range(20)]
    writer.append(truth[10:])
    writer.append(truth[:10])
    writer.flush()
    assert recording.truth(limit=3) == truth[-3:]
    assert recording.truth(limit=0) == []
    assert recording.truth(after_ns=truth[16].time_ns) == truth[17:]
    assert recording.truth(element="LOAD3", kind="load_switched") == [truth[3]]
    assert recording.truth(without="load_switched") == []
    assert recording.truth(kind="fault_applied") == []


def test_registers_come_back_change_by_change(writer, recording):
    changes = [records.register(n) for n in range(1, 6)]
    others = [records.register(1, address=102), records.register(2, meter="feeder")]
    writer.append([*changes, *others])
    writer.flush()
    assert recording.registers("head", 100) == changes
    assert recording.registers("head", 102) == others[:1]
    assert recording.registers("feeder", 100) == others[1:]
    assert recording.registers("feeder", 7) == []
    # From within: the change before tells what the register held when the span began.
    start_ns, end_ns = changes[2].time_ns - 1, changes[4].time_ns
    assert recording.registers("head", 100, start_ns=start_ns, end_ns=end_ns) == changes[1:4]
    with pytest.raises(NotRecordedError, match="no meter 'tail'"):
        recording.registers("tail", 100)


def test_registers_are_described(writer, recording):
    points = [
        Point("v1", 100, 2, "uint32", "high first", 0.01, "V", Access.READ),
        Point("ct1", 7, 1, "uint16", "", 1.0, "", Access.READ_WRITE),
    ]
    writer.describe_registers("head", points)
    writer.flush()
    assert recording.register_points("head") == points[::-1]
    assert recording.register_points("feeder") == []
    with pytest.raises(RecordingError, match="no meter 'tail'"):
        writer.describe_registers("tail", points)


@pytest.mark.parametrize("words", [(), (65_536,), (-1,), (1.5,)])
def test_what_is_no_register_word_is_refused(writer, words):
    with pytest.raises(RecordingError, match="are no words of 0"):
        writer.append([dataclasses.replace(records.register(1), words=words)])


def test_a_recording_goes_on_after_its_writer(create, place):
    whole = create("whole")
    for number in range(1, 14):
        whole.append(records.batch(number))
    whole.close()
    part = create("part")
    for number in range(1, 6):
        part.append(records.batch(number))
    part.close()
    with RecordingWriter.reopen(place("part")) as second:
        assert not Recording.open(place("part")).info.complete
        with pytest.raises(RecordingError, match="command 5 after command 5"):
            second.append([records.command(5)])
        for number in range(6, 14):
            second.append(records.batch(number))
            second.flush()
    assert Recording.open(place("part")).info.complete
    assert content_hash(place("part")) == content_hash(place("whole"))


def test_nothing_else_goes_on_meanwhile(writer, place):
    with pytest.raises(RecordingPathError, match="a running program is writing"):
        RecordingWriter.reopen(place())
    with pytest.raises(RecordingPathError, match="a running program is writing"):
        RecordingWriter.create(place(), scenario={}, meters=(), overwrite=True)
    with pytest.raises(RecordingPathError, match="no recording"):
        RecordingWriter.reopen(place("another"))


def test_filters_by_meter(writer, recording):
    writer.append([records.event(1), records.event(1, meter="feeder"), records.alarm(0, meter="feeder")])
    writer.append([records.waveform(1), records.waveform(2, meter="feeder")])
    writer.flush()
    assert recording.events(meter="feeder") == [records.event(1, meter="feeder")]
    assert recording.alarms(meter="head") == []
    assert [found.number for found in recording.waveforms(meter="feeder")] == [2]


def test_the_end_of_an_event_replaces_its_beginning(writer, recording):
    begun, ended = records.event(4, ended=False), records.event(4)
    writer.append([records.event(3), begun])
    writer.flush()
    assert recording.events() == [records.event(3), begun]
    assert recording.events(after_ns=begun.trigger_ns) == []
    writer.append([ended])
    writer.flush()
    assert recording.events() == [records.event(3), ended]
    assert recording.events(after_ns=begun.trigger_ns) == [ended], "its end is news"


def test_a_waveform_comes_back_bit_for_bit(writer, recording):
    capture = records.waveform(2)
    capture.raw[0, :2] = -32768, 32767
    writer.append([records.waveform(1), capture])
    writer.flush()
    found = recording.waveform("head", 2)
    assert found.raw.dtype == np.int16
    np.testing.assert_array_equal(found.raw, capture.raw)
    assert (found.scale, found.channels) == (capture.scale, capture.channels)
    assert (found.reason, found.trigger_ns, found.trigger_index) == ("sag", capture.trigger_ns, 80)
    assert found.sample_interval_s == capture.sample_interval_s
    listed = recording.waveforms(limit=1)
    assert [(one.meter, one.number, one.samples) for one in listed] == [("head", 2, 320)]
    with pytest.raises(NotRecordedError, match="no waveform 9"):
        recording.waveform("head", 9)


def test_a_quantity_that_does_not_exist_stays_so(create):
    meter = MeterInfo("spare", "kw320s", "nowhere", math.nan, 5.0)
    alarm = AlarmRecord("spare", 1, "i1", "active", records.START_NS, math.nan, 1.0, ">")
    writer = create(meters=[meter])
    writer.append([alarm, TruthEntry(records.START_NS, "k", "e", "c", {"x": math.nan})])
    writer.flush()
    recording = Recording.open(writer.path)
    assert math.isnan(recording.meters()[0].rated_voltage)
    assert math.isnan(recording.alarms()[0].value)
    assert recording.truth()[0].detail == {"x": None}


def test_details_are_plain_data(writer, recording):
    detail = MappingProxyType(
        {"numbers": np.array([1.5, 2.5]), "count": np.int64(3), "deep": {"flag": True, "none": None}}
    )
    writer.append([CommandRecord(1, records.START_NS, "dashboard", "S1", "open", detail, None)])
    writer.flush()
    plain = {"numbers": (1.5, 2.5), "count": 3, "deep": {"flag": True, "none": None}}
    assert recording.commands()[0].arguments == plain


def test_a_refused_record_refuses_its_whole_call(writer, recording):
    stranger = records.event(1, meter="unknown")
    with pytest.raises(RecordingError, match=r"no meter 'unknown'.*name it when"):
        writer.append([records.truth(1), stranger])
    with pytest.raises(RecordingError, match=r"truth entry 'k' of 'e' cannot be kept.*use numbers"):
        writer.append([records.truth(2), TruthEntry(0, "k", "e", "c", {"x": object()})])
    broken = records.waveform(1)
    object.__setattr__(broken, "scale", (1.0,))
    with pytest.raises(RecordingError, match=r"waveform 1 of meter 'head'.*6 scales"):
        writer.append([records.truth(3), broken])
    writer.flush()
    assert recording.truth() == []


def test_the_command_log_keeps_its_order(writer, recording):
    writer.append([records.command(1), records.command(3)])
    for late in ([records.command(3)], [records.command(4), records.command(2)]):
        with pytest.raises(RecordingError, match=r"command \d after command \d; append the log in its order"):
            writer.append(late)
    writer.append([records.command(4)])
    writer.flush()
    assert [found.sequence for found in recording.commands()] == [1, 3, 4]


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_plain_data_survives_json(value):
    text = to_json(value, "value")
    assert from_json(text) == value
    assert to_json(from_json(text), "value") == text, "the form is canonical"


def test_it_flushes_by_count_and_by_recorded_time(create):
    by_count = create("count", flush_records=10)
    by_count.append([records.truth(n) for n in range(9)])
    found = Recording.open(by_count.path)
    assert len(found.truth()) == 0
    by_count.append([records.truth(9)])
    assert len(found.truth()) == 10

    by_time = create("time", flush_interval_s=60.0)
    found = Recording.open(by_time.path)
    for number in range(15):  # one every 4 s: 56 s from the first to the last
        by_time.append([records.truth(number)])
    assert len(found.truth()) == 0
    by_time.append([records.truth(15)])
    assert len(found.truth()) == 16


def test_a_closed_writer_says_so(writer):
    writer.close()
    writer.close()
    with pytest.raises(RecordingError, match="the writer is closed"):
        writer.append([records.truth(1)])
    with pytest.raises(RecordingError, match="the writer is closed"):
        writer.flush()


def test_leaving_the_block_closes(create):
    with create() as writer:
        writer.append([records.truth(1)])
    found = Recording.open(writer.path)
    assert found.info.complete
    assert found.truth() == [records.truth(1)]


def test_one_recording_serves_many_threads(writer, recording):
    results = []

    def look():
        results.extend(len(recording.truth(limit=5)) for _ in range(20))

    writer.append([records.truth(n) for n in range(5)])
    writer.flush()
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [5] * 80

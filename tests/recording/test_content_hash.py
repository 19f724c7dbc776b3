"""Equal content has one hash however it came about; any difference has another."""

import dataclasses
import hashlib
import math
import struct

import numpy as np
import orjson
import pytest

from tests.recording import records
from twin.contracts import IntervalBlock, IntervalRecord, TruthEntry
from twin.recording import RecordingError, content_hash

STORES = ("sqlite", "postgresql")

MANY = [record for number in range(1, 14) for record in records.batch(number)]


def recorded(create, name, appended, *, size=1_000, flush=True, **options):
    writer = create(name, **options)
    for first in range(0, len(appended), size):
        writer.append(appended[first : first + size])
        if flush:
            writer.flush()
    return writer


def test_batching_and_sealing_do_not_enter(create):
    hashes = set()
    for size in (1, 3, 50, 1_000):
        writer = recorded(create, f"by {size}", MANY, size=size)
        hashes.add(content_hash(writer.path))
        writer.close()
        hashes.add(content_hash(writer.path))
    assert len(hashes) == 1


def test_a_block_is_its_intervals(create):
    """Also when another block had the same channels in another order."""
    singles = [records.interval(number, meter=meter) for number in (1, 2) for meter in ("head", "feeder")]
    blocks = []
    for first, turn in ((0, 1), (2, -1)):
        pair = singles[first : first + 2]
        channels = tuple(pair[0].values)[::turn]
        values = np.array([[one.values[channel] for channel in channels] for one in pair])
        names = tuple(one.meter for one in pair)
        blocks.append(IntervalBlock(names, pair[0].end_ns, np.full(2, 900.0), channels, values))
    one, other = recorded(create, "singles", singles), recorded(create, "blocks", blocks)
    assert content_hash(one.path) == content_hash(other.path)
    stranger = dataclasses.replace(blocks[0], meters=("head", "nobody"))
    with pytest.raises(RecordingError, match="no meter 'nobody'"):
        other.append([stranger])


def test_the_order_of_meters_and_channels_does_not_enter(create):
    first = recorded(create, "first", [records.interval(1), records.interval(1, meter="feeder")])
    turned = dict(reversed(records.interval(1).values.items()))
    second = recorded(
        create,
        "second",
        [
            records.interval(1, meter="feeder", channels=("a",)),
            records.interval(1, meter="feeder"),
            IntervalRecord("head", records.interval(1).end_ns, 900.0, turned),
        ],
        meters=records.METERS[::-1],
        scenario={},
    )
    assert content_hash(first.path) != content_hash(second.path)
    third = recorded(create, "third", [records.interval(1, meter="feeder", channels=("a",))], size=1)
    third.append([records.interval(1), records.interval(1, meter="feeder")])
    third.close()
    assert content_hash(second.path) == content_hash(third.path)


@pytest.mark.parametrize("position", range(len(records.batch(1))))
def test_any_record_less_is_another_content(create, position):
    whole = records.batch(1)
    less = whole[:position] + whole[position + 1 :]
    first, second = recorded(create, "whole", whole), recorded(create, "less", less)
    assert content_hash(first.path) != content_hash(second.path)


def test_the_last_bit_counts(create):
    event = records.event(1)
    near = dataclasses.replace(event, extreme=math.nextafter(event.extreme, math.inf))
    interval = records.interval(1, channels=("x",))
    close = IntervalRecord("head", interval.end_ns, 900.0, {"x": math.nextafter(interval.values["x"], 0)})
    hashes = [
        content_hash(recorded(create, name, [one, other]).path)
        for name, one, other in (("a", event, interval), ("b", near, interval), ("c", event, close))
    ]
    assert len(set(hashes)) == 3


def test_one_nan_and_one_zero(create):
    def of(zero, nan):
        detail = {"a": zero, "b": {"c": [zero, -0.05]}}
        return [
            IntervalRecord("head", 1_000, 1.0, {"x": zero, "y": nan}),
            dataclasses.replace(records.event(1), extreme=zero, rated=nan),
            TruthEntry(1, "k", "e", "c", detail),
        ]

    other_nan = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_0001))[0]
    first = recorded(create, "first", of(0.0, math.nan))
    second = recorded(create, "second", of(-0.0, other_nan))
    assert content_hash(first.path) == content_hash(second.path)
    second.close()
    assert content_hash(first.path) == content_hash(second.path)


def test_an_independent_reckoning(create):
    """The hash from the records alone, by the layout that docs/recording.md gives."""
    event, truth, meter = records.event(2, ended=False), records.truth(3), records.METERS[0]
    intervals = [records.interval(n, channels=("b", "a")) for n in (1, 2)]
    writer = recorded(create, "small", [truth, event, *intervals], meters=[meter])

    def text(value):
        return b"s" + struct.pack("<q", len(value.encode())) + value.encode()

    def integer(value):
        return b"i" + struct.pack("<q", value)

    def real(value):
        return b"f" + struct.pack("<d", value)

    detail = orjson.dumps(truth.detail, option=orjson.OPT_SORT_KEYS).decode()
    expected = b"".join(
        [
            b"recording content 1\n",
            text("alarm"),
            text("command"),
            text("event"),
            b"r" + text("head") + integer(2) + text("over_current") + text("abc"),
            integer(event.start_ns) + integer(event.trigger_ns) + b"n",
            real(event.extreme) + real(event.threshold) + real(event.rated),
            text("meter"),
            b"r" + text("head") + text("kw320q") + text("transformer TR1 at 1"),
            real(230.94) + real(400.0),
            text("truth"),
            b"r" + integer(truth.time_ns) + text(truth.kind) + text(truth.element) + text(truth.cause),
            text(detail),
            text("waveform"),
            text("load_profile"),
            text("head") + text("a") + text("b"),
            hashlib.sha256(
                b"".join(
                    struct.pack("<qddd", one.end_ns, one.duration_s, one.values["a"], one.values["b"])
                    for one in intervals
                )
            ).digest(),
        ]
    )
    assert content_hash(writer.path) == hashlib.sha256(expected).hexdigest()

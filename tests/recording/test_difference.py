"""The first difference between two recordings, in words."""

import dataclasses
import math

import pytest

from tests.recording import records
from twin.recording import content_hash, first_difference

MANY = [
    record
    for number in range(1, 6)
    for record in (*records.batch(number), records.soe(number), records.terminal(number))
]


def written(create, name, appended):
    writer = create(name)
    writer.append(appended)
    writer.close()
    return writer.path


def changed(kind, **fields):
    """The records with the first of a kind changed."""
    at = next(at for at, record in enumerate(MANY) if type(record).__name__ == kind)
    return [*MANY[:at], dataclasses.replace(MANY[at], **fields), *MANY[at + 1 :]]


def test_equal_recordings_have_none(create):
    one, other = written(create, "one", MANY), written(create, "other", MANY)
    assert content_hash(one) == content_hash(other)
    assert first_difference(one, other) is None


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("EventRecord", {"extreme": 0.25}, "event meter head, number 1, start_ns"),
        ("AlarmRecord", {"value": math.nan}, "alarm meter head, channel"),
        ("SoeRecord", {"status": 63}, "soe meter head"),
        ("TerminalRecord", {"i": (1.0, 3.25, 0.5)}, "terminal meter head"),
        ("TruthEntry", {"cause": "nobody"}, "truth element"),
        ("WaveformRecord", {"reason": "swell"}, "waveform meter head, number"),
        ("CommandRecord", {"refusal": "sealed"}, "command sequence"),
    ],
)
def test_a_value_is_named_with_its_row(create, kind, fields, said):
    one, other = written(create, "one", MANY), written(create, "other", changed(kind, **fields))
    difference = first_difference(one, other)
    assert difference.startswith(said)
    (name, value), *_ = fields.items()
    if kind == "TerminalRecord":
        name, value = "i1", value[0]
    assert f"{name} " in difference.rpartition(": ")[2]
    assert difference.endswith("None" if name == "value" else repr(value))


def test_a_missing_row_is_named(create):
    at = next(at for at, record in enumerate(MANY) if type(record).__name__ == "EventRecord")
    one, other = written(create, "one", MANY), written(create, "other", MANY[:at] + MANY[at + 1 :])
    assert first_difference(one, other).startswith("event: only the first has meter head, number 1")
    assert first_difference(other, one).startswith("event: only the second has meter head, number 1")


def test_the_last_bit_of_a_load_profile_is_named(create):
    intervals = [records.interval(number) for number in range(1, 5)]
    third = intervals[2].values
    close = {**third, "v1_avg": math.nextafter(third["v1_avg"], math.inf)}
    turned = [*intervals[:2], dataclasses.replace(intervals[2], values=close), intervals[3]]
    one, other = written(create, "one", intervals), written(create, "other", turned)
    said = f"load_profile head, interval that ends at {intervals[2].end_ns} ns: v1_avg "
    assert first_difference(one, other).startswith(said)
    assert first_difference(one, other, until_ns=intervals[2].end_ns) is None
    shorter = written(create, "shorter", intervals[:3])
    assert first_difference(one, shorter) == (
        f"load_profile head: only one has the interval that ends at {intervals[3].end_ns} ns"
    )

"""The load profile reads the same while its days are hot, half sealed and all sealed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recording import records
from twin.contracts import IntervalRecord
from twin.recording import NotRecordedError, Recording, RecordingError
from twin.recording.load_profile import NS_PER_DAY, Piece, date_of, day_of, merge, span_of

STORES = ("sqlite", "postgresql")

DAYS = 4
PER_DAY = 96


def append_days(writer, days=DAYS):
    for number in range(1, days * PER_DAY + 1):
        writer.append([records.interval(number), records.interval(number, meter="feeder")])
        if number % 10 == 0:
            writer.flush()
    writer.flush()


def files(writer):
    return sorted(path.name for path in (writer.path / "load_profile").iterdir())


def assert_same(first, second):
    np.testing.assert_array_equal(first.end_ns, second.end_ns)
    np.testing.assert_array_equal(first.duration_s, second.duration_s)
    assert first.values.keys() == second.values.keys()
    for channel, values in first.values.items():
        np.testing.assert_array_equal(values, second.values[channel])


@pytest.mark.parametrize("store", ["sqlite"])
def test_days_are_sealed_when_complete_and_the_rest_at_close(create):
    writer = create()
    append_days(writer)
    # The last interval of day 4 ends at its midnight and belongs to it: days 3 and 4 are hot.
    assert files(writer) == ["2026-03-01-000001.parquet", "2026-03-02-000002.parquet"]
    before = Recording.open(writer.path).load_profile("head")
    assert before.end_ns.size == DAYS * PER_DAY
    expected = [records.interval(number) for number in range(1, DAYS * PER_DAY + 1)]
    assert before.end_ns.tolist() == [interval.end_ns for interval in expected]
    for channel in expected[0].values:
        assert before.values[channel].tolist() == [interval.values[channel] for interval in expected]
    assert set(before.duration_s.tolist()) == {900.0}

    writer.close()
    assert [name[:10] for name in files(writer)] == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]
    assert_same(before, Recording.open(writer.path).load_profile("head"))


def test_every_span_and_selection_is_the_same_before_and_after_sealing(create):
    writer = create()
    append_days(writer)
    recording = Recording.open(writer.path)
    rng = np.random.default_rng(20260301)
    queries = []
    for _ in range(12):
        bounds = rng.integers(records.START_NS, records.START_NS + DAYS * NS_PER_DAY, 2)
        start_ns, end_ns = sorted(int(bound) for bound in bounds)
        queries.append({"start_ns": start_ns, "end_ns": end_ns, "channels": ["v1_avg", "p_imp_wh"]})
    before = [recording.load_profile("feeder", **query) for query in queries]
    writer.close()
    for query, found in zip(queries, before, strict=True):
        assert list(found.values) == query["channels"]
        assert ((found.end_ns > query["start_ns"]) & (found.end_ns <= query["end_ns"])).all()
        assert_same(found, recording.load_profile("feeder", **query))
    assert sum(found.end_ns.size for found in before) > 0


def test_a_day_between_its_midnights_has_its_96_quarters(create):
    writer = create()
    append_days(writer)
    recording = Recording.open(writer.path)
    for day in range(DAYS):
        start_ns = records.START_NS + day * NS_PER_DAY
        found = recording.load_profile("head", start_ns=start_ns, end_ns=start_ns + NS_PER_DAY)
        assert found.end_ns.size == PER_DAY
        assert found.end_ns[0] == start_ns + 900 * records.NS
        assert found.end_ns[-1] == start_ns + NS_PER_DAY


def test_meters_may_have_different_channels(create):
    writer = create()
    writer.append(
        [
            records.interval(1, channels=("p_imp_wh", "v1_avg")),
            records.interval(1, meter="feeder", channels=("p_max",)),
            # The same channels in another order are the same set.
            records.interval(2, channels=("v1_avg", "p_imp_wh")),
            # From here on the meter records one channel more.
            records.interval(3, channels=("p_imp_wh", "v1_avg", "p_max")),
        ]
    )
    writer.flush()
    recording = Recording.open(writer.path)

    def check():
        assert recording.channels("feeder") == ("p_max",)
        assert recording.channels("head") == ("p_imp_wh", "v1_avg", "p_max")
        found = recording.load_profile("head")
        assert [(end - records.START_NS) // (900 * records.NS) for end in found.end_ns.tolist()] == [1, 2, 3]
        assert found.values["v1_avg"].tolist() == [
            1e3 * np.sin(1 + 1),
            1e3 * np.sin(2 + 0),
            1e3 * np.sin(3 + 1),
        ]
        assert np.isnan(found.values["p_max"]).tolist() == [True, True, False]
        assert list(recording.load_profile("feeder").values) == ["p_max"]

    check()
    writer.close()
    check()


def test_two_profiles_of_one_meter_share_the_instants_at_which_both_end(create):
    writer = create()
    quarter = records.interval(1, channels=("p_max",))
    fives = [records.interval(n, every_s=300.0, channels=("v1_avg",)) for n in (1, 2, 3)]
    writer.append([*fives, quarter])
    writer.flush()
    found = Recording.open(writer.path).load_profile("head")
    assert found.end_ns.tolist() == [interval.end_ns for interval in fives]
    assert np.isnan(found.values["p_max"]).tolist() == [True, True, False]
    assert not np.isnan(found.values["v1_avg"]).any()


def test_a_late_correction_replaces_a_sealed_interval(create):
    writer = create()
    append_days(writer)
    corrected = IntervalRecord("head", records.interval(5).end_ns, 900.0, {**records.interval(5).values})
    corrected.values["v1_avg"] = -1.0
    writer.append([corrected])
    writer.flush()
    recording = Recording.open(writer.path)
    assert recording.load_profile("head").values["v1_avg"][4] == -1.0
    writer.close()
    found = recording.load_profile("head")
    assert found.values["v1_avg"][4] == -1.0
    assert found.end_ns.size == DAYS * PER_DAY


def test_a_missing_value_is_nan_before_and_after_sealing(create):
    writer = create()
    gap = IntervalRecord("head", records.START_NS + 1, 0.5, {"v1_avg": math.nan, "p_max": math.inf})
    writer.append([gap])
    writer.flush()
    recording = Recording.open(writer.path)
    for _ in range(2):
        found = recording.load_profile("head")
        assert math.isnan(found.values["v1_avg"][0])
        assert found.values["p_max"].tolist() == [math.inf]
        assert found.duration_s.tolist() == [0.5]
        writer.close()


def test_what_was_not_recorded_is_named(create):
    writer = create()
    recording = Recording.open(writer.path)
    with pytest.raises(NotRecordedError, match="no meter 'tail'; it has head, feeder"):
        recording.load_profile("tail")
    early = recording.load_profile("head", channels=["v1_avg"])
    assert (early.end_ns.size, early.values["v1_avg"].size) == (0, 0)
    writer.append([records.interval(1)])
    writer.flush()
    with pytest.raises(NotRecordedError, match="records no v9; its channels are p_imp_wh"):
        recording.load_profile("head", channels=["v1_avg", "v9"])


@pytest.mark.parametrize("names", [("p", "P"), ("end_ns",), ('x"y',), ("",), ("1p",), ()])
def test_channel_names_that_cannot_be_columns_are_refused(create, names):
    writer = create()
    with pytest.raises(RecordingError, match=r"cannot name a column|has no channels"):
        writer.append([IntervalRecord("head", 1, 1.0, dict.fromkeys(names, 1.0))])


def test_midnight_ends_its_day():
    assert day_of(records.START_NS) == day_of(records.START_NS + 1) - 1
    assert date_of(day_of(records.START_NS + 1)) == "2026-03-01"
    assert span_of(day_of(records.START_NS + 1))[0] == records.START_NS


@given(st.lists(st.dictionaries(st.integers(-50, 50), st.floats(allow_nan=False)), max_size=5))
def test_merging_is_a_dictionary_update(parts):
    """The plain twin of ``merge``: a later piece updates a dictionary of an earlier one."""
    expected = {}
    pieces = []
    for part in parts:
        ordered = dict(sorted(part.items()))
        expected.update(ordered)
        ends = np.array(list(ordered), dtype=np.int64)
        values = np.array(list(ordered.values()), dtype=np.float64)
        pieces.append(Piece(ends, np.ones(ends.size), ("x",), values[:, np.newaxis]))
    merged = merge(pieces, ["x"])
    assert dict(zip(merged.end_ns.tolist(), merged.values["x"].tolist(), strict=True)) == expected
    assert merged.end_ns.tolist() == sorted(expected)

"""CSV and Parquet for other programs carry the recorded numbers."""

import csv
import io
import math

import numpy as np
import pytest
from pyarrow import parquet

from tests.recording import records
from twin.contracts import IntervalRecord
from twin.recording import (
    NotRecordedError,
    Recording,
    RecordingPathError,
    export_load_profile_csv,
    export_load_profile_parquet,
    export_waveform_csv,
)

STORES = ("sqlite", "postgresql")


@pytest.fixture
def recording(create):
    writer = create()
    writer.append([records.interval(n, meter=meter) for n in range(1, 200) for meter in ("head", "feeder")])
    odd = IntervalRecord("feeder", records.START_NS + 1_500_000_000, 1.5, {"p_max": math.nan, "f": 0.1 + 0.2})
    writer.append([odd])
    writer.flush()
    return Recording.open(writer.path)


def test_waveform_csv_gives_back_the_counts():
    record = records.waveform(3)
    lines = list(csv.reader(io.StringIO(export_waveform_csv(record))))
    assert lines[0] == ["time_s", "va_v", "vb_v", "vc_v", "ia_a", "ib_a", "ic_a"]
    table = np.array(lines[1:], dtype=float)
    assert table.shape == (320, 7)
    np.testing.assert_allclose(table[:, 0], np.arange(320) / 1_600, rtol=0, atol=1e-9)
    counts = np.rint(table[:, 1:].T / np.array(record.scale)[:, np.newaxis])
    np.testing.assert_array_equal(counts, record.raw)
    assert lines[1 + 7][1] == f"{record.raw[0, 7] * 0.1:.9g}"


def test_load_profile_csv(recording):
    lines = list(csv.DictReader(io.StringIO(export_load_profile_csv(recording))))
    assert len(lines) == 2 * 199 + 1
    assert [line["meter"] for line in lines] == ["feeder"] * 200 + ["head"] * 199
    odd = lines[0]
    assert odd["end_utc"] == "2026-03-01T00:00:01.5Z"
    assert (odd["duration_s"], odd["p_max"], odd["f"], odd["v1_avg"]) == ("1.5", "", repr(0.1 + 0.2), "")
    head = recording.load_profile("head")
    assert [float(line["v1_avg"]) for line in lines[200:]] == head.values["v1_avg"].tolist()
    assert [int(line["end_ns"]) for line in lines[200:]] == head.end_ns.tolist()
    assert lines[200]["end_utc"] == "2026-03-01T00:15:00Z"


def test_load_profile_csv_of_one_meter(recording):
    lines = list(csv.DictReader(io.StringIO(export_load_profile_csv(recording, meter="head"))))
    assert "p_max" not in lines[0]
    assert {line["meter"] for line in lines} == {"head"}
    with pytest.raises(NotRecordedError, match="no meter 'tail'"):
        export_load_profile_csv(recording, meter="tail")


def test_load_profile_parquet(recording, tmp_path):
    export_load_profile_parquet(recording, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    frame = table.to_pandas()
    assert len(frame) == 399
    head = frame[frame.meter == "head"]
    profile = recording.load_profile("head")
    assert head.v1_avg.tolist() == profile.values["v1_avg"].tolist()
    assert head.end_utc.astype("int64").tolist() == profile.end_ns.tolist()
    assert str(frame.end_utc.iloc[0]) == "2026-03-01 00:00:01.500000+00:00"
    assert table["p_max"].null_count == 399


def test_an_unwritable_parquet_file_is_named(recording, tmp_path):
    with pytest.raises(RecordingPathError, match=r"none/out.parquet: cannot write"):
        export_load_profile_parquet(recording, tmp_path / "none" / "out.parquet")

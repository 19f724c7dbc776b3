"""Programs that know nothing of this package read a recording as docs/recording.md shows."""

import sqlite3
from contextlib import closing

import duckdb
import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from tests.recording import records
from twin.recording.tables import SCHEMA_VERSION


@pytest.fixture
def recording(create):
    """Ten six-hour steps: two days sealed, the rest hot."""
    writer = create()
    for number in range(1, 11):
        writer.append(records.batch(number))
        writer.flush()
    return writer


def test_sqlite_reads_every_table(recording):
    with closing(sqlite3.connect(recording.path / "recording.sqlite")) as connection:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        assert (meta["format"], meta["schema_version"]) == ("twin recording", str(SCHEMA_VERSION))
        names = [row[0] for row in connection.execute("SELECT name FROM meter ORDER BY position")]
        assert names == ["head", "feeder"]
        for table in ("event", "alarm", "command", "truth", "waveform"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (10,)
        deepest = "SELECT number, extreme FROM event WHERE type = 'sag' ORDER BY extreme LIMIT 1"
        assert connection.execute(deepest).fetchone() == (3, records.event(3).extreme)
        delta = "SELECT json_extract(detail_json, '$.delta_p_w') FROM truth WHERE element = 'LOAD3'"
        assert connection.execute(delta).fetchone() == (-2000.0,)
        raw, samples = connection.execute("SELECT raw, samples FROM waveform WHERE number = 4").fetchone()
        counts = np.frombuffer(raw, dtype="<i2").reshape(-1, samples)
        np.testing.assert_array_equal(counts, records.waveform(4, samples=8).raw)


def manifest(recording, channel_set):
    query = "SELECT file FROM segment WHERE channel_set = ? ORDER BY id"
    with closing(sqlite3.connect(recording.path / "recording.sqlite")) as connection:
        hot = connection.execute(f"SELECT count(*) FROM load_profile_{channel_set}").fetchone()[0]
        files = [str(recording.path / row[0]) for row in connection.execute(query, (channel_set,))]
        return files, hot


def test_pyarrow_reads_sealed_days(recording):
    files, hot = manifest(recording, 1)
    tables = [parquet.read_table(file) for file in files]
    assert sum(table.num_rows for table in tables) + hot == 10
    assert tables[0].column_names == ["meter", "end_ns", "duration_s", "p_imp_wh", "q_imp_varh", "v1_avg"]
    ends = [end for table in tables for end in table["end_ns"].to_pylist()]
    assert ends == [records.interval(n, every_s=records.STEP_S).end_ns for n in range(1, len(ends) + 1)]
    compression = parquet.ParquetFile(files[0]).metadata.row_group(0).column(0).compression
    assert compression == "ZSTD"


def test_segments_are_sorted_by_meter_and_time(create):
    writer = create()
    writer.append([records.interval(n, meter=m) for n in range(1, 97) for m in ("head", "feeder")])
    writer.close()
    files, hot = manifest(writer, 1)
    table = parquet.read_table(files[0])
    keys = list(zip(table["meter"].to_pylist(), table["end_ns"].to_pylist(), strict=True))
    assert (len(files), hot, len(keys)) == (1, 0, 192)
    assert keys == sorted(keys)


def test_duckdb_and_pandas_read_sealed_days(recording):
    recording.close()
    files, hot = manifest(recording, 1)
    assert hot == 0
    with duckdb.connect() as connection:
        query = """
            SELECT make_timestamp(end_ns // 1000) AS end_utc, max(v1_avg) FROM read_parquet(?)
            WHERE meter = 'head' GROUP BY end_utc ORDER BY end_utc
        """
        found = connection.execute(query, [files]).fetchall()
    assert len(found) == 10
    assert [f"{end:%d %H:%M}" for end, _ in found[:5]] == [
        "01 06:00",
        "01 12:00",
        "01 18:00",
        "02 00:00",
        "02 06:00",
    ]
    frame = pd.concat([pd.read_parquet(file) for file in files])
    assert frame.v1_avg.tolist() == [highest for _, highest in found]
    with closing(sqlite3.connect(recording.path / "recording.sqlite")) as connection:
        events = pd.read_sql_query("SELECT * FROM event", connection)
    assert events.extreme.tolist() == [records.event(n).extreme for n in range(1, 11)]

"""What was flushed stays: over kills, interruptions and full disks; readers may watch meanwhile."""

import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.recording import records
from twin.recording import Recording, RecordingError, RecordingPathError, RecordingWriter, content_hash

ROOT = Path(__file__).parents[2]


def start(role, path):
    command = [sys.executable, "-m", "tests.recording.processes", role, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_another_process_watches_while_the_writer_writes(create):
    writer = create()
    with start("watch", writer.path) as watcher:
        assert watcher.stdout.readline() == "0\n"
        for number in range(1, 81):
            writer.append(records.batch(number))
            writer.flush()
            if number % 20 == 0:
                while int(watcher.stdout.readline()) < number:
                    pass
        writer.close()
        seen = [int(line) for line in watcher.stdout]
    assert watcher.returncode == 0
    assert seen[-1] == 80
    assert seen == sorted(seen)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_flush_is_seen_at_once(create):
    writer = create()
    recording = Recording.open(writer.path)
    for number in range(1, 20):
        writer.append(records.batch(number))
        writer.flush()
        assert recording.truth(limit=1) == [records.truth(number)]
        assert recording.load_profile("feeder").end_ns.size == number


def test_a_full_disk_is_named_and_nothing_is_lost(create):
    writer = create(flush_records=10_000, flush_interval_s=1e9)
    writer.append([records.truth(0)])
    writer.flush()
    size = (writer.path / "recording.sqlite-wal").stat().st_size
    many = [records.truth(number) for number in range(1, 4_000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer.append(many)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, hard))
    try:
        with pytest.raises(RecordingPathError, match=r"recording: cannot write: .*; free space") as caught:
            writer.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(writer.path) in str(caught.value)
    recording = Recording.open(writer.path)
    assert recording.truth() == [records.truth(0)]
    writer.flush()
    assert recording.truth() == [records.truth(0), *many]


def test_a_batch_is_committed_whole_or_not_at_all(tmp_path):
    writer = RecordingWriter.create(tmp_path / "r", scenario={}, meters=records.METERS)
    writer.append([records.truth(1), records.alarm(1), records.interval(1)])
    misfit = records.truth(2)
    object.__setattr__(misfit, "cause", None)
    writer.append([misfit])
    for attempt in (writer.flush, writer.close):
        with pytest.raises(RecordingError, match=r"does not fit its table: .*truth.cause; mend the program"):
            attempt()
    recording = Recording.open(tmp_path / "r")
    assert (recording.truth(), recording.alarms()) == ([], [])
    assert recording.load_profile("head").end_ns.size == 0
    assert not recording.info.complete


def test_a_day_that_cannot_be_sealed_stays_hot(create):
    writer = create(flush_interval_s=1e9)
    folder, aside = writer.path / "load_profile", writer.path / "aside"
    folder.rename(aside)
    for number in range(1, 9):
        writer.append(records.batch(number))
    writer.flush()
    writer.append(records.batch(9))
    with pytest.raises(RecordingPathError, match="cannot write"):
        writer.flush()  # the first interval of the third day: the first day is due
    recording = Recording.open(writer.path)
    before = recording.load_profile("head")
    assert before.end_ns.size == 9
    aside.rename(folder)
    writer.append(records.batch(10))
    writer.flush()
    assert len(list(folder.iterdir())) == 2, "one per set of channels"
    assert recording.load_profile("head").end_ns.size == 10


def test_a_closed_recording_is_plain_files(create):
    writer = create()
    writer.append(records.batch(1))
    writer.close()
    assert sorted(path.name for path in writer.path.iterdir()) == ["load_profile", "recording.sqlite"]
    database = f"{(writer.path / 'recording.sqlite').as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT count(*) FROM truth").fetchone() == (1,)


def test_a_reader_at_work_does_not_keep_the_writer_from_closing(create):
    writer = create()
    writer.append(records.batch(1))
    writer.flush()
    database = f"{(writer.path / 'recording.sqlite').as_uri()}?mode=ro"
    with closing(sqlite3.connect(database, uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM load_profile_1").fetchone() == (1,)
        writer.append(records.batch(2))
        writer.close()
        assert reader.execute("SELECT count(*) FROM load_profile_1").fetchone() == (1,)
    recording = Recording.open(writer.path)
    assert recording.info.complete
    assert recording.load_profile("head").end_ns.size == 2
    assert recording.truth() == [records.truth(1), records.truth(2)]


class Interrupting:
    """A connection on which the user presses Ctrl-C right after the next commit."""

    def __init__(self, connection):
        self.connection = connection
        self.armed = True

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def execute(self, statement, *parameters):
        result = self.connection.execute(statement, *parameters)
        if statement == "COMMIT" and self.armed:
            self.armed = False
            raise KeyboardInterrupt
        return result


def test_an_interrupt_after_the_commit_duplicates_nothing(create):
    writer = create()
    writer.append(records.batch(1))
    writer._store.connection = Interrupting(writer._store.connection)
    with pytest.raises(KeyboardInterrupt):
        writer.flush()
    writer.append(records.batch(2))
    writer.close()
    recording = Recording.open(writer.path)
    assert recording.truth() == [records.truth(1), records.truth(2)]
    assert recording.alarms() == [records.alarm(1), records.alarm(2)]


def test_an_interrupt_while_sealing_seals_once(create):
    writer = create()
    for number in range(1, 9):
        writer.append(records.batch(number))
    writer.flush()
    real = writer._store.connection
    writer._store.connection = Interrupting(real)
    with pytest.raises(KeyboardInterrupt):
        writer._seal_before(10**6)
    writer._store.connection = real
    writer.close()
    recording = Recording.open(writer.path)
    assert recording.load_profile("head").end_ns.size == 8
    assert len(list((writer.path / "load_profile").iterdir())) == 4


def test_a_lost_segment_is_named(create):
    writer = create()
    writer.append(records.batch(1))
    writer.close()
    for file in (writer.path / "load_profile").iterdir():
        file.write_bytes(b"PAR1")
    with pytest.raises(RecordingPathError, match=r"2026-03-01-000001.parquet: cannot read a sealed day"):
        Recording.open(writer.path).load_profile("head")
    for file in (writer.path / "load_profile").iterdir():
        file.unlink()
    with pytest.raises(RecordingPathError, match="restore the file"):
        Recording.open(writer.path).load_profile("head")
    with pytest.raises(RecordingPathError, match="restore the file"):
        content_hash(writer.path)

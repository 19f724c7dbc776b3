"""A recording of an older schema is read as it is, and goes on after it has been brought up to date.

``version_1`` is a closed recording of ``records.batch(1)`` to ``batch(5)``, written when the schema was new.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.recording import records
from twin.cli import main
from twin.recording import Recording, RecordingPathError, RecordingWriter, content_hash
from twin.recording.migrations import POSTGRESQL_MIGRATIONS, SQLITE_MIGRATIONS, migrate
from twin.recording.tables import SCHEMA_VERSION

VERSION_1 = Path(__file__).parent / "version_1"
HASH = "0e50091f26f84b42e1c24d0ce1616382195730d22a9813f2f386672f0bca75eb"
"""As the software of then printed it."""


@pytest.fixture
def old(tmp_path):
    return Path(shutil.copytree(VERSION_1, tmp_path / "old"))


def tables(path):
    """Columns of every table, with their types and places in the key."""
    with closing(sqlite3.connect(path / "recording.sqlite")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in names}


def shape(path):
    """The same without what SQLite says of keys that count themselves: they are never NULL."""
    found = tables(path)
    return {
        name: [(column, kind, key) for _, column, kind, _, _, key in columns]
        for name, columns in found.items()
    }


def test_an_old_recording_is_read_without_being_touched(old):
    before = {file: file.read_bytes() for file in old.rglob("*") if file.is_file()}
    recording = Recording.open(old)
    assert recording.truth() == [records.truth(n) for n in range(1, 6)]
    assert recording.load_profile("head").end_ns.size == 5
    assert recording.registers("head", 0) == []
    assert recording.register_points("head") == []
    assert recording.path == old
    assert recording.info.schema_version == 1, "what the recording is, not how it is read"
    assert content_hash(old) == HASH
    del recording
    assert {file: file.read_bytes() for file in old.rglob("*") if file.is_file()} == before


def test_it_can_be_read_from_where_nothing_can_be_written(old):
    old.chmod(0o555)
    (old / "recording.sqlite").chmod(0o444)
    assert Recording.open(old).events() == [records.event(n) for n in range(1, 6)]
    old.chmod(0o755)


def test_migrated_it_has_the_present_schema_and_the_same_content(old, create):
    assert main(["recording", "migrate", str(old)]) == 0
    fresh = create("fresh")
    for number in range(1, 6):
        fresh.append(records.batch(number))
    fresh.close()
    assert shape(old) == shape(fresh.path)
    assert Recording.open(old).info.schema_version == SCHEMA_VERSION
    assert content_hash(old) == content_hash(fresh.path) == HASH


def test_migrated_it_goes_on(old):
    with RecordingWriter.reopen(old) as writer:
        writer.append(records.batch(6))
        writer.append([records.register(1)])
    recording = Recording.open(old)
    assert recording.truth() == [records.truth(n) for n in range(1, 7)]
    assert recording.registers("head", 100) == [records.register(1)]
    assert recording.load_profile("head").end_ns.size == 6


def test_a_migration_that_fails_changes_nothing(old, monkeypatch):
    broken = {1: (*SQLITE_MIGRATIONS[1], "CREATE TABLE meter (again TEXT)")}
    monkeypatch.setattr("twin.recording.sqlite_store.SqliteWriterStore.migrations", broken)
    with pytest.raises(RecordingPathError, match="table meter already exists"):
        RecordingWriter.reopen(old)
    assert "register_change" not in tables(old)
    assert content_hash(old) == HASH


def test_every_version_has_its_step():
    assert sorted(SQLITE_MIGRATIONS) == list(range(1, SCHEMA_VERSION))
    assert sorted(POSTGRESQL_MIGRATIONS) == list(range(2, SCHEMA_VERSION)), "2 is the first in PostgreSQL"


def test_steps_run_in_order_from_the_version_on():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        steps = {
            0: ("CREATE TABLE x (a INTEGER)",),
            1: ("ALTER TABLE x ADD COLUMN b INTEGER", "INSERT INTO x VALUES (1, 2)"),
            **dict.fromkeys(range(2, SCHEMA_VERSION), ()),
        }
        migrate(connection, 0, steps)
        assert connection.execute("SELECT a, b FROM x").fetchall() == [(1, 2)]


def test_an_older_run_in_a_database_says_how_to_go_on(postgres):
    place = f"{postgres.url}?run=older"
    RecordingWriter.create(place, scenario={}, meters=records.METERS).close()
    import psycopg

    with psycopg.connect(postgres.url) as connection:
        connection.execute("UPDATE older.meta SET value = '1' WHERE key = 'schema_version'")
    with pytest.raises(RecordingPathError, match=r"older schema 1; run: twin recording migrate 'postgresql"):
        Recording.open(place)


def test_a_run_of_version_2_in_a_database_gets_the_present_tables(postgres):
    import psycopg

    def columns(connection, run):
        return connection.execute(
            "SELECT column_name, data_type, is_nullable, is_identity, collation_name"
            " FROM information_schema.columns WHERE table_schema = %s AND table_name IN ('soe', 'terminal')"
            " ORDER BY table_name, column_name",
            (run,),
        ).fetchall()

    for run in ("second", "present"):
        RecordingWriter.create(f"{postgres.url}?run={run}", scenario={}, meters=records.METERS).close()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("DROP TABLE second.soe")
        connection.execute("DROP TABLE second.terminal")
        connection.execute("UPDATE second.meta SET value = '2' WHERE key = 'schema_version'")
    assert main(["recording", "migrate", f"{postgres.url}?run=second"]) == 0
    with psycopg.connect(postgres.url) as connection:
        assert columns(connection, "second") == columns(connection, "present") != []
    with RecordingWriter.reopen(f"{postgres.url}?run=second") as writer:
        writer.append([records.soe(1), records.terminal(1)])
    assert Recording.open(f"{postgres.url}?run=second").soe() == [records.soe(1)]
    assert Recording.open(f"{postgres.url}?run=second").terminals() == [records.terminal(1)]

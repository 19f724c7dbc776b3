"""What only a database can do to a recording: many runs, lost connections, strangers, passwords."""

import signal
import time

import pytest

from tests.postgres import Server, missing
from tests.recording import records
from twin.recording import (
    DatabasePlace,
    Recording,
    RecordingError,
    RecordingPathError,
    RecordingWriter,
    place_of,
)
from twin.recording.tables import TABLES


def create(place, **options):
    settings = {"scenario": records.SCENARIO, "meters": records.METERS, **options}
    return RecordingWriter.create(place, **settings)


@pytest.fixture(scope="module")
def private():
    """A server of this module's own, to be stopped and started."""
    pytest.importorskip("psycopg")
    if reason := missing():
        pytest.skip(reason)
    server = Server()
    yield server
    server.close()


def test_a_url_names_database_and_run():
    place = place_of("postgresql://me:secret@db.example:5433/site?sslmode=require&run=day-1")
    assert place == DatabasePlace("postgresql://me:secret@db.example:5433/site?sslmode=require", "day-1")
    assert str(place) == "postgresql://me@db.example:5433/site?sslmode=require&run=day-1"
    assert str(place_of("postgresql:///site?password=secret")) == "postgresql:///site"
    assert str(place_of("recordings/postgresql")) == "recordings/postgresql"


@pytest.mark.parametrize("run", ["pg_temp", "public", "information_schema", 'x"; DROP', "", "-x", "x" * 64])
def test_a_run_has_a_plain_name(run):
    with pytest.raises(RecordingPathError, match="cannot name a run"):
        place_of("postgresql://localhost/site").with_run(run)


def test_runs_of_one_database_do_not_meet(private):
    with pytest.raises(RecordingPathError, match=r"which run is not said, it has none"):
        Recording.open(private.url)
    with create(f"{private.url}?run=one") as first:
        first.append([records.truth(1)])
        alone = Recording.open(private.url)
        assert str(alone.path) == f"{private.url}?run=one"
        with create(f"{private.url}?run=Two.2") as second:
            second.append(records.batch(2))
    assert alone.truth() == [records.truth(1)]
    assert Recording.open(f"{private.url}?run=Two.2").truth() == [records.truth(2)]
    with pytest.raises(RecordingPathError, match=r"which run is not said, it has Two.2, one; name one by"):
        Recording.open(private.url)
    with pytest.raises(RecordingPathError, match=r"no recording 'two' there, it has Two.2, one"):
        Recording.open(f"{private.url}?run=two")


def test_a_run_is_replaced_only_on_request(private):
    place = f"{private.url}?run=replaced"
    with create(place) as writer:
        writer.append(records.batch(1))
    with pytest.raises(RecordingPathError, match="holds a recording already; name another run"):
        create(place)
    assert len(Recording.open(place).truth()) == 1
    create(place, overwrite=True).close()
    assert Recording.open(place).truth() == []
    assert Recording.open(place).channels("head") == ()


def test_a_schema_of_somebody_else_is_never_replaced(private):
    import psycopg

    with psycopg.connect(private.url) as connection:
        connection.execute("CREATE SCHEMA thesis")
        connection.execute("CREATE TABLE thesis.meta (years integer)")
    with pytest.raises(RecordingPathError, match="the schema 'thesis' holds something else"):
        create(f"{private.url}?run=thesis", overwrite=True)
    with pytest.raises(RecordingPathError, match="no recording 'thesis' there"):
        Recording.open(f"{private.url}?run=thesis")


def test_an_interrupted_creation_leaves_nothing(private, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("twin.recording.postgres_store.rows.meter_row", interrupted)
        with pytest.raises(KeyboardInterrupt):
            create(f"{private.url}?run=half")
    create(f"{private.url}?run=half").close()


@pytest.mark.parametrize("rows", [1, 50], ids=["single", "copied"])
def test_a_misfit_is_named_and_the_batch_undone(private, rows):
    place = f"{private.url}?run=misfit{rows}"
    writer = create(place)
    writer.append([*(records.truth(n) for n in range(rows)), records.interval(1)])
    misfit = records.truth(2)
    object.__setattr__(misfit, "cause", None)
    writer.append([misfit])
    for attempt in (writer.flush, writer.close):
        with pytest.raises(RecordingError, match=r'does not fit its table: .*"cause".*; mend the program'):
            attempt()
    recording = Recording.open(place)
    assert (recording.truth(), recording.load_profile("head").end_ns.size) == ([], 0)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_writer_outlives_the_server(private, how):
    place = f"{private.url}?run=lost-{how}"
    writer = create(place, flush_interval_s=1e9, flush_records=20)
    writer.append(records.batch(1))
    writer.flush()
    private.stop(how=how)
    writer.append(records.batch(2))
    for _ in range(2):
        with pytest.raises(RecordingPathError, match=r"cannot write: .*; mend the database"):
            writer.flush()
    with pytest.raises(RecordingPathError, match="cannot read the recording"):
        Recording.open(place)
    writer.append(records.batch(3))
    # 21 records: a flush is due, and fails, but what was appended is kept all the same.
    with pytest.raises(RecordingPathError, match="cannot write"):
        writer.append([*records.batch(4), records.interval(5, channels=("new",))])
    writer.append(records.batch(6))  # not again with every record
    private.start()
    writer.append(records.batch(7))
    writer.close()
    recording = Recording.open(place)
    assert recording.truth() == [records.truth(n) for n in (1, 2, 3, 4, 6, 7)]
    assert recording.alarms() == [records.alarm(n) for n in (1, 2, 3, 4, 6, 7)]
    assert recording.load_profile("head", channels=["new"]).end_ns.size == 7
    assert recording.info.complete


def test_a_server_that_does_not_answer_is_not_asked_all_the_time(private, monkeypatch):
    import psycopg

    writer = create(f"{private.url}?run=silent")
    writer._store.connection.driver.close()
    asked = []

    def silent(*_):
        asked.append(time.monotonic())
        time.sleep(0.05)
        msg = "timeout expired"
        raise psycopg.OperationalError(msg)

    with monkeypatch.context() as patch:
        patch.setattr("twin.recording.postgres_store._connect", silent)
        writer.append([records.truth(1)])
        for said in ("timeout expired", "does not answer", "does not answer"):
            with pytest.raises(RecordingPathError, match=said):
                writer.flush()
    assert len(asked) == 1
    time.sleep(0.5)
    writer.close()
    assert Recording.open(f"{private.url}?run=silent").truth() == [records.truth(1)]


class Interrupting:
    """A connection on which the user presses Ctrl-C right after the next commit."""

    def __init__(self, connection):
        self.connection = connection
        self.driver = connection.driver

    def execute(self, statement, *parameters):
        result = self.connection.execute(statement, *parameters)
        if statement == "COMMIT":
            raise KeyboardInterrupt
        return result


def test_an_interrupt_after_the_commit_duplicates_nothing(private):
    place = f"{private.url}?run=interrupted"
    writer = create(place)
    writer.append(records.batch(1))
    real, writer._store.connection = writer._store.connection, Interrupting(writer._store.connection)
    with pytest.raises(KeyboardInterrupt):
        writer.flush()
    writer._store.connection = real
    writer.append(records.batch(2))
    writer.close()
    assert Recording.open(place).truth() == [records.truth(1), records.truth(2)]


def test_a_reader_sees_one_commit(private):
    place = f"{private.url}?run=snapshot"
    with create(place) as writer:
        writer.append(records.batch(1))
        writer.flush()
        with Recording.open(place)._source.snapshot() as connection:
            before = connection.execute("SELECT count(*) FROM truth").fetchone()
            writer.append(records.batch(2))
            writer.flush()
            assert connection.execute("SELECT count(*) FROM truth").fetchone() == before == (1,)


def test_the_database_says_what_its_columns_hold(private):
    import psycopg

    create(f"{private.url}?run=described").close()
    notes = {
        (table.name, column.name): column.note for table in TABLES for column in table.columns if column.note
    }
    query = """
        SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'described'::regnamespace AND col_description(c.oid, a.attnum) IS NOT NULL
    """
    with psycopg.connect(private.url) as connection:
        found = connection.execute(query).fetchall()
    assert {(table, column): note for table, column, note in found} == notes


def test_without_psycopg_the_mend_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RecordingPathError, match=r"need psycopg; run: pip install 'site-twin\[postgresql\]'"):
        create("postgresql://localhost/site?run=x")
    with pytest.raises(RecordingPathError, match="need psycopg"):
        Recording.open("postgresql://localhost/site")

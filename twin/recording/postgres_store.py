"""The step up: a run is a schema of a PostgreSQL database, with the same tables.

All of the load profile stays in the database. psycopg (LGPL, extra ``postgresql``) is imported on use.
"""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from twin.contracts import IntervalBlock, MeterInfo
from twin.recording import rows, sql
from twin.recording.database import Connection, Cursor, Parameters
from twin.recording.ddl import postgresql_statements
from twin.recording.errors import RecordingError, RecordingPathError
from twin.recording.load_profile import Piece
from twin.recording.migrations import POSTGRESQL_MIGRATIONS
from twin.recording.places import DatabasePlace
from twin.recording.rows import Row
from twin.recording.tables import FORMAT, META, METER, TABLES, Table, profile_table

if TYPE_CHECKING:
    import psycopg

_RUNS = """
SELECT nspname FROM pg_namespace
WHERE obj_description(oid, 'pg_namespace') = ? AND has_schema_privilege(oid, 'USAGE') ORDER BY nspname
"""
_DESCRIBED = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = ?"
_CLAIM = "SELECT pg_try_advisory_lock(hashtextextended(?, 0))"
_SETTING = "SELECT set_config(?, ?, false)"
_FEW = 10
"""Rows up to which single insertions, sent without waiting for their answers, are faster than COPY."""
_PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""How long a server may stay silent, unless the URL says otherwise [s, ms]."""
_VALUE = re.compile(r"\?|:(\w+)")


class PostgresConnection:
    """A connection of psycopg that takes the statements of ``sql``."""

    def __init__(self, driver: "psycopg.Connection[Any]") -> None:
        self.driver = driver

    def execute(self, statement: str, parameters: Parameters = (), /) -> Cursor:
        """Run a statement."""
        if not parameters:
            return self.driver.execute(statement.encode())
        return self.driver.execute(_translated(statement), parameters)


class PostgresWriterStore:
    """A run in a database, claimed for one writer; a lost connection is made anew by the next use.

    Raises
    ------
    RecordingPathError
        When the database cannot be reached, or another writer has the run.
    """

    seals = False
    migrations = POSTGRESQL_MIGRATIONS

    def __init__(self, place: DatabasePlace) -> None:
        self.place = place
        self._run = place.named_run
        self._within = False
        self._next_attempt = 0.0
        with self.failing():
            self.connection = self._claimed()

    @classmethod
    def created(
        cls,
        place: DatabasePlace,
        *,
        meta: Mapping[str, str],
        meters: Sequence[MeterInfo],
        overwrite: bool,
    ) -> Self:
        """Create an empty run, whole or not at all, and return its store.

        Raises
        ------
        RecordingPathError
            When the name is taken, the run in use, or the database cannot be reached or written.
        """
        store = cls(place)
        try:
            store._fill(meta, meters, overwrite=overwrite)
        except BaseException:
            store.close()
            raise
        return store

    def execute(self, statement: str, parameters: Parameters = (), /) -> Cursor:
        """Run a statement."""
        if self.connection.driver.closed and not self._within:
            self.connection = self._claimed_anew()
        return self.connection.execute(statement, parameters)

    def create(self, table: Table) -> None:
        """Create a table, inside a transaction."""
        for statement in postgresql_statements(table):
            self.execute(statement)

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows inside a transaction: a few one by one, many by COPY."""
        if not rows:
            return
        # What does not exist is NULL in every store, and only NaN differs from itself.
        rows = [tuple([None if value != value else value for value in row]) for row in rows]  # noqa: PLR0124
        if len(rows) <= _FEW:
            with self.connection.driver.cursor() as cursor:
                cursor.executemany(_translated(sql.add_row(table)), rows)
            return
        columns = sql.quoted(table.given)
        if not table.replaces:
            self._copy(table.name, columns, rows)
            return
        # COPY knows no conflicts: what may replace goes to a table of the session first.
        incoming = f"incoming_{table.name}"
        self.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (LIKE {table.name}) ON COMMIT DELETE ROWS"
        )
        self._copy(incoming, columns, _last_of_each_key(table, rows))
        self.execute(
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {incoming}{sql.on_conflict(table)}"
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is done inside durable as a whole, or undo it."""
        self.execute("BEGIN")
        self._within = True
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if not self.connection.driver.closed:
                with contextlib.suppress(Exception):  # the reason is on its way already
                    self.connection.execute("ROLLBACK")
            raise
        finally:
            self._within = False

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Raise what goes wrong inside with the place and the mend."""
        psycopg = _psycopg()
        try:
            yield
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            what = _first_line(error)
            msg = f"{self.place}: a record does not fit its table: {what}; mend the program that appends it"
            raise RecordingError(msg) from error
        except (psycopg.Error, OSError) as error:
            if isinstance(error, RecordingPathError):
                raise
            msg = f"{self.place}: cannot write: {_first_line(error)}; mend the database, then flush again"
            raise RecordingPathError(msg) from error

    def add_intervals(
        self, set_id: int, channels: tuple[str, ...], blocks: Sequence[IntervalBlock], *, newest_day: int
    ) -> None:
        """Add intervals of the load profile, inside a transaction; all of them stay in the database."""
        del newest_day
        self.add(profile_table(set_id, channels), rows.interval_rows(blocks))

    def seal(self, set_id: int, channels: tuple[str, ...], day: int) -> None:
        """Do nothing: the load profile stays in the database."""

    def forget_profile(self, sets: Sequence[int], until_ns: int) -> None:
        """Remove intervals that end by an instant."""
        with self.transaction():
            for set_id in sets:
                self.execute(sql.drop_hot_intervals(set_id), (-(2**63), until_ns))

    def finish(self) -> None:
        """Do nothing: a run that has ended looks like one that has not."""

    def sweep(self) -> int:
        """Return 0: a kill leaves nothing behind in a database."""
        return 0

    def close(self) -> None:
        """Let go of the run."""
        self.connection.driver.close()

    def _copy(self, target: str, columns: str, rows: Sequence[Row]) -> None:
        statement = f"COPY {target} ({columns}) FROM STDIN".encode()
        with self.connection.driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def _claimed(self) -> PostgresConnection:
        connection = PostgresConnection(_connect(self.place, self._run))
        try:
            connection.execute(_SETTING, ("synchronous_commit", "on"))  # a commit waits for the disk
            (claimed,) = connection.execute(_CLAIM, (f"{FORMAT} {self._run}",)).fetchone()
            if not claimed:
                msg = (
                    f"{self.place}: a running program is writing this recording; stop it or name another run"
                )
                raise RecordingPathError(msg)
        except BaseException:
            connection.driver.close()
            raise
        return connection

    def _claimed_anew(self) -> PostgresConnection:
        """Connect again; attempts take at most a tenth of the time, so that a live site keeps its pace."""
        begun = time.monotonic()
        if begun < self._next_attempt:
            msg = f"{self.place}: cannot write: the database does not answer; the next flush tries again"
            raise RecordingPathError(msg)
        try:
            return self._claimed()
        except BaseException:
            self._next_attempt = time.monotonic() + 9 * (time.monotonic() - begun)
            raise

    def _fill(self, meta: Mapping[str, str], meters: Sequence[MeterInfo], *, overwrite: bool) -> None:
        with self.failing(), self.transaction():
            described = self.execute(_DESCRIBED, (self._run,)).fetchone()
            if described is not None and described[0] != FORMAT:
                msg = f"{self.place}: the schema '{self._run}' holds something else; name another run"
                raise RecordingPathError(msg)
            if described is not None and not overwrite:
                msg = f"{self.place}: holds a recording already; name another run or ask to overwrite it"
                raise RecordingPathError(msg)
            if described is not None:
                self.execute(f'DROP SCHEMA "{self._run}" CASCADE')
            self.execute(f'CREATE SCHEMA "{self._run}"')
            self.execute(f"COMMENT ON SCHEMA \"{self._run}\" IS '{FORMAT}'")
            for table in TABLES:
                self.create(table)
            self.add(META, list(meta.items()))
            self.add(METER, [rows.meter_row(number, meter) for number, meter in enumerate(meters)])


class PostgresSource:
    """A run in a database, for readers.

    Raises
    ------
    RecordingPathError
        When there is no such run, several and none is named, or the database cannot be reached.
    """

    def __init__(self, place: DatabasePlace) -> None:
        names = runs(place)
        if place.run is None and len(names) == 1:
            place = place.with_run(names[0])
        self.place = place
        if place.run not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            what = "which run is not said" if place.run is None else f"no recording '{place.run}' there"
            msg = f"{place}: {what}, {known}; name one by ?run=NAME"
            raise RecordingPathError(msg)
        self._run = place.named_run

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a read-only connection on which all queries see one commit.

        Raises
        ------
        RecordingPathError
            When the recording cannot be read.
        """
        with _reading(self.place), contextlib.closing(_connect(self.place, self._run)) as driver:
            connection = PostgresConnection(driver)
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    def read_segment(
        self, file: str, channels: tuple[str, ...], *, meter: str | None = None
    ) -> dict[str, Piece]:
        """Refuse: a database has no sealed days.

        Raises
        ------
        RecordingPathError
            Always.
        """
        msg = f"{self.place}: names the sealed day {file}; restore the database"
        raise RecordingPathError(msg)

    def read_as_present(self, version: int) -> None:
        """Refuse: a database is migrated where it is.

        Raises
        ------
        RecordingPathError
            Always.
        """
        msg = f"{self.place}: has the older schema {version}; run: twin recording migrate '{self.place}'"
        raise RecordingPathError(msg)


def runs(place: DatabasePlace) -> list[str]:
    """Return the names of the runs in a database.

    Raises
    ------
    RecordingPathError
        When the database cannot be reached.
    """
    with _reading(place), contextlib.closing(_connect(place, None)) as driver:
        return [name for (name,) in PostgresConnection(driver).execute(_RUNS, (FORMAT,))]


@contextlib.contextmanager
def _reading(place: DatabasePlace) -> Iterator[None]:
    psycopg = _psycopg()
    try:
        yield
    except psycopg.Error as error:
        what = _first_line(error)
        msg = f"{place}: cannot read the recording: {what}; see that the database runs and lets you in"
        raise RecordingPathError(msg) from error


def _connect(place: DatabasePlace, run: str | None) -> "psycopg.Connection[Any]":
    # Autocommit: transactions are begun by hand, as with SQLite.
    patience = {name: value for name, value in _PATIENCE.items() if name not in place.url}
    driver: psycopg.Connection[Any] = _psycopg().connect(
        place.url, autocommit=True, client_encoding="UTF8", **patience
    )
    if run is not None:
        PostgresConnection(driver).execute(_SETTING, ("search_path", f'"{run}"'))
    return driver


def _psycopg() -> Any:
    try:
        import psycopg  # noqa: PLC0415
    except ImportError as error:
        msg = "recordings in PostgreSQL need psycopg; run: pip install 'site-twin[postgresql]'"
        raise RecordingPathError(msg) from error
    return psycopg


@lru_cache(maxsize=256)
def _translated(statement: str) -> bytes:
    """Return a statement with its values marked as psycopg wants them."""
    return _VALUE.sub(lambda found: f"%({found[1]})s" if found[1] else "%s", statement).encode()


def _last_of_each_key(table: Table, rows: Sequence[Row]) -> list[Row]:
    at = [table.given.index(name) for name in table.key]
    return list({tuple(row[index] for index in at): row for row in rows}.values())


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]

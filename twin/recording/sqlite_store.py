"""The embedded store: SQLite for what is hot, sealed days of load profile beside it."""

import contextlib
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twin.contracts import IntervalBlock
from twin.recording import sql
from twin.recording.creation import DATABASE, SEGMENTS, lock_directory, unlock_directory
from twin.recording.database import Connection, Cursor, Parameters
from twin.recording.ddl import sqlite_statements
from twin.recording.errors import RecordingError, RecordingPathError
from twin.recording.load_profile import Piece, date_of, day_of, span_of
from twin.recording.migrations import SQLITE_MIGRATIONS, migrate
from twin.recording.rows import Row, interval_rows
from twin.recording.segments import columns_of, read_segment, write_segment
from twin.recording.tables import SEGMENT, Table, profile_table


class SqliteWriterStore:
    """A directory with a recording, claimed for one writer.

    Raises
    ------
    RecordingPathError
        When another writer has it, or it cannot be opened.
    """

    seals = True
    migrations = SQLITE_MIGRATIONS

    def __init__(self, path: Path) -> None:
        self.place = path
        self._claim = lock_directory(path)
        try:
            with self.failing():
                # Autocommit: transactions are begun by hand. The writer may be created in one thread and
                # used in another.
                self.connection = sqlite3.connect(
                    path / DATABASE, isolation_level=None, check_same_thread=False
                )
                self.connection.execute("PRAGMA journal_mode = WAL")
                self.connection.execute("PRAGMA synchronous = FULL")  # a commit waits for the disk
        except BaseException:
            unlock_directory(self._claim)
            raise

    def execute(self, statement: str, parameters: Parameters = (), /) -> Cursor:
        """Run a statement."""
        return self.connection.execute(statement, parameters)

    def create(self, table: Table) -> None:
        """Create a table, inside a transaction."""
        for statement in sqlite_statements(table):
            self.connection.execute(statement)

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add many rows, inside a transaction."""
        self.connection.executemany(sql.add_row(table), rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is done inside durable as a whole, or undo it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # After a full disk SQLite may have rolled back by itself.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Raise what goes wrong inside with the place and the mend."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            msg = f"{self.place}: a record does not fit its table: {error}; mend the program that appends it"
            raise RecordingError(msg) from error
        except (sqlite3.Error, OSError) as error:
            msg = (
                f"{self.place}: cannot write: {error}; free space or make the directory writable, "
                "then flush again"
            )
            raise RecordingPathError(msg) from error

    def add_intervals(
        self, set_id: int, channels: tuple[str, ...], blocks: Sequence[IntervalBlock], *, newest_day: int
    ) -> None:
        """Add intervals of the load profile, inside a transaction.

        A day that is over and of which nothing is in the database yet goes straight into a segment.
        """
        (last,) = self.connection.execute(sql.last_hot_end(set_id)).fetchone()
        begun = 0 if last is None else day_of(last)
        finished: dict[int, list[IntervalBlock]] = {}
        hot: list[IntervalBlock] = []
        for block in blocks:
            day = day_of(block.end_ns)
            over = begun < day < newest_day
            (finished.setdefault(day, []) if over else hot).append(block)
        if finished:
            hot += self._add_segments(set_id, channels, finished)
        if hot:
            self.add(profile_table(set_id, channels), interval_rows(hot))

    def _add_segments(
        self, set_id: int, channels: tuple[str, ...], finished: Mapping[int, Sequence[IntervalBlock]]
    ) -> list[IntervalBlock]:
        """Write a segment for each day, on two cores; return the intervals of days that could not be written.

        The files are whole before the manifest names them; undone with the transaction they count for
        nothing.
        """
        (first,) = self.connection.execute(sql.NEXT_SEGMENT).fetchone()
        days = sorted(finished)
        files = [f"{SEGMENTS}/{date_of(day)}-{first + at:06d}.parquet" for at, day in enumerate(days)]

        def write(file: str, blocks: Sequence[IntervalBlock]) -> int | None:
            try:
                return write_segment(self.place / file, channels, columns_of(blocks))
            except OSError:
                return None  # durable all the same, in the database; sealing is tried again

        with ThreadPoolExecutor(max_workers=2) as pool:
            counts = list(pool.map(write, files, [finished[day] for day in days]))
        left: list[IntervalBlock] = []
        for at, (day, file, count) in enumerate(zip(days, files, counts, strict=True)):
            if count is None:
                left += finished[day]
                continue
            ends = [block.end_ns for block in finished[day]]
            self.add(SEGMENT, [(first + at, set_id, day, file, min(ends), max(ends), count)])
        return left

    def seal(self, set_id: int, channels: tuple[str, ...], day: int) -> None:
        """Move the hot intervals of a day into a segment."""
        span = span_of(day)
        found = self.connection.execute(sql.hot_intervals_of_all(set_id, channels), span).fetchall()
        (segment,) = self.connection.execute(sql.NEXT_SEGMENT).fetchone()
        file = f"{SEGMENTS}/{date_of(day)}-{segment:06d}.parquet"
        write_segment(self.place / file, channels, list(zip(*found, strict=True)))
        ends = [row[1] for row in found]
        # The file is whole before the manifest names it, and the rows go in the same transaction: a
        # reader sees each interval exactly once, and a kill in between leaves only an unnamed file.
        with self.transaction():
            self.add(SEGMENT, [(segment, set_id, day, file, min(ends), max(ends), len(found))])
            self.connection.execute(sql.drop_hot_intervals(set_id), span)

    def forget_profile(self, sets: Sequence[int], until_ns: int) -> None:
        """Remove intervals that end by an instant: whole segments, then their files, and hot ones."""
        old = self.connection.execute(sql.OLD_SEGMENTS, (until_ns,)).fetchall()
        with self.transaction():
            for number, _ in old:
                self.connection.execute(sql.DROP_SEGMENT, (number,))
            for set_id in sets:
                self.connection.execute(sql.drop_hot_intervals(set_id), (-(2**63), until_ns))
        # The manifest no longer names them: a kill in between leaves files that count for nothing.
        for _, file in old:
            (self.place / file).unlink(missing_ok=True)

    def finish(self) -> None:
        """Leave one plain file that opens read-only anywhere, as far as readers at work let it.

        A reader keeps it in WAL mode, which is as good to everybody but read-only media.
        """
        self.connection.execute("PRAGMA busy_timeout = 100")
        with contextlib.suppress(sqlite3.OperationalError):
            self.connection.execute("PRAGMA journal_mode = DELETE")

    def sweep(self) -> int:
        """Remove segments that no manifest names, as a kill may leave them; return how many."""
        named = {file for (file,) in self.connection.execute(sql.SEGMENT_FILES)}
        left = [file for file in (self.place / SEGMENTS).iterdir() if f"{SEGMENTS}/{file.name}" not in named]
        for file in left:
            file.unlink()
        return len(left)

    def close(self) -> None:
        """Let go of the recording."""
        self.connection.close()
        unlock_directory(self._claim)


class SqliteSource:
    """A directory with a recording, for readers."""

    def __init__(self, path: Path) -> None:
        self.place = path
        self._database = path / DATABASE
        if not self._database.is_file():
            msg = f"{path}: no recording there ({DATABASE} is missing); name the directory of a recording"
            raise RecordingPathError(msg)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a read-only connection on which all queries see one commit.

        Raises
        ------
        RecordingPathError
            When the recording cannot be read.
        """
        try:
            with contextlib.closing(
                sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True, isolation_level=None)
            ) as connection:
                connection.execute("BEGIN")
                yield connection
        except (sqlite3.Error, OSError) as error:
            msg = (
                f"{self.place}: cannot read the recording: {error}; "
                "copy it to a writable place, or record again"
            )
            raise RecordingPathError(msg) from error

    def read_segment(
        self, file: str, channels: tuple[str, ...], *, meter: str | None = None
    ) -> dict[str, Piece]:
        """Return the intervals of a sealed day by meter.

        Raises
        ------
        RecordingPathError
            When the file is missing or damaged.
        """
        return read_segment(self.place / file, channels, meter=meter)

    def read_as_present(self, version: int) -> None:
        """Read an older recording from a private copy of its database in the present schema.

        The recording stays as it is; the copy goes when the reader does.
        """
        folder = Path(tempfile.mkdtemp(prefix="twin-recording-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        with (
            self.snapshot() as source,
            contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as copy,
        ):
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy)
            copy.execute("BEGIN")
            migrate(copy, version, SQLITE_MIGRATIONS)
            copy.execute("COMMIT")
        self._database = folder / DATABASE

"""The writing side of the historian: batched commits, and sealing of finished days."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from twin.contracts import (
    AlarmRecord,
    CommandRecord,
    EventRecord,
    IntervalBlock,
    IntervalRecord,
    MeterInfo,
    Record,
    TruthEntry,
    WaveformRecord,
)
from twin.recording import rows, sql
from twin.recording.channel_sets import ChannelSets
from twin.recording.creation import DATABASE, SEGMENTS, create_recording, lock_directory, unlock_directory
from twin.recording.errors import RecordingError, RecordingPathError
from twin.recording.load_profile import date_of, day_of, span_of
from twin.recording.segments import write_segment

HOT_DAYS = 2
"""How many days of load profile stay in SQLite: the running one and the one before it."""


class RecordingWriter:
    """Writes one recording; one thread at a time, one writer per recording.

    ``append`` only buffers; ``flush`` commits. What was flushed survives the end of the process at any
    moment. Readers in other threads and processes see the recording as of the last flush.

    Parameters
    ----------
    path : Path
        A recording that ``create_recording`` made.
    meters : sequence of MeterInfo
        Its meters.
    flush_records : int
        Records after which ``append`` flushes by itself.
    flush_interval_s : float
        Recorded time after which ``append`` flushes by itself [s].
    """

    def __init__(
        self, path: Path, meters: Sequence[MeterInfo], *, flush_records: int, flush_interval_s: float
    ) -> None:
        self._path = path
        self._meters = frozenset(meter.name for meter in meters)
        self._flush_records = flush_records
        self._flush_interval_ns = int(flush_interval_s * 1e9)
        self._lock = lock_directory(path)
        self._pending: dict[str, list[rows.Row]] = {table: [] for table in sql.ADD_RECORD}
        self._channel_sets = ChannelSets()
        self._count = 0
        self._batch = 0
        self._last_command = 0
        self._unsettled = False
        self._flushed_ns: int | None = None
        try:
            self._connection = self._connect()
        except BaseException:
            unlock_directory(self._lock)
            raise
        self._closed = False

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        scenario: Mapping[str, object],
        meters: Sequence[MeterInfo],
        overwrite: bool = False,
        flush_records: int = 5_000,
        flush_interval_s: float = 900.0,
    ) -> Self:
        """Create a recording and return its writer.

        Parameters
        ----------
        path : str or Path
            Directory to create; an empty one may exist.
        scenario : mapping
            What is recorded, as plain data, for people and programs that open the recording.
        meters : sequence of MeterInfo
            All meters whose records will come.
        overwrite : bool
            Replace a recording that stands there.
        flush_records : int
            Records after which ``append`` flushes by itself.
        flush_interval_s : float
            Recorded time after which ``append`` flushes by itself [s].

        Raises
        ------
        RecordingPathError
            When the place is occupied, in use or cannot be written; nothing has changed then.
        """
        created = create_recording(Path(path), scenario=scenario, meters=meters, overwrite=overwrite)
        return cls(created, meters, flush_records=flush_records, flush_interval_s=flush_interval_s)

    @property
    def path(self) -> Path:
        """Directory of the recording."""
        return self._path

    def append(self, records: Sequence[Record]) -> None:
        """Buffer records; all or, when one of them is refused, none.

        Raises
        ------
        RecordingError
            For a record of an unknown meter, with unusable channel names or without plain data, or
            a command out of sequence.
        RecordingPathError
            When a flush was due and failed; the records stay buffered.
        """
        self._check_open()
        self._settle()
        if not records:
            return
        batch = [row for record in records for row in self._rows(record)]
        self._check_sequence(batch)
        for table, row in batch:
            if isinstance(table, str):
                self._pending[table].append(row)
            else:
                self._channel_sets.add(table, row)
        self._count += len(batch)
        time_ns = max(_time_ns(records[0]), _time_ns(records[-1]))
        if self._flushed_ns is None:
            self._flushed_ns = time_ns
        due = time_ns - self._flushed_ns >= self._flush_interval_ns
        if due or self._count >= self._flush_records:
            self.flush()
            self._flushed_ns = time_ns

    def flush(self) -> None:
        """Commit what is buffered; it is on the disk when this returns.

        Raises
        ------
        RecordingPathError
            When the disk is full or gone; the records stay buffered for the next attempt.
        """
        self._check_open()
        self._settle()
        if self._count == 0:
            return
        with self._failing_with_path():
            self._unsettled = True
            with self._transaction():
                self._connection.execute(sql.SET_META, ("batch", str(self._batch + 1)))
                self._channel_sets.write(self._connection)
                for table, pending in self._pending.items():
                    self._connection.executemany(sql.ADD_RECORD[table], pending)
            self._settle()
            self._seal_before(self._channel_sets.newest_day - HOT_DAYS + 1)

    def close(self) -> None:
        """Flush, seal every day, mark the recording complete and let go of it; twice is harmless.

        Raises
        ------
        RecordingPathError
            When the disk is full or gone; all that was flushed before is readable all the same.
        """
        if self._closed:
            return
        try:
            self.flush()
            with self._failing_with_path():
                self._seal_before(self._channel_sets.newest_day + 1)
                self._connection.execute(sql.SET_META, ("complete", "1"))
                # One plain file that opens read-only anywhere; a reader at work keeps it in WAL mode,
                # which is as good to everybody but read-only media.
                self._connection.execute("PRAGMA busy_timeout = 100")
                with contextlib.suppress(sqlite3.OperationalError):
                    self._connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._closed = True
            self._connection.close()
            unlock_directory(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self) -> sqlite3.Connection:
        with self._failing_with_path():
            # Autocommit: transactions are begun by hand. The writer may be created in one thread and
            # used in another.
            connection = sqlite3.connect(self._path / DATABASE, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a commit waits for the disk
            return connection

    def _rows(self, record: Record) -> list[tuple[str | int, rows.Row]]:
        match record:
            case TruthEntry():
                return [("truth", rows.truth_row(record))]
            case CommandRecord():
                return [("command", rows.command_row(record))]
            case IntervalBlock():
                self._check_meters(record.meters)
                return [*self._channel_sets.rows(record)]
        self._check_meters((record.meter,))
        match record:
            case IntervalRecord():
                return [self._channel_sets.row(record)]
            case EventRecord():
                return [("event", rows.event_row(record))]
            case AlarmRecord():
                return [("alarm", rows.alarm_row(record))]
            case WaveformRecord():
                return [("waveform", rows.waveform_row(record))]

    def _check_meters(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._meters:
                msg = (
                    f"{self._path}: no meter {name!r} in this recording; "
                    "name it when the recording is created"
                )
                raise RecordingError(msg)

    def _settle(self) -> None:
        """Empty the buffers if the last batch was committed.

        The database tells: a keyboard interrupt may come between a commit and the next statement, and
        the same records must then not be committed twice.
        """
        if not self._unsettled:
            return
        with self._failing_with_path():
            (committed,) = self._connection.execute(sql.LAST_BATCH).fetchone()
        if committed > self._batch:
            for pending in self._pending.values():
                pending.clear()
            self._channel_sets.written()
            self._count = 0
            self._batch = committed
        self._unsettled = False

    def _seal_before(self, day: int) -> None:
        """Move all hot intervals of days before ``day`` into segments, the earliest first."""
        for set_id, channels in self._channel_sets.known():
            while True:
                (first,) = self._connection.execute(sql.first_hot_end(set_id)).fetchone()
                if first is None or day_of(first) >= day:
                    break
                self._seal(set_id, channels, day_of(first))

    def _seal(self, set_id: int, channels: tuple[str, ...], day: int) -> None:
        span = span_of(day)
        found = self._connection.execute(sql.hot_intervals_of_all(set_id, channels), span).fetchall()
        (segment,) = self._connection.execute(sql.NEXT_SEGMENT).fetchone()
        file = f"{SEGMENTS}/{date_of(day)}-{segment:06d}.parquet"
        write_segment(self._path / file, channels, found)
        ends = [row[1] for row in found]
        # The file is whole before the manifest names it, and the rows go in the same transaction: a
        # reader sees each interval exactly once, and a kill in between leaves only an unnamed file.
        with self._transaction():
            self._connection.execute(
                sql.ADD_SEGMENT, (segment, set_id, day, file, min(ends), max(ends), len(found))
            )
            self._connection.execute(sql.drop_hot_intervals(set_id), span)

    def _check_sequence(self, batch: Sequence[tuple[str | int, rows.Row]]) -> None:
        last = self._last_command
        for table, row in batch:
            if table == "command":
                if row[0] <= last:
                    msg = f"{self._path}: command {row[0]} after command {last}; append the log in its order"
                    raise RecordingError(msg)
                last = row[0]
        self._last_command = last

    def _check_open(self) -> None:
        if self._closed:
            msg = f"{self._path}: the writer is closed; create another recording"
            raise RecordingError(msg)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # After a full disk SQLite may have rolled back by itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _failing_with_path(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            msg = f"{self._path}: a record does not fit its table: {error}; mend the program that appends it"
            raise RecordingError(msg) from error
        except (sqlite3.Error, OSError) as error:
            msg = (
                f"{self._path}: cannot write: {error}; free space or make the directory writable, "
                "then flush again"
            )
            raise RecordingPathError(msg) from error


def _time_ns(record: Record) -> int:
    match record:
        case IntervalRecord() | IntervalBlock():
            return record.end_ns
        case EventRecord():
            return record.trigger_ns if record.end_ns is None else record.end_ns
        case AlarmRecord() | TruthEntry():
            return record.time_ns
        case WaveformRecord():
            return record.trigger_ns
        case CommandRecord():
            return record.applied_ns

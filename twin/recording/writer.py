"""The writing side of the historian: batched commits, sealing of finished days, retention."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from twin.contracts import (
    AlarmRecord,
    CommandRecord,
    EventRecord,
    IntervalBlock,
    IntervalRecord,
    MeterInfo,
    Point,
    Record,
    RegisterRecord,
    SoeRecord,
    TerminalRecord,
    TruthEntry,
    WaveformRecord,
)
from twin.recording import rows, sql
from twin.recording.channel_sets import ChannelSets
from twin.recording.database import WriterStore
from twin.recording.errors import RecordingError
from twin.recording.load_profile import day_of
from twin.recording.places import Place
from twin.recording.retention import Retention
from twin.recording.store import claim_store, create_store
from twin.recording.tables import META, RECORD_TABLES

HOT_DAYS = 2
"""How many days of load profile stay in SQLite: the running one and the one before it."""
FLUSH_RECORDS = 5_000
"""Records after which a writer flushes by itself."""
FLUSH_INTERVAL_S = 900.0
"""Recorded time after which a writer flushes by itself [s]."""


class RecordingWriter:
    """Writes one recording; one thread at a time, one writer per recording.

    ``append`` only buffers; ``flush`` commits. What was flushed survives the end of the process at any
    moment. Readers in other threads and processes see the recording as of the last flush. ``create``
    makes one, ``reopen`` goes on with one.

    Parameters
    ----------
    store : WriterStore
        A recording that exists, claimed.
    meters : sequence of MeterInfo
        Its meters.
    flush_records : int
        Records after which ``append`` flushes by itself.
    flush_interval_s : float
        Recorded time after which ``append`` flushes by itself [s].
    retention : Retention
        How long what is kept.
    """

    def __init__(
        self,
        store: WriterStore,
        meters: Sequence[MeterInfo],
        *,
        flush_records: int,
        flush_interval_s: float,
        retention: Retention,
    ) -> None:
        self._store = store
        self._meters = frozenset(meter.name for meter in meters)
        self._flush_records = flush_records
        self._flush_interval_ns = flush_interval_s * 1e9
        self._retention = retention
        self._pending: dict[str, list[rows.Row]] = {table: [] for table in RECORD_TABLES}
        self._channel_sets = ChannelSets()
        self._count = 0
        self._batch = 0
        self._last_command = 0
        self._under_way: dict[str, int] | None = None  # rows of the batch whose commit is not yet known of
        self._flushed_ns: int | None = None
        self._due_count = flush_records
        self._closed = False
        self._reached_ns: int | None = None

    @classmethod
    def create(
        cls,
        place: str | Place,
        *,
        scenario: Mapping[str, object],
        meters: Sequence[MeterInfo],
        overwrite: bool = False,
        flush_records: int = FLUSH_RECORDS,
        flush_interval_s: float = FLUSH_INTERVAL_S,
        keep: Mapping[str, float] | None = None,
    ) -> Self:
        """Create a recording and return its writer.

        Parameters
        ----------
        place : str or Path
            Directory to create (an empty one may exist), or a run in a database:
            ``postgresql://user@host:port/db?run=NAME``.
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
        keep : mapping, optional
            Recorded time [s] for which to keep ``truth``, ``alarms``, ``events``, ``waveforms``,
            ``registers`` and ``load_profile``; what is not named is kept for ever.

        Raises
        ------
        RecordingPathError
            When the place is occupied, in use or cannot be written; nothing has changed then.
        RecordingError
            For a retention of something else.
        """
        retention = Retention(keep or {})
        store = create_store(place, scenario=scenario, meters=meters, overwrite=overwrite)
        return cls(
            store,
            meters,
            flush_records=flush_records,
            flush_interval_s=flush_interval_s,
            retention=retention,
        )

    @classmethod
    def reopen(cls, place: str | Place, *, keep: Mapping[str, float] | None = None) -> Self:
        """Go on with a recording, whatever ended its last writer; parameters as for ``create``.

        What a kill left half done is cleared away.

        Raises
        ------
        RecordingPathError
            When there is none, it is in use, or cannot be written.
        RecordingError
            When it is of a newer version of the software.
        """
        retention = Retention(keep or {})
        store, meters = claim_store(place)
        writer = cls(
            store,
            meters,
            flush_records=FLUSH_RECORDS,
            flush_interval_s=FLUSH_INTERVAL_S,
            retention=retention,
        )
        try:
            with store.failing():
                store.sweep()
                (writer._batch,) = store.execute(sql.LAST_BATCH).fetchone()
                (writer._last_command,) = store.execute(sql.LAST_COMMAND).fetchone()
                writer._channel_sets.learn_recorded(store)
                with store.transaction():
                    store.add(META, [("complete", "0")])
        except BaseException:
            store.close()
            raise
        return writer

    @property
    def path(self) -> Place:
        """Where the recording is: its directory, or its run in a database."""
        return self._store.place

    def describe_registers(self, meter: str, points: Sequence[Point]) -> None:
        """Buffer what the registers of a meter mean, for those who read their changes.

        Raises
        ------
        RecordingError
            For an unknown meter.
        """
        self._check_open()
        self._check_meters((meter,))
        self._pending["register_point"] += [rows.point_row(meter, point) for point in points]
        self._count += len(points)

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
        if not records:
            return
        batch = [self._row(record) for record in records]
        self._check_sequence(batch)
        for table, row in batch:
            if isinstance(row, IntervalBlock):
                assert isinstance(table, int)
                self._channel_sets.add(table, row)
                self._count += len(row.meters)
            else:
                assert isinstance(table, str)
                self._pending[table].append(row)
                self._count += 1
        time_ns = max(_time_ns(records[0]), _time_ns(records[-1]))
        self._retention.note(max(map(_time_ns, records)) if self._retention.keep else time_ns)
        if self._flushed_ns is None:
            self._flushed_ns = time_ns
        due = time_ns - self._flushed_ns >= self._flush_interval_ns
        if due or self._count >= self._due_count:
            # When this fails, the next attempt waits for as many records again: a store that is away must
            # not hold up every append.
            self._due_count = self._count + self._flush_records
            self._flushed_ns = time_ns
            self.flush()

    def flush(self, reached_ns: int | None = None) -> None:
        """Commit what is buffered; it is on the disk when this returns.

        Parameters
        ----------
        reached_ns : int, optional
            Up to when all that happened has been appended, UTC [ns]; noted also when that was nothing.

        Raises
        ------
        RecordingPathError
            When the disk is full or gone; the records stay buffered for the next attempt.
        """
        self._check_open()
        self._settle()
        advanced = reached_ns is not None and reached_ns != self._reached_ns
        if reached_ns is not None:
            self._reached_ns = reached_ns
        if self._count == 0:
            if advanced:
                with self._store.failing(), self._store.transaction():
                    self._store.add(META, self._reached())
            return
        with self._store.failing():
            self._under_way = {table: len(pending) for table, pending in self._pending.items()}
            with self._store.transaction():
                self._store.add(META, [("batch", str(self._batch + 1)), *self._reached()])
                self._channel_sets.write(self._store)
                for table, pending in self._pending.items():
                    if pending:
                        self._store.add(RECORD_TABLES[table], pending)
            self._settle()
            self._seal_before(self._channel_sets.newest_day - HOT_DAYS + 1)
            self._retention.apply(self._store, self._channel_sets)

    def close(self, reached_ns: int | None = None) -> None:
        """Flush, seal every day, mark the recording complete and let go of it; twice is harmless.

        Parameters
        ----------
        reached_ns : int, optional
            As of `flush`.

        Raises
        ------
        RecordingPathError
            When the disk is full or gone; all that was flushed before is readable all the same.
        """
        if self._closed:
            return
        try:
            self.flush(reached_ns)
            with self._store.failing():
                self._seal_before(self._channel_sets.newest_day + 1)
                with self._store.transaction():
                    self._store.add(META, [("complete", "1"), *self._reached()])
                self._store.finish()
        finally:
            self._closed = True
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reached(self) -> list[tuple[str, str]]:
        return [] if self._reached_ns is None else [("reached_ns", str(self._reached_ns))]

    def _row(self, record: Record) -> tuple[str, rows.Row] | tuple[int, IntervalBlock]:
        """Return where a record goes and what goes there; a set of channels for intervals."""
        match record:
            case TruthEntry():
                return "truth", rows.truth_row(record)
            case CommandRecord():
                return "command", rows.command_row(record)
            case IntervalBlock():
                self._check_meters(record.meters)
                return self._channel_sets.ordered(record)
        self._check_meters((record.meter,))
        match record:
            case IntervalRecord():
                return self._channel_sets.ordered(record)
            case EventRecord():
                return "event", rows.event_row(record)
            case AlarmRecord():
                return "alarm", rows.alarm_row(record)
            case SoeRecord():
                return "soe", rows.soe_row(record)
            case TerminalRecord():
                return "terminal", rows.terminal_row(record)
            case WaveformRecord():
                return "waveform", rows.waveform_row(record)
            case RegisterRecord():
                return "register_change", rows.register_row(record)

    def _check_meters(self, names: Sequence[str]) -> None:
        if self._meters.issuperset(names):
            return
        for name in names:
            if name not in self._meters:
                msg = (
                    f"{self.path}: no meter {name!r} in this recording; name it when the recording is created"
                )
                raise RecordingError(msg)

    def _settle(self) -> None:
        """Take what the last batch carried out of the buffers if it was committed.

        The database tells: a keyboard interrupt may come between a commit and the next statement, a
        connection may break while it is awaited, and the same records must then not be committed twice.
        """
        if self._under_way is None:
            return
        with self._store.failing():
            (committed,) = self._store.execute(sql.LAST_BATCH).fetchone()
        if committed > self._batch:
            for table, count in self._under_way.items():
                del self._pending[table][:count]
            self._channel_sets.written()
            self._count = sum(map(len, self._pending.values())) + self._channel_sets.waiting
            self._due_count = self._count + self._flush_records
            self._batch = committed
        self._under_way = None

    def _seal_before(self, day: int) -> None:
        """Move all hot intervals of days before ``day`` out of the database, the earliest first."""
        if not self._store.seals:
            return
        for set_id, channels in self._channel_sets.known():
            while True:
                (first,) = self._store.execute(sql.first_hot_end(set_id)).fetchone()
                if first is None or day_of(first) >= day:
                    break
                self._store.seal(set_id, channels, day_of(first))

    def _check_sequence(self, batch: Sequence[tuple[str | int, rows.Row | IntervalBlock]]) -> None:
        last = self._last_command
        for table, row in batch:
            if table == "command" and isinstance(row, tuple):
                if row[0] <= last:
                    msg = f"{self.path}: command {row[0]} after command {last}; append the log in its order"
                    raise RecordingError(msg)
                last = row[0]
        self._last_command = last

    def _check_open(self) -> None:
        if self._closed:
            msg = f"{self.path}: the writer is closed; create another recording"
            raise RecordingError(msg)


def _time_ns(record: Record) -> int:
    match record:
        case IntervalRecord() | IntervalBlock():
            return record.end_ns
        case EventRecord():
            return record.trigger_ns if record.end_ns is None else record.end_ns
        case AlarmRecord() | SoeRecord() | TruthEntry() | TerminalRecord() | RegisterRecord():
            return record.time_ns
        case WaveformRecord():
            return record.trigger_ns
        case CommandRecord():
            return record.applied_ns

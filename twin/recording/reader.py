"""The reading side of the historian: any number of processes and threads, while a writer writes."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from twin.contracts import AlarmRecord, CommandRecord, EventRecord, MeterInfo, TruthEntry, WaveformRecord
from twin.recording import rows, sql
from twin.recording.creation import DATABASE
from twin.recording.errors import NotRecordedError, RecordingError, RecordingPathError
from twin.recording.load_profile import LoadProfile, Piece, merge, piece_of_rows, within
from twin.recording.rows import WaveformSummary
from twin.recording.segments import read_segment

_EARLIEST_NS = -(2**63)
_LATEST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What a recording says of itself."""

    path: Path
    schema_version: int
    scenario: Mapping[str, object]
    """As given at creation; lists come back as tuples."""
    complete: bool
    """The writer closed it; False while it runs, and after it was killed."""


class Recording:
    """A recording, read-only; safe to share between threads.

    Every call is one short transaction on a connection of its own, so that no reader ever holds up a
    writer or sees half a commit. Open one with ``Recording.open``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._info()  # tells at once when this is no readable recording

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a recording.

        Raises
        ------
        RecordingPathError
            When there is none, or it cannot be read.
        RecordingError
            When a newer version of the software wrote it.
        """
        return cls(Path(path).resolve())

    @property
    def path(self) -> Path:
        """Directory of the recording."""
        return self._path

    @property
    def info(self) -> RecordingInfo:
        """What the recording says of itself, now."""
        return self._info()

    def meters(self) -> list[MeterInfo]:
        """Return the meters in the order of the scenario."""
        with self._snapshot() as connection:
            return [rows.meter_from(row) for row in connection.execute(sql.METERS)]

    def events(
        self, *, meter: str | None = None, after_ns: int | None = None, limit: int | None = None
    ) -> list[EventRecord]:
        """Return power-quality events in order of their start.

        Parameters
        ----------
        meter : str, optional
            Only this meter's.
        after_ns : int, optional
            Only those recorded or ended after this instant, UTC [ns]: what is new since.
        limit : int, optional
            Only the last so many.
        """
        found = self._newest(sql.EVENTS, after_ns, limit, meter=meter)
        return [rows.event_from(row) for row in found]

    def alarms(
        self, *, meter: str | None = None, after_ns: int | None = None, limit: int | None = None
    ) -> list[AlarmRecord]:
        """Return alarm transitions in order of time; parameters as for ``events``."""
        found = self._newest(sql.ALARMS, after_ns, limit, meter=meter)
        return [rows.alarm_from(row) for row in found]

    def commands(self, *, after_ns: int | None = None, limit: int | None = None) -> list[CommandRecord]:
        """Return the command log in the order in which commands were applied."""
        return [rows.command_from(row) for row in self._newest(sql.COMMANDS, after_ns, limit)]

    def truth(
        self,
        *,
        kind: str | None = None,
        element: str | None = None,
        after_ns: int | None = None,
        limit: int | None = None,
    ) -> list[TruthEntry]:
        """Return what physically happened, in order of time.

        Parameters
        ----------
        kind, element : str, optional
            Only entries of this kind, of this element.
        after_ns : int, optional
            Only those after this instant, UTC [ns].
        limit : int, optional
            Only the last so many.
        """
        found = self._newest(sql.TRUTH, after_ns, limit, kind=kind, element=element)
        return [rows.truth_from(row) for row in found]

    def waveforms(
        self, *, meter: str | None = None, after_ns: int | None = None, limit: int | None = None
    ) -> list[WaveformSummary]:
        """Return the captures without samples, in order of their trigger; parameters as for ``events``."""
        found = self._newest(sql.WAVEFORMS, after_ns, limit, meter=meter)
        return [rows.waveform_summary_from(row) for row in found]

    def waveform(self, meter: str, number: int) -> WaveformRecord:
        """Return one capture with its samples.

        Raises
        ------
        NotRecordedError
            When the meter has no capture of that number.
        """
        with self._snapshot() as connection:
            row = connection.execute(sql.WAVEFORM, (meter, number)).fetchone()
        if row is None:
            msg = f"{self._path}: meter {meter!r} has no waveform {number}; see the list of waveforms"
            raise NotRecordedError(msg)
        return rows.waveform_from(row)

    def channels(self, meter: str) -> tuple[str, ...]:
        """Return the load-profile channels that a meter has recorded so far.

        Raises
        ------
        NotRecordedError
            When the recording has no such meter.
        """
        with self._snapshot() as connection:
            self._check_meter(connection, meter)
            return _union(_channel_sets(connection, meter).values())

    def load_profile(
        self,
        meter: str,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        channels: Sequence[str] | None = None,
    ) -> LoadProfile:
        """Return the load profile of a meter.

        Parameters
        ----------
        meter : str
            Name of the meter.
        start_ns, end_ns : int, optional
            Only intervals that end after ``start_ns`` and not after ``end_ns``, UTC [ns]: those of a day
            are asked for with its two midnights.
        channels : sequence of str, optional
            Only these; all that the meter recorded by default.

        Raises
        ------
        NotRecordedError
            When the recording has no such meter, or the meter no such channel.
        """
        span = (_EARLIEST_NS if start_ns is None else start_ns, _LATEST_NS if end_ns is None else end_ns)
        with self._snapshot() as connection:
            self._check_meter(connection, meter)
            sets = _channel_sets(connection, meter)
            known = _union(sets.values())
            wanted = known if channels is None else tuple(channels)
            self._check_channels(meter, wanted, known)
            sources = []
            for set_id, members in sets.items():
                columns = tuple(channel for channel in members if channel in wanted)
                files = [row[0] for row in connection.execute(sql.SEGMENTS, (set_id, *span))]
                hot = connection.execute(sql.hot_intervals(set_id, columns), (*span, meter)).fetchall()
                sources.append((columns, files, hot))
        # Segments never change: they are read after the transaction has ended.
        pieces: list[Piece] = []
        for columns, files, hot in sources:
            for file in files:
                found = read_segment(self._path / file, columns, meter=meter)
                pieces += [within(piece, *span) for piece in found.values()]
            pieces.append(piece_of_rows(hot, columns))
        return merge(pieces, wanted)

    def _info(self) -> RecordingInfo:
        with self._snapshot() as connection:
            meta = dict(connection.execute(sql.META).fetchall())
        if meta.get("format") != sql.FORMAT:
            msg = f"{self._path}: is no recording; name the directory that a run recorded into"
            raise RecordingError(msg)
        version = int(meta["schema_version"])
        if version > sql.SCHEMA_VERSION:
            msg = (
                f"{self._path}: was written with schema version {version}, this software reads up to "
                f"{sql.SCHEMA_VERSION}; open it with the software that wrote it or a newer one"
            )
            raise RecordingError(msg)
        scenario = rows.from_json(meta["scenario"])
        return RecordingInfo(self._path, version, scenario, meta["complete"] == "1")

    def _newest(
        self, query: str, after_ns: int | None, limit: int | None, **filters: str | None
    ) -> list[rows.Row]:
        parameters = {
            "after_ns": _EARLIEST_NS if after_ns is None else after_ns,
            "limit": -1 if limit is None else max(limit, 0),
            **filters,
        }
        with self._snapshot() as connection:
            return connection.execute(query, parameters).fetchall()[::-1]

    def _check_meter(self, connection: sqlite3.Connection, meter: str) -> None:
        known = [row[0] for row in connection.execute(sql.METERS)]
        if meter not in known:
            msg = f"{self._path}: no meter {meter!r}; it has {', '.join(known) or 'none'}"
            raise NotRecordedError(msg)

    def _check_channels(self, meter: str, wanted: Sequence[str], known: Sequence[str]) -> None:
        unknown = [channel for channel in wanted if channel not in known]
        if unknown and known:  # before the first interval nothing can be said
            msg = (
                f"{self._path}: meter {meter!r} records no {', '.join(unknown)}; "
                f"its channels are {', '.join(known)}"
            )
            raise NotRecordedError(msg)

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection on which all queries see the same commit."""
        with open_snapshot(self._path) as connection:
            yield connection


@contextlib.contextmanager
def open_snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection to a recording's database on which all queries see one commit.

    Raises
    ------
    RecordingPathError
        When the directory holds no readable recording.
    """
    database = path / DATABASE
    if not database.is_file():
        msg = f"{path}: no recording there ({DATABASE} is missing); name the directory of a recording"
        raise RecordingPathError(msg)
    try:
        with contextlib.closing(
            sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN")
            yield connection
    except (sqlite3.Error, OSError) as error:
        msg = f"{path}: cannot read the recording: {error}; copy it to a writable place, or record again"
        raise RecordingPathError(msg) from error


def _channel_sets(connection: sqlite3.Connection, meter: str) -> dict[int, tuple[str, ...]]:
    found = connection.execute(sql.CHANNEL_SETS_OF_METER, (meter,))
    return {set_id: rows.from_json(channels) for set_id, channels in found}


def _union(sets: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(channel for members in sets for channel in members))

"""The reading side of the historian: any number of processes and threads, while a writer writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from twin.contracts import (
    AlarmRecord,
    CommandRecord,
    EventRecord,
    MeterInfo,
    Point,
    RegisterRecord,
    SoeRecord,
    TerminalRecord,
    TruthEntry,
    WaveformRecord,
)
from twin.recording import rows, sql
from twin.recording.database import Connection
from twin.recording.errors import NotRecordedError, RecordingPathError
from twin.recording.load_profile import LoadProfile, Piece, merge, piece_of_rows, within
from twin.recording.logger_channels import PROFILE, logger_prefix, split_logger
from twin.recording.places import Place
from twin.recording.rows import WaveformSummary
from twin.recording.store import Source, open_source

_EARLIEST_NS = -(2**63)
_LATEST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What a recording says of itself."""

    path: Place
    """Its directory, or its run in a database."""
    schema_version: int
    scenario: Mapping[str, object]
    """As given at creation; lists come back as tuples."""
    complete: bool
    """The writer closed it; False while it runs, and after it was killed."""
    reached_ns: int | None
    """Up to when it holds all that happened, UTC [ns]; None when that was never noted."""


class Recording:
    """A recording, read-only; safe to share between threads.

    Every call is one short transaction on a connection of its own, so that no reader ever holds up a
    writer or sees half a commit. Open one with ``Recording.open``.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @classmethod
    def open(cls, place: str | Place) -> Self:
        """Open a recording.

        Parameters
        ----------
        place : str or Path
            Its directory, or its run in a database: ``postgresql://user@host:port/db?run=NAME``, without
            ``run`` when the database has one alone.

        Raises
        ------
        RecordingPathError
            When there is none, or it cannot be read.
        RecordingError
            When a newer version of the software wrote it.
        """
        return cls(open_source(place))

    @property
    def path(self) -> Place:
        """Where it is."""
        return self._source.place

    @property
    def info(self) -> RecordingInfo:
        """What the recording says of itself, now."""
        with self._source.snapshot() as connection:
            meta = dict(connection.execute(sql.META).fetchall())
        version = int(meta["schema_version"])
        scenario = rows.from_json(meta["scenario"])
        reached = int(meta["reached_ns"]) if "reached_ns" in meta else None
        return RecordingInfo(self.path, version, scenario, meta["complete"] == "1", reached)

    def meters(self) -> list[MeterInfo]:
        """Return the meters in the order of the scenario."""
        with self._source.snapshot() as connection:
            return [rows.meter_from(row) for row in connection.execute(sql.METERS)]

    def check_meter(self, meter: str) -> None:
        """See that the recording has a meter.

        Raises
        ------
        NotRecordedError
            When it has not.
        """
        with self._source.snapshot() as connection:
            self._check_meter(connection, meter)

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

    def soe(
        self, *, meter: str | None = None, after_ns: int | None = None, limit: int | None = None
    ) -> list[SoeRecord]:
        """Return the changes of digital inputs in order of time; parameters as for ``events``."""
        found = self._newest(sql.SOE_RECORDS, after_ns, limit, meter=meter)
        return [rows.soe_from(row) for row in found]

    def commands(self, *, after_ns: int | None = None, limit: int | None = None) -> list[CommandRecord]:
        """Return the command log in the order in which commands were applied."""
        return [rows.command_from(row) for row in self._newest(sql.COMMANDS, after_ns, limit)]

    def truth(
        self,
        *,
        kind: str | None = None,
        element: str | None = None,
        without: str | None = None,
        after_ns: int | None = None,
        limit: int | None = None,
    ) -> list[TruthEntry]:
        """Return what physically happened, in order of time.

        Parameters
        ----------
        kind, element : str, optional
            Only entries of this kind, of this element.
        without : str, optional
            No entries of this kind.
        after_ns : int, optional
            Only those after this instant, UTC [ns].
        limit : int, optional
            Only the last so many.
        """
        found = self._newest(sql.TRUTH_ENTRIES, after_ns, limit, kind=kind, element=element, without=without)
        return [rows.truth_from(row) for row in found]

    def terminals(
        self, *, meter: str | None = None, after_ns: int | None = None, limit: int | None = None
    ) -> list[TerminalRecord]:
        """Return what was physically at meters' places, in order of time; parameters as for ``events``."""
        found = self._newest(sql.TERMINALS, after_ns, limit, meter=meter)
        return [rows.terminal_from(row) for row in found]

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
        with self._source.snapshot() as connection:
            row = connection.execute(sql.WAVEFORM_WITH_SAMPLES, (meter, number)).fetchone()
        if row is None:
            msg = f"{self.path}: meter {meter!r} has no waveform {number}; see the list of waveforms"
            raise NotRecordedError(msg)
        return rows.waveform_from(row)

    def channels(self, meter: str) -> tuple[str, ...]:
        """Return the load-profile channels that a meter has recorded so far.

        Raises
        ------
        NotRecordedError
            When the recording has no such meter.
        """
        with self._source.snapshot() as connection:
            self._check_meter(connection, meter)
            return _union(_channel_sets(connection, meter, PROFILE).values())

    def loggers(self, meter: str) -> dict[int, tuple[str, ...]]:
        """Return the channels that each data logger of a meter has recorded so far, by its number.

        Raises
        ------
        NotRecordedError
            When the recording has no such meter.
        """
        with self._source.snapshot() as connection:
            self._check_meter(connection, meter)
            every = _channel_sets(connection, meter, "").values()
        found: dict[int, tuple[str, ...]] = {}
        for channels in every:
            number, _ = split_logger(channels[0])
            if number:
                found[number] = tuple(split_logger(channel)[1] for channel in channels)
        return dict(sorted(found.items()))

    def logged(
        self, meter: str, number: int, *, start_ns: int | None = None, end_ns: int | None = None
    ) -> LoadProfile:
        """Return what a data logger of a meter kept; parameters as for ``load_profile``.

        Raises
        ------
        NotRecordedError
            When the recording has no such meter, or the meter no such logger.
        """
        known = self.loggers(meter)
        if number not in known:
            listed = ", ".join(map(str, known)) or "none"
            msg = f"{self.path}: meter {meter!r} has recorded no logger {number}; it has {listed}"
            raise NotRecordedError(msg)
        found = self._intervals(meter, logger_prefix(number), start_ns, end_ns, None)
        values = {split_logger(channel)[1]: column for channel, column in found.values.items()}
        return LoadProfile(found.end_ns, values, found.duration_s)

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
        return self._intervals(meter, PROFILE, start_ns, end_ns, channels)

    def _intervals(
        self,
        meter: str,
        prefix: str | None,
        start_ns: int | None,
        end_ns: int | None,
        channels: Sequence[str] | None,
    ) -> LoadProfile:
        """Return intervals of the load profile, or of channels that begin with a logger's prefix."""
        span = (_EARLIEST_NS if start_ns is None else start_ns, _LATEST_NS if end_ns is None else end_ns)
        while True:
            wanted, sources = self._profile_sources(meter, prefix, span, channels)
            # Segments never change: they are read after the transaction has ended.
            pieces: list[Piece] = []
            try:
                for columns, files, hot in sources:
                    for file in files:
                        found = self._source.read_segment(file, columns, meter=meter)
                        pieces += [within(piece, *span) for piece in found.values()]
                    pieces.append(piece_of_rows(hot, columns))
            except RecordingPathError:
                # Retention may have removed a day meanwhile; then the manifest no longer names it.
                if self._profile_sources(meter, prefix, span, channels)[1] == sources:
                    raise
                continue
            return merge(pieces, wanted)

    def register_points(self, meter: str) -> list[Point]:
        """Return the registers whose changes a meter records, in order of address.

        Raises
        ------
        NotRecordedError
            When the recording has no such meter.
        """
        with self._source.snapshot() as connection:
            self._check_meter(connection, meter)
            return [rows.point_from(row) for row in connection.execute(sql.REGISTER_POINTS, (meter,))]

    def registers(
        self, meter: str, address: int, *, start_ns: int | None = None, end_ns: int | None = None
    ) -> list[RegisterRecord]:
        """Return what a register held, change by change, in order of time.

        Parameters
        ----------
        meter : str
            Name of the meter.
        address : int
            First word, 0-based.
        start_ns, end_ns : int, optional
            Only changes from ``start_ns`` on and before ``end_ns``, UTC [ns]; the last one before
            ``start_ns`` comes first, as it tells what the register held then.

        Raises
        ------
        NotRecordedError
            When the recording has no such meter.
        """
        span = (_EARLIEST_NS if start_ns is None else start_ns, _LATEST_NS if end_ns is None else end_ns)
        with self._source.snapshot() as connection:
            self._check_meter(connection, meter)
            found = connection.execute(sql.REGISTER_BEFORE, (meter, address, span[0])).fetchall()
            found += connection.execute(sql.REGISTER_CHANGES, (meter, address, *span)).fetchall()
        return [RegisterRecord(meter, address, time_ns, rows.words_from(words)) for time_ns, words in found]

    def _profile_sources(
        self, meter: str, prefix: str | None, span: tuple[int, int], channels: Sequence[str] | None
    ) -> tuple[tuple[str, ...], list[tuple[tuple[str, ...], list[str], list[rows.Row]]]]:
        """Return the channels wanted and, per set of them, the sealed days and hot intervals in a span."""
        with self._source.snapshot() as connection:
            self._check_meter(connection, meter)
            sets = _channel_sets(connection, meter, prefix)
            known = _union(sets.values())
            wanted = known if channels is None else tuple(channels)
            self._check_channels(meter, wanted, known)
            sources = []
            for set_id, members in sets.items():
                columns = tuple(channel for channel in members if channel in wanted)
                files = [row[0] for row in connection.execute(sql.SEGMENTS, (set_id, *span))]
                hot = connection.execute(sql.hot_intervals(set_id, columns), (*span, meter)).fetchall()
                sources.append((columns, files, hot))
        return wanted, sources

    def _newest(
        self, query: str, after_ns: int | None, limit: int | None, **filters: str | None
    ) -> list[rows.Row]:
        parameters = {
            "after_ns": _EARLIEST_NS if after_ns is None else after_ns,
            "limit": sql.ALL if limit is None else max(limit, 0),
            **filters,
        }
        with self._source.snapshot() as connection:
            return connection.execute(query, parameters).fetchall()[::-1]

    def _check_meter(self, connection: Connection, meter: str) -> None:
        known = [row[0] for row in connection.execute(sql.METERS)]
        if meter not in known:
            msg = f"{self.path}: no meter {meter!r}; it has {', '.join(known) or 'none'}"
            raise NotRecordedError(msg)

    def _check_channels(self, meter: str, wanted: Sequence[str], known: Sequence[str]) -> None:
        unknown = [channel for channel in wanted if channel not in known]
        if unknown and known:  # before the first interval nothing can be said
            msg = (
                f"{self.path}: meter {meter!r} records no {', '.join(unknown)}; "
                f"its channels are {', '.join(known)}"
            )
            raise NotRecordedError(msg)


def _channel_sets(connection: Connection, meter: str, prefix: str | None) -> dict[int, tuple[str, ...]]:
    """Return a meter's sets of channels: of the load profile, or those that begin with a prefix."""
    found = connection.execute(sql.CHANNEL_SETS_OF_METER, (meter,))
    sets = {set_id: rows.from_json(channels) for set_id, channels in found}
    if prefix is PROFILE:
        return {set_id: channels for set_id, channels in sets.items() if not split_logger(channels[0])[0]}
    return {set_id: channels for set_id, channels in sets.items() if channels[0].startswith(prefix)}


def _union(sets: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(channel for members in sets for channel in members))

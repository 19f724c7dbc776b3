"""Which store a place has."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from twin.contracts import MeterInfo
from twin.recording import rows, sql
from twin.recording.creation import create_recording
from twin.recording.database import Connection, WriterStore
from twin.recording.errors import RecordingError
from twin.recording.load_profile import Piece
from twin.recording.migrations import migrate
from twin.recording.places import DatabasePlace, Place, place_of
from twin.recording.sqlite_store import SqliteSource, SqliteWriterStore
from twin.recording.tables import FORMAT, META, SCHEMA_VERSION


class Source(Protocol):
    """A recording as readers reach it."""

    @property
    def place(self) -> Place:
        """Where it is."""

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Give a read-only connection on which all queries see one commit."""

    def read_segment(
        self, file: str, channels: tuple[str, ...], *, meter: str | None = None
    ) -> dict[str, Piece]:
        """Return the intervals of a sealed day by meter."""

    def read_as_present(self, version: int) -> None:
        """Give the present schema from now on, though the recording has an older version."""


def create_store(
    place: str | Place, *, scenario: Mapping[str, object], meters: Sequence[MeterInfo], overwrite: bool
) -> WriterStore:
    """Create an empty recording and return its store, claimed for its writer.

    Raises
    ------
    RecordingPathError
        When the place is occupied, in use or cannot be written; nothing has changed then.
    """
    place = place_of(place)
    meta = {
        "format": FORMAT,
        "schema_version": str(SCHEMA_VERSION),
        "scenario": rows.to_json(scenario, "the scenario"),
        "batch": "0",
        "complete": "0",
    }
    if isinstance(place, DatabasePlace):
        from twin.recording.postgres_store import PostgresWriterStore  # noqa: PLC0415

        return PostgresWriterStore.created(place, meta=meta, meters=meters, overwrite=overwrite)
    return SqliteWriterStore(create_recording(place, meta=meta, meters=meters, overwrite=overwrite))


def claim_store(place: str | Place) -> tuple[WriterStore, list[MeterInfo]]:
    """Return the store of a recording that exists, claimed for a writer, and its meters.

    An older recording is migrated.

    Raises
    ------
    RecordingPathError
        When there is none, another writer has it, or it cannot be written.
    RecordingError
        When it is none, or a newer version of the software wrote it.
    """
    source = _source(place_of(place))
    schema_version(source)
    store: WriterStore
    if isinstance(source.place, DatabasePlace):
        from twin.recording.postgres_store import PostgresWriterStore  # noqa: PLC0415

        store = PostgresWriterStore(source.place)
    else:
        store = SqliteWriterStore(source.place)
    try:
        with store.failing():
            # Asked again under the claim: another program may have migrated it meanwhile.
            version = schema_version(source)
            if version < SCHEMA_VERSION:
                with store.transaction():
                    migrate(store, version, store.migrations)
                    store.add(META, [("schema_version", str(SCHEMA_VERSION))])
            return store, [rows.meter_from(row) for row in store.execute(sql.METERS)]
    except BaseException:
        store.close()
        raise


def open_source(place: str | Place) -> Source:
    """Return a recording as readers reach it, in the present schema.

    Raises
    ------
    RecordingPathError
        When there is none, or it cannot be read.
    RecordingError
        When it is none, or a newer version of the software wrote it.
    """
    source = _source(place_of(place))
    version = schema_version(source)
    if version < SCHEMA_VERSION:
        source.read_as_present(version)
    return source


def schema_version(source: Source) -> int:
    """Return the schema's version of a recording.

    Raises
    ------
    RecordingError
        When it is no recording, or a newer version of the software wrote it.
    """
    with source.snapshot() as connection:
        meta = dict(connection.execute(sql.META).fetchall())
    if meta.get("format") != FORMAT:
        msg = f"{source.place}: is no recording; name the directory that a run recorded into"
        raise RecordingError(msg)
    version = int(meta["schema_version"])
    if version > SCHEMA_VERSION:
        msg = (
            f"{source.place}: was written with schema version {version}, this software reads up to "
            f"{SCHEMA_VERSION}; open it with the software that wrote it or a newer one"
        )
        raise RecordingError(msg)
    return version


def _source(place: Place) -> Source:
    if isinstance(place, Path):
        return SqliteSource(place.resolve())
    from twin.recording.postgres_store import PostgresSource  # noqa: PLC0415

    return PostgresSource(place)

"""What readers and the writer need of a database, be it SQLite or PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from twin.contracts import IntervalBlock
from twin.recording.places import Place
from twin.recording.rows import Row
from twin.recording.tables import Table

Parameters = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    """Rows of an answer."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the rows that are left."""


class Connection(Protocol):
    """A connection on which statements of ``sql`` can be run."""

    def execute(self, statement: str, parameters: Parameters = (), /) -> Cursor:
        """Run a statement whose values are marked ``?`` or ``:name``."""


class WriterStore(Protocol):
    """Where one writer writes: claimed until it is closed."""

    @property
    def place(self) -> Place:
        """Where the recording is."""

    @property
    def seals(self) -> bool:
        """Whether finished days of the load profile move out of the database."""

    @property
    def migrations(self) -> Mapping[int, Sequence[str]]:
        """Statements that lead from older schemas to the present one."""

    def execute(self, statement: str, parameters: Parameters = (), /) -> Cursor:
        """Run a statement."""

    def create(self, table: Table) -> None:
        """Create a table, inside a transaction."""

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add many rows, inside a transaction."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make what is done inside durable as a whole, or undo it."""

    def failing(self) -> AbstractContextManager[None]:
        """Raise what goes wrong inside as RecordingError or RecordingPathError, with the place."""

    def add_intervals(
        self, set_id: int, channels: tuple[str, ...], blocks: Sequence[IntervalBlock], *, newest_day: int
    ) -> None:
        """Add intervals of the load profile, inside a transaction.

        Days before ``newest_day`` are over; they may go where finished days are.
        """

    def seal(self, set_id: int, channels: tuple[str, ...], day: int) -> None:
        """Move a day of the load profile out of the database, if it does so."""

    def forget_profile(self, sets: Sequence[int], until_ns: int) -> None:
        """Remove all of the load profile that ends at or before an instant, UTC [ns]."""

    def sweep(self) -> int:
        """Remove what a killed writer left half done; return how many files."""

    def finish(self) -> None:
        """Leave the recording in the form that it keeps."""

    def close(self) -> None:
        """Let go of the recording."""

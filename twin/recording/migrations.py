"""How a recording of an older schema becomes one of the present schema, step by step.

A step is written once and never changed: it says what the tables were then, whatever they are now.
"""

from collections.abc import Mapping, Sequence

from twin.recording.database import Connection
from twin.recording.tables import SCHEMA_VERSION

Statements = Sequence[str]

SQLITE_MIGRATIONS: Mapping[int, Statements] = {
    # Registers that are kept whenever they change, and the tag list that tells what they mean.
    1: (
        """
        CREATE TABLE register_point (
            meter TEXT NOT NULL,
            name TEXT NOT NULL,
            address INTEGER NOT NULL,
            words INTEGER NOT NULL,
            type TEXT NOT NULL,
            word_order TEXT NOT NULL,
            scale REAL,
            unit TEXT NOT NULL,
            access TEXT NOT NULL,
            PRIMARY KEY (meter, address)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE register_change (
            meter TEXT NOT NULL,
            address INTEGER NOT NULL,
            time_ns INTEGER NOT NULL,
            words BLOB NOT NULL,
            PRIMARY KEY (meter, address, time_ns)
        ) STRICT, WITHOUT ROWID
        """,
    ),
}
"""By the version that a step starts from."""

POSTGRESQL_MIGRATIONS: Mapping[int, Statements] = {}
"""The same for runs in PostgreSQL, of which version 2 is the first."""


def migrate(connection: Connection, version: int, steps: Mapping[int, Statements]) -> None:
    """Give a database of some version the present tables, inside the caller's transaction.

    What it says of its version is left to the caller: a reader's private copy keeps it.
    """
    for start in range(version, SCHEMA_VERSION):
        for statement in steps[start]:
            connection.execute(statement)

"""Where a recording is: a directory, or a run in a PostgreSQL database that a URL names."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from twin.recording.errors import RecordingPathError

_SCHEMES = frozenset({"postgresql", "postgres"})
_RUN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_TAKEN = re.compile(r"pg_.*|public|information_schema")


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """A run in a database; prints as a URL without the password."""

    url: str
    """As libpq takes it, without ``run``."""
    run: str | None
    """Name of the run, which is that of its schema; None: the only one there is."""

    def __str__(self) -> str:
        """Return the URL by which a reader finds the run; its password comes from the environment."""
        parts = urlsplit(self.url)
        user, at, host = parts.netloc.rpartition("@")
        query = [(key, value) for key, value in _query(self.url) if key != "password"]
        if self.run is not None:
            query.append(("run", self.run))
        netloc = f"{user.partition(':')[0]}{at}{host}"
        return f"{parts.scheme}://{netloc}{parts.path}{'?' if query else ''}{urlencode(query)}"

    @property
    def named_run(self) -> str:
        """The run's name, which must have been given.

        Raises
        ------
        RecordingPathError
            When it was not.
        """
        if self.run is None:
            msg = f"{self}: which run is not said; add ?run=NAME"
            raise RecordingPathError(msg)
        return self.run

    def with_run(self, run: str) -> Self:
        """Return the place of a run in this database.

        Raises
        ------
        RecordingPathError
            When the name cannot be a run's.
        """
        if not _RUN.fullmatch(run) or _TAKEN.fullmatch(run):
            msg = (
                f"{self}: '{run}' cannot name a run; use up to 63 letters, digits, '_', '-' and '.', "
                "and not a name of the database's own"
            )
            raise RecordingPathError(msg)
        return replace(self, run=run)


Place = Path | DatabasePlace


def is_database(place: "str | Place") -> bool:
    """Return whether a place is in a database and no directory."""
    return isinstance(place, DatabasePlace) or (
        isinstance(place, str) and urlsplit(place).scheme in _SCHEMES and "://" in place
    )


def place_of(given: "str | Place") -> Place:
    """Return the place that a path or a URL names: ``recordings/day``, ``postgresql://host/db?run=day``.

    Raises
    ------
    RecordingPathError
        When the name of the run cannot be one.
    """
    if isinstance(given, DatabasePlace):
        return given
    if not is_database(given):
        return Path(given)
    parts, query = urlsplit(str(given)), _query(str(given))
    rest = urlencode([(key, value) for key, value in query if key != "run"])
    url = f"{parts.scheme}://{parts.netloc}{parts.path}{'?' if rest else ''}{rest}"
    place = DatabasePlace(url, None)
    run = dict(query).get("run")
    return place if run is None else place.with_run(run)


def _query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)

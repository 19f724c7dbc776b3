"""Bringing a recording into being, whole or not at all."""

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from twin.contracts import MeterInfo
from twin.recording import rows, sql
from twin.recording.ddl import sqlite_statements
from twin.recording.errors import RecordingPathError
from twin.recording.segments import sync_directory
from twin.recording.tables import FORMAT, META, METER, TABLES

DATABASE = "recording.sqlite"
"""File in the directory of a recording that holds all but the sealed load profile."""
SEGMENTS = "load_profile"
"""Folder in the directory of a recording that holds the sealed load profile."""


def create_recording(
    path: Path, *, meta: Mapping[str, str], meters: Sequence[MeterInfo], overwrite: bool
) -> Path:
    """Create an empty recording in a directory and return its absolute path.

    It is built beside its place and renamed into it, so that no interruption leaves half of one.

    Raises
    ------
    RecordingPathError
        When the place is occupied, in use or cannot be written; nothing has changed then.
    """
    try:
        path = path.resolve()
        _check_place(path, overwrite=overwrite)
        staging = path.with_name(f".{path.name}.creating")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)  # what an interrupted creation left
        try:
            staging.mkdir()
            _fill(staging, meta, meters)
            _move_into_place(staging, path)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    except RecordingPathError:
        raise
    except (OSError, sqlite3.Error) as error:
        msg = f"{path}: cannot create a recording: {error}; choose a directory that can be written"
        raise RecordingPathError(msg) from error
    return path


def is_recording(path: Path) -> bool:
    """Return whether a directory holds a recording of whatever schema version."""
    database = path / DATABASE
    if not database.is_file():
        return False
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection,
    ):
        return dict(connection.execute(sql.META)).get("format") == FORMAT
    return False


def lock_directory(path: Path) -> int:
    """Claim a recording for one writer and return the claim; it ends with the process at the latest.

    Raises
    ------
    RecordingPathError
        When another writer has it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        msg = f"{path}: a running program is writing this recording; stop it or choose another place"
        raise RecordingPathError(msg) from error
    return handle


def unlock_directory(claim: int) -> None:
    """Give a claim back."""
    # Closing would not do: a forked child may still hold a copy of the handle.
    fcntl.flock(claim, fcntl.LOCK_UN)
    os.close(claim)


def _check_place(path: Path, *, overwrite: bool) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        msg = f"{path}: is a file; choose a new directory for the recording"
        raise RecordingPathError(msg)
    if not any(path.iterdir()):
        return
    if not is_recording(path):
        msg = f"{path}: is not empty and no recording; choose a new directory"
        raise RecordingPathError(msg)
    if not overwrite:
        msg = f"{path}: holds a recording already; choose a new directory or ask to overwrite it"
        raise RecordingPathError(msg)
    unlock_directory(lock_directory(path))


def _fill(staging: Path, meta: Mapping[str, str], meters: Sequence[MeterInfo]) -> None:
    (staging / SEGMENTS).mkdir()
    with contextlib.closing(sqlite3.connect(staging / DATABASE)) as connection, connection:
        for table in TABLES:
            for statement in sqlite_statements(table):
                connection.execute(statement)
        connection.executemany(sql.add_row(META), meta.items())
        connection.executemany(
            sql.add_row(METER), [rows.meter_row(n, meter) for n, meter in enumerate(meters)]
        )
    sync_directory(staging)


def _move_into_place(staging: Path, path: Path) -> None:
    if path.exists() and any(path.iterdir()):
        replaced = path.with_name(f".{path.name}.replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        path.rename(replaced)
        try:
            staging.rename(path)
        except OSError:
            replaced.rename(path)
            raise
        shutil.rmtree(replaced, ignore_errors=True)
    else:
        staging.rename(path)
    sync_directory(path.parent)

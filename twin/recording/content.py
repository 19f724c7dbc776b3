"""One number for all that a recording holds, to compare two runs by.

The hash covers tables in the order of their names and rows in the order of their keys, each value as a
type letter and little-endian bits; a number that does not exist has one form and -0 is 0. How records
were batched, which days are sealed, the scenario's text, paths and wall clocks do not enter.
"""

import hashlib
import struct
from typing import Any, Protocol

import numpy as np

from twin.recording import rows, sql
from twin.recording.database import Connection
from twin.recording.load_profile import LoadProfile, Piece, day_of, merge, piece_of_rows, span_of
from twin.recording.places import Place
from twin.recording.store import Source, open_source

_VERSION = b"recording content 1\n"


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


def content_hash(place: str | Place) -> str:
    """Return the SHA-256 over a recording's canonical rows, as 64 hexadecimal digits.

    Parameters
    ----------
    place : str or Path
        Directory of the recording, or its run in a database; what its writer has flushed counts.

    Raises
    ------
    RecordingPathError
        When there is no recording or it cannot be read.
    """
    source = open_source(place)
    digest = hashlib.sha256(_VERSION)
    with source.snapshot() as connection:
        for table, columns, key in sql.CANONICAL_ROWS:
            found = connection.execute(f"SELECT {sql.quoted(columns)} FROM {table.name} ORDER BY {key}")
            named = table.name in sql.OPTIONAL  # the hash of recordings without them is as it always was
            if not named:
                digest.update(_text(table.name))
            for row in found:
                if named:
                    digest.update(_text(table.name))
                    named = False
                digest.update(b"r" + b"".join(map(canonical_bytes, row)))
        digest.update(_text("load_profile"))
        sets = [(rows.from_json(text), number) for number, text in connection.execute(sql.CHANNEL_SETS)]
        for channels, set_id in sorted((tuple(sorted(names)), number) for names, number in sets):
            by_meter = _profile_digests(source, connection, set_id, channels)
            for meter in sorted(by_meter):
                digest.update(b"".join(map(_text, (meter, *channels))) + by_meter[meter].digest())
    return digest.hexdigest()


def _profile_digests(
    source: Source, connection: Connection, set_id: int, channels: tuple[str, ...]
) -> dict[str, _Digest]:
    """Return a digest per meter of all intervals with a set of channels, read day by day."""
    days: dict[int, list[str]] = {}
    for day, file in connection.execute(sql.SEGMENT_DAYS, (set_id,)):
        days.setdefault(day, []).append(file)
    hot_ends = connection.execute(sql.hot_ends(set_id)).fetchall()
    digests: dict[str, _Digest] = {}
    for day in sorted(days.keys() | {day_of(end_ns) for (end_ns,) in hot_ends}):
        pieces: dict[str, list[Piece]] = {}
        for file in days.get(day, ()):
            for meter, piece in source.read_segment(file, channels).items():
                pieces.setdefault(meter, []).append(piece)
        for meter, found in _hot_rows(connection, set_id, channels, day).items():
            pieces.setdefault(meter, []).append(piece_of_rows(found, channels))
        for meter, parts in pieces.items():
            digests.setdefault(meter, hashlib.sha256()).update(_canonical(merge(parts, channels)))
    return digests


def _hot_rows(
    connection: Connection, set_id: int, channels: tuple[str, ...], day: int
) -> dict[str, list[rows.Row]]:
    found: dict[str, list[rows.Row]] = {}
    for meter, *numbers in connection.execute(sql.hot_intervals_of_all(set_id, channels), span_of(day)):
        found.setdefault(meter, []).append(tuple(numbers))
    return found


def _canonical(profile: LoadProfile) -> bytes:
    """Return rows of end [ns], duration [s] and values, 8 little-endian bytes each."""
    numbers = np.stack([profile.duration_s, *profile.values.values()], axis=1)
    numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one NaN; -0 + 0 is 0
    table = np.empty((len(numbers), 1 + numbers.shape[1]), dtype="<u8")
    table[:, 0] = profile.end_ns.view(np.uint64)
    table[:, 1:] = numbers.view(np.uint64)
    return table.tobytes()


def canonical_bytes(value: Any) -> bytes:
    """Return a value of a row as the content hash takes it."""
    if value is None:
        return b"n"
    if isinstance(value, int):
        return b"i" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"f" + struct.pack("<d", value + 0.0)
    if isinstance(value, str):
        return _text(value)
    return b"b" + struct.pack("<q", len(value)) + bytes(value)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return b"s" + struct.pack("<q", len(encoded)) + encoded

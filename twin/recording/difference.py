"""Where two recordings differ: the first row that one has and the other has not."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from twin.recording import sql
from twin.recording.content import canonical_bytes
from twin.recording.places import Place
from twin.recording.reader import Recording
from twin.recording.store import Source, open_source
from twin.recording.tables import Table

Row = tuple[Any, ...]

_TIMES = {"alarm": "time_ns", "command": "applied_ns", "event": "start_ns", "truth": "time_ns"}
_TIMES |= {"register_change": "time_ns", "soe": "time_ns", "terminal": "time_ns", "waveform": "trigger_ns"}


def first_difference(one: str | Place, other: str | Place, *, until_ns: int | None = None) -> str | None:
    """Return in words where two recordings differ first, table by table; None where they do not.

    Parameters
    ----------
    one, other : str or Path
        Directories of recordings, or their runs in databases.
    until_ns : int, optional
        Only what is stamped earlier is compared; of a recording whose writer was killed, UTC [ns].

    Raises
    ------
    RecordingPathError
        When there is no recording or it cannot be read.
    """
    sources = open_source(one), open_source(other)
    for table, columns, key in sql.CANONICAL_ROWS:
        found = (_rows(source, table, columns, key, until_ns) for source in sources)
        for first, second in zip_longest(*found):
            alone = _alone(
                first, second, [columns.index(name) for name in key.split(", ") if name in columns]
            )
            if alone is not None:
                row = dict(zip(columns, first if alone == "first" else second, strict=True))
                return f"{table.name}: only the {alone} has {_shown(row)}"
            for column, ours, theirs in zip(columns, first, second, strict=True):
                if canonical_bytes(ours) != canonical_bytes(theirs):
                    where = _shown(dict(zip(columns, first, strict=True)))
                    return f"{table.name} {where}: {column} {_value(ours)} and {_value(theirs)}"
    return _profile_difference(Recording.open(one), Recording.open(other), until_ns)


def _alone(first: Row | None, second: Row | None, ordered: Sequence[int]) -> str | None:
    """Return which of two rows the other recording lacks; None when they stand for the same."""
    if first is None or second is None:
        return "second" if first is None else "first"
    ours, theirs = ([row[at] for at in ordered] for row in (first, second))
    return None if ours == theirs else "first" if ours < theirs else "second"


def _rows(
    source: Source, table: Table, columns: tuple[str, ...], key: str, until_ns: int | None
) -> Iterator[Row]:
    time = _TIMES.get(table.name)
    with source.snapshot() as connection:
        limited = "" if until_ns is None or time is None else f" WHERE {time} < {int(until_ns)}"
        yield from connection.execute(
            f"SELECT {sql.quoted(columns)} FROM {table.name}{limited} ORDER BY {key}"
        )


def _profile_difference(one: Recording, other: Recording, until_ns: int | None) -> str | None:
    for meter in one.meters():
        profiles = [
            recording.load_profile(meter.name, end_ns=None if until_ns is None else until_ns - 1)
            for recording in (one, other)
        ]
        first, second = profiles
        if not np.array_equal(first.end_ns, second.end_ns):
            alone = np.setxor1d(first.end_ns, second.end_ns)
            return f"load_profile {meter.name}: only one has the interval that ends at {alone[0]} ns"
        if set(first.values) != set(second.values):
            alone_names = sorted(set(first.values) ^ set(second.values))
            return f"load_profile {meter.name}: only one has the channel {alone_names[0]}"
        for channel in ("duration_s", *first.values):
            ours, theirs = (
                profile.duration_s if channel == "duration_s" else profile.values[channel]
                for profile in profiles
            )
            differs = np.flatnonzero((ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs)))
            if differs.size:
                at = int(differs[0])
                when = f"interval that ends at {first.end_ns[at]} ns"
                return f"load_profile {meter.name}, {when}: {channel} {ours[at]!r} and {theirs[at]!r}"
    return None


def _shown(row: Mapping[str, Any]) -> str:
    """Return what names a row for people."""
    names = ("sequence", "meter", "name", "number", "element", "kind", "channel", "address")
    times = ("time_ns", "applied_ns", "start_ns", "trigger_ns")
    return ", ".join(f"{name} {row[name]}" for name in (*names, *times) if row.get(name) is not None)


def _value(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes | memoryview) else repr(value)

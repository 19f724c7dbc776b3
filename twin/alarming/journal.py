"""The journal of an alarm system: every transition of every alarm, as it is exchanged with other programs.

The columns are ``time_utc,source,condition,transition,priority,value``. A journal of any other system can
be read, if it brings these columns; that is what grading compares.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from twin.contracts import NS_PER_SECOND, BadInputError, Finding, Mark
from twin.documents import csv_rows, read_csv_text

COLUMNS = ("time_utc", "source", "condition", "transition", "priority", "value")
EXCHANGED = ("active", "return", "ack", "shelve", "unshelve")
"""Transitions that every system's journal may hold."""
TRANSITIONS = (*EXCHANGED, "reset", "suppress", "unsuppress", "out_of_service", "in_service")
"""Those that the reference server writes beside them."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One transition of one alarm."""

    time_ns: int
    """UTC [ns]."""
    source: str
    condition: str
    """Name of the alarm."""
    transition: str
    """One of ``TRANSITIONS``."""
    priority: str = ""
    value: float = math.nan
    """What was compared, where it is a number."""


def journal_csv(entries: Iterable[JournalEntry]) -> str:
    """Return a journal as CSV, times to the millisecond."""
    return ",".join(COLUMNS) + "\n" + "".join(journal_line(entry) for entry in entries)


def journal_line(entry: JournalEntry) -> str:
    """Return one line of a journal, its line feed included."""
    text = io.StringIO()
    value = "" if math.isnan(entry.value) else f"{entry.value:.9g}"
    csv.writer(text, lineterminator="\n").writerow(
        (utc_text(entry.time_ns), entry.source, entry.condition, entry.transition, entry.priority, value)
    )
    return text.getvalue()


def read_journal(path: Path | str, *, time_zone: str = "UTC") -> tuple[JournalEntry, ...]:
    """Read a journal.

    Parameters
    ----------
    path : Path or str
    time_zone : str
        IANA name of the zone of times that say none.

    Returns
    -------
    tuple of JournalEntry
        In order of time; entries of one time stay in the order of the file. An entry that repeats the
        one before of its alarm in all columns was exported twice, and is left out.

    Raises
    ------
    BadInputError
        With a finding for each line that cannot be read.
    """
    file = str(path)
    text = read_csv_text(path, mend="check the path and the encoding")
    reader = csv_rows(text, file, needed=COLUMNS[:4], mend=f"give the columns {','.join(COLUMNS)}")
    zone = ZoneInfo(time_zone)
    entries: list[JournalEntry] = []
    findings: list[Finding] = []
    for row in reader:
        read = _entry(row, Mark(file, reader.line_num), zone)
        if isinstance(read, JournalEntry):
            entries.append(read)
        else:
            findings.append(read)
    if findings:
        raise BadInputError(*findings)
    return tuple(_once(sorted(entries, key=lambda entry: entry.time_ns)))


def _once(entries: Iterable[JournalEntry]) -> Iterator[JournalEntry]:
    """Yield entries without those that repeat the one before of their alarm."""
    last: dict[tuple[str, str], str] = {}
    for entry in entries:
        key, line = (entry.source, entry.condition), journal_line(entry)
        if last.get(key) != line:
            yield entry
        last[key] = line


def _entry(row: dict[str, str | None], mark: Mark, zone: ZoneInfo) -> JournalEntry | Finding:
    def text(name: str) -> str:
        return (row.get(name) or "").strip()

    try:
        time_ns = instant_ns(text("time_utc"), zone)
    except ValueError:
        what = f"{text('time_utc')!r} is no time"
        return Finding(mark, "time_utc", what, "write it as 2026-01-15T18:30:00.000Z")
    if text("transition") not in TRANSITIONS:
        what = f"{text('transition')!r} is no transition"
        return Finding(mark, "transition", what, f"give one of {', '.join(EXCHANGED)}")
    if not text("condition"):
        return Finding(mark, "condition", "is empty", "name the alarm")
    try:
        value = float(text("value") or "nan")
    except ValueError:
        return Finding(mark, "value", f"{text('value')!r} is no number", "leave it empty or give a number")
    return JournalEntry(
        time_ns=time_ns,
        source=text("source"),
        condition=text("condition"),
        transition=text("transition"),
        priority=text("priority").lower(),
        value=value,
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ns(text: str, zone: ZoneInfo) -> int:
    """Return an instant in ISO 8601, of a zone where it names none, UTC [ns].

    Raises
    ------
    ValueError
        It is no time, or lies at the very end of the calendar.
    """
    time = datetime.fromisoformat(text)
    try:
        since = (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC) - _EPOCH
    except OverflowError as error:  # the year 1, which programs write that know no time
        raise ValueError(text) from error
    return (since.days * 86400 + since.seconds) * NS_PER_SECOND + since.microseconds * 1000


def utc_text(time_ns: int) -> str:
    """Return an instant as journals write it, to the millisecond."""
    milliseconds = round(time_ns / 1_000_000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"

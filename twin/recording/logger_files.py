"""What data loggers kept, as the files of a meter's web module: named, cut and stamped as it does.

References
----------
KW320 manual 5.1.7.4.3 (list of files) and 5.1.8.6 (columns, formats, file lengths).
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from twin.recording.load_profile import LoadProfile
from twin.recording.local_time import Span, Stamp, bucket, calendar_bucket, local, stamp, week_bucket

Form = Literal["csv", "json"]
FORMS: Final[tuple[Form, ...]] = ("csv", "json")
SPANS: Final[tuple[Span, ...]] = ("hour", "day", "week", "month", "all")
_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "min"), (1, "sec"))
_SHORTEST_MONTH_S: Final = 27 * 86_400


@dataclass(frozen=True, slots=True)
class LoggerFile:
    """One file of a data logger."""

    name: str
    """``head-logger1-2019-07-11T00-00-00-0400-1min.csv``: the local time is that of its end."""
    text: str


def logger_files(
    logged: LoadProfile,
    *,
    meter: str,
    number: int,
    time_zone: str,
    form: Form = "csv",
    time: Stamp = "local",
    span: Span = "day",
) -> Iterator[LoggerFile]:
    """Yield what a logger kept, file by file in order of time.

    Parameters
    ----------
    logged : LoadProfile
        As `Recording.logged` returns it.
    meter : str
    number : int
        Of the logger.
    time_zone : str
        IANA name of the site's zone.
    form : str
        ``csv``: a column per channel; ``json``: a list of values per record.
    time : str
        How instants are written; each is the end of its interval.
    span : str
        How much of local time goes into a file. A day ends at midnight, whatever its length.
    """
    if not logged.end_ns.size:
        return
    zone = ZoneInfo(time_zone)
    ends = _file_ends(logged, zone, span)
    every = interval_text(logged)
    for end_ns in sorted(set(ends)):
        rows = [row for row, end in enumerate(ends) if end == end_ns]
        name = f"{meter.replace('/', '_')}-logger{number}-{_name_time(end_ns, zone)}-{every}.{form}"
        yield LoggerFile(name, _csv(logged, rows, zone, time) if form == "csv" else
                         _json(logged, rows, zone, time, meter, number))  # fmt: skip


def interval_text(logged: LoadProfile) -> str:
    """Return the interval of a logger as file names have it: ``15sec``, ``5min``, ``1hour``, ``1month``.

    It is that of most of what was kept: the first may be shorter, days of summer time differ by an hour.
    """
    lengths, counts = np.unique(np.round(logged.duration_s).astype(np.int64), return_counts=True)
    if lengths[-1] >= _SHORTEST_MONTH_S:
        return "1month"
    usual = int(lengths[counts.argmax()])
    return next(f"{usual // size}{unit}" for size, unit in _UNITS if usual % size == 0)


def _file_ends(logged: LoadProfile, zone: ZoneInfo, span: Span) -> list[int]:
    """Return, for each interval, the end of the file that it is in [ns]."""
    instants = logged.end_ns.tolist()
    if span == "all":
        return [instants[-1]] * len(instants)
    if span == "hour":
        return [bucket(end, zone, 60)[1] for end in instants]
    if span == "week":
        return [week_bucket(end, zone, instants[0])[1] for end in instants]
    return [calendar_bucket(end, zone, span)[1] for end in instants]


def _name_time(ns: int, zone: ZoneInfo) -> str:
    return f"{local(ns, zone):%Y-%m-%dT%H-%M-%S%z}"


def _csv(logged: LoadProfile, rows: list[int], zone: ZoneInfo, time: Stamp) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Time", *(channel.upper() for channel in logged.values)])
    columns = [column[rows].tolist() for column in logged.values.values()]
    for place, row in enumerate(rows):
        values = [column[place] for column in columns]
        shown = ["" if value != value else repr(value) for value in values]  # noqa: PLR0124
        writer.writerow([stamp(int(logged.end_ns[row]), zone, time), *shown])
    return text.getvalue()


def _json(logged: LoadProfile, rows: list[int], zone: ZoneInfo, time: Stamp, meter: str, number: int) -> str:
    columns = [column[rows].tolist() for column in logged.values.values()]
    records = [
        {
            "time": stamp(int(logged.end_ns[row]), zone, time),
            "duration_s": float(logged.duration_s[row]),
            "values": [None if column[place] != column[place] else column[place] for column in columns],
        }
        for place, row in enumerate(rows)
    ]
    body = {"meter": meter, "logger": number, "channels": list(logged.values), "records": records}
    return json.dumps(body, allow_nan=False) + "\n"

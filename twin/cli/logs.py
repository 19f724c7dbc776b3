"""``twin export logger`` and ``twin export trend``: what loggers and load profiles hold, by local time."""

import argparse
import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twin.cli.parts import Commands, add_command, add_recorded
from twin.contracts import BadInputError, Finding, Mark

if TYPE_CHECKING:
    from twin.recording import Recording

_FORMS: Final = ("csv", "json")
_STAMPS: Final = ("local", "iso8601", "utc")
_SPANS: Final = ("hour", "day", "week", "month", "all")
_INTERVALS: Final = ("1min", "15min", "1hour", "1day", "1month")


def add_commands(kinds: "Commands[argparse.ArgumentParser]") -> None:
    """Add both commands to those of ``export``."""
    loggers = add_command(
        kinds, "logger", "logs:logger", "write what a data logger kept, as files of its web module",
        "twin export logger recordings/day --meter head --logger 1 --out logs",
    )  # fmt: skip
    _common(loggers)
    loggers.add_argument("--logger", type=int, required=True, metavar="N", help="1..3")
    loggers.add_argument("--out", required=True, metavar="DIR", help="folder for the files")
    loggers.add_argument("--file", choices=_SPANS, default="day", help="local time in a file; default day")
    loggers.add_argument("--gzip", action="store_true", help="compress the files")
    loggers.set_defaults(time="local")
    trends = add_command(
        kinds, "trend", "logs:trend", "print a meter's load profile by hours, days or months of local time",
        "twin export trend recordings/day --meter head --interval 1hour > head.csv",
    )  # fmt: skip
    _common(trends)
    trends.add_argument("--interval", choices=_INTERVALS, default="1hour", help="default 1hour")
    trends.set_defaults(time="iso8601")


def _common(command: argparse.ArgumentParser) -> None:
    add_recorded(command)
    command.add_argument("--meter", required=True)
    command.add_argument("--format", choices=_FORMS, default="csv", help="default csv")
    command.add_argument("--time", choices=_STAMPS, help="how instants are written")
    command.add_argument("--from", dest="from_time", metavar="TIME", help="local time, 2026-01-15T06:00")
    command.add_argument("--to", dest="to_time", metavar="TIME", help="local time")


def logger(options: argparse.Namespace) -> int:
    """Write what a logger kept to a folder, and print the names of the files."""
    from twin.recording import Recording  # noqa: PLC0415
    from twin.recording.logger_files import logger_files  # noqa: PLC0415

    recording = Recording.open(options.recording)
    start_ns, end_ns = _span(options, recording)
    logged = recording.logged(options.meter, options.logger, start_ns=start_ns, end_ns=end_ns)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    files = logger_files(
        logged,
        meter=options.meter,
        number=options.logger,
        time_zone=_zone(recording),
        form=options.format,
        time=options.time,
        span=options.file,
    )
    for file in files:
        path = folder / file.name
        if options.gzip:
            path = path.with_name(f"{path.name}.gz")
            path.write_bytes(gzip.compress(file.text.encode(), mtime=0))
        else:
            path.write_text(file.text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


def trend(options: argparse.Namespace) -> int:
    """Print the trend of a load profile."""
    from twin.recording import Recording  # noqa: PLC0415
    from twin.recording import trend as trends  # noqa: PLC0415

    recording = Recording.open(options.recording)
    start_ns, end_ns = _span(options, recording)
    profile = recording.load_profile(options.meter, start_ns=start_ns, end_ns=end_ns)
    zone = _zone(recording)
    found = trends.trend(profile, time_zone=zone, interval=options.interval)
    sys.stdout.write(
        trends.trend_text(found, meter=options.meter, time_zone=zone, form=options.format, time=options.time)
    )
    return 0


def _zone(recording: "Recording") -> str:
    return str(recording.info.scenario.get("time_zone", "UTC"))


def _span(options: argparse.Namespace, recording: "Recording") -> tuple[int | None, int | None]:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from twin.recording.local_time import instant  # noqa: PLC0415

    found: list[int | None] = []
    for option, text in (("--from", options.from_time), ("--to", options.to_time)):
        try:
            found.append(None if text is None else instant(text, ZoneInfo(_zone(recording))))
        except ValueError as error:
            mend = "give a local time such as 2026-01-15T06:00, with or without an offset"
            raise BadInputError(
                Finding(Mark("command line"), option, f"'{text}' is no time", mend)
            ) from error
    return found[0], found[1]

"""``twin meter``: keep a meter's configuration, apply one, and read its event log, as on its web pages.

They work with a live site that serves its control interface; but for applying, with recordings too.
"""

import argparse
import json
import sys
from pathlib import Path

from twin.cli.parts import Commands, add_command, add_json
from twin.contracts import BadInputError, Finding, Mark

_MOST_LINES = 10_000
_PLACE = "ready file or URL of a live site (token in TWIN_API_TOKEN), or a recording"


def add_meter(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command with those under it."""
    meter = add_command(
        commands, "meter", "", "keep or apply a meter's configuration, or read its event log",
        "twin meter backup ready.json --meter head --out head.json",
    )  # fmt: skip
    kinds = meter.add_subparsers(dest="what_of_meter", required=True, metavar="WHAT")
    backup = add_command(
        kinds, "backup", "meter:backup", "write every setting register of a meter as JSON",
        "twin meter backup recordings/day --meter head --at 07:30 --out head.json",
    )  # fmt: skip
    _common(backup, _PLACE)
    backup.add_argument("--at", metavar="TIME", help="of a recording: when, local time; its end by default")
    backup.add_argument("--out", metavar="FILE", help="file; printed without")
    apply = add_command(
        kinds, "import", "meter:apply", "set a meter of a live site as a kept configuration says",
        "twin meter import ready.json --meter home head.json",
    )  # fmt: skip
    _common(apply, "ready file or URL of a live site (token in TWIN_API_TOKEN)")
    apply.add_argument("configuration", metavar="FILE", help="as backup wrote it")
    add_json(apply)
    log = add_command(
        kinds, "log", "meter:log", "print who set, cleared or triggered what of a meter",
        "twin meter log recordings/day --meter head",
    )  # fmt: skip
    _common(log, _PLACE)
    log.add_argument("--limit", type=int, default=1000, metavar="N", help="the newest so many; default 1000")
    add_json(log)


def _common(command: argparse.ArgumentParser, place: str) -> None:
    command.add_argument("place", metavar="PLACE", help=place)
    command.add_argument("--meter", required=True)


def backup(options: argparse.Namespace) -> int:
    """Print or write a meter's configuration."""
    from twin.cli.meter_places import meter_place  # noqa: PLC0415
    from twin.cli.options import write_report  # noqa: PLC0415

    kept = meter_place(options.place).configuration(options.meter, at=options.at)
    text = json.dumps(kept, indent=1) + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_report(Path(options.out), text, "--out")
        sys.stdout.write(f"{options.out}\n")
    return 0


def apply(options: argparse.Namespace) -> int:
    """Set a meter of a live site as a kept configuration says."""
    from twin.cli.meter_places import live_place  # noqa: PLC0415

    live = live_place(options.place)
    if live is None:
        what, mend = "is no live site", "give the ready file or the URL of one; what is recorded stays so"
        raise BadInputError(Finding(Mark("command line"), "PLACE", f"{options.place} {what}", mend))
    file = str(options.configuration)
    done = live.apply(options.meter, _read(file), file=file)
    if options.json:
        sys.stdout.write(json.dumps(done) + "\n")
    else:
        registers = "1 register" if done["changed"] == 1 else f"{done['changed']} registers"
        sys.stdout.write(f"{options.meter}: {registers} set at {done['applied_utc']}\n")
    return 0


def log(options: argparse.Namespace) -> int:
    """Print the event log of a meter."""
    from twin.cli.meter_places import meter_place  # noqa: PLC0415

    if not 1 <= options.limit <= _MOST_LINES:
        what, mend = f"{options.limit} is no number of lines", f"give 1 to {_MOST_LINES}"
        raise BadInputError(Finding(Mark("command line"), "--limit", what, mend))
    lines = meter_place(options.place).log(options.meter, newest=options.limit)
    if options.json:
        sys.stdout.write(json.dumps(lines) + "\n")
    else:
        for line in lines:
            sys.stdout.write(f"{line['utc']} {line['level']:<7} {line['source']}: {line['message']}\n")
    return 0


def _read(file: str) -> object:
    """Return the JSON of a file."""
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        what, mend = f"cannot be read ({error.strerror})", "give a file that backup wrote"
        raise BadInputError(Finding(Mark(file), "", what, mend)) from error
    except ValueError as error:
        what, mend = f"is no JSON ({error})", "give a file that backup wrote"
        raise BadInputError(Finding(Mark(file), "", what, mend)) from error

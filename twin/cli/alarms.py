"""``twin alarms``: the reference alarm server."""

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import parse_quantity

if TYPE_CHECKING:
    from twin.alarming.rules import AlarmPlan
    from twin.alarming.site_control import SiteControl


def alarms(options: argparse.Namespace) -> int:
    """Poll meters, follow alarms, and write the journal."""
    from twin.alarming.rules import read_rules  # noqa: PLC0415
    from twin.alarming.site_control import SiteControl  # noqa: PLC0415

    if options.lockstep and options.ready_file is None:
        what, mend = "needs to know the site", "add --ready-file FILE"
        raise BadInputError(Finding(Mark("command line"), "--lockstep", what, mend))
    if options.clock == "site" and options.ready_file is None:
        what, mend = "needs to know the site", "add --ready-file FILE, or take --clock wall"
        raise BadInputError(Finding(Mark("command line"), "--clock", what, mend))
    duration_s = None if options.duration is None else _duration(options.duration)
    plan = read_rules(options.rules, ready_file=options.ready_file)
    in_site_time = options.lockstep or options.clock == "site"
    control = SiteControl.from_ready_file(options.ready_file) if in_site_time else None
    with contextlib.ExitStack() as stack:
        out: TextIO = sys.stdout
        if options.out is not None:
            out = stack.enter_context(_opened(Path(options.out)))
        _watch(plan, control, options.lockstep, duration_s, out)
    return 0


def _watch(
    plan: "AlarmPlan", control: "SiteControl | None", lockstep: bool, duration_s: float | None, out: TextIO
) -> None:
    from twin.alarming.journal import COLUMNS, JournalEntry, journal_line  # noqa: PLC0415
    from twin.alarming.running import watch, watch_in_lockstep  # noqa: PLC0415

    out.write(",".join(COLUMNS) + "\n")
    out.flush()

    def tell(entry: JournalEntry) -> None:
        out.write(journal_line(entry))
        out.flush()

    if lockstep and control is not None:
        work = watch_in_lockstep(plan, control, duration_s=duration_s, tell=tell)
    else:
        work = watch(plan, control=control, duration_s=duration_s, tell=tell)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(work)


def _duration(text: str) -> float:
    try:
        return parse_quantity(text, "s")
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
        raise BadInputError(Finding(Mark("command line"), "--duration", what, mend)) from None


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        what = f"{path} cannot be written ({error.strerror})"
        mend = "give a path in a folder that exists"
        raise BadInputError(Finding(Mark("command line"), "--out", what, mend)) from error

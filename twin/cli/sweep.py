"""``twin sweep``: many variants of a scenario, on this host or on a cluster."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from twin.contracts import BadInputError, Finding, Mark


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what ``twin sweep`` takes."""
    command.add_argument("scenario", help="scenario file")
    command.add_argument("--over", required=True, metavar="PARAMS", help="what varies, see docs/sweeps.md")
    command.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    command.add_argument(
        "--scheduler", metavar="ADDR", help="Dask scheduler, tcp://host:port; this host by default"
    )
    command.add_argument(
        "--workers", type=int, metavar="N",
        help="processes on this host, one per processor by default; with --scheduler: wait for so many",
    )  # fmt: skip
    command.add_argument("--resume", action="store_true", help="go on with the results that are there")
    command.add_argument(
        "--limit", type=int, default=10_000, metavar="N", help="most variants; default 10000"
    )
    command.add_argument("--quiet", action="store_true", help="no progress bar")


def sweep(options: argparse.Namespace) -> int:
    """Run a sweep; 1 when a variant failed."""
    from twin.sweeps import read_plan, run_sweep  # noqa: PLC0415

    for name in ("workers", "limit"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            what, mend = f"{getattr(options, name)} is too few", "give at least 1"
            raise BadInputError(Finding(Mark("command line"), f"--{name}", what, mend))
    started = time.monotonic()
    plan = read_plan(options.scenario, options.over, limit=options.limit)
    signal.signal(signal.SIGTERM, _interrupt)
    reached = [0, 0]
    try:
        with _progress(len(plan.variants), quiet=options.quiet or options.json) as show:

            def note(done: int, failed: int) -> None:
                reached[:] = done, failed
                show(done, failed)

            result = run_sweep(
                plan,
                options.out,
                resume=options.resume,
                workers=options.workers,
                scheduler=options.scheduler,
                show=note,
            )
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted: {reached[0]} of {len(plan.variants)} done; go on with --resume\n")
        return 130
    seconds = time.monotonic() - started
    if options.json:
        told = {
            "title": plan.title,
            "variants": result.total,
            "failed": result.failed,
            "seconds": round(seconds, 3),
            "results_hash": result.results_hash,
            "plan": plan.hash,
            "out": str(options.out),
        }
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write(
            f"{plan.title}: {result.total} variants in {seconds:.1f} s, {result.failed} failed\n"
            f"results: {options.out}\nresults hash: {result.results_hash}\n"
        )
    if result.failed:
        sys.stderr.write(f"{result.failed} variants failed; the column 'error' says why\n")
    return 1 if result.failed else 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many variants are done and failed, on stderr."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, failed: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total)

        def show(done: int, failed: int) -> None:
            progress.update(task, completed=done, description=f"{failed} failed" if failed else "")

        yield show

"""``twin run``: a scenario headless, as fast as possible. ``twin warm-up``: compile the kernels."""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from twin.cli.options import parse_duration, recording_place
from twin.contracts import NS_PER_SECOND

_COLUMNS = ("import kWh", "export kWh", "max kW", "V min", "V max", "events", "alarms", "waves")
_STEPS = 1000
"""Parts into which a run is cut for its progress bar; the result does not depend on it."""
_FLUSH_S = 2.0
"""Wall time after which what was recorded is made durable [s]."""
_LONGEST_STEP_NS = 900 * NS_PER_SECOND
"""Longest stretch of simulated time before a signal is heeded [ns]."""


def run(options: argparse.Namespace) -> int:
    """Run a scenario, record it and print a summary."""
    from twin.recording import content_hash  # noqa: PLC0415
    from twin.scenario import load_scenario  # noqa: PLC0415
    from twin.simulation import build_site  # noqa: PLC0415

    duration = parse_duration(options.duration) if options.duration else None
    scenario = load_scenario(options.scenario, seed=options.seed, duration_s=duration)
    out = recording_place(options)
    started = time.monotonic()
    with build_site(scenario) as site:
        site.begin()
        site.record_to(out, overwrite=options.overwrite)
        stop = stop_on_signals()
        _advance(site, scenario.end_ns, stop, quiet=options.quiet or options.json)
        interrupted = site.engine.now_ns < scenario.end_ns
        summary = site.summary()
    summary["seconds"] = round(time.monotonic() - started, 3)
    summary["content_hash"] = content_hash(out)
    summary["recording"] = str(out)
    summary["interrupted"] = interrupted
    if options.json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        _print_summary(summary)
    return 130 if interrupted else 0


def stop_on_signals() -> threading.Event:
    """Let Ctrl-C and a termination end the run between two steps, never in the middle of one."""
    stop = threading.Event()

    def handler(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGTERM, handler)
    return stop


def warm_up(options: argparse.Namespace) -> int:
    """Compile all kernels by running a small site for a moment."""
    from twin.simulation.warm_up import warm_up_kernels  # noqa: PLC0415

    del options
    seconds = warm_up_kernels()
    sys.stdout.write(f"kernels are ready ({seconds:.1f} s)\n")
    return 0


def _advance(site: Any, end_ns: int, stop: threading.Event, *, quiet: bool) -> None:
    engine = site.engine
    start_ns, flushed = engine.now_ns, time.monotonic()
    step = max(1, min((end_ns - start_ns) // _STEPS, _LONGEST_STEP_NS))
    with progress(start_ns, end_ns, quiet=quiet or not sys.stderr.isatty()) as show:
        while engine.now_ns < end_ns and not stop.is_set():
            engine.advance_to(min(engine.now_ns + step, end_ns))
            show(engine.now_ns)
            if time.monotonic() - flushed > _FLUSH_S:
                site.flush()
                flushed = time.monotonic()


@contextmanager
def progress(start_ns: int, end_ns: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function that shows how far simulated time has come."""
    if quiet:
        yield lambda now_ns: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.percentage:3.0f} %"), BarColumn(), TextColumn("{task.description}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=end_ns - start_ns)

        def show(now_ns: int) -> None:
            hours = (now_ns - start_ns) / NS_PER_SECOND / 3600
            progress.update(task, completed=now_ns - start_ns, description=f"{hours:.1f} h simulated")

        yield show


def _number(value: float | None, factor: float, digits: int) -> str:
    return "-" if value is None else f"{factor * value:.{digits}f}"


def _print_summary(summary: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=summary["title"], title_justify="left")
    table.add_column("meter", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for meter in summary["meters"]:
        table.add_row(
            meter["name"],
            f"{meter['import_wh'] / 1000:.2f}",
            f"{meter['export_wh'] / 1000:.2f}",
            _number(meter["max_demand_w"], 1e-3, 2),
            _number(meter["v_min"], 1.0, 1),
            _number(meter["v_max"], 1.0, 1),
            str(meter["events"]),
            str(meter["alarms"]),
            str(meter["captures"]),
        )
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    console.print(
        f"{summary['simulated_s'] / 3600:.2f} h simulated in {summary['seconds']:.1f} s: "
        f"{summary['load_changes']} load changes, {summary['solves']} solves"
    )
    console.print(f"recording: {summary['recording']}", soft_wrap=True)
    console.print(f"content hash: {summary['content_hash']}", soft_wrap=True)
    if summary["interrupted"]:
        console.print("interrupted; the recording is complete up to there")

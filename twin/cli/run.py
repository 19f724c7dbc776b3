"""``twin run``: a scenario headless, as fast as possible. ``twin warm-up``: compile the kernels."""

import argparse
import json
import signal
import sys
import time
from typing import Any

from twin.cli.options import parse_duration, recording_path
from twin.contracts import NS_PER_SECOND

_COLUMNS = ("import kWh", "export kWh", "max kW", "V min", "V max", "events", "alarms", "waves")
_STEPS = 1000
"""Parts into which a run is cut for its progress bar; the result does not depend on it."""


def run(options: argparse.Namespace) -> int:
    """Run a scenario, record it and print a summary."""
    from twin.recording import content_hash  # noqa: PLC0415
    from twin.scenario import load_scenario  # noqa: PLC0415
    from twin.simulation import build_site  # noqa: PLC0415

    # A termination ends as Ctrl-C does: with the recording sealed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    duration = parse_duration(options.duration) if options.duration else None
    scenario = load_scenario(options.scenario, seed=options.seed, duration_s=duration)
    out = recording_path(options.out, options.scenario)
    started = time.monotonic()
    interrupted = False
    with build_site(scenario) as site:
        site.begin()
        site.record_to(out, overwrite=options.overwrite)
        try:
            _advance(site.engine, scenario.start_ns, scenario.end_ns, quiet=options.quiet or options.json)
        except KeyboardInterrupt:
            interrupted = True
            # Whoever is impatient now would cut the recording's end.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
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


def warm_up(options: argparse.Namespace) -> int:
    """Compile all kernels by running a small site for a moment."""
    from twin.simulation.warm_up import warm_up_kernels  # noqa: PLC0415

    del options
    seconds = warm_up_kernels()
    sys.stdout.write(f"kernels are ready ({seconds:.1f} s)\n")
    return 0


def _advance(engine: Any, start_ns: int, end_ns: int, *, quiet: bool) -> None:
    marks = [start_ns + (end_ns - start_ns) * step // _STEPS for step in range(1, _STEPS + 1)]
    if quiet or not sys.stderr.isatty():
        for mark in marks:
            engine.advance_to(mark)
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
        task = progress.add_task("", total=_STEPS)
        for mark in marks:
            engine.advance_to(mark)
            hours = (mark - start_ns) / NS_PER_SECOND / 3600
            progress.update(task, advance=1, description=f"{hours:.1f} h simulated")


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

"""``twin calibrate``: a meter on the virtual bench, point by point."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twin.contracts import BadInputError, Finding, Mark

if TYPE_CHECKING:
    from rich.console import Console

    from twin.calibrator import CalibrationPoint, PointResult

PASSED, FAILED = 0, 1
_ZERO = 1e-9


def calibrate(options: argparse.Namespace) -> int:
    """Run a point list on a meter; exit code 1 where a point fails."""
    from twin.calibrator import bench_for  # noqa: PLC0415
    from twin.calibrator import calibrate as run  # noqa: PLC0415

    if options.list:
        return _list(as_json=options.json)
    for name in ("meter", "points"):
        if getattr(options, name) is None:
            mend = "name a meter, for example kw320q" if name == "meter" else "name a set; --list shows them"
            raise BadInputError(Finding(Mark("command line"), f"--{name}", "is missing", mend))
    bench_at = bench_for(
        options.meter,
        voltage=options.voltage,
        current=options.current,
        seed=options.seed,
        ideal=options.ideal,
        registers=dict(options.register or ()),
    )
    bench = bench_at(options.frequency or 50)
    points = _points(options.points, bench.active_class, bench.reactive_class)
    with _progress(quiet=options.json or not sys.stderr.isatty()) as show:
        results = run(bench_at, points, frequency=options.frequency, progress=show)
    if options.json:
        sys.stdout.write(json.dumps([_row(result) for result in results]) + "\n")
    else:
        _print(results, title=f"{options.meter}, {options.points}")
    return PASSED if all(result.passed for result in results) else FAILED


def _points(name: str, active_class: str, reactive_class: str) -> "Sequence[CalibrationPoint]":
    """Return the points of a set, or of the user's own file."""
    from twin.calibrator import point_set, read_points, set_names  # noqa: PLC0415

    path = Path(name)
    if name not in set_names() and (path.suffix or "/" in name or path.exists()):
        return read_points(path)
    return point_set(name, active_class=active_class, reactive_class=reactive_class)


def register(text: str) -> tuple[str, int]:
    """Return name and raw value of ``name=value``."""
    name, equals, value = text.partition("=")
    if not equals or not value.strip().isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=RAW, for example energy_mode=0")
    return name.strip(), int(value)


def _row(result: "PointResult") -> dict[str, object]:
    return {
        "point": result.point,
        "quantity": result.quantity,
        "applied": result.applied,
        "read": result.read,
        "error_percent": result.error_percent,
        "limit_percent": result.limit_percent,
        "pass": result.passed,
    }


def _list(*, as_json: bool) -> int:
    """Print the published sets."""
    from twin.calibrator.point_sets import SETS  # noqa: PLC0415

    rows = [
        {"set": one.name, "title": one.title, "classes": [*one.active, *one.reactive]}
        for one in SETS.values()
    ]
    if as_json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return PASSED
    from rich.table import Table  # noqa: PLC0415

    table = Table()
    for name in ("set", "what", "classes"):
        table.add_column(name)
    for row in rows:
        table.add_row(str(row["set"]), str(row["title"]), " ".join(row["classes"]))
    table.add_row("all", "every set that the meter has quantities for", "")
    console = _console()
    console.print(table)
    console.print("62053-22, -23 and -24 take the class of the meter; 62053-22-0.5S asks for one.")
    return PASSED


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that shows how many points are done."""
    if quiet:
        yield None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("points", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def _print(results: "Sequence[PointResult]", *, title: str) -> None:
    """Print the results grouped by quantity, and how much of its limits the meter used."""
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=escape(title), title_justify="left")
    table.add_column("point")
    for name in ("applied", "read", "error %", "limit %"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name in dict.fromkeys(result.name for result in results):
        group = [result for result in results if result.name == name]
        table.add_section()
        table.add_row(f"[bold]{name} \\[{group[0].unit}]")
        for result in group:
            name_and_phase, *numbers = _cells(result)
            table.add_row(escape(name_and_phase), *numbers)
    console = _console()
    console.print(table)
    failed = [result for result in results if not result.passed]
    shares = [(result.share, result.point) for result in results if result.share is not None]
    if shares:
        share, point = max(shares)
        console.print(f"largest error over limit: {share:.3g} ({escape(point)})")
    count = f"{len(results)} points" if len(results) != 1 else "1 point"
    console.print(f"{count}, {len(failed)} failed" if failed else f"{count}, all passed")


def _error(percent: float) -> str:
    """Return an error with four decimals, a tiny one by its power of ten."""
    return f"{percent:+.0e}" if 0.0 < abs(percent) < 5e-5 else f"{percent:+.4f}"


def _cells(result: "PointResult") -> tuple[str, ...]:
    def text(value: float | None, digits: int) -> str:
        # What is left of a sum that is zero is rounding.
        return "-" if value is None else f"{0.0 if abs(value) < _ZERO else value:.{digits}g}"

    phase = result.quantity.removeprefix(result.name).rpartition("_")[2]
    error = "-" if result.error_percent is None else _error(result.error_percent)
    verdict = "pass" if result.passed else "[bold]FAIL"
    limit = f"{result.limit_percent:g}"
    return (
        f"  {result.point} {phase}".rstrip(),
        text(result.applied, 6),
        text(result.read, 6),
        error,
        limit,
        verdict,
    )

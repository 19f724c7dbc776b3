"""What simulated time costs: a site-year, a day of a thousand meters, and cost over meters, buses and events.

Limits: a site-year of 100 meters on 15-minute profiles with 200 events captured, recorded, 60 s and 2 GB; a
day of 1,000 meters with loads that move each minute 60 s. A year is run whole, not reckoned from a part; what
is on in the meters is printed as their settings have it. The year needs the ``simbench`` extra.
``python -m benchmarks scale [year|day|curves]``.
"""

import importlib.util
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.live_scale import write_scenario

CODE = "1-LV-semiurb5--0-no_sw"
LINES = (
    "  - {{name: {name}, profile: kw320q, at: {at}, ct: 100:5, load_profile: 15 min, "
    'alarms: [{{parameter: v1, comparison: "<", setpoint: 207 V, delay: 5 s}}]}}'
)
SPECTRUM = """
spectra:
  - {name: electronics, orders: [3, 5, 7, 9, 11, 13], percent: [12, 6, 4, 2, 1.5, 1],
     angle_deg: [180, 0, 180, 0, 180, 0]}
"""


def run(scenario: Path) -> dict[str, Any]:
    """Run a scenario in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.scale_run", str(scenario), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return dict(json.loads(done.stdout))


def write_year(folder: Path, *, days: int = 365, meters: int = 100, faults: int = 200) -> Path:
    """Write a scenario on a SimBench network whose loads all emit harmonics."""
    from twin.grid import read_network
    from twin.grid.importers.simbench_net import import_simbench

    import_simbench(CODE, folder)
    text = (folder / "network.yaml").read_text(encoding="utf-8")
    head, _, tail = text.partition("\nloads:\n")
    tail = tail.replace("columns: [name,", "columns: [spectrum, name,", 1).replace(
        "    - [", "    - [electronics, "
    )
    (folder / "network.yaml").write_text(f"{head}\nloads:\n{tail}{SPECTRUM}", encoding="utf-8")
    network = read_network(folder / "network.yaml")
    places = [f"{{load: {load.name}}}" for load in network.loads]
    places += [f"{{branch: {line.name}}}" for line in network.lines]
    rng = random.Random(1)
    start = datetime(2016, 1, 1)
    events = []
    for number in range(faults):
        at = start + timedelta(seconds=3600 * 6 + (days - 1) * 86400 * number / faults + rng.uniform(0, 900))
        events.append(
            f'  - {{event: fault, at: "{at:%Y-%m-%d %H:%M:%S.%f}", name: F{number}, '
            f"bus: {rng.choice(network.loads).bus}, type: slg, phases: {rng.choice('abc')}, "
            "resistance: 100 mohm, clear_after: 100 ms}"
        )
    lines = [LINES.format(name=f"m{at}", at=place) for at, place in enumerate(places[:meters])]
    path = folder / "year.yaml"
    path.write_text(
        f"""version: 1
title: A year of {CODE}
seed: 1
start: 2016-01-01 00:00
time_zone: Europe/Berlin
duration: {days} d
network: network.yaml
loads: [{{model: profile, loads: all, file: profiles.parquet}}]
meters:
{chr(10).join(lines)}
"""
        + (f"events:\n{chr(10).join(events)}\n" if events else ""),
        encoding="utf-8",
    )
    return path


CAPTURING = 8
"""Faults of a year that make some 200 captures: each is seen by two dozen meters."""
MANY = 200


def year() -> None:
    """Print the cost of a site-year with 200 captures, and of one with 200 faults."""
    if importlib.util.find_spec("simbench") is None:
        print("site-year            left out: needs the extra 'simbench'")
        return
    with tempfile.TemporaryDirectory() as folder:
        run(write_year(Path(folder), days=2, faults=2))  # kernels are compiled before
    for faults, note in ((CAPTURING, "limit 60 s, 2000 MB"), (MANY, "")):
        with tempfile.TemporaryDirectory() as folder:
            found = run(write_year(Path(folder), faults=faults))
        if faults == CAPTURING:
            print(f"on in each meter: {found['on']}", flush=True)
        _print(f"site-year, {faults} faults", found, note)


def day() -> None:
    """Print the cost of a day of a thousand meters."""
    with tempfile.TemporaryDirectory() as folder:
        found = run(write_scenario(Path(folder), 1000, minutes=1441))
    _print("day, 1000 meters", found, "limit 60 s")


def curve_points() -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Yield what a run costs over meters, buses and faults, each alone: curve, place, findings."""
    for meters in (10, 30, 100, 300, 1000):
        with tempfile.TemporaryDirectory() as folder:
            yield "meters", meters, run(write_scenario(Path(folder), meters, minutes=1441, feeders=50))
    for feeders in (5, 15, 50, 100):
        with tempfile.TemporaryDirectory() as folder:
            found = run(write_scenario(Path(folder), 50, minutes=1441, feeders=feeders))
        yield "buses", found["buses"], found
    if importlib.util.find_spec("simbench") is None:
        return
    for faults in (0, 25, 50, 100):
        with tempfile.TemporaryDirectory() as folder:
            yield "faults", faults, run(write_year(Path(folder), days=14, faults=faults))


CURVES = {
    "meters": "a day, loads each minute, 50 feeders",
    "buses": "a day, loads each minute, 50 meters",
    "faults": "14 d of the site-year",
}
"""What is run for each curve."""


def curves() -> None:
    """Print cost over meters, buses and faults, each alone."""
    for name, place, found in curve_points():
        _print(f"{name} {place:g}", found, CURVES[name])


def _print(name: str, found: dict[str, Any], note: str) -> None:
    print(
        f"{name:<22} {found['seconds']:7.1f} s ({found['cpu_s']:.1f} s of a core), "
        f"{found['memory_mb']:5.0f} MB, recording {found['recording_mb']:.0f} MB; "
        f"{found['solves']} solves, {found['events']} events, {found['captures']} captures; "
        f"start {found['start_s']:.1f} s   {note}",
        flush=True,
    )


PARTS = {"year": year, "day": day, "curves": curves}


def main(arguments: list[str] | None = None) -> None:
    """Run all parts, or those named."""
    for name in arguments or ["year", "day"]:
        PARTS[name]()

"""Run the demonstration: ``python -m examples.scada_demo --fuxa FOLDER --out FOLDER``."""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examples.scada_demo.fuxa import Fuxa, FuxaError
from examples.scada_demo.project import LEVELS, SEPARATOR, FuxaProject
from twin.alarming.grading import Verdict, grade
from twin.alarming.grading.html_report import verdict_html
from twin.alarming.grading.reports import junit_xml, verdict_text
from twin.alarming.journal import JournalEntry, journal_csv
from twin.alarming.site_control import SiteControl
from twin.alarming.tag_list import parse_tag_list
from twin.recording import Recording

HERE = Path(__file__).parent
SCENARIO, ALARMS = HERE / "scenario.yaml", HERE / "alarms.yaml"
_TWIN = [sys.executable, "-m", "twin.cli"]
_START_S = 120.0


@contextmanager
def served(scenario: Path, folder: Path, *more: str) -> Iterator[dict[str, Any]]:
    """Serve a scenario, time standing still, and yield what the ready file says."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    options = ["--paused", "--api-port", "0", "--ready-file", str(ready), "--overwrite", *more]
    command = [*_TWIN, "serve", str(scenario), "--out", str(folder / "recording"), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + _START_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > ends:
                raise FuxaError(f"twin serve did not start (code {process.poll()})")
            time.sleep(0.05)
        yield json.loads(ready.read_text(encoding="utf-8"))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def demonstrate(installed: Path, folder: Path, scenario: Path = SCENARIO, alarms: Path = ALARMS) -> Verdict:
    """Let FUXA watch the scenario in real time, and grade what it raised.

    Parameters
    ----------
    installed : Path
        Where npm has put FUXA.
    folder : Path
        For the recording, FUXA's files, its journal and the verdict.
    scenario, alarms : Path
        What happens, and what should be raised.
    """
    folder.mkdir(parents=True, exist_ok=True)
    points = subprocess.run(
        [*_TWIN, "export", "points", str(scenario)], check=True, capture_output=True, text=True
    ).stdout
    tags = parse_tag_list(points, "the tag list")
    with served(scenario, folder) as ready, Fuxa(installed, folder / "fuxa") as fuxa:
        endpoints = {
            one["meter"]: (one["host"], one["port"], one["unit"])
            for one in ready["endpoints"]
            if one["protocol"] == "modbus-tcp"
        }
        project = FuxaProject(alarms, tags, endpoints)
        fuxa.load(project.content())
        _wait_for_values(fuxa, project)
        control = SiteControl.from_ready_file(folder / "ready.json")
        site_ns, wall_ns = control.resume(), time.time_ns()
        while not control.status()["ended"]:
            time.sleep(0.5)
        time.sleep(3.0)  # what came up in the last second is checked once more
        raised = fuxa.history()
    entries = journal(raised, project, offset_ns=site_ns - wall_ns)
    (folder / "journal.csv").write_text(journal_csv(entries), encoding="utf-8")
    verdict = grade(Recording.open(folder / "recording"), folder / "journal.csv", alarms)
    title = "FUXA on a feeder"
    (folder / "verdict.html").write_text(verdict_html(verdict, title=title), encoding="utf-8")
    (folder / "verdict.xml").write_text(junit_xml(verdict, name=title), encoding="utf-8")
    return verdict


def journal(raised: list[dict[str, Any]], project: FuxaProject, *, offset_ns: int) -> list[JournalEntry]:
    """Return FUXA's history as a journal in simulated time.

    An alarm's ``ontime`` is when its value came into the range; it is raised ``timedelay`` later.
    """
    priorities = {level: priority or "" for priority, level in LEVELS.items()}
    entries = []
    for one in raised:
        name = str(one["name"]).split(SEPARATOR)[0]
        source, condition = name.split(" | ")
        delay_ns = project.delays_ns[name]
        value = float(one["value"]) if one["value"] is not None else float("nan")
        begin = JournalEntry(
            int(one["ontime"]) * 1_000_000 + delay_ns + offset_ns,
            source,
            condition,
            "active",
            priorities[one["type"]],
            value,
        )
        entries.append(begin)
        if one["offtime"]:
            end_ns = int(one["offtime"]) * 1_000_000 + offset_ns
            entries.append(JournalEntry(end_ns, source, condition, "return", begin.priority))
    return sorted(entries, key=lambda entry: entry.time_ns)


def _wait_for_values(fuxa: Fuxa, project: FuxaProject) -> None:
    """Wait until FUXA has read every tag once: its devices connect one after the other."""
    ends = time.monotonic() + _START_S
    while any(value is None for value in fuxa.values(project.tags).values()):
        if time.monotonic() > ends:
            raise FuxaError(f"FUXA reads nothing: {fuxa.values(project.tags)}")
        time.sleep(0.5)


def main() -> int:
    """Run, print the verdict whatever it is, and say where the page is."""
    parser = argparse.ArgumentParser(prog="python -m examples.scada_demo", description=__doc__)
    parser.add_argument("--fuxa", type=Path, default=Path(".scada"), help="where npm has put FUXA")
    parser.add_argument("--out", type=Path, default=Path("recordings/scada-demo"), help="folder for results")
    options = parser.parse_args()
    started = time.monotonic()
    verdict = demonstrate(options.fuxa, options.out)
    sys.stdout.write(verdict_text(verdict))
    page = options.out / "verdict.html"
    sys.stdout.write(f"took {time.monotonic() - started:.0f} s; look at {page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

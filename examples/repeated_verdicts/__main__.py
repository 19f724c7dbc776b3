"""Run it: ``python -m examples.repeated_verdicts --lockstep 100 --clock 5``; 1 when verdicts differ."""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from examples.scada_demo.__main__ import ALARMS, SCENARIO, served
from twin.alarming.grading import Verdict, grade
from twin.alarming.grading.reports import verdict_json
from twin.alarming.journal import journal_csv
from twin.recording import Recording, content_hash
from twin.testing import SiteUnderTest

RULES = ALARMS.with_name("rules.yaml")
SPEED = 10
"""Simulated seconds per second, where a run goes by the clock."""


def in_lockstep(folder: Path) -> tuple[Verdict, str]:
    """Return the verdict on one run in lockstep, and the run's content hash."""
    with SiteUnderTest(SCENARIO, recording=folder / "recording") as site:
        alarms = site.watch(RULES, timeout="1 s")
        while not site.ended:
            site.step("10 s")
        (folder / "journal.csv").write_text(journal_csv(alarms.journal), encoding="utf-8")
    verdict = grade(Recording.open(folder / "recording"), folder / "journal.csv", ALARMS)
    return verdict, content_hash(folder / "recording")


def by_the_clock(folder: Path) -> Verdict:
    """Return the verdict on one run that nobody holds up, at ten times real time."""
    rules = RULES.read_text(encoding="utf-8").replace(
        "poll: 1 s", f"poll: {1000 // SPEED} ms\ntags: tags.csv"
    )
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    twin = [sys.executable, "-m", "twin.cli"]
    points = subprocess.run([*twin, "export", "points", str(SCENARIO)], check=True, capture_output=True)
    (folder / "tags.csv").write_bytes(points.stdout)
    with served(SCENARIO, folder, "--speed", str(SPEED)):
        watching = ["--ready-file", str(folder / "ready.json"), "--clock", "site"]
        master = subprocess.Popen(
            [*twin, "alarms", str(folder / "rules.yaml"), *watching, "--out", str(folder / "journal.csv")]
        )
        time.sleep(2.0)  # its connections are up
        _live_through(folder / "ready.json")
        time.sleep(0.5)
        master.terminate()
        master.wait(10)
    return grade(Recording.open(folder / "recording"), folder / "journal.csv", ALARMS)


def _live_through(ready: Path) -> None:
    from twin.alarming.site_control import SiteControl  # noqa: PLC0415

    control = SiteControl.from_ready_file(ready)
    control.resume()
    while not control.status()["ended"]:
        time.sleep(0.2)


def findings(verdict: Verdict) -> str:
    """Return what was missed and what was false, without times."""
    told = [
        f"{one.source} {one.condition}: {len(one.missed)} missed, {len(one.false)} false"
        for one in verdict.alarms
    ]
    return "; ".join(told)


def main() -> int:
    """Run, and print how alike the verdicts are."""
    parser = argparse.ArgumentParser(prog="python -m examples.repeated_verdicts")
    parser.add_argument("--lockstep", type=int, default=100, metavar="N", help="runs in lockstep")
    parser.add_argument("--clock", type=int, default=5, metavar="N", help="runs by the clock")
    options = parser.parse_args()
    alike: Counter[str] = Counter()
    started = time.monotonic()
    for _ in range(options.lockstep):
        with tempfile.TemporaryDirectory() as name:
            verdict, content = in_lockstep(Path(name))
            text = json.dumps(verdict_json(verdict), sort_keys=True)
            alike[hashlib.sha256((text + content).encode()).hexdigest()[:16]] += 1
    spent_s = time.monotonic() - started
    print(f"{options.lockstep} runs in lockstep ({spent_s:.0f} s): {len(alike)} different: {dict(alike)}")
    found: Counter[str] = Counter()
    latencies: list[float] = []
    for _ in range(options.clock):
        with tempfile.TemporaryDirectory() as name:
            verdict = by_the_clock(Path(name))
            found[findings(verdict)] += 1
            latencies += verdict.latencies_s
    print(f"{options.clock} runs by the clock, at {SPEED} x: {len(found)} different: {dict(found)}")
    if latencies:
        latencies.sort()
        shares = [latencies[round(share * (len(latencies) - 1))] for share in (0.0, 0.5, 0.95, 1.0)]
        print("latency: least {:.2f}, median {:.2f}, p95 {:.2f}, most {:.2f} s".format(*shares))
    return 0 if len(alike) <= 1 and len(found) <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())

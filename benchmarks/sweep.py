"""Variants per second with one worker and with two; goal: two are 1.7 times as fast.

The machine's own ratio, two processes that count against one, is measured beside: what a shared machine does
not give cannot be used. On two free processors the ratio is twice the share of the time in which workers run,
by how much processor time two of them take more than one.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

SCENARIO = Path(__file__).parent.parent / "scenarios" / "feeder-faults.yaml"
COUNT = 30
PARAMETERS = f"""version: 1
duration: 30 min
random:
  seed: {{path: seed, integers: [1, 1000000]}}
  moment: {{path: "events[branch on the line].at", uniform: ["18:02", "18:10"]}}
count: {COUNT}
"""
COUNTING = """
import time
started = time.perf_counter()
sum(i * i for i in range(20_000_000))
print(time.perf_counter() - started)
"""


@dataclass(frozen=True)
class Run:
    """A sweep as it went."""

    wall: float
    """Start and plan included [s]."""
    busy: float
    """Share of that in which the workers ran variants."""
    cpu: float
    """Processor time of all its processes [s]."""
    results_hash: str


def run(over: Path, out: Path, workers: int) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "twin.cli", "sweep", SCENARIO, "--over", over, "--out", out,
         "--workers", str(workers), "--json"],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wall = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    ((worked,),) = duckdb.sql(f"SELECT sum(seconds) FROM '{out}/variants/*.parquet'").fetchall()
    return Run(wall, worked / (workers * wall), cpu, str(json.loads(done.stdout)["results_hash"]))


def machine_ratio() -> float:
    """Return how much more two processes get done than one."""

    def counted(processes: int) -> float:
        running = [
            subprocess.Popen([sys.executable, "-c", COUNTING], stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        return sum(1.0 / float(process.communicate()[0]) for process in running)

    return counted(2) / counted(1)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        over = Path(folder) / "params.yaml"
        over.write_text(PARAMETERS, encoding="utf-8")
        run(over, Path(folder) / "warm", 1)
        one = run(over, Path(folder) / "one", 1)
        two = run(over, Path(folder) / "two", 2)
    assert one.results_hash == two.results_hash, "results depend on the number of workers"
    free = 2 * two.busy / one.busy * one.cpu / two.cpu
    print(f"{COUNT} variants of half an hour of feeder-faults.yaml, start and plan included")
    print(f"one worker           {COUNT / one.wall:6.2f} variants a second ({one.wall:.1f} s)")
    print(f"two workers          {COUNT / two.wall:6.2f} variants a second ({two.wall:.1f} s)")
    print(f"ratio                {one.wall / two.wall:6.2f}    goal 1.70")
    print(f"of this machine      {machine_ratio():6.2f}    two processes that count, against one")
    print(f"on free processors   {free:6.2f}    from {one.cpu:.1f} and {two.cpu:.1f} s of processor time")
    print(f"workers at work      {100 * two.busy:6.0f} % of the time")


if __name__ == "__main__":
    main()

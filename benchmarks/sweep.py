"""Variants per second with one worker and with two; goal: two are 1.7 times as fast.

The machine's own ratio, two processes that count against one, is measured beside: what a shared machine does
not give cannot be used.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

SCENARIO = Path(__file__).parent.parent / "scenarios" / "feeder-faults.yaml"
COUNT = 60
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


def seconds(over: Path, out: Path, workers: int) -> tuple[float, float, str]:
    """Return the wall time of a sweep, start included [s], the share of it that workers ran, and its hash."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "twin.cli", "sweep", SCENARIO, "--over", over, "--out", out,
         "--workers", str(workers), "--json"],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wall = time.monotonic() - started
    ((worked,),) = duckdb.sql(f"SELECT sum(seconds) FROM '{out}/variants/*.parquet'").fetchall()
    return wall, worked / (workers * wall), str(json.loads(done.stdout)["results_hash"])


def machine_ratio() -> float:
    """Return how much more two processes get done than one."""

    def run(processes: int) -> float:
        running = [
            subprocess.Popen([sys.executable, "-c", COUNTING], stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        return sum(1.0 / float(process.communicate()[0]) for process in running)

    return run(2) / run(1)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        over = Path(folder) / "params.yaml"
        over.write_text(PARAMETERS, encoding="utf-8")
        seconds(over, Path(folder) / "warm", 1)
        one, _, first = seconds(over, Path(folder) / "one", 1)
        two, busy, second = seconds(over, Path(folder) / "two", 2)
    assert first == second, "results depend on the number of workers"
    print(f"{COUNT} variants of half an hour of feeder-faults.yaml, start and plan included")
    print(f"one worker           {COUNT / one:6.2f} variants a second ({one:.1f} s)")
    print(f"two workers          {COUNT / two:6.2f} variants a second ({two:.1f} s)")
    print(
        f"ratio                {one / two:6.2f}    goal 1.70; of this machine just now {machine_ratio():.2f}"
    )


if __name__ == "__main__":
    main()

"""A site of many meters in real time: each with a Modbus endpoint of its own, polled once a second.

``python -m benchmarks live-scale [--meters N ..] [--seconds S] [--browser]``. The site is a synthetic radial:
feeders of twenty customers, whose loads move each minute of simulated time. The master, in this process,
reads 125 registers of the basic block of every meter once a second, at instants spread over the second. A
thread asks for the dashboard's page each second as well; with ``--browser`` a real one shows the overview.

Limits: lateness p99 < 20 ms and reads p99 < 20 ms, on two cores that share simulation, endpoints and master.
"""

import argparse
import asyncio
import json
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

ADDRESS, COUNT = 0x4000, 125
REQUEST = struct.pack(">HHHBBHH", 0, 0, 6, 1, 3, ADDRESS, COUNT)
ANSWER_BYTES = 9 + 2 * COUNT
FEEDER = 20
WARM_UP_S = 8.0
SITE = """
import json, sys
sys.setswitchinterval(0.001)
from pathlib import Path
from twin.cli.server import SiteServer
from twin.scenario import load_scenario
server = SiteServer(
    load_scenario(sys.argv[1]), Path(sys.argv[2]), overwrite=False, speed=1.0, bind="127.0.0.1",
    dashboard_port=None, with_dashboard=True, from_ns=None,
)
with server:
    print(json.dumps(server.ready() | {"endpoint_pid": server.endpoint_pid}), flush=True)
    for line in sys.stdin:
        if line.strip() == "begin":
            server.session.lateness.clear()
        else:
            break
    print(json.dumps(list(server.session.lateness)), flush=True)
"""


def write_scenario(folder: Path, meters: int, *, minutes: int = 61, feeders: int = 0) -> Path:
    """Write a radial network of customers, their loads by the minute, each with a meter."""
    feeders = feeders or -(-meters // FEEDER)
    buses = ["    - [GRID, 400]"] + [f"    - [F{f}_{k}, 400]" for f in range(feeders) for k in range(FEEDER)]
    lines = [
        f"    - [C{f}_{k}, {f'F{f}_{k - 1}' if k else 'GRID'}, F{f}_{k}, cable, 30]"
        for f in range(feeders)
        for k in range(FEEDER)
    ]
    customers = [(f, k) for f in range(feeders) for k in range(FEEDER)][:meters]
    loads = [f"    - [L{f}_{k}, F{f}_{k}, {'abc'[k % 3]}, 900, 180]" for f, k in customers]
    network = f"""network: radial
frequency_hz: 50
buses:
  columns: [name, u_rated_v]
  rows:
{chr(10).join(buses)}
sources: [{{name: GRID, bus: GRID, r1_ohm: 0.001, x1_ohm: 0.002, r0_ohm: 0.001, x0_ohm: 0.002}}]
line_types: [{{name: cable, r1_ohm_per_km: 0.1, x1_ohm_per_km: 0.07, r0_ohm_per_km: 0.4, x0_ohm_per_km: 0.3}}]
lines:
  columns: [name, from, to, type, length_m]
  rows:
{chr(10).join(lines)}
loads:
  columns: [name, bus, phases, p_w, q_var]
  rows:
{chr(10).join(loads)}
"""
    (folder / "radial.yaml").write_text(network, encoding="utf-8")
    random = np.random.default_rng(1)
    start_ns = 1_768_500_000 * 10**9  # 2026-01-15 18:00 UTC
    columns = {"start_ns": start_ns + 60 * 10**9 * np.arange(minutes)}
    for f, k in customers:
        shape = 0.5 + random.random(minutes)
        columns |= {f"L{f}_{k}.p_w": 900 * shape, f"L{f}_{k}.q_var": 180 * shape}
    pq.write_table(pa.table(columns), folder / "minutes.parquet")
    entries = [
        f"  - {{name: m{f}_{k}, profile: kw320, at: {{load: L{f}_{k}}}, ct: 20:5, endpoint: {{port: 0}}}}"
        for f, k in customers
    ]
    scenario = f"""version: 1
title: A radial network of {meters} customers
seed: 1
start: 2026-01-15 18:00
time_zone: UTC
duration: {minutes - 1} min
network: radial.yaml
loads: [{{model: profile, loads: all, file: minutes.parquet}}]
meters:
{chr(10).join(entries)}
dashboard: {{port: 0}}
"""
    path = folder / "radial-live.yaml"
    path.write_text(scenario, encoding="utf-8")
    return path


@dataclass
class Polls:
    """What the master saw."""

    latencies_s: list[float] = field(default_factory=list)
    wrong: int = 0


async def poll(endpoint: dict, offset: float, until: float, polls: Polls, from_s: float) -> None:
    """Read one meter once a second."""
    reader, writer = await asyncio.open_connection(endpoint["host"], endpoint["port"])
    due = from_s + offset
    while due < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        asked = time.perf_counter()
        writer.write(REQUEST)
        answer = await reader.readexactly(ANSWER_BYTES)
        polls.latencies_s.append(time.perf_counter() - asked)
        # The frequency, a float of the first two words: no read may be empty or torn.
        polls.wrong += not 49.0 < struct.unpack_from(">f", answer, 9)[0] < 51.0
        due += 1.0
    writer.close()


async def poll_all(endpoints: list[dict], seconds: float, polls: Polls) -> None:
    """Connect to every meter, then read each once a second."""
    start = time.monotonic() + 2.0
    share = 1.0 / len(endpoints)
    async with asyncio.TaskGroup() as tasks:
        for at, endpoint in enumerate(endpoints):
            tasks.create_task(poll(endpoint, at * share, start + seconds, polls, start))


def look_at_page(url: str, done: threading.Event) -> None:
    """Ask for the page once a second, as a person who reloads it would."""
    while not done.wait(1.0):
        with urllib.request.urlopen(url, timeout=30) as page:
            page.read()


class Site:
    """The live site in a process of its own."""

    def __init__(self, scenario: Path, folder: Path) -> None:
        command = [sys.executable, "-c", SITE, str(scenario), str(folder / "recording")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready: dict[str, Any] = json.loads(self._ask_line())
        self.processes = {
            "simulation and pages": psutil.Process(self.ready["pid"]),
            "endpoints": psutil.Process(self.ready["endpoint_pid"]),
        }

    def begin(self) -> dict[str, float]:
        """Forget what was; return the processor time used so far [s]."""
        self._tell("begin")
        return self.cpu()

    def cpu(self) -> dict[str, float]:
        """Return processor time by process [s]."""
        times = {name: process.cpu_times() for name, process in self.processes.items()}
        return {name: item.user + item.system for name, item in times.items()}

    def memory(self) -> dict[str, float]:
        """Return memory by process, shared memory divided among its users [MB]."""
        return {name: process.memory_full_info().pss / 1e6 for name, process in self.processes.items()}

    def end(self) -> list[float]:
        """Stop; return the lateness of each tick [s]."""
        self._tell("end")
        lateness = json.loads(self._ask_line())
        self._process.wait(60)
        return lateness

    def _tell(self, word: str) -> None:
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _ask_line(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the site ended with {self._process.wait()}")
        return line


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share does not exceed, times 1000."""
    return 1e3 * sorted(values)[int(share * (len(values) - 1))]


def measure(meters: int, seconds: float, *, browser: bool) -> None:
    """Run a site of so many meters and print what it costs."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as undo:
        folder = Path(name)
        started = time.monotonic()
        site = Site(write_scenario(folder, meters), folder)
        start_s = time.monotonic() - started
        done = threading.Event()
        looking = threading.Thread(target=look_at_page, args=(site.ready["dashboard"], done), daemon=True)
        if browser:
            from playwright.sync_api import sync_playwright

            playwright = undo.enter_context(sync_playwright())
            shown = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            shown.new_page().goto(site.ready["dashboard"])
            undo.callback(shown.close)
        looking.start()
        time.sleep(WARM_UP_S)
        cpu, began, own = site.begin(), time.monotonic(), time.process_time()
        polls = Polls()
        asyncio.run(poll_all(site.ready["endpoints"], seconds, polls))
        elapsed, own = time.monotonic() - began, time.process_time() - own
        used = {name: (after - cpu[name]) / elapsed for name, after in site.cpu().items()}
        memory = site.memory()
        done.set()
        lateness = site.end()
    reads, late = polls.latencies_s, lateness
    print(f"meters {meters}, {elapsed:.0f} s, {len(reads) / elapsed:.0f} reads/s; start {start_s:.1f} s")
    for name, share in used.items():
        print(f"  {name:<22}{100 * share:6.1f} % of a core  {memory[name]:6.0f} MB")
    print(f"  {'master':<22}{100 * own / elapsed:6.1f} % of a core")
    print(f"  {'lateness of ticks':<22}{spread(late)}   limit p99 20 ms")
    print(f"  {'read of 125 registers':<22}{spread(reads)}   limit p99 20 ms; wrong: {polls.wrong}")


def spread(values: list[float]) -> str:
    """Return median, 99th percentile and worst of some times [s]."""
    p50, p99, worst = (percentile(values, share) for share in (0.5, 0.99, 1.0))
    return f"p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, worst {worst:6.1f} ms of {len(values)}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks live-scale", description=__doc__)
    parser.add_argument("--meters", type=int, nargs="*", default=[1000])
    parser.add_argument("--seconds", type=float, default=130.0)
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args(arguments or [])
    for meters in options.meters:
        measure(meters, options.seconds, browser=options.browser)


if __name__ == "__main__":
    main(sys.argv[1:])

"""A sweep of the little site, quick enough to be run many times."""

import json
import subprocess
import sys
import time

from tests.sites import write_site

PARAMETERS = """version: 1
title: Faults on the little site
duration: 6 min
grid:
  bus: {path: "events[F1].bus", values: [HOME, MAIN]}
together:
  type: {path: "events[1].type", values: [slg, 3ph]}
  phases: {path: "events[1].phases", values: [a, abc]}
random:
  resistance: {path: "events[1].resistance", log_uniform: [1 mohm, 1 ohm]}
  at: {path: "events[1].at", uniform: ["18:04", "18:05:30"]}
  length: {path: "network.lines[CABLE2].length_m", uniform: [100, 300]}
count: 3
seed: 5
balance: {supplied: [head], delivered: [home]}
"""
VARIANTS = 12


def write_sweep(folder, parameters=PARAMETERS, **site):
    """Write a site and parameters; return the paths of scenario and parameters."""
    over = folder / "params.yaml"
    over.write_text(parameters, encoding="utf-8")
    return write_site(folder, **site), over


def command(scenario, over, out, *arguments):
    return [
        sys.executable, "-m", "twin.cli", "sweep", str(scenario),
        "--over", str(over), "--out", str(out), *map(str, arguments),
    ]  # fmt: skip


def sweep(scenario, over, out, *arguments):
    """Run a sweep; return exit code, its JSON (None without one) and stderr."""
    done = subprocess.run(
        [*command(scenario, over, out, *arguments), "--json"],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def wait_for(condition, what, seconds=120):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)

"""How long a user waits: help, check, and from the command to a page that shows live values.

Limits: ``twin --help`` 0.3 s, ``twin check`` 1 s, live values 8 s with warm kernel cache and 30 s cold.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.live_site import LiveSite, scenario_on_free_ports

TWIN = [sys.executable, "-m", "twin.cli"]
SCENARIO = Path(__file__).parent.parent / "scenarios" / "european-lv-day.yaml"


def seconds(*arguments: str, runs: int = 5) -> float:
    """Return the median wall time of a command that must succeed [s]."""
    times = []
    for _ in range(runs):
        started = time.monotonic()
        subprocess.run([*TWIN, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - started)
    return statistics.median(times)


def seconds_to_live_values(page: Any, environment: dict[str, str]) -> float:
    """Return the wall time from the command to a page with live values [s]."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = scenario_on_free_ports(Path(folder))
        started = time.monotonic()
        with LiveSite(scenario, Path(folder), environment=environment) as site:
            page.goto(site.ready["dashboard"])
            # A voltage in the table of meters: it comes from a register of a running meter.
            page.locator("[role=gridcell]", has_text=re.compile(r"2[0-9]{2}\.[0-9] V")).first.wait_for()
            seconds = time.monotonic() - started
            page.goto("about:blank")
            return seconds


def main() -> None:
    print(f"twin --help          {seconds('--help'):6.2f} s   limit 0.30 s")
    print(f"twin check           {seconds('check', str(SCENARIO)):6.2f} s   limit 1.00 s")
    from playwright.sync_api import sync_playwright

    warm = dict(os.environ)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as cache:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        seconds_to_live_values(page, warm)
        print(f"live page, warm      {seconds_to_live_values(page, warm):6.2f} s   limit 8.00 s")
        cold = {**warm, "NUMBA_CACHE_DIR": cache}
        print(f"live page, cold      {seconds_to_live_values(page, cold):6.2f} s   limit 30.00 s")
        browser.close()


if __name__ == "__main__":
    main()

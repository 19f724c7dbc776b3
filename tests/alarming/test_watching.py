"""The alarm server beside a real site, over real Modbus; its journal is graded with the recording."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_serve import served
from tests.sites import SCENARIO, write_site
from twin.alarming.polling import Poller
from twin.alarming.rules import PolledSource, read_rules
from twin.alarming.running import watch_in_lockstep
from twin.alarming.site_control import SiteControl, SiteControlError, utc_ns

SITE = (
    SCENARIO.split("events:", maxsplit=1)[0].replace("duration: 10 min", "duration: 20 s")
    + """dashboard: null
history: {registers: {head: [v1, i1], home: [v1]}}
events:
  - {event: fault, at: "18:00:03.4", name: digger, bus: HOME, type: slg, phases: a, resistance: 50 mohm}
  - {event: repair, at: "18:00:13.7", of: digger}
"""
)
LOW = "{limit: {tag: v1, below: 200 V, deadband: 5 V}}"
RULES = f"""
version: 1
tags: tags.csv
sources: [{{name: head}}, {{name: home, poll: 2 s}}]
alarms:
  - {{name: LOW, source: home, priority: high, on_delay: 1 s, when: {LOW}}}
  - {{name: HIGH_CURRENT, source: head, when: {{limit: {{tag: i1, above: 200 A, deadband: 20 A}}}}}}
  - {{name: LOST, source: home, when: {{communication: {{failures: 2}}}}}}
"""
MAP = f"""
version: 1
alarms:
  - {{source: home, condition: LOW, priority: high, poll: 2 s, on_delay: 1 s, when: {LOW}}}
  - {{source: head, condition: HIGH_CURRENT, when: {{limit: {{tag: i1, above: 200 A, deadband: 20 A}}}}}}
"""


def twin(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    command = [sys.executable, "-m", "twin.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def prepare(folder: Path) -> Path:
    """Write site, tag list, rules and map; return the scenario."""
    scenario = write_site(folder, scenario=SITE)
    tags = twin("export", "points", scenario)
    assert tags.returncode == 0, tags.stderr
    (folder / "tags.csv").write_text(tags.stdout, encoding="utf-8")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    (folder / "map.yaml").write_text(MAP, encoding="utf-8")
    return Path(scenario)


def watched(folder: Path, name: str, *options: str, speed: str = "1") -> str:
    """Run the site once beside the alarm server and return its journal."""
    scenario = folder / "scenario.yaml"
    run = folder / name
    run.mkdir()
    with served(scenario, run, "--paused", "--api-port", "0", "--speed", speed) as (ready, _):
        arguments = ["alarms", folder / "rules.yaml", "--ready-file", run / "ready.json", *options]
        command = [sys.executable, "-m", "twin.cli", *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            head = server.stdout.readline()  # it has begun
            if "--lockstep" not in options:
                SiteControl(ready["api"], ready["api_token"]).resume()
            journal = head + server.stdout.read()
        assert server.returncode == 0
    return journal


def graded(folder: Path, name: str, journal: str) -> dict[str, Any]:
    """Grade a journal with the recording of its run."""
    file = folder / name / "journal.csv"
    file.write_text(journal, encoding="utf-8")
    recording = folder / name / "recording"
    done = twin("grade", recording, "--alarms", file, "--map", folder / "map.yaml", "--json")
    found = dict(json.loads(done.stdout))
    assert done.returncode == (0 if found["passed"] else 1)
    return found


def test_in_lockstep_every_run_gives_the_same_journal(tmp_path: Path) -> None:
    prepare(tmp_path)
    first = watched(tmp_path, "first", "--lockstep")
    assert [line.split(",")[:4] for line in first.splitlines()[1:]] == [
        ["2026-01-15T18:00:04.000Z", "head", "HIGH_CURRENT", "active"],
        ["2026-01-15T18:00:06.000Z", "home", "LOW", "active"],
        ["2026-01-15T18:00:14.000Z", "head", "HIGH_CURRENT", "return"],
        ["2026-01-15T18:00:14.000Z", "home", "LOW", "return"],
    ]
    assert watched(tmp_path, "second", "--lockstep") == first
    verdict = graded(tmp_path, "first", first)
    assert verdict["passed"]
    assert [alarm["found"] for alarm in verdict["alarms"]] == [1, 1]
    assert any("digger" in link["text"] for chain in verdict["chains"] for link in chain["links"])


def test_by_its_own_clock_it_misses_nothing(tmp_path: Path) -> None:
    """Twice as fast as real time, so that a poll a second is one each two simulated seconds."""
    prepare(tmp_path)
    journal = watched(tmp_path, "run", "--clock", "site", speed="2")
    slow = MAP.replace("poll: 2 s", "poll: 4 s").replace("version: 1", "version: 1\npoll: 2 s\nlatency: 5 s")
    (tmp_path / "map.yaml").write_text(slow)
    verdict = graded(tmp_path, "run", journal)
    assert verdict["passed"], journal
    assert [alarm["found"] for alarm in verdict["alarms"]] == [1, 1]


def test_a_device_that_does_not_answer_is_lost(tmp_path: Path) -> None:
    """It refuses connections, takes them without ever answering, or answers half a frame: never an
    exception."""
    prepare(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        rules = RULES.replace("{name: head}", f"{{name: head, host: 127.0.0.1, port: {port}}}")
        rules = rules.replace("{name: home,", "{name: home, host: 127.0.0.1, port: 1,")
        (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
        plan = read_rules(tmp_path / "rules.yaml")

        async def scan(source: PolledSource) -> Any:
            async with Poller(source, timeout_s=0.2) as poller:
                return await poller.scan(lambda: 7)

        for source in plan.sources:
            found = asyncio.run(scan(source))
            assert (found.values, found.time_ns) == (None, 7)
            assert found.problem


class StandingSite(SiteControl):
    """A site of which only the clock is there."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "token")
        self.now_ns = 0

    def pause(self) -> int:
        """Return the time."""
        return self.now_ns

    def step(self, seconds: float) -> int:
        """Pass it."""
        self.now_ns += round(seconds * 1e9)
        return self.now_ns


def test_a_silent_device_costs_lockstep_no_more_than_the_timeout_of_the_rules(tmp_path: Path) -> None:
    """Five polls in vain: half a second and some, where ten seconds each would be a minute."""
    prepare(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"host: 127.0.0.1, port: {silent.getsockname()[1]}"
        rules = RULES.replace("{name: home, poll: 2 s}", f"{{name: home, {address}}}").replace(
            "{name: head}", f"{{name: head, {address}}}"
        )
        (tmp_path / "rules.yaml").write_text(rules + "timeout: 100 ms\n", encoding="utf-8")
        began = time.monotonic()
        server = asyncio.run(
            watch_in_lockstep(read_rules(tmp_path / "rules.yaml"), StandingSite(), duration_s=4.0)
        )
        assert time.monotonic() - began < 10.0
    assert [(entry.condition, entry.time_ns) for entry in server.journal] == [("LOST", 1_000_000_000)]


def test_a_site_that_cannot_be_controlled_is_said(tmp_path: Path) -> None:
    prepare(tmp_path)
    ready = tmp_path / "ready.json"
    endpoint = {"host": "127.0.0.1", "port": 1, "unit": 1}
    endpoints = [{"meter": name, **endpoint} for name in ("head", "home")]
    ready.write_text(json.dumps({"endpoints": endpoints}))
    done = twin("alarms", tmp_path / "rules.yaml", "--ready-file", ready, "--lockstep")
    assert done.returncode == 2
    assert "--api-port" in done.stderr
    with pytest.raises(SiteControlError, match="does not answer"):
        SiteControl("http://127.0.0.1:1", "token").status()


def test_instants_have_nanoseconds() -> None:
    assert utc_ns("2026-01-15T18:00:00.123456789Z") == 1_768_500_000_123_456_789
    assert utc_ns("2026-01-15T18:00:00Z") == 1_768_500_000_000_000_000


def test_a_dead_device_is_an_alarm_and_no_noise(tmp_path: Path) -> None:
    header = "meter,name,0-based address,4xxxxx address,type,word order,scale,unit,access\n"
    (tmp_path / "tags.csv").write_text(header + "home,v1,16386,416387,float32,high first,1,V,R\n")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    rules = f"""
version: 1
tags: tags.csv
poll: 200 ms
timeout: 100 ms
sources: [{{name: home, host: 127.0.0.1, port: {port}, unit: 1}}]
alarms: [{{name: LOST, source: home, when: {{communication: {{failures: 2}}}}}}]
"""
    (tmp_path / "rules.yaml").write_text(rules)
    command = [sys.executable, "-m", "twin.cli", "alarms", str(tmp_path / "rules.yaml"), "--duration", "1 s"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stderr == ""
    assert ",home,LOST,active," in ended.stdout

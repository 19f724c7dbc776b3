"""The tutorial's script, run as it stands against the shipped scenario on the evening of the fault."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.live_site import LiveSite, scenario_on_free_ports

PAGE = Path(__file__).parent.parent / "docs" / "tutorial.md"


@pytest.mark.slow
def test_the_script_reads_the_sag_that_the_tutorial_shows(tmp_path, capsys):
    text = PAGE.read_text(encoding="utf-8")
    script = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    shown = re.findall(r"^(cycle .*|captures: .*)$", text, re.MULTILINE)
    options = ("--from", "19:12:31", "--no-dashboard")
    with LiveSite(scenario_on_free_ports(tmp_path), tmp_path, *options) as site:
        meter = next(entry for entry in site.ready["endpoints"] if entry["meter"] == "customer-44")
        script = script.replace("5030, 44", f"{meter['port']}, {meter['unit']}")
        capsys.readouterr()
        exec(compile(script, "tutorial.md", "exec"), {})
        printed = capsys.readouterr().out.splitlines()
        assert [line for line in printed if line in shown] == shown
        assert len(printed) == 11
        if shutil.which("mbpoll") is None:
            pytest.skip("needs mbpoll")
        polled = [mbpoll(command, site.ready["endpoints"]) for command in commands(text)]
    assert [code for code, _ in polled] == [0, 0, 1, 0]
    assert "[16384]: \t50" in polled[0][1]
    assert "Illegal data value" in polled[2][1]
    assert "Written 2 references" in polled[3][1]


def commands(text):
    """The tutorial's mbpoll lines."""
    return re.findall(r"^mbpoll (.*)$", text, re.MULTILINE)


def mbpoll(command, endpoints):
    """Run one of them on the port that stands for the one of the tutorial."""
    ports = {"5020": "head", "5030": "customer-55"}
    words = shlex.split(command)
    at = words.index("-p") + 1
    meter = next(entry for entry in endpoints if entry["meter"] == ports[words[at]])
    words[at] = str(meter["port"])
    done = subprocess.run(["mbpoll", *words], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr

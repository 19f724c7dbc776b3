"""The tutorial's script, run as it stands against the shipped scenario on the evening of the fault."""

import re
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

"""The debrief page's command and script, run on a recording of the small site."""

import re
from pathlib import Path

from tests.sites import write_site
from twin.cli import main
from twin.contracts import Command
from twin.scenario import load_scenario
from twin.simulation import build_site

PAGE = Path(__file__).parent.parent / "docs" / "debrief.md"


def test_the_page_names_the_fault_who_saw_it_and_what_was_ordered(tmp_path, monkeypatch, capsys):
    loaded = load_scenario(write_site(tmp_path))
    with build_site(loaded) as site:
        site.record_to(tmp_path / "recordings" / "lesson", overwrite=False)
        site.engine.advance_to(loaded.start_ns + 60 * 10**9)
        site.engine.apply(Command("dashboard", "SW2", "open", {}))
        site.engine.apply(Command("dashboard", "SW2", "close", {}))
        site.engine.advance_to(loaded.end_ns)
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    command = re.search(r"```sh\ntwin (recording ledger .*)\n```", page)[1]
    assert main(command.split()) == 0
    printed = capsys.readouterr().out
    _, rest = printed.split("fault applied: F1 by scenario\n", 1)
    seen = dict(re.findall(r"^ +(\w+) +down to .*?; (.*)$", rest, re.MULTILINE))
    assert seen["home"].startswith("recorded ")
    assert "home, sag " in printed
    script = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    exec(compile(script, "debrief.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["dashboard open SW2 done", "dashboard close SW2 done"]

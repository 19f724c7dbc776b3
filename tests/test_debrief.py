"""The debrief page's script, run on a recording of the small site."""

import re
from pathlib import Path

from tests.sites import write_site
from twin.scenario import load_scenario
from twin.simulation import build_site

PAGE = Path(__file__).parent.parent / "docs" / "debrief.md"


def test_the_script_names_the_fault_and_who_saw_it(tmp_path, monkeypatch, capsys):
    loaded = load_scenario(write_site(tmp_path))
    with build_site(loaded) as site:
        site.record_to(tmp_path / "recordings" / "lesson", overwrite=False)
        site.engine.advance_to(loaded.end_ns)
    monkeypatch.chdir(tmp_path)
    script = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    exec(compile(script, "debrief.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "F1 at bus HOME (scenario)"
    assert "  home: sag a, 20 %" in printed
    assert printed[-1] == "  not seen by: head"

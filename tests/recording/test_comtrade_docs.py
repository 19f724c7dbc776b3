"""The COMTRADE example of docs/recording.md is run."""

import re
from pathlib import Path

from tests.recording import records

TEXT = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")


def test_the_example_runs(create, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    writer = create("run1")
    writer.append([records.waveform(1)])
    writer.close()
    section = TEXT.partition("## COMTRADE")[2]
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], {})
    name, shown = capsys.readouterr().out.splitlines()
    assert name == "2026-03-01T02-56-40.020+0100_Vb_VOLTAGE_SAG.cfg"
    assert shown == "('va', 'vb', 'vc', 'ia', 'ib', 'ic') 1600.0 (6, 320)"
    assert sorted(path.suffix for path in tmp_path.glob("2026*")) == [".cfg", ".dat"]

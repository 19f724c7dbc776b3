"""The example of docs/switching.md runs, and what the page says of it is so."""

import re
from pathlib import Path

import pytest

from twin.recording import Recording

TEXT = (Path(__file__).parents[2] / "docs" / "switching.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    network, scenario = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    Path("substation.yaml").write_text(network, encoding="utf-8")
    Path("switching.yaml").write_text(scenario, encoding="utf-8")
    for example in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(example, {})
    assert "ferroresonance_condition T by open phases" in capsys.readouterr().out
    recording = Recording.open("switching")
    start = recording.info.scenario["start_ns"]
    told = [entry for entry in recording.truth() if entry.kind != "load_switched"]
    taps = [(entry.time_ns - start, entry.cause) for entry in told if entry.kind == "tap_changed"]
    minutes = [(at / 60e9, cause) for at, cause in taps]
    assert minutes == [(1.0, "AVR"), (4.0, "operator"), (pytest.approx(5.0, abs=0.1), "AVR")]
    (inrush,) = (entry for entry in told if entry.kind == "transformer_inrush")
    assert inrush.time_ns - start == 7 * 60 * 10**9
    (flag,) = (entry for entry in told if entry.kind == "ferroresonance_condition")
    assert flag.time_ns - start == pytest.approx(10 * 60e9, abs=20e6)
    swell = recording.events(meter="bank 2")[0]
    assert swell.type == "swell"
    assert swell.start_ns - start == pytest.approx(2 * 60e9, abs=40e6)

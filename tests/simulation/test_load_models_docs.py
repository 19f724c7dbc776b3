"""The examples of docs/load-models.md run."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "load-models.md").read_text(encoding="utf-8")


def test_examples_run(capsys):
    names: dict[str, object] = {}
    for example in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(example, names)
    full, reduced, pickup = capsys.readouterr().out.splitlines()
    assert 0.5 < float(full.split()[0]) < float(reduced.split()[0]) < 20.0
    before, after = (float(word) for word in re.findall(r"(\d+) kW", pickup))
    assert after > 1.5 * before

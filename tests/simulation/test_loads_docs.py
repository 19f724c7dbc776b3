"""The examples of docs/loads.md run."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "loads.md").read_text(encoding="utf-8")


def test_examples_run(capsys):
    names: dict[str, object] = {}
    for example in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(example, names)
    units, switched, feeds_in = capsys.readouterr().out.splitlines()
    assert int(units.split()[0]) > 20
    assert units.endswith("True")
    assert int(switched) > 0
    assert feeds_in == "True"

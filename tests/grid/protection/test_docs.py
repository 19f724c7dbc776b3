"""The examples of docs/protection.md run, and print what the page says; its table of curves is the code's."""

import re
from pathlib import Path

from twin.grid.protection import CURVES

TEXT = (Path(__file__).parents[3] / "docs" / "protection.md").read_text(encoding="utf-8")


def test_the_examples_print_what_the_page_says(capsys):
    scope: dict[str, object] = {}
    examples = re.findall(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", TEXT, re.DOTALL)
    assert len(examples) == TEXT.count("```python") == 3
    for example, output in examples:
        exec(example, scope)
        assert capsys.readouterr().out.splitlines() == [line[4:] for line in output.splitlines()]


def test_the_table_of_curves():
    rows = re.findall(r"^\| (`iec_.*?) \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", TEXT, re.MULTILINE)
    listed = set()
    for names, k, alpha, c, reset in rows:
        for name in re.findall(r"`(\w+)`", names):
            curve = CURVES[name]
            assert (curve.k, curve.alpha, curve.c) == (float(k), float(alpha), float(c))
            assert curve.reset == (None if reset == "-" else float(reset))
            listed.add(name)
    assert listed == set(CURVES)

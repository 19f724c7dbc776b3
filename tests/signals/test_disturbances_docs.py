"""The example of docs/disturbances.md is run and compared with what the page shows."""

import re
from pathlib import Path

from twin.signals import disturbances

TEXT = (Path(__file__).parents[2] / "docs" / "disturbances.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == shown


def test_every_function_of_the_table_exists_and_none_is_left_out():
    table = "\n".join(line for line in TEXT.splitlines() if line.startswith("| "))
    named = set(re.findall(r"`([a-z_]+)`", table))
    public = set(disturbances.__all__) - {"DisturbanceError", "point_on_wave"}
    assert named == public

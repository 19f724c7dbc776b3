"""The example of docs/disturbances.md is run and compared with what the page shows."""

import re
from dataclasses import fields
from pathlib import Path

from twin.signals import SourceStep, disturbances

TEXT = (Path(__file__).parents[2] / "docs" / "disturbances.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == shown


def test_every_function_of_the_table_exists_and_none_is_left_out():
    disturbing, _ = TEXT.split("## The source")
    table = "\n".join(line for line in disturbing.splitlines() if line.startswith("| "))
    named = set(re.findall(r"`([a-z_]+)`", table))
    public = set(disturbances.__all__) - {"DisturbanceError", "Notch", "point_on_wave"}
    assert named == public


def test_every_field_of_a_step_is_in_the_table_of_the_source():
    _, source = TEXT.split("## The source")
    first = "\n".join(line.split("|")[1] for line in source.splitlines() if line.startswith("| "))
    assert set(re.findall(r"`([a-z_]+)`", first)) == {field.name for field in fields(SourceStep)}

"""docs/calibrate.md: its examples print what it shows, its tables name what there is."""

import re
from pathlib import Path

from twin.calibrator.point_list import COLUMNS
from twin.calibrator.point_sets import SETS
from twin.calibrator.profiles import PROFILES
from twin.calibrator.quantities import QUANTITIES, Basis
from twin.cli.command import main

TEXT = (Path(__file__).parents[2] / "docs" / "calibrate.md").read_text(encoding="utf-8")


def test_the_examples_print_what_the_page_shows(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = 0
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for command, shown in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE):
            if command == "cat points.csv":
                Path("points.csv").write_text(shown, encoding="utf-8")
                continue
            code = main(command.split()[1:])
            printed = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
            assert printed == shown
            assert code == (1 if "FAIL" in shown else 0)
            ran += 1
    assert ran == 2


def test_the_example_in_python_prints_what_the_page_shows(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == shown


def test_the_tables_name_every_set_column_quantity_basis_and_profile():
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert named >= {*SETS, *COLUMNS, *QUANTITIES, *Basis, *PROFILES}
    for quantity in QUANTITIES.values():
        assert f"| `{quantity.name}` | {quantity.unit} | {', '.join(quantity.bases)} |" in TEXT

"""The population of docs/accuracy.md is what the models draw."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_and_the_drawing_are_those_of_the_models():
    spec = importlib.util.spec_from_file_location("accuracy_curves", DOCS / "accuracy_curves.py")
    curves = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(curves)
    page = (DOCS / "accuracy.md").read_text(encoding="utf-8")
    written = page.partition("<!-- population -->\n")[2].partition("\n<!-- end -->")[0].splitlines()
    made = curves.table().splitlines()
    assert written[:2] == made[:2], "run: python docs/accuracy_curves.py"
    for left, right in zip(written[2:], made[2:], strict=True):
        numbers, others = ([float(cell) for cell in line.strip("|").split("|")] for line in (left, right))
        assert numbers == pytest.approx(others, abs=2e-3)
    assert curves.drawing().count("<polyline") == (DOCS / "images" / "accuracy.svg").read_text().count(
        "<polyline"
    )

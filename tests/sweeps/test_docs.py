"""The page on sweeps: its example as shipped, its script, and every field and column named."""

import re
from pathlib import Path

import pytest
import yaml

from tests.sweeps.sweeping import sweep
from twin.sweeps import read_plan
from twin.sweeps.columns import EVENTS, HEAD, METER_RESULTS, RESULTS
from twin.sweeps.schema import Balance, Draw, Sweep, Values

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
SCENARIO, EXAMPLE = ROOT / "scenarios" / "feeder-faults.yaml", ROOT / "scenarios" / "sweeps" / "storm.yaml"


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_example_of_the_page_is_the_shipped_one():
    assert yaml.safe_load(block("yaml")) == yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("model", [Sweep, Values, Draw, Balance])
def test_every_field_is_on_the_page(model):
    for name in model.model_fields:
        assert f"`{name}`" in PAGE


def test_every_column_is_on_the_page():
    for column in (*HEAD, *RESULTS, *EVENTS):
        assert f"`{column.name}`" in PAGE
    for column in METER_RESULTS:
        assert f".{column.name}`" in PAGE


def test_every_shipped_sweep_has_a_plan():
    for path in (ROOT / "scenarios" / "sweeps").glob("*.yaml"):
        scenario = re.search(r"twin sweep (\S+) --over", path.read_text(encoding="utf-8"))[1]
        assert read_plan(ROOT / scenario, path).variants


def test_the_scripts_of_the_page_run_on_the_shipped_example(tmp_path, monkeypatch):
    import duckdb

    monkeypatch.chdir(tmp_path)
    short = EXAMPLE.read_text(encoding="utf-8").replace("count: 4", "count: 1")
    (tmp_path / "storm.yaml").write_text(short, encoding="utf-8")
    code, told, err = sweep(SCENARIO, "storm.yaml", "sweeps/storm", "--workers", 2)
    assert (code, told["variants"], err) == (0, 3, "")
    found = duckdb.sql(block("sql")).fetchall()
    assert [row[:2] for row in found] == [(bus, 1) for bus in [row[0] for row in found]]
    assert {row[0] for row in found} == {"FORK", "VILLAGE", "FARM"}
    assert all(0 < row[3] < 90 for row in found)
    exec(compile(block("python"), "sweeps.md", "exec"), {})
    drawn = (tmp_path / "storm.html").read_text(encoding="utf-8")
    assert "deepest sag in the village, V" in drawn
    assert '"name":"VILLAGE"' in drawn

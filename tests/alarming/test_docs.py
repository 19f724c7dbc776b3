"""The examples of ``docs/alarming.md`` are what the programs read."""

import re
from pathlib import Path

import pytest

from twin.alarming.grading.map_schema import AlarmMap
from twin.alarming.journal import COLUMNS, EXCHANGED
from twin.alarming.rules import read_rules
from twin.alarming.rules_schema import Rules, When
from twin.alarming.what_if_schema import Variants
from twin.cli.command import main
from twin.documents import read_yaml, validate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "alarming.md").read_text(encoding="utf-8")
FILES = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "version:" in block]


@pytest.mark.parametrize("block", FILES)
def test_every_file_on_the_page_is_valid(tmp_path: Path, block: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(block, encoding="utf-8")
    model = Rules if "sources:" in block else Variants if "variants:" in block else AlarmMap
    validate(read_yaml(file), model)


def test_the_page_names_every_condition_and_transition() -> None:
    for field, info in When.model_fields.items():
        assert f"`{info.alias or field}" in PAGE
    for transition in EXCHANGED:
        assert f"`{transition}`" in PAGE
    assert f"`{','.join(COLUMNS)}`" in PAGE


def test_the_rules_on_the_page_watch_the_scenario_of_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = PAGE.partition("twin export points ")[2].split()[0]
    assert main(["export", "points", str(ROOT / scenario)]) == 0
    (tmp_path / "tags.csv").write_text(capsys.readouterr().out, encoding="utf-8")
    (block,) = (block for block in FILES if "sources:" in block)
    (tmp_path / "rules.yaml").write_text(block, encoding="utf-8")
    address = {"host": "127.0.0.1", "port": 5020, "unit": 1}
    endpoints = {"feeder head": address, "village": address}
    plan = read_rules(tmp_path / "rules.yaml", endpoints=endpoints)
    assert {source.name for source in plan.sources} == {"head", "village"}

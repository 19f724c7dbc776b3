"""The format's documentation and schema say what the reader does."""

import json
import re
from pathlib import Path

import pytest
import yaml

from twin.grid import flow, harmonics, read_network
from twin.grid.fields import SECTIONS
from twin.grid.schema import field_table, network_schema

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "network-file.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_holds_the_table_of_each_section(section):
    assert field_table(section) in PAGE


def test_the_page_s_example_is_read_and_solved(tmp_path):
    example = re.search(r"```yaml\n(network: .*?)```", PAGE, re.DOTALL).group(1)
    file = tmp_path / "farm.yaml"
    file.write_text(example, encoding="utf-8")
    network = read_network(file)
    assert all(0.95 < row["v_pu"] < 1.05 for row in flow(network))
    assert {row["h"] for row in harmonics(network)} == {1, 3, 5, 7}


def test_the_schema_knows_the_shipped_files_keys():
    schema = network_schema()
    assert json.loads(json.dumps(schema)) == schema
    for file in (ROOT / "scenarios" / "networks").glob("*.yaml"):
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert set(data) <= set(schema["properties"])
        assert set(schema["required"]) <= set(data)
        for section in set(data) & set(SECTIONS):
            rows, table = schema["properties"][section]["anyOf"]
            if isinstance(data[section], dict):
                assert set(data[section]["columns"]) <= set(table["properties"]["columns"]["items"]["enum"])
            else:
                for row in data[section]:
                    assert set(rows["items"]["required"]) <= set(row) <= set(rows["items"]["properties"])

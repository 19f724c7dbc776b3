"""Findings: every error at once, each with line, field and mend."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from twin.contracts import BadInputError
from twin.documents import Second, Watt, nearest, read_yaml, suggestion, validate


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Kettle(Part):
    kind: Literal["kettle"]
    power: Watt


class Lamp(Part):
    kind: Literal["lamp"]
    lit: Second


class Switch(Part):
    kind: Literal["switch"]
    switch: str


class House(Part):
    things: list[Annotated[Kettle | Lamp | Switch, Field(discriminator="kind")]]
    count: int = 1


def findings(tmp_path, text):
    path = tmp_path / "house.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError) as caught:
        validate(read_yaml(path), House)
    return [str(finding).removeprefix(str(path)) for finding in caught.value.findings]


def test_all_findings_at_once_in_order_of_lines(tmp_path):
    text = "things:\n- kind: kettle\n  power: 2 kV\n- kind: lamp\n  lit: 3 h\n  litt: 3 h\ncount: many\n"
    assert findings(tmp_path, text) == [
        ":3: things[0].power: unit 'kV' does not fit here; write it in W, for example '5 W'",
        ":6: things[1].litt: unknown field; did you mean 'lit'?",
        ":7: count: input should be a valid integer, unable to parse string as an integer (it is 'many'); "
        "change the value",
    ]


def test_a_kind_that_is_spelled_like_a_key_is_no_key(tmp_path):
    assert findings(tmp_path, "things:\n- kind: switch\n  switch: S1\n  swich: S2\n") == [
        ":4: things[0].swich: unknown field; did you mean 'switch'?"
    ]


def test_what_is_missing_is_placed_at_its_parent(tmp_path):
    assert findings(tmp_path, "count: 2\n") == [":1: things: is missing; add 'things'"]
    assert findings(tmp_path, "things:\n- kind: lamp\n") == [":2: things[0].lit: is missing; add 'lit'"]


def test_an_unknown_kind_lists_the_known(tmp_path):
    (finding,) = findings(tmp_path, "things:\n- kind: toaster\n")
    assert finding == ":2: things[0]: is of no known kind; give one of 'kettle', 'lamp', 'switch'"


def test_a_model_is_returned_whole(tmp_path):
    path = tmp_path / "house.yaml"
    path.write_text("things: [{kind: kettle, power: 2.2 kW}]\n", encoding="utf-8")
    assert validate(read_yaml(path), House).things[0].power == 2200


def test_nearest_name():
    assert nearest("LOAD12", ["LOAD21", "LOAD1", "BUS"]) in {"LOAD21", "LOAD1"}
    assert nearest("xyz", ["LOAD1"]) is None
    assert suggestion("xyz", ["b", "a"], "buses") == "known buses: a, b"


def test_a_missing_kind_is_asked_for(tmp_path):
    (finding,) = findings(tmp_path, "things:\n  - {power: 3}\n")
    assert finding == ":2: things[0]: does not say of which kind it is; add 'kind'"

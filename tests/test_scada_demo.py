"""FUXA's project from the alarm map, its history as a journal; and, where it is installed, all of it for
real."""

import os
import shutil
from pathlib import Path

import pytest

from examples.scada_demo.__main__ import ALARMS, SCENARIO, demonstrate, journal
from examples.scada_demo.fuxa import Fuxa, FuxaError
from examples.scada_demo.project import FuxaProject
from twin.alarming.tag_list import parse_tag_list
from twin.contracts import BadInputError
from twin.scenario import load_scenario

LIST = """meter,name,0-based address,4xxxxx address,type,word order,scale,unit,access
village,v1,16386,416387,float32,high first,200,V,R
village,i1,16402,416403,float32,high first,10,A,R
feeder head,i1,16402,416403,float32,high first,10,A,R
feeder head,i2,16404,416405,float32,high first,10,A,R
"""
TAGS = parse_tag_list(LIST, "tags.csv")
ENDPOINTS = {"village": ("127.0.0.1", 5181, 1), "feeder head": ("127.0.0.1", 5180, 1)}
INSTALLED = Path(os.environ.get("SCADA", Path(__file__).parents[1] / ".scada"))


def test_devices_tags_and_alarms_are_those_of_the_map():
    content = FuxaProject(ALARMS, TAGS, ENDPOINTS).content()
    village = content["devices"]["d_5181_1"]
    assert (village["type"], village["polling"], village["property"]["address"]) == (
        *("ModbusTCP", 1000, "127.0.0.1:5181"),
    )
    voltage = village["tags"]["t_5181_1_v1"]
    assert (voltage["type"], voltage["memaddress"], voltage["address"]) == ("Float32", "400000", "16387")
    assert voltage["scale"]["scaledHigh"] == 200
    low = next(one for one in content["alarms"] if one["name"] == "village | UNDERVOLTAGE")
    assert low["property"] == {"variableId": "t_5181_1_v1"}
    assert low["highhigh"].items() >= {"enabled": True, "min": -1e12, "max": 207.0, "timedelay": 2}.items()
    assert [low[level]["enabled"] for level in ("high", "low", "info")] == [False] * 3


def test_what_fuxa_cannot_express_is_refused_by_line(tmp_path):
    text = ALARMS.read_text(encoding="utf-8").replace("below: 207 V", "below: 207 V, deadband: 5 V")
    (tmp_path / "alarms.yaml").write_text(text.replace("tag: i2", "tag: i9"), encoding="utf-8")
    with pytest.raises(BadInputError) as caught:
        FuxaProject(tmp_path / "alarms.yaml", TAGS, ENDPOINTS)
    first, second = caught.value.findings
    assert (first.field, second.field) == ("alarms[0]", "alarms[2]")
    assert "more than FUXA knows" in str(first)
    assert "no tag 'i9'" in str(second)


def test_its_history_becomes_a_journal_in_simulated_time():
    project = FuxaProject(ALARMS, TAGS, ENDPOINTS)
    raised = [
        {"name": "village | OVERLOAD", "type": "high", "ontime": 5000, "offtime": 0, "value": "400.5"},
        {"name": "village | UNDERVOLTAGE^~^highhigh", "type": "highhigh", "ontime": 1000, "offtime": 9000,
         "value": None},
    ]  # fmt: skip
    entries = journal(raised, project, offset_ns=10**12)
    told = [(one.time_ns // 10**6, one.condition, one.transition, one.priority) for one in entries]
    assert told == [
        (1_003_000, "UNDERVOLTAGE", "active", "high"),
        (1_007_000, "OVERLOAD", "active", "medium"),
        (1_009_000, "UNDERVOLTAGE", "return", "high"),
    ]
    assert entries[1].value == 400.5


def test_the_scenario_of_the_demonstration_has_no_findings():
    assert load_scenario(SCENARIO).meters


def test_without_an_installation_the_mend_is_named(tmp_path):
    with pytest.raises(FuxaError, match="make demo-scada"):
        Fuxa(tmp_path, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_fuxa_misses_nothing_and_takes_a_lost_connection_for_an_outage(tmp_path):
    if shutil.which("node") is None or not (INSTALLED / "node_modules").is_dir():
        pytest.skip("FUXA is not installed: make demo-scada")
    verdict = demonstrate(INSTALLED, tmp_path)
    told = {one.condition: one for one in verdict.alarms}
    assert all(one.missed == () for one in verdict.alarms)
    assert [one.condition for one in verdict.alarms if one.false] == ["UNDERVOLTAGE"]
    (false,) = told["UNDERVOLTAGE"].false
    assert 120 <= (false.start_ns - verdict.start_ns) / 1e9 <= 125, (
        "the line is lost two minutes after the start"
    )
    assert told["UNDERVOLTAGE"].during[false.start_ns] == ("communication fault lost line of village",)
    assert (tmp_path / "verdict.html").read_text(encoding="utf-8").count("UNDERVOLTAGE") > 1

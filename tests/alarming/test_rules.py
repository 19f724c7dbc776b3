"""Rules files, and what is wrong with them."""

import json
from pathlib import Path

import pytest

from twin.alarming.alarm_server import AlarmServer
from twin.alarming.rules import AlarmPlan, read_rules
from twin.alarming.scans import Scan
from twin.contracts import BadInputError

SECOND = 10**9
TAGS = """meter,name,0-based address,4xxxxx address,type,word order,scale,unit,access
head,v1,16386,416387,float32,high first,200,V,R
head,v2,16388,416389,float32,high first,200,V,R
head,hole,16394,416395,uint16,,1,,R
head,p_sum,16418,416419,float32,high first,2000,W,R
head,ep_imp,16456,416457,uint32,high first,0.1,kWh,RW
head,run_time,4148,404149,uint32,high first,0.01,h,RW
head,status,4142,404143,uint16,,1,,R
head,di2,1,100002,input,,1,,R
head,di9,8,100009,input,,1,,R
head,relay1,0,000001,coil,,1,,RW
far away,v1,16386,416387,float32,low first,1,V,R
"""
HEAD = """
version: 1
tags: tags.csv
sources:
  - {name: head, host: 127.0.0.1, port: 5020}
  - {name: far, meter: far away, poll: 250 ms}
alarms:
"""
READY = {"endpoints": [{"meter": "far away", "host": "127.0.0.1", "port": 5021, "unit": 7}]}


def read(tmp_path: Path, alarms: str, *, head: str = HEAD) -> AlarmPlan:
    """Read rules with the tag list and ready file beside them."""
    (tmp_path / "tags.csv").write_text(TAGS, encoding="utf-8")
    (tmp_path / "ready.json").write_text(json.dumps(READY), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(head + alarms, encoding="utf-8")
    return read_rules(tmp_path / "rules.yaml", ready_file=tmp_path / "ready.json")


def test_inputs_and_coils_are_asked_for_apart_from_registers(tmp_path: Path) -> None:
    """One request each, whatever lies between; their addresses are not those of registers."""
    parts = ", ".join(f"{{state: {{tag: {tag}, equals: 1}}}}" for tag in ("di9", "status", "relay1", "di2"))
    plan = read(tmp_path, f"  - {{name: A, source: head, when: {{any: [{parts}]}}}}\n")
    reads = plan.sources[0].reads
    found = [(one.kind, one.address, one.count, [tag.name for tag in one.tags]) for one in reads]
    assert found == [
        ("register", 4142, 1, ["status"]),
        ("input", 1, 8, ["di2", "di9"]),
        ("coil", 0, 1, ["relay1"]),
    ]


LOW = "  - {name: LOW, source: head, when: {limit: {tag: v1, below: 18 kV, deadband: 200 V}}}\n"


def test_sources_are_found_and_registers_read_together(tmp_path: Path) -> None:
    alarms = (
        LOW
        + """
  - name: MANY
    source: head
    when:
      any:
        - {limit: {tag: v2, above: 22 kV}}
        - {limit: {tag: p_sum, above: 1 MW}}
        - {limit: {source: far, tag: v1, below: 200 V}}
"""
    )
    plan = read(tmp_path, alarms)
    head, far = plan.sources
    assert [(read.address, read.count) for read in head.reads] == [(16386, 4), (16418, 2)]
    assert (far.host, far.port, far.unit, far.poll_ns) == ("127.0.0.1", 5021, 7, SECOND // 4)
    assert (head.port, head.unit, head.poll_ns, plan.timeout_s) == (5020, 1, SECOND, None)
    assert far.reads[0].tags[0].value([0x0000, 0x4366]) == 230.0


def test_a_source_without_tags_is_asked_for_something(tmp_path: Path) -> None:
    plan = read(tmp_path, LOW)
    assert [len(read.tags) for read in plan.sources[1].reads] == [1]


@pytest.mark.parametrize(
    ("when", "scans", "expected"),
    [
        ("{limit: {tag: ep_imp, above: 1.5 MWh}}", [{"ep_imp": 1499.0}, {"ep_imp": 1501.0}], [False, True]),
        ("{limit: {tag: run_time, above: 90 min}}", [{"run_time": 1.4}, {"run_time": 1.6}], [False, True]),
        ("{state: {tag: status, equals: [2, 3]}}", [{"status": 2.0}, {"status": 4.0}], [True, False]),
        ("{state: {tag: status, bit: 2}}", [{"status": 3.0}, {"status": 4.0}], [False, True]),
        ("{not: {state: {tag: status, equals: 0}}}", [{"status": 0.0}, {"status": 1.0}], [False, True]),
        ("{rate: {tag: v1, falls: 1 kV, over: 1 s}}", [{"v1": 2e4}, {"v1": 1.8e4}], [False, True]),
        ("{deviation: {tag: v1, from: 20 kV, by: 5 kV}}", [{"v1": 2.4e4}, {"v1": 1.4e4}], [False, True]),
        (
            "{deviation: {tag: v1, mean_of: [v1, v2], by: 300 V}}",
            [{"v1": 2e4, "v2": 2.04e4}, {"v1": 2e4, "v2": 2.08e4}],
            [False, True],
        ),
        ("{stale: {tag: v1, unchanged: 1 s}}", [{"v1": 1.0}, {"v1": 1.0}], [False, True]),
        (
            "{all: [{limit: {tag: v1, above: 1 V}}, {limit: {tag: v2, above: 1 V}}]}",
            [{"v1": 2.0, "v2": 0.0}, {"v1": 2.0, "v2": 2.0}],
            [False, True],
        ),
    ],
)
def test_each_condition(
    tmp_path: Path, when: str, scans: list[dict[str, float]], expected: list[bool]
) -> None:
    plan = read(tmp_path, f"  - {{name: ALARM, source: head, when: {when}}}\n")
    server = AlarmServer(plan.rules)
    found = []
    for at, values in enumerate(scans):
        server.take(Scan("head", at * SECOND, values))
        found.append(server.alarm_states["ALARM"].active)
    assert found == expected


def test_a_balance_of_several_sources(tmp_path: Path) -> None:
    """It is unknown, and the alarm stays as it is, while one of them does not answer."""
    terms = "[{tag: v2}, {tag: v1, source: far}]"
    plan = read(
        tmp_path,
        f"  - {{name: A, source: head, when: {{deviation: {{tag: v1, sum_of: {terms}, by: 10 V}}}}}}\n",
    )
    assert [tag.name for tag in plan.sources[1].reads[0].tags] == ["v1"]
    server = AlarmServer(plan.rules)
    found = []
    for far in (29.0, 31.0, None, 29.0):
        server.take(Scan("head", 0, {"v1": 100.0, "v2": 61.0}))
        server.take(Scan("far", 0, None if far is None else {"v1": far + 20.0}))
        found.append(server.alarm_states["A"].active)
    assert found == [False, True, True, False]
    mixed = "{deviation: {tag: v1, sum_of: [{tag: p_sum}], by: 10 V}}"
    with pytest.raises(BadInputError, match="W cannot be compared with V; give tags of one unit"):
        read(tmp_path, f"  - {{name: A, source: head, when: {mixed}}}\n")


def test_settings_may_be_others_than_the_files(tmp_path: Path) -> None:
    """What the file does not have is found; what is off is not followed."""
    read(tmp_path, LOW + LOW.replace("LOW", "LOWER"))

    def again(**settings: dict[str, object]) -> AlarmPlan:
        return read_rules(tmp_path / "rules.yaml", ready_file=tmp_path / "ready.json", settings=settings)

    plan = again(all={"on_delay": "2 s"}, LOW={"on_delay": "1 s", "limit": "19 kV"}, LOWER={"enabled": False})
    assert [(rule.name, rule.on_delay_ns) for rule in plan.rules] == [("LOW", SECOND)]
    server = AlarmServer(plan.rules)
    for at in range(2):
        server.take(Scan("head", at * SECOND, {"v1": 18_500.0}))
    assert server.standing == ("LOW",)
    with pytest.raises(BadInputError, match="did you mean 'LOW'"):
        again(LWO={"on_delay": "1 s"})
    with pytest.raises(BadInputError, match="on_dealy"):
        again(LOW={"on_dealy": "1 s"})


WRONG = """
  - {name: LOW, source: head, when: {limit: {tag: v1, below: 18}}}
  - {name: LOW, source: haed, when: {limit: {tag: v1, below: 18 kV}}}
  - {name: N3, source: head, when: {limit: {tag: v3, below: 18 kV}}}
  - {name: N4, source: head, when: {limit: {tag: status, above: 1 A}}}
  - {name: N5, source: head, when: {communication: {source: fra}}}
"""


def test_everything_wrong_is_found_at_once(tmp_path: Path) -> None:
    head = HEAD.replace(", host: 127.0.0.1, port: 5020", "").replace("far away", "far awya")
    with pytest.raises(BadInputError) as caught:
        read(tmp_path, WRONG, head=head)
    found = {finding.field: finding for finding in caught.value.findings}
    assert set(found) == {
        *("sources[0]", "sources[1]", "sources[1].meter", "alarms[1].name", "alarms[1].source"),
        *("alarms[0].when.limit.below", "alarms[2].when.limit.tag", "alarms[3].when.limit.above"),
        "alarms[4].when.communication.source",
    }
    assert found["sources[1].meter"].mend == "did you mean 'far away'?"
    assert found["alarms[2].when.limit.tag"].mend == "did you mean 'v2'?"
    assert found["alarms[0].when.limit.below"].where.line == 9


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("{limit: {tag: v1}}", "give either above or below"),
        ("{limit: {tag: v1, above: 1 V, below: 2 V}}", "give either above or below"),
        ("{}", "give one of limit, deviation, rate"),
        ("{rate: {tag: v1, over: 1 s}}", "give either rises or falls"),
        ("{state: {tag: v1}}", "give either equals or bit"),
        ("{deviation: {tag: v1, by: 1 V}}", "give one of from, mean_of and sum_of"),
        ("{limt: {tag: v1}}", "did you mean 'limit'?"),
    ],
)
def test_a_condition_says_one_thing(tmp_path: Path, when: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message.replace("?", r"\?")):
        read(tmp_path, f"  - {{name: ALARM, source: head, when: {when}}}\n")


def test_a_tag_list_of_another_kind_is_refused(tmp_path: Path) -> None:
    for text, message in (
        ("a,b\n", "has no column meter"),
        (TAGS.replace("uint32", "int8"), "'int8' is no type"),
        (TAGS.replace("16386", "here"), "cannot be read"),
    ):
        (tmp_path / "tags2.csv").write_text(text, encoding="utf-8")
        with pytest.raises(BadInputError, match=message):
            read(tmp_path, LOW, head=HEAD.replace("tags.csv", "tags2.csv"))
    with pytest.raises(BadInputError, match="twin export points"):
        read(tmp_path, LOW, head=HEAD.replace("tags.csv", "none.csv"))

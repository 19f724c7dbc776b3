"""The same recorded run with other alarm settings."""

from pathlib import Path

import pytest

from tests.alarming.grading.runs import START_NS, record, tag_list
from twin.alarming.what_if import AS_CONFIGURED, what_if
from twin.alarming.what_if_report import what_if_html, what_if_json, what_if_text
from twin.contracts import BadInputError
from twin.recording import Recording

SECOND = 10**9
RULES = """
version: 1
tags: tags.csv
sources: [{name: head}, {name: slow, meter: far, poll: 10 s}]
alarms:
  - {name: LOW, source: head, when: {limit: {tag: v1, below: 207 V}}}
  - name: BOTH
    source: head
    when: {all: [{limit: {tag: v2, below: 207 V}}, {limit: {source: slow, tag: v1, above: 200 V}}]}
    suppressed_when: {limit: {tag: v1, below: 100 V}}
"""
VARIANTS = """
version: 1
variants:
  - {name: deadband, settings: {LOW: {deadband: 4 V}}}
  - {name: lower, settings: {all: {limit: 190 V}, LOW: {limit: 195 V}}}
  - {name: patient, settings: {all: {on_delay: 3 s}}}
  - {name: not low, settings: {LOW: {enabled: false}, BOTH: {suppressed: false}}}
"""


@pytest.fixture
def run(tmp_path: Path) -> Recording:
    """Ten minutes in which v1 of head flickers about 207 V in the second minute, each three seconds."""

    def v1(at: int) -> float:
        return (206.0 if at // 3 % 2 else 208.0) if 60 <= at < 120 else 50.0 if 300 <= at < 320 else 230.0

    head = {"v1": v1, "v2": lambda at: 180.0 if 310 <= at < 330 else 230.0}
    return record(tmp_path / "run", {"head": head, "far": {}}, seconds=600)


def write(folder: Path, *, variants: str = VARIANTS) -> tuple[Path, Path]:
    """Write rules and variants."""
    (folder / "tags.csv").write_text(tag_list(), encoding="utf-8")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    (folder / "variants.yaml").write_text(variants, encoding="utf-8")
    return folder / "rules.yaml", folder / "variants.yaml"


def test_each_variant_raises_what_it_should(run: Recording, tmp_path: Path) -> None:
    """The flicker is low for three seconds ten times; then there are a deep sag and another behind it."""
    results = {result.name: result for result in what_if(run, *write(tmp_path))}

    def raised(name: str) -> list[tuple[int, str]]:
        journal = results[name].journal
        return [
            ((entry.time_ns - START_NS) // SECOND, entry.condition)
            for entry in journal
            if entry.transition == "active"
        ]

    flicker = [(63 + 6 * k, "LOW") for k in range(10)]
    assert raised(AS_CONFIGURED) == [*flicker, (300, "LOW"), (320, "BOTH")]
    assert raised("deadband") == [flicker[0], (300, "LOW"), (320, "BOTH")]
    assert raised("lower") == [(300, "LOW"), (320, "BOTH")]
    assert raised("patient") == [(303, "LOW"), (320, "BOTH")]
    assert raised("not low") == [(310, "BOTH")]
    assert results[AS_CONFIGURED].kpis.chattering == {("head", "LOW"): 10}
    assert results["deadband"].kpis.chattering == {}


def test_reports_show_every_variant(run: Recording, tmp_path: Path) -> None:
    results = what_if(run, *write(tmp_path))
    names = [AS_CONFIGURED, "deadband", "lower", "patient", "not low"]
    assert [entry["name"] for entry in what_if_json(results)] == names
    text = what_if_text(results).splitlines()
    assert text[1].split() == ["as", "configured", "12", "12", "1", "10", "11", "0"]
    page = what_if_html(results, title="a <run>")
    assert all(name in page for name in names)
    assert "a &lt;run&gt;" in page


def test_what_there_is_not_is_said(run: Recording, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="there is no alarm 'LWO'; did you mean 'LOW'"):
        what_if(run, *write(tmp_path, variants=VARIANTS.replace("{LOW: {dead", "{LWO: {dead")))
    with pytest.raises(BadInputError, match="write it in V"):
        what_if(run, *write(tmp_path, variants=VARIANTS.replace("195 V", "195 A")))

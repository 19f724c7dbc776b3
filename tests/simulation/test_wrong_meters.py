"""The shipped example of measurement faults shows every pattern that its page states, at its minute."""

import math
import re
from collections import Counter
from pathlib import Path

import pytest

from twin.alarming.grading.playback import RegisterPlayback, recorded_tags
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.scenario.measurement_schema import KIND_FIELDS
from twin.simulation import build_site

ROOT = Path(__file__).parents[2]
U, LINE, AMPERES = 11547.0, 11547.0 * math.sqrt(3), 100.0
P, Q = U * AMPERES * math.cos(math.pi / 6), U * AMPERES * math.sin(math.pi / 6)
"""Of a phase [W, var]."""
EXPORT = U * AMPERES * math.cos(math.radians(150))

SHOWN = {
    ("reference", 2): {"p_sum": 3 * P, "q_sum": 3 * Q, "v1": U, "v12": LINE},
    ("feeder", 1): {"p_sum": 3 * P, "i_n": 0.0, "angle_v2_v1": 240.0},
    ("feeder", 2): {"p1": -P, "p2": P, "p_sum": P, "i_n": 2 * AMPERES, "i1": AMPERES},
    ("feeder", 3): {"p_sum": 3 * P, "i_n": 0.0},
    ("feeder", 4): {"p1": 0.0, "p_sum": 0.0, "angle_v2_v1": 120.0, "v12": LINE},
    ("feeder", 6): {"p1": EXPORT, "p_sum": 3 * EXPORT, "pf": -math.cos(math.pi / 6)},
    ("feeder", 8): {"i2": 0.0, "v2": U, "p_sum": 2 * P, "i_n": AMPERES},
    ("feeder", 10): {"v3": 0.0, "v23": U, "v31": U, "v12": LINE, "p3": 0.0, "i3": AMPERES},
    ("feeder", 12): {"v3": U / 4, "p3": -P / 4, "p_sum": 1.75 * P},
    ("feeder", 14): {"i1": 2 * AMPERES, "v1": U, "p_sum": 6 * P},
    ("feeder", 15): {"i1": AMPERES, "p_sum": 3 * P},
    ("open delta", 1): {"p_sum": 3 * P, "v12": LINE, "i2": AMPERES, "angle_v2_v1": 240.0},
    ("open delta", 2): {"p_sum": 3 * Q / math.sqrt(3), "i2": math.sqrt(3) * AMPERES},
    ("open delta", 4): {"v12": 0.0, "v23": LINE, "v31": LINE},
    ("open delta", 6): {"v12": LINE / 2, "v23": LINE / 2, "v31": LINE},
    ("open delta", 8): {"v12": LINE, "v23": LINE, "v31": math.sqrt(3) * LINE},
    ("open delta", 10): {"p_sum": 0.0},
    ("open delta", 12): {"p_sum": 3 * P, "q_sum": 3 * Q, "v12": LINE, "angle_v2_v1": 120.0},
    ("open delta", 14): {"i1": AMPERES / 2, "p_sum": 1.5 * P},
    ("gateway", 2): {"minute": 2.0, "second": 0.0},
    ("gateway", 3): {"minute": 3.0, "second": 45.0},
    ("gateway", 4): {"second": 0.0, "minute": 4.0},
    ("gateway", 6): {"v1": math.nan, "p_sum": math.nan, "second": 45.0},
    ("gateway", 10): {"year": 59911.0, "month": 256.0},
    ("gateway", 12): {"hour": 8.0, "minute": 57.0},
    ("gateway", 14): {"hour": 17.0, "minute": 14.0},
    ("gateway", 15): {"hour": 8.0, "minute": 15.0},
}
"""By meter and minute, 45 s into it."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("example") / "recordings" / "wrong"
    scenario = load_scenario(ROOT / "scenarios" / "wrong-meters.yaml")
    with build_site(scenario) as site:
        site.record_to(str(path), overwrite=False)
        site.begin()
        site.engine.advance_to(scenario.end_ns)
    return Recording.open(path)


@pytest.fixture(scope="module")
def playback(recording):
    return RegisterPlayback.read(recording, recorded_tags(recording).values())


@pytest.mark.parametrize(("meter", "minute"), SHOWN)
def test_every_pattern_is_shown_at_its_minute(recording, playback, meter, minute):
    at_ns = recording.info.scenario["start_ns"] + (60 * minute + 45) * 10**9
    for tag, expected in SHOWN[meter, minute].items():
        read = [value for time_ns, value in playback.changes[meter, tag] if time_ns <= at_ns][-1]
        size = 1e6 if tag.startswith(("p_", "p1", "p3", "q")) else 1.0
        assert read == pytest.approx(expected, rel=2e-5, abs=1e-5 * size, nan_ok=True), tag


def test_words_in_the_wrong_order_are_no_voltage(recording, playback):
    at_ns = recording.info.scenario["start_ns"] + (60 * 8 + 45) * 10**9
    read = [value for time_ns, value in playback.changes["gateway", "v1"] if time_ns <= at_ns][-1]
    assert not 0 <= read < 1e6


def test_the_ledger_is_the_key_and_the_page_prints_it(recording, monkeypatch, capsys):
    text = (ROOT / "docs" / "measurement-faults.md").read_text(encoding="utf-8")
    monkeypatch.chdir(Path(recording.path).parents[1])
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(example, {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1 + 7 + 7 + 7
    assert printed[0] == "   0 min  gateway     clock_drift"
    kinds = Counter(entry.kind for entry in recording.truth())
    assert (kinds["measurement_fault_began"], kinds["measurement_fault_ended"]) == (22, 21)


def test_every_kind_is_on_the_page():
    text = (ROOT / "docs" / "measurement-faults.md").read_text(encoding="utf-8")
    assert [kind for kind in KIND_FIELDS if f"`{kind}`" not in text] == []

"""A site that is played: what the source does is what the meters and the ledger hold."""

from pathlib import Path

import pytest

from twin.contracts import BadInputError
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.moment import moment_of

SOURCE = """\
version: 1
title: A bench
start: 2026-01-15 06:00
duration: 63 s
source:
  voltage: 230 V
  steps:
    - {duration: 20 s, current: 5 A, current_lag: 60 deg}
    - {duration: 100 ms, voltage: [115 V, 230 V, 230 V]}
    - {duration: 9900 ms, voltage: 230 V}
    - {duration: 10 s, frequency_end: 49.5 Hz, voltage_end: 240 V}
    - {duration: 20 s, tones: [{multiple: 5, voltage: 6 %, voltage_angle: 10 deg}]}
meters:
  - {name: one, profile: kw320q, accuracy: ideal}
  - {name: turned, profile: kw320q, accuracy: ideal, at: {reverse: true}}
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "bench.yaml"
    path.write_text(SOURCE)
    return load_scenario(path)


def test_meters_read_what_the_source_applies(scenario):
    with build_site(scenario) as site:
        site.begin()
        engine = site.engine
        start = engine.now_ns
        engine.advance_to(start + 15 * 10**9)
        shown = engine.fleet.decode(0, engine.fleet.words(0))
        assert [shown[name] for name in ("v1", "v2", "v3")] == pytest.approx([230.0] * 3, rel=1e-6)
        assert shown["p_sum"] == pytest.approx(3 * 230 * 5 * 0.5, rel=1e-6)
        assert shown["q_sum"] == pytest.approx(3 * 230 * 5 * 0.75**0.5, rel=1e-6)
        turned = engine.fleet.decode(1, engine.fleet.words(1))
        assert turned["p_sum"] == pytest.approx(-3 * 230 * 5 * 0.5, rel=1e-6)
        engine.advance_to(start + 60 * 10**9)
        shown = engine.fleet.decode(0, engine.fleet.words(0))
        assert shown["frequency"] == pytest.approx(49.5, abs=1e-6)
        assert shown["v1"] == pytest.approx(240 * (1 + 0.06**2) ** 0.5, rel=1e-6)
        assert shown["thd_v1"] == pytest.approx(0.06, rel=1e-4)


def test_the_dip_is_recorded_with_its_depth_and_the_ledger_tells_the_steps(scenario, tmp_path):
    with build_site(scenario) as site:
        site.begin()
        site.record_to(tmp_path / "recording", overwrite=False)
        site.engine.advance_to(scenario.end_ns)
    recording = Recording.open(tmp_path / "recording")
    events = recording.events(meter="one")
    assert [event.type for event in events] == ["sag"]
    assert events[0].phases == "a"
    assert events[0].extreme == pytest.approx(115.0, rel=1e-9)
    assert (events[0].end_ns - events[0].start_ns) * 1e-9 == pytest.approx(0.1, abs=0.02)
    steps = [entry for entry in recording.truth() if entry.kind == "source_step"]
    begins = [(entry.time_ns - scenario.start_ns) / 1e9 for entry in steps]
    assert begins == pytest.approx([0.0, 20.0, 20.1, 30.0, 40.0])


def test_the_last_step_lasts(scenario):
    with build_site(scenario) as site:
        site.begin()
        site.engine.advance_to(scenario.start_ns + 90 * 10**9)
        shown = site.engine.fleet.decode(0, site.engine.fleet.words(0))
        assert shown["v1"] == pytest.approx(240 * (1 + 0.06**2) ** 0.5, rel=1e-6)


def test_a_study_of_a_played_site_says_that_there_is_nothing_to_solve(scenario):
    with pytest.raises(BadInputError, match="nothing to solve"):
        moment_of(scenario, scenario.start_ns)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("source:", "network: x.yaml\nsource:"), "exclude each other"),
        (("meters:", "loads: [{model: household}]\nmeters:"), "only a network can have them"),
        (("at: {reverse: true}", "at: {load: HOUSE}"), "no network to choose a place in"),
        (("[115 V, 230 V, 230 V]", "[-5 V, 230 V, 230 V]"), r"source.steps\[1\].voltage: a magnitude is neg"),
        (("voltage: 230 V\n  steps", "frequency: 16.7 Hz\n  voltage: 230 V\n  steps"), "60 or 400 Hz"),
        (("duration: 20 s, current", "duration: 0 s, current"), "duration"),
    ],
)
def test_what_does_not_fit_is_found(tmp_path, change, message):
    path = tmp_path / "bench.yaml"
    path.write_text(SOURCE.replace(*change))
    with pytest.raises(BadInputError, match=message):
        load_scenario(path)


def test_the_shipped_bench_shows_each_of_its_steps():
    scenario = load_scenario(Path(__file__).parents[2] / "scenarios" / "test-bench.yaml")
    with build_site(scenario) as site:
        site.begin()
        site.engine.advance_to(scenario.end_ns)
        (meter,) = site.summary()["meters"]
        assert meter["events"] == 2  # the sag, and the dead end
        # pf 1 and pf 0.5 for a minute each, one phase and the small load for half a minute each, then 1 A.
        volts = 230.0
        energy = volts * (15 * 60 + 7.5 * 60 + 5 * 30)
        assert meter["import_wh"] * 3600 > energy
        assert meter["v_min"] == 0.0
        assert meter["v_max"] == pytest.approx(245.0 * (1 + 0.001), rel=0.004)

"""Registers of a site are kept whenever they change, the same whatever the pace."""

import itertools

import numpy as np
import pytest

from tests.sites import SCENARIO, write_site
from twin.contracts import NS_PER_SECOND, BadInputError
from twin.recording import Recording, content_hash
from twin.recording.table_export import register_values
from twin.scenario import load_scenario
from twin.simulation import build_site

HISTORY = """
history:
  registers: {head: [v1, i1, ep_imp, rated_frequency], home: all}
  every: 1 s
"""


def run(tmp_path, name, *, history=HISTORY, step_s=600.0, duration="7 min"):
    folder = tmp_path / name
    folder.mkdir()
    text = SCENARIO.replace("duration: 10 min", f"duration: {duration}") + history
    scenario = load_scenario(write_site(folder, scenario=text))
    with build_site(scenario) as site:
        site.begin()
        site.record_to(folder / "recording", overwrite=False)
        while site.engine.now_ns < scenario.end_ns:
            if step_s < 1:  # as a live site, whose pages and masters look at any time
                site.engine.fleet.words(0)
            site.engine.advance_to(min(site.engine.now_ns + round(step_s * 1e9), scenario.end_ns))
    return Recording.open(folder / "recording"), scenario


def addresses(recording, meter):
    return {point.name: point for point in recording.register_points(meter)}


def test_what_is_wanted_is_kept_and_decodes(tmp_path):
    recording, scenario = run(tmp_path, "run")
    points = addresses(recording, "head")
    assert set(points) == {"v1", "i1", "ep_imp", "rated_frequency"}
    volts = recording.registers("head", points["v1"].address)
    times = np.array([change.time_ns for change in volts])
    assert (times % NS_PER_SECOND == 0).all()
    assert times[0] == scenario.start_ns
    assert all(first.words != second.words for first, second in itertools.pairwise(volts))
    values = np.array([register_values(points["v1"], change.words)[1] for change in volts])
    # Behind 0.03 ohm 13 A of load pull 230.94 V down, and 14 A of the capacitor push it up.
    assert 230.4 < values[0] < 230.8
    assert 0.3 < np.median(values) - values[0] < 0.6
    # A setting never changes: one record, what it was.
    (frequency,) = recording.registers("head", points["rated_frequency"].address)
    assert register_values(points["rated_frequency"], frequency.words) == (0, 0.0)
    # The energy register grows as the load profile's counter does: 9 kW for 7 min are 1.05 kWh.
    energy = [
        register_values(points["ep_imp"], one.words)[1]
        for one in recording.registers("head", points["ep_imp"].address)
    ]
    assert energy == sorted(energy)
    assert 0.9 <= energy[-1] - energy[0] <= 1.1


def test_all_is_the_whole_image(tmp_path):
    recording, scenario = run(tmp_path, "run")
    with build_site(scenario) as site:
        known = {point.name for point in site.engine.fleet.points(1)}
    found = set(addresses(recording, "home"))
    assert found < known, "retrieval windows are no image"
    assert {"v1", "i3", "frequency", "max_v1", "pt2"} <= found


def test_the_pace_does_not_enter(tmp_path):
    whole, _ = run(tmp_path, "whole")
    cut, _ = run(tmp_path, "cut", step_s=0.37)
    assert content_hash(whole.path) == content_hash(cut.path)


def test_looking_changes_nothing_else(tmp_path):
    watched, _ = run(tmp_path, "watched")
    plain, _ = run(tmp_path, "plain", history="")
    assert plain.register_points("head") == []
    assert plain.events() == watched.events()
    assert plain.alarms() == watched.alarms()
    assert plain.truth() == watched.truth()
    for meter in ("head", "home"):
        first, second = plain.load_profile(meter), watched.load_profile(meter)
        assert first.end_ns.tolist() == second.end_ns.tolist()
        for channel, values in first.values.items():
            np.testing.assert_array_equal(values, second.values[channel])


def test_a_longer_interval_looks_less_often(tmp_path):
    recording, _ = run(tmp_path, "run", history=HISTORY.replace("every: 1 s", "every: 60 s"))
    times = {
        one.time_ns
        for point in recording.register_points("home")
        for one in recording.registers("home", point.address)
    }
    assert len(times) == 8
    assert {ns % (60 * NS_PER_SECOND) for ns in times} == {0}


def test_limits_reach_the_recording(tmp_path):
    keep = "\nhistory: {keep: {truth: 1 d, load_profile: 2 d}}\n"
    recording, scenario = run(tmp_path, "run", history=keep, duration="5 d", step_s=86_400)
    assert recording.load_profile("head").end_ns.min() > scenario.end_ns - 4 * 86_400 * NS_PER_SECOND
    assert recording.truth() == []
    assert len(recording.events()) > 0


@pytest.mark.parametrize(
    ("history", "field", "what"),
    [
        ("registers: {hed: all}", "history.registers.hed", "there is no meter 'hed'"),
        ("registers: {head: [v1, vv1]}", "history.registers.head[1]", "there is no register 'vv1'"),
        ("every: 100 ms", "history.every", "greater than or equal to 1"),
        ("keep: {truths: 1 d}", "history.keep.truths", "unknown field"),
        ("keep: {truth: 0 d}", "history.keep.truth", "greater than 0"),
    ],
)
def test_what_cannot_be_kept_is_found(tmp_path, history, field, what):
    with pytest.raises(BadInputError) as caught:
        load_scenario(write_site(tmp_path, scenario=SCENARIO + f"history: {{{history}}}\n"))
    (finding,) = caught.value.findings
    assert finding.field == field
    assert what in finding.what

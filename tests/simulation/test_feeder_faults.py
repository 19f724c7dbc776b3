"""The shipped evening of storm: what its page says is what happens."""

from pathlib import Path

import pytest

from twin.contracts import EventRecord, TruthEntry
from twin.scenario import load_scenario
from twin.simulation import build_site

S = 10**9
SHIPPED = Path(__file__).parents[2] / "scenarios" / "feeder-faults.yaml"


def run(minutes=(), *, cut_s=None, until_s=7200):
    """Run the scenario; return its start, its truth, the meters' events and the village's power at times."""
    scenario = load_scenario(SHIPPED)
    running = build_site(scenario)
    engine, records, power = running.engine, [], {}
    engine._keep = records.extend
    running.begin()
    for minute in minutes:
        engine.advance_to(scenario.start_ns + minute * 60 * S)
        power[minute] = engine.fleet.decode(1, engine.fleet.words(1))["p_sum"]
    for at_ns in range(0, until_s * S, round((cut_s or until_s) * S)):
        engine.advance_to(max(scenario.start_ns + at_ns, engine.now_ns))
    engine.advance_to(scenario.start_ns + until_s * S)
    truth = [one for one in records if isinstance(one, TruthEntry) and one.kind != "load_switched"]
    events = [one for one in records if isinstance(one, EventRecord)]
    return scenario.start_ns, truth, events, power


@pytest.fixture(scope="module")
def evening():
    return run((49, 89, 91, 120))


def times(evening, kind, first=0.0, last=1e9, **of):
    start, truth, _, _ = evening
    found = [
        (one.time_ns - start) / S
        for one in truth
        if one.kind == kind and all(getattr(one, key) == value for key, value in of.items())
    ]
    return [at for at in found if first <= at <= last]


def test_the_branch_burns_away_in_the_first_open_time(evening):
    (trip,) = times(evening, "recloser_tripped", 300, 600)
    (parted,) = times(evening, "switch_operated", 300, trip + 0.1)
    (gone,) = times(evening, "fault_cleared", 300, 600, cause="deionised")
    (reclosed,) = times(evening, "recloser_reclosed", 300, 600)
    assert trip == pytest.approx(300.027, abs=2e-3)
    assert parted == pytest.approx(trip + 0.03, abs=1e-6)
    assert parted < gone - 0.3 < parted + 0.02
    assert parted < reclosed - 0.5 < parted + 0.02
    assert len(times(evening, "recloser_reset", 300, 600)) == 1


def test_the_lateral_s_link_clears_in_the_first_slow_shot(evening):
    assert len(times(evening, "recloser_tripped", 1200, 2000)) == 2
    (melted,) = times(evening, "fuse_melted")
    (cleared,) = times(evening, "fuse_cleared")
    assert melted + 0.01 <= cleared < melted + 0.021
    second = times(evening, "recloser_reclosed", 1200, 2000)[-1]
    assert melted - second == pytest.approx(0.37, abs=0.02)
    assert times(evening, "recloser_locked_out", 1200, 2000) == []
    assert times(evening, "fuse_replaced") == [2520.0]


def test_the_main_line_ends_in_lockout(evening):
    assert len(times(evening, "recloser_tripped", 3000, 3600)) == 4
    assert len(times(evening, "recloser_locked_out")) == 1
    assert times(evening, "switch_operated", 3600, cause="scenario") == [5400.0]
    assert times(evening, "recloser_tripped", 5000) == []


def test_water_heaters_want_power_together_after_the_outage(evening):
    power = evening[3]
    assert power[89] == 0.0
    assert power[91] > 1.3 * power[49]
    assert power[120] < 0.9 * power[91]


def test_the_meters_see_sag_interruption_and_return(evening):
    start, _, events, _ = evening
    village = {(one.start_ns - start) / S: one for one in events if one.meter == "village" and one.end_ns}
    reclosed = times(evening, "recloser_reclosed", 300, 600)[0]
    first = village[min(village)]
    assert (first.start_ns - start) / S == pytest.approx(300.0, abs=0.03)
    assert (first.end_ns - start) / S == pytest.approx(reclosed, abs=0.05)
    assert first.extreme < 1.0
    longest = max(village.values(), key=lambda one: one.end_ns - one.start_ns)
    assert (longest.end_ns - start) / S == pytest.approx(5400.0, abs=0.05)
    head = [one for one in events if one.meter == "feeder head"]
    assert {"sag", "swell"} <= {one.type for one in head}


def test_the_same_evening_is_the_same_however_it_is_cut():
    first, second = run(until_s=2600), run(until_s=2600, cut_s=7.3)
    assert first[1:3] == second[1:3]
    assert len(first[1]) > 20

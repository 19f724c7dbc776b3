"""What stands at the meters' places behind a disturbance, by hand calculation."""

import math

import pytest

from tests.simulation.equipment_site import NETWORK, scenario
from twin.recording import Recording
from twin.simulation import build_site

S = 10**9
E = 400 / math.sqrt(3)
SOURCE, FEEDER, TAIL, FAULT = 0.01 + 0.03j, 0.01 + 0.01j, 0.02 + 0.01j, 0.1
METERS = """
meters:
  - {name: head, profile: kw320, accuracy: ideal, at: {branch: FEEDER, end: to, reverse: true}, ct: 400:5}
  - {name: far, profile: kw320q, wiring: 2LL, current_wiring: 2CT, at: {branch: TAIL, end: to}, ct: 100:5}
"""
UNLOADED = NETWORK.partition("spectra:")[0]
EVENTS = """
events:
  - event: fault
    name: F
    at: "12:00:01"
    bus: FAR
    type: 3ph
    phases: abc
    resistance: 0.1 ohm
    clear_after: 400 ms
  - {event: switch, at: "12:00:02", switch: Q2, to: open}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminals")
    loaded = scenario(folder, EVENTS, network=UNLOADED, meters=METERS, minutes=1)
    with build_site(loaded) as site:
        site.record_to(folder / "recording", overwrite=False)
        site.begin()
        site.engine.advance_to(loaded.end_ns)
    return loaded.start_ns, Recording.open(folder / "recording")


def test_a_fault_leaves_the_voltage_of_the_divider(run):
    start, recording = run
    faulted = [one for one in recording.terminals() if one.time_ns == start + S]
    whole = SOURCE + FEEDER + TAIL + FAULT
    current = E / abs(whole)
    for record in faulted:
        rest = FAULT + (TAIL if record.meter == "head" else 0)
        assert record.v == pytest.approx([current * abs(rest)] * 3, rel=1e-6)
    (head,) = (one for one in faulted if one.meter == "head")
    assert head.i == pytest.approx([current] * 3, rel=1e-6)
    assert len(faulted) == 2, "whatever its profile and wiring"


def test_the_end_of_a_fault_and_an_open_switch_are_told(run):
    start, recording = run
    last = {one.meter: one for one in recording.terminals()}
    assert last["head"].v == pytest.approx([E] * 3, rel=1e-9)
    assert last["head"].time_ns - start < 1.42 * S, "an open switch without a load changes nothing here"
    assert last["far"].time_ns == pytest.approx(start + 2 * S, abs=0.02 * S)
    assert last["far"].v == (0.0, 0.0, 0.0)


def test_loads_alone_tell_nothing(tmp_path):
    text = """
loads:
  - {model: constant, loads: [BASE]}
  - {model: household, loads: [HEAT]}
"""
    loaded = scenario(tmp_path, text, meters=METERS, minutes=30)
    with build_site(loaded) as site:
        site.record_to(tmp_path / "recording", overwrite=False)
        site.begin()
        site.engine.advance_to(loaded.end_ns)
    recording = Recording.open(tmp_path / "recording")
    assert recording.truth(kind="load_switched")
    assert {one.time_ns for one in recording.terminals()} == {loaded.start_ns}

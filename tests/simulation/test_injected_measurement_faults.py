"""Measurement faults that somebody injects: as the scenario's own, lived again, on a bench, over HTTP."""

from dataclasses import replace

import pytest

from dashboards.feed import Feed
from dashboards.history import History
from tests.api.live import Client, controlled
from tests.simulation.test_injecting import AT_NS, QUIET, Lived, S, yaml_of
from tests.simulation.test_measurement_faults import bench
from twin.contracts import Command, Refusal
from twin.recording import content_hash

KINDS = [
    {"kind": "ct_reversed", "phases": "a"},
    {"kind": "fuse_blown", "phases": "b", "burden_between_phases": "30 %"},
    {"kind": "ratio_set", "ct": "75:5"},
    {"kind": "stuck", "registers": "[v1, 4012H]"},
    {"kind": "clock_jump", "step": "-90 s"},
]
WATCHED = "history: {registers: {home: [v1, i1, p_sum, minute, second]}}\n"


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one["kind"])
def test_an_injected_one_is_the_scenarios_own(tmp_path, kind):
    event = {"event": "measurement_fault", "meter": "home", "clear_after": "2 s", **kind}
    text = yaml_of(event | ({"ct": '"75:5"'} if "ct" in kind else {}))
    own = Lived(tmp_path / "own", QUIET + WATCHED + text).to(9 * S).close()
    live = Lived(tmp_path / "live", QUIET + WATCHED).to(AT_NS)
    given = event | ({"registers": ["v1", "4012H"]} if "registers" in kind else {})
    assert live.inject(given).refusal is None
    injected = live.to(9 * S).close()
    truth = [replace(entry, cause="") for entry in injected.truth()]
    assert truth == [replace(entry, cause="") for entry in own.truth()]
    assert [entry.kind.rpartition("_")[2] for entry in truth if "measurement" in entry.kind] == [
        "began",
        "ended",
    ]
    for point in own.register_points("home"):
        assert injected.registers("home", point.address) == own.registers("home", point.address), point.name
    assert injected.events() == own.events()


def test_a_session_is_lived_the_same_again(tmp_path):
    live = Lived(tmp_path / "live", QUIET + WATCHED)
    for number, kind in enumerate(KINDS[:3]):
        live.to(AT_NS + number * S)
        assert live.inject({"event": "measurement_fault", "meter": "home", **kind}).refusal is None
    live.to(AT_NS + 5 * S)
    assert live.inject({"event": "repair", "of": "home fuse_blown"}).refusal is None
    log = live.to(12 * S).close().commands()
    again = Lived(tmp_path / "again", QUIET + WATCHED)
    for entry in log:
        again.to(entry.applied_ns - again.loaded.start_ns)
        again.site.engine.apply(Command(entry.source, entry.target, entry.verb, entry.arguments))
    again.to(12 * S).close()
    assert content_hash(again.folder) == content_hash(live.folder)


def test_on_a_bench_meters_can_be_wrong_and_networks_cannot(tmp_path):
    live = Lived(tmp_path / "live", bench()).to(S)
    assert live.inject({"event": "measurement_fault", "meter": "m", **KINDS[0], "name": "ct"}).refusal is None
    live.to(3 * S)
    fleet = live.site.engine.fleet
    assert fleet.decode(0, fleet.words(0))["p1"] < -700.0
    assert live.inject({"event": "power_loss", "meter": "m"}).refusal is None
    assert not fleet.powered(0)
    short = live.inject({"event": "fault", "name": "F", "bus": "x", "type": "slg", "phases": "a"})
    assert (short.refusal, "'fault' happens to a network" in short.detail) == (Refusal.ILLEGAL_VALUE, True)
    assert live.inject({"event": "repair", "of": "ct"}).refusal is None
    live.close()


def test_a_scenarios_fault_to_come_keeps_its_name(tmp_path):
    event = {"event": "measurement_fault", "meter": "home", "kind": "frozen"}
    live = Lived(tmp_path / "live", QUIET + yaml_of(event)).to(S)
    assert "there is a 'home frozen' already" in live.inject(event).detail
    live.close()


def test_clients_and_pages_bear_registers_that_hold_nonsense(tmp_path):
    with controlled(tmp_path, scenario=QUIET) as (url, session):
        ask = Client(url)
        ask.done("POST", "/v1/clock/pause")
        for kind in ("not_a_number", "word_order", "byte_order"):
            given = {"event": "measurement_fault", "meter": "head", "kind": kind, "name": "it"}
            ask.done("POST", "/v1/injections", given)
            # Nobody has to wait for time to pass: what the event changes is published with its answer.
            shown = ask.done("GET", "/v1/meters/head/registers?name=v1&name=fast_v1&name=ct1")["registers"]
            values = {one["name"]: one["value"] for one in shown}
            if kind == "not_a_number":
                assert values == {"v1": None, "fast_v1": None, "ct1": 100}
            else:
                assert values["v1"] is None or not 200.0 < values["v1"] < 260.0
            ask.done("POST", "/v1/clock/step", {"seconds": 2})
            assert ask.done("GET", "/v1/meters/head")["name"] == "head"
            assert ask.done("GET", "/v1/meters/head/registers")["registers"]
            delta = Feed(session, History(tmp_path / "none")).delta("overview", -1)
            assert [row[0] for row in delta["meters"]] == ["head", "home"]
            ask.done("POST", "/v1/injections", {"event": "repair", "of": "it"})
        _, problem = ask("POST", "/v1/injections", given | {"meter": "hed"})
        assert "there is no meter 'hed'" in str(problem)

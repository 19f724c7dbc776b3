"""The interface over real sockets, with a client of the standard library: what it does is in the log."""

import csv
import io
import time

import pytest

from tests.api.live import TOKEN, Client, controlled
from twin.contracts import Command
from twin.recording import Recording

FAULT = {
    "event": "fault",
    "name": "F1",
    "bus": "HOME",
    "type": "slg",
    "phases": "a",
    "resistance": "50 mohm",
    "clear_after": "300 ms",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site that stands still, for tests that do not depend on each other's doings."""
    folder = tmp_path_factory.mktemp("control")
    with controlled(folder) as (url, session):
        ask = Client(url)
        ask.done("POST", "/v1/clock/pause")
        yield ask, session, folder


@pytest.fixture
def ask(site):
    return site[0]


def eventually(read, wanted, seconds=10.0):
    """Return what is read once it is wanted: records come about a second later."""
    deadline = time.monotonic() + seconds
    while not wanted(found := read()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_the_status_says_what_runs(site):
    ask, _, folder = site
    status = ask.done("GET", "/v1/status")
    assert status["title"] == "A little site"
    assert (status["time_zone"], status["paused"], status["ended"]) == ("Europe/London", True, False)
    assert status["simulated_utc"].startswith("2026-01-15T18:")
    assert status["recording"] == str(folder / "recording")
    assert [meter["name"] for meter in status["meters"]] == ["head", "home"]


def test_time_stands_still_and_steps(ask):
    first = ask.done("POST", "/v1/clock/pause")["applied_utc"]
    stepped = ask.done("POST", "/v1/clock/step", {"seconds": 2.5})["applied_utc"]
    assert seconds(stepped) - seconds(first) == pytest.approx(2.5)
    assert ask.done("GET", "/v1/status")["simulated_utc"] == stepped
    ask.done("PUT", "/v1/clock/speed", {"speed": 50})
    assert ask.done("GET", "/v1/status")["speed"] == 50
    ask.done("PUT", "/v1/clock/speed", {"speed": 1})


def seconds(utc):
    hour, minute, second = utc.removesuffix("Z").partition("T")[2].split(":")
    return 3600 * int(hour) + 60 * int(minute) + float(second)


def test_time_runs_again(ask):
    before = seconds(ask.done("GET", "/v1/status")["simulated_utc"])
    ask.done("PUT", "/v1/clock/speed", {"speed": 20})
    ask.done("POST", "/v1/clock/resume")
    eventually(lambda: seconds(ask.done("GET", "/v1/status")["simulated_utc"]), lambda now: now > before + 5)
    ask.done("POST", "/v1/clock/pause")
    ask.done("PUT", "/v1/clock/speed", {"speed": 1})


def test_an_injected_fault_is_seen_by_the_meter_and_logged(site):
    ask, _, folder = site
    begun = ask.done("POST", "/v1/injections", FAULT)["applied_utc"]
    ask.done("POST", "/v1/clock/step", {"seconds": 2})
    # In the meter's own log, as a master reads it: the number of events.
    events = eventually(lambda: ask.done("GET", "/v1/events?meter=home"), lambda found: len(found) >= 2)
    sag = next(event for event in events if event["type"] == "sag")
    assert (sag["phases"], sag["rated"]) == ("a", 231.0)
    assert sag["extreme"] < 100
    assert seconds(sag["end_utc"]) - seconds(sag["start_utc"]) == pytest.approx(0.3, abs=0.04)
    assert 0 <= seconds(sag["start_utc"]) - seconds(begun) < 0.02
    transitions = ask.done("GET", "/v1/alarms?meter=home")
    assert [alarm["transition"] for alarm in transitions[:2]] == ["active", "return"]
    assert ask.done("GET", "/v1/alarms/present")[0]["active"] is False
    logged = next(entry for entry in ask.done("GET", "/v1/commands") if entry["verb"] == "inject")
    assert (logged["source"], logged["target"], logged["refusal"]) == ("api", "site", None)
    assert logged["arguments"] == FAULT
    assert logged["applied_utc"] == begun
    recorded = Recording.open(folder / "recording").commands()
    assert dict(next(entry for entry in recorded if entry.verb == "inject").arguments) == FAULT


def test_the_meters_own_registers_count_the_events(tmp_path):
    with controlled(tmp_path) as (url, session):
        ask = Client(url)
        ask.done("POST", "/v1/clock/pause")
        ask.done("POST", "/v1/injections", FAULT)
        ask.done("POST", "/v1/clock/step", {"seconds": 1})
        log = next(window for window in session.meters[1].windows)
        cursor = log.initial()
        words, _ = log.read(cursor, log.blocks[0].address, 1)
        assert words.any()


def test_what_was_captured_can_be_had(site):
    ask, _, _ = site
    ask.done("POST", "/v1/injections", FAULT | {"name": "F2"})
    ask.done("POST", "/v1/clock/step", {"seconds": 2})
    entry = eventually(lambda: ask.done("GET", "/v1/captures?meter=home"), bool)[-1]
    path = f"/v1/captures/home/{entry['number']}"
    capture = ask.done("GET", path)
    assert set(capture["values"]) == {"va", "vb", "vc", "ia", "ib", "ic"}
    assert {len(values) for values in capture["values"].values()} == {entry["samples"]}
    assert max(map(abs, capture["values"]["va"])) == pytest.approx(325, rel=0.2)
    status, text = ask("GET", f"{path}/csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (status, len(rows)) == (200, entry["samples"])
    assert [float(row["va_v"]) for row in rows] == pytest.approx(capture["values"]["va"], rel=1e-8, abs=1e-8)
    assert ask("GET", "/v1/captures/home/9999")[0] == 404


def test_registers_are_what_a_master_reads(site):
    ask, session, _ = site
    words = session.meters[0].image.read(0x4000, 4)
    frequency, v1 = words.astype(">u2").view(">f4").tolist()
    path = "/v1/meters/head/registers"
    answer = ask.done("GET", f"{path}?name=v1&name=frequency&name=p_demand&name=ep_imp")
    values = {register["name"]: register["value"] for register in answer["registers"]}
    assert (values["v1"], values["frequency"]) == (v1, frequency)
    units = {register["name"]: register["unit"] for register in answer["registers"]}
    assert units == {"v1": "V", "frequency": "Hz", "p_demand": "W", "ep_imp": "kWh"}
    everything = ask.done("GET", path)["registers"]
    assert len(everything) > 1000
    assert {"ep_imp", "p_demand", "v1_h5"} <= {register["name"] for register in everything}
    assert ask("GET", f"{path}?name=v9")[1]["what"] == "there is no register 'v9'"


def test_registers_follow_the_settings_of_the_meter(site):
    ask, session, _ = site
    current = "/v1/meters/head/registers?name=i1&name=ct1"
    before = {one["name"]: one["value"] for one in ask.done("GET", current)["registers"]}
    assert before["ct1"] == 100
    address = next(point.address for point in session.meters[0].points if point.name == "ct1")
    for ratio in (200, 100):
        order = Command("test", "head", "write_registers", {"address": address, "words": (ratio,)})
        assert session.submit(order).result(timeout=5).refusal is None
        ask.done("POST", "/v1/clock/step", {"seconds": 2})
        after = {one["name"]: one["value"] for one in ask.done("GET", current)["registers"]}
        assert after["i1"] / before["i1"] == pytest.approx(ratio / 100, rel=1e-3)


def test_a_meter_shows_its_values(ask):
    meter = ask.done("GET", "/v1/meters/home")
    assert meter["frequency"] == 50.0
    assert meter["p"] == pytest.approx(3000, rel=0.05)
    assert [one["name"] for one in ask.done("GET", "/v1/meters")] == ["head", "home"]


def test_a_switch_is_operated_and_says_where_it_is(ask):
    def closed():
        return {one["name"]: one["closed"] for one in ask.done("GET", "/v1/switches")}

    assert closed() == {"SW2": True, "CAP": False}
    ask.done("POST", "/v1/switches/SW2", {"to": "open"})
    ask.done("POST", "/v1/clock/step", {"seconds": 3})  # what it shows is up to two seconds old
    assert closed()["SW2"] is False
    # Without voltage there is no power factor to speak of, and no frequency.
    meter = ask.done("GET", "/v1/meters/home")
    assert (meter["v"], meter["frequency"]) == ([0, 0, 0], pytest.approx(0, abs=1e-9))
    ask.done("POST", "/v1/switches/SW2", {"to": "closed"})
    ask.done("POST", "/v1/clock/step", {"seconds": 1})
    assert closed()["SW2"] is True


def test_a_tap_changer_moves_up_to_its_last_tap(ask):
    (before,) = ask.done("GET", "/v1/tap-changers")
    assert (before["position"], before["lowest"], before["highest"]) == (0, -1, 1)
    ask.done("POST", "/v1/tap-changers/AVR", {"to": "raise"})
    (raised,) = ask.done("GET", "/v1/tap-changers")
    assert raised["position"] == -1  # fewer turns on the high-voltage side
    status, answer = ask("POST", "/v1/tap-changers/AVR", {"to": "raise"})
    assert (status, answer["what"]) == (409, "'AVR' is at its last tap, -1")
    ask.done("POST", "/v1/tap-changers/AVR", {"to": "lower"})


REFUSED = {
    "unknown meter": ("GET", "/v1/meters/hed", None, 404, "there is no meter 'hed'", "did you mean 'head'?"),
    "unknown switch": ("POST", "/v1/switches/X", {"to": "open"}, 404, "there is no switch 'X'", "known"),
    "unknown tap changer": ("POST", "/v1/tap-changers/X", {"to": "raise"}, 404, "no tap changer", "known"),
    "unknown path": ("GET", "/v1/weather", None, 404, "not found", "see /openapi.json"),
    "meter in a filter": ("GET", "/v1/events?meter=x", None, 404, "there is no meter 'x'", "known"),
    "method": ("DELETE", "/v1/status", None, 405, "method not allowed", "see /openapi.json"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_why_and_how_to_mend_it(ask, case):
    method, path, body, status, what, mend = REFUSED[case]
    got, answer = ask(method, path, body)
    assert (got, answer["findings"]) == (status, [])
    assert what in answer["what"]
    assert mend in answer["mend"]


INVALID = {
    "speed of nothing": ("PUT", "/v1/clock/speed", {}, "speed", "is missing"),
    "speed as text": ("PUT", "/v1/clock/speed", {"speed": "10"}, "speed", "valid number"),
    "speed of light": ("PUT", "/v1/clock/speed", {"speed": 1e9}, "speed", "not between 0.1 and 1000"),
    "step back": ("POST", "/v1/clock/step", {"seconds": -1}, "seconds", "greater than or equal"),
    "half a switch": ("POST", "/v1/switches/SW2", {"to": "ajar"}, "to", "'open' or 'closed'"),
    "a field too many": ("POST", "/v1/switches/SW2", {"to": "open", "x": 1}, "x", "unknown field"),
    "unknown bus": (
        "POST",
        "/v1/injections",
        FAULT | {"name": "N", "bus": "X"},
        "bus",
        "there is no bus 'X'",
    ),
    "no unit": (
        "POST",
        "/v1/injections",
        FAULT | {"name": "N", "resistance": 5},
        "resistance",
        "5 has no unit",
    ),
    "no kind": ("POST", "/v1/injections", {"name": "F"}, "event", "is missing"),
    "unknown kind": ("POST", "/v1/injections", {"event": "fire"}, "event", "is of no known kind"),
    "limit": ("GET", "/v1/events?limit=0", None, "limit", "greater than or equal to 1"),
    "time": ("GET", "/v1/events?after=yesterday", None, "after", "pattern"),
    "day": ("GET", "/v1/events?after=2026-02-30T00:00:00Z", None, "after", "does not exist"),
}


@pytest.mark.parametrize("case", INVALID)
def test_what_is_wrong_is_found_by_field(ask, case):
    method, path, body, field, what = INVALID[case]
    status, answer = ask(method, path, body)
    (finding,) = answer["findings"]
    assert (status, finding["field"]) == (422, field)
    assert what in finding["what"]
    assert finding["mend"]


def test_filters_choose(site):
    ask, _, _ = site
    ask.done("POST", "/v1/injections", FAULT | {"name": "F3"})
    ask.done("POST", "/v1/clock/step", {"seconds": 1})
    known = eventually(lambda: ask.done("GET", "/v1/events"), lambda found: found and found[-1]["end_utc"])
    ask.done("POST", "/v1/injections", FAULT | {"name": "F4"})
    ask.done("POST", "/v1/clock/step", {"seconds": 1})
    new = eventually(lambda: ask.done("GET", "/v1/events"), lambda found: len(found) >= len(known) + 2)
    after = max(event["end_utc"] for event in known)
    fresh = ask.done("GET", f"/v1/events?after={after}")
    assert [(event["meter"], event["number"]) for event in fresh] == [
        (event["meter"], event["number"]) for event in new[len(known) :]
    ]
    assert ask.done("GET", "/v1/events?limit=1") == new[-1:]
    assert ask.done("GET", "/v1/events?meter=head") == [event for event in new if event["meter"] == "head"]


def test_at_its_end_the_scenario_does_not_go_on(tmp_path):
    with controlled(tmp_path, speed=100.0) as (url, _):
        ask = Client(url)
        eventually(lambda: ask("POST", "/v1/clock/step", {"seconds": 3600})[0], lambda status: status == 409)
        assert ask.done("GET", "/v1/status")["ended"]
        status, answer = ask("POST", "/v1/clock/resume")
        assert (status, answer["what"]) == (409, "the scenario has ended")


def test_a_simulation_that_is_gone_is_said_to_be(tmp_path):
    with controlled(tmp_path) as (url, session):
        ask = Client(url)
        session.stop()
        status, answer = ask("POST", "/v1/clock/pause")
        assert status == 503
        assert "has ended" in answer["what"]
        assert ask.done("GET", "/v1/status")["title"] == "A little site"


def test_the_description_and_the_page_need_no_token(site):
    ask, _, _ = site
    anyone = Client(ask.url, token=None)
    described = anyone.done("GET", "/openapi.json")
    assert described["openapi"].startswith("3.1")
    assert {"/v1/status", "/v1/injections", "/v1/meters/{meter}/registers"} <= set(described["paths"])
    schemes = described["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["security"] == [{"token": []}], path
            assert {"401", "422"} <= set(operation["responses"])
    page = anyone.done("GET", "/")
    assert "/v1/injections" in page
    assert "http" not in page.replace("HTTP", "")  # nothing is fetched from elsewhere
    assert TOKEN not in page

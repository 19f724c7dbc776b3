"""A meter's configuration over a real socket: kept, checked as a whole, applied, and found in its log."""

import time

import pytest

from tests.api.live import Client, controlled


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    with controlled(tmp_path_factory.mktemp("configuration")) as (url, _):
        ask = Client(url)
        ask.done("POST", "/v1/clock/pause")
        yield ask


def registers(ask, meter):
    return ask.done("GET", f"/v1/meters/{meter}/configuration")["registers"]


def test_one_meter_takes_the_configuration_of_the_other(ask):
    kept = ask.done("GET", "/v1/meters/head/configuration")
    assert (kept["profile"], kept["meter"]) == ("kw320q", "head")
    assert (kept["registers"]["ct1"], registers(ask, "home")["ct1"]) == (100, 50)
    kept["registers"] |= {
        "log1_registers_sectors": 0x0201,
        "log1_register_1": 0x4000,
        "log1_register_2": 0x4001,
    }
    done = ask.done("POST", "/v1/meters/home/configuration/import", kept)
    assert done["changed"] > 3
    assert registers(ask, "home") == kept["registers"]
    again = ask.done("POST", "/v1/meters/home/configuration/import", kept)
    assert again["changed"] == 0
    deadline = time.monotonic() + 10
    while not (log := ask.done("GET", "/v1/meters/home/log")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [(line["level"], line["source"]) for line in log] == [("Info", "api")]
    assert log[0]["message"].startswith("import a configuration: set ")
    assert "ct1 = 100" in log[0]["message"]
    assert ask.done("GET", "/v1/meters/head/log") == []


def test_all_that_is_wrong_is_told_and_nothing_is_written(ask):
    before = registers(ask, "head")
    body = {"profile": "kw320", "registers": {"ct1": 0, "ct9": 5, "password": 77}}
    status, problem = ask("POST", "/v1/meters/head/configuration/import", body)
    assert status == 422
    assert [one["field"] for one in problem["findings"]] == ["profile", "registers.ct1", "registers.ct9"]
    assert registers(ask, "head") == before


def test_a_sealed_meter_takes_nothing(ask):
    ask.done(
        "POST",
        "/v1/meters/head/configuration/import",
        {"profile": "kw320q", "registers": {"seal_status": 10}},
    )
    before = registers(ask, "head")
    wanted = {"backlight_minutes": 9, "ct1": 300}
    status, problem = ask(
        "POST", "/v1/meters/head/configuration/import", {"profile": "kw320q", "registers": wanted}
    )
    assert status == 422
    assert [(one["field"], one["what"]) for one in problem["findings"]] == [
        ("registers.ct1", "is sealed (1008H)")
    ]
    assert "registers.seal_status = 0" in problem["findings"][0]["mend"]
    assert registers(ask, "head") == before


def test_a_sealed_meter_takes_what_breaks_its_seal(ask):
    path = "/v1/meters/head/configuration/import"
    wanted = {"seal_optional_selection": 3, "backlight_minutes": 4, "ct1": 300}
    for seal in (0, 10, 0):
        ask.done("POST", path, {"profile": "kw320q", "registers": {**wanted, "seal_status": seal}})
        assert registers(ask, "head").items() >= {**wanted, "seal_status": seal}.items()
        if seal == 10:
            wanted = {"seal_optional_selection": 5, "backlight_minutes": 6, "ct1": 400}


def test_settings_that_contradict_each_other_are_refused_as_a_whole(ask):
    """The password could be set, the transformer's ratio (504.6 kV) could not: neither is."""
    before = registers(ask, "home")
    wanted = {"password": 4711, "pt1_high": 76, "pt1_low": 65535}
    status, problem = ask(
        "POST", "/v1/meters/home/configuration/import", {"profile": "kw320q", "registers": wanted}
    )
    assert status == 409
    assert problem["what"] == "PT1 (1005H, 1006H): 504627.1 V is out of range 50.0..500000.0 V"
    assert registers(ask, "home") == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"registers": {}}, "profile"),
        ({"profile": "kw320q", "registers": {"ct1": "5"}}, "registers.ct1"),
        ({"profile": "kw320q", "registers": {}, "format": "other"}, "format"),
        ({"profile": "kw320q", "registers": {}, "version": 2}, "version"),
    ],
)
def test_a_body_that_is_no_configuration(ask, body, field):
    status, problem = ask("POST", "/v1/meters/head/configuration/import", body)
    assert (status, [one["field"] for one in problem["findings"]]) == (422, [field])


def test_a_meter_that_is_not_there(ask):
    for path in ("/v1/meters/nobody/configuration", "/v1/meters/nobody/log"):
        assert ask("GET", path)[0] == 404

"""``twin meter``: configurations and event logs of a live site and of its recording say the same."""

import json
import time
from pathlib import Path

import pytest

from tests.api.live import TOKEN, Client, controlled
from twin.api.times import parse_utc
from twin.cli import main

S = 10**9


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A paused site: its ready file, its recording and a client."""
    folder = tmp_path_factory.mktemp("meter")
    with controlled(folder) as (url, _):
        ready = folder / "ready.json"
        ready.write_text(json.dumps({"api": url, "api_token": TOKEN}), encoding="utf-8")
        ask = Client(url)
        ask.done("POST", "/v1/clock/pause")
        yield ready, folder / "recording", ask


def run(capsys, *arguments):
    """Run a command; return its exit code and what it printed."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def done(capsys, *arguments):
    code, out, err = run(capsys, *arguments)
    assert code == 0, err
    return out


def backup(capsys, place, meter="head", *options):
    return json.loads(done(capsys, "meter", "backup", place, "--meter", meter, *options))


def until_recorded(ask, recording, capsys, count):
    deadline = time.monotonic() + 20
    while len(json.loads(done(capsys, "meter", "log", recording, "--meter", "home", "--json"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_configuration_goes_from_one_meter_to_another_and_is_in_the_recording(site, tmp_path, capsys):
    ready, recording, ask = site
    before = backup(capsys, ready, "home")
    file = tmp_path / "head.json"
    assert done(capsys, "meter", "backup", ready, "--meter", "head", "--out", file) == f"{file}\n"
    kept = json.loads(file.read_text())
    assert (kept["format"], kept["profile"], kept["meter"]) == ("twin meter configuration", "kw320q", "head")
    assert kept["registers"]["ct1"] == 100
    ask.done("POST", "/v1/clock/step", {"seconds": 60})
    out = done(capsys, "meter", "import", ready, "--meter", "home", file)
    differing = sum(kept["registers"][name] != raw for name, raw in before["registers"].items())
    assert out.startswith(f"home: {differing} registers set at 2026-01-15T18:01:0")
    ask.done("POST", "/v1/clock/step", {"seconds": 60})
    assert (
        json.loads(done(capsys, "meter", "import", ready, "--meter", "home", file, "--json"))["changed"] == 0
    )
    live = backup(capsys, ready, "home")
    assert live["registers"] == kept["registers"]
    until_recorded(ask, recording, capsys, 1)
    recorded = backup(capsys, recording, "home")
    assert (recorded["meter"], recorded["profile"]) == ("home", "kw320q")
    assert recorded["registers"] == live["registers"]
    early = backup(capsys, recording, "home", "--at", "18:00:30")
    assert (early["kept_utc"], early["registers"]) == ("2026-01-15T18:00:30Z", before["registers"])


def test_the_log_of_a_live_site_and_of_its_recording_are_one(site, capsys):
    ready, recording, ask = site
    ask.done("POST", "/v1/meters/home/configuration/import", {"profile": "kw320q", "registers": {"ct1": 75}})
    bad = {"profile": "kw320q", "registers": {"pt1_high": 76, "pt1_low": 65535}}
    assert ask("POST", "/v1/meters/home/configuration/import", bad)[0] == 409
    until_recorded(ask, recording, capsys, 3)
    live, recorded = (
        json.loads(done(capsys, "meter", "log", place, "--meter", "home", "--json"))
        for place in (ready, recording)
    )
    assert live == recorded
    shown = done(capsys, "meter", "log", ready, "--meter", "home", "--limit", 2).splitlines()
    assert [line.split(" ", 1)[1] for line in shown] == [
        "Info    api: import a configuration: set ct1 = 75",
        "Warning api: refused (illegal_value): import a configuration: set pt1_high = 76, pt1_low = 65535",
    ]


def test_a_restored_supply_is_a_line_of_the_log(site, capsys):
    ready, recording, ask = site
    before = json.loads(done(capsys, "meter", "log", ready, "--meter", "home", "--json"))
    loss = {"event": "power_loss", "meter": "home", "restore_after": "2 s"}
    lost = parse_utc(ask.done("POST", "/v1/injections", loss)["applied_utc"])
    ask.done("POST", "/v1/clock/step", {"seconds": 5})
    until_recorded(ask, recording, capsys, len(before) + 1)
    live, recorded = (
        json.loads(done(capsys, "meter", "log", place, "--meter", "home", "--json"))
        for place in (ready, recording)
    )
    assert live == recorded
    (line,) = live[len(before) :]
    assert (line["level"], line["source"], line["message"]) == ("Info", "Others", "system rebooting")
    assert parse_utc(line["utc"]) == lost + 2 * S


def test_all_that_is_wrong_in_a_file_is_told_with_its_name(site, tmp_path, capsys):
    ready = site[0]
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"profile": "kw320", "registers": {"ct1": 0, "ct9": 5}}), encoding="utf-8")
    before = backup(capsys, ready)["registers"]
    code, _, err = run(capsys, "meter", "import", ready, "--meter", "head", file)
    assert code == 2
    fields = [line.removeprefix(f"{file}: ").partition(":")[0] for line in err.splitlines()]
    assert fields == ["profile", "registers.ct1", "registers.ct9"]
    assert backup(capsys, ready)["registers"] == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("backup", "READY", "--meter", "nobody"), "there is no meter 'nobody'"),
        (("backup", "READY", "--meter", "head", "--at", "18:00"), "no other time than now"),
        (("backup", "RECORDING", "--meter", "nobody"), "there is no meter 'nobody'"),
        (
            ("backup", "RECORDING", "--meter", "head", "--at", "18:09:59"),
            "the recording ends before 18:09:59",
        ),
        (("log", "RECORDING", "--meter", "nobody"), "no meter 'nobody'"),
        (("log", "READY", "--meter", "head", "--limit", "0"), "0 is no number of lines"),
        (("import", "RECORDING", "--meter", "head", "FILE"), "is no live site"),
        (("import", "READY", "--meter", "head", "NOTHING"), "cannot be read"),
        (("import", "READY", "--meter", "head", "FILE"), "is no JSON"),
        (("log", "http://127.0.0.1:1", "--meter", "head"), "TWIN_API_TOKEN"),
        (("log", "NOTHING", "--meter", "head"), "NOTHING"),
    ],
)
def test_what_cannot_be_asked_for(site, tmp_path, capsys, monkeypatch, arguments, told):
    monkeypatch.delenv("TWIN_API_TOKEN", raising=False)
    file = tmp_path / "text.json"
    file.write_text("ct1 = 5", encoding="utf-8")
    places = {"READY": site[0], "RECORDING": site[1], "FILE": file, "NOTHING": tmp_path / "NOTHING"}
    code, out, err = run(capsys, "meter", *(places.get(one, one) for one in arguments))
    assert (code, out) == (2, "")
    assert told in err


def test_a_url_takes_the_token_of_the_environment(site, capsys, monkeypatch):
    url = json.loads(Path(site[0]).read_text())["api"]
    monkeypatch.setenv("TWIN_API_TOKEN", TOKEN)
    assert backup(capsys, url)["meter"] == "head"
    monkeypatch.setenv("TWIN_API_TOKEN", "another-token-of-16-characters")
    code, _, err = run(capsys, "meter", "backup", url, "--meter", "head")
    assert code == 2
    assert "token" in err

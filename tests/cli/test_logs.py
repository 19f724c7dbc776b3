"""Loggers and data logs of a scenario, from its keys to files, and through a resumed session."""

import csv
import json
from pathlib import Path

import pytest

from tests.meters.data_log_site import retrieve
from tests.sites import SCENARIO, write_site
from twin.cli import main
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site

LOGGING = SCENARIO.replace(
    "    endpoint: {port: 0}\n  - name: home",
    """\
    load_profile: 5 min
    loggers:
      - {quantities: [v1, p_sum, ep_imp], values: [instantaneous, minimum, maximum, average], interval: 1 min}
      - {quantities: [v1], interval: 15 s}
    data_logs:
      - {log: 1, quantities: [v1, v2, ep_imp, thd_v1], interval: 1 min, sectors: 2}
      - {log: 2, quantities: [frequency], start: 2026-01-15 18:03, end: 2026-01-15 18:05, interval: 1 min}
    endpoint: {port: 0}
  - name: home""",
)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    return write_site(tmp_path_factory.mktemp("site"), scenario=LOGGING)


@pytest.fixture(scope="module")
def recorded(scenario, tmp_path_factory):
    place = tmp_path_factory.mktemp("run") / "recording"
    assert main(["run", str(scenario), "--out", str(place), "--quiet"]) == 0
    return place


def printed(capsys, *arguments):
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_logger_files(recorded, tmp_path, capsys):
    out = printed(capsys, "export", "logger", recorded, "--meter", "head", "--logger", 1, "--out", tmp_path)
    (path,) = out.split()
    assert path.endswith("head-logger1-2026-01-16T00-00-00+0000-1min.csv")
    with Path(path).open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["Time"][11:19] for row in table] == [f"18:{minute:02d}:00" for minute in range(1, 11)]
    for row in table:
        low, high = float(row["V1_MIN"]), float(row["V1_MAX"])
        assert low <= float(row["V1"]) <= high
        # Means know what lies between the seconds too.
        assert low * 0.999 <= float(row["V1_AVG"]) <= high * 1.001
    assert len(Recording.open(recorded).logged("head", 2).end_ns) == 40


def test_loggers_are_no_load_profile(recorded):
    recording = Recording.open(recorded)
    assert not any(channel.startswith("logger") for channel in recording.channels("head"))
    assert recording.load_profile("head").end_ns.size == 2
    assert recording.loggers("head") == {
        1: (*("v1", "v1_min", "v1_max", "v1_avg", "p_sum", "p_sum_min", "p_sum_max", "p_sum_avg", "ep_imp"),),
        2: ("v1",),
    }
    assert recording.loggers("home") == {}


def test_a_logger_that_is_not_there_is_bad_input(recorded, tmp_path, capsys):
    command = ["export", "logger", str(recorded), "--meter", "head", "--out", str(tmp_path), "--logger", "3"]
    assert main(command) == 2
    assert "no logger 3; it has 1, 2" in capsys.readouterr().err


def test_trend(recorded, capsys):
    body = json.loads(
        printed(
            capsys, "export", "trend", recorded, "--meter", "head", "--interval", "1hour", "--format", "json"
        )
    )
    assert body["meter"] == "head"
    (hour,) = body["intervals"]
    assert (hour["start"], hour["duration_s"]) == ("2026-01-15T18:00:00+00:00", 600.0)
    shown = dict(zip(body["channels"], hour["values"], strict=True))
    profile = Recording.open(recorded).load_profile("head").values
    assert shown["p_imp_wh"] == pytest.approx(sum(profile["p_imp_wh"]))
    assert shown["p_avg"] == pytest.approx(6 * sum(profile["p_imp_wh"]))
    assert shown["v1_min"] == min(profile["v1_min"])


def test_a_time_that_is_none_is_bad_input(recorded, capsys):
    assert main(["export", "trend", str(recorded), "--meter", "head", "--from", "noon"]) == 2
    assert "'noon' is no time" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("data_logs: [{log: 1, quantities: [v1], interval: 90 s}]", "no whole minutes"),
        ("data_logs: [{log: 1, quantities: [v7]}]", "'v7' cannot be logged"),
        ("data_logs: [{log: 1, quantities: [v1], sectors: 60}, {log: 2, quantities: [v1], sectors: 60}]",
         "120 sectors in all"),
        ("data_logs: [{log: 1, quantities: [v1], daily_at: noon}]", "'noon' cannot be read"),
        ("data_logs: [{log: 1, quantities: [v1], start: 2026-01-15 06:00}]", "does not go without an end"),
        ("loggers: [{quantities: [v1], interval: 7 s}]", "divides no day"),
        ("loggers: [{quantities: [v1], interval: 500 ms}]", "no whole seconds"),
        ("loggers: [{quantities: [ep_imp], interval: 1 s}]", "too short for energy"),
    ],
)  # fmt: skip
def test_keys_that_cannot_be_are_told(tmp_path, capsys, key, told):
    text = SCENARIO.replace("    ct: 100:5\n", f"    ct: 100:5\n    {key}\n", 1)
    assert main(["check", str(write_site(tmp_path, scenario=text))]) == 2
    assert told in capsys.readouterr().err


# -- data logs live again ------------------------------------------------------------------------------


def data_logs(site):
    """All records of the meter's logs, as a master of its own retrieves them."""
    window = site.engine.fleet.windows(0)[-1]
    cursor = window.initial()

    def read(address, count):
        nonlocal cursor
        words, cursor = window.read(cursor, address, count)
        return words.tolist()

    def write(address, words):
        nonlocal cursor
        cursor = window.write(cursor, address, words)

    return [[(r.number, r.stamp, r.data) for r in retrieve(read, write, log)] for log in (1, 2)]


def lived(scenario, until_s, *, steps):
    with build_site(load_scenario(scenario)) as site:
        site.begin()
        start = site.engine.now_ns
        for step in range(1, steps + 1):
            site.engine.advance_to(start + until_s * 10**9 * step // steps)
        return data_logs(site)


def test_data_logs_of_the_scenario(scenario):
    first, second = lived(scenario, 600, steps=1)
    assert [stamp[3:] for _, stamp, _ in first] == [(18, minute, 0) for minute in range(1, 11)]
    assert {len(data) for _, _, data in first} == {2 * (2 + 2 + 2 + 1)}
    assert [stamp[3:] for _, stamp, _ in second] == [(18, 3, 0), (18, 4, 0), (18, 5, 0)]


def test_data_logs_live_again_bit_by_bit(scenario):
    assert lived(scenario, 600, steps=1) == lived(scenario, 600, steps=37)

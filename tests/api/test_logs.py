"""What meters keep over time, over a real socket: trend, loggers, data logs."""

import csv
import io
import time

import pytest

from tests.api.live import LOGGING, Client, controlled

TREND = "/v1/meters/home/trend"


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """A client of a site that has lived for five minutes and a half."""
    with controlled(tmp_path_factory.mktemp("logs"), scenario=LOGGING) as (url, _):
        ask = Client(url)
        ask.done("POST", "/v1/clock/pause")
        at = ask.done("POST", "/v1/clock/step", {"seconds": 330})["applied_utc"]
        assert at.startswith("2026-01-15T18:05:3")
        deadline = time.monotonic() + 20  # records are written once a second
        while len(ask.done("GET", f"{TREND}?interval=1min")["intervals"]) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield ask


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_trend_has_means_and_extremes_with_their_times(ask):
    kept = ask.done("GET", f"{TREND}?interval=1min")
    assert (kept["meter"], kept["time_zone"]) == ("home", "Europe/London")
    first = kept["intervals"][0]
    assert first["start_utc"] == "2026-01-15T18:00:00Z"
    assert (first["end_utc"], first["end_local"]) == (
        "2026-01-15T18:01:00Z",
        "2026-01-15T18:01:00+00:00",
    )
    for one in kept["intervals"]:
        shown = dict(zip(kept["channels"], one["values"], strict=True))
        assert shown["v1_min"] <= shown["v1_avg"] <= shown["v1_max"]
        assert shown["v1_avg"] == pytest.approx(230, abs=3)
        assert one["duration_s"] == 60.0
        assert shown["p_avg"] == pytest.approx(3000, rel=0.02)  # of both houses together


def test_an_hour_is_made_of_its_minutes(ask):
    minutes, hour = (ask.done("GET", f"{TREND}?interval={every}") for every in ("1min", "1hour"))
    (whole,) = hour["intervals"]
    assert (whole["start_utc"], whole["duration_s"]) == ("2026-01-15T18:00:00Z", 300.0)
    at = hour["channels"].index("p_imp_wh")
    at_minute = minutes["channels"].index("p_imp_wh")
    total = sum(one["values"][at_minute] for one in minutes["intervals"])
    assert whole["values"][at] == pytest.approx(total, rel=1e-12)


def test_a_trend_as_csv_says_the_same(ask):
    kept = ask.done("GET", f"{TREND}?interval=1min")
    rows = table(ask.done("GET", f"{TREND}/csv?interval=1min"))
    assert [row["end"] for row in rows] == [one["end_local"] for one in kept["intervals"]]
    for row, one in zip(rows, kept["intervals"], strict=True):
        assert [float(row[channel]) for channel in kept["channels"]] == one["values"]


def test_a_trend_of_some_time(ask):
    query = "interval=1min&after=2026-01-15T18:02:00Z&until=2026-01-15T18:04:00Z"
    ends = [one["end_utc"][11:16] for one in ask.done("GET", f"{TREND}?{query}")["intervals"]]
    assert ends == ["18:03", "18:04"]


def test_loggers(ask):
    channels = ["v1", "v1_min", "v1_max", "v1_avg", "ep_imp"]
    assert ask.done("GET", "/v1/meters/home/loggers") == [{"number": 1, "channels": channels}]
    assert ask.done("GET", "/v1/meters/head/loggers") == []
    kept = ask.done("GET", "/v1/meters/home/loggers/1?limit=3")
    assert kept["channels"] == channels
    assert [one["end_local"][11:19] for one in kept["intervals"]] == ["18:05:00", "18:05:15", "18:05:30"]
    assert {one["start_utc"] for one in kept["intervals"]} == {None}
    rows = table(ask.done("GET", "/v1/meters/home/loggers/1/csv?limit=3"))
    assert [float(row["V1_AVG"]) for row in rows] == [one["values"][3] for one in kept["intervals"]]
    assert rows[-1]["Time"] == "2026-01-15 18:05:30+0000"
    status, problem = ask("GET", "/v1/meters/home/loggers/2")
    assert (status, problem["what"]) == (404, "meter 'home' has recorded no logger 2")


def test_data_logs(ask):
    logs = ask.done("GET", "/v1/meters/home/data-logs")
    assert [(log["log"], log["enabled"]) for log in logs] == [(1, True), (2, False), (3, False)]
    first = logs[0]
    assert (first["registers"], first["records"], first["interval_minutes"]) == (["v1", "ep_imp"], 5, 1)
    assert (first["mode"], first["first_local"], first["last_local"]) == (
        "ring",
        "2026-01-15T18:01:00",
        "2026-01-15T18:05:00",
    )
    assert logs[1]["records"] == 0
    kept = ask.done("GET", "/v1/meters/home/data-logs/1?limit=3")
    assert (kept["registers"], kept["units"]) == (["v1", "ep_imp"], ["V", "kWh"])
    assert [(one["number"], one["local"][11:]) for one in kept["records"]] == [
        (3, "18:03:00"),
        (4, "18:04:00"),
        (5, "18:05:00"),
    ]
    energies = [one["values"][1] for one in kept["records"]]
    assert all(one["values"][0] == pytest.approx(230, abs=3) for one in kept["records"])
    assert energies == pytest.approx([0.15, 0.2, 0.25], abs=0.1)  # 3 kW; the register has tenths
    assert ask.done("GET", "/v1/meters/home/data-logs/2")["records"] == []


def test_what_is_no_interval_or_log_is_refused(ask):
    assert ask("GET", f"{TREND}?interval=7min")[0] == 422
    assert ask("GET", f"{TREND}?after=yesterday")[0] == 422
    assert ask("GET", "/v1/meters/home/data-logs/4")[0] == 422
    assert ask("GET", "/v1/meters/nobody/trend")[0] == 404
    assert ask.done("GET", "/v1/meters/head/trend")["intervals"] == []

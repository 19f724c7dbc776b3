"""Loggers' files and trends by local time: hand-worked numbers, names, and the nights of summer time."""

import csv
import io
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from twin.recording.load_profile import LoadProfile
from twin.recording.local_time import bucket, calendar_bucket, instant, stamp
from twin.recording.logger_files import interval_text, logger_files
from twin.recording.trend import trend, trend_text

NS = 10**9
PARIS = ZoneInfo("Europe/Paris")


def utc(text):
    return int(datetime.fromisoformat(text).timestamp()) * NS


def intervals(first, every_s, count, **values):
    """Intervals whose first ends ``every_s`` after a UTC time."""
    ends = utc(first) + every_s * NS * np.arange(1, count + 1, dtype=np.int64)
    columns = {name: np.array(column, dtype=float) for name, column in values.items()}
    return LoadProfile(ends, columns, np.full(count, float(every_s)))


def rows(text):
    return list(csv.reader(io.StringIO(text)))


# -- loggers' files ------------------------------------------------------------------------------------


def test_a_file_of_the_manuals_shape():
    """Manual 5.1.7.4.3: name with local time and offset; 5.1.8.6: Time, V1, V1_MIN, V1_MAX, V1_AVG."""
    logged = intervals(
        "2019-06-20T13:50:00+00:00", 300, 2, v1=[120.067, 120.072], v1_min=[120.067, 120.032],
        v1_max=[120.077, 120.076], v1_avg=[120.0714667, 120.0728667],
    )  # fmt: skip
    (file,) = logger_files(logged, meter="head", number=1, time_zone="America/Toronto")
    assert file.name == "head-logger1-2019-06-21T00-00-00-0400-5min.csv"
    assert file.text == (
        "Time,V1,V1_MIN,V1_MAX,V1_AVG\n"
        "2019-06-20 09:55:00-0400,120.067,120.067,120.077,120.0714667\n"
        "2019-06-20 10:00:00-0400,120.072,120.032,120.076,120.0728667\n"
    )


def test_stamps_and_json():
    logged = intervals("2026-01-15T06:00:00+00:00", 60, 2, v1=[1.5, np.nan])
    (file,) = logger_files(
        logged, meter="a/b", number=2, time_zone="Europe/Paris", form="json", time="iso8601", span="all"
    )
    assert file.name == "a_b-logger2-2026-01-15T07-02-00+0100-1min.json"
    assert json.loads(file.text) == {
        "meter": "a/b",
        "logger": 2,
        "channels": ["v1"],
        "records": [
            {"time": "2026-01-15T07:01:00+01:00", "duration_s": 60.0, "values": [1.5]},
            {"time": "2026-01-15T07:02:00+01:00", "duration_s": 60.0, "values": [None]},
        ],
    }
    (file,) = logger_files(logged, meter="m", number=1, time_zone="Europe/Paris", time="utc")
    assert rows(file.text)[1:] == [["1768456860", "1.5"], ["1768456920", ""]]


@pytest.mark.parametrize(
    ("span", "counts"), [("hour", [4] * 24), ("day", [96]), ("all", [96]), ("week", [96]), ("month", [96])]
)
def test_file_lengths(span, counts):
    # A winter day of Paris, from midnight to midnight: the last interval ends its own day.
    logged = intervals("2026-01-14T23:00:00+00:00", 900, 96, v1=range(96))
    files = list(logger_files(logged, meter="m", number=1, time_zone="Europe/Paris", span=span))
    assert [len(rows(file.text)) - 1 for file in files] == counts


def test_a_week_counts_from_the_first_day():
    logged = intervals("2026-01-14T23:00:00+00:00", 86_400, 15, v1=range(15))
    files = list(logger_files(logged, meter="m", number=1, time_zone="Europe/Paris", span="week"))
    assert [len(rows(file.text)) - 1 for file in files] == [7, 7, 1]
    assert files[0].name == "m-logger1-2026-01-22T00-00-00+0100-1day.csv"


def test_the_night_in_which_summer_ends():
    """25 hours in one file; the hour that the clock shows twice has two offsets."""
    logged = intervals("2026-10-24T22:00:00+00:00", 1800, 50, v1=range(50))
    (file,) = logger_files(logged, meter="m", number=1, time_zone="Europe/Paris")
    stamps = [row[0] for row in rows(file.text)[1:]]
    assert len(set(stamps)) == 50
    assert stamps[3:7] == [
        "2026-10-25 02:00:00+0200",
        "2026-10-25 02:30:00+0200",
        "2026-10-25 02:00:00+0100",
        "2026-10-25 02:30:00+0100",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1sec"), (15, "15sec"), (60, "1min"), (900, "15min"), (3600, "1hour"), (86_400, "1day")],
)
def test_intervals_in_names(seconds, text):
    assert interval_text(intervals("2026-01-15T00:00:00+00:00", seconds, 3, v1=[1, 2, 3])) == text


def test_months_in_names():
    logged = LoadProfile(np.array([1, 2, 3]), {}, 86_400.0 * np.array([10, 28, 31]))
    assert interval_text(logged) == "1month"


# -- buckets -------------------------------------------------------------------------------------------


def test_days_of_23_and_25_hours():
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        start, end = calendar_bucket(instant(f"{day}T12:00", PARIS), PARIS, "day")
        assert (end - start) // NS == hours * 3600
        assert stamp(start, PARIS, "iso8601").startswith(f"{day}T00:00:00")


def test_hours_of_a_zone_with_half_an_hour():
    zone = ZoneInfo("Asia/Kolkata")
    start, end = bucket(utc("2026-01-15T06:10:00+00:00"), zone, 60)
    assert (stamp(start, zone, "local"), (end - start) // NS) == ("2026-01-15 11:00:00+0530", 3600)


def test_the_end_of_a_bucket_is_in_it():
    at = instant("2026-01-16T00:00", PARIS)
    assert calendar_bucket(at, PARIS, "day")[1] == at
    assert bucket(at, PARIS, 15)[1] == at


# -- trends --------------------------------------------------------------------------------------------


def test_an_hour_by_hand():
    profile = intervals(
        "2026-01-15T06:00:00+00:00", 900, 4,
        p_imp_wh=[100, 200, 300, 400], p_exp_wh=[0, 0, 100, 0], q_imp_varh=[0] * 4, q_exp_varh=[50] * 4,
        s_vah=[250] * 4, v1_avg=[230, 231, 232, np.nan], v1_min=[228, 225, 229, np.nan],
        v1_max=[233, 234, 235, np.nan], pf_avg=[0.4, 0.8, 0.8, 1.6],
    )  # fmt: skip
    found = trend(profile, time_zone="UTC", interval="1hour")
    shown = {name: column.tolist() for name, column in found.values.items()}
    assert found.duration_s.tolist() == [3600.0]
    assert shown == {
        "p_imp_wh": [1000.0],
        "p_exp_wh": [100.0],
        "q_imp_varh": [0.0],
        "q_exp_varh": [200.0],
        "s_vah": [1000.0],
        "v1_avg": [231.0],
        "v1_min": [225.0],
        "v1_max": [235.0],
        "p_avg": [900.0],
        "q_avg": [-200.0],
        "s_avg": [1000.0],
        "pf_avg": [0.9],
    }


def test_means_weigh_by_length():
    profile = LoadProfile(
        np.array([utc("2026-01-15T06:05:00+00:00"), utc("2026-01-15T06:15:00+00:00")]),
        {"v1_avg": np.array([220.0, 232.0])},
        np.array([300.0, 600.0]),
    )
    found = trend(profile, time_zone="UTC", interval="15min")
    assert found.values["v1_avg"].tolist() == [228.0]  # (300 x 220 + 600 x 232) / 900


def test_trend_of_the_night_in_which_summer_begins():
    profile = intervals("2026-03-28T23:00:00+00:00", 900, 92, v1_avg=[1.0] * 92)
    hours = trend(profile, time_zone="Europe/Paris", interval="1hour")
    assert len(hours.start_ns) == 23
    text = trend_text(hours, meter="m", time_zone="Europe/Paris", form="csv")
    assert [row[0] for row in rows(text)[1:4]] == [
        "2026-03-29T00:00:00+01:00",
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T03:00:00+02:00",
    ]
    days = trend(profile, time_zone="Europe/Paris", interval="1day")
    assert days.duration_s.tolist() == [23 * 3600.0]


def test_trend_as_json():
    profile = intervals("2026-01-15T06:00:00+00:00", 900, 2, v1_avg=[230.0, np.nan])
    found = trend(profile, time_zone="UTC", interval="15min")
    body = json.loads(trend_text(found, meter="m", time_zone="UTC", form="json"))
    assert body["channels"] == ["v1_avg"]
    assert body["intervals"][1] == {
        "start": "2026-01-15T06:15:00+00:00",
        "end": "2026-01-15T06:30:00+00:00",
        "duration_s": 900.0,
        "values": [None],
    }


def test_nothing_recorded_gives_nothing():
    empty = LoadProfile(np.empty(0, np.int64), {"v1_avg": np.empty(0)}, np.empty(0))
    assert trend(empty, time_zone="UTC", interval="1day").start_ns == ()
    assert list(logger_files(empty, meter="m", number=1, time_zone="UTC")) == []

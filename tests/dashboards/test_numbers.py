"""What the pages compute themselves: numbers, times, limits, decimation, half-cycle RMS."""

import math

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import clock, itic, priority, series
from dashboards.channels import series_of
from dashboards.profile_chart import Line, daily_peaks, profile_figure, steps
from dashboards.quantity import decimals, engineering, significant
from tests.dashboards.synthetic import START_NS, ZONE, alarm
from twin.contracts import NS_PER_SECOND
from twin.recording import LoadProfile


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12_345.6, "W", "12.35 kW"),
        (999_960.0, "W", "1.000 MW"),
        (229.97, "V", "230.0 V"),
        (-1_500.0, "var", "-1.500 kvar"),
        (0.0123, "A", "12.30 mA"),
        (0.0, "W", "0.000 W"),
        (0.943, "", "0.943"),
        (2.1234, "%", "2.123 %"),
        (math.nan, "V", "–"),
        (None, "V", "–"),
    ],
)
def test_engineering(value, unit, text):
    assert engineering(value, unit) == text


def test_rounding_leaves_out_what_does_not_exist():
    assert significant(math.nan) is None
    assert decimals(math.inf, 2) is None
    assert significant(123456.0, 4) == 123500.0


def test_local_time_of_the_banner():
    assert clock.banner_text(START_NS, ZONE) == "Wed 21 Oct 2026 09:30:00 CEST"
    assert clock.stamp(START_NS + 250_000_000, ZONE) == "2026-10-21 09:30:00.250"
    assert clock.banner_text(0, "No/Where") == "Thu 01 Jan 1970 00:00:00 UTC"


def test_axis_follows_the_change_from_summer_time():
    # 2026-10-25 01:00 UTC: Berlin goes from 03:00 CEST back to 02:00 CET.
    change = 1_792_890_000 * NS_PER_SECOND
    ends = np.array([change - NS_PER_SECOND, change, change + 7200 * NS_PER_SECOND])
    ms = clock.axis_ms(ends, ZONE)
    wall = [np.datetime64(int(value), "ms").item().isoformat() for value in ms]
    assert wall == ["2026-10-25T02:59:59", "2026-10-25T02:00:00", "2026-10-25T04:00:00"]
    assert clock.from_axis("2026-10-25 02:30:00", ZONE) == change - 1800 * NS_PER_SECOND
    assert clock.from_axis("2026-10-25 02:30:00", ZONE, end=True) == change + 1800 * NS_PER_SECOND
    day = clock.next_midnight("2026-10-25", ZONE) - clock.from_axis("2026-10-25", ZONE)
    assert day == 25 * 3600 * NS_PER_SECOND


def test_a_table_tells_the_two_hours_of_autumn_apart():
    change = 1_792_890_000 * NS_PER_SECOND
    assert clock.stamp(change - 1800 * NS_PER_SECOND, ZONE) == "2026-10-25 02:30:00.000 CEST"
    assert clock.stamp(change + 1800 * NS_PER_SECOND, ZONE) == "2026-10-25 02:30:00.000 CET"
    assert clock.stamp(change + 3600 * NS_PER_SECOND, ZONE) == "2026-10-25 03:00:00.000"
    adelaide = 1_775_318_400 * NS_PER_SECOND  # 2026-04-04 16:00 UTC
    assert clock.stamp(adelaide - 3600 * NS_PER_SECOND, "Australia/Adelaide") == "2026-04-05 01:30:00.000"
    assert clock.stamp(adelaide, "Australia/Adelaide") == "2026-04-05 02:30:00.000 ACDT"
    assert clock.stamp(adelaide + 3600 * NS_PER_SECOND, "Australia/Adelaide").endswith("02:30:00.000 ACST")


def test_a_load_profile_lives_the_hour_of_autumn_twice():
    change = 1_792_890_000 * NS_PER_SECOND
    ends = change + 900 * NS_PER_SECOND * np.arange(-5, 7)
    profile = LoadProfile(ends, {"p_imp_wh": np.arange(12.0)}, np.full(12, 900.0))
    figure = profile_figure([Line("m", series_of(["p_imp_wh"])[0], profile)], time_zone=ZONE, revision="1")
    trace = figure["data"][0]
    shown = [
        (np.datetime64(int(x), "ms").item().strftime("%H:%M"), y)
        for x, y in zip(trace["x"], trace["y"], strict=True)
    ]
    # Each value is held up to its time: the first hour from 02:00, then the second one from 02:00 again.
    assert [time for time, _ in shown] == [
        *("01:30", "01:45", "02:00", "02:15", "02:30", "02:45", "03:00"),
        *("02:00", "02:00", "02:15", "02:30", "02:45", "03:00", "03:15", "03:30"),
    ]
    values = [value for _, value in shown]
    assert values[7] is None
    assert values[:7] == [values[1], *values[1:7]]
    assert values[8] == values[9]


@given(st.integers(0, 4_000_000_000), st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns"]))
def test_axis_time_and_back(seconds, zone):
    ns = seconds * NS_PER_SECOND
    text = clock.stamp(ns, zone)[:23]
    assert ns in {clock.from_axis(text, zone), clock.from_axis(text, zone, end=True)}


@pytest.mark.parametrize(
    ("duration", "percent", "region"),
    [
        # ITI (CBEMA) application note, 2000.
        (0.0001, 499.0, "inside"),  # 500 % for 0.01 cycle of 60 Hz
        (0.001, 199.0, "inside"),
        (0.001, 201.0, "over"),
        (0.003, 139.0, "inside"),
        (0.004, 121.0, "over"),
        (0.4, 119.0, "inside"),
        (0.6, 119.0, "over"),
        (100.0, 111.0, "over"),
        (0.02, 0.0, "inside"),
        (0.021, 69.0, "under"),
        (0.021, 70.0, "inside"),
        (0.5, 70.0, "inside"),
        (0.51, 79.0, "under"),
        (9.9, 80.0, "inside"),
        (11.0, 89.0, "under"),
        (11.0, 90.0, "inside"),
    ],
)
def test_itic_regions(duration, percent, region):
    assert itic.region(duration, percent) == region


@given(st.floats(1e-5, 100.0), st.floats(1e-5, 100.0))
def test_itic_tolerance_narrows_with_time(one, other):
    short, long = sorted((one, other))
    assert itic.upper_limit(short) >= itic.upper_limit(long)
    assert itic.lower_limit(short) <= itic.lower_limit(long)


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=400),
    st.integers(4, 60),
)
def test_min_max_keeps_ends_and_extremes(values, limit):
    x = np.array(values)
    keep = series.min_max(x, limit)
    assert keep.size <= max(limit, 4)
    assert np.all(np.diff(keep) > 0)
    assert keep[0] == 0
    assert keep[-1] == x.size - 1
    if not np.all(np.isnan(x)):
        assert np.nanmax(x[keep]) == np.nanmax(x)
        assert np.nanmin(x[keep]) == np.nanmin(x)


@pytest.mark.parametrize(("frequency", "cycle"), [(50.0, 64), (50.0, 63), (60.0, 128), (49.2, 65)])
def test_half_cycle_rms_of_a_sine_and_its_harmonics(frequency, cycle):
    interval = 1 / (frequency * cycle)
    t = np.arange(20 * cycle) * interval
    angle = 2 * np.pi * frequency * t
    v = 325.0 * np.sin(angle + 0.3) + 20.0 * np.sin(5 * angle + 1.0)
    assert series.samples_per_cycle(v[None, :], interval) == cycle
    last, rms = series.half_cycle_rms(v[None, :], cycle)
    assert last[0] == cycle - 1
    assert last.size == 39
    np.testing.assert_allclose(rms, math.sqrt((325.0**2 + 20.0**2) / 2), rtol=1e-12)


def test_half_cycle_rms_follows_a_dip_within_a_cycle():
    cycle = 64
    v = math.sqrt(2) * np.sin(2 * np.pi * np.arange(20 * cycle) / cycle)
    v[10 * cycle :] *= 0.5
    last, rms = series.half_cycle_rms(v[None, :], cycle)
    # Half a cycle of each level: the mean of their squares.
    expected = {
        10 * cycle - 1: 1.0,
        10 * cycle + cycle // 2 - 1: math.sqrt((1 + 0.25) / 2),
        11 * cycle - 1: 0.5,
    }
    for sample, level in expected.items():
        assert rms[0, last == sample] == pytest.approx(level, rel=1e-12)


def test_a_capture_without_voltage_is_taken_for_50_hz():
    assert series.samples_per_cycle(np.zeros((3, 1280)), 1 / 3200) == 64
    assert series.samples_per_cycle(np.zeros((0, 1280)), 1 / 3200) == 64
    assert series.half_cycle_rms(np.zeros((1, 10)), 64)[1].shape == (1, 0)


def test_priorities():
    letters = {
        name: priority.priority_of(name) for name in ("i1", "i_n", "i1_demand", "reversed_phase_sequence")
    }
    assert set(letters.values()) == {"H"}
    assert {priority.priority_of(name) for name in ("v1", "vll_avg", "frequency", "p_sum", "p_demand")} == {
        "M"
    }
    low = ("thd_v1", "thd_i_avg", "v_unbalance", "i_unbalance", "pf", "load_type", "di1")
    assert {priority.priority_of(name) for name in low} == {"L"}
    alarms = [
        alarm("a", 1, "i1", 0, value=2, setpoint=1),
        alarm("a", 2, "thd_v1", 0, value=2, setpoint=1),
        alarm("b", 1, "i1", 0, value=2, setpoint=1, returned_s=5),
    ]
    assert priority.active_counts(alarms) == {"H": 1, "M": 0, "L": 1}
    assert priority.worst_by_meter(alarms) == {"a": "H"}


def test_channels_become_series_with_units():
    energies = ["p_imp_wh", "q_exp_varh", "s_vah"]
    others = ["v1_avg", "i2_max", "p_max", "pf_avg", "thd_v1_max", "frequency_avg", "odd"]
    found = {one.key: (one.label, one.unit) for one in series_of(energies + others)}
    assert next(iter(found)) == "p_imp_wh@power"
    assert found == {
        "p_imp_wh@power": ("Active import power", "W"),
        "q_exp_varh@power": ("Reactive export power", "var"),
        "s_vah@power": ("Apparent power", "VA"),
        "p_imp_wh": ("Active import energy", "Wh"),
        "q_exp_varh": ("Reactive export energy", "varh"),
        "s_vah": ("Apparent energy", "VAh"),
        "v1_avg": ("Voltage 1 average", "V"),
        "i2_max": ("Current 2 maximum", "A"),
        "p_max": ("Active power maximum", "W"),
        "pf_avg": ("Power factor average", ""),
        "thd_v1_max": ("Voltage THD 1 maximum", "%"),
        "frequency_avg": ("Frequency average", "Hz"),
        "odd": ("odd", ""),
    }


def _profile(wh, *, minutes=15, first_ns=START_NS, first_duration_s=None):
    n = len(wh)
    duration = np.full(n, minutes * 60.0)
    if first_duration_s is not None:
        duration[0] = first_duration_s
    ends = first_ns + (np.arange(n) + 1) * minutes * 60 * NS_PER_SECOND
    return LoadProfile(ends, {"p_imp_wh": np.array(wh), "thd_v1_max": np.full(n, 0.021)}, duration)


def test_energy_over_the_length_of_its_own_interval_is_power():
    power, _, thd = series_of(["p_imp_wh", "thd_v1_max"])
    profile = _profile([250.0, 250.0], first_duration_s=300.0)
    assert power.values(profile).tolist() == [3000.0, 1000.0]
    assert thd.values(profile).tolist() == [2.1, 2.1]


def test_peaks_are_those_of_local_days():
    # Berlin's midnight is 22:00 UTC; the interval that ends at midnight belongs to the day before.
    midnight = clock.next_midnight("2026-10-20", ZONE)
    n = 3 * 96
    wh = np.ones(n)
    wh[[95, 96, 200]] = [9.0, 5.0, 7.0]
    wh[-1] = 8.0
    line = Line("m", series_of(["p_imp_wh"])[0], _profile(wh, first_ns=midnight - 96 * 900 * NS_PER_SECOND))
    assert daily_peaks(line, ZONE) == [95, 96, n - 1]


def test_profile_figure_is_short_and_local():
    profile = _profile(np.random.default_rng(1).uniform(0, 500, 20_000), minutes=1)
    lines = [Line("m", one, profile) for one in series_of(["p_imp_wh", "thd_v1_max"])]
    figure = profile_figure(lines, time_zone=ZONE, revision="r")
    assert [trace["yaxis"] for trace in figure["data"]] == ["y", "y", "y2", "y3"]
    assert max(len(trace["x"]) for trace in figure["data"]) <= 1200
    assert figure["layout"]["uirevision"] == "r"
    shown = [value for value in figure["data"][0]["y"] if value is not None]  # the clock is set back
    assert max(shown) == pytest.approx(60 * profile.values["p_imp_wh"].max(), rel=1e-5)
    # From the start of the first interval on, in local time.
    assert figure["data"][0]["x"][0] == (START_NS + 7200 * NS_PER_SECOND) / 1e6


def test_many_lines_share_the_points():
    profile = _profile(np.random.default_rng(2).uniform(0, 500, 3_000))
    one = series_of(["p_imp_wh"])[0]
    figure = profile_figure([Line(f"m{k}", one, profile) for k in range(40)], time_zone=ZONE, revision="r")
    assert sum(len(trace["x"]) for trace in figure["data"] if trace["mode"] == "lines") <= 12_000
    assert len(orjson.dumps(figure)) < 400_000


def test_each_value_is_held_over_its_interval():
    ends = START_NS + np.array([300, 1200, 3000]) * NS_PER_SECOND
    profile = LoadProfile(ends, {}, np.array([300.0, 900.0, 900.0]))
    instants, held = steps(profile, np.array([1.0, 2.0, 3.0]))
    after = ((instants - START_NS) / NS_PER_SECOND).tolist()
    assert after == [0, 300, 1200, 2100, 2100, 3000]
    np.testing.assert_array_equal(held, [1.0, 1.0, 2.0, np.nan, 3.0, 3.0])

"""What the reference analyser reads of recordings whose content is known."""

import json
import math

import numpy as np
import pytest

from tests.calibrator.replay_files import replay, three_phases, times, write_comtrade, write_csv
from twin.cli import main

V_TONES = {3: (0.05, 10.0), 5: (0.06, -40.0)}
FINE = {7: (0.03, 90.0), 25: (0.02, 5.0), 49: (0.01, 33.0)}
I_TONES = {3: (0.2, 15.0), 5: (0.15, -100.0)}


def size(tones):
    return math.sqrt(1.0 + sum(share**2 for share, _ in tones.values()))


@pytest.mark.parametrize(
    ("f", "per_cycle", "seconds", "nominal"),
    [
        (50.0, 512, 0.4, 50),
        (50.0, 128, 1.0, 50),
        (60.0, 128, 1.0, 60),
        (49.37, 128, 1.0, 50),
        (57.4, 100, 2.0, 50),
        (42.6, 100, 2.0, 50),
        (60.013, 96, 1.0, 60),
        (50.21, 32, 1.0, 50),
        (50.0, 20, 1.0, 50),
        (49.8, 128, 0.1, 50),
        (50.0, 128, 0.05, 50),
        (51.3, 256, 0.07, 50),
        (49.37, 128, 10.0, 50),
    ],
)
def test_steady_recordings_are_read_whatever_their_frequency_rate_and_length(
    tmp_path, capsys, f, per_cycle, seconds, nominal
):
    t = times(per_cycle * nominal, seconds)
    tones = V_TONES | (FINE if per_cycle >= 128 else {})
    path = write_csv(tmp_path / "x.csv", t, three_phases(t, f=f, v_tones=tones, i_tones=I_TONES))
    read = replay(capsys, path, "--frequency", nominal)
    close = 1e-9 if seconds < 5 else 1e-5
    # An order's angle between voltage and current: h times the lag of the fundamental, and the difference.
    angles = {h: math.radians(h * 30 + tones[h][1] - I_TONES[h][1]) for h in I_TONES}
    shares = sum(tones[h][0] * I_TONES[h][0] * math.cos(angle) for h, angle in angles.items())
    active = 2300 * (math.cos(math.radians(30)) + shares)
    assert read["frequency"] == pytest.approx(f, abs=1e-6)
    assert read["rms"]["vb"] == pytest.approx(230 * size(tones), rel=close)
    assert read["rms"]["ic"] == pytest.approx(10 * size(I_TONES), rel=close)
    assert read["p"] == pytest.approx({"a": active, "b": active, "c": active, "total": 3 * active}, rel=close)
    assert read["q"]["total"] == pytest.approx(3 * 1150, rel=10 * close)
    assert read["s"]["a"] == pytest.approx(2300 * size(tones) * size(I_TONES), rel=close)
    assert read["s"]["total"] == pytest.approx(3 * math.hypot(active, 1150), rel=10 * close)
    assert read["pf"]["total"] == pytest.approx(active / math.hypot(active, 1150), rel=10 * close)
    assert read["thd"]["va"] == pytest.approx(100 * math.sqrt(size(tones) ** 2 - 1), rel=10 * close)
    for order, (share, _) in tones.items():
        assert read["harmonics"]["vc"][str(order)] == pytest.approx(
            230 * share, rel=max(close, 1e-4 * (close > 1e-9))
        )
    assert read["harmonics"]["va"]["4"] == pytest.approx(0.0, abs=230 * 10 * close)
    assert read["unbalance"] == pytest.approx({"u2": 0.0, "u0": 0.0}, abs=1e-3)
    assert read["energy"]["p_imp_wh"] == pytest.approx(
        3 * active * t.size / (per_cycle * nominal) / 3600, rel=close
    )
    assert read["energy"]["q_exp_varh"] == pytest.approx(0.0, abs=1e-9)
    assert read["events"] == []
    series = read["half_cycle_rms"]
    assert series["step_s"] == pytest.approx(0.5 / f, rel=1e-6)
    assert series["va"] == pytest.approx(
        [230 * size(tones)] * len(series["va"]), rel=max(close, 1e-4 * (close > 1e-9))
    )
    assert len(series["va"]) == pytest.approx(seconds * f * 2 - 2, abs=1.1)


@pytest.mark.parametrize(("f", "degrees"), [(50.0, 0), (50.0, 90), (49.5, 37), (50.4, 151), (57.0, 266)])
@pytest.mark.parametrize(("left", "cycles"), [(0.3, 5.0), (0.6, 1.5), (0.85, 10.0), (0.0, 5.3)])
def test_a_dip_has_its_depth_and_duration_at_any_point_on_wave(tmp_path, capsys, f, degrees, left, cycles):
    t = times(6400, 1.2)
    channels = three_phases(t, f=f, angle=0.0)
    begin = (20 + degrees / 360) / f
    inside = (t >= begin) & (t < begin + cycles / f)
    channels["va_v"] = channels["va_v"] * np.where(inside, left, 1.0)
    path = write_csv(tmp_path / "x.csv", t, channels)
    read = replay(capsys, path, "--frequency", 50, "--nominal", 230)
    (event,) = read["events"]
    assert (event["type"], event["phase"]) == ("dip", "a")
    assert event["start"] == pytest.approx(begin, abs=1.0 / f)
    assert event["duration_s"] == pytest.approx(cycles / f, abs=1.0 / f)
    assert read["frequency"] == pytest.approx(f, abs=1e-4)
    # The exact URMS(1/2): one-cycle windows from the zero crossings, by a dense integral.
    dense = np.arange(int(1.2 * f) * 4000) / 4000 / f
    wave = 230 * math.sqrt(2) * np.cos(2 * np.pi * f * dense)
    wave *= np.where((dense >= begin) & (dense < begin + cycles / f), left, 1.0)
    total = np.concatenate(([0.0], np.cumsum(wave**2))) / 4000
    starts = np.arange(1000, wave.size - 4000, 2000)
    lowest = np.sqrt(np.maximum(total[starts + 4000] - total[starts], 0.0)).min()
    assert event["extreme_v"] == pytest.approx(lowest, abs=0.002 * 230)
    assert min(read["half_cycle_rms"]["va"]) == pytest.approx(lowest, abs=0.002 * 230)


@pytest.mark.parametrize("f", [49.7, 50.0, 50.31])
@pytest.mark.parametrize("phases", ["a", "abc"])
def test_a_five_cycle_interruption_reads_zero_for_its_time(tmp_path, capsys, f, phases):
    t = times(12_800, 1.5)
    inside = (t >= 0.6) & (t < 0.6 + 5 / f)
    channels = three_phases(t, f=f, angle=33.0)
    for phase in phases:
        channels[f"v{phase}_v"] = np.where(inside, 0.0, channels[f"v{phase}_v"])
    path = write_csv(tmp_path / "x.csv", t, channels)
    read = replay(capsys, path, "--frequency", 50, "--nominal", 230)
    (event,) = read["events"]
    kind = ("interruption", "all") if phases == "abc" else ("dip", "a")
    assert (event["type"], event["phase"], event["extreme_v"]) == (*kind, 0.0)
    assert event["duration_s"] == pytest.approx(5 / f, abs=0.001 if phases == "abc" else 0.9 / f)
    assert read["frequency"] == pytest.approx(f, abs=1e-4)


def test_most_of_a_recording_may_be_dead(tmp_path, capsys):
    t = times(6400, 3.0)
    dead = (t > 0.4) & (t < 2.6)
    channels = {name: np.where(dead, 0.0, x) for name, x in three_phases(t, f=50.3).items()}
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, channels), "--frequency", 50, "--nominal", 230)
    (event,) = read["events"]
    assert (event["type"], event["phase"]) == ("interruption", "all")
    assert event["duration_s"] == pytest.approx(2.2, abs=0.002)
    assert read["frequency"] == pytest.approx(50.3, abs=1e-3)


def test_a_long_dip_with_an_interruption_in_it_is_both_and_two_phases_are_two_entries(tmp_path, capsys):
    t = times(6400, 3.0)
    channels = three_phases(t)
    dip, gap = (t > 1.0) & (t < 1.4), (t > 1.1) & (t < 1.2)
    deep = {
        n: x * np.where(dip, 0.5, 1) * np.where(gap, 0, 1) if n[0] == "v" else x for n, x in channels.items()
    }
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, deep), "--nominal", 230)
    assert [(e["type"], e["phase"]) for e in read["events"]] == [("dip", "all"), ("interruption", "all")]
    assert [e["duration_s"] for e in read["events"]] == pytest.approx([0.4, 0.1], abs=0.02)
    two = {n: x * np.where(dip, 0.5, 1) if n in {"va_v", "vb_v"} else x for n, x in channels.items()}
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, two), "--nominal", 230)
    assert sorted((e["type"], e["phase"]) for e in read["events"]) == [("dip", "a"), ("dip", "b")]
    late = {n: x * np.where((t > 2.8) & (n == "vb_v"), 1.3, 1) for n, x in channels.items()}
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, late), "--nominal", 230)
    (event,) = read["events"]
    assert (event["type"], event["phase"], event["duration_s"]) == ("swell", "b", None)
    assert event["extreme_v"] == pytest.approx(299.0, rel=1e-6)


def test_a_rapid_change_is_neither_dip_nor_transient(tmp_path, capsys):
    t = times(3200, 6.0)
    channels = {n: x * np.where((t > 3) & (n[0] == "v"), 222 / 230, 1) for n, x in three_phases(t).items()}
    (event,) = replay(capsys, write_csv(tmp_path / "x.csv", t, channels), "--nominal", 230)["events"]
    assert (event["type"], event["phase"]) == ("rvc", "all")
    assert event["start"] == pytest.approx(3.0, abs=0.02)
    assert event["extreme_v"] == pytest.approx(222.0, abs=0.01)


def test_transients_are_found_and_clean_noisy_flickering_recordings_have_none(tmp_path, capsys):
    t = times(25_600, 1.0)
    channels = three_phases(t, v_tones={5: (0.1, 3.0), 7: (0.05, 2.0)})
    u = np.clip(t - 0.503, 0.0, None)
    ring = np.where(t >= 0.503, 300 * np.exp(-400 * u) * np.sin(2 * np.pi * 700 * u), 0.0)
    rung = channels | {"vb_v": channels["vb_v"] + ring}
    (event,) = replay(capsys, write_csv(tmp_path / "x.csv", t, rung), "--nominal", 230)["events"]
    assert (event["type"], event["phase"]) == ("transient", "b")
    assert event["start"] == pytest.approx(0.503, abs=2e-4)
    noise = np.random.default_rng(1)
    swing = 1 + 0.005 * np.sin(2 * np.pi * 8.8 * t)
    noisy = {n: x * swing + noise.normal(0, 0.01 * np.abs(x).max(), t.size) for n, x in channels.items()}
    assert replay(capsys, write_csv(tmp_path / "x.csv", t, noisy), "--nominal", 230)["events"] == []


@pytest.mark.parametrize("f", [49.0, 42.5, 51.0])
def test_the_second_testing_state_is_read_off_nominal(tmp_path, capsys, f):
    t = times(6400, 3.0)
    tones = {3: (0.1, -90 + 3 * 90), 5: (0.05, 5 * 90 - 90), 29: (0.05, 29 * 90 - 90), 7.5: (0.01, 0.0)}
    volts = np.array([0.73, 0.80, 0.87]) * 230
    path = write_csv(tmp_path / "x.csv", t, three_phases(t, f=f, volts=volts, v_tones=tones))
    read = replay(capsys, path, "--frequency", 50, "--nominal", 230)
    a = np.exp(2j * np.pi / 3)
    u = volts * np.array([1, a**2, a])
    positive = abs(u @ [1, a, a**2])
    for phase, level in zip("abc", volts, strict=True):
        assert read["rms"][f"v{phase}"] == pytest.approx(level * size(tones), abs=0.001 * 230)
        for order in (3, 5, 29):
            expected = level * tones[order][0]
            assert read["harmonics"][f"v{phase}"][str(order)] == pytest.approx(expected, rel=0.001)
    assert read["unbalance"]["u2"] == pytest.approx(100 * abs(u @ [1, a**2, a]) / positive, abs=0.01)
    assert read["unbalance"]["u0"] == pytest.approx(100 * abs(u.sum()) / positive, abs=0.01)
    assert read["frequency"] == pytest.approx(f, abs=1e-5)


@pytest.mark.parametrize(
    "names", [["va_v"], ["vb_v", "vc_v"], ["vc_v", "ic_a"], ["va_v", "vb_v", "vc_v"], ["va_v", "ib_a"]]
)
def test_what_is_not_recorded_is_null(tmp_path, capsys, names):
    t = times(6400, 0.5)
    channels = {name: x for name, x in three_phases(t).items() if name in names}
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, channels))
    for name, value in read["rms"].items():
        assert (value is not None) == any(name == given[:2] for given in names)
    paired = {x for x in "abc" if f"v{x}_v" in names and f"i{x}_a" in names}
    for key in ("p", "q", "s", "pf"):
        assert {x for x in "abc" if read[key][x] is not None} == paired
        assert (read[key]["total"] is not None) == bool(paired)
    assert (read["energy"]["p_imp_wh"] is not None) == bool(paired)
    assert (read["unbalance"]["u2"] is not None) == (len([n for n in names if n[0] == "v"]) == 3)
    assert read["flicker"] == {"pst": {"va": None, "vb": None, "vc": None}}


def test_a_phase_without_voltage_spoils_nothing(tmp_path, capsys):
    t = times(6400, 1.0)
    channels = three_phases(t, f=50.2)
    channels["va_v"] = np.zeros_like(t)
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, channels), "--nominal", 230)
    assert read["rms"]["va"] == pytest.approx(0.0, abs=1e-9)
    assert read["thd"]["va"] is None
    assert read["pf"]["a"] is None
    assert read["frequency"] == pytest.approx(50.2, abs=1e-6)
    (event,) = read["events"]
    assert (event["type"], event["phase"], event["start"], event["duration_s"]) == ("dip", "a", 0.0, None)


def test_orders_beyond_the_rate_are_null_and_never_aliases(tmp_path, capsys):
    t = times(600, 1.0)
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, three_phases(t, v_tones={5: (0.06, 0.0)})))
    orders = read["harmonics"]["va"]
    assert orders["5"] == pytest.approx(13.8, rel=1e-9)
    assert {order for order, value in orders.items() if value is None} == {str(h) for h in range(6, 51)}


@pytest.mark.parametrize(("f0", "rate"), [(50, 6400), (60, 7680), (60, 5760), (50, 1000)])
def test_comtrade_is_read_to_its_resolution_with_one_sample_too_many(tmp_path, capsys, f0, rate):
    t = np.arange(rate // 2 + 1) / rate
    path = write_comtrade(tmp_path / "x.cfg", t, three_phases(t, f=f0), line_frequency=f0, rate=rate)
    read = replay(capsys, path)
    assert read["rms"]["va"] == pytest.approx(230.0, rel=1e-4)
    assert read["p"]["total"] == pytest.approx(3 * 2300 * math.cos(math.radians(30)), rel=1e-4)
    assert read["frequency"] == pytest.approx(f0, abs=1e-3)
    assert read["window_cycles"] == (12 if f0 == 60 else 10)
    assert read["events"] == []


def test_the_nominal_frequency_and_voltage_are_found(tmp_path, capsys):
    t = times(7680, 1.0)
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, three_phases(t, f=60.02, volts=118.0)))
    assert read["window_cycles"] == 12
    channels = three_phases(t, f=60.0, volts=11_400.0)
    channels["va_v"] = channels["va_v"] * np.where((t > 0.3) & (t < 0.5), 0.85, 1.0)
    (event,) = replay(capsys, write_csv(tmp_path / "x.csv", t, channels))["events"]
    # 0.85 x 11,400 V is below 90 % of 11,547 V.
    assert (event["type"], event["phase"]) == ("dip", "a")


def test_a_wandering_frequency_and_a_jump_of_phase_are_no_events(tmp_path, capsys):
    t = times(6400, 3.0)
    turn = 2 * np.pi * (50 * t - t * t / 6)
    channels = {f"v{x}_v": 230 * math.sqrt(2) * np.cos(turn - k * 2 * np.pi / 3) for k, x in enumerate("abc")}
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, channels), "--frequency", 50, "--nominal", 230)
    assert read["events"] == []
    assert read["frequency"] == pytest.approx(49.5, abs=1e-3)
    assert read["rms"]["va"] == pytest.approx(230.0, rel=1e-5)


@pytest.mark.slow
def test_ten_minutes_have_a_pst(tmp_path, capsys):
    t = times(1600, 600.0)
    swing = np.where((t * 39 / 120) % 1 < 0.5, 1.0, -1.0)
    v = 230 * math.sqrt(2) * np.cos(2 * np.pi * 50 * t) * (1 + 0.00894 / 2 * swing)
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, {"va_v": v}), "--frequency", 50, "--nominal", 230)
    assert read["flicker"]["pst"]["va"] == pytest.approx(1.0, abs=0.01)
    assert read["flicker"]["pst"]["vb"] is None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: [*lines[:500], *lines[520:]], "a gap of"),
        (
            lambda lines: [*lines[:700], lines[700].replace(lines[700].split(",")[2], "nan"), *lines[701:]],
            "vb_v",
        ),
        (lambda lines: [lines[0].replace("va_v", "va_kv"), *lines[1:]], "wrong unit"),
        (lambda lines: lines[:100], "cycles"),
        (lambda lines: lines[:1], "no sample"),
    ],
)
def test_what_cannot_be_measured_is_said(tmp_path, capsys, spoil, message):
    t = times(6400, 0.3)
    path = write_csv(tmp_path / "x.csv", t, three_phases(t))
    path.write_text("\n".join(spoil(path.read_text().splitlines())) + "\n")
    assert main(["replay", str(path), "--meter", "reference", "--frequency", "50"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert "x.csv" in shown.err


def test_a_recording_without_a_fundamental_is_refused(tmp_path, capsys):
    t = times(6400, 0.3)
    path = write_csv(tmp_path / "x.csv", t, {"va_v": np.full(t.size, 100.0)})
    assert main(["replay", str(path), "--meter", "reference", "--frequency", "50", "--json"]) == 2
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert "no voltage has a fundamental" in findings[0]["what"]


@pytest.mark.parametrize(
    "options",
    [["--meter", "bogus"], ["--meter", "reference", "--frequency", "55"],
                ["--meter", "reference", "--nominal", "-5"], ["--meter", "reference", "--channels", "vx=1"]]
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(tmp_path, capsys, options):
    t = times(6400, 0.3)
    path = write_csv(tmp_path / "x.csv", t, three_phases(t))
    assert main(["replay", str(path), *options]) == 2
    assert "command line" in capsys.readouterr().err


def test_people_get_a_table(tmp_path, capsys):
    t = times(6400, 0.5)
    path = write_csv(tmp_path / "x.csv", t, three_phases(t))
    assert main(["replay", str(path), "--meter", "reference"]) == 0
    shown = capsys.readouterr().out
    assert "frequency: 50 Hz" in shown
    assert "5975.6" in shown

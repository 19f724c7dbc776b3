"""What meters with registers read of recordings, beside what the reference analyser reads."""

import json

import numpy as np
import pytest

from tests.calibrator.replay_files import three_phases, times, write_csv
from twin.cli import main

V_TONES = {3: (0.05, 10.0), 5: (0.06, -40.0), 25: (0.02, 5.0)}
I_TONES = {3: (0.2, 15.0), 5: (0.15, -100.0)}


def replay(capsys, path, meter, *options):
    code = main(["replay", str(path), "--meter", meter, "--json", *map(str, options)])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return json.loads(shown.out)


def flat(value):
    return np.array([one for one in value.values() if one is not None])


@pytest.mark.parametrize(
    ("f", "per_cycle", "seconds"), [(50.0, 256, 0.4), (60.0, 128, 1.0), (50.0, 32, 1.0), (49.37, 256, 1.0)]
)
def test_an_ideal_meter_reads_what_the_reference_reads(tmp_path, capsys, f, per_cycle, seconds):
    nominal = 60 if f > 55 else 50
    tones = V_TONES if per_cycle > 60 else {h: V_TONES[h] for h in (3, 5)}
    t = times(per_cycle * nominal, seconds)
    waves = three_phases(t, f=f, volts=[230, 225, 235], amps=4.0, v_tones=tones, i_tones=I_TONES)
    path = write_csv(tmp_path / "x.csv", t, waves)
    options = ("--frequency", nominal, "--nominal", 230)
    reference = replay(capsys, path, "reference", *options)
    meter = replay(capsys, path, "kw320q", *options, "--ideal")
    assert meter.keys() == reference.keys()
    close = 1e-6
    for key in ("rms", "p"):
        assert flat(meter[key]) == pytest.approx(flat(reference[key]), rel=close)
    for channel, harmonics in reference["harmonics"].items():
        assert flat(meter["harmonics"][channel]) == pytest.approx(flat(harmonics), abs=230 * close)
    assert meter["frequency"] == pytest.approx(f, abs=1e-6)
    assert flat(meter["thd"]) == pytest.approx(flat(reference["thd"]), abs=1e-4)
    assert flat(meter["unbalance"]) == pytest.approx(flat(reference["unbalance"]), abs=1e-4)
    energy = reference["energy"]["p_imp_wh"]
    assert meter["energy"]["p_imp_wh"] == pytest.approx(energy, rel=close)
    # Budeanu's reactive power, which the meter counts, has the harmonics' share in it.
    assert meter["energy"]["q_imp_varh"] == pytest.approx(meter["q"]["total"] * seconds / 3600, rel=1e-5)
    assert meter["events"] == []
    assert meter["flicker"] == {"pst": {"va": None, "vb": None, "vc": None}}
    series, wanted = meter["half_cycle_rms"], reference["half_cycle_rms"]
    assert len(series["vb"]) == pytest.approx(len(wanted["vb"]), abs=1)
    count = min(len(series["vb"]), len(wanted["vb"]))
    assert series["vb"][:count] == pytest.approx(wanted["vb"][:count], rel=1e-5)
    assert series["t0_s"] == pytest.approx(wanted["t0_s"], abs=1 / f / per_cycle)


def test_a_meter_of_a_class_errs_within_it(tmp_path, capsys):
    t = times(12800, 2.0)
    path = write_csv(tmp_path / "x.csv", t, three_phases(t, amps=5.0, lag=30.0))
    meter = replay(capsys, path, "kw320", "--nominal", 230)
    for phase in "abc":
        assert meter["rms"][f"v{phase}"] == pytest.approx(230, rel=0.002)
        assert meter["rms"][f"i{phase}"] == pytest.approx(5, rel=0.002)
        assert meter["p"][phase] != pytest.approx(1150 * np.sqrt(0.75), rel=1e-7)
    assert meter["p"]["total"] == pytest.approx(3450 * np.sqrt(0.75), rel=0.002)
    assert meter["q"]["total"] == pytest.approx(1725, rel=0.004)
    assert meter["energy"]["p_imp_wh"] == pytest.approx(3450 * np.sqrt(0.75) / 1800, rel=0.002)
    assert meter["energy"]["p_exp_wh"] == 0.0
    # The model without power quality keeps no log.
    assert meter["events"] is None


def test_a_sag_is_logged_with_depth_and_duration_in_primary_volts(tmp_path, capsys):
    t = times(12800, 1.0)
    waves = three_phases(t, volts=11547.0, amps=180.0)
    waves["vb_v"][(t >= 0.4) & (t < 0.6)] *= 0.6
    path = write_csv(tmp_path / "x.csv", t, waves)
    ratios = ("--pt", "20000:100", "--ct", "200:5")
    meter = replay(capsys, path, "kw320q", *ratios, "--nominal", 11547, "--ideal")
    assert meter["rms"]["va"] == pytest.approx(11547.0, rel=1e-7)
    assert meter["rms"]["ic"] == pytest.approx(180.0, rel=1e-7)
    (event,) = meter["events"]
    assert (event["type"], event["phase"]) == ("dip", "b")
    assert event["extreme_v"] == pytest.approx(0.6 * 11547.0, rel=1e-3)
    assert event["start"] == pytest.approx(0.41, abs=0.012)
    assert event["duration_s"] == pytest.approx(0.2, abs=0.02)
    assert min(meter["half_cycle_rms"]["vb"]) == pytest.approx(0.6 * 11547.0, rel=1e-3)
    assert meter["energy"]["p_imp_wh"] == pytest.approx(
        11547.0 * 180 * np.sqrt(0.75) * (2 + 0.8 + 0.2 * 0.6) / 3600, rel=1e-4
    )


def test_a_sag_that_lasts_has_no_duration_and_one_that_was_there_begins_with_the_recording(tmp_path, capsys):
    t = times(6400, 0.8)
    waves = three_phases(t, amps=1.0)
    for name in ("va_v", "vb_v", "vc_v"):
        waves[name] *= np.where((t < 0.3) | (t >= 0.6), 0.5, 1.0)
    path = write_csv(tmp_path / "x.csv", t, waves)
    meter = replay(capsys, path, "kw320q", "--nominal", 230, "--ideal")
    first, second = meter["events"]
    assert (first["phase"], first["start"]) == ("all", 0.0)
    assert first["duration_s"] == pytest.approx(0.32, abs=0.012)
    assert second["start"] == pytest.approx(0.61, abs=0.012)
    assert second["duration_s"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--meter", "kw320x"), "--meter: there is no meter 'kw320x'; did you mean 'kw320"),
        (("--meter", "referense"), "did you mean 'reference'"),
        (("--meter", "kw320", "--pt", "20000"), "--pt: '20000' is no ratio"),
        (("--meter", "kw320", "--ct", "200:0"), "--ct: '200:0' is no ratio"),
        (("--meter", "kw320", "--ct", "200:3"), "--ct: 3 is no current input"),
        (("--meter", "kw320", "--nominal", "11547"), "--pt: the meter is rated for 50 to 400 V"),
    ],
)
def test_what_cannot_be_set_is_said_with_its_option(tmp_path, capsys, options, said):
    t = times(3200, 0.2)
    path = write_csv(tmp_path / "x.csv", t, three_phases(t))
    assert main(["replay", str(path), *options]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_recording_of_one_phase_is_read_as_one(tmp_path, capsys):
    t = times(6400, 1.0)
    waves = three_phases(t, amps=2.0)
    waves["vb_v"][(t >= 0.4) & (t < 0.6)] *= 0.5
    waves = {name: waves[name] for name in ("vb_v", "ib_a", "ic_a")}
    path = write_csv(tmp_path / "x.csv", t, waves)
    meter = replay(capsys, path, "kw320q", "--nominal", 230, "--ideal")
    (event,) = meter["events"]
    assert (event["type"], event["phase"]) == ("dip", "b")
    assert event["start"] == pytest.approx(0.41, abs=0.012)
    watts = 230 * 2 * np.sqrt(0.75)
    assert meter["energy"]["p_imp_wh"] == pytest.approx(watts * 0.9 / 3600, rel=1e-4)
    assert meter["p"]["b"] == pytest.approx(watts * 0.9, rel=1e-4)
    assert (meter["p"]["a"], meter["rms"]["va"], meter["unbalance"]["u2"]) == (None, None, None)
    assert meter["rms"]["ic"] == pytest.approx(2.0, rel=1e-6)

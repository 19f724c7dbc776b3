"""``twin calibrate`` as its users call it."""

import json

import pytest

from twin.cli.command import main

FIELDS = {"point", "quantity", "applied", "read", "error_percent", "limit_percent", "pass"}


def twin(capsys, *arguments):
    """Run the command and return exit code, stdout, stderr."""
    code = main(["calibrate", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def rows(capsys, *arguments):
    code, out, _ = twin(capsys, *arguments, "--json")
    return code, json.loads(out)


def test_a_class_0_2_s_meter_passes_at_every_seed_with_errors_of_its_own(capsys):
    errors = []
    for seed in range(4):
        code, found = rows(capsys, "--meter", "kw320q", "--points", "62053-22", "--seed", seed)
        assert code == 0
        assert len(found) == 88
        assert all(row.keys() == FIELDS and row["pass"] is True for row in found)
        for row in found:
            assert abs(row["error_percent"]) <= row["limit_percent"]
            error = (row["read"] - row["applied"]) / row["applied"] * 100
            assert row["error_percent"] == pytest.approx(error, abs=1e-9)
        errors.append([row["error_percent"] for row in found])
    assert all(max(map(abs, each)) > 0.01 for each in errors)
    assert len({tuple(each) for each in errors}) == 4
    _, again = rows(capsys, "--meter", "kw320q", "--points", "62053-22", "--seed", 3)
    assert again == found


def test_an_ideal_meter_has_no_errors(capsys):
    code, found = rows(capsys, "--meter", "kw320", "--points", "62053-22", "--ideal")
    assert code == 0
    assert max(abs(row["error_percent"]) for row in found) < 1e-6


def test_a_failed_point_is_exit_code_1(capsys):
    """Out of the box the meter registers reactive energy of all orders, not of the fundamental."""
    code, found = rows(capsys, "--meter", "kw320q", "--points", "62053-24")
    assert code == 1
    failed = [row["point"] for row in found if not row["pass"]]
    assert len(failed) == 4
    assert all("with harmonics" in point for point in failed)
    code, found = rows(capsys, "--meter", "kw320q", "--points", "62053-24", "--register", "energy_mode=0")
    assert code == 0


def test_a_table_for_people(capsys):
    code, out, _ = twin(capsys, "--meter", "kw320", "--points", "starting")
    assert code == 0
    assert "active_energy [Wh]" in out
    assert "starting import 0.001 In pf 1" in out
    assert "largest error over limit: " in out
    assert out.rstrip().endswith("4 points, all passed")


def test_what_does_not_exist_is_null_and_fails(capsys, tmp_path):
    """No voltage has no frequency and no unbalance, a wrong rotation no positive sequence, 95 % is no dip."""
    path = tmp_path / "mine.csv"
    path.write_text(
        "point,quantity,voltage,sequence,event_voltage,event_cycles,limit,of\n"
        "dead,frequency,0,,,,0.01,Hz\nstill,u2,0,,,,1,point\nturned,u2,100,acb,,,1,point\n"
        "shallow,dip_residual,100,,95,5,0.2,nominal\nlost,frequency,0/100/100,,,,0.01,Hz\n"
    )
    code, found = rows(capsys, "--meter", "reference", "--points", path)
    assert code == 1
    for row in found[:4]:
        assert (row["read"], row["error_percent"], row["pass"]) == (None, None, False), row
    assert [row["applied"] for row in found[1:4]] == [None, None, None]
    assert found[4]["pass"] is True


def test_a_point_that_cannot_be_run_is_named(capsys, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("point,quantity,modulation,limit,of\nbusy,u_rms,rectangular 30 1,1,nominal\n")
    code, out, err = twin(capsys, "--meter", "reference", "--points", path)
    assert (code, out) == (2, "")
    assert err.startswith("busy: the modulation steps within every window; use slower changes")


def test_a_point_may_be_called_anything(capsys, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("point,quantity,limit,of\n[red] a_b [/x],u_rms,1,nominal\n")
    code, out, _ = twin(capsys, "--meter", "reference", "--points", path)
    assert code == 0
    assert out.count("[red] a_b [/x]") == 2


def test_the_list_of_sets(capsys):
    code, out, _ = twin(capsys, "--list")
    assert code == 0
    assert "61000-4-30" in out
    code, found = rows(capsys, "--list")
    assert [row["set"] for row in found][:2] == ["62053-22", "62053-23"]


def test_a_list_of_ones_own(capsys, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "point,quantity,voltage,current,limit,of\ntight,u_rms,90,100,0.000001,nominal\n"
        "loose,i_rms,100,40,1,reading\nnone,pst,,,5,reading\n"
    )
    code, _, err = twin(capsys, "--meter", "kw320", "--points", path)
    assert code == 2
    assert f"{path}:4: modulation: pst needs one" in err
    path.write_text(path.read_text().rsplit("\n", 2)[0] + "\n")
    code, found = rows(capsys, "--meter", "kw320", "--points", path, "--voltage", 230)
    assert code == 1
    assert [(row["point"], row["pass"]) for row in found] == [("tight", False), ("loose", True)]
    assert found[0]["applied"] == pytest.approx(207.0)
    assert found[1]["applied"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--points", "62053-22"), "--meter: is missing"),
        (("--meter", "kw320"), "--points: is missing"),
        (("--meter", "kw32", "--points", "62053-22"), "there is no meter 'kw32'; did you mean 'kw320'?"),
        (("--meter", "kw320", "--points", "62053-2"), "there is no set '62053-2'; did you mean '62053-2"),
        (("--meter", "kw320", "--points", "61000-4-15"), "the meter has no pinst, pst"),
        (("--meter", "kw320", "--points", "nowhere.csv"), "nowhere.csv"),
        (("--meter", "kw320", "--points", "no-load", "--current", "7"), "inputs of 1 A and 5 A, not 7 A"),
        (
            ("--meter", "kw320", "--points", "no-load", "--voltage", "9000"),
            "measures 50 to 400 V, not 9000 V",
        ),
        (("--meter", "kw320", "--points", "no-load", "--register", "energymode=1"), "energy_mode"),
        (("--meter", "kw320", "--points", "no-load", "--seed", "-1"), "seed"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(capsys, arguments, message):
    code, out, err = twin(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err

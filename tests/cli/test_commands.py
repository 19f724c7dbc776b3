"""The command line as its users call it: what it prints, exit codes, and nothing half written."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sites import SCENARIO, write_site
from twin.recording import Recording, content_hash


def twin(*arguments, cwd=None):
    """Run the command and return exit code, stdout, stderr."""
    command = [sys.executable, "-m", "twin.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def test_check_of_a_good_scenario(tmp_path):
    code, out, err = twin("check", write_site(tmp_path), "--solve")
    assert (code, err) == (0, "")
    assert "network little: 3 buses, 2 branches, 3 loads" in out
    assert "solved at rated loads: 0.9" in out
    assert out.endswith("no findings\n")


def test_check_prints_every_finding_and_exits_with_2(tmp_path):
    bad = SCENARIO.replace("bus: HOME", "bus: HOMR").replace("seed: 7", "seed: -7")
    code, out, err = twin("check", write_site(tmp_path, scenario=bad))
    assert (code, out) == (2, "")
    assert "scenario.yaml:4: seed: input should be greater than or equal to 0" in err
    code, out, err = twin("check", write_site(tmp_path, scenario=bad.replace("-7", "7")), "--json")
    (finding,) = json.loads(out)
    assert (code, err) == (2, "")
    assert finding == {
        "file": str(tmp_path / "scenario.yaml"),
        "line": 28,
        "field": "events[1].bus",
        "what": "there is no bus 'HOMR'",
        "mend": "did you mean 'HOME'?",
    }


@pytest.mark.parametrize("command", [("check",), ("flow",), ("fault", "--bus", "A", "--type", "slg")])
def test_what_has_no_line_in_a_file_is_a_finding_all_the_same(tmp_path, command):
    path = tmp_path / "net.json"
    path.write_text("{")
    code, out, err = twin(command[0], path, *command[1:], "--json")
    found = json.loads(out)
    (finding,) = found if command[0] == "check" else found["findings"]
    assert code == 2
    assert str(path) in finding["what"]
    assert finding["line"] is None
    assert (err == "") == (command[0] == "check")


def test_run_prints_json_and_nothing_else(tmp_path):
    out = tmp_path / "recording"
    code, text, err = twin("run", write_site(tmp_path), "--out", out, "--json")
    summary = json.loads(text)
    assert (code, err) == (0, "")
    assert (summary["simulated_s"], summary["interrupted"]) == (600.0, False)
    assert [meter["name"] for meter in summary["meters"]] == ["head", "home"]
    assert summary["content_hash"] == content_hash(out)


def test_run_prints_a_table_for_people(tmp_path):
    code, text, _ = twin("run", write_site(tmp_path), "--duration", "1 min", cwd=tmp_path)
    assert code == 0
    assert "A little site" in text
    assert "0.02 h simulated" in text
    assert "recordings/scenario-" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "nowhere.yaml"), "nowhere.yaml: cannot be read (No such file or directory); check the path"),
        (("run", "scenario.yaml", "--duration", "1 kW"), "command line: --duration: unit 'kW' does not fit"),
        (("run", "bad.yaml"), "bad.yaml:4: sede: unknown field; did you mean 'seed'?"),
        (("serve", "scenario.yaml", "--speed", "5000"), "command line: --speed: speed 5000 is not between"),
        (("flow", "scenario.yaml", "--at", "noon"), "command line: --at: 'noon' is no time"),
        (("fault", "network.yaml", "--bus", "HOMR", "--type", "slg"), "did you mean 'HOME'?"),
        (("import", "simbench", "1-LV-semiurb4", "--out", "there"), "1-LV-semiurb4"),
        (("run", "island.yaml"), "island.yaml.network"),
    ],
)
def test_bad_input_is_one_message_and_leaves_nothing(tmp_path, arguments, message):
    write_site(tmp_path)
    (tmp_path / "bad.yaml").write_text(SCENARIO.replace("seed: 7", "sede: 7"))
    island = (tmp_path / "network.yaml").read_text().replace(", [CABLE2, MAIN, HOME, cable, 200]", "")
    (tmp_path / "island.yaml.network").write_text(
        island.replace("SW2, branch: CABLE2", "SW2, branch: CABLE1")
    )
    (tmp_path / "island.yaml").write_text(SCENARIO.replace("network.yaml", "island.yaml.network"))
    before = sorted(tmp_path.iterdir())
    code, out, err = twin(*arguments, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert sorted(path for path in tmp_path.iterdir() if path.name != "recordings") == before
    assert not list(tmp_path.glob("recordings/*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_cleanly_with_its_recording_intact(tmp_path, number):
    path = write_site(tmp_path, scenario=SCENARIO.replace("duration: 10 min", "duration: 3000 d"))
    out = tmp_path / "recording"
    command = [sys.executable, "-m", "twin.cli", "run", str(path), "--out", str(out), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out.is_dir() and Recording.open(out).events()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    text, err = process.communicate(timeout=30)
    summary = json.loads(text)
    assert (process.returncode, err) == (130, "")
    assert summary["interrupted"]
    recording = Recording.open(out)
    assert recording.info.complete
    profile = recording.load_profile("head")
    assert profile.end_ns.size == int(summary["simulated_s"] // 900)


def test_schema_is_json_schema(tmp_path):
    code, out, _ = twin("schema")
    schema = json.loads(out)
    assert (code, schema["title"], schema["additionalProperties"]) == (0, "Scenario", False)
    assert {"network", "meters", "events"} <= set(schema["properties"])


def test_flow_of_a_network_and_of_a_scenario_at_a_time(tmp_path):
    path = write_site(tmp_path)
    code, out, _ = twin("flow", tmp_path / "network.yaml", "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["bus"] for row in rows] == ["GRID"] * 3 + ["MAIN"] * 3 + ["HOME"] * 3
    assert set(rows[0]) == {"bus", "phase", "v_volt", "v_pu", "angle_deg"}
    _, before, _ = twin("flow", path, "--json")
    _, after, _ = twin("flow", path, "--at", "18:03", "--json")
    assert [row["v_volt"] for row in json.loads(before)] == pytest.approx([row["v_volt"] for row in rows])
    raised = json.loads(after)[3]["v_pu"] - rows[3]["v_pu"]
    # The capacitor raises MAIN by about Q X / U^2: 10 kvar through 0.038 ohm at 400 V.
    assert raised == pytest.approx(10e3 * 0.038 / 400**2, rel=0.1)


SCRIPT = Path(__file__).parents[1] / "grid" / "dss" / "four_wire.dss"


def test_a_network_of_another_program_is_studied_and_converted(tmp_path):
    code, direct, err = twin("flow", SCRIPT, "--json")
    assert (code, err) == (0, "")
    code, out, err = twin("import", "opendss", SCRIPT, "--out", tmp_path / "net")
    assert (code, err) == (0, "")
    assert out.startswith(f"written to {tmp_path / 'net'}; assumed:")
    code, converted, _ = twin("flow", tmp_path / "net" / "network.yaml", "--json")
    assert code == 0
    for one, other in zip(json.loads(direct), json.loads(converted), strict=True):
        assert (one["bus"], one["phase"]) == (other["bus"], other["phase"])
        assert one["v_volt"] == pytest.approx(other["v_volt"], rel=1e-9, abs=1e-9)
    assert {row["phase"] for row in json.loads(direct)} == {"a", "b", "c", "n"}
    (tmp_path / "broken.dss").write_text("new circuit.x\nnew lien.y bus1=a bus2=b\n")
    code, out, err = twin("import", "opendss", tmp_path / "broken.dss", "--out", tmp_path / "other")
    assert (code, out) == (2, "")
    assert "broken.dss:2" in err
    assert not (tmp_path / "other").exists()


def test_flow_says_where_a_load_no_longer_draws_its_power(tmp_path):
    path = tmp_path / "network.yaml"
    write_site(tmp_path)
    text = path.read_text()
    path.write_text(text.replace("HOME, b, 1000, 300", "HOME, b, 900000, 300"))
    code, out, err = twin("flow", path, "--json")
    assert code == 0
    assert json.loads(out)
    assert err.startswith("warning: load '")
    assert "no longer draws its power; lower the loads" in err


def test_export_points_is_a_tag_list(tmp_path):
    code, out, _ = twin("export", "points", write_site(tmp_path))
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert {row["meter"] for row in rows} == {"head", "home"}
    v1 = next(row for row in rows if (row["meter"], row["name"]) == ("head", "v1") and "4000" not in row)
    assert v1["type"] == "float32"


def test_help_has_an_example_for_each_command():
    _, out, _ = twin("--help")
    for command in ("check", "run", "serve", "schema", "import", "flow", "export"):
        assert command in out
        code, text, _ = twin(command, "--help")
        assert code == 0
        assert f"example: twin {command}" in text

"""Recordings from the command line: in either store, exported, described, brought up to date."""

import csv
import json
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from pyarrow import parquet

from tests.sites import write_site
from twin.cli import main
from twin.recording import Recording, content_hash
from twin.recording.sampled_recording import read_recording
from twin.recording.tables import SCHEMA_VERSION


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def recorded(site, tmp_path_factory):
    """A run of ten minutes, in a directory."""
    place = tmp_path_factory.mktemp("run") / "recording"
    assert main(["run", str(site), "--out", str(place), "--quiet"]) == 0
    return place


def run_into(place, site, capsys):
    capsys.readouterr()
    assert main(["run", str(site), "--store", place, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_in_a_database_is_the_run_in_a_directory(site, recorded, postgres, capsys):
    named = run_into(f"{postgres.url}?run=cli-run", site, capsys)
    assert named["recording"] == f"{postgres.url}?run=cli-run"
    assert named["content_hash"] == content_hash(recorded) == content_hash(named["recording"])
    first, second = Recording.open(recorded), Recording.open(named["recording"])
    assert first.events() == second.events()
    assert len(first.events()) > 0
    assert first.truth() == second.truth()
    assert second.info.complete


def test_a_run_without_a_name_is_named_after_scenario_and_time(site, postgres, capsys):
    summary = run_into(postgres.url, site, capsys)
    assert "?run=scenario-20" in summary["recording"]
    assert Recording.open(summary["recording"]).path.run.startswith("scenario-")


def test_a_database_that_is_not_there_is_bad_input(site, capsys):
    assert main(["run", str(site), "--store", "postgresql://twin:secret@127.0.0.1:1/site", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "postgresql://twin@127.0.0.1:1/site?run=scenario-" in said
    assert "secret" not in said
    assert "Traceback" not in said


def test_one_place_only(site, capsys):
    with pytest.raises(SystemExit) as left:
        main(["run", str(site), "--store", "a", "--out", "b"])
    assert left.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_live_site_in_a_database(site, recorded, postgres, tmp_path):
    place = f"{postgres.url}?run=live-site"
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "twin.cli", "serve", str(site), "--store", place, "--speed", "100"]
    with subprocess.Popen(
        [*command, "--ready-file", str(ready)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(ready.exists, process)
        wait_until(lambda: Recording.open(place).events(), process)
        page = json.loads(ready.read_text())["dashboard"]
        with urllib.request.urlopen(page + "events", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert f"the recording is in {place}" in out
    recording, whole = Recording.open(place), Recording.open(recorded)
    assert recording.info.complete
    truth = recording.truth()
    assert truth == whole.truth()[: len(truth)]


def wait_until(condition, process):
    deadline = time.monotonic() + 120  # a cold kernel cache takes a while
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def exported(recording, out, *options):
    return main(["export", "recording", str(recording), "--out", str(out), *options])


@pytest.mark.parametrize(
    "what", ["events", "alarms", "soe", "truth", "load_profile", "commands", "registers"]
)
def test_tables_are_exported_as_csv_and_parquet(recorded, tmp_path, what):
    assert exported(recorded, tmp_path, "--what", what) == 0
    assert exported(recorded, tmp_path, "--what", what, "--format", "parquet") == 0
    lines = list(csv.DictReader((tmp_path / f"{what}.csv").read_text(encoding="utf-8").splitlines()))
    table = parquet.read_table(tmp_path / f"{what}.parquet").to_pylist()
    assert len(lines) == len(table)
    recording = Recording.open(recorded)
    if what == "events":
        assert [row["extreme"] for row in table] == [event.extreme for event in recording.events()]
        assert [int(line["number"]) for line in lines] == [event.number for event in recording.events()]
        assert lines[0]["start_utc"].startswith("20")
    elif what == "truth":
        assert [row["element"] for row in table] == [entry.element for entry in recording.truth()]
        assert len(table) > 0


def test_captures_are_exported_as_comtrade(recorded, tmp_path, capsys):
    capsys.readouterr()
    assert exported(recorded, tmp_path, "--what", "waveforms", "--meter", "home") == 0
    files = capsys.readouterr().out.split()
    captures = Recording.open(recorded).waveforms(meter="home")
    assert len(captures) > 0
    assert len([file for file in files if file.endswith(".cfg")]) == len(captures)
    first = read_recording(next(file for file in files if file.endswith(".cfg")))
    assert first.samples.shape == (6, captures[0].samples)
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_what_cannot_be_exported_is_bad_input(recorded, tmp_path, capsys):
    out = tmp_path / "out"
    assert exported(recorded, out, "--what", "waveforms", "--format", "parquet") == 2
    assert (
        "--format: waveforms cannot be written as parquet; choose comtrade or csv" in capsys.readouterr().err
    )
    assert exported(recorded, out, "--what", "events", "--meter", "nobody") == 2
    assert "no meter 'nobody'; it has head, home" in capsys.readouterr().err
    assert exported(tmp_path / "none", out, "--what", "events") == 2
    assert not out.exists()


def test_info_says_what_is_in_it(recorded, capsys):
    capsys.readouterr()
    assert main(["recording", "info", str(recorded), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["meters"], found["complete"], found["schema_version"]) == (
        ["head", "home"],
        True,
        SCHEMA_VERSION,
    )
    assert found["content_hash"] == content_hash(recorded)
    assert found["events"] == len(Recording.open(recorded).events())

"""A live session with an operator and a master, killed or stopped, and lived again from its recording."""

import json
import signal
import socket
import sqlite3
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.test_serve import ask, served
from tests.sites import write_site
from twin.cli.command import main
from twin.contracts import BadInputError
from twin.recording import Recording, first_difference
from twin.scenario import load_scenario
from twin.scenario.sources import lay_out, source_files

WRITE = 16


def lived(folder, *, end):
    """Serve a site, write to a meter at times nobody planned, end it by a signal; return its recording."""
    folder.mkdir(exist_ok=True)
    scenario = write_site(folder)
    with served(scenario, folder, "--speed", "60", "--no-dashboard") as (ready, process):
        place = ready["endpoints"][0]
        with socket.create_connection((place["host"], place["port"]), timeout=10) as connection:
            for number, minutes in enumerate((5, 10, 0, 30)):  # no demand window has 0 minutes
                body = struct.pack(">BHHBH", WRITE, 0x100D, 1, 2, minutes)
                ask(connection, number, place["unit"], body)
                time.sleep(0.35)
        recording = folder / "recording"
        if end == signal.SIGKILL:
            deadline = time.monotonic() + 20
            while not known(recording) and time.monotonic() < deadline:
                time.sleep(0.05)
        process.send_signal(end)
        process.wait(timeout=30)
    return recording


def known(recording):
    """Whether a flush has noted how far the site came, with all commands."""
    opened = Recording.open(recording)
    return opened.info.reached_ns is not None and len(opened.commands()) == 4


def replay(capsys, *arguments):
    code = main(["replay-session", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_stopped_session_is_reproduced(tmp_path, capsys):
    recording = lived(tmp_path / "live", end=signal.SIGINT)
    code, result = replay(capsys, recording, "--out", tmp_path / "again")
    assert (code, result["equal"], result["otherwise"]) == (0, True, [])
    assert result["content_hash"] == result["replayed_hash"]
    assert result["commands"] == 4
    refusals = [command.refusal for command in Recording.open(tmp_path / "again").commands()]
    assert refusals == [None, None, "illegal_value", None]
    # And once more, from the replay.
    code, result = replay(capsys, tmp_path / "again", "--out", tmp_path / "third")
    assert (code, result["equal"]) == (0, True)


def test_a_killed_session_is_reproduced_as_far_as_it_was_flushed(tmp_path, capsys):
    recording = lived(tmp_path / "live", end=signal.SIGKILL)
    code, result = replay(capsys, recording, "--out", tmp_path / "again")
    assert (code, result["complete"], result["equal"]) == (0, False, True), result["first_difference"]


def test_what_differs_is_named(tmp_path, capsys):
    recording = lived(tmp_path / "live", end=signal.SIGINT)
    with sqlite3.connect(recording / "recording.sqlite") as connection:
        connection.execute("UPDATE command SET refusal = 'sealed' WHERE sequence = 2")
    code, result = replay(capsys, recording, "--out", tmp_path / "again")
    assert (code, result["equal"]) == (1, False)
    assert result["otherwise"] == ["command 2, write_registers of head: sealed then, done now"]
    assert result["first_difference"].startswith("command sequence 2")


def test_a_scenario_moves_with_its_recording(tmp_path, capsys):
    """Replayed after the scenario's own files are gone."""
    recording = lived(tmp_path / "live", end=signal.SIGINT)
    for file in (tmp_path / "live").glob("*.yaml"):
        file.unlink()
    assert replay(capsys, recording, "--out", tmp_path / "again")[0] == 0


def test_data_files_are_checked(tmp_path):
    scenario = load_scenario(write_site(tmp_path))
    files = source_files(scenario)
    assert [file.path.suffix for file in files] == [".yaml", ".yaml"]
    data = tmp_path / "profiles.csv"
    data.write_text("start_ns,a.p_w\n", encoding="utf-8")
    kept = [*files, type(files[0])(data, "0" * 64, None), type(files[0])(tmp_path / "no.csv", "0" * 64, None)]
    with pytest.raises(BadInputError) as caught:
        lay_out(kept, tmp_path / "there")
    assert [finding.what.split(";")[0] for finding in caught.value.findings] == [
        "is another file now",
        "is gone",
    ]


def test_recordings_without_a_scenario_are_refused(tmp_path, capsys):
    recording = lived(tmp_path / "live", end=signal.SIGINT)
    with sqlite3.connect(recording / "recording.sqlite") as connection:
        connection.execute("""UPDATE meta SET value = '{"title": "old"}' WHERE key = 'scenario'""")
    assert main(["replay-session", str(recording), "--out", str(tmp_path / "again")]) == 2
    assert "does not hold its scenario; record the scenario again" in capsys.readouterr().err
    assert not Path(tmp_path / "again").exists()


def test_a_session_goes_on_from_a_point_in_its_log(tmp_path, capsys):
    """Back before the last order, then live from there; what came before is the same, and it replays."""
    recording = lived(tmp_path / "live", end=signal.SIGINT)
    commands = Recording.open(recording).commands()
    back_ns = commands[-1].applied_ns - 1_000_000_000
    at = datetime.fromtimestamp(back_ns // 10**9, UTC).strftime("%H:%M:%S")
    folder = tmp_path / "resumed"
    folder.mkdir()
    options = ("--resume", str(recording), "--from", at, "--speed", "max", "--no-dashboard")
    with served(None, folder, *options) as (ready, process):
        place = ready["endpoints"][0]
        with socket.create_connection((place["host"], place["port"]), timeout=10) as connection:
            ask(connection, 1, place["unit"], struct.pack(">BHHBH", WRITE, 0x100D, 1, 2, 20))
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    resumed = Recording.open(folder / "recording")
    early = [one for one in commands if one.applied_ns < back_ns]
    assert resumed.commands()[: len(early)] == early
    assert len(resumed.commands()) == len(early) + 1
    assert first_difference(recording, folder / "recording", until_ns=back_ns // 10**9 * 10**9) is None
    code, result = replay(capsys, folder / "recording", "--out", tmp_path / "again")
    assert (code, result["equal"]) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve"], "there is nothing to serve; give a scenario file, or --resume RECORDING"),
        (["serve", "a.yaml", "--resume", "b"], "a recording brings its own scenario"),
    ],
)
def test_what_to_serve_must_be_clear(capsys, arguments, said):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err

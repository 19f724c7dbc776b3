"""``twin serve`` as a process: ready file, real masters, pages, a clean end, ports in use."""

import json
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

from tests.sites import SCENARIO, write_site
from twin.cli.server import SiteServer
from twin.recording import Recording, content_hash
from twin.scenario import load_scenario
from twin.simulation import build_site


@contextmanager
def served(scenario, folder, *options):
    """Serve a scenario until the end of the block; gives the ready file's content and the process."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "twin.cli", "serve", "--out", str(folder / "recording")]
    if scenario is not None:
        command.append(str(scenario))
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 120  # a cold kernel cache takes a while
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"did not get ready: {process.communicate()}")
            time.sleep(0.05)
        yield json.loads(ready.read_text()), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def ask(connection, transaction, unit, pdu):
    """Send one hand-built request and return the PDU of its answer."""
    connection.sendall(struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu)
    head = receive(connection, 7)
    number, _, length, answered = struct.unpack(">HHHB", head)
    assert (number, answered) == (transaction, unit)
    return receive(connection, length - 1)


def receive(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        assert part, "the meter closed the connection"
        data += part
    return data


def read_floats(connection, address, count):
    answer = ask(connection, 7, 1, struct.pack(">BHH", 3, address, 2 * count))
    assert answer[:2] == bytes([3, 4 * count])
    return struct.unpack(f">{count}f", answer[2:])


def test_a_live_site_answers_and_ends_cleanly(tmp_path):
    with served(write_site(tmp_path), tmp_path) as (ready, process):
        assert (ready["pid"], ready["sim_start_utc"]) == (process.pid, "2026-01-15T18:00:00.000Z")
        assert [entry["meter"] for entry in ready["endpoints"]] == ["head", "home"]
        head = ready["endpoints"][0]
        with socket.create_connection((head["host"], head["port"]), timeout=10) as connection:
            frequency, v1 = read_floats(connection, 0x4000, 2)
            assert (frequency, v1) == (50.0, pytest.approx(230.2, abs=0.5))
            # The demand window: in range it is taken, out of range it is refused; both are answered.
            window = struct.pack(">BHHBH", 16, 0x100D, 1, 2, 20)
            assert ask(connection, 8, 1, window) == struct.pack(">BHH", 16, 0x100D, 1)
            assert ask(connection, 9, 1, struct.pack(">BHH", 3, 0x100D, 1)) == b"\x03\x02\x00\x14"
            assert ask(connection, 10, 1, window[:-1] + b"\x1f") == b"\x90\x03"
            assert ask(connection, 11, 1, struct.pack(">BHH", 3, 0x9000, 1)) == b"\x83\x02"
            assert ask(connection, 12, 9, struct.pack(">BHH", 3, 0x4000, 2)) == b"\x83\x0b"
        with urllib.request.urlopen(ready["dashboard"], timeout=10) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "stopped; the recording is in" in out
    assert not (tmp_path / "ready.json").exists()
    recording = Recording.open(tmp_path / "recording")
    assert [(entry.verb, entry.refusal) for entry in recording.commands()] == [
        ("write_registers", None),
        ("write_registers", "illegal_value"),
    ]


def test_simulated_time_keeps_the_speed_asked_for(tmp_path):
    with served(write_site(tmp_path), tmp_path, "--speed", "20") as (ready, _):
        head = ready["endpoints"][0]
        with socket.create_connection((head["host"], head["port"]), timeout=10) as connection:
            first, started = clock_seconds(connection), time.monotonic()
            time.sleep(3.0)
            passed, wall = clock_seconds(connection) - first, time.monotonic() - started
    # The clock's registers show whole seconds.
    assert passed == pytest.approx(20 * wall, abs=4 + 20 * 0.5)


def clock_seconds(connection):
    answer = ask(connection, 1, 1, struct.pack(">BHH", 3, 0x1040, 6))
    _, _, _, hour, minute, second = struct.unpack(">6H", answer[2:])
    return 3600 * hour + 60 * minute + second


def test_a_port_in_use_ends_with_2_and_leaves_no_recording(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        scenario = SCENARIO.replace("endpoint: {port: 0}", f"endpoint: {{port: {port}}}", 1)
        command = [sys.executable, "-m", "twin.cli", "serve", str(write_site(tmp_path, scenario=scenario))]
        command += ["--out", str(tmp_path / "recording"), "--ready-file", str(tmp_path / "ready.json")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"127.0.0.1:{port} for meter 'head': the port is in use" in done.stderr
    assert "scenario.yaml:16: meters[0].endpoint.port: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "recording").exists()
    assert not (tmp_path / "ready.json").exists()


def test_a_dashboard_port_in_use_ends_with_2_and_leaves_no_recording(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "twin.cli", "serve", str(write_site(tmp_path))]
        command += ["--out", str(tmp_path / "recording"), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "recording").exists()
    assert "scenario.yaml:33: dashboard.port: port" in done.stderr


def test_a_start_that_fails_leaves_the_old_recording_alone(tmp_path):
    scenario = write_site(tmp_path)
    out = tmp_path / "recording"
    twin = [sys.executable, "-m", "twin.cli"]
    subprocess.run(
        [*twin, "run", str(scenario), "--out", str(out), "--quiet"], check=True, capture_output=True
    )
    before = content_hash(out)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [*twin, "serve", str(scenario), "--out", str(out), "--overwrite", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert content_hash(out) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--port", "99999"),
            "command line: --port: port 99999 is not between 0 and 65535; choose one that is",
        ),
        (
            ("--ready-file", "nowhere/ready.json"),
            "command line: --ready-file: nowhere/ready.json cannot be written",
        ),
        (
            ("--from", "23:00"),
            "command line: --from: '23:00' is not within the scenario's time; it runs from 2026-01-15 18:00",
        ),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_starts(tmp_path, options, message):
    command = [sys.executable, "-m", "twin.cli", "serve", str(write_site(tmp_path)), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.yaml", "scenario.yaml"]


def test_a_live_recording_equals_a_headless_one(tmp_path):
    scenario = write_site(tmp_path, scenario=SCENARIO.replace("10 min", "310 s"))
    loaded = load_scenario(scenario)
    with build_site(loaded) as site:
        site.begin()
        site.record_to(tmp_path / "headless", overwrite=False)
        site.engine.advance_to(loaded.end_ns)
    server = SiteServer(
        loaded, tmp_path / "live", overwrite=False, speed=500.0, bind="127.0.0.1", dashboard_port=None,
        with_dashboard=False, from_ns=None,
    )  # fmt: skip
    with server:
        deadline = time.monotonic() + 60
        while not server.ended:
            assert server.running
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert content_hash(tmp_path / "live") == content_hash(tmp_path / "headless")
    with build_site(loaded) as site:
        site.record_to(tmp_path / "unbegun", overwrite=False)
        site.engine.advance_to(loaded.end_ns)
    assert content_hash(tmp_path / "unbegun") == content_hash(tmp_path / "headless")


def test_two_meters_that_meet_on_one_address_are_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    text = SCENARIO.replace("endpoint: {port: 0}", f"endpoint: {{port: {port}}}", 1)
    text = text.replace("endpoint: {port: 0}", f"endpoint: {{port: {port}, host: 127.0.0.1}}")
    command = [sys.executable, "-m", "twin.cli", "serve", str(write_site(tmp_path, scenario=text))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert f"meters[1].endpoint.port: 127.0.0.1:{port} unit 1 is already that of 'head'" in done.stderr

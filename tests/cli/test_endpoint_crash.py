"""A served site whose endpoints die: the simulation does not notice, masters find the same ports again."""

import os
import signal
import socket
import struct
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.cli.test_serve import ask, clock_seconds, read_floats, served
from tests.sites import SCENARIO, write_site
from twin.cli.server import SiteServer
from twin.recording import content_hash
from twin.scenario import load_scenario
from twin.simulation import build_site

EVENTS = struct.pack(">BHH", 3, 0x8CFD, 83)
GROUPS = struct.pack(">BHH", 3, 0x8E00, 68)


def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def site_server(loaded, folder, speed):
    return SiteServer(
        loaded, folder, overwrite=False, speed=speed, bind="127.0.0.1", dashboard_port=None,
        with_dashboard=False, from_ns=None,
    )  # fmt: skip


def connect(server, meter=0):
    entry = server.ready()["endpoints"][meter]
    return socket.create_connection((entry["host"], entry["port"]), timeout=10)


def ends(connection):
    """Read until the other side has gone."""
    try:
        while connection.recv(100):
            pass
    except ConnectionResetError:
        pass
    return True


def energy(connection):
    return struct.unpack(">I", ask(connection, 3, 1, struct.pack(">BHH", 3, 0x4048, 2))[2:])[0]


def test_endpoints_that_die_leave_no_trace_in_the_recording(tmp_path, caplog):
    loaded = load_scenario(write_site(tmp_path, scenario=SCENARIO.replace("10 min", "310 s")))
    with build_site(loaded) as site:
        site.begin()
        site.record_to(tmp_path / "headless", overwrite=False)
        site.engine.advance_to(loaded.end_ns)
    with site_server(loaded, tmp_path / "live", 60.0) as server:
        ports = [entry["port"] for entry in server.ready()["endpoints"]]
        for crash in (1, 2):
            with closing(connect(server)) as master:
                volts, seconds, counted = (
                    read_floats(master, 0x4002, 1),
                    clock_seconds(master),
                    energy(master),
                )
                before_ns = server.session.latest().sim_ns
                os.kill(server.endpoint_pid, signal.SIGKILL)
                assert ends(master)
            killed = time.monotonic()
            with closing(connect(server)) as master:
                assert clock_seconds(master) >= seconds
                assert time.monotonic() - killed < 10.0  # on a busy machine
                assert energy(master) >= counted
                assert read_floats(master, 0x4002, 1) == pytest.approx(volts, rel=0.01)
            until(lambda before_ns=before_ns: server.session.latest().sim_ns > before_ns + 60 * 10**9)
            notice = server.session.latest().notice
            assert notice.startswith("the process of the endpoints died (signal 9)")
            assert ("for the 2. time" in notice) == (crash == 2)
        assert [entry["port"] for entry in server.ready()["endpoints"]] == ports
        assert server.running
        until(lambda: server.ended)
    assert content_hash(tmp_path / "live") == content_hash(tmp_path / "headless")
    assert "died (signal 9); it is started again at once, the simulation goes on" in caplog.text


def test_logs_are_read_and_cleared_across_the_wall_also_while_time_stands_still(tmp_path):
    loaded = load_scenario(write_site(tmp_path, scenario=SCENARIO.replace("10 min", "302 s")))
    with site_server(loaded, tmp_path / "live", 1000.0) as server:
        until(lambda: server.ended and server.session.latest().paused)
        events, groups, _ = server.session.meters[1].windows
        shown = [
            b"\x03" + bytes([2 * len(words)]) + words.astype(">u2").tobytes()
            for words in (
                events.read(events.initial(), 0x8CFD, 83)[0],
                groups.read(groups.initial(), 0x8E00, 68)[0],
            )
        ]
        with closing(connect(server, 1)) as one, closing(connect(server, 1)) as two:
            assert [ask(one, 1, 1, EVENTS), ask(one, 2, 1, GROUPS)] == shown
            newest = struct.unpack_from(">H", shown[0], 2)[0]
            assert newest >= 2  # the earth fault: a sag on one phase, a swell on the others
            # A master's place is its own.
            assert ask(one, 3, 1, struct.pack(">BHHBH", 16, 0x8CFE, 1, 2, 2))[0] == 16
            assert ask(one, 4, 1, EVENTS)[4:6] == b"\x00\x02"
            assert ask(two, 5, 1, EVENTS) == shown[0]
            # Once a write is answered, everyone sees what it did.
            clear = next(
                point for point in server.session.meters[1].points if point.name == "clear_pq_events"
            )
            answer = ask(two, 6, 1, struct.pack(">BHHBH", 16, clear.address, 1, 2, 0x55))
            assert answer == struct.pack(">BHH", 16, clear.address, 1)
            assert ask(one, 7, 1, EVENTS)[2:4] == b"\x00\x00"
            assert ask(two, 8, 1, GROUPS) == shown[1]


def shared_memory():
    """Return what there is of it; a database that runs beside may make its own."""
    return {file for file in Path("/dev/shm").iterdir() if not file.name.startswith("PostgreSQL.")}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_site_however_it_ends(tmp_path, number):
    before = shared_memory()
    with served(write_site(tmp_path), tmp_path, "--no-dashboard") as (ready, process):
        children = psutil.Process(process.pid).children(recursive=True)
        assert any("twin.protocols.endpoint_child" in child.cmdline() for child in children)
        process.send_signal(number)
        process.wait(30)
        _, alive = psutil.wait_procs(children, timeout=10)
        assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
    for entry in ready["endpoints"]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((entry["host"], entry["port"]), timeout=10)
    assert shared_memory() <= before

"""The server as a whole: ports, limits, start and stop, what it counts and what it leaves behind."""

import errno
import gc
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.protocols.masters import (
    Master,
    Meter,
    RecordWindow,
    Registers,
    frame,
    octets,
    read,
    registers,
    write,
)
from twin.contracts import RegisterBlock, TwinError
from twin.protocols import (
    Binding,
    BindingError,
    ListenError,
    ModbusServer,
    PortInUseError,
    RegisterImage,
    ServerStateError,
)


def small_meter(number: int) -> Meter:
    return Meter(f"m{number}", Registers({0: number}))


def test_a_port_per_meter(serve):
    server = serve(*(Binding("127.0.0.1", 0, {1: small_meter(number)}) for number in range(50)))
    assert len(set(server.addresses)) == 50
    for number, address in enumerate(server.addresses):
        with Master(address) as master:
            assert master.ask(1, 1, read(0, 1)) == registers(number)


def test_an_address_per_meter_on_the_same_port(serve):
    """As on a real network: every meter at its own address, all on one port."""
    port = serve(Binding("127.0.0.1", 0, {1: small_meter(0)})).addresses[0][1]
    serve(*(Binding(f"127.0.1.{number}", port, {1: small_meter(number)}) for number in range(1, 6)))
    for number in range(1, 6):
        with Master((f"127.0.1.{number}", port)) as master:
            assert master.ask(1, 1, read(0, 1)) == registers(number)


def test_one_meter_on_two_ports(serve, meter):
    server = serve(Binding("127.0.0.1", 0, {1: meter}), Binding("127.0.0.1", 0, {5: meter}))
    with Master(server.addresses[0]) as one, Master(server.addresses[1]) as two:
        assert one.ask(1, 1, read(0x1000, 1)) == two.ask(1, 5, read(0x1000, 1)) == registers(0)


def test_counts_what_happens(serve, meter):
    server = serve(Binding("127.0.0.1", 0, {1: meter}), Binding("127.0.0.1", 0, {1: meter}, "silent"))
    with Master(server.addresses[0]) as master:
        master.ask(1, 1, read(0x4000, 1))
        master.ask(2, 1, read(0, 1))
        master.ask(3, 1, write(0x1000, 1))
        first, second = server.statistics
        assert (first.requests, first.exceptions, first.connections, first.accepted) == (3, 1, 1, 1)
        assert (second.requests, second.exceptions, second.connections, second.accepted) == (0, 0, 0, 0)
        assert ((first.host, first.port), (second.host, second.port)) == server.addresses
    with Master(server.addresses[1]) as master:
        master.send(frame(1, 9, read(0, 1)) + frame(2, 1, read(0x1000, 1)))
        master.answer()
        assert (server.statistics[1].requests, server.statistics[1].exceptions) == (2, 0)
    until = time.monotonic() + 10
    while any(each.connections for each in server.statistics) and time.monotonic() < until:
        time.sleep(0.001)
    assert [each.connections for each in server.statistics] == [0, 0]
    assert [each.accepted for each in server.statistics] == [1, 1]


def test_a_port_that_is_taken_is_named_and_nothing_listens(serve, simulation):
    with socket.socket() as holder, socket.socket() as free:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        free.bind(("127.0.0.1", 0))
        other = free.getsockname()[1]
        free.close()
        server = ModbusServer(
            [
                Binding("127.0.0.1", other, {1: small_meter(1)}),
                Binding("127.0.0.1", taken, {1: Meter("feeder-7", Registers({0: 1}))}),
            ],
            simulation.submit,
        )
        with pytest.raises(PortInUseError) as caught:
            server.start()
        assert isinstance(caught.value, TwinError)
        assert isinstance(caught.value, OSError)
        assert caught.value.errno == errno.EADDRINUSE
        assert str(caught.value).startswith("cannot listen on")
        for part in (f"127.0.0.1:{taken}", "'feeder-7'", "in use", "give the meter another port"):
            assert part in str(caught.value)
        with pytest.raises(ConnectionRefusedError):
            Master(("127.0.0.1", other))
        server.stop()  # never started: harmless
    server.start()  # the port is free again
    with Master(("127.0.0.1", taken)) as master:
        assert master.ask(1, 1, read(0, 1)) == registers(1)
    server.stop()


def test_two_meters_given_the_same_port(simulation):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bindings = [Binding("127.0.0.1", port, {1: small_meter(number)}) for number in (1, 2)]
    with pytest.raises(PortInUseError, match=r"given to meter 'm1' and to meter 'm2'.*units of one port"):
        ModbusServer(bindings, simulation.submit).start()


@pytest.mark.parametrize("host", ["203.0.113.7", 64 * "x"])
def test_an_address_that_is_not_this_machines(simulation, host):
    with pytest.raises(ListenError, match=rf"{host}:5020 for meter 'm1'.*address of this machine"):
        ModbusServer([Binding(host, 5020, {1: small_meter(1)})], simulation.submit).start()


def run(program: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


PROGRAM = """
import encodings.idna, os, resource  # idna: read before the privilege to read files is given up
from tests.protocols.masters import Meter, Registers, Master, read
from twin.protocols import Binding, FileLimitError, ModbusServer, PortPermissionError
"""


def test_a_privileged_port():
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if lowest <= 1:
        pytest.skip("this machine reserves no ports")
    result = run(
        PROGRAM
        + f"""
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    ModbusServer([Binding("127.0.0.1", {lowest - 1}, {{1: Meter()}})], None).start()
except PortPermissionError as error:
    assert isinstance(error, PermissionError)
    print(error)
"""
    )
    assert "reserved; choose a port from 1024 up, or allow it" in result.stdout, result.stderr
    assert f"127.0.0.1:{lowest - 1} for meter 'head'" in result.stdout


def test_raises_the_limit_of_open_files():
    result = run(
        PROGRAM
        + """
resource.setrlimit(resource.RLIMIT_NOFILE, (80, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
meters = [Meter(image=Registers({0: number})) for number in range(200)]
with ModbusServer([Binding("127.0.0.1", 0, {1: meter}) for meter in meters], None) as server:
    for number, address in enumerate(server.addresses):
        with Master(address) as master:
            assert master.ask(1, 1, read(0, 1))[2:] == number.to_bytes(2)
print(len(server.addresses))
"""
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "200\n", "")


def test_says_so_when_the_limit_of_open_files_is_too_low():
    result = run(
        PROGRAM
        + """
resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
try:
    ModbusServer([Binding("127.0.0.1", 0, {1: Meter()}) for _ in range(200)], None).start()
except FileLimitError as error:
    assert isinstance(error, OSError)
    print(error)
"""
    )
    assert "serving 200 Modbus ports needs" in result.stdout, result.stderr
    assert "the operating system allows 80; raise the hard limit" in result.stdout


def test_a_thousand_ports(serve):
    meters = [small_meter(number) for number in range(1000)]
    server = serve(*(Binding("127.0.0.1", 0, {1: meter}) for meter in meters))
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 2000
    masters = [Master(address) for address in server.addresses]
    try:
        for master in masters:
            master.send(frame(3, 1, read(0, 1)))
        for number, master in enumerate(masters):
            assert master.answer() == frame(3, 1, registers(number))
    finally:
        for master in masters:
            master.socket.close()


def test_stop_closes_every_connection_and_frees_the_ports(serve, meter, simulation):
    simulation.hold()
    server = serve(Binding("127.0.0.1", 0, {1: meter}))
    masters = [Master(server.addresses[0]) for _ in range(10)]
    try:
        for master in masters[:5]:
            master.ask(1, 1, read(0x1000, 1))
        masters[0].send(frame(2, 1, write(0x1000, 1)))
        simulation.wait_for(1)
        server.stop()
        assert all(master.is_closed_by_server() for master in masters)
        assert "modbus-tcp" not in {thread.name for thread in threading.enumerate()}
        simulation.futures[0].set_result(None)  # too late: nobody hears it, nothing breaks
        server.stop()
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(server.addresses[0])
    finally:
        for master in masters:
            master.socket.close()


def test_starts_once_at_a_time_but_again_after_a_stop(serve, meter):
    server = serve(Binding("127.0.0.1", 0, {1: meter}))
    with pytest.raises(ServerStateError, match="stop it before"):
        server.start()
    for _ in range(3):
        server.stop()
        server.start()
        with Master(server.addresses[0]) as master:
            assert master.ask(1, 1, read(0x1000, 1)) == registers(0)


def test_a_loop_that_cannot_be_made_is_told_to_the_caller(meter, simulation):
    def broken():
        raise NotImplementedError("no such loop")

    server = ModbusServer([Binding("127.0.0.1", 0, {1: meter})], simulation.submit, loop_factory=broken)
    with pytest.raises(NotImplementedError, match="no such loop"):
        server.start()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        Master(server.addresses[0])


def test_connections_leave_nothing_behind(server, address):
    """Objects and threads after 200 connections, some ended badly, equal those after the first few."""

    def connect(times):
        for number in range(times):
            with Master(address) as master:
                master.ask(number, 1, read(0x8E00, 4))
                if number % 3 == 1:
                    master.send(b"\x00\x01\x00\x00\x00\x06\x01")
                if number % 3 == 2:
                    master.send(b"garbage-garbage")
        until = time.monotonic() + 10
        while server.statistics[0].connections and time.monotonic() < until:
            time.sleep(0.001)
        assert server.statistics[0].connections == 0
        time.sleep(0.02)  # the loop lets go of a transport just after it has told the connection
        gc.collect()
        return [type(each).__name__ for each in gc.get_objects()], threading.active_count(), files()

    def files():
        return len(list(Path("/proc/self/fd").iterdir()))

    connect(20)
    before, threads, opened = connect(20)
    after, threads_after, opened_after = connect(200)
    assert (threads_after, opened_after) == (threads, opened)
    for kind in ("ModbusConnection", "ModbusSession", "TCPTransport", "_SelectorSocketTransport", "socket"):
        assert after.count(kind) <= before.count(kind)
    assert len(after) - len(before) < 100


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"port": 65536}, "port 65536"),
        ({"port": -1}, "port -1"),
        ({"units": {}}, "no meter"),
        ({"units": {256: Meter()}}, "unit 256 of meter 'head'"),
        ({"unit_check": "lax"}, "'lax' is none of strict, silent, any"),
    ],
)
def test_bindings_that_cannot_be(settings, what):
    with pytest.raises(BindingError, match=what):
        Binding(**({"host": "127.0.0.1", "port": 0, "units": {1: Meter()}} | settings))


def test_windows_and_regions_must_not_overlap(simulation):
    twice = Meter(windows=(RecordWindow(), RecordWindow()))
    with pytest.raises(TwinError, match="0x8e00 belongs to two"):
        ModbusServer([Binding("127.0.0.1", 0, {1: twice})], simulation.submit)
    regions = Meter(write_regions=((RegisterBlock(0, 5),), (RegisterBlock(4, 1),)))
    with pytest.raises(TwinError, match="0x0004 belongs to two"):
        ModbusServer([Binding("127.0.0.1", 0, {1: regions})], simulation.submit)


def test_serves_an_image_of_shared_memory(serve):
    """The product's own registers behind the product's own server."""
    with RegisterImage([RegisterBlock(0x4000, 6)]) as image:
        image.publish(
            np.frombuffer(octets("42 48 00 00 42 C7 CC CD 42 C8 33 33"), ">u2").astype(np.uint16), 1
        )
        server = serve(Binding("127.0.0.1", 0, {17: Meter(image=image)}))
        with Master(server.addresses[0]) as master:
            answer = master.ask(1, 17, read(0x4000, 6))
            assert answer == octets("03 0C 42 48 00 00 42 C7 CC CD 42 C8 33 33")
            image.publish(np.full(6, 0x8001, np.uint16), 2)
            assert master.ask(2, 17, read(0x4005, 1)) == registers(0x8001)
        server.stop()

"""Malformed and random frames: no crash, no hang, no wrong answer, and nothing grows.

A few thousand with every run, a million of each kind by ``make test-all``.
"""

import asyncio
import gc
import os
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.protocols.lines import VirtualLoop, Wire
from tests.protocols.malformed import Malformer, check_pdu, check_tcp_answers, real_meter
from tests.protocols.masters import Master, octets, read
from twin.protocols import Binding, ModbusServer
from twin.protocols.carried_out import WriteContext
from twin.protocols.modbus_rtu import RtuLine, Station
from twin.protocols.rtu_framing import LONGEST, crc16, encode_frame
from twin.protocols.serial_format import SerialFormat
from twin.protocols.served_port import ServedDevice

COUNTS = [20_000, pytest.param(1_000_000, marks=[pytest.mark.exhaustive, pytest.mark.timeout(3600)])]
BURST = 50
GROWTH_BYTES = 8_000_000
"""Of the whole process with its meter, from the first fifth to the end."""


@pytest.fixture
def loop_factory():
    return asyncio.new_event_loop


class Growth:
    """What must not grow: open files, threads, memory."""

    def __init__(self) -> None:
        self.first = self._now()

    def _now(self):
        gc.collect()
        files = len(list(Path("/proc/self/fd").iterdir()))
        return files, threading.active_count(), psutil.Process().memory_info().rss

    def check(self) -> int:
        """Return the growth of memory [bytes], after checking all."""
        files, threads, memory = self._now()
        assert files <= self.first[0]
        assert threads <= self.first[1]
        assert memory - self.first[2] < GROWTH_BYTES
        return memory - self.first[2]


def send_burst(address, frames: bytes) -> int:
    """Send frames over one connection, as much of them as the server takes; return the answers."""
    with Master(address) as hostile:
        hostile.socket.settimeout(30)
        try:
            hostile.send(frames)
            hostile.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # closed by the server
        answers = bytearray()
        while True:
            try:
                piece = hostile.socket.recv(65536)
            except ConnectionResetError:
                return 0  # what was under way is lost with the connection
            if not piece:
                return check_tcp_answers(bytes(answers))
            answers += piece


@pytest.mark.parametrize("count", COUNTS)
def test_tcp(count, loop_factory, caplog, record_property):
    draw = Malformer(1)
    growth = None
    answers = sent = 0
    began = time.perf_counter()
    with (
        real_meter() as meter,
        ModbusServer(
            [Binding("127.0.0.1", 0, {1: meter.device})], meter.submit, loop_factory=loop_factory
        ) as server,
        Master(server.addresses[0]) as healthy,
    ):
        while sent < count:
            answers += send_burst(server.addresses[0], b"".join(draw.tcp() for _ in range(BURST)))
            sent += BURST
            if sent % 1000 == 0:
                assert healthy.ask(7, 1, read(0x4000, 72))[:2] == octets("03 90")
            if growth is None and sent >= count // 5:
                settle(server)
                growth = Growth()
        settle(server)
        grown = growth.check()
        assert meter.writes > count // 200
        assert server.statistics[0].requests > count // 10
    assert answers > count // 20
    assert [line for line in caplog.text.splitlines() if "failed" in line] == []
    tell(record_property, "TCP", sent, time.perf_counter() - began, grown)


def settle(server):
    """Wait until the healthy connection is the only one."""
    until = time.monotonic() + 10
    while server.statistics[0].connections > 1:
        assert time.monotonic() < until
        time.sleep(0.001)
    time.sleep(0.02)


@pytest.mark.parametrize("count", COUNTS)
def test_rtu(count, caplog, record_property):
    """On a clock of its own: a line at 19200 Bd would take days."""
    draw = Malformer(2)
    loop, growth = VirtualLoop(), None
    began = time.perf_counter()
    with real_meter() as meter:
        wire = Wire(loop)
        station = Station(ServedDevice(meter.device), meter.device.serial_ports[0])
        meter.set_port(17)
        line = RtuLine(WriteContext(loop, meter.submit, 1.0), [station], wire, SerialFormat())
        for sent in range(1, count + 1):
            line.receive(draw.rtu(17))
            loop.run_until(loop.now + draw.random.choice((0.0, 0.0, 0.001, 0.05, 0.4)))
            if sent % 100 == 0:
                check_line(meter, line, wire, loop)
            if growth is None and sent >= count // 5:
                growth = Growth()
        assert loop.pending == 0
        grown = growth.check()
        statistics = line.statistics
    assert statistics.requests > count // 20
    assert min(statistics.exceptions, statistics.broadcasts, statistics.foreign, line.dropped) > count // 200
    assert caplog.text == ""
    tell(record_property, "RTU", count, time.perf_counter() - began, grown)


def check_line(meter, line, wire, loop):
    """Check that the meter still answers."""
    loop.drain()
    wire.sent.clear()
    meter.set_port(17)
    line.receive(encode_frame(17, read(0x4000, 2)))
    loop.drain()
    answer = wire.take()
    assert len(answer) <= LONGEST
    assert crc16(answer[:-2]).to_bytes(2, "little") == answer[-2:]
    assert answer[:3] == octets("11 03 04")
    check_pdu(answer[1:-2])
    assert line.format == SerialFormat()


def tell(record_property, kind, count, seconds, grown):
    record_property("frames", count)
    if os.environ.get("TELL_FIGURES"):
        text = f"{kind}: {count:,} frames in {seconds:.1f} s, memory {grown / 1e6:+.1f} MB\n"
        os.write(2, text.encode())

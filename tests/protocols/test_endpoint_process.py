"""Endpoints in a process of their own: what masters see of it, its crashes, its end, what it leaves."""

import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from pymodbus.client import ModbusSerialClient

from tests.protocols.masters import (
    KW320_FUNCTIONS,
    Master,
    RecordWindow,
    Simulation,
    octets,
    read,
    registers,
    write,
)
from twin.contracts import Answer, Refusal, RegisterBlock, SerialPort
from twin.protocols import (
    Binding,
    EndpointProcess,
    EndpointProcessError,
    LineMember,
    PortInUseError,
    RegisterImageBank,
    SerialBinding,
    SerialFormat,
    ServerStateError,
)

BLOCKS = (RegisterBlock(0x1000, 20), RegisterBlock(0x4000, 125))
WORDS = 145


def record_windows(memory):
    """Return a window whose records begin with the number in the memory for logs."""

    class Window(RecordWindow):
        def read(self, cursor, address, count):
            words, after = super().read(cursor, address, count)
            return words + np.uint16(memory[0]), after

    return (Window(),)


@dataclass
class SharedMeter:
    bank: RegisterImageBank
    row: int
    name: str = "head"
    window_factory: object = record_windows
    write_regions: tuple = ((RegisterBlock(0x1000, 20),),)
    coils: tuple = ()
    inputs: tuple = ()
    serial_ports: tuple = ()
    function_codes: frozenset = KW320_FUNCTIONS
    windows: tuple = field(default=())

    @property
    def image(self):
        return self.bank.images[self.row]


@pytest.fixture
def bank():
    with RegisterImageBank(BLOCKS, 3, log_bytes=100) as bank:
        bank.publish(np.arange(3 * WORDS, dtype=np.uint16).reshape(3, WORDS), 1)
        yield bank


@pytest.fixture
def meters(bank):
    return [SharedMeter(bank, row, f"m{row}") for row in range(3)]


@pytest.fixture
def simulation():
    return Simulation()


@pytest.fixture
def serve(simulation, meters):
    started = []

    def start(*bindings, **options):
        chosen = bindings or [Binding("127.0.0.1", 0, {1: meter}) for meter in meters]
        process = EndpointProcess(chosen, simulation.submit, **options)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_masters_read_what_is_published_here(serve, bank):
    process = serve()
    assert process.pid not in {None, os.getpid()}
    for row, address in enumerate(process.addresses):
        with Master(address) as master:
            assert master.ask(1, 1, read(0x1000, 2)) == registers(row * WORDS, row * WORDS + 1)
            assert master.ask(2, 1, read(0x1014, 1)) == octets("83 02")
            assert master.ask(3, 9, read(0x1000, 1)) == octets("83 0B")
            bank.images[row].publish(np.full(WORDS, 7 + row, np.uint16), 2)
            assert master.ask(4, 1, read(0x407C, 1)) == registers(7 + row)


def test_units_and_their_check_go_along(serve, meters):
    units = {1: meters[0], 7: meters[1]}
    process = serve(Binding("127.0.0.1", 0, units, "any"), Binding("127.0.0.1", 0, {3: meters[0]}))
    with Master(process.addresses[0]) as master:
        assert master.ask(1, 7, read(0x1000, 1)) == registers(WORDS)
        assert master.ask(2, 200, read(0x1000, 1)) == registers(0)
    with Master(process.addresses[1]) as master:
        assert master.ask(1, 3, read(0x1000, 1)) == registers(0)


def test_writes_come_here_and_answers_go_back(serve, simulation):
    process = serve()
    with Master(process.addresses[1]) as master:
        assert master.ask(1, 1, write(0x1003, 5, 6)) == octets("10 10 03 00 02")
        (command,) = simulation.commands
        assert (command.source, command.target, command.verb) == ("modbus:m1", "m1", "write_registers")
        assert command.arguments == {"address": 0x1003, "words": (5, 6)}
        simulation.refuse(Refusal.ILLEGAL_VALUE)
        assert master.ask(2, 1, write(0x1003, 5)) == octets("90 03")
        assert master.ask(3, 1, write(0x4000, 5)) == octets("90 02")  # read-only: never comes here
        simulation.reaction = lambda command, future: future.set_exception(RuntimeError("no more"))
        assert master.ask(4, 1, write(0x1003, 5)) == octets("90 04")
    assert len(simulation.commands) == 3


def test_a_write_without_an_answer_is_busy_after_its_time(serve, simulation):
    process = serve(answer_timeout_s=0.2)
    simulation.hold()
    with Master(process.addresses[0]) as master:
        asked = time.monotonic()
        assert master.ask(1, 1, write(0x1000, 5)) == octets("90 06")
        assert 0.15 < time.monotonic() - asked < 2.0
        simulation.futures[0].set_result(Answer(1))  # too late: nobody is told
        assert master.ask(2, 1, read(0x1000, 1)) == registers(0)


def test_windows_read_the_published_logs_and_each_connection_has_its_place(serve, bank):
    process = serve()
    bank.log(1)[0] = 40
    with Master(process.addresses[1]) as one, Master(process.addresses[1]) as two:
        assert one.ask(1, 1, read(0x8E00, 4)) == registers(40, 40, 41, 42)
        assert one.ask(2, 1, read(0x8E00, 4)) == registers(41, 50, 51, 52)
        bank.log(1)[0] = 50
        assert two.ask(3, 1, read(0x8E00, 4)) == registers(50, 50, 51, 52)


def test_a_port_in_use_is_told_and_no_process_starts(serve, meters):
    before = psutil.Process().children()
    with socket.create_server(("127.0.0.1", 0)) as other:
        binding = Binding("127.0.0.1", other.getsockname()[1], {1: meters[0]})
        with pytest.raises(PortInUseError, match="for meter 'm0': the port is in use") as raised:
            serve(Binding("127.0.0.1", 0, {1: meters[1]}), binding)
    assert raised.value.binding is binding
    assert psutil.Process().children() == before


def test_a_process_that_cannot_start_is_told(serve, meters, capfd):
    before = psutil.Process().children()
    meters[0].window_factory = os.getpgid  # takes no memory
    with pytest.raises(EndpointProcessError, match="does not start: it ended by exit code 1"):
        serve()
    assert "TypeError" in capfd.readouterr().err
    assert psutil.Process().children() == before


def test_starts_once_stops_twice_and_leaves_nothing(serve, bank):
    gc.collect()  # what earlier tests left open is not counted
    before = len(list(Path("/dev/fd").iterdir()))
    process = serve()
    pid = process.pid
    with pytest.raises(ServerStateError):
        process.start()
    assert process.running
    with Master(process.addresses[0]) as master:
        process.stop()
        assert master.is_closed_by_server()
    process.stop()
    assert not process.running
    assert not psutil.pid_exists(pid)
    assert len(list(Path("/dev/fd").iterdir())) <= before
    with pytest.raises(ConnectionRefusedError):
        Master(process.addresses[0])


def test_an_interrupt_does_not_end_it(serve):
    process = serve()
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGTERM)
    with Master(process.addresses[0]) as master:
        assert master.ask(1, 1, read(0x1000, 1)) == registers(0)
    assert process.crashes == 0


def test_a_killed_process_is_replaced_on_the_same_ports(serve, bank, simulation, caplog):
    process = serve()
    address, first = process.addresses[0], process.pid
    with Master(address) as master:
        assert master.ask(1, 1, read(0x1000, 1)) == registers(0)
        bank.log(0)[0] = 9
        os.kill(first, signal.SIGKILL)
        assert master.is_closed_by_server()
    killed = time.monotonic()
    bank.publish(np.full((3, WORDS), 77, np.uint16), 2)  # the one who publishes does not notice
    with Master(address) as master:  # is not refused, not even at once
        assert master.ask(1, 1, read(0x1000, 1)) == registers(77)
        assert time.monotonic() - killed < 10.0  # on a busy machine
        assert master.ask(2, 1, read(0x8E00, 1)) == registers(9)
        assert master.ask(3, 1, write(0x1000, 5)) == octets("10 10 00 00 01")
    assert process.addresses[0] == address
    assert process.pid != first
    assert (process.crashes, len(simulation.commands)) == (1, 1)
    assert process.trouble == "the process of the endpoints died (signal 9); it serves again"
    assert "died (signal 9); it is started again at once, the simulation goes on" in caplog.text


def test_a_write_that_is_under_way_when_it_dies_is_carried_out_all_the_same(serve, simulation):
    process = serve()
    simulation.hold()
    with Master(process.addresses[0]) as master:
        master.send(octets("00 01 00 00 00 09 01 10 10 00 00 01 02 00 05"))
        simulation.wait_for(1)
        os.kill(process.pid, signal.SIGKILL)
        assert master.is_closed_by_server()
    with Master(process.addresses[0]) as master:
        assert master.ask(1, 1, read(0x1000, 1)) == registers(0)
        simulation.futures[0].set_result(Answer(1))  # to nobody
        assert master.ask(2, 1, read(0x1000, 1)) == registers(0)


def test_a_hung_process_is_replaced_and_the_one_who_publishes_does_not_notice(serve, bank, caplog):
    process = serve(silence_s=1.2)
    address, first = process.addresses[0], process.pid
    with Master(address) as master:
        assert master.ask(1, 1, read(0x1000, 1)) == registers(0)
        os.kill(first, signal.SIGSTOP)
        slowest = 0.0
        while process.crashes == 0:
            began = time.monotonic()
            bank.publish(np.full((3, WORDS), 55, np.uint16), 2)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.01)
        assert slowest < 0.5
        assert master.is_closed_by_server()
    with Master(address) as master:
        assert master.ask(1, 1, read(0x1000, 1)) == registers(55)
        assert master.ask(2, 1, write(0x1000, 5)) == octets("10 10 00 00 01")
    assert process.pid != first
    assert not psutil.pid_exists(first)
    assert process.trouble == (
        "the process of the endpoints hung (silent for 1.2 s) and was ended; it serves again"
    )
    assert "is started again at once, the simulation goes on" in caplog.text


def test_a_write_that_waits_for_the_next_process_does_not_disturb_its_start(serve, simulation):
    process = serve()
    os.kill(process.pid, signal.SIGKILL)
    with Master(process.addresses[0]) as master:  # its write is read before anything else
        assert master.ask(1, 1, write(0x1000, 5)) == octets("10 10 00 00 01")
    until(lambda: process.trouble.endswith("serves again"))
    assert (process.crashes, len(simulation.commands)) == (1, 1)


def test_a_process_that_stops_for_a_moment_goes_on(serve):
    process = serve(silence_s=1.2)
    first = process.pid
    os.kill(first, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(first, signal.SIGCONT)
    time.sleep(1.5)
    with Master(process.addresses[0]) as master:
        assert master.ask(1, 1, read(0x1000, 1)) == registers(0)
    assert (process.pid, process.crashes) == (first, 0)


def test_repeated_crashes_wait_longer_and_longer(serve, caplog):
    process = serve()
    caplog.set_level(logging.ERROR)
    for crash in range(1, 4):
        until(lambda crash=crash: crash == 1 or process.trouble.endswith("serves again"))
        with Master(process.addresses[0]) as master:
            assert master.ask(1, 1, read(0x1000, 1)) == registers(0)
        os.kill(process.pid, signal.SIGKILL)
        until(lambda crash=crash: process.crashes == crash)
    assert process.trouble.startswith("the process of the endpoints died (signal 9), for the 3. time")
    waits = [record.getMessage().split("started again ")[1].split(",")[0] for record in caplog.records]
    assert waits == ["at once", "in 0.25 s", "in 0.5 s"]
    stopping = time.monotonic()
    process.stop()  # also while it waits
    assert time.monotonic() - stopping < 2.0


SITE = """
import os, sys, time
import numpy as np
from tests.protocols.test_endpoint_process import BLOCKS, WORDS, SharedMeter
from tests.protocols.masters import Simulation
from twin.protocols import Binding, EndpointProcess, RegisterImageBank
bank = RegisterImageBank(BLOCKS, 1, log_bytes=4096)
process = EndpointProcess([Binding("127.0.0.1", 0, {1: SharedMeter(bank, 0)})], Simulation().submit)
process.start()
print(process.pid, process.addresses[0][1], flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_site_however_that_ends(number):
    before = set(Path("/dev/shm").iterdir())
    site = subprocess.Popen(
        [sys.executable, "-c", SITE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    pid, port = map(int, site.stdout.readline().split())
    child = psutil.Process(pid)
    with Master(("127.0.0.1", port)) as master:
        assert master.ask(1, 1, read(0x1000, 1)) == registers(0)
        site.send_signal(number)
        assert master.is_closed_by_server()
    out, err = site.communicate(timeout=10)
    assert (out, err) == ("", "")
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    with pytest.raises(ConnectionRefusedError):
        Master(("127.0.0.1", port))
    assert set(Path("/dev/shm").iterdir()) <= before


def test_a_serial_line_outlives_the_process(serve, meters, bank):
    """The site keeps the device open: a master that has it open goes on after a crash."""
    port = SerialPort(address=0x1000, baud_rate=0x1001, parity=0x1002, formats=("8N1",))
    words = np.tile(np.arange(WORDS, dtype=np.uint16), (3, 1))
    words[:, :3] = [[unit, 19200, 0] for unit in (1, 2, 3)]
    bank.publish(words, 2)
    members = tuple(LineMember(replace(meter, serial_ports=(port,))) for meter in meters)
    process = serve(
        Binding("127.0.0.1", 0, {1: members[0].device}),
        lines=[SerialBinding("pty", members, SerialFormat())],
    )
    with ModbusSerialClient(process.line_paths[0], baudrate=19200, timeout=0.5, retries=20) as master:
        for unit in (1, 2, 3):
            answer = master.read_holding_registers(0x1000, count=3, device_id=unit)
            assert answer.registers == [unit, 19200, 0]
        first = process.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: process.pid not in {None, first})
        assert not master.write_registers(0x1005, [4], device_id=2).isError()

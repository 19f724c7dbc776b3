"""Real serial devices and pairs, with independent masters at the other end."""

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pymodbus.client import ModbusSerialClient

from tests.protocols.lines import PORT, serial_words
from tests.protocols.masters import Meter, Registers, Simulation, octets
from twin.contracts import RegisterBlock
from twin.protocols import (
    BindingError,
    LineMember,
    ModbusServer,
    SerialBinding,
    SerialDeviceError,
    SerialFormat,
)
from twin.protocols.rtu_framing import encode_frame
from twin.protocols.serial_binding import close_lines, open_lines
from twin.protocols.serial_device import baud_rate_of, open_serial

MBPOLL = shutil.which("mbpoll")


def meter(unit: int, **serial) -> Meter:
    words = serial_words(unit, **serial) | dict.fromkeys(range(0x4000, 0x407D), unit)
    regions = ((RegisterBlock(0x0FFE, 5),), (RegisterBlock(0x4048, 2),))
    return Meter(f"m{unit}", Registers(words), write_regions=regions, serial_ports=(PORT,))


class Site:
    """Carries out what masters write to any of some meters."""

    def __init__(self, meters) -> None:
        self.by_name = {each.name: Simulation(each) for each in meters}

    def submit(self, command):
        return self.by_name[command.target].submit(command)


@pytest.fixture
def serve(loop_factory):
    """Return a function that serves meters on one line; it returns the path that a master opens."""
    undo = []

    def start(*meters, device="pty", serial_format=None):
        members = tuple(LineMember(each) for each in meters)
        binding = SerialBinding(device, members, serial_format or SerialFormat())
        (opened,) = open_lines([binding])
        server = ModbusServer([], Site(meters).submit, loop_factory=loop_factory, lines=[(binding, opened)])
        server.start()
        undo.append((server, opened))
        return opened.path

    yield start
    for server, opened in undo:
        server.stop()
        opened.close()


@pytest.fixture
def master():
    clients = []

    def connect(path, **options):
        client = ModbusSerialClient(path, **({"baudrate": 19200, "timeout": 2, "retries": 0} | options))
        assert client.connect()
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def registers_of(client, unit, address=0x4000, count=1):
    return client.read_holding_registers(address, count=count, device_id=unit).registers


def test_pymodbus_reads_and_writes_several_meters(serve, master):
    client = master(serve(*(meter(unit) for unit in (1, 2, 17))))
    for unit in (17, 1, 2):
        assert registers_of(client, unit, count=125) == [unit] * 125
    assert not client.write_registers(0x4048, [0x0A9D, 0x4089], device_id=17).isError()
    assert registers_of(client, 17, 0x4048, 2) == [0x0A9D, 0x4089]
    assert client.read_holding_registers(0, device_id=2).exception_code == 2
    assert client.write_registers(0x4000, [1], device_id=2).exception_code == 2


def test_pymodbus_gives_a_meter_another_address_and_speed(serve, master):
    path = serve(meter(1))
    client = master(path)
    assert not client.write_registers(0x1001, [5, 9600], device_id=1).isError()  # answered at 19200 Bd by 1
    client.close()
    client = master(path, baudrate=9600)
    assert registers_of(client, 5, 0x1001, 2) == [5, 9600]
    client.close()
    deaf = master(path, baudrate=19200, timeout=0.3)
    with pytest.raises(Exception, match="No response"):
        registers_of(deaf, 5)


def test_pymodbus_broadcasts(serve, master):
    client = master(serve(meter(1), meter(2)))
    client.write_registers(0x4048, [7, 8], device_id=0, no_response_expected=True)
    time.sleep(0.1)
    for unit in (1, 2):
        assert registers_of(client, unit, 0x4048, 2) == [7, 8]


def test_answers_take_the_time_of_a_real_line(serve, master):
    """125 registers at 4800 Bd are 8 + 255 characters of 10 bits: 548 ms."""
    client = master(serve(meter(1, baud_rate=4800), serial_format=SerialFormat(4800)), baudrate=4800)
    began = time.monotonic()
    assert registers_of(client, 1, count=125) == [1] * 125
    assert time.monotonic() - began >= 0.548


@pytest.mark.skipif(MBPOLL is None, reason="mbpoll is not installed (apt-get install mbpoll)")
@pytest.mark.parametrize("parity", ["none", "even"])
def test_mbpoll_over_a_serial_line(serve, parity):
    path = serve(meter(17))
    arguments = ["-m", "rtu", "-b", "19200", "-P", parity, "-0", "-1", "-a", "17", "-r", "16384", "-c", "125"]
    done = subprocess.run(
        [str(MBPOLL), *arguments, path], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    values = [line.split("\t")[1].strip() for line in done.stdout.splitlines() if line.startswith("[")]
    assert values == ["17"] * 125


@pytest.mark.skipif(MBPOLL is None, reason="mbpoll is not installed (apt-get install mbpoll)")
def test_mbpoll_hears_nothing_of_another_unit(serve):
    arguments = ["-m", "rtu", "-b", "19200", "-P", "none", "-0", "-1", "-o", "0.2", "-a", "9", "-r", "16384"]
    done = subprocess.run(
        [str(MBPOLL), *arguments, serve(meter(17))], capture_output=True, text=True, timeout=30, check=False
    )
    assert "timed out" in done.stdout + done.stderr


def test_a_device_that_is_not_ours_is_served_and_set(serve):
    """A pair that the server takes for a serial port of the machine."""
    wire, port = os.openpty()
    try:
        path = os.ttyname(port)
        assert serve(meter(3), device=path, serial_format=SerialFormat(9600, "8E1")) == path
        os.write(wire, encode_frame(3, octets("03 40 00 00 01")))
        assert os.read(wire, 100) == encode_frame(3, octets("03 02 00 03"))
        assert baud_rate_of(port) == 19200  # as the meter is, whatever the scenario said
        os.write(wire, encode_frame(3, octets("10 10 02 00 01 02 25 80")))
        assert os.read(wire, 100) == encode_frame(3, octets("10 10 02 00 01"))
        until = time.monotonic() + 10
        while baud_rate_of(port) != 9600:
            assert time.monotonic() < until
            time.sleep(0.001)
    finally:
        os.close(wire)
        os.close(port)


def test_raw_bytes(serve):
    """A program that opens the device and sets nothing is heard as well."""
    descriptor = os.open(serve(meter(17)), os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(descriptor, octets("FF 11 03"))
        time.sleep(0.05)
        os.write(descriptor, octets("11 03 40 00 00 01 93 5A"))
        expected = encode_frame(17, octets("03 02 00 11"))
        answer = b""
        while len(answer) < len(expected):
            answer += os.read(descriptor, 100)
        assert answer == expected
    finally:
        os.close(descriptor)


@pytest.mark.skipif(MBPOLL is None, reason="mbpoll is not installed (apt-get install mbpoll)")
@pytest.mark.parametrize("early", [0.0, 0.3])
def test_an_answer_that_nobody_read_is_not_the_next_masters(serve, early):
    """A program asks and ends, before the answer or after it; libmodbus would take what is left."""
    path = serve(meter(1), meter(2))
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    os.write(descriptor, encode_frame(1, octets("03 40 00 00 7D")))
    time.sleep(early)
    os.close(descriptor)
    time.sleep(0.3)
    arguments = ["-m", "rtu", "-b", "19200", "-P", "none", "-0", "-1", "-a", "2", "-r", "16384"]
    done = subprocess.run(
        [str(MBPOLL), *arguments, path], capture_output=True, text=True, timeout=30, check=False
    )
    assert "[16384]: \t2\n" in done.stdout, done.stderr


def test_a_master_that_reads_late_gets_all_answers(serve):
    descriptor = os.open(serve(meter(1)), os.O_RDWR | os.O_NOCTTY)
    try:
        for _ in range(3):
            os.write(descriptor, encode_frame(1, octets("03 40 00 00 01")))
            time.sleep(0.1)
        assert os.read(descriptor, 100) == 3 * encode_frame(1, octets("03 02 00 01"))
    finally:
        os.close(descriptor)


def test_a_link_to_the_pair_comes_and_goes(tmp_path):
    link = tmp_path / "ttyMETER"
    device = open_serial(f"pty:{link}", SerialFormat())
    assert link.readlink() == Path(device.path)
    device.close()
    assert not link.is_symlink()
    link.symlink_to("/dev/pts/9999")  # left by a run that was killed
    open_serial(f"pty:{link}", SerialFormat()).close()
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("/dev/ttyNONE", "cannot serve on '/dev/ttyNONE': No such file or directory; plug it in"),
        ("/dev/null", "cannot serve on '/dev/null': it is no serial device; name a serial device"),
        ("pty:/nowhere/at/all", "cannot serve on 'pty:/nowhere/at/all': No such file"),
    ],
)
def test_devices_that_cannot_be_used(device, message):
    with pytest.raises(SerialDeviceError) as error:
        open_serial(device, SerialFormat())
    assert str(error.value).startswith(message)
    assert error.value.device == device


def test_a_file_in_the_way_of_a_link_stays(tmp_path):
    (tmp_path / "tty").write_text("mine")
    with pytest.raises(SerialDeviceError, match="choose another path for the link"):
        open_serial(f"pty:{tmp_path / 'tty'}", SerialFormat())
    assert (tmp_path / "tty").read_text() == "mine"


def test_all_lines_are_opened_or_none():
    def files():
        return len(list(Path("/proc/self/fd").iterdir()))

    before = files()
    members = (LineMember(meter(1)),)
    lines = [SerialBinding(device, members, SerialFormat()) for device in ("pty", "/dev/ttyNONE")]
    with pytest.raises(SerialDeviceError):
        open_lines(lines)
    assert files() == before
    close_lines(open_lines(lines[:1]))
    assert files() == before


def test_a_meter_without_the_port():
    with pytest.raises(BindingError, match="'m1' has no serial port 2; it has 1"):
        SerialBinding("pty", (LineMember(meter(1), 2),), SerialFormat())
    with pytest.raises(BindingError, match="no serial port 1; serve it over TCP"):
        SerialBinding("pty", (LineMember(replace(meter(1), serial_ports=())),), SerialFormat())
    with pytest.raises(BindingError, match="no meter on its line"):
        SerialBinding("pty", (), SerialFormat())

"""Independent masters set up a data log over a socket and retrieve it, from another process."""

import shutil
import struct
import subprocess
from concurrent.futures import Future

import pytest
from pymodbus.client import ModbusTcpClient

from tests.meters.data_log_site import FRAMES, MINUTE, retrieve
from tests.meters.kw320_site import AMPERES, PT, START, VOLTS, rms, segment
from twin.meters import MeterConfig, build_fleet
from twin.protocols import Binding, EndpointProcess
from twin.simulation.publishing import Publisher

MBPOLL = shutil.which("mbpoll")
SHAPE = {"pt1": 20_000, "pt2": 100, "ct1": 200, "ct2": 5, "accuracy": "ideal"}


class Site:
    """A fleet that is published; masters' writes are carried out as they come, time passes as it is told."""

    def __init__(self):
        configs = [MeterConfig(name="plain", profile="kw320", **SHAPE), MeterConfig(name="quality", **SHAPE)]
        self.fleet = build_fleet(configs, start_ns=START)
        self.segment = segment([*VOLTS, *AMPERES, *VOLTS, *AMPERES], [], start_ns=START)
        self.publisher = Publisher(self.fleet, self.fleet.names)
        self.run(START)

    def run(self, until_ns):
        self.fleet.advance(self.segment, until_ns)
        self.publisher.publish(until_ns)

    def submit(self, command):
        future = Future()
        meter = self.fleet.index(command.target)
        answer = self.fleet.write(
            meter, command.arguments["address"], command.arguments["words"], self.fleet.now_ns
        )
        self.publisher.publish_one(command.target, self.fleet.now_ns)
        future.set_result(answer)
        return future


@pytest.fixture
def site():
    site = Site()
    yield site
    site.publisher.close()


@pytest.fixture
def address(site):
    binding = Binding("127.0.0.1", 0, dict(enumerate(site.publisher.meters, start=1)))
    process = EndpointProcess([binding], site.submit)
    process.start()
    yield process.addresses[0]
    process.stop()


@pytest.fixture
def client(address):
    with ModbusTcpClient(address[0], port=address[1]) as client:
        yield client


def session(client, unit):
    """Return how one master reads and writes one meter."""

    def read(address, count):
        answer = client.read_holding_registers(address, count=count, device_id=unit)
        assert not answer.isError()
        return answer.registers

    def write(address, words):
        assert not client.write_registers(address, words, device_id=unit).isError()

    return read, write


@pytest.mark.parametrize("unit", [1, 2])
def test_pymodbus_sets_up_and_retrieves(site, client, unit):
    read, write = session(client, unit)
    for address, words in FRAMES:
        write(address, words)
        assert read(address, len(words)) == words
    assert read(0x6001, 1)[0] == 0xBB
    site.run(START + 25 * MINUTE)
    records = retrieve(read, write)
    assert [record.number for record in records] == list(range(1, 26))
    assert [record.stamp for record in records] == [(26, 1, 15, 6, minute, 0) for minute in range(1, 26)]
    for record in records:
        assert record.floats == pytest.approx([rms(volts) / PT for volts in VOLTS], rel=1e-6)
    assert read(0x6100, 12)[:5] == [0, 27300, 0, 25, 24]


def test_each_master_has_its_own_place(site, address):
    with (
        ModbusTcpClient(address[0], port=address[1]) as one,
        ModbusTcpClient(address[0], port=address[1]) as two,
    ):
        (read_one, write_one), (read_two, write_two) = session(one, 1), session(two, 1)
        for where, words in FRAMES:
            write_one(where, words)
        site.run(START + 25 * MINUTE)
        write_one(0x6000, [0, 0x0A0B, 0, 10])
        write_two(0x6000, [0, 0x010B, 0, 3])
        assert read_one(0x6004, 2) == [0, 11]
        assert read_two(0x6004, 2) == [0, 4]


def test_refusals_reach_the_master(client):
    for address, words, code in (
        (0x1100, [118 << 8], 3),
        (0x1101, [1441], 3),
        (0x1176, [0] * 75, 2),  # into log 2
        (0x6000, [3], 3),
        (0x6004, [0], 2),
        (0x6100, [0], 2),
    ):
        answer = client.write_registers(address, words, device_id=1)
        assert (answer.isError(), answer.exception_code) == (True, code), hex(address)
    assert client.read_holding_registers(0x6000, count=125, device_id=1).registers[0] == 0
    assert client.read_holding_registers(0x607E, count=2, device_id=1).exception_code == 2


@pytest.mark.skipif(MBPOLL is None, reason="mbpoll is not installed (apt-get install mbpoll)")
def test_mbpoll_reads_status_and_a_record(site, client, address):
    """Each call of the program is a session of its own, which has asked for nothing."""
    _, write = session(client, 1)
    for where, words in FRAMES:
        write(where, words)
    site.run(START + 3 * MINUTE)
    shown = subprocess.run(
        [str(MBPOLL), "-m", "tcp", "-p", str(address[1]), "-0", "-1", "-a", "1", "-t", "4:hex",
         "-r", str(0x6100), "-c", "12", "127.0.0.1"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    words = [int(line.split("\t")[1], 16) for line in shown.stdout.splitlines() if line.startswith("[")]
    assert words[:6] == [0, 27300, 0, 3, 24, 0]
    assert struct.pack(">6H", *words[6:]) == bytes([26, 1, 15, 6, 1, 0, 26, 1, 15, 6, 3, 0])

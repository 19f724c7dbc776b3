"""An independent master: mbpoll, built on libmodbus, run as a program."""

import shutil
import struct
import subprocess

import pytest

from tests.protocols.masters import Registers
from twin.contracts import Refusal
from twin.protocols import Binding

MBPOLL = shutil.which("mbpoll")
pytestmark = pytest.mark.skipif(MBPOLL is None, reason="mbpoll is not installed (apt-get install mbpoll)")


def mbpoll(address: tuple[str, int], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(MBPOLL), "-m", "tcp", "-p", str(address[1]), "-0", "-1", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def values(result: subprocess.CompletedProcess) -> list[str]:
    assert result.returncode == 0, result.stderr
    return [line.split("\t")[1].strip() for line in result.stdout.splitlines() if line.startswith("[")]


def test_reads_125_registers(address):
    result = mbpoll(address, "-a", "1", "-r", str(0x4000), "-c", "125", "127.0.0.1")
    assert [int(value.split()[0]) for value in values(result)] == list(range(0x4000, 0x407D))


def test_reads_floats_high_word_first(serve, meter):
    """50.00 Hz, 99.9 V, 100.1 V: the manual's example."""
    words = struct.unpack(">6H", struct.pack(">3f", 50.0, 99.9, 100.1))
    meter.image = Registers(dict(zip(range(0x4000, 0x4006), words, strict=True)))
    server = serve(Binding("127.0.0.1", 0, {17: meter}))
    result = mbpoll(
        server.addresses[0], "-a", "17", "-t", "4:float", "-B", "-r", str(0x4000), "-c", "3", "127.0.0.1"
    )
    assert [float(value) for value in values(result)] == pytest.approx([50.0, 99.9, 100.1], rel=1e-5)


def test_writes_and_reads_back(address, simulation):
    result = mbpoll(address, "-a", "1", "-r", str(0x1008), "127.0.0.1", "500", "5")
    assert "Written 2 references" in result.stdout, result.stderr
    assert simulation.commands[0].arguments == {"address": 0x1008, "words": (500, 5)}
    assert values(mbpoll(address, "-a", "1", "-r", str(0x1008), "-c", "2", "127.0.0.1")) == ["500", "5"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-a", "1", "-r", "0", "-c", "1"), "Illegal data address"),
        (("-a", "1", "-t", "3", "-r", "16384", "-c", "1"), "Illegal function"),
        (("-a", "9", "-r", "16384", "-c", "1"), "Target device failed to respond"),
    ],
)
def test_understands_exceptions(address, arguments, complaint):
    result = mbpoll(address, *arguments, "127.0.0.1")
    assert complaint in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("refusal", "complaint"),
    [
        (Refusal.ILLEGAL_VALUE, "Illegal data value"),
        (Refusal.SEALED, "Illegal data value"),
        (Refusal.BUSY, "busy"),
        (Refusal.UNKNOWN_TARGET, "Slave device or server failure"),
    ],
)
def test_understands_refusals(address, simulation, refusal, complaint):
    simulation.refuse(refusal)
    result = mbpoll(address, "-a", "1", "-r", str(0x1008), "127.0.0.1", "500", "5")
    assert complaint in result.stderr + result.stdout

"""Another independent master: modpoll, which reads a list from a file, over TCP and a serial line."""

import json
import shutil
import struct
import subprocess

import pytest

from tests.protocols.lines import PORT, serial_words
from tests.protocols.masters import Meter, Registers, Simulation
from twin.protocols import Binding, LineMember, ModbusServer, SerialBinding, SerialFormat
from twin.protocols.serial_device import open_serial

MODPOLL = shutil.which("modpoll")
pytestmark = pytest.mark.skipif(
    MODPOLL is None,
    reason="modpoll is not installed (in an environment of its own: pip install modpoll pyserial)",
)

LIST = """
device,head,17,,
poll,holding_register,16384,8,BE_BE
ref,frequency,16384,float32,r
ref,v1,16386,float32,r
ref,v2,16388,float32,r
ref,energy,16390,uint32,r
"""


@pytest.fixture
def meter():
    """The manual's example, 50.00 Hz, 99.9 V, 100.1 V, and its energy of 17,807,783.3 kWh in tenths."""
    packed = struct.pack(">3fI", 50.0, 99.9, 100.1, 178_077_833)
    words = dict(zip(range(0x4000, 0x4008), struct.unpack(">8H", packed), strict=True))
    return Meter(image=Registers(words | serial_words(17)), serial_ports=(PORT,))


def modpoll(folder, *where) -> dict[str, float]:
    (folder / "list.csv").write_text(LIST.strip() + "\n", encoding="utf-8")
    out = folder / "values.json"
    done = subprocess.run(
        [str(MODPOLL), "-1", "-f", str(folder / "list.csv"), "-o", str(out), *where],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    read: dict[str, float] = json.loads(out.read_text(encoding="utf-8"))["head"]
    return read


def check(values):
    assert values == {
        "frequency": 50.0,
        "v1": pytest.approx(99.9, rel=1e-7),
        "v2": pytest.approx(100.1, rel=1e-7),
        "energy": 178_077_833,
    }


def test_over_tcp(meter, tmp_path):
    with ModbusServer([Binding("127.0.0.1", 0, {17: meter})], Simulation().submit) as server:
        host, port = server.addresses[0]
        check(modpoll(tmp_path, "--tcp", host, "--tcp-port", str(port)))


def test_over_a_serial_line(meter, tmp_path):
    line = SerialBinding("pty", (LineMember(meter),), SerialFormat())
    device = open_serial(line.device, line.format)
    try:
        with ModbusServer([], Simulation().submit, lines=[(line, device)]):
            check(modpoll(tmp_path, "--rtu", device.path, "--rtu-baud", "19200"))
    finally:
        device.close()

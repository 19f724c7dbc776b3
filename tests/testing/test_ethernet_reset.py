"""Register 101AH of the KW320: its Ethernet module goes down and comes back, the meter lives on."""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.sites import SCENARIO, write_site
from twin.testing import SiteUnderTest

SITE = SCENARIO.split("events:", maxsplit=1)[0] + "dashboard: null\n"


def ask(line: socket.socket, request: bytes) -> bytes:
    """Send one request of unit 1 and return what follows the unit in the answer; empty at the end of the
    line."""
    line.sendall(struct.pack(">HHHB", 7, 0, 1 + len(request), 1) + request)
    return line.recv(300)[7:]


@pytest.mark.parametrize("value", [1, 2])
def test_the_module_resets_once_it_has_answered(
    tmp_path: Path, twin_site: Callable[[Path], SiteUnderTest], value: int
) -> None:
    site = twin_site(write_site(tmp_path, scenario=SITE))
    where = (site.endpoints["home"].host, site.endpoints["home"].port)
    write = struct.pack(">BHHBH", 16, 0x101A, 1, 2, value)
    read = struct.pack(">BHH", 3, 0x101A, 1)
    with socket.create_connection(where, timeout=5) as line:
        assert ask(line, struct.pack(">BHHBH", 16, 0x101A, 1, 2, 3)) == b"\x90\x03"
        assert ask(line, write) == write[:5]
        assert ask(line, read) == b"\x03\x02\x00\x00", "it reads as no order"
        site.step("0.5 s")
        with suppress(ConnectionResetError):  # closed, one way or the other
            assert line.recv(1) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(where, timeout=5)
    energy = site.read("home", "ep_imp")
    site.step("6 s")
    with socket.create_connection(where, timeout=5) as line:
        assert ask(line, read) == b"\x03\x02\x00\x00"
    assert site.read("home", "ep_imp") >= energy
    told = [entry for entry in site.recording.truth() if entry.kind.startswith("communication")]
    assert [(entry.kind, entry.element) for entry in told] == [
        *(("communication_fault", "home"), ("communication_fault_cleared", "home"))
    ]
    assert told[1].time_ns - told[0].time_ns == 5_000_000_000

"""A master's alarms on lost communication, tested and graded: the endpoints fail as the scenario says."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from tests.protocols.masters import Master, frame, is_turned_away, read
from tests.sites import SCENARIO, write_site
from twin.alarming.journal import journal_csv
from twin.cli.command import main
from twin.testing import SiteRefusedError, SiteUnderTest

QUIET = SCENARIO.split("events:", maxsplit=1)[0] + "dashboard: null\n"
EVENTS = """
events:
  - {event: communication_fault, at: "18:00:10", name: wan, meters: [home], lost_answers: 100 %,
     clear_after: 10 s}
  - {event: communication_fault, at: "18:01:00", name: restart, meters: [home], reboot: 15 s}
"""
RULES = """
version: 1
sources: [{name: home}, {name: head}]
alarms:
  - {name: HOME_LOST, source: home, priority: high, when: {communication: {failures: 3}}}
  - {name: HEAD_LOST, source: head, priority: high, when: {communication: {failures: 3}}}
"""
MAP = """
version: 1
poll: 1 s
latency: 4 s
alarms:
  - source: home
    condition: HOME_LOST
    truth:
      begins: {kind: communication_fault, element: home}
      ends: {kind: communication_fault_cleared, element: home}
  - source: head
    condition: HEAD_LOST
    truth:
      begins: {kind: communication_fault, element: head}
      ends: {kind: communication_fault_cleared, element: head}
"""
Start = Callable[[Path], SiteUnderTest]


@pytest.fixture
def site(tmp_path: Path, twin_site: Start) -> SiteUnderTest:
    """The little site, on which nothing happens of itself."""
    return twin_site(write_site(tmp_path, scenario=QUIET))


def address(site: SiteUnderTest, meter: str) -> tuple[str, int]:
    """Return host and port."""
    found = site.endpoints[meter]
    return found.host, found.port


def test_alarms_on_lost_communication_are_graded(tmp_path: Path, twin_site: Start) -> None:
    """Three failures in a row, twice: answers that are lost, then a reboot; the other meter is well."""
    site = twin_site(write_site(tmp_path, scenario=QUIET + EVENTS))
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    alarms = site.watch(rules, timeout="300 ms")
    site.step("9 s")
    alarms.assert_active()
    site.step("6 s")
    alarms.assert_active("HOME_LOST")
    site.step("20 s")
    alarms.assert_active()
    site.step("30 s")
    alarms.assert_active("HOME_LOST")
    site.step("30 s")
    alarms.assert_sequence(*2 * ("HOME_LOST active", "HOME_LOST return"))
    journal, alarm_map = tmp_path / "journal.csv", tmp_path / "map.yaml"
    alarm_map.write_text(MAP, encoding="utf-8")
    graded = ["grade", str(site.recording.path), "--alarms", str(journal), "--map", str(alarm_map)]
    journal.write_text(journal_csv(alarms.journal), encoding="utf-8")
    assert main(graded) == 0
    journal.write_text(journal_csv(alarms.journal[2:]), encoding="utf-8")
    assert main(graded) == 1  # the first loss is missed


def test_a_fault_holds_when_its_command_is_answered(site: SiteUnderTest) -> None:
    """No waiting, in paused time: what is injected holds for the next request, and so does its end."""
    host, port = address(site, "home")
    client = ModbusTcpClient(host, port=port, timeout=2, retries=0)
    try:
        for number in range(5):
            site.communication_fault(f"f{number}", meters=["home"], exception={"code": 6})
            assert client.read_holding_registers(0x4000, count=2, device_id=1).exception_code == 6
            site.clear(f"f{number}")
            assert not client.read_holding_registers(0x4000, count=2, device_id=1).isError()
        site.communication_fault("quiet", meters=["home"], lost_answers="100 %")
        with pytest.raises(ModbusIOException):
            client.read_holding_registers(0x4000, count=2, device_id=1)
    finally:
        client.close()


def test_a_reboot_cuts_connections_and_refuses_new_ones(site: SiteUnderTest) -> None:
    home, head = address(site, "home"), address(site, "head")
    with Master(home) as master, Master(head) as other:
        master.ask(1, 1, read(0x4000, 2))
        site.communication_fault("restart", meters=["home"], reboot="20 s")
        assert master.is_closed_by_server()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(home, timeout=5)
        other.ask(1, 1, read(0x4000, 2))
    site.step("21 s")
    with Master(home) as master:
        assert master.ask(1, 1, read(0x4000, 2))[0] == 3


def test_faults_outlive_a_crash_of_the_endpoints(site: SiteUnderTest) -> None:
    """What holds is told to the next process before it serves."""
    site.communication_fault("busy", meters=["home"], exception={"code": 6})
    site.communication_fault("door", meters=["head"], refuse=True)
    process = site._endpoints.process
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 30
    while process.pid in {None, pid} and time.monotonic() < until:
        time.sleep(0.01)
    with Master(address(site, "home")) as master:
        assert master.ask(1, 1, read(0x4000, 2)) == b"\x83\x06"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(site, "head"), timeout=5)
    site.clear("door")
    with Master(address(site, "head")) as master:
        master.send(frame(1, 1, read(0x4000, 2)))
        assert len(master.answer()) == 13


def test_wrong_faults_are_refused(site: SiteUnderTest) -> None:
    with pytest.raises(SiteRefusedError, match="nothing goes wrong"):
        site.communication_fault("none", meters=["home"])
    with pytest.raises(SiteRefusedError, match="there is no fault"):
        site.clear("none")


def test_what_an_endpoint_always_has(tmp_path: Path, twin_site: Start) -> None:
    scenario = QUIET.replace("{port: 0}", "{port: 0, connections: 1, latency: 30..40 ms}", 1)
    site = twin_site(write_site(tmp_path, scenario=scenario))
    with Master(address(site, "head")) as first:
        began = time.monotonic()
        first.ask(1, 1, read(0x4000, 2))
        assert time.monotonic() - began >= 0.028  # event loops keep time by the millisecond
        assert is_turned_away(address(site, "head"))

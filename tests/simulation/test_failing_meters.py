"""Defects: one in a meter's own code costs the order that it was met over, one of the engine the site."""

import socket
import struct
import subprocess
import sys

import pytest

from tests.cli.test_serve import ask
from tests.simulation.test_live import do, until
from tests.sites import SCENARIO, write_site
from twin.contracts import Command
from twin.meters.bank import MeterBank
from twin.meters.kw320.image import ImageLayout
from twin.meters.kw320.io_fleet import FleetIo
from twin.meters.kw320.meter import Kw320Meter
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.commands import SimulationEndedError
from twin.simulation.live import SimulationBrokenError
from twin.testing import SiteUnderTest

S = 10**9
DEMAND_WINDOW = 0x100D
SECOND = 0x1045
"""The demand window and the clock's seconds (KW320 manual 6.3.3)."""

WITH_RELAY = SCENARIO.replace(
    "    ct: 100:5\n    endpoint",
    "    ct: 100:5\n    io: {modules: [io11]}\n    endpoint",
).split("events:", maxsplit=1)[0]


def write(connection, address, *words):
    pdu = struct.pack(f">BHHB{len(words)}H", 16, address, len(words), 2 * len(words), *words)
    return ask(connection, 1, 1, pdu)


def read(connection, address, count=1):
    answer = ask(connection, 2, 1, struct.pack(">BHH", 3, address, count))
    assert answer[0] == 3, answer.hex()
    return struct.unpack(f">{count}H", answer[2:])


def failing_for(monkeypatch, owner, name, *, when):
    """Let a method fail after it has done its work, where a condition on its arguments holds."""
    real = getattr(owner, name)

    def broken(self, *arguments, **options):
        result = real(self, *arguments, **options)
        if when(self, *arguments):
            raise ZeroDivisionError("float division by zero")
        return result

    monkeypatch.setattr(owner, name, broken)


@pytest.fixture
def site(tmp_path):
    with SiteUnderTest(write_site(tmp_path, scenario=WITH_RELAY), recording=tmp_path / "recording") as site:
        yield site


def master(site, meter):
    address = site.endpoints[meter]
    return socket.create_connection((address.host, address.port), timeout=20)


FAILURES = {
    "in the registers": (
        Kw320Meter,
        "_set",
        lambda of, values, named, now: named.get("demand_window_minutes") == 20,
    ),
    "in the measuring part": (
        MeterBank,
        "configure",
        lambda bank, meter, settings, now: settings.demand_window_minutes == 20,
    ),
    "in what it shows": (
        ImageLayout,
        "put_raw",
        lambda layout, words, kind, raw: kind == "setting" and raw.get("demand_window_minutes") == 20,
    ),
    "at its outputs": (
        FleetIo,
        "after_write",
        lambda io, meter, before: io._meters[meter].raw["demand_window_minutes"] == 20,
    ),
}


@pytest.mark.parametrize("where", FAILURES)
def test_a_meter_that_fails_over_a_write_is_as_it_was_and_the_site_goes_on(site, monkeypatch, caplog, where):
    owner, name, when = FAILURES[where]
    failing_for(monkeypatch, owner, name, when=when)
    with master(site, "head") as head, master(site, "home") as home:
        (before,) = read(head, DEMAND_WINDOW)
        shown = read(head, 0x4000, 100)
        assert write(head, DEMAND_WINDOW, 20) == b"\x90\x04"
        assert read(head, DEMAND_WINDOW) == (before,) != (20,)
        assert read(head, 0x4000, 100) == shown
        assert write(head, DEMAND_WINDOW, 10) == struct.pack(">BHH", 16, DEMAND_WINDOW, 1)
        assert read(head, DEMAND_WINDOW) == (10,)
        site.step(2)
        assert read(home, SECOND) == (2,)
        assert write(home, DEMAND_WINDOW, 12) == struct.pack(">BHH", 16, DEMAND_WINDOW, 1)
    assert "ZeroDivisionError: float division by zero" in caplog.text
    assert "Traceback" in caplog.text
    refusals = [command.refusal for command in site.recording.commands() if command.verb == "write_registers"]
    assert refusals == ["failed", None, None]


def test_a_relay_that_fails_over_an_order_is_as_it_was(site, monkeypatch):
    failing_for(monkeypatch, FleetIo, "write_coil", when=lambda io, meter, address: address == 1)
    with master(site, "head") as head:
        closed = struct.pack(">BHH", 5, 1, 0xFF00)
        assert ask(head, 1, 1, closed) == b"\x85\x04"
        assert ask(head, 2, 1, struct.pack(">BHH", 1, 0, 2)) == b"\x01\x01\x00"
        assert ask(head, 3, 1, struct.pack(">BHH", 5, 0, 0xFF00)) == struct.pack(">BHH", 5, 0, 0xFF00)
        assert ask(head, 4, 1, struct.pack(">BHH", 1, 0, 2)) == b"\x01\x01\x01"


def broken_site(tmp_path):
    site = build_site(load_scenario(write_site(tmp_path, scenario=WITH_RELAY)))
    live = site.live(speed=1.0)
    live.open()
    live.start(paused=True)
    return live


def broken(live, caplog, verb, **arguments):
    """Check that a command ends the simulation, and how that is told."""
    told = "the simulation broke down at 2026-01-15T18:00:00.* while .*: ZeroDivisionError: division"
    with pytest.raises(SimulationBrokenError, match=told):
        do(live, "head", verb, **arguments)
    until(lambda: not live.running)
    assert isinstance(live.failure, SimulationBrokenError)
    assert isinstance(live.failure.__cause__, ZeroDivisionError)
    assert "Traceback" in caplog.text
    with pytest.raises(SimulationEndedError):
        live.submit(Command("test", "SW2", "open")).result(timeout=5)
    live.stop()


@pytest.mark.parametrize("name", ["advance", "basic_table", "configure"])
def test_an_engine_that_fails_ends_with_a_clear_message(tmp_path, monkeypatch, caplog, name):
    """What all meters share fails whatever is written: here nothing can be set back."""
    live = broken_site(tmp_path)
    monkeypatch.setattr(MeterBank, name, lambda *_, **__: 1 / 0)
    broken(live, caplog, "write_registers", address=DEMAND_WINDOW, words=(20,))


def test_publishing_that_fails_ends_with_a_clear_message(tmp_path, monkeypatch, caplog):
    live = broken_site(tmp_path)
    monkeypatch.setattr(live._publisher, "publish_one", lambda *_: 1 / 0)
    broken(live, caplog, "write_registers", address=DEMAND_WINDOW, words=(20,))


BREAKS = """
import sys
from twin.cli.command import main
from twin.meters.bank import MeterBank

advance, calls = MeterBank.advance, iter(range(10**9))

def breaks(self, *arguments, **options):
    if self._settings[0].name == "head" and next(calls) > 60:  # the warm-up has others
        raise ZeroDivisionError("a defect")
    return advance(self, *arguments, **options)

MeterBank.advance = breaks
sys.exit(main(["serve", sys.argv[1], "--out", sys.argv[2], "--speed", "50"]))
"""


def test_a_served_site_that_breaks_down_ends_with_its_message(tmp_path):
    """It has pages, but they would show nothing any more."""
    scenario = write_site(tmp_path, scenario=WITH_RELAY + "dashboard: {port: 0}\n")
    done = subprocess.run(
        [sys.executable, "-c", BREAKS, str(scenario), str(tmp_path / "recording")],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("the simulation broke down at 2026-01-15T18:0")
    assert "while time went on: ZeroDivisionError: a defect; what was recorded up to then stays" in last
    assert "Traceback" in done.stderr
    assert "can be looked at" not in done.stderr
    assert Recording.open(tmp_path / "recording").info.reached_ns is not None

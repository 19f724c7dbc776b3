"""Auxiliary supplies: from the bus, failed by the scenario, by an injected event, by a command."""

import socket
import struct

import pytest

from tests.simulation.test_engine import IDEAL, run
from tests.sites import SCENARIO, write_site
from twin.contracts import BadInputError, Command, Refusal
from twin.protocols import Binding, ModbusServer
from twin.recording import Recording, content_hash
from twin.scenario import load_scenario
from twin.simulation import build_site

S = 10**9
HOME = "  - name: home\n    profile: kw320q\n"
QUIET = IDEAL[: IDEAL.index("events:")]


def with_supply(text, scenario=QUIET):
    assert "    at: {loads: [HOUSE1, HOUSE2]}\n" in scenario
    return scenario.replace(
        "    at: {loads: [HOUSE1, HOUSE2]}\n", "    at: {loads: [HOUSE1, HOUSE2]}\n    supply: " + text + "\n"
    )


def built(folder, scenario):
    loaded = load_scenario(write_site(folder, scenario=scenario))
    site = build_site(loaded)
    site.begin()
    return loaded, site, site.engine


def test_a_meter_of_a_dead_bus_stops_after_its_hold_up_and_starts_with_the_voltage(tmp_path):
    loaded, site, engine = built(tmp_path, with_supply("bus"))
    with site:
        start = loaded.start_ns
        engine.advance_to(start + 60 * S)
        assert engine.apply(Command("test", "SW2", "open")).refusal is None
        engine.advance_to(start + 60 * S + S // 10)
        assert engine.fleet.powered(1)
        # Poles part at the next zero of their currents; then 100 ms.
        engine.advance_to(start + 60 * S + S // 8)
        assert not engine.fleet.powered(1)
        assert engine.fleet.powered(0)
        energy = engine.fleet.energies(1)["ep_imp"]
        engine.advance_to(start + 120 * S)
        engine.apply(Command("test", "SW2", "close"))
        engine.advance_to(start + 120 * S + 1)
        assert engine.fleet.powered(1)
        engine.advance_to(start + 180 * S)
        # A minute of 3 kW before and after.
        assert energy == pytest.approx(50.0, rel=2e-3)
        assert engine.fleet.energies(1)["ep_imp"] == pytest.approx(100.0, rel=3e-3)
        words = dict(zip(_addresses(engine.fleet.blocks(1)), engine.fleet.words(1).tolist(), strict=True))
        assert words[0x1034] << 16 | words[0x1035] == 3  # 120.1 s of 36 s each


def _addresses(blocks):
    return [address for block in blocks for address in range(block.address, block.address + block.count)]


def test_a_short_dip_is_ridden_through(tmp_path):
    _, site, engine = built(tmp_path, with_supply("bus"))
    with site:
        engine.advance_to(engine.now_ns + S)
        engine.apply(Command("test", "SW2", "open"))
        engine.advance_to(engine.now_ns + 90_000_000)
        engine.apply(Command("test", "SW2", "close"))
        engine.advance_to(engine.now_ns + S)
        assert engine.fleet.powered(1)
        # A second dip has a hold-up of its own.
        engine.apply(Command("test", "SW2", "open"))
        engine.advance_to(engine.now_ns + 50_000_000)
        assert engine.fleet.powered(1)


def test_events_of_a_scenario_and_what_the_recording_knows(tmp_path):
    events = (
        'events:\n  - {event: power_loss, at: "18:03:20", meter: home, restore_after: 90 s}\n'
        '  - {event: power_loss, at: "18:06", meter: head}\n'
        '  - {event: power_restore, at: "18:08", meter: head}\n'
    )
    path, site = run(tmp_path, scenario=QUIET + events)
    start = site.engine.now_ns - 600 * S
    recording = Recording.open(path)
    truth = [
        (entry.kind, entry.element, entry.cause, (entry.time_ns - start) / S)
        for entry in recording.truth()
        if entry.kind.startswith("power_")
    ]
    assert truth == [
        ("power_lost", "home", "scenario", 200.0),
        ("power_restored", "home", "scenario", 290.0),
        ("power_lost", "head", "scenario", 360.0),
        ("power_restored", "head", "scenario", 480.0),
    ]
    profile = recording.load_profile("home")
    assert [(end - start) / S for end in profile.end_ns.tolist()] == [200.0]
    assert profile.duration_s.tolist() == [200.0]


def test_where_time_is_cut_changes_nothing(tmp_path):
    events = (
        'events:\n  - {event: power_loss, at: "18:03:20", meter: home, restore_after: 90 s}\n'
        '  - {event: switch, at: "18:05:30.033", switch: SW2, to: open}\n'
        '  - {event: switch, at: "18:06", switch: SW2, to: closed}\n'
    )
    scenario = with_supply("bus") + events
    hashes = []
    for name, cut in (("whole", None), ("cut", 777_777_777)):
        path, _ = run(tmp_path, name, scenario=scenario, cut_ns=cut)
        hashes.append(content_hash(path))
    assert hashes[0] == hashes[1]


def test_an_injected_loss_and_a_command(tmp_path):
    _, site, engine = built(tmp_path, QUIET)
    with site:
        engine.advance_to(engine.now_ns + S)
        loss = {"event": "power_loss", "meter": "head", "restore_after": "10 s"}
        assert engine.apply(Command("trainer", "site", "inject", loss)).refusal is None
        assert not engine.fleet.powered(0)
        answer = engine.apply(Command("m", "head", "write_registers", {"address": 0x1008, "words": (5, 5)}))
        assert answer.refusal is Refusal.NO_SUPPLY
        engine.advance_to(engine.now_ns + 10 * S)
        assert engine.fleet.powered(0)
        wrong = engine.apply(Command("trainer", "site", "inject", {"event": "power_loss", "meter": "hed"}))
        assert wrong.refusal is Refusal.ILLEGAL_VALUE
        assert "head" in wrong.detail
        assert engine.apply(Command("operator", "home", "power_off")).refusal is None
        assert not engine.fleet.powered(1)
        assert engine.apply(Command("operator", "home", "power_on")).refusal is None
        assert engine.fleet.powered(1)


def test_a_restored_supply_does_not_wake_a_dead_bus(tmp_path):
    _, site, engine = built(tmp_path, with_supply("bus"))
    with site:
        engine.apply(Command("test", "SW2", "open"))
        engine.advance_to(engine.now_ns + S)
        answer = engine.apply(Command("test", "home", "power_on"))
        assert (answer.refusal, answer.detail) == (None, "the bus that supplies the meter is dead")
        assert not engine.fleet.powered(1)


def test_an_unknown_meter_is_found(tmp_path):
    events = 'events:\n  - {event: power_loss, at: "18:03:20", meter: haus}\n'
    with pytest.raises(BadInputError, match=r"events\[0\].meter.*haus"):
        load_scenario(write_site(tmp_path, scenario=QUIET + events))


def ask(address):
    """Read 4002H of unit 1 as bytes; None where nobody answers."""
    try:
        with socket.create_connection(address, timeout=5) as link:
            link.settimeout(5)
            link.sendall(bytes.fromhex("0001 0000 0006 01 03 4002 0002"))
            data = link.recv(64)
            return struct.unpack(">f", data[9:13])[0] if len(data) == 13 else None
    except ConnectionError:
        return None


def test_the_endpoint_and_the_picture_follow(tmp_path):
    loaded = load_scenario(write_site(tmp_path, scenario=SCENARIO))
    with build_site(loaded) as site:
        live = site.live(speed=1.0)
        live.open()
        live.start()
        meter = live.meters[0]
        try:
            binding = Binding("127.0.0.1", 0, {1: meter})
            with ModbusServer([binding], live.submit) as server:
                address = server.addresses[0]
                assert ask(address) == pytest.approx(230.5, abs=1.0)
                assert live.submit(Command("t", "head", "power_off")).result(10).refusal is None
                assert ask(address) is None
                line = live.latest().meters[0]
                assert (line.in_event, line.v) == ("no_supply", (0.0, 0.0, 0.0))
                assert live.submit(Command("t", "head", "power_on")).result(10).refusal is None
                assert ask(address) == pytest.approx(230.5, abs=1.0)
                assert live.latest().meters[0].in_event == ""
        finally:
            live.stop()
        assert live.failure is None

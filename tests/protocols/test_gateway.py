"""A gateway's port: one line behind it, on which everybody waits for a meter that does not answer."""

import threading
import time

import pytest

from tests.protocols.masters import Master, Meter, Registers, frame, read, registers
from twin.contracts import POWER_WORD
from twin.contracts.transport import (
    EndpointFault,
    ForcedException,
    GatewaySettings,
    HowOften,
    TransportFaults,
)
from twin.protocols import Binding
from twin.protocols.gateway import Gateway
from twin.protocols.rtu_framing import encode_frame

CHARACTER_S = 10 / 9600
READ = read(0x4000, 1)
TICK_S = 2e-3


def test_a_request_takes_the_time_of_its_frames():
    """Request and answer as they are on the line, each followed by 3.5 characters of silence."""
    gateway = Gateway(GatewaySettings(0.5, CHARACTER_S))
    answer = registers(*range(50))
    characters = len(encode_frame(1, READ)) + len(encode_frame(1, answer)) + 7
    assert characters * CHARACTER_S == pytest.approx(0.125, abs=2e-3)
    assert gateway.pass_on(100.0, READ, answer) == pytest.approx(characters * CHARACTER_S)
    # Another master asks meanwhile, and a third when the line is free again.
    assert gateway.pass_on(100.05, READ, answer) == pytest.approx(2 * characters * CHARACTER_S - 0.05)
    assert gateway.pass_on(200.0, READ, answer) == pytest.approx(characters * CHARACTER_S)


def test_a_silent_meter_takes_the_time_out_and_no_path_takes_nothing():
    gateway = Gateway(GatewaySettings(0.5, CHARACTER_S))
    asked_s = (len(encode_frame(1, READ)) + 3.5) * CHARACTER_S
    assert gateway.pass_on(1.0, READ, b"\x83\x0b") == pytest.approx(asked_s + 0.5)
    assert gateway.pass_on(1.0, READ, b"\x83\x0a") == 0.0


@pytest.fixture
def meters():
    return [Meter(name, Registers({0x4000: unit, POWER_WORD: 1})) for unit, name in ((1, "pump"), (2, "fan"))]


@pytest.fixture
def server(serve, meters):
    units = dict(enumerate(meters, 1))
    return serve(Binding("127.0.0.1", 0, units, gateway=GatewaySettings(0.1, CHARACTER_S)))


def test_everybody_waits_for_a_meter_that_is_dead(server, meters):
    meters[1].image.words[POWER_WORD] = 0
    with Master(server.addresses[0]) as first, Master(server.addresses[0]) as second:
        began = time.monotonic()
        first.send(frame(1, 2, READ))
        assert first.is_silent(0.05)
        second.send(frame(2, 1, READ))
        assert second.answer() == frame(2, 1, registers(1))
        assert time.monotonic() - began >= 0.1 - TICK_S
        assert first.answer() == frame(1, 2, b"\x83\x0b")


def test_the_port_stays_when_all_meters_are_dead(server, meters):
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, READ) == registers(1)
        for meter in meters:
            meter.image.words[POWER_WORD] = 0
        assert master.ask(2, 1, READ) == b"\x83\x0b"
    with Master(server.addresses[0]) as master:
        assert master.ask(3, 9, READ) == b"\x83\x0b"


def set_fault(server, **faults):
    done = threading.Event()
    server.set_faults([EndpointFault(1, ("pump",), TransportFaults(**faults), "7")], done.set)
    assert done.wait(10)


@pytest.mark.parametrize("field", ["lost_answers", "lost_requests"])
def test_what_is_lost_behind_it_is_no_response(server, field):
    set_fault(server, **{field: HowOften()})
    with Master(server.addresses[0]) as master:
        began = time.monotonic()
        assert master.ask(1, 1, READ) == b"\x83\x0b"
        assert time.monotonic() - began >= 0.1 - TICK_S
        assert master.ask(2, 2, READ) == registers(2)


def test_a_path_that_is_not_there(server):
    set_fault(server, exception=ForcedException(10))
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, READ) == b"\x83\x0a"
        assert master.ask(2, 2, READ) == registers(2)


def test_a_meter_that_reboots_does_not_take_the_port_with_it(server, meters):
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, READ) == registers(1)
        meters[0].image.words[POWER_WORD] = 0
        set_fault(server, away=True)
        assert master.ask(2, 1, READ) == b"\x83\x0b"
        assert master.ask(3, 2, READ) == registers(2)

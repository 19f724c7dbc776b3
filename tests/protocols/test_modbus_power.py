"""A meter without its supply over Modbus: its port closes connections, a gateway says exception 0BH."""

import pytest

from tests.protocols.masters import Master, Meter, Registers, read, registers
from twin.contracts import POWER_WORD
from twin.protocols import Binding

GATEWAY = bytes((0x83, 0x0B))


@pytest.fixture
def dark():
    return Meter("dark", Registers({0x4000: 7, POWER_WORD: 0}))


def supply(meter, on):
    meter.image.words[POWER_WORD] = int(on)


def test_a_meter_of_its_own_port_drops_its_masters_until_it_is_back(serve, dark):
    supply(dark, True)
    server = serve(Binding("127.0.0.1", 0, {1: dark}))
    address = server.addresses[0]
    with Master(address) as master:
        assert master.ask(1, 1, read(0x4000, 1)) == registers(7)
        supply(dark, False)
        master.send(bytes.fromhex("0002 0000 0006 01 03 4000 0001"))
        assert master.is_closed_by_server()
    with Master(address) as master:
        assert master.is_closed_by_server()
    supply(dark, True)
    with Master(address) as master:
        assert master.ask(3, 1, read(0x4000, 1)) == registers(7)


def test_behind_a_gateway_the_other_meters_go_on(serve, dark):
    light = Meter("light", Registers({0x4000: 5, POWER_WORD: 1}))
    server = serve(Binding("127.0.0.1", 0, {1: dark, 2: light}))
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, read(0x4000, 1)) == GATEWAY
        assert master.ask(2, 2, read(0x4000, 1)) == registers(5)
        supply(dark, True)
        assert master.ask(3, 1, read(0x4000, 1)) == registers(7)


def test_where_units_are_ignored_or_silent_nothing_is_answered(serve, dark):
    light = Meter("light", Registers({0x4000: 5, POWER_WORD: 1}))
    server = serve(Binding("127.0.0.1", 0, {1: dark, 2: light}, "silent"))
    with Master(server.addresses[0]) as master:
        master.send(bytes.fromhex("0001 0000 0006 01 03 4000 0001"))
        assert master.is_silent()
        assert master.ask(2, 2, read(0x4000, 1)) == registers(5)


def test_the_word_of_the_supply_is_no_register(serve, dark):
    supply(dark, True)
    server = serve(Binding("127.0.0.1", 0, {1: dark}))
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, read(POWER_WORD & 0xFFFF, 1)) == bytes((0x83, 0x02))

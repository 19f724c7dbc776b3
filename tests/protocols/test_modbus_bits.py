"""Coils and inputs: the manual's worked frames, limits, exceptions, and any layout against a plain list.

Worked frames: KW320 manual 6.2, parts 1, 2 and 4 (RTU; their address and CRC give way to the MBAP header).
"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.masters import Master, Meter, Registers, octets
from twin.contracts import BEYOND_REGISTERS, Answer, BitBlock, Refusal
from twin.protocols import Binding
from twin.protocols.address_ranges import AddressOverlapError
from twin.protocols.bit_map import BitMap, BitMapError
from twin.protocols.served_port import ServedDevice

RELAYS, INPUTS = BEYOND_REGISTERS, BEYOND_REGISTERS + 1


@pytest.fixture
def loop_factory():
    return asyncio.new_event_loop


@pytest.fixture
def meter():
    """Relay 2 of 2 is on; of 20 inputs 1, 3, 17 and 20 are."""
    return Meter(
        image=Registers({RELAYS: 0b10, INPUTS: 0b101, INPUTS + 1: 0b1001, 0xFFFF: 7}),
        coils=(BitBlock(0, 2, RELAYS),),
        inputs=(BitBlock(0, 20, INPUTS),),
    )


@pytest.fixture
def master(serve, meter):
    server = serve(Binding("127.0.0.1", 0, {17: meter}))
    with Master(server.addresses[0]) as master:
        yield master


def test_manual_reads_two_relays(master):
    assert master.ask(1, 17, octets("01 00 00 00 02")) == octets("01 01 02")


def test_manual_reads_four_inputs(master):
    assert master.ask(1, 17, octets("02 00 00 00 04")) == octets("02 01 05")


def test_manual_switches_a_relay_on_and_it_reads_so(master, simulation):
    assert master.ask(1, 17, octets("05 00 00 FF 00")) == octets("05 00 00 FF 00")
    (command,) = simulation.commands
    assert (command.source, command.target, command.verb) == ("modbus:head", "head", "write_coil")
    assert command.arguments == {"address": 0, "on": True}
    assert master.ask(2, 17, octets("01 00 00 00 02")) == octets("01 01 03")
    assert master.ask(3, 17, octets("05 00 01 00 00")) == octets("05 00 01 00 00")
    assert master.ask(4, 17, octets("01 00 00 00 02")) == octets("01 01 01")


def test_bits_beyond_eight_and_from_the_middle(master):
    assert master.ask(1, 17, octets("02 00 00 00 14")) == octets("02 03 05 00 09")
    assert master.ask(2, 17, octets("02 00 02 00 12")) == octets("02 03 01 40 02")
    assert master.ask(3, 17, octets("02 00 13 00 01")) == octets("02 01 01")


@pytest.mark.parametrize("value", ["00 01", "FF FF", "01 00", "FF 01", "00 FF"])
def test_a_coil_takes_on_and_off_only(master, simulation, value):
    assert master.ask(1, 17, octets("05 00 00" + value)) == octets("85 03")
    assert simulation.commands == []


@pytest.mark.parametrize(
    ("pdu", "exception"),
    [
        ("01 00 00 00 03", "81 02"),
        ("01 00 02 00 01", "81 02"),
        ("02 00 14 00 01", "82 02"),
        ("02 FF FF 00 02", "82 02"),
        ("05 00 02 FF 00", "85 02"),
        ("05 00 00 FF", "85 03"),
        ("01 00 00 00 00", "81 03"),
        ("02 00 00 07 D1", "82 03"),
        ("01 00 00 00 01 00", "81 03"),
    ],
)
def test_limits(master, simulation, pdu, exception):
    assert master.ask(1, 17, octets(pdu)) == octets(exception)
    assert simulation.commands == []


@pytest.mark.parametrize(
    ("refusal", "code"), [(Refusal.ILLEGAL_FUNCTION, 1), (Refusal.SEALED, 3), (Refusal.BUSY, 6)]
)
def test_a_relay_that_is_not_switched(master, simulation, refusal, code):
    simulation.refuse(refusal)
    assert master.ask(1, 17, octets("05 00 00 FF 00")) == bytes((0x85, code))


def test_a_relay_that_nobody_switches_in_time(serve, meter, simulation):
    server = serve(Binding("127.0.0.1", 0, {17: meter}), answer_timeout_s=0.1)
    simulation.hold()
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 17, octets("05 00 00 FF 00")) == octets("85 06")
        simulation.futures[0].set_result(Answer(1))
        assert master.ask(2, 17, octets("01 00 00 00 01")) == octets("01 01 00")


def test_words_of_bits_are_no_registers(master):
    """They lie behind the last address; a read that ends there must not run on into them."""
    assert master.ask(1, 17, octets("03 FF FF 00 01")) == octets("03 02 00 07")
    assert master.ask(2, 17, octets("03 FF FF 00 02")) == octets("83 02")


def test_an_image_that_lacks_the_words_costs_exception_04(master, meter, caplog):
    del meter.image.words[INPUTS + 1]
    assert master.ask(1, 17, octets("02 00 00 00 01")) == octets("82 04")
    assert "the image has no words 0x10001..0x10002" in caplog.text


def test_two_runs_of_one_bit():
    with pytest.raises(AddressOverlapError):
        ServedDevice(Meter(coils=(BitBlock(0, 2, RELAYS), BitBlock(1, 1, INPUTS))))


def test_no_bits_at_all():
    assert not BitMap(()).has(0, 1)
    with pytest.raises(BitMapError):
        BitMap((BitBlock(0, 1, 5),)).read(Registers({}), 0, 1)


@given(data=st.data())
def test_any_layout_reads_as_a_list_of_bits_does(data):
    """Runs of bits anywhere, gaps between them, words in any order: against a dictionary of bits."""
    blocks, states, address, words = [], {}, 0, {}
    sizes = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40)), min_size=1, max_size=4))
    places = data.draw(st.permutations(range(len(sizes))))
    for place, (gap, count) in zip(places, sizes, strict=True):
        address += gap
        blocks.append(BitBlock(address, count, RELAYS + 3 * place))
        for bit in range(count):
            states[address + bit] = data.draw(st.booleans())
            word = RELAYS + 3 * place + bit // 16
            words[word] = words.get(word, 0) | states[address + bit] << bit % 16
        address += count
    image = Registers({RELAYS + at: words.get(RELAYS + at, 0) for at in range(3 * len(sizes))})
    bits = BitMap(blocks)
    first = data.draw(st.integers(0, address))
    count = data.draw(st.integers(1, address))
    exist = all(number in states for number in range(first, first + count))
    assert bits.has(first, count) == exist
    if exist:
        read = int.from_bytes(bits.read(image, first, count), "little")
        assert read == sum(states[first + at] << at for at in range(count))
        assert len(bits.read(image, first, count)) == (count + 7) // 8

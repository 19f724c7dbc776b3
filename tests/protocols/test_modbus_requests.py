"""What requests are answered: the manual's worked frames, limits and exceptions, byte by byte.

Worked frames: KW320 manual, 5.1.6.4 (TCP form) and 6.2 (RTU form; its address and CRC give way to
the MBAP header here). Exceptions: MODBUS Application Protocol V1.1b3, sections 6 and 7.
"""

import asyncio
import queue
import threading

import pytest

from tests.protocols.masters import (
    Master,
    Meter,
    Registers,
    Simulation,
    frame,
    octets,
    read,
    registers,
    write,
)
from twin.contracts import Answer, Refusal, RegisterBlock
from twin.protocols import Binding, ModbusServer

ILLEGAL_READ = {code: bytes((0x83, code)) for code in (1, 2, 3, 4, 6, 11)}
ILLEGAL_WRITE = {code: bytes((0x90, code)) for code in (1, 2, 3, 4, 6, 11)}


@pytest.fixture
def loop_factory():
    """One event loop is enough here: what a request means does not depend on it."""
    return asyncio.new_event_loop


@pytest.fixture
def master(address):
    with Master(address) as master:
        yield master


@pytest.fixture
def manual_meter(meter):
    """Registers as the manual's examples have them: clock 2006-12-18 14:15:20, 50.00 Hz, 99.9 V, 100.1 V."""
    words = dict(zip(range(0x1040, 0x1046), (2006, 12, 18, 14, 15, 20), strict=True))
    words |= dict(zip(range(0x4000, 0x4006), (0x4248, 0, 0x42C7, 0xCCCD, 0x42C8, 0x3333), strict=True))
    words |= {0x1008: 0, 0x1009: 0, 0x4048: 0, 0x4049: 0}
    meter.image = Registers(words)
    return meter


def exchange(serve, meter, unit, request, size):
    server = serve(Binding("127.0.0.1", 0, {unit: meter}))
    with Master(server.addresses[0]) as master:
        master.send(octets(request))
        return master.receive(size)


def test_manual_reads_the_clock(serve, manual_meter):
    answer = exchange(serve, manual_meter, 1, "00 00 00 00 00 06 01 03 10 40 00 06", 21)
    assert answer == octets("00 00 00 00 00 0F 01 03 0C 07 D6 00 0C 00 12 00 0E 00 0F 00 14")


def test_manual_presets_the_current_transformers(serve, manual_meter, simulation):
    answer = exchange(serve, manual_meter, 1, "00 00 00 00 00 0B 01 10 10 08 00 02 04 01 F4 00 05", 12)
    assert answer == octets("00 00 00 00 00 06 01 10 10 08 00 02")
    assert manual_meter.image.read(0x1008, 2).tolist() == [500, 5]
    (command,) = simulation.commands
    assert (command.source, command.target, command.verb) == ("modbus:head", "head", "write_registers")
    assert command.arguments == {"address": 0x1008, "words": (500, 5)}


def test_manual_reads_frequency_and_voltages(serve, manual_meter):
    answer = exchange(serve, manual_meter, 17, "00 01 00 00 00 06 11 03 40 00 00 06", 21)
    assert answer == octets("00 01 00 00 00 0F 11 03 0C 42 48 00 00 42 C7 CC CD 42 C8 33 33")


def test_manual_presets_an_energy(serve, manual_meter, simulation):
    answer = exchange(serve, manual_meter, 17, "00 02 00 00 00 0B 11 10 40 48 00 02 04 0A 9D 40 89", 12)
    assert answer == octets("00 02 00 00 00 06 11 10 40 48 00 02")
    high, low = simulation.commands[0].arguments["words"]
    assert (high << 16 | low) / 10 == 17807783.3  # kWh


@pytest.mark.parametrize("count", [1, 72, 125])
def test_reads_up_to_125_registers(master, count):
    assert master.ask(1, 1, read(0x4000, count)) == registers(*range(0x4000, 0x4000 + count))


@pytest.mark.parametrize("count", [0, 126, 127, 2000, 65535])
def test_reads_of_0_or_over_125_registers(master, count):
    assert master.ask(2, 1, read(0x4000, count)) == ILLEGAL_READ[3]


@pytest.mark.parametrize(
    ("first", "count"), [(0x3FFF, 1), (0x3FFF, 2), (0x412B, 2), (0x412C, 1), (0xFFFF, 125)]
)
def test_reads_where_no_register_is(master, first, count):
    assert master.ask(3, 1, read(first, count)) == ILLEGAL_READ[2]


@pytest.mark.parametrize("pdu", ["03", "03 40", "03 40 00 00", "03 40 00 00 01 00"])
def test_reads_of_a_wrong_length(master, pdu):
    assert master.ask(4, 1, octets(pdu)) == ILLEGAL_READ[3]


def test_writes_up_to_123_registers(master, meter):
    words = tuple(range(1000, 1123))
    assert master.ask(1, 1, write(0x1000, *words)) == octets("10 10 00 00 7B")
    assert meter.image.read(0x1000, 123).tolist() == list(words)


@pytest.mark.parametrize(
    "pdu",
    [
        "10 10 00 00 00 00",
        "10 10 00 00 7C F8" + 124 * "00 01",
        "10 10 00 00 02 04 00 01",
        "10 10 00 00 02 02 00 01 00 02",
        "10 10 00 00 01 04 00 01 00 02",
        "10 10 00 00 01 02 00 01 00",
        "10 10 00 00 01 02 00 01 00 02",
        "10 10 00 00 01",
        "10",
    ],
)
def test_writes_whose_counts_are_wrong(master, simulation, pdu):
    assert master.ask(5, 1, octets(pdu)) == ILLEGAL_WRITE[3]
    assert simulation.commands == []


@pytest.mark.parametrize(
    ("first", "count"),
    [(0x4000, 1), (0x4048, 3), (0x4047, 2), (0x1088, 5), (0x5000, 1), (0xFFFF, 2), (0x0FFF, 2)],
)
def test_writes_outside_one_settings_region(master, simulation, first, count):
    assert master.ask(6, 1, write(first, *range(count))) == ILLEGAL_WRITE[2]
    assert simulation.commands == []


def test_writes_over_adjacent_blocks_of_one_region(master, simulation):
    assert master.ask(7, 1, write(0x1009, 1, 2)) == octets("10 10 09 00 02")
    assert len(simulation.commands) == 1


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal.ILLEGAL_FUNCTION, 1),
        (Refusal.ILLEGAL_ADDRESS, 2),
        (Refusal.ILLEGAL_VALUE, 3),
        (Refusal.SEALED, 3),
        (Refusal.UNKNOWN_TARGET, 4),
        (Refusal.BUSY, 6),
    ],
)
def test_refusals_become_exceptions(master, simulation, refusal, code):
    simulation.refuse(refusal)
    assert master.ask(8, 1, write(0x1000, 1)) == ILLEGAL_WRITE[code]
    assert master.ask(9, 1, read(0x1000, 1)) == registers(0)


def test_every_refusal_has_an_exception(master, simulation):
    for refusal in Refusal:
        simulation.refuse(refusal)
        assert master.ask(8, 1, write(0x1000, 1))[0] == 0x90


def test_unknown_functions_name_themselves(master):
    """The stock server answers 80 01 to these."""
    for function in sorted(set(range(128)) - {1, 2, 3, 5, 16}):
        for data in (b"", b"\0", octets("00 00 00 01")):
            assert master.ask(function, 1, bytes((function,)) + data) == bytes((function | 0x80, 1))
    # A request with the exception bit set is as unknown; its answer cannot have a further bit.
    assert master.ask(200, 1, octets("83 00 00 00 01")) == octets("83 01")


def test_a_meter_that_knows_fewer_functions(serve, meter):
    meter.function_codes = frozenset({3})
    server = serve(Binding("127.0.0.1", 0, {1: meter}))
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, write(0x1000, 1)) == octets("90 01")
        assert master.ask(2, 1, octets("01 00 00 00 01")) == octets("81 01")
        assert master.ask(3, 1, read(0x1000, 1)) == registers(0)


@pytest.mark.parametrize("value", ["00 01", "FF FF", "01 00", "FF 01", "00 FF"])
def test_coils_take_on_and_off_only(master, value):
    """The stock server takes any value; the meter knows FF00H and 0000H."""
    assert master.ask(1, 1, octets("05 00 00" + value)) == octets("85 03")


@pytest.mark.parametrize("pdu", ["05 00 00 FF 00", "05 00 00 00 00", "01 00 00 00 02", "02 00 00 00 04"])
def test_coils_and_inputs_of_a_meter_without_any(master, pdu):
    assert master.ask(1, 1, octets(pdu)) == bytes((int(pdu[:2]) | 0x80, 2))


@pytest.mark.parametrize(
    "pdu", ["01 00 00 00 00", "02 00 00 00 00", "01 00 00 07 D1", "02 00 00 FF FF", "05", "01 00"]
)
def test_counts_of_coils_and_inputs(master, pdu):
    assert master.ask(1, 1, octets(pdu)) == bytes((int(pdu[:2]) | 0x80, 3))


def test_strict_port_says_that_a_unit_is_missing(serve, meter):
    server = serve(Binding("127.0.0.1", 0, {1: meter}, "strict"))
    with Master(server.addresses[0]) as master:
        for unit in (0, 2, 247, 255):
            assert master.ask(unit, unit, read(0x1000, 1)) == ILLEGAL_READ[11]
            assert master.ask(unit, unit, write(0x1000, 1)) == ILLEGAL_WRITE[11]
            assert master.ask(unit, unit, octets("2B 0E 01 00")) == octets("AB 0B")
        assert master.ask(9, 1, read(0x1000, 1)) == registers(0)


def test_silent_port_ignores_a_missing_unit(serve, meter):
    server = serve(Binding("127.0.0.1", 0, {1: meter}, "silent"))
    with Master(server.addresses[0]) as master:
        master.send(
            frame(1, 2, read(0x1000, 1)) + frame(2, 1, read(0x1001, 1)) + frame(3, 9, read(0x1000, 1))
        )
        assert master.answer() == frame(2, 1, registers(1))
        assert master.is_silent()
        assert master.ask(4, 1, read(0x1002, 1)) == registers(2)


def test_any_port_answers_by_its_first_meter(serve, meter):
    other = Meter("other", Registers({0: 42}))
    server = serve(Binding("127.0.0.1", 0, {7: meter, 8: other}, "any"))
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 7, read(0x1000, 1)) == registers(0)
        assert master.ask(2, 8, read(0, 1)) == registers(42)
        for unit in (0, 1, 255):
            assert master.ask(3, unit, read(0x1001, 1)) == registers(1)


def test_many_units_on_one_port(serve):
    meters = {unit: Meter(f"m{unit}", Registers({0: 1000 + unit})) for unit in range(1, 248)}
    server = serve(Binding("127.0.0.1", 0, meters))
    with Master(server.addresses[0]) as master:
        for unit in meters:
            assert master.ask(unit, unit, read(0, 1)) == registers(1000 + unit)


def test_a_meter_that_fails_costs_exception_04(serve, meter, caplog):
    class Broken(Registers):
        def read(self, address, count):
            raise OSError("store is gone")

    broken = Meter("broken", Broken({}))
    server = serve(Binding("127.0.0.1", 0, {1: broken, 2: meter}))
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, read(0, 1)) == ILLEGAL_READ[4]
        assert master.ask(2, 2, read(0x1000, 1)) == registers(0)
    assert "meter broken failed on Modbus request 03 00 00 00 01" in caplog.text


def test_a_command_that_fails_costs_exception_04(master, simulation, caplog):
    simulation.reaction = lambda command, future: future.set_exception(KeyError("bug"))
    assert master.ask(1, 1, write(0x1000, 1)) == ILLEGAL_WRITE[4]
    simulation.reaction = lambda command, future: future.cancel()
    assert master.ask(2, 1, write(0x1000, 1)) == ILLEGAL_WRITE[4]

    def refuse_to_take(command, future):
        raise RuntimeError("queue is closed")

    simulation.reaction = refuse_to_take
    assert master.ask(3, 1, write(0x1000, 1)) == ILLEGAL_WRITE[4]
    assert master.ask(4, 1, read(0x1000, 1)) == registers(0)
    assert "queue is closed" in caplog.text


def test_a_write_is_readable_once_it_is_answered(address):
    """Read your own writes: also over another connection."""
    with Master(address) as one, Master(address) as two:
        for value in range(200):
            assert one.ask(value, 1, write(0x1000, value)) == octets("10 10 00 00 01")
            assert two.ask(value, 1, read(0x1000, 1)) == registers(value)


def test_retrieval_window_has_a_cursor_per_connection_and_unit(serve, meter):
    server = serve(Binding("127.0.0.1", 0, {1: meter, 2: meter}))
    window = read(0x8E00, 4)
    with Master(server.addresses[0]) as one, Master(server.addresses[0]) as two:
        assert one.ask(1, 1, window) == registers(0, 0, 1, 2)
        assert one.ask(2, 1, window) == registers(1, 10, 11, 12)
        assert two.ask(3, 1, window) == registers(0, 0, 1, 2)
        assert one.ask(4, 2, window) == registers(0, 0, 1, 2)
        assert one.ask(5, 1, read(0x8E01, 1)) == registers(20)  # a partial read moves nothing
        assert one.ask(6, 1, window) == registers(2, 20, 21, 22)
    with Master(server.addresses[0]) as anew:
        assert anew.ask(7, 1, window) == registers(0, 0, 1, 2)


def test_writes_into_a_window_move_its_cursor_or_are_commands(address, simulation):
    with Master(address) as one, Master(address) as two:
        assert one.ask(1, 1, write(0x8E00, 7)) == octets("10 8E 00 00 01")
        assert one.ask(2, 1, read(0x8E00, 4)) == registers(7, 70, 71, 72)
        assert two.ask(3, 1, read(0x8E00, 1)) == registers(0)
        assert one.ask(4, 1, write(0x8E00, 100)) == ILLEGAL_WRITE[3]
        assert one.ask(5, 1, read(0x8E00, 1)) == registers(8)
        assert simulation.commands == []
        assert one.ask(6, 1, write(0x8E01, 5)) == octets("10 8E 01 00 01")
        assert simulation.commands[0].arguments == {"address": 0x8E01, "words": (5,)}


@pytest.mark.parametrize(("first", "count"), [(0x8DFF, 2), (0x8E03, 2), (0x8DFF, 6), (0x8E00, 5)])
def test_no_request_straddles_window_and_image(serve, meter, first, count):
    meter.image.words |= {0x8DFE: 1, 0x8DFF: 2, 0x8E04: 3, 0x8E05: 4}
    meter.write_regions += ((RegisterBlock(0x8DFE, 8),),)
    server = serve(Binding("127.0.0.1", 0, {1: meter}))
    with Master(server.addresses[0]) as master:
        assert master.ask(1, 1, read(first, count)) == ILLEGAL_READ[2]
        assert master.ask(2, 1, write(first, *range(count))) == ILLEGAL_WRITE[2]
        assert master.ask(3, 1, read(0x8DFE, 2)) == registers(1, 2)
        assert master.ask(4, 1, read(0x8E04, 2)) == registers(3, 4)


def test_answers_carry_the_simulated_order_of_commands(address):
    """Two masters write to one meter: each is answered, in whatever order, and every write counts."""
    with Master(address) as one, Master(address) as two:
        for value in range(50):
            one.send(frame(value, 1, write(0x1000, value)))
            two.send(frame(100 + value, 1, write(0x1001, value)))
        assert [one.answer()[1] for _ in range(50)] == list(range(50))
        assert [two.answer()[1] for _ in range(50)] == list(range(100, 150))
        assert one.ask(1, 1, read(0x1000, 2)) == registers(49, 49)


def test_simulation_answers_from_its_own_thread(serve, meter):
    """The answer comes later and from elsewhere, as in the product."""
    inbox: queue.Queue = queue.Queue()
    simulation = Simulation()
    simulation.reaction = lambda command, future: inbox.put((command, future))

    def work():
        while (item := inbox.get()) is not None:
            meter.image.words[item[0].arguments["address"]] = item[0].arguments["words"][0]
            item[1].set_result(Answer(5))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        with (
            ModbusServer([Binding("127.0.0.1", 0, {1: meter})], simulation.submit) as server,
            Master(server.addresses[0]) as master,
        ):
            for value in range(100):
                assert master.ask(value, 1, write(0x1003, value)) == octets("10 10 03 00 01")
                assert master.ask(value, 1, read(0x1003, 1)) == registers(value)
    finally:
        inbox.put(None)
        worker.join()

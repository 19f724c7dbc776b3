"""What a line of meters answers, to whom, and when: on a clock of its own.

References: KW320 manual 6.1, 6.2, 6.3.1; MODBUS over Serial Line V1.02, 2.1, 2.4.1, 2.5.1.
"""

import pytest

from tests.protocols.lines import Bench, serial_words
from tests.protocols.masters import Meter, RecordWindow, Registers, octets, read, registers, write
from twin.contracts import Answer, BitBlock, RegisterBlock
from twin.protocols.rtu_framing import encode_frame
from twin.protocols.serial_format import SerialFormat

BITS = 0x10000


def meter(unit: int, name: str = "", **serial) -> Meter:
    words = serial_words(unit, **serial) | {BITS: 0b10, BITS + 1: 0b0101, 0x2000: 2 * unit}
    words |= dict(zip(range(0x4000, 0x4006), (0x4248, 0, 0x42C7, 0xCCCD, 0x42C8, 0x3333), strict=True))
    words |= {0x4048: 0, 0x4049: 0} | dict.fromkeys(range(0x4100, 0x4180), unit)
    return Meter(
        name=name or f"m{unit}",
        image=Registers(words),
        windows=(RecordWindow(),),
        write_regions=((RegisterBlock(0x0FFE, 5), RegisterBlock(0x2000, 1)), (RegisterBlock(0x4048, 2),)),
        coils=(BitBlock(0, 2, BITS),),
        inputs=(BitBlock(0, 4, BITS + 1),),
    )


@pytest.fixture
def bench():
    return Bench(meter(17))


# -- the manual's frames, byte by byte (6.2) ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("11 01 00 00 00 02 BF 5B", "11 01 01 02 D4 89"),
        ("11 02 00 00 00 04 7B 59", encode_frame(17, octets("02 01 05")).hex()),  # no answer is printed
        ("11 03 40 00 00 06 D2 98", "11 03 0C 42 48 00 00 42 C7 CC CD 42 C8 33 33 CA 7F"),
        ("11 05 00 00 FF 00 8E AA", "11 05 00 00 FF 00 8E AA"),
        ("11 10 40 48 00 02 04 0A 9D 40 89 F1 6A", "11 10 40 48 00 02 D6 8E"),
        ("06 03 00 00 00 21 84 65", ""),  # for another meter
    ],
)
def test_manual_frames(bench, request_, answer):
    bench.send(octets(request_), 1.0)
    assert bench.wire.take() == octets(answer)


def test_manual_preset_is_17807783_3_kwh(bench):
    bench.send(octets("11 10 40 48 00 02 04 0A 9D 40 89 F1 6A"), 1.0)
    high, low = bench.simulations["m17"].commands[0].arguments["words"]
    assert (high << 16 | low) / 10 == 17807783.3


# -- who answers -------------------------------------------------------------------------------------------


def test_exceptions_and_unknown_functions(bench):
    assert bench.ask(17, read(0, 1)) == octets("83 02")
    assert bench.ask(17, read(0x4000, 126)) == octets("83 03")
    assert bench.ask(17, octets("04 40 00 00 01")) == octets("84 01")
    assert bench.ask(17, octets("2B 0E 01 00")) == octets("AB 01")
    assert bench.ask(17, write(0x4000, 1)) == octets("90 02")
    assert bench.line.statistics.exceptions == 5


def test_too_many_registers_in_one_write(bench):
    assert bench.ask(17, octets("10 40 48 00 7C F8") + bytes(248)) == octets("90 03")


def test_another_unit_stays_silent(bench):
    for unit in (1, 16, 18, 247, 248, 255):
        assert bench.ask(unit, read(0x4000, 1)) == b""
    assert bench.line.statistics.foreign == 6
    assert bench.line.statistics.requests == 0


def test_wrong_crc_is_ignored(bench):
    bench.send(octets("11 03 40 00 00 06 D2 99"), 1.0)
    assert bench.wire.take() == b""
    assert bench.line.dropped == 1
    assert bench.ask(17, read(0x2000, 1)) == registers(34)


def test_many_meters_on_one_line():
    bench = Bench(*(meter(unit) for unit in range(1, 33)))
    for unit in (1, 32, 7, 8):
        assert bench.ask(unit, read(0x2000, 1)) == registers(2 * unit)
        assert bench.ask(unit, write(0x2000, unit)) == octets("10 20 00 00 01")
        assert bench.ask(unit, read(0x2000, 1)) == registers(unit)
    assert bench.ask(33, read(0x2000, 1)) == b""


def test_other_devices_of_the_line_are_overheard(bench):
    """Their requests and answers pass by, also where the system hands them over in one piece."""
    theirs = encode_frame(5, read(0x4000, 2)) + encode_frame(5, registers(0x1103, 0x4000))
    bench.send(theirs + encode_frame(17, read(0x2000, 1)), 1.0)
    assert bench.wire.take() == encode_frame(17, registers(34))


def test_broadcast_is_written_by_all_and_answered_by_none():
    bench = Bench(meter(1), meter(2))
    assert bench.ask(0, write(0x2000, 99)) == b""
    assert bench.ask(1, read(0x2000, 1)) == registers(99)
    assert bench.ask(2, read(0x2000, 1)) == registers(99)
    assert bench.ask(0, octets("05 00 00 FF 00")) == b""
    assert bench.ask(2, octets("01 00 00 00 02")) == octets("01 01 03")
    assert bench.ask(0, read(0x2000, 1)) == b""
    assert bench.ask(0, write(0x4000, 1)) == b""  # refused, in silence
    assert bench.line.statistics.broadcasts == 4


def test_two_meters_of_one_address_are_not_understood():
    bench = Bench(meter(3, "one"), meter(3, "two"))
    assert bench.ask(3, read(0x2000, 1)) == b""
    assert bench.ask(3, write(0x1001, 4)) == b""
    assert [len(each.commands) for each in bench.simulations.values()] == [1, 1]


def test_a_window_has_one_cursor_for_the_line(bench):
    assert bench.ask(17, read(0x8E00, 4)) == registers(0, 0, 1, 2)
    assert bench.ask(17, read(0x8E00, 4)) == registers(1, 10, 11, 12)


# -- registers of the port take effect (6.3.1) -------------------------------------------------------------


def test_a_written_address_answers_from_then_on(bench):
    assert bench.ask(17, write(0x1001, 18)) == octets("10 10 01 00 01")  # still as 17
    assert bench.ask(17, read(0x2000, 1)) == b""
    assert bench.ask(18, read(0x1001, 1)) == registers(18)


def test_dnp3_falls_silent_until_the_register_is_set_back(bench):
    assert bench.ask(17, write(0x0FFE, 1)) == octets("10 0F FE 00 01")
    assert bench.ask(17, read(0x2000, 1)) == b""
    assert bench.ask(0, write(0x0FFE, 0)) == b""  # not even a broadcast is heard
    assert bench.ask(17, read(0x2000, 1)) == b""
    bench.simulations["m17"].meter.image.words[0x0FFE] = 0  # by another port
    assert bench.ask(17, read(0x2000, 1)) == registers(34)


def test_a_real_line_follows_its_only_meter_after_the_answer():
    bench = Bench(meter(17), keeps_time=True)
    assert bench.ask(17, write(0x1002, 9600)) == octets("10 10 02 00 01")
    assert bench.wire.followed == [SerialFormat(9600, "8N1")]
    assert bench.ask(17, write(0x0FFF, 0)) == octets("10 0F FF 00 01")
    assert bench.wire.followed[1:] == [SerialFormat(9600, "8E1")]
    assert bench.ask(17, read(0x2000, 1)) == registers(34)


def test_a_real_line_stays_with_the_meters_that_are_still_as_it_is():
    """One after the other is set to 9600 Bd; the line goes over with the last one."""
    bench = Bench(meter(1), meter(2), keeps_time=True)
    assert bench.ask(1, write(0x1002, 9600)) == octets("10 10 02 00 01")
    assert bench.wire.followed == []
    assert bench.ask(1, read(0x2000, 1)) == b""  # it does not understand 19200 Bd any more
    assert bench.ask(2, write(0x1002, 9600)) == octets("10 10 02 00 01")
    assert bench.wire.followed == [SerialFormat(9600, "8N1")]
    assert bench.ask(1, read(0x2000, 1)) == registers(2)
    assert bench.ask(2, read(0x2000, 1)) == registers(4)


def test_on_a_pair_the_master_has_to_speak_at_the_meters_speed():
    bench = Bench(meter(1, baud_rate=9600), meter(2), speed=9600)
    assert bench.ask(1, read(0x2000, 1)) == registers(2)
    assert bench.ask(2, read(0x2000, 1)) == b""
    bench.wire.speed = 19200
    assert bench.ask(1, read(0x2000, 1)) == b""
    assert bench.ask(2, read(0x2000, 1)) == registers(4)


def test_a_second_stop_bit_does_not_matter_parity_does():
    bench = Bench(meter(1), meter(2, characters="8N2"), meter(3, characters="8E1"))
    assert bench.ask(2, read(0x2000, 1)) == registers(4)
    assert bench.ask(3, read(0x2000, 1)) == b""


# -- when (2.5.1: 3.5 characters, 1.75 ms above 19200 Bd) --------------------------------------------------


@pytest.mark.parametrize(
    ("baud_rate", "characters", "bits", "silence_s"),
    [
        (1200, "8E1", 11, 3.5 * 11 / 1200),
        (9600, "8N1", 10, 3.5 * 10 / 9600),
        (19200, "8N2", 11, 3.5 * 11 / 19200),
        (38400, "8O1", 11, 0.00175),
    ],
)
def test_an_answer_takes_the_time_of_its_bits(baud_rate, characters, bits, silence_s):
    """Of a read of 125 registers: 8 characters, silence, 255 characters."""
    serial = {"baud_rate": baud_rate, "characters": characters}
    bench = Bench(meter(17, **serial), serial_format=SerialFormat(**serial), speed=baud_rate)
    answer = bench.ask(17, read(0x4100, 125), wait_s=0.0)
    assert answer == b""
    bench.loop.run_until(10.0)
    (first, _), (last, _) = bench.wire.sent[0], bench.wire.sent[-1]
    began = 8 * bits / baud_rate + silence_s
    assert last == pytest.approx(began + 255 * bits / baud_rate, rel=1e-9)
    assert began < first <= began + max(0.005, bits / baud_rate) + 1e-9
    assert bench.wire.take() == encode_frame(17, registers(*[17] * 125))


def test_bytes_of_an_answer_are_never_ahead_of_the_line():
    bench = Bench(meter(17, baud_rate=1200), speed=1200)
    bench.ask(17, read(0x4100, 125), wait_s=0.0)
    bench.loop.run_until(10.0)
    began, sent = 8 * 10 / 1200 + 3.5 * 10 / 1200, 0
    for when, data in bench.wire.sent:
        sent += len(data)
        assert sent <= (when - began) * 1200 / 10 + 1e-6


def test_a_real_device_gets_the_answer_at_once():
    bench = Bench(meter(17), keeps_time=True)
    bench.send(encode_frame(17, read(0x2000, 1)), 1.0)
    assert [when for when, _ in bench.wire.sent] == [pytest.approx(3.5 * 10 / 19200)]


def test_a_frame_in_pieces(bench):
    request = encode_frame(17, read(0x2000, 1))
    for byte in request:
        bench.send(bytes((byte,)), 0.001)
    bench.loop.run_until(bench.loop.now + 1)
    assert bench.wire.take() == encode_frame(17, registers(34))


def test_a_pause_ends_a_frame(bench):
    request = encode_frame(17, read(0x2000, 1))
    bench.send(request[:5], 0.1)
    bench.send(request[5:], 0.1)
    assert bench.wire.take() == b""
    bench.send(request[:5], 0.1)
    bench.send(request, 0.1)
    assert bench.wire.take() == encode_frame(17, registers(34))
    assert bench.line.dropped == 3


def test_requests_that_come_in_one_piece_are_answered_in_order(bench):
    bench.send(encode_frame(17, write(0x2000, 5)) + encode_frame(17, read(0x2000, 1)), 1.0)
    answers = encode_frame(17, octets("10 20 00 00 01")) + encode_frame(17, registers(5))
    assert bench.wire.take() == answers


def test_who_speaks_into_an_answer_spoils_both(bench):
    bench.send(encode_frame(17, read(0x4100, 100)), 0.05)  # in the middle of the answer
    begun = len(bench.wire.take())
    assert 0 < begun < 200
    bench.send(encode_frame(17, read(0x2000, 1)), 1.0)
    assert bench.wire.take() == b""
    assert bench.line.statistics.collisions == 1
    assert bench.ask(17, read(0x2000, 1)) == registers(34)


# -- writes that take their time ---------------------------------------------------------------------------


def test_a_write_without_answer_is_busy_after_a_second(bench):
    bench.simulations["m17"].hold()
    assert bench.ask(17, write(0x2000, 1)) == octets("90 06")


def test_a_late_answer_never_goes_to_the_next_request(bench):
    """RTU has no transaction number: the master would take it for that of what it asked last."""
    simulation = bench.simulations["m17"]
    simulation.hold()
    bench.send(encode_frame(17, write(0x2000, 1)), 0.5)
    bench.send(encode_frame(17, read(0x1001, 1)), 0.2)
    assert bench.wire.take() == encode_frame(17, registers(17))
    simulation.futures[0].set_result(Answer(1))
    bench.loop.run_until(bench.loop.now + 2)
    assert bench.wire.take() == b""


def test_requests_behind_a_slow_write_in_one_piece_wait_for_it(bench):
    simulation = bench.simulations["m17"]
    simulation.hold()
    bench.send(encode_frame(17, write(0x2000, 1)) + encode_frame(17, read(0x1001, 1)), 0.2)
    assert bench.wire.take() == b""
    simulation.futures[0].set_result(Answer(1))
    bench.loop.run_until(bench.loop.now + 1)
    answers = encode_frame(17, octets("10 20 00 00 01")) + encode_frame(17, registers(17))
    assert bench.wire.take() == answers


def test_nothing_is_left_running(bench):
    bench.ask(17, read(0x2000, 1))
    bench.send(b"half", 1.0)
    assert bench.loop.pending == 0
    bench.simulations["m17"].hold()
    bench.send(encode_frame(17, write(0x2000, 1)))
    bench.line.close()
    assert bench.loop.pending == 0

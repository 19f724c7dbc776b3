"""Faulty meters on a serial line: on a clock of its own, and for pymodbus over a pair."""

from itertools import pairwise

import pytest
from pymodbus.client import ModbusSerialClient

from tests.protocols.lines import PORT, Bench, serial_words
from tests.protocols.masters import Meter, Registers, read, registers, write
from twin.contracts import RegisterBlock
from twin.contracts.transport import (
    Cut,
    EndpointFault,
    ForcedException,
    HowOften,
    Latency,
    Storm,
    TransportFaults,
)
from twin.protocols import Binding, LineMember, ModbusServer, SerialBinding, SerialFormat
from twin.protocols.fault_decisions import FaultedEndpoint, FaultStream
from twin.protocols.rtu_framing import encode_frame
from twin.protocols.serial_device import open_serial

CHARACTER_S = 10 / 19200
SILENCE_S = 3.5 * CHARACTER_S
READ = read(0x4000, 1)


def meter(unit: int, name: str = "head") -> Meter:
    words = serial_words(unit) | {0x4000: unit, 0x1000: 0, 0x4002: 99}
    return Meter(name, Registers(words), write_regions=((RegisterBlock(0x1000, 3),),))


def bench(*meters: Meter, **faults) -> Bench:
    """Return a line whose first meter is faulty."""
    line = Bench(*meters)
    stream = FaultStream(TransportFaults(**faults), "7")
    line.line._stations[0].faults = FaultedEndpoint([stream])
    return line


def test_an_answer_begins_later():
    line = bench(meter(17), latency=Latency(0.25, 0.25))
    frame = encode_frame(17, READ)
    line.send(frame, 2.0)
    answer = encode_frame(17, registers(17))
    last_at, _ = line.wire.sent[-1]
    characters = len(frame) + len(answer)
    assert last_at == pytest.approx(characters * CHARACTER_S + SILENCE_S + 0.25)
    assert line.wire.take() == answer


def test_who_asks_again_gets_no_answer_to_the_question_before():
    """The late answer is given up when the next request comes; that one is late in its turn."""
    line = bench(meter(17), latency=Latency(0.25, 0.25))
    line.send(encode_frame(17, READ), 0.1)
    line.send(encode_frame(17, read(0x4002, 1)), 2.0)
    assert line.wire.take() == encode_frame(17, registers(99))


def test_lost_requests_and_answers():
    line = bench(meter(17), lost_answers=HowOften(every=2))
    assert line.ask(17, READ) == registers(17)
    assert line.ask(17, write(0x1000, 5)) == b""
    assert len(line.simulations["head"].commands) == 1
    assert line.ask(17, read(0x1000, 1)) == registers(5)
    unheard = bench(meter(17), lost_requests=HowOften())
    assert unheard.ask(17, write(0x1000, 5)) == unheard.ask(0, write(0x1000, 5)) == b""
    assert not unheard.simulations["head"].commands


def test_the_others_on_the_line_are_well():
    line = bench(meter(17), meter(18, "tail"), lost_answers=HowOften())
    assert line.ask(17, READ) == b""
    assert line.ask(18, READ) == registers(18)


def test_an_exception():
    line = bench(meter(17), exception=ForcedException(4))
    assert line.ask(17, READ) == b"\x83\x04"
    assert line.line.statistics.exceptions == 1


def test_wrong_unit_crc_and_stray_bytes():
    def sent(**faults):
        line = bench(meter(17), **faults)
        line.send(encode_frame(17, READ), 2.0)
        return line.wire.take()

    right = encode_frame(17, registers(17))
    assert sent(wrong_unit=HowOften()) == encode_frame(18, registers(17))
    wrong = sent(wrong_crc=HowOften())
    assert wrong[:-1] == right[:-1]
    assert wrong != right
    stray = sent(glitches=HowOften())
    assert stray.endswith(right)
    assert 1 <= len(stray) - len(right) <= 4
    assert sent(cut=Cut(HowOften(), 4)) == right[:4]
    spoilt = bench(meter(17))
    spoilt.line._stations[0].faults = _Flipped([FaultStream(TransportFaults(), "")])
    spoilt.send(encode_frame(17, READ), 2.0)
    assert spoilt.wire.take() == bytes((right[0] ^ 1,)) + right[1:]


class _Flipped(FaultedEndpoint):
    """A line that flips the first bit."""

    def spoil(self, frame: bytes) -> bytes:
        return bytes((frame[0] ^ 1,)) + frame[1:]


def test_a_doubled_answer_comes_after_a_silence():
    line = bench(meter(17), duplicate=HowOften())
    line.send(encode_frame(17, READ), 2.0)
    answer = encode_frame(17, registers(17))
    assert b"".join(data for _, data in line.wire.sent) == answer + answer
    times = [at for at, _ in line.wire.sent]
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) >= SILENCE_S


def test_a_storm_makes_a_meter_busy():
    line = bench(meter(17), storm=Storm(rate=1e5, service_s=0.01, queue=1))
    answers = {line.ask(17, READ, 0.5) for _ in range(30)}
    assert answers == {registers(17), b"\x83\x06"} or answers == {b"\x83\x06"}


def test_pymodbus_over_a_pair():
    """A line that is noisy for one meter: it never gets a wrong value, only fewer answers."""
    device = open_serial("pty", SerialFormat())
    members = (LineMember(meter(17), 1), LineMember(meter(18, "tail"), 1))
    for member in members:
        member.device.serial_ports = (PORT,)
    line = SerialBinding("pty", members, SerialFormat())
    port = Binding("127.0.0.1", 0, {1: members[0].device})
    with ModbusServer([port], lambda command: None, lines=[(line, device)]) as server:
        client = ModbusSerialClient(device.path, baudrate=19200, timeout=0.1, retries=0)
        assert client.connect()
        try:
            noisy = EndpointFault(1, ("head",), TransportFaults(bit_errors=4e-3), "7")
            server.set_faults([noisy])
            got = [_value(client, 17) for _ in range(40)]
            assert set(got) == {17, None}
            server.set_faults([])
            assert _value(client, 18) == 18
        finally:
            client.close()
            server.stop()
            device.close()


def _value(client: ModbusSerialClient, unit: int) -> int | None:
    """Return what a meter says, or None where it is not understood."""
    try:
        answer = client.read_holding_registers(0x4000, count=1, device_id=unit)
    except Exception:
        client.close()
        client.connect()
        return None
    return None if answer.isError() else answer.registers[0]

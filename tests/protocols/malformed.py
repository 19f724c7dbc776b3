"""Frames that no master should send: valid requests, mutated by chance, noise; a meter to bear them."""

import random
import struct
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from tests.protocols.masters import read, write
from twin.contracts import Answer, Command, Refusal
from twin.meters import MeterConfig, build_fleet
from twin.protocols.rtu_framing import crc16, encode_frame
from twin.simulation.publishing import Publisher

START = 1_768_500_000_000_000_000
EXCEPTIONS = {1, 2, 3, 4, 6, 0x0B}
_PLACES = (
    *(0, 1, 0x0FFD, 0x0FFF, 0x1000, 0x1008, 0x101D, 0x101F, 0x102E, 0x1040, 0x1046, 0x1100, 0x3000, 0x4000),
    *(0x4048, 0x412B, 0x42A9, 0x4620, 0x6000, 0x8000, 0x8CFD, 0x8D00, 0x8E00, 0x8E43, 0xFFFF),
)


class Meter:
    """A kw320q whose writes are carried out at once, as a simulation that stands still would."""

    def __init__(self) -> None:
        self.fleet = build_fleet([MeterConfig(name="head", profile="kw320q")], start_ns=START)
        self.publisher = Publisher(self.fleet, ["head"])
        self.publisher.publish(START)
        self.device = self.publisher.meters[0]
        self.writes = 0

    def submit(self, command: Command) -> "Future[Answer]":
        self.writes += 1
        future: Future[Answer] = Future()
        address, words = command.arguments.get("address"), command.arguments.get("words")
        answer = Answer(START, Refusal.ILLEGAL_FUNCTION)  # no module with a relay is connected
        if command.verb == "write_registers":
            answer = self.fleet.write(0, address, words, START)
            self.publisher.publish_one("head", START)
        future.set_result(answer)
        return future

    def set_port(self, unit: int) -> None:
        """Set the first serial port as a new meter's is, whatever was written to it."""
        self.fleet.write(0, 0x101F, [0], START)
        assert self.fleet.write(0, 0x0FFE, [0, 3, 0, unit, 19200], START).refusal is None
        self.publisher.publish_one("head", START)


@contextmanager
def real_meter() -> Iterator[Meter]:
    meter = Meter()
    try:
        yield meter
    finally:
        meter.publisher.close()


class Malformer:
    """Draws requests; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pdu(self) -> bytes:
        """A request that a master could send, right or wrong in its values."""
        draw = self.random
        address = (draw.choice(_PLACES) + draw.randrange(-2, 6)) & 0xFFFF
        kind = draw.randrange(8)
        if kind < 3:
            return read(address, draw.choice((0, 1, 2, 6, 72, 125, 126, draw.randrange(0x10000))))
        if kind == 3:
            return write(address, *(draw.randrange(0x10000) for _ in range(draw.choice((0, 1, 2, 5, 123)))))
        if kind == 4:
            return write(address, draw.choice((0, 1, 2, 5, 10, 0x0A, 0x55, 0xAA)))
        if kind == 5:
            return struct.pack(">BHH", draw.choice((1, 2, 4, 5, 6)), address, draw.choice((0, 1, 0xFF00)))
        if kind == 6:
            return bytes((draw.randrange(256),)) + draw.randbytes(draw.randrange(20))
        return draw.randbytes(draw.randrange(1, 254))

    def mutated(self, frame: bytes) -> bytes:
        """The same frame in one of many ways wrong; now and then as it is."""
        draw = self.random
        data = bytearray(frame)
        kind = draw.randrange(9)
        if kind == 0:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del data[draw.randrange(len(data)) :]
        elif kind == 2:
            data += draw.randbytes(draw.randrange(1, 9))
        elif kind == 3:
            at = draw.randrange(len(data))
            data[at:at] = draw.randbytes(draw.randrange(1, 4))
        elif kind == 4:
            at = draw.randrange(len(data))
            del data[at : at + draw.randrange(1, 4)]
        elif kind == 5:
            for _ in range(draw.randrange(1, 5)):
                data[draw.randrange(len(data))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 6:
            data = bytearray(draw.randbytes(draw.randrange(1, 40)))
        return bytes(data)

    def tcp(self) -> bytes:
        """A frame for unit 1 of a TCP port; most are framed well, else the first would be the last."""
        draw = self.random
        pdu, unit = self.pdu(), draw.choice((1, 1, 1, 1, 0, 2, 255))
        if draw.random() < 0.4:
            pdu = self.mutated(pdu)[:254] or pdu
        frame = struct.pack(">HHHB", draw.randrange(0x10000), 0, len(pdu) + 1, unit) + pdu
        return self.mutated(frame) if draw.random() < 0.04 else frame

    def rtu(self, unit: int) -> bytes:
        """A frame for a line; some that are wrong have the right CRC all the same."""
        draw = self.random
        addressed = draw.choice((unit, unit, unit, unit, 0, 9, 255))
        frame = encode_frame(addressed, self.pdu())
        if draw.random() < 0.5:
            return frame
        frame = self.mutated(frame)
        return frame + crc16(frame).to_bytes(2, "little") if draw.random() < 0.3 else frame


def check_tcp_answers(stream: bytes) -> int:
    """Check that a stream is whole answers as the specification has them; return how many."""
    count = at = 0
    while at < len(stream):
        _, protocol, length, _ = struct.unpack_from(">HHHB", stream, at)
        assert protocol == 0
        assert 3 <= length <= 254
        check_pdu(stream[at + 7 : at + 6 + length])
        at += 6 + length
        count += 1
    assert at == len(stream)
    return count


def check_pdu(pdu: bytes) -> None:
    """Check the form of one answer."""
    if pdu[0] & 0x80:
        assert len(pdu) == 2
        assert pdu[1] in EXCEPTIONS - {4}, "the meter failed"
    elif pdu[0] == 3:
        assert 1 <= pdu[1] // 2 <= 125
        assert len(pdu) == 2 + pdu[1]
    elif pdu[0] in {1, 2}:
        assert 1 <= pdu[1] <= 250
        assert len(pdu) == 2 + pdu[1]
    else:
        assert pdu[0] in {5, 16}
        assert len(pdu) == 5

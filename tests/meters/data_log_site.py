"""A meter whose data logs record a constructed signal, and a master that retrieves them as the manual says.

The master knows the manual alone (6.3.8): it writes the header, waits for the status and takes records apart.
"""

import struct
from dataclasses import dataclass

from tests.meters.kw320_site import AMPERES, SECOND, START, VOLTS, segment
from twin.meters import MeterConfig, build_fleet

MINUTE = 60 * SECOND
CONFIG = MeterConfig(name="head", profile="kw320", pt1=20_000, pt2=100, ct1=200, ct2=5, accuracy="ideal")
LIST_FRAME = (0x1102, [0x4002, 0x4003, 0x4004, 0x4005, 0x4006, 0x4007])
DESCRIPTOR_FRAME = (0x1177, [0x0202, 0x0200])
SIZE_FRAME = (0x1100, [0x060A])
INTERVAL_FRAME = (0x1101, [0x0001])
TIMER_FRAME = (0x11B9, [0])
FRAMES = (LIST_FRAME, DESCRIPTOR_FRAME, SIZE_FRAME, INTERVAL_FRAME, TIMER_FRAME)
"""The manual's example: VAN, VBN, VCN each minute in ten sectors of log 1."""


@dataclass
class Record:
    """A record as its 24 octets say."""

    number: int
    stamp: tuple[int, ...]
    data: bytes

    @property
    def floats(self):
        return struct.unpack(f">{len(self.data) // 4}f", self.data)


def crc16(octets):
    """CRC of the MODBUS over serial line specification, appendix B, bit by bit."""
    crc = 0xFFFF
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def take_apart(octets):
    """Return the record that octets hold, after checking its CRC as a serial line does."""
    assert crc16(octets) == 0
    (number,) = struct.unpack(">I", octets[:4])
    return Record(number, tuple(octets[4:10]), octets[10:-2])


class Site:
    """A meter that is fed, written to and read; `read` and `write` go through one master's session."""

    def __init__(self, config=CONFIG, start_ns=START):
        self.fleet = build_fleet([config], start_ns=start_ns)
        self.segment = segment(VOLTS, AMPERES, start_ns=start_ns)
        self.now = start_ns
        self.window = self.fleet.windows(0)[-1]
        self.cursor = self.window.initial()
        self.fleet.advance(self.segment, start_ns)

    def run(self, duration_ns):
        self.now += duration_ns
        self.fleet.advance(self.segment, self.now)

    def set(self, address, words):
        return self.fleet.write(0, address, words, self.now).refusal

    def set_up(self, *frames):
        for address, words in frames or FRAMES:
            assert self.set(address, words) is None

    def write(self, address, words):
        self.cursor = self.window.write(self.cursor, address, words)

    def read(self, address, count):
        words, self.cursor = self.window.read(self.cursor, address, count)
        return words.tolist()

    def status(self, log=1):
        """Return maximum, used, size, first and last time of a log."""
        words = self.read(0x6000 + 0x100 * log, 12)
        times = [tuple(part for word in words[at : at + 3] for part in divmod(word, 256)) for at in (6, 9)]
        return words[0] << 16 | words[1], words[2] << 16 | words[3], words[4], *times

    def retrieve(self, log=1):
        return retrieve(self.read, self.write, log)


def retrieve(read, write, log=1):
    """Return all records of a log from the oldest on, by the steps of the manual's example."""
    _, _, high, low, size = read(0x6000 + 0x100 * log, 5)
    used = high << 16 | low
    per_window = 246 // size
    found = []
    write(0x6000, [log - 1])
    while len(found) < used:
        offset = len(found)
        write(0x6001, [per_window << 8 | 0x0B, offset >> 16, offset & 0xFFFF])
        header = read(0x6000, 4)
        assert header[1] >> 8 == per_window
        if header[1] & 0xFF != 0x0B:
            break
        octets = struct.pack(">123H", *read(0x6004, 123))
        here = min(per_window, used - offset)
        found += [take_apart(octets[k * size : (k + 1) * size]) for k in range(here)]
    return found

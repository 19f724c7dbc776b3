"""A serial line with a clock of its own: the master's bytes go in, answers come out with their times."""

import heapq
import itertools
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from tests.protocols.masters import Meter, Simulation
from twin.contracts import SerialPort
from twin.protocols.carried_out import WriteContext
from twin.protocols.modbus_rtu import RtuLine, Station
from twin.protocols.rtu_framing import encode_frame
from twin.protocols.serial_format import SerialFormat
from twin.protocols.served_port import ServedDevice

FORMATS = ("8E1", "8O1", "8N2", "8N1")
PORT = SerialPort(address=0x1001, baud_rate=0x1002, parity=0x0FFF, formats=FORMATS, protocol=0x0FFE)


def serial_words(unit: int, baud_rate: int = 19200, characters: str = "8N1") -> dict[int, int]:
    """Registers of a port: protocol, parity, address, speed."""
    return {0x0FFE: 0, 0x0FFF: FORMATS.index(characters), 0x1001: unit, 0x1002: baud_rate}


class VirtualLoop:
    """Timers of an event loop, on a clock that stands still between them."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list = []
        self._number = itertools.count()

    def time(self) -> float:
        return self.now

    def call_at(self, when, callback, *arguments):
        timer = Timer(callback, arguments)
        heapq.heappush(self._timers, (when, next(self._number), timer))
        return timer

    def call_later(self, delay, callback, *arguments):
        return self.call_at(self.now + delay, callback, *arguments)

    def call_soon_threadsafe(self, callback, *arguments):
        return self.call_at(self.now, callback, *arguments)

    def run_until(self, when: float) -> None:
        while self._timers and self._timers[0][0] <= when:
            due, _, timer = heapq.heappop(self._timers)
            self.now = max(self.now, due)
            if not timer.cancelled:
                timer.callback(*timer.arguments)
        self.now = when

    def drain(self) -> None:
        """Go on until nothing is due any more."""
        while self._timers:
            self.run_until(max(self.now, self._timers[0][0]))

    @property
    def pending(self) -> int:
        return sum(not timer.cancelled for _, _, timer in self._timers)


@dataclass
class Timer:
    callback: object
    arguments: tuple
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Wire:
    """Where a line's bytes go: a pair on which bytes take no time, unless it is told to be real."""

    loop: VirtualLoop
    keeps_time: bool = False
    speed: int | None = None
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    followed: list[SerialFormat] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        self.sent.append((self.loop.now, data))

    def follow(self, serial_format: SerialFormat) -> None:
        self.followed.append(serial_format)

    def baud_rate(self) -> int | None:
        return self.speed

    def take(self) -> bytes:
        """Return what was sent since the last time."""
        data = b"".join(data for _, data in self.sent)
        self.sent.clear()
        return data


class Bench:
    """A line with meters; ask it as a master does."""

    def __init__(self, *meters: Meter, serial_format=None, keeps_time=False, speed=None) -> None:
        self.loop = VirtualLoop()
        self.wire = Wire(self.loop, keeps_time, speed)
        self.simulations = {meter.name: Simulation(meter) for meter in meters}
        context = WriteContext(self.loop, self._submit, 1.0)
        stations = [Station(ServedDevice(replace(meter, serial_ports=(PORT,))), PORT) for meter in meters]
        self.line = RtuLine(context, stations, self.wire, serial_format or SerialFormat())

    def _submit(self, command) -> Future:
        return self.simulations[command.target].submit(command)

    def send(self, data: bytes, wait_s: float = 0.0) -> None:
        self.line.receive(data)
        self.loop.run_until(self.loop.now + wait_s)

    def ask(self, unit: int, pdu: bytes, wait_s: float = 2.0) -> bytes:
        """Return the PDU of the answer, after checking its unit and CRC; empty for none."""
        self.send(encode_frame(unit, pdu), wait_s)
        answer = self.wire.take()
        if not answer:
            return b""
        assert answer == encode_frame(unit, answer[1:-2])
        return answer[1:-2]

"""A line with Modbus RTU meters on it: who hears a frame, who answers, and when the answer is on the line.

What the meters' registers say of their serial ports holds from the next frame on; an answer is still sent as
its request was. Timers and bytes come from outside, so that tests can have time of their own.

References
----------
MODBUS over Serial Line Specification V1.02, sections 2.1 (broadcast), 2.4.1 (states), 2.5.1 (timing); KW320
manual 6.1, 6.3.1.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from twin.contracts import SerialPort
from twin.protocols.binding import UnitCheck
from twin.protocols.carried_out import CarriedOut, WriteContext, submit_write
from twin.protocols.fault_decisions import Fate, FaultedEndpoint
from twin.protocols.fault_shapes import shape_rtu
from twin.protocols.modbus_session import ModbusSession, PendingWrite, exception_pdu
from twin.protocols.rtu_framing import FrameSplitter, encode_frame
from twin.protocols.serial_format import PortSettings, SerialFormat, port_settings
from twin.protocols.served_port import ServedDevice, ServedPort

GRACE_S = 0.02
"""Beyond the 3.5 characters: pieces of one frame reach a program that much apart, on a busy machine."""
_SLICE_S = 0.005
_MOST_WAITING = 16
_BROADCAST = 0
_ONLY = 0  # unit of the one meter of a session: on a line the address may change


class Medium(Protocol):
    """Where a line's bytes go."""

    @property
    def keeps_time(self) -> bool:
        """Whether bytes take their time on it by themselves, as on a real line."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes; what nobody takes is lost."""
        ...

    def follow(self, serial_format: SerialFormat) -> None:
        """Set speed and characters."""
        ...

    def baud_rate(self) -> int | None:
        """Return the speed at which the master speaks, where that can be known [Bd]."""
        ...


@dataclass(slots=True)
class LineStatistics:
    """Counts of one line since the server started."""

    requests: int = 0
    """Frames for a meter of the line."""
    exceptions: int = 0
    broadcasts: int = 0
    foreign: int = 0
    """Frames for nobody here."""
    collisions: int = 0
    """Bytes that came while an answer was on the line."""


class Station:
    """A meter on a line, by one of its serial ports."""

    __slots__ = ("_image", "_port", "faults", "session")

    def __init__(self, served: ServedDevice, port: SerialPort) -> None:
        self._image = served.device.image
        self._port = port
        self.session = ModbusSession(ServedPort({_ONLY: served}, UnitCheck.ANY))
        self.faults: FaultedEndpoint | None = None
        """What is wrong with its port; None where all is well."""

    @property
    def powered(self) -> bool:
        """Whether the meter has its supply; without, it hears nothing."""
        return self._image.powered

    def settings(self) -> PortSettings:
        """Return how its registers set the port now."""
        return port_settings(self._image, self._port)


class RtuLine:
    """Meters on one serial line, and their one master.

    Parameters
    ----------
    context
        Clock, and where writes go.
    stations
        The meters; at least one.
    medium
        Where answers go.
    serial_format
        How the line is set at first.
    """

    def __init__(
        self,
        context: WriteContext,
        stations: Sequence[Station],
        medium: Medium,
        serial_format: SerialFormat,
    ) -> None:
        self._context = context
        self._loop = context.loop
        self._stations = tuple(stations)
        self._medium = medium
        self._format = serial_format
        self._splitter = FrameSplitter()
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._write = CarriedOut(context, self._answer_write)
        self._asked = _BROADCAST  # unit of the request that is being answered
        self._asked_until = 0.0  # when it had left the line, and the silence after it was over
        self._faulty: tuple[Fate, FaultedEndpoint] | None = None  # what becomes of that answer
        self._repeats: list[bytes] = []  # what follows it
        self._timer: asyncio.TimerHandle | None = None  # of the answer
        self._silence: asyncio.TimerHandle | None = None  # of the request
        self._sending = False
        self._free_at = 0.0
        self.statistics = LineStatistics()
        """What happened so far."""

    @property
    def format(self) -> SerialFormat:
        """How the line is set: as its meters are, while one of them still is so."""
        return self._format

    @property
    def dropped(self) -> int:
        """Bursts of bytes that were no frames."""
        return self._splitter.dropped

    def receive(self, data: bytes) -> None:
        """Take bytes from the line: part of a frame, one, or many."""
        if self._sending:
            self._collide()
            return
        self.follow()
        start = max(self._loop.time(), self._free_at)
        self._free_at = start + (0.0 if self._medium.keeps_time else len(data) * self._format.character_s)
        for frame in self._splitter.feed(data):
            self._take(frame)
        self._await_silence()

    def follow(self) -> None:
        """Set the line as its meters are set, unless one of them still is as the line is."""
        baud_rate = self._medium.baud_rate()
        if baud_rate is not None:
            self._format = replace(self._format, baud_rate=baud_rate)
        formats = [station.settings().format for station in self._stations]
        if baud_rate is not None:  # the master's: there is no other
            formats = [replace(each, baud_rate=baud_rate) for each in formats]
        if any(each.hears(self._format) for each in formats):
            return
        self._format = formats[0]
        self._medium.follow(self._format)

    def close(self) -> None:
        """Forget what is under way."""
        self._write.cancel()
        for timer in (self._timer, self._silence):
            if timer is not None:
                timer.cancel()
        self._waiting.clear()

    # Requests

    def _await_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self._splitter.pending:
            until = self._free_at + self._format.silence_s + GRACE_S
            self._silence = self._loop.call_at(max(until, self._loop.time() + GRACE_S), self._end_burst)

    def _end_burst(self) -> None:
        self._silence = None
        frame = self._splitter.silence()
        if frame is not None:
            self._take(frame)

    def _take(self, frame: bytes) -> None:
        if self._loop.time() > self._asked_until:
            # The master has given up its last request; what it asks now must not get that answer.
            if self._write.waiting:
                self._write.cancel()
            elif self._faulty is not None and self._timer is not None:
                self._repeats.clear()
                self._timer.cancel()
                self._timer = None
        self._waiting.append(frame)
        self._work()

    def _work(self) -> None:
        """Have waiting frames answered until one answer has to be waited for."""
        while self._waiting and not self._write.waiting and self._timer is None:
            frame = self._waiting.popleft()
            self._handle(frame[0], frame[1:])

    def _handle(self, unit: int, pdu: bytes) -> None:
        hearing = self._hearing(unit)
        if not hearing:
            self.statistics.foreign += 1
            return
        if unit == _BROADCAST:
            self.statistics.broadcasts += 1
        else:
            self.statistics.requests += 1
        if unit == _BROADCAST or len(hearing) > 1:
            # Meters of one address answer at the same time, and nobody understands them.
            for station in hearing:
                self._carry_out(station, pdu)
            return
        self._asked = unit
        self._asked_until = max(self._loop.time(), self._free_at) + self._format.silence_s
        answer = self._answer_of(hearing[0], pdu)
        if isinstance(answer, PendingWrite):
            self._write.begin(answer)
        elif answer is not None:
            self._answer(answer)

    def _answer_of(self, station: Station, pdu: bytes) -> bytes | PendingWrite | None:
        """Have a request carried out as its fate is; return its answer."""
        self._faulty = None
        if station.faults is None or not station.powered:
            return station.session.handle(_ONLY, pdu)
        fate = station.faults.decide(pdu, self._loop.time())
        self._faulty = fate, station.faults
        if not fate.heard:
            return None
        if fate.exception is not None:
            return exception_pdu(pdu[0], fate.exception)
        return station.session.handle(_ONLY, pdu)

    def _hearing(self, unit: int) -> list[Station]:
        """Return the stations that a frame for a unit is for, and that understand it."""
        heard = []
        for station in self._stations:
            settings = station.settings()
            addressed = unit in {_BROADCAST, settings.unit}
            if addressed and settings.modbus and settings.format.hears(self._format):
                heard.append(station)
        return heard

    def _carry_out(self, station: Station, pdu: bytes) -> None:
        """Have a write done that nobody answers."""
        if station.faults is not None and not station.faults.decide(pdu, self._loop.time()).heard:
            return
        answer = station.session.handle(_ONLY, pdu)
        if isinstance(answer, PendingWrite):
            submit_write(self._context, answer, lambda _: None)

    # Answers

    def _answer_write(self, pdu: bytes) -> None:
        self._answer(pdu)

    def _answer(self, pdu: bytes) -> None:
        """Send an answer, when the request has left the line and the line has been silent."""
        self.statistics.exceptions += pdu[0] >> 7
        at = max(self._loop.time(), self._asked_until)
        if self._faulty is None:
            self._timer = self._loop.call_at(at, self._begin, encode_frame(self._asked, pdu))
            return
        fate, endpoint = self._faulty
        bursts = shape_rtu(fate, endpoint, self._asked, pdu) if fate.answered else []
        if bursts:
            self._repeats = bursts[1:]
            self._timer = self._loop.call_at(at + fate.delay_s, self._begin, bursts[0])
        else:
            self._work()

    def _begin(self, frame: bytes) -> None:
        if self._medium.keeps_time:
            self._medium.write(frame)
            self._end(len(frame) * self._format.character_s)
            return
        self._sending = True
        self._send(frame, 0, self._loop.time())

    def _send(self, frame: bytes, sent: int, began: float) -> None:
        """Send what a real line would have carried by now."""
        now = self._loop.time()
        character_s = self._format.character_s
        due = min(len(frame), int((now - began) / character_s + 1e-6))
        if due > sent:
            self._medium.write(frame[sent:due])
        if due == len(frame):
            self._end()
            return
        whole = began + len(frame) * character_s
        following = began + (due + 1) * character_s
        at = min(whole, max(now + _SLICE_S, following))
        self._timer = self._loop.call_at(at, self._send, frame, due, began)

    def _end(self, on_line_s: float = 0.0) -> None:
        """Go on when an answer is sent, though it may be on the line for some time."""
        self._timer = None
        self._sending = False
        if self._repeats:
            at = self._loop.time() + on_line_s + self._format.silence_s
            self._timer = self._loop.call_at(at, self._begin, self._repeats.pop(0))
            return
        self.follow()
        self._work()

    def _collide(self) -> None:
        """Give up an answer into which the master spoke: neither is understood."""
        self.statistics.collisions += 1
        if self._timer is not None:
            self._timer.cancel()
        self._splitter.clear()
        self._repeats.clear()
        self._end()

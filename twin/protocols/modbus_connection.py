"""One TCP connection of a Modbus master: frames out of a byte stream, answers in order.

pymodbus' own server answers only the first request of a TCP segment and mixes up transaction
identifiers while it waits, so the stream is cut into frames here; pymodbus' classes read and write the
messages inside (see :mod:`twin.protocols.modbus_session`).

References
----------
MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3 (MBAP header) and 4.4.2.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import cast

from twin.protocols.carried_out import CarriedOut, WriteContext
from twin.protocols.fault_shapes import TCP_HEADER
from twin.protocols.late_answers import LateAnswers
from twin.protocols.modbus_session import ModbusSession, PendingWrite
from twin.protocols.served_port import ServedPort

_HEADER = struct.Struct(">HHH")  # transaction, protocol, length of what follows
_SHORTEST = 2  # unit and function code
# The specification ends at 254 (a PDU of 253 bytes), but a write of too many registers has to be read to be
# refused as such: its byte count, one byte, ends at 255.
_LONGEST = 1 + 6 + 255
_REQUESTS_PER_TURN = 64  # then other connections have their turn
_NO_TIME = struct.pack("ii", 1, 0)  # lingering is on, for 0 s
_BACKLOG_BYTES = 65536  # of unanswered requests; above that the sender has to wait


@dataclass(slots=True)
class PortStatistics:
    """Counts of one port since the server started."""

    requests: int = 0
    exceptions: int = 0
    connections: int = 0
    accepted: int = 0


@dataclass(slots=True)
class ServerContext:
    """What all connections of a server share."""

    loop: asyncio.AbstractEventLoop
    writes: WriteContext
    connections: set["ModbusConnection"] = field(default_factory=set)


class ModbusConnection(asyncio.Protocol):
    """Reads requests from one master and answers them in the order in which they came."""

    def __init__(self, context: ServerContext, port: ServedPort, statistics: PortStatistics) -> None:
        self._context = context
        self._port = port
        self._session = ModbusSession(port)
        self._statistics = statistics
        self._buffer = bytearray()
        self._write = CarriedOut(context.writes, self._answer_write)
        self._pending_header = (0, 0)
        self._answers_stuck = False
        self._held = False  # not served yet, as its device has no room
        self._late: LateAnswers | None = None  # where answers are, or lately were, not sent at once
        self._turn_due = False
        self._at_end = False
        self.last_heard_s = context.loop.time()
        """When the master last sent anything, by the loop's clock [s]."""

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve a master."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by type
        self._context.connections.add(self)
        self._statistics.connections += 1
        self._statistics.accepted += 1
        if self._port.powered:
            self._port.door.enter(self, self._context.loop.call_later)
        else:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the master, its place in every window, and the answer that it waited for."""
        del exc
        self._context.connections.discard(self)
        self._statistics.connections -= 1
        self._port.door.leave(self)
        self._buffer.clear()
        self._write.cancel()
        if self._late is not None:
            self._late.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes: part of a request, one, or many."""
        self.last_heard_s = self._context.loop.time()
        self._buffer += data
        self._work()

    def eof_received(self) -> bool:
        """Answer what is still to be answered, then close."""
        self._at_end = True
        self._work()
        return True

    def pause_writing(self) -> None:
        """Stop answering a master that does not read its answers."""
        self._answers_stuck = True

    def resume_writing(self) -> None:
        """Go on when it does."""
        self._answers_stuck = False
        self._work()

    # What the server calls

    @property
    def waiting(self) -> bool:
        """Whether a write of this master is being carried out."""
        return self._write.waiting

    def abort(self) -> None:
        """Close at once, without sending what is still to be sent."""
        self._transport.abort()

    # What the port's doorkeeper and late answers call

    def hold(self) -> None:
        """Answer nothing for the time being."""
        self._held = True

    def admit(self) -> None:
        """Answer from now on, what has come meanwhile first."""
        self._held = False
        self._work()

    def reset(self) -> None:
        """Close at once, by a reset instead of in order."""
        # A socket that lingers for no time is not shut down but reset (socket(7)).
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_TIME)
        self._transport.abort()

    def send(self, data: bytes) -> None:
        """Send bytes, whatever they are."""
        self._transport.write(data)

    def end(self, *, reset: bool) -> None:
        """Close the connection, by a reset or after what has been sent."""
        self._buffer.clear()
        if reset:
            self.reset()
        else:
            self._transport.close()

    # Requests

    def _work(self) -> None:
        """Answer buffered requests until none is whole, a write must be waited for, or it is enough."""
        if self._write.waiting or self._answers_stuck or self._turn_due or self._held:
            self._throttle()
            return
        if self._transport.is_closing():
            return
        if not self._port.powered:
            self.abort()  # the meter that the port belongs to has lost its supply
            return
        faulty = self._port.faults is not None
        if self._late is not None:
            if self._late.full:
                self._throttle()
                return
            faulty = faulty or self._late.waiting
            if not faulty:
                self._late = None  # all is well again
        answers: list[bytes] = []
        position, garbage = 0, False
        for _ in range(_REQUESTS_PER_TURN):
            if len(self._buffer) - position < _HEADER.size:
                break
            transaction, protocol, length = _HEADER.unpack_from(self._buffer, position)
            if protocol != 0 or not _SHORTEST <= length <= _LONGEST:
                garbage = True
                break
            end = position + _HEADER.size + length
            if end > len(self._buffer):
                break
            unit = self._buffer[position + _HEADER.size]
            request = bytes(self._buffer[position + _HEADER.size + 1 : end])
            position = end
            self._statistics.requests += 1
            if faulty:
                if not self._handle_faulty(transaction, unit, request):
                    break
                continue
            answer = self._session.handle(unit, request)
            if isinstance(answer, PendingWrite):
                self._pending_header = (transaction, unit)
                self._write.begin(answer)
                break
            if answer is not None:
                answers.append(self._frame(transaction, unit, answer))
        else:
            self._turn_due = True
            self._context.loop.call_soon(self._next_turn)
        del self._buffer[:position]
        if answers:
            self._transport.write(b"".join(answers))
        if garbage:
            # There is no telling where the next request would start.
            self._buffer.clear()
            self._transport.close()
        elif self._at_end and not (self._write.waiting or self._turn_due or self._is_late):
            self._transport.close()
        self._throttle()

    def _handle_faulty(self, transaction: int, unit: int, request: bytes) -> bool:
        """Give a request its fate; return whether the next one may be handled."""
        if self._late is None:
            self._late = LateAnswers(self._context.loop, self, self._work)
        answer = self._late.handle(self._port.faults, self._session, transaction, unit, request)
        if isinstance(answer, PendingWrite):
            self._write.begin(answer)
            return False
        if answer is not None:
            self._statistics.exceptions += answer[0] >> 7
        return not (self._late.full or self._transport.is_closing())

    @property
    def _is_late(self) -> bool:
        """Whether an answer is held back."""
        return self._late is not None and self._late.waiting

    def _next_turn(self) -> None:
        self._turn_due = False
        self._work()

    def _throttle(self) -> None:
        """Let the master's TCP stack wait while too much is unanswered."""
        if self._at_end or self._transport.is_closing():
            return
        if len(self._buffer) > _BACKLOG_BYTES:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def _frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        self._statistics.exceptions += pdu[0] >> 7
        return TCP_HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu

    def _answer_write(self, pdu: bytes) -> None:
        if self._late is None:
            self._transport.write(self._frame(*self._pending_header, pdu))
        else:
            self._statistics.exceptions += pdu[0] >> 7
            self._late.answer(pdu)
        self._work()

"""One TCP connection of a Modbus master: frames out of a byte stream, answers in order.

pymodbus' own server answers only the first request of a TCP segment and mixes up transaction
identifiers while it waits, so the stream is cut into frames here; pymodbus' classes read and write the
messages inside (see :mod:`twin.protocols.modbus_session`).

References
----------
MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3 (MBAP header) and 4.4.2.
"""

import asyncio
import struct
from dataclasses import dataclass, field
from typing import cast

from twin.protocols.carried_out import CarriedOut, WriteContext
from twin.protocols.modbus_session import ModbusSession, PendingWrite, ServedPort

_HEADER = struct.Struct(">HHH")  # transaction, protocol, length of what follows
_ANSWER = struct.Struct(">HHHB")
_SHORTEST = 2  # unit and function code
# The specification ends at 254 (a PDU of 253 bytes), but a write of too many registers has to be read to be
# refused as such: its byte count, one byte, ends at 255.
_LONGEST = 1 + 6 + 255
_REQUESTS_PER_TURN = 64  # then other connections have their turn
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
        if not self._port.powered:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the master, its place in every window, and the answer that it waited for."""
        del exc
        self._context.connections.discard(self)
        self._statistics.connections -= 1
        self._buffer.clear()
        self._write.cancel()

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

    # Requests

    def _work(self) -> None:
        """Answer buffered requests until none is whole, a write must be waited for, or it is enough."""
        if self._write.waiting or self._answers_stuck or self._turn_due or self._transport.is_closing():
            self._throttle()
            return
        if not self._port.powered:
            self.abort()  # the meter that the port belongs to has lost its supply
            return
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
        elif self._at_end and not self._write.waiting and not self._turn_due:
            self._transport.close()
        self._throttle()

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
        return _ANSWER.pack(transaction, 0, len(pdu) + 1, unit) + pdu

    def _answer_write(self, pdu: bytes) -> None:
        self._transport.write(self._frame(*self._pending_header, pdu))
        self._work()

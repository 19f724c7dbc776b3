"""What a Modbus master's requests mean to meters: no sockets, no threads, no waiting.

References
----------
MODBUS Application Protocol Specification V1.1b3, sections 6.1-6.12 (functions) and 7 (exceptions).
"""

import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import WriteMultipleRegistersRequest, WriteMultipleRegistersResponse

from twin.contracts import (
    BEYOND_REGISTERS,
    Command,
    Refusal,
    RetrievalWindow,
)
from twin.protocols.binding import UnitCheck
from twin.protocols.served_port import ServedDevice, ServedPort

MAX_READ = 125
"""Registers in one read: V1.1b3 section 6.3."""
MAX_WRITE = 123
"""Registers in one write: V1.1b3 section 6.12."""
MAX_BITS = 2000
"""Coils or inputs in one read: V1.1b3 sections 6.1 and 6.2."""

_READ_COILS, _READ_INPUTS, _READ_REGISTERS, _WRITE_COIL, _WRITE_REGISTERS = 1, 2, 3, 5, 16
_FIVE_BYTES = struct.Struct(">BHH")
_HEAD_OF_READ = tuple(bytes((_READ_REGISTERS, 2 * count)) for count in range(MAX_READ + 1))
_COIL_VALUES = {0xFF00: True, 0x0000: False}
"""KW320 manual 6.2, part 4: all other values are invalid."""

_EXCEPTION_OF = {
    Refusal.ILLEGAL_FUNCTION: ExcCodes.ILLEGAL_FUNCTION,
    Refusal.ILLEGAL_ADDRESS: ExcCodes.ILLEGAL_ADDRESS,
    Refusal.ILLEGAL_VALUE: ExcCodes.ILLEGAL_VALUE,
    Refusal.SEALED: ExcCodes.ILLEGAL_VALUE,
    Refusal.BUSY: ExcCodes.DEVICE_BUSY,
    Refusal.NO_SUPPLY: ExcCodes.GATEWAY_NO_RESPONSE,
    Refusal.FAILED: ExcCodes.DEVICE_FAILURE,
    Refusal.UNKNOWN_TARGET: ExcCodes.DEVICE_FAILURE,
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A write that the simulation has to carry out before it can be answered."""

    command: Command
    done: bytes
    """Answer PDU if it is carried out."""

    def refused(self, refusal: Refusal) -> bytes:
        """Return the answer PDU if it is not."""
        return exception_pdu(self.done[0], _EXCEPTION_OF[refusal])

    def failed(self) -> bytes:
        """Return the answer PDU if the simulation broke down over it."""
        return exception_pdu(self.done[0], ExcCodes.DEVICE_FAILURE)


class ModbusSession:
    """One master's connection to one port: its requests, and its place in each retrieval window.

    Parameters
    ----------
    port
        What is served on the port that the master connected to.
    """

    __slots__ = ("_cursors", "_port")

    def __init__(self, port: ServedPort) -> None:
        self._port = port
        self._cursors: dict[tuple[int, int], Any] = {}

    def handle(self, unit: int, request: bytes) -> bytes | PendingWrite | None:
        """Answer one request.

        Parameters
        ----------
        unit
            Unit identifier it is addressed to.
        request
            Its PDU: function code and data; at least one byte.

        Returns
        -------
        bytes, PendingWrite or None
            The answer's PDU; or a write to be carried out first; or None for no answer at all.
        """
        function = request[0]
        served = self._port.device(unit)
        if served is None or not served.powered:
            if self._port.unit_check is UnitCheck.STRICT:
                return exception_pdu(function, ExcCodes.GATEWAY_NO_RESPONSE)
            return None
        if function not in served.functions:
            return exception_pdu(function, ExcCodes.ILLEGAL_FUNCTION)
        try:
            if function == _READ_REGISTERS:
                return self._read_registers(unit, served, request)
            if function == _WRITE_REGISTERS:
                return self._write_registers(unit, served, request)
            if function == _WRITE_COIL:
                return _write_coil(served, request)
            return _read_bits(served, request)
        except Exception:
            # One meter's fault must not cost the master its other meters: exception 04 says so.
            _log.exception("meter %s failed on Modbus request %s", served.device.name, request.hex(" "))
            return exception_pdu(function, ExcCodes.DEVICE_FAILURE)

    def _read_registers(self, unit: int, served: ServedDevice, request: bytes) -> bytes:
        if len(request) != _FIVE_BYTES.size:
            return exception_pdu(_READ_REGISTERS, ExcCodes.ILLEGAL_VALUE)
        _, address, count = _FIVE_BYTES.unpack(request)
        if not 1 <= count <= MAX_READ:
            return exception_pdu(_READ_REGISTERS, ExcCodes.ILLEGAL_VALUE)
        if address + count > BEYOND_REGISTERS:
            return exception_pdu(_READ_REGISTERS, ExcCodes.ILLEGAL_ADDRESS)
        head: bytes = _HEAD_OF_READ[count]
        if served.windows.touches(address, count):
            window = served.windows.covering(address, count)
            if window is None:
                return exception_pdu(_READ_REGISTERS, ExcCodes.ILLEGAL_ADDRESS)
            key = (unit, id(window))
            words, self._cursors[key] = window.read(self._cursor(unit, window), address, count)
            return head + words.astype(">u2").tobytes()
        octets = served.read_octets(address, count)
        if octets is None:
            return exception_pdu(_READ_REGISTERS, ExcCodes.ILLEGAL_ADDRESS)
        return head + octets

    def _write_registers(self, unit: int, served: ServedDevice, request: bytes) -> bytes | PendingWrite:
        write = _decode_write(request)
        if write is None:
            return exception_pdu(_WRITE_REGISTERS, ExcCodes.ILLEGAL_VALUE)
        address, words = write.address, tuple(write.registers)
        done = _encode(WriteMultipleRegistersResponse(address=address, count=len(words)))
        if served.windows.touches(address, len(words)):
            window = served.windows.covering(address, len(words))
            if window is None:
                return exception_pdu(_WRITE_REGISTERS, ExcCodes.ILLEGAL_ADDRESS)
            try:
                cursor = window.write(self._cursor(unit, window), address, words)
            except ValueError:
                return exception_pdu(_WRITE_REGISTERS, ExcCodes.ILLEGAL_VALUE)
            if cursor is not None:
                self._cursors[unit, id(window)] = cursor
                return done
        elif served.regions.covering(address, len(words)) is None:
            return exception_pdu(_WRITE_REGISTERS, ExcCodes.ILLEGAL_ADDRESS)
        return PendingWrite(_command(served, "write_registers", {"address": address, "words": words}), done)

    def _cursor(self, unit: int, window: RetrievalWindow) -> Any:
        key = (unit, id(window))
        if key not in self._cursors:
            self._cursors[key] = window.initial()
        return self._cursors[key]


def exception_pdu(function: int, code: int) -> bytes:
    """Return the PDU of an exception answer."""
    return _encode(ExceptionResponse(function & 0x7F, code))


def _encode(pdu: ModbusPDU) -> bytes:
    return bytes((pdu.function_code,)) + pdu.encode()


def _decode_write(request: bytes) -> WriteMultipleRegistersRequest | None:
    """Return the write, or None where its counts contradict each other or the limit."""
    write = WriteMultipleRegistersRequest()
    try:
        write.decode(request[1:])
    except struct.error:
        return None
    consistent = write.byte_count == 2 * write.count == len(request) - 6
    return write if consistent and 1 <= write.count <= MAX_WRITE else None


def _read_bits(served: ServedDevice, request: bytes) -> bytes:
    """Read coils or inputs; quantity (exception 03) is checked before address (exception 02)."""
    function = request[0]
    if function not in {_READ_COILS, _READ_INPUTS}:
        return exception_pdu(function, ExcCodes.ILLEGAL_FUNCTION)
    if len(request) != _FIVE_BYTES.size:
        return exception_pdu(function, ExcCodes.ILLEGAL_VALUE)
    _, address, count = _FIVE_BYTES.unpack(request)
    if not 1 <= count <= MAX_BITS:
        return exception_pdu(function, ExcCodes.ILLEGAL_VALUE)
    bits = served.coils if function == _READ_COILS else served.inputs
    if not bits.has(address, count):
        return exception_pdu(function, ExcCodes.ILLEGAL_ADDRESS)
    states = bits.read(served.device.image, address, count)
    return bytes((function, len(states))) + states


def _write_coil(served: ServedDevice, request: bytes) -> bytes | PendingWrite:
    """Switch one coil; the answer echoes the request."""
    if len(request) != _FIVE_BYTES.size:
        return exception_pdu(_WRITE_COIL, ExcCodes.ILLEGAL_VALUE)
    _, address, value = _FIVE_BYTES.unpack(request)
    if value not in _COIL_VALUES:
        return exception_pdu(_WRITE_COIL, ExcCodes.ILLEGAL_VALUE)
    if not served.coils.has(address, 1):
        return exception_pdu(_WRITE_COIL, ExcCodes.ILLEGAL_ADDRESS)
    return PendingWrite(
        _command(served, "write_coil", {"address": address, "on": _COIL_VALUES[value]}), request
    )


def _command(served: ServedDevice, verb: str, arguments: Mapping[str, object]) -> Command:
    name = served.device.name
    return Command(source=f"modbus:{name}", target=name, verb=verb, arguments=arguments)

"""A Modbus TCP master by hand: frames from the standard, a socket, and nothing of the site's own server."""

import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

READ_REGISTERS, WRITE_REGISTERS = 3, 16
READ_BITS = {"coil": 1, "input": 2}
MOST_REGISTERS = 125
BUSY = 6
_ATTEMPTS = 60
"""Each takes the server's second; code that is compiled for the first time may need many."""


class RefusedError(Exception):
    """The meter answered with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code:02d}")
        self.code = code


class Master:
    """One connection to one unit.

    Parameters
    ----------
    host : str
    port : int
    unit : int
        0..247.
    """

    def __init__(self, host: str, port: int, unit: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=10.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unit = unit
        self._transaction = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def read(self, address: int, count: int) -> list[int]:
        """Return registers, as many as one wants: at most 125 go into a request."""
        words: list[int] = []
        while len(words) < count:
            some = min(count - len(words), MOST_REGISTERS)
            data = self._ask(READ_REGISTERS, struct.pack(">HH", address + len(words), some))
            if data[0] != 2 * some or len(data) != 1 + 2 * some:
                raise ConnectionError(f"{some} registers asked for, {len(data) - 1} octets answered")
            words += struct.unpack(f">{some}H", data[1:])
        return words

    def read_bits(self, kind: str, count: int) -> list[int]:
        """Return coils or inputs from number 0 on."""
        data = self._ask(READ_BITS[kind], struct.pack(">HH", 0, count))
        return [data[1 + at // 8] >> at % 8 & 1 for at in range(count)]

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write registers by function 16.

        Raises
        ------
        RefusedError
            The meter did not take them.
        """
        head = struct.pack(">HHB", address, len(words), 2 * len(words))
        echo = self._ask(WRITE_REGISTERS, head + struct.pack(f">{len(words)}H", *words))
        if echo != head[:4]:
            raise ConnectionError(f"write of {address:04X}H was answered by {echo.hex()}")

    def refusal(self, address: int, words: Sequence[int]) -> int:
        """Return the exception code that a write is answered by; 0 when it is taken.

        A meter that is busy is asked again: all that is written here may be written twice.
        """
        for _ in range(_ATTEMPTS):
            try:
                self.write(address, words)
            except RefusedError as refused:
                if refused.code != BUSY:
                    return refused.code
            else:
                return 0
        return BUSY

    def _ask(self, function: int, data: bytes) -> bytes:
        self._transaction = (self._transaction + 1) % 0x10000
        head = struct.pack(">HHHBB", self._transaction, 0, 2 + len(data), self._unit, function)
        self._socket.sendall(head + data)
        transaction, protocol, length, unit, answered = struct.unpack(">HHHBB", self._receive(8))
        body = self._receive(length - 2)
        if (transaction, protocol, unit) != (self._transaction, 0, self._unit):
            raise ConnectionError(f"answer {transaction} of unit {unit} to request {self._transaction}")
        if answered == function | 0x80:
            raise RefusedError(body[0])
        if answered != function:
            raise ConnectionError(f"function {answered} answers function {function}")
        return body

    def _receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise ConnectionError("the meter closed the connection")
            data += more
        return data

"""Modbus RTU frames out of the bytes of a line, and back: no devices, no clocks.

On the wire a frame ends where the line is silent for 3.5 characters. A program sees bytes later than the wire
does, in pieces and joined, so a frame is also known by its length, which its function tells, and its CRC:
frames that an operating system joins are told apart, those that it cuts are put together again. What is no
frame when the line falls silent is dropped as a whole, as every device on a real line drops it.

References
----------
MODBUS over Serial Line Specification V1.02, sections 2.5.1 (framing) and 6.2.2 (CRC); KW320 manual 6.1.
"""

from collections.abc import Iterator

LONGEST = 9 + 255
"""The specification ends at 256, but a write of too many registers has to be read to be refused."""
_SHORTEST = 4  # unit, function, CRC
_FIXED_REQUESTS = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8}
_COUNTED_REQUESTS = {15: 6, 16: 6}  # where the byte count stands, two bytes before the CRC is added
_FIXED_ANSWERS = {5: 8, 6: 8, 15: 8, 16: 8}
_COUNTED_ANSWERS = {1, 2, 3, 4}
_EXCEPTION = 5


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_TABLE = _crc_table()


def crc16(data: bytes) -> int:
    """Return the CRC of a message; on the line its low byte goes first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def encode_frame(unit: int, pdu: bytes) -> bytes:
    """Return a frame with its CRC."""
    message = bytes((unit,)) + pdu
    return message + crc16(message).to_bytes(2, "little")


class FrameSplitter:
    """Takes bytes as they come and returns whole frames, without their CRC."""

    __slots__ = ("_buffer", "_spoilt", "dropped")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._spoilt = False
        self.dropped = 0
        """Bursts that were no frames."""

    @property
    def pending(self) -> bool:
        """Whether bytes wait for the rest of their frame."""
        return bool(self._buffer) or self._spoilt

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes, and return the frames that end among them.

        Yields
        ------
        bytes
            Unit and PDU of a frame whose length is known and whose CRC is right.
        """
        if self._spoilt:
            return
        self._buffer += data
        while (length := self._whole(self._lengths())) is not None:
            yield self._take(length)
        if len(self._buffer) > LONGEST:
            self._buffer.clear()
            self._spoilt = True  # whatever follows before the next silence belongs to it

    def silence(self) -> bytes | None:
        """End what has been taken: the line has been silent long enough.

        Returns
        -------
        bytes or None
            Unit and PDU where all that waited is a frame, of whatever function; else it is dropped.
        """
        length = len(self._buffer)
        frame = None
        if length >= _SHORTEST and self._is_right(length):
            frame = self._take(length)
        elif self.pending:
            self.dropped += 1
        self.clear()
        return frame

    def clear(self) -> None:
        """Forget what waits."""
        self._buffer.clear()
        self._spoilt = False

    def _take(self, length: int) -> bytes:
        frame = bytes(self._buffer[: length - 2])
        del self._buffer[:length]
        return frame

    def _lengths(self) -> Iterator[int]:
        """Lengths that the frame at the front can have: as a request, then as another device's answer."""
        buffer = self._buffer
        if len(buffer) < _SHORTEST:
            return
        function = buffer[1]
        if function & 0x80:
            yield _EXCEPTION
            return
        if function in _FIXED_REQUESTS:
            yield _FIXED_REQUESTS[function]
        if function in _FIXED_ANSWERS:
            yield _FIXED_ANSWERS[function]
        if function in _COUNTED_REQUESTS and len(buffer) > _COUNTED_REQUESTS[function]:
            yield _COUNTED_REQUESTS[function] + 1 + buffer[_COUNTED_REQUESTS[function]] + 2
        if function in _COUNTED_ANSWERS:
            yield 3 + buffer[2] + 2

    def _whole(self, lengths: Iterator[int]) -> int | None:
        for length in lengths:
            if length <= len(self._buffer) and self._is_right(length):
                return length
        return None

    def _is_right(self, length: int) -> bool:
        crc = int.from_bytes(self._buffer[length - 2 : length], "little")
        return crc16(bytes(self._buffer[: length - 2])) == crc

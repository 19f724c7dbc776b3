"""A meter made of plain registers, and a master that speaks in bytes: nothing here knows the server."""

import socket
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from twin.contracts import (
    POWER_WORD,
    Answer,
    BitBlock,
    Command,
    Refusal,
    RegisterBlock,
    RetrievalWindow,
    SerialPort,
)

KW320_FUNCTIONS = frozenset({1, 2, 3, 5, 16})


class Registers:
    """Words by address in a dictionary: the contract's reader, without shared memory."""

    def __init__(self, words: dict[int, int]) -> None:
        self.words = words

    def read(self, address: int, count: int):
        wanted = range(address, address + count)
        if any(each not in self.words for each in wanted):
            return None
        return np.array([self.words[each] for each in wanted], np.uint16)

    def read_octets(self, address: int, count: int):
        words = self.read(address, count)
        return None if words is None else words.astype(">u2").tobytes()

    @property
    def powered(self) -> bool:
        return bool(self.words.get(POWER_WORD, 1))

    @property
    def published_ns(self) -> int:
        return 0


class RecordWindow:
    """Records of four words from 8E00H: the cursor counts full reads, or is written to 8E00H."""

    blocks = (RegisterBlock(0x8E00, 2), RegisterBlock(0x8E02, 2))

    def initial(self):
        return 0

    def read(self, cursor, address, count):
        block = np.array([cursor, 10 * cursor, 10 * cursor + 1, 10 * cursor + 2], np.uint16)
        first = address - 0x8E00
        whole = (address, count) == (0x8E00, 4)
        return block[first : first + count], cursor + 1 if whole else cursor

    def write(self, cursor, address, words: Sequence[int]):
        if address != 0x8E00:
            return None
        if words[0] > 99:
            raise ValueError("record 0..99")
        return words[0]


@dataclass
class Meter:
    name: str = "head"
    image: Registers = field(default_factory=lambda: Registers({}))
    windows: tuple[RetrievalWindow, ...] = ()
    write_regions: tuple[tuple[RegisterBlock, ...], ...] = ()
    coils: tuple[BitBlock, ...] = ()
    inputs: tuple[BitBlock, ...] = ()
    serial_ports: tuple[SerialPort, ...] = ()
    function_codes: frozenset[int] = KW320_FUNCTIONS


class Simulation:
    """Stands for whoever carries commands out: answers at once, later, never, or not as it should."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.commands: list[Command] = []
        self.futures: list[Future[Answer]] = []
        self.reaction: Callable[[Command, Future], None] = self._apply
        self.meter = meter

    def submit(self, command: Command) -> "Future[Answer]":
        future: Future[Answer] = Future()
        self.commands.append(command)
        self.futures.append(future)
        self.reaction(command, future)
        return future

    def _apply(self, command: Command, future) -> None:
        if self.meter is not None and command.verb == "write_coil":
            (relays,) = self.meter.coils
            word, bit = divmod(command.arguments["address"] - relays.address, 16)
            states = self.meter.image.words
            states[relays.word + word] &= ~(1 << bit)
            states[relays.word + word] |= command.arguments["on"] << bit
        elif self.meter is not None:
            for offset, word in enumerate(command.arguments["words"]):
                self.meter.image.words[command.arguments["address"] + offset] = word
        future.set_result(Answer(applied_ns=1))

    def refuse(self, refusal: Refusal) -> None:
        self.reaction = lambda command, future: future.set_result(Answer(1, refusal))

    def hold(self) -> None:
        self.reaction = lambda command, future: None

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + 10
        while len(self.futures) < count:
            assert time.monotonic() < until, f"only {len(self.futures)} of {count} commands came"
            time.sleep(0.001)


class Master:
    """One TCP connection, used byte by byte."""

    def __init__(self, address: tuple[str, int], *, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.socket.settimeout(10)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, count: int) -> bytes:
        """Return exactly ``count`` bytes, or fewer at the end of the stream."""
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                break
            data += piece
        return data

    def answer(self) -> bytes:
        """Return the next whole answer frame."""
        header = self.receive(6)
        assert len(header) == 6, f"the server closed: {header.hex(' ')}"
        return header + self.receive(int.from_bytes(header[4:6], "big"))

    def ask(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Send one request and return the answer's PDU, after checking its header."""
        self.send(frame(transaction, unit, pdu))
        answer = self.answer()
        assert answer[:4] == struct.pack(">HH", transaction, 0)
        assert answer[6] == unit
        return answer[7:]

    def is_closed_by_server(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def is_silent(self, seconds: float = 0.2) -> bool:
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1)
        except TimeoutError:
            return True
        else:
            return False
        finally:
            self.socket.settimeout(10)


def is_turned_away(address: tuple[str, int]) -> bool:
    """Return whether a new connection is made and closed; its end may come before its beginning is seen."""
    try:
        with Master(address) as master:
            return master.is_closed_by_server()
    except ConnectionResetError:
        return True


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def read(address: int, count: int) -> bytes:
    return struct.pack(">BHH", 3, address, count)


def write(address: int, *words: int) -> bytes:
    return struct.pack(f">BHHB{len(words)}H", 16, address, len(words), 2 * len(words), *words)


def registers(*words: int) -> bytes:
    return struct.pack(f">BB{len(words)}H", 3, 2 * len(words), *words)


def octets(text: str) -> bytes:
    return bytes.fromhex(text)

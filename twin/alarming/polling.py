"""Polling over Modbus TCP, as any master does it: one connection a device, one request at a time.

Imports pymodbus and asyncio's client side when it is used.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from twin.alarming.reads import RegisterRead
from twin.alarming.rules import PolledSource
from twin.alarming.scans import Scan

# A device that does not answer is an alarm's affair; frame dumps are for those who ask the library for them.
logging.getLogger("pymodbus").addHandler(logging.NullHandler())

Clock = Callable[[], int]
Take = Callable[[Scan], object]


class Poller:
    """Polls one device; use it as an asynchronous context manager.

    Parameters
    ----------
    source : PolledSource
    timeout_s : float
        How long an answer, or a connection, is waited for [s].
    """

    def __init__(self, source: PolledSource, *, timeout_s: float) -> None:
        self.source = source
        self._timeout_s = timeout_s
        self._client: AsyncModbusTcpClient | None = None

    async def __aenter__(self) -> "Poller":
        """Return the poller; it connects at its first scan."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        self._close()

    async def scan(self, clock: Clock) -> Scan:
        """Read all tags of the device once.

        Parameters
        ----------
        clock : callable
            Returns the time of the journal [ns].

        Returns
        -------
        Scan
            Without values where the device has not answered, or has answered every request by an exception,
            as a busy device does, or a gateway whose device is silent; a single read that it refuses brings
            no numbers for its tags.
        """
        values: dict[str, float] = {}
        refusals = []
        try:
            async with asyncio.timeout(2 * self._timeout_s * max(1, len(self.source.reads))):
                client = self._client = self._client or self._new_client()
                if not client.connected and not await client.connect():
                    return self._lost(clock, "it takes no connection")
                for read in self.source.reads:
                    brought, refusal = await self._read(client, read)
                    values |= brought
                    refusals += [refusal] if refusal else []
        except (ModbusException, OSError, TimeoutError) as error:
            # What comes late must not be taken for the answer to the next request.
            self._close()
            return self._lost(clock, str(error) or "no answer in time")
        if len(refusals) == len(self.source.reads):
            return self._lost(clock, refusals[0])
        return Scan(self.source.name, clock(), values)

    def _new_client(self) -> AsyncModbusTcpClient:
        """Return a client, which belongs to the event loop that runs now."""
        # A retry would double the time after which a device counts as lost; the next poll is one.
        return AsyncModbusTcpClient(
            self.source.host, port=self.source.port, timeout=self._timeout_s, retries=0, reconnect_delay=0
        )

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _read(self, client: AsyncModbusTcpClient, read: RegisterRead) -> tuple[dict[str, float], str]:
        """Return the values of a request's tags, and why it was refused where it was."""
        ask = {
            "register": client.read_holding_registers,
            "input": client.read_discrete_inputs,
            "coil": client.read_coils,
        }[read.kind]
        answer = await ask(read.address, count=read.count, device_id=self.source.unit)
        # The bits of the last byte are all there, asked for or not.
        words = answer.registers if read.kind == "register" else answer.bits[: read.count]
        if answer.isError() or len(words) != read.count:
            why = f"it answers by exception {answer.exception_code:02X}H" if answer.isError() else "it is cut"
            return dict.fromkeys((tag.name for tag in read.tags), math.nan), why
        first = read.address
        values = {
            tag.name: tag.value(words[tag.address - first : tag.address - first + tag.words])
            for tag in read.tags
        }
        return values, ""

    def _lost(self, clock: Clock, problem: str) -> Scan:
        return Scan(self.source.name, clock(), None, problem)


async def poll_for_ever(poller: Poller, take: Take, *, clock: Clock) -> None:
    """Poll a device on an absolute schedule until cancelled; a scan that takes longer skips turns.

    Parameters
    ----------
    poller : Poller
    take : callable
        Gets each scan, in the event loop's thread.
    clock : callable
        Time of the journal [ns].
    """
    period_s = poller.source.poll_ns * 1e-9
    due = time.monotonic()
    while True:
        take(await poller.scan(clock))
        due += period_s * max(1, math.ceil((time.monotonic() - due) / period_s))
        await asyncio.sleep(max(0.0, due - time.monotonic()))

"""One master's answers while its endpoint is faulty: held back, cut, doubled or dropped, in their order.

TCP keeps the order of what it carries, so an answer that is held back holds up those behind it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from twin.contracts.transport import Ending
from twin.protocols.fault_decisions import Fate
from twin.protocols.fault_shapes import Shaped, shape_tcp
from twin.protocols.gateway import NO_RESPONSE, Gateway
from twin.protocols.modbus_session import ModbusSession, PendingWrite, exception_pdu
from twin.protocols.served_port import PortFaults

_MOST_WAITING = 256


class Way(Protocol):
    """Where answers go."""

    def send(self, data: bytes) -> None:
        """Send bytes."""

    def end(self, *, reset: bool) -> None:
        """Close the connection, after what has been sent or at once."""


class LateAnswers:
    """Gives the requests of one connection their fates.

    Parameters
    ----------
    loop
        Its clock and timers.
    way
        Where answers go.
    drained
        Called when answers have waited, and none does any more.
    """

    __slots__ = (
        "_asked",
        "_before",
        "_drained",
        "_due",
        "_gateway",
        "_loop",
        "_pending",
        "_request",
        "_timer",
        "_waiting",
        "_way",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, way: Way, drained: Callable[[], None]) -> None:
        self._loop = loop
        self._way = way
        self._drained = drained
        self._waiting: deque[tuple[float, Shaped]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0  # when the newest answer leaves
        self._pending = Fate()  # of the write that is being carried out
        self._asked = (0, 0)
        self._request = b""
        self._gateway: Gateway | None = None
        self._before: int | None = None  # transaction identifier of the request before

    @property
    def waiting(self) -> bool:
        """Whether an answer is held back."""
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether so many are held back that requests have to wait."""
        return len(self._waiting) >= _MOST_WAITING

    def handle(
        self, faults: PortFaults | None, session: ModbusSession, transaction: int, unit: int, request: bytes
    ) -> PendingWrite | bytes | None:
        """Carry a request out as its fate is; return a write that has to be waited for.

        Parameters
        ----------
        faults
            Of the port; None where they are over, and answers to earlier requests still wait.
        session
            Carries requests out.
        transaction, unit, request
            What was asked.

        Returns
        -------
        PendingWrite, bytes or None
            Bytes are the PDU that goes its way, for statistics.
        """
        endpoint = None if faults is None else faults.of(unit)
        fate = Fate() if endpoint is None else endpoint.decide(request, self._loop.time())
        self._asked = (transaction, unit)
        self._request, self._gateway = request, None if faults is None else faults.gateway
        self._pending = fate
        if not fate.heard:
            return self._wait_in_vain()
        if fate.exception is not None:
            answer: bytes | PendingWrite | None = exception_pdu(request[0], fate.exception)
        else:
            answer = session.handle(unit, request)
        if isinstance(answer, bytes):
            self.answer(answer)
        return answer

    def answer(self, pdu: bytes) -> None:
        """Send the answer to the request that was handled last, as its fate is."""
        if not self._pending.answered:
            self._wait_in_vain()
        else:
            self._send_pdu(pdu)

    def _wait_in_vain(self) -> bytes | None:
        """Have a gateway say that the meter has not responded; any other port is silent."""
        if self._gateway is None:
            return None
        pdu = exception_pdu(self._request[0], NO_RESPONSE)
        self._send_pdu(pdu)
        return pdu

    def _send_pdu(self, pdu: bytes) -> None:
        fate, (transaction, unit) = self._pending, self._asked
        before, self._before = self._before, transaction
        if before is None:
            before = (transaction - 1) & 0xFFFF  # as a master that counts would have had it
        delay_s = fate.delay_s
        if self._gateway is not None:
            delay_s += self._gateway.pass_on(self._loop.time(), self._request, pdu)
        self._push(delay_s, shape_tcp(fate, transaction, before, unit, pdu))

    def cancel(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _push(self, delay_s: float, shaped: Shaped) -> None:
        now = self._loop.time()
        self._due = max(self._due, now + delay_s)
        if self._due <= now and not self._waiting:
            self._send(shaped)
            return
        self._waiting.append((self._due, shaped))
        if self._timer is None:
            self._timer = self._loop.call_at(self._due, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now:
            _, shaped = self._waiting.popleft()
            self._send(shaped)
        if self._waiting:
            self._timer = self._loop.call_at(self._waiting[0][0], self._deliver)
        else:
            self._drained()

    def _send(self, shaped: Shaped) -> None:
        if shaped.data:
            self._way.send(shaped.data)
        if shaped.ending is not Ending.KEEP:
            self.cancel()
            self._way.end(reset=shaped.ending is Ending.RESET)

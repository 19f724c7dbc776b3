"""A master's write on its way through the simulation: one at a time, answered on the event loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from twin.contracts import Answer, Command, Refusal
from twin.protocols.modbus_session import PendingWrite

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class WriteContext:
    """What all masters of a server share."""

    loop: asyncio.AbstractEventLoop
    submit: Callable[[Command], "Future[Answer]"]
    answer_timeout_s: float


class CarriedOut:
    """Has one write carried out at a time.

    Parameters
    ----------
    context
        Where commands go, and how long they may take.
    answer
        Called on the loop with the answer's PDU, once for each write that is not cancelled.
    """

    __slots__ = ("_answer", "_context", "_timer", "_write")

    def __init__(self, context: WriteContext, answer: Callable[[bytes], None]) -> None:
        self._context = context
        self._answer = answer
        self._write: PendingWrite | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> bool:
        """Whether a write is being carried out."""
        return self._write is not None

    def begin(self, write: PendingWrite) -> None:
        """Have a write carried out; no other may wait."""
        self._write = write
        loop = self._context.loop
        self._timer = loop.call_later(
            self._context.answer_timeout_s, self._finish, write, write.refused(Refusal.BUSY)
        )
        submit_write(self._context, write, lambda pdu: loop.call_soon_threadsafe(self._finish, write, pdu))

    def cancel(self) -> None:
        """Wait no longer: a late answer is dropped."""
        self._write = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finish(self, write: PendingWrite, pdu: bytes) -> None:
        if self._write is write:  # else answered, timed out or cancelled before
            self.cancel()
            self._answer(pdu)


def submit_write(context: WriteContext, write: PendingWrite, deliver: Callable[[bytes], object]) -> None:
    """Queue a write; ``deliver`` gets its answer's PDU, in whichever thread gives it."""
    try:
        future = context.submit(write.command)
    except Exception:
        _log.exception("command of %s could not be submitted", write.command.source)
        deliver(write.failed())
    else:
        future.add_done_callback(partial(_deliver, write, deliver))


def _deliver(write: PendingWrite, deliver: Callable[[bytes], object], future: "Future[Answer]") -> None:
    # A stopped server's loop is closed: then nobody waits for the answer any more.
    with suppress(RuntimeError):
        deliver(_answer_pdu(write, future))


def _answer_pdu(write: PendingWrite, future: "Future[Answer]") -> bytes:
    try:
        answer = future.result()
    except Exception as error:
        _log.error("command of %s failed: %r", write.command.source, error)
        return write.failed()
    return write.done if answer.refusal is None else write.refused(answer.refusal)

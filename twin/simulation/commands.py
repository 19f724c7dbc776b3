"""The one ordered queue of commands, from any thread to the simulation's own."""

import queue
import threading
from concurrent.futures import Future

from twin.contracts import Answer, Command, TwinError


class SimulationEndedError(TwinError, RuntimeError):
    """A command came when nobody was there any more to carry it out."""


class CommandQueue:
    """Commands in the order in which they came; each gets an answer, or hears that there is none."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[Command, Future[Answer]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, command: Command) -> Future[Answer]:
        """Queue a command; its answer comes when it has been applied and republished.

        After the end of the simulation the future fails with ``SimulationEndedError``.
        """
        future: Future[Answer] = Future()
        with self._lock:
            if self._closed:
                future.set_exception(_ended(command))
            else:
                self._waiting.put((command, future))
        return future

    def next(self, timeout_s: float) -> tuple[Command, Future[Answer]] | None:
        """Return the next command, waiting for one up to a time [s]; None when there is none."""
        try:
            return self._waiting.get(timeout=timeout_s) if timeout_s > 0 else self._waiting.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """Take no more commands, and tell those that wait that nobody will answer."""
        with self._lock:
            self._closed = True
        while (waiting := self.next(0.0)) is not None:
            command, future = waiting
            if future.set_running_or_notify_cancel():
                future.set_exception(_ended(command))


def _ended(command: Command) -> SimulationEndedError:
    return SimulationEndedError(f"the simulation has ended; '{command.verb}' was not carried out")

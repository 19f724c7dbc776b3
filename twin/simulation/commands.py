"""The one ordered queue of commands, from any thread to the simulation's own."""

import queue
from concurrent.futures import Future

from twin.contracts import Answer, Command


class CommandQueue:
    """Commands in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[Command, Future[Answer]]] = queue.SimpleQueue()

    def submit(self, command: Command) -> Future[Answer]:
        """Queue a command; its answer comes when it has been applied and republished."""
        future: Future[Answer] = Future()
        self._waiting.put((command, future))
        return future

    def next(self, timeout_s: float) -> tuple[Command, Future[Answer]] | None:
        """Return the next command, waiting for one up to a time [s]; None when there is none."""
        try:
            return self._waiting.get(timeout=timeout_s) if timeout_s > 0 else self._waiting.get_nowait()
        except queue.Empty:
            return None

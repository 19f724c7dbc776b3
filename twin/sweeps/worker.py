"""A process that runs variants: the side that starts it, and the life of it.

It is started on the same processor instructions as the program that asks for the results, whoever starts
it: the last bit of a result follows from them.
"""

import contextlib
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from twin.sweeps.plan import Variant
from twin.sweeps.running import Order, Outcome, run_variant
from twin.sweeps.site_files import SiteFiles

_INSTRUCTIONS = ("NUMBA_CPU_", "NPY_", "OPENBLAS_", "OMP_", "MKL_", "GLIBC_TUNABLES")
"""Beginnings of the variables by which numerical libraries choose what a processor is asked to do."""


_PROGRAM = "from twin.sweeps.worker import main; main()"


class WorkerDiedError(Exception):
    """A worker process ended in the middle of a chunk; the message says how."""


def instructions() -> dict[str, str]:
    """Return the variables of this process that choose processor instructions."""
    return {name: value for name, value in os.environ.items() if name.startswith(_INSTRUCTIONS)}


class Worker:
    """A worker process, as the one who started it sees it.

    Parameters
    ----------
    scenario : Path
        Scenario file of which it runs variants.
    order : Order
        How.
    chosen : mapping
        See `instructions`.
    """

    def __init__(self, scenario: Path, order: Order, chosen: Mapping[str, str]) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(_INSTRUCTIONS)}
        ours, theirs = socket.socketpair()
        with theirs:
            # A session of its own: Ctrl-C reaches every process of a terminal's, and this one is not to
            # die of it before its parent has decided.
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                env={**own, **chosen}, start_new_session=True,
            )  # fmt: skip
        self.connection = Connection(ours.detach())
        self.chunk: list[Variant] = []
        self._send((scenario, order))

    def give(self, chunk: list[Variant]) -> None:
        """Have a chunk run; a worker that is dead already is found when its outcomes are taken."""
        self.chunk = chunk
        self._send(chunk)

    def take(self) -> list[Outcome]:
        """Wait for the outcomes of the chunk.

        Raises
        ------
        WorkerDiedError
            The process ended instead; this worker is of no use any more.
        """
        self.chunk = []
        try:
            outcomes: list[Outcome] = self.connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self.close()
            raise WorkerDiedError(_end_of(self.process.returncode)) from None
        return outcomes

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.connection.close()
        self.process.kill()
        self.process.wait()

    def _send(self, value: object) -> None:
        with contextlib.suppress(OSError):
            self.connection.send(value)


def _end_of(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def main() -> None:
    """Run chunks until the other side is gone; the life of a worker process."""
    connection = Connection(int(sys.argv[1]))
    threading.Thread(target=_end_with_parent, args=(connection.fileno(),), daemon=True).start()
    scenario, order = connection.recv()
    files = SiteFiles(scenario)
    with contextlib.suppress(EOFError, OSError):
        while True:
            chunk = connection.recv()
            connection.send([run_variant(files, variant, order) for variant in chunk])


def _end_with_parent(handle: int) -> None:
    """End this process as soon as the other side is gone: nobody would take its results."""
    gone = select.poll()
    gone.register(handle, select.POLLRDHUP)
    gone.poll()
    os._exit(1)

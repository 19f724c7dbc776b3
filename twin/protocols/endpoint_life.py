"""One life of the process of the endpoints: started, asked, ended."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from twin.contracts import TwinError
from twin.protocols.endpoint_messages import EndpointPlan, Failed, Link, Ready

_START_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 5.0


class EndpointProcessError(TwinError, RuntimeError):
    """The process of the endpoints does not start."""


class EndpointLife:
    """A process that serves until its pipe is closed.

    Parameters
    ----------
    inherited
        Descriptors that it needs.
    """

    def __init__(self, inherited: Sequence[int]) -> None:
        self._pipe, theirs = socket.socketpair()
        self.link = Link(os.dup(self._pipe.fileno()))
        """For messages."""
        # What this program finds its modules by, the process does too, from wherever it was started.
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 - text is wanted
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "twin.protocols.endpoint_child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *inherited),
                process_group=0,  # an interrupt from the keyboard is meant for the site
                env=os.environ | {"PYTHONPATH": path},
            )

    def begin(self, plan: EndpointPlan) -> None:
        """Tell the process what to serve, and wait until it does.

        Raises
        ------
        EndpointProcessError
            It cannot, or does not answer.
        """
        said: object
        try:
            self.link.send(plan)
            said = self.link.recv() if self.link.poll(_START_TIMEOUT_S) else Failed("it does not answer")
        except (EOFError, OSError):
            said = Failed(f"it ended by {self.ending}")
        if not isinstance(said, Ready):
            reason = said.reason if isinstance(said, Failed) else repr(said)
            raise EndpointProcessError(f"the process of the endpoints does not start: {reason}")

    @property
    def pid(self) -> int | None:
        """Number of the process; None when it is gone."""
        return None if self._process.poll() is not None else self._process.pid

    @property
    def ending(self) -> str:
        """How the process ended, for people; waits a moment for it."""
        try:
            code = self._process.wait(3.0)
        except subprocess.TimeoutExpired:
            return "closing its pipe"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def interrupt(self) -> None:
        """Cut the pipe: the process ends, and whoever waits for a message hears so; from any thread."""
        with suppress(OSError):
            self._pipe.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        """End the process by force, however it hangs."""
        self._process.kill()

    def close(self) -> None:
        """Wait until the process has ended, by force if need be; by the thread that uses the link."""
        self.interrupt()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.link.close()
        self._pipe.close()

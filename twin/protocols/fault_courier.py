"""The faults of endpoints on their way to the process that serves them, through its crashes as well."""

import itertools
import queue
import threading
from collections.abc import Sequence

from twin.contracts.transport import EndpointFault
from twin.protocols.endpoint_messages import Answered, SetFaults

Outgoing = queue.SimpleQueue[Answered | SetFaults | None]
"""What is sent to the process, in order; None is the end."""


class FaultCourier:
    """Knows which faults should hold, and whether the process has let them hold."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._wanted = SetFaults(0, ())
        self._held = 0
        self._outgoing: Outgoing | None = None
        self._changed = threading.Condition()

    @property
    def wanted(self) -> SetFaults:
        """What should hold now."""
        return self._wanted

    def set(self, faults: Sequence[EndpointFault]) -> None:
        """Let other faults hold as soon as they have been told; from any thread."""
        with self._changed:
            self._wanted = SetFaults(next(self._numbers), tuple(faults))
            if self._outgoing is not None:
                self._outgoing.put(self._wanted)

    def attach(self, outgoing: Outgoing) -> None:
        """Tell a process from now on, which has been told before what should hold or must be now."""
        with self._changed:
            self._outgoing = outgoing
            if self._wanted.number != self._held:
                outgoing.put(self._wanted)

    def detach(self) -> None:
        """Tell nobody until the next process is there."""
        with self._changed:
            self._outgoing = None

    def note_held(self, number: int) -> None:
        """Take note that a process has let faults hold."""
        with self._changed:
            self._held = number
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until what should hold does; return whether it came to that."""
        if self._held == self._wanted.number:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: self._held == self._wanted.number, timeout_s)

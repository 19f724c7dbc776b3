"""Faults of a server in this process, set from a test."""

import threading

from twin.contracts.transport import EndpointFault, TransportFaults


class Faults:
    """Sets the faults of a server and waits until they hold."""

    def __init__(self, server):
        self._server = server
        self._number = 0
        self.holding: list[EndpointFault] = []

    def begin(self, meters=("head",), over="", **faults):
        self._number += 1
        fault = EndpointFault(self._number, tuple(meters), TransportFaults(**faults), "7", over)
        self.holding.append(fault)
        self._set()
        return fault

    def end(self):
        self.holding.clear()
        self._set()

    def _set(self):
        done = threading.Event()
        self._server.set_faults(self.holding, done.set)
        assert done.wait(10)

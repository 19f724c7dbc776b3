"""A host on whole nanoseconds: it does what `twin.grid.protection.measured` describes and writes a trace."""

import math
from collections.abc import Callable, Mapping

from twin.grid.protection import Action, Measured, ProtectiveDevice

Network = Callable[[float], Mapping[str, Measured]]
"""Given the time [s], what each device measures from now on; the test's closure knows what is open."""


def run(
    devices: Mapping[str, ProtectiveDevice],
    network: Network,
    *,
    changes: tuple[float, ...],
    until: float,
    act: Callable[[str, Action], None],
) -> list[tuple[float, str, str]]:
    """Return ``(time [s] to 0.1 ms, device, event)`` of all that happens; ``changes`` are known times."""
    now, trace = 0, []
    stops = sorted({round(t * 1e9) for t in (*changes, until)})
    while True:
        measured = network(now / 1e9)
        events = [
            (now + math.ceil(event[0] * 1e9), name, event[1])
            for name, device in devices.items()
            if (event := device.time_to_event(measured[name])) is not None
        ]
        stop = next((s for s in stops if s > now), None)
        due = min(events, key=lambda event: event[0], default=None)
        if due is None or (stop is not None and due[0] >= stop):
            if stop is None:
                return trace
            due = (stop, "", "")
        for name, device in devices.items():
            device.advance(measured[name], (due[0] - now) / 1e9)
        now = due[0]
        if now > stops[-1]:
            return trace
        if due[1]:
            act(due[1], devices[due[1]].fire(due[2]))
            trace.append((round(now / 1e9, 4), due[1], due[2]))

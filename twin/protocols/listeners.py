"""The listening sockets of many ports: all of them or none."""

import errno
import socket
from collections.abc import Iterable, Sequence

from twin.protocols.binding import Binding, PortInUseError, open_listener


def open_listeners(bindings: Sequence[Binding], *, backlog: int) -> list[socket.socket]:
    """Return a listening socket for each binding, in their order.

    Parameters
    ----------
    bindings
        Ports; 0 stands for any free one.
    backlog
        Connections that may wait to be accepted, per port.

    Raises
    ------
    PortInUseError
        A port is taken, by another program or by two bindings.
    PortPermissionError
        A port below 1024 needs a privilege that this program lacks.
    ListenError
        An address is not this machine's.
    """
    listeners: list[socket.socket] = []
    taken: dict[tuple[str, int], Binding] = {}
    try:
        for binding in bindings:
            other = taken.get((binding.host, binding.port)) if binding.port else None
            if other is not None:
                error = PortInUseError(
                    errno.EADDRINUSE,
                    f"{binding.host}:{binding.port} is given to {other.meters} and to {binding.meters}; "
                    "give each its own port or address, or serve them as units of one port",
                )
                error.binding = binding
                raise error
            listeners.append(open_listener(binding, backlog=backlog))
            taken[binding.host, binding.port] = binding
    except BaseException:
        close_all(listeners)
        raise
    return listeners


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Close sockets; those that are closed stay so."""
    for each in sockets:
        each.close()

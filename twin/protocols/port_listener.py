"""A port that is listened on, or for a time is not: then whoever connects is refused."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress


class PortListener:
    """The listening socket of one port on an event loop.

    Parameters
    ----------
    listener
        Listens; stays open, so that nobody else takes the port.
    make
        Makes the protocol of a new connection.
    backlog
        Connections that may wait to be accepted.
    """

    def __init__(
        self, listener: socket.socket, make: Callable[[], asyncio.BaseProtocol], *, backlog: int
    ) -> None:
        self._listener = listener
        self._make = make
        self._backlog = backlog
        self._server: asyncio.AbstractServer | None = None

    async def listen(self) -> None:
        """Accept connections; harmless where it does."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                self._make, sock=self._listener.dup(), backlog=self._backlog
            )

    def refuse(self) -> None:
        """Refuse connections, those that wait to be accepted as well; harmless where it does.

        Where the system cannot stop a socket from listening, connections are made and then reset.
        """
        if self._server is not None:
            self._server.close()
            self._server = None
        # On Linux the socket stops listening, for all who hold it, and keeps its port. One that does not
        # listen must not be shut down again: what it accepted later would be at its end from the beginning.
        if self._listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Accept no more connections, and close the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._listener.close()

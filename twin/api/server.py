"""Serves the interface from a thread, so that the simulation keeps its own."""

import socket
import threading
import time

import uvicorn

from twin.api.app import create_app
from twin.api.site import ControlledSite
from twin.protocols.web_listener import WebListenError, local_url, open_web_listener

_MOST_CONNECTIONS = 200
_START_S = 10.0
_STOP_S = 3


class ListenError(WebListenError):
    """The interface cannot be served at the given address."""


class ControlServer:
    """A running server; obtained from ``serve``."""

    def __init__(self, site: ControlledSite, token: str, listener: socket.socket) -> None:
        self.host, self.port = listener.getsockname()[:2]
        """Address and TCP port, also where any free one was asked for."""
        self.url = local_url(listener)
        """Where a client on this machine finds it."""
        self._listener = listener
        config = uvicorn.Config(
            create_app(site, token),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_STOP_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop serving and free the port; a second call does nothing."""
        self._server.should_exit = True
        self._thread.join(timeout=2 * _STOP_S)
        self._listener.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._listener])


def serve(site: ControlledSite, token: str, *, host: str = "127.0.0.1", port: int = 0) -> ControlServer:
    """Start serving the interface of a site and return at once.

    Parameters
    ----------
    site : ControlledSite
    token : str
        What clients must show, from ``token_of``.
    host : str
        Address to listen on.
    port : int
        TCP port; 0 takes any free one.

    Raises
    ------
    ListenError
        The port is in use or may not be opened, or the address is not of this machine.
    """
    listener = open_web_listener(
        host, port, of="the interface", port_name="port for the interface", error=ListenError
    )
    return ControlServer(site, token, listener)

"""Serves the interface from a thread, so that the simulation keeps its own."""

import errno
import socket
import threading
import time

import uvicorn

from twin.api.app import create_app
from twin.api.site import ControlledSite
from twin.contracts import TwinError

_MOST_CONNECTIONS = 200
_START_S = 10.0
_STOP_S = 3


class ListenError(TwinError, OSError):
    """The interface cannot be served at the given address."""


class ControlServer:
    """A running server; obtained from ``serve``."""

    def __init__(self, site: ControlledSite, token: str, listener: socket.socket) -> None:
        self.host, self.port = listener.getsockname()[:2]
        """Address and TCP port, also where any free one was asked for."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
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
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ListenError(_explain(error, host, port)) from error
    return ControlServer(site, token, listener)


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; give another port for the interface, or 0 for any free one"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} may not be opened by this user; give a port above 1023"
    reason = error.strerror or str(error)
    return f"the interface cannot listen on {host} port {port} ({reason}); check the address"
